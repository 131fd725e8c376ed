"""rt-table on JWST products: any of their tables, vectors and elements, ECSV of other writers."""

import base64

import numpy as np
import pytest
import yaml
from astropy import units
from astropy.io import fits
from astropy.table import Table

from rtools.jwst import SUFFIXES, product_layout
from rtools.products.tables.files import read_catalog
from tests.support import jwst_files
from tests.support.runs import records, tool

MAIN = {
    "uncal": "INT_TIMES", "ramp": "INT_TIMES", "rateints": "INT_TIMES", "bsubints": "INT_TIMES", "i2d": "HDRTAB",
    "calints": "INT_TIMES", "crfints": "INT_TIMES", "psfsub": "INT_TIMES", "s2d": "HDRTAB", "s3d": "WCS-TABLE",
    "x1d": "EXTRACT1D", "x1dints": "EXTRACT1D", "c1d": "COMBINE1D", "ami-oi": "OI_VIS2", "amimulti-oi": "OI_VIS2",
    "amilg": "SOLNS", "aminorm-oi": "OI_VIS2",
}  # fmt: skip
"""The table that each kind shows."""

ELEMENTS = 5
"""Of the vectors of a synthetic spectrum."""


def same_columns(table, hdu):
    """Assert that a table has the columns of an HDU: values, units, names."""
    assert table.colnames == hdu.columns.names
    for column in hdu.columns:
        values, known = np.asarray(table[column.name]), np.asarray(hdu.data[column.name])
        if known.dtype.kind == "S":
            known = known.astype(str)
        np.testing.assert_array_equal(values, known)
        assert known.dtype.kind == "U" or values.dtype == known.dtype.newbyteorder("=")
        assert table[column.name].unit == (units.Unit(column.unit, parse_strict="silent") if column.unit else None)


@pytest.mark.parametrize("form", ["fits", "ecsv"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_main_table_of_every_kind_as_it_is(tmp_path, capsys, suffix, form):
    path, target = jwst_files.made(tmp_path, suffix), tmp_path / f"table.{form}"
    fits_table = product_layout(suffix).form == "fits"
    if fits_table and suffix not in MAIN:
        assert tool("table", path, "-o", target) == 3
        assert "has no table" in capsys.readouterr().err
        return
    assert tool("table", path, "-o", target) == 0
    table = read_catalog(target)
    if not fits_table:
        known = Table.read(path, format="ascii.ecsv")
        assert table.colnames == known.colnames
        same = [str(table[name].unit).replace("mag(AB)", "mag") == str(known[name].unit) for name in table.colnames]
        assert all(same)
        np.testing.assert_array_equal(np.array(table.as_array().tolist()), np.array(known.as_array().tolist()))
        return
    with fits.open(path) as hdus:
        same_columns(table, hdus[MAIN[suffix]])
    others = [hdu.name for hdu in fits.open(path) if hdu.header.get("XTENSION") == "BINTABLE" and hdu.name != "ASDF"]
    said = capsys.readouterr().err
    assert (f"{MAIN[suffix]}; --hdu has other tables" in said) == (len(others) > 1)
    assert all(name in said for name in others if len(others) > 1)


def test_a_table_by_its_name_and_version(tmp_path, capsys):
    path, target = jwst_files.made(tmp_path, "x1d", sets=3), tmp_path / "x.fits"
    assert tool("table", path, "--hdu", "extract1d,3", "-o", target) == 0
    with fits.open(path) as hdus:
        same_columns(read_catalog(target), hdus["EXTRACT1D", 3])
    with fits.open(target) as written:
        assert (written[1].name, written[1].ver, written[1].header["SOURCEID"]) == ("EXTRACT1D", 3, 103)
    assert tool("table", path, "--hdu", "EXTRACT1D,4") == 3
    assert "there are EXTRACT1D EXTRACT1D,2 EXTRACT1D,3" in capsys.readouterr().err
    assert tool("table", path, "--hdu", "ASDF") == 3


def test_hdu_is_for_fits_and_asdf_alone(tmp_path, capsys):
    assert tool("table", jwst_files.made(tmp_path, "cat"), "--hdu", "TABLE") == 3
    assert "only FITS and ASDF files have tables by name" in capsys.readouterr().err


def spectra(tmp_path, counts):
    """An x1dints file of one row for each number of elements that are data; FLUX counts on."""
    path = jwst_files.made(tmp_path, "x1dints")
    with fits.open(path) as hdus:
        new = fits.BinTableHDU.from_columns(hdus["EXTRACT1D"].columns, nrows=len(counts), name="EXTRACT1D")
        new.data["N_ALONGDISP"] = counts
        new.data["INT_NUM"] = np.arange(1, len(counts) + 1)
        new.data["FLUX"] = np.arange(len(counts) * ELEMENTS, dtype=float).reshape(len(counts), ELEMENTS)
        new.data["MJD-AVG"] = 60000 + np.arange(len(counts))
        fits.HDUList([hdus[0], new]).writeto(path, overwrite=True)
    return path


def test_vectors_are_exploded_and_their_filling_is_left_out(tmp_path):
    path, target = spectra(tmp_path, [5, 3, 4]), tmp_path / "x.ecsv"
    assert tool("table", path, "--explode", "-o", target) == 0
    table = Table.read(target, format="ascii.ecsv")
    assert table["INT_NUM"].tolist() == [1] * 5 + [2] * 3 + [3] * 4
    assert table["element"].tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 0, 1, 2, 3]
    assert table["FLUX"].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13]
    assert table["FLUX"].unit == units.Jy
    assert all(column.ndim == 1 for column in table.itercols())


