"""Whether a world coordinate system can be trusted: there and back again on a grid of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rtools.findings import Finding, info, warning
from rtools.wfi.frame import BORDER
from rtools.wfi.gwcs_frames import box_of

__all__ = ["GRID", "LIMIT", "check_sky_systems", "check_wcs", "grid_of", "round_trip"]

GRID = 9
"""Pixels of the grid on each side."""

LIMIT = 0.01
"""Largest error of forward and inverse transform together, in pixels."""

CORNER_LIMIT = 1.0
"""Pixels by which a corner of a region may be off: some writers take centres of the last pixels, some their edges."""

HEADER_LIMIT = 0.1
"""Pixels by which the header's distortion, a polynomial, may be off the transform that it stands for."""


def grid_of(wcs: Any, shape: tuple[int, ...] | None = None) -> tuple[np.ndarray, np.ndarray] | None:
    """x and y of a square grid over the bounding box, from edge to edge of its pixels.

    Parameters
    ----------
    wcs : gwcs.WCS
        The system that is looked at.
    shape : tuple of int, optional
        (…, rows, columns) of the image, used where there is no bounding box.

    Returns
    -------
    (ndarray, ndarray) or None
        float64, (`GRID`²,), pixels; None where the extent is unknown.
    """
    if wcs.bounding_box is not None:
        (x0, x1), (y0, y1) = box_of(wcs)
    elif shape is not None:
        (x0, x1), (y0, y1) = (-0.5, shape[-1] - 0.5), (-0.5, shape[-2] - 0.5)
    else:
        return None
    x, y = np.meshgrid(np.linspace(x0 + 0.5, x1 - 0.5, GRID), np.linspace(y0 + 0.5, y1 - 0.5, GRID))
    return x.ravel(), y.ravel()


