"""Rendering: fluxes, positions, shapes, the PSF of the catalog, traces."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from rtools.errors import InputError
from rtools.reference import epsf
from rtools.reference.builtin import Builtin
from rtools.simulate import render, spectra
from rtools.work import Work


@pytest.fixture(scope="module")
def nominal():
    return epsf.from_reference(Builtin("epsf", "WFI01", "F158"))


def gaussian_psf(sigma=1.0, stamps=1):
    grid = (np.arange(161) - 80) / 4
    one = np.exp(-0.5 * (grid[:, None] ** 2 + grid[None, :] ** 2) / sigma**2) / (2 * np.pi * sigma**2)
    return epsf.Psf(np.stack([one] * stamps), 4, np.array([0.0]), np.array([0.0]))


def moments(image):
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    total = image.sum(dtype=float)
    cx, cy = (image * x).sum() / total, (image * y).sum() / total
    return cx, cy, (image * (x - cx) ** 2).sum() / total, (image * (y - cy) ** 2).sum() / total


def test_a_star_has_its_flux_and_place(nominal):
    image = np.zeros((200, 200), np.float32)
    render.add_stars(image, nominal, [99.3], [101.8], [5000.0])
    assert image.sum() == pytest.approx(5000, rel=2e-4)
    assert np.unravel_index(image.argmax(), image.shape) == (102, 99)
    cx, cy, *_ = moments(image[87:117, 84:115])
    assert (cx + 84, cy + 87) == pytest.approx((99.3, 101.8), abs=0.02)


def test_a_star_is_the_spline_of_the_stamp(nominal):
    image = np.zeros((60, 60), np.float32)
    render.add_stars(image, nominal, [30.37], [28.61], [1e6])
    y, x = np.mgrid[:60, :60]
    places = [4 * (y - 28.61) + 180, 4 * (x - 30.37) + 180]
    expected = 1e6 * map_coordinates(nominal.stamps[0], places, order=3, mode="mirror")
    np.testing.assert_allclose(image, expected, rtol=1e-5, atol=1e-3)


def test_capacitance_is_in_the_stamps_once(nominal):
    """The nominal ePSF's centred peak is that of the tables, 0.291, lowered by the capacitance to about 0.274."""
    image = np.zeros((41, 41), np.float32)
    render.add_stars(image, nominal, [20.0], [20.0], [1.0])
    assert image.max() == pytest.approx(nominal.stamps[0, 180, 180], rel=1e-5)
    assert 0.262 < image.max() < 0.285


def test_faint_wings_are_left_out_and_bright_ones_are_not(nominal):
    image = np.zeros((200, 200), np.float32)
    render.add_stars(image, nominal, [100.0], [100.0], [1.0])
    assert 0.97 < image.sum() < 1
    assert np.count_nonzero(image) < 50**2
    assert image[image == 0].size
    outside = nominal.envelope[np.abs(np.argwhere(image)[:, 0] - 100).max() + 1]
    assert outside < render.FAINTEST


def test_stars_over_the_edge_are_cut(nominal):
    image, wide = np.zeros((64, 64), np.float32), np.zeros((164, 164), np.float32)
    x, y = np.array([-3.2, 63.4, 30.0, -200.0]), np.array([10.0, 66.1, -0.4, 5.0])
    render.add_stars(image, nominal, x, y, np.full(4, 1e4))
    render.add_stars(wide, nominal, x + 50, y + 50, np.full(4, 1e4))
    np.testing.assert_allclose(image, wide[50:114, 50:114], atol=1e-3)


def test_psf_changes_over_the_field():
    """Bilinear between the four stamps around, clamped at the rim."""
    narrow, broad = gaussian_psf(0.8).stamps[0], gaussian_psf(1.6).stamps[0]
    field = epsf.Psf(np.stack([narrow, broad, narrow, broad]), 4, np.array([0.0, 100.0]), np.array([0.0, 100.0]))
    weights = field.weights([25.0, -10.0, 500.0], [50.0, 0.0, 100.0])
    np.testing.assert_allclose(weights, [[0.375, 0.125, 0.375, 0.125], [1, 0, 0, 0], [0, 0, 0, 1]])
    image = np.zeros((101, 101), np.float32)
    render.add_stars(image, field, [25.0], [50.0], [1.0])
    assert image.max() == pytest.approx(0.75 * narrow.max() + 0.25 * broad.max(), rel=1e-4)
    assert field.distinct is field
    assert len(epsf.Psf(np.stack([narrow] * 4), 4, field.x, field.y).distinct.stamps) == 1


