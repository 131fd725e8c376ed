"""Offsets of exposures: what a correction moved is undone, and stars are compared with the same stars elsewhere."""

import numpy as np
import pytest

from rtools.astrometry.tangent import corrected_wcs
from rtools.quality import correction_field, star_offsets, undo_correction
from tests.support import dithers

MATRIX, SHIFT = np.array([[1.00001, 2e-5], [-3e-5, 0.99999]]), (0.5, -0.3)
DEC = 66.0


def stars(count=30, seed=4):
    """Positions of stars, degrees."""
    rng = np.random.default_rng(seed)
    return 270 + rng.uniform(0, 0.02, count), DEC + rng.uniform(0, 0.01, count)


def moved(positions, east, north):
    """Positions moved by so many mas."""
    ra, dec = positions
    return ra + east / 3.6e6 / np.cos(np.deg2rad(dec)), dec + north / 3.6e6


def test_undoing_a_correction_gives_the_positions_of_the_wcs_before_it():
    wcs, pointing = dithers.place(0)
    x, y = np.array([10.0, 190.0, 100.0]), np.array([10.0, 20.0, 180.0])
    before = wcs(x, y, with_bounding_box=False)
    after = corrected_wcs(wcs, pointing, MATRIX, SHIFT)(x, y, with_bounding_box=False)
    back = undo_correction(*after, (pointing.ra_ref, pointing.dec_ref), MATRIX, SHIFT)
    np.testing.assert_allclose(back, before, rtol=0, atol=1e-11)
    field = correction_field(*after, *before)
    assert np.hypot(*field.shift) == pytest.approx(583, rel=0.1)
    assert field.largest >= np.hypot(*field.shift)


def test_an_exposure_that_was_off_has_its_offset_before_and_none_after():
    truth = stars()
    before = [moved(truth, 300, -400), truth, truth]
    found = star_offsets([truth, truth, truth], before)
    np.testing.assert_allclose(found[0].before, np.tile([300, -400], (30, 1)), atol=0.05)
    for one in found:
        np.testing.assert_allclose(one.after, 0, atol=1e-3)
    np.testing.assert_allclose(found[1].before, 0, atol=1e-3)


def test_an_exposure_that_is_still_off_shows_it_against_the_others():
    truth = stars()
    found = star_offsets([moved(truth, 40, 0), truth, truth], [truth] * 3)
    np.testing.assert_allclose(found[0].after, np.tile([40, 0], (30, 1)), atol=0.05)
    np.testing.assert_allclose(found[1].after, np.tile([-20, 0], (30, 1)), atol=0.05)


def test_stars_that_no_other_exposure_has_are_not_compared():
    truth, elsewhere = stars(), (np.array([10.0] * 6), np.array([-5.0, -4, -3, -2, -1, 0]))
    few = tuple(part[:3] for part in truth)
    found = star_offsets([truth, few, elsewhere, (np.zeros(0), np.zeros(0))], [truth, few, elsewhere, ((), ())])
    assert found == [None, None, None, None]
    assert star_offsets([], []) == []
