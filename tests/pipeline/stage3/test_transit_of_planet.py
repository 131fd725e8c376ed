"""A simulated transit from raw integrations to its depth: rt-sim, rt-run, rt-outlier, rt-phot, beside the truth."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from tests.support.runs import done

ROOT = "jw01234001001_02101_00001_nrca1"
DEPTH = 0.01


def measured(folder, number, seed, raw="uncal"):
    """Light curve of a simulated time series, and the truth."""
    words = ("--subarray", "SUB64P", "--ngroups", 5, "--nints", number, "--seed", seed)
    done("sim", folder / f"{ROOT}_{raw}.fits", *words, "--transit", f"{DEPTH},0.3,0.7", "-q")
    if raw == "uncal":
        done("run", folder / f"{ROOT}_uncal.fits", "--builtin", "-q")
    done("outlier", folder / f"{ROOT}_calints.fits", "-q")
    done("phot", folder / f"{ROOT}_crfints.fits", "-q")
    return Table.read(folder / f"{ROOT}_phot.ecsv"), Table.read(Path(folder) / f"{ROOT}_truth.ecsv")


def fitted(curve, truth):
    """Depth of a transit of the true shape and its error; reduced chi-square of the star outside of it."""
    flux, error = (np.asarray(curve[f"net_aperture_sum_filled{end}"], float) for end in ("", "_err"))
    missing = 1 - np.asarray(truth["relative_flux"], float)
    shape, weight = missing / missing.max(), 1 / error
    design = np.stack([np.ones(len(flux)), -shape], axis=1) * weight[:, None]
    covariance = np.linalg.inv(design.T @ design)
    level, loss = covariance @ design.T @ (flux * weight)
    depth = loss / level
    slope = np.array([-depth, 1.0]) / level
    outside = missing == 0
    mean = np.average(flux[outside], weights=weight[outside] ** 2)
    chi2 = np.sum(((flux - mean) * weight)[outside] ** 2) / (np.count_nonzero(outside) - 1)
    return depth, np.sqrt(slope @ covariance @ slope), chi2


@pytest.mark.long
@pytest.mark.parametrize("seed", [3, 13])
def test_a_transit_of_500_integrations_comes_back_from_the_uncal(seed, tmp_path):
    curve, truth = measured(tmp_path, 500, seed)
    depth, error, chi2 = fitted(curve, truth)
    assert error < 3e-4
    assert abs(depth - DEPTH) < 2 * error
    assert abs(chi2 - 1) < 0.1


@pytest.mark.slow
def test_a_transit_comes_back_from_raw_integrations(tmp_path):
    curve, truth = measured(tmp_path, 60, 6)
    depth, error, chi2 = fitted(curve, truth)
    assert abs(depth - DEPTH) < 2 * error < 0.5 * DEPTH
    assert abs(chi2 - 1) < 3 * np.sqrt(2 / 36)
    np.testing.assert_array_equal(curve["MJD"], truth["mjd_utc"])
    np.testing.assert_array_equal(curve["BJD_TDB"], truth["bjd_tdb"])
    places = np.stack([np.asarray(curve[f"centroid_{axis}"]) - np.asarray(truth[axis]) for axis in "xy"])
    assert np.abs(places).max() < 0.1


@pytest.mark.slow
def test_outliers_make_no_dips(tmp_path):
    """Cosmic rays that the ramps missed: flagged in time, counted, filled; the star stays as bright as it is."""
    folder, rng = tmp_path, np.random.default_rng(7)
    words = ("--subarray", "SUB64P", "--ngroups", 5, "--nints", 100, "--seed", 8, "--transit", f"{DEPTH},0.3,0.7", "-q")
    path = folder / f"{ROOT}_calints.fits"
    done("sim", path, *words)
    hit = np.sort(rng.choice(100, 20, replace=False))
    with fits.open(path, mode="update") as hdus:
        for number in hit:
            row, column = rng.integers(30, 34, 2)
            hdus["SCI"].data[number, row, column] += 30 * hdus["ERR"].data[number, row, column]
    done("outlier", path, "-q")
    done("phot", folder / f"{ROOT}_crfints.fits", "-q")
    curve, truth = Table.read(folder / f"{ROOT}_phot.ecsv"), Table.read(folder / f"{ROOT}_truth.ecsv")
    depth, error, chi2 = fitted(curve, truth)
    assert set(np.flatnonzero(curve["n_bad"])) >= set(hit)
    assert abs(depth - DEPTH) < 3 * error
    assert chi2 < 1.5
    left_out = np.asarray(curve["net_aperture_sum"], float)
    assert np.std(left_out[hit]) > 10 * np.std(np.asarray(curve["net_aperture_sum_filled"], float)[hit])
