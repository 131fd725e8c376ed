"""Load and compile what the simulation and the calibration of an exposure need.

Two workers of the suite that need a kernel at the same time compile it both, and nearly all tests stand on a simulated
exposure. So tests/run.sh compiles for them, on the core that the type checker leaves idle.

usage: python -m tests.support.warm_up
"""

import tempfile
from pathlib import Path

from tests.support.runs import done, simulate


def warm_up():
    """Simulate and calibrate an exposure as the fixtures `raw` and `ran` do, and forget it."""
    with tempfile.TemporaryDirectory() as place:
        done("run", simulate(Path(place)), "--save-steps")


if __name__ == "__main__":
    warm_up()
