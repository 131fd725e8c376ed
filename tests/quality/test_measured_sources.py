"""Numbers of catalogs: counts and where they end, depth by the errors, the star sequence."""

import numpy as np
import pytest

from rtools.quality import magnitudes, measure_sources

LIMIT = 24.0


def counted(seed=2, slope=0.3, bright=17.0):
    """Magnitudes whose logarithm of counts rises by `slope`, of which beyond LIMIT fewer and fewer are found."""
    rng = np.random.default_rng(seed)
    magnitude = bright + np.log10(rng.uniform(1, 10 ** (slope * 10), 6000)) / slope
    return magnitude[rng.random(magnitude.size) < 1 / (1 + np.exp((magnitude - LIMIT) / 0.2))]


def errors(magnitude, depth, photons=0.0):
    """Errors of magnitudes of an image in which a source of `depth` has S/N 5 if its photons did not count."""
    light = 10 ** (-0.4 * (magnitude - depth))
    return 2.5 / np.log(10) * np.sqrt(1 / 25 + photons * light) / light


def test_counts_that_end_are_half_complete_where_half_are_found():
    magnitude = counted()
    found = measure_sources(magnitude, errors(magnitude, 25.0))
    assert found.counts.sum() == len(magnitude)
    assert found.slope[1] == pytest.approx(0.3, abs=0.03)
    assert found.complete_50 == pytest.approx(LIMIT, abs=0.25)


def test_few_sources_have_no_completeness():
    magnitude = np.linspace(18, 24, 20)
    found = measure_sources(magnitude, errors(magnitude, 25.0))
    assert found.slope is None
    assert np.isnan(found.complete_50)


@pytest.mark.parametrize("photons", [0.0, 0.002])
def test_depth_is_found_from_errors_of_brighter_sources(photons):
    magnitude = np.linspace(19, 24, 200)
    found = measure_sources(magnitude, errors(magnitude, 25.0, photons))
    half = 25 * photons / 2
    assert found.depth == pytest.approx(25.0 - 2.5 * np.log10(half + np.hypot(half, 1)), abs=0.02)


def test_blends_with_large_errors_do_not_change_the_depth():
    magnitude = np.linspace(19, 24, 200)
    error = errors(magnitude, 25.0, 0.002)
    error[::10] *= 5
    clean = measure_sources(magnitude, errors(magnitude, 25.0, 0.002)).depth
    assert measure_sources(magnitude, error).depth == pytest.approx(clean, abs=0.1)


def test_the_star_sequence_is_of_bright_points_without_flags():
    magnitude = np.concatenate([np.full(50, 19.0), np.full(20, 19.0), np.full(30, 24.5), np.full(10, 19.0)])
    size = np.concatenate([np.linspace(0.098, 0.102, 50), np.full(20, 0.5), np.full(30, 0.3), np.full(10, 0.2)])
    extended = np.repeat([False, True, False, False], [50, 20, 30, 10])
    flagged = np.repeat([False, False, False, True], [50, 20, 30, 10])
    found = measure_sources(magnitude, errors(magnitude, 25.0), size=size, extended=extended, flagged=flagged)
    assert found.stars == 50
    assert found.star_size == pytest.approx(0.1)
    assert found.star_scatter == pytest.approx(1.4826 * 0.001 / 0.1, rel=0.05)
    assert found.flagged == pytest.approx(10 / 110)


def test_fluxes_that_no_source_can_have_are_unknown_and_stop_nothing():
    rng = np.random.default_rng(8)
    flux = 10 ** rng.uniform(-300, 300, 200)
    with np.errstate(over="ignore"):
        error = flux * rng.choice([1e-320, 0.1, 1e30, np.nan, np.inf], 200)
    found = measure_sources(*magnitudes(flux, error), size=np.full(200, np.inf))
    assert len(found.counts) < 300
    assert found.sources == 200


def test_an_empty_catalog_says_nothing():
    found = measure_sources(np.zeros(0), np.zeros(0))
    assert (found.sources, len(found.counts)) == (0, 0)
    assert np.isnan([found.complete_50, found.depth, found.star_size]).all()


def test_magnitudes_of_fluxes_that_are_not_positive_are_unknown():
    magnitude, error = magnitudes([1.0, -1.0, np.nan, 2.0], [0.1, 0.1, 0.1, 0.0], njy=1e9)
    assert magnitude[0] == pytest.approx(8.9)
    assert error[0] == pytest.approx(0.1086, rel=1e-3)
    assert np.isnan(magnitude[1:]).all()
