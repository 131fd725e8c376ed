"""Limits: what is beyond them, what is odd among its like, and that each says what to do."""

import math

import pytest

from rtools.quality import METRICS, judge, odd_ones


@pytest.mark.parametrize(
    ("key", "value", "verdict"),
    [
        ("noise_ratio", 1.0, "good"),
        ("noise_ratio", 1.5, "look"),
        ("noise_ratio", 2.5, "bad"),
        ("noise_ratio", 0.4, "bad"),
        ("matches", 7, "look"),
        ("matches", 3, "bad"),
        ("not_done", 1, "bad"),
        ("warnings", 1, "look"),
        ("noise", 5.0, ""),
        ("rms", math.nan, ""),
        ("rms", None, ""),
    ],
)
def test_a_number_is_judged_by_its_limits(key, value, verdict):
    assert judge(key, value) == verdict


def test_every_number_with_a_limit_says_what_it_means_and_what_to_do():
    anything = (-math.inf, math.inf)
    for key, metric in METRICS.items():
        assert metric.meaning.endswith("."), key
        limited = metric.relative or (metric.good, metric.sound) != (anything, anything)
        assert not limited or len(metric.action) > 20, key
        assert metric.sound[0] <= metric.good[0] <= metric.good[1] <= metric.sound[1] or key == "warnings", key


def test_one_that_is_far_from_its_like_is_odd_and_their_scatter_is_not():
    alike = {str(number): 100 + number % 3 for number in range(9)}
    assert odd_ones(alike | {"far": 150.0, "unknown": math.nan}) == {"far"}
    assert odd_ones(alike | {"near": 104.0}) == set()
    assert odd_ones({"1": 1.0, "2": 1.0, "3": 50.0}) == set()
