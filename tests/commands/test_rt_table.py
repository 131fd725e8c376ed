"""rt-table: catalogs in all formats and back, units, names, conditions, order."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pyarrow
import pytest
from astropy import units
from astropy.io import fits, votable
from astropy.table import Table
from pyarrow import parquet

from rtools.expressions import select
from rtools.products.making import job_of
from rtools.products.names.extensions import TABLES
from rtools.products.tables.files import read_catalog, stage_catalog
from rtools.products.tables.jwst import jwst_names
from rtools.products.tables.units import convert_flux
from tests.support.runs import piped, tool

PIXEL_AREA = 2.8e-13
META = {
    "roman.meta.filename": "r0000101001001001001_0001_wfi01_f158_cat.parquet",
    "roman.meta.photometry.pixel_area": str(PIXEL_AREA),
    "source_catalog.aperture_radii": "[0.1 0.2]",
}
COLUMNS = {
    "label": ("None", "Label of the source segment", np.array([1, 2, 3, 4], np.int32)),
    "flagged_spatial_id": ("None", None, np.array([2**60 + 1, 5, 6, 7])),
    "x_centroid": ("pix", "Column of the centroid", np.array([10.5, 20.25, np.nan, 40], np.float32)),
    "ra_centroid": ("deg", "Right ascension", np.array([270.123456789012, 0, 359.9, 12])),
    "semimajor": ("arcsec", "Semimajor axis", np.array([0.1, 0.2, 0.3, 0.4], np.float32)),
    "segment_area": ("arcsec2", "Area", np.array([1, 2, 3, 4], np.float32)),
    "is_extended": ("None", "Whether extended", np.array([True, False, False, True])),
    "segment_flux": ("nJy", "Isophotal flux", np.array([1000, 10, -5, 2.5], np.float32)),
    "segment_flux_err": ("nJy", "Its error", np.array([10, 1, 1, 0.5], np.float32)),
    "kron_flux": ("nJy", "Kron flux", np.array([100, 0, 1, 10], np.float32)),
    "kron_abmag": ("mag(AB)", "Kron magnitude", np.array([26.4, np.nan, 31.4, 28.9], np.float32)),
    "aper_bkg_flux": ("nJy / arcsec2", "Background", np.array([1, 2, 3, 4], np.float32)),
    "type": ("None", "Kind of source", np.array(["star", "galaxy", "star", "nova"])),
}


@pytest.fixture
def catalog(tmp_path):
    """A catalog laid out as the archive's, written without the code under test."""
    fields, arrays, cols = [], [], []
    for name, (unit, description, values) in COLUMNS.items():
        array = pyarrow.array(values.tolist() if values.dtype.kind == "U" else values)
        fields.append(pyarrow.field(name, array.type, metadata={"unit": unit}))
        arrays.append(array)
        said = f", description: {description}" if description else ""
        cols.append(f"- {{name: {name}, datatype: {values.dtype.name}{said}}}")
    meta = META | {"table_meta_yaml": "\n".join(["datatype:", *cols, "meta: {aperture_mask_method: mask}"])}
    path = tmp_path / "x_cat.parquet"
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields, metadata=meta)), path)
    return path


def converted(source, form):
    """Path of a catalog written in another format by the tool."""
    path = source.with_name(f"{source.stem}_{form}{TABLES[form][0]}")
    assert tool("table", source, "-o", path, "-q") == 0
    return path


def test_archive_layout_is_read_with_units_descriptions_and_metadata(catalog):
    table = read_catalog(catalog)
    assert table.colnames == list(COLUMNS)
    for name, (unit, description, values) in COLUMNS.items():
        assert table[name].unit == (None if unit == "None" else units.Unit(unit))
        assert table[name].description == description
        assert table[name].dtype == values.dtype
        np.testing.assert_array_equal(table[name], values)
    assert dict(table.meta) == META | {"aperture_mask_method": "mask"}


def test_columns_that_are_not_wanted_are_not_read_and_the_others_keep_values_and_units(catalog):
    whole = read_catalog(catalog)
    part = read_catalog(catalog, wanted=lambda name: name == whole.colnames[1])
    assert part.colnames == whole.colnames[1:2]
    assert part.columns[0].unit == whole.columns[1].unit
    assert part.columns[0].tolist() == whole.columns[1].tolist()
    assert part.meta["roman.meta.filename"] == whole.meta["roman.meta.filename"]


