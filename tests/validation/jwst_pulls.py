"""How far rates of the mission's detector1 are from the truth of rt-sim, in units of their errors.

usage: jwst_pulls.py PYTHON UNCAL…

PYTHON is an interpreter that has jwst. References are the nominal ones of rtools. Pixels with flags, those that cosmic
rays hit and those beside them are left out. The mission's errors are those of a fit with optimal weights, while its
weights are uniform at a low signal to noise: where photons and read noise are alike, pulls scatter by up to 6 % more
than 1. Its references of the capacitance between pixels are not used, as in the archive.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from astropy.io import fits
from scipy import ndimage

from rtools.jwst.readout import Subarray
from rtools.reference.jwst import make
from rtools.reference.jwst.nominal import nominal_reference

DETECTOR1 = Path(__file__).with_name("jwst_detector1.py")
TYPES = ("mask", "saturation", "superbias", "linearity", "dark", "gain", "readnoise")


def part_of(uncal):
    """Detector and sub-array of an exposure."""
    told = fits.getheader(uncal)
    keys = ("SUBARRAY", "SUBSIZE1", "SUBSIZE2", "NOUTPUTS", "SUBSTRT1", "SUBSTRT2")
    return told["DETECTOR"].lower(), Subarray(*(told[key] for key in keys))


def calibrate(python, uncal, folder):
    """Run detector1 with the nominal references; the rates, by suffix."""
    detector, part = part_of(uncal)
    references = Path(folder) / "references"
    references.mkdir(exist_ok=True)
    for kind in TYPES:
        reference = nominal_reference(kind, detector, part=part)
        make.write(references / f"jwst_{kind}_{detector}.fits", reference)
    subprocess.run([python, DETECTOR1, references, uncal, folder], check=True, capture_output=True, text=True)
    root = Path(uncal).name.removesuffix("_uncal.fits")
    return {suffix: Path(folder) / f"{root}_{suffix}.fits" for suffix in ("rate", "rateints")}


def pulls(rate, truth):
    """(rate - truth)/error of clean pixels away from cosmic rays."""
    with fits.open(rate) as hdus, fits.open(truth) as true:
        data, error, flags = (hdus[name].data for name in ("SCI", "ERR", "DQ"))
        expected, struck = true["SCI"].data, true["RAYMASK"].data != 0
        if data.ndim == 2:
            expected = expected.mean(axis=0) if expected.ndim == 3 else expected
            struck = struck.any(axis=0)
        box = np.ones((3,) * 2 if data.ndim == 2 else (1, 3, 3), bool)
        spoiled = ndimage.binary_dilation(struck | ((flags & 2) != 0), box)
        clean = (flags == 0) & ~spoiled & np.isfinite(data) & (error > 0)
        return ((data - expected)[clean] / error[clean]).astype(float)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python")
    parser.add_argument("uncal", nargs="+")
    arguments = parser.parse_args()
    print("| exposure | product | pixels | mean | sd |\n|---|---|---|---|---|")
    for uncal in arguments.uncal:
        with tempfile.TemporaryDirectory() as folder:
            for suffix, path in calibrate(arguments.python, uncal, folder).items():
                found = pulls(path, uncal.replace("_uncal.fits", "_truth.fits"))
                name = Path(uncal).name.removesuffix("_uncal.fits")
                print(f"| {name} | {suffix} | {found.size} | {found.mean():+.4f} | {found.std():.4f} |")


if __name__ == "__main__":
    main()
