"""FACE of simulated motion: least squares of eighteen stars, phases, lost guiding."""

import numpy as np
import pytest

from rtools.simulate.guide.face import estimate_attitude
from rtools.simulate.guide.timeline import draw_timeline
from rtools.wfi.fgs import place_in_field
from rtools.wfi.instrument import DETECTORS

SIGMA = 1.32


@pytest.fixture(scope="module")
def made():
    """A turning telescope, and the attitude found of it."""
    timeline = draw_timeline(spectroscopic=False, first=1, exposures=2, reads=44, gap=3)
    count = sum(len(stage) for stage in timeline.stages)
    turned = np.random.default_rng(2).normal(0, 1, (3, count)) * np.array([[4e-8], [4e-8], [5e-7]])
    lost = np.zeros(count, bool)
    lost[100:110] = True
    rng = np.random.default_rng(3)
    return turned, lost, estimate_attitude(timeline, turned, SIGMA, spectroscopic=False, lost=lost, rng=rng)


def test_attitude_is_the_truth_within_its_errors(made):
    turned, lost, face = made
    for true, name in zip(turned, ("delta", "epsilon", "zeta"), strict=True):
        sigma = np.sqrt(face.columns[f"{name}_var"][~lost])
        pull = (face.columns[name][~lost] - true[~lost]) / sigma
        assert abs(pull.mean()) < 0.1
        assert pull.std() == pytest.approx(1, abs=0.04)
    mas = np.sqrt(face.columns["delta_var"][0]) * 2.06265e8, np.sqrt(face.columns["epsilon_var"][0]) * 2.06265e8
    np.testing.assert_allclose(mas, [0.236 * SIGMA, 0.243 * SIGMA], rtol=0.01)
    assert np.sqrt(face.columns["zeta_var"][0]) * 206265 == pytest.approx(0.0518 * SIGMA, rel=0.01)


def test_solutions_without_roll_differ_by_it_times_the_mean_place(made):
    """epsilon - epsilon2 = zeta Y, delta - delta2 = zeta X of the mean star."""
    _turned, lost, face = made
    places = [place_in_field(name, 2043.5, 2043.5) for name in DETECTORS]
    mean_y = np.mean([place.y for place in places]) / 206265
    columns = {name: values[~lost].astype(float) for name, values in face.columns.items() if values.dtype.kind == "f"}
    difference = columns["epsilon"] - columns["epsilon2"]
    assert np.polyfit(columns["zeta"], difference, 1)[0] == pytest.approx(mean_y, rel=1e-3)


def test_residuals_are_the_errors_of_centroids(made):
    _turned, lost, face = made
    # 36 numbers and three unknowns.
    both = (face.columns["horizontal_variance"] + face.columns["vertical_variance"])[~lost] / 2
    assert both.mean() * 110**2 == pytest.approx(SIGMA**2 * 33 / 36, rel=0.05)


def test_words_say_phase_and_quality(made):
    _turned, lost, face = made
    assert face.phase[:32] == ["WIM_ACQ_VW"] * 16 + ["WIM_ACQ_NA"] * 16
    assert set(face.phase[32:]) == {"WIM_TRK"}
    quality = face.columns["attitude_estimate_quality"]
    assert [i for i, word in enumerate(quality) if word == "AQ_FAILED_IN_PHASE_TRANSITION"] == [0, 16, 32]
    assert set(quality[lost]) == {"AQ_TOO_FEW_STARS"}
    assert not face.columns["num_stars_used"][lost].any()
    assert set(np.delete(quality, [0, 16, 32, *np.flatnonzero(lost)])) == {"AQ_DOF_3"}
