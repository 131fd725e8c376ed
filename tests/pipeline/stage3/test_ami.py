"""rt-ami on files: the peer's numbers, its traps, what is repaired, what is refused."""

from contextlib import contextmanager

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.interferometry import fringes
from rtools.interferometry.fit import fit_fringes
from rtools.interferometry.frames import centre_of
from rtools.interferometry.fringes import FringeModel
from rtools.interferometry.passband import passband_of
from rtools.interferometry.stations import Holes, sky_by_roll
from rtools.jwst.pupil import hexagon_field, mask_turn, non_redundant_mask
from rtools.products.jwst import open_jwst
from tests.support.judges import asked_of_jwst
from tests.support.runs import done, tool
from tests.support.stage3_files import golden_product

CLOSE = {"VISAMP": 4e-5, "VISPHI": 1.5e-3, "VIS2DATA": 8e-5, "T3AMP": 1e-4, "T3PHI": 2.5e-4, "Q4AMP": 4e-5,
         "Q4PHI": 3e-3, "PISTONS": 1e-3}  # fmt: skip
"""By how much observables may differ: the peer has a wrong number in the middle of its envelope."""

ERRORS = {"VISAMP": "VISAMPERR", "VISPHI": "VISPHIERR", "T3AMP": "T3AMPERR", "T3PHI": "T3PHIERR", "Q4AMP": "Q4AMPERR"}
TABLE = {"VISAMP": "OI_VIS", "VISPHI": "OI_VIS", "VIS2DATA": "OI_VIS2", "T3AMP": "OI_T3", "T3PHI": "OI_T3",
         "Q4AMP": "OI_Q4", "Q4PHI": "OI_Q4", "PISTONS": "OI_ARRAY"}  # fmt: skip
SUFFIXES = ("ami-oi", "amimulti-oi", "amilg")
TIMES = {"TIME", "MJD", "INT_TIME"}
RIGHT = {"OI_ARRAY": {"DIAMETER", "FOV"}, "OI_Q4": {"U4COORD", "V4COORD"}, "OI_WAVELENGTH": {"EFF_BAND"},
         "OI_TARGET": {"RA_ERR", "DEC_ERR", "PMRA", "PMDEC"}}  # fmt: skip
"""Columns that the peer has wrong, in units or otherwise."""


def made(source, folder, *options, refs=("--builtin",)):
    assert tool("ami", source, *refs, "--outdir", folder, "--overwrite", "-q", *options) == 0
    root = source.name.rpartition("_")[0]
    return {suffix: fits.open(folder / f"{root}_{suffix}.fits") for suffix in SUFFIXES}


@contextmanager
def sampled_as_the_peer_does():
    """The model as the peer has it: pixels looked at in evenly spaced points, wavelengths of one brightness."""
    with pytest.MonkeyPatch.context() as patch:
        even = lambda count: ((np.arange(count) - (count - 1) / 2) / count, np.full(count, 1 / count))  # noqa: E731
        patch.setattr(fringes, "samples_in_pixel", even)
        patch.setattr(fringes, "shares_of_light", lambda passband: passband.weights)
        yield


@pytest.fixture(scope="module")
def golden(jwst_golden, tmp_path_factory):
    """What rt-ami makes of target and star of the golden set, with the peer's references and options; and the peer."""
    home = jwst_golden("ami")
    refs = ("--ref", f"nrm={home / 'ref_nrm.fits'}", "--ref", f"throughput={home / 'ref_throughput.fits'}")
    found = {}
    for name in ("target", "calib"):
        folder = tmp_path_factory.mktemp(name)
        with sampled_as_the_peer_does():
            ours = made(home / f"in_{name}_calints.fits", folder, "--no-bpfix", refs=refs)
        peers = {suffix: fits.open(home / f"out_{name}_{suffix}.fits") for suffix in SUFFIXES}
        found[name] = ours, peers, folder
    return found


