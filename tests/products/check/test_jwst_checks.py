"""Checks of JWST products: sound files of each kind give no finding, corrupted ones that of one check and no other."""

import re

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.errors import InputError
from rtools.jwst import PIXEL_FLAGS, SUFFIXES, product_layout
from rtools.products.check import check_file
from rtools.products.jwst import NewHdu, stage_new
from tests.support import jwst_files, jwst_sound

UNUSED, REFERENCE = PIXEL_FLAGS["DO_NOT_USE"], PIXEL_FLAGS["REFERENCE_PIXEL"]


def found(path, *severities, **options):
    """(severity, check) of what is found, remarks left out by default."""
    wanted = severities or ("error", "warning")
    return {(one.severity, one.check) for one in check_file(path, **options).findings if one.severity in wanted}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_sound_file_of_each_kind_gives_no_finding(suffix, tmp_path):
    path = jwst_files.made(tmp_path, suffix, sound=True, extra=False)
    assert found(path) == found(path, quick=True) == set()


@pytest.mark.parametrize("suffix", ["cal", "s2d", "x1d", "crf"])
def test_products_of_several_sources_are_sound(suffix, tmp_path):
    assert found(jwst_files.made(tmp_path, suffix, sound=True, extra=False, sets=3)) == set()


def test_optional_extensions_may_be_missing_and_the_tree_may_be_an_image(tmp_path):
    for suffix in ("uncal", "ramp", "cal", "i2d"):
        path = jwst_files.made(tmp_path, suffix, sound=True, extra=False, optional=False, image_tree=True)
        assert found(path) == set(), suffix


def drop(name, version=1):
    return lambda hdus: hdus.pop(hdus.index_of((name, version)))


def card(hdu, keyword, value):
    def change(hdus):
        hdus[hdu].header[keyword] = value

    return change


def without(hdu, keyword):
    def change(hdus):
        del hdus[hdu].header[keyword]

    return change


def pixel(name, place, value):
    def change(hdus):
        hdus[name].data[place] = value

    return change


def stored_as(name, dtype):
    def change(hdus):
        hdus[hdus.index_of(name)] = fits.ImageHDU(np.zeros(hdus[name].shape, dtype), name=name)

    return change


def unit(name, column, text):
    def change(hdus):
        hdus[name].columns[column].unit = text

    return change


def cell(name, column, place, value):
    def change(hdus):
        hdus[name].data[column][place] = value

    return change


def array(name, make):
    def change(hdus):
        hdus[name].data = make(hdus[name].data)

    return change


def table(name, make):
    def change(hdus):
        place = hdus.index_of(name)
        rows = make(Table(hdus[name].data))
        old = hdus[place].header
        units = {old[f"TTYPE{n}"]: old.get(f"TUNIT{n}") for n in range(1, old["TFIELDS"] + 1)}
        new = fits.table_to_hdu(rows)
        for number in range(1, new.header["TFIELDS"] + 1):
            if units.get(new.header[f"TTYPE{number}"]):
                new.header[f"TUNIT{number}"] = units[new.header[f"TTYPE{number}"]]
        for keyword in ("EXTNAME", "EXTVER", "ARRNAME", "INSNAME", "OI_REVN", "DATE-OBS"):
            if keyword in old:
                new.header[keyword] = old[keyword]
        hdus[place] = new

    return change


def all_of(*changes):
    def change(hdus):
        for one in changes:
            one(hdus)

    return change


def reordered(rows):
    rows["FLUX_ERROR"].name, rows["FLUX"].name = "X", "FLUX_ERROR"
    rows["X"].name = "FLUX"
    return rows


def without_column(name):
    return lambda rows: rows[[one for one in rows.colnames if one != name]]


def swapped(hdus):
    hdus[1], hdus[2] = hdus[2].copy(), hdus[1].copy()


def repeated(name):
    return lambda hdus: hdus.append(hdus[name].copy())


