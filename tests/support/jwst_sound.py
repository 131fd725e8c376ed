"""Values for the JWST files of `jwst_files` that a good product could have: flags, errors, times, weights, fringes.

A pixel that is flagged, one without weight and a padded spectrum are among them: no check passes for want of one.
"""

import itertools
import math

import numpy as np
from astropy.io import fits

from rtools.jwst import PIXEL_FLAGS

RATES = ("rate", "rateints", "bsub", "bsubints")
CALIBRATED = ("cal", "calints", "crf", "crfints")
RESAMPLED = ("i2d", "s2d")
STAGE3 = ("c1d", "cat", "segm", "phot", "whtlt", "psfstack", "aminorm-oi")
WITH_CANDIDATE = ("crf", "crfints", "psfalign", "psfsub", "ami-oi", "amimulti-oi", "amilg")

INPUTS = 40
"""Inputs of a mosaic: more than one plane of CON holds."""

SIP = {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-5, "B_0_2": 1e-5}


def name_of(suffix, form):
    """A name of the archive."""
    if suffix in STAGE3:
        return f"jw01024-o001_t001_nircam_f200w_{suffix}.{form}"
    candidate = "_o001" if suffix in WITH_CANDIDATE else ""
    return f"jw01024001001_02101_00001_nrca1{candidate}_{suffix}.{form}"


def fill(hdus, suffix):
    """Give the HDUs of a kind, made from its layout, sound values and the keywords that go with them."""
    rng, primary = np.random.default_rng(3), hdus[0].header
    primary.update(
        {"PROGRAM": "01024", "OBSERVTN": "001", "VISIT": "001", "VISITGRP": "02", "SEQ_ID": "1", "ACT_ID": "01"}
    )
    primary.update({"EXPOSURE": "00001", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 16, "SUBSIZE2": 8})
    primary.update({"NGROUPS": 3, "NINTS": 2, "INTSTART": 1, "INTEND": 2})
    for version in sorted({hdu.ver for hdu in hdus[1:] if hdu.name in ("SCI", "EXTRACT1D", "COMBINE1D")}):
        _fill_set(hdus, suffix, version, rng)
    for hdu in hdus[1:]:
        if hdu.name == "INT_TIMES":
            _integrations(hdu.data)
    if suffix.endswith("-oi"):
        _fringes(hdus, suffix, rng)
    if suffix == "amilg":
        _fits_of_fringes(hdus, rng)


def _fill_set(hdus, suffix, version, rng):
    science = next((hdu for hdu in hdus if (hdu.name, hdu.ver) == ("SCI", version)), None)
    if suffix == "ramp":
        _ramp(hdus)
    elif suffix in (*RATES, *CALIBRATED, "psfstack", "psfalign", "psfsub"):
        _image(hdus, suffix, version, rng)
    elif suffix in RESAMPLED:
        _mosaic(hdus, version, rng)
    elif suffix == "s3d":
        _cube(hdus, rng)
    elif suffix == "segm":
        science.data = labels()
    elif suffix in ("x1d", "x1dints"):
        _spectrum(hdus["EXTRACT1D", version].data, rng)
    elif suffix == "c1d":
        table = hdus["COMBINE1D", version].data
        table["WAVELENGTH"], table["WEIGHT"], table["N_INPUT"] = 1 + np.arange(len(table)), 2.5, 3
    if suffix in (*CALIBRATED, "i2d", "psfsub"):
        _sky(science.header, distorted=suffix != "i2d")


def _flags(shape):
    """Reference pixels at the left, a bad pixel, and one that saturated but can be used."""
    flags = np.zeros(shape, np.uint32)
    flags[..., :4] = PIXEL_FLAGS["REFERENCE_PIXEL"] | PIXEL_FLAGS["DO_NOT_USE"]
    flags[..., 5, 7] = PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["HOT"]
    flags[..., 6, 9] = PIXEL_FLAGS["SATURATED"]
    return flags


def _ramp(hdus):
    hdus["SCI"].data = np.arange(hdus["SCI"].data.size, dtype="f4").reshape(hdus["SCI"].data.shape)
    hdus["PIXELDQ"].data = _flags(hdus["PIXELDQ"].data.shape)
    groups = np.zeros(hdus["GROUPDQ"].data.shape, np.uint8)
    groups[:, 1:, 6, 9], groups[1, 1, 4, 4] = 2, 4
    hdus["GROUPDQ"].data = groups


def _image(hdus, suffix, version, rng):
    shape = hdus["SCI", version].data.shape
    flags = _flags(shape)
    unused = (flags & PIXEL_FLAGS["DO_NOT_USE"]) != 0
    variances = [name for name in ("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT") if (name, version) in hdus]
    values = {"SCI": rng.normal(5, 1, shape)} | {name: rng.uniform(0.1, 1, shape) for name in variances}
    values["ERR"] = np.sqrt(sum(values[name] for name in variances)) if variances else np.ones(shape)
    for name, array in values.items():
        if not suffix.startswith("psf"):
            array[unused] = np.nan if name == "SCI" or suffix in CALIBRATED else 0
        hdus[name, version].data = array.astype("f4")
    hdus["DQ", version].data = flags


