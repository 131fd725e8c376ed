"""Every way in which a ramp of six groups can be cut, against what the mission's fit makes of it.

The answers in tests/data/jwst/cut_ramps.npz are those of jwst 3.0.0: two integrations of (10, 21, 29, 41, 50, 62) x 5
DN, gain 2, read noise 10 DN, four frames of 2 s in a group and one left out; the first integration has the flags, the
second has none. `flags` are (ramps, groups); answers are (SCI, VAR_POISSON, VAR_RNOISE, ERR, DQ; ramps), of all and of
the first integration, with ramps of one group suppressed and kept.
"""

import numpy as np
import pytest

from rtools.exposure.jwst.block import RampBlock, RampTiming
from rtools.exposure.jwst.fit import fit_lines
from rtools.jwst.dq import GROUP_FLAGS
from tests.support.places import ROOT

LOST = GROUP_FLAGS["DO_NOT_USE"] | GROUP_FLAGS["SATURATED"] | GROUP_FLAGS["JUMP_DET"]


@pytest.mark.parametrize("suppress", [True, False])
def test_ramps_with_jumps_and_one_whole_group_are_those_of_the_mission(suppress):
    answers = np.load(ROOT / "tests" / "data" / "jwst" / "cut_ramps.npz")
    flags, kind = answers["flags"], "suppressed" if suppress else "kept"
    count, groups = flags.shape
    data = np.broadcast_to(np.float32([50, 105, 145, 205, 250, 310])[:, None, None], (2, groups, 1, count)).copy()
    marks = np.zeros(data.shape, np.uint8)
    marks[0] = flags.T[:, None, :]
    block = RampBlock(data, marks, np.zeros((1, count), np.uint32), slice(0, 1), slice(0, count))
    noise = np.stack([np.full((1, count), value, np.float32) for value in (2, 10)])
    made = fit_lines(block, noise, RampTiming(4, 1, 2.0, 10.0), suppress=suppress)
    np.testing.assert_allclose(_planes(made.planes, made.dq), answers[f"{kind}_rate"], rtol=1e-5)
    first = _planes(made.each[:, 0], made.each_dq[0])
    # The mission calls nothing a rate of 0 that may be used; ours is not a number and DO_NOT_USE.
    wrong = (answers[f"{kind}_rateints"][:4] == 0).all(axis=0)
    assert wrong.sum() == 120 and not ((flags[wrong] & LOST) == 0).any()
    assert np.isnan(first[0, wrong]).all() and (first[4, wrong].astype(int) & 1).all()
    np.testing.assert_allclose(first[:, ~wrong], answers[f"{kind}_rateints"][:, ~wrong], rtol=1e-5)


def _planes(planes, dq):
    """SCI, VAR_POISSON, VAR_RNOISE, ERR and DQ of the one row."""
    return np.concatenate([np.asarray(planes)[:, 0], dq.astype(np.float32)])
