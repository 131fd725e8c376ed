"""The PSF of a mosaic, encircled energy, and what is more extended than a star."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from rtools.catalog.measure import apcorr
from rtools.catalog.psf import mosaic as psf_mosaic
from rtools.reference import epsf
from rtools.reference.builtin import Builtin


@pytest.fixture(scope="module")
def nominal():
    return epsf.from_reference(Builtin("epsf", "WFI02", "F158"))


def moments(stamp, oversample):
    """Light, and second moments about the middle in pixels² of the inner stamp."""
    n = len(stamp)
    y, x = (np.indices(stamp.shape) - n // 2) / oversample
    return [float((stamp * part).sum() / stamp.sum()) for part in (x * x, x * y, y * y)]


@pytest.mark.parametrize(("scale", "size"), [(0.11, 81), (0.055, 163), (0.08, 113)])
def test_stamp_of_a_mosaic_keeps_light_and_samples_its_pixels(nominal, scale, size):
    made = psf_mosaic.mosaic_psf(nominal, scale)
    assert made.stamps.shape == (1, size, size)
    assert made.oversample == 4
    wide = epsf.samples(nominal, 81, 4, 2044, 2044)
    # What boxes spread over the stamp's edge is lost.
    assert made.stamps.sum() == pytest.approx(wide.sum(), rel=2e-3)
    assert np.unravel_index(made.stamps.argmax(), made.stamps.shape) == (0, size // 2, size // 2)


@pytest.fixture(scope="module")
def oval():
    """A Gaussian of 0.7 pixels along y and 1.1 along x."""
    grid = (np.arange(161) - 80) / 4
    stamp = np.exp(-0.5 * (grid[:, None] ** 2 / 0.7**2 + grid[None, :] ** 2 / 1.1**2)) / (2 * np.pi * 0.77)
    return epsf.Psf(stamp[None], 4, np.zeros(1), np.zeros(1))


@pytest.mark.parametrize(
    ("scale", "pixfrac", "known"),
    [
        (0.055, 1.0, (0.043758837, 0.037801509, 0.01821563)),
        (0.055, 0.75, (0.046774246, 0.039926059, 0.018251453)),
        (0.11, 1.0, (0.16267685, 0.09546049, 0.0077730919)),
    ],
)
def test_equal_to_the_peer(oval, scale, pixfrac, known):
    """Samples of the stamp that romancal 1.1.0 makes: the middle, one pixel beside it, seven samples off diagonally."""
    stamp = psf_mosaic.mosaic_psf(oval, scale, pixfrac).stamps[0]
    c = len(stamp) // 2
    np.testing.assert_allclose((stamp[c, c], stamp[c, c + 4], stamp[c + 7, c + 7]), known, rtol=1e-6)
    assert stamp.sum() == pytest.approx(16, rel=1e-6)


def test_resampling_widens_by_the_boxes(oval):
    """Second moments add: those of the boxes, taken over all orientations."""
    for scale, pixfrac in ((0.055, 1.0), (0.055, 0.5), (0.11, 0.75)):
        ratio = scale / 0.11
        boxes = [psf_mosaic._box(width) for width in (4 * pixfrac, 4 * ratio)]
        added = sum(np.average((np.arange(box.size) - box.size // 2) ** 2, weights=box) for box in boxes) / 16
        expected = (0.7**2 + 1.1**2) / 2 + added
        xx, xy, yy = moments(psf_mosaic.mosaic_psf(oval, scale, pixfrac).stamps[0], 4)
        # The transform is interpolated linearly between its samples, which widens by a few per cent.
        assert expected < xx * ratio**2 < 1.04 * expected
        assert (yy, xy) == pytest.approx((xx, 0), abs=1e-6)


@pytest.mark.parametrize(
    ("width", "taps"),
    [(1, [1]), (2, [0.25, 0.5, 0.25]), (3, [1 / 3] * 3), (4, [0.125, 0.25, 0.25, 0.25, 0.125]), (0.5, [1])],
)
def test_box_covers_shares_of_samples(width, taps):
    np.testing.assert_allclose(psf_mosaic._box(width), taps)
    assert psf_mosaic._box(2.9).sum() == pytest.approx(1)


def test_the_mosaic_psf_is_round(oval):
    made = psf_mosaic.mosaic_psf(oval, 0.11).stamps[0]
    np.testing.assert_allclose(made, made.T, atol=1e-9 * made.max())
    np.testing.assert_allclose(made, made[::-1], atol=1e-9 * made.max())


def test_mosaic_psf_depends_on_place_and_pixfrac(nominal):
    sharp = psf_mosaic.mosaic_psf(nominal, 0.055, 0.5).stamps.max()
    assert sharp > psf_mosaic.mosaic_psf(nominal, 0.055, 1.0).stamps.max()
    blurred = np.stack([gaussian_filter(nominal.stamps[0], 3)] * 3 + [nominal.stamps[0]])
    edge = epsf.Psf(blurred, 4, np.array([0.0, 4087.0]), np.array([0.0, 4087.0]))
    assert psf_mosaic.mosaic_psf(edge, 0.055, 0.5).stamps.max() < 0.8 * sharp


class Table:
    """An apcorr reference in memory."""

    def __init__(self, **entries):
        self.entries = entries

    def node(self, path):
        return self.entries[path.removeprefix("data.")]


def test_encircled_energy_is_a_cubic_through_the_table():
    radii = np.arange(1, 41) * 0.05
    fractions = 1 - np.exp(-radii / 0.3)
    energy = apcorr.encircled_energy(Table(F158={"ee_radii": radii, "ee_fractions": fractions}), "F158")
    np.testing.assert_allclose(energy(radii), fractions, atol=1e-12)
    assert float(energy(0.43)) == pytest.approx(1 - np.exp(-0.43 / 0.3), abs=1e-5)
    assert np.isnan(energy([0.01, 2.1])).all()  # beyond the table
    odd = {"ee_radii": [*radii, -999999, 1.99], "ee_fractions": [*fractions, 0.5, -999999]}  # nobody filled them in
    again = apcorr.encircled_energy(Table(F158=odd), "F158")
    np.testing.assert_allclose(again(radii), fractions, atol=1e-12)


@pytest.mark.parametrize(
    "source",
    [None, Table(), Table(F158=None), Table(F158={"ee_radii": None, "ee_fractions": None}),
     Table(F158={"ee_radii": [0.1], "ee_fractions": [0.5]})],
)  # fmt: skip
def test_without_a_table_there_is_no_energy_and_nothing_is_extended(source):
    energy = apcorr.encircled_energy(source, "F158")
    assert energy is None
    assert apcorr.is_extended(np.ones(2), np.full(2, 9.0), energy).tolist() == [False, False]


def test_extended_is_more_than_a_fifth_above_a_star():
    def energy(radius):
        return radius

    flux02 = np.array([1.0, 1.0, np.nan, 1.0, -1.0])
    flux04 = np.array([2.39, 2.41, 9.0, np.nan, -2.0])
    assert apcorr.is_extended(flux02, flux04, energy).tolist() == [False, True, False, False, True]
    assert apcorr.is_extended(flux02, flux04, energy).dtype == bool