def dead(hdus):
    """One more pixel of a rate that is not to be used, with an error that its variances make."""
    hdus["DQ"].data[6, 6] |= UNUSED
    hdus["SCI"].data[6, 6] = np.nan


def an_hour_away(hdus):
    """Times at the barycentre that no light has travelled for."""
    for when in ("start", "mid", "end"):
        hdus["INT_TIMES"].data[f"int_{when}_BJD_TDB"] += 1 / 24


def as_whole_numbers(rows):
    rows["whitelight_flux"] = rows["whitelight_flux"].astype(int)


def weightless(hdus):
    """Two pixels without inputs that keep their values."""
    hdus["WHT"].data[5, 5:7], hdus["CON"].data[:, 5, 5:7] = 0, 0


def wider(*names):
    return all_of(*(array(name, lambda data: np.pad(data, [(0, 0)] * (data.ndim - 1) + [(0, 1)])) for name in names))


def whitened(*names):
    """An extension more, which is no part of the layout."""
    return lambda hdus: hdus.extend(fits.ImageHDU(np.zeros((2, 2), "f4"), name=name) for name in names)


WRONG = "error"
DOUBTFUL = "warning"
REMARK = "info"

FAULTS = [
    # check, severity, kind, change, others that may speak with it
    ("F2", WRONG, "rate", without("PRIMARY", "DETECTOR"), ()),
    ("F2", WRONG, "x1d", card("PRIMARY", "EXP_TYPE", " "), ()),
    ("F2", WRONG, "rate", array("PRIMARY", lambda _none: np.zeros((2, 2), "f4")), ()),
    ("F3", DOUBTFUL, "rate", card("PRIMARY", "FILENAME", "other.fits"), ()),
    ("F3", DOUBTFUL, "rate", card("PRIMARY", "EXPOSURE", "00007"), ()),
    ("F3", DOUBTFUL, "cal", card("PRIMARY", "DETECTOR", "NRCB2"), ()),
    ("F3", DOUBTFUL, "i2d", card("PRIMARY", "PROGRAM", "01025"), ()),
    ("L1", WRONG, "rate", drop("ERR"), ()),
    ("L1", WRONG, "calints", drop("INT_TIMES"), ()),
    ("L1", WRONG, "ami-oi", drop("OI_T3"), ()),
    ("L1", WRONG, "uncal", drop("GROUP"), ()),
    ("L1", WRONG, "rate", repeated("ERR"), ()),
    ("L2", DOUBTFUL, "cal", swapped, ()),
    ("L3", REMARK, "bsub", whitened("MASK"), ()),
    ("L4", WRONG, "rate", array("SCI", lambda data: data.astype("f8")), ()),
    ("L4", WRONG, "rate", stored_as("DQ", "i4"), ()),
    ("L4", WRONG, "uncal", array("SCI", lambda data: data.astype("f4")), ()),
    ("L4", WRONG, "calints", array("ERR", lambda data: data[0]), ("C3",)),
    ("L4", WRONG, "cal", array("AREA", lambda data: data.astype("i2")), ()),
    ("L5", WRONG, "rate", wider("ERR"), ()),
    ("L5", WRONG, "uncal", wider("REFOUT"), ()),
    ("L5", WRONG, "uncal", card("PRIMARY", "NGROUPS", 4), ()),
    ("L5", WRONG, "rateints", card("PRIMARY", "INTEND", 5), ()),
    ("L5", DOUBTFUL, "calints", card("PRIMARY", "NINTS", 3), ()),
    ("L5", WRONG, "psfsub", all_of(without("PRIMARY", "INTEND"), card("PRIMARY", "NINTS", 5)), ()),
    ("L6", WRONG, "x1d", table("EXTRACT1D", without_column("FLUX")), ()),
    ("L6", DOUBTFUL, "x1d", table("EXTRACT1D", reordered), ("C9",)),
    ("L6", DOUBTFUL, "c1d", unit("COMBINE1D", "FLUX", "W"), ()),
    ("L6", WRONG, "s3d", table("WCS-TABLE", lambda rows: rows[[0, 0]]), ("C8",)),
    ("L6", WRONG, "uncal", table("GROUP", lambda rows: rows[[0] * 7]), ()),
    ("L6", WRONG, "cat", lambda rows: rows.remove_column("isophotal_flux"), ()),
    ("L6", DOUBTFUL, "whtlt", as_whole_numbers, ()),
    ("L6", WRONG, "phot", lambda rows: rows.remove_column("annulus_sum"), ()),
    ("C1", DOUBTFUL, "rate", pixel("DQ", (6, 6), 1 << 8), ()),
    ("C1", DOUBTFUL, "psfstack", pixel("DQ", (2, 5, 5), REFERENCE), ()),
    ("C1", DOUBTFUL, "ramp", pixel("GROUPDQ", (0, 0, 5, 5), 16), ()),
    ("C1", DOUBTFUL, "ramp", pixel("PIXELDQ", (5, 6), REFERENCE), ()),
    ("C2", DOUBTFUL, "rate", pixel("SCI", (6, 6), np.nan), ()),
    ("C2", DOUBTFUL, "rateints", pixel("DQ", (1, 6, 6), UNUSED), ()),
    ("C2", DOUBTFUL, "rate", dead, ()),
    ("C2", DOUBTFUL, "bsub", pixel("SCI", (6, 6), np.nan), ()),
    ("C2", DOUBTFUL, "cal", pixel("VAR_FLAT", (6, 6), np.nan), ()),
    ("C2", DOUBTFUL, "crfints", pixel("SCI", (0, 6, 6), np.nan), ()),
    ("C3", WRONG, "rate", array("ERR", lambda data: -data), ()),
    ("C3", WRONG, "psfsub", pixel("VAR_RNOISE", (0, 6, 6), -1), ()),
    ("C3", DOUBTFUL, "rate", pixel("ERR", (6, 6), 99), ()),
    ("C3", DOUBTFUL, "rateints", pixel("ERR", (1, 6, 6), 1e-3), ()),
    ("C3", DOUBTFUL, "cal", pixel("ERR", (6, 6), 99), ()),
    ("C3", DOUBTFUL, "i2d", pixel("ERR", (6, 6), 99), ()),
    ("C4", DOUBTFUL, "ramp", pixel("GROUPDQ", (0, 2, 6, 9), 0), ()),
    ("C5", WRONG, "uncal", table("INT_TIMES", lambda rows: rows[:1]), ()),
    ("C5", WRONG, "calints", cell("INT_TIMES", "integration_number", 1, 7), ()),
    ("C5", WRONG, "rateints", cell("INT_TIMES", "int_mid_MJD_UTC", 0, 60001), ()),
    ("C5", WRONG, "crfints", cell("INT_TIMES", "int_end_BJD_TDB", 0, 60001), ()),
    ("C5", WRONG, "psfsub", an_hour_away, ()),
    ("C6", WRONG, "i2d", card("PRIMARY", "NDRIZ", 39), ()),
    ("C6", WRONG, "s2d", array("CON", lambda data: data[:1]), ()),
    ("C6", WRONG, "i2d", pixel("CON", (1, 5, 5), 1 << 9), ()),
    ("C6", DOUBTFUL, "i2d", pixel("CON", (slice(None), 5, 5), 0), ()),
    ("C7", WRONG, "s2d", pixel("WHT", (5, 5), -1), ()),
    ("C7", WRONG, "i2d", weightless, ()),
    ("C8", WRONG, "s3d", cell("WCS-TABLE", "wavelength", (0, 2), 1), ()),
    ("C8", WRONG, "s3d", card("PRIMARY", "MASKEXT", "NOPE"), ()),
    ("C8", WRONG, "s3d", card("SCI", "CRVAL3", 9.0), ()),
    ("C8", WRONG, "s3d", all_of(*(array(name, lambda data: data[:4]) for name in ("SCI", "ERR", "DQ", "WMAP"))), ()),
    ("C9", WRONG, "x1d", cell("EXTRACT1D", "WAVELENGTH", 2, 99), ()),
    ("C9", WRONG, "x1d", cell("EXTRACT1D", "NPIXELS", 2, -1), ()),
    ("C9", DOUBTFUL, "x1d", cell("EXTRACT1D", "BKGD_ERROR", 2, 9), ()),
    ("C9", WRONG, "x1dints", cell("EXTRACT1D", "N_ALONGDISP", 1, 9), ()),
    ("C9", DOUBTFUL, "x1dints", cell("EXTRACT1D", "FLUX", (1, 4), 2), ()),
    ("C9", WRONG, "x1dints", cell("EXTRACT1D", "INT_NUM", 1, 1), ()),
    ("C9", WRONG, "x1dints", cell("EXTRACT1D", "TDB-MID", 0, 60009), ()),
    ("C10", WRONG, "c1d", cell("COMBINE1D", "WEIGHT", 1, 0), ()),
    ("C10", WRONG, "c1d", cell("COMBINE1D", "N_INPUT", 1, 1.5), ()),
    ("C12", DOUBTFUL, "phot", lambda rows: rows["net_aperture_sum"].__setitem__(1, 0), ()),
    ("C12", DOUBTFUL, "phot", lambda rows: rows["MJD"].__setitem__(1, 0), ()),
    ("C12", DOUBTFUL, "whtlt", lambda rows: rows["whitelight_flux"].__setitem__(1, np.nan), ()),
    ("C14", WRONG, "ami-oi", without("OI_VIS", "INSNAME"), ()),
    ("C14", WRONG, "aminorm-oi", card("OI_T3", "ARRNAME", "another"), ()),
    ("C14", WRONG, "ami-oi", cell("OI_VIS2", "STA_INDEX", (3, 1), 9), ()),
    ("C14", WRONG, "ami-oi", table("OI_VIS", lambda rows: rows[:20]), ()),
    ("C14", DOUBTFUL, "ami-oi", cell("OI_VIS", "UCOORD", 4, 40), ()),
    ("C14", DOUBTFUL, "aminorm-oi", cell("OI_T3", "V2COORD", 4, 40), ()),
    ("C14", DOUBTFUL, "amimulti-oi", cell("OI_T3", "T3PHI", (4, 1), 999.5), ()),
    ("C14", DOUBTFUL, "amimulti-oi", cell("OI_VIS2", "VIS2DATA", (4, 1), 2), ()),
    ("C15", DOUBTFUL, "amilg", pixel("RESID", (1, 3, 3), 9), ()),
    ("C15", DOUBTFUL, "amilg", array("N_FIT", lambda data: 2 * data), ()),
    ("C15", DOUBTFUL, "amilg", cell("SOLNS", "coeffs", (1, 0), 2), ()),
    ("W1", DOUBTFUL, "i2d", all_of(card("SCI", "CD1_1", -1e-5), card("SCI", "CD2_2", 1e-5)), ()),
    ("W1", DOUBTFUL, "cal", without("SCI", "A_ORDER"), ()),
    ("W1", DOUBTFUL, "crf", all_of(card("SCI", "CTYPE1", "RA---TAN"), card("SCI", "CTYPE2", "DEC--TAN")), ()),
    ("built-in", DOUBTFUL, "cal", card("PRIMARY", "R_FLAT", "builtin:flat"), ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "severity", "kind", "change", "others"),
    [pytest.param(*one, id=f"{one[0]}-{one[2]}-{number}") for number, one in enumerate(FAULTS)],
)
def test_a_fault_is_found_by_its_check_and_by_no_other(check, severity, kind, change, others, tmp_path):
    path = jwst_files.made(tmp_path, kind, sound=True, extra=False, change=change)
    told = found(path) if severity != REMARK else found(path, REMARK) & {(REMARK, check)}
    assert (severity, check) in told
    assert {one for _severity, one in told} <= {check, *others}


