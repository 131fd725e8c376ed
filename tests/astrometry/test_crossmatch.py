"""Rows of two lists of positions that are the same sources."""

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord

from rtools.astrometry.crossmatch import match_positions
from rtools.astrometry.offsets import common_offsets, residuals
from rtools.astrometry.refcat import Places
from rtools.wfi.sphere import from_plane, positions_of, to_plane, unit_vectors
from rtools.wfi.units import ARCSEC


def places(ra, dec, error=np.nan):
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    return Places(ra, dec, np.full(len(ra), error), np.full(len(ra), error))


def field(count, seed, middle=(359.99, 80.0), size=0.05):
    chance = np.random.default_rng(seed)
    dec = middle[1] + chance.uniform(-size, size, count)
    return (middle[0] + chance.uniform(-size, size, count) / np.cos(np.deg2rad(dec))) % 360, dec


@pytest.mark.parametrize("middle", [(359.99, 80.0), (0.0, -89.9), (180.0, 0.0)])
def test_pairs_are_those_of_astropy(middle):
    one, two = places(*field(800, 1, middle)), places(*field(1200, 2, middle))
    coords = [SkyCoord(each.ra * units.deg, each.dec * units.deg) for each in (one, two)]
    index, apart, _ = coords[0].match_to_catalog_sky(coords[1])
    near = apart.arcsec <= 5
    found = match_positions(one, two, 5.0, find="nearest")
    np.testing.assert_array_equal(found.first, np.flatnonzero(near))
    np.testing.assert_array_equal(found.second, index[near])
    np.testing.assert_allclose(found.separation, apart.arcsec[near], rtol=1e-8)
    np.testing.assert_allclose(np.hypot(found.east, found.north), found.separation, rtol=1e-6)
    back, _, _ = coords[1].match_to_catalog_sky(coords[0])
    mutual = near & (back[index] == np.arange(800))
    best = match_positions(one, two, 5.0)
    np.testing.assert_array_equal(best.first, np.flatnonzero(mutual))
    assert len(set(best.second)) == len(best.second)
    first, second, _, _ = coords[1].search_around_sky(coords[0], 5 * units.arcsec)
    everything = match_positions(one, two, 5.0, find="all")
    assert set(zip(everything.first, everything.second, strict=True)) == set(zip(first, second, strict=True))


def test_what_has_no_position_has_no_pair():
    one, two = places([np.nan, 10.0], [0.0, 0.0]), places([10.0, np.nan], [0.0, np.nan])
    found = match_positions(one, two, 1.0)
    assert (found.first.tolist(), found.second.tolist(), found.separation.tolist()) == ([1], [0], [0.0])
    assert len(match_positions(one, places([], []), 1.0).first) == 0


def test_separations_are_compared_with_their_errors():
    one = places([10.0, 20.0], [0.0, 0.0], error=3.0)
    two = Places(np.array([10.0, 20.0]), np.array([25e-3 / 3600, 5e-3 / 3600]), np.full(2, 4.0), np.full(2, 4.0))
    np.testing.assert_allclose(match_positions(one, two, 1.0).sigma, [5.0, 1.0], rtol=1e-6)
    assert match_positions(one, two, 1.0, sigmas=3.0).first.tolist() == [1]
    assert np.isnan(match_positions(one, places(two.ra, two.dec), 1.0, sigmas=3.0).sigma).all()


