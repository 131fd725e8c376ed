"""rt-phot on series of integrations: the peer's answers, units, segments, times, many sources; what is refused."""

import json
import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.products.jwst import open_jwst
from tests.support.runs import tool
from tests.support.stage3_files import EXPOSURE, golden_product

pytestmark = pytest.mark.slow

FIXED = ("--no-centroid", "--radius", 4, "--annulus", "6,9.5")
FITTED = ("psf_width_x", "psf_width_y", "psf_flux")


def curve(folder, *options, sources=None):
    sources = sources or [golden_product("crfints")]
    assert tool("phot", *sources, "-o", folder / "made_phot.ecsv", "--overwrite", *options) == 0
    return open_jwst(folder / "made_phot.ecsv").table()


def segment(path, first, stop, **cards):
    """Integrations of the golden set as a segment of the exposure; INT_TIMES is that of all."""
    with fits.open(golden_product("crfints")) as hdus:
        for hdu in hdus:
            if hdu.is_image and hdu.data is not None and hdu.data.ndim == 3:
                hdu.data = hdu.data[first:stop]
        hdus[0].header.update({"INTSTART": first + 1, "INTEND": stop, **cards})
        hdus.writeto(path)
    return path


@pytest.mark.parametrize(
    ("peer", "options"), [("out_phot", ()), ("out_phot_fixed", FIXED), ("out_phot_moving", ("--moving",))]
)
def test_light_curves_are_the_missions(peer, options, jwst_golden, tmp_path):
    wanted, found = Table.read(jwst_golden("tso") / f"{peer}.ecsv"), curve(tmp_path, *options)
    assert len(found) == len(wanted) == 40
    for name in wanted.colnames:
        if name not in FITTED:
            np.testing.assert_allclose(np.asarray(found[name]), np.asarray(wanted[name]), rtol=3e-8, atol=0)
            assert str(found[name].unit or "d") == str(wanted[name].unit or "d")
    more = set(found.colnames) - set(wanted.colnames)
    assert more == {"net_aperture_sum_filled", "net_aperture_sum_filled_err", "n_bad"}
    assert found.meta["detector"] == "NRCA1"


def test_gaussians_are_as_wide_as_the_star(jwst_golden, tmp_path):
    """The peer fits in Jy with tolerances that are absolute, and ends before it has begun: 19 % too wide, 18 % too
    bright. The golden star is a Gaussian of 1.3 pixels, sampled at the middle of pixels, with 5000 MJy/sr.
    """
    peer, found = Table.read(jwst_golden("tso") / "out_phot.ecsv"), curve(tmp_path)
    flux = 5000 * 1e6 * 2.26e-14
    width = np.sqrt(1.3**2 - 1 / 12)  # of what pixels make as wide as that
    for name, truth in (("psf_width_x", width), ("psf_width_y", width), ("psf_flux", flux)):
        assert np.median(found[name]) == pytest.approx(truth, rel=0.01)
        assert np.median(np.asarray(peer[name])) > 1.1 * truth


def test_a_missing_pixel_makes_no_dip(jwst_golden, tmp_path):
    """The peer's sum of what is there falls by up to a tenth; the star itself has a transit of one per cent."""
    peer = np.asarray(Table.read(jwst_golden("tso") / "out_phot.ecsv")["net_aperture_sum"])
    found = curve(tmp_path)
    bad = np.asarray(found["n_bad"]) > 0
    light = 1 - 0.01 * ((np.arange(40) > 15) & (np.arange(40) < 27))
    filled, error = (np.asarray(found[f"net_aperture_sum_filled{end}"]) for end in ("", "_err"))
    level = np.median(filled / light)
    assert 2 < bad.sum() < 10
    assert np.abs(filled / light - level)[bad].max() < 4 * error[bad].max()
    assert (peer / light / level)[bad].min() < 0.95
    np.testing.assert_array_equal(filled[~bad], np.asarray(found["net_aperture_sum"])[~bad])


