"""The PSF of an epsf reference: what the simulator renders with and the source catalog fits, as splines and transforms.

The ePSF is per native pixel: optics, jitter, charge diffusion, pixel and inter-pixel capacitance are all in it, so none
of them is applied again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.reference.epsf_choice import PsfChoice, chosen_indices
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC
from rtools.wfi.quantities import entry_problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rtools.reference.source import ReferenceSource

__all__ = [
    "JITTER",
    "Psf",
    "from_reference",
    "image_jitter",
    "jitter_of",
    "jittered",
    "native_stamp",
    "samples",
]

JITTER = (8.0, 8.0, 0.0)
"""Jitter where none is stated: major, minor (mas rms), position angle (degrees)."""


LARGEST_JITTER = 1000.0
"""mas: more is not a jitter."""


@dataclass
class Psf:
    """Stamps on a grid of positions.

    Attributes
    ----------
    stamps : ndarray float64 (k, ny, nx)
        Fraction of the light in a pixel centred at each sample; Σ ≈ oversample².
    oversample : int
        Samples per pixel.
    x, y : ndarray float64
        Grid lines, 0-based pixels of the trimmed frame; k = len(y) · len(x), x fastest.
    """

    stamps: np.ndarray
    oversample: int
    x: np.ndarray
    y: np.ndarray

    @cached_property
    def splines(self) -> np.ndarray:
        """Cubic B-spline coefficients of the stamps, float64 (k, ny, nx)."""
        from scipy.ndimage import spline_filter

        return np.stack([spline_filter(stamp, order=3, mode="mirror") for stamp in self.stamps])

    @cached_property
    def peak(self) -> float:
        """Largest fraction of light in one pixel."""
        return float(self.stamps.max())

    @cached_property
    def envelope(self) -> np.ndarray:
        """Largest sample at or beyond each Chebyshev distance from the centre, in whole pixels; the last is 0."""
        ny, nx = self.stamps.shape[-2:]
        rows = np.abs(np.arange(ny) - (ny - 1) / 2)[:, None] / self.oversample
        columns = np.abs(np.arange(nx) - (nx - 1) / 2)[None, :] / self.oversample
        ring = np.floor(np.maximum(rows, columns)).astype(int)
        largest = np.zeros(ring.max() + 2)
        np.maximum.at(largest, ring.ravel(), np.abs(self.stamps).max(axis=0).ravel())
        return np.maximum.accumulate(largest[::-1])[::-1]

    def weights(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Bilinear weights of the stamps for positions, clamped to the grid; ndarray (n, k)."""
        along_x, along_y = _linear(np.asarray(x, float), self.x), _linear(np.asarray(y, float), self.y)
        return (along_y[:, :, None] * along_x[:, None, :]).reshape(len(along_x), len(self.x) * len(self.y))

    @cached_property
    def distinct(self) -> Psf:
        """The same PSF with one stamp only, where all stamps are equal."""
        if np.ptp(self.stamps, axis=0).max() > 0 or len(self.stamps) == 1:
            return self
        return Psf(self.stamps[:1], self.oversample, self.x[:1], self.y[:1])

    def transform(self, fy: np.ndarray, fx: np.ndarray) -> np.ndarray:
        """Fourier transform of each stamp at frequencies (cycles per pixel) fy × fx, complex128 (k, len(fy), len(fx)).

        The origin is the centre of the stamp.
        """
        ny, nx = self.stamps.shape[-2:]
        y = (np.arange(ny) - (ny - 1) / 2) / self.oversample
        x = (np.arange(nx) - (nx - 1) / 2) / self.oversample
        along_y = np.exp(-2j * np.pi * np.outer(fy, y)) / self.oversample
        along_x = np.exp(-2j * np.pi * np.outer(x, fx)) / self.oversample
        return along_y @ self.stamps @ along_x


