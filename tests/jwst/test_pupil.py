"""The closed form of a hexagon, and the point-spread functions made of it."""

import numpy as np
import pytest

from rtools.errors import UsageError
from rtools.jwst import pupil


def field_by_sum(u, v, width, count=1501):
    """The Fourier integral over a hexagon by adding up its points."""
    step = 1.2 * width / count
    x, y = np.meshgrid(*2 * [(np.arange(count) - count // 2) * step])
    inside = (np.abs(y) < width / 2) & (np.abs(x) * np.sqrt(3) + np.abs(y) < width)
    return np.sum(np.cos(2 * np.pi * (u * x + v * y)) * inside) * step**2


@pytest.mark.parametrize("at", [(0, 0), (0, 0.5), (0.3, 0), (0.7, 0.4), (-1.1, 0.9), (1e-5, 0.9), (1e-9, 1e-6)])
def test_the_closed_form_of_a_hexagon_is_its_fourier_integral(at):
    field = pupil.hexagon_field(np.array([at[0]]), np.array([at[1]]), 1.32)[0]
    assert field == pytest.approx(field_by_sum(*at, 1.32), abs=6e-4)
    assert np.abs(field) <= pupil.hexagon_area(1.32)


def test_the_closed_form_has_no_step_where_its_limit_is_taken():
    v = np.array([1e-4, 0.3, 1.7])
    for near, away in ((0.0, 3e-6), (1e-7, 2e-6)):
        both = [pupil.hexagon_field(np.full(3, u), v, 1.32) for u in (near, away)]
        assert np.abs(both[0] - both[1]).max() < 1e-9


def test_eighteen_segments_tile_the_mirror():
    centres = pupil.segment_centres()
    distances = np.hypot(*(centres[:, None] - centres[None]).T)
    assert centres.shape == (18, 2)
    assert np.abs(centres.sum(0)).max() < 1e-12
    assert distances[~np.eye(18, dtype=bool)].min() == pytest.approx(1.32)
    assert np.hypot(*centres.T).max() == pytest.approx(2.64)
    holes = np.array(pupil.non_redundant_mask().centres)
    nearest = np.hypot(*(holes[:, None] - centres[None]).T).min(0)
    assert nearest.max() < 1e-5
    assert len(np.unique(np.round(holes[:, None] - holes[None], 4).reshape(-1, 2), axis=0)) == 43


@pytest.mark.parametrize(("detector", "filter_"), [("nrca1", "F070W"), ("nrca1", "F200W"), ("nrcalong", "F444W")])
def test_the_light_of_a_star_adds_up(detector, filter_):
    """What is missing in 61 pixels falls off as the edges of the segments diffract it."""
    light = pupil.psf(detector, filter_, oversample=1, size=61)
    assert 0.97 < light.sum() < 1
    assert light.min() >= 0
    assert np.unravel_index(light.argmax(), light.shape) == (30, 30)
    assert np.abs(light - light[::-1, ::-1]).max() < 1e-6


def test_samples_are_those_of_pixels():
    """Every fifth sample is the light in one pixel, wherever the star lies in it."""
    fine = pupil.psf("nrca1", "F200W", oversample=5, size=21)
    coarse = pupil.psf("nrca1", "F200W", oversample=1, size=21)
    assert np.abs(fine[2::5, 2::5] - coarse).max() < 1e-7
    sums = [fine[i::5, j::5].sum() for i in range(5) for j in range(5)]
    assert max(sums) - min(sums) < 0.01


def test_the_width_follows_the_wavelength():
    """The core of 18 segments across 6.5 m is about as wide as that of a circle of 6.0 m: 0.064 arcsec in F200W."""
    light = pupil.psf("nrca1", "F200W", oversample=8, size=15)
    row = light[light.shape[0] // 2]
    width = np.count_nonzero(row > row.max() / 2) / 8 * 0.0311
    assert width == pytest.approx(1.03 * 1.99e-6 / 6.2 * 206265, rel=0.08)


def test_the_mask_makes_an_interferogram():
    """Its spectrum has the 21 baselines of seven holes, and nothing between them."""
    light = pupil.psf("nis", "F480M", oversample=1, size=81, mask="NRM", wavelengths=1)
    assert light.max() < 0.2 * pupil.psf("nis", "F480M", oversample=1, size=41).max()
    power = np.abs(np.fft.fft2(light))
    centres = np.array(pupil.non_redundant_mask().centres)
    baselines = (centres[:, None] - centres[None])[np.triu_indices(7, 1)]
    cycles = np.rint(baselines * 81 * np.deg2rad(0.0656 / 3600) / 4.834e-6).astype(int)
    assert power[cycles[:, 1], cycles[:, 0]].min() > 0.05 * power[0, 0]
    assert power[40, 40] < 0.002 * power[0, 0]


def test_a_pupil_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="no non-redundant mask"):
        pupil.psf("nrca1", "F200W", mask="NRM")
    with pytest.raises(UsageError, match="no pupil WLP8"):
        pupil.psf("nrca1", "F200W", mask="WLP8")


def test_phases_move_the_light_of_the_holes():
    """A phase that rises along x moves the star against x."""
    u, v = np.linspace(-0.2, 0.2, 81)[None, :], np.zeros((1, 1))
    centres = np.array([[-1.0, 0.0], [1.0, 0.0]])
    light = np.abs(pupil.interference(u, v, centres, 2 * np.pi * 0.1 * centres[:, 0])) ** 2
    assert u[0, light[0].argmax()] == pytest.approx(0.1)
    loose = pupil.interference(np.broadcast_to(u, (2, 81)), np.zeros((2, 81)), centres, np.zeros(2))
    assert loose[1] == pytest.approx(pupil.interference(u, v, centres)[0])
