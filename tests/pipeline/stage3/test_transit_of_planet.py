"""A simulated transit from raw integrations to its depth: rt-sim, rt-run, rt-outlier, rt-phot, beside the truth.

Whether errors are true is asked of many transits: pulls, (depth - true depth)/error, have a mean of 0 and an sd of 1.
"""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from tests.support.runs import done

ROOT = "jw01234001001_02101_00001_nrca1"
DEPTH = 0.01


def simulated(folder, number, seed, raw):
    """Path of a simulated time series of so many integrations; its truth lies beside it."""
    path = folder / f"{ROOT}_{raw}.fits"
    words = ("--subarray", "SUB64P", "--ngroups", 5, "--nints", number, "--seed", seed)
    done("sim", path, *words, "--transit", f"{DEPTH},0.3,0.7", "-q")
    return path


def light_curve(folder):
    """Light curve of a series of calibrated integrations."""
    done("outlier", folder / f"{ROOT}_calints.fits", "-q")
    done("phot", folder / f"{ROOT}_crfints.fits", "-q")
    return Table.read(folder / f"{ROOT}_phot.ecsv")


def measured(folder, number, seed):
    """Light curve of a simulated raw time series, and the truth."""
    done("run", simulated(folder, number, seed, "uncal"), "--builtin", "-q")
    return light_curve(folder), Table.read(Path(folder) / f"{ROOT}_truth.ecsv")


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


def check_pulls(fits, freedom):
    """Depths scatter about the true one as their errors say, and integrations about the mean as theirs do.

    An sd of n pulls has an error of 1/sqrt(2 n), a reduced chi-square one of sqrt(2/degrees of freedom); three of each.
    """
    depths, errors, chi2 = np.transpose(fits)
    pulls, number = (depths - DEPTH) / errors, len(depths)
    assert abs(pulls.mean()) < 3 / np.sqrt(number)
    assert abs(pulls.std(ddof=1) - 1) < 3 / np.sqrt(2 * number)
    assert abs(chi2.mean() - 1) < 3 * np.sqrt(2 / (freedom * number))


def one_after_the_other(path, times):
    """Let integrations take other places: what was one transit becomes a number of them; where each has come from."""
    with fits.open(path, mode="update") as hdus:
        length = hdus["SCI"].shape[0]
        order = np.arange(length).reshape(-1, times).T.ravel()
        for hdu in hdus:
            if hdu.is_image and hdu.header["NAXIS"] == 3:
                hdu.data = hdu.data[order]
    return order


@pytest.mark.slow
def test_depths_of_many_transits_scatter_as_their_errors_say(tmp_path):
    """Sixty transits in a row, the noise of each integration its own."""
    times, length = 60, 20
    order = one_after_the_other(simulated(tmp_path, times * length, 1, "calints"), times)
    curve, truth = light_curve(tmp_path), Table.read(tmp_path / f"{ROOT}_truth.ecsv")[order]
    parts = [slice(first, first + length) for first in range(0, times * length, length)]
    outside = np.count_nonzero(np.asarray(truth["relative_flux"][parts[0]]) == 1)
    assert 0 < outside < length
    check_pulls([fitted(curve[part], truth[part]) for part in parts], outside - 1)


@pytest.mark.long
def test_depths_from_raw_integrations_scatter_as_their_errors_say(tmp_path):
    """The whole chain, forty exposures of seeds that follow each other."""
    found = []
    for seed in range(1, 41):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found.append(fitted(*measured(folder, 60, seed)))
    check_pulls(found, 35)


@pytest.mark.long
def test_a_transit_of_500_integrations_comes_back_from_the_uncal(tmp_path):
    depth, error, chi2 = fitted(*measured(tmp_path, 500, 1))
    assert abs(depth - DEPTH) < 3 * error < 9e-4
    assert abs(chi2 - 1) < 3 * np.sqrt(2 / 299)


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
