"""Steps of MIRI that treat the first integrations of an exposure apart, on blocks that begin at any of them."""

import numpy as np
import pytest

from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.steps import dark, reset, rscd

SHAPE = (3, 5, 4, 6)
LEVELS = np.float32([10, 20])[:, None, None, None] * np.ones((2, *SHAPE[1:]), np.float32)


def block(begin=0):
    """Integrations from `begin` to the third."""
    data = np.full((SHAPE[0] - begin, *SHAPE[1:]), 100, np.float32)
    flags = np.zeros(data.shape, np.uint8)
    return RampBlock(data, flags, np.zeros(SHAPE[2:], np.uint32), slice(0, 4), slice(0, 6), begin=begin)


@pytest.mark.parametrize("begin", [0, 1, 2])
@pytest.mark.parametrize(
    ("step", "kind", "prepared"), [(dark, "dark", dark.DarkRhythm(5, 1, 0)), (reset, "reset", None)]
)
def test_each_of_the_first_integrations_has_a_reference_of_its_own(begin, step, kind, prepared):
    flags = np.zeros((1, 1, 4, 6), np.uint32)
    flags[0, 0, 1, 2] = 8
    one = block(begin)
    step.apply(one, {kind: {"data": LEVELS, "dq": flags}}, {"average_dark": 0.0}, prepared)
    np.testing.assert_array_equal(one.data[:, 2, 0, 0], [90, 80, 80][begin:])
    assert one.pixeldq[1, 2] == 8 and one.pixeldq.sum() == 8


@pytest.mark.parametrize("begin", [0, 1])
def test_the_first_integration_loses_other_groups_than_those_behind(begin):
    one = block(begin)
    rscd.apply(one, {}, {"bright_use_group1": False}, (1, 2))
    np.testing.assert_array_equal((one.groupdq[..., 0, 0] & 1).sum(axis=1), [1, 2, 2][begin:])
