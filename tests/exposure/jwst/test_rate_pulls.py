"""Rates of JWST's ramps against the truth: bias, scatter in units of the error, jumps that are found and made up."""

import numpy as np
import pytest
from scipy.special import ndtr

from rtools.exposure.jwst.block import RampBlock, RampTiming
from rtools.exposure.jwst.fit import fit_lines
from rtools.exposure.jwst.jump import JumpSettings, find_jumps
from rtools.exposure.jwst.likely import fit_likely

TIMING = RampTiming(4, 1, 10.73676, 5 * 10.73676)
GAIN, NOISE = 2.0, 12.0
GROUPS, SIDE = 10, 150
FITS = {"ols": fit_lines, "likely": fit_likely}


def ramps(rates, seed=0, hits=None):
    """Averaged groups of ramps of Poisson reads with read noise; rates in electron/s, hits in electron by read."""
    rng = np.random.default_rng(seed)
    shape, step = np.shape(rates), TIMING.frames + TIMING.skipped
    data, charge = np.zeros((1, GROUPS, *shape), np.float32), np.zeros(shape)
    for read in range(GROUPS * step):
        charge += rng.poisson(np.asarray(rates) * TIMING.frame_time)
        if hits is not None:
            charge += hits[read]
        group, place = divmod(read, step)
        if place < TIMING.frames:
            data[0, group] += (charge / GAIN + rng.normal(0, NOISE / np.sqrt(2), shape)) / TIMING.frames
    planes = np.zeros(data.shape, np.uint8), np.zeros(shape, np.uint32)
    return RampBlock(data, *planes, slice(0, shape[0]), slice(0, shape[1]))


def noise(shape):
    return np.stack([np.full(shape, GAIN, np.float32), np.full(shape, NOISE, np.float32)])


@pytest.mark.parametrize("algorithm", FITS)
@pytest.mark.parametrize("rate", [0.5, 5.0, 50.0])
def test_pulls_have_mean_zero_and_standard_deviation_one(algorithm, rate):
    """Errors are those at the mean rate of all pixels.

    The error of one pixel follows its own noise: a rate that is too high has too large an error, so that pulls by it
    have a mean of about -1/(2 sqrt(N)) for N electron, -0.002 at 50 electron/s here and -0.03 at 0.5.
    """
    block = ramps(np.full((SIDE, SIDE), rate))
    made = FITS[algorithm](block, noise((SIDE, SIDE)), TIMING)
    sci, photons, reading, error = made.planes.astype(float)
    pulls = (sci - rate / GAIN) / np.sqrt(np.mean(photons + reading))
    assert abs(pulls.mean()) < 0.02 and abs(pulls.std() - 1) < 0.05
    np.testing.assert_allclose(error**2, photons + reading, 1e-5)
    own = (sci - rate / GAIN) / error
    electrons = rate * GROUPS * 5 * TIMING.frame_time
    assert own.mean() == pytest.approx(-0.5 / np.sqrt(electrons), abs=0.03)


@pytest.mark.parametrize("algorithm", FITS)
def test_rates_have_no_bias(algorithm):
    block = ramps(np.full((SIDE, SIDE), 100.0), seed=1)
    made = FITS[algorithm](block, noise((SIDE, SIDE)), TIMING)
    bias = made.planes[0].astype(float).mean() / (100 / GAIN) - 1
    scatter = made.planes[0].std() / (100 / GAIN) / SIDE
    assert abs(bias) < 4 * scatter < 2e-4


def test_the_likelihood_fit_is_not_noisier():
    rates = np.geomspace(0.05, 200, SIDE * SIDE).reshape(SIDE, SIDE)
    block = ramps(rates, seed=2)
    plain, likely = (fit(block, noise(rates.shape), TIMING).planes.astype(float) for fit in FITS.values())
    spread = [np.std((made[0] - rates / GAIN) / likely[3]) for made in (plain, likely)]
    assert spread[0] / spread[1] == pytest.approx(1.0, abs=0.03)
    assert np.sqrt(np.mean(((plain[0] - likely[0]) / likely[3]) ** 2)) < 0.2


@pytest.mark.parametrize("height", [40, 55, 80, 120, 500])
def test_jumps_are_found_and_hardly_any_made_up(height):
    """Electron in the gap between groups, where all of them are in one difference, whose standard deviation is 13.

    At 4 standard deviations half are found, at 6 98 %; of differences without one fewer than 2 in 10,000 are flagged.
    """
    rng = np.random.default_rng(5)
    shape, step = (SIDE, SIDE), TIMING.frames + TIMING.skipped
    struck, group = rng.random(shape) < 0.05, rng.integers(0, GROUPS - 1, shape)
    hits = np.zeros((GROUPS * step, *shape))
    for number in range(GROUPS - 1):
        hits[number * step + TIMING.frames][struck & (group == number)] = height
    block = ramps(np.full(shape, 0.5), 3, hits)
    find_jumps(block, noise(shape), TIMING.frames, GROUPS, JumpSettings(spread=(0.0, 0.0)))
    marked = (block.groupdq[0] & 4) != 0
    right = np.take_along_axis(marked, (group + 1)[None], axis=0)[0]
    sigma = np.sqrt(0.5 * TIMING.group_time + (NOISE * GAIN) ** 2 / TIMING.frames)
    assert right[struck].mean() == pytest.approx(ndtr(height / sigma - 4), abs=0.05)
    assert marked[1:, ~struck].mean() < 2e-4
