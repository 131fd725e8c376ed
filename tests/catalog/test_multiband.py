"""The multiband catalog from planes: detection image, PSF matching, per-band values, injected sources."""

import numpy as np
import pytest
from scipy import ndimage, signal

from rtools.catalog.detect.smooth import gaussian_kernel
from rtools.catalog.measure import daofind
from rtools.catalog.measure import sky as sky_places
from rtools.catalog.multiband import injection
from rtools.catalog.multiband.detection import Band, detection_image, read_noise
from rtools.catalog.multiband.multiband import multiband_catalog, reference_of
from rtools.catalog.psf import match as psf_match
from rtools.catalog.source_catalog import ImagePlanes
from rtools.catalog.steps.multiband import STEP
from rtools.errors import InputError
from rtools.pipeline.catalog.injection import _Injecting
from rtools.reference.epsf import Psf, samples
from rtools.wfi.instrument import zero_point
from rtools.work import Work
from tests.support import bands as case

pytestmark = pytest.mark.slow

OPTIONS = STEP.defaults() | {"kernel_fwhms": [2.0]}
RADII = (0.1, 0.2, 0.4, 0.8)


@pytest.fixture(scope="module")
def psfs():
    return {element: case.psf_of(element) for element in case.NOISE}


@pytest.fixture(scope="module")
def sky():
    return case.stars()


@pytest.fixture(scope="module")
def images(sky):
    return {element: case.image(element, sky) for element in case.NOISE}


def band(element, arrays, psf=None, **more):
    """A band of arrays in memory, which nobody may change."""
    used = {name: arrays[name] for name in ("weight", "var_poisson")}
    planes = ImagePlanes(arrays["data"], arrays["err"], case.grid(arrays["data"].shape).wcs(), **used)
    for plane in arrays.values():
        plane.flags.writeable = False
    return Band(element, lambda: planes, lambda _planes: arrays["var_rnoise"], lambda: psf, **more)


def copied(arrays):
    return {name: plane.copy() for name, plane in arrays.items()}


@pytest.fixture(scope="module")
def bands(images, psfs):
    return [band(element, images[element], psfs[element]) for element in images]


@pytest.fixture(scope="module")
def found(bands):
    return multiband_catalog(bands, OPTIONS | {"psf_match": "F158"})


def rows(found, sky, within=0.2):
    """Row of each star."""
    away = np.hypot(found.values["x_centroid"][:, None] - sky[0], found.values["y_centroid"][:, None] - sky[1])
    assert away.min(axis=0).max() < within
    return away.argmin(axis=0)


# --- PSF matching -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one, other", [("F106", "F158"), ("F158", "F184"), ("F106", "F184")])
def test_a_matched_star_is_a_star_of_the_other_band(psfs, one, other):
    kernel = psf_match.matching_kernel(psfs[one], psfs[other])
    assert kernel.shape[0] == kernel.shape[1] and kernel.shape[0] % 2 == 1
    stars = [samples(psfs[element], 81, 1) for element in (one, other)]
    made = signal.fftconvolve(stars[0], kernel, mode="same")
    distance = np.hypot(*np.mgrid[-40:41, -40:41])
    for radius in RADII:
        circle = np.clip(radius / case.SCALE + 0.5 - distance, 0, 1)
        assert (made * circle).sum() == pytest.approx((stars[1] * circle).sum(), rel=1e-3)
    light = psfs[other].stamps.sum() / psfs[one].stamps.sum()
    assert kernel.sum() == pytest.approx(light, rel=1e-4)


def test_psfs_sampled_differently_are_refused(psfs):
    other = Psf(psfs["F158"].stamps, 3, np.zeros(1), np.zeros(1))
    with pytest.raises(InputError, match="sampled differently"):
        psf_match.matching_kernel(psfs["F106"], other)