def _mosaic(hdus, version, rng):
    shape = hdus["SCI", version].data.shape
    context = np.zeros((2, *shape), np.int32)
    context[0], context[1, :, 8:] = -1, (1 << (INPUTS - 32)) - 1  # all bits of a plane are -1
    context[:, 0, 0] = 0
    values = {name: rng.uniform(0.1, 1, shape) for name in ("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")}
    values |= {"ERR": np.sqrt(sum(values.values())), "WHT": np.ones(shape), "SCI": rng.normal(5, 1, shape)}
    for name, array in values.items():
        array[0, 0] = 0 if name == "WHT" else np.nan
        hdus[name, version].data = array.astype("f4")
    hdus["CON", version].data = context
    hdus[0].header["NDRIZ"] = INPUTS
    if ("HDRTAB", version) in hdus and len(hdus["HDRTAB", version].data) != INPUTS:
        column = fits.Column("FILENAME", "20A", array=[f"{number}.fits" for number in range(INPUTS)])
        place, old = hdus.index_of(("HDRTAB", version)), hdus["HDRTAB", version]
        hdus[place] = fits.BinTableHDU.from_columns([column], name="HDRTAB", ver=old.ver)


def _cube(hdus, rng):
    shape = hdus["SCI"].data.shape
    for name in ("SCI", "ERR", "WMAP"):
        hdus[name].data = rng.uniform(1, 2, shape).astype("f4")
    hdus["DQ"].data = np.full(shape, PIXEL_FLAGS["NON_SCIENCE"] | PIXEL_FLAGS["DO_NOT_USE"], np.uint32)
    hdus[0].header.update({"FLUXEXT": "SCI", "ERREXT": "ERR", "MASKEXT": "DQ"})
    hdus["SCI"].header.update({"CTYPE3": "WAVE", "CUNIT3": "um", "CRPIX3": 1.0, "CRVAL3": 4.9, "CDELT3": 0.1})
    table = hdus["WCS-TABLE"].data
    table["nelem"], table["wavelength"] = shape[0], (4.9 + 0.1 * np.arange(shape[0]))[None]


def labels():
    """A segmentation map of three sources."""
    found = np.zeros((8, 16), np.uint32)
    found[1:3, 1:4], found[5:7, 2:5], found[3:7, 9:14] = 1, 2, 3
    return found


def _spectrum(table, rng):
    number = table["WAVELENGTH"].shape[-1]
    padded = np.arange(number) >= number - 1 if table["WAVELENGTH"].ndim == 2 else np.zeros(number, bool)
    for quantity, name in (("FLUX", "FLUX_ERROR"), ("SB", "SB_ERROR"), ("BKGD", "BKGD_ERROR")):
        parts = [f"{quantity}_VAR_{part}" for part in ("POISSON", "RNOISE", "FLAT")]
        for part in parts:
            table[part] = rng.uniform(0.1, 1, table[part].shape)
        table[name] = np.sqrt(sum(table[part] for part in parts))
    table["WAVELENGTH"], table["NPIXELS"] = 5 - 0.1 * np.arange(number), 3.5
    if "INT_NUM" in table.names:
        table["INT_NUM"], table["SEGMENT"], table["N_ALONGDISP"] = (1, 2), 1, number - 1
        table["FLUX"] = np.where(padded, np.nan, 1.0)
        for clock in (("MJD-BEG", "MJD-AVG", "MJD-END"), ("TDB-BEG", "TDB-MID", "TDB-END")):
            for column, hours in zip(clock, (0, 1, 2), strict=True):
                table[column] = 60000 + (np.arange(len(table)) * 3 + hours) / 24


def _integrations(table):
    begin = np.arange(len(table)) / 24
    table["integration_number"] = 1 + np.arange(len(table))
    for when, later in (("start", 0), ("mid", 0.5), ("end", 1)):
        table[f"int_{when}_MJD_UTC"] = 60000 + begin + later / 24
        table[f"int_{when}_BJD_TDB"] = table[f"int_{when}_MJD_UTC"] + 120 / 86400


def _sky(header, *, distorted):
    """A WCS about the image's middle, in both of the ways in which files have it, and its corners."""
    kind = "-SIP" if distorted else ""
    header.update(
        {"CTYPE1": f"RA---TAN{kind}", "CTYPE2": f"DEC--TAN{kind}", "CUNIT1": "deg", "CUNIT2": "deg", "WCSAXES": 2}
    )
    header.update({"CRPIX1": 8.5, "CRPIX2": 4.5, "CRVAL1": 80.0, "CRVAL2": 0.0})
    header.update({"CD1_1": -1e-5, "CD2_2": 1e-5} | SIP if distorted else {"PC1_1": -1.0, "PC2_2": 1.0})
    if not distorted:
        header.update({"CDELT1": 1e-5, "CDELT2": 1e-5})
    corners = [(80 - 1e-5 * x, 1e-5 * y) for x, y in ((-8, -4), (8, -4), (8, 4), (-8, 4))]
    header["S_REGION"] = "POLYGON ICRS  " + " ".join(f"{ra:.9f} {dec:.9f}" for ra, dec in corners)


