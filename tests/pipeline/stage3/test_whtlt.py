"""rt-whtlt on files: the peer's answers, bins, orders, forms of older releases."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.products.jwst import open_jwst
from tests.support.runs import tool
from tests.support.stage3_files import golden_product

GAPS = (3, 5)
"""Integrations of the golden set of which a flux is NaN, or flagged DO_NOT_USE."""


def curve(folder, *options, source=None):
    source = source or golden_product("x1dints")
    assert tool("whtlt", source, "-o", folder / "made_whtlt.ecsv", "--overwrite", *options) == 0
    return open_jwst(folder / "made_whtlt.ecsv").table()


@pytest.mark.parametrize(
    ("peer", "options"),
    [("out_whtlt", ()), ("out_whtlt_range", ("--min-wavelength", 2.8, "--max-wavelength", 3.4))],
)
def test_white_light_is_the_missions_but_for_gaps(peer, options, jwst_golden, tmp_path):
    wanted = Table.read(jwst_golden("tso") / f"{peer}.ecsv")
    found = curve(tmp_path, *options)
    assert len(found) == len(wanted) == 39  # of two integrations of one time the second is left out
    whole = np.delete(np.arange(39), GAPS)
    for name in ("MJD_UTC", "BJD_TDB"):
        np.testing.assert_array_equal(found[name], wanted[name])
    np.testing.assert_allclose(found["whitelight_flux"][whole], wanted["whitelight_flux"][whole].value, rtol=1e-13)
    assert found["whitelight_flux"].unit == "Jy"


def test_a_missing_flux_makes_no_dip(jwst_golden, tmp_path):
    """The sum of what is there, which is the peer's, falls by three per cent where one of thirty is missing."""
    peer = Table.read(jwst_golden("tso") / "out_whtlt.ecsv")["whitelight_flux"].value
    found = curve(tmp_path)
    level = np.median(found["whitelight_flux"][:14])
    assert abs(peer[3] / level - 1) > 0.02
    assert abs(found["whitelight_flux"][3] / level - 1) < 4 * found["whitelight_flux_err"][3] / level
    assert list(found["n_pix"][list(GAPS)]) == [29, 29]


def test_bins_add_up_to_the_whole(tmp_path):
    found = curve(tmp_path, "--bins", 4)
    whole = np.delete(np.arange(len(found)), GAPS)
    total = sum(found[f"whitelight_flux_bin{number}"] for number in (1, 2, 3, 4))
    np.testing.assert_allclose(total[whole], found["whitelight_flux"][whole], rtol=1e-12)
    named = curve(tmp_path, "--bins", "2.4,2.8,3.2,3.6,4.0")
    np.testing.assert_allclose(named["whitelight_flux_bin2"], found["whitelight_flux_bin2"])
    assert named.meta["bin_edges"] == [2.4, 2.8, 3.2, 3.6, 4.0]


@pytest.mark.parametrize("words", [("--bins", "0"), ("--bins", "3,2"), ("--bins", "x"), ("--bins", "nan"),
                                   ("--bins", "inf"), ("--bins", "1e6"), ("--bins", "5000"),
                                   ("--min-wavelength", 3, "--max-wavelength", 2)])  # fmt: skip
def test_ranges_that_cannot_be_are_refused_before_the_work(words, tmp_path, capsys):
    assert tool("whtlt", golden_product("x1dints"), "--outdir", tmp_path, *words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_orders_have_columns_of_their_own(tmp_path):
    path = tmp_path / "two_x1dints.fits"
    with fits.open(golden_product("x1dints")) as hdus:
        second = hdus["EXTRACT1D"].copy()
        second.data["FLUX"] *= 2
        second.header["EXTVER"], second.header["SPORDER"] = 2, 2
        hdus["EXTRACT1D"].header["SPORDER"] = 1
        fits.HDUList([*hdus[:2], second, *hdus[2:]]).writeto(path)
    found = curve(tmp_path, "--max-wavelength", 3, source=path)
    np.testing.assert_allclose(found["whitelight_flux_order_2"], 2 * found["whitelight_flux_order_1"])


@pytest.mark.slow
def test_files_with_a_table_for_each_integration_are_read(tmp_path):
    """As releases before 1.19 wrote them."""
    path = tmp_path / "old_x1dints.fits"
    with fits.open(golden_product("x1dints")) as hdus:
        rows, made = hdus["EXTRACT1D"].data, []
        for number, row in enumerate(rows, 1):
            table = Table({name: row[name] for name in ("WAVELENGTH", "FLUX", "FLUX_ERROR", "DQ")})
            one = fits.table_to_hdu(table)
            one.header.update({"EXTNAME": "EXTRACT1D", "EXTVER": number, "INT_NUM": number})
            one.header.update({key: row[key] for key in ("MJD-AVG", "TDB-MID")})
            made.append(one)
        fits.HDUList([hdus[0], *made]).writeto(path)
    found, wanted = curve(tmp_path, source=path), curve(tmp_path)
    np.testing.assert_allclose(found["whitelight_flux"], wanted["whitelight_flux"], rtol=1e-13)
    np.testing.assert_array_equal(found["MJD_UTC"], wanted["MJD_UTC"])


def test_spectra_without_times_make_no_empty_light_curve(tmp_path, capsys):
    path = tmp_path / golden_product("x1dints").name
    with fits.open(golden_product("x1dints")) as hdus:
        hdus["EXTRACT1D"].data["MJD-AVG"] = np.nan
        for name in ("MJD-BEG", "MJD-END"):
            hdus["EXTRACT1D"].data[name] = np.nan
        hdus.writeto(path)
    assert tool("whtlt", path, "--outdir", tmp_path / "out") == 3
    assert "no integration has a time" in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*"))