def test_convolution_is_that_of_scipy_and_tiles_leave_no_seam(monkeypatch):
    rng = np.random.default_rng(1)
    data, kernel = rng.standard_normal((90, 131)).astype(np.float32), rng.uniform(0, 1, (9, 9))
    expected = signal.convolve2d(data, kernel, mode="same")
    mask = np.zeros(data.shape, bool)
    assert np.allclose(psf_match.convolve(data, mask, kernel), expected, rtol=0, atol=1e-5)
    monkeypatch.setattr(psf_match, "TILE", 32)
    one, two = (psf_match.convolve(data, mask, kernel, work=Work(threads)) for threads in (1, 2))
    assert np.allclose(one, expected, rtol=0, atol=1e-5)
    assert one.tobytes() == two.tobytes()


def test_masked_pixels_are_interpolated_and_stay_masked():
    data = np.full((60, 60), 7, np.float32)
    mask = np.zeros(data.shape, bool)
    mask[30, 20:24] = True
    data[mask] = 1e6
    data[10, 40] = np.nan
    kernel = gaussian_kernel(3.0) * 0.98
    made = psf_match.convolve(data, mask, kernel)
    assert np.array_equal(np.isnan(made), mask)
    assert np.allclose(made[8:-8, 8:-8][~mask[8:-8, 8:-8]], 7 * 0.98, rtol=1e-5)


def test_noise_of_sums_over_a_convolved_image(psfs):
    kernel = psf_match.matching_kernel(psfs["F106"], psfs["F158"])
    noise = np.random.default_rng(2).standard_normal((700, 700)).astype(np.float32)
    made = psf_match.convolve(noise, np.zeros(noise.shape, bool), kernel)
    distance = np.hypot(*np.mgrid[-16:17, -16:17])
    for radius in (1.82, 3.64, 7.27):
        circle = np.clip(radius + 0.5 - distance, 0, 1)
        sums = [signal.fftconvolve(image, circle, mode="valid").std() for image in (made, noise)]
        assert psf_match.noise_factor(kernel, np.array([radius]))[0] == pytest.approx(sums[0] / sums[1], rel=0.03)
    pixel, wide, nothing = psf_match.noise_factor(kernel, np.array([0, np.inf, np.nan]))
    assert pixel == pytest.approx(np.sqrt((kernel**2).sum()), rel=1e-3)
    assert wide == pytest.approx(kernel.sum(), rel=0.03)
    assert np.isnan(nothing)


# --- detection --------------------------------------------------------------------------------------------------------


def test_detection_image_is_the_signal_to_noise_ratio_of_all_bands():
    rng = np.random.default_rng(5)
    shape, made = (120, 140), []
    for element, sigma in (("F106", 0.5), ("F184", 2.0)):
        arrays = {name: np.full(shape, value, np.float32) for name, value in
                  (("err", sigma), ("weight", 1), ("var_poisson", 0), ("var_rnoise", sigma**2))}  # fmt: skip
        arrays["data"] = rng.normal(0, sigma, shape).astype(np.float32)
        made.append((element, arrays))
    kernel = gaussian_kernel(2.0)
    found = detection_image([band(*made[0], sed_weight=2.0), band(*made[1])], [2.0], 1000)
    signal_sum, variance = np.zeros(shape), np.zeros(shape)
    for (_element, arrays), weight in zip(made, (2.0, 1.0), strict=True):
        noise = float(arrays["var_rnoise"][0, 0])
        data = arrays["data"] - np.median(arrays["data"])
        signal_sum += ndimage.convolve(weight / noise * data, kernel, mode="constant")
        variance += ndimage.convolve(np.full(shape, weight**2 / noise), kernel**2, mode="constant")
    assert np.allclose(found.image, signal_sum / np.sqrt(variance), atol=0.05)  # the background is clipped
    assert found.image[10:-10, 10:-10].std() == pytest.approx(1, abs=0.1)
    both = detection_image([band(*made[0]), band(*made[1])], [2.0, 4.0], 1000).image
    each = [detection_image([band(*made[0]), band(*made[1])], [width], 1000).image for width in (2.0, 4.0)]
    assert np.array_equal(both, np.maximum(*each))


