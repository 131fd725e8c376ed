"""The likelihood fit of a block of ramps, integration by integration, and the rate of all of them.

The fit of one integration is Roman's (`rtools.exposure.rampfit`; Brandt 2024, PASP 136, 045004) without its search for
jumps: of a jump that is flagged, only the difference in front of it is left out.
"""

from __future__ import annotations

import math

import numpy as np

from rtools.exposure.jwst.block import RampBlock, RampTiming
from rtools.exposure.jwst.fit import FittedRates
from rtools.exposure.rampfit._arguments import FitImage, FitTerms, JumpLimits, Ramp
from rtools.exposure.rampfit._likelihood_kernels import fit_by_likelihood
from rtools.exposure.rampfit._work import BLOCK
from rtools.exposure.rampfit.network import median_network
from rtools.exposure.rampfit.timing import resultant_timing, uniform_weights
from rtools.jwst.dq import GROUP_FLAGS, PIXEL_FLAGS
from rtools.wfi.frame import BORDER

__all__ = ["FEWEST", "fit_likely"]

FEWEST = 4
"""Groups from which on the fit by likelihood is used."""

UNUSED = np.uint8(GROUP_FLAGS["DO_NOT_USE"] | GROUP_FLAGS["SATURATED"])
SHOWN = np.uint8(GROUP_FLAGS["SATURATED"] | GROUP_FLAGS["JUMP_DET"] | GROUP_FLAGS["PERSISTENCE"])
JUMP = np.uint8(GROUP_FLAGS["JUMP_DET"])
DO_NOT_USE, SATURATED = np.uint32(PIXEL_FLAGS["DO_NOT_USE"]), np.uint32(PIXEL_FLAGS["SATURATED"])

RATE, ERROR, POISSON, READ = 0, 1, 2, 3
"""Planes of the compiled fit."""


def fit_likely(block: RampBlock, noise: np.ndarray, timing: RampTiming) -> FittedRates:
    """Fit every integration of a block by likelihood.

    The rate of all integrations is their mean with weights 1/(v_photons r/r_i + v_reading): the variance that an
    integration would have at the common rate r, which is found in two rounds.

    Parameters
    ----------
    block : RampBlock
        Ramps with their flags; jumps are those that are flagged.
    noise : ndarray float32 (2, rows, columns)
        Gain in electron/DN, and noise of a correlated double sample in DN.
    timing : RampTiming
        How groups follow each other.

    Returns
    -------
    FittedRates
    """
    integrations, groups, rows, columns = block.data.shape
    made = FittedRates.empty(integrations, rows, columns)
    reads = _reads(groups, timing)
    for number in range(integrations):
        ramp, flags = block.data[number], block.groupdq[number]
        planes = _fit(ramp, flags, noise, reads, timing.frame_time)
        if block.zeroframe is not None and timing.frames > 1:
            first = block.zeroframe[number]
            longer, its_flags = _with_first_frame(ramp, flags, first, timing)
            split = _fit(longer, its_flags, noise, _split(reads), timing.frame_time)
            planes = np.where(first != 0, split, planes)
        shown = np.bitwise_or.reduce(flags, axis=0) & SHOWN
        made.each[:, number], made.each_dq[number] = _finish(planes, shown, block.pixeldq)
    made.planes, made.dq = _joined(made, block.pixeldq)
    return made


def _reads(groups, timing):
    """Numbers of the reads of each group, from 1."""
    step = timing.frames + timing.skipped
    return [list(range(group * step + 1, group * step + timing.frames + 1)) for group in range(groups)]


def _split(reads):
    return [reads[0][:1], reads[0][1:], *reads[1:]]


def _with_first_frame(ramp, flags, first, timing):
    """A ramp whose first group is split into its first frame and the mean of the others."""
    rest = (timing.frames * ramp[0] - first) / np.float32(timing.frames - 1)
    alone = np.where(first != 0, flags[0] & ~UNUSED, flags[0])
    return np.concatenate([first[None], rest[None], ramp[1:]]), np.concatenate([alone[None], flags])


def _fit(ramp, flags, noise, reads, frame_time):
    """Rate, error, variances of one integration, float32 (4, rows, columns)."""
    timing = resultant_timing(reads, frame_time)
    never = JumpLimits(math.inf, math.inf, len(reads))
    terms = FitTerms(timing, uniform_weights(timing), never, median_network(len(reads) - 1))
    rows, columns = ramp.shape[1:]
    fill = -columns % int(BLOCK)
    padding = ((BORDER, BORDER), (0, fill))
    whole = Ramp(
        np.pad(ramp, ((0, 0), *padding)),
        np.pad(flags & UNUSED, ((0, 0), *padding)),
        np.zeros((rows + 2 * BORDER, columns + fill), np.uint32),
        np.pad(noise[0], padding),
        np.pad(noise[1] / np.float32(math.sqrt(2)), padding),
    )
    image = FitImage(np.empty((6, rows, columns), np.float32), np.empty((rows, columns), np.uint32), 0, columns)
    fit_by_likelihood(whole, terms, np.pad(flags & JUMP, ((0, 0), *padding)), image)
    return image.planes[[RATE, POISSON, READ, ERROR]]


def _finish(planes, shown, pixel_flags):
    """Planes and flags of an integration: nothing where there is no rate or the pixel is not to be used."""
    dead = ~np.isfinite(planes).all(axis=0)
    dq = pixel_flags | shown.astype(np.uint32) | np.where(dead, DO_NOT_USE, np.uint32(0))
    _clear(planes, ((dq & DO_NOT_USE) | (pixel_flags & SATURATED)) > 0)
    return planes, dq


def _clear(planes, dead):
    planes[0][dead] = np.nan
    planes[1:, dead] = 0


def _joined(made, pixel_flags):
    """The rate of all integrations."""
    rate, photons, reading = made.each[:3].astype(np.float64)
    good = np.isfinite(rate)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(good, 1 / (photons + reading), 0)
        mean = np.where(good, weight * rate, 0).sum(axis=0) / weight.sum(axis=0)
        for _round in range(2):
            share = np.where(rate > 0, np.maximum(mean, 0) / rate, 1)
            weight = np.where(good, 1 / (photons * share + reading), 0)
            mean = np.where(good, weight * rate, 0).sum(axis=0) / weight.sum(axis=0)
        square = weight**2 / weight.sum(axis=0) ** 2
        variances = [np.where(good, one * square, 0).sum(axis=0) for one in (photons, reading)]
    planes = np.stack([mean, *variances, np.sqrt(sum(variances))]).astype(np.float32)
    dq = np.bitwise_or.reduce(made.each_dq & ~DO_NOT_USE, axis=0) | (pixel_flags & DO_NOT_USE)
    dq |= np.where(good.any(axis=0), np.uint32(0), DO_NOT_USE)
    _clear(planes, ((dq & DO_NOT_USE) | (pixel_flags & SATURATED)) > 0)
    return planes, dq
