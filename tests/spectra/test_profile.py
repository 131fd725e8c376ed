"""The spatial profile that stands for bad pixels: fluxes without a bias, errors that hold, whatever the source is."""

import numpy as np
import pytest
from scipy.special import erf

from rtools.spectra import BoxExtraction, SlitAperture, SlitImages, SpatialProfile, spatial_profile
from rtools.spectra.profile import completed

SHAPE = (40, 200)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
SKY = ((0.5,), (7.5,), (31.5,), (38.5,))


def star(slope=0.0, width=1.1):
    """Shares of the light of a source whose trace is inclined, and that widens along it."""
    middle, sigma = 19.6 + slope * (X - 100), width * (1 + X / 400)
    low, high = ((Y + edge - middle) / sigma / np.sqrt(2) for edge in (-0.5, 0.5))
    return (erf(high) - erf(low)) / 2


def extracted(shares, light, sky=20.0, bad=0.03, background=SKY, seeds=8, hit=0):
    """Pulls of the flux where pixels of the aperture are bad, with the share that is filled and that was lost."""
    laid = BoxExtraction.laid(SlitAperture(across=(10, 29), background=background), 5 + X / 100)
    true, found = light * shares + sky, []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        variances = np.stack([true / 20, np.ones(SHAPE), np.zeros(SHAPE)])[:, None]
        data = true + rng.normal(size=SHAPE) * np.sqrt(variances.sum(axis=0)[0])
        data[rng.random(SHAPE) < bad] = np.nan
        images = SlitImages(data[None], variances)
        glitches = images.data.copy()
        glitches[0, 18, 5:195:40] += hit  # beside them nothing may change
        below, noise = laid.light(SlitImages(glitches, variances))
        made = laid.extract(images, spatial_profile(below[0], noise[0], laid.weights))
        wanted = (true if not background else light * shares)[10:30].sum(axis=0)
        lacking = made.covered[0] < 1
        pulls = (made.flux[0] - wanted) / np.sqrt(made.variance.sum(axis=0)[0])
        lost = laid.extract(images).flux[0] / np.maximum(wanted, 1) - 1
        found.append(np.stack([pulls, made.filled[0], lost])[:, lacking])
    return np.concatenate(found, axis=1)


CONTINUUM = 2000 * (1 + 0.3 * np.sin(X / 17))
LINES = 2000 * (0.02 + (np.abs(X % 40 - 20) < 2))


@pytest.mark.parametrize(
    ("shares", "light", "options"),
    [
        (star(), CONTINUUM, {}),
        (star(slope=0.02), 100 * CONTINUUM, {}),
        (star(width=0.6, slope=0.01), CONTINUUM, {}),
        (star(), CONTINUUM / 100, {}),
        (star(), 0 * CONTINUUM, {}),
        (star(), LINES, {}),
        (star(), CONTINUUM, {"bad": 0.12}),
        (star(), CONTINUUM, {"hit": 3000}),
        (np.ones(SHAPE) / 40, 2 * CONTINUUM, {"background": ()}),
    ],
    ids=["star", "steep-and-bright", "undersampled", "faint", "nothing", "lines", "many-bad", "cosmic-rays", "even"],
)
def test_fluxes_with_bad_pixels_have_no_bias_and_errors_that_hold(shares, light, options):
    pulls, filled, _lost = extracted(shares, light, **options)
    some = np.isfinite(pulls)
    assert some.sum() > 500
    assert some.mean() > 0.93
    assert abs(pulls[some].mean()) < 4 / np.sqrt(some.sum())
    assert pulls[some].std() == pytest.approx(1, abs=0.1)
    much = some & (filled > 0.1)
    assert not much.any() or pulls[much].std() == pytest.approx(1, abs=0.25)


def test_what_was_lost_without_a_profile_is_what_is_filled_with_it():
    pulls, filled, lost = extracted(star(), CONTINUUM, seeds=2)
    some = np.isfinite(pulls)
    assert lost[some].min() < -0.2
    np.testing.assert_allclose(filled[some], -lost[some], atol=0.06)


def test_an_aperture_without_bad_pixels_takes_what_it_took():
    laid = BoxExtraction.laid(SlitAperture(across=(10, 29), background=SKY), 5 + X / 100)
    images = SlitImages((2000 * star() + 20)[None], np.ones((3, 1, *SHAPE)))
    below, noise = laid.light(images)
    made, plain = laid.extract(images, spatial_profile(below[0], noise[0], laid.weights)), laid.extract(images)
    for found, wanted in zip(made[:7], plain[:7], strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert not made.filled.any()


def test_what_is_taken_of_good_pixels_stands_for_the_bad_ones():
    shares = np.array([0.1, 0.5, 0.3, 0.1])[:, None] * np.ones(3)
    good = np.ones((1, 4, 3), bool)
    good[0, 2, 1], good[0, :, 2] = False, False
    found = completed(SpatialProfile(shares, 0 * shares, np.ones((4, 3))), np.ones((4, 3)), good)
    np.testing.assert_allclose((found.weights * shares).sum(axis=1)[0], [1, 1, 0], atol=1e-12)
    np.testing.assert_allclose(found.missing[0, :2], [0, 0.3])
    assert np.isnan(found.missing[0, 2])
    np.testing.assert_allclose(
        found.weights[0, :, 1], np.array([1, 1, 0, 1]) + 0.3 * np.array([0.1, 0.5, 0, 0.1]) / 0.27
    )


def test_a_row_that_is_bad_throughout_is_filled_from_those_beside_it():
    light = 2000 * star()
    light[16] = np.nan
    laid = BoxExtraction.laid(SlitAperture(across=(10, 29)), 5 + X / 100)
    images = SlitImages(light[None], np.ones((3, 1, *SHAPE)))
    made = laid.extract(images, spatial_profile(light, np.ones(SHAPE), laid.weights))
    assert np.abs(made.flux[0] / 2000 - 1).max() < 0.05
    assert (np.abs(made.flux[0] - 2000) < 3 * np.sqrt(made.variance.sum(axis=0)[0])).all()
