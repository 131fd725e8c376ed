"""The likelihood fit of a block of ramps, integration by integration, and the rate of all of them.

The fit of one integration is Roman's (`rtools.exposure.rampfit`; Brandt 2024, PASP 136, 045004). Of a jump that is
flagged only the difference in front of it is left out, from the beginning: the covariance is formed at the rate of what
is left. Roman's search for jumps (Brandt 2024, PASP 136, 045005) is made on request.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtools.exposure.jwst.block import RampBlock, RampTiming
from rtools.exposure.jwst.fit import FittedRates
from rtools.exposure.rampfit._arguments import NO_FLAGS, FitImage, FitTerms, JumpLimits, Ramp
from rtools.exposure.rampfit._likelihood_kernels import fit_by_likelihood
from rtools.exposure.rampfit._work import BLOCK
from rtools.exposure.rampfit.limits import jump_limits
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


class _Pixels(NamedTuple):
    """What the compiled fit is told of the pixels of a block, in the form in which it takes them.

    Attributes
    ----------
    gain, read, dark : ndarray float32 (rows + border, columns + fill)
        Electron/DN; noise of one read in DN; dark current in DN/s.
    """

    gain: np.ndarray
    read: np.ndarray
    dark: np.ndarray


def fit_likely(
    block: RampBlock,
    noise: np.ndarray,
    timing: RampTiming,
    *,
    dark: np.ndarray | float = 0.0,
    threshold: float = math.inf,
) -> FittedRates:
    """Fit every integration of a block by likelihood.

    The rate of all integrations is their mean with weights 1/(v_photons r/r_i + v_reading): the variance that an
    integration would have at the common rate r, which is found in two rounds.

    Parameters
    ----------
    block : RampBlock
        Ramps with their flags; of jumps that are flagged the difference in front is left out. `groupdq` receives those
        that are found.
    noise : ndarray float32 (2, rows, columns)
        Gain in electron/DN, and noise of a correlated double sample in DN.
    timing : RampTiming
        How groups follow each other.
    dark : ndarray (rows, columns) or float
        Dark current in DN/s, which adds to the variance from photons.
    threshold : float
        Standard deviations from which on one difference is taken for a jump; two neighbours from where this is as
        improbable. Infinite: no jumps are looked for.

    Returns
    -------
    FittedRates
    """
    integrations, groups, rows, columns = block.data.shape
    made = FittedRates.empty(integrations, rows, columns)
    planes = (noise[0], noise[1] / np.float32(math.sqrt(2)), np.broadcast_to(np.float32(dark), (rows, columns)))
    pixels = _Pixels(*map(_framed, planes))
    reads = _reads(groups, timing)
    whole = _terms(reads, timing.frame_time, threshold)
    first_frames = block.zeroframe if timing.frames > 1 else None
    split = None if first_frames is None else _terms(_split(reads), timing.frame_time, threshold)
    for number in range(integrations):
        ramp, flags = block.data[number], block.groupdq[number]
        planes, found = _fit(ramp, flags, pixels, whole)
        if first_frames is not None:
            first = first_frames[number]
            longer, its_flags = _with_first_frame(ramp, flags, first, timing)
            its_planes, also_found = _fit(longer, its_flags, pixels, split)
            planes = np.where(first != 0, its_planes, planes)
            found = np.where(first != 0, also_found[1:], found)
        flags |= found
        shown = np.bitwise_or.reduce(flags, axis=0) & SHOWN
        made.each[:, number], made.each_dq[number] = _finish(planes, shown, block.pixeldq)
    made.planes, made.dq = _joined(made, block.pixeldq)
    return made


def _framed(array):
    """An array with the border and the whole blocks of columns that the compiled fit asks for; both are empty."""
    rim = (int(BORDER), int(BORDER)), (0, -array.shape[-1] % int(BLOCK))
    return np.pad(array, ((0, 0),) * (array.ndim - 2) + rim)


def _terms(reads, frame_time, threshold):
    """What the fit of an integration takes, of all pixels alike."""
    timing = resultant_timing(reads, frame_time)
    limits = JumpLimits(math.inf, math.inf, len(reads))
    if threshold < math.inf:
        limits = jump_limits(threshold, timing)
    return FitTerms(timing, uniform_weights(timing), limits, median_network(len(reads) - 1))


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


def _fit(ramp, flags, pixels, terms):
    """Rate, variances and error of one integration, float32 (4, rows, columns), and the jumps that were found."""
    rows, columns = ramp.shape[1:]
    unused, known = _framed(flags & UNUSED), _framed(flags & JUMP)
    ignored = np.zeros(pixels.gain.shape, np.uint32)
    whole = Ramp(_framed(ramp), unused, ignored, pixels.gain, pixels.read, known, pixels.dark)
    image = FitImage(np.empty((6, rows, columns), np.float32), np.empty((rows, columns), np.uint32), 0, columns)
    fit_by_likelihood(whole, terms, NO_FLAGS, image)
    found = unused[:, int(BORDER) : -int(BORDER), :columns] & JUMP
    return image.planes[[RATE, POISSON, READ, ERROR]], found


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
    """The rate of all integrations, each with the variance from photons that it would have at that rate."""
    rate, photons, reading = made.each[:3].astype(np.float64)
    good = np.isfinite(rate)
    mean = _median(rate, good)
    with np.errstate(invalid="ignore", divide="ignore"):
        for _round in range(2):
            at_mean = photons * np.where(rate > 0, np.maximum(mean, 0) / rate, 1)
            weight = np.where(good, 1 / (at_mean + reading), 0)
            weight /= weight.sum(axis=0)
            mean = np.where(good, weight * rate, 0).sum(axis=0)
        variances = [np.where(good, one * weight**2, 0).sum(axis=0) for one in (at_mean, reading)]
    planes = np.stack([mean, *variances, np.sqrt(sum(variances))]).astype(np.float32)
    dq = np.bitwise_or.reduce(made.each_dq & ~DO_NOT_USE, axis=0) | (pixel_flags & DO_NOT_USE)
    dq |= np.where(good.any(axis=0), np.uint32(0), DO_NOT_USE)
    _clear(planes, ((dq & DO_NOT_USE) | (pixel_flags & SATURATED)) > 0)
    return planes, dq


def _median(rates, good):
    """Median of the rates of a pixel that are good; not a number where none is."""
    number = good.sum(axis=0)
    ordered = np.sort(rates, axis=0)  # what is not a number comes last
    middle = [np.take_along_axis(ordered, place[None] // 2, axis=0)[0] for place in (np.maximum(number - 1, 0), number)]
    return 0.5 * (middle[0] + middle[1])
