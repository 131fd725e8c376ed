"""The likelihood ramp fit against golden numbers, dense linear algebra and its rules for flags."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rtools.errors import InputError
from rtools.exposure.frame import Strip
from rtools.exposure.rampfit.timing import resultant_timing, uniform_weights
from rtools.exposure.steps import rampfit
from tests.support.places import DATA
from tests.support.ramps import FRAME_TIME, PATTERN, RAMP_A, RAMP_B, RAMP_C, column, fit, options, plan, simulate

PLANES = ("data", "err", "var_poisson", "var_rnoise", "chisq", "dumo")
IMAGING = [[1], [2, 3], [4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14], [15, 16, 17, 18, 19], [20, 21], [22, 23, 24], [25]]
LONG = [[2 * i + 1, 2 * i + 2] for i in range(16)]

# -- times and limits ------------------------------------------------------------------------------------------------


def test_timing_has_the_published_values():
    timing = resultant_timing(PATTERN, FRAME_TIME)
    assert_allclose(timing.mean, [3.04, 7.6, 16.72, 27.36, 33.44, 38.0], rtol=1e-12)
    assert_allclose(timing.tau, [3.04, 6.84, 14.82, 26.0088888889, 33.44, 37.24], rtol=1e-11)
    assert_allclose(timing.read_diagonal, [0.0721375808, 0.0090171976, 0.0051526843, 0.0360687904, 0.0721375808], 2e-8)
    assert_allclose(timing.read_coupling[:4], [-0.0120229301, -0.0025763422, -0.0051526843, -0.0360687904], 2e-8)
    assert_allclose(timing.poisson_diagonal, [0.182748538, 0.0776681287, 0.065267335, 0.1279239766, 0.182748538], 2e-8)
    assert_allclose(timing.poisson_coupling[:4], [0.0182748538, 0.0195802005, 0.0208855472, 0.0], 2e-8, 1e-12)


def test_tau_is_the_variance_of_a_mean_of_accumulated_counts():
    reads = np.array([4, 5, 6, 7])
    shared = np.minimum.outer(reads, reads).sum() * FRAME_TIME / reads.size**2
    assert_allclose(resultant_timing(PATTERN, FRAME_TIME).tau[2], shared)


def test_uniform_weights_are_a_straight_line_through_all_reads():
    timing = resultant_timing(PATTERN, FRAME_TIME)
    weights = uniform_weights(timing)
    published = [-0.0113430127, -0.0170145191, -0.0113430127, 0.0113430127, 0.0075620085, 0.0207955233]
    assert_allclose(weights, published, rtol=1e-8)
    assert_allclose([weights.sum(), weights @ timing.mean], [0, 1], atol=1e-12)


@pytest.mark.parametrize("pattern", [[], [[1], []], [[3], [1, 2]]])
def test_impossible_read_patterns_are_refused(pattern):
    with pytest.raises(InputError):
        resultant_timing(pattern, FRAME_TIME)


def test_the_limits_of_jumps_follow_from_threshold_and_pattern():
    timing = resultant_timing(PATTERN, FRAME_TIME)
    one, two, usable = rampfit.jump_limits(4.5, timing)
    assert_allclose([one, two, usable], [20.25, 23.798545110306268, 4], rtol=1e-14)
    assert rampfit.jump_limits(50.0, timing)[:2] == (2500.0, 2510.0)
    singles = resultant_timing([[1], [2], [3], [4]], FRAME_TIME)
    assert rampfit.jump_limits(4.5, singles)[2] == 3


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 9, 15, 54])
def test_network_puts_the_median_in_the_middle(n):
    numbers = np.random.default_rng(n).integers(0, 20, (n, 500)).astype(float)
    work = numbers.copy()
    for low, high in rampfit.median_network(n):
        work[[low, high]] = np.sort(work[[low, high]], axis=0)
    assert_array_equal((work[(n - 1) // 2] + work[n // 2]) / 2, np.median(numbers, axis=0))


# -- golden numbers --------------------------------------------------------------------------------------------------


def test_golden_ramps_have_their_values():
    ramps = column(RAMP_A, RAMP_B, RAMP_C, RAMP_A)
    groupdq = np.zeros(ramps.shape, np.uint8)
    groupdq[4:, 0, 3] = 2
    strip, _ = fit(ramps, groupdq=groupdq)
    image = {name: plane[0] for name, plane in strip.image.items()}
    assert_allclose(image["data"], [11.920423, 10.141726, 10.141726, 12.641971], rtol=2e-7)
    assert_allclose(image["err"], [0.4659945, 0.7585044, 0.7585044, 0.5755873], rtol=2e-7)
    assert_allclose(image["var_poisson"][:3], [0.19058241, 0.32610643, 0.32610643], rtol=2e-7)
    assert_allclose(image["var_rnoise"][:3], [0.026568465, 0.24922252, 0.24922252], rtol=2e-7)
    assert_allclose(image["chisq"], [8.036563, 0.35267353, 0.35267353, 2.2618999], rtol=1e-6)
    assert_allclose(
        image["dumo"] + image["data"], [12.1200090744, 28.0002268603, 26.2987749546, 12.1200090744], rtol=1e-6
    )
    assert_array_equal(image["dq"], [0, 4, 4, 2])
    assert_array_equal(strip.jumps, [[2, 0, 1], [2, 0, 2], [3, 0, 1], [3, 0, 2]])
    assert strip.jumps.dtype == np.int16
    assert strip.data is strip.groupdq is strip.pixeldq is None


PEER = np.load(DATA / "rampfit_peer.npz")


@pytest.mark.parametrize("name", ["mixed", "imaging", "single", "even"])
def test_agrees_with_the_reference_implementation(name):
    """Noise, jumps, saturation and stray flags; left out are pixels for which a listed difference holds.

    Those have too few usable differences to be searched here, or their median over all differences is not that over
    the usable ones (`comparable` in the file).
    """
    case = {key.removeprefix(f"{name}_"): PEER[key] for key in PEER.files if key.startswith(f"{name}_")}
    ramp = {key: case[key] for key in ("groupdq", "pixeldq", "gain", "readnoise")}
    strip, _ = fit(case["data"], pattern=json.loads(str(case["pattern"])), **ramp)
    chosen = case["comparable"]
    assert chosen.mean() > 0.7
    peers = ("slope", "err", "var_poisson", "var_rnoise", "chisq", "dumo")
    for ours, theirs in zip(PLANES[:5], peers, strict=False):
        assert_allclose(strip.image[ours][chosen], case[f"peer_{theirs}"][chosen], rtol=1e-5, atol=1e-10)
    sum_of_terms = 1e-6 * np.abs(case["data"]).max(axis=0)
    assert np.all(np.abs(strip.image["dumo"] - case["peer_dumo"])[chosen] <= sum_of_terms[chosen])
    assert_array_equal(strip.image["dq"][chosen], case["peer_dq"][chosen])
    jumps = np.zeros(case["groupdq"].shape, np.uint8)
    jumps[tuple(strip.jumps.T.astype(int))] = 4
    assert_array_equal(jumps[:, chosen], (case["peer_groupdq"] & 4)[:, chosen])
    assert np.count_nonzero(jumps[:, chosen]) > 50


# -- dense linear algebra --------------------------------------------------------------------------------------------


class Dense:
    """One pixel by dense matrices: the covariance of the differences, its inverse, and the search by trying."""

    def __init__(self, ramp, usable, pattern, gain, readnoise):
        timing = resultant_timing(pattern, FRAME_TIME)
        self.reads = timing.reads
        self.poisson = self._matrix(timing.poisson_diagonal, timing.poisson_coupling) / gain
        self.read = self._matrix(timing.read_diagonal, timing.read_coupling) * readnoise**2
        self.d = np.diff(ramp.astype(np.float32)).astype(float) / timing.interval
        self.usable = usable

    @staticmethod
    def _matrix(diagonal, coupling):
        return np.diag(diagonal) + np.diag(coupling[:-1], 1) + np.diag(coupling[:-1], -1)

    def fit(self, rate, usable):
        """Rate, error, Poisson and read variance, chi-square with the covariance at `rate`."""
        keep = np.ix_(usable, usable)
        poisson, read = max(rate, 0) * self.poisson[keep], self.read[keep]
        inverse = np.linalg.inv(poisson + read)
        weights = inverse.sum(axis=0) / inverse.sum()
        fitted = weights @ self.d[usable]
        left = self.d[usable] - fitted
        variances = weights @ poisson @ weights, weights @ read @ weights
        return fitted, inverse.sum() ** -0.5, *variances, left @ inverse @ left

    def search(self, one, two, least):
        """Final fit and dropped differences, removing by trial what lowers chi-square most."""
        usable = self.usable.copy()
        guess = np.median(self.d[usable])
        rate, *_, chi = self.fit(guess, usable)
        searched = usable.sum() >= least
        while searched:
            singles, pairs = self._trials(guess, usable, chi)
            drop_one, drop_two = max(singles, default=(0,)), max(pairs, default=(0,))
            if drop_one[0] - one > drop_two[0] - two:
                found = drop_one if drop_one[0] > one else None
            else:
                found = drop_two if drop_two[0] > two else None
            if found is None:
                break
            _, places, rate = found
            usable[list(places)] = False
            *_, chi = self.fit(guess, usable)
            searched = usable.sum() > 3
        return self.fit(rate, usable), self.usable & ~usable

    def _trials(self, guess, usable, chi):
        places = [(i,) for i in np.flatnonzero(usable)]
        neighbours = [(i, i + 1) for (i,) in places[:-1] if usable[i + 1 : i + 2].any() and self.reads[i + 1] > 1]
        trials = []
        for some in (places, neighbours):
            trials.append([])
            for place in some:
                rest = usable.copy()
                rest[list(place)] = False
                fitted, *_, left = self.fit(guess, rest)
                trials[-1].append((chi - left, place, fitted))
        return trials


def random_ramps(seed, pattern, shape=(4, 60)):
    """Ramps with jumps and a mix of flags; returns ramps, groupdq, gain, readnoise."""
    rng = np.random.default_rng(seed)
    rate, gain, readnoise = (rng.uniform(*limits, shape) for limits in ((0.1, 40), (1.5, 2.2), (3, 12)))
    when = rng.integers(0, pattern[-1][-1], shape)
    height = np.where(rng.random(shape) < 0.4, rng.uniform(30, 600, shape), 0)
    steps = (np.arange(pattern[-1][-1])[:, None, None] >= when) * height
    ramps = simulate(rng, rate, shape, pattern=pattern, gain=gain, readnoise=readnoise, steps=steps)
    groupdq = np.where(rng.random(ramps.shape) < 0.03, rng.choice([1, 2, 64], ramps.shape), 0)
    return ramps, groupdq, gain.astype(np.float32), readnoise.astype(np.float32)


@pytest.mark.parametrize(("seed", "pattern"), [(1, PATTERN), (2, IMAGING), (3, LONG), (4, [[i] for i in range(1, 8)])])
def test_fit_and_search_agree_with_dense_algebra(seed, pattern):
    ramps, groupdq, gain, readnoise = random_ramps(seed, pattern)
    strip, _ = fit(ramps, groupdq=groupdq, gain=gain, readnoise=readnoise, pattern=pattern)
    limits = rampfit.jump_limits(4.5, resultant_timing(pattern, FRAME_TIME))
    jumps = np.zeros(ramps.shape, bool)
    jumps[tuple(strip.jumps.T.astype(int))] = True
    found = 0
    for y, x in np.ndindex(ramps.shape[1:]):
        usable = (groupdq[1:, y, x] | groupdq[:-1, y, x]) == 0
        if not usable.any():
            continue
        pixel = Dense(ramps[:, y, x], usable, pattern, float(gain[y, x]), float(readnoise[y, x]))
        expected, dropped = pixel.search(*limits)
        assert_array_equal(jumps[1:, y, x], dropped)
        values = [strip.image[name][y, x] for name in PLANES[:5]]
        assert_allclose(values, expected, rtol=2e-6, atol=1e-9)
        found += dropped.any()
    assert found > 15


# -- rules of the search ---------------------------------------------------------------------------------------------


def test_three_usable_differences_are_not_searched():
    ramps = column(RAMP_B, RAMP_B)
    groupdq = np.zeros(ramps.shape, np.uint8)
    groupdq[4, 0, 0] = 1  # leaves three
    groupdq[5, 0, 1] = 1  # leaves four
    strip, _ = fit(ramps, groupdq=groupdq)
    assert_array_equal(strip.image["dq"][0], [0, 4])
    assert_array_equal(np.unique(strip.jumps[:, 2]), [1])


def test_three_differences_of_single_reads_are_searched():
    ramp = np.array([0.0, 10, 20, 530])
    strip, _ = fit(column(ramp), pattern=[[1], [2], [3], [4]])
    assert_array_equal(strip.jumps, [[3, 0, 0]])


def test_of_equal_candidates_the_first_is_dropped():
    """One resultant off by as much as it is back: dropping the rise or the fall lowers chi-square alike."""
    pattern = [[i] for i in range(1, 8)]
    ramp = 10.0 * np.arange(7) + 500.0 * (np.arange(7) == 3)
    strip, _ = fit(column(ramp), pattern=pattern)
    assert strip.jumps[0].tolist() == [3, 0, 0]
    first_only, _ = fit(column(ramp), pattern=pattern, threshold=1e9)
    assert first_only.jumps.size == 0


def test_threshold_is_honoured():
    rng = np.random.default_rng(5)
    ramps = simulate(rng, 5.0, (16, 500), pattern=IMAGING)
    flagged = [
        np.count_nonzero(fit(ramps, pattern=IMAGING, threshold=threshold)[0].image["dq"] & 4)
        for threshold in (2.0, 3.0, 4.5, 20.0)
    ]
    assert flagged[0] > 5 * flagged[1] > 5 * flagged[2]
    assert flagged[3] == 0


def test_unrecorded_jumps_are_flagged_all_the_same():
    strip, _ = fit(column(RAMP_B), record_jumps=False)
    assert strip.jumps is None
    assert strip.image["dq"][0, 0] == 4


# -- bits do not depend on company -----------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", [PATTERN, IMAGING, LONG])
def test_a_pixel_has_the_same_bits_alone_and_in_company(pattern):
    ramps, groupdq, gain, readnoise = random_ramps(11, pattern, (3, 37))
    together, _ = fit(ramps, groupdq=groupdq, gain=gain, readnoise=readnoise, pattern=pattern)
    for x in range(37):
        part = (slice(None), slice(x, x + 1))
        alone, _ = fit(
            ramps[:, *part], groupdq=groupdq[:, *part], gain=gain[part], readnoise=readnoise[part], pattern=pattern
        )
        for name, plane in alone.image.items():
            assert plane.tobytes() == np.ascontiguousarray(together.image[name][part]).tobytes()


# -- flags -----------------------------------------------------------------------------------------------------------


def test_bad_gain_is_flagged_and_gives_nothing():
    gain = np.array([[1.8, np.nan, 0, -1, np.inf]])
    strip, counts = fit(column(*[RAMP_A] * 5), gain=gain)
    assert_array_equal(strip.image["dq"][0], [0] + [(1 << 19) | 1] * 4)
    assert np.isnan(strip.image["data"][0, 1:]).all()
    assert counts["without a gain"] == counts["without a rate"] == 4
    assert [level for level, _ in rampfit.report(counts, options())] == ["info", "info", "warning"]


@pytest.mark.parametrize(("broken", "value"), [("data", np.nan), ("readnoise", np.nan), ("readnoise", -999999)])
def test_results_that_are_no_numbers_are_flagged(broken, value):
    ramps, readnoise = column(RAMP_A, RAMP_A), np.full((1, 2), 6.0)
    (ramps[2, 0] if broken == "data" else readnoise[0])[1] = value
    strip, _ = fit(ramps, readnoise=readnoise)
    assert_array_equal(strip.image["dq"][0], [0, 1])
    assert np.isnan(strip.image["data"][0, 1])
    assert_allclose(strip.image["data"][0, 0], 11.920423, rtol=2e-7)


def test_a_flagged_value_that_is_no_number_does_no_harm():
    ramps = column(RAMP_A)
    ramps[5] = np.nan
    groupdq = np.zeros(ramps.shape, np.uint8)
    groupdq[5] = 1
    strip, _ = fit(ramps, groupdq=groupdq)
    assert np.isfinite(strip.image["data"]).all()
    assert strip.image["dq"][0, 0] == 0


def test_nothing_usable_is_flagged():
    ramps = column(RAMP_A, RAMP_A, RAMP_A, RAMP_A)
    groupdq = np.zeros(ramps.shape, np.uint8)
    groupdq[:, 0, 0] = 2  # saturated throughout
    groupdq[1:, 0, 1] = 2  # one good resultant
    groupdq[::2, 0, 2] = 64  # every other resultant, neither SATURATED nor DO_NOT_USE
    groupdq[2:, 0, 3] = 2  # two good resultants, one difference
    strip, counts = fit(ramps, groupdq=groupdq, pixeldq=[[0, 2048, 0, 0]])
    assert_array_equal(strip.image["dq"][0], [3, 2048 + 3, 1, 2])
    for name in PLANES:
        assert np.isnan(strip.image[name][0, :3]).all()
    assert_allclose(strip.image["data"][0, 3], 45 / 4.56, rtol=1e-6)
    assert strip.image["chisq"][0, 3] == 0
    assert counts["without a rate"] == 3


def test_group_flags_that_mean_something_else_in_pixels_are_not_copied():
    groupdq = np.zeros((6, 1, 1), np.uint8)
    groupdq[0] = 128 | 64 | 8
    strip, _ = fit(column(RAMP_A), groupdq=groupdq)
    assert strip.image["dq"][0, 0] == 0


# -- few resultants --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [2, 3])
def test_two_and_three_resultants_are_fitted_with_a_warning(groups):
    pattern = PATTERN[:groups]
    prepared, messages = plan(groups, options(), pattern)
    assert [level for level, _ in messages] == ["warning"]
    strip, _ = fit(column(RAMP_C[:groups]), pattern=pattern)
    pixel = Dense(RAMP_C[:groups], np.ones(groups - 1, bool), pattern, np.float32(1.8), 6.0)
    expected, _ = pixel.search(*prepared.terms.limits)
    assert_allclose([strip.image[name][0, 0] for name in PLANES[:5]], expected, rtol=2e-6, atol=1e-9)
    assert strip.image["dq"][0, 0] == 0


def test_one_resultant_is_refused():
    with pytest.raises(InputError, match="single resultant"):
        plan(1, options(), PATTERN[:1])


def test_a_read_pattern_of_another_length_is_refused():
    with pytest.raises(InputError, match="read pattern has 6 resultants, the data have 5"):
        plan(5, options())


# -- saturated throughout --------------------------------------------------------------------------------------------


def test_an_image_without_a_fit_is_zero_and_flagged():
    pixeldq = np.arange(24 * 16, dtype=np.uint32).reshape(24, 16)
    strip = Strip(0, 16, None, None, pixeldq, frame_rows=24, frame_columns=16)
    image = rampfit.zero_image(strip)
    assert_array_equal(image["dq"], pixeldq[4:-4, 4:-4] | 3)
    for name in PLANES:
        assert image[name].shape == (16, 8)
        assert image[name].dtype == np.float32
        assert not image[name].any()
