"""rt-c1d on files: the peer's tables, grids, sources and orders, what is refused."""

import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from tests.support.judges import asked_of_jwst
from tests.support.runs import tool
from tests.support.stage3_files import golden_product

pytestmark = pytest.mark.slow

VALUES = ("FLUX", "ERROR", "SURF_BRIGHT", "SB_ERROR", "WEIGHT", "N_INPUT")
INPUTS = ("extracted", "extracted2", "extracted3")


def combined(folder, *options, sources=None):
    path = folder / "made_c1d.fits"
    sources = sources or [golden_product(one) for one in INPUTS]
    assert tool("c1d", *sources, "-o", path, "--overwrite", *options) == 0
    return path


def table(path, version=1):
    return Table.read(path, hdu=("COMBINE1D", version), mask_invalid=False)


def test_combined_spectra_are_the_missions_but_for_the_ends(jwst_golden, tmp_path):
    """The first and last point of the peer lack what lies before and behind them by a hundredth of a pixel."""
    path = combined(tmp_path)
    found, wanted = table(path), table(jwst_golden("spec") / "out_c1d.fits")
    assert found.colnames == wanted.colnames
    np.testing.assert_array_equal(found["WAVELENGTH"], wanted["WAVELENGTH"])
    for name in VALUES:
        np.testing.assert_allclose(found[name][1:-1], wanted[name][1:-1], rtol=1e-13, err_msg=name)
    np.testing.assert_array_equal(found["DQ"], wanted["DQ"])
    assert found["N_INPUT"][[0, -1]].tolist() == [3, 3]
    assert (wanted["N_INPUT"][[0, -1]] < 3).all()
    assert [str(found[name].unit) for name in ("WAVELENGTH", "FLUX", "ERROR")] == ["um", "Jy", "Jy"]
    verdict = asked_of_jwst("files", path)[str(path)]
    assert (verdict["ok"], verdict["model"]) == (True, "MultiCombinedSpecModel")
    assert tool("validate", path) == 0
    assert fits.getval(path, "S_COMB1D") == "COMPLETE"
    assert fits.getval(path, "EFFEXPTM") == 600


def test_clipping_takes_what_stands_out_and_leaves_the_rest(jwst_golden, tmp_path):
    """Three fluxes were tripled. The peer, with one deviation for all points, leaves out sixteen good ones, too."""
    found = table(combined(tmp_path, "--sigma-clip", 5, "--exptime-key", "unit_weight"))
    wanted = table(jwst_golden("spec") / "out_c1d_clip.fits")
    plain = table(combined(tmp_path, "--exptime-key", "unit_weight"))
    ours, theirs = (np.flatnonzero(one["N_INPUT"][1:-1] < plain["N_INPUT"][1:-1]) + 1 for one in (found, wanted))
    assert ours.tolist() == [50, 51, 52]
    assert set(ours) < set(theirs)
    assert len(theirs) > 15
    same = np.setdiff1d(np.arange(1, 119), np.setdiff1d(theirs, ours))
    for name in VALUES:
        np.testing.assert_allclose(found[name][same], wanted[name][same], rtol=1e-13, err_msg=name)


@pytest.mark.parametrize("words", [("--grid", "first"), ("--grid", "log"), ("--method", "overlap"),
                                   ("--grid", "log", "--method", "overlap")])  # fmt: skip
def test_other_grids_have_the_same_light(words, tmp_path):
    plain, found = table(combined(tmp_path)), table(combined(tmp_path, *words))
    light = [float(np.trapezoid(one["FLUX"], one["WAVELENGTH"])) for one in (plain, found)]
    assert light[1] == pytest.approx(light[0], rel=0.01)
    np.testing.assert_allclose(np.interp(6.0, found["WAVELENGTH"], found["FLUX"]),
                               np.interp(6.0, plain["WAVELENGTH"], plain["FLUX"]), rtol=0.03)  # fmt: skip


def test_a_grid_of_a_file(tmp_path):
    grid = np.linspace(5.3, 7.1, 50)
    Table({"wavelength": grid}).write(tmp_path / "grid.ecsv")
    found = table(combined(tmp_path, "--grid", tmp_path / "grid.ecsv", "--method", "overlap"))
    np.testing.assert_allclose(found["WAVELENGTH"], grid)


def test_a_grid_in_another_unit_is_converted(tmp_path, capsys):
    path = tmp_path / "grid.ecsv"
    Table({"wavelength": np.linspace(5300, 7100, 50)}, units={"wavelength": "nm"}).write(path)
    np.testing.assert_allclose(table(combined(tmp_path, "--grid", path))["WAVELENGTH"], np.linspace(5.3, 7.1, 50))
    Table({"wavelength": [1.0, 2.0]}, units={"wavelength": "s"}).write(path, overwrite=True)
    assert tool("c1d", golden_product("extracted"), "-o", tmp_path / "other_c1d.fits", "--grid", path) == 3
    assert "no length" in capsys.readouterr().err


