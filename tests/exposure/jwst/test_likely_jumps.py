"""Jumps in the likelihood fit of JWST's ramps: those that are flagged, and those that it finds itself."""

import numpy as np
import pytest

from rtools.exposure.jwst.exposure import RampExposure
from rtools.exposure.jwst.jump import JumpSettings, find_jumps
from rtools.exposure.jwst.likely import fit_likely
from rtools.exposure.jwst.steps import rampfit
from tests.exposure.jwst.test_rate_pulls import GAIN, GROUPS, TIMING, noise, ramps

STEP = TIMING.frames + TIMING.skipped
SHAPE = (100, 100)
RATE = 0.5
GROUP = 4


def struck(frame, height, seed=7):
    """Ramps hit in that frame of the group `GROUP`, counted from 0; a hit in frame 0 is in all of its frames."""
    hits = np.zeros((GROUPS * STEP, 1, 1))
    hits[GROUP * STEP + frame] = height
    return ramps(np.full(SHAPE, RATE), seed, hits)


def fitted(block, **options):
    return fit_likely(block, noise(SHAPE), TIMING, **options)


def pulls(made):
    return (made.planes[0].astype(float) - RATE / GAIN) / made.planes[3]


def test_the_error_of_a_ramp_with_a_flagged_jump_does_not_follow_the_height_of_the_jump():
    low, high = struck(0, 0), struck(0, 1e5)
    made = []
    for block in (low, high):
        block.groupdq[:, GROUP] |= 4
        made.append(fitted(block))
    np.testing.assert_allclose(made[1].planes[3], made[0].planes[3], rtol=2e-3)
    assert abs(pulls(made[1]).std() - 1) < 0.05


def test_a_jump_within_a_group_is_found_in_both_differences():
    """Half of such a hit is in the difference in front of the group, half in the one behind."""
    block = struck(2, 400)
    made = fitted(block, threshold=4.5)
    found = (block.groupdq[0] & 4) > 0
    assert found[GROUP].mean() > 0.99 and found[GROUP + 1].mean() > 0.99
    assert found[[g for g in range(GROUPS) if g not in (GROUP, GROUP + 1)]].mean() < 1e-3
    assert abs(pulls(made).mean()) < 0.08 and abs(pulls(made).std() - 1) < 0.05
    assert ((made.dq & 4) > 0).mean() > 0.99


def test_no_jumps_are_looked_for_unless_it_is_asked():
    block = struck(0, 400)
    assert not (fitted(block).dq & 4).any() and not block.groupdq.any()


def both_searches(height):
    """Flags that the fit, and the search before it, set in ramps with a hit between groups; bool (groups, pixels)."""
    blocks = struck(0, height), struck(0, height)
    fitted(blocks[0], threshold=4.5)
    find_jumps(blocks[1], noise(SHAPE), TIMING.frames, GROUPS, JumpSettings(spread=(0.0, 0.0)))
    return [(block.groupdq[0] & 4).reshape(GROUPS, -1) > 0 for block in blocks]


@pytest.mark.parametrize(("height", "share"), [(60, 0.6), (80, 0.95), (120, 0.999)])
def test_the_search_of_the_fit_finds_as_many_as_the_search_before_it(height, share):
    own, before = (found[GROUP].mean() for found in both_searches(height))
    assert own > share and abs(own - before) < 0.08


def test_the_search_of_the_fit_makes_hardly_any_jumps_up():
    own, before = (found.any(axis=0).mean() for found in both_searches(0))
    assert own < 6e-4 and before < 4e-3


def test_photons_of_the_dark_add_to_the_error():
    block = struck(0, 0)
    plain, dark = fitted(block), fitted(block, dark=0.25)
    lit = ramps(np.full(SHAPE, RATE + 0.25 * GAIN), 7)
    lit.data -= np.float32(0.25) * TIMING.group_time * np.arange(GROUPS, dtype=np.float32)[:, None, None]
    pull = (fitted(lit, dark=0.25).planes[0] - RATE / GAIN) / dark.planes[3].mean()
    assert abs(pull.std() - 1) < 0.03
    assert (dark.planes[1] > plain.planes[1]).all()
    np.testing.assert_allclose(dark.planes[3] ** 2, dark.planes[1] + dark.planes[2], 1e-5)


def test_a_ramp_that_saturates_in_its_second_group_has_a_rate_by_its_first_frame():
    """The first group is split into its first frame and the mean of the others, 2.5 frames apart."""
    block = struck(0, 0)
    block.groupdq[:, 1:] |= 2
    assert np.isnan(fitted(block).planes[0]).all()
    rng = np.random.default_rng(8)
    reads = np.cumsum(rng.poisson(40 * TIMING.frame_time, (TIMING.frames, *SHAPE)), axis=0) / GAIN
    reads = reads + rng.normal(0, 12 / np.sqrt(2), reads.shape)
    block.data[0, 0], block.zeroframe = reads.mean(axis=0), reads[None, 0].astype(np.float32)
    block.zeroframe[0, :, :5] = 0
    made = fitted(block)
    pull = (made.planes[0] - 40 / GAIN) / made.planes[3, :, 5:].mean()
    assert np.isnan(pull[:, :5]).all() and (made.dq[:, :5] & 1).all()
    assert abs(pull[:, 5:].mean()) < 0.05 and abs(pull[:, 5:].std() - 1) < 0.05


def test_options_that_have_no_effect_are_told():
    def told(groups=GROUPS, **given):
        lines = []
        exposure = RampExposure({}, (1, groups, 8, 8), TIMING, {}, lambda level, text: lines.append((level, text)))
        rampfit.prepare(exposure, {one.key: one.default for one in rampfit.STEP.options} | given)
        return lines

    assert told() == told(algorithm="likely", jumps=True, threshold=5.0) == []
    assert told(jumps=True) == [("warning", "rampfit: ols does not use jumps")]
    assert told(algorithm="likely", threshold=5.0) == [("warning", "rampfit: threshold is used with --jumps alone")]
    assert told(algorithm="likely", suppress_one_group=False) == [
        ("warning", "rampfit: likely does not use suppress-one-group")
    ]
    few = [text for _, text in told(3, algorithm="likely", jumps=True)]
    assert few == ["rampfit: 3 groups are too few for likely: fitted by ols", "rampfit: ols does not use jumps"]