def test_where_one_band_is_missing_the_other_speaks(images, psfs, sky):
    half = copied(images["F106"])
    half["data"][:, :165] = np.nan
    half["err"][:, :165] = np.nan
    half["weight"][:, :165] = 0
    found = multiband_catalog([band("F106", half, psfs["F106"]), band("F158", images["F158"], psfs["F158"])], OPTIONS)
    row = rows(found, sky, within=0.5)  # one star is cut
    values = {name: column[row] for name, column in found.values.items()}
    gone = sky[0] < 150
    assert gone.sum() > 5
    for name in ("aper04_f106_flux", "kron_f106_flux", "psf_f106_flux", "segment_f106_flux", "aper04_f106m_flux"):
        assert np.isnan(values[name][gone]).all(), name
        assert np.isfinite(values[name][sky[0] > 180]).all(), name
    assert not values["is_extended_f106"][gone].any()
    assert np.isfinite(values["kron_f158_flux"]).all()
    assert not values["warning_flags"].any()  # some band has weight everywhere


def test_read_noise_is_what_the_other_variances_leave():
    err = np.array([2.0, 1.0, np.nan], np.float32)
    left = read_noise(err, [np.array([1.0, 3.0, 1.0]), np.array([0.5, 0, 0])])
    assert np.array_equal(left, np.array([2.5, 1.0, np.nan], np.float32), equal_nan=True)


# --- catalog ----------------------------------------------------------------------------------------------------------


def test_columns_of_three_bands(found):
    names = [name for name, *_rest in found.columns]
    assert len(names) == 174 and set(names) == set(found.values)
    assert names[:2] == ["label", "flagged_spatial_id"] and names[-1] == "kron_f184m_flux_err"
    assert not [name for name in names if "f158m" in name]
    first = {token: next(i for i, name in enumerate(names) if f"_{token}" in name.replace("psf_", ""))
             for token in ("f106_", "f106m", "f158_", "f184_", "f184m")}  # fmt: skip
    assert sorted(first.values()) == list(first.values())
    assert found.bands == ("F158", "F106", "F184")
    assert list(found.about["ee_fractions"]) == [] and found.about["psf_match_reference_filter"] == "f158"


def test_every_star_has_its_flux_in_every_band(found, sky):
    row = rows(found, sky)
    assert len(found.values["label"]) == len(sky[0])
    for element in ("f106", "f158", "f184"):
        pull = (found.values[f"psf_{element}_flux"][row] - sky[2]) / found.values[f"psf_{element}_flux_err"][row]
        assert np.abs(pull.mean()) < 0.7 and 0.6 < pull.std() < 1.4
        assert np.median(found.values[f"psf_gof_{element}"]) == pytest.approx(1, abs=0.2)
    assert np.array_equal(found.labels > 0, np.isin(found.labels, found.values["label"]))


def test_matched_fluxes_are_those_of_the_reference(found, sky):
    """Stars of flat spectra have the same flux in every aperture, whatever the band."""
    row = rows(found, sky)
    for element in ("f106", "f184"):
        for name in ("aper01", "aper02", "aper04", "segment", "kron"):
            matched, reference, plain = (
                found.values[f"{name}_{token}_flux"][row] for token in (f"{element}m", "f158", element)
            )
            assert np.median(matched / reference) == pytest.approx(1, abs=0.006), (name, element)
            errors = [found.values[f"{name}_{token}_flux_err"][row] for token in (f"{element}m", "f158")]
            assert 0.5 < np.std((matched - reference) / np.hypot(*errors)) < 1.5
            if name == "aper01":
                assert abs(np.median(plain / reference) - 1) > 0.1
        wide = found.values[f"aper16_{element}m_flux"][row] / found.values[f"aper16_{element}_flux"][row]
        assert np.median(wide) == pytest.approx(1, abs=0.015)


