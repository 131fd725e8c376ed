"""What a simulated exposure of JWST looks at: pointing, sources, target, transit, companion, times, truth."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time

from rtools.errors import UsageError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.simulate import scene as sky
from rtools.simulate.jwst import truth
from rtools.simulate.jwst.clock import barycentric, group_table
from rtools.simulate.jwst.exposure import set_up, simulate_ramps
from rtools.simulate.jwst.naming import request_of_jwst
from rtools.wfi.units import AB_ZERO_JY

pytestmark = pytest.mark.slow

NRC = "jw01234001001_02101_00001_nrca1_uncal.fits"
NIS = "jw01234001001_02101_00001_nis_uncal.fits"


def request(name=NRC, **more):
    usual = {"ra": 80.0, "dec": -69.5, "pa": 30.0, "date": "2026-03-01T06:00:00", "part": "SUB160"}
    return request_of_jwst(name, **usual | more)


@pytest.fixture(scope="module")
def field():
    return set_up(request(part="100,200,300,400"), {})


@pytest.fixture(scope="module")
def series():
    return set_up(request(part="SUB64P", transit="0.25,0.3,0.7", nints=20, drift="4,-2"), {})


def test_the_reference_point_is_where_it_was_asked_to_be(field):
    plane, info = field.view.plane, field.view.wcsinfo
    ra, dec = plane.attitude.to_sky(*plane.transform(info["siaf_xref_sci"] - 1, info["siaf_yref_sci"] - 1))
    assert (ra, dec) == pytest.approx((80.0, -69.5), abs=1e-9)
    above = plane.attitude.to_sky(*plane.transform(info["siaf_xref_sci"] - 1, info["siaf_yref_sci"] + 19))
    here, there = SkyCoord(ra, dec, unit="deg"), SkyCoord(*above, unit="deg")
    assert here.position_angle(there).deg == pytest.approx(30, abs=1)
    assert here.separation(there).arcsec == pytest.approx(20 * 0.0313, rel=0.02)


def test_a_window_sees_the_pixels_that_the_full_frame_has_there(field):
    x, y = np.array([0.0, 30.5]), np.array([10.0, 399.0])
    whole = set_up(request(part="FULL", exposure_type="NRC_DARK"), {}).view.plane.transform
    np.testing.assert_allclose(field.view.plane.transform(x, y), whole(x + 99, y + 199), atol=1e-9)


def test_sources_are_those_of_the_scene_whatever_looks(field):
    drawn = sky.draw((80.0, -69.5), 0.01, seed=0)
    seen = field.light.found.stars
    assert len(seen) > 20
    assert set(zip(seen.ra, seen.dec, strict=True)) <= set(zip(drawn.ra, drawn.dec, strict=True))
    other = set_up(request("jw00001001001_02101_00001_nrcblong_uncal.fits", part="1,1,300,300"), {}).light.found.stars
    assert set(other.ra) & set(seen.ra)


def test_brightness_is_surface_brightness_by_photmjsr(field):
    brightness, found = field.planes.brightness, field.light.found
    jansky = AB_ZERO_JY * 10 ** (-0.4 * found.magnitude)
    np.testing.assert_allclose(found.rate * brightness.photmjsr * brightness.pixel_sr, jansky / 1e6, rtol=1e-9)
    assert np.median(field.light.base) * brightness.photmjsr == pytest.approx(brightness.sky, rel=0.02)


def test_light_of_a_star_is_all_there_and_its_image_has_six_spikes():
    asked = set_up(request(part="SUB400P", magnitude=16.0, exposure_type="NRC_TSIMAGE", nints=1), {})
    star = asked.light.image(0) - asked.light.base
    total = asked.light.target.rate / asked.light.target.area
    assert star.sum() == pytest.approx(total, rel=0.03)
    y, x = np.mgrid[:400, :400] - 199.5
    angle, radius = np.rad2deg(np.arctan2(y, x)), np.hypot(x, y)
    ring = (radius > 25) & (radius < 60)
    power = [
        abs(np.sum(star[ring] * radius[ring] ** 3 * np.exp(1j * n * np.deg2rad(angle[ring])))) for n in range(1, 12)
    ]
    assert np.argmax(power) + 1 == 6


def test_a_target_without_magnitude_fills_half_of_the_well(series):
    asked = series.request
    peak = series.light.image(0).max() * asked.integration_time
    assert 0.25 * series.planes.well < peak < 0.6 * series.planes.well


def test_transit_and_drift_are_what_was_asked_for(series):
    columns = truth.light_curve(series)
    middle = (np.arange(20) + 0.5) / 20
    expected = np.where((middle >= 0.3) & (middle < 0.7), 0.75, 1.0)
    np.testing.assert_allclose(columns["relative_flux"][0], expected)
    x, y = columns["x"][0], columns["y"][0]
    assert (x[-1] - x[0], y[-1] - y[0]) == pytest.approx((4 * 0.95, -2 * 0.95))
    light = [(series.light.image(number) - series.light.base).sum() for number in range(20)]
    np.testing.assert_allclose(light / light[0], expected, rtol=2e-3)
    yy, xx = np.mgrid[:64, :64]
    star = series.light.image(19) - series.light.base
    core = star > star.max() / 10
    assert ((star * xx)[core].sum() / star[core].sum(), (star * yy)[core].sum() / star[core].sum()) == pytest.approx(
        (x[-1], y[-1]), abs=0.05
    )


def test_a_companion_stands_where_it_was_asked_to_stand():
    asked = set_up(request(NIS, part="SUB80", pupil="NRM", companion="0.4,120,0.1"), {})
    columns = truth.source_columns(asked)
    two = SkyCoord(columns["ra"][0][:2], columns["dec"][0][:2], unit="deg")
    assert list(columns["type"][0][:2]) == ["target", "companion"]
    assert two[0].separation(two[1]).arcsec == pytest.approx(0.4, rel=1e-4)
    assert two[0].position_angle(two[1]).deg == pytest.approx(120, abs=0.01)
    assert columns["rate"][0][1] == pytest.approx(0.1 * columns["rate"][0][0])
    found = truth.visibilities(asked)
    amplitude, phase = found["visamp"][0], np.deg2rad(found["visphi"][0])
    assert len(amplitude) == 21
    assert np.all((amplitude >= 0.9 / 1.1 - 1e-9) & (amplitude <= 1))
    # |V| and its phase are those of 1 + 0.1 exp(iφ) for some φ.
    assert np.allclose(np.abs(1.1 * amplitude * np.exp(1j * phase) - 1), 0.1)


def test_fringes_of_the_mask_have_the_visibilities_of_the_truth():
    """The Fourier transform of the image at the baseline of two holes: lower with a companion, by the true ratio."""
    single = set_up(request(NIS, part="SUB80", pupil="NRM"), {})
    double = set_up(request(NIS, part="SUB80", pupil="NRM", companion="0.2,40,0.3"), {})
    found = truth.visibilities(double)
    y, x = np.mgrid[:80, :80] - 39.5
    wave = 4.834e-6
    turn = 2 * np.pi * np.deg2rad(0.0656 / 3600) / wave

    def fringe(scene):
        image = scene.light.image(0) - scene.light.base
        phases = [turn * (bx * x + by * y) for bx, by in zip(found["x"][0], found["y"][0], strict=True)]
        return np.array([np.sum(image * np.exp(-1j * phase)) for phase in phases]) / image.sum()

    ratio = fringe(double) / fringe(single)
    np.testing.assert_allclose(np.abs(ratio), found["visamp"][0], atol=0.04)
    turned = np.angle(ratio * np.exp(-1j * np.deg2rad(found["visphi"][0])))
    assert np.abs(turned).max() < 0.06


def test_times_are_those_of_the_read_out(series):
    asked, rows = series.request, series.int_times
    assert request(part="FULL").frame_time == pytest.approx(10.73676)
    assert (asked.frame_time, asked.integration_time) == pytest.approx((0.05016, 0.5016))
    start = Time("2026-03-01T06:00:00").mjd
    every = (asked.integration_time + asked.frame_time) / 86400
    np.testing.assert_allclose(rows["int_start_MJD_UTC"], start + every * np.arange(20), atol=1e-10)
    np.testing.assert_allclose(rows["int_end_MJD_UTC"] - rows["int_start_MJD_UTC"], 0.5016 / 86400, atol=1e-10)
    groups = group_table(asked, series.clock, series.view)
    assert len(groups) == asked.groups * 20
    assert groups["group_end_time"][-1].decode() == Time(rows["int_end_MJD_UTC"][-1], format="mjd").isot[:19] + \
        Time(rows["int_end_MJD_UTC"][-1], format="mjd", precision=6).isot[19:]  # fmt: skip


def test_barycentric_times_are_within_three_seconds_of_the_earths():
    """The telescope is 1.5 million km from the Earth, which light crosses in 5 s; along the line of sight in less."""
    asked = set_up(request(exposure_type="NRC_DARK"), {})
    utc = Time(asked.clock.middle, format="mjd", scale="utc", location=("0d", "0d"))
    star = SkyCoord(80.0, -69.5, unit="deg")
    expected = (utc.tdb + utc.light_travel_time(star, ephemeris="builtin")).mjd
    found = barycentric(np.array([asked.clock.middle]), asked.view)[0]
    assert abs(found - expected) * 86400 < 3
    assert abs(found - utc.mjd) * 86400 > 20


def test_the_truth_is_what_an_average_of_many_ramps_gives():
    """Bias, dark and light by hand: slopes of unflagged ramps differ from the truth by their noise alone."""
    from rtools.reference.jwst.nominal import nominal_reference
    from rtools.simulate.jwst.planes import NEEDED

    asked = request(part="SUB160", readpatt="SHALLOW4", ngroups=8, nints=8, magnitude=19.0, exposure_type="NRC_TSIMAGE")
    references = {kind: nominal_reference(kind, "nrca1", "F200W", part=asked.part) for kind in NEEDED}
    scene = set_up(asked, references)
    raw = simulate_ramps(scene)
    pulls = _pulls(scene, raw, references)
    assert len(pulls) > 180000
    assert abs(pulls.mean()) < 0.02
    assert abs(pulls.std() - 1) < 0.05
    assert np.abs(pulls).max() < 6


def _pulls(scene, raw, references):
    """(slope - truth)/error of clean pixels, by an unweighted fit with its exact variance."""
    asked, detector = scene.request, scene.planes.detector
    above = raw.data.astype(float) - references["superbias"].arrays["SCI"]
    flags = references["mask"].arrays["DQ"]
    border = (flags & PIXEL_FLAGS["REFERENCE_PIXEL"]) != 0
    for parity in (0, 1):
        own = np.arange(160) % 2 == parity
        level = above[..., border & own].mean(axis=-1)
        above[..., own] -= level[..., None, None]
    charge = np.zeros(above.shape)
    for coefficient in references["linearity"].arrays["COEFFS"][::-1]:
        charge = charge * above + coefficient
    dark = references["dark"].arrays["SCI"]
    times = np.array([list(asked.pattern.frames(group)) for group in range(asked.groups)]) + 1
    charge -= (dark[1] - dark[0]) * times.mean(axis=1)[:, None, None]
    weight = times.mean(axis=1) - times.mean()
    weight /= (weight @ times.mean(axis=1)) * asked.frame_time
    slope = np.einsum("g,igyx->iyx", weight, charge)
    each = np.repeat(weight / asked.pattern.nframes, asked.pattern.nframes)
    shared = np.minimum.outer(times.ravel(), times.ravel()) * asked.frame_time
    light = (scene.truth(0) + scene.planes.dark / detector.gain) / detector.gain * (each @ shared @ each)
    variance = light + np.sum(each**2) * (detector.noise**2 + 1 / 12)
    struck = np.zeros(raw.data[:, 0].shape, bool)
    for y, x in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
        rows, columns = np.clip(raw.hits["y"] + y, 0, 159), np.clip(raw.hits["x"] + x, 0, 159)
        struck[raw.hits["integration"], rows, columns] = True
    clean = (flags == 0) & ~struck & (raw.data[:, -1] < 50000)
    return ((slope - scene.truth(0)) / np.sqrt(variance))[clean]


def test_variances_of_images_are_the_scatter_of_their_noise():
    from rtools.simulate.jwst.images import simulate_image

    asked = request("jw01234001001_02101_00001_nrca1_calints.fits", part="SUB160", nints=3, magnitude=18.0,
                    exposure_type="NRC_TSIMAGE")  # fmt: skip
    scene = set_up(asked, {})
    image = simulate_image(scene).arrays
    true = scene.truth(0) * scene.planes.brightness.photmjsr
    good = image["DQ"][0] == 0
    pulls = ((image["SCI"] - true) / image["ERR"])[:, good]
    assert good.sum() > 20000
    assert abs(pulls.mean()) < 0.02
    assert abs(pulls.std() - 1) < 0.02
    assert np.all(np.isnan(image["SCI"][:, :4]))
    assert np.all((image["DQ"][:, :4] & PIXEL_FLAGS["DO_NOT_USE"]) != 0)


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("jw01234001001_02101_00001_mirimage_uncal.fits", {}, "not simulated"),
        ("jw01234001001_02101_00001_nrs1_uncal.fits", {}, "no aperture for images"),
        ("jw01234001001_02101_00001_nrca1_x1d.fits", {}, "not a product that is simulated"),
        ("jw01234001001_02101_00001-seg001_nrca1_uncal.fits", {}, "segments"),
        ("jw01234-o001_t001_nircam_f200w_i2d.fits", {}, "not a product that is simulated"),
        (NRC, {"filter_": "F444W"}, "no filter F444W"),
        (NRC, {"part": "SUB80"}, "no sub-array SUB80"),
        (NRC, {"part": "2000,1,64,64"}, "do not lie on"),
        (NRC, {"part": "1,1,64"}, "4 numbers expected"),
        (NRC, {"readpatt": "NIS"}, "no read pattern"),
        (NRC, {"pupil": "NRM"}, "the pupil NRM is NIRISS's"),
        (NRC, {"exposure_type": "NIS_AMI"}, "--exp-type NIS_AMI"),
        (NRC, {"transit": "0.1,0.5"}, "3 numbers expected"),
        (NRC, {"transit": "1.5,0.2,0.5"}, "a depth between 0 and 1"),
        (NRC, {"companion": "0,10,0.1"}, "a separation above 0"),
        (NRC, {"ngroups": 0}, "--ngroups 0"),
        (NRC, {"nints": 70000}, "--nints 70000"),
        (NRC, {"date": "yesterday"}, "yesterday"),
        (NIS, {"pupil": "CLEAR", "filter_": "F480M"}, "pupil CLEAR does not go with"),
        (NRC, {"exposure_type": "NRC_DARK", "transit": "0.1,0.2,0.5"}, "no target"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(name, settings, said):
    with pytest.raises(UsageError) as error:
        request(name, **{"part": None} | settings)
    assert said in str(error.value)


def test_what_is_about_a_target_brings_one():
    assert not request().target
    asked = [
        request(drift="1,0"),
        request(magnitude=17.0),
        request(companion="1,0,0.5"),
        request(exposure_type="NRC_CORON"),
    ]
    assert all(one.target for one in asked)
    assert (asked[0].exposure_type, asked[0].integrations) == ("NRC_TSIMAGE", 10)


def test_filters_are_in_the_wheels_in_which_the_telescope_has_them():
    assert request(NIS, part=None, filter_="f200w").pupil_wheel == "F200W"
    assert request(NIS, part=None, filter_="F480M").pupil_wheel == "CLEARP"
    masked = request(NIS, part=None, exposure_type="NIS_AMI")
    assert (masked.filter_wheel, masked.pupil_wheel, masked.part.name) == ("F480M", "NRM", "SUB80")
    long = request("jw01234001001_02101_00001_nrcalong_uncal.fits")
    assert (long.filter_wheel, long.pupil_wheel) == ("F444W", "CLEAR")
