"""Starts for a match: pairs of a source and a reference star vote for the shift that would join them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.astrometry.fit import turn
from rtools.errors import UsageError
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtools.astrometry.fields import Field, PointingLimits

__all__ = ["starts"]

BIN = 0.15
"""Bins of shift, arcsec; three by three are summed."""

STARTS = (8, 60)
"""Cells that are given: fewest and most."""

STARTS_TIMES_STARS = 20000

CELLS_A_START = 50
"""Cells with most votes that are looked at for each start; neighbours of one that is taken fall away."""


MOST_CELLS = 150_000_000
"""Of all trial rotations; each takes up to 28 bytes."""


def starts(
    fields: Sequence[Field], limits: PointingLimits, *, work: Work = ALONE
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rotations and shifts with most votes.

    Parameters
    ----------
    fields : sequence of rtools.astrometry.fields.Field
        Each with at least one source and one reference star.
    limits : rtools.astrometry.fields.PointingLimits
        How far shifts and rotations are searched.
    work : rtools.work.Work
        Its threads share the trial rotations.

    Returns
    -------
    list of (ndarray (2, 2), ndarray (2,))
        Matrix and shift in the plane, best first; fewer where there are many stars.

    Raises
    ------
    UsageError
        The limits are too wide for the memory.
    """
    corners = np.concatenate([field.corners for field in fields])
    reach = np.hypot(*(corners - limits.center).T).max()
    # between two trial rotations a corner moves by one and a half bins
    steps = int(np.ceil(np.deg2rad(limits.rotation) * reach / (1.5 * BIN)))
    angles = np.deg2rad(limits.rotation) * np.arange(-steps, steps + 1) / max(steps, 1)
    turned = np.array([turn(angle) @ (limits.center - limits.pivot) for angle in angles])
    offsets = turned - (limits.center - limits.pivot)
    half = limits.shift + np.hypot(*offsets.T).max() + 2 * BIN
    bins = 2 * int(np.ceil(half / BIN))
    if len(angles) * bins**2 > MOST_CELLS:
        needed = f"{28 * len(angles) * bins**2 / 1e9:.0f} GB"
        raise UsageError(f"the search takes {needed}", mend="a smaller --searchrad or --max-rotation")
    votes = np.zeros((len(angles), bins, bins), np.uint32)
    _vote(fields, limits.center, angles, votes, work)
    return _peaks(votes, angles, offsets, limits, max(len(field.voters) for field in fields))


def _vote(fields, center, angles, votes, work):
    from rtools.astrometry._match_kernels import Trial, vote

    prepared = [_prepare(field, center, votes.shape[1] * BIN / 2) for field in fields]

    def job(index):
        trial = Trial(float(np.cos(angles[index])), float(np.sin(angles[index])), BIN)
        for sources, references in prepared:
            vote(sources, references, trial, votes[index])

    work.map(job, range(len(angles)))


def _prepare(field, center, size):
    """Sources, and reference stars by cells of a grid, from the centre of rotation."""
    from rtools.astrometry._match_kernels import StarGrid

    references = field.ref_xy[field.voters] - center
    corner = references.min(axis=0)
    columns, rows = (int(count) for count in (references.max(axis=0) - corner) // size + 1)
    column, row = ((references - corner) // size).astype(np.int64).T
    cell = row * columns + column
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(rows * columns + 1)).astype(np.int64)
    places = np.ascontiguousarray(references[order])
    grid = StarGrid(places, starts, float(corner[0]), float(corner[1]), float(size), columns, rows)
    return np.ascontiguousarray(field.xy - center), grid


def _peaks(votes, angles, offsets, limits, stars):
    """The cells with most votes within the limits, each with none of its neighbours."""
    from scipy.ndimage import uniform_filter

    middle = (np.arange(votes.shape[1]) + 0.5 - votes.shape[1] / 2) * BIN
    sums = np.rint(9 * uniform_filter(votes.astype(np.float32), (0, 3, 3), mode="constant")).astype(np.int32)
    for plane, (x, y) in zip(sums, offsets, strict=True):
        far = np.minimum(np.hypot(*np.meshgrid(middle, middle)), np.hypot(*np.meshgrid(middle - x, middle - y)))
        plane[far > limits.shift + BIN] = 0
    wanted = int(np.clip(STARTS_TIMES_STARS / stars, *STARTS))
    flat = sums.ravel()
    above = np.cumsum(np.bincount(flat)[::-1])[::-1]  # cells with at least so many votes
    least = max(1, int(np.searchsorted(-above, -CELLS_A_START * wanted)))
    order = np.flatnonzero(flat >= min(least, flat.max()))
    order = order[np.lexsort((order, -flat[order]))]
    found: list[tuple[np.ndarray, np.ndarray]] = []
    taken = np.zeros(sums.shape, bool)
    for index in order:
        plane, row, column = np.unravel_index(index, sums.shape)
        if flat[index] == 0 or len(found) == wanted:
            break
        if taken[plane, row, column]:
            continue
        taken[max(plane - 1, 0) : plane + 2, max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3] = True
        matrix = turn(angles[plane])
        displacement = np.array([middle[column], middle[row]])
        found.append((matrix, displacement + limits.center - matrix @ limits.center))
    return found
