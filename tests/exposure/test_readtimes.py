"""When pixels are read: the published values, and the geometry of channels."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.exposure.readtimes import channel_pair, mean_decay, tile_columns
from rtools.wfi.instrument import detector_number

FRAME_TIME = 3.04

GOLDEN_18 = {
    (0, 0): 0.0,
    (0, 127): 6.061729051067183e-4,
    (0, 128): 6.061729051067183e-4,
    (255, 0): 0.17283087318042734,
    (256, 0): 0.19000447470156337,
    (2048, 1000): 1.5201455769575256,
    (4095, 0): 3.022897993703877,
    (4095, 127): 3.0235041666089835,
}
GOLDEN_1 = {(4095, 0): 0.0, (0, 0): 3.022897993703877, (2048, 1000): 1.5029719754363897}


@pytest.mark.parametrize(("detector", "golden"), [("WFI18", GOLDEN_18), ("WFI01", GOLDEN_1)])
def test_pixels_are_read_at_the_published_times(detector, golden):
    pair = channel_pair(FRAME_TIME, detector)
    for (row, column), seconds in golden.items():
        assert tile_columns(pair, column, column + 1)[row, 0] == pytest.approx(seconds, abs=1e-14)


def test_every_time_is_read_once_a_channel_and_within_the_frame():
    pair = channel_pair(3.16247, "WFI07")
    assert len(np.unique(pair[:, :128])) == 4096 * 128
    assert pair.min() == 0
    assert pair.max() < 3.16247


def test_pauses_for_the_guide_window_follow_every_256_rows():
    rows = channel_pair(FRAME_TIME, "WFI03")[:, 0]
    steps = np.diff(rows)
    paused = steps > 2 * np.median(steps)
    assert np.array_equal(np.nonzero(paused)[0] + 1, np.arange(256, 4096, 256))


def test_small_frame_is_the_first_rows():
    assert np.array_equal(channel_pair(FRAME_TIME, "WFI01", 64), channel_pair(FRAME_TIME, "WFI01")[:64])


def test_columns_across_pairs():
    pair = np.arange(256.0)[None]
    assert np.array_equal(tile_columns(pair, 250, 520)[0], np.arange(250, 520) % 256)


@pytest.mark.parametrize("name", ["WFI00", "WFI19", "WFIxx", "NRC01", None])
def test_no_such_detector(name):
    with pytest.raises(InputError, match="not a detector"):
        detector_number(name)


def test_mean_decay_counts_from_the_middle_of_read_one():
    assert mean_decay([1, 2], 3.0, 10.0) == pytest.approx((np.exp(0.15) + np.exp(-0.15)) / 2)
