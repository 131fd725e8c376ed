"""Time the tools of JWST's third stage on simulated inputs: light curves, reference stars, interferometry.

usage: stage3.py [--jobs N] [--keep DIR]

Inputs are made by rt-sim: a time series of 500 integrations of 64 x 64 pixels, 50 integrations of a reference star and
10 of a target behind a coronagraph, 101 x 101 pixels, and an interferogram of 60 integrations. Each tool runs twice,
the second time counts: wall and CPU seconds and the peak of memory.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CORON = ("--exp-type", "NRC_CORON", "--pupil", "MASKRND", "--subarray", "801,801,101,101", "--crowded", "0")
SHORT = ("--exp-type", "NRC_TSIMAGE", "--subarray", "SUB64P")
INPUTS = {
    "jw01234001001_02101_00001_nrca1_calints.fits": (
        "--exp-type",
        "NRC_TSIMAGE",
        "--subarray",
        "SUB64P",
        "--nints",
        "500",
    ),
    "jw01234002001_02101_00001_nrcalong_calints.fits": (*CORON, "--nints", "10", "--companion", "1.2,70,1e-4"),
    "jw01234003001_02101_00001_nrcalong_calints.fits": (*CORON, "--nints", "50", "--offset=0.1,0.1"),
    "jw01234004001_02101_00001_nis_calints.fits": ("--exp-type", "NIS_AMI", "--pupil", "NRM", "--nints", "60"),
}
SERIES, TARGET, STAR, FRINGES = INPUTS

JOBS = (
    ("outlier", (SERIES, "-o", "series_crfints.fits")),
    ("phot", ("series_crfints.fits", "-o", "series_phot.ecsv")),
    ("psfstack", (STAR, "-o", "star_psfstack.fits")),
    ("psfalign", (TARGET, "star_psfstack.fits", "--ref", "psfmask=none", "-o", "star_psfalign.fits")),
    ("psfsub", (TARGET, "star_psfalign.fits", "-o", "target_psfsub.fits")),
    ("ami", (FRINGES, "--builtin", "-o", "fringes_ami-oi.fits")),
    ("ami", (FRINGES, "--builtin", "--firstfew", "1", "-o", "fringe_ami-oi.fits")),
)


def rt(folder, *words):
    """Run a tool; wall and CPU seconds, and GiB at the peak."""
    command = [sys.executable, "-c", "from rtools.commands.rt import main; main()", *map(str, words)]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _pid, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, words))}: {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", default="2", help="threads of each tool")
    parser.add_argument("--keep", help="directory of inputs and products, which stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(options.keep or scratch)
        folder.mkdir(exist_ok=True)
        for name, words in INPUTS.items():
            if not (folder / name).exists():
                rt(folder, "sim", name, *words, "--no-truth", "-q")
        print("tool            wall s   CPU s   peak GiB")
        for tool, words in JOBS:
            for _ in range(2):
                wall, used, peak = rt(folder, tool, *words, "-j", options.jobs, "--overwrite", "-q")
            called = f"{tool} of 1" if "--firstfew" in words else tool
            print(f"{called:14s} {wall:7.2f} {used:7.2f} {peak:8.2f}", flush=True)


if __name__ == "__main__":
    main()
