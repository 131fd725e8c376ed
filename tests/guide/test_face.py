"""The attitude of FACE: statistics by phase and time, motion at a place, its sign against centroids, its stars."""

import numpy as np
import pytest

from rtools.guide import (
    FaceSeries,
    compare_motion,
    face_motion,
    find_phases,
    locate_stars,
    measure_face,
)
from rtools.wfi.fgs import displacement, place_in_field, turns_to_angles
from rtools.wfi.frame import CENTRE
from rtools.wfi.instrument import DETECTORS
from rtools.wfi.units import ARCSEC, MAS
from tests.support.guide_motion import CYCLE_S, centres, golden_motion

PLACES = [place_in_field(detector, CENTRE, CENTRE) for detector in DETECTORS]


def face_of(rows=704, noise_mas=0.0, seed=1, **changes):
    """An attitude with the golden motion about F1 and F2, slow roll of 0.05 arcsec, and noise."""
    t, rng = centres(rows), np.random.default_rng(seed)
    delta, epsilon = (golden_motion(axis).means(t) * MAS + rng.normal(0, noise_mas * MAS, rows) for axis in "xy")
    zeta = 0.05 * np.sqrt(2) * ARCSEC * np.cos(0.3 * t)
    mean_x, mean_y = np.mean([(place.x, place.y) for place in PLACES], axis=0) * ARCSEC
    variance = np.full(rows, (max(noise_mas, 0.3) * MAS) ** 2)
    columns = {
        "t": t,
        "phase": np.full(rows, "WIM_TRK"),
        "quality": np.full(rows, "AQ_DOF_3"),
        "delta": delta,
        "epsilon": epsilon,
        "zeta": zeta,
        "delta2": delta - zeta * mean_x,
        "epsilon2": epsilon - zeta * mean_y,
        "delta_var": variance,
        "epsilon_var": variance,
        "zeta_var": np.full(rows, (0.07 * ARCSEC) ** 2),
        "num_stars_used": np.full(rows, 18),
        "good": np.ones(rows, bool),
    }
    return FaceSeries(**(columns | changes))


def everything(series):
    """All rows."""
    return np.ones(len(series.t), bool)


def star_at(series, place, noise=0.0, seed=2):
    """Centroids of a star that moves by an attitude, pixels."""
    moved = np.stack(displacement(place, series.delta, series.epsilon, series.zeta), axis=1)
    return moved + 1000.0 + np.random.default_rng(seed).normal(0, noise, moved.shape)


def test_rotations_are_reported_in_mas_and_arcsec_with_their_noise():
    series = face_of()
    found = measure_face(series, everything(series), cycle_s=CYCLE_S)
    assert (found.rows, found.used, found.stars, found.gaps) == (704, 704, 18, 0)
    assert found.delta.rms == pytest.approx(golden_motion("x").means(series.t).std(ddof=1))
    assert found.delta.sigma == found.epsilon.sigma == pytest.approx(0.3)
    assert (found.zeta.rms, found.zeta.sigma) == pytest.approx((0.05, 0.07), rel=0.02)
    assert found.zeta_edge_rms == pytest.approx(1337e3 * found.zeta.rms * ARCSEC)


def test_a_drift_is_found_and_taken_out():
    t = centres(704)
    drifting = 0.05 * t + np.random.default_rng(3).normal(0, 0.5, 704)
    series = face_of(delta=drifting * MAS)
    delta = measure_face(series, everything(series), cycle_s=CYCLE_S).delta
    white = 0.5 / np.sqrt(704) / t.std()
    assert delta.drift == pytest.approx(0.05, abs=4 * white)
    assert white / 3 < delta.drift_err < 3 * white
    assert delta.rms_line == pytest.approx(0.5, rel=0.1) and delta.rms > 1.9


