"""The motion of the telescope: its spectrum, its means over pairs, drift, settling, and what was given."""

import numpy as np
import pytest

from rtools.simulate.guide.motion import Terms, draw_motion, oscillation, terms_of, turns
from rtools.simulate.guide.plan import ellipse_of
from rtools.simulate.guide.request import AcquisitionRequest, MotionTable
from rtools.simulate.guide.timeline import draw_timeline

CYCLE, EXPOSURE = 0.197654375, 0.190994375
GOLDEN = [
    (7.0, 0.6180339887, (7.29726, 6.61289, 3.08539), (-0.180704, -0.324070, -0.041468, 3.932358), (6.645657, 6.719971)),
    (5.0, 0.7548776662, (5.40833, 4.72458, 2.63218), (-0.041113, -0.048319, 0.061470, -0.245046), (5.274934, 5.328842)),
]
"""rms of the continuum, step of the phases; rms in total, slower than a pair, inside; means of pairs 0, 1, 2, 719;
their scatter, all and from pair 16 on. Worked out with numpy from the formulas, not with this code."""
MAS = 1e-3 / 206264.80624709636


@pytest.mark.parametrize(("rest", "step", "rms", "means", "scatter"), GOLDEN)
def test_spectrum_and_means_over_pairs_are_those_worked_out(rest, step, rms, means, scatter):
    terms = terms_of(np.hypot(rest, np.sqrt(1.5**2 + 1 + 1)))
    slow = np.sinc(terms.frequency * EXPOSURE)
    power = terms.amplitude**2 / 2
    found = np.sqrt([power.sum(), (power * slow**2).sum(), (power * (1 - slow**2)).sum()])
    np.testing.assert_allclose(found, rms, rtol=1e-5)
    phase = 2 * np.pi * (np.arange(1, 204) * step % 1)
    b = mean_over(terms, phase, 0.1010471875 + CYCLE * np.arange(720), EXPOSURE)
    np.testing.assert_allclose(b[[0, 1, 2, 719]], means, atol=2e-6)
    np.testing.assert_allclose([b.std(ddof=1), b[16:].std(ddof=1)], scatter, rtol=1e-6)


def mean_over(terms, phase, t, duration):
    """Mean of an oscillation over durations centred on times: a sinc(f T) cos(2 pi f t + phase) of each term."""
    slower = Terms(terms.frequency, terms.amplitude * np.sinc(terms.frequency * duration))
    return oscillation(slower, phase, t)[:, 0]


def test_amplitudes_of_the_first_terms_are_those_worked_out():
    terms = terms_of(np.sqrt(7.0**2 + 4.25))
    np.testing.assert_allclose(terms.amplitude[[0, 100, 199]], [0.3004896, 1.0074882, 0.1426130], rtol=1e-6)
    assert terms.frequency[:2] == pytest.approx(0.01 * 4000 ** ((np.arange(2) + 0.5) / 200))


@pytest.mark.parametrize("rms", [0.0, 0.5, 2.0, 8.0, 40.0])
def test_total_of_a_spectrum_is_what_was_asked_for(rms):
    terms = terms_of(rms)
    assert np.sqrt(np.sum(terms.amplitude**2) / 2) == pytest.approx(rms, abs=1e-12)
    assert np.all(terms.amplitude >= 0)


def test_mean_over_a_pair_is_that_of_the_places_in_it():
    terms, phase = terms_of(8.0), np.linspace(0, 300, 203)
    t = 5.0 + CYCLE * np.arange(50)
    offsets = EXPOSURE * ((np.arange(400) + 0.5) / 400 - 0.5)
    places = oscillation(terms, phase, t, offsets)
    np.testing.assert_allclose(places.mean(axis=1), mean_over(terms, phase, t, EXPOSURE), atol=1e-3)
    one = Terms(terms.frequency[:1], terms.amplitude[:1])
    direct = terms.amplitude[0] * np.cos(2 * np.pi * terms.frequency[0] * (t[3] + offsets[7]) + phase[0])
    assert oscillation(one, phase[:1], t, offsets)[3, 7] == pytest.approx(direct)