def test_half_light_radius_is_of_the_band(found):
    radii = [np.median(found.values[f"fluxfrac_radius_50_{token}"]) for token in ("f106", "f158", "f184")]
    assert radii[0] < 0.95 * radii[1] < 0.95**2 * radii[2]


def test_pointedness_is_measured_with_the_narrowest_kernel(bands, monkeypatch):
    used = set()
    monkeypatch.setattr(daofind, "statistics", lambda data, centres, fwhm, **more: used.add(fwhm) or centres)
    multiband_catalog(bands, OPTIONS | {"kernel_fwhms": [4.0, 3.0], "fit_psf": False})
    assert used == {3.0}


def test_threads_change_nothing(bands, found):
    again = multiband_catalog(bands, OPTIONS | {"psf_match": "F158"}, work=Work(2))
    assert all(again.values[name].tobytes() == column.tobytes() for name, column in found.values.items())
    assert again.detection_image.tobytes() == found.detection_image.tobytes()


def test_the_reference_is_the_reddest_unless_named(bands):
    assert reference_of(bands).name == "F184"
    assert reference_of(bands, "f106").name == "F106"
    with pytest.raises(InputError, match="F213"):
        reference_of(bands, "F213")


def test_without_psf_there_are_neither_psf_nor_matched_columns(images):
    said = []
    bands = [band(element, images[element]) for element in ("F106", "F158")]
    found = multiband_catalog(bands, OPTIONS, work=Work(log=lambda level, text: said.append(text)))
    names = [name for name, *_rest in found.columns]
    assert not [name for name in names if "psf" in name or "m_flux" in name]
    assert set(names) == set(found.values)
    assert any("no PSF" in text for text in said)


def test_without_psf_fit_bands_are_matched_all_the_same(bands):
    found = multiband_catalog(bands[:2], OPTIONS | {"fit_psf": False})
    names = [name for name, *_rest in found.columns]
    assert not [name for name in names if "psf" in name]
    assert "aper02_f106m_flux" in names and set(names) == set(found.values)


def test_nothing_to_be_found(images, psfs):
    empty = copied(images["F158"])
    empty["data"][:] = np.random.default_rng(3).normal(0, 0.01, case.SHAPE)
    found = multiband_catalog([band("F158", empty, psfs["F158"])], OPTIONS)
    assert len(found.values) == len(found.columns) and not any(len(column) for column in found.values.values())
    assert not found.labels.any()


def test_a_band_without_pixels_is_left_out(images, psfs, sky):
    dark, said = copied(images["F184"]), []
    dark["data"][:] = np.nan
    bands = [band("F184", dark, psfs["F184"]), band("F106", images["F106"], psfs["F106"])]
    found = multiband_catalog(bands, OPTIONS, work=Work(log=lambda level, text: said.append((level, text))))
    assert found.bands == ("F106",) and not [name for name, *_rest in found.columns if "f184" in name]
    assert len(rows(found, sky)) == len(sky[0])
    assert ("warning", "multiband: no pixel of F184 can be used; it is left out") in said
    with pytest.raises(InputError, match="no pixel of the reference filter F184 can be used"):
        multiband_catalog(bands, OPTIONS | {"psf_match": "F184"})
    nothing = multiband_catalog(bands[:1], OPTIONS)
    assert len(nothing.columns) == len(nothing.values) and not nothing.labels.any()


# --- injection --------------------------------------------------------------------------------------------------------


def test_the_grid_of_injected_sources():
    usable = np.ones((900, 1500), bool)
    usable[:, 1000:] = False
    x, y = injection.source_grid(usable, np.random.default_rng(1))
    assert 200 < len(x) < 400 and x.max() < 1000
    assert x.min() >= injection.MARGIN - injection.JITTER and y.max() < 900
    assert len(np.unique(x)) * len(np.unique(y)) == len(x)
    x, y = injection.source_grid(np.ones((300, 200), bool), np.random.default_rng(1))
    assert x.max() < 200 < y.max() < 300
    assert np.diff(np.unique(x)).min() > 30


