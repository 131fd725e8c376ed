"""The alignment of images for a report: what each file says, and how well their stars lie on each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rtools.pipeline.report.catalogs import ReadCatalog, stars_of
from rtools.pipeline.report.findings import AlignmentFindings, ProductFindings
from rtools.pipeline.report.identity import number_at, text_at
from rtools.quality import correction_field, star_offsets, undo_correction
from rtools.wfi.metadata import get

__all__ = ["alignment_findings", "alignment_values", "with_offsets"]

STEP = "tweakreg"

STARS = 200
"""Bright point sources of an exposure that are compared with those of others."""


def alignment_findings(
    meta: Mapping[str, Any], logs: Iterable[tuple[str, str]], catalog: ReadCatalog | None, shape: tuple[int, ...]
) -> AlignmentFindings | None:
    """What a file says of its alignment; None where it says nothing, or that there was none.

    Parameters
    ----------
    meta : mapping
        Of the product, plain.
    logs : iterable of (str, str)
        Level and text of each line of its log.
    catalog : ReadCatalog or None
        Its sources.
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    AlignmentFindings or None
    """
    status, results = text_at(meta, f"cal_step.{STEP}"), meta.get("wcs_fit_results")
    if not isinstance(results, dict) and status not in ("COMPLETE", "FAILED"):
        return None
    results = results if isinstance(results, dict) else {}
    said = [text for _level, text in logs if text.startswith(f"{STEP}: ") and text != f"{STEP}: {status}"]
    scale = number_at(results, "<scale>")
    found = AlignmentFindings(
        status, said[-1].removeprefix(f"{STEP}: ") if said else "", number_at(results, "<rot>"), 1e6 * (scale - 1)
    )
    matrix, shift = _array(results.get("matrix"), (2, 2)), _array(results.get("shift"), (2,))
    tangent = number_at(meta, "wcsinfo.ra_ref"), number_at(meta, "wcsinfo.dec_ref")
    if catalog is None or matrix is None or shift is None or not np.isfinite(tangent).all():
        return found
    ra, dec, pixels = stars_of(catalog, STARS)
    if not len(ra) or abs(np.linalg.det(matrix)) < 0.5:
        return found
    old = undo_correction(ra, dec, tangent, matrix, shift)
    places = pixels / np.array([shape[1], shape[0]], float)
    return replace(found, stars=(ra, dec), old=old, pixels=places, field=correction_field(ra, dec, *old))


def _array(value, shape):
    """A list of numbers of a shape; None for anything else."""
    try:
        found = np.array(value, float)
    except (TypeError, ValueError):
        return None
    return found if found.shape == shape and np.isfinite(found).all() else None


def alignment_values(found: AlignmentFindings, meta: Mapping[str, Any]) -> dict[str, float]:
    """Numbers of an alignment, by the keys of `rtools.quality.METRICS`.

    Parameters
    ----------
    found : AlignmentFindings
        Of the image.
    meta : mapping
        Of the product.

    Returns
    -------
    dict of str to float
        What is not known is not in it.
    """
    shift = _array(get(meta, "wcs_fit_results.shift"), (2,))
    moved = np.hypot(*found.field.shift) if found.field else 1000 * np.hypot(*shift) if shift is not None else np.nan
    values = {
        "rms": 1000 * number_at(meta, "wcs_fit_results.rmse"),
        "matches": number_at(meta, "wcs_fit_results.nmatches"),
        "shift": float(moved),
    }
    return {key: value for key, value in values.items() if np.isfinite(value)}


def with_offsets(products: Sequence[ProductFindings]) -> list[ProductFindings]:
    """Products with the offsets of their stars from the same stars of the others.

    Parameters
    ----------
    products : sequence of ProductFindings
        Of any sort.

    Returns
    -------
    list of ProductFindings
        In the same order; those without aligned stars as they were.
    """
    aligned, stars, old = [], [], []
    for number, one in enumerate(products):
        if one.alignment and one.alignment.stars and one.alignment.old:
            aligned.append((number, one.alignment))
            stars.append(one.alignment.stars)
            old.append(one.alignment.old)
    found = star_offsets(stars, old)
    made = list(products)
    for (number, alignment), offsets in zip(aligned, found, strict=True):
        if offsets is None:
            continue
        values = dict(made[number].values)
        for key, moves in (("spread_before", offsets.before), ("spread_after", offsets.after)):
            values[key] = float(np.sqrt(np.mean(moves**2)))
        made[number] = replace(made[number], values=values, alignment=replace(alignment, offsets=offsets))
    return made
