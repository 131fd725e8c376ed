"""The columns of source catalogs: order, dtypes, units, and which kind of catalog has which.

As the archive's catalogs have them (`tables/prompt_catalog_table` of the schemas and what romancal writes).
"""

from typing import NamedTuple

__all__ = ["Column", "band_name", "definition_name", "detection", "forced_name", "matched", "per_band", "prompt"]

RADII = ("01", "02", "04", "08", "16")
"""Circular apertures, in tenths of an arcsecond."""


class Column(NamedTuple):
    """One column.

    Attributes
    ----------
    name : str
        As in the file.
    dtype : str
        Of numpy.
    unit : str or None
        As astropy spells it; None for no unit.
    """

    name: str
    dtype: str
    unit: str | None = None


def _pairs(names, dtype, unit):
    """Each name and its error."""
    return tuple(Column(name + end, dtype, unit) for name in names for end in ("", "_err"))


def _named(text, dtype, unit=None):
    return tuple(Column(name, dtype, unit) for name in text.split())


def _sky(name):
    """Right ascension and declination of one kind of centre, and their errors (great-circle arcs)."""
    degrees = _named(f"ra_{name} dec_{name}", "float64", "deg")
    return degrees + _named(f"ra_{name}_err dec_{name}_err", "float32", "arcsec")


LABEL = _named("label", "int32")
IDENTITY = LABEL + _named("flagged_spatial_id", "int64")
CENTROID = _named("x_centroid y_centroid x_centroid_err y_centroid_err", "float32", "pix")
WINDOWED = _named("x_centroid_win y_centroid_win x_centroid_win_err y_centroid_win_err", "float32", "pix")
PSF_CENTRE = _pairs(("x_psf", "y_psf"), "float32", "pix")
BEST = _named("ra dec", "float64", "deg")
BOX = _named("bbox_xmin bbox_xmax bbox_ymin bbox_ymax", "int32")
AREA = _named("segment_area", "float32", "arcsec2")
SHAPE = (
    _named("semimajor semiminor fwhm", "float32", "arcsec")
    + _named("ellipticity", "float32")
    + _named("orientation_pix orientation_sky", "float32", "deg")
    + _named("cxx cxy cyy", "float32", "1 / arcsec2")
    + _named("kron_radius", "float32", "arcsec")
)
NEIGHBOUR = _named("nn_label", "int32") + _named("nn_distance", "float32", "arcsec")
POINTEDNESS = _named("sharpness roundness1", "float32") + _named("is_extended", "bool")
HALF_LIGHT = _named("fluxfrac_radius_50", "float32", "arcsec")
APERTURES = _pairs(("aper_bkg_flux",), "float32", "nJy / arcsec2") + _pairs(
    tuple(f"aper{radius}_flux" for radius in RADII), "float32", "nJy"
)
PSF_FLUX = _pairs(("psf_flux",), "float32", "nJy")
SEGMENT = _pairs(("segment_flux",), "float32", "nJy")
KRON = _pairs(("kron_flux",), "float32", "nJy")
MAGNITUDE = _pairs(("kron_abmag",), "float32", "mag(AB)")
FLAGS = _named("warning_flags image_flags", "int32")
PSF_QUALITY = _named("psf_flags", "int32") + _named("psf_gof", "float32")
DUST = _named("dust_ebv", "float32")


def prompt(*, psf: bool = True) -> tuple[Column, ...]:
    """Columns of the catalog of one image, in order: 74, or 62 without PSF photometry.

    Parameters
    ----------
    psf : bool
        Whether there is PSF photometry.

    Returns
    -------
    tuple of Column
        In the order of the file.
    """
    return (
        *IDENTITY,
        *CENTROID,
        *WINDOWED,
        *(PSF_CENTRE if psf else ()),
        *BEST,
        *_sky("centroid"),
        *_sky("centroid_win"),
        *(_sky("psf") if psf else ()),
        *BOX,
        *AREA,
        *SHAPE,
        *NEIGHBOUR,
        *POINTEDNESS,
        *HALF_LIGHT,
        *APERTURES,
        *(PSF_FLUX if psf else ()),
        *SEGMENT,
        *KRON,
        *MAGNITUDE,
        *FLAGS,
        *(PSF_QUALITY if psf else ()),
        *DUST,
    )


def forced_detection() -> tuple[Column, ...]:
    """Columns that forced photometry measures on the new image's own light; all but the label get ``forced_``."""
    return (*IDENTITY, *CENTROID, *BEST, *_sky("centroid"), *SHAPE, *NEIGHBOUR)


def detection() -> tuple[Column, ...]:
    """Columns of a multiband catalog that come from its detection image."""
    return (
        *IDENTITY,
        *CENTROID,
        *WINDOWED,
        *BEST,
        *_sky("centroid"),
        *_sky("centroid_win"),
        *BOX,
        *AREA,
        *SHAPE,
        *NEIGHBOUR,
        *FLAGS,
        *DUST,
    )


def per_band(*, psf: bool = True) -> tuple[Column, ...]:
    """Columns of a multiband catalog that every band has; also those that forced photometry calls ``forced_``.

    Parameters
    ----------
    psf : bool
        Whether there is PSF photometry.

    Returns
    -------
    tuple of Column
        The label first; names without the band.
    """
    pointed = (*PSF_CENTRE, *_sky("psf"), *PSF_QUALITY) if psf else ()
    fluxes = (*APERTURES, *(PSF_FLUX if psf else ()), *SEGMENT, *KRON, *MAGNITUDE)
    return (*LABEL, *pointed, *POINTEDNESS, *HALF_LIGHT, *fluxes)


def matched() -> tuple[Column, ...]:
    """Columns of a multiband catalog that are measured at the PSF of another band."""
    return (*LABEL, *APERTURES, *SEGMENT, *KRON)


def band_name(name: str, band: str) -> str:
    """A column's name in a multiband catalog: ``aper04_flux`` of band f158 is ``aper04_f158_flux``.

    Parameters
    ----------
    name : str
        One of `per_band` or `matched`.
    band : str
        Lower-case filter; with ``m`` behind it where the PSF is that of another band.

    Returns
    -------
    str
        The name with the band in its place; the label and names that no band has stay as they are.
    """
    if name == "label":
        return name
    if name in ("sharpness", "roundness1", "is_extended", "fluxfrac_radius_50", "psf_gof", "psf_flags"):
        return f"{name}_{band}"
    for word, put in (("_flux", "_{}_flux"), ("_psf", "_psf_{}"), ("_abmag", "_{}_abmag")):
        if word in name:
            return name.replace(word, put.format(band), 1)
    return name


def forced_name(name: str, *, psf: bool = True) -> str:
    """A column's name in a forced catalog's second part, which has the shapes of the forcing image.

    Parameters
    ----------
    name : str
        One of `prompt`.
    psf : bool
        Whether there is PSF photometry.

    Returns
    -------
    str
        With ``forced_`` before it, where the new image gives the column; else the same.
    """
    prefixed = {column.name for column in per_band(psf=psf)[1:]} | {"warning_flags"}
    return f"forced_{name}" if name in prefixed else name


def definition_name(name: str) -> str:
    """Name under which the schemas define a column of one image: ``psf_flux`` is ``psf_~band~_flux``.

    Parameters
    ----------
    name : str
        One of `prompt`, with or without ``forced_``.

    Returns
    -------
    str
        With ``~band~`` and ``~radius~`` in place of a filter and a radius.
    """
    plain = name.removeprefix("forced_")
    for radius in RADII:
        plain = plain.replace(f"aper{radius}_", "aper~radius~_")
    return band_name(plain, "~band~")