def test_what_is_injected():
    rng = np.random.default_rng(2)
    n = 4000
    drawn = injection.draw(np.arange(n), np.arange(n), {"F106": 3600.0, "F184": 900.0}, rng)
    assert drawn.star.sum() == n / 4
    star, wide = drawn.star, ~drawn.star
    assert np.array_equal(drawn.magnitude["F106"][star], drawn.magnitude["F184"][star])
    assert drawn.magnitude["F106"][star].min() == pytest.approx(27.60 - 4, abs=0.05)
    assert drawn.magnitude["F106"][star].max() == pytest.approx(27.60 + 1, abs=0.05)
    assert (drawn.magnitude["F184"] <= drawn.magnitude["F106"])[wide].all()
    limit = 25.95 + 1.25 * np.log10(0.25)
    assert drawn.magnitude["F184"][wide].max() == pytest.approx(limit + 1, abs=0.05)
    assert drawn.radius[wide].min() >= 0.036 and not drawn.radius[star].any()
    assert drawn.sersic[wide].min() >= 0.75 and drawn.sersic[wide].max() <= 4.5


def test_injected_light_is_the_flux_and_has_the_noise_of_its_photons(psfs):
    shape, time, before = (140, 240), 300.0, np.float32(1e-5)
    wcs, zeros = case.grid(shape).wcs(), np.zeros(shape, np.float32)
    x, y, flux = np.array([70.0, 170.0]), np.array([70.0, 70.0]), np.array([50e3, 40e3])
    star = np.array([True, False])
    sources = injection.Injected(x, y, star, np.array([0, 1.0]), np.array([0, 0.15]), np.array([1, 0.7]),
                                 np.array([0, 30.0]), {"F158": 31.4 - 2.5 * np.log10(flux)})  # fmt: skip
    plain = ImagePlanes(zeros, zeros + np.float32(0.01), wcs, var_poisson=zeros + before)
    empty = Band("F158", lambda: plain, None, lambda: psfs["F158"])
    slopes = np.moveaxis(sky_places.jacobian(wcs, x, y), 2, 0)
    planes = _Injecting(empty, sources, slopes, time, 1)()
    photons = time * 10 ** (0.4 * (zero_point(None, "F158") - 31.4))  # per nJy
    for half, total in zip((slice(0, 120), slice(120, None)), flux, strict=True):
        assert planes.data[:, half].sum() * case.NJY == pytest.approx(total, rel=0.03)
    added = planes.var_poisson.astype(float) - before
    assert added.sum() * case.NJY**2 == pytest.approx(flux.sum() / photons, rel=0.03)
    assert planes.err.astype(float) ** 2 == pytest.approx(0.01**2 + added, rel=1e-5)
    lit = added > 1e-7
    pull = (planes.data - added * photons * case.NJY)[lit] / np.sqrt(added[lit])
    assert lit.sum() > 1000 and abs(pull.mean()) < 0.1 and pull.std() == pytest.approx(1, abs=0.06)
    assert not plain.data.any()


def test_which_are_recovered():
    injected = np.array([10.0, 10.01, 10.02]), np.array([60.0, 60.0, 60.0]), np.array([0.0, 0.3, 0.0])
    arcsec = 1 / 3600
    found = (
        np.array([10.0, 10.0, 10.01, 10.03, np.nan]),
        np.array([60 + 0.1 * arcsec, 60 + 0.3 * arcsec, 60 + 1.0 * arcsec, 60.0, np.nan]),
    )
    before = np.array([10.0]), np.array([60 + 2 * arcsec])
    rows, best, nearest = injection.recovered(injected, found, before)
    assert rows.tolist() == [0, 1, 2]
    assert best.tolist() == [0, -1, 1]
    assert nearest[:2] == pytest.approx([1.9, 1.7], abs=1e-3)
    none = np.zeros(0), np.zeros(0)
    assert [len(each) for each in injection.recovered(injected, none, before)] == [0, 0, 0]
    assert np.isinf(injection.recovered(injected, found, none)[2]).all()
