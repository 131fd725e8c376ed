"""A companion at contrast 1e-4 behind a simulated coronagraph: from images of two rolls to one mosaic with north up."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from rtools.coronagraphy import subtract, throughput_of
from rtools.pipeline.mosaic.jwst_planes import mean_of
from rtools.products.jwst import open_jwst
from tests.support.runs import done, tool

pytestmark = pytest.mark.slow

SETTINGS = (
    "--exp-type",
    "NRC_CORON",
    "--pupil",
    "MASKRND",
    "--subarray",
    "801,801,81,81",
    "--crowded",
    0,
    "--nints",
    3,
)
COMPANION = ("--companion", "1.2,70,1e-4")
ROLLS = {
    "jw01234001001_02101_00001_nrcalong": (0, "0.05,-0.03"),
    "jw01234002001_02101_00001_nrcalong": (14, "-0.04,0.06"),
}


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Two rolls of a star with a companion, subtracted by three exposures of another star; and the first without it."""
    folder = tmp_path_factory.mktemp("night")
    (folder / "alone").mkdir()
    references = [folder / f"jw01234003001_02101_0000{number}_nrcalong_calints.fits" for number in (1, 2, 3)]
    for path, offset in zip(references, ("0,0", "0.2,0.2", "-0.2,0.1"), strict=True):
        done("sim", path, *SETTINGS, "--no-truth", f"--offset={offset}")
    done("psfstack", *references, "-o", folder / "refs_psfstack.fits")
    for root, (roll, offset) in ROLLS.items():
        done("sim", folder / f"{root}_calints.fits", *SETTINGS, *COMPANION, "--pa", roll, f"--offset={offset}")
        target, aligned = folder / f"{root}_calints.fits", folder / f"{root}_o001_psfalign.fits"
        done("psfalign", target, folder / "refs_psfstack.fits", "--ref", "psfmask=none", "-o", aligned)
        done("psfsub", target, aligned, "-o", folder / f"{root}_o001_psfsub.fits")
    root, (roll, offset) = next(iter(ROLLS.items()))
    done("sim", folder / "alone" / f"{root}_calints.fits", *SETTINGS, "--pa", roll, f"--offset={offset}")
    return folder


def test_the_companion_has_its_light_by_the_stated_throughput(night):
    root = next(iter(ROLLS))
    truths = [fits.getdata(folder / f"{root}_truth.fits", "SCI") for folder in (night, night / "alone")]
    found = open_jwst(night / f"{root}_o001_psfsub.fits")
    companion = (truths[0] - truths[1]).reshape(-1, 81, 81)[0] * found.value("PHOTMJSR")
    image, good = found.pixels("SCI").mean(axis=0), np.isfinite(found.pixels("SCI")).all(axis=0)
    references = open_jwst(night / f"{root}_o001_psfalign.fits").pixels("SCI")
    alone = subtract(companion[None], references, good[None], [np.ones((81, 81), bool)]).data[0]
    throughput = throughput_of(companion, alone)
    assert 0.9 < throughput < 1
    near = companion > 0.1 * companion.max()
    error = np.sqrt(np.mean(found.pixels("ERR")[:, near] ** 2) / 3 / np.sum(companion[near] ** 2))
    measured = throughput_of(companion * near, np.where(near, image, np.nan))
    assert measured / throughput == pytest.approx(1, abs=float(3 * error))
    assert error < 0.05


def test_two_rolls_show_the_companion_at_one_place(night, tmp_path):
    files = [night / f"{root}_o001_psfsub.fits" for root in ROLLS]
    done("resample", *files, "--pa", 0, "-o", tmp_path / "north_i2d.fits")
    assert tool("validate", tmp_path / "north_i2d.fits", "-q") == 0
    with fits.open(tmp_path / "north_i2d.fits") as hdus, fits.open(files[0]) as first:
        image, wcs = hdus["SCI"].data, WCS(hdus["SCI"].header)
        star = SkyCoord(first["SCI"].header["RA_REF"], first["SCI"].header["DEC_REF"], unit="deg")
        assert hdus[0].header["NDRIZ"] == 2
        errors, context = hdus["ERR"].data, hdus["CON"].data
    row, column = np.unravel_index(np.nanargmax(image), image.shape)
    box = np.s_[row - 2 : row + 3, column - 2 : column + 3]
    y, x = (np.sum(axis[box] * image[box]) / image[box].sum() for axis in np.indices(image.shape))
    place = wcs.pixel_to_world(x, y)
    assert star.separation(place).arcsec == pytest.approx(1.2, abs=0.02)
    assert star.position_angle(place).deg == pytest.approx(70, abs=1)
    assert (context.reshape(-1, *image.shape)[0][row, column]) == 3  # both rolls
    assert image[row, column] > 30 * np.nanmedian(errors)
    others = np.array(image)
    others[row - 6 : row + 7, column - 6 : column + 7] = np.nan  # nor anywhere else, as it would be with one roll wrong
    assert np.nanmax(others) < 0.42 * image[row, column]  # a wrong roll would leave a half


