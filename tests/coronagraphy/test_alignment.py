"""Alignment of reference stars: the mission's numbers in double precision, accuracy, errors and flags."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.coronagraphy.alignment import Shift, fit_shift, fit_shifts, moved_back
from rtools.coronagraphy.repair import repaired
from rtools.coronagraphy.shifting import ImageTransform, shifted, transform_of
from tests.support.coronagraphs import ring, star

SHAPE = (61, 61)


@pytest.fixture(scope="module")
def golden(jwst_golden):
    """The first image of the target and all references without bad pixels, the mask, and the shifts of the peer."""
    folder = jwst_golden("coron")

    def planes(name, which=slice(None)):
        with fits.open(folder / name) as hdus:
            return repaired(hdus["SCI"].data[which], hdus["DQ"].data[which] & 1 != 0)

    mask = fits.getdata(folder / "ref_psfmask.fits", "SCI").astype(float)
    shifts = {kind: Table.read(folder / f"out_shifts_{kind}.ecsv") for kind in ("f4", "f8")}
    return planes("in_target_calints.fits", 0), planes("out_psfstack.fits"), mask, shifts, folder


def told(shifts):
    return np.array([one[:3] for one in shifts])


def of_table(table):
    return np.array([list(row) for row in table])


def test_shifts_are_those_of_the_mission_in_double_precision(golden):
    """Without the mirror images it is the mission's own function, and ends where that ends."""
    target, references, mask, shifts, _folder = golden
    plain = transform_of(target, mirrored=False)
    found = told([fit_shift(one, plain, mask) for one in references])
    np.testing.assert_allclose(found, of_table(shifts["f8"]), atol=1e-6)
    np.testing.assert_allclose(told(fit_shifts(target, references, mask)), of_table(shifts["f8"]), atol=5e-5)


def test_moved_images_are_those_of_the_mission(golden):
    _target, references, _mask, shifts, folder = golden
    wanted = fits.getdata(folder / "out_psfalign_f8.fits", "SCI")
    for number, (dx, dy, _beta) in enumerate(of_table(shifts["f8"])):
        found = shifted(references[number], -dx, -dy, mirrored=False)
        assert np.median(np.abs(found - wanted[number])) < 1e-3  # of 1300
        assert np.abs(found - wanted[number]).max() < 0.2  # the mission makes 0 of bad pixels at two edges


def test_references_are_aligned_where_the_peer_leaves_them(golden):
    """In single precision the peer's fit ends where it begins, a third of a pixel and more away."""
    target, references, mask, shifts, _folder = golden
    truth = np.array([[0.4 * k - 0.3, 0.25 - 0.3 * k] for k in (0, 0, 0, 1, 1, 1, 2, 2, 2)])
    assert np.abs(of_table(shifts["f4"])[:, :2] - truth).max() > 0.3
    assert np.abs(told(fit_shifts(target, references, mask))[:, :2] - truth).max() < 0.015  # halos differ by themselves


def test_shifts_are_found_to_5_thousandths_of_a_pixel():
    """With the noise of ten million photons, from one tenth of a pixel to three pixels."""
    rng = np.random.default_rng(4)
    shifts = np.concatenate([rng.uniform(-0.6, 0.6, (12, 2)), [(3.3, -2.2), (-1.4, 2.9)]])
    scales = rng.uniform(0.5, 1.5, len(shifts))

    def seen(x, y, scale):
        image = 1e7 * scale * star(SHAPE, x, y)
        return image + rng.normal(size=SHAPE) * np.sqrt(np.clip(image, 0, None) + 4)

    target = seen(30, 30, 1)
    references = np.array([seen(30 + x, 30 + y, scale) for (x, y), scale in zip(shifts, scales, strict=True)])
    found = told(fit_shifts(target, references, ring(SHAPE, 3, 25)))
    assert np.abs(found[:, :2] - shifts).max() < 0.005
    np.testing.assert_allclose(found[:, 2], scales, rtol=0.01)


def test_images_far_apart_are_aligned_too():
    """From (0, 0) alone the fit ends in a side lobe."""
    target, moved = star(SHAPE, 27, 30), star(SHAPE, 34.3, 24.8)
    found = fit_shift(moved, transform_of(target), np.ones(SHAPE))
    assert np.hypot(found.dx - 7.3, found.dy + 5.2) < 0.005


