"""What a work is given to make its products with: opened files, options, references, places for what it writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtools import __version__
from rtools.errors import InputError
from rtools.pipeline.stage3.values import has_numbers, has_numbers_in
from rtools.pipeline.stage3.work import nth_product
from rtools.products.jwst import HduChange, JwstProduct, LaidOutJwst, NewHdu, stage_jwst, stage_new
from rtools.products.schema import history
from rtools.wfi import metadata
from rtools.work import Work

__all__ = ["ProductMaking", "exposed_together", "passed_on", "refuse_other"]

OF_ITSELF = ("calibration_software_revision", "calibration_software_version", "date", "filename", "model_type")
"""Metadata that a product says of itself."""

TOGETHER: Mapping[str, Callable[..., Any]] = {
    "exposure_time": sum,
    "measurement_time": sum,
    "start_time": min,
    "end_time": max,
}
"""Times of exposures, and what they are of several together."""


def passed_on(product: JwstProduct, *without: str, **cal_step: str) -> dict[str, Any]:
    """Metadata of a product that what is made of it has, too.

    Parameters
    ----------
    product : JwstProduct
        What it is made of.
    *without : str
        Groups of metadata that are no longer so: ``wcs``, ``wcsinfo``.
    **cal_step : str
        Status of steps by their names below ``meta.cal_step``.

    Returns
    -------
    dict
        For `rtools.products.jwst.stage_new`.
    """
    told = {key: value for key, value in product.meta.items() if key not in (*OF_ITSELF, *without)}
    return told | {"cal_step": dict(told.get("cal_step") or {}) | cal_step}


def refuse_other(products: Sequence[JwstProduct], *keys: str) -> None:
    """Refuse files of one product that differ where they must not.

    Parameters
    ----------
    products : sequence of JwstProduct
        Of which one product is made.
    *keys : str
        Dotted, below ``meta``: ``instrument.name``.

    Raises
    ------
    InputError
        One of them says something else than the first.
    """
    for key in keys:
        first = metadata.get(products[0].meta, key)
        for product in products[1:]:
            found = metadata.get(product.meta, key)
            if found != first:
                raise InputError(f"its {key} is {found}, that of {products[0].path} is {first}", path=product.path)


def exposed_together(products: Sequence[JwstProduct]) -> dict[str, Any]:
    """Times of several exposures as those of one: the sums, from the first beginning to the last end.

    Parameters
    ----------
    products : sequence of JwstProduct
        Of which one product is made.

    Returns
    -------
    dict
        Metadata ``exposure`` of the product; times that one of them does not say are those of the first.
    """
    exposure = dict(products[0].meta.get("exposure") or {})
    for key, whole in TOGETHER.items():
        values = [metadata.get(product.meta, f"exposure.{key}") for product in products]
        if all(isinstance(value, int | float) for value in values):
            exposure[key] = float(whole(values))
    start, end = exposure.get("start_time"), exposure.get("end_time")
    if len(products) > 1 and isinstance(start, float) and isinstance(end, float):
        exposure["mid_time"] = (start + end) / 2
    return exposure


@dataclass
class ProductMaking:
    """What a work makes its products of, and the products so far.

    Attributes
    ----------
    products : tuple of JwstProduct
        The files, in the order in which the tool takes them.
    options : mapping of str to object
        Of the step.
    references : mapping of str to reference or None
        By type.
    outputs : mapping of str to Path
        Where each product goes, by suffix; standard output takes the main product alone.
    entry : mapping
        What the history of each product will say.
    work : rtools.work.Work
        Threads, log and progress.
    stages : dict of str to Stage
        What is written, under temporary names, by suffix.
    """

    products: tuple[JwstProduct, ...]
    options: Mapping[str, Any]
    references: Mapping[str, Any]
    outputs: Mapping[str, Path]
    entry: Mapping[str, Any]
    work: Work
    stages: dict[str, Any] = field(default_factory=dict)
    _numbers: dict[str, bool] = field(default_factory=dict)

    def wants(self, suffix: str) -> bool:
        """Whether a product is to be written.

        Parameters
        ----------
        suffix : str
            Of its name.
        """
        return suffix in self.outputs

    def log(self, level: str, text: str) -> None:
        """Say something.

        Parameters
        ----------
        level : str
            ``info``, ``warning`` or ``caution``.
        text : str
            One line.
        """
        self.work.log(level, text)

    def write_new(
        self,
        suffix: str,
        meta: Mapping[str, Any],
        hdus: Iterable[NewHdu],
        *,
        tree: Mapping[str, Any] | None = None,
        told: Sequence[str] = (),
        without: Collection[str] = (),
    ) -> None:
        """Write a product that did not exist, if it is wanted; its history goes on from that of the first file.

        Parameters
        ----------
        suffix : str
            Which product.
        meta, hdus, tree, without
            As `rtools.products.jwst.stage_new` takes them.
        told : sequence of str
            What its history also says, before the entry of this job.
        """
        if self.wants(suffix):
            hdus = list(hdus)
            self._numbers[suffix] = has_numbers(hdus)
            past: list[Mapping[str, Any] | str] = [*self.products[0].history, *told, self._entry(suffix)]
            self.stages[suffix] = stage_new(
                self.outputs[suffix], suffix, meta, hdus, tree=tree, history=past, without=without
            )

    def _entry(self, suffix):
        """What the history of a product says of this job: the main product names the others, and they name it."""
        main = list(self.outputs)[-1]
        others = [path.name for one, path in self.outputs.items() if one != main]
        if suffix != main:
            return {**self.entry, "main": self.outputs[main].name}
        return {**self.entry, "companions": others} if others else self.entry

    def write_changed(
        self,
        suffix: str,
        changes: Sequence[HduChange],
        *,
        tree: Mapping[str, Any] | None = None,
        added: Sequence[NewHdu] = (),
        number: int = 0,
    ) -> None:
        """Write a file with changes, if that product is wanted; what does not change is copied.

        Parameters
        ----------
        suffix : str
            Which product.
        changes, tree, added
            As `rtools.products.jwst.stage_jwst` takes them; the tree gets name and date of the file.
        number : int
            Which file, where there is a product of each.
        """
        suffix = nth_product(suffix, number)
        if self.wants(suffix):
            path, told = self.outputs[suffix], self._told(suffix) | dict(tree or {})
            self.stages[suffix] = stage_jwst(
                path, self.products[number], changes, tree=told, added=added, history=[self._entry(suffix)]
            )

    def _told(self, suffix):
        """What a file that is written again says of itself."""
        told = {"filename": self.outputs[suffix].name, "date": history.stamp()}
        told["calibration_software_version"] = f"rtools {__version__}"
        return {f"meta.{key}": value for key, value in told.items()}

    def lay_out(
        self, suffix: str, meta: Mapping[str, Any], hdus: Sequence[NewHdu], *, tree: Mapping[str, Any] | None = None
    ) -> LaidOutJwst:
        """Lay out a product that is written piece by piece; its maker hands it to `finish`.

        Parameters
        ----------
        suffix : str
            Which product.
        meta, hdus, tree
            As `rtools.products.jwst.LaidOutJwst.new` takes them; of big arrays `room_for` them.

        Returns
        -------
        rtools.products.jwst.LaidOutJwst
        """
        file = LaidOutJwst.new(self.outputs[suffix], suffix, meta, hdus, tree=tree,
                               history=[*self.products[0].history, self._entry(suffix)])  # fmt: skip
        self.stages[suffix] = file
        return file

    def lay_out_changed(self, suffix: str, changes: Sequence[HduChange], *, tree: Mapping[str, Any]) -> LaidOutJwst:
        """Lay out the first file with changes that are written piece by piece; what does not change is copied.

        Parameters
        ----------
        suffix : str
            Which product.
        changes : sequence of rtools.products.jwst.HduChange
            Their arrays are those of `rtools.products.jwst.room_for`.
        tree : mapping of str to object
            Metadata that become different; name and date of the file do so by themselves.

        Returns
        -------
        rtools.products.jwst.LaidOutJwst
        """
        told = self._told(suffix) | dict(tree)
        file = LaidOutJwst.made_of(self.outputs[suffix], self.products[0], changes, (), tree=told,
                                   history=[self._entry(suffix)])  # fmt: skip
        self.stages[suffix] = file
        return file

    def finish(self) -> None:
        """Complete what was laid out; tell of products that say nothing."""
        for suffix, stage in self.stages.items():
            if isinstance(stage, LaidOutJwst):
                self.stages[suffix] = stage.finish()
        for suffix, stage in self.stages.items():
            if not (self._numbers[suffix] if suffix in self._numbers else has_numbers_in(stage.temporary)):
                self.log("warning", f"{stage.path.name} has no values: all are NaN")

    def discard(self) -> None:
        """Remove what was written."""
        for stage in self.stages.values():
            stage.discard()
