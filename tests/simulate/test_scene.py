"""The sky and where it falls: sources by position, colours, pointing, aberration."""

import numpy as np
import pytest

from rtools.astrometry.wcs import Pointing, build_wcs
from rtools.simulate import assumed, pointing, scene, spectra
from rtools.simulate.pointing import Attitude
from rtools.wfi import instrument
from rtools.wfi.distortion import distortion

RADIUS = 0.03


def wcsinfo(ra=270.0, dec=66.0, roll=60.0):
    v2, v3 = instrument.WFI_CEN
    return {"v2_ref": v2, "v3_ref": v3, "ra_ref": ra, "dec_ref": dec, "roll_ref": roll}


def test_overlapping_fields_have_the_same_sources():
    first = scene.draw((150.0, 2.0), RADIUS, seed=4)
    second = scene.draw((150.02, 2.01), RADIUS, seed=4)
    known = {(ra, dec): m for ra, dec, m in zip(first.ra, first.dec, first.magnitude, strict=True)}
    near = np.hypot(second.ra - 150.0, second.dec - 2.0) < RADIUS * 0.8
    assert near.sum() > 500
    for ra, dec, magnitude in zip(second.ra[near], second.dec[near], second.magnitude[near], strict=True):
        assert known[ra, dec] == magnitude


def test_scene_seed_changes_the_sky():
    first, second = (scene.draw((10.0, -30.0), RADIUS, seed=seed) for seed in (1, 2))
    assert not set(first.ra) & set(second.ra)


@pytest.mark.parametrize("centre", [(0.0, 0.0), (359.99, -89.9), (83.0, 42.0)])
def test_density_and_limits(centre):
    stars = scene.draw(centre, 0.15, seed=0)
    distance = pointing_distance(stars.ra, stars.dec, centre)
    inside = stars.take(distance < 0.15)
    area = np.pi * 0.15**2
    for numbers, members in (
        (assumed.STARS, inside.sersic == 0),
        (assumed.GALAXIES, inside.sersic > 0),
    ):
        expected = numbers["per_deg2"] * area
        assert abs(members.sum() - expected) < 5 * np.sqrt(expected)
        magnitudes = inside.magnitude[members]
        assert magnitudes.min() >= numbers["bright"]
        assert magnitudes.max() <= numbers["faint"]
        fainter = np.mean(magnitudes > numbers["faint"] - 1)
        scale = 10 ** (numbers["slope"] * np.array([numbers["bright"], numbers["faint"] - 1, numbers["faint"]]))
        assert abs(fainter - (scale[2] - scale[1]) / (scale[2] - scale[0])) < 0.03


def pointing_distance(ra, dec, centre):
    ra, dec, ra0, dec0 = (np.deg2rad(value) for value in (ra, dec, *centre))
    cosine = np.sin(dec) * np.sin(dec0) + np.cos(dec) * np.cos(dec0) * np.cos(ra - ra0)
    return np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


def test_crowded_fields_hold_stars_only():
    stars = scene.draw((270.0, -30.0), RADIUS, seed=0, crowded=30000)
    assert not stars.sersic.any()
    inside = pointing_distance(stars.ra, stars.dec, (270.0, -30.0)) < RADIUS
    expected = 30000 * np.pi * RADIUS**2 / scene.DETECTOR_DEG2
    assert abs(inside.sum() - expected) < 5 * np.sqrt(expected)
    assert len(scene.draw((270.0, -30.0), RADIUS, seed=0, crowded=0)) == 0


def test_half_light_radii_follow_magnitude():
    stars = scene.draw((200.0, 10.0), 0.1, seed=0)
    galaxies = stars.take((stars.sersic > 0) & (np.abs(stars.magnitude - 26.5) < 0.3))
    assert np.median(galaxies.radius) == pytest.approx(0.35 * 10 ** (-0.08 * 4.5), rel=0.05)
    assert np.std(np.log10(galaxies.radius)) == pytest.approx(0.25, rel=0.08)
    assert np.mean(galaxies.sersic == 1) == pytest.approx(0.7, abs=0.04)


def flat_source(temperature=np.nan, slope=0.0):
    one = np.array([1.0])
    return scene.Sources(one, one, one * 20, 0 * one, 0 * one, one, one, one * temperature, one * slope)


def test_colours_follow_from_temperature_and_slope():
    for element in instrument.FILTERS:
        assert spectra.in_band(flat_source(), element)[0] == pytest.approx(20, abs=1e-9)
    assert spectra.in_band(flat_source(temperature=3000.0), "F062")[0] > 21.5
    assert spectra.in_band(flat_source(temperature=10000.0), "F062")[0] < 19.3
    # f_ν ∝ ν^-1: 2.5 log10 of the ratio of wavelengths
    expected = 20 - 2.5 * np.log10(1.0618 / 1.58)
    assert spectra.in_band(flat_source(slope=1.0), "F106")[0] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("element", ["GRISM", "PRISM"])
