"""All that can be checked of one file: what the file says, and its world coordinates there and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtools.products.check import Report

__all__ = ["examined"]


def examined(path: str | Path, *, quick: bool = False, **settings: Any) -> Report:
    """The report on one file, world coordinates included.

    Parameters
    ----------
    path : str or Path
        The file.
    quick : bool
        Read no array, and leave world coordinates out.
    **settings : object
        Further ones of `rtools.products.check.check_file`.

    Returns
    -------
    rtools.products.check.Report

    Raises
    ------
    InputError
        The file cannot be read at all.
    """
    from rtools.products.check import file as checks

    report = checks.check_file(path, quick=quick, **settings)
    if not quick:
        jwst = getattr(report.product, "mission", None) == "jwst"
        report.attempt("W1" if jwst else "wcs", _judge_sky if jwst else _judge_wcs, report.product)
    return report


def _judge_wcs(product):
    """Of Roman: systems of the tree, there and back; None where there are none."""
    from rtools.products.check.file import wcs_of

    systems, found = wcs_of(product)
    if systems:
        from rtools.astrometry.wcs_check import check_wcs

        arrays = product.arrays
        found += check_wcs(systems, arrays["data"].shape[-2:] if "data" in arrays else None)
    return found if systems or found else None


def _judge_sky(product):
    """Of JWST: systems of header and tree, and the region; None where there are none."""
    from rtools.products.check.jwst import systems_of

    systems, found = systems_of(product)
    if systems is None:
        return None
    from rtools.astrometry.wcs_check import check_sky_systems

    return found + check_sky_systems(*systems)
