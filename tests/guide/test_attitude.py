"""The attitude of the stars of many detectors: as precise as its bound, robust against a star, right anywhere."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.guide import (
    FaceSeries,
    StarTrack,
    attitude_errors,
    compare_attitudes,
    fit_attitude,
    predict_motion,
)
from rtools.wfi.fgs import displacement, place_in_field
from rtools.wfi.frame import CENTRE
from rtools.wfi.instrument import DETECTORS
from rtools.wfi.units import ARCSEC, MAS
from tests.support.guide_motion import CYCLE_S, centres, golden_motion

PLACES = [place_in_field(detector, CENTRE, CENTRE) for detector in DETECTORS]
AB15_MAS = 1.32
"""Bound of a centroid at AB 15, F158."""


def turns_at(t):
    """Golden motion about F1 and F2, and 0.05 arcsec of roll, about their means; radians (3, n)."""
    turns = np.stack(
        [
            golden_motion("x").means(t) * MAS,
            golden_motion("y").means(t) * MAS,
            0.05 * np.sqrt(2) * ARCSEC * np.cos(0.3 * t),
        ]
    )
    return turns - turns.mean(axis=1, keepdims=True)


def tracks_of(pairs=300, sigma=AB15_MAS, detectors=range(18), places=PLACES, seed=1):
    """Stars that move by these turns and have noise of sigma mas an axis."""
    t, rng = centres(pairs), np.random.default_rng(seed)
    return [track_of(index, places[index], t, sigma, rng) for index in detectors]


def track_of(index, place, t, sigma, rng):
    """One of them."""
    pairs, scale = len(t), np.linalg.norm(place.jacobian, axis=0) * 1000
    moved = np.stack(displacement(place, *turns_at(t)), axis=1) + rng.normal(0, sigma / scale, (pairs, 2))
    variance = np.broadcast_to((max(sigma, 1e-3) / scale) ** 2, (pairs, 2)).T
    x, y = moved.T
    ones, nothing = np.ones(pairs, int), np.zeros(pairs)
    return StarTrack(DETECTORS[index], place, t, ones, x + 700.0, y + 300.0, *variance, nothing, ones == 1)


def errors_of(attitude, turns):
    """Scatter of an attitude about the truth: mas, mas, arcsec."""
    apart = np.stack([attitude.delta, attitude.epsilon, attitude.zeta]) - turns
    return np.nanstd(apart, axis=1) / [MAS, MAS, ARCSEC]


def test_errors_of_the_whole_field_are_those_computed_elsewhere():
    found = attitude_errors(PLACES, 1.0)
    assert (found.delta, found.epsilon) == pytest.approx((0.236, 0.243), abs=5e-4)
    assert found.zeta == pytest.approx(0.0518, abs=5e-5)
    with pytest.raises(InputError):
        attitude_errors(PLACES[:1], 1.0)


def test_eighteen_stars_reach_the_bound():
    tracks = tracks_of(704)
    attitude = fit_attitude(tracks, cycle_s=CYCLE_S)
    found = errors_of(attitude, turns_at(tracks[0].t))
    assert np.all(found <= 1.1 * np.array([0.31, 0.32, 0.07]))
    claimed = np.sqrt(attitude.covariance[0].diagonal()) / [MAS, MAS, ARCSEC]
    assert claimed == pytest.approx(tuple(attitude_errors(PLACES, AB15_MAS)), rel=0.01)
    assert attitude.chi2.mean() == pytest.approx(1, abs=0.05) and np.all(attitude.stars == 18)
    assert [fit.chi2 for fit in attitude.fits] == pytest.approx([1] * 18, abs=0.2)
    for fit in attitude.fits:
        assert (fit.rms_x, fit.rms_y) == pytest.approx((fit.expected_x, fit.expected_y), rel=0.12)


def test_a_star_that_is_moved_on_purpose_is_thrown_out():
    tracks = tracks_of()
    t = tracks[0].t
    tracks[4] = tracks[4]._replace(x=tracks[4].x + np.where(t > 30, 0.3, 0.0), y=tracks[4].y + 0.1 * np.sin(t))
    attitude = fit_attitude(tracks, cycle_s=CYCLE_S)
    assert [fit.name for fit in attitude.fits if fit.left_out] == ["WFI05"]
    assert np.all(attitude.stars == 17) and not attitude.accepted[4].any()
    assert np.all(errors_of(attitude, turns_at(t)) <= 1.15 * np.array(attitude_errors(PLACES, AB15_MAS)))
    assert attitude.fits[4].rejected == attitude.fits[4].cycles == 300
    assert attitude.fits[4].rms_x == pytest.approx(110 * 0.15, rel=0.1)  # half of the jump to each side of its level


def test_a_single_wrong_centroid_costs_one_cycle_of_its_star():
    tracks = tracks_of()
    tracks[7].x[120] += 1.0
    attitude = fit_attitude(tracks, cycle_s=CYCLE_S)
    assert np.argwhere(~attitude.accepted).tolist() == [[7, 120]]
    assert not any(fit.left_out for fit in attitude.fits)
    assert abs(attitude.residual_x[7, 120]) == pytest.approx(1.0, abs=0.05)


def test_errors_that_are_all_too_small_throw_no_star_out():
    tracks = [track._replace(xx=track.xx / 16, yy=track.yy / 16, used=track.used.copy()) for track in tracks_of()]
    attitude = fit_attitude(tracks, cycle_s=CYCLE_S)
    assert not any(fit.left_out for fit in attitude.fits) and attitude.accepted.mean() > 0.99
    assert attitude.chi2.mean() == pytest.approx(16, rel=0.1)


def test_a_star_that_was_lost_for_a_while_shifts_nothing():
    tracks = tracks_of(sigma=0.0)
    lost = tracks[2].used.copy()
    lost[:200] = False
    attitude = fit_attitude([*tracks[:2], tracks[2]._replace(used=lost), *tracks[3:]], cycle_s=CYCLE_S)
    turns = turns_at(tracks[0].t)
    assert errors_of(attitude, turns) == pytest.approx([0, 0, 0], abs=0.01)
    assert attitude.stars[0] == 17 and attitude.stars[-1] == 18


def test_each_exposure_has_a_mean_and_levels_of_its_own():
    exposure = np.repeat([3, 4], 150)
    tracks = [
        track._replace(exposure=exposure, x=track.x + np.where(exposure == 4, 5.0 + index, 0.0))
        for index, track in enumerate(tracks_of())
    ]
    attitude = fit_attitude(tracks, cycle_s=CYCLE_S)
    for number in (3, 4):
        assert np.mean(attitude.delta[attitude.exposure == number]) == pytest.approx(0, abs=1e-6 * MAS)
    turns = turns_at(tracks[0].t)
    turns = np.concatenate([half - half.mean(axis=1, keepdims=True) for half in np.split(turns, 2, axis=1)], axis=1)
    assert np.all(errors_of(attitude, turns) <= 1.15 * np.array(attitude_errors(PLACES, AB15_MAS)))
    assert len(attitude.fits) == 36


def test_two_stars_turn_about_the_line_of_sight_only_where_they_are_far_apart():
    far = fit_attitude(tracks_of(detectors=(8, 17)), cycle_s=CYCLE_S)
    assert np.isfinite(far.zeta).all() and far.chi2[0] > 0
    near = [place_in_field("WFI01", x, CENTRE) for x in (500.0, 2500.0)]
    assert abs(near[0].x - near[1].x) < 300
    attitude = fit_attitude(tracks_of(detectors=(0, 1), places=near), cycle_s=CYCLE_S)
    assert np.isnan(attitude.zeta).all() and np.isfinite(attitude.delta).all()
    assert np.all(attitude.covariance[:, 2] == 0)
    motion = predict_motion(attitude, near[0])
    assert np.isfinite(motion.dx).all() and np.isfinite(motion.xx).all()


def test_cycles_with_one_star_have_no_attitude():
    first, second = tracks_of(detectors=(0, 10))
    used = second.used.copy()
    used[50:60] = False
    attitude = fit_attitude([first, second._replace(used=used)], cycle_s=CYCLE_S)
    assert np.flatnonzero(np.isnan(attitude.delta)).tolist() == list(range(50, 60))
    assert np.isnan(predict_motion(attitude, PLACES[3]).dx[50:60]).all()
    with pytest.raises(InputError, match="two stars"):
        fit_attitude([first], cycle_s=CYCLE_S)
    with pytest.raises(InputError, match="two stars"):
        fit_attitude([first, second._replace(used=~second.used)], cycle_s=CYCLE_S)


def test_detectors_need_not_be_read_at_the_same_instant():
    tracks = [
        track._replace(t=track.t + 0.3 * CYCLE_S * index / 18) for index, track in enumerate(tracks_of(sigma=0.0))
    ]
    attitude = fit_attitude(tracks, cycle_s=CYCLE_S)
    assert len(attitude.t) == 300 and np.all(attitude.stars == 18)
    assert attitude.t[0] == pytest.approx(tracks[0].t[0] + 0.3 * CYCLE_S * 8.5 / 18)


def test_motion_is_predicted_where_no_star_is():
    tracks = tracks_of(704, detectors=[index for index in range(18) if index != 8])
    attitude = fit_attitude(tracks, cycle_s=CYCLE_S)
    motion = predict_motion(attitude, PLACES[8])
    dx, dy = displacement(PLACES[8], *turns_at(tracks[0].t))
    assert (motion.dx - dx).std() == pytest.approx(np.sqrt(motion.xx[0]), rel=0.1)
    assert (motion.dy - dy).std() == pytest.approx(np.sqrt(motion.yy[0]), rel=0.1)
    assert np.mean((motion.dx - dx) * (motion.dy - dy)) == pytest.approx(motion.xy[0], abs=0.1 * motion.xx[0])
    assert motion.dx.std(ddof=1) == pytest.approx(dx.std(ddof=1), rel=0.03)


def test_the_other_sign_turns_the_attitude_and_predicts_the_same_motion():
    tracks = tracks_of(50)
    plus, minus = (fit_attitude(tracks, cycle_s=CYCLE_S, sign=sign) for sign in (1, -1))
    assert minus.delta == pytest.approx(-plus.delta) and minus.zeta == pytest.approx(-plus.zeta)
    assert predict_motion(minus, PLACES[3], sign=-1).dx == pytest.approx(predict_motion(plus, PLACES[3]).dx)


@pytest.mark.parametrize("sign", [1, -1])
def test_face_is_compared_axis_by_axis(sign):
    tracks = tracks_of(704)
    t, turns = tracks[0].t, turns_at(tracks[0].t)
    errors = np.array([0.3 * MAS, 0.3 * MAS, 0.07 * ARCSEC])
    delta, epsilon, zeta = sign * turns + np.random.default_rng(3).normal(0, errors[:, np.newaxis], (3, 704)) + 1e-6
    variances = np.broadcast_to(errors[:, np.newaxis] ** 2, (3, 704))
    words = np.full(704, "WIM_TRK"), np.full(704, "AQ_DOF_3")
    good, stars = np.ones(704, bool), np.full(704, 18)
    face = FaceSeries(t, *words, delta, epsilon, zeta, delta, epsilon, *variances, stars, good)
    found = compare_attitudes(face, fit_attitude(tracks, cycle_s=CYCLE_S), cycle_s=CYCLE_S)
    assert [turn.comparison.sign for turn in found] == [sign] * 3
    assert found.delta.comparison.slope == pytest.approx(sign, abs=0.02)
    assert found.delta.expected == pytest.approx(np.hypot(0.3, 0.311), rel=0.02)
    if sign > 0:
        assert found.delta.rms == pytest.approx(found.delta.expected, rel=0.1)
        assert found.zeta.rms == pytest.approx(found.zeta.expected, rel=0.1)
    else:
        assert found.epsilon.rms > 5
