"""A companion found in observables: place, angle, contrast and their errors."""

import numpy as np
import pytest

from rtools.interferometry.binary import Fringes, closure_phases, find_companion, seen_share, visibilities
from rtools.interferometry.fit import fit_fringes
from rtools.interferometry.observables import observables_of
from rtools.interferometry.stations import TRIANGLES, baselines_of, sky_by_roll
from tests.support.interferograms import PIXEL, direct, mask, model

WAVE = 4.28e-6


def observed(place, contrast, errors, seed=0, diameter=0.0):
    centres = sky_by_roll(mask().centres, 40.0, -1)
    pairs, triangles = baselines_of(centres), baselines_of(centres, TRIANGLES)
    sides = triangles[:, :, ::-1].reshape(-1, 4)
    rng = np.random.default_rng(seed)
    squares = np.abs(visibilities(pairs[:, 1], pairs[:, 0], place, contrast, WAVE)) ** 2
    phases = closure_phases(sides, place, contrast, WAVE)
    errors = np.full(21, errors[0]), np.full(35, errors[1])
    noise = [rng.normal(0, each) for each in errors]
    return Fringes(pairs[:, 1], pairs[:, 0], squares + noise[0], errors[0], sides, phases + noise[1], errors[1], WAVE,
                   diameter)  # fmt: skip


@pytest.mark.parametrize("angle", [10.0, 100.0, 190.0, 280.0])
def test_separation_angle_and_contrast_come_back(angle):
    separation, contrast = 0.16, 0.03
    place = separation * np.sin(np.deg2rad(angle)), separation * np.cos(np.deg2rad(angle))
    found = find_companion(observed(place, contrast, (0.004, 0.15), seed=int(angle)))
    assert abs(found.separation - separation) < 3 * found.separation_err < 0.01
    assert abs(found.angle - angle) < 3 * found.angle_err < 3
    assert abs(found.contrast - contrast) < 3 * found.contrast_err < 0.005
    assert found.chi2 < 1.5


def test_the_angle_is_north_over_east():
    """East of the star: 90°."""
    assert find_companion(observed((0.15, 0.0), 0.05, (0.002, 0.1))).angle == pytest.approx(90, abs=0.6)


def test_light_of_a_companion_is_seen_less_the_farther_it_is():
    """By the fit of an image in which the companion lies 3 pixels away: V = (1 + g c e)/(1 + g c)."""
    away, contrast, of = (2.0, -2.2), 0.1, model(1)
    image = direct(of=of) + contrast * direct(away, of=of)
    fit = fit_fringes(image, np.ones_like(image), np.zeros(image.shape, bool), of, (0, 0))
    found = observables_of(fit.coefficients, fit.covariance)
    values = found.visamp * np.exp(1j * np.deg2rad(found.visphi))
    base, place = mask().baselines, (away[0] * PIXEL, away[1] * PIXEL)
    trials = np.linspace(0.08, 0.11, 301)
    left = [np.abs(values - visibilities(base[:, 0], base[:, 1], place, trial, WAVE)).sum() for trial in trials]
    seen = trials[np.argmin(left)] / contrast
    assert seen < 0.96
    assert seen == pytest.approx(seen_share(np.hypot(*place), 0.8, WAVE), abs=0.01)


def test_too_few_observables_find_nothing():
    few = observed((0.1, 0.1), 0.1, (0.01, 1.0))
    with pytest.raises(ValueError, match="cannot tell"):
        find_companion(few._replace(u=few.u[:3], v=few.v[:3], vis2=few.vis2[:3], vis2_err=few.vis2_err[:3],
                                    sides=few.sides[:0], phase=few.phase[:0], phase_err=few.phase_err[:0]))  # fmt: skip
