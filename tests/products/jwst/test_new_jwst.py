"""JWST products that rtools writes: of every kind, read back with the same arrays, tables and metadata."""

import io
import resource
import sys

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.modeling.models import Identity, Shift
from astropy.table import MaskedColumn, Table
from gwcs import WCS

from rtools import __version__
from rtools.errors import RtoolsError, UsageError
from rtools.jwst import SUFFIXES, keywords, product_layout
from rtools.products.fits.hdu_headers import table_hdu
from rtools.products.jwst import NewHdu, open_jwst, stage_new
from rtools.products.jwst.tables import read_hdu_rows
from rtools.products.opening import open_any
from rtools.wfi import metadata
from tests.support import jwst_files

OF_FITS = [suffix for suffix in SUFFIXES if product_layout(suffix).form == "fits"]

VALUES = {"string": "some text", "number": 0.1, "integer": -3, "boolean": True}

HISTORY = ["found", {"description": "looked at", "parameters": {"depth": 2}}]

NOT_SET = ("model_type", "date", "filename", "calibration_software_version", "telescope", "bunit_data", "bunit_err",
           "wavedim")  # fmt: skip
"""Metadata that the writer sets itself, or that follow from the data."""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_kind_is_read_back_as_it_was_given(tmp_path, suffix):
    path = jwst_files.written(tmp_path, suffix, steps_of(suffix))
    product, given = open_any(path), {one.name: one.data for one in jwst_files.data_of(suffix)}
    assert product.kind == suffix
    assert product.meta["exposure"] == jwst_files.METADATA["exposure"]
    if product.form == "ecsv":
        same_rows(product.table(), given["TABLE"])
        return
    assert [hdu.name for hdu in product.hdus[1:]] == [told.name for told in product_layout(suffix).hdus]
    for name, data in given.items():
        if isinstance(data, Table):
            same_rows(product.table(name), data)
        else:
            np.testing.assert_array_equal(product.pixels(name), data)
            assert product.pixels(name).dtype == data.dtype
    assert product.tree["_fits_hash"] == product.header_hash()
    assert product.tree["meta"]["exposure"] == jwst_files.METADATA["exposure"]


def steps_of(suffix):
    """Metadata with the step that tells a product from others that are made of the same extensions."""
    named = {keyword.keyword: keyword.path for keyword in keywords()}
    step = jwst_files.STEPS.get(suffix.removesuffix("ints"))
    return jwst_files.METADATA | ({"cal_step": {named[step].split(".")[1]: "COMPLETE"}} if step else {})


def same_rows(one, two):
    assert one.colnames == two.colnames
    for name in one.colnames:
        np.testing.assert_array_equal(np.asarray(one[name]), np.asarray(two[name]), name)
        assert one[name].dtype.kind in (two[name].dtype.kind, "U")


@pytest.mark.parametrize("suffix", OF_FITS)
def test_headers_are_those_of_the_layout(tmp_path, suffix):
    with fits.open(jwst_files.written(tmp_path, suffix), checksum=True) as hdus:
        hdus.verify("exception")
        assert not [hdu.name for hdu in hdus if {"CHECKSUM", "DATASUM"} & set(hdu.header)]
        for told in product_layout(suffix).hdus:
            header = hdus[told.name].header
            assert told.name == "ASDF" or header["EXTVER"] == 1
            columns = [column for column in told.columns if column.name != "nelem"]
            for number, column in enumerate(columns, start=1):
                assert header[f"TTYPE{number}"] == column.name
                assert told.name == "ASDF" or header.get(f"TUNIT{number}") == column.unit
                assert (header.get(f"TZERO{number}") == 1 << 31) == (column.dtype == "uint32")
            if told.name == "CON":
                assert header["BITPIX"] == 32 and "BZERO" not in header
            elif told.dtypes and told.dtypes[0].startswith("uint") and told.dtypes[0] != "uint8":
                assert header["BZERO"] == 1 << (header["BITPIX"] - 1)
        assert hdus["ASDF"].columns.names == ["ASDF_METADATA"] and len(hdus["ASDF"].data) == 1


def test_every_keyword_stands_in_its_hdu_and_in_the_tree(tmp_path):
    meta = {}
    for one in keywords():
        if one.path not in NOT_SET:
            metadata.put(meta, one.path, VALUES[one.type])
    product = open_jwst(jwst_files.written(tmp_path, "cal", meta))
    for one in keywords():
        if one.path in NOT_SET or one.hdu not in ("PRIMARY", "SCI", "ERR"):
            continue
        card = product.hdu(one.hdu).header[one.keyword]
        assert (type(card), card) == (type(VALUES[one.type]), VALUES[one.type]), one
        assert metadata.get(product.tree["meta"], one.path) == VALUES[one.type]
        assert metadata.get(product.meta, one.path) == VALUES[one.type]


