"""Pairs by chance: as many as positions that have nothing to do with each other have."""

import numpy as np
import pytest

from rtools.astrometry.chance_pairs import expected_by_chance
from rtools.astrometry.crossmatch import match_positions
from rtools.astrometry.refcat import Places
from rtools.wfi.sphere import from_plane
from tests.support.share import some_slow

SIZE = 0.1
TIMES = 20


def places(ra, dec):
    nothing = np.full(len(ra), np.nan)
    return Places(ra, dec, nothing, nothing)


def square(chance, count, start=0.0, size=SIZE, tangent=(0.0, 20.0)):
    x, y = chance.uniform(0, size, (2, count))
    return places(*from_plane(np.deg2rad(x + start), np.deg2rad(y), tangent))


def clusters(chance, count, width=20 / 3600):
    """Ten clusters at the places that they always have."""
    middles = np.random.default_rng(99).uniform(0, SIZE, (2, 10))[:, chance.integers(0, 10, count)]
    return places(*from_plane(*np.deg2rad(middles + chance.normal(0, width, (2, count))), (0.0, 20.0)))


def sky(chance, count):
    return places(chance.uniform(0, 360, count), np.rad2deg(np.arcsin(chance.uniform(-1, 1, count))))


FIELDS = {
    "a square": (lambda c: (square(c, 500), square(c, 500)), 1.0),
    "many": (lambda c: (square(c, 300), square(c, 5000)), 2.0),
    "six rows": (lambda c: (square(c, 600), square(c, 6)), 5.0),
    "half of both": (lambda c: (square(c, 800), square(c, 800, SIZE / 2)), 2.0),
    "a part of the first": (lambda c: (square(c, 2000), square(c, 100, size=SIZE / 4)), 2.0),
    "clusters": (lambda c: (clusters(c, 500), clusters(c, 500)), 1.0),
    "the pole": (
        lambda c: (square(c, 500, -SIZE / 2, tangent=(0, 90)), square(c, 500, -SIZE / 2, tangent=(0, 90))),
        2.0,
    ),
    "all the sky": (lambda c: (sky(c, 10_000), sky(c, 10_000)), 200.0),
}


@pytest.mark.parametrize("field", some_slow(FIELDS, 3))
def test_pairs_by_chance_are_as_many_as_positions_without_relation_have(field):
    make, radius = FIELDS[field]
    expected, counted = np.zeros(2), np.zeros(2)
    for seed in range(TIMES):
        one, two = make(np.random.default_rng(seed))
        for place, (find, every) in enumerate((("nearest", False), ("all", True))):
            expected[place] += expected_by_chance(one, two, radius, every=every)
            counted[place] += len(match_positions(one, two, radius, find=find).first)
    assert np.all(np.abs(expected - counted) < 3.5 * np.sqrt(counted) + 0.04 * counted), (expected, counted)


def test_true_pairs_do_not_count_and_lists_apart_have_none():
    chance = np.random.default_rng(1)
    one, other = square(chance, 500), square(chance, 500)
    both = places(np.concatenate([one.ra, other.ra]), np.concatenate([one.dec + 1e-5, other.dec]))
    density = 1000 / (SIZE * 3600) ** 2
    assert expected_by_chance(one, both, 1.0) == pytest.approx(500 * density * np.pi, rel=0.1)
    assert expected_by_chance(one, square(chance, 500, 2 * SIZE), 1.0) == 0
    assert expected_by_chance(one, places(np.zeros(0), np.zeros(0)), 1.0) == 0
    assert np.isnan(expected_by_chance(one, both, 600.0))