@pytest.mark.parametrize("form", TABLES)
def test_round_trip_keeps_values_types_units_and_descriptions(catalog, form):
    first = read_catalog(catalog)
    again = read_catalog(converted(converted(catalog, form), "parquet"))
    assert again.colnames == first.colnames
    for name in first.colnames:
        one, two = first[name], again[name]
        np.testing.assert_array_equal(two.astype(one.dtype), one)
        if form != "csv":
            assert one.dtype == two.dtype
            assert two.unit == one.unit
            assert two.description == one.description
    if form != "csv":
        kept = [key for key in META if key != "roman.meta.filename"]
        assert {key: again.meta[key] for key in kept} == {key: META[key] for key in kept}


def test_fits_is_what_others_read(catalog):
    with fits.open(converted(catalog, "fits")) as found:
        found.verify("exception")
        header, data = found[1].header, found[1].data
        number = list(COLUMNS).index("segment_flux") + 1
        assert header[f"TUNIT{number}"] == "nJy"
        assert header[f"TCOMM{number}"] == "Isophotal flux"
        assert header["roman.meta.filename"] == "x_cat_fits.fits"
        assert "rt-table" in str(header["HISTORY"])
        np.testing.assert_array_equal(data["segment_flux"], COLUMNS["segment_flux"][2])
        assert data["flagged_spatial_id"][0] == 2**60 + 1
        assert header[f"TFORM{list(COLUMNS).index('is_extended') + 1}"] == "L"


def test_votable_is_what_others_read(catalog):
    table = votable.parse(converted(catalog, "votable")).get_first_table()
    fields = {field.name: field for field in table.fields}
    assert fields["ra_centroid"].unit == "deg"
    assert fields["kron_abmag"].unit == "mag"
    assert fields["segment_flux"].description == "Isophotal flux"
    np.testing.assert_array_equal(table.array["ra_centroid"], COLUMNS["ra_centroid"][2])


def test_parquet_has_the_archive_layout(catalog):
    written = parquet.read_schema(converted(catalog, "parquet"))
    assert {written.field(name).metadata[b"unit"].decode() for name in ("label", "type")} == {"None"}
    assert written.field("aper_bkg_flux").metadata[b"unit"] == b"nJy / arcsec2"
    assert written.field("kron_abmag").metadata[b"unit"] == b"mag(AB)"
    assert written.metadata[b"roman.meta.filename"] == b"x_cat_parquet.parquet"
    assert json.loads(written.metadata[b"history.0"])["tool"] == "rt-table"
    assert b"table_meta_yaml" in written.metadata


def test_nested_metadata_of_an_ecsv_become_flat_keys(tmp_path):
    table = Table(
        {"a": [1]}, meta={"roman": {"meta": {"exposure": {"type": "WFI_IMAGE", "read_pattern": [[1], [2, 3]]}}}}
    )
    table.write(tmp_path / "a.ecsv")
    said = parquet.read_schema(converted(tmp_path / "a.ecsv", "parquet")).metadata
    assert said[b"roman.meta.exposure.type"] == b"WFI_IMAGE"
    assert said[b"roman.meta.exposure.read_pattern.1.0"] == b"2"


def test_csv_says_that_it_keeps_no_units(catalog, tmp_path, capsys):
    assert tool("table", catalog, "-o", tmp_path / "x.csv") == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'x.csv'}\n"
    assert "units" in captured.err


def test_unknown_values_stay_unknown(tmp_path):
    array = pyarrow.table({"n": pyarrow.array([1, None, 3]), "t": pyarrow.array(["a", None, "c"])})
    parquet.write_table(array, tmp_path / "n.parquet")
    for form in ("ecsv", "parquet", "votable"):
        table = read_catalog(converted(tmp_path / "n.parquet", form))
        assert table["n"].mask.tolist() == [False, True, False]
        assert table["n"].dtype == np.int64


def test_votable_of_all_that_text_can_be(tmp_path):
    table = Table({
        "t": ["a<b", "&amp;", "x > y"],
        "f": np.array([np.nan, np.inf, -np.inf], "f4"),
        "d": np.array([0.1, 1e-300, 12345678.9]),
        "b": [True, False, True],
        "u": np.array([1, 2, 60000], "u2"),
    })  # fmt: skip
    stage_catalog(tmp_path / "x.vot", table, "votable").commit()
    again = read_catalog(tmp_path / "x.vot")
    for name in table.colnames:
        np.testing.assert_array_equal(again[name], table[name])
    assert votable.is_votable(str(tmp_path / "x.vot"))
    said = io.StringIO()
    assert votable.validate(str(tmp_path / "x.vot"), output=said), said.getvalue()


