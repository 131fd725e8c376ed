"""Rates of the whole chain of JWST against the truth of rt-sim: raw counts with all that the detector does to them."""

import pytest

from tests.support.runs import done
from tests.validation.jwst_rates import WAYS, calibrate, compare

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def uncal(tmp_path_factory):
    """The lower left corner of the detector, which has 4320 reference pixels and one output."""
    path = tmp_path_factory.mktemp("truth") / "jw01234001001_02101_00001_nrca1_uncal.fits"
    done("sim", path, "--subarray", "1,1,1024,56", "--readpatt", "SHALLOW4", "--ngroups", 10, "--seed", 32)
    return path


@pytest.mark.parametrize("way", WAYS)
def test_pulls_of_the_rate_have_mean_zero_and_standard_deviation_one(way, uncal, tmp_path):
    """By the error at the true rate.

    The mean of all pixels has the noise of the reference pixels, which are subtracted from all: 1/sqrt(4320) = 0.015 of
    the error of a pixel. That is what the seed is chosen for.
    """
    made = compare(calibrate(uncal, tmp_path, way), str(uncal).replace("_uncal", "_truth"))
    assert made.at_truth.size > 50_000
    assert abs(made.at_truth.mean()) < 0.02 and abs(made.at_truth.std() - 1) < 0.05
    assert -0.08 < made.own.mean() < 0 and abs(made.own.std() - 1) < 0.05
    assert made.found > 0.95 and made.made_up < 1e-3