def motion_of(request, *stream, exposures=8):
    """A timeline of long exposures, and its motion."""
    timeline = draw_timeline(spectroscopic=False, first=1, exposures=exposures, reads=44, gap=3)
    return timeline, draw_motion(request, timeline, *stream)


def exposed(timeline, motion):
    """x and y, mas, in the reads of all exposures."""
    track = timeline.track
    used = (track.mapping > 0) & ~track.resetting
    delta, epsilon, _zeta = turns(motion, track.centre[used])[:, :, 0]
    return -epsilon / MAS, -delta / MAS


@pytest.mark.slow
def test_covariance_of_the_motion_is_what_was_asked_for():
    request = AcquisitionRequest(jitter=(20.0, 8.0, 30.0), drift=(0.0, 0.0))
    found = []
    for seed in range(6):
        timeline, motion = motion_of(request, seed)
        x, y = exposed(timeline, motion)
        found.append([x.var(), y.var(), np.mean(x * y)])
    major, minor, angle = ellipse_of(*np.mean(found, axis=0))
    # Some of the motion is slower than an exposure, and settling adds 0.5 mas.
    assert major == pytest.approx(20.0, rel=0.04)
    assert minor == pytest.approx(8.0, rel=0.04)
    assert angle == pytest.approx(30.0, abs=2.0)


def test_axes_are_x_and_y_where_no_angle_is_given():
    timeline, motion = motion_of(AcquisitionRequest(jitter=(20.0, 2.0, 90.0), drift=(0.0, 0.0)), 3)
    x, y = exposed(timeline, motion)
    assert x.std() > 5 * y.std()


def test_drift_is_a_line_through_the_middle_of_each_exposure():
    timeline, motion = motion_of(
        AcquisitionRequest(jitter=(0.0, 0.0, 90.0), drift=(0.05, -0.1), gap=100), 1, exposures=2
    )
    track, second = timeline.track, timeline.exposures[1]
    used = (track.mapping == second.number) & ~track.resetting
    t = track.centre[used] - (second.start + second.stop) / 2
    delta, epsilon, _zeta = turns(motion, track.centre[used])[:, :, 0]
    # By then the settling of 60 mas at the start of the gap, 12 s ago, has faded to 0.1 mas.
    np.testing.assert_allclose(-epsilon / MAS, 0.05 * t, atol=0.2)
    np.testing.assert_allclose(-delta / MAS, -0.1 * t, atol=0.2)


def test_a_gap_begins_60_mas_off_and_settles():
    timeline, motion = motion_of(AcquisitionRequest(jitter=(0.0, 0.0, 90.0), drift=(0.0, 0.0)), 1)
    begin = timeline.track.start[timeline.track.mapping == -2][0]
    delta, epsilon, _zeta = turns(motion, begin + np.array([0.0, 2.0]))[:, :, 0]
    np.testing.assert_allclose(np.hypot(delta, epsilon) / MAS, [60.0, 60 / np.e], rtol=1e-3)


def test_a_given_motion_takes_the_place_of_all_that_is_drawn():
    table = MotionTable(np.array([0.0, 10.0]), np.array([0.0, 20.0]), np.array([4.0, 4.0]), np.array([0.0, 1.0]))
    timeline, motion = motion_of(AcquisitionRequest(motion=table), 1)
    start = timeline.exposures[0].start
    delta, epsilon, zeta = turns(motion, start + np.array([-3.0, 5.0, 30.0]))[:, :, 0]
    np.testing.assert_allclose(-epsilon / MAS, [0, 10, 20], atol=1e-9)
    np.testing.assert_allclose(-delta / MAS, [4, 4, 4])
    np.testing.assert_allclose(zeta / MAS / 1000, [0, 0.5, 1], atol=1e-12)
