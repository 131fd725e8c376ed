"""Where on the sky a product of JWST lies, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rtools.show.labels import corners, said
from rtools.wfi.metadata import get
from rtools.wfi.sphere import positions_of, separation, unit_vectors

__all__ = ["sky_rows"]

FEW = 4
"""Corners of a region that are told one by one; a mosaic has more."""


def sky_rows(meta: Mapping[str, Any], *, verbose: bool = False) -> list[tuple[str, str]]:
    """Centre and extent of the region, position angles and scale; then its corners.

    Parameters
    ----------
    meta : mapping
        Metadata of the product.
    verbose : bool
        Tell all corners, however many they are.

    Returns
    -------
    list of (str, str)
        Label and text; an empty text is to be left out.
    """
    info = get(meta, "wcsinfo") or {}
    region = info.get("s_region")
    polygon = _polygon(region)
    words = [_centre(polygon) if polygon is not None else _reference_point(info)]
    words += [_angles(meta, info), _scale(info)]
    if not any(words):
        words = [said(get(meta, "target") or {}, ra="target at RA {:.6f}", dec="Dec {:.6f}")]
    few = polygon is not None and (verbose or len(polygon) <= FEW)
    return [("sky", ", ".join(filter(None, words))), ("region", corners(region) if few else "")]


def _reference_point(info):
    """Of the pointing; of an image on a grid of the sky that of its header."""
    celestial = str(info.get("ctype1", "")).startswith("RA")
    pointed = said(info, ra_ref="RA {:.6f}", dec_ref="Dec {:.6f}")
    return pointed or (said(info, crval1="RA {:.6f}", crval2="Dec {:.6f}") if celestial else "")


def _polygon(region):
    """Corners (n, 2) of a text like ``POLYGON ICRS  ra dec …``, degrees; None of anything else."""
    words = str(region or "").split()
    if words[:1] != ["POLYGON"] or len(words) < 8 or len(words) % 2:
        return None
    try:
        return np.array(words[2:], float).reshape(-1, 2)
    except ValueError:
        return None


def _centre(polygon):
    """The middle of the smallest box in right ascension and declination, and the greatest distance from it."""
    vectors = unit_vectors(polygon[:, 0], polygon[:, 1])
    ra, dec = (float(one) for one in positions_of(vectors.mean(axis=0)))
    radius = float(separation(ra, dec, polygon[:, 0], polygon[:, 1]).max()) * 3600
    size = f"{radius / 60:.3g}'" if radius >= 60 else f'{radius:.3g}"'
    count = "" if len(polygon) <= FEW else f"{len(polygon)} corners "
    return f"RA {ra:.6f} Dec {dec:.6f}, {count}within {size}"


def _angles(meta, info):
    aperture = said(get(meta, "aperture") or {}, position_angle="aperture at PA {:.4f}")
    if not aperture and (turn := _position_angle(info)) is not None:
        aperture = f"y axis at PA {turn:.4f}"
    v3 = said(get(meta, "pointing") or {}, pa_v3="V3 at PA {:.4f}") or said(info, roll_ref="V3 roll {:.4f}")
    return ", ".join(filter(None, [aperture, v3]))


def _matrix(info):
    """Degrees on the sky by pixel, of CD or of PC and CDELT; None where the header has neither."""
    try:
        if "cd1_1" in info:
            return np.array([[info[f"cd{row}_{column}"] for column in (1, 2)] for row in (1, 2)], float)
        turn = [[info.get(f"pc{row}_{column}", float(row == column)) for column in (1, 2)] for row in (1, 2)]
        return np.array(turn, float) * np.array([[info["cdelt1"]], [info["cdelt2"]]], float)
    except (KeyError, TypeError, ValueError):
        return None


def _position_angle(info):
    """Of the y axis, degrees from north to east: where a step along y leads (Calabretta & Greisen 2002, eq. 1)."""
    matrix = _matrix(info) if str(info.get("ctype1", "")).startswith("RA") else None
    if matrix is None or not np.isfinite(matrix).all():
        return None
    return float(np.degrees(np.arctan2(matrix[0, 1], matrix[1, 1]))) % 360


def _scale(info):
    matrix = _matrix(info) if str(info.get("ctype1", "")).startswith("RA") else None
    if matrix is None or not np.isfinite(matrix).all() or not np.linalg.det(matrix):
        return ""
    return f'{np.sqrt(abs(np.linalg.det(matrix))) * 3600:.5g}" a pixel'
