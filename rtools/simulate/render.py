"""Sources onto the detector: stars from the ePSF's splines, galaxies in Fourier space, dispersed traces.

A galaxy's stamp is the inverse transform of (Sérsic profile) × (ePSF) × (shift), computed on a grid fine enough that
nothing is aliased before it is sampled at the pixels. Light beyond a stamp's edge returns at the other side, so that
the total flux is kept.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rtools.work import ALONE

if TYPE_CHECKING:
    from rtools.reference.epsf import Psf
    from rtools.work import Work

__all__ = ["add_galaxies", "add_spectra", "add_stars", "sersic_table", "shape_matrices"]

FAINTEST = 1e-4
"""A star's wings are left out where they are fainter, in units of the rates."""

STAMPS = (32, 64, 128, 256, 512)
"""Pixels on a side of galaxies' stamps."""

RADII = {1: 12.0, 4: 18.0}
"""A stamp is at least so many half-light radii wide, by Sérsic index (others as 4)."""

TABLE = 2048
CUT = (6.0, 8.0)
"""Profiles with n > 1 fade to nothing between these half-light radii; their transform is then well behaved."""

TRANSFORM_LEFT = 2e-3
"""The PSF's transform may be cut where it is smaller than this."""

BATCH = 256


def add_stars(image: np.ndarray, psf: Psf, x: np.ndarray, y: np.ndarray, flux: np.ndarray) -> None:
    """Add stars to an image in place.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
        Of a trimmed frame.
    psf : rtools.reference.epsf.Psf
        What a star of flux 1 looks like.
    x, y : ndarray (n,)
        Pixels of the image, 0-based.
    flux : ndarray (n,)
        In units of the image.
    """
    from rtools.simulate import _render_kernels

    flux = np.asarray(flux, float)
    limit = FAINTEST / np.maximum(flux, 1e-30)
    half = np.searchsorted(-psf.envelope, -limit).astype(np.int64)
    positions = np.asarray(x, float), np.asarray(y, float)
    weights = psf.weights(*positions)
    stars = _render_kernels.Stars(*positions, flux, half, weights)
    _render_kernels.add_stars(image, stars, psf.splines, psf.oversample)


def shape_matrices(radius: np.ndarray, axis_ratio: np.ndarray, angle: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """Matrices C with which a unit profile's transform is taken at s² = kᵀ C k.

    Parameters
    ----------
    radius : ndarray (n,)
        Half-light radius along the major axis, arcsec.
    axis_ratio : ndarray (n,)
        Minor over major axis.
    angle : ndarray (n,)
        Of the major axis, east of north, degrees.
    jacobian : ndarray (n, 2, 2)
        d(x, y) / d(east, north), pixels per arcsec.

    Returns
    -------
    ndarray float64, (n, 3)
        Cxx, Cxy, Cyy, pixels².
    """
    angle = np.deg2rad(angle)
    major = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], -1)
    minor = (radius * axis_ratio)[:, None] * np.stack([np.cos(angle), -np.sin(angle)], -1)
    a, b = (np.einsum("nij,nj->ni", jacobian, axis) for axis in (major, minor))
    return np.stack(
        [a[:, 0] ** 2 + b[:, 0] ** 2, a[:, 0] * a[:, 1] + b[:, 0] * b[:, 1], a[:, 1] ** 2 + b[:, 1] ** 2], -1
    )


@cache
def sersic_table(index: float) -> np.ndarray:
    """Fourier transform of a circular Sérsic profile of half-light radius 1 and flux 1.

    Parameters
    ----------
    index : float
        Sérsic index n.

    Returns
    -------
    ndarray float64, (2048,)
        At frequencies s (cycles per half-light radius) with s / (1 + s) = 0 … 1.

    Notes
    -----
    Index 1 is known in closed form, (1 + (2π s h)²)^(-3/2) with h the scale length. Others are Hankel transforms by
    quadrature, continued beyond s = 8 as s^-(2 + 1/n), the transform of the cusp.
    """
    from scipy.special import gammaincinv, j0

    place = np.arange(TABLE) / (TABLE - 1)
    with np.errstate(divide="ignore"):
        s = place / (1 - place)
    b = gammaincinv(2 * index, 0.5)
    if index == 1:
        return (1 + (2 * np.pi * s / b) ** 2) ** -1.5
    step = (np.arange(6000) + 0.5) / 6000
    radius = CUT[1] * step**3
    fade = np.clip((CUT[1] - radius) / (CUT[1] - CUT[0]), 0, 1)
    light = np.exp(-b * radius ** (1 / index)) * fade * fade * (3 - 2 * fade) * radius * CUT[1] * 3 * step**2
    light /= light.sum()
    known = s < 8
    values = np.zeros(TABLE)
    values[known] = j0(2 * np.pi * s[known, None] * radius) @ light
    last = np.flatnonzero(known)[-1]
    values[last + 1 : -1] = values[last] * (s[last + 1 : -1] / s[last]) ** -(2 + 1 / index)
    return values


