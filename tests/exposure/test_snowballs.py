"""Snowballs: groups of jump pixels as ellipses, their cores and halos, and the second fit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rtools.exposure.frame import Strip
from rtools.exposure.rampfit.ellipses import ellipse_of, fill_ellipse, find_ellipses
from rtools.exposure.rampfit.snowballs import find_event_areas, flag_area, flag_snowballs, reach_of
from rtools.exposure.steps import rampfit
from rtools.wfi.frame import CHANNEL
from tests.support.ramps import PATTERN, bordered, options, plan, simulate

JUMP, SAT = 4, 2


def disc(shape, y, x, radius):
    """Pixels within a radius."""
    yy, xx = np.ogrid[: shape[0], : shape[1]]
    return (yy - y) ** 2 + (xx - x) ** 2 < radius**2


def snowball(shape=(4, 64, 256), y=30, x=60, core=4, ring=9, g=2):
    """Flags with one snowball in resultant g."""
    flags = np.zeros(shape, np.uint8)
    flags[g:, disc(shape[1:], y, x, core)] = SAT
    flags[g, disc(shape[1:], y, x, ring) & (flags[g] == 0)] = JUMP
    return flags


@pytest.mark.parametrize("degrees", [-70, -20, 0, 35, 90])
def test_an_ellipse_comes_back_from_its_pixels(degrees):
    box, inside = fill_ellipse((60, 50), (9, 22), np.radians(degrees), (101, 121))
    mask = np.zeros((101, 121), bool)
    mask[box] = inside
    (found,) = find_ellipses(mask, 6)
    assert_allclose([found.x, found.y], [60, 50], atol=1e-9)
    assert_allclose([found.minor + 1, found.major + 1], [18, 44], atol=0.8)
    assert_allclose(np.sin(found.angle - np.radians(degrees)), 0, atol=0.02)
    assert_allclose(np.count_nonzero(mask), np.pi * 9 * 22, rtol=0.02)


def test_the_angle_runs_from_rows_to_columns():
    tall = ellipse_of(np.arange(20), np.full(20, 3))
    wide = ellipse_of(np.full(20, 3), np.arange(20))
    diagonal = ellipse_of(np.arange(20), np.arange(20))
    assert_allclose(np.degrees([tall.angle, abs(wide.angle), diagonal.angle]), [0, 90, 45])
    assert_allclose(tall.major, 4 * np.sqrt((20**2 - 1) / 12) - 1)
    assert tall.minor == -1


def test_the_rim_is_outside_and_the_frame_cuts():
    _, inside = fill_ellipse((10, 10), (5, 5), 0.7, (21, 21))
    assert np.count_nonzero(inside) == np.count_nonzero(disc((21, 21), 10, 10, 5))
    box, inside = fill_ellipse((0, 20), (5, 5), 0.0, (21, 21))
    assert box == (slice(13, 21), slice(0, 8))
    assert np.count_nonzero(inside) == np.count_nonzero(disc((21, 21), 20, 0, 5))
    assert not fill_ellipse((10, 10), (0, 5), 0.0, (21, 21))[1].any()


def test_area_counts_holes_and_diagonal_neighbours_belong_together():
    mask = np.zeros((20, 20), bool)
    mask[2:5, 2:5] = True
    mask[3, 3] = False  # filled area 9
    mask[10, 19] = mask[11, 0] = True  # next to each other in memory, not in the image
    mask[14, 5] = mask[15, 6] = True
    assert [len(find_ellipses(mask, area)) for area in (1, 2, 9, 10)] == [4, 2, 1, 0]


def test_halo_is_flagged_and_core_extended():
    flags = snowball()
    before = flags.copy()
    assert flag_snowballs(flags, options()) == [0]
    reach_core, reach_halo = disc(flags.shape[1:], 30, 60, 5), disc(flags.shape[1:], 30, 60, 14)
    assert (flags[2][reach_core] == SAT).all()
    assert (flags[3][reach_core] == SAT).all()
    halo = reach_halo & (flags[2] & SAT == 0)
    assert (flags[2][halo] & JUMP == JUMP).all()
    assert_array_equal(flags[:2], before[:2])
    outside = ~disc(flags.shape[1:], 30, 60, 20)
    assert_array_equal(flags[:, outside], before[:, outside])
    assert not (flags[3] & JUMP).any()


def test_a_core_is_required_unless_told_or_near_the_edge():
    flags = snowball(core=0)
    assert flag_snowballs(flags.copy(), options()) == []
    assert flag_snowballs(flags.copy(), options(sat_required_snowball=False)) == [0]
    assert flag_snowballs(flags.copy(), options(edge_size=40)) == [0]


def test_an_event_in_the_middle_of_a_wide_frame_is_not_near_its_edge():
    flags = snowball(x=150, core=0)
    assert flag_snowballs(flags.copy(), options()) == []
    assert flag_snowballs(flags.copy(), options(edge_size=30)) == []
    assert flag_snowballs(flags.copy(), options(edge_size=31)) == [1]


@pytest.mark.parametrize("cut", [(0, 0, 20, 70), (25, 40, 64, 58), (40, 0, 64, 256), (0, 130, 64, 256)])
def test_a_part_of_the_frame_is_flagged_as_the_whole_is(cut):
    flags = snowball()
    whole, part = flags.copy(), flags[:, cut[0] : cut[2], cut[1] : cut[3]].copy()
    flag_snowballs(whole, options())
    for area in find_event_areas(flags.__getitem__, len(flags), options()):
        flag_area(part, area, cut[:2])
    assert_array_equal(part, whole[:, cut[0] : cut[2], cut[1] : cut[3]])


def test_a_core_that_saturates_in_the_next_resultant_will_do():
    flags = snowball(core=0)
    flags[3, disc(flags.shape[1:], 30, 60, 3)] = SAT
    assert flag_snowballs(flags, options()) == [0]
    assert np.count_nonzero(flags[2] & JUMP) > 1.5 * np.pi * 81


def test_old_saturation_and_small_groups_are_left_alone():
    old = snowball()
    old[:2, old[2] == SAT] = SAT
    small = snowball(core=1, ring=1.2)
    for flags in (old, small):
        before = flags.copy()
        flag_snowballs(flags, options(min_sat_radius_extend=50.0))
        assert_array_equal(flags, before)


def test_channels_that_changed_are_named():
    flags = snowball(x=CHANNEL)
    assert flag_snowballs(flags, options()) == [0, 1]


def fit_frame(ramps, groupdq, opts, prepared, channels):
    """Fit channels of a frame as the engine would; returns channel to strip."""
    strips = {}
    rows, columns = ramps.shape[1:]
    for channel in channels:
        span = slice(channel * CHANNEL, (channel + 1) * CHANNEL)
        strip = Strip(
            span.start,
            span.stop,
            np.ascontiguousarray(ramps[:, :, span]),
            groupdq[:, :, span].copy(),
            np.zeros((rows, CHANNEL), np.uint32),
            frame_rows=rows,
            frame_columns=columns,
        )
        references = {
            "gain": {"data": np.full((rows, CHANNEL), 1.8, np.float32)},
            "readnoise": {"data": np.full((rows, CHANNEL), 6.0, np.float32)},
        }
        rampfit.apply(strip, references, opts, prepared)
        strips[channel] = strip
    return strips


def test_second_fit_leaves_out_the_halo_and_nothing_else():
    rng = np.random.default_rng(4)
    shape = (64, 384)
    yy, xx = np.ogrid[: shape[0], : shape[1]]
    distance = np.hypot(yy - 32, xx - 130)
    steps = np.zeros((13, *shape))
    steps[3:] = np.where(distance < 12, 2000, 60 * np.exp(-(distance - 12) / 3))
    ramps = simulate(rng, 3.0, shape, steps=steps).astype(np.float32)
    groupdq = np.zeros(ramps.shape, np.uint8)
    groupdq[2:, distance < 4] = SAT

    plain, _ = plan(6, options(), PATTERN, shape)
    without = fit_frame(ramps, groupdq, options(), plain, range(3))
    opts = options(expand_large_events=True)
    prepared, _ = plan(6, opts, PATTERN, shape)
    first = fit_frame(ramps, groupdq, opts, prepared, range(3))
    for channel in range(3):
        assert_array_equal(first[channel].image["data"], without[channel].image["data"])
    channels = rampfit.revise(prepared, opts)
    assert channels == [0, 1]
    assert rampfit.revise(prepared, opts) == []
    second = fit_frame(ramps, groupdq, opts, prepared, channels)

    one, two = (np.concatenate([s[c].image["data"] for c in (0, 1)], axis=1) for s in (first, second))
    dq_one, dq_two = (np.concatenate([s[c].image["dq"] for c in (0, 1)], axis=1) for s in (first, second))
    away = distance[4:-4, 4:256] > 32
    assert_array_equal(one[away], two[away])
    assert_array_equal(dq_one[away], dq_two[away])
    halo = (distance[4:-4, 4:256] > 13) & (distance[4:-4, 4:256] < 20)
    assert (dq_two[halo] & JUMP == JUMP).all()
    assert np.mean(one[halo]) - 3.0 > 3 * abs(np.mean(two[halo]) - 3.0)
    jumps = second[1].jumps
    assert jumps[:, 2].min() >= CHANNEL - 4
    assert np.count_nonzero(dq_two[:, CHANNEL - 4 :] & JUMP) == len(np.unique(jumps[:, 1:], axis=0))


def test_the_border_takes_no_part_in_fits():
    shape = (24, 24)
    ramps = bordered(simulate(np.random.default_rng(1), 3.0, (16, 16)).astype(np.float32), np.nan)
    prepared, _ = plan(6, options(), PATTERN, shape)
    strip = Strip(0, 24, ramps, np.zeros(ramps.shape, np.uint8), np.zeros(shape, np.uint32), 24, 24)
    references = {"gain": {"data": np.ones(shape)}, "readnoise": {"data": np.ones(shape)}}
    rampfit.apply(strip, references, options(), prepared)
    assert strip.image["data"].shape == (16, 16)
    assert np.isfinite(strip.image["data"]).all()


def test_boxes_around_areas_hold_all_that_is_flagged_for_them():
    flags = snowball()
    areas = find_event_areas(flags.__getitem__, len(flags), options())
    assert len(areas) == 2
    for area, (top, left, bottom, right) in zip(areas, reach_of(areas), strict=True):
        changed = flags.copy()
        flag_area(changed, area)
        y, x = np.nonzero((changed != flags).any(axis=0))
        assert top <= y.min() and y.max() < bottom and left <= x.min() and x.max() < right
        rows, columns = area.box(flags.shape[1:])
        assert (rows.start, rows.stop, columns.start, columns.stop) == (max(top, 0), min(bottom, 64), left, right)
    assert reach_of([]).shape == (0, 4)
