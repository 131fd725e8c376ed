"""The columns of source catalogs of JWST: order, types, units, and what each says.

As the archive's catalogs have them: apertures are named after the percentage of a star's light that they hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["BOX_CORNERS", "JwstColumn", "catalog_columns"]


class JwstColumn(NamedTuple):
    """One column.

    Attributes
    ----------
    name : str
        As in the file; those of a position on the sky end with ``.ra`` and ``.dec``.
    dtype : str
        Of numpy.
    unit : str or None
        As astropy spells it; None for no unit.
    description : str
        What it says.
    """

    name: str
    dtype: str
    unit: str | None
    description: str


BOX_CORNERS = {"ll": "lower left", "ul": "upper left", "lr": "lower right", "ur": "upper right"}
"""Corners of the box of a source's pixels, as columns name them, and in words."""

FIRST = (
    JwstColumn("label", "int32", None, "Number of the source, which its pixels have in the segmentation map"),
    JwstColumn("xcentroid", "float64", None, "Column of the centre, pixels from 0"),
    JwstColumn("ycentroid", "float64", None, "Row of the centre, pixels from 0"),
)
LAST = (
    JwstColumn("isophotal_area", "float64", "pix2", "Area of the source's pixels"),
    JwstColumn("semimajor_sigma", "float64", "pix", "Longer axis of the Gaussian with the source's second moments"),
    JwstColumn("semiminor_sigma", "float64", "pix", "Shorter axis of the Gaussian with the source's second moments"),
    JwstColumn("ellipticity", "float64", None, "1 less the ratio of the shorter axis to the longer one"),
    JwstColumn("orientation", "float64", "deg", "Angle from the x axis to the longer axis, towards the y axis"),
    JwstColumn("sky_orientation", "float64", "deg", "Position angle of the longer axis, from north towards east"),
)


def catalog_columns(energies: Sequence[int]) -> tuple[JwstColumn, ...]:
    """Columns of a catalog, in the order of the file.

    Parameters
    ----------
    energies : sequence of int
        Percentages of a star's light in the three apertures, rising.

    Returns
    -------
    tuple of JwstColumn
    """
    apertures = {f"aper{energy}": f"in the aperture of {energy} % encircled energy" for energy in energies}
    apertures["aper_total"] = f"of a point source, from {energies[-1]} % encircled energy and its correction"
    return (
        *FIRST,
        *_sky("sky_centroid", "of the centre"),
        *_with_error("aper_bkg_flux", "Jy", "Background in a pixel: clipped median of the sky's annulus"),
        *_of_each(apertures, "flux", "Jy", "Flux"),
        *_of_each(apertures, "abmag", None, "AB magnitude"),
        *_of_each(apertures, "vegamag", None, "Vega magnitude"),
        *_concentrations(energies),
        JwstColumn("is_extended", "bool", None, "Whether the source is less concentrated than a star"),
        JwstColumn("sharpness", "float64", None, "Sharpness as DAOFIND has it"),
        JwstColumn("roundness", "float64", None, "Roundness as DAOFIND has it; 0 for a round source"),
        JwstColumn("nn_label", "int32", None, "Number of the nearest neighbour; -1 without one"),
        JwstColumn("nn_dist", "float64", "pix", "Distance of the nearest neighbour"),
        *_with_error("isophotal_flux", "Jy", "Flux of the source's pixels"),
        *_with_error("isophotal_abmag", None, "AB magnitude of the source's pixels"),
        *_with_error("isophotal_vegamag", None, "Vega magnitude of the source's pixels"),
        *LAST,
        *(one for name, text in BOX_CORNERS.items() for one in _sky(f"sky_bbox_{name}", f"of the {text} corner")),
    )


def _of_each(apertures, end, unit, text):
    """A quantity of every aperture, each with its error."""
    return (one for name, where in apertures.items() for one in _with_error(f"{name}_{end}", unit, f"{text} {where}"))


def _with_error(name, unit, text):
    return JwstColumn(name, "float64", unit, text), JwstColumn(f"{name}_err", "float64", unit, f"{text}: error")


def _sky(name, text):
    return (
        JwstColumn(f"{name}.ra", "float64", "deg", f"Right ascension {text}, ICRS"),
        JwstColumn(f"{name}.dec", "float64", "deg", f"Declination {text}, ICRS"),
    )


def _concentrations(energies):
    small, middle, large = energies
    return tuple(
        JwstColumn(f"CI_{one}_{two}", "float64", None, f"Flux of aper{one} over that of aper{two}")
        for one, two in ((middle, small), (large, middle), (large, small))
    )
