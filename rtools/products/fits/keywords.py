"""Metadata as FITS keywords, named as those of JWST products where these have one."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rtools.wfi import metadata
from rtools.wfi.times import iso_time

__all__ = [
    "GUIDE",
    "PRIMARY",
    "SCIENCE",
    "Card",
    "ascii_text",
    "card",
    "card_value",
    "cube_cards",
    "primary_cards",
    "science_cards",
    "times",
]

PRIMARY = (
    ("TELESCOP", "telescope", "telescope"),
    ("INSTRUME", "instrument.name", "instrument"),
    ("DETECTOR", "instrument.detector", "detector"),
    ("FILTER", "instrument.optical_element", "optical element"),
    ("DATAOFFS", "instrument.data_encoding_offset", "[DN] added to the data on board"),
    ("EXP_TYPE", "exposure.type", "type of exposure"),
    ("P_EXP_TY", "exposure.p_exptype", "types of exposure it is for"),
    ("DATAMODL", "model_type", "data model"),
    ("ORIGIN", "origin", "who made the data"),
    ("CAL_VER", "calibration_software_version", "version of the calibration software"),
    ("SDP_VER", "sdf_software_version", "version of the data formatter"),
    ("PRD_VER", "prd_version", "project reference database"),
    ("CRDS_CTX", "ref_file.crds.context", "CRDS context"),
    ("CRDS_VER", "ref_file.crds.version", "CRDS version"),
    ("REFTYPE", "reftype", "type of reference"),
    ("PEDIGREE", "pedigree", "where the reference comes from"),
    ("AUTHOR", "author", "author of the reference"),
    ("DESCRIP", "description", "description of the reference"),
    ("USEAFTER", "useafter", "use after this date"),
    ("EFFEXPTM", "exposure.effective_exposure_time", "[s] effective exposure time"),
    ("XPOSURE", "exposure.effective_exposure_time", "[s] effective exposure time"),
    ("DURATION", "exposure.exposure_time", "[s] total exposure time"),
    ("TFRAME", "exposure.frame_time", "[s] time of a read"),
    ("NGROUPS", "exposure.nresultants", "number of resultants"),
    ("READPATT", "exposure.ma_table_name", "MultiAccum table"),
    ("MATABNUM", "exposure.ma_table_number", "number of the MultiAccum table"),
    ("PROGRAM", "observation.program", "program"),
    ("EXECPLAN", "observation.execution_plan", "execution plan"),
    ("PASS", "observation.pass", "pass"),
    ("SEGMENT", "observation.segment", "segment"),
    ("OBSERVTN", "observation.observation", "observation"),
    ("VISIT", "observation.visit", "visit"),
    ("VISITGRP", "observation.visit_file_group", "visit file group"),
    ("SEQ_ID", "observation.visit_file_sequence", "visit file sequence"),
    ("ACT_ID", "observation.visit_file_activity", "visit file activity"),
    ("EXPOSURE", "observation.exposure", "exposure"),
    ("OBS_ID", "observation.observation_id", "observation ID"),
    ("VISIT_ID", "observation.visit_id", "visit ID"),
    ("TITLE", "program.title", "title of the program"),
    ("PI_NAME", "program.investigator_name", "principal investigator"),
    ("CATEGORY", "program.category", "category"),
    ("SUBCAT", "program.subcategory", "subcategory"),
    ("SCICAT", "program.science_category", "science category"),
    ("TARG_RA", "pointing.target_ra", "[deg] target"),
    ("TARG_DEC", "pointing.target_dec", "[deg] target"),
    ("ENGQLPTG", "pointing.pointing_engineering_source", "source of the pointing"),
    ("APERNAME", "wcsinfo.aperture_name", "aperture"),
    ("REFFRAME", "ephemeris.ephemeris_reference_frame", "frame of the ephemeris"),
    ("EPH_TYPE", "ephemeris.type", "type of ephemeris"),
    ("EPH_TIME", "ephemeris.time", "[d] MJD of the ephemeris"),
    ("ROM_X", "ephemeris.spatial_x", "[km] position of the telescope"),
    ("ROM_Y", "ephemeris.spatial_y", "[km]"),
    ("ROM_Z", "ephemeris.spatial_z", "[km]"),
    ("ROM_DX", "ephemeris.velocity_x", "[km/s] velocity of the telescope"),
    ("ROM_DY", "ephemeris.velocity_y", "[km/s]"),
    ("ROM_DZ", "ephemeris.velocity_z", "[km/s]"),
    ("S_DQINIT", "cal_step.dq_init", "data quality initialised"),
    ("S_SATURA", "cal_step.saturation", "saturation flagged"),
    ("S_REFPIX", "cal_step.refpix", "reference pixels subtracted"),
    ("S_DKDCAY", "cal_step.dark_decay", "dark decay subtracted"),
    ("S_WFI18T", "cal_step.wfi18_transient", "WFI18 transient subtracted"),
    ("S_LINEAR", "cal_step.linearity", "linearity corrected"),
    ("S_RAMP", "cal_step.ramp_fit", "ramps fitted"),
    ("S_DARK", "cal_step.dark", "dark current subtracted"),
    ("S_WCS", "cal_step.assign_wcs", "WCS assigned"),
    ("S_PHOTOM", "cal_step.photom", "photometric calibration"),
    ("S_FLAT", "cal_step.flat_field", "flat field divided"),
    ("S_SRCCAT", "cal_step.source_catalog", "source catalog"),
    ("S_TWKREG", "cal_step.tweakreg", "aligned to a catalog"),
    ("S_FLUX", "cal_step.flux", "flux calibrated"),
    ("S_SKYMAT", "cal_step.skymatch", "sky matched"),
    ("S_OUTLIR", "cal_step.outlier_detection", "outliers flagged"),
    ("S_RESAMP", "cal_step.resample", "resampled"),
    ("R_MASK", "ref_file.mask", "reference file"),
    ("R_SATURA", "ref_file.saturation", "reference file"),
    ("R_READNO", "ref_file.readnoise", "reference file"),
    ("R_GAIN", "ref_file.gain", "reference file"),
    ("R_LINEAR", "ref_file.linearity", "reference file"),
    ("R_DARK", "ref_file.dark", "reference file"),
    ("R_FLAT", "ref_file.flat", "reference file"),
    ("R_PHOTOM", "ref_file.photom", "reference file"),
    ("R_AREA", "ref_file.area", "reference file"),
    ("R_DISTOR", "ref_file.distortion", "reference file"),
    ("NDRIZ", "resample.pointings", "number of images resampled"),
    ("PIXFRAC", "resample.pixfrac", "drizzle pixfrac"),
    ("PXSCLRT", "resample.pixel_scale_ratio", "ratio of pixel scales"),
    ("RESWHT", "resample.weight_type", "weights of resampling"),
    ("SKYCELL", "wcsinfo.skycell_name", "skycell"),
)
"""Keyword, dotted path below ``meta``, comment."""

GUIDE = (
    ("FILTER", "optical_element", "optical element"),
    ("GW_ID", "guide_window_id", "identifier of the guide window"),
    ("GSC_ID", "guide_star.gsc_id", "guide star"),
)
"""The same of HDU 0 for guide windows and FACE alone."""

SCIENCE = (
    ("RA_V1", "pointing.ra_v1", "[deg] V1 axis"),
    ("DEC_V1", "pointing.dec_v1", "[deg] V1 axis"),
    ("PA_V3", "pointing.pa_v3", "[deg] position angle of the V3 axis"),
    ("PA_APER", "pointing.pa_aperture", "[deg] position angle of the aperture"),
    ("V2_REF", "wcsinfo.v2_ref", "[arcsec] reference point"),
    ("V3_REF", "wcsinfo.v3_ref", "[arcsec] reference point"),
    ("VPARITY", "wcsinfo.vparity", "rotation from V2, V3 to ideal"),
    ("V3I_YANG", "wcsinfo.v3yangle", "[deg] from V3 to the ideal y axis"),
    ("RA_REF", "wcsinfo.ra_ref", "[deg] reference point"),
    ("DEC_REF", "wcsinfo.dec_ref", "[deg] reference point"),
    ("ROLL_REF", "wcsinfo.roll_ref", "[deg] V3 at the reference point"),
    ("S_REGION", "wcsinfo.s_region", "outline on the sky"),
    ("VA_SCALE", "velocity_aberration.scale_factor", "velocity aberration"),
    ("PHOTMJSR", "photometry.conversion_megajanskys", "MJy/sr of 1 DN/s"),
    ("PIXAR_SR", "photometry.pixel_area", "[sr] area of a pixel"),
)

SQUARE_ARCSEC = 4.254517e10
"""Of a steradian."""

Card = tuple[str, Any, str]
"""Keyword, value, comment."""


def primary_cards(meta: Mapping[str, Any]) -> list[Card]:
    """Keywords of HDU 0.

    Parameters
    ----------
    meta : mapping
        Below ``meta``, as `Product.meta`.

    Returns
    -------
    list of (str, object, str)
        Keyword, value and comment.
    """
    return [*_cards(meta, PRIMARY), *_cards(meta, GUIDE), *_time_cards(meta), *_pattern_cards(meta)]


def science_cards(meta: Mapping[str, Any]) -> list[Card]:
    """Keywords of the extension SCI, but for its WCS.

    Parameters
    ----------
    meta : mapping
        Below ``meta``, as `Product.meta`.

    Returns
    -------
    list of (str, object, str)
        Keyword, value and comment.
    """
    cards = _cards(meta, SCIENCE)
    area, scale = metadata.usable(meta, "photometry.pixel_area"), metadata.usable(meta, "wcsinfo.pixel_scale")
    if area is None and scale is not None:  # a mosaic
        area = math.radians(scale) ** 2
        cards.append(("PIXAR_SR", area, "[sr] area of a pixel"))
    if area is not None:
        cards.append(("PIXAR_A2", area * SQUARE_ARCSEC, "[arcsec2] area of a pixel"))
    for word, (iso, mjd) in zip(("BEG", "AVG", "END"), _moments(meta), strict=False):
        cards += [(f"DATE-{word}", iso, "UTC"), (f"MJD-{word}", mjd, "[d] UTC")]
    return cards


def cube_cards(naxis: int) -> list[Card]:
    """Cards of a ramp's linear axes, resultants and integrations; WCSAXES replaces that of the celestial cards.

    Parameters
    ----------
    naxis : int
        Number of axes: 3, or 4 with that of integrations.

    Returns
    -------
    list of (str, object, str)
        Keyword, value and comment.
    """
    cards: list[Card] = [("WCSAXES", naxis, "axes of the WCS")]
    for axis, ctype in zip(range(3, naxis + 1), ("GROUP", "INTEGRATION"), strict=False):
        cards += [(f"CTYPE{axis}", ctype, "")]
        cards += [(f"{word}{axis}", 1.0, "") for word in ("CRPIX", "CRVAL", "CDELT")] + [(f"CD{axis}_{axis}", 1.0, "")]
    return cards


def times(meta: Mapping[str, Any]) -> list[float]:
    """Beginning, middle and end of what a product holds as MJD, UTC; empty where it does not say.

    Parameters
    ----------
    meta : mapping
        Below ``meta``, as `Product.meta`.

    Returns
    -------
    list of float
        Three days, or none.
    """
    return [mjd for _iso, mjd in _moments(meta)]


def _moments(meta):
    """(ISO, MJD) of beginning, middle and end, UTC."""
    first, last = _span(meta)
    if not first or not last:
        return []
    from astropy.time import Time

    begin, end = Time([first, last], scale="utc")
    middle = begin + (end - begin) / 2
    return [(first, float(begin.mjd)), (str(middle.isot), float(middle.mjd)), (last, float(end.mjd))]


def _span(meta):
    begins, ends = (
        ("exposure.start_time", "coadd_info.time_first", "t_start"),
        ("exposure.end_time", "coadd_info.time_last", "t_stop"),
    )
    first, last = (
        next((found for key in keys if (found := metadata.usable(meta, key))), None) for keys in (begins, ends)
    )
    return first and iso_time(first), last and iso_time(last)


def _time_cards(meta):
    span = times(meta)
    if not span:
        return []
    first, last = _span(meta)
    day, _, clock = first.partition("T")
    cards = [("TIMESYS", "UTC", "time scale"), ("DATE-OBS", day, "date of the start"), ("TIME-OBS", clock, "its time")]
    cards += [("DATE-BEG", first, "start"), ("DATE-END", last, "end")]
    words = ("EXPSTART", "EXPMID", "EXPEND")
    return cards + [(word, value, "[d] MJD, UTC") for word, value in zip(words, span, strict=True)]


def _pattern_cards(meta):
    """NINTS, and of an even read pattern the JWST keywords."""
    pattern, frame_time = (metadata.usable(meta, f"exposure.{key}") for key in ("read_pattern", "frame_time"))
    if pattern is None:
        return []
    cards = [("NINTS", 1, "number of integrations")]
    lengths, steps = {len(reads) for reads in pattern}, set(np.diff([reads[0] for reads in pattern]).tolist())
    if len(lengths) == len(steps) == 1:
        frames, step = lengths.pop(), steps.pop()
        cards += [("NFRAMES", frames, "reads of a resultant"), ("GROUPGAP", step - frames, "reads between resultants")]
        if frame_time is not None:
            cards.append(("TGROUP", step * frame_time, "[s] from one resultant to the next"))
    return cards


def _cards(meta, table):
    cards = [card(keyword, metadata.get(meta, path), comment) for keyword, path, comment in table]
    return [made for made in cards if made[1] is not None]


def card(keyword: str, value: Any, comment: str) -> Card:
    """A card whose comment is left out where there is no room for it; the value is None where FITS has no form.

    Parameters
    ----------
    keyword : str
        Up to eight characters.
    value : object
        What it says, of any type.
    comment : str
        ASCII text; empty for none.

    Returns
    -------
    (str, object, str)
        Keyword, value and comment.
    """
    value = card_value(value)
    taken = 10 + (max(20, len(value) + value.count("'") + 2) if isinstance(value, str) else 20) + 3
    return keyword, value, comment if taken + len(comment) <= 80 else ""


def ascii_text(text: str) -> str:
    """A text as FITS can hold it.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Of the same length; what is not printable ASCII is ``?``.
    """
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def card_value(value: Any) -> str | int | float | bool | None:
    """What a card or a table can say of a value: ASCII text, a finite number, a boolean; else None.

    Parameters
    ----------
    value : object
        What it says, of any type.

    Returns
    -------
    str, int, float, bool or None
        A character that is not ASCII is ``?``.
    """
    if isinstance(value, str):
        return ascii_text(value)
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return None