@pytest.mark.parametrize("name", ["target", "calib"])
def test_coefficients_and_images_are_the_missions(name, golden):
    ours, peers, _folder = golden[name]
    found, wanted = ours["amilg"], peers["amilg"]
    np.testing.assert_allclose(found["SOLNS"].data["coeffs"], wanted["SOLNS"].data["coeffs"], rtol=0, atol=3.5e-5)
    np.testing.assert_array_equal(found["CTRD"].data, wanted["CTRD"].data)
    np.testing.assert_array_equal(np.isnan(found["RESID"].data), np.isnan(wanted["RESID"].data))
    for one in ("N_CTRD", "N_FIT", "N_RESID"):
        np.testing.assert_allclose(found[one].data, wanted[one].data, rtol=0, atol=9e-5)


def test_what_differs_from_the_mission_is_the_sample_in_the_middle_of_its_envelope(golden, monkeypatch):
    """The peer gives the sample nearest to the star the light of the very centre, wherever the star lies."""
    ours, peers, _folder = golden["target"]
    image = ours["amilg"]["CTRD"].data[0].astype(float)
    model, centre = _golden_model(ours), centre_of(image)

    def peaked(u, v, width):
        field = hexagon_field(u, v, width)
        row, column = (int((225 - 1) / 2 + 3 * at) for at in centre[::-1])
        field[row, column] = np.sqrt(3) / 2 * width**2
        return field

    monkeypatch.setattr(fringes, "hexagon_field", peaked)
    out = np.isnan(ours["amilg"]["RESID"].data[0])
    with sampled_as_the_peer_does():
        fit = fit_fringes(image, np.ones_like(image), out, model, centre)
    np.testing.assert_allclose(fit.coefficients, peers["amilg"]["SOLNS"].data["coeffs"][0], rtol=0, atol=1e-6)


def test_phases_are_the_missions_and_long_baselines_are_not_too_weak(golden, jwst_golden, tmp_path):
    """With the peer's samples V² of a star are up to 8 % low; the ratio of two sources is hardly touched."""
    source = jwst_golden("ami") / "in_calib_calints.fits"
    refs = ("--ref", f"nrm={jwst_golden('ami') / 'ref_nrm.fits'}",
            "--ref", f"throughput={jwst_golden('ami') / 'ref_throughput.fits'}")  # fmt: skip
    found, wanted = made(source, tmp_path, "--no-bpfix", refs=refs)["ami-oi"], golden["calib"][1]["ami-oi"]
    assert np.abs(found["OI_T3"].data["T3PHI"] - wanted["OI_T3"].data["T3PHI"]).max() < 0.01
    ratio = wanted["OI_VIS2"].data["VIS2DATA"] / found["OI_VIS2"].data["VIS2DATA"]
    length = np.hypot(found["OI_VIS2"].data["UCOORD"], found["OI_VIS2"].data["VCOORD"])
    assert 0.99 < ratio[length < 1.4].min() < 1
    assert 0.92 < ratio[length > 5].max() < 0.95


@pytest.mark.parametrize("given", ["with", "without"])
def test_squared_visibilities_of_a_simulated_star_are_one(given, tmp_path):
    """Pixels of detectors lend each other charge: without a reference for it long baselines stay low."""
    name = tmp_path / "jw01234001001_02101_00001_nis_calints.fits"
    done("sim", name, "--pupil", "NRM", "--filter", "F430M", "--ngroups", 8, "--nints", 6, "--mag", 8, "--no-truth")
    found = made(name, tmp_path, *(() if given == "with" else ("--ref", "ipc=none")))["ami-oi"]["OI_VIS2"].data
    long = np.hypot(found["UCOORD"], found["VCOORD"]) > 4.5
    pull = (found["VIS2DATA"] - 1) / found["VIS2ERR"]
    if given == "with":
        assert np.abs(np.average(found["VIS2DATA"], weights=found["VIS2ERR"] ** -2.0) - 1) < 4e-3
        assert np.sqrt(np.mean(pull**2)) < 1.6
    else:
        assert found["VIS2DATA"][long].mean() < 0.975