@pytest.mark.parametrize("form", ["ecsv", "parquet", "fits"])
@pytest.mark.parametrize("words", [(), ("--describe",)])
def test_a_table_of_no_product_says_what_made_it(tmp_path, form, words, capsys):
    stage_catalog(tmp_path / "a.parquet", Table({"label": [1, 2]}), "parquet").commit()
    made = tmp_path / f"b.{form}"
    assert tool("table", tmp_path / "a.parquet", *words, "-o", made) == 0
    assert job_of(made)["inputs"][0]["file"] == "a.parquet"
    capsys.readouterr()
    assert tool("history", made) == 0
    line = f"cd {tmp_path} && rt-table a.parquet {' '.join((*words, '-o'))} {made.name}\n"
    assert capsys.readouterr().out == line


def test_metadata_keep_their_spaces_in_every_format(tmp_path):
    flat = {"roman.meta.wcsinfo.s_region": "POLYGON ICRS  1 2  3 4", "source_catalog.radii": "[ 0.9  1.8]"}
    stage_catalog(tmp_path / "a.parquet", Table({"label": [1, 2]}, meta=flat), "parquet").commit()
    for form in ("ecsv", "fits", "votable", "parquet"):
        assert flat.items() <= dict(read_catalog(converted(tmp_path / "a.parquet", form)).meta).items()


def test_other_metadata_of_a_parquet_file_are_kept(tmp_path):
    array = pyarrow.table({"a": [1]}).replace_schema_metadata({"author": "me"})
    parquet.write_table(array, tmp_path / "a.parquet")
    assert read_catalog(converted(tmp_path / "a.parquet", "parquet")).meta["author"] == "me"


def test_nested_metadata_of_an_ecsv_tell_the_pixel_area(tmp_path):
    table = Table({"segment_area": [1.0] * units.arcsec**2})
    table.meta = {"roman": {"meta": {"photometry": {"pixel_area": PIXEL_AREA}}}}
    table.write(tmp_path / "a.ecsv")
    named, messages = jwst_names(read_catalog(tmp_path / "a.ecsv"))
    assert messages == []
    assert named["isophotal_area"].unit == units.pix**2


def test_texts_beyond_ascii(tmp_path, capsys):
    Table({"t": ["é", "b"]}).write(tmp_path / "t.ecsv")
    for form in ("parquet", "csv", "votable", "ecsv"):
        assert read_catalog(converted(tmp_path / "t.ecsv", form))["t"].tolist() == ["é", "b"]
    assert tool("table", tmp_path / "t.ecsv", "-o", tmp_path / "t.fits") == 0
    assert "ASCII" in capsys.readouterr().err
    assert read_catalog(tmp_path / "t.fits")["t"].tolist() == ["?", "b"]


def test_columns_with_several_values_a_row(tmp_path):
    table = Table({"a": np.arange(6.0).reshape(3, 2)})
    for form in ("parquet", "fits", "votable", "ecsv"):
        path = tmp_path / f"a{TABLES[form][0]}"
        stage_catalog(path, table, form).commit()
        np.testing.assert_array_equal(read_catalog(path)["a"], table["a"])


@pytest.mark.parametrize("form", TABLES)
def test_a_table_without_rows(catalog, tmp_path, form):
    empty = tmp_path / f"empty{TABLES[form][0]}"
    assert tool("table", catalog, "--head", 0, "-o", empty, "-q") == 0
    table = read_catalog(empty)
    assert len(table) == 0
    assert table.colnames == list(COLUMNS)


# -- units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "factor"), [("nJy", 1), ("uJy", 1e-3), ("Jy", 1e-9)])
def test_fluxes_are_given_in_the_unit_asked_for(catalog, unit, factor):
    table = read_catalog(catalog)
    convert_flux(table, unit)
    for name in ("segment_flux", "segment_flux_err", "kron_flux", "aper_bkg_flux"):
        np.testing.assert_allclose(table[name], COLUMNS[name][2].astype(float) * factor, rtol=1e-6)
        assert table[name].dtype == np.float32
    assert table["segment_flux"].unit == units.Unit(unit)
    assert table["aper_bkg_flux"].unit == units.Unit(unit) / units.arcsec**2
    assert table["kron_abmag"].unit == units.ABmag