def test_conditions_order_and_columns_take_exploded_rows_and_names_with_hyphens(tmp_path, capsys):
    path = spectra(tmp_path, [5, 3, 4])
    words = ["--where", "MJD-AVG > 60000.5 and FLUX <= 11", "--sort", "-MJD-AVG,-FLUX", "--columns", "MJD-AVG,FLUX"]
    assert tool("table", path, "--explode", *words, "--head", "3", "--json", "-q") == 0
    rows = records(capsys.readouterr().out)[0]["rows"]
    assert rows == [
        {"MJD-AVG": 60002.0, "FLUX": 11.0},
        {"MJD-AVG": 60002.0, "FLUX": 10.0},
        {"MJD-AVG": 60001.0, "FLUX": 7.0},
    ]
    assert tool("table", path, "--where", "FLUX > 2") == 2
    assert "FLUX has no single value a row" in capsys.readouterr().err


def test_vectors_of_another_length_stay_and_are_told(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "amimulti-oi")
    assert tool("table", path, "--hdu", "OI_T3", "--explode", "-o", tmp_path / "x.fits") == 0
    assert "still vectors: STA_INDEX" in capsys.readouterr().err
    made, known = read_catalog(tmp_path / "x.fits"), fits.getdata(path, "OI_T3")
    np.testing.assert_array_equal(made["T3PHI"], known["T3PHI"].ravel())
    np.testing.assert_array_equal(made["STA_INDEX"], np.repeat(known["STA_INDEX"], known["T3PHI"].shape[1], axis=0))


def test_json_has_null_for_what_is_not_known_in_a_vector(tmp_path, capsys):
    path = spectra(tmp_path, [5])
    with fits.open(path, mode="update") as hdus:
        hdus["EXTRACT1D"].data["FLUX"] = [1.5, np.nan, np.inf, 0.25, -3.0]
    assert tool("table", path, "--columns", "FLUX", "--json", "-q") == 0
    assert records(capsys.readouterr().out)[0]["rows"] == [{"FLUX": [1.5, None, None, 0.25, -3.0]}]


def test_a_terminal_gets_the_ends_of_vectors(tmp_path, capsys, monkeypatch):
    path = spectra(tmp_path, [5])
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert tool("table", path, "--columns", "INT_NUM,FLUX", "-q") == 0
    assert "0 … 4 (5)" in capsys.readouterr().out


def test_a_table_without_vectors_has_a_row_for_each_element_already(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "x1d")
    assert tool("table", path, "-q") == 0
    plain = capsys.readouterr().out
    assert tool("table", path, "--explode", "-q") == 0
    assert capsys.readouterr().out == plain


