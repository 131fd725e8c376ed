"""Apertures on images of spectra: which share of each pixel is taken, and where the background is measured.

Images have wavelength along axis 1 here; an aperture lies across it, along axis 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtools.errors import UsageError
from rtools.spectra.choices import FITS, VARIABLES

__all__ = ["ALONG_X", "ALONG_Y", "BoxWeights", "SlitAperture", "background_pixels", "box_weights"]

ALONG_X, ALONG_Y = 1, 2
"""Values of DISPAXIS: wavelength changes along rows, or along columns."""

Edges = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class SlitAperture:
    """An aperture, in pixels that are counted from 0 on the image.

    Attributes
    ----------
    along : (float or None, float or None)
        First and last pixel along the dispersion; None for the first and last of the image.
    across : (float or None, float or None)
        First and last pixel across it.
    width : float or None
        Pixels across the dispersion, about the middle of `across`; instead of `across`.
    source : tuple of tuple of float
        Lower and upper edges in turn, each the coefficients of a polynomial, lowest first; instead of `width`.
    background : tuple of tuple of float
        The same of the regions where the background is measured; none for no background.
    variable : str
        What the polynomials are of; one of `rtools.spectra.choices.VARIABLES`.
    fit : str
        What is fitted to the background of each wavelength: ``poly`` or ``median``.
    order : int
        Of the polynomial across the dispersion.
    smoothing : int
        Wavelengths over which pixels are averaged before the background is fitted; 0 or odd.
    offset : float
        Pixels by which it lies further up than all this says, its background, too.
    """

    along: tuple[float | None, float | None] = (None, None)
    across: tuple[float | None, float | None] = (None, None)
    width: float | None = None
    source: Edges = ()
    background: Edges = ()
    variable: str = "pixel"
    fit: str = "poly"
    order: int = 0
    smoothing: int = 0
    offset: float = 0.0

    @classmethod
    def from_parameters(cls, told: Mapping[str, Any], dispersion: int) -> SlitAperture:
        """An aperture as reference files of type EXTRACT1D tell it.

        Parameters
        ----------
        told : mapping of str to object
            Names and values as there: ``xstart``, ``src_coeff``, ``bkg_fit`` …; others are not looked at.
        dispersion : int
            `ALONG_X` or `ALONG_Y`, the direction in which the wavelength changes on the image.

        Returns
        -------
        SlitAperture

        Raises
        ------
        UsageError
            A value cannot be.
        """
        x, y = ((_number(told, f"{axis}start"), _number(told, f"{axis}stop")) for axis in "xy")
        along, across = (x, y) if dispersion == ALONG_X else (y, x)
        fit = str(told.get("bkg_fit") or "poly").lower()
        order = 0 if fit == "mean" else int(_number(told, "bkg_order") or 0)
        variable = str(told.get("independent_var") or "pixel").lower()
        variable = "wavelength" if variable.startswith("wavelength") else variable
        for name, value, choices in (("bkg_fit", fit, FITS), ("independent_var", variable, VARIABLES)):
            if value not in choices:
                raise UsageError(f"{name} is {value!r}, wanted {' or '.join(choices)}")
        if order < 0:
            raise UsageError(f"bkg_order is {order}, wanted 0 or more")
        return cls(
            along=along,
            across=across,
            width=_number(told, "extract_width"),
            source=_edges(told, "src_coeff"),
            background=_edges(told, "bkg_coeff"),
            variable=variable,
            fit="poly" if fit == "mean" else fit,
            order=order,
            smoothing=_odd(_number(told, "smoothing_length") or 0),
        )


@dataclass(frozen=True)
class BoxWeights:
    """What an aperture takes of each pixel.

    Attributes
    ----------
    weights : ndarray float64 (across, along)
        From 0 to 1.
    across : (float, float)
        Lowest and highest pixel, the mean over all wavelengths where they differ.
    along : (int, int)
        First and last pixel of which anything is taken.
    """

    weights: np.ndarray
    across: tuple[float, float]
    along: tuple[int, int]


def box_weights(aperture: SlitAperture, wavelengths: np.ndarray) -> BoxWeights:
    """What an aperture takes of each pixel.

    A pixel i counts whole where low ≤ i ≤ high; beside it one counts as far as the edge reaches into it. The edges are
    those of `source` (half a pixel inwards, because these polynomials count from the middle of pixels), else those of
    `width` about the middle, else `across`. Of several regions the largest weight counts. Pixels without a wavelength
    are left out.

    Parameters
    ----------
    aperture : SlitAperture
        Where it lies.
    wavelengths : ndarray float (across, along)
        Of each pixel; NaN where there is none.

    Returns
    -------
    BoxWeights

    Raises
    ------
    UsageError
        An upper edge lies below its lower one everywhere.
    """
    shape = wavelengths.shape
    low, high = (edge + aperture.offset for edge in _or_all(aperture.across, shape[0]))
    if aperture.source:
        regions = _regions(aperture.source, aperture, wavelengths)
    elif aperture.width is not None:
        start = (low + high) / 2 - (aperture.width - 1) / 2
        regions = [(np.float64(start), np.float64(start + aperture.width - 1))]
    else:
        regions = [(np.float64(low), np.float64(high))]
    weights = np.zeros(shape)
    if any((high - low < -1).all() for low, high in regions):
        raise UsageError("an edge of the aperture that is called upper lies below its lower one")
    for region in regions:
        np.maximum(weights, _covered(shape, *region), out=weights)
    weights[:, _beyond(aperture, shape[1])] = 0
    weights[~np.isfinite(wavelengths)] = 0
    taken = np.flatnonzero(weights.any(axis=0))
    across = (min(float(np.nanmean(one)) for one, _ in regions), max(float(np.nanmean(one)) for _, one in regions))
    return BoxWeights(weights, across, (int(taken[0]), int(taken[-1])) if len(taken) else (0, -1))


def background_pixels(aperture: SlitAperture, wavelengths: np.ndarray) -> np.ndarray | None:
    """In which pixels the background is measured.

    Parameters
    ----------
    aperture : SlitAperture
        Where it lies.
    wavelengths : ndarray float (across, along)
        Of each pixel.

    Returns
    -------
    ndarray bool (across, along) or None
        Pixels that its regions cover; those that they cover in part count as well, but not for a median. None where it
        measures no background.
    """
    if not aperture.background:
        return None
    shape, least = wavelengths.shape, 1.0 if aperture.fit == "median" else 0.0
    found = np.zeros(shape, bool)
    for region in _regions(aperture.background, aperture, wavelengths):
        covered = _covered(shape, *region)
        found |= (covered >= least) & (covered > 0)
    found[:, _beyond(aperture, shape[1])] = False
    return found


def _regions(edges, aperture, wavelengths):
    """Lowest and highest pixel of each region at each wavelength."""
    pixels = np.broadcast_to(np.arange(wavelengths.shape[1], dtype=np.float64), wavelengths.shape)
    variable = pixels if aperture.variable == "pixel" else wavelengths.astype(np.float64)
    moved = [(one[0] + aperture.offset, *one[1:]) for one in edges]
    found = [np.polynomial.polynomial.polyval(variable, one) for one in moved]
    return [(low + 0.5, high - 0.5) for low, high in zip(found[::2], found[1::2], strict=True)]


def _covered(shape, low, high):
    """Share of each pixel between two edges that belong to the region."""
    number = np.arange(shape[0], dtype=np.float64)[:, None]
    inside = (number >= low) & (number <= high)
    shares = [np.where((part > 0) & (part < 1), part, 0) for part in (number - low + 1, high - number + 1)]
    return np.broadcast_to(np.where(inside, 1.0, np.maximum(*shares)), shape)


def _beyond(aperture, count):
    """Pixels along the dispersion outside of the aperture."""
    first, last = _or_all(aperture.along, count)
    pixels = np.arange(count)
    return (pixels < np.ceil(first)) | (pixels > np.floor(last))


def _or_all(limits, count):
    first, last = limits
    return (0 if first is None else first), (count - 1 if last is None else last)


def _number(told, name):
    value = told.get(name)
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{name} is {value!r}, not a number") from None


def _edges(told, name) -> Edges:
    value = told.get(name)
    if value is None:
        return ()
    try:
        edges = tuple(tuple(map(float, one)) for one in value) if isinstance(value, Sequence) else ()
    except (TypeError, ValueError):
        edges = ()
    if not edges or len(edges) % 2 or not all(edges):
        raise UsageError(f"{name} has no pairs of lower and upper edges, each a list of coefficients")
    return edges


def _odd(length):
    """An odd length of smoothing, not longer; below 3 there is none."""
    whole = round(length)
    return 0 if whole < 3 else whole - (whole % 2 == 0)
