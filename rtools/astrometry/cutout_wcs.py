"""The sky of a cutout: which pixels a position and a size are, and the coordinates of what was cut."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from rtools.astrometry.wcs import footprint
from rtools.errors import InputError, UsageError
from rtools.wfi.gwcs_frames import inputs_of, intervals_of, shifted_wcs
from rtools.wfi.sphere import s_region, signed_turn
from rtools.wfi.units import DEGREE_ARCSEC

__all__ = ["cutout_wcs", "parse_sky", "sky_metadata", "sky_section"]

SKY_FORM = "RA,DEC,SIZE is one, as 270.1,66.02,30 or 18:00:24,+66:01:12,1arcmin"

NEAR = 0.5
"""Pixels that a position may be off after the way to the pixels and back; more, and the inverse is void there."""


def parse_sky(text: str) -> tuple[float, float, float, str]:
    """Position and size of a square as they are typed.

    Parameters
    ----------
    text : str
        ``RA,DEC,SIZE``: degrees, or sexagesimal with the right ascension in hours; SIZE in arcsec, or with a unit
        (arcmin, deg, pix …).

    Returns
    -------
    (float, float, float, str)
        Right ascension and declination in degrees, size, and its unit: ``arcsec`` or ``pix``.

    Raises
    ------
    UsageError
        It is not such a text, the declination is beyond a pole, or the size is not positive.
    """
    from astropy.coordinates import Angle

    words = [word.strip() for word in text.split(",")]
    if len(words) != 3:
        raise UsageError(f"{text!r} is not a valid place on the sky", mend=SKY_FORM)
    ra, dec, size = words
    try:
        hours = re.search(r"\d[:\s]\s*\d", ra) is not None
        right, declination = Angle(ra, "hourangle" if hours else "deg").deg, Angle(dec, "deg").deg
        number = re.fullmatch(r"(.*\d\.?)\s*pix(?:els?)?", size)
        extent, unit = (float(number[1]), "pix") if number else (Angle(size, "arcsec").arcsec, "arcsec")
    except (ValueError, TypeError, IndexError) as error:
        raise UsageError(f"{text!r} is not a valid place on the sky ({_first_line(error)})", mend=SKY_FORM) from None
    if not all(map(np.isfinite, (right, declination, extent))) or abs(declination) > 90 or extent <= 0:
        raise UsageError(f"{text!r} is not a valid place on the sky", mend=SKY_FORM)
    return float(right) % 360, float(declination), float(extent), unit


def _first_line(error):
    lines = str(error).strip().splitlines()
    return lines[0][:100] if lines else type(error).__name__


def sky_section(wcs: Any, place: tuple[float, float, float, str], shape: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of a square on the sky, its sides along those of the image.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the image.
    place : (float, float, float, str)
        As `parse_sky` gives it.
    shape : (int, int)
        Rows and columns of the image.

    Returns
    -------
    (slice, slice) : rows, columns
        Clipped at the edges of the image.

    Raises
    ------
    InputError
        Wholly outside.
    """
    ra, dec, size, unit = place
    outside = InputError(f"{ra:.6f}, {dec:+.6f} is outside of the image")
    x, y = _pixel(wcs, ra, dec)
    if not (np.isfinite(x) and np.isfinite(y)):
        raise outside
    scales = (1.0, 1.0) if unit == "pix" else _scales(wcs, x, y)
    spans: list[slice] = []
    for centre, scale, length in zip((y, x), scales[::-1], shape, strict=True):
        count = max(1, round(size / scale))
        first = int(np.floor(centre - (count - 1) / 2 + 0.499))  # of two equally good places always the lower
        span = slice(max(first, 0), min(first + count, length))
        if span.start >= span.stop:
            raise outside
        spans.append(span)
    rows, columns = spans
    return rows, columns


def _pixel(wcs, ra, dec):
    """Pixel of a position, NaN where there is none."""
    from gwcs.wcs import NoConvergence

    try:
        with np.errstate(all="ignore"):
            x, y = map(float, wcs.invert(ra, dec, with_bounding_box=False))
            back = wcs(x, y, with_bounding_box=False)
            scale = max(_scales(wcs, x, y))
    except (NoConvergence, NotImplementedError, ValueError):
        return np.nan, np.nan
    # Far from the image a polynomial inverse is void, and a tangent plane takes the other side of the sky for its own.
    near = np.hypot(*_offset((ra, dec), map(float, back))) < NEAR * scale
    return (x, y) if near else (np.nan, np.nan)


def _scales(wcs, x, y):
    """Arcsec of a step of one pixel in x, and in y."""
    ra, dec = wcs(np.array([x, x + 1, x]), np.array([y, y, y + 1]), with_bounding_box=False)
    return tuple(float(np.hypot(*_offset((ra[0], dec[0]), (ra[step], dec[step])))) for step in (1, 2))


def _offset(one, two):
    """Difference of two positions that are near each other, arcsec east and north; large wherever they are not."""
    (ra, dec), (ra2, dec2) = one, two
    east = signed_turn(ra2 - ra)
    return east * np.cos(np.radians((dec + dec2) / 2)) * DEGREE_ARCSEC, (dec2 - dec) * DEGREE_ARCSEC


def cutout_wcs(wcs: Any, rows: slice, columns: slice) -> Any:
    """The coordinates of a cutout.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the whole image; not changed.
    rows, columns : slice
        What is cut, in pixels of the whole image.

    Returns
    -------
    gwcs.WCS
        Shifts stand before its first transform; its bounding box is that of the whole, as far as the cutout goes.
    """
    if wcs.bounding_box is None and inputs_of(wcs) > 2:
        return shifted_wcs(wcs, columns.start, rows.start)
    x, y, *others = (None, None) if wcs.bounding_box is None else intervals_of(wcs)
    box = _interval(columns, x), _interval(rows, y), *others
    return shifted_wcs(wcs, columns.start, rows.start, box)


def _interval(span, whole):
    """Edges of the cutout in its own pixels, no wider than the interval of the whole unless that leaves nothing."""
    low, high = -0.5, span.stop - span.start - 0.5
    if whole is None:
        return low, high
    inner = max(low, whole[0] - span.start), min(high, whole[1] - span.start)
    return inner if inner[0] < inner[1] else (low, high)


def sky_metadata(info: Mapping[str, Any], wcs: Any, shape: tuple[int, int]) -> dict[str, Any]:
    """`meta.wcsinfo` of a cutout: the fields that say where on the sky the image is.

    Parameters
    ----------
    info : mapping of str to object
        `meta.wcsinfo` of the whole image; not changed.
    wcs : gwcs.WCS
        Of the cutout.
    shape : (int, int)
        Rows and columns of the cutout.

    Returns
    -------
    dict of str to object
        With `s_region` and, where it has them (mosaics), the centre's `ra`, `dec` and `orientation`.
    """
    info = dict(info)
    if region := s_region(footprint(wcs)):
        info["s_region"] = region
    if "ra" in info and "dec" in info:
        y, x = ((length - 1) / 2 for length in shape)
        ra, dec = (float(value) for value in wcs(x, y, with_bounding_box=False))
        info |= {"ra": ra % 360, "dec": dec}
        if "orientation" in info:
            info["orientation"] = _position_angle((ra, dec), wcs(x, y + 100, with_bounding_box=False))
    return info


def _position_angle(one, two):
    """Direction from one position to another, degrees east of north, 0 … 360."""
    from astropy.coordinates import position_angle

    angles = np.radians([*one, *two])
    return float(position_angle(*angles).deg % 360)
