"""The nominal PSF: normalised, as sharp as measured, in the reference file's layout."""

import numpy as np
import pytest

from rtools.reference import nominal, psf
from rtools.wfi import instrument
from rtools.wfi.distortion import pixel_side

pytestmark = pytest.mark.slow

CENTRE = psf.STAMP // 2


@pytest.mark.parametrize("element", ["F062", "F158", "F213"])
def test_peak_pixel_before_capacitance_is_the_measured_one(element):
    stamp = psf.stamp(element, capacitance=False)
    assert stamp[CENTRE, CENTRE] == pytest.approx(instrument.FILTERS[element].peak_pixel, abs=5e-4)
    assert np.unravel_index(stamp.argmax(), stamp.shape) == (CENTRE, CENTRE)


@pytest.mark.parametrize(("element", "peak"), [("F062", 0.66), ("F106", 0.51), ("F158", 0.33), ("F213", 0.21)])
def test_bare_pupil_is_sharper_by_what_is_known(element, peak):
    bare = psf.stamp(element, capacitance=False, widened=False)
    assert bare[CENTRE, CENTRE] == pytest.approx(peak, abs=0.006)


def test_bare_pupil_has_the_airy_pattern_of_an_annulus():
    """Pupil autocorrelation against the transform of the closed-form intensity, at one wavelength."""
    from scipy.special import j1

    ratio = instrument.OBSCURATION
    v = np.linspace(1e-6, 400, 200001)
    amplitude = (2 * j1(v) / v - ratio**2 * 2 * j1(ratio * v) / (ratio * v)) / (1 - ratio**2)
    shifts = np.array([0.1, 0.5, 1.0, 1.5])
    from scipy.special import j0

    # In these units the pupil's outer radius is 1 and the intensity is a function of v.
    transform = [np.trapezoid(v * amplitude**2 * j0(v * shift), v) for shift in (0.0, *shifts)]
    expected = np.array(transform[1:]) / transform[0]
    np.testing.assert_allclose(psf._pupil_overlap(shifts), expected, atol=3e-3)


@pytest.mark.parametrize("phase", [(0, 0), (2, 2), (1, 3)])
def test_a_star_anywhere_in_its_pixel_has_all_its_light(phase):
    stamp = psf.stamp("F106")
    assert stamp.sum() == pytest.approx(psf.OVERSAMPLE**2)
    native = stamp[phase[0] :: psf.OVERSAMPLE, phase[1] :: psf.OVERSAMPLE]
    assert native.sum() == pytest.approx(1, abs=2e-4)


def test_capacitance_is_applied_once_and_conserves_light():
    from scipy.ndimage import convolve

    without, with_it = psf.stamp("F129", capacitance=False), psf.stamp("F129")
    kernel = np.zeros((9, 9))
    kernel[::4, ::4] = np.array(nominal.IPC) / nominal.IPC_SUM
    expected = convolve(without, kernel, mode="nearest")
    np.testing.assert_allclose(with_it[9:-9, 9:-9], expected[9:-9, 9:-9], atol=2e-6)


def test_the_epsf_has_the_layout_of_the_archive():
    array, meta = psf.epsf("WFI02", "F184")
    assert array.shape == (1, 3, 9, 361, 361)
    assert array.dtype == np.float32
    assert meta["spectral_type"].index("G2V") == 1
    assert len(meta["pixel_x"]) == len(meta["pixel_y"]) == 9
    assert sorted(set(meta["pixel_x"])) == [0.0, 2043.5, 4087.0]
    np.testing.assert_allclose(array.sum(axis=(-1, -2), dtype=float), 16, rtol=1e-5)
    blue, red = array[0, 0, 4, CENTRE, CENTRE], array[0, 2, 4, CENTRE, CENTRE]
    assert blue >= red


def test_spectral_elements_get_a_cross_section():
    np.testing.assert_array_equal(psf.epsf("WFI02", "GRISM")[0], psf.epsf("WFI02", "F158")[0])


def test_encircled_energy_agrees_with_the_stamp():
    stamp = psf.stamp("F158")
    y, x = np.indices(stamp.shape) - CENTRE
    radius = 1.0
    inside = stamp[np.hypot(x, y) * 0.11 / 4 <= radius].sum() / 16
    assert psf.encircled_energy("F158", [0.5, radius])[1] == pytest.approx(inside, abs=2e-3)


def test_a_star_has_one_shape_on_the_sky_on_all_detectors():
    """Smaller pixels: the same light is wider in pixels. Second moments within 5 pixels, less the pixel's own."""
    sides, widths = [], []
    y, x = np.indices((psf.STAMP, psf.STAMP)) - CENTRE
    for detector in ("WFI01", "WFI09"):
        side = pixel_side(detector)
        light = psf.stamps(detector, "F158", 1)[4] * (np.hypot(x, y) * side / 4 < 0.5)
        widths.append(side / 4 * np.sqrt((light * x**2).sum() / light.sum()))
        sides.append(side)
    assert sides[0] / sides[1] > 1.025
    assert widths[0] / widths[1] == pytest.approx(1, abs=0.006)  # the pixel itself is part of the width