def test_trace_of_a_flat_spectrum(element):
    offset, wavelength, width = spectra.dispersion(element)
    assert np.all(np.diff(wavelength) > 0)
    assert np.interp(0, offset, wavelength) == pytest.approx(spectra.CENTRE_UM[element], abs=1e-3)
    np.testing.assert_allclose(np.gradient(wavelength), width, rtol=0.02)
    rate = spectra.trace_rate(np.ones((1, len(offset))) * 10**-8, element, wavelength, width).sum()
    table, area = (np.array(part) for part in instrument.effective_area(element))
    expected = 3.631e-31 / 6.626e-34 * np.trapezoid(area / table, table)
    assert rate == pytest.approx(expected, rel=1e-2)


def test_imaging_rate_by_effective_area_agrees_with_the_zero_point():
    """The same formula over a filter's band gives 1 electron/s at its AB zero point."""
    table, area = (np.array(part) for part in instrument.effective_area("F158"))
    rate = (
        3.631e-23 / 6.626e-34 * np.trapezoid(area / table, table) * 10 ** (-0.4 * instrument.zero_point(None, "F158"))
    )
    assert rate == pytest.approx(1, rel=0.03)


def test_attitude_is_that_of_romancal():
    attitude = Attitude({"v2_ref": -503, "v3_ref": -318, "ra_ref": 156, "dec_ref": 54.2, "roll_ref": 33.15})
    assert attitude.to_sky(-480, -300) == pytest.approx((156.01381867239806, 54.20069176781194), abs=1e-11)
    assert attitude.to_v23(*attitude.to_sky(-480, -300)) == pytest.approx((-480, -300), abs=1e-8)


@pytest.mark.parametrize("scale", [1.0, 1.0000612])
@pytest.mark.parametrize("detector", ["WFI01", "WFI18"])
def test_sources_fall_where_the_chain_s_wcs_puts_them(detector, scale):
    info = wcsinfo(roll=123.0)
    transform = distortion(detector)
    attitude = Attitude(info, scale)
    x, y = np.array([0.0, 2043.5, 4087.0, 12.3]), np.array([4087.0, 2043.5, 0.0, 3210.7])
    ra, dec = attitude.to_sky(*transform(x, y))
    chain = Pointing(*(info[key] for key in ("v2_ref", "v3_ref", "ra_ref", "dec_ref", "roll_ref")))
    wcs_ra, wcs_dec = build_wcs(transform, chain, scale, (4088, 4088))(x, y)
    np.testing.assert_allclose(ra, wcs_ra, atol=1e-10)
    np.testing.assert_allclose(dec, wcs_dec, atol=1e-10)
    found = pointing.locate(ra, dec, attitude, transform)
    np.testing.assert_allclose(found, (x, y), atol=1e-6)


def test_locate_without_an_inverse():
    from rtools.wfi.distortion import distortion

    transform = distortion("WFI07")
    attitude = Attitude(wcsinfo())
    x, y = np.array([100.0, 4000.0]), np.array([3000.0, 50.0])
    ra, dec = attitude.to_sky(*transform(x, y))
    found = pointing.locate(ra, dec, attitude, lambda x, y: transform(x, y))
    np.testing.assert_allclose(found, (x, y), atol=1e-5)
    assert all(len(value) == 0 for value in pointing.locate(np.zeros(0), np.zeros(0), attitude, transform))


def test_jacobian_is_a_rotation_times_the_pixel_scale():
    transform = distortion("WFI01")
    attitude = Attitude(wcsinfo())
    ra, dec = attitude.to_sky(*transform(np.array([2043.5]), np.array([2043.5])))
    local = pointing.jacobian(ra, dec, attitude, transform)[0]
    area = instrument.detector("WFI01")["pixel_area_arcsec2"]
    assert abs(abs(np.linalg.det(local)) * area - 1) < 0.01
    moved = pointing.locate(ra, dec + 0.1 / 3600, attitude, transform)
    np.testing.assert_allclose(local @ [0, 0.1], np.ravel(moved) - 2043.5, atol=2e-4)


def test_boresight_of_an_untilted_attitude():
    attitude = Attitude({"v2_ref": 0, "v3_ref": 0, "ra_ref": 30, "dec_ref": 40, "roll_ref": 75})
    assert attitude.boresight() == pytest.approx((30, 40, 75), abs=1e-10)


def test_positions_are_shifted_by_the_velocity():
    scale, ra, dec = pointing.aberration_scale(359, -2, (100, 100, 100))
    assert scale == pytest.approx(1.000316017905845, rel=1e-14)
    assert (ra, dec) == pytest.approx((359.01945099823, -1.980247580394956), abs=1e-10)
    assert pointing.aberration_scale(10, 20, (0, 0, 0)) == pytest.approx((1, 10, 20))


def test_ephemeris_is_that_of_a_body_beyond_the_earth():
    position, velocity = pointing.ephemeris(61314.0)
    assert np.linalg.norm(position) / 149597870.7 == pytest.approx(1.01, abs=0.03)
    assert np.linalg.norm(velocity) == pytest.approx(30, abs=1)
    before, after = (pointing.ephemeris(61314.0 + hours / 24)[0] for hours in (-0.5, 0.5))
    np.testing.assert_allclose((after - before) / 3600, velocity, rtol=1e-4)
