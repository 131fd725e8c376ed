"""The background of a Roman image that other images show: planned, subtracted by blocks of rows, written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.exposure.jwst.images import RatePlanes, subtract_background
from rtools.pipeline.exposure.request import ExposureRequest
from rtools.pipeline.job.job import Cost, Description, Job, Messages, Outcome, PlannedStep, Result
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.outputs import check_outputs, make_directory, name_outputs
from rtools.pipeline.job.process import PROCESS_BYTES, peak_memory, settled
from rtools.pipeline.job.records import record_of
from rtools.products import names
from rtools.products.io import Product, open_product, writer
from rtools.products.schema import profiles
from rtools.products.schema.record import JobRecord
from rtools.wfi import metadata
from rtools.work import Work
from rtools.work.statistics import image_statistics

__all__ = ["BackgroundJob", "plan_background"]

CHANGED = ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat")

ROWS = 256
"""Rows that are worked on at a time."""


@dataclass(frozen=True, eq=False)
class BackgroundJob(Job):
    """Subtract the background of one image.

    Attributes
    ----------
    product : Product
        The image; closed.
    backgrounds : tuple of Product
        Those that show its background; closed.
    output : Path
        What will be written.
    warnings : tuple of str
        What is to be said before the work.
    called : str
        What the image is called in messages and in the history.
    """

    request: ExposureRequest
    product: Product
    backgrounds: tuple[Product, ...]
    output: Path
    warnings: tuple[str, ...]
    called: str

    kind = "calibrate"
    cautions = ()

    def __reduce__(self):
        return plan_background, (self.name, str(self.product.path), self.request, self.called)

    @cached_property
    def record(self) -> JobRecord:
        """The image, those that show its background, and the options."""
        return record_of(self.request, self.reads, {"bsub": self._options}, mission="jwst", folder=self.output.parent)

    @property
    def reads(self) -> tuple[str, ...]:
        """The image and those that show its background."""
        return tuple(str(one.path) for one in (self.product, *self.backgrounds))

    @property
    def writes(self) -> tuple[Path, ...]:
        """The image without background."""
        return (self.output,)

    def cost(self) -> Cost:
        """Memory for the planes of the image, and blocks of the others."""
        rows, columns = self.product.arrays["data"].shape
        blocks = 16 * ROWS * columns * (len(self.backgrounds) + 1) * 4
        return Cost(threads=1, bytes=int(PROCESS_BYTES + rows * columns * 4 * 2 * len(CHANGED) + blocks))

    def describe(self) -> Description:
        """The step with its options, and the output."""
        step = PlannedStep("bsub", options=self._options, mission="jwst")
        outputs = ("-",) if self.request.to_stdout else (str(self.output),)
        return Description(self.name, (step,), outputs, self.warnings)

    def moved_to(self, folder: Path) -> BackgroundJob:
        """The same job with its product in a directory."""
        return replace(self, output=folder / self.output.name)

    @property
    def _options(self):
        return dict(self.request.settings["bsub"])

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Subtract, and write the image."""
        started = time.perf_counter()
        journal = Journal(work.log, self.called)
        journal.begin(self)
        make_directory(self.output.parent)
        with settled():
            planes = self._subtracted(work)
            self._write(planes, journal, work)
        seconds = {"total": time.perf_counter() - started}
        return [Result(self.name, (self.output,), {}, seconds, peak_memory(), warnings=tuple(journal.warned))]

    def _subtracted(self, work):
        """Planes of the image without its background."""
        rows = self.product.arrays["data"].shape[0]
        made = {name: np.empty(info.shape, info.dtype) for name, info in self.product.arrays.items() if name in CHANGED}
        made["dq"] = np.empty(self.product.arrays["data"].shape, np.uint32)
        with work.progress(self.called, rows) as progress:
            for start in range(0, rows, ROWS):
                stop = min(start + ROWS, rows)
                image = _image(self.product, start, stop, work)
                others = [_image(one, start, stop, work) for one in self.backgrounds]
                subtract_background(image, others, self._options["sigma"], self._options["maxiters"])
                for name, plane in made.items():
                    with np.errstate(over="ignore"):
                        plane[start:stop] = getattr(image, name)
                progress.advance(stop - start)
        return made

    def _write(self, planes, journal, work):
        product, request = self.product, self.request
        meta = dict(product.meta)
        good = image_statistics(planes["data"], planes["dq"], planes["err"], work)
        meta["statistics"] = dict(meta.get("statistics") or {"zodiacal_light": -1.0}) | good
        meta["cal_logs"] = [*map(str, product.meta.get("cal_logs") or []), *journal.lines]
        with product:
            arrays = {name: product.array(name, work) for name in product.arrays if name not in planes}
        profile, said = profiles.kept(request.profile, [product])
        inputs = [self.called, *(str(one.path) for one in self.backgrounds)]
        entry = self.asked.entry(parameters={"bsub": self._options}, inputs=inputs)
        stage = writer.stage_product(
            self.output,
            "l2_image",
            meta,
            arrays | planes,
            profile=profile,
            compression=request.compression or "lz4",
            history=[*product.history, entry],
            work=work,
        )
        for text in (*said, *stage.messages):
            journal.log("warning", text)
        stage.commit()