def test_an_error_is_never_negative():
    """A variance that is shifted in the Fourier plane swings below 0 beside a pixel with a large one."""
    variance = np.full(SHAPE, 1e-4)
    variance[20, 20] = 100.0
    shift = Shift(0.5, 0.25, 1.0, 0.0)
    assert shifted(variance, -shift.dx, -shift.dy).min() < 0
    moved = moved_back(np.zeros(SHAPE), np.sqrt(variance), np.zeros(SHAPE, np.uint32), shift)
    assert moved.err.min() > 0
    assert moved.err.max() <= 10
    assert np.hypot(*(np.array(np.unravel_index(moved.err.argmax(), SHAPE)) - 20)) < 1.5


def test_errors_of_a_smooth_image_go_with_it():
    err = np.sqrt(1 + 1e3 * star(SHAPE, 30, 30))
    moved = moved_back(np.zeros(SHAPE), err, np.zeros(SHAPE, np.uint32), Shift(0.4, -0.3, 1.0, 0.0))
    wanted = np.sqrt(1 + 1e3 * star(SHAPE, 29.6, 30.3))
    assert np.abs(moved.err - wanted).max() < 0.15 * wanted.max()
    assert np.median(np.abs(moved.err / wanted - 1)) < 0.01


def test_flags_are_those_of_the_nearest_pixel():
    flags = np.zeros(SHAPE, np.uint32)
    flags[10, 20], flags[0, 0] = 5, 9
    moved = moved_back(np.zeros(SHAPE), np.ones(SHAPE), flags, Shift(1.4, -0.7, 1.0, 0.0), outside=513).dq
    assert moved[11, 19] == 5
    assert (moved == 513).sum() == 2 * 61 - 1  # the first row and the last column come from beyond the edge
    assert (moved[0, :-1] == 513).all()
    assert (moved[:, -1] == 513).all() or moved[1, -1] == 513


def test_bad_pixels_of_references_may_be_left_out_of_the_fit():
    """What is put in their place is wrong where the star is steep, and pulls the fit."""
    rng = np.random.default_rng(2)
    target, whole = 1e5 * star(SHAPE, 30, 30), 1e5 * star(SHAPE, 30.3, 29.8)
    bad = rng.random(SHAPE) < 0.03
    mended, transform, weight = repaired(whole, bad), transform_of(target), ring(SHAPE, 1, 25)
    kept, left = (fit_shift(mended, transform, one) for one in (weight, weight * ~bad))
    off = [np.hypot(one.dx - 0.3, one.dy + 0.2) for one in (kept, left)]
    assert 3 * off[1] < off[0]


def test_a_reference_of_which_no_pixel_counts_is_not_moved():
    image = star((41, 41), 20, 20)
    found = fit_shift(image, transform_of(image), np.zeros((41, 41)))
    assert (found.dx, found.dy) == (0, 0)
    assert np.isnan(found.beta)


def test_a_shift_out_of_the_image_leaves_no_good_pixel():
    """Where nothing alike is found a fit may end anywhere."""
    image, flags = np.ones((11, 11)), np.zeros((11, 11), np.uint32)
    for far in (1e30, -1e30, 50.0):
        moved = moved_back(image, image, flags, Shift(far, 0.0, 1.0, 0.0), outside=1)
        assert (moved.dq == 1).all()


def test_noise_in_the_slopes_of_the_target_does_not_slow_the_fit_down(monkeypatch):
    """It ended after its 60 steps, each nearly as long as the last: the normal matrix is larger than it should be."""
    y, x = np.indices((120, 120)) - 60.2
    star, rng, count = 300 * np.exp(-(x**2 + y**2) / 18), np.random.default_rng(3), []
    target, reference = (star + rng.normal(0, 6, star.shape) for _ in range(2))
    counted = ImageTransform.moved

    def moved(self, *by):
        count.append(by)
        return counted(self, *by)

    monkeypatch.setattr(ImageTransform, "moved", moved)
    found = fit_shift(shifted(reference, 0.4, -0.2), transform_of(target), np.ones(star.shape))
    assert len(count) < 15
    np.testing.assert_allclose(found[:2], (0.4, -0.2), atol=0.05)