def test_a_transit_is_seen(tmp_path):
    found = curve(tmp_path)
    inside = (np.arange(40) > 15) & (np.arange(40) < 27)
    flux, error = (np.asarray(found[f"net_aperture_sum_filled{end}"]) for end in ("", "_err"))
    depth = 1 - flux[inside].mean() / flux[~inside].mean()
    assert depth == pytest.approx(0.01, abs=2 * error.mean() / flux.mean() * np.sqrt(1 / inside.sum() + 1 / 29))


@pytest.mark.parametrize("statistic", ["median", "clip"])
def test_a_bright_pixel_of_the_ring_does_not_change_robust_backgrounds(statistic, tmp_path):
    path = tmp_path / f"{EXPOSURE}_nrca1_crfints.fits"
    with fits.open(golden_product("crfints")) as hdus:
        hdus["SCI"].data[7, 33, 35] += 1e4  # 4.6 pixels from the star
        hdus.writeto(path)
    before, after = (curve(tmp_path, "--annulus-stat", statistic, sources=[one])["annulus_mean"]
                     for one in (golden_product("crfints"), path))  # fmt: skip
    mean = curve(tmp_path, sources=[path])["annulus_mean"]
    assert abs(after[7] / before[7] - 1) < 0.2
    assert mean[7] > 3 * before[7]
    np.testing.assert_array_equal(np.delete(after, 7), np.delete(before, 7))


def test_segments_of_an_exposure_are_one_table(tmp_path):
    parts = [segment(tmp_path / f"{EXPOSURE}-seg00{number}_nrca1_crfints.fits", first, stop)
             for number, first, stop in ((1, 0, 13), (2, 13, 26), (3, 26, 40))]  # fmt: skip
    assert tool("phot", parts[2], parts[0], parts[1]) == 0
    whole, found = curve(tmp_path), open_jwst(tmp_path / f"{EXPOSURE}_nrca1_phot.ecsv").table()
    assert found.colnames == whole.colnames
    for name in whole.colnames:
        np.testing.assert_array_equal(found[name], whole[name])


def test_segments_that_are_not_of_one_series_are_refused(tmp_path, capsys):
    names = [tmp_path / f"{EXPOSURE}-seg00{number}_nrca1_crfints.fits" for number in (1, 2, 3, 4)]
    first = segment(names[0], 0, 13)
    assert tool("phot", first, segment(names[1], 5, 20), "--outdir", tmp_path / "a") == 3
    assert "integrations" in capsys.readouterr().err
    assert tool("phot", first, segment(names[2], 13, 20, FILTER="F210M"), "--outdir", tmp_path / "a") == 3
    assert "F210M" in capsys.readouterr().err
    assert tool("phot", first, segment(names[3], 20, 30), "--outdir", tmp_path / "b") == 0
    assert "a segment is missing" in capsys.readouterr().err


def test_exposures_are_tables_of_their_own(tmp_path):
    other = shutil.copy(golden_product("crfints"), tmp_path / "jw01234001001_02101_00002_nrca1_crfints.fits")
    assert tool("phot", golden_product("crfints"), other, "--outdir", tmp_path / "out") == 0
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_rates_become_electrons_by_the_gain(jwst_golden, tmp_path):
    path = tmp_path / f"{EXPOSURE}_nrca1_calints.fits"
    with fits.open(golden_product("crfints")) as hdus:
        for name in ("SCI", "ERR"):
            hdus[name].header["BUNIT"] = "DN/s"
        hdus.writeto(path)
    gain = jwst_golden("tso") / "ref_gain.fits"  # 2 e/DN
    found, wanted = curve(tmp_path, "--ref", f"gain={gain}", sources=[path]), curve(tmp_path)
    assert found["net_aperture_sum"].unit == "electron"
    np.testing.assert_allclose(found["net_aperture_sum"] / (2 * 3.0), wanted["net_aperture_sum"] / 2.26e-8, rtol=1e-12)
    assert tool("phot", path, "--outdir", tmp_path / "x", "--no-builtin") == 4
    assert not (tmp_path / "x").exists() or not list((tmp_path / "x").iterdir())


