"""Products of one exposure while they are being written: nothing has its name before all of it is there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rtools.products.io import writer
from rtools.products.schema import layout
from rtools.wfi.gwcs_frames import level1_wcs
from rtools.work.statistics import image_statistics

if TYPE_CHECKING:
    from pathlib import Path

    from rtools.pipeline.exposure.plan import ExposurePlan
    from rtools.pipeline.exposure.request import ExposureRequest
    from rtools.pipeline.exposure.task import StripTask
    from rtools.pipeline.job.journal import Journal
    from rtools.work import Work

__all__ = ["ExposureProducts"]


class ExposureProducts:
    """What one run writes of one exposure.

    Parameters
    ----------
    plan : rtools.pipeline.exposure.plan.ExposurePlan
        What was decided.
    request : rtools.pipeline.exposure.request.ExposureRequest
        What was asked.
    tasks : list of rtools.pipeline.exposure.task.StripTask
        The steps as they are carried out, for the history.
    journal : rtools.pipeline.job.journal.Journal
        Takes messages; its lines end in `meta.cal_logs`.
    work : rtools.work.Work
        Its threads compress and write.

    Attributes
    ----------
    outputs : dict of str to Path
        By suffix; a step that cannot be done takes its own away.
    seconds : float
        Spent in writing so far.
    """

    def __init__(
        self, plan: ExposurePlan, request: ExposureRequest, tasks: list[StripTask], journal: Journal, work: Work
    ):
        self._plan = plan
        self._tasks = tasks
        self._request = request
        self._journal = journal
        self._work = work
        self._ramps: dict[str, writer.RampWriter] = {}
        self._suffixes: dict[str, str] = {}
        self._stages: list = []
        self._said: set[str] = set()
        self.outputs = dict(plan.outputs)
        self.seconds = 0.0

    def begin_ramp(self, step: str, suffix: str, meta: dict, shape: tuple) -> writer.RampWriter:
        """Open the product of a ramp step, which takes strips as they come.

        Parameters
        ----------
        step, suffix : str
            Name of the step, and suffix of its product.
        meta : dict
            Metadata as they stand.
        shape : tuple of int
            (resultants, rows, columns) of the frame.

        Returns
        -------
        rtools.products.io.writer.RampWriter
        """
        self._suffixes[step] = suffix
        self._ramps[step] = writer.RampWriter(self.outputs[suffix], meta, shape, profile=self._plan.profile)
        return self._ramps[step]

    def finish_ramp(self, step: str, meta: dict, extra: Mapping[str, Any]) -> None:
        """Complete the product of a ramp step.

        Parameters
        ----------
        step : str
            Name of the step.
        meta : dict
            Metadata as the step leaves them.
        extra : mapping of str to ndarray
            Arrays beside the ramp.
        """
        started = time.perf_counter()
        ramp, suffix = self._ramps.pop(step), self._suffixes[step]
        meta["cal_logs"] = self._logs()
        packing = self._request.compression
        self.keep(ramp.finish(meta, extra, history=self._history(suffix), compression=packing, work=self._work))
        self.seconds += time.perf_counter() - started

    def write_image(self, suffix: str, meta: dict, planes: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
        """Write the image as it stands.

        Parameters
        ----------
        suffix : str
            Of the product.
        meta : dict
            Gets `statistics` and `cal_logs`.
        planes : mapping of str to ndarray
            Of the image.
        extra : mapping of str to ndarray or None
            Arrays beside them; those that are None are left out.
        """
        started = time.perf_counter()
        good = image_statistics(planes["data"], planes["dq"], planes["err"], self._work)
        meta["statistics"] = {"zodiacal_light": -1.0, **good}
        meta["cal_logs"] = self._logs()
        arrays = {**planes, **{name: array for name, array in extra.items() if array is not None}}
        self._stage(suffix, "l2_image", meta, arrays)
        self.seconds += time.perf_counter() - started

    def write_wcs(self, meta: dict, wcs: Any) -> None:
        """Write the world coordinate systems of the image and of the raw frame, where they are wanted.

        Parameters
        ----------
        meta : dict
            Of the image.
        wcs : gwcs.WCS or None
            Of the image.
        """
        if "wcs" not in self.outputs:
            return
        transforms = {} if wcs is None else {"wcs_l2": wcs, "wcs_l1": level1_wcs(wcs)}
        blocks = {field.path.split(".")[0] for field in layout.fields("wcs", self._plan.profile)}
        kept = {name: value for name, value in meta.items() if name in blocks}
        self._stage("wcs", "wcs", kept, {}, transforms)

    def _stage(self, suffix, kind, meta, arrays, extra=None):
        stage = writer.stage_product(
            self.outputs[suffix],
            kind,
            meta,
            arrays,
            extra=extra,
            profile=self._plan.profile,
            compression=self._request.compression or "lz4",
            history=self._history(suffix),
            work=self._work,
        )
        self.keep(stage)

    def keep(self, stage: Any) -> None:
        """Hold a written file for the end of the run; say what the profile made drop or replace.

        Parameters
        ----------
        stage : rtools.products.io.staging.Stage
            A file that has no name yet.
        """
        self._stages.append(stage)
        for text in stage.messages:
            if text not in self._said:
                self._said.add(text)
                self._journal.log("warning", text)

    def commit(self) -> list[Path]:
        """Give all files their names, the main product last; the paths in that order."""
        main = self.outputs[self._plan.main]
        return [stage.commit() for stage in sorted(self._stages, key=lambda stage: stage.path == main)]

    def discard(self) -> None:
        """Remove what was written."""
        for stage in [*self._ramps.values(), *self._stages]:
            stage.discard()

    def _logs(self):
        old = self._plan.product.meta.get("cal_logs") or []
        return [*map(str, old), *self._journal.lines]

    def _history(self, suffix):
        """The history of the product of a suffix; the main one knows what else was written."""
        used = {kind: one for task in self._tasks for kind, one in task.references.items() if one is not None}
        mine = self._request.entry(
            parameters={task.step.name: dict(task.options) for task in self._tasks},
            references=used,
            inputs=[self._plan.name],
        )
        main = self._plan.main
        if suffix == main:
            mine["companions"] = [path.name for one, path in self.outputs.items() if one != suffix]
        else:
            mine["main"] = self.outputs[main].name
        return [*self._plan.product.history, mine]
