"""The mission's own detector1 finds the truth of rt-sim in simulated exposures, within the errors that it states."""

import os
from pathlib import Path

import pytest

from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of
from tests.validation.jwst_pulls import calibrate, pulls

PEER = os.environ.get("RTOOLS_JWST_PEER")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(PEER is None, reason="RTOOLS_JWST_PEER does not name an interpreter that has jwst"),
]

CASES = {
    "full frame": ("jw01234001001_02101_00001_nrca1_uncal.fits", ("--readpatt", "BRIGHT1", "--ngroups", "6")),
    "sub-array": ("jw01234001001_02101_00002_nrcb3_uncal.fits", ("--subarray", "SUB400P", "--readpatt", "SHALLOW4")),
    "time series": (
        "jw01234001001_02101_00003_nrcalong_uncal.fits",
        ("--subarray", "SUB64P", "--ngroups", "8", "--nints", "40", "--transit", "0.02,0.3,0.7"),
    ),
    "interferometry": (
        "jw01234001001_02101_00004_nis_uncal.fits",
        ("--pupil", "NRM", "--ngroups", "8", "--nints", "20", "--companion", "0.15,30,0.05"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_rates_of_the_mission_differ_from_the_truth_by_their_errors(case, tmp_path):
    name, options = CASES[case]
    uncal = tmp_path / name
    assert entry.run(command_of("sim"), [str(uncal), *options, "-q", "-j", "2"]) == 0
    rates = calibrate(PEER, str(uncal), str(tmp_path))
    truth = Path(str(uncal).replace("_uncal", "_truth"))
    for path in rates.values():
        found = pulls(path, truth)
        assert found.size > 1000
        assert abs(found.mean()) < 0.1
        assert abs(found.std() - 1) < 0.05