def test_a_place_that_is_said_is_the_first_guess(tmp_path):
    centred, by_pixel = curve(tmp_path), curve(tmp_path, "--at", "33,31")
    np.testing.assert_allclose(by_pixel["aperture_x"], centred["aperture_x"], atol=0.05)
    fixed = curve(tmp_path, "--no-centroid", "--at", "12.5,40.25")
    assert (fixed["aperture_x"][0], fixed["aperture_y"][0]) == (12.5, 40.25)
    place = f"{fixed['aperture_ra_icrs'][0]},{fixed['aperture_dec_icrs'][0]}"
    by_sky = curve(tmp_path, "--no-centroid", "--sky", place)
    np.testing.assert_allclose(by_sky["aperture_x"], 12.5, atol=1e-6)


def test_times_follow_from_the_exposure_where_there_is_no_table(tmp_path):
    path = tmp_path / f"{EXPOSURE}_nrca1_crfints.fits"
    with fits.open(golden_product("crfints")) as hdus:
        start, end = (hdus[0].header[key] for key in ("EXPSTART", "EXPEND"))
        fits.HDUList([hdu for hdu in hdus if hdu.name != "INT_TIMES"]).writeto(path)
    found = curve(tmp_path, sources=[path])
    np.testing.assert_allclose(found["MJD"], start + (np.arange(40) + 0.5) * (end - start) / 40, rtol=0, atol=1e-9)
    assert np.isnan(found["BJD_TDB"]).all()


def test_a_defocused_star_is_the_sum_of_its_sub_array(tmp_path):
    path = tmp_path / f"{EXPOSURE}_nrca1_crfints.fits"
    with fits.open(golden_product("crfints")) as hdus:
        hdus[0].header["PUPIL"] = "WLP8"
        data = hdus["SCI"].data.astype(float)
        hdus.writeto(path)
    found = curve(tmp_path, sources=[path])
    np.testing.assert_allclose(found["aperture_sum"], np.nansum(data, axis=(1, 2)) * 2.26e-8, rtol=1e-9)
    np.testing.assert_array_equal(found["net_aperture_sum"], found["aperture_sum"])
    assert not [name for name in found.colnames if name.startswith("annulus")]


def test_threads_and_blocks_change_nothing(tmp_path, monkeypatch):
    whole = curve(tmp_path)
    monkeypatch.setattr("rtools.pipeline.stage3.series_files.BLOCK", 64 * 64 * 4 * 7)
    parts = curve(tmp_path, "-j", 2)
    for name in whole.colnames:
        np.testing.assert_array_equal(parts[name], whole[name])


def test_many_sources_are_measured_in_each_integration(tmp_path):
    """Forced light curves: a row for each source and integration, with the middle of its time."""
    rows = Table({"id": [7, 9], "ra": [80.00002701, 80.0001], "dec": [-69.49998538, -69.5001]})
    rows.write(tmp_path / "list.ecsv")
    words = ("--table", tmp_path / "list.ecsv", "--radii", 0.093, "--ring", "0.3,0.6", "--no-psf")
    assert tool("phot", golden_product("crfints"), *words, "-o", tmp_path / "light.ecsv") == 0
    found, series = Table.read(tmp_path / "light.ecsv"), curve(tmp_path)
    star = found[found["id"] == 7]
    assert len(found) == 80
    np.testing.assert_array_equal(star["integration"], np.arange(1, 41))
    np.testing.assert_array_equal(star["mjd"], series["MJD"])
    good = np.asarray(series["n_bad"]) == 0
    flux = next(
        name for name in star.colnames if name.startswith("aper") and name.endswith("_flux") and "bkg" not in name
    )
    scale = np.asarray(star[flux] / 1e9)[good] / np.asarray(series["net_aperture_sum"])[good]
    assert scale.std() < 0.002
    assert np.abs(np.asarray(found[flux])[found["id"] == 9]).mean() < 0.02 * np.asarray(star[flux]).mean()


