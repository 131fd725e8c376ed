"""Why a pair is not used: each cause sets its bit, and nothing else does."""

import numpy as np
import pytest

from rtools.guide import Centroids, PairFlags, count_causes, flag_pairs, runs_of
from rtools.wfi.guide import Use

N = 100


@pytest.fixture
def said():
    """A stage of which the file says nothing bad."""
    no, two = np.zeros(N, bool), np.zeros((N, 2), bool)
    flags = PairFlags(no, no, two, two, two, two, np.full((N, 2), 40), np.ones(N, int), ~no)
    return PairFlags(*(values.copy() for values in flags))


@pytest.fixture
def measured():
    """Good fits of a star that moves by 0.05 pixel rms."""
    rng = np.random.default_rng(4)
    number = {name: np.ones(N) for name in Centroids._fields}
    number |= {"x": 7.6 + 0.05 * rng.normal(size=N), "y": 7.2 + 0.05 * rng.normal(size=N)}
    number |= {name: np.full(N, 1e-4) for name in ("xx", "yy")}
    number |= {"flux": np.full(N, 1e4), "flux_err": np.full(N, 1e2), "fitted": np.ones(N, bool)}
    return Centroids(**number)


def flag(said, measured, saturated=None):
    """Flags in a window of 16 × 16."""
    return flag_pairs(said, measured, saturated, (16, 16))


def test_good_pairs_have_no_flag(said, measured):
    assert not flag(said, measured).any()
    assert not flag_pairs(said).any()
    assert flag(said, measured).dtype == np.uint16


@pytest.mark.parametrize(
    ("field", "bit"),
    [
        ("reset_impacted", Use.RESET_IMPACTED),
        ("reset_read", Use.RESET_READ),
        ("sce_status", Use.SCE),
        ("resultant_err", Use.GW_ERROR),
        ("min_bind", Use.MIN_BIND),
        ("max_bind", Use.MAX_BIND),
    ],
)
def test_flag_of_the_file_becomes_a_bit(said, measured, field, bit):
    values = getattr(said, field)
    values[5 if values.ndim == 1 else (5, 1)] = True
    use = flag(said, measured)
    assert use[5] == bit
    assert np.count_nonzero(use) == 1


def test_missing_downlink_and_saturation(said, measured):
    said.downlinked[3] = False
    use = flag(said, measured, np.arange(N) == 4)
    assert (use[3], use[4]) == (Use.NO_DOWNLINK, Use.SATURATED)


def test_only_the_first_pair_after_a_move_is_said_to_have_moved(said, measured):
    said.lower[60:] += [3, 0]
    use = flag(said, measured)
    assert use[60] == Use.MOVED
    assert np.count_nonzero(use) == 1


def test_failed_and_faint_fits_are_no_fit(said, measured):
    measured.fitted[7], measured.flux[8], measured.x[9], measured.flux[9] = False, 499.0, np.nan, np.nan
    use = flag(said, measured)
    assert list(use[6:10]) == [0, Use.NO_FIT, Use.NO_FIT, Use.NO_FIT]


def test_star_at_the_edge_of_the_window(said, measured):
    measured.x[:] = np.linspace(0, 15, N)
    edge = flag(said, measured) & Use.EDGE > 0
    np.testing.assert_array_equal(edge, (measured.x < 1.5) | (measured.x > 13.5))


def test_far_places_and_poor_fits_are_outliers(said, measured):
    measured.x[20] += 0.8
    measured.y[30] -= 0.8
    measured.chi2[40] = 5.1
    use = flag(said, measured)
    assert list(np.flatnonzero(use)) == [20, 30, 40]
    assert set(use[[20, 30, 40]]) == {Use.OUTLIER}


def test_no_outlier_within_five_errors_however_still_the_star_is(said, measured):
    measured.x[:], measured.xx[:] = 7.6, 1e-2
    measured.x[20], measured.x[40] = 8.0, 8.2
    assert list(np.flatnonzero(flag(said, measured))) == [40]


def test_a_dither_makes_no_outliers(said, measured):
    """The place in the window changes with the exposure: each run has its own median."""
    measured.x[50:] += 0.45
    said.exposure[50:] = 2
    assert not flag(said, measured).any()


def test_what_another_cause_drops_does_not_move_the_median(said, measured):
    said.reset_impacted[::2] = True
    measured.x[::2] += 3
    assert set(flag(said, measured)[1::2]) == {0}


def test_runs_and_counts():
    runs = runs_of(np.array([1, 1, 2, 2, 1]), np.array([[0, 0], [0, 0], [0, 0], [5, 0], [5, 0]]))
    assert [list(run) for run in runs] == [[0, 1], [2], [3], [4]]
    counts = count_causes(np.array([0, 3, 2, 2048], np.uint16))
    assert (counts[Use.RESET_IMPACTED], counts[Use.RESET_READ], counts[Use.EDGE], counts[Use.SCE]) == (1, 2, 1, 0)
    assert list(counts) == list(Use)