def add_galaxies(
    image: np.ndarray,
    psf: Psf,
    x: np.ndarray,
    y: np.ndarray,
    flux: np.ndarray,
    *,
    sersic: np.ndarray,
    shapes: np.ndarray,
    work: Work = ALONE,
) -> None:
    """Add galaxies to an image in place.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
        Of a trimmed frame.
    psf : rtools.reference.epsf.Psf
        With which the profiles are convolved.
    x, y : ndarray (n,)
        Pixels of the image, 0-based.
    flux : ndarray (n,)
        In units of the image.
    sersic : ndarray (n,)
        Sérsic index.
    shapes : ndarray (n, 3)
        From `shape_matrices`.
    work : rtools.work.Work
        Its threads make the stamps; they are added in order, so the result does not depend on it.
    """
    from rtools.simulate import _render_kernels

    indices = np.unique(sersic)
    table = np.stack([sersic_table(float(index)) for index in indices]) if len(indices) else np.zeros((0, TABLE))
    profile = np.searchsorted(indices, sersic)
    sizes = _stamp_sizes(sersic, shapes)
    x, y = np.asarray(x, float), np.asarray(y, float)
    weights = psf.weights(x, y)
    for size in np.unique(sizes):
        members = np.flatnonzero(sizes == size)
        fine = _Grid(psf, int(size))
        per_batch = max(1, BATCH * 32**2 // int(size) ** 2)
        batches = [members[i : i + per_batch] for i in range(0, len(members), per_batch)]

        def stamps_of(which, fine=fine):
            shifts = np.stack([x[which] - np.rint(x[which]), y[which] - np.rint(y[which])], -1)
            return fine.stamps(shapes[which], shifts, flux[which], profile[which], table, weights[which])

        results = work.each(stamps_of, batches)
        for which, stamps in zip(batches, results, strict=True):
            corner = (np.rint(value[which]).astype(np.int64) for value in (x, y))
            _render_kernels.add_stamps(image, stamps, *corner)


def _stamp_sizes(sersic, shapes):
    extent = np.sqrt(np.maximum(shapes[:, 0], shapes[:, 2]))
    wanted = extent * np.where(sersic == 1, RADII[1], RADII[4])
    index = np.minimum(np.searchsorted(STAMPS, wanted), len(STAMPS) - 1)
    return np.array(STAMPS)[index]


class _Grid:
    """Frequencies for stamps of one size, and the PSF's transform there."""

    def __init__(self, psf, size):
        self.size = size
        self.oversample = _oversample(psf)
        fine = size * self.oversample
        self.fy, self.fx = np.fft.fftfreq(fine, 1 / self.oversample), np.fft.rfftfreq(fine, 1 / self.oversample)
        self.psf = psf.transform(self.fy, self.fx)

    def stamps(self, shapes, shifts, flux, profile, table, weights):
        """Stamps (n, size, size), float32; each centre at pixel (size/2, size/2) plus its shift."""
        from scipy.fft import ifft, irfft

        from rtools.simulate import _render_kernels

        out = np.empty((len(flux), len(self.fy), len(self.fx)), np.complex64)
        centre = shifts + self.size // 2
        galaxies = _render_kernels.Galaxies(shapes, centre, flux, profile, weights)
        _render_kernels.galaxy_transforms(out, galaxies, table, self.psf, (self.fy, self.fx))
        # Sampling every m-th point in y is folding the frequencies; in x the points are left out after the transform.
        folded = out.reshape(len(flux), self.oversample, self.size, -1).sum(axis=1)
        lines = ifft(folded, axis=1, overwrite_x=True)
        image = irfft(lines, self.size * self.oversample, axis=2)[:, :, :: self.oversample]
        return np.ascontiguousarray(image) * np.float32(self.oversample)


def _oversample(psf):
    """Points per pixel so that the PSF's transform is negligible beyond their Nyquist frequency; 2 or more."""
    for points in (2, 3):
        if points >= psf.oversample:
            break
        # Not at the edge alone: the pixel's transform is zero at one cycle per pixel and comes back after it.
        beyond = np.linspace(points / 2, psf.oversample / 2, 17)
        every = np.linspace(0, psf.oversample / 2, 17)
        largest = max(np.abs(psf.transform(beyond, every)).max(), np.abs(psf.transform(every, beyond)).max())
        if largest < TRANSFORM_LEFT:
            return points
    return psf.oversample


def add_spectra(
    image: np.ndarray,
    psf: Psf,
    x: np.ndarray,
    y: np.ndarray,
    *,
    sersic: np.ndarray,
    shapes: np.ndarray,
    rates: np.ndarray,
    offset: np.ndarray,
) -> None:
    """Add first-order traces along +y to an image in place.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
        Of a trimmed frame.
    psf : rtools.reference.epsf.Psf
        Its projection onto x is the cross-section of a star's trace.
    x, y : ndarray (n,)
        Pixels of the image at which the sources would be without the disperser.
    sersic : ndarray (n,)
        0 for stars.
    shapes : ndarray (n, 3)
        From `shape_matrices`; only the extent along x is used, so a galaxy is not blurred along its trace.
    rates : ndarray (n, k)
        Per pixel of the trace, in units of the image.
    offset : ndarray int64 (k,)
        Rows from the source.
    """
    from rtools.simulate import _render_kernels

    x, y = np.asarray(x, float), np.asarray(y, float)
    sizes = np.where(sersic == 0, 64, _stamp_sizes(sersic, shapes))
    weights = psf.weights(x, y)
    for size in np.unique(sizes):
        members = np.flatnonzero(sizes == size)
        frequencies = np.fft.rfftfreq(4 * size, 0.25)
        blur = weights[members] @ psf.transform(np.zeros(1), frequencies)[:, 0, :]
        for index in np.unique(sersic[members]):
            same = sersic[members] == index
            if index:
                s = np.sqrt(shapes[members][same, 0])[:, None] * frequencies
                table = sersic_table(float(index))
                blur[same] *= np.interp(s / (1 + s), np.linspace(0, 1, TABLE), table)
        shift = x[members] - np.rint(x[members]) + size // 2
        blur *= np.exp(-2j * np.pi * shift[:, None] * frequencies)
        sections = np.fft.irfft(blur, 4 * size, axis=1)[:, ::4] * 4
        place = tuple(np.rint(value[members]).astype(np.int64) for value in (x, y))
        _render_kernels.add_traces(image, np.ascontiguousarray(sections), rates[members], place, offset)
