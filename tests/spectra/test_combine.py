"""Combined spectra: grids, means and errors, collisions, what stands out."""

import numpy as np
import pytest

from rtools.errors import UsageError
from rtools.spectra.combine import SourceSpectrum, combine, first_grid, logarithmic_grid, merged_grid

WAVES = np.linspace(5.0, 9.0, 81)


def spectrum(flux, error=0.1, waves=WAVES, weight=1.0, flags=None):
    flux = np.broadcast_to(np.asarray(flux, float), waves.shape)
    flags = np.zeros(len(waves), np.uint32) if flags is None else np.asarray(flags, np.uint32)
    return SourceSpectrum(waves, flux[None].copy(), np.full((1, len(waves)), error), flags, flags & 1 == 0, weight)


def test_equal_spectra_have_the_error_of_their_mean():
    found = combine([spectrum(WAVES)] * 4, merged_grid([WAVES] * 4))
    np.testing.assert_allclose(found.wavelength, WAVES, rtol=1e-15)
    np.testing.assert_allclose(found.values[0], WAVES)
    np.testing.assert_allclose(found.errors[0], 0.1 / 2)
    assert (found.count == 4).all()
    assert (found.weight == 4).all()


def test_weights_count():
    found = combine([spectrum(1.0, weight=3), spectrum(5.0, weight=1)], WAVES)
    np.testing.assert_allclose(found.values[0], 2.0)
    np.testing.assert_allclose(found.errors[0], 0.1 * np.sqrt(10) / 4)


def test_errors_are_those_of_the_scatter():
    rng = np.random.default_rng(2)
    kinds = ((0.1, 3), (0.3, 1), (0.2, 2))
    many = [
        [spectrum(3 + rng.normal(0, sigma, 81), sigma, weight=weight) for sigma, weight in kinds] for _ in range(300)
    ]
    found = [combine(one, WAVES) for one in many]
    pulls = np.array([(one.values[0] - 3) / one.errors[0] for one in found])
    assert abs(pulls.mean()) < 0.02
    assert pulls.std() == pytest.approx(1, abs=0.015)


@pytest.mark.parametrize("shift", [0.0, 1e-3, 0.01, 0.02])
def test_a_merged_grid_has_as_many_points_as_a_spectrum(shift):
    waves = [WAVES, WAVES + shift, WAVES - shift]
    grid = merged_grid(waves)
    assert len(grid) == pytest.approx(81, abs=4)
    assert (np.diff(grid) > 0).all()
    assert np.median(np.diff(grid)) == pytest.approx(0.05, rel=0.1)


def test_a_merged_grid_goes_over_all_spectra():
    """Two orders that overlap: each has its own points where the other is not."""
    grid = merged_grid([WAVES, WAVES + 2.0001, np.array([7.0])])
    assert grid[0] == 5
    assert grid[-1] == pytest.approx(11.0001)
    assert np.diff(grid).max() < 0.11
    np.testing.assert_allclose(merged_grid([WAVES[::-1]]), WAVES)
    with pytest.raises(UsageError):
        merged_grid([np.array([5.0])])


def test_other_grids():
    np.testing.assert_array_equal(first_grid([WAVES[::-1], WAVES + 1]), WAVES)
    log = logarithmic_grid([WAVES, WAVES + 1])
    assert log[0] == pytest.approx(5)
    assert log[-1] == pytest.approx(10, rel=0.01)
    np.testing.assert_allclose(np.diff(np.log(log)), np.diff(np.log(log))[0])


def test_two_points_of_a_spectrum_that_come_to_one_are_averaged():
    """The peer keeps the last of them."""
    fine = np.linspace(5.0, 9.0, 161)
    values = np.where(np.arange(161) % 2 == 0, 1.0, 3.0)
    found = combine([spectrum(values, waves=fine)], WAVES + 1e-3)
    np.testing.assert_allclose(found.values[0][1:-1], 2.0)
    np.testing.assert_allclose(found.errors[0][1:-1], 0.1 / np.sqrt(2))
    assert (found.count == 1).all()


def test_points_beyond_the_first_and_last_of_the_grid_come_to_them():
    """The peer loses what is a hundredth of a pixel before its first point."""
    found = combine([spectrum(1.0), spectrum(3.0, waves=WAVES - 5e-4)], WAVES)
    assert (found.count == 2).all()
    far = combine([spectrum(1.0), spectrum(3.0, waves=WAVES + 0.05)], WAVES)
    assert far.count[[0, 1, -1]].tolist() == [1, 2, 2]


def test_bad_points_do_not_count_and_empty_ones_are_left_out():
    flags = np.zeros(81, np.uint32)
    flags[10], flags[20] = 1, 4
    both = combine([spectrum(1.0, flags=flags), spectrum(3.0)], WAVES)
    assert both.values[0][[9, 10]].tolist() == [2.0, 3.0]
    assert both.flags[[9, 10, 20]].tolist() == [0, 0, 4]
    alone = combine([spectrum(1.0, flags=flags)], WAVES)
    assert len(alone.wavelength) == 80
    assert WAVES[10] not in alone.wavelength


def test_what_stands_out_at_its_point_is_left_out_and_nothing_else():
    rng = np.random.default_rng(6)
    shape = 1 + 10 * np.exp(-((WAVES - 7) ** 2) / 0.1)  # a line: bright points scatter no more than others
    spectra = [spectrum(shape + rng.normal(0, 0.1, 81)) for _ in range(3)]
    spectra[1].values[0, 33] += 2
    found = combine(spectra, WAVES, clip=5.0)
    assert found.clipped == 1
    assert found.count[33] == 2
    assert (np.delete(found.count, 33) == 3).all()


@pytest.mark.parametrize("count", [33, 81, 400])
def test_overlap_keeps_the_light(count):
    waves = np.linspace(4.9, 9.2, 163)
    line = np.exp(-((waves - 7) ** 2) / 0.05)
    grid = np.linspace(5.0, 9.0, count)
    found = combine([spectrum(line, waves=waves)], grid, overlap=True)
    np.testing.assert_allclose(found.values[0].sum() * np.diff(grid)[0], line.sum() * np.diff(waves)[0], rtol=1e-6)
    np.testing.assert_allclose(found.weight, 1.0)


def test_overlap_shares_the_weight_of_a_bin_that_a_spectrum_covers_in_part():
    found = combine([spectrum(1.0), spectrum(3.0, waves=WAVES[:41] + 0.0)], WAVES + 0.0125, overlap=True)
    assert found.weight[39] == pytest.approx(2)
    assert found.weight[40] == pytest.approx(1.75)
    assert found.values[0][40] == pytest.approx((1 + 0.75 * 3) / 1.75)