def test_what_the_file_says_of_itself(tmp_path):
    product = open_jwst(jwst_files.written(tmp_path, "rate", {"telescope": "none", "mine": {"own": [1, {"a": None}]}}))
    header = product.hdus[0].header
    assert header["FILENAME"] == product.path.name and header["DATAMODL"] == "ImageModel"
    assert (header["TELESCOP"], header["CAL_VER"]) == ("JWST", f"rtools {__version__}")
    assert (product.hdu("SCI").unit, product.hdu("ERR").unit, product.hdu("DQ").unit) == ("DN/s", "DN/s", None)
    assert product.meta["bunit_data"] == "DN/s" and product.value("mine.own") == [1, {"a": None}]
    assert "MINE" not in header and product.value("DATE") == product.tree["meta"]["date"]


def test_cards_stand_where_the_standard_and_people_look_for_them(tmp_path):
    meta = {
        "wcsinfo": {"crpix1": 1.0, "cdelt1": 1.0, "wcsaxes": 2, "ctype1": "RA---TAN"},
        "cal_step": {"photom": "COMPLETE"},
    }
    path = jwst_files.written(tmp_path, "calints", meta | {"exposure": {"type": "NRC_TSIMAGE"}})
    with fits.open(path) as hdus:
        science = [key for key in hdus["SCI"].header if key in ("WCSAXES", "CRPIX1", "CDELT1", "CTYPE1")]
        assert len(science) == 4 and science[0] == "WCSAXES"
        times = list(hdus["INT_TIMES"].header)
        assert times[times.index("TTYPE2") :][:3] == ["TTYPE2", "TFORM2", "TUNIT2"]
        primary = list(hdus[0].header)
        assert primary[4:9] == ["DATE", "FILENAME", "CAL_VER", "DATAMODL", "TELESCOP"]
        assert primary.index("EXP_TYPE") < primary.index("S_PHOTOM")


def test_a_unit_and_a_model_of_ones_own(tmp_path):
    hdus = [NewHdu(one.name, one.data, unit="MJy" if one.name == "SCI" else None) for one in jwst_files.data_of("s2d")]
    product = open_jwst(stage_new(tmp_path / "a_s2d.fits", "s2d", {"model_type": "SlitModel"}, hdus).commit())
    assert product.hdu("SCI").unit == product.tree["meta"]["bunit_data"] == "MJy"
    with pytest.raises(UsageError, match=r"s2d is of the data model SlitModel or MultiSlitModel, not ImageModel"):
        stage_new(tmp_path / "b_s2d.fits", "s2d", {"model_type": "ImageModel"}, hdus)


def test_sets_of_slits(tmp_path):
    tree = {"slits": [{"name": f"S{number}", "source_id": number, "shutter_state": "11x1"} for number in (4, 5)]}
    product = open_jwst(jwst_files.written(tmp_path, "cal", sets=2, tree=tree))
    assert product.value("DATAMODL") == "MultiSlitModel" and product.versions("SCI") == (1, 2)
    assert [product.hdu("SCI", number).header["SLTNAME"] for number in (1, 2)] == ["S4", "S5"]
    assert [slit["source_id"] for slit in product.tree["slits"]] == [4, 5]
    assert product.tree["slits"][1]["data"]["source"] == "fits:SCI,2"
    np.testing.assert_array_equal(product.array("slits.1.dq"), product.pixels("DQ", 2))


def test_cards_of_ones_own_are_in_the_tree_too(tmp_path):
    hdus = jwst_files.data_of("x1d")
    cards = {"SOURCEID": 12, "MYCARD": "mine"}
    hdus = [NewHdu(one.name, one.data, cards=cards) for one in hdus] + [
        NewHdu("PRIMARY", cards={"EXP_TYPE": "NRS_FIXEDSLIT"})
    ]
    product = open_jwst(stage_new(tmp_path / "a_x1d.fits", "x1d", {}, hdus).commit())
    assert product.tree["spec"][0]["source_id"] == 12 and product.hdu("EXTRACT1D").header["SOURCEID"] == 12
    assert product.tree["extra_fits"]["EXTRACT1D"]["header"] == [["MYCARD", "mine", ""]]
    assert product.tree["meta"]["exposure"]["type"] == product.value("EXP_TYPE") == "NRS_FIXEDSLIT"


