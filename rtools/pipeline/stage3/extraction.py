"""Tables of type EXTRACT1D: of the slits of a file, of the integrations of segments, of a cube."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.pipeline.stage3.apertures import aperture_of, correction_table, numbers_of, pixel_size, rings_of
from rtools.pipeline.stage3.cube_errors import errors_of_cube
from rtools.pipeline.stage3.filling import lack_of, profile_of, tell_lack
from rtools.pipeline.stage3.radial_apcorr import corrected_circles
from rtools.pipeline.stage3.slits import Slit
from rtools.products.jwst import JwstProduct, NewHdu, cube_wavelengths, integration_times, sky_of
from rtools.spectra.apcorr import aperture_correction
from rtools.spectra.box import BoxExtraction
from rtools.spectra.columns import SpectralSums, columns_of, corrected, units_of
from rtools.spectra.cube import extract_circles, extract_whole, torn_planes

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking

__all__ = ["cube_table", "series_table", "slit_table", "source_type", "times_of"]

PASSED = ("SOURCEID", "SRCNAME", "SRCALIAS", "SRCTYPE", "SRCXPOS", "SRCYPOS", "SRCRA", "SRCDEC", "STLARITY", "SHUTSTA",
          "SLITID", "MSAQUAD", "PTHLOSS", "WAVECOR", "BARSHDW", "SLTXSCL", "SLTYSCL", "TA_XPOS", "TA_YPOS",
          "DETECTOR")  # fmt: skip
"""Keywords of a slit that its spectrum has, too."""

TIMES = ("MJD-BEG", "MJD-AVG", "MJD-END", "TDB-BEG", "TDB-MID", "TDB-END")
"""Columns of times of a series of spectra, in the order of `rtools.products.jwst.IntegrationTimes`."""

OF_FRINGES = {"RF_FLUX": "Jy", "RF_SURF_BRIGHT": "MJy/sr", "RF_BACKGROUND": "MJy/sr"}
"""Columns of MRS for spectra corrected for fringes, which is not offered, and their units."""

OTHER_TYPES = {"N_ALONGDISP": "uint32"}
"""Types of columns in files of today that are others than in the documentation of the product."""

OF_BACKGROUND = ("bkg_fit", "bkg_order", "smoothing_length")
"""Options that say how a background is fitted."""


def slit_table(making: ProductMaking, slit: Slit, version: int) -> NewHdu | None:
    """The spectrum of a slit, a row for each wavelength.

    Parameters
    ----------
    making : ProductMaking
        Options, references, and who takes messages.
    slit : Slit
        One image.
    version : int
        EXTVER of the table.

    Returns
    -------
    NewHdu or None
        None where the slit has no aperture, or nothing of it has a wavelength.
    """
    laid = _laid(making, slit)
    if laid is None:
        return None
    extraction, dispersion = laid
    scale = slit.scale()
    profile = profile_of(making, [(slit, laid)])
    found = SpectralSums.of_slit(extraction.extract(slit.planes(slice(0, 1), dispersion), profile))
    tell_lack(making, slit, [lack_of(found)])
    columns = _columns(making, slit, extraction, found, scale)
    table = {"WAVELENGTH": extraction.wavelength} | {name: values[0] for name, values in columns.items()}
    return NewHdu("EXTRACT1D", _table(table), version, units=units_of(scale.unit), cards=_cards(slit, laid))


def series_table(making: ProductMaking, segments: Sequence[Slit], version: int) -> NewHdu | None:
    """The spectra of a time series, a row for each integration.

    Parameters
    ----------
    making : ProductMaking
        Options, references, and who takes messages.
    segments : sequence of Slit
        The same slit in each segment of the exposure, in order.
    version : int
        EXTVER of the table.

    Returns
    -------
    NewHdu or None
        None where the slit has no aperture, or nothing of it has a wavelength.
    """
    laid = [one for one in (_laid(making, segment) for segment in segments) if one is not None]
    if len(laid) < len(segments):
        return None
    scale, width = segments[0].scale(), max(len(one[0].wavelength) for one in laid)
    profile = profile_of(making, list(zip(segments, laid, strict=True)))
    rows = _empty_rows(sum(slit.integrations for slit in segments), width, () if profile is None else ("FILLED",))
    first, told = 0, []
    for slit, (extraction, dispersion) in zip(segments, laid, strict=True):
        length = len(extraction.wavelength)
        last = first + slit.integrations
        for block in slit.blocks():
            found = SpectralSums.of_slit(extraction.extract(slit.planes(block, dispersion), profile))
            told.append(lack_of(found))
            span = slice(first + block.start, first + block.stop)
            for name, values in _columns(making, slit, extraction, found, scale).items():
                rows[name][span, :length] = values
        rows["WAVELENGTH"][first:last, :length] = extraction.wavelength
        rows["N_ALONGDISP"][first:last] = length
        for name, values in times_of(slit).items():
            rows[name][first:last] = values
        first = last
    tell_lack(making, segments[0], told)
    units = units_of(scale.unit)
    return NewHdu("EXTRACT1D", rows, version, units=units, cards=_cards(segments[0], laid[0]))


def times_of(slit: Slit) -> dict[str, Any]:
    """Numbers and times of the integrations of a file.

    Parameters
    ----------
    slit : Slit
        Its images.

    Returns
    -------
    dict of str to ndarray
        Columns of a series of spectra; times are NaN where the file does not say them.
    """
    numbers, *times = integration_times(slit.product, slit.integrations)
    segment = slit.product.value("EXSEGNUM")
    found: dict[str, Any] = {"INT_NUM": numbers, "SEGMENT": segment if isinstance(segment, int) else 1}
    return found | dict(zip(TIMES, times, strict=True))


def source_type(product: JwstProduct, options: Mapping[str, Any]) -> str:
    """What a cube is extracted as.

    Parameters
    ----------
    product : JwstProduct
        An ``s3d``.
    options : mapping of str to object
        Of rt-x1d.

    Returns
    -------
    str
        ``POINT`` or ``EXTENDED``, or what the file has.
    """
    return str(options["source_type"] or product.value("SRCTYPE") or "EXTENDED").upper()


def cube_table(making: ProductMaking, product: JwstProduct) -> NewHdu:
    """The spectrum of a cube.

    Parameters
    ----------
    making : ProductMaking
        Options, references, and who takes messages.
    product : JwstProduct
        An ``s3d``.

    Returns
    -------
    NewHdu
    """
    options = making.options
    wavelengths, scale = cube_wavelengths(product), Slit(product, 1).scale()
    kind = source_type(product, options)
    data, err = product.array("data"), errors_of_cube(product)
    units = units_of(scale.unit)
    good = np.isfinite(data) & np.isfinite(err)
    if product.has("weightmap"):
        good &= product.array("weightmap") > 0
    if product.has("dq"):
        good &= product.array("dq") & np.uint32(1) == 0
    data = np.where(good, data, np.nan)
    if kind == "POINT":
        centre = _centre(product, options)
        rings = rings_of(product, wavelengths, making.references["extract1d"], options, centre)
        found = extract_circles(data, err, rings, options["sigma_clip"])
    else:
        rings = None
        centre = ((data.shape[2] - 1) / 2, (data.shape[1] - 1) / 2)
        found = extract_whole(data, err, options["sigma_clip"])
    torn = torn_planes(found.npixels)
    if torn.any():
        making.log("warning", f"at {torn.sum()} of {torn.size} wavelengths the cube has less of the aperture than "
                              "elsewhere: there is no flux")  # fmt: skip
    found = found._replace(flux=np.where(torn, np.nan, found.flux))
    columns = {"WAVELENGTH": wavelengths} | columns_of(SpectralSums.of_cube(found), scale, options["min_coverage"])
    if rings is not None:
        circles = rings.radius, pixel_size(product)
        columns = corrected_circles(product, making.references["apcorr"], columns, circles)
    if str(product.value("INSTRUME")).upper() == "MIRI":
        columns |= {name: np.full(len(wavelengths), np.nan) for name in OF_FRINGES}
        units |= OF_FRINGES
    cards = {"SLTNAME": product.value("EXP_TYPE"), "SRCTYPE": kind, "EXTR_X": centre[0], "EXTR_Y": centre[1],
             "DETECTOR": product.value("DETECTOR")}  # fmt: skip
    place = sky_of(product)(*centre)
    cards |= {"SLIT_RA": float(place[0]), "SLIT_DEC": float(place[1])}
    return NewHdu("EXTRACT1D", _table(columns), units=units, cards=_known(cards))


def _centre(product, options):
    """Where the source is in a cube: as the option says, else where the target is."""
    if options["center"]:
        x, y = numbers_of("center", options["center"], 2)
    else:
        target = product.value("TARG_RA"), product.value("TARG_DEC")
        if None in target:
            raise InputError("does not say where the target is (TARG_RA, TARG_DEC)", path=product.path,
                             mend="--center X,Y says it")  # fmt: skip
        x, y = (float(value) for value in sky_of(product).invert(*target))
    rows, columns = product.hdu("SCI").shape[1:]
    if not (-0.5 <= x <= columns - 0.5 and -0.5 <= y <= rows - 0.5):
        raise InputError(
            "its target is not on the cube", path=product.path, mend="--center X,Y says where the source is"
        )
    return x, y


def _laid(making, slit):
    """The aperture laid on a slit, and the axis of wavelength; None where there is nothing to extract."""
    reference = making.references["extract1d"]
    aperture = aperture_of(slit, reference, making.options)
    if aperture is None:
        making.log("warning", f"{slit.name}: the reference has no aperture for spectral order {slit.order}; left out")
        return None
    by_default = making.options["dispaxis"]
    if by_default is None and reference is not None:
        by_default = next((one.get("dispaxis") for one in reference.node("apertures")), None)
    dispersion = slit.dispersion(by_default)
    wavelengths = slit.wavelengths()
    extraction = BoxExtraction.laid(aperture, wavelengths if dispersion == 1 else wavelengths.T)
    idle = [name for name in OF_BACKGROUND if making.options[name]]
    if idle and making.options["subtract_background"] and not aperture.background:
        making.log("warning", f"{slit.name}: --{idle[0].replace('_', '-')} does nothing: there are no regions for a "
                              "background (--bkg-coeff)")  # fmt: skip
    if not len(extraction.wavelength):
        making.log("warning", f"{slit.name}: no pixel of its aperture has a wavelength; left out")
        return None
    return extraction, dispersion


def _columns(making, slit, extraction, found, scale):
    columns = columns_of(found, scale, making.options["min_coverage"])
    table = correction_table(slit.product, making.references["apcorr"])
    if table is None or str(slit.told("SRCTYPE") or "POINT").upper() != "POINT":
        return columns
    waves = np.broadcast_to(extraction.wavelength, found.npixels.shape)
    return corrected(columns, aperture_correction(table, waves, found.npixels if found.size is None else found.size))


def _cards(slit, laid):
    """What the header of a spectrum says of its slit and aperture; limits count from 1, as FITS does."""
    extraction, dispersion = laid
    limits = {"X": extraction.along, "Y": extraction.across}
    if dispersion == 2:
        limits = {"X": extraction.across, "Y": extraction.along}
    cards: dict[str, Any] = {key: slit.told(key) for key in PASSED}
    cards |= {"SLTNAME": slit.name, "SPORDER": slit.order, "DISPAXIS": dispersion}
    for axis, (low, high) in limits.items():
        cards |= {f"EXTR{axis}STR": low + 1, f"EXTR{axis}STP": high + 1}
    weights = extraction.weights if dispersion == 1 else extraction.weights.T
    rows, columns = np.nonzero(weights)
    share = weights[rows, columns]
    place = slit.place(float(np.average(columns, weights=share)), float(np.average(rows, weights=share)))
    return _known(cards | ({} if place is None else {"SLIT_RA": place[0], "SLIT_DEC": place[1]}))


def _known(cards):
    return {key: value for key, value in cards.items() if value is not None and value != ""}


def _table(columns):
    from astropy.table import Table

    return Table(columns, copy=False)


def _empty_rows(count, width, further=()):
    """Rows of a series of spectra, with further vectors: vectors are NaN, or 0 where whole numbers are."""
    from rtools.jwst.layout import product_layout

    table = product_layout("x1dints").hdu("EXTRACT1D")
    columns = () if table is None else table.columns
    types = [(one.name, OTHER_TYPES.get(one.name, one.dtype), (width,) if one.cell else ()) for one in columns]
    types += [(name, "float64", (width,)) for name in further]
    rows = np.zeros(count, types)
    for name in rows.dtype.names:
        if rows[name].dtype.kind == "f":
            rows[name] = np.nan
    return rows
