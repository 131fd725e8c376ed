"""Bad pixels of interferograms, repaired in the Fourier plane where the mask cannot send any light.

An image holds no spatial frequency beyond the baselines of the mask. Bad pixels do; so they are given the values that
leave the least power there (Ireland 2013, MNRAS 433, 1718, section 2.5). With Z the set of those frequencies and
K(p - q) = (1/n²) Σ_Z exp(2πi k·(p - q)/n) the filter that passes them alone, the values x of the bad pixels solve
Σ_q K(p - q) x_q = -(K * d)_p, where d is the image with 0 in its bad pixels.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from rtools.interferometry.frames import filled
from rtools.interferometry.passband import Passband
from rtools.interferometry.stations import Holes
from rtools.wfi.units import ARCSEC
from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["Repaired", "dark_frequencies", "repair"]

SKIPPED = 3
"""Every third wavelength is looked at: hexagons of neighbours overlap by far."""

ENOUGH = 0.05
"""Share of dark frequencies below which they cannot tell what a bad pixel should be."""

ROUNDS = 20
SIGMAS = 8.0
"""How often, and above which significance, further bad pixels are looked for."""

TOGETHER = 0.6
"""Of the highest significance, above which pixels are taken in one round: what the filter makes beside one is less."""

MOST = 0.25
"""Share of bad pixels above which there is nothing to repair them by."""

SINGULAR = 1e-6
"""Share of the largest singular value below which combinations of bad pixels stay 0."""


class Repaired(NamedTuple):
    """An image with its bad pixels.

    Attributes
    ----------
    image : ndarray float64 (n, n)
        Bad pixels have the values that were found for them.
    bad : ndarray of bool
        Those that were given, and those that were found.
    """

    image: np.ndarray
    bad: np.ndarray


def dark_frequencies(size: int, holes: Holes, passband: Passband, pixel: float) -> np.ndarray:
    """Spatial frequencies of an image at which no baseline of the mask has light.

    Light of two holes, each a hexagon, covers frequencies of a hexagon of twice the width about their baseline. One
    step of frequency is added to it on each side, for the image ends at its box. Frequencies above half a cycle per
    pixel are seen at those from the other side.

    Parameters
    ----------
    size : int
        n, pixels on a side.
    holes : Holes
        The mask on the detector.
    passband : Passband
        Its bins.
    pixel : float
        Side of a pixel, arcsec.

    Returns
    -------
    ndarray of bool (n, n)
        In the order of `numpy.fft.fft2`.
    """
    cycles = np.fft.fftfreq(size)
    undone = np.linalg.inv(holes.turn)
    used = holes.pairs
    middles = np.concatenate([[(0.0, 0.0)], holes.baselines[used], -holes.baselines[used]]) @ undone
    longest = float(np.hypot(*middles.T).max())
    half = passband.width / 2
    lit = np.zeros((size, size), bool)
    for wave in (passband.waves[0] - half, *passband.waves[1:-1:SKIPPED], passband.waves[-1] + half):
        scale = wave / (pixel * ARCSEC)
        reach = holes.flat_to_flat + scale / size
        for down, right in product((-1, 0, 1), repeat=2):
            at = np.stack(np.meshgrid(cycles + right, cycles + down), axis=-1) * scale @ undone
            near = np.hypot(at[..., 0], at[..., 1]) <= longest + 2 * reach
            if near.any():
                lit[near] |= _in_hexagons(at[near], middles, reach)
    return ~lit


def _in_hexagons(places, middles, reach):
    """Which places lie in a hexagon of twice a width about one of the middles; two sides of it lie along x."""
    inside = np.zeros(len(places), bool)
    for middle in middles:
        x, y = np.abs(places - middle).T
        inside |= (y <= reach) & (np.sqrt(3) * x + y <= 2 * reach)
    return inside


def repair(image: np.ndarray, error: np.ndarray, bad: np.ndarray, dark: np.ndarray) -> Repaired:
    """Give bad pixels the values that leave the least power at dark frequencies, and find those that nobody flagged.

    What is left at dark frequencies is noise, whose standard deviation follows from that of the pixels. A pixel that
    stands out by more than 8 of it, and more than its neighbours, is bad; the highest ones go first, then all are
    repaired anew and the rest is looked at again. Where the mask leaves hardly any frequency dark, bad pixels get the
    median of their neighbours.

    Parameters
    ----------
    image : ndarray (n, n)
        May be NaN in bad pixels.
    error : ndarray (n, n)
        Standard deviations.
    bad : ndarray of bool (n, n)
        Known bad pixels.
    dark : ndarray of bool (n, n)
        From `dark_frequencies`.

    Returns
    -------
    Repaired
    """
    bad = bad | ~np.isfinite(image)
    if dark.mean() < ENOUGH or bad.mean() > MOST:
        return Repaired(filled(image, bad), bad)
    kernel = np.fft.ifft2(dark).real
    spread = np.fft.fft2(kernel**2)
    known = ~bad & np.isfinite(error)
    variance = np.where(known, error, np.median(error[known]) if known.any() else np.inf).astype(float) ** 2
    noise = np.sqrt(np.maximum(np.fft.ifft2(np.fft.fft2(variance) * spread).real, 0))
    values = _values(image, bad, dark, kernel)
    for _ in range(ROUNDS):
        rest = np.fft.ifft2(np.fft.fft2(values) * dark).real
        found = _standing_out(rest, noise) & ~bad
        if not found.any() or (bad | found).mean() > MOST:
            break
        bad = bad | found
        values = _values(image, bad, dark, kernel)
    return Repaired(values, bad)


def _values(image, bad, dark, kernel):
    """The image with values for its bad pixels."""
    out = np.where(bad, 0.0, image)
    rows, columns = np.nonzero(bad)
    if len(rows):
        rest = np.fft.ifft2(np.fft.fft2(out) * dark).real[bad]
        matrix = kernel[rows[:, None] - rows, columns[:, None] - columns]
        out[bad] = np.linalg.lstsq(matrix, -rest, rcond=SINGULAR)[0]
    return out


def _standing_out(rest, noise):
    """Pixels that stand out of the noise at dark frequencies, each the highest of its neighbourhood."""
    with np.errstate(divide="ignore", invalid="ignore"):
        height = np.nan_to_num(np.abs(rest) / noise)
    scatter = MAD_TO_SIGMA * float(np.median(height))
    least = max(SIGMAS * max(1.0, scatter), TOGETHER * float(height.max()))
    return (height > least) & (height == _highest_about(height))


def _highest_about(values):
    """The highest of the five times five about each pixel; what is beyond an edge lies at the other."""
    for axis in (0, 1):
        values = np.max([np.roll(values, step, axis) for step in range(-2, 3)], axis=0)
    return values
