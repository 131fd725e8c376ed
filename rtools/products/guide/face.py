"""A FACE file: the attitude of fine guidance as a series of rotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtools.products.guide.guide import begin, window_id
from rtools.products.guide.opening import open_as
from rtools.products.guide.problems import Notes, Problem
from rtools.products.guide.time_lists import times
from rtools.products.guide.values import column, is_empty_list, length_of, node_at, texts
from rtools.products.io import Product
from rtools.wfi.guide import GOOD_QUALITY
from rtools.wfi.moments import elapsed, mjd

__all__ = ["NUMBERS", "SECTION", "Face", "open_face", "read_face"]

SECTION = "face_data"

NUMBERS = (
    "delta",
    "epsilon",
    "zeta",
    "delta2",
    "epsilon2",
    "delta_var",
    "epsilon_var",
    "zeta_var",
    "horizontal_variance",
    "vertical_variance",
)
COUNTS = ("num_stars_used", "num_centroid_cycles")
WORDS = ("attitude_estimate_quality", "fgs_op_phase")
TIMES = "centroid_times"


@dataclass(frozen=True, eq=False)
class Face:
    """One FACE file: one acquisition, all detectors.

    Attributes
    ----------
    path : str or pathlib.Path
        The file.
    product : Product
        It, opened.
    meta : mapping
        Its metadata, below ``roman.meta``.
    element : str
        Optical element; empty where it is missing.
    window_id : str
        Identifier of the guide window, without ``_``.
    t_start_mjd : float
        When the guiding began, as `Guide.t_start_mjd`.
    remarks : tuple of str
        What was read otherwise than the schema of today has it.
    t, mjd : ndarray float64, (n)
        Times of the centroids, seconds since the guiding began, and as Modified Julian Date (UTC).
    phase, quality : ndarray of str, (n)
        Phase of fine guidance and quality of the attitude.
    delta, epsilon, zeta : ndarray float64, (n)
        Rotations about F1, F2 and F3 of the fit with three parameters, radians; NaN where there is none.
    delta2, epsilon2 : ndarray float64, (n)
        Those of the fit with two parameters, radians.
    delta_var, epsilon_var, zeta_var : ndarray float64, (n)
        Variances, square radians.
    horizontal_variance, vertical_variance : ndarray float64, (n)
        Of the residuals, square pixels.
    num_stars_used, num_centroid_cycles : ndarray int64, (n)
        Counts.
    good : ndarray bool, (n)
        Attitudes that can be used: the quality says so, the rotations are finite, no variance is negative.
    detector_files : mapping of str to (str or None)
        Guide-window file of each detector; empty where the metadata have none.
    """

    path: str | Path
    product: Product
    meta: Mapping[str, Any]
    element: str
    window_id: str
    t_start_mjd: float
    remarks: tuple[str, ...]
    t: NDArray[np.float64]
    mjd: NDArray[np.float64]
    phase: NDArray[np.str_]
    quality: NDArray[np.str_]
    delta: NDArray[np.float64]
    epsilon: NDArray[np.float64]
    zeta: NDArray[np.float64]
    delta2: NDArray[np.float64]
    epsilon2: NDArray[np.float64]
    delta_var: NDArray[np.float64]
    epsilon_var: NDArray[np.float64]
    zeta_var: NDArray[np.float64]
    horizontal_variance: NDArray[np.float64]
    vertical_variance: NDArray[np.float64]
    num_stars_used: NDArray[np.int64]
    num_centroid_cycles: NDArray[np.int64]
    good: NDArray[np.bool_]
    detector_files: Mapping[str, str | None]

    def close(self) -> None:
        """Close the file."""
        self.product.close()

    def __enter__(self) -> Face:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def open_face(path: str | Path, *, kind: str | None = None) -> Face:
    """Open a FACE file of any age.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    kind : str, optional
        ``face`` takes a file that has no tag for one. Without it the model type in the metadata, or the name, has to
        say so.

    Returns
    -------
    Face

    Raises
    ------
    InputError
        It cannot be read, is not a FACE file, or its arrays do not agree with each other.
    """
    product, remarks = open_as(path, "face", kind)
    face, notes = _read(product, remarks)
    notes.refuse()
    return face


def read_face(product: Product, remarks: Sequence[str] = ()) -> tuple[Face, list[Problem]]:
    """What can be read of a FACE file, and what cannot.

    Parameters
    ----------
    product : Product
        The opened file.
    remarks : sequence of str
        What was noted while it was opened.

    Returns
    -------
    Face
        Without the arrays that cannot be read.
    list of Problem
        Why they cannot.

    Raises
    ------
    InputError
        An array is damaged.
    """
    face, notes = _read(product, remarks)
    return face, notes.problems


def _read(product, remarks):
    notes = Notes(product, list(remarks))
    meta = product.meta
    count, names = _rows(notes)
    path = f"{SECTION}.{TIMES}"
    since = begin(notes, meta, [path])
    moments = times(notes, path) if TIMES in names else None
    numbers = {name: _numbers(notes, name, names, count, np.nan) for name in NUMBERS}
    counts = {name: _numbers(notes, name, names, count, 0).astype(np.int64) for name in COUNTS}
    quality, phase = (_words(notes, name, names, count) for name in WORDS)
    files = meta.get("detector_gw_files")
    face = Face(
        path=product.path,
        product=product,
        meta=meta,
        element=str(meta.get("optical_element") or ""),
        window_id=window_id(meta),
        t_start_mjd=float(mjd(since)[0]),
        remarks=tuple(notes.remarks),
        t=np.full(count, np.nan) if moments is None else elapsed(moments, since),
        mjd=np.full(count, np.nan) if moments is None else mjd(moments),
        phase=phase,
        quality=quality,
        good=_good(numbers, quality),
        detector_files=dict(files) if isinstance(files, dict) else {},
        **numbers,
        **counts,
    )
    return face, notes


def _rows(notes):
    """Number of rows, and the names of the arrays that have as many."""
    lengths = {}
    for name in (*NUMBERS, *COUNTS, *WORDS, TIMES):
        found = length_of(notes.product, f"{SECTION}.{name}")
        if found is None and node_at(notes.product, f"{SECTION}.{name}") is None:
            notes.remark(f"{SECTION}.{name}: missing")
        elif found is None:
            notes.problem(f"{SECTION}.{name}", "neither an array nor a list")
        else:
            lengths[name] = found
    if not lengths:
        return 0, ()
    model = next(iter(lengths))
    for name in [name for name in lengths if is_empty_list(notes.product, f"{SECTION}.{name}") and lengths[model]]:
        notes.remark(f"{SECTION}.{name}: empty")
        del lengths[name]
    for name in [name for name, length in lengths.items() if length != lengths[model]]:
        message = f"{lengths.pop(name)} entries, not {lengths[model]} as {SECTION}.{model}"
        notes.problem(f"{SECTION}.{name}", message)
    return lengths[model], tuple(lengths)


def _numbers(notes, name, names, count, nothing):
    path = f"{SECTION}.{name}"
    found = column(notes.product, path) if name in names else None
    if found is not None and found.ndim != 1:
        notes.problem(path, f"{found.ndim} dimensions, not 1")
        found = None
    return np.full(count, nothing, np.float64) if found is None else found.astype(np.float64)


def _words(notes, name, names, count):
    found = texts(notes.product, f"{SECTION}.{name}") if name in names else None
    return np.full(count, "") if found is None or found.shape != (count,) else found


def _good(numbers, quality):
    turns = np.array([numbers[name] for name in ("delta", "epsilon", "zeta")])
    variances = np.array([numbers[f"{name}_var"] for name in ("delta", "epsilon", "zeta")])
    good = np.isin(quality, GOOD_QUALITY) & np.isfinite(turns).all(axis=0)
    return good & (variances >= 0).all(axis=0)
