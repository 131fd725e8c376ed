"""rt-sim of JWST: files that stdatamodels opens, truth beside them, options of a mission, refusals, faults."""

import hashlib

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of
from rtools.products.opening import open_any
from tests.support.judges import asked_of_jwst

pytestmark = pytest.mark.slow

ROOT = "jw01234001001_02101_00001_nrca1"
UNCAL = f"{ROOT}_uncal.fits"
ROMAN = "r0000101001001001001_0001_wfi01_f158_uncal.asdf"
SMALL = ("--subarray", "SUB64P", "--ngroups", "3", "-q")


def sim(*args):
    return entry.run(command_of("sim"), [str(arg) for arg in args])


def digest(path, hdu="SCI"):
    return hashlib.sha256(np.ascontiguousarray(fits.getdata(path, hdu)).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One exposure of each kind."""
    folder = tmp_path_factory.mktemp("jwst")
    assert sim(folder / UNCAL, *SMALL) == 0
    assert sim(folder / "jw01234001001_02101_00002_nrcalong_uncal.fits", *SMALL, "--transit", "0.1,0.3,0.7",
               "--nints", "4") == 0  # fmt: skip
    assert sim(folder / "jw01234001001_02101_00003_nis_uncal.fits", "--pupil", "nrm", "--ngroups", "3", "-q",
               "--companion", "0.2,30,0.1") == 0  # fmt: skip
    for number, suffix in enumerate(("rate", "rateints", "cal", "calints"), start=4):
        assert sim(folder / f"jw01234001001_02101_0000{number}_nrca1_{suffix}.fits", *SMALL) == 0
    return folder


@pytest.mark.judges
def test_stdatamodels_opens_all_that_is_made_without_a_warning(made):
    files = sorted(str(path) for path in made.glob("*.fits") if "truth" not in path.name)
    verdicts = asked_of_jwst("files", *files)
    assert len(verdicts) == 7
    assert all(told["ok"] and told["trusted"] and not told["warnings"] for told in verdicts.values()), verdicts
    models = {path.split("_")[-1]: told["model"] for path, told in verdicts.items()}
    assert models["uncal.fits"] == "Level1bModel"
    assert (models["cal.fits"], models["calints.fits"]) == ("ImageModel", "CubeModel")


def test_an_exposure_says_what_was_read_and_that_it_is_not_real(made):
    product = open_any(made / UNCAL)
    assert (product.mission, product.kind) == ("jwst", "uncal")
    assert product.array("data").shape == (1, 3, 64, 64)
    told = product.meta["exposure"]
    assert (told["readpatt"], told["ngroups"], told["nints"]) == ("SHALLOW4", 3, 1)
    assert told["group_time"] == pytest.approx(5 * told["frame_time"])
    assert product.meta["subarray"]["name"] == "SUB64P"
    assert product.history[0]["tool"] == "rt-sim"
    assert product.history[0]["references"]["gain"]["name"].startswith("builtin:")


def test_the_wcs_of_an_image_finds_its_sources(made):
    path = made / "jw01234001001_02101_00006_nrca1_cal.fits"
    sources = Table.read(str(path).replace("_cal.fits", "_truth.ecsv"), format="ascii.ecsv")
    x, y = open_any(path).node("meta.wcs").invert(sources["ra"], sources["dec"])
    near = (sources["x"] > -5) & (sources["x"] < 69) & (sources["y"] > -5) & (sources["y"] < 69)
    assert np.abs(x - sources["x"])[near].max(initial=0) < 0.01
    assert np.abs(y - sources["y"])[near].max(initial=0) < 0.01


def test_truth_is_the_rate_without_noise(made):
    truth, rate = (
        made / "jw01234001001_02101_00004_nrca1_truth.fits",
        made / "jw01234001001_02101_00004_nrca1_rate.fits",
    )
    good = fits.getdata(rate, "DQ") == 0
    pulls = ((fits.getdata(rate, "SCI") - fits.getdata(truth, "SCI")) / fits.getdata(rate, "ERR"))[good]
    assert abs(pulls.std() - 1) < 0.05
    assert fits.getval(truth, "BUNIT", "SCI") == "DN/s"
    assert fits.getdata(truth, "SHARP").shape == (64, 64)


def test_truth_beside_ramps_has_the_cosmic_rays(tmp_path):
    assert sim(tmp_path / UNCAL, *SMALL, "--fault", "storm", "--ngroups", "30") == 0
    with fits.open(tmp_path / f"{ROOT}_truth.fits") as truth:
        rays, mask = truth["RAYS"].data, truth["RAYMASK"].data
    assert len(rays) > 5
    assert np.all(mask[rays["integration"] - 1, rays["y"], rays["x"]] == 1)
    data = fits.getdata(tmp_path / UNCAL).astype(float)
    for ray in rays[rays["electrons"] > 2000]:
        i, g, y, x = ray["integration"] - 1, ray["group"] - 1, ray["y"], ray["x"]
        if 0 < g < 29:
            assert data[i, g + 1, y, x] - data[i, g - 1, y, x] > 500


def test_truth_tables_are_light_curve_and_visibilities(made):
    curve = Table.read(made / "jw01234001001_02101_00002_nrcalong_truth.ecsv", format="ascii.ecsv")
    assert curve.meta["content"] == "light curve"
    np.testing.assert_allclose(curve["relative_flux"], [1, 0.9, 0.9, 1])
    assert fits.getdata(made / "jw01234001001_02101_00002_nrcalong_truth.fits", "SCI").shape == (4, 64, 64)
    fringes = Table.read(made / "jw01234001001_02101_00003_nis_truth.ecsv", format="ascii.ecsv")
    assert (fringes.meta["content"], len(fringes)) == ("visibilities", 21)
    assert fringes["visamp"].min() < 0.95


def test_bits_follow_from_name_and_seeds_alone(made, tmp_path):
    for folder, more in (("again", ["-j", "3"]), ("noise", ["--seed", "1"]), ("sky", ["--scene-seed", "1"])):
        assert sim(UNCAL, *SMALL, "--outdir", tmp_path / folder, *more) == 0
    first = digest(made / UNCAL)
    assert digest(tmp_path / "again" / UNCAL) == first
    assert digest(tmp_path / "noise" / UNCAL) != first
    assert digest(tmp_path / "noise" / f"{ROOT}_truth.fits") == digest(made / f"{ROOT}_truth.fits")
    assert digest(tmp_path / "sky" / f"{ROOT}_truth.fits") != digest(made / f"{ROOT}_truth.fits")


@pytest.mark.slow
def test_both_missions_see_the_same_sky(tmp_path):
    from pyarrow import parquet

    at = ("--ra", "10", "--dec", "-3", "--outdir", tmp_path, "-q", "--scene-seed", "5")
    assert sim(ROMAN, UNCAL, "--size", "256", "--subarray", "SUB64P", "--ngroups", "2", *at) == 0
    roman = parquet.read_table(tmp_path / ROMAN.replace("_uncal.asdf", "_truth.parquet"))
    jwst = Table.read(tmp_path / f"{ROOT}_truth.ecsv", format="ascii.ecsv")
    drawn = _drawn((10.0, -3.0), 0.02, 5)
    assert set(np.round(jwst["ra"], 10)) <= drawn
    assert set(np.round(_near(roman, 10.0, -3.0), 10)) <= drawn


def _drawn(centre, radius, seed):
    from rtools.simulate import scene

    return set(np.round(scene.draw(centre, radius, seed=seed).ra, 10))


def _near(table, ra, dec):
    found = table["ra"].to_numpy(), table["dec"].to_numpy()
    return found[0][np.hypot(found[0] - ra, found[1] - dec) < 0.015]


def test_faults_are_in_the_file_and_nowhere_else(made, tmp_path):
    for fault in ("refpix", "groups", "nints"):
        assert sim(UNCAL, *SMALL, "--outdir", tmp_path / fault, "--fault", fault) == 0
    sound, stuck = fits.getdata(made / UNCAL), fits.getdata(tmp_path / "refpix" / UNCAL)
    border = np.zeros((64, 64), bool)
    border[:4] = border[:, :4] = True
    assert np.all(stuck[..., border] == 65535)
    np.testing.assert_array_equal(stuck[..., ~border], sound[..., ~border])
    lost = fits.getdata(tmp_path / "groups" / UNCAL)
    assert np.all(lost[0, 1:] == 0)
    np.testing.assert_array_equal(lost[0, 0], sound[0, 0])
    assert fits.getval(tmp_path / "nints" / UNCAL, "NINTS") == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((UNCAL, "--element", "F158"), "--element is about Roman, and no input is of Roman"),
        ((UNCAL, "--compression", "lz4"), "--compression is about Roman"),
        ((UNCAL, "--fault", "lost"), "--fault lost is about Roman"),
        ((ROMAN, "--filter", "F200W"), "--filter is about JWST, and no input is of JWST"),
        ((ROMAN, "--transit", "0.1,0,1"), "--transit is about JWST"),
        ((ROMAN, "--fault", "storm"), "--fault storm is about JWST"),
        ((UNCAL, "--filter", "F158"), "no filter F158"),
        (("jw01234001001_02101_00001_nrs1_uncal.fits",), "no aperture for images"),
        (("jw01234001001_02101_00001_nrca1_i2d.fits",), "not a product that is simulated"),
    ],
)
def test_options_and_names_that_do_not_go_together_are_refused_before_any_work(args, said, tmp_path, capsys):
    assert sim(*args, "--outdir", tmp_path / "out") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nothing_is_replaced_unasked_and_a_dry_run_writes_nothing(made, tmp_path, capsys):
    before = (made / UNCAL).read_bytes()
    assert sim(made / UNCAL, *SMALL) == 1
    assert "exists already" in capsys.readouterr().err
    assert (made / UNCAL).read_bytes() == before
    assert sim(UNCAL, "--outdir", tmp_path, "-n") == 0
    assert f"{ROOT}_truth.ecsv" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_reference_that_is_given_is_used(tmp_path):
    from rtools.jwst.readout import subarray
    from rtools.reference.jwst.make import write
    from rtools.reference.jwst.nominal import nominal_reference

    part = subarray("nrca1", "SUB64P")
    nominal = nominal_reference("superbias", "nrca1", part=part)
    higher = {**nominal.arrays, "SCI": nominal.arrays["SCI"] + np.float32(500)}
    path = write(tmp_path / "bias.fits", nominal.__class__("superbias", "NRCA1", None, part, higher, nominal.tables))
    assert sim(UNCAL, *SMALL, "--outdir", tmp_path / "own", "--ref", f"superbias={path}") == 0
    assert sim(UNCAL, *SMALL, "--outdir", tmp_path / "usual") == 0
    own, usual = (fits.getdata(tmp_path / which / UNCAL).astype(float) for which in ("own", "usual"))
    assert np.median(own - usual) == pytest.approx(500, abs=1)
    history = open_any(tmp_path / "own" / UNCAL).history[0]
    assert history["references"]["superbias"]["name"] == str(path)
    assert sim(UNCAL, *SMALL, "--outdir", tmp_path / "none", "--ref", "gain=none") == 4


def test_darks_have_no_sky_and_no_table(tmp_path):
    assert sim(UNCAL, *SMALL, "--exp-type", "NRC_DARK", "--outdir", tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{ROOT}_truth.fits", UNCAL]
    assert np.all(fits.getdata(tmp_path / f"{ROOT}_truth.fits", "SCI") == 0)