def test_a_wcs_and_a_table_in_the_tree(tmp_path):
    wcs = WCS([("detector", Shift(3) & Identity(1)), ("world", None)])
    product = open_jwst(jwst_files.written(tmp_path, "cal", tree={"meta": {"wcs": wcs}, "big": np.arange(2000.0)}))
    assert product.node("meta.wcs").forward_transform(1, 2) == (4, 2)
    np.testing.assert_array_equal(product.node("big"), np.arange(2000.0))


def test_history_is_in_cards_and_tree(tmp_path):
    told = ["first", {"description": "second, 5\N{DEGREE SIGN}", "time": "2026-01-02T03:04:05.000", "more": [1]}]
    product = open_jwst(jwst_files.written(tmp_path, "rate", history=told))
    assert list(product.hdus[0].header["HISTORY"]) == ["first", "second, 5?"]
    assert [entry["description"] for entry in product.history] == ["first", told[1]["description"]]
    assert product.history[1]["more"] == [1] and product.history[1]["software"][0]["version"] == __version__


@pytest.mark.parametrize("order", ["as is", "big-endian", "transposed", "every other"])
def test_arrays_in_any_order_in_memory(tmp_path, order):
    values = np.random.default_rng(1).integers(0, 1 << 16, (2, 3, 8, 32), "u2")
    array = {
        "as is": values,
        "big-endian": values.astype(">u2"),
        "transposed": np.asfortranarray(values),
        "every other": np.repeat(values, 2, axis=3)[..., ::2],
    }[order]
    hdus = [one if one.name != "SCI" else NewHdu("SCI", array) for one in jwst_files.data_of("uncal")]
    product = open_jwst(stage_new(tmp_path / "a_uncal.fits", "uncal", {}, hdus).commit())
    np.testing.assert_array_equal(product.array("data"), values)


def test_bits_of_a_context_stay(tmp_path):
    context = np.full((1, 8, 16), 1 << 31, "u4")
    hdus = [one if one.name != "CON" else NewHdu("CON", context) for one in jwst_files.data_of("i2d")]
    product = open_jwst(stage_new(tmp_path / "a_i2d.fits", "i2d", {}, hdus).commit())
    np.testing.assert_array_equal(product.pixels("CON").view("u4"), context)


@pytest.mark.parametrize(
    ("suffix", "changed", "message"),
    [
        ("rate", {"DQ": None}, "rate needs an extension DQ"),
        ("rate", {"SCI": np.zeros((8, 16))}, "SCI is float32, not float64"),
        ("rate", {"SCI": np.zeros((2, 8, 16), "f4")}, "SCI has 2 axes, not 3"),
        ("uncal", {"SCI": np.zeros((2, 3, 8, 16), "f4")}, "SCI is uint16, not float32"),
        ("uncal", {"SCI": Table({"a": [1]})}, "SCI is an image"),
        ("uncal", {"INT_TIMES": np.zeros(3, "f4")}, "INT_TIMES is a table"),
        ("c1d", {"COMBINE1D": Table({"WAVELENGTH": [1.0]})}, "COMBINE1D needs a column FLUX"),
        ("rate", {"ASDF": np.zeros(3, "u1")}, "the extension ASDF,1 cannot be given"),
        ("rate", {"SCI": "text"}, "SCI is neither an array nor a table"),
        ("segm", {"SCI": np.zeros((8, 16), "i8")}, "SCI is uint32, not int64"),
    ],
)
def test_what_does_not_fit_the_layout(tmp_path, suffix, changed, message):
    hdus = [one for one in jwst_files.data_of(suffix) if one.name not in changed]
    hdus += [NewHdu(name, data) for name, data in changed.items() if data is not None]
    with pytest.raises(UsageError, match=message):
        stage_new(tmp_path / f"a_{suffix}.fits", suffix, {}, hdus)
    assert list(tmp_path.iterdir()) == []


def test_columns_are_cast_only_where_nothing_is_lost(tmp_path):
    (one,) = jwst_files.data_of("c1d")
    table = one.data
    table["DQ"], table["WAVELENGTH"] = table["DQ"].astype("i8"), np.arange(len(table), dtype="f4")
    product = open_jwst(stage_new(tmp_path / "a_c1d.fits", "c1d", {}, [one]).commit())
    assert product.table("COMBINE1D")["DQ"].dtype == np.uint32
    assert product.hdu("COMBINE1D").header["TFORM1"] == "D"
    table["DQ"][0] = -1
    with pytest.raises(UsageError, match="the column DQ is uint32, not int64"):
        stage_new(tmp_path / "b_c1d.fits", "c1d", {}, [one])


