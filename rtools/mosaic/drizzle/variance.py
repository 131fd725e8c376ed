"""The totals of a mosaic: weighted mean, weight, context and variances over all members.

A member's standard deviations are resampled like its data, with the same weights; members are combined by the square of
their share: var = Σ V share² / (Σ share)² / ratio². The share is 1 / (resampled read-noise variance), or the exposure
time. `ratio` (output over input pixel scale) keeps the signal to noise of an aperture where pixels are made smaller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rtools.errors import UsageError
from rtools.mosaic.drizzle.drizzle import Contribution, band_rows
from rtools.work import ALONE, Work

__all__ = [
    "IN_ERR",
    "Totals",
    "add_band",
    "clear",
    "finish",
    "new_totals",
    "recover_sums",
]

IN_ERR = ("var_rnoise", "var_poisson", "var_flat")
"""Variances that add up to err²; var_sky is part of var_rnoise and var_poisson already."""

NOTHING = np.empty((0, 0), np.uint8)

BITS = 32
"""Members in a plane of the context."""


class Totals(NamedTuple):
    """Sums over the members so far, or a rectangle of them.

    Attributes
    ----------
    data, weight : ndarray float32 (rows, columns)
        Weighted mean, and the sum of weights.
    context : ndarray uint32 (planes, rows, columns)
        Bit m % 32 of plane m // 32 is set where member m took part.
    sums : ndarray float32 (variances, rows, columns)
        Σ V share².
    share : ndarray float32 (rows, columns), or of size 0 without variances
        Σ share.
    missing : ndarray float32 (variances, rows, columns)
        What of it is of members that have no such variance there; mostly untouched, so that it takes no memory.
    dq : ndarray uint32 (rows, columns), or of size 0
        Flags of all pixels that took part, joined bit by bit.
    names : tuple of str
        Of the variances; var_rnoise first where the share is 1 / var_rnoise.
    """

    data: np.ndarray
    weight: np.ndarray
    context: np.ndarray
    sums: np.ndarray
    share: np.ndarray
    missing: np.ndarray
    dq: np.ndarray
    names: tuple[str, ...]

    def at(self, rows: slice, columns: slice = slice(None)) -> Totals:
        """The same of a rectangle, as views."""
        return Totals._make([*(each[..., rows, columns] for each in self[:-1]), self.names])


def new_totals(shape: Sequence[int], members: int, names: Sequence[str] = (), *, dq: bool = False) -> Totals:
    """Totals without a member.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the mosaic.
    members : int
        How many there will be; at least one plane of context is made.
    names : sequence of str
        Variances, of `rtools.mosaic.drizzle.drizzle.VARIANCES`.
    dq : bool
        Whether flags are wanted.

    Returns
    -------
    Totals
        All zero.
    """
    planes = max(members - 1, 0) // BITS + 1
    return Totals(
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
        np.zeros((planes, *shape), np.uint32),
        np.zeros((len(names), *shape), np.float32),
        np.zeros(shape if names else (0, 0), np.float32),
        np.zeros((len(names), *shape), np.float32),
        np.zeros(shape if dq else (0, 0), np.uint32),
        tuple(names),
    )


def add_band(
    totals: Totals, band: Contribution, member: int, exposure: float | None = None, wanted: np.ndarray | None = None
) -> None:
    """Add a member's band.

    Parameters
    ----------
    totals : Totals
        Of the whole mosaic; changed.
    band : rtools.mosaic.drizzle.drizzle.Contribution
        With the same variances, and flags if the totals have them.
    member : int
        Its number in the association, from 0; members are added in this order.
    exposure : float, optional
        Share of its variances (exposure time, s); by default 1 / resampled var_rnoise.
    wanted : ndarray uint8, optional
        Pixels of the band that are added, by default all.

    Raises
    ------
    UsageError
        The band has other variances or flags than the totals, has no var_rnoise to be weighted by, or the exposure time
        is not positive.
    """
    from rtools.mosaic.drizzle._combine_kernels import BandArrays, Membership, Sums, add_totals

    if band.names != totals.names:
        raise UsageError(f"a band of {' '.join(band.names)} does not go into totals of {' '.join(totals.names)}")
    if exposure is None and band.names and (band.names[0] != "var_rnoise" or not band.present[0]):
        raise UsageError("variances are weighted by var_rnoise, which is not there", mend="use exptime weights")
    if exposure is not None and not (np.isfinite(exposure) and exposure > 0):
        raise UsageError(f"an exposure time is positive, not {exposure}")
    if bool(band.flags.size) != bool(totals.dq.size):
        raise UsageError("flags are in a band and in the totals, or in neither")
    plane, bit = divmod(member, BITS)
    add_totals(
        BandArrays(band.lanes, band.hit, band.present, band.flags),
        (band.rows.start, band.columns.start),
        Sums(*totals[:-1]),
        Membership(plane, np.uint32(1 << bit), 0.0 if exposure is None else float(exposure)),
        NOTHING if wanted is None else np.ascontiguousarray(wanted).view(np.uint8),
    )


def clear(totals: Totals, wanted: np.ndarray | None = None) -> None:
    """Take all members out of some pixels, by default of all, so that they can be added anew.

    Parameters
    ----------
    totals : Totals
        Of a rectangle; changed.
    wanted : ndarray (rows, columns), optional
        Not 0 where.
    """
    where = slice(None) if wanted is None else np.asarray(wanted, bool)
    for each in totals[:-1]:
        if each.size and (each is not totals.missing or each[..., where].any()):
            each[..., where] = 0


def finish(totals: Totals, ratio: float, work: Work = ALONE) -> dict[str, np.ndarray]:
    """Turn totals into the planes of a product, in place.

    Parameters
    ----------
    totals : Totals
        Of the whole mosaic or of some rows. Of no use afterwards: its arrays are what is returned.
    ratio : float
        Output pixel scale over input pixel scale.
    work : rtools.work.Work
        Its threads share the bands of rows.

    Returns
    -------
    dict of str to ndarray
        data, weight, context; err if there are variances; the variances; dq if it is there. NaN where nothing was seen
        (weight, dq: 0).
    """
    from rtools.mosaic.drizzle._combine_kernels import Sums, finish

    in_err = np.array([name in IN_ERR for name in totals.names], np.uint8)

    def finish_band(rows):
        finish(Sums(*totals.at(rows)[:-1]), float(ratio), in_err)

    work.map(finish_band, band_rows(totals.data.shape))
    planes = {"data": totals.data, "weight": totals.weight, "context": totals.context}
    if totals.names:
        planes["err"] = totals.share
    if totals.dq.size:
        planes["dq"] = totals.dq
    return planes | dict(zip(totals.names, totals.sums, strict=True))


def recover_sums(
    planes: Mapping[str, np.ndarray], names: Sequence[str], ratio: float, times: Sequence[float] | None = None
) -> Totals:
    """Totals of a finished mosaic, so that members can be added to it.

    Parameters
    ----------
    planes : mapping of str to ndarray
        data, weight, context and variances, perhaps dq, of the product, or of some of its rows.
    names : tuple of str
        Variances wanted, var_rnoise first.
    ratio : float
        Output pixel scale over input pixel scale, as it was.
    times : ndarray, optional
        Exposure time of each member, where the weights are exposure times.

    Returns
    -------
    Totals
        Copies. A variance that the product lacks has no share in them.
    """
    data = np.where(planes["weight"] == 0, 0, planes["data"]).astype(np.float32)
    context = np.array(planes["context"], np.uint32)
    if times is None:
        share = 1 / (np.asarray(planes["var_rnoise"], np.float64) * ratio**2)
    else:
        share = _times_of(context, times)
    share = np.where(np.isfinite(share) & (share > 0), share, 0)
    sums, missing = np.zeros((2, len(names), *data.shape), np.float32)
    for k, name in enumerate(names):
        variance = np.asarray(planes.get(name, np.nan), np.float64)
        known = np.isfinite(variance)
        sums[k] = np.where(known, variance * ratio**2 * share**2, 0)
        missing[k] = np.where(known, 0, share)
    dq = np.array(planes.get("dq", np.empty((0, 0))), np.uint32)
    weight, share = np.array(planes["weight"], np.float32), share.astype(np.float32) if names else np.empty((0, 0))
    return Totals(data, weight, context, sums, share, missing, dq, tuple(names))


def _times_of(context, times):
    """Exposure time of every pixel of a context."""
    total = np.zeros(context.shape[1:])
    for member, time in enumerate(times):
        total += time * ((context[member // BITS] >> np.uint32(member % BITS)) & np.uint32(1))
    return total
