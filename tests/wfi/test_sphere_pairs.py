"""Positions that belong together: mutual, within a radius, each once."""

import numpy as np

from rtools.wfi.sphere_pairs import mutual_pairs

ARCSEC = 1 / 3600


def test_shuffled_positions_find_each_other_at_the_pole_and_across_zero():
    rng = np.random.default_rng(3)
    for dec0 in (0.0, 89.99, -60.0):
        dec = dec0 + rng.uniform(-30, 30, 200) * ARCSEC
        ra = (rng.uniform(-30, 30, 200) * ARCSEC / np.cos(np.radians(dec))) % 360
        order = rng.permutation(200)
        found = mutual_pairs(ra, dec, ra[order], dec[order] + 0.01 * ARCSEC, radius=0.2)
        assert (order[found.second] == found.first).mean() > 0.99
        assert len(found.first) > 195
        np.testing.assert_allclose(found.separation, 0.01, rtol=1e-4)


def test_two_near_one_leaves_the_farther_alone():
    found = mutual_pairs([10, 10 + 0.2 * ARCSEC], [0, 0], [10.0], [0.0], radius=1.0)
    assert (found.first.tolist(), found.second.tolist()) == ([0], [0])


def test_beyond_the_radius_without_position_and_without_rows_there_is_no_pair():
    assert len(mutual_pairs([10.0], [0.0], [10.0], [2 * ARCSEC], radius=1.0).first) == 0
    assert mutual_pairs([np.nan, 10.0], [0, 0], [10.0, 20.0], [0, np.nan], radius=1.0).first.tolist() == [1]
    assert len(mutual_pairs([], [], [1.0], [1.0], radius=1.0).first) == 0