def test_a_set_that_is_not_whole_is_found(tmp_path):
    path = jwst_files.made(tmp_path, "cal", sound=True, extra=False, sets=3, change=drop("DQ", 2))
    assert found(path) == {("error", "L1")}
    (one,) = (one for one in check_file(path).findings if one.severity == "error")
    assert (one.where, one.message) == ("DQ", "EXTVER 2 of 3 is missing")


def test_every_set_is_looked_at(tmp_path):
    path = jwst_files.made(
        tmp_path, "cal", sound=True, extra=False, sets=2, change=array(("ERR", 2), lambda data: -data)
    )
    assert found(path) == {("error", "C3")}
    assert {one.where for one in check_file(path).findings if one.check == "C3" and one.severity == "error"} == {
        "ERR,2"
    }


def edited(keyword, value, hdu=0):
    return lambda path: fits.setval(path, keyword, value=value, ext=hdu)


def longer(path):
    path.write_bytes(path.read_bytes() + b"0" * 100)


def replaced(old, new):
    def change(path):
        content = path.read_bytes()
        assert old in content and len(old) == len(new)
        path.write_bytes(content.replace(old, new, 1))

    return change


def summed(path):
    """Sums as FITS has them, and then a pixel that changed."""
    with fits.open(path) as hdus:
        hdus.writeto(path, checksum=True, overwrite=True)
    with fits.open(path, mode="update", memmap=True) as hdus:
        place = hdus["SCI"].fileinfo()["datLoc"]
    content = bytearray(path.read_bytes())
    content[place + 8 : place + 12] = np.float32(7).astype(">f4").tobytes()
    path.write_bytes(content)


