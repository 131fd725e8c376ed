"""Interferograms for tests: the mask of NIRISS, a band, images of stars and of pairs of them."""

import numpy as np

from rtools.interferometry.fringes import FringeModel
from rtools.interferometry.passband import Passband
from rtools.interferometry.stations import Holes
from rtools.jwst.pupil import hexagon_field, interference, mask_turn, non_redundant_mask
from rtools.wfi.units import ARCSEC

__all__ = ["PIXEL", "SIZE", "band", "direct", "mask", "model"]

PIXEL, SIZE = 0.0656, 45


def mask(used=tuple(range(7)), affine=None):
    """The holes of NIRISS's mask as they lay at commissioning."""
    told = non_redundant_mask()
    return Holes(np.array(told.centres), told.flat_to_flat, mask_turn(affine or told.affine), used)


def band(count=3, middle=4.28e-6, width=0.2e-6):
    """Wavelengths of one weight."""
    step = width / count
    waves = middle + (np.arange(count) - (count - 1) / 2) * step
    return Passband(waves, np.full(count, 1 / count), step)


def model(count=3, **options):
    """A model of fringes with few wavelengths."""
    return FringeModel(mask(**options), band(count), PIXEL)


def direct(centre=(0.0, 0.0), phases=None, *, size=SIZE, of=None):
    """Light of a star behind the mask: the squared field of all holes, no fringes, no fit; as `model` normalises it.

    `centre` is x, y in pixels from the middle, `phases` those of the light in the holes, radians.
    """
    of = of or model()
    fine = of.oversample
    offsets = (np.arange(size * fine) - (size * fine - 1) / 2) / fine
    total = np.zeros((size * fine,) * 2)
    turn = of.holes.turn
    for wave, weight in zip(of.passband.waves, of.passband.weights, strict=True):
        x = (offsets[None, :] - centre[0]) * PIXEL * ARCSEC / wave
        y = (offsets[:, None] - centre[1]) * PIXEL * ARCSEC / wave
        u, v = turn[0, 0] * x + turn[0, 1] * y, turn[1, 0] * x + turn[1, 1] * y
        field = hexagon_field(u, v, of.holes.flat_to_flat) / of.holes.flat_to_flat**2
        total += weight * np.abs(field * interference(x, y, of.holes.centres @ turn, phases)) ** 2
    return total.reshape(size, fine, size, fine).sum(axis=(1, 3))
