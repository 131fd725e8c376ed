"""Load and compile what the simulation and the calibration of exposures need.

Two workers of the suite that need a kernel at the same time compile it both, and nearly all tests stand on a simulated
exposure. So tests/run.sh compiles for them beside the type checker, each part in a process of its own.

usage: python -m tests.support.warm_up roman|jwst|guide
"""

import sys
import tempfile
from pathlib import Path

from tests.support.runs import done, simulate


def warm_up():
    """Simulate and calibrate an exposure as the fixtures `raw` and `ran` do, and forget it."""
    with tempfile.TemporaryDirectory() as place:
        done("run", simulate(Path(place)), "--save-steps")


def of_roman():
    """As `warm_up`, of two exposures, and their mosaic."""
    with tempfile.TemporaryDirectory() as place:
        raw = [simulate(Path(place), number=number) for number in (1, 2)]
        done("run", *raw, "--mosaic", "--save-steps", "-o", Path(place) / "x_coadd.asdf")


def of_jwst():
    """An exposure as the fixtures `raw_jwst` and `ran_jwst` have it."""
    with tempfile.TemporaryDirectory() as place:
        raw = Path(place) / "jw01234001001_02101_00001_nrca1_uncal.fits"
        done("sim", raw, "--subarray", "SUB64P", "--ngroups", 7, "--nints", 2, "--mag", 11, "--no-truth")
        done("run", raw, "--builtin", "--with", "ipc", "--with", "chargemig", "--save-steps")


def of_guide():
    """Guide windows, simulated and measured."""
    from tests.support.kit import guided, run

    for way in ("psf", "moment", "gauss"):
        assert run("gw measure", guided()["gw"], "--stage", "all", "--centroid", way) == 0


if __name__ == "__main__":
    {"roman": of_roman, "jwst": of_jwst, "guide": of_guide}[sys.argv[1]]()
