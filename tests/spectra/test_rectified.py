"""Frames of rectified spectra: there and back, extents, wavelengths, the gwcs of them."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.spectra.rectified import SlitCoordinates, slit_frame

ROWS, COLUMNS = 60, 20


def coordinates(ra=10.0, dec=20.0, angle=30.0, shift=0.0, curve=0.0, tilt=0.3):
    """A slit along x of 0.1 arcsec a pixel, wavelength along y."""
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(float)
    step = (x - 9.5 + shift) * 0.1 / 3600
    turn = np.deg2rad(angle)
    wavelength = 5 + 0.02 * (y + tilt * (x - 9.5)) + curve * y**2
    return SlitCoordinates(ra + step * np.cos(turn) / np.cos(np.deg2rad(dec)), dec + step * np.sin(turn), wavelength)


@pytest.mark.parametrize("angle", [0, 30, 90, 135, 270])
@pytest.mark.parametrize("falling", [False, True])
def test_pixels_come_back_in_every_direction_of_the_slit(angle, falling):
    given = coordinates(angle=angle, curve=1e-5)
    frame = slit_frame([given], 2, falling=falling)
    assert frame.shape == (ROWS, COLUMNS)
    x, y = frame.to_pixel(*given)
    wanted = np.mgrid[:ROWS, :COLUMNS].astype(float)
    np.testing.assert_allclose(x, wanted[1], atol=2e-3)
    line = wanted[0] + 0.3 * (wanted[1] - 9.5)
    np.testing.assert_allclose(y, ROWS - 1 - line if falling else line, atol=0.2)
    back = frame.to_pixel(*frame.to_world(x, y))
    np.testing.assert_allclose(back[0], x, atol=1e-6)
    np.testing.assert_allclose(back[1], y, atol=1e-9)


def test_wavelength_may_run_along_rows():
    turned = SlitCoordinates(*(part.T for part in coordinates()))
    frame = slit_frame([turned], 1)
    assert frame.shape == (COLUMNS, ROWS)
    _x, y = frame.to_pixel(*turned)
    np.testing.assert_allclose(y, np.mgrid[:COLUMNS, :ROWS][0], atol=1e-3)


def test_a_frame_of_several_exposures_holds_them_all():
    frame = slit_frame([coordinates(), coordinates(shift=7.4), coordinates(shift=-3.0)], 2)
    assert frame.shape == (ROWS, COLUMNS + 10)
    for shift in (0, 7.4, -3.0):
        x, _y = frame.to_pixel(*coordinates(shift=shift))
        assert x.min() > -0.5
        assert x.max() < frame.shape[1] - 0.5
    longer = coordinates()._replace(wavelength=coordinates().wavelength + 0.1)
    assert slit_frame([coordinates(), longer], 2).shape == (ROWS + 5, COLUMNS)


def test_a_slit_across_the_meridian_of_zero():
    frame = slit_frame([coordinates(ra=0.0)], 2)
    assert frame.shape == (ROWS, COLUMNS)
    assert min(frame.tangent[0], 360 - frame.tangent[0]) < 1e-4


def test_pixels_beside_the_slit_do_not_count():
    given = coordinates()
    for part in given:
        part[:, :4] = np.nan
        part[:6] = np.nan
    frame = slit_frame([given], 2)
    assert frame.shape == (ROWS - 6, COLUMNS - 4)
    with pytest.raises(InputError):
        slit_frame([SlitCoordinates(*(np.full_like(part, np.nan) for part in given))], 2)


@pytest.mark.parametrize("falling", [False, True])
def test_its_gwcs_says_the_same(falling):
    frame = slit_frame([coordinates(angle=70, curve=1e-5)], 2, falling=falling)
    wcs = frame.wcs()
    x, y = np.array([0.0, 3.3, 19.0]), np.array([0.2, 30.7, 59.0])
    np.testing.assert_allclose(wcs(x, y), frame.to_world(x, y), rtol=1e-12)
    np.testing.assert_allclose(wcs.invert(*wcs(x, y)), [x, y], atol=1e-6)
