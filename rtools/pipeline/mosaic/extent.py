"""Whether a grid that follows from files is in proportion to them: one image far from the others makes it enormous."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rtools.errors import InputError
from rtools.products.refcat import cones
from rtools.wfi.frame import FRAME
from rtools.wfi.instrument import DETECTORS
from rtools.wfi.sphere import separation

if TYPE_CHECKING:
    from rtools.mosaic.grid.freegrid import FreeGrid
    from rtools.mosaic.grid.grid import Grid
    from rtools.pipeline.mosaic.members import Member
__all__ = ["check_covering", "check_stated", "far_apart"]

AnyGrid = TypeVar("AnyGrid", bound="Grid | FreeGrid")

ALWAYS = len(DETECTORS) * FRAME**2
"""Pixels of a grid that nobody asks about: the detectors of one exposure."""

EMPTY = 20
"""A larger grid may have so many times the pixels that images can fill; the corners of the focal plane are 10."""

STATED = 2**32
"""Pixels of a grid that a file may state: a field of one degree in pixels of 0.055 arcsec."""

CANDIDATES = 100
"""Images among which the one in the midst is looked for."""


def check_covering(grid: Grid, members: Sequence[Member], footprints: Sequence[np.ndarray]) -> None:
    """Refuse a grid around all images that is nearly empty.

    Parameters
    ----------
    grid : rtools.mosaic.grid.grid.Grid
        The grid that covers them.
    members : sequence of rtools.pipeline.mosaic.members.Member
        The images, for their names.
    footprints : sequence of ndarray (n, 2)
        Right ascension and declination round each of them, degrees.

    Raises
    ------
    InputError
        It names the image that is far away.
    """
    pixels = grid.shape[0] * grid.shape[1]
    if pixels <= max(ALWAYS, EMPTY * _fillable(grid, footprints)):
        return
    name, distance, other = _stray([member.name for member in members], footprints)
    raise InputError(
        f"it is {distance:.3g} degrees from {other}, and a mosaic of both has {grid.shape[1]} x {grid.shape[0]} pixels",
        mend="leave it out, or say the grid with --skycell, or --sky and --size",
        path=name,
    )


def far_apart(members: Sequence[Member], footprints: Sequence[np.ndarray]) -> InputError:
    """The error of images that no tangent plane has together.

    Parameters
    ----------
    members, footprints
        As in `check_covering`.

    Returns
    -------
    InputError
        To be raised; it names the image that is far away.
    """
    name, distance, other = _stray([member.name for member in members], footprints)
    return InputError(
        f"it is {distance:.3g} degrees from {other}: the members do not fit on one tangent plane",
        mend="leave it out, or mosaic them by skycell",
        path=name,
    )


def check_stated(grid: AnyGrid, path: str | os.PathLike | None = None) -> AnyGrid:
    """Refuse a grid of absurd size that a file states; one that is typed is what the user wants.

    Parameters
    ----------
    grid : rtools.mosaic.grid.grid.Grid or rtools.mosaic.grid.freegrid.FreeGrid
        The grid.
    path : str or os.PathLike, optional
        The file, for the error.

    Returns
    -------
    Grid or FreeGrid
        The same.

    Raises
    ------
    InputError
        It has more than `STATED` pixels.
    """
    rows, columns = grid.shape
    if rows * columns > STATED:
        raise InputError(
            f"the grid that it states has {columns} x {rows} pixels", mend="--sky and --size say another", path=path
        )
    return grid


def _fillable(grid, footprints):
    """Pixels that images can fill: cells of the size of the largest one in which some have their middles."""
    spans, middles = [], []
    for points in footprints:
        x, y = grid.to_pixel(*points.T)
        spans.append((np.ptp(x), np.ptp(y)))
        middles.append((np.mean(x), np.mean(y)))
    width, height = np.maximum(np.max(spans, axis=0), 1.0)
    return len(np.unique(np.floor(np.array(middles) / (width, height)), axis=0)) * width * height


def _stray(names, footprints):
    """The image that is farthest from the others, the degrees, and the one in their midst."""
    ra, dec = np.transpose([cones.around(points, 0.0)[:2] for points in footprints])
    candidates = range(0, len(names), -(-len(names) // CANDIDATES))
    midst = min(candidates, key=lambda each: np.median(separation(ra, dec, ra[each], dec[each])))
    apart = separation(ra, dec, ra[midst], dec[midst])
    return names[int(np.argmax(apart))], float(apart.max()), names[midst]