class FakeEpsf:
    """An epsf reference in memory."""

    def __init__(self, stamps, **meta):
        self.stamps = stamps
        self.meta = {"oversample": 4, "pixel_x": [0.0], "pixel_y": [0.0]} | meta

    def node(self, path):
        return self.meta[path.removeprefix("meta.")]

    def shape(self, name):
        return self.stamps.shape

    def part(self, name, index):
        return self.stamps[index]


def test_optical_stamps_are_integrated_over_the_pixel():
    stamp = gaussian_psf(1.0).stamps[0]
    stamp /= stamp.sum()
    read = epsf.from_reference(FakeEpsf(stamp[None, None, None].repeat(2, axis=1)))
    assert read.stamps.sum() == pytest.approx(16, rel=1e-4)
    ready = epsf.from_reference(FakeEpsf(16 * stamp[None, None, None].repeat(2, axis=1)))
    assert read.peak < 0.95 * ready.peak


def test_one_spectral_type_is_used_with_a_warning():
    said = []
    epsf.from_reference(FakeEpsf(16 * gaussian_psf().stamps[None, None]), lambda level, text: said.append(level))
    assert said == ["warning"]
    with pytest.raises(InputError, match="grid"):
        epsf.from_reference(FakeEpsf(np.ones((1, 2, 3, 9, 9)), pixel_x=[0, 1, 1], pixel_y=[0, 0, 1]))


def add_galaxy(image, shape, x, y, *, sersic=1.0, radius=5.0, axis_ratio=1.0, angle=0.0, jacobian=None):
    jacobian = np.eye(2)[None] if jacobian is None else jacobian
    values = (np.array([float(value)]) for value in (radius, axis_ratio, angle))
    matrix = render.shape_matrices(*values, jacobian)
    places = np.array([float(x)]), np.array([float(y)])
    render.add_galaxies(image, shape, *places, np.ones(1), sersic=np.array([float(sersic)]), shapes=matrix)


def test_galaxies_keep_their_flux_and_place(nominal):
    for sersic in (1.0, 4.0):
        image = np.zeros((300, 300), np.float32)
        add_galaxy(image, nominal, 150.4, 148.7, sersic=sersic)
        assert image.sum() == pytest.approx(1, rel=1e-4)
        cx, cy, *_ = moments(image[109:189, 110:191])
        assert (cx + 110, cy + 109) == pytest.approx((150.4, 148.7), abs=0.05)


@pytest.mark.parametrize("sersic", [1.0, 4.0])
def test_half_the_light_is_inside_the_half_light_radius(sersic):
    image = np.zeros((601, 601), np.float32)
    add_galaxy(image, gaussian_psf(0.4), 300, 300, sersic=sersic, radius=20.0)
    y, x = np.mgrid[:601, :601] - 300
    inside = image[np.hypot(x, y) <= 20].sum()
    # The profile of index 4 is cut at 8 half-light radii, beyond which the full one has 8 % of its light.
    assert inside == pytest.approx(0.5, abs=0.01 if sersic == 1 else 0.06)


def test_disk_profile_is_exponential():
    image = np.zeros((401, 401), np.float32)
    add_galaxy(image, gaussian_psf(0.5), 200, 200, radius=20.0)
    line = np.log(image[200, 220:300])
    np.testing.assert_allclose(np.diff(line), -1.6783469900 / 20, rtol=0.02)


def test_a_tiny_galaxy_is_a_star(nominal):
    stars, galaxies = np.zeros((2, 64, 64), np.float32)
    render.add_stars(stars, nominal, [31.3], [30.8], [1.0])
    add_galaxy(galaxies, nominal, 31.3, 30.8, radius=1e-4)
    assert np.abs(stars - galaxies).max() < 2e-4 * stars.max() + 1e-4