def test_magnitudes_and_their_errors_follow_from_fluxes(catalog):
    table = read_catalog(catalog)
    convert_flux(table, "ABmag")
    np.testing.assert_allclose(table["segment_abmag"], [23.9, 28.9, np.nan, 31.4 - 2.5 * np.log10(2.5)], rtol=1e-6)
    expected = [2.5 * np.log10(1.01), 2.5 * np.log10(1.1), np.nan, 2.5 * np.log10(1.2)]
    np.testing.assert_allclose(table["segment_abmag_err"], expected, rtol=1e-5)
    assert table["segment_abmag"].unit == units.ABmag
    assert not [name for name in table.colnames if "flux" in name]
    np.testing.assert_array_equal(table["kron_abmag"], COLUMNS["kron_abmag"][2])


def test_a_magnitude_agrees_with_astropy():
    table = Table({"psf_flux": [3631e9, 123.0] * units.nJy})
    convert_flux(table, "ABmag")
    np.testing.assert_allclose(table["psf_abmag"], ([3631e9, 123.0] * units.nJy).to_value(units.ABmag), atol=2e-4)


def test_catalogs_in_microjansky_are_converted_too():
    table = Table({"kron_flux": [1.0] * units.uJy})
    convert_flux(table, "nJy")
    assert table["kron_flux"][0] == pytest.approx(1000)


@pytest.mark.parametrize(("unit", "value"), [("uJy", 0.001), ("ABmag", 31.4)])
def test_whole_numbers_become_floats(unit, value):
    table = Table({"kron_flux": np.array([1, 2]) * units.nJy})
    table["kron_flux"] = table["kron_flux"].astype(int)
    convert_flux(table, unit)
    assert table[table.colnames[0]][0] == pytest.approx(value)


def test_coordinates_and_times_become_columns(tmp_path):
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

    table = Table({"label": [1, 2]})
    table["sky"] = SkyCoord([1.5, 2] * units.deg, [3, 4] * units.deg)
    table["when"] = Time(["2027-01-01", "2027-01-02"])
    table.write(tmp_path / "a.ecsv")
    again = read_catalog(tmp_path / "a.ecsv")
    assert again.colnames[:3] == ["label", "sky.ra", "sky.dec"]
    assert again["sky.ra"].unit == units.deg
    assert again["sky.ra"].tolist() == [1.5, 2.0]
    assert not [key for key in again.meta if key.startswith("__")]
    assert len(read_catalog(converted(tmp_path / "a.ecsv", "parquet"))) == 2


def test_columns_of_jwst_have_their_names_and_units(catalog):
    table, messages = jwst_names(read_catalog(catalog))
    assert messages == []
    np.testing.assert_allclose(table["isophotal_flux"], COLUMNS["segment_flux"][2] * 1e-9, rtol=1e-6)
    assert table["isophotal_flux"].unit == units.Jy
    assert table["isophotal_abmag"][0] == pytest.approx(23.9)
    square_arcsec = PIXEL_AREA * (180 / np.pi * 3600) ** 2
    np.testing.assert_allclose(table["isophotal_area"], COLUMNS["segment_area"][2] / square_arcsec, rtol=1e-6)
    np.testing.assert_allclose(table["semimajor_sigma"], COLUMNS["semimajor"][2] / square_arcsec**0.5, rtol=1e-6)
    assert table["isophotal_area"].unit == units.pix**2
    np.testing.assert_array_equal(table["sky_centroid.ra"], COLUMNS["ra_centroid"][2])
    assert not {"kron_flux", "flagged_spatial_id"} & set(table.colnames)


def test_jwst_columns_of_a_catalog_of_one_band():
    table = Table({"segment_f158_flux": [1000.0] * units.nJy, "is_extended_f158": [True], "roundness1_f158": [0.1]})
    named, messages = jwst_names(table, "ABmag")
    assert named.colnames == ["isophotal_abmag", "is_extended", "roundness"]
    assert named["isophotal_abmag"][0] == pytest.approx(23.9)
    assert len(messages) == 1