def test_sources_and_orders_are_combined_apart(tmp_path):
    paths = []
    for number, source in enumerate(INPUTS):
        path = tmp_path / f"{number}_x1d.fits"
        with fits.open(golden_product(source)) as hdus:
            second = hdus["EXTRACT1D"].copy()
            second.data["FLUX"] *= 2
            second.header.update(EXTVER=2, SPORDER=2)
            fits.HDUList([*hdus[:2], second]).writeto(path)
        paths.append(path)
    path = combined(tmp_path, sources=paths)
    np.testing.assert_allclose(table(path, 2)["FLUX"], 2 * table(path)["FLUX"])
    assert [fits.getval(path, "SPORDER", ("COMBINE1D", version)) for version in (1, 2)] == [1, 2]


@pytest.mark.parametrize(("sources", "tables"), [((None, None), 2), ((7, 7), 1), ((7, 8), 2)])
def test_spectra_of_fixed_slits_are_not_mixed(sources, tables, tmp_path):
    """Where no source was named, two slits made one table of the mean of both."""
    paths = []
    for number, called in enumerate(INPUTS[:2]):
        path = tmp_path / f"{number}_x1d.fits"
        with fits.open(golden_product(called)) as hdus:
            second = hdus["EXTRACT1D"].copy()
            second.data["FLUX"] *= 3
            for version, one, slit in ((1, hdus["EXTRACT1D"], "S200A1"), (2, second, "S400A1")):
                one.header.update(EXTVER=version, SLTNAME=slit)
                one.header.pop("SOURCEID", None)
                if sources[version - 1] is not None:
                    one.header["SOURCEID"] = sources[version - 1]
            fits.HDUList([*hdus[:2], second]).writeto(path)
        paths.append(path)
    path = combined(tmp_path, sources=paths)
    with fits.open(path) as hdus:
        assert sum(hdu.name == "COMBINE1D" for hdu in hdus) == tables
        assert hdus["COMBINE1D", 1].header.get("SLTNAME") == ("S200A1" if tables == 2 else None)
    if tables == 2:
        np.testing.assert_allclose(table(path, 2)["FLUX"], 3 * table(path)["FLUX"])
        assert fits.getval(path, "SLTNAME", ("COMBINE1D", 2)) == "S400A1"
        verdict = asked_of_jwst("files", path)[str(path)]
        assert (verdict["ok"], verdict["trusted"]) == (True, True)
        assert tool("validate", path) == 0


def test_what_cannot_be_combined_is_refused(tmp_path, capsys):
    path = tmp_path / golden_product("extracted").name
    shutil.copy(golden_product("extracted"), path)
    out = tmp_path / "out_c1d.fits"
    with fits.open(path, mode="update") as hdus:
        hdus["EXTRACT1D"].header["TUNIT2"] = "DN/s"
    assert tool("c1d", golden_product("extracted2"), path, "-o", out) == 3
    with fits.open(path, mode="update") as hdus:
        hdus["EXTRACT1D"].header["TUNIT2"] = "Jy"
        del hdus[0].header["EFFEXPTM"], hdus["ASDF"]
    assert tool("c1d", golden_product("extracted2"), path, "-o", out) == 3
    assert tool("c1d", golden_product("extracted2"), path, "-o", out, "--grid", "nowhere.fits") == 2
    assert tool("c1d", golden_product("extracted2"), golden_product("slit"), "-o", out) == 3
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4
    assert "fluxes are in DN/s" in said[0]
    assert "EFFEXPTM" in said[1]
    assert not out.exists()


def test_an_error_that_is_not_known_is_not_0(tmp_path):
    """It made the error of the mean too small."""
    path = tmp_path / golden_product("extracted").name
    with fits.open(golden_product("extracted")) as hdus:
        hdus["EXTRACT1D"].data["FLUX_ERROR"][40:60] = np.nan
        hdus.writeto(path)
    sources = [path, *map(golden_product, INPUTS[1:])]
    found, plain = (table(combined(tmp_path, "--grid", "first", sources=one)) for one in (sources, None))
    unknown = np.isnan(found["ERROR"])
    assert 15 <= unknown.sum() <= 25
    np.testing.assert_array_equal(found["FLUX"], plain["FLUX"])
    np.testing.assert_array_equal(found["ERROR"][~unknown], plain["ERROR"][~unknown])
    assert np.isfinite(found["SB_ERROR"]).all()
