"""The frame of a rectified spectrum: one axis along the slit, the other along wavelength, straight for all exposures.

Positions are degrees, wavelengths micrometres, pixels counted from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.spectra.aperture import ALONG_X
from rtools.wfi.sphere import from_plane, to_plane

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["SlitCoordinates", "SlitFrame", "slit_frame"]

ALMOST = 1e-3
"""Steps of a pixel: an extent that is a whole number of them but for this has a pixel at either end."""


class SlitCoordinates(NamedTuple):
    """Where the pixels of an image of a spectrum lie, float64 (rows, columns); NaN beside the slit.

    Attributes
    ----------
    ra, dec : ndarray
        Degrees.
    wavelength : ndarray
        Micrometres.
    """

    ra: np.ndarray
    dec: np.ndarray
    wavelength: np.ndarray


@dataclass(frozen=True)
class SlitFrame:
    """A rectified image of a spectrum.

    Attributes
    ----------
    tangent : (float, float)
        Right ascension and declination of the point about which the slit is straight.
    slope, intercept : (float, float)
        Position in the tangent plane, degrees along ξ and η: intercept + slope times the pixel along the slit.
    wavelength : ndarray float64
        Of each pixel along the dispersion, rising or falling.
    length : int
        Pixels along the slit.
    dispersion : int
        `rtools.spectra.aperture.ALONG_X` or ``ALONG_Y``.
    """

    tangent: tuple[float, float]
    slope: tuple[float, float]
    intercept: tuple[float, float]
    wavelength: np.ndarray
    length: int
    dispersion: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        across, along = self.length, len(self.wavelength)
        return (across, along) if self.dispersion == ALONG_X else (along, across)

    def to_pixel(self, ra: ArrayLike, dec: ArrayLike, wavelength: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """x and y of positions and wavelengths; the coordinate that changes faster along the slit says where on it.

        Parameters
        ----------
        ra, dec, wavelength : array_like
            Of any one shape.

        Returns
        -------
        (ndarray float64, ndarray float64)
        """
        plane = _plane(self.tangent, ra, dec)
        faster = int(abs(self.slope[1]) > abs(self.slope[0]))
        across = (plane[faster] - self.intercept[faster]) / self.slope[faster]
        along = _inverted(self.wavelength, np.asarray(wavelength, np.float64))
        return (along, across) if self.dispersion == ALONG_X else (across, along)

    def to_world(self, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Right ascension, declination and wavelength of pixels.

        Parameters
        ----------
        x, y : array_like
            Of any one shape.

        Returns
        -------
        tuple of ndarray float64
        """
        along, across = (np.asarray(one, np.float64) for one in ((x, y) if self.dispersion == ALONG_X else (y, x)))
        xi, eta = (start + step * across for start, step in zip(self.intercept, self.slope, strict=True))
        ra, dec = from_plane(np.deg2rad(xi), np.deg2rad(eta), self.tangent)
        return ra, dec, _extended(along, np.arange(len(self.wavelength), dtype=np.float64), self.wavelength)

    def cards(self, table: str, column: str) -> dict[str, Any]:
        """Keywords of FITS of both axes: arcsec along the slit from its middle, and wavelengths of a table.

        Parameters
        ----------
        table, column : str
            Where the wavelengths are (Greisen et al. 2006, A&A 446, 747: WAVE-TAB).

        Returns
        -------
        dict of str to object
        """
        along, across = self.dispersion, 3 - self.dispersion
        step = 3600 * float(np.hypot(*self.slope))
        told: dict[str, Any] = {"WCSAXES": 2}
        for axis, middle, size, kind, unit in (
            (along, 1.0, 1.0, "WAVE-TAB", "um"),
            (across, (self.length + 1) / 2, step, "OFFSET", "arcsec"),
        ):
            told |= {f"CRPIX{axis}": middle, f"CRVAL{axis}": 1.0 if axis == along else 0.0, f"CDELT{axis}": size,
                     f"CTYPE{axis}": kind, f"CUNIT{axis}": unit}  # fmt: skip
        return told | {f"PS{along}_0": table, f"PS{along}_1": column}

    def wcs(self) -> Any:
        """The same as a gwcs, with its inverse and bounding box."""
        return _gwcs(self)


def slit_frame(
    exposures: Sequence[SlitCoordinates], dispersion: int, *, falling: bool = False, ratio: float = 1.0
) -> SlitFrame:
    """The frame that holds all exposures of a slit.

    Its wavelengths are the medians along the slit of the first exposure, and those of the others that go beyond.
    Along the slit its pixels are as long as those of the first, measured in the middle of its wavelengths by a fit in
    the tangent plane; it is as long as all exposures together, and centred on them.

    Parameters
    ----------
    exposures : sequence of SlitCoordinates
        Of the pixels of each exposure.
    dispersion : int
        `rtools.spectra.aperture.ALONG_X` or ``ALONG_Y``.
    falling : bool
        Whether wavelengths fall along the axis.
    ratio : float
        Length of a pixel along the slit over that of the first exposure's.

    Returns
    -------
    SlitFrame

    Raises
    ------
    InputError
        No pixel of an exposure has coordinates, or the slit has no length.
    """
    turned = [one if dispersion == ALONG_X else SlitCoordinates(*(part.T for part in one)) for one in exposures]
    wavelength = _wavelengths([one.wavelength for one in turned])
    middle = _middle(turned[0])
    tangent = _centre(turned, middle)
    slope = tuple(_slope(part) * ratio for part in _plane(_mean(*middle), *middle))
    faster = int(abs(slope[1]) > abs(slope[0]))
    planes = [_plane(tangent, one.ra, one.dec)[faster] for one in turned]
    extent = max(np.nanmax(one) for one in planes) - min(np.nanmin(one) for one in planes)
    if not slope[faster] or not np.isfinite(extent):
        raise InputError("its slit has no length on the sky")
    length = int(np.floor(extent / abs(slope[faster]) + ALMOST)) + 1
    intercept = tuple(-0.5 * (length - 1) * one for one in slope)
    return SlitFrame(tangent, slope, intercept, wavelength[::-1] if falling else wavelength, length, dispersion)