def damaged_tree(path):
    path.write_bytes(path.read_bytes().replace(b"--- !core/asdf", b"--- {{{{/asdf!"))


def node(text):
    return {"more": f"wrong: !core/ndarray-1.0.0 {{{text}, byteorder: big}}\n"}


FILE_FAULTS = [
    ("F1", WRONG, "rate", longer, {}, ()),
    ("F1", WRONG, "psfstack", summed, {}, ("A1",)),
    ("F1", WRONG, "c1d", replaced(b"EXP_TYPE=", b"exp_type="), {}, ("F2", "A1")),
    ("F1", WRONG, "x1d", replaced(b"a second card", b"a s\xe9cond card"), {}, ("A1",)),
    ("F1", WRONG, "rate", replaced(b"= 'NRC_IMAGE'", b"= 1..2..3..4."), {}, ("A1",)),
    ("F1", WRONG, "c1d", replaced(b"GCOUNT  =                    1", b"GCOUNT  =                    2"), {}, ("A1",)),
    ("A1", DOUBTFUL, "rate", edited("TARG_RA", 80.0), {}, ()),
    ("A1", WRONG, "uncal", damaged_tree, {}, ()),
    ("A1", WRONG, "rate", None, node("source: 'fits:NOPE,1', datatype: float32, shape: [8, 16]"), ()),
    ("A1", WRONG, "rate", None, node("source: 'fits:SCI,1', datatype: float32, shape: [8, 15]"), ()),
    ("A1", WRONG, "rate", None, node("source: 'fits:SCI,1', datatype: float64, shape: [8, 16]"), ()),
    ("A1", WRONG, "x1d", None, node("source: 'fits:EXTRACT1D,1', datatype: float64, shape: [4]"), ()),
]