def from_reference(
    source: ReferenceSource, log: Callable[[str, str], None] | None = None, choice: PsfChoice | None = None
) -> Psf:
    """The `Psf` of an epsf reference: in focus and G2V, if no other is asked for.

    Parameters
    ----------
    source : ReferenceSource
        Of an epsf reference, opened or built in.
    log : callable, optional
        ``log(level, text)``, for warnings: no oversampling that can be, or one spectral type only.
    choice : PsfChoice, optional
        Which of its PSFs.

    Returns
    -------
    Psf
        Of native pixels: stamps that are those of the optics alone are averaged over pixels.

    Raises
    ------
    InputError
        The grid of positions is not a rectangle, or stamps have values that are not numbers.
    UsageError
        The reference has no such defocus or spectral type.
    """
    meta = {key: source.node(f"meta.{key}") for key in ("oversample", "pixel_x", "pixel_y")}
    said = meta["oversample"]
    wrong = entry_problem("oversample", said) if said is not None else "it does not say its oversampling"
    oversample = 4 if wrong else int(said)
    if wrong and log:
        log("warning", f"the epsf reference: {wrong}; 4 is taken")
    stamps = np.asarray(source.part("psf", chosen_indices(source, choice or PsfChoice(), log)), float)
    if np.median(stamps.sum(axis=(-2, -1))) < oversample**2 / 2:
        stamps = np.stack([_integrate(stamp, oversample) for stamp in stamps])
    if not np.all(np.isfinite(stamps)):
        raise InputError("the stamps of the epsf reference have values that are not numbers")
    pixel_x, pixel_y = (np.asarray(meta[key], float) for key in ("pixel_x", "pixel_y"))
    x, y = np.unique(pixel_x), np.unique(pixel_y)
    order = np.lexsort((pixel_x, pixel_y))
    places = np.stack([pixel_x, pixel_y], axis=1)[order].tolist()
    if len(order) != len(stamps) or places != [[a, b] for b in y.tolist() for a in x.tolist()]:
        raise InputError("the positions of the epsf reference form no grid")
    stamps = stamps[order]
    return Psf(stamps, oversample, x, y).distinct


def jitter_of(source: ReferenceSource, log: Callable[[str, str], None] | None = None) -> tuple[float, float, float]:
    """Jitter that the stamps of an epsf reference contain.

    Parameters
    ----------
    source : ReferenceSource
        Of an epsf reference, opened or built in.
    log : callable, optional
        ``log(level, text)``, for a warning where what it says is not a jitter.

    Returns
    -------
    (float, float, float)
        Major and minor axis (mas rms), position angle (degrees); `JITTER` where it says nothing.
    """
    return _stated(lambda key: source.node(f"meta.{key}"), "the epsf reference", log)


def image_jitter(meta: Mapping[str, Any], log: Callable[[str, str], None] | None = None) -> tuple[float, float, float]:
    """Jitter of an exposure by its metadata (`guide_star.jitter_*`).

    Parameters
    ----------
    meta : mapping of str to object
        Metadata of the exposure.
    log : callable, optional
        As for `jitter_of`.

    Returns
    -------
    (float, float, float)
        As `jitter_of`.
    """
    return _stated((meta.get("guide_star") or {}).get, "meta.guide_star", log)


def _stated(look, where, log):
    """What is stated; `JITTER` and a warning where that is not a jitter."""
    values = []
    for key, default in zip(("major", "minor", "position_angle"), JITTER, strict=True):
        try:
            value = float(look(f"jitter_{key}"))
        except (InputError, KeyError, TypeError, ValueError):
            value = default
        values.append(value if np.isfinite(value) else default)
    major, minor, angle = values
    if min(major, minor) >= 0 and max(major, minor) < LARGEST_JITTER and abs(angle) <= 360:
        return major, minor, angle
    if log:
        said = " ".join(f"{value:g}" for value in values)
        log("warning", f"no jitter that can be in {where} ({said}): {JITTER[0]:g} mas are taken")
    return JITTER


def jittered(psf: Psf, reference_jitter: tuple[float, float, float], image_jitter: tuple[float, float, float]) -> Psf:
    """The same PSF with the jitter of an image in place of that of the reference.

    Parameters
    ----------
    psf : Psf
        As `from_reference` gives it.
    reference_jitter, image_jitter : tuple of float
        Major and minor axis (mas rms) and position angle of the major axis from +y toward +x (degrees).

    Returns
    -------
    Psf
        `psf` itself where the two are the same.

    Notes
    -----
    Jitter is a Gaussian, far narrower than a sample; it is exchanged in Fourier space, where it is known exactly and
    the PSF has nothing beyond the Nyquist frequency.
    """
    from scipy.fft import irfft2, rfft2

    exchange = np.subtract(_covariance(*image_jitter), _covariance(*reference_jitter))
    if not exchange.any():
        return psf
    ny, nx = psf.stamps.shape[-2:]
    spacing = PIXEL_SCALE_ARCSEC / psf.oversample
    fy, fx = np.fft.fftfreq(ny, spacing)[:, None], np.fft.rfftfreq(nx, spacing)[None, :]
    power = exchange[0] * fx**2 + 2 * exchange[1] * fx * fy + exchange[2] * fy**2
    factor = np.exp(-2 * np.pi**2 * power)
    stamps = np.stack([irfft2(rfft2(stamp) * factor, s=(ny, nx)) for stamp in psf.stamps])
    return Psf(stamps, psf.oversample, psf.x, psf.y)


