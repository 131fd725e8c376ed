"""Dark decay: published values, the sum over reads, and references that do not know the detector."""

import numpy as np
import pytest

from rtools.declare import Skip
from rtools.exposure.readtimes import channel_pair
from rtools.exposure.steps import darkdecay
from tests.support.strips import FRAME_TIME, PATTERN, exposure, strip


def prepare(table, shape=(6, 4096, 256), detector="WFI01"):
    refs = {"darkdecaysignal": {"decay_table": table}}
    return darkdecay.prepare(exposure(shape, detector=detector), None, refs, {})


def corrected(data, start=0, prepared=None):
    made = strip(data, start=start)
    prepared = prepared or prepare({"WFI01": {"amplitude": 0.4, "time_constant": 23.0}})
    darkdecay.apply(made, {}, {}, prepared)
    return made.data


def test_corrections_are_the_published_ones():
    decay = prepare({"WFI01": {"amplitude": 0.4, "time_constant": 23.0}})
    assert decay.plane[4095, 0] * decay.levels[2] == pytest.approx(0.23833105782134748, rel=1e-13)
    assert decay.plane[0, 0] * decay.levels[0] == pytest.approx(0.3746982952229462, rel=1e-13)


def test_equals_the_sum_over_reads():
    data = np.random.default_rng(1).uniform(0, 5e4, (6, 4096, 128)).astype(np.float32)
    times = channel_pair(FRAME_TIME, "WFI01")[:, 128:]
    found = corrected(data, start=128)
    for g, reads in enumerate(PATTERN):
        signal = np.mean([0.4 * np.exp(-(times + (r - 1.5) * FRAME_TIME) / 23.0) for r in reads], axis=0)
        assert np.array_equal(found[g], (data[g] - signal).astype(np.float32))


def test_any_columns_agree_with_the_whole():
    data = np.full((6, 4096, 600), 1000, np.float32)
    whole = corrected(data)
    assert np.array_equal(corrected(data[..., 250:530], start=250), whole[..., 250:530])


@pytest.mark.parametrize(
    "table",
    [
        {"WFI01": {"amplitude": None, "time_constant": 23.0}},
        {"WFI01": {"amplitude": 0.4, "time_constant": None}},
        {"WFI01": {"amplitude": 0.4, "time_constant": 0.0}},
        {"WFI01": {"amplitude": float("nan"), "time_constant": 23.0}},
        {"WFI01": {"amplitude": -999999, "time_constant": 23.0}},
        {"WFI01": {"amplitude": 0.4, "time_constant": "?"}},
        {"WFI02": {"amplitude": 0.4, "time_constant": 23.0}},
        None,
    ],
)
def test_skipped_without_a_decay_of_this_detector(table):
    assert isinstance(prepare(table), Skip)
