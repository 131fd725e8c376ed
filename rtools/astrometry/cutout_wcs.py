"""The sky of a cutout: which pixels a position and a size are, and the coordinates of what was cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rtools.astrometry.pixels import geometry_at, sky_to_pixels
from rtools.astrometry.wcs import footprint
from rtools.errors import OutsideError
from rtools.wfi.gwcs_frames import inputs_of, intervals_of, shifted_wcs
from rtools.wfi.sphere import s_region

__all__ = ["cutout_wcs", "sky_metadata", "sky_section"]


def sky_section(
    wcs: Any, place: tuple[float, float, float, str], shape: tuple[int, int], *, whole: bool = False
) -> tuple[slice, slice]:
    """Rows and columns of a square on the sky, its sides along those of the image.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the image.
    place : (float, float, float, str)
        As `parse_sky` gives it.
    shape : (int, int)
        Rows and columns of the image.
    whole : bool
        Keep what lies beyond the edges.

    Returns
    -------
    (slice, slice) : rows, columns
        Clipped at the edges of the image, unless the whole is asked for.

    Raises
    ------
    OutsideError
        Wholly outside.
    """
    ra, dec, size, unit = place
    outside = OutsideError(f"{ra:.6f}, {dec:+.6f} is outside of the image")
    x, y = map(float, sky_to_pixels(wcs, ra, dec))
    if not (np.isfinite(x) and np.isfinite(y)):
        raise outside
    scales = (1.0, 1.0) if unit == "pix" else tuple(map(float, geometry_at(wcs, x, y)[:2]))
    spans: list[slice] = []
    for centre, scale, length in zip((y, x), scales[::-1], shape, strict=True):
        count = max(1, round(size / scale))
        first = int(np.floor(centre - (count - 1) / 2 + 0.499))  # of two equally good places always the lower
        span = slice(max(first, 0), min(first + count, length))
        if span.start >= span.stop:
            raise outside
        spans.append(slice(first, first + count) if whole else span)
    rows, columns = spans
    return rows, columns


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