def _golden_model(ours):
    told = non_redundant_mask()
    holes = Holes(np.array(told.centres), told.flat_to_flat, mask_turn(told.affine))
    path = ours["ami-oi"][0].header["R_THRPUT"]
    table = Table.read(path)
    band = passband_of(np.asarray(table["wavelength"], float) * 1e-10, np.asarray(table["throughput"], float))
    return FringeModel(holes, band, told.pixel_arcsec)


@pytest.mark.parametrize("name", ["target", "calib"])
@pytest.mark.parametrize("suffix", ["ami-oi", "amimulti-oi"])
def test_tables_are_the_missions_but_for_what_it_has_wrong(name, suffix, golden):
    found, wanted = (part[suffix] for part in golden[name][:2])
    assert {one.name for one in found} == {one.name for one in wanted}
    for hdu in wanted[1:-1]:
        assert found[hdu.name].columns.names == hdu.columns.names
        assert found[hdu.name].columns.formats == hdu.columns.formats
        for column in set(hdu.columns.names) - RIGHT.get(hdu.name, set()) - TIMES:
            ours, peers = found[hdu.name].data[column], hdu.data[column]
            if column in CLOSE:
                np.testing.assert_allclose(ours, peers, rtol=0, atol=CLOSE[column])
            elif not column.endswith("ERR"):
                if peers.dtype.kind == "f":
                    np.testing.assert_allclose(ours, peers, rtol=2e-7, atol=1e-15)
                else:
                    np.testing.assert_array_equal(ours, peers)


def test_centres_and_baselines_are_exactly_the_missions(golden):
    """Without a gwcs; the golden files have none."""
    ours, peers, _folder = golden["target"]
    for suffix in ("ami-oi", "amimulti-oi"):
        found = ours[suffix]["OI_ARRAY"].data["CTRS_EQT"]
        np.testing.assert_allclose(found, peers[suffix]["OI_ARRAY"].data["CTRS_EQT"], rtol=0, atol=1e-15)


def test_errors_are_the_missions_where_these_are_right(golden):
    ours, peers, _folder = golden["target"]
    for column in ("VISAMP", "T3AMP", "Q4AMP"):
        found, wanted = (part["ami-oi"][TABLE[column]].data[ERRORS[column]] for part in (ours, peers))
        np.testing.assert_allclose(found, wanted, rtol=2e-3)


def test_errors_of_squared_visibilities_are_divided_by_the_root_of_n_once(golden):
    """The peer divides twice: √3 too small with three integrations."""
    ours, peers, _folder = golden["target"]
    vis, vis2 = ours["ami-oi"]["OI_VIS"].data, ours["ami-oi"]["OI_VIS2"].data
    np.testing.assert_allclose(vis2["VIS2ERR"], 2 * vis["VISAMP"] * vis["VISAMPERR"])
    np.testing.assert_allclose(vis2["VIS2ERR"] / peers["ami-oi"]["OI_VIS2"].data["VIS2ERR"], np.sqrt(3), rtol=2e-3)


def test_errors_of_phases_are_angles(golden):
    """The peer's are lengths across the phasor: as much too small as the amplitude is below 1."""
    ours, peers, _folder = golden["target"]
    for column, modulus in (("T3PHI", "T3AMP"), ("VISPHI", "VISAMP")):
        found, wanted = (part["ami-oi"][TABLE[column]].data for part in (ours, peers))
        ratio = found[ERRORS[column]] / wanted[ERRORS[column]]
        np.testing.assert_allclose(ratio * found[modulus], 1, atol=2e-3)


def test_errors_of_each_integration_are_not_zero(golden):
    ours, peers, _folder = golden["target"]
    assert (peers["amimulti-oi"]["OI_T3"].data["T3PHIERR"] == 0).all()
    assert (ours["amimulti-oi"]["OI_T3"].data["T3PHIERR"] > 0).all()


