"""A guide-window file: its stages, and what its metadata say of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.products.guide.opening import open_as
from rtools.products.guide.problems import Notes, Problem
from rtools.products.guide.sections import CENTROIDS, read_stage
from rtools.products.guide.stage import SECTIONS, GuideStage
from rtools.products.guide.values import node_at
from rtools.products.io import Product
from rtools.wfi import metadata
from rtools.wfi.guide import STAGES
from rtools.wfi.instrument import SPECTRAL_ELEMENTS
from rtools.wfi.moments import Moments, mjd, moments_of

__all__ = ["Guide", "begin", "open_guide", "read_guide", "window_id"]


@dataclass(frozen=True, eq=False)
class Guide:
    """One guide-window file: one detector, one acquisition of a guide star.

    Attributes
    ----------
    path : str or pathlib.Path
        The file.
    product : Product
        It, opened.
    meta : mapping
        Its metadata, below ``roman.meta``.
    detector, element : str
        ``WFI01`` … ``WFI18``, and the optical element; empty where they are missing.
    exposure_type : str or None
        Where the metadata have one.
    window_id : str
        Identifier of the guide window, without ``_``: visit and number of the acquisition.
    t_start_mjd : float
        When the guiding began, from which all seconds count: `meta.t_start`, else the first time in the file; NaN
        where there is none.
    spectroscopic : bool
        The element is a grism or prism.
    edge : str or None
        Edge of the spectrum by which is guided.
    stages : tuple of GuideStage
        Those that the file has, in the order of time.
    remarks : tuple of str
        What was read otherwise than the schema of today has it.
    """

    path: str | Path
    product: Product
    meta: Mapping[str, Any]
    detector: str
    element: str
    exposure_type: str | None
    window_id: str
    t_start_mjd: float
    spectroscopic: bool
    edge: str | None
    stages: tuple[GuideStage, ...]
    remarks: tuple[str, ...]

    def stage(self, name: str) -> GuideStage | None:
        """A stage by its name.

        Parameters
        ----------
        name : str
            ``acq``, ``edge`` or ``track``.

        Returns
        -------
        GuideStage or None
            None where the file does not have it.
        """
        return next((stage for stage in self.stages if stage.name == name), None)

    def close(self) -> None:
        """Close the file; what is read next opens it again."""
        self.product.close()

    def __enter__(self) -> Guide:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def open_guide(path: str | Path, *, kind: str | None = None) -> Guide:
    """Open a guide-window file of any age.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    kind : str, optional
        ``gw`` takes a file that has no tag for one. Without it the model type in the metadata, or the name, has to say
        so.

    Returns
    -------
    Guide

    Raises
    ------
    InputError
        It cannot be read, is not a guide-window file, is one from before 2025 (five-dimensional frames), or its arrays
        do not agree with each other.
    """
    product, remarks = open_as(path, "gw", kind)
    guide, notes = _read(product, remarks)
    notes.refuse()
    return guide


def read_guide(product: Product, remarks: Sequence[str] = ()) -> tuple[Guide, list[Problem]]:
    """What can be read of a guide-window file, and what cannot.

    Parameters
    ----------
    product : Product
        The opened file.
    remarks : sequence of str
        What was noted while it was opened.

    Returns
    -------
    Guide
        Without the arrays that cannot be read.
    list of Problem
        Why they cannot.

    Raises
    ------
    InputError
        An array is damaged.
    """
    guide, notes = _read(product, remarks)
    return guide, notes.problems


def _read(product, remarks):
    notes = Notes(product, list(remarks))
    meta = product.meta
    if isinstance(node_at(product, CENTROIDS[1]), dict):
        notes.remark(f"{CENTROIDS[1]}: the schema calls it {CENTROIDS[0]}")
    lists = [f"{SECTIONS[name]}.{array}_times" for name in STAGES for array in ("pedestal", "signal")]
    since = begin(notes, meta, lists)
    stages = [read_stage(notes, name, meta, since) for name in STAGES]
    element = str(metadata.get(meta, "instrument.optical_element") or "")
    guide = Guide(
        path=product.path,
        product=product,
        meta=meta,
        detector=str(metadata.get(meta, "instrument.detector") or ""),
        element=element,
        exposure_type=metadata.get(meta, "exposure.type") or meta.get("exposure_type"),
        window_id=window_id(meta),
        t_start_mjd=float(mjd(since)[0]),
        spectroscopic=element in SPECTRAL_ELEMENTS,
        edge=meta.get("wsm_edge_used"),
        stages=tuple(stage for stage in stages if stage is not None),
        remarks=tuple(notes.remarks),
    )
    return guide, notes


def window_id(meta: Mapping[str, Any]) -> str:
    """Identifier of the guide window as it can be compared: visit and number of the acquisition, without ``_``.

    Parameters
    ----------
    meta : mapping
        Below ``meta``.

    Returns
    -------
    str
        Empty where it is missing.
    """
    return str(meta.get("guide_window_id") or "").replace("_", "")


def begin(notes: Notes, meta: Mapping[str, Any], lists: list[str]) -> Moments:
    """The time from which a file's seconds count: `meta.t_start`, or the first one in its lists.

    Parameters
    ----------
    notes : Notes
        The file; a remark goes into it where the metadata have none.
    meta : mapping
        Below ``meta``.
    lists : list of str
        Paths of the lists, earliest first.

    Returns
    -------
    Moments
        One; NaN where there is no time at all.
    """
    try:
        found = moments_of([meta.get("t_start")])
    except InputError:
        found = moments_of([None])
    if np.isfinite(found.second[0]):
        return found
    for path in lists:
        node = node_at(notes.product, path)
        first = next((time for time in node if time is not None), None) if isinstance(node, list) else None
        if first is not None:
            notes.remark(f"meta.t_start: missing, times count from the first in {path}")
            return moments_of([first])
    return found