def _covariance(major, minor, angle):
    """xx, xy, yy of the jitter, arcsec²."""
    major, minor = (major / 1000) ** 2, (minor / 1000) ** 2
    sine, cosine = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))
    if major == minor:
        return major, 0.0, major
    return (
        major * sine**2 + minor * cosine**2,
        (major - minor) * sine * cosine,
        major * cosine**2 + minor * sine**2,
    )


def native_stamp(psf: Psf, size: int, x: float | None = None, y: float | None = None) -> np.ndarray:
    """The PSF in pixels, centred on the middle pixel.

    Parameters
    ----------
    psf : Psf
        As `from_reference` gives it.
    size : int
        Pixels on a side, odd.
    x, y : float, optional
        Where on the detector, pixels; the middle of the grid if not given.

    Returns
    -------
    ndarray float64 (size, size)
        Fraction of the light in each pixel; the sum is the encircled energy of the square, not 1.
    """
    return samples(psf, size, 1, x, y)


def samples(
    psf: Psf,
    size: int,
    per_pixel: float,
    x: float | None = None,
    y: float | None = None,
    *,
    shift: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """The PSF at samples of any spacing, centred on the middle one.

    Parameters
    ----------
    psf : Psf
        As `from_reference` gives it.
    size : int
        Samples on a side, odd.
    per_pixel : float
        Samples a pixel.
    x, y : float, optional
        As for `native_stamp`.
    shift : (float, float)
        Where the star is along x and y from the middle of the middle sample, samples.

    Returns
    -------
    ndarray float64 (size, size)
        Fraction of the light in a pixel centred at each sample; 0 beyond the reference's stamp.
    """
    from scipy.ndimage import map_coordinates

    x = (psf.x[0] + psf.x[-1]) / 2 if x is None else x
    y = (psf.y[0] + psf.y[-1]) / 2 if y is None else y
    coefficients = np.tensordot(psf.weights([x], [y])[0], psf.splines, 1)
    ny, nx = coefficients.shape
    step = psf.oversample / per_pixel
    offset = np.arange(size) - (size - 1) / 2
    rows, columns = step * (offset - shift[1]) + (ny - 1) / 2, step * (offset - shift[0]) + (nx - 1) / 2
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    stamp = map_coordinates(coefficients, places, order=3, mode="mirror", prefilter=False)
    inside = ((rows >= 0) & (rows <= ny - 1))[:, None] & ((columns >= 0) & (columns <= nx - 1))[None, :]
    return np.where(inside, stamp, 0.0)


def _integrate(stamp, oversample):
    """An optical stamp (Σ = 1) over the native pixel: box of `oversample` samples, half-weight edges if even."""
    from scipy.ndimage import convolve1d

    box = np.ones(oversample)
    if oversample % 2 == 0:
        box = np.concatenate([[0.5], np.ones(oversample - 1), [0.5]])
    box /= oversample
    for axis in (0, 1):
        stamp = convolve1d(stamp, box, axis=axis, mode="constant")
    return stamp * oversample**2


def _linear(position, grid):
    """Linear interpolation weights on grid lines, clamped; (n, len(grid))."""
    weights = np.zeros((len(position), len(grid)))
    if len(grid) == 1:
        weights[:, 0] = 1
        return weights
    left = np.clip(np.searchsorted(grid, position) - 1, 0, len(grid) - 2)
    share = np.clip((position - grid[left]) / (grid[left + 1] - grid[left]), 0, 1)
    index = np.arange(len(position))
    weights[index, left] = 1 - share
    weights[index, left + 1] = share
    return weights