def _wavelengths(images):
    """Medians of each column that has any: of the first image, and those of the others that are beyond its ends."""
    found = np.zeros(0)
    for image in images:
        some = np.isfinite(image).any(axis=0)
        medians = np.nanmedian(image[:, some], axis=0) if some.any() else np.zeros(0)
        if not len(medians):
            raise InputError("no pixel has a wavelength")
        beyond = (medians < found.min()) | (medians > found.max()) if len(found) else np.ones(len(medians), bool)
        found = np.concatenate([found, medians[beyond]])
    if len(np.unique(found)) < 2:
        raise InputError("its pixels have one wavelength")
    return np.unique(found)


def _middle(one):
    """Right ascension and declination along the slit at the middle wavelength."""
    columns = np.flatnonzero(np.isfinite(one.ra).any(axis=0))
    column = columns[len(columns) // 2]
    known = np.isfinite(one.ra[:, column]) & np.isfinite(one.dec[:, column])
    return one.ra[known, column], one.dec[known, column]


def _mean(ra, dec):
    return float(np.mean(_wrapped(ra))), float(np.mean(dec))


def _centre(turned, middle):
    """Of one exposure the mean of its middle; of several the middle between the extremes."""
    if len(turned) == 1:
        return _mean(*middle)
    ra = _wrapped(np.concatenate([one.ra[np.isfinite(one.ra)] for one in turned]))
    dec = np.concatenate([one.dec[np.isfinite(one.dec)] for one in turned])
    return float(ra.min() + ra.max()) / 2, float(dec.min() + dec.max()) / 2


def _wrapped(ra):
    """Right ascensions without a jump at 0."""
    return np.where(ra - ra[0] > 180, ra - 360, np.where(ra - ra[0] < -180, ra + 360, ra)) if len(ra) else ra


def _slope(values):
    """Of a straight line through values at equal steps."""
    number = np.arange(len(values)) - (len(values) - 1) / 2
    return float(number @ (values - values.mean()) / (number @ number)) if len(values) > 1 else 0.0


def _plane(tangent, ra, dec):
    return to_plane(ra, dec, tangent, unit=np.deg2rad(1.0))


def _extended(at, grid, values):
    """Linear interpolation that goes on beyond the ends; the grid rises."""
    number = np.clip(np.searchsorted(grid, at, side="right") - 1, 0, len(grid) - 2)
    share = (at - grid[number]) / (grid[number + 1] - grid[number])
    return values[number] * (1 - share) + values[number + 1] * share


def _inverted(wavelength, at):
    numbers = np.arange(len(wavelength), dtype=np.float64)
    if wavelength[0] > wavelength[-1]:
        return _extended(at, wavelength[::-1], numbers[::-1])
    return _extended(at, wavelength, numbers)


def _gwcs(frame):
    from astropy import coordinates, units
    from astropy.modeling import models
    from gwcs import WCS, coordinate_frames

    across, along = (1, 0) if frame.dispersion == ALONG_X else (0, 1)
    wavelength, numbers = frame.wavelength, np.arange(len(frame.wavelength), dtype=np.float64)
    options = {"bounds_error": False, "fill_value": None}
    table = models.Tabular1D(points=numbers, lookup_table=wavelength, name="pix2wavelength", **options)
    order = slice(None, None, -1 if wavelength[0] > wavelength[-1] else 1)
    table.inverse = models.Tabular1D(
        points=wavelength[order].copy(), lookup_table=numbers[order].copy(), name="wavelength2pix", **options
    )
    mapping = models.Mapping((across, across, along))
    faster = int(abs(frame.slope[1]) > abs(frame.slope[0]))
    back = (faster, 2) if across == 0 else (2, faster)
    mapping.inverse = models.Mapping(back, n_inputs=3)
    lines = [models.Linear1D(slope or 1e-300, start) for slope, start in zip(frame.slope, frame.intercept, strict=True)]
    sky = models.Pix2Sky_TAN() | models.RotateNative2Celestial(*frame.tangent, 180.0)
    detector = coordinate_frames.Frame2D(name="detector", axes_order=(0, 1), unit=(units.pix, units.pix))
    celestial = coordinate_frames.CelestialFrame(name="sky", axes_order=(0, 1), reference_frame=coordinates.ICRS())
    spectral = coordinate_frames.SpectralFrame(name="spectral", axes_order=(2,), unit=(units.um,),
                                               axes_names=("wavelength",))  # fmt: skip
    world = coordinate_frames.CompositeFrame([celestial, spectral], name="world")
    made = WCS([(detector, mapping | (lines[0] & lines[1] | sky) & table), (world, None)])
    rows, columns = frame.shape
    made.bounding_box = ((-0.5, columns - 0.5), (-0.5, rows - 0.5))
    made.pixel_shape = (columns, rows)
    return made