def test_wavelengths_of_a_cube_in_the_old_form_become_those_of_the_new(tmp_path):
    old = Table({"nelem": [5], "wavelength": np.arange(5, dtype="f4")[None]})
    hdus = [one if one.name != "WCS-TABLE" else NewHdu("WCS-TABLE", old) for one in jwst_files.data_of("s3d")]
    path = stage_new(tmp_path / "a_s3d.fits", "s3d", {}, hdus).commit()
    with fits.open(path) as opened:
        assert opened["WCS-TABLE"].columns.names == ["wavelength"] and opened["WCS-TABLE"].header["TDIM1"] == "(1,5)"
        np.testing.assert_array_equal(opened["WCS-TABLE"].data["wavelength"].ravel(), np.arange(5))


def test_tables_of_oifits_refer_to_each_other(tmp_path):
    meta = jwst_files.METADATA | {"instrument": {"name": "NIRISS", "pupil": "NRM"}}
    product = open_jwst(jwst_files.written(tmp_path, "ami-oi", meta))
    for name in ("OI_VIS", "OI_VIS2", "OI_T3"):
        header = product.hdu(name).header
        told = [header[key] for key in ("OI_REVN", "ARRNAME", "INSNAME", "DATE-OBS")]
        assert told == [2, product.hdu("OI_ARRAY").header["ARRNAME"], "NIRISS", "2023-02-25"]
    assert product.hdu("OI_WAVELENGTH").header["INSNAME"] == "NIRISS" and product.hdus[0].header["CONTENT"] == "OIFITS2"
    assert [product.hdu("OI_ARRAY").header[key] for key in ("FRAME", "ARRAYX", "ARRAYY", "ARRAYZ")] == ["SKY", 0, 0, 0]


def test_positions_of_a_catalog_are_objects_to_astropy_and_two_columns_here_and_nothing_is_masked(tmp_path):
    table = jwst_files.data_of("cat")[0].data
    given = SkyCoord(table["sky_centroid.ra"], table["sky_centroid.dec"], unit="deg")
    table.remove_columns(["sky_centroid.ra", "sky_centroid.dec"])
    table["sky_centroid"] = given.galactic
    table["nn_dist"] = MaskedColumn(table["nn_dist"], mask=[False, True, False, False])
    product = open_jwst(stage_new(tmp_path / "a_cat.ecsv", "cat", {}, [NewHdu("", table)], history=HISTORY).commit())
    read = product.table()
    np.testing.assert_allclose(read["sky_centroid.ra"], given.ra.deg, rtol=0, atol=1e-10)
    assert read["sky_centroid.dec"].unit == "deg" and "sky_centroid" not in read.colnames
    assert np.isnan(read["nn_dist"]).tolist()[1] and not hasattr(read["nn_dist"], "mask")
    assert product.history == [{"description": "found"}, HISTORY[1]]
    np.testing.assert_allclose(Table.read(product.path)["sky_centroid"].separation(given).deg, 0, atol=1e-10)


@pytest.mark.parametrize(
    ("hdus", "message"),
    [
        ([], "whtlt has one table"),
        ([NewHdu("", Table({"MJD_UTC": [1.0]}))], "whtlt has none of the columns by which it is known"),
        ([NewHdu("", Table({"whitelight_flux": ["a"]}))], "the column whitelight_flux is float64, not str32"),
    ],
)
def test_tables_that_are_no_light_curve(tmp_path, hdus, message):
    with pytest.raises(UsageError, match=message):
        stage_new(tmp_path / "a_whtlt.ecsv", "whtlt", {}, hdus)
    assert list(tmp_path.iterdir()) == []


def test_a_light_curve_of_an_order_may_have_its_name(tmp_path):
    table = Table({"MJD_UTC": [60000.0], "whitelight_flux_order_1": [2.5]})
    path = stage_new(tmp_path / "a_whtlt.ecsv", "whtlt", {}, [NewHdu("", table)]).commit()
    assert open_jwst(path).table()["whitelight_flux_order_1"][0] == 2.5


def test_aligned_references_have_three_or_four_axes(tmp_path):
    for axes, model in ((3, "CubeModel"), (4, "QuadModel")):
        shape = (2, 3, 4, 5)[-axes:]
        hdus = [NewHdu(name, np.zeros(shape, "u4" if name == "DQ" else "f4")) for name in ("SCI", "DQ", "ERR")]
        path = stage_new(tmp_path / f"{axes}_psfalign.fits", "psfalign", {}, hdus).commit()
        assert (open_jwst(path).value("DATAMODL"), open_jwst(path).array("data").shape) == (model, shape)