@pytest.mark.parametrize(("check", "severity", "kind", "change", "options", "others"), FILE_FAULTS)
def test_a_fault_of_the_file_or_its_tree_is_found(check, severity, kind, change, options, others, tmp_path):
    path = jwst_files.made(tmp_path, kind, sound=True, extra=False, **options)
    if change:
        change(path)
    told = found(path)
    assert (severity, check) in told
    assert {one for _severity, one in told} <= {check, *others}


def test_sums_that_are_right_are_not_told(tmp_path):
    path = jwst_files.made(tmp_path, "rate", sound=True, extra=False)
    with fits.open(path) as hdus:
        hdus.writeto(path, checksum=True, overwrite=True)
    assert found(path) <= {("warning", "A1")}  # new keywords are new headers


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("psfalign", None, "before 1.20"),
        (
            "psfalign",
            all_of(*(array(name, lambda data: data[0]) for name in ("SCI", "DQ", "ERR"))),
            "from release 1.20",
        ),
        ("ami-oi", lambda hdus: hdus.append(fits.BinTableHDU(name="OI_Q4")), "from release 1.20"),
        ("x1dints", None, "from release 1.19"),
        ("phot", lambda rows: rows.remove_column("BJD_TDB"), "before 2.0"),
        ("s3d", table("WCS-TABLE", without_column("nelem")), "from release 1.19"),
    ],
)
def test_the_layout_of_a_release_is_a_remark(kind, change, words, tmp_path):
    path = jwst_files.made(tmp_path, kind, sound=True, extra=False, change=change)
    assert found(path) == set()
    assert [one.message for one in check_file(path).findings if one.check == "L7" and words in one.message]