def test_jwst_columns_of_several_bands_say_which(capsys):
    fluxes = {"segment_f158_flux": 1000.0, "segment_f158_flux_err": 10.0, "aper04_f106m_flux": 5.0, "kron_f158_flux": 1}
    table = Table({name: [value] * units.nJy for name, value in fluxes.items()})
    table["sharpness_f106"], table["x_psf_f158"], table["roundness1_f158"] = [0.5], [3.0], [0.1]
    named, messages = jwst_names(table)
    assert named.colnames == [
        "isophotal_f158_flux",
        "isophotal_f158_flux_err",
        "aper04_f106m_flux",
        "sharpness_f106",
        "roundness_f158",
        "isophotal_f158_abmag",
        "isophotal_f158_abmag_err",
    ]
    assert named["isophotal_f158_flux"][0] == pytest.approx(1e-6)
    assert named["isophotal_f158_abmag"][0] == pytest.approx(23.9)
    assert "f106, f106m, f158" in messages[0]


# -- conditions, order, columns ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("kron_flux > 1", [1, 4]),
        ("kron_flux>=1", [1, 3, 4]),
        ("1 < kron_flux", [1, 4]),
        ("label = 2", [2]),
        ("label != 2 and kron_flux < 50", [3, 4]),
        ("label == 1 or label == 2 and kron_flux > 5", [1]),
        ("(label == 1 or label == 2) and kron_flux < 5", [2]),
        ("is_extended == true", [1, 4]),
        ("type == 'star'", [1, 3]),
        ('type != "star" OR label = 1', [1, 2, 4]),
        ("segment_flux > kron_flux", [1, 2]),
        ("flagged_spatial_id == 1152921504606846977", [1]),
        ("x_centroid > -1e3", [1, 2, 4]),
        ("segment_flux < -.5", [3]),
    ],
)
def test_conditions_choose_rows(text, labels):
    columns = {name: values for name, (_unit, _description, values) in COLUMNS.items()}
    assert columns["label"][select(text, columns)].tolist() == labels


@pytest.mark.parametrize(
    "text",
    ["", "kron_flux", "kron_flux >", "> 5", "kron_flux > 5 and", "1 < 2", "kron_flux > 5 label < 2", "(label > 1",
     "label > 1)", "type > 5", "label == 'star'", "label > 1; label", "label > 1x"],
)  # fmt: skip
def test_what_is_no_condition_is_a_usage_error(catalog, text, capsys):
    assert tool("table", catalog, "--where", text) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_nothing_is_called_that_is_no_function(catalog, capsys):
    assert tool("table", catalog, "--where", "label > __import__('os')") == 2
    assert "there is no function __import__ (at 9," in capsys.readouterr().err


def test_masked_values_satisfy_no_comparison():
    column = np.ma.array([1, 2, 3], mask=[False, True, False])
    assert select("a < 3 or a > 1", {"a": column}).tolist() == [True, False, True]


@pytest.mark.parametrize("option", [("--columns", "kron_flx"), ("--where", "kron_flx > 1"), ("--sort", "-kron_flx")])
def test_a_column_that_is_not_there_is_exit_3_with_the_nearest(catalog, option, capsys):
    assert tool("table", catalog, *option) == 3
    assert "did you mean kron_flux?" in capsys.readouterr().err


def rows(capsys):
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("keys", "labels"),
    [("kron_flux", "2341"), ("-kron_flux", "1432"), ("x_centroid", "1243"), ("-x_centroid", "4213"),
     ("is_extended,-label", "3241"), ("type,label", "2413"), ("-type,label", "1342")],
)  # fmt: skip
def test_rows_are_sorted_by_keys(catalog, keys, labels, capsys):
    assert tool("table", catalog, "--sort", keys, "--columns", "label") == 0
    assert rows(capsys) == [["label"], *([label] for label in labels)]


def test_all_of_it_together_in_a_pipe(catalog, capsys):
    words = ("--flux-unit", "ABmag", "--where", "segment_abmag < 29.5", "--sort", "-segment_abmag", "--head", 1)
    assert tool("table", catalog, *words, "--columns", "seg*_abmag*,label") == 0
    assert rows(capsys) == [["segment_abmag", "segment_abmag_err", "label"], ["28.9", "0.10348171", "2"]]


