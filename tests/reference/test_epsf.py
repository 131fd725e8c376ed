"""The PSF of an epsf reference: slices, jitter, stamps in pixels, the built-in set."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.reference import epsf
from rtools.reference.builtin import Builtin
from rtools.wfi import instrument

pytestmark = pytest.mark.slow


class Fake:
    """An epsf reference in memory."""

    def __init__(self, stamps, **meta):
        self.stamps = stamps
        self.meta = {"oversample": 4, "pixel_x": [0.0], "pixel_y": [0.0]} | meta

    def node(self, path):
        if path.removeprefix("meta.") not in self.meta:
            raise InputError(f"this epsf reference has no {path}")
        return self.meta[path.removeprefix("meta.")]

    def shape(self, name):
        return self.stamps.shape

    def part(self, name, index):
        return self.stamps[index]


def gaussian(xx=1.0, yy=1.0, xy=0.0, n=161):
    """Stamp, Σ = 16, of a Gaussian with these covariances in pixels²."""
    grid = (np.arange(n) - n // 2) / 4
    determinant = xx * yy - xy**2
    y, x = grid[:, None], grid[None, :]
    return np.exp(-0.5 * (yy * x**2 - 2 * xy * x * y + xx * y**2) / determinant) / (2 * np.pi * determinant**0.5)


def field(*stamps, x=(0.0,), y=(0.0,)):
    return epsf.Psf(np.stack(stamps), 4, np.array(x), np.array(y))


def covariance(stamp):
    grid = (np.arange(len(stamp)) - len(stamp) // 2) / 4
    y, x = grid[:, None], grid[None, :]
    return [float((stamp * product).sum() / stamp.sum()) for product in (x * x, x * y, y * y)]


def test_the_stamps_in_focus_of_a_g2v_star_are_used():
    stamps = np.ones((3, 3, 4, 9, 9)) * 16 / 81
    stamps *= 1 + 0.1 * np.arange(9).reshape(3, 3, 1, 1, 1)
    read = epsf.from_reference(Fake(stamps, pixel_x=[0, 9, 0, 9], pixel_y=[0, 0, 9, 9]))
    np.testing.assert_allclose(read.stamps, stamps[0, 1, :1])


def test_positions_are_sorted_into_a_grid():
    places = [(9, 5), (0, 0), (0, 5), (9, 0)]
    stamps = np.stack([gaussian() * (1 + 0.01 * (x + 100 * y)) for x, y in places])[None, None]
    read = epsf.from_reference(Fake(stamps, pixel_x=[p[0] for p in places], pixel_y=[p[1] for p in places]))
    order = [1, 3, 2, 0]
    np.testing.assert_allclose(read.stamps, stamps[0, 0, order])
    np.testing.assert_allclose(read.weights([9.0], [0.0])[0], [0, 1, 0, 0])


def test_jitter_is_exchanged():
    """A Gaussian stays one, with the difference of the covariances; the angle runs from +y toward +x."""
    pixel = (0.11 * 1000) ** 2
    start = field(gaussian(1.0, 1.2, 0.1))
    with_it = epsf.jittered(start, (20.0, 10.0, 90.0), (60.0, 30.0, 30.0))
    sine, cosine = 0.5, np.sqrt(0.75)
    expected = [
        1.0 + (3600 * sine**2 + 900 * cosine**2 - 400) / pixel,
        0.1 + 2700 * sine * cosine / pixel,
        1.2 + (3600 * cosine**2 + 900 * sine**2 - 100) / pixel,
    ]
    np.testing.assert_allclose(covariance(with_it.stamps[0]), expected, atol=1e-4)
    assert with_it.stamps.sum() == pytest.approx(start.stamps.sum())
    gently = epsf.jittered(start, (8.0, 8.0, 0.0), (12.0, 9.0, 30.0))
    back = epsf.jittered(gently, (12.0, 9.0, 30.0), (8.0, 8.0, 0.0))
    assert abs(gently.stamps - start.stamps).max() > 1e-4
    np.testing.assert_allclose(back.stamps, start.stamps, atol=1e-9)


def test_same_jitter_changes_nothing():
    start = field(gaussian())
    assert epsf.jittered(start, (8.0, 8.0, 0.0), (8.0, 8.0, 45.0)) is start


def test_jitter_that_is_not_stated_is_8_mas():
    assert epsf.jitter_of(Fake(gaussian()[None, None, None])) == (8.0, 8.0, 0.0)
    stated = {"jitter_major": 0.0, "jitter_minor": 0.0, "jitter_position_angle": 12.0}
    assert epsf.jitter_of(Fake(gaussian()[None, None, None], **stated)) == (0.0, 0.0, 12.0)
    assert epsf.image_jitter({}) == (8.0, 8.0, 0.0)
    assert epsf.image_jitter({"guide_star": None}) == (8.0, 8.0, 0.0)
    said = {"jitter_major": 11.0, "jitter_minor": None, "jitter_position_angle": "?"}
    assert epsf.image_jitter({"guide_star": said}) == (11.0, 8.0, 0.0)


@pytest.mark.parametrize("said", [{"major": -999999}, {"minor": 2000.0}, {"major": -1.0}, {"position_angle": -999999}])
def test_a_jitter_that_cannot_be_is_told_and_not_taken(said):
    told = []
    guide_star = {"jitter_major": 11.0, "jitter_minor": 9.0} | {f"jitter_{key}": value for key, value in said.items()}
    assert epsf.image_jitter({"guide_star": guide_star}, lambda level, text: told.append((level, text))) == epsf.JITTER
    assert [level for level, _text in told] == ["warning"]


def test_places_that_are_no_grid_are_refused_and_a_missing_oversampling_is_told():
    stamps = np.stack([gaussian()] * 4)[None, None]
    with pytest.raises(InputError, match="no grid"):
        epsf.from_reference(Fake(stamps, pixel_x=[0, 9, 9, 0], pixel_y=[0, 0, 9, 0]))
    told = []
    epsf.from_reference(Fake(stamps[:, :, :1], oversample=None), lambda level, text: told.append(text))
    assert any("oversampling" in text for text in told)
    for said in (-999999, np.nan, 0):
        assert (
            epsf.from_reference(
                Fake(stamps[:, :, :1], oversample=said), lambda level, text: told.append(text)
            ).oversample
            == 4
        )
        assert any(f"oversample is {said!r}" in text for text in told)


def test_native_stamp_is_the_light_of_a_centred_star():
    source = field(gaussian(1.0, 1.0), gaussian(2.0, 2.0), x=(0.0, 100.0))
    stamp = epsf.native_stamp(source, 9, 0.0, 50.0)
    assert stamp.shape == (9, 9)
    np.testing.assert_allclose(stamp, source.stamps[0][64:97:4, 64:97:4], atol=1e-12)
    middle = epsf.native_stamp(source, 9)
    np.testing.assert_allclose(middle, source.stamps.mean(axis=0)[64:97:4, 64:97:4], atol=1e-12)
    assert stamp.sum() == pytest.approx(1, abs=1e-4)
    assert epsf.native_stamp(source, 3, 0.0).sum() == pytest.approx(stamp[3:6, 3:6].sum())


def test_native_stamp_beyond_the_stamp_is_dark():
    stamp = epsf.native_stamp(field(np.full((9, 9), 1.0)), 7)
    assert stamp[0].tolist() == [0.0] * 7
    np.testing.assert_allclose(stamp[2:5, 2:5], 1.0)


@pytest.mark.parametrize("element", list(instrument.FILTERS))
def test_every_filter_has_a_built_in_psf_and_aperture_corrections(element):
    from rtools.catalog.measure import apcorr

    source = Builtin("epsf", "WFI07", element)
    psf = epsf.from_reference(source)
    stamp = epsf.native_stamp(psf, 89)
    assert stamp.sum() == pytest.approx(1, abs=2e-3)
    assert np.unravel_index(stamp.argmax(), stamp.shape) == (44, 44)
    assert epsf.jitter_of(source) == epsf.image_jitter({})
    energy = apcorr.encircled_energy(Builtin("apcorr", "WFI07"), element)
    y, x = np.indices(stamp.shape) - 44
    inside = stamp[np.hypot(x, y) * 0.11 < 1.6].sum()
    assert float(energy(1.6)) == pytest.approx(inside, abs=5e-3)
    assert 0 < energy(0.1) < energy(0.2) < energy(0.4) < 1


def test_a_part_of_the_built_in_reference_is_that_of_the_whole():
    source = Builtin("epsf", "WFI07", "F087")
    whole = source.array("psf")
    for index in ((0, 1), (0, 2, 4), (0,)):
        np.testing.assert_array_equal(source.part("psf", index), whole[index])
    with pytest.raises(IndexError):
        source.part("psf", (1, 1))
