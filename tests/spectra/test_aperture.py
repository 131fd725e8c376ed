"""Apertures on images of spectra: shares of pixels, precedence, regions of the background."""

import numpy as np
import pytest

from rtools.errors import UsageError
from rtools.spectra import SlitAperture, background_pixels, box_weights

WAVES = np.broadcast_to(np.linspace(5.0, 8.0, 30), (20, 30))


def profile(aperture, column=0):
    return box_weights(aperture, WAVES).weights[:, column]


def test_start_and_stop_belong_to_the_aperture_and_fractions_count_in_part():
    np.testing.assert_array_equal(np.flatnonzero(profile(SlitAperture(across=(4, 7)))), [4, 5, 6, 7])
    found = profile(SlitAperture(across=(4.25, 6.5)))
    np.testing.assert_allclose(found[4:9], [0.75, 1, 1, 0.5, 0])
    assert found.sum() == pytest.approx(6.5 - 4.25 + 1)


@pytest.mark.parametrize("width", [1.0, 4.0, 7.5])
def test_a_width_is_the_sum_of_the_shares(width):
    found = box_weights(SlitAperture(across=(6, 11), width=width), WAVES)
    np.testing.assert_allclose(found.weights.sum(axis=0), width)
    np.testing.assert_allclose(np.arange(20) @ found.weights / width, 8.5)
    assert found.across == (8.5 - (width - 1) / 2, 8.5 + (width - 1) / 2)


def test_polynomials_count_before_a_width_and_a_width_before_start_and_stop():
    edges = ((4.0,), (9.0,))
    np.testing.assert_allclose(
        profile(SlitAperture(across=(0, 3), width=2.0, source=edges))[3:11], [0, 0.5, 1, 1, 1, 1, 0.5, 0]
    )
    assert profile(SlitAperture(across=(0, 3), width=2.0)).sum() == 2
    assert profile(SlitAperture(across=(0, 3))).sum() == 4
    assert profile(SlitAperture()).sum() == 20


def test_polynomials_follow_a_trace_by_pixel_or_by_wavelength():
    by_pixel = box_weights(SlitAperture(source=((3.0, 0.1), (8.0, 0.1))), WAVES).weights
    centres = np.arange(20) @ by_pixel / by_pixel.sum(axis=0)
    np.testing.assert_allclose(centres, 5.5 + 0.1 * np.arange(30), atol=1e-12)
    np.testing.assert_allclose(by_pixel.sum(axis=0), 5)
    by_wavelength = SlitAperture(source=((-2.0, 1.0), (3.0, 1.0)), variable="wavelength")
    weights = box_weights(by_wavelength, WAVES).weights
    np.testing.assert_allclose(np.arange(20) @ weights / weights.sum(axis=0), 0.5 + WAVES[0], atol=1e-12)


def test_of_several_regions_the_largest_share_counts():
    found = profile(SlitAperture(source=((3.5,), (7.5,), (6.75,), (9.5,))))
    np.testing.assert_allclose(found[4:10], [1, 1, 1, 1, 1, 1])
    assert profile(SlitAperture(source=((3.5,), (5.5,), (12.5,), (14.5,)))).sum() == 4


def test_pixels_without_wavelength_and_beyond_the_ends_are_left_out():
    waves = WAVES.copy()
    waves[5, 3] = np.nan
    found = box_weights(SlitAperture(across=(4, 7), along=(2, 20)), waves)
    assert found.weights[5, 3] == 0
    assert found.along == (2, 20)
    assert not found.weights[:, [0, 1, 21, 29]].any()


def test_the_background_takes_pixels_in_part_for_a_polynomial_and_whole_ones_for_a_median():
    edges = ((1.0,), (4.0,), (14.0,), (17.25,))
    poly, median = (
        background_pixels(SlitAperture(background=edges, fit=fit), WAVES)[:, 0] for fit in ("poly", "median")
    )
    np.testing.assert_array_equal(np.flatnonzero(poly), [1, 2, 3, 4, 14, 15, 16, 17])
    np.testing.assert_array_equal(np.flatnonzero(median), [2, 3, 15, 16])
    assert background_pixels(SlitAperture(), WAVES) is None


def test_a_moved_aperture_takes_its_background_along():
    across, moved = (SlitAperture(across=(low, low + 3), offset=offset) for low, offset in ((5.5, 0), (4, 1.5)))
    np.testing.assert_array_equal(box_weights(moved, WAVES).weights, box_weights(across, WAVES).weights)
    edges, background = ((3.0, 0.1), (8.0, 0.1)), ((1.0,), (4.0,))
    further = ((4.5, 0.1), (9.5, 0.1)), ((2.5,), (5.5,))
    there, moved = (
        SlitAperture(source=further[0], background=further[1]),
        SlitAperture(source=edges, background=background, offset=1.5),
    )
    np.testing.assert_allclose(box_weights(moved, WAVES).weights, box_weights(there, WAVES).weights, atol=1e-12)
    np.testing.assert_array_equal(background_pixels(moved, WAVES), background_pixels(there, WAVES))


def test_an_offset_moves_an_aperture_that_has_a_width_alone():
    """Without start and stop its middle is that of the image, and the offset was lost."""
    plain, moved = (box_weights(SlitAperture(width=5, offset=offset), WAVES).across for offset in (0, 3))
    assert np.subtract(moved, plain).tolist() == [3, 3]


def test_what_a_reference_says_is_turned_to_the_dispersion():
    told = {"xstart": 14, "xstop": 25, "ystart": 3, "bkg_fit": "mean", "bkg_order": 3, "smoothing_length": 6}
    found = SlitAperture.from_parameters(told, 2)
    assert found.across == (14, 25)
    assert found.along == (3, None)
    assert (found.fit, found.order, found.smoothing) == ("poly", 0, 5)
    assert SlitAperture.from_parameters(told, 1).along == (14, 25)


@pytest.mark.parametrize("told", [{"src_coeff": [[1.0]]}, {"src_coeff": [[1.0], []]}, {"bkg_coeff": "x"},
                                  {"bkg_fit": "spline"}, {"xstart": "left"}, {"bkg_order": -1},
                                  {"independent_var": "time"}])  # fmt: skip
def test_what_cannot_be_is_refused(told):
    with pytest.raises(UsageError):
        SlitAperture.from_parameters(told, 1)