def test_one_run_of_an_association_ends_with_that_mosaic(night, tmp_path):
    """All steps with rt-run, outliers among them: the companion is where the tools one by one show it."""
    stars = [f"--psf={night / f'jw01234003001_02101_0000{number}_nrcalong_calints.fits'}" for number in (1, 2, 3)]
    targets = [night / f"{root}_calints.fits" for root in ROLLS]
    done("asn", "--rule", "coron3", *targets, *stars, "-o", night / "night_asn.json", "--overwrite")
    assert tool("run", night / "night_asn.json", "--builtin", "--outdir", tmp_path, "-q") == 0
    (mosaic,) = tmp_path.glob("*_i2d.fits")
    with fits.open(mosaic) as hdus, fits.open(targets[0]) as first:
        image, wcs = hdus["SCI"].data, WCS(hdus["SCI"].header)
        star = SkyCoord(first["SCI"].header["RA_REF"], first["SCI"].header["DEC_REF"], unit="deg")
        assert hdus["SCI"].header["PC2_2"] == pytest.approx(1)
        assert hdus[0].header["S_KLIP"] == "COMPLETE"
    row, column = np.unravel_index(np.nanargmax(image), image.shape)
    place = wcs.pixel_to_world(column, row)
    assert star.separation(place).arcsec == pytest.approx(1.2, abs=0.05)
    assert star.position_angle(place).deg == pytest.approx(70, abs=3)


def test_images_of_integrations_are_not_written_again(night, tmp_path, capsys):
    files = [night / f"{root}_o001_psfsub.fits" for root in ROLLS]
    assert tool("skymatch", *files, "--outdir", tmp_path / "out") == 3
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "several integrations" in said
    assert not (tmp_path / "out").exists()


def test_the_mean_of_integrations_weighs_by_errors():
    rng = np.random.default_rng(5)
    err = np.broadcast_to(np.array([1.0, 2.0, 4.0], "f4")[:, None, None], (3, 60, 60)).copy()
    data = (7 + err * rng.normal(size=err.shape)).astype("f4")
    dq = np.zeros(err.shape, np.uint32)
    dq[0, 5, 5], data[1, 6, 6], dq[2, 7, 7] = 1, np.nan, 4
    dq[:, 9, 9] = 1
    found = mean_of({"data": data, "err": err, "dq": dq, "var_poisson": err**2 / 2})
    pulls = (found["data"] - 7) / found["err"]
    assert np.nanstd(pulls) == pytest.approx(1, abs=0.05)
    assert found["err"][0, 0] == pytest.approx((1 + 1 / 4 + 1 / 16) ** -0.5)
    assert found["err"][5, 5] == pytest.approx((1 / 4 + 1 / 16) ** -0.5)
    assert np.isfinite(found["data"]).sum() == 3599
    assert (found["dq"][5, 5], found["dq"][7, 7], found["dq"][9, 9]) == (0, 4, 1)
    np.testing.assert_allclose(found["var_poisson"], found["err"] ** 2 / 2, rtol=1e-5)


def test_what_the_subtraction_leaves_does_not_average_out():
    """Noise of 3 and speckles of 4 in each of nine integrations are noise of 1 and speckles of 4 in their mean."""
    shape = (9, 2, 2)
    third = np.full(shape, 3.0, np.float32)
    planes = {"data": np.zeros(shape, np.float32), "err": np.full(shape, 5.0, np.float32),
              "dq": np.zeros(shape, np.uint32), "var_poisson": third, "var_flat": third}  # fmt: skip
    np.testing.assert_allclose(mean_of(planes, third)["err"], np.sqrt(17), rtol=1e-6)
    np.testing.assert_allclose(mean_of(planes)["err"], 5 / 3, rtol=1e-6)
