"""Saturation flags: published ramps, the peer's flags, growth across strips, the fully saturated test."""

import numpy as np
import pytest

from rtools.exposure.steps import saturation
from tests.support.places import DATA
from tests.support.strips import PATTERN, exposure, strip

GOLDEN = np.load(DATA / "saturation_peer.npz")
NO_SAT_CHECK = 1 << 21


def flagged(data, threshold, dq=None, *, grow=0, backup=0, start=0, frame=None, **planes):
    """The strip after the step, and the counts."""
    made = strip(data, start=start, frame=frame, **planes)
    shape = made.data.shape[1:]
    threshold = np.broadcast_to(np.float32(threshold), shape)
    dq = np.zeros(shape, np.uint32) if dq is None else dq
    options = {"grow": grow, "backup": backup}
    reads = saturation.prepare(exposure(made.data.shape), None, {}, options)
    counts = saturation.apply(made, {"saturation": {"data": threshold, "dq": dq}}, options, reads)
    return made, counts


def ramp(*values):
    return np.array(values, np.float32)[:, None, None]


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ((10000, 20000, 40000, 60000, 62000, 62000), (0, 0, 0, 2, 2, 2)),
        ((10000, 20000, 48000, 61000, 62000, 62000), (0, 0, 1, 2, 2, 2)),
        ((2000, 32000, 61000, 62000, 62000, 62000), (0, 1, 2, 2, 2, 2)),
        ((2000, 4000, 8000, 12000, 61000, 62000), (0, 0, 0, 0, 2, 2)),
        ((0, -1, 5, 5, 5, 5), (65, 65, 0, 0, 0, 0)),
        ((30000, 40000, 61000, 62000, 62000, 62000), (0, 0, 2, 2, 2, 2)),
    ],
)
def test_published_ramps_are_flagged_as_published(values, flags):
    made, _counts = flagged(ramp(*values), 60000)
    assert tuple(made.groupdq[:, 0, 0]) == flags


@pytest.mark.parametrize("grow", [0, 1, 2])
def test_equals_the_peer(grow):
    planes = {"groupdq": GOLDEN["groupdq"], "pixeldq": GOLDEN["pixeldq"]}
    made, _counts = flagged(GOLDEN["data"], GOLDEN["threshold"], GOLDEN["dq"], grow=grow, **planes)
    assert np.array_equal(made.groupdq, GOLDEN[f"groupdq_grow{grow}"])
    assert np.array_equal(made.pixeldq, GOLDEN["pixeldq_out"])
    assert np.array_equal(made.data, GOLDEN["data"], equal_nan=True)


@pytest.mark.parametrize("grow", [1, 2])
def test_strips_with_their_halo_give_the_flags_of_the_frame(grow):
    whole, counts = flagged(GOLDEN["data"], GOLDEN["threshold"], GOLDEN["dq"], grow=grow)
    columns = GOLDEN["data"].shape[2]
    margin = saturation.halo({"grow": grow, "backup": 0})
    parts, total = [], 0
    for first in range(0, columns, 16):
        low, high = max(0, first - margin), min(columns, first + 16 + margin)
        cut = np.s_[..., low:high]
        made, count = flagged(
            GOLDEN["data"][cut], GOLDEN["threshold"][cut], GOLDEN["dq"][cut], grow=grow, start=low, frame=(40, columns)
        )
        parts.append(made.groupdq[..., first - low : first - low + 16])
        total += count["saturated"]
    assert np.array_equal(np.concatenate(parts, axis=2), whole.groupdq)
    assert total == counts["saturated"] == np.count_nonzero(whole.groupdq[-1] & 2)


def test_growth_is_a_square_clipped_at_the_frame():
    data = np.full((6, 9, 9), 100, np.float32)
    data[3:, 0, 4] = 61000
    made, _counts = flagged(data, 60000, grow=2)
    grown = np.zeros((9, 9), bool)
    grown[:3, 2:7] = True
    assert np.array_equal(made.groupdq[4] & 2 != 0, grown)
    assert not (made.groupdq[2] & 2).any()


def test_backup_moves_into_averaged_resultants_only():
    made, _counts = flagged(ramp(10000, 20000, 30000, 40000, 45000, 62000), 60000, backup=3)
    # Resultant 4 is a single read, so flags stop after 5.
    assert tuple(made.groupdq[:, 0, 0]) == (0, 0, 0, 0, 0, 2)
    made, _counts = flagged(ramp(10000, 20000, 30000, 40000, 62000, 62000), 60000, backup=2)
    # Ascending, so each pass moves one resultant back; 2 and 1 would follow only with further passes.
    assert tuple(made.groupdq[:, 0, 0] & 2) == (0, 0, 2, 2, 2, 2)


def test_no_check_without_a_threshold():
    data = np.full((6, 1, 3), 65000, np.float32)
    threshold = np.array([[np.nan, 60000, 60000]], np.float32)
    made, _counts = flagged(data, np.array([[-999999, 0, 60000]], np.float32), np.zeros((1, 3), np.uint32))
    assert np.array_equal(made.pixeldq[0], [NO_SAT_CHECK, NO_SAT_CHECK, 0])
    assert np.array_equal(made.groupdq[0, 0] & 2, [0, 0, 2])
    made, _counts = flagged(data, threshold, np.array([[0, NO_SAT_CHECK, 2048]], np.uint32))
    assert np.array_equal(made.groupdq[0, 0] & 2, [0, 0, 2])
    assert np.array_equal(made.pixeldq[0], [NO_SAT_CHECK, NO_SAT_CHECK, 2048])


def test_beyond_16_bits_even_unchecked_pixels_saturate():
    made, _counts = flagged(np.full((6, 1, 1), 65536, np.float32), np.nan)
    assert (made.groupdq & 2).all()


def test_pattern_of_two_resultants_has_no_second_check():
    reads = saturation.prepare(exposure((2, 1, 1), pattern=PATTERN[:2]), None, {}, {})
    made = strip(ramp(2000, 61000))
    refs = {"saturation": {"data": np.full((1, 1), 60000, np.float32), "dq": np.zeros((1, 1), np.uint32)}}
    saturation.apply(made, refs, {"grow": 0, "backup": 0}, reads)
    assert tuple(made.groupdq[:, 0, 0]) == (0, 2)


def full(rows=16, columns=16):
    made = strip(np.zeros((3, rows, columns)), frame=(rows, columns))
    made.groupdq[:, 4:-4, 4:-4] = 2
    return made


def test_fully_saturated_looks_at_science_pixels_only():
    assert saturation.fully_saturated(full())


@pytest.mark.parametrize("where", [(0, 4, 4), (2, 11, 11)])
def test_one_good_resultant_of_one_pixel_is_enough(where):
    made = full()
    made.groupdq[where] = 1
    assert not saturation.fully_saturated(made)


def test_fully_saturated_by_pixel_flags():
    made = full()
    made.groupdq[:] = 0
    made.pixeldq[4:-4, 4:-4] = 2
    assert saturation.fully_saturated(made)