def test_a_list_that_was_moved_and_turned_is_found_so():
    """20 mas east, 3 arcsec of rotation from north to east, larger by 2e-5."""
    centre = SkyCoord(40 * units.deg, 60 * units.deg)
    chance = np.random.default_rng(4)
    angle, far = chance.uniform(0, 2 * np.pi, 500) * units.rad, 300 * np.sqrt(chance.uniform(0, 1, 500)) * units.arcsec
    one = centre.directional_offset_by(angle, far)
    two = centre.directional_offset_by(angle + 3 * units.arcsec, far * (1 + 2e-5))
    two = two.spherical_offsets_by(0.020 * units.arcsec, 0 * units.arcsec)
    given = places(one.ra.deg, one.dec.deg)
    noise = chance.normal(0, 2e-3 / 3600, (2, 500))
    seen = places(two.ra.deg + noise[0] / np.cos(two.dec.rad), two.dec.deg + noise[1])
    found = residuals(given, match_positions(given, seen, 1.0))
    assert abs(found.east - 20) < 1 and abs(found.north) < 1
    assert abs(found.rotation - 3) < 4 * found.rotation_error < 1
    assert abs(found.scale - 2e-5) < 4 * found.scale_error < 4e-6
    assert found.rms == pytest.approx(2, rel=0.1)
    assert residuals(given, match_positions(given, places([0.0], [0.0]), 1.0)) is None


def test_a_shift_near_the_pole_is_one_shift():
    """30 mas along x and -20 along y of the plane that touches the sphere at (40, 89.99), on both sides of the pole."""
    tangent, chance = (40.0, 89.99), np.random.default_rng(8)
    x, y = chance.uniform(-90, 90, (2, 300)) * ARCSEC
    turn = 5 * ARCSEC
    one = places(*from_plane(x, y, tangent))
    two = places(*from_plane(x + y * turn + 0.03 * ARCSEC, y - x * turn - 0.02 * ARCSEC, tangent))
    pairs = match_positions(one, two, 1.0)
    assert np.ptp(pairs.east) > 0.05  # east is another direction at each of them
    centre = to_plane(0, 90, tangent, unit=ARCSEC)
    assert np.hypot(*centre) < 60
    east, north = common_offsets(one, pairs)
    assert np.std(east) < 0.003 and np.std(north) < 0.003
    # the middle of the pairs has north in another direction than the tangent point
    middle = positions_of(unit_vectors(one.ra, one.dec).mean(axis=0))
    angle = np.deg2rad(middle[0] - tangent[0])
    found = residuals(one, pairs)
    along = found.east * np.cos(angle) - found.north * np.sin(angle)
    across = found.east * np.sin(angle) + found.north * np.cos(angle)
    np.testing.assert_allclose([along, across], [30, -20], atol=0.5)
    assert found.rotation == pytest.approx(5, abs=0.01) and found.rms < 0.01


def test_the_rms_of_few_pairs_counts_what_was_fitted():
    """Of three pairs with noise of 10 mas a similarity leaves two residuals of six; their mean square is that noise."""
    squares = []
    for seed in range(300):
        chance = np.random.default_rng(seed)
        x, y = np.array([[0, 60, 0], [0, 0, 60]]) * ARCSEC
        one = places(*from_plane(x, y, (10.0, 20.0)))
        noise = chance.normal(0, 0.01 * ARCSEC, (2, 3))
        found = residuals(one, match_positions(one, places(*from_plane(x + noise[0], y + noise[1], (10.0, 20.0))), 1.0))
        squares.append(found.rms**2)
    assert np.sqrt(np.mean(squares)) == pytest.approx(10, rel=0.1)


def test_few_pairs_pairs_at_one_place_and_all_over_the_sky_have_no_rotation():
    one = places([10.0, 10.1], [0.0, 0.0])
    few = residuals(one, match_positions(one, one, 1.0))
    assert few.pairs == 2 and few.east == 0 and np.isnan([few.east_scatter, few.rotation, few.rms]).all()
    same = places([10.0] * 4, [0.0] * 4)
    assert np.isnan(residuals(same, match_positions(same, same, 1.0, find="all")).rotation)
    wide = places(np.arange(0, 360, 10.0), np.zeros(36))
    found = residuals(wide, match_positions(wide, places(wide.ra + 0.1 / 3600, wide.dec), 1.0))
    assert found.east == pytest.approx(100, rel=1e-6) and found.east_scatter < 1e-3 and np.isnan(found.rotation)