def test_only_good_attitudes_of_the_interval_count_and_gaps_are_told():
    series = face_of(100)
    good, quality, t = np.ones(100, bool), series.quality.astype("U30"), series.t.copy()
    good[:3], quality[:3] = False, "AQ_TOO_FEW_STARS"
    t[50:] += 10 * CYCLE_S
    series = series._replace(good=good, quality=quality, t=t, delta=np.where(good, series.delta, 1.0))
    found = measure_face(series, t < 15.0, cycle_s=CYCLE_S)
    assert found.used == found.rows - 3 and found.stop < 15.0 and found.delta.rms < 20
    assert [tuple(each) for each in found.qualities] == [("AQ_DOF_3", found.used), ("AQ_TOO_FEW_STARS", 3)]
    assert found.gaps == 1 and found.missing_s == pytest.approx(10 * CYCLE_S)


def test_an_interval_without_rows_has_no_numbers():
    series = face_of(10)
    found = measure_face(series, np.zeros(10, bool), cycle_s=CYCLE_S)
    assert (found.rows, found.used, found.qualities) == (0, 0, ())
    assert np.isnan([found.start, found.delta.mean, found.zeta.rms, found.stars]).all()


def test_phases_are_runs_in_time():
    phase = np.repeat(["WIM_ACQ_VW", "WIM_ACQ_NA", "WIM_TRK", "WIM_ACQ_NA"], [3, 2, 4, 1])
    series = face_of(10, phase=phase)
    runs = find_phases(series)
    assert [(run.phase, run.first, run.last) for run in runs] == [
        ("WIM_ACQ_VW", 0, 3),
        ("WIM_ACQ_NA", 3, 5),
        ("WIM_TRK", 5, 9),
        ("WIM_ACQ_NA", 9, 10),
    ]
    assert (runs[2].start, runs[2].stop) == (series.t[5], series.t[8])
    assert find_phases(FaceSeries(*(column[:0] for column in series))) == ()


def test_motion_at_a_place_is_the_displacement_and_bad_attitudes_move_nothing():
    series = face_of(20)
    series = series._replace(good=np.arange(20) != 4)
    found = face_motion(series, PLACES[5])
    dx, dy = displacement(PLACES[5], series.delta, series.epsilon, series.zeta)
    assert np.isnan(found.dx[4]) and np.isnan(found.dy[4])
    assert found.dx[5:] == pytest.approx(dx[5:]) and found.dy[:4] == pytest.approx(dy[:4])
    assert face_motion(series, PLACES[5], sign=-1).dx[5:] == pytest.approx(-dx[5:])
    rng, pixels = np.random.default_rng(4), []
    for _ in range(4000):
        pixels.append(displacement(PLACES[5], *rng.normal(0, [0.3 * MAS, 0.3 * MAS, 0.07 * ARCSEC])))
    assert (found.xx[0], found.yy[0]) == pytest.approx(np.var(pixels, axis=0), rel=0.1)


def test_without_zeta_the_fit_of_two_parameters_is_taken():
    series = face_of(20)
    series = series._replace(zeta=np.full(20, np.nan), delta=np.zeros(20))
    dx, dy = displacement(PLACES[0], series.delta2, series.epsilon2, 0.0)
    found = face_motion(series, PLACES[0])
    assert found.dx == pytest.approx(dx) and found.dy == pytest.approx(dy)


@pytest.mark.parametrize("sign", [1, -1])
def test_centroids_tell_sign_and_scale_of_the_attitude(sign):
    series = face_of(noise_mas=0.3)
    true = face_of()
    star = star_at(true, PLACES[8], noise=0.01)
    motion = face_motion(series, PLACES[8], sign=sign)
    found = compare_motion(
        (series.t, np.stack(motion[:2], axis=1)), (true.t, star), cycle_s=CYCLE_S, noise=(0.3 / 109) ** 2
    )
    assert found.sign == sign and found.pairs == 704
    assert found.slope == pytest.approx(sign, abs=0.02) and found.slope_err < 0.01
    assert sign * found.correlation > 0.95 and found.lag_s == pytest.approx(0, abs=0.1 * CYCLE_S)


