"""The segment-wise least-squares ramp fit against golden numbers, a straight line, and its rules for flags."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rtools.exposure.rampfit.timing import resultant_timing
from rtools.exposure.steps import rampfit
from tests.support.places import DATA
from tests.support.ramps import FRAME_TIME, RAMP_A, RAMP_B, RAMP_C, column, fit, simulate

PEER = np.load(DATA / "rampfit_peer.npz")


def fit_ols(ramps, **settings):
    strip, counts = fit(ramps, algorithm="ols_cas22", **settings)
    return strip.image, counts


@pytest.mark.slow
def test_golden_ramps_have_their_values():
    ramps = column(RAMP_A, RAMP_B, RAMP_C, RAMP_A)
    groupdq = np.zeros(ramps.shape, np.uint8)
    groupdq[4:, 0, 3] = 2
    image, _ = fit_ols(ramps, groupdq=groupdq)
    assert_allclose(image["data"][0], [11.873938, 9.539481, 10.15817, 12.491112], rtol=2e-6)
    assert_allclose(image["var_poisson"][0], [0.18781942, 0.48425665, 0.42491907, 0.2693808], rtol=3e-6)
    assert_allclose(image["var_rnoise"][0], [0.03133428, 1.2984749, 0.2633798, 0.06882033], rtol=1e-6)
    assert_allclose(image["err"] ** 2, image["var_poisson"] + image["var_rnoise"], rtol=1e-6)
    # D is saturated in two resultants only, which this algorithm does not tell
    assert_array_equal(image["dq"][0], [0, 4, 4, 0])
    assert not image["chisq"].any()


@pytest.mark.parametrize("name", ["mixed", "imaging", "single", "even"])
def test_agrees_with_the_reference_implementation(name):
    case = {key.removeprefix(f"{name}_"): PEER[key] for key in PEER.files if key.startswith(f"{name}_")}
    ramp = {key: case[key] for key in ("groupdq", "pixeldq", "gain", "readnoise")}
    image, _ = fit_ols(case["data"], pattern=json.loads(str(case["pattern"])), **ramp)
    assert_array_equal(image["dq"], case["cas22_dq"])
    ours = ("data", "err", "var_poisson", "var_rnoise")
    for name, peers in zip(ours, ("slope", "err", "var_poisson", "var_rnoise"), strict=True):
        assert_allclose(image[name], case[f"cas22_{peers}"], rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"algorithm": "ols_cas22", "threshold": 5.0, "expand_large_events": True}, "threshold, expand-large-events"),
        ({"algorithm": "likely", "use_jump_detection": False}, "use-jump-detection"),
        ({"algorithm": "ols_cas22", "threshold_intercept": 5.0}, None),
    ],
)
def test_options_of_the_other_algorithm_were_ignored_silently(settings, named):
    said = []
    exposure = SimpleNamespace(
        shape=(6, 16, 16),
        read_pattern=[[1], [2], [3], [4], [5], [6]],
        frame_time=FRAME_TIME,
        log=lambda level, text: said.append((level, text)),
    )
    rampfit.prepare(exposure, None, {}, rampfit.STEP.defaults() | settings)
    expected = [("warning", f"rampfit: {settings['algorithm']} does not use {named}")] if named else []
    assert said == expected


def test_an_exact_line_gives_its_slope():
    mean = resultant_timing([[1], [2, 3], [4, 5, 6, 7], [8, 9, 10], [11], [12, 13]], FRAME_TIME).mean
    image, _ = fit_ols(column(100 + 25 * mean, 100 - 3 * mean))
    assert_allclose(image["data"][0], [25, -3], rtol=1e-5)
    assert image["var_poisson"][0, 1] == 0
    assert_allclose(image["dumo"][0], 0, atol=1e-4)


def test_jumps_are_looked_for_on_request_only_and_below_the_limit_only():
    ramps = column(RAMP_B)
    assert fit_ols(ramps)[0]["dq"][0, 0] == 4
    assert fit_ols(ramps, use_jump_detection=False)[0]["dq"][0, 0] == 0
    assert fit_ols(ramps, threshold_intercept=1e3)[0]["dq"][0, 0] == 0
    assert fit_ols(ramps, threshold_constant=-1e3)[0]["dq"][0, 0] == 0


def test_pixels_without_a_slope_are_flagged():
    ramps = column(*[RAMP_A] * 5)
    groupdq = np.zeros(ramps.shape, np.uint8)
    groupdq[:, 0, 1] = 2  # saturated throughout
    groupdq[::2, 0, 2] = 64  # no two neighbours left: no slope
    gain = np.array([[1.8, 1.8, 1.8, np.nan, -1.0]])
    image, _ = fit_ols(ramps, groupdq=groupdq, gain=gain, pixeldq=[[16, 0, 0, 0, 0]])
    assert_array_equal(image["dq"][0, :3], [16, 3, 1])
    assert_array_equal(image["dq"][0, 3:] & (1 << 19), [1 << 19, 1 << 19])
    assert image["dq"][0, 3] & 1


def test_pulls_have_mean_zero_and_deviation_one():
    rate = 20.0
    ramps = simulate(np.random.default_rng(2), rate, (32, 400))
    image, _ = fit_ols(ramps)
    pulls = (image["data"] - rate) / image["err"].mean()
    assert abs(pulls.mean()) < 0.04
    assert abs(pulls.std() - 1) < 0.04
