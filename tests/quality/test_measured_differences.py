"""How images and columns differ: offset, scatter, sigmas, flags, regions, steps of a type."""

import numpy as np
import pytest

from rtools import quality

RNG = np.random.default_rng(8)
SHAPE = (200, 300)


@pytest.fixture
def noisy():
    """Two images of the same sky with independent noise of 0.3 each, and an offset of 0.05."""
    one, two = (RNG.normal(5, 0.3, SHAPE).astype("f4") for _ in range(2))
    return one, two + np.float32(0.05)


def test_offset_and_scatter_are_those_of_the_noise(noisy):
    found = quality.measure_difference(*noisy, err=np.full(SHAPE, 0.3 * 2**0.5, "f2"))
    assert found.pixels == found.with_error == 60000
    assert found.median == pytest.approx(0.05, abs=0.01)
    assert found.scatter == pytest.approx(0.3 * 2**0.5, rel=0.02)
    assert found.beyond == pytest.approx((0.3173, 0.0027, 0), abs=0.01)


def test_outliers_do_not_move_the_scatter_but_are_counted(noisy):
    one, two = noisy
    two[:2] += 100
    found = quality.measure_difference(one, two, err=np.full(SHAPE, 0.43))
    assert found.scatter == pytest.approx(0.43, rel=0.03)
    assert found.beyond[2] == pytest.approx(0.01, abs=1e-3)


def test_what_is_not_finite_or_has_no_error_does_not_count():
    one, two, err = np.zeros((4, 5), "f4"), np.ones((4, 5), "f4"), np.ones((4, 5))
    one[0, 0], two[1, 1], err[2, 2] = np.nan, np.inf, 0
    found = quality.measure_difference(one, two, err=err)
    assert (found.pixels, found.with_error, found.median, found.scatter) == (18, 17, 1, 0)
    nothing = quality.measure_difference(one, two, usable=np.zeros((4, 5), bool))
    assert nothing.pixels == 0
    assert np.isnan(nothing.median)


def test_each_flag_has_its_pixels():
    one, flags = np.zeros((6, 6), "f4"), np.zeros((6, 6), "u4")
    flags[0], flags[0, :2] = 4, 6
    two = one + np.where(flags > 0, 3, 1).astype("f4")
    found = dict(quality.differences_by_flag(one, two, flags, {"HOT": 2, "JUMP": 4, "DEAD": 8}))
    assert {name: (part.pixels, part.median) for name, part in found.items()} == {
        "GOOD": (30, 1), "HOT": (2, 3), "JUMP": (6, 3)}  # fmt: skip


def test_regions_cover_the_frame_and_find_the_corner_that_differs():
    one, two = np.zeros((50, 70), "f4"), np.zeros((50, 70), "f4")
    two[:12, :17] = 2
    found = list(quality.differences_by_region(one, two))
    assert sum(part.pixels for _rows, _columns, part in found) == one.size
    assert [part.median for *_place, part in found] == [2, *[0] * 15]
    narrow = list(quality.differences_by_region(one[:2], two[:2]))
    assert sum(part.pixels for *_place, part in narrow) == 140


@pytest.mark.parametrize(("dtype", "steps", "within"), [("f2", 1, True), ("f2", 2, False), ("f4", 1, True)])
def test_a_step_of_a_type_is_one_to_the_next_number(dtype, steps, within):
    one = np.array([0, -0.0, 1, -1, 300, np.nan], dtype)
    two = one.copy()
    for _ in range(steps):
        two = np.nextafter(two, np.array(np.inf, dtype))
    assert quality.within_one_step(one, two) is within
    assert quality.within_one_step(one, one)
    assert not quality.within_one_step(one, two.astype("f8"))


def test_pulls_of_independent_columns_have_a_scatter_of_one():
    error = RNG.uniform(1, 3, 4000)
    one, two = (1000 + RNG.normal(0, error) for _ in range(2))
    two[:5] = np.nan
    found = quality.column_difference(one, two, (error, error))
    assert (found.rows, found.differing) == (3995, 3995)
    assert found.pull_median == pytest.approx(0, abs=0.05)
    assert found.pull_scatter == pytest.approx(1, abs=0.05)
    assert quality.column_difference(one, one).differing == 0