def test_the_fourth_side_of_a_quad_has_its_components_in_their_places(golden):
    ours, peers, _folder = golden["target"]
    found, wanted = ours["ami-oi"]["OI_Q4"].data, peers["ami-oi"]["OI_Q4"].data
    np.testing.assert_allclose(found["U4COORD"], -(found["U2COORD"] + found["U3COORD"]), atol=1e-12)
    np.testing.assert_allclose(found["V4COORD"], -(found["V2COORD"] + found["V3COORD"]), atol=1e-12)
    np.testing.assert_allclose(wanted["U4COORD"], found["V4COORD"], atol=1e-12)


def test_the_target_is_in_degrees_and_the_time_in_the_middle(golden):
    ours, _peers, _folder = golden["target"]
    header, target, vis = ours["ami-oi"][0].header, ours["ami-oi"]["OI_TARGET"].data[0], ours["ami-oi"]["OI_VIS"].data
    assert target["PMRA"] == pytest.approx(header["MU_RA"] / 3600)
    assert target["RA_ERR"] == pytest.approx(header["TARGURA"] / 3600)
    assert set(vis["MJD"]) == {header["EXPMID"]}
    assert vis["INT_TIME"][0] == pytest.approx(3 * header["EFFINTTM"])
    assert ours["amimulti-oi"]["OI_VIS"].data["INT_TIME"][0] == pytest.approx(header["EFFINTTM"])
    np.testing.assert_allclose(ours["ami-oi"]["OI_ARRAY"].data["FOV"], 37.5 * 0.0656)


def test_a_roll_of_zero_is_turned_by_the_rest(tmp_path):
    """The peer turns nothing where ROLL_REF is 0, and forgets V3I_YANG."""
    source = tmp_path / golden_product("ami_calints").name
    with fits.open(golden_product("ami_calints")) as hdus:
        hdus["SCI"].header.update({"ROLL_REF": 0.0, "V3I_YANG": 7.0})
        del hdus["ASDF"]
        hdus.writeto(source)
    found = made(source, tmp_path, "--firstfew", 1)["ami-oi"]["OI_ARRAY"].data["CTRS_EQT"]
    np.testing.assert_allclose(found, sky_by_roll(np.array(non_redundant_mask().centres), 7.0, -1), atol=1e-6)


def test_one_integration_has_values_and_no_errors_and_says_so_once(tmp_path, capsys):
    assert tool("ami", golden_product("ami_calints"), "--builtin", "--outdir", tmp_path, "--firstfew", 1) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "NaN" in line]
    assert len(told) == 1
    found = fits.open(next(tmp_path.glob("*_ami-oi.fits")))
    assert np.isfinite(found["OI_T3"].data["T3PHI"]).all()
    assert np.isnan(found["OI_T3"].data["T3PHIERR"]).all()
    assert not found["OI_T3"].data["FLAG"].any()
    multi = fits.open(next(tmp_path.glob("*_amimulti-oi.fits")))
    assert multi["OI_VIS2"].data["VIS2ERR"].shape == (21, 1)
    assert (multi["OI_VIS2"].data["VIS2ERR"] > 0).all()
    assert tool("validate", *tmp_path.glob("*.fits")) == 0


@pytest.mark.slow
def test_bad_pixels_are_repaired_and_missing_ones_spoil_nothing(tmp_path):
    """A pixel that is NaN in one integration, and one that nobody flagged."""
    source = tmp_path / golden_product("ami_calints").name
    with fits.open(golden_product("ami_calints")) as hdus:
        plain = hdus["SCI"].data.copy()
        hdus["SCI"].data[0, 44, 41] = np.nan
        hdus["SCI"].data[1, 60, 20] += 5e4
        hdus.writeto(source)
    whole = made(golden_product("ami_calints"), tmp_path / "whole")
    found = made(source, tmp_path)
    image = found["amilg"]["CTRD"].data
    assert np.isfinite(image).all()
    assert np.isnan(found["amilg"]["RESID"].data[1]).sum() == np.isnan(whole["amilg"]["RESID"].data[1]).sum() + 1
    assert image.max() <= plain.max()
    for column in ("VISAMP", "T3PHI"):
        one, two = (part["amimulti-oi"][TABLE[column]].data for part in (found, whole))
        assert (np.abs(one[column] - two[column]) < two[ERRORS[column]]).all()