def test_magnitudes_of_a_spectrum(tmp_path):
    path, target = jwst_files.made(tmp_path, "x1d"), tmp_path / "x.ecsv"
    with fits.open(path, mode="update") as hdus:
        hdus["EXTRACT1D"].data["FLUX"] = 1e-6
        hdus["EXTRACT1D"].data["FLUX_ERROR"] = 1e-7
    assert tool("table", path, "--flux-unit", "ABmag", "-o", target) == 0
    table = Table.read(target, format="ascii.ecsv")
    np.testing.assert_allclose(table["ABMAG"], 23.9)  # 31.4 - 2.5 lg 1000
    np.testing.assert_allclose(table["ABMAG_ERROR"], 2.5 * np.log10(1.1))


def test_names_of_jwst_are_not_made_of_names_of_jwst(tmp_path, capsys):
    for suffix in ("cat", "x1d"):
        assert tool("table", jwst_files.made(tmp_path, suffix), "--jwst-columns") == 2
        assert "not a Roman catalog" in capsys.readouterr().err


NUMBERS = np.array([1.5, 2.5, 4.0], "<f4")
BUFFER = base64.b64encode(base64.b64encode(NUMBERS.tobytes())).decode()
TAGGED = f"""\
# %ECSV 1.0
# ---
# datatype:
# - {{name: label, datatype: int32}}
# - {{name: sky_centroid.ra, unit: deg, datatype: float64}}
# - {{name: sky_centroid.dec, unit: deg, datatype: float64}}
# meta: !!omap
# - kron_params: !!python/tuple [2.5, 1.4, 0.0]
# - aperture_params:
#     aperture_radii: !numpy.ndarray
#       buffer: !!binary |
#         {BUFFER}
#       dtype: float32
#       order: C
#       shape: !!python/tuple [3]
MORE# - __serialized_columns__:
#     sky_centroid:
#       __class__: astropy.coordinates.sky_coordinate.SkyCoord
#       dec: !astropy.table.SerializedColumn
#         __class__: astropy.coordinates.angles.core.Latitude
#         unit: &id001 !astropy.units.Unit {{unit: deg}}
#         value: !astropy.table.SerializedColumn {{name: sky_centroid.dec}}
#       frame: icrs
#       ra: !astropy.table.SerializedColumn
#         __class__: astropy.coordinates.angles.core.Longitude
#         unit: *id001
#         value: !astropy.table.SerializedColumn {{name: sky_centroid.ra}}
#         wrap_angle: !astropy.coordinates.Angle
#           unit: *id001
#           value: 360.0
#       representation_type: spherical
# schema: astropy-2.0
label sky_centroid.ra sky_centroid.dec
1 80.5 -69.25
2 80.75 -69.5
"""


@pytest.mark.parametrize("more", ["", "# - nobodys: !!python/object/apply:os.mkdir [MADE]\n"])
def test_tags_of_python_are_read_as_values_and_none_is_written(tmp_path, more):
    path, target = tmp_path / "x_cat.ecsv", tmp_path / "y_cat.ecsv"
    path.write_text(TAGGED.replace("MORE", more.replace("MADE", str(tmp_path / "made"))))
    assert tool("table", path, "--where", "label = 2", "-o", target) == 0
    assert not (tmp_path / "made").exists()
    head = [line[2:] for line in target.read_text().splitlines() if line.startswith("#")]
    assert [line for line in head if "!" in line] == ["meta: !!omap"]
    meta = {key: value for one in yaml.safe_load("\n".join(head[1:]))["meta"] for key, value in [one]}
    assert meta["kron_params"] == [2.5, 1.4, 0.0]
    assert meta["aperture_params"] == {"aperture_radii": NUMBERS.tolist()}
    table = Table.read(target, format="ascii.ecsv")
    assert table.colnames == ["label", "sky_centroid.ra", "sky_centroid.dec"]
    assert (table["sky_centroid.ra"][0], table["sky_centroid.ra"].unit) == (80.75, units.deg)