def _image(product, start, stop, work):
    """Rows of an image with variances that add up to the square of its error."""
    with product:
        found = {name: product.rows(name, start, stop, work) for name in CHANGED if name in product.arrays}
    err = found["err"].astype(np.float32)
    variances = {name: found[name].astype(np.float32) for name in CHANGED[3:] if name in found}
    missing = next((name for name in ("var_rnoise", "var_poisson") if name not in variances), None)
    if missing is not None:  # what is known of the error beside the others
        rest = np.sum([variances[name] for name in variances], axis=0) if variances else np.float32(0)
        variances[missing] = np.maximum(err * err - rest, 0).astype(np.float32)
        variances.setdefault("var_poisson", np.zeros_like(err))
    dq = found.get("dq", np.zeros(err.shape, np.uint32)).astype(np.uint32)
    return RatePlanes(found["data"].astype(np.float32), err, dq, **variances)


def plan_background(name: str, path: str, request: ExposureRequest, called: str | None = None) -> BackgroundJob:
    """Decide how the background of an image is subtracted, or refuse it.

    Parameters
    ----------
    name : str
        The image, as it was typed.
    path : str
        The file to open.
    request : ExposureRequest
        What is asked; its `backgrounds` show the background.
    called : str, optional
        The name that output names are made of, where it is not `path`.

    Returns
    -------
    BackgroundJob

    Raises
    ------
    InputError
        A file is no image, or shows other pixels, another optical element or another unit than the target.
    UsageError
        A background is the target itself.
    RtoolsError
        The output exists.
    """
    messages, called = Messages(), str(called or path)
    product = _opened(path)
    backgrounds = []
    for file in request.backgrounds:
        if Path(file).exists() and Path(file).samefile(path):
            raise UsageError("is the target and a background of it", path=file)
        backgrounds.append(_opened(file))
        _refuse_misfit(product, backgrounds[-1])
    if any(str(entry.get("tool")) == request.tool for entry in product.history) and not request.again:
        mend = "--again runs it all the same"
        raise InputError("its background is subtracted already", mend=mend, path=path)
    stem = names.split_suffix(Path(called).name)[0]
    outputs = name_outputs(request, Path(called).parent, stem, {"bsub": "asdf"}, "bsub")
    messages.warnings += check_outputs(outputs, "bsub", request, [path])
    return BackgroundJob(name, request, product, tuple(backgrounds), outputs["bsub"], tuple(messages.warnings), called)


def _opened(path):
    with open_product(path, ("l2_image",)) as product:
        return product


def _refuse_misfit(target, product):
    for key in ("instrument.detector", "instrument.optical_element"):
        own, other = (metadata.get(one.meta, key) for one in (target, product))
        if own != other:
            raise InputError(f"its {key} is {other}, that of {target.path} is {own}", path=product.path)
    own, other = (one.arrays["data"] for one in (target, product))
    if own.shape != other.shape:
        raise InputError(f"has {other.shape} pixels, {target.path} has {own.shape}", path=product.path)
    if own.unit != other.unit:
        raise InputError(f"in {other.unit}, and {target.path} is in {own.unit}", path=product.path)
