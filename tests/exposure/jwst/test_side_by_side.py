"""Ramps of JWST are fitted, and searched for jumps, many pixels at a time; each comes out as it does alone."""

import numpy as np
import pytest

from rtools.exposure.jwst._order_kernels import find_median
from rtools.exposure.jwst.block import RampBlock, RampTiming
from rtools.exposure.jwst.fit import fit_lines
from rtools.exposure.jwst.jump import JumpSettings, find_jumps
from rtools.exposure.rampfit.network import rank_network

COLUMNS = 70
"""More than are computed at a time, and no multiple of that."""

TIMING = RampTiming(4, 1, 2.0, 10.0)


@pytest.fixture(
    scope="module", params=[(1, 10), (3, 7), (2, 130), (110, 4)], ids=lambda shape: "x".join(map(str, shape))
)
def block(request):
    """A row of ramps; three groups of ten ramps are flagged, and as many hit."""
    rng, shape = np.random.default_rng(3), (*request.param, 1, COLUMNS)
    often = 0.3 / shape[1]
    steps = rng.poisson(rng.exponential(200, COLUMNS), shape) / 2.0
    steps[rng.random(shape) < often] += 900
    data = (np.cumsum(steps, axis=1) + rng.normal(0, 6, shape)).astype(np.float32)
    data[rng.random(shape) < 1e-3] = np.nan
    flags = np.where(rng.random(shape) < often, 1 << rng.integers(0, 8, shape), 0).astype(np.uint8)
    zero = (data[:, 0] / 2).astype(np.float32)
    return RampBlock(data, flags, np.zeros((1, COLUMNS), np.uint32), slice(0, 1), slice(0, COLUMNS), zero)


@pytest.fixture(scope="module")
def noise():
    """Gain and read noise; two pixels have no gain."""
    gain = np.full((1, COLUMNS), 2, np.float32)
    gain[0, [5, 66]] = np.nan, -1
    return np.stack([gain, np.full((1, COLUMNS), 12, np.float32)])


def _alone(block, x):
    part = (..., slice(x, x + 1))
    parts = (block.data[part], block.groupdq[part], block.pixeldq[part])
    return RampBlock(*(one.copy() for one in parts), block.rows, slice(x, x + 1), block.zeroframe[part].copy())


def test_a_pixel_is_fitted_among_others_as_it_is_alone(block, noise):
    together = fit_lines(block, noise, TIMING)
    for x in range(COLUMNS):
        alone = fit_lines(_alone(block, x), noise[..., x : x + 1], TIMING)
        for name in ("planes", "dq", "each", "each_dq"):
            np.testing.assert_array_equal(getattr(alone, name)[..., 0], getattr(together, name)[..., x])


def test_clean_integrations_have_the_slope_of_their_weighted_line(block, noise):
    made = fit_lines(block, noise, TIMING)
    clean = (block.groupdq == 0).all(axis=1) & np.isfinite(block.data).all(axis=1) & (noise[0] > 0)
    assert clean.sum() >= 3
    for i, y, x in np.argwhere(clean)[:20]:
        ramp = block.data[i, :, y, x].astype(float)
        electron = (ramp[-1] - ramp[0]) * 2
        ratio = electron / np.hypot(np.sqrt(max(electron, 0)), 12 * 2 / np.sqrt(8))
        power = (0, 0.4, 1, 3, 6, 10)[np.searchsorted((5, 10, 20, 50, 100), ratio, side="right")]
        place = np.arange(ramp.size) - (ramp.size - 1) / 2
        weight = np.abs(place / place[-1]) ** power
        slope = np.polyfit(place, ramp, 1, w=np.sqrt(weight))[0] / TIMING.group_time
        assert made.each[0, i, y, x] == pytest.approx(slope, rel=1e-5, abs=1e-4)


def test_a_pixel_is_searched_among_others_as_it_is_alone(block, noise):
    settings = JumpSettings(spread=(0, 0), after=((600.0, 2),))
    together = _alone(block, 0)
    together.data, together.groupdq, together.pixeldq = block.data, block.groupdq.copy(), block.pixeldq
    find_jumps(together, noise, 4, block.data.shape[1], settings)
    assert ((together.groupdq & 4) > (block.groupdq & 4)).any()
    for x in range(COLUMNS):
        alone = _alone(block, x)
        find_jumps(alone, noise[..., x : x + 1], 4, block.data.shape[1], settings)
        np.testing.assert_array_equal(alone.groupdq[..., 0], together.groupdq[..., x])


@pytest.mark.parametrize("n", [1, 2, 16, 17, 48, 49, 200, 1001])
def test_the_median_is_selected(n):
    values = np.random.default_rng(n).integers(0, max(n // 2, 2), n).astype(float)
    for ordered in (values, np.sort(values), np.sort(values)[::-1]):
        assert find_median(ordered.copy(), n, np.empty(n)) == np.median(values)


def test_a_network_puts_the_ranks_that_are_asked_for_in_place():
    for n in range(2, 40):
        values = np.random.default_rng(n).permutation(n)
        for low, high in rank_network(n, (0, n // 3, n - 1)):
            values[[low, high]] = min(values[low], values[high]), max(values[low], values[high])
        assert [values[rank] for rank in (0, n // 3, n - 1)] == [0, n // 3, n - 1]