def round_trip(wcs: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance in pixels between each place and where the sky position found for it leads back to.

    Parameters
    ----------
    wcs : gwcs.WCS
        With an inverse; the bounding box is not looked at.
    x, y : ndarray (n,)
        Pixels.

    Returns
    -------
    ndarray float64 (n,)
        NaN where there is no sky position or no way back.
    """
    ra, dec = wcs(x, y, with_bounding_box=False)
    back_x, back_y = wcs.invert(ra, dec, with_bounding_box=False)
    return np.hypot(np.asarray(back_x, float) - x, np.asarray(back_y, float) - y)


def check_wcs(systems: Mapping[str, Any], shape: tuple[int, ...] | None = None) -> list[Finding]:
    """What is doubtful about the WCS objects of a product.

    Parameters
    ----------
    systems : mapping of str to gwcs.WCS
        By their place in the tree; ``wcs_l1`` and ``wcs_l2`` have to agree.
    shape : tuple of int, optional
        (…, rows, columns) of the image.

    Returns
    -------
    list of Finding
        Empty where nothing is.
    """
    found = [finding for place, wcs in systems.items() for finding in _there_and_back(place, wcs, shape)]
    if not found and {"wcs_l1", "wcs_l2"} <= set(systems):
        found += _levels(systems["wcs_l1"], systems["wcs_l2"])
    return found


def _there_and_back(place, wcs, shape):
    grid = grid_of(wcs, shape)
    if grid is None:
        return [info("wcs", place, "not checked: it has no bounding box")]
    try:
        with np.errstate(all="ignore"):
            errors = round_trip(wcs, *grid)
    except Exception as problem:  # whatever a transform of somebody else's raises
        reason = " ".join(str(problem).split())[:200]
        return [warning("wcs", place, f"cannot be evaluated there and back ({type(problem).__name__}: {reason})")]
    lost = int(np.count_nonzero(~np.isfinite(errors)))
    if lost:
        return [warning("wcs", place, f"{lost} of {errors.size} pixels have no sky position, or no way back")]
    worst = int(np.argmax(errors))
    if errors[worst] > LIMIT:
        message = (
            f"forward and inverse differ by {errors[worst]:.3g} pixel at x {grid[0][worst]:g}, y {grid[1][worst]:g}"
        )
        return [warning("wcs", place, f"{message}; {LIMIT} allowed")]
    return []


def _levels(level1, level2):
    """The two systems of a `_wcs` product differ by the border."""
    grid = grid_of(level2)
    if grid is None:
        return []
    x, y = grid
    back_x, back_y = level1.invert(*level2(x, y, with_bounding_box=False), with_bounding_box=False)
    worst = float(np.max(np.hypot(back_x - BORDER - x, back_y - BORDER - y)))
    if worst <= LIMIT:
        return []
    return [warning("wcs", "wcs_l1", f"{worst:.3g} pixel from wcs_l2, beside the border of {BORDER}")]


def check_sky_systems(
    header: Any,
    gwcs: Any,
    corners: np.ndarray | None,
    shape: tuple[int, int],
    part: tuple[slice, slice] | None = None,
) -> list[Finding]:
    """W1 of JWST: the systems that an image has, one in its header and one in its tree, and the corners that it names.

    Parameters
    ----------
    header : object or None
        Of the header, with a method `invert` as a gwcs has.
    gwcs : gwcs.WCS or None
        Of the tree.
    corners : ndarray float64 (n, 2) or None
        Right ascension and declination of the corners of the region that the header names, degrees. Four are those of
        the image; any other number is the outline of what was combined, which lies in the image.
    shape : tuple of int
        Rows and columns of the image.
    part : (slice, slice), optional
        Rows and columns that the region is about; by default all.

    Returns
    -------
    list of Finding
        Warnings of check ``W1``.
    """
    if header is None:
        return []
    try:
        with np.errstate(all="ignore"):
            whole = slice(0, shape[0]), slice(0, shape[1])
            found = [] if corners is None else _corners_of_region(header, corners, part or whole)
            return found + ([] if gwcs is None else _header_and_tree(header, gwcs, shape))
    except Exception as problem:  # whatever a transform of somebody else's raises
        reason = " ".join(str(problem).split())[:200]
        return [warning("W1", "SCI", f"its WCS cannot be evaluated ({type(problem).__name__}: {reason})")]


def _corners_of_region(header, corners, part):
    (bottom, top), (left, right) = ((span.start - 0.5, span.stop - 0.5) for span in part)
    x, y = header.invert(corners[:, 0], corners[:, 1], with_bounding_box=False)
    if len(corners) != 4:
        away = np.maximum.reduce([left - x, x - right, bottom - y, y - top])
    else:
        edge_x, edge_y = np.meshgrid([left, right], [bottom, top])
        distances = np.hypot(x[:, None] - edge_x.ravel(), y[:, None] - edge_y.ravel())
        away = np.concatenate([distances.min(axis=0), distances.min(axis=1)])
    worst = float(np.max(away))
    if worst <= CORNER_LIMIT:
        return []
    return [
        warning("W1", "S_REGION", f"a corner is {worst:.3g} pixels off the WCS of the header; {CORNER_LIMIT:g} allowed")
    ]


def _header_and_tree(header, gwcs, shape):
    rows, columns = shape
    x, y = (one.ravel() for one in np.meshgrid(np.linspace(0, columns - 1, GRID), np.linspace(0, rows - 1, GRID)))
    ra, dec = (np.asarray(one, float) for one in gwcs(x, y, with_bounding_box=False)[:2])
    there_x, there_y = header.invert(ra, dec, with_bounding_box=False)
    away = np.hypot(there_x - x, there_y - y)
    worst = int(np.argmax(np.where(np.isfinite(away), away, np.inf)))
    if away[worst] <= HEADER_LIMIT:
        return []
    about = f"{away[worst]:.3g} pixels from the WCS of the header at x {x[worst]:g}, y {y[worst]:g}"
    return [warning("W1", "meta.wcs", f"{about}; {HEADER_LIMIT} allowed")]