def test_images_and_integrations_are_rows_of_one_table(tmp_path):
    image = tmp_path / f"{EXPOSURE}_nrca1_cal.fits"
    with fits.open(golden_product("crfints")) as hdus:
        for hdu in hdus:
            if hdu.is_image and hdu.data is not None:
                hdu.data = hdu.data[0]
        hdus[0].header.update({"DATAMODL": "ImageModel"})
        fits.HDUList([hdu for hdu in hdus if hdu.name not in ("INT_TIMES", "ASDF")]).writeto(image)
    words = ("--at", "30.4,33.2", "--ring", "0.3,0.6", "--no-psf", "-o", tmp_path / "light.ecsv")
    assert tool("phot", image, golden_product("crfints"), *words) == 0
    found = Table.read(tmp_path / "light.ecsv")
    assert len(found) == 41
    assert found["aper01_flux"][0] == found["aper01_flux"][1]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--search", 40), 2),
        (("--fit", 10), 2),
        (("--annulus", "5,4"), 2),
        (("--annulus", "5"), 2),
        (("--radius", 0), 2),
        (("--moving", "--no-centroid"), 2),
        (("--no-centroid", "--search", 31), 2),
        (("--at", "1,2", "--sky", "80,-69"), 2),
        (("--radii", "1,2"), 2),
        (("--curve", "x.png"), 2),
        (("--format", "csv", "--outdir", "."), 2),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_work(words, status, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tool("phot", golden_product("crfints"), *words) == status
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_options_of_a_series_are_refused_where_there_is_none(tmp_path, capsys):
    (tmp_path / "x_cal.fits").touch()
    assert tool("phot", tmp_path / "x_cal.fits", "--at", "1,2", "--radius", 3) == 2
    assert "--radius" in capsys.readouterr().err


@pytest.mark.parametrize(("card", "says"), [("XREF_SCI", "reference point"), ("PIXAR_SR", "PIXAR_SR")])
def test_a_file_that_does_not_say_enough_is_refused(card, says, tmp_path, capsys):
    path = tmp_path / f"{EXPOSURE}_nrca1_crfints.fits"
    with fits.open(golden_product("crfints")) as hdus:
        del hdus["SCI"].header[card]
        fits.HDUList([hdu for hdu in hdus if hdu.name != "ASDF"]).writeto(path)
    assert tool("phot", path) == 3
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_done_is_told_and_kept(tmp_path, capsys):
    assert tool("phot", golden_product("crfints"), "-n", "--json", "--at", "30,33", "--outdir", tmp_path) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["steps"][0]["options"]["at"] == "30,33"
    assert not list(tmp_path.iterdir())
    assert tool("phot", golden_product("crfints"), "--outdir", tmp_path) == 0
    path = tmp_path / golden_product("crfints").name.replace("crfints.fits", "phot.ecsv")
    assert "!!python" not in path.read_text()
    assert tool("validate", path) == 0


@pytest.mark.parametrize("words", [("--at", "500,20"), ("--sky", "10,10"), ("--at=-3,20", "--no-centroid")])
def test_a_target_that_is_not_in_the_images_is_refused(words, tmp_path, capsys):
    assert tool("phot", golden_product("crfints"), *words, "--outdir", tmp_path) == 3
    assert "outside" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_table_of_times_without_a_column_leaves_that_time_open(tmp_path):
    path = tmp_path / f"{EXPOSURE}_nrca1_crfints.fits"
    with fits.open(golden_product("crfints")) as hdus:
        kept = [column for column in hdus["INT_TIMES"].columns if not column.name.endswith("BJD_TDB")]
        hdus["INT_TIMES"] = fits.BinTableHDU.from_columns(fits.ColDefs(kept), name="INT_TIMES")
        hdus[0].header["INTSTART"] = "first"
        fits.HDUList([hdu for hdu in hdus if hdu.name != "ASDF"]).writeto(path)
    found = curve(tmp_path, sources=[path])
    assert np.isnan(found["BJD_TDB"]).all()
    np.testing.assert_array_equal(found["MJD"], curve(tmp_path)["MJD"])