def _fringes(hdus, suffix, rng):
    places = rng.uniform(-3, 3, (7, 2))
    pairs = list(itertools.combinations(range(7), 2))
    triples = list(itertools.combinations(range(7), 3))
    multi = (2,) if suffix == "amimulti-oi" else ()
    phases = rng.uniform(-170, 170, (21, *multi))
    amplitudes = rng.uniform(0.5, 1, (21, *multi))
    hdus["OI_ARRAY"].data["STA_INDEX"], hdus["OI_ARRAY"].data["CTRS_EQT"] = 1 + np.arange(7), places
    for name in ("OI_VIS", "OI_VIS2"):
        table = hdus[name].data
        table["STA_INDEX"] = 1 + np.array(pairs)
        for column, axis in (("UCOORD", 1), ("VCOORD", 0)):
            table[column] = [places[i, axis] - places[j, axis] for i, j in pairs]
    hdus["OI_VIS"].data["VISPHI"], hdus["OI_VIS"].data["VISAMP"] = phases, amplitudes
    hdus["OI_VIS"].data["VISAMPERR"], hdus["OI_VIS2"].data["VIS2ERR"] = 0, 0
    hdus["OI_VIS2"].data["VIS2DATA"] = amplitudes**2
    table, row_of = hdus["OI_T3"].data, {pair: row for row, pair in enumerate(pairs)}
    table["STA_INDEX"] = 1 + np.array(triples)
    for number, (first, second) in enumerate(((0, 1), (1, 2)), 1):
        for column, axis in ((f"U{number}COORD", 1), (f"V{number}COORD", 0)):
            table[column] = [places[triple[first], axis] - places[triple[second], axis] for triple in triples]
    sums = [phases[row_of[i, j]] + phases[row_of[j, k]] - phases[row_of[i, k]] for i, j, k in triples]
    table["T3PHI"] = np.remainder(sums, 360)
    _oifits_keywords(hdus)


def _oifits_keywords(hdus):
    hdus[0].header["DATE-OBS"] = "2023-02-25"
    for hdu in hdus[1:]:
        if hdu.name.startswith("OI_"):
            hdu.header["OI_REVN"] = 2
        if hdu.name in ("OI_ARRAY", "OI_VIS", "OI_VIS2", "OI_T3"):
            hdu.header["ARRNAME"] = "jwst_ami"
        if hdu.name in ("OI_WAVELENGTH", "OI_VIS", "OI_VIS2", "OI_T3"):
            hdu.header["INSNAME"] = "NIRISS"
        if hdu.name in ("OI_VIS", "OI_VIS2", "OI_T3"):
            hdu.header["DATE-OBS"] = "2023-02-25"
    hdus["OI_ARRAY"].header.update({"FRAME": "SKY", "ARRAYX": 0.0, "ARRAYY": 0.0, "ARRAYZ": 0.0})


def _fits_of_fringes(hdus, rng):
    shape = hdus["CTRD"].data.shape
    data = rng.uniform(1, 50, shape).astype("f4")
    fit = (data + rng.normal(size=shape)).astype("f4")
    peaks = data.max(axis=(1, 2), keepdims=True)
    for name, values in (("CTRD", data), ("FIT", fit), ("RESID", data - fit)):
        hdus[name].data, hdus[f"N_{name}"].data = values, values / peaks
    hdus["SOLNS"].data["coeffs"] = rng.normal(size=(shape[0], 44))
    hdus["SOLNS"].data["coeffs"][:, 0] = 1


def fill_table(table, suffix):
    """Give an ECSV product sound values."""
    rows = np.arange(len(table))
    if suffix == "cat":
        table.remove_rows(slice(3, None))
        found = labels()
        table["label"] = [1, 2, 3]
        table["isophotal_area"] = [float((found == label).sum()) for label in (1, 2, 3)]
        centres = [np.argwhere(found == label).mean(axis=0) for label in (1, 2, 3)]
        table["ycentroid"], table["xcentroid"] = np.transpose(centres)
        return
    for name in table.colnames:
        if name.startswith(("MJD", "BJD")):
            table[name] = 60000 + rows / 24
        elif name == "whitelight_flux":
            table[name] = 1.0
    if suffix == "phot":
        table["aperture_sum"], table["aperture_bkg"] = math.pi + rows, 0.5
        table["net_aperture_sum"] = table["aperture_sum"] - table["aperture_bkg"]
