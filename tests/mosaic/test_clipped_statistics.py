"""Clipped statistics: values of the peer's code on the same numbers, and what they must be by definition."""

import numpy as np
import pytest

from rtools.mosaic.sky.statistics import KINDS, SkyStatistic, sky_value


def sample(seed, n, tail=0.03):
    """Normal values with a tail of sources, float32, by a generator that is written down here."""
    state, uniform = seed, np.empty(2 * n)
    for k in range(2 * n):
        state = (1103515245 * state + 12345) % (1 << 31)
        uniform[k] = (state + 0.5) / (1 << 31)
    radius, angle = np.sqrt(-2 * np.log(uniform[:n])), 2 * np.pi * uniform[n:]
    values = 0.7 + 0.2 * radius * np.cos(angle)
    return (values + np.where(uniform[n:] < tail, 5 * uniform[:n], 0)).astype(np.float32)


GOLDEN = [
    (
        1,
        4000,
        {},
        {
            "mean": 0.694318413734436,
            "median": 0.6922990083694458,
            "mode": 0.7592185225144222,
            "midpt": 0.6899782410415356,
        },
        3876,
        0.198221817612648,
    ),
    (
        2,
        4000,
        {"nclip": 2, "lsigma": 2.0, "usigma": 2.5},
        {
            "mean": 0.697529137134552,
            "median": 0.692564845085144,
            "mode": 0.702838921174407,
            "midpt": 0.6932262593880296,
        },
        3794,
        0.18200771510601044,
    ),
    (
        3,
        500,
        {"lower": 0.5, "binwidth": 0.25},
        {
            "mean": 0.7592569589614868,
            "median": 0.742624044418335,
            "mode": 0.748827084114677,
            "midpt": 0.7398628145456314,
        },
        403,
        0.1625080704689026,
    ),
    (
        4,
        5000,
        {"lower": 0.2, "upper": 1.5, "nclip": 1, "binwidth": 1.7},
        {
            "mean": 0.6990628838539124,
            "median": 0.6940082311630249,
            "mode": 0.6323397399450637,
            "midpt": 0.6109902188181877,
        },
        4823,
        0.1953473687171936,
    ),
    (
        5,
        37,
        {"nclip": 1},
        {
            "mean": 0.7011399865150452,
            "median": 0.6832405924797058,
            "mode": 0.6485996305942536,
            "midpt": 0.674487454071641,
        },
        36,
        0.17258548736572266,
    ),
    (
        6,
        3001,
        {"nclip": 0, "binwidth": 0.02},
        {
            "mean": 0.7860189080238342,
            "median": 0.6969426870346069,
            "mode": 0.6627060830643451,
            "midpt": 0.697761204186827,
        },
        3001,
        0.6172653436660767,
    ),
]
"""Seed, number, limits and clipping, then value of each kind, pixels and spread, by stsci.imagestats 1.8.4."""


@pytest.mark.parametrize(("seed", "n", "options", "values", "count", "spread"), GOLDEN)
def test_as_the_peer(seed, n, options, values, count, spread):
    data = sample(seed, n)
    for kind, value in values.items():
        found = sky_value(data, SkyStatistic(kind, **options))
        assert found.value == pytest.approx(value, rel=1e-14)
        assert (found.count, found.spread) == (count, spread)


def test_order_of_the_values_hardly_matters():
    data = sample(5, 3000)
    for kind in KINDS:
        statistic = SkyStatistic(kind)
        assert sky_value(data[::-1], statistic).value == pytest.approx(sky_value(data, statistic).value, abs=2e-7)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 11, 4001])
def test_median_without_clipping_is_the_median(n):
    data = sample(n, n)
    assert sky_value(data, SkyStatistic("median", nclip=0)).value == np.median(data)
    limits = SkyStatistic("median", nclip=0, lower=0.6, upper=0.9)
    inside = data[(data >= np.float32(0.6)) & (data <= np.float32(0.9))]
    wanted = np.median(inside) if len(inside) else np.nan
    assert sky_value(data, limits).value == pytest.approx(wanted, nan_ok=True)


def test_median_of_values_that_are_far_apart_or_very_close():
    for data in ([3e38, -3e38, 1, 2, 2], [1e-45, 0, 3e-45, 1e-44], [7, 7, 7, 8], np.float32(1) + np.arange(9) * 1.2e-7):
        data = np.array(data, np.float32)
        assert sky_value(data, SkyStatistic("median", nclip=0)).value == np.median(data)


@pytest.mark.parametrize("kind", KINDS)
def test_of_constant_values_every_statistic_is_the_value(kind):
    found = sky_value(np.full((20, 30), 3.5), SkyStatistic(kind))
    assert tuple(found) == (3.5, 600, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_one_value_is_its_statistic(kind):
    assert sky_value([2.0, np.nan, np.inf], SkyStatistic(kind)).value == 2


def test_midpt_in_one_bin_is_its_centre():
    data = np.array([1.0, 1.001, 1.002] * 50, np.float32)
    found = sky_value(data, SkyStatistic("midpt", binwidth=5.0))
    assert found.value == pytest.approx(1 + 2.5 * found.spread, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options", [{"lower": 9.0}, {"upper": -9.0}, {"lower": 1.5, "upper": 1.2}, {"lower": 1.1, "upper": 1.9}]
)
def test_no_value_in_range(kind, options):
    found = sky_value([1.0, 2.0, 1.0, 2.0], SkyStatistic(kind, **options))
    assert np.isnan(found.value) and found.count == 0


@pytest.mark.parametrize("kind", KINDS)
def test_of_no_values_there_is_no_statistic(kind):
    for data in ([], [np.nan]):
        found = sky_value(data, SkyStatistic(kind))
        assert np.isnan(found.value) and found.count == 0


def test_the_mode_is_low_and_the_median_is_not():
    """With 2 % of the pixels in a tail of sources."""
    random = np.random.default_rng(3)
    data = random.normal(1, 0.1, 1_000_000)
    tail = random.random(data.size) < 0.02
    data[tail] += random.exponential(1.0, np.count_nonzero(tail))
    off = {kind: (sky_value(data, SkyStatistic(kind)).value - 1) / 0.1 for kind in ("median", "mode")}
    assert abs(off["median"]) < 0.02
    assert -0.12 < off["mode"] < -0.02