def test_axis_ratio_and_angle():
    """East of north: with x to the west and y to the north, 90 degrees is along x."""
    sky = np.array([[[-1.0, 0.0], [0.0, 1.0]]])
    for angle in (0.0, 90.0):
        image = np.zeros((400, 400), np.float32)
        add_galaxy(image, gaussian_psf(0.5), 200, 200, radius=12.0, axis_ratio=0.5, angle=angle, jacobian=sky)
        _cx, _cy, xx, yy = moments(image)
        long, short = (xx, yy) if angle else (yy, xx)
        assert np.sqrt((short - 0.25) / (long - 0.25)) == pytest.approx(0.5, rel=0.03)
    image = np.zeros((400, 400), np.float32)
    add_galaxy(image, gaussian_psf(0.5), 200, 200, radius=12.0, axis_ratio=0.3, angle=45.0, jacobian=sky)
    assert image[215, 185] > 3 * image[215, 215]


def test_undersampled_psf_is_not_aliased():
    """Galaxies whose PSF is sharper than a pixel: the sum over all phases of a pixel's place is the same."""
    sharp = epsf.from_reference(Builtin("epsf", "WFI01", "F062"))
    assert render._oversample(sharp) >= 3
    star, galaxy = np.zeros((2, 64, 64), np.float32)
    render.add_stars(star, sharp, [32.37], [31.55], [1.0])
    add_galaxy(galaxy, sharp, 32.37, 31.55, radius=1e-4)
    assert np.abs(star - galaxy).max() < 3e-3 * star.max()


def test_galaxies_do_not_depend_on_threads(nominal):

    rng = np.random.default_rng(3)
    n = 700
    x, y, flux = rng.uniform(0, 300, (3, n))
    shapes = np.stack([rng.uniform(0.5, 9, n), rng.uniform(-0.2, 0.2, n), rng.uniform(0.5, 9, n)], -1)
    sersic = rng.choice([1.0, 4.0], n)
    images = np.zeros((2, 300, 300), np.float32)
    render.add_galaxies(images[0], nominal, x, y, flux, sersic=sersic, shapes=shapes)
    with Work(3) as work:
        render.add_galaxies(images[1], nominal, x, y, flux, sersic=sersic, shapes=shapes, work=work)
    assert np.array_equal(images[0], images[1])


def test_sersic_transform_is_the_hankel_transform():
    """Index 4 at low frequency against the second moment's expansion is monotonic and starts at 1."""
    table = render.sersic_table(4.0)
    assert table[0] == 1
    assert np.all(np.diff(table[:-1]) < 1e-9)
    s = np.array([0.05, 0.2, 1.0])
    place = s / (1 + s) * (render.TABLE - 1)
    from scipy.integrate import quad
    from scipy.special import gammaincinv, j0

    b = gammaincinv(8, 0.5)

    def light(r):
        fade = np.clip((8 - r) / 2, 0, 1)
        return np.exp(-b * r**0.25) * fade**2 * (3 - 2 * fade) * r

    whole = quad(light, 0, 8, limit=400)[0]
    exact = [quad(lambda r, s=s: light(r) * j0(2 * np.pi * s * r), 0, 8, limit=800)[0] / whole for s in s]
    np.testing.assert_allclose(np.interp(place, np.arange(render.TABLE), table), exact, rtol=2e-3)


def test_traces_have_their_rates_and_cross_sections(nominal):
    offset, _wavelength, _width = spectra.dispersion("PRISM")
    image = np.zeros((500, 300), np.float32)
    rates = np.stack([np.linspace(1, 2, len(offset)), np.full(len(offset), 3.0)])
    shapes = np.zeros((2, 3))
    shapes[1] = [16.0, 0.0, 16.0]
    kinds = {"sersic": np.array([0.0, 1.0]), "shapes": shapes}
    render.add_spectra(image, nominal, [80.3, 200.0], [250.0, 250.0], rates=rates, offset=offset, **kinds)
    rows = 250 + offset
    np.testing.assert_allclose(image[rows, :140].sum(axis=1), rates[0], rtol=1e-3)
    np.testing.assert_allclose(image[rows, 140:].sum(axis=1), 3.0, rtol=1e-3)
    x = np.arange(140)
    centre = (image[250, :140] * x).sum() / image[250, :140].sum()
    assert centre == pytest.approx(80.3, abs=0.05)
    assert image[250, 200] < 0.6 * 3 * image[250, 80] / rates[0, -offset[0]]
    assert not image[: rows[0]].any()
    assert not image[rows[-1] + 1 :].any()
