"""Interferograms for tests: the mask of NIRISS, a band, images of stars and of pairs of them."""

import numpy as np

from rtools.interferometry.fringes import FringeModel
from rtools.interferometry.passband import Passband
from rtools.interferometry.stations import Holes
from rtools.jwst.pupil import hexagon_field, interference, mask_turn, non_redundant_mask
from rtools.wfi.units import ARCSEC

__all__ = ["FINE", "PIXEL", "SIZE", "band", "direct", "mask", "model"]

PIXEL, SIZE, FINE = 0.0656, 45, 8


def mask(used=tuple(range(7)), affine=None):
    """The holes of NIRISS's mask as they lay at commissioning."""
    told = non_redundant_mask()
    return Holes(np.array(told.centres), told.flat_to_flat, mask_turn(affine or told.affine), used)


def band(count=3, middle=4.28e-6, width=0.2e-6):
    """Wavelengths of one weight."""
    step = width / count
    waves = middle + (np.arange(count) - (count - 1) / 2) * step
    return Passband(waves, np.full(count, 1 / count), step)


def model(count=3, oversample=3, **options):
    """A model of fringes with few wavelengths."""
    return FringeModel(mask(**options), band(count), PIXEL, oversample)


def direct(centre=(0.0, 0.0), phases=None, *, size=SIZE, of=None):
    """Light of a star behind the mask: the squared field of all holes, no fringes, no fit; as `model` normalises it.

    `centre` is x, y in pixels from the middle, `phases` those of the light in the holes, radians. Pixels are integrated
    by `FINE` points of Gauss and Legendre along each axis, exact to 1e-12. Each photon of each wavelength is one.
    """
    of = of or model()
    nodes, shares = np.polynomial.legendre.leggauss(FINE)
    offsets = ((np.arange(size) - (size - 1) / 2)[:, None] + nodes / 2).ravel()
    total = np.zeros((size * FINE,) * 2)
    waves = of.passband.waves
    lights = of.passband.weights / waves**2 / np.sum(of.passband.weights / waves**2)
    turn = of.holes.turn
    for wave, weight in zip(waves, lights, strict=True):
        x = (offsets[None, :] - centre[0]) * PIXEL * ARCSEC / wave
        y = (offsets[:, None] - centre[1]) * PIXEL * ARCSEC / wave
        u, v = turn[0, 0] * x + turn[0, 1] * y, turn[1, 0] * x + turn[1, 1] * y
        field = hexagon_field(u, v, of.holes.flat_to_flat) / of.holes.flat_to_flat**2
        total += weight * np.abs(field * interference(x, y, of.holes.centres @ turn, phases)) ** 2
    return np.einsum("yjxi,j,i->yx", total.reshape(size, FINE, size, FINE), shares / 2, shares / 2)