def test_json_has_numbers_and_null(catalog, capsys):
    assert tool("table", catalog, "--columns", "label,x_centroid,is_extended,type", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"][2] == {"label": 3, "x_centroid": None, "is_extended": False, "type": "star"}
    assert found["columns"][1] == {"name": "x_centroid", "unit": "pix", "description": "Column of the centroid"}


def test_expressions_add_choose_and_sort(catalog, capsys):
    words = ("--add", "double = 2 * kron_flux", "--add", "more=double+1", "--where", "double > 1 && not isnan(more)")
    assert tool("table", catalog, *words, "--sort", "-abs(double),label", "--columns", "label,double,more") == 0
    head, *found = rows(capsys)
    assert head == ["label", "double", "more"]
    assert all(float(more) == float(double) + 1 for _label, double, more in found)
    assert [float(row[1]) for row in found] == sorted((float(row[1]) for row in found), reverse=True)


@pytest.mark.parametrize("text", ["label=1", "=label", "label", "x=", "x==2"])
def test_what_is_not_added_is_a_usage_error(catalog, text, capsys):
    assert tool("table", catalog, "--add", text) == 2
    assert "--add" in capsys.readouterr().err


def test_added_columns_keep_their_unit_and_say_what_they_are(catalog, tmp_path):
    assert tool("table", catalog, "--add", "sum=kron_flux+segment_flux", "-o", tmp_path / "x.ecsv", "-q") == 0
    table = read_catalog(tmp_path / "x.ecsv")
    assert (table["sum"].unit, table["sum"].description) == (units.nJy, "kron_flux+segment_flux")


def test_columns_are_described_and_measured(catalog, capsys):
    assert tool("table", catalog, "--describe") == 0
    found = {row[0]: row[1:] for row in rows(capsys)}
    assert found["x_centroid"][0] == "pix" and found["x_centroid"][-1] == "Column of the centroid"
    assert tool("table", catalog, "--stats", "--columns", "label", "--json") == 0
    (line,) = json.loads(capsys.readouterr().out)["rows"]
    assert (line["known"], line["least"], line["median"], line["largest"]) == (4, 1, 2.5, 4)
    assert tool("table", catalog, "--stats", "--describe") == 2


def test_files_are_stacked_with_a_column_that_says_which(catalog, tmp_path, capsys):
    other = tmp_path / "other.csv"
    other.write_text("label,kron_flux\n7,1.5\n")
    words = ("--columns", "file,label,type", "--where", "label > 3")
    assert tool("table", catalog, other, "--stack", *words) == 0
    assert [row[:2] for row in rows(capsys)[1:]] == [[str(catalog), "4"], [str(other), "7"]]
    assert tool("table", catalog, other, "-o", tmp_path / "all.ecsv", "-q") == 0
    assert len(read_catalog(tmp_path / "all.ecsv")) == 5
    assert tool("table", catalog, other, "-o", other, "--overwrite") == 2
    assert tool("table", catalog, tmp_path / "none.csv", "-o", tmp_path / "half.ecsv") == 3
    assert not (tmp_path / "half.ecsv").exists()


def test_rows_are_regions_of_ds9_and_json(tmp_path, capsys):
    given = tmp_path / "s.csv"
    given.write_text("RA_ICRS,DE_ICRS,label\n10.5,-2.25,{7}\n,,8\n")
    assert tool("table", given, "--format", "reg", "-q") == 0
    assert capsys.readouterr().out.splitlines()[2:] == ["icrs", 'circle(10.50000000,-2.25000000,0.500") # text={(7)}']
    assert tool("table", given, "-o", tmp_path / "s.json", "-q") == 0
    first, second = json.loads((tmp_path / "s.json").read_text())
    assert first == {"RA_ICRS": 10.5, "DE_ICRS": -2.25, "label": "{7}"}
    assert second == {"RA_ICRS": None, "DE_ICRS": None, "label": "8"}
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    assert tool("table", tmp_path / "x.csv", "-o", tmp_path / "x.reg") == 3
    assert "there are a, b" in capsys.readouterr().err and not (tmp_path / "x.reg").exists()


def test_a_table_in_the_tree_of_any_asdf_file_is_read(tmp_path, capsys):
    import asdf

    lists = {"one": Table({"id": [1, 2], "mag": [3.0, 4.0]}), "two": {"a": np.arange(3), "b": np.arange(3.0)}}
    asdf.AsdfFile({"roman": {"lists": lists, "data": np.zeros((4, 4))}}).write_to(tmp_path / "x.asdf")
    assert tool("table", tmp_path / "x.asdf") == 3
    assert "roman.lists.one roman.lists.two" in capsys.readouterr().err
    assert tool("table", tmp_path / "x.asdf", "--hdu", "roman.lists.one") == 0
    assert rows(capsys) == [["id", "mag"], ["1", "3.0"], ["2", "4.0"]]
    assert tool("table", tmp_path / "x.asdf", "--hdu", "roman.lists.two", "--columns", "b") == 0
    assert rows(capsys)[1:] == [["0.0"], ["1.0"], ["2.0"]]


# -- files ------------------------------------------------------------------------------------------------------------


def test_standard_input_to_standard_output(catalog, monkeypatch):
    with piped(monkeypatch, catalog.read_bytes()) as out:
        assert tool("table", "-", "--format", "fits", "-o", "-") == 0
    assert len(Table.read(io.BytesIO(out.getvalue()), format="fits")) == 4


def test_a_pipe_gets_ecsv_unless_another_format_is_said(catalog, monkeypatch):
    with piped(monkeypatch, catalog.read_bytes()) as out:
        assert tool("table", "-", "-o", "-") == 0
    assert out.getvalue().startswith(b"# %ECSV")


def test_csv_of_one_column_is_known_by_its_name(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("n\n3\n1\n")
    assert tool("table", tmp_path / "a.csv", "--sort", "n") == 0
    assert capsys.readouterr().out == "n\n1\n3\n"


def test_outdir_takes_the_stem_and_refuses_what_exists(catalog, tmp_path, capsys):
    words = ("--format", "ecsv", "--outdir", tmp_path / "new")
    assert tool("table", catalog, *words) == 0
    assert capsys.readouterr().out == f"{tmp_path}/new/x_cat.ecsv\n"
    before = (tmp_path / "new" / "x_cat.ecsv").read_bytes()
    assert tool("table", catalog, *words, "--head", 1) == 1
    assert (tmp_path / "new" / "x_cat.ecsv").read_bytes() == before
    assert tool("table", catalog, *words, "--head", 1, "--overwrite") == 0
    assert len(read_catalog(tmp_path / "new" / "x_cat.ecsv")) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x_cat.ecsv"]


@pytest.mark.parametrize(
    "words",
    [("-o", "x.dat"), ("--outdir", "d"), ("--format", "fits"), ("-o", "a.csv", "--outdir", "d"),
     ("-o", "-", "--format", "csv", "--json"), ("--head", "-1"), ("--flux-unit", "mJy"), ("--format", "hdf5")],
)  # fmt: skip
def test_what_does_not_go_together_is_a_usage_error(catalog, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tool("table", catalog, *words) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["x_cat.parquet"]


@pytest.mark.parametrize(
    "data", [b"", b"#ASDF 1.0.0\n", b"PAR1 and no more", b"SIMPLE  = nothing", b"\0\1\2", b"\n\n", b"text\n"]
)
def test_what_is_no_table_is_exit_3(data, tmp_path, capsys):
    (tmp_path / "bad.parquet").write_bytes(data)
    assert tool("table", tmp_path / "bad.parquet") == 3
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "bad.parquet: " in lines[0]


def test_truncated_and_missing(catalog, tmp_path):
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(catalog.read_bytes()[:-100])
    assert tool("table", cut) == 3
    assert tool("table", tmp_path / "none.parquet") == 3
    assert tool("table", tmp_path) == 3


def test_a_file_that_its_format_cannot_hold_leaves_nothing(tmp_path):
    Table({"a": np.arange(3) + 1j}).write(tmp_path / "a.fits")
    assert tool("table", tmp_path / "a.fits", "-o", tmp_path / "b.csv") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.fits"]


def test_a_terminal_gets_panels_no_wider_than_it_is(catalog):
    """In a pseudo-terminal of 60 columns, without colour."""
    inner = f"from rtools.commands.table import main; main([{str(catalog)!r}])"
    code = f"import pty, sys\npty.spawn([sys.executable, '-c', {inner!r}])"
    terminal = {"COLUMNS": "60", "NO_COLOR": "1", "TERM": "xterm"}
    words = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL, "env": os.environ | terminal}
    done = subprocess.run([sys.executable, "-c", code], check=True, **words)
    lines = done.stdout.replace("\r", "").splitlines()
    assert "\x1b" not in done.stdout
    assert max(map(len, lines[1:])) <= 60
    heads = [line for line in lines if line.startswith("label")]
    assert len(heads) > 1
    assert set(" ".join(heads).split()) == set(COLUMNS)
