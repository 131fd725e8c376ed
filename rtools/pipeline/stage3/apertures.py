"""Which aperture a spectrum gets: that of a reference, and what options say before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rtools.errors import InputError, MissingReferenceError, UsageError
from rtools.pipeline.stage3.slits import Slit
from rtools.products.jwst import JwstProduct
from rtools.spectra.aperture import ALONG_X, SlitAperture
from rtools.spectra.cube import Rings

__all__ = ["aperture_of", "correction_table", "numbers_of", "pixel_size", "polynomials_of", "rings_of",
           "told_by_options"]  # fmt: skip

ANY = "ANY"
ARCSEC = 3600.0

OF_OPTIONS = ("xstart", "xstop", "ystart", "ystop", "extract_width", "independent_var", "bkg_fit", "bkg_order",
              "smoothing_length")  # fmt: skip
"""Options that are called as in the reference and hold one value."""

SELECTORS = {"subarray": "SUBARRAY", "filter": "FILTER", "pupil": "PUPIL", "grating": "GRATING"}
"""Columns of a table of corrections that choose its row, and the keywords that they are compared with."""


def aperture_of(slit: Slit, reference: Any, options: Mapping[str, Any]) -> SlitAperture | None:
    """The aperture of a slit.

    Parameters
    ----------
    slit : Slit
        The slit.
    reference : reference or None
        Of type extract1d, in its JSON form.
    options : mapping of str to object
        Of rt-x1d; they count before the reference. One that says where the aperture lies takes away what the reference
        has instead of it: a width its polynomials, start and stop its width, too.

    Returns
    -------
    SlitAperture or None
        None where the reference has apertures of this slit in other spectral orders only.

    Raises
    ------
    InputError
        The reference has none for this slit.
    UsageError
        A value cannot be.
    """
    told: dict[str, Any] | None = {}
    if reference is not None:
        told = _chosen(slit, reference)
    if told is None:
        return None
    dispersion = slit.dispersion(options["dispaxis"] or told.get("dispaxis"))
    found = SlitAperture.from_parameters({**told, **told_by_options(options, dispersion)}, dispersion)
    return replace(found, offset=float(options["position_offset"]))


def told_by_options(options: Mapping[str, Any], dispersion: int) -> dict[str, Any]:
    """What options say of an aperture, as references say it.

    Parameters
    ----------
    options : mapping of str to object
        Of rt-x1d.
    dispersion : int
        Axis along which the wavelength changes.

    Returns
    -------
    dict of str to object
        One that says where the aperture lies is followed by None for what counts before it in a reference.

    Raises
    ------
    UsageError
        A polynomial has another form.
    """
    own = {name: options[name] for name in OF_OPTIONS if options[name] is not None}
    if options["src_coeff"]:
        own["src_coeff"] = polynomials_of("src-coeff", options["src_coeff"])
    elif "extract_width" in own:
        own["src_coeff"] = None
    elif {"ystart", "ystop"} & set(own) if dispersion == ALONG_X else {"xstart", "xstop"} & set(own):
        own |= {"src_coeff": None, "extract_width": None}
    if options["bkg_coeff"]:
        own["bkg_coeff"] = polynomials_of("bkg-coeff", options["bkg_coeff"])
    if not options["subtract_background"]:
        own["bkg_coeff"] = None
    return own


def _chosen(slit, reference):
    """What the reference says of this slit and order."""
    ours = [one for one in reference.node("apertures") if isinstance(one, dict)
            and one.get("id") in (slit.name, ANY) and one.get("region_type", "target") == "target"]  # fmt: skip
    if not ours:
        raise InputError(f"has no aperture for {slit.name}", path=reference.label)
    return next((one for one in ours if one.get("spectral_order", slit.order) in (slit.order, ANY)), None)


def polynomials_of(name: str, text: str) -> list[list[float]]:
    """Edges as they are typed: polynomials with semicolons between, their coefficients with commas.

    Parameters
    ----------
    name : str
        Of the option, for an error.
    text : str
        As typed.

    Returns
    -------
    list of list of float

    Raises
    ------
    UsageError
        It has another form, or an edge has no partner.
    """
    found = [numbers_of(name, part) for part in text.split(";") if part.strip()]
    if not found or len(found) % 2:
        raise UsageError(f"--{name} {text}: lower and upper edges in turn expected, with semicolons between")
    return found


def numbers_of(name: str, text: str, count: int | None = None) -> list[float]:
    """Numbers with commas between.

    Parameters
    ----------
    name : str
        Of the option, for an error.
    text : str
        As typed.
    count : int, optional
        How many there must be.

    Returns
    -------
    list of float

    Raises
    ------
    UsageError
        They are no numbers, or not as many.
    """
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not np.isfinite(found).all() or (count is not None and len(found) != count):
        raise UsageError(f"--{name} {text}: {'numbers' if count is None else f'{count} numbers'} with commas between "
                         "expected")  # fmt: skip
    return found


def rings_of(
    product: JwstProduct,
    wavelengths: np.ndarray,
    reference: Any,
    options: Mapping[str, Any],
    centre: tuple[float, float],
) -> Rings:
    """Circle and ring of each plane of a cube.

    Parameters
    ----------
    product : JwstProduct
        The cube.
    wavelengths : ndarray float64
        Of its planes, micrometres.
    reference : reference or None
        Of type extract1d, in its ASDF form.
    options : mapping of str to object
        Of rt-x1d; they count before the reference.
    centre : (float, float)
        x and y, pixels from 0.

    Returns
    -------
    Rings

    Raises
    ------
    MissingReferenceError
        Neither reference nor option says the radius.
    InputError
        The cube does not say how large its pixels are.
    """
    scale = pixel_size(product)
    if options["radius"] is None and reference is None:
        raise MissingReferenceError("the radius of a point source comes from a reference of type extract1d, or from "
                                    "--radius", path=product.path)  # fmt: skip
    grid = None if reference is None else np.asarray(reference.node("data.wavelength"), np.float64).ravel()

    def at_planes(name):
        values = np.asarray(reference.node(f"data.{name}"), np.float64).ravel()
        return _extended(wavelengths, grid, values) / scale

    radius = at_planes("radius") if options["radius"] is None else np.full(len(wavelengths), options["radius"]) / scale
    inner = outer = None
    if options["annulus"]:
        inner, outer = (
            np.full(len(wavelengths), edge) / scale for edge in numbers_of("annulus", options["annulus"], 2)
        )
    elif reference is not None and options["radius"] is None:
        inner, outer = at_planes("inner_bkg"), at_planes("outer_bkg")
    if inner is not None and outer is not None and not ((inner >= 0) & (outer > inner)).all():
        raise UsageError("a ring has an inner edge that is not below its outer one")
    return Rings(centre, radius, *((inner, outer) if options["subtract_background"] else (None, None)))


def _extended(at, grid, values):
    """Linear interpolation that goes on beyond the ends."""
    order = np.argsort(grid)
    grid, values = grid[order], values[order]
    if len(grid) == 1:
        return np.full(len(at), values[0])
    number = np.clip(np.searchsorted(grid, at) - 1, 0, len(grid) - 2)
    share = (at - grid[number]) / (grid[number + 1] - grid[number])
    return values[number] + share * (values[number + 1] - values[number])


def pixel_size(product: JwstProduct) -> float:
    """Edge of a pixel of a cube on the sky, arcsec.

    Parameters
    ----------
    product : JwstProduct
        The cube.

    Raises
    ------
    InputError
        It does not say it.
    """
    steps = [product.hdu("SCI").values.get(f"CDELT{axis}") for axis in (1, 2)]
    sides = [abs(float(step)) for step in steps if isinstance(step, int | float) and step]
    if len(sides) == len(steps):
        return float(np.sqrt(sides[0] * sides[1])) * ARCSEC
    area = product.value("PIXAR_A2")
    if not area:
        raise InputError("does not say how large its pixels are (CDELT1, PIXAR_A2)", path=product.path)
    return float(np.sqrt(area))


def correction_table(product: JwstProduct, reference: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The correction for light beside the aperture that a reference has for a product.

    Parameters
    ----------
    product : JwstProduct
        Of which a spectrum is extracted.
    reference : reference or None
        Of type apcorr.

    Returns
    -------
    tuple of ndarray or None
        As `rtools.spectra.aperture_correction` takes it; None without a reference, or where it is one of images.

    Raises
    ------
    InputError
        It has no row for this product, or several.
    """
    if reference is None or reference.origin == "builtin":
        return None
    table = reference.node("apcorr_table")
    columns = {name.lower(): name for name in table.colnames}
    if "wavelength" not in columns or "apcorr" not in columns or "size" not in columns:
        return None
    keep = np.ones(len(table), bool)
    for name, keyword in SELECTORS.items():
        if name in columns and (wanted := product.value(keyword)) is not None:
            said = np.array([str(one).strip().upper() for one in table[columns[name]]])
            keep &= (said == str(wanted).upper()) | np.isin(said, (ANY, "GENERIC", "N/A"))
    if keep.sum() != 1:
        raise InputError(f"has {keep.sum() or 'no'} rows for {product.path.name}", path=reference.label)
    row = table[columns["wavelength"], columns["size"], columns["apcorr"]][np.flatnonzero(keep)[0]]
    waves, sizes, factors = (np.asarray(one, np.float64) for one in row)
    ends = [table[columns[name]][keep][0] if name in columns else size
            for name, size in (("nelem_wl", len(waves)), ("nelem_size", len(sizes)))]  # fmt: skip
    return waves[: ends[0]], sizes[: ends[1]], factors[: ends[0], : ends[1]]