@pytest.mark.slow
def test_of_a_full_frame_the_part_of_the_sub_array_is_used(tmp_path):
    source = tmp_path / golden_product("ami_calints").name
    with fits.open(golden_product("ami_calints")) as hdus:
        for name in ("SCI", "ERR", "DQ"):
            whole = np.zeros((3, 90, 1200), hdus[name].data.dtype)
            whole[:, :80, 1044:1124] = hdus[name].data
            whole[:, 85, 300] = 100000 if name == "SCI" else 0  # a brighter star elsewhere
            hdus[name].data = whole
        hdus[0].header["SUBARRAY"] = "FULL"
        hdus.writeto(source)
    found, wanted = made(source, tmp_path, "--firstfew", 1), made(golden_product("ami_calints"), tmp_path / "sub",
                                                                 "--firstfew", 1)  # fmt: skip
    np.testing.assert_array_equal(found["amilg"]["SOLNS"].data["coeffs"], wanted["amilg"]["SOLNS"].data["coeffs"])


def test_a_closed_hole_is_flagged_and_the_layout_stays(tmp_path):
    found = made(golden_product("ami_calints"), tmp_path, "--holes", "b4,c2,B5,B2,C1,B6", "--firstfew", 2)["ami-oi"]
    for table, rows, good in (("OI_VIS", 21, 15), ("OI_T3", 35, 20), ("OI_Q4", 35, 15)):
        data = found[table].data
        assert len(data) == rows
        assert (~data["FLAG"]).sum() == good
        assert not (data["STA_INDEX"][~data["FLAG"]] == 7).any()
    assert np.isfinite(found["OI_T3"].data["T3PHI"][~found["OI_T3"].data["FLAG"]]).all()


def test_products_are_valid_and_the_data_models_open_them(golden, tmp_path):
    _ours, _peers, folder = golden["target"]
    paths = sorted(folder.glob("*.fits"))
    assert tool("validate", *paths) == 0
    assert open_jwst(folder / "in_target_ami-oi.fits").meta["cal_step"]["ami_analyze"] == "COMPLETE"


@pytest.mark.judges
def test_stdatamodels_opens_what_is_written(golden):
    _ours, _peers, folder = golden["target"]
    paths = sorted(folder.glob("*.fits"))
    for path, verdict in asked_of_jwst("files", *paths).items():
        assert verdict["ok"], (path, verdict)


@pytest.mark.parametrize("words", [("--holes", "B4,B9"), ("--holes", "B4,C2"), ("--affine", "1,2"),
                                   ("--affine", "1,1,1,1"), ("--oversample", 0)])  # fmt: skip
def test_options_that_cannot_be_are_refused_before_the_work(words, tmp_path, capsys):
    assert tool("ami", golden_product("ami_calints"), "--builtin", "--outdir", tmp_path, *words) == 2
    assert len([line for line in capsys.readouterr().err.splitlines() if "built-in" not in line]) == 1
    assert not list(tmp_path.iterdir())


def test_images_without_the_mask_are_refused(tmp_path, capsys):
    assert tool("ami", golden_product("calints"), "--outdir", tmp_path) == 3
    assert "PUPIL" in capsys.readouterr().err


def test_references_that_are_missing_are_named(tmp_path, capsys):
    assert tool("ami", golden_product("ami_calints"), "--outdir", tmp_path, "--refdir", tmp_path) == 4
    assert "nrm" in capsys.readouterr().err
