"""How far rates of JWST's ramps are from the truth of rt-sim, and which cosmic rays are found.

usage: jwst_rates.py X_uncal.fits…      its truth is beside it: rt-sim X_uncal.fits --readpatt SHALLOW4 --ngroups 10

Each exposure is calibrated with the built-in references in three ways: as the archive does it, with the fit by
likelihood, and with its search for jumps in place of that in front of it. Pulls are (rate - truth)/error of pixels
without flags, those that cosmic rays hit and those beside them left out: by the error of the pixel, and by the error
at the true rate. The error of a pixel follows the noise of its own rate, so that pulls by it have a mean of about
-1/(2 sqrt(N)) for N electron. Found are hits of pixels that are hit once and can be used; made up are pixels with a
jump that are neither hit nor beside a hit.
"""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from scipy import ndimage

from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of

WAYS = {
    "archive": (),
    "likely": ("--set", "rampfit.algorithm=likely"),
    "likely, own search": ("--skip", "jump", "--set", "rampfit.algorithm=likely", "--set", "rampfit.jumps=true"),
}

JUMP, UNUSED = 4, 3
BIN = 2000
"""Pixels of like truth."""


class Comparison(NamedTuple):
    """What a rate is worth.

    Attributes
    ----------
    own, at_truth : ndarray (pixels,)
        Pulls of clean pixels, by their own errors and by those at the true rate.
    found, made_up : float
        Share of the hits that are flagged, and of clean pixels that are.
    """

    own: np.ndarray
    at_truth: np.ndarray
    found: float
    made_up: float


def calibrate(uncal, folder, way):
    """The rate of an exposure, calibrated in one of `WAYS`."""
    out = Path(folder) / way.replace(" ", "")
    words = [str(uncal), "--builtin", "--until", "gainscale", "--outdir", str(out), "-q", *WAYS[way]]
    if code := entry.run(command_of("run"), words):
        raise SystemExit(code)
    return out / Path(uncal).name.replace("_uncal", "_rate")


def compare(rate, truth):
    """A rate against the truth."""
    with fits.open(rate) as hdus, fits.open(truth) as true:
        data, photons, reading = (hdus[name].data.astype(float) for name in ("SCI", "VAR_POISSON", "VAR_RNOISE"))
        flags, expected, hits = hdus["DQ"].data, true["SCI"].data.astype(float), true["RAYMASK"].data
        rays = true["RAYS"].data
        number = np.zeros(data.shape, int)
        np.add.at(number, (rays["y"], rays["x"]), 1)
    expected = expected.mean(axis=0) if expected.ndim == 3 else expected
    hits = hits.reshape(-1, *data.shape).any(axis=0)
    beside = ndimage.binary_dilation(hits, np.ones((3, 3), bool))
    usable = np.isfinite(data) & ((flags & UNUSED) == 0)
    clean = usable & (flags == 0) & ~beside
    off, photons, reading = ((data - expected)[clean], photons[clean], reading[clean])
    ideal = reading + _photons_at(expected[clean], photons, data[clean])
    marked = (flags & JUMP) != 0
    found, made_up = marked[(number == 1) & usable].mean(), marked[usable & ~beside].mean()
    return Comparison(off / np.sqrt(photons + reading), off / np.sqrt(ideal), found, made_up)


def _photons_at(truth, photons, rate):
    """Variance from photons at the true rate: their ratio as it is in the middle of pixels of like truth.

    The mean of their variances would be too large: of a rate that is negative by its noise the variance is zero.
    """
    made = np.empty(truth.size)
    for part in np.array_split(np.argsort(truth), max(truth.size // BIN, 1)):
        lit = part[rate[part] > 0]
        made[part] = np.maximum(truth[part], 0) * np.median(photons[lit] / rate[lit])
    return made


def main(*exposures):
    """Print a row for each exposure and way."""
    print("| exposure | way | pixels | by own error | by that at the truth | found | made up |")
    print("|---|---|---|---|---|---|---|")
    for uncal in exposures:
        for way in WAYS:
            with tempfile.TemporaryDirectory() as folder:
                made = compare(calibrate(uncal, folder, way), uncal.replace("_uncal", "_truth"))
            pulls = [f"{one.mean():+.3f} ± {one.std():.3f}" for one in (made.own, made.at_truth)]
            shares = [f"{made.found:.2%}", f"{made.made_up:.3%}"]
            print(f"| {Path(uncal).name} |", " | ".join([way, str(made.own.size), *pulls, *shares]), "|")


if __name__ == "__main__":
    main(*sys.argv[1:])