def test_the_noise_of_the_prediction_does_not_flatten_the_slope():
    series, true = face_of(noise_mas=4.0), face_of()
    star, motion = star_at(true, PLACES[0]), face_motion(series, PLACES[0])
    sides = (series.t, np.stack(motion[:2], axis=1)), (true.t, star)
    noise = float(np.mean([motion.xx.mean(), motion.yy.mean()]))
    noise -= (0.07 / 0.109 * np.hypot(PLACES[0].x, PLACES[0].y) * ARCSEC) ** 2 / 2  # zeta has none here
    assert compare_motion(*sides, cycle_s=CYCLE_S).slope < 0.8
    assert compare_motion(*sides, cycle_s=CYCLE_S, noise=noise).slope == pytest.approx(1, abs=0.05)


def test_noise_has_no_sign():
    series = face_of()
    noise = np.random.default_rng(5).normal(0, 0.1, (704, 2))
    found = compare_motion(
        (series.t, np.stack(face_motion(series, PLACES[0])[:2], axis=1)), (series.t, noise), cycle_s=CYCLE_S
    )
    assert found.sign == 0 and abs(found.correlation) < 0.3


def test_motion_that_comes_later_has_a_lag():
    series = face_of()
    star = star_at(series, PLACES[0], noise=0.002)
    sides = (series.t, np.stack(face_motion(series, PLACES[0])[:2], axis=1)), (series.t + 1.5 * CYCLE_S, star)
    assert compare_motion(*sides, cycle_s=CYCLE_S).lag_s == pytest.approx(1.5 * CYCLE_S, abs=0.2 * CYCLE_S)


def test_exposures_have_levels_of_their_own_and_gaps_are_not_bridged():
    series = face_of()
    star = star_at(series, PLACES[0], noise=0.002)
    star[350:] += 5.0
    groups, good = np.repeat([1, 2], [350, 354]), np.ones(704, bool)
    good[100:200] = False
    motion = np.stack(face_motion(series._replace(good=good), PLACES[0])[:2], axis=1)
    found = compare_motion((series.t, motion), (series.t + 0.001, star), cycle_s=CYCLE_S, groups=groups)
    assert found.slope == pytest.approx(1, abs=0.02)
    assert found.pairs == 704 - 100 - 2  # beside the gap, and after the last row
    alone = compare_motion((series.t, motion), (series.t, star), cycle_s=CYCLE_S)
    assert abs(alone.correlation) < 0.3


def test_too_little_to_compare_is_told():
    t, values = centres(5), np.zeros((5, 2))
    found = compare_motion((t, values * np.nan), (t, values), cycle_s=CYCLE_S)
    assert found.sign == 0 and found.pairs == 0 and np.isnan(found.slope)
    assert compare_motion((t, values), (t, values), cycle_s=CYCLE_S).sign == 0


def test_both_solutions_tell_where_their_stars_are():
    series = face_of()
    found = locate_stars(series, everything(series))
    assert (found.x, found.y) == pytest.approx((0.3, 236.8), abs=0.1) and found.residual < 1e-6
    half = PLACES[:9]
    matrices = [turns_to_angles(place) for place in half]
    turns = np.stack([series.delta, series.epsilon, series.zeta])
    angles = np.mean([matrix @ turns for matrix in matrices], axis=0)
    fitted = np.linalg.solve(np.mean([matrix[:, :2] for matrix in matrices], axis=0), angles)
    noise = np.random.default_rng(6).normal(0, 0.01 * MAS, (2, 704))
    found = locate_stars(
        series._replace(delta2=fitted[0] + noise[0], epsilon2=fitted[1] + noise[1]), everything(series)
    )
    means = np.mean([(place.x, place.y) for place in half], axis=0)
    assert found.x == pytest.approx(means[0], abs=4 * found.x_err)
    assert found.y == pytest.approx(means[1], abs=4 * found.y_err)
    assert found.residual == pytest.approx(0.01, rel=0.1)


def test_without_roll_the_stars_are_nowhere():
    series = face_of(zeta=np.zeros(704))
    assert np.isnan(locate_stars(series, everything(series)).x)
    assert np.isnan(locate_stars(series, np.zeros(704, bool)).y)