def test_integrations_in_tables_of_their_own_are_the_layout_of_older_releases(tmp_path):
    name = "jw01024001001_02101_00001_nrca1_x1dints.fits"
    path = jwst_files.made(tmp_path, "x1d", name, sound=True, extra=False, sets=3)
    assert found(path) == set()
    assert "laid out as in releases before 1.19 (a table for each integration)" in [
        one.message for one in check_file(path).findings if one.check == "L7"
    ]


def test_one_pixel_is_spoken_of_as_one(tmp_path):
    change = all_of(pixel("VAR_RNOISE", (0, 6, 6), -1), pixel("DQ", (0, 7, 7), 1 << 8))
    path = jwst_files.made(tmp_path, "psfsub", sound=True, extra=False, change=change)
    assert {one.message for one in check_file(path).findings if one.severity != "info"} == {
        "1 value is negative",
        "1 value has bit 8, which has no meaning",
    }


def test_every_check_has_its_faults():
    """Those of files that belong together are tested with the command."""
    numbered = [
        f"{letter}{number}" for letter, last in (("F", 3), ("L", 7), ("C", 15)) for number in range(1, last + 1)
    ]
    tested = {one[0] for one in (*FAULTS, *FILE_FAULTS)} | {"L7", "C11", "C13"}
    assert {*numbered, "A1", "W1"} <= tested


def test_units_of_what_has_no_flux_calibration_are_right(tmp_path):
    def counts(rows):
        for name in rows.colnames:
            if rows[name].unit == "Jy":
                rows[name].unit = "electron"

    assert found(jwst_files.made(tmp_path, "phot", sound=True, change=counts)) == set()


def test_charge_migration_leaves_errors_as_they_were(tmp_path):
    """DQ of a rate does not say in which pixels charge was lost, so that no error is compared."""
    change = all_of(card("PRIMARY", "S_CHGMIG", "COMPLETE"), pixel("ERR", (6, 6), 99))
    assert found(jwst_files.made(tmp_path, "rate", sound=True, extra=False, change=change)) == set()


def test_errors_may_be_made_without_the_flat(tmp_path):
    def change(hdus):
        values = [hdus[name].data for name in ("VAR_POISSON", "VAR_RNOISE")]
        hdus["ERR"].data = np.sqrt(sum(values))

    path = jwst_files.made(tmp_path, "cal", sound=True, extra=False, change=change)
    assert found(path) == set()
    assert "its square is VAR_POISSON + VAR_RNOISE" in [one.message for one in check_file(path).findings]


STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|[PG]COUNT|TFIELDS|T(TYPE|FORM|UNIT|ZERO|SCAL|DIM|NULL)\d+|BZERO|BSCALE"
    r"|EXTNAME|EXTVER|BUNIT|COMMENT|HISTORY|NOVALUE|DATE|FILENAME|DATAMODL|TELESCOP|A\.KEYWORD.*|"
)