def test_a_product_of_one_image_has_no_second_set(tmp_path):
    hdus = [*jwst_files.data_of("rate"), NewHdu("DQ", np.zeros((8, 16), "u4"), 2)]
    with pytest.raises(UsageError, match="rate has one extension DQ"):
        stage_new(tmp_path / "a_rate.fits", "rate", {}, hdus)


def test_metadata_of_the_file_are_not_those_of_a_spectrum(tmp_path):
    """In sets, SCI of the first has keywords of the file, such as XPOSURE, and of its own slit."""
    meta = jwst_files.METADATA | {"photometry": {"pixelarea_steradians": 2.0}}
    meta["exposure"] = meta["exposure"] | {"effective_exposure_time": 5.5}
    tree = {"slits": [{"meta": {"photometry": {"pixelarea_steradians": value}}} for value in (3.0, 4.0)]}
    product = open_jwst(jwst_files.written(tmp_path, "cal", meta, sets=2, tree=tree))
    assert [product.hdu("SCI", number).values["PIXAR_SR"] for number in (1, 2)] == [3.0, 4.0]
    assert product.hdu("SCI").values["XPOSURE"] == 5.5 and "XPOSURE" not in product.hdu("SCI", 2).values


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"exposure": {"nints": 2.5}}, "exposure.nints is of the type integer, not 2.5"),
        ({"exposure": {"nints": True}}, "exposure.nints is of the type integer, not True"),
        ({"target": {"ra": "80"}}, "target.ra is of the type number, not '80'"),
        ({"target": {"proposer_name": 5}}, "target.proposer_name is of the type string, not 5"),
    ],
)
def test_metadata_of_another_type(tmp_path, meta, message):
    with pytest.raises(UsageError, match=message):
        jwst_files.written(tmp_path, "rate", meta)
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_fits_has_no_form_for_are_in_the_tree_alone(tmp_path):
    product = open_jwst(jwst_files.written(tmp_path, "rate", {"target": {"ra": np.nan, "proposer_name": "Ångström"}}))
    assert "TARG_RA" not in product.hdus[0].header and np.isnan(product.meta["target"]["ra"])
    assert product.tree["meta"]["target"]["proposer_name"] == "Ångström"


def test_an_incomplete_product_says_so(tmp_path):
    hdus = [one for one in jwst_files.data_of("ramp") if one.name not in ("GROUP", "INT_TIMES")]
    path = stage_new(tmp_path / "a_ramp.fits", "ramp", {}, hdus, without=("GROUP", "INT_TIMES")).commit()
    assert open_jwst(path).kind == "ramp"


def test_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(RtoolsError, match="cannot be written"):
        jwst_files.written(tmp_path / "nowhere", "rate")


@pytest.mark.skipif(sys.platform == "darwin", reason="ru_maxrss counts otherwise there")
def test_a_big_array_is_not_copied(tmp_path):
    array = np.zeros((2, 10, 2048, 2048), "u2")  # 160 MB, of which no page is touched before it is written
    hdus = [one if one.name != "SCI" else NewHdu("SCI", array) for one in jwst_files.data_of("uncal")]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stage_new(tmp_path / "a_uncal.fits", "uncal", {}, hdus).discard()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < array.nbytes / 1024 + 100_000


def test_rows_of_a_structured_array_become_the_bytes_that_astropy_makes_of_a_table():
    """And they can be read as such again."""
    types = [("I", "i4"), ("X", "f8"), ("B", "?"), ("S", "U2"), ("U", "u4"), ("V", "f4", (2,))]
    rows = np.array([(1, 0.5, True, "ab", 7, [1, 2]), (-2, np.nan, False, "", 2**32 - 1, [3, 4])], types)
    made, wanted = table_hdu(rows, name="X"), fits.table_to_hdu(Table(rows))
    wanted.name = "X"
    written = []
    for hdu in (made, wanted):
        buffer = io.BytesIO()
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer)
        written.append(buffer.getvalue())
    assert written[0] == written[1]


def test_rows_of_a_table_are_those_of_astropy(jwst_golden):
    """Without its units, and text as such."""
    product = open_jwst(jwst_golden("tso") / "in_calints.fits")
    rows, table = read_hdu_rows(product.path, product.hdu("INT_TIMES")), product.table("INT_TIMES")
    assert list(rows.dtype.names) == table.colnames
    for name in table.colnames:
        np.testing.assert_array_equal(rows[name], table[name])
        assert rows[name].dtype == table[name].dtype.newbyteorder("=")