def as_new(hdu):
    """An HDU of astropy as `stage_new` takes it."""
    cards = {key: value for key, value in hdu.header.items() if not STRUCTURE.fullmatch(key)}
    data = Table(hdu.data) if isinstance(hdu, fits.BinTableHDU) else hdu.data
    return NewHdu(hdu.name, data, hdu.ver, cards=cards)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_rtools_writes_gives_no_finding(suffix, tmp_path):
    form = product_layout(suffix).form
    path = tmp_path / jwst_sound.name_of(suffix, form)
    if form == "ecsv":
        hdus = [NewHdu("TABLE", Table.read(jwst_files.made(tmp_path, suffix, sound=True), format="ascii.ecsv"))]
    else:
        hdus = [as_new(hdu) for hdu in jwst_files.hdus_of(suffix, path.name, sound=True, extra=False)[:-1]]
    stage_new(path, suffix, jwst_files.METADATA, hdus).commit()
    assert found(path) == set()


def crossed(kind):
    """An image where a table should be, a table where an image should be, other axes and types of columns."""

    def change(hdus):
        for number, hdu in enumerate(list(hdus[1:]), 1):
            if not isinstance(hdu, fits.BinTableHDU):
                shape = hdu.shape[:-1] if kind == "axes" and len(hdu.shape) > 1 else hdu.shape
                wrong = fits.BinTableHDU(Table({"a": [1]}), name=hdu.name) if kind == "tables" else None
                hdus[number] = wrong or fits.ImageHDU(np.zeros(shape, "i2"), name=hdu.name)
            elif kind == "tables":
                hdus[number] = fits.ImageHDU(np.zeros((3, 3), "f4"), name=hdu.name)
            else:
                rows = Table(hdu.data)
                for name in rows.colnames:
                    rows[name] = np.zeros((len(rows), 3)) if kind == "axes" else rows[name].astype(str)
                hdus[number] = fits.table_to_hdu(rows)
                hdus[number].name = hdu.name

    return change


@pytest.mark.parametrize("kind", ["axes", "types", "tables"])
def test_what_is_laid_out_wrongly_is_told_whatever_else_is_asked(kind, tmp_path):
    for suffix in SUFFIXES:
        if product_layout(suffix).form == "fits":
            path = jwst_files.made(tmp_path, suffix, sound=True, extra=False, change=crossed(kind))
            try:
                told = found(path)
            except InputError:  # no product of JWST any more
                continue
            assert {"L4", "L6"} & {check for _severity, check in told}, suffix


def test_a_card_with_a_number_beyond_all_doubles_is_an_error_of_the_file(tmp_path):
    """rt-cut stumbled over it as over a fault of its own, for no FITS file can be written with it."""
    path = jwst_files.made(tmp_path, "cal", sound=True, extra=False)
    data = path.read_bytes()
    number = re.search(rb"[A-Z0-9_-]{2,8} *= +-?\d+\.\d+ ", data)
    start = number.start() // 80 * 80
    path.write_bytes(data[: start + 10] + b"1E999".rjust(20) + data[start + 30 :])
    assert ("error", "F1") in found(path)
    told = [one.message for one in check_file(path).findings if one.check == "F1"]
    assert any("too large" in message for message in told)


def test_coordinates_that_do_not_lead_back_to_pixels_are_an_error_of_the_file():
    """rt-resample stumbled over them as over a fault of its own."""
    from astropy.modeling.models import Mapping, Polynomial2D
    from gwcs import WCS

    from rtools.products.check.jwst import wcs

    class Product:
        """What has one node."""

        @staticmethod
        def node(_key):
            transform = Mapping((0, 1, 0, 1)) | Polynomial2D(2, c1_0=1) & Polynomial2D(2, c0_1=1)
            return WCS(transform, input_frame="detector", output_frame="world")

    findings = []
    assert wcs._tree_system(Product, findings) is None
    assert [(one.severity, one.check) for one in findings] == [("error", "W1")]
    assert "does not lead back" in findings[0].message
