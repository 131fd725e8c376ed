"""Box extraction: sums, backgrounds, variances, columns in units."""

import numpy as np
import pytest

from rtools.errors import UsageError
from rtools.spectra import (
    BoxExtraction,
    FluxScale,
    SlitAperture,
    SlitImages,
    SpectralSums,
    aperture_correction,
    columns_of,
    corrected,
    units_of,
)

SHAPE = (24, 60)
WAVES = np.broadcast_to(np.linspace(5.0, 8.0, SHAPE[1]), SHAPE)
RAMP = np.linspace(-1, 1, SHAPE[0])[:, None]
STAR = np.exp(-((np.arange(SHAPE[0])[:, None] - 12.0) ** 2))
EDGES = {"source": ((8.5,), (15.5,)), "background": ((1.5,), (6.5,), (17.5,), (22.5,))}


def spectrum_of(aperture, data, variances=None):
    data = np.atleast_3d(data).reshape(-1, *SHAPE)
    variances = np.ones((3, *data.shape)) if variances is None else variances
    laid = BoxExtraction.laid(aperture, WAVES)
    return laid, laid.extract(SlitImages(data, variances))


@pytest.mark.parametrize(
    ("fit", "order", "sky"),
    [
        ("poly", 0, 3 + 0 * RAMP),
        ("poly", 1, 3 + 2 * RAMP),
        ("poly", 2, 3 + RAMP - RAMP**2),
        ("median", 0, 3 + 0 * RAMP),
    ],
)
def test_a_background_of_the_fitted_form_is_taken_away_whole(fit, order, sky):
    aperture = SlitAperture(**EDGES, fit=fit, order=order)
    _laid, found = spectrum_of(aperture, sky + 10 * STAR * np.ones(SHAPE))
    np.testing.assert_allclose(found.flux, 10 * STAR[9:16].sum(), rtol=1e-6)
    np.testing.assert_allclose(found.background[0, 0], sky[9:16].sum(), rtol=1e-6)
    np.testing.assert_array_equal(found.npixels, 7)


@pytest.mark.parametrize(
    ("fit", "order", "smoothing", "wanted"),
    [("poly", 0, 0, 1.0), ("poly", 2, 0, 1.0), ("median", 0, 0, 1.0), ("poly", 1, 5, 0.8)],
)
def test_errors_are_those_of_the_scatter(fit, order, smoothing, wanted):
    """With bad pixels in aperture and background, too. A smoothed background scatters less than is said."""
    rng = np.random.default_rng(8)
    sigma = 0.5 + (0.3 * RAMP if fit == "poly" else 0 * RAMP)
    data = 100 * STAR + 3 + rng.normal(0, sigma, (500, *SHAPE))
    data[:, 10, 7] = np.nan
    data[:, 3, 11] = np.nan
    variances = np.broadcast_to((sigma**2 / np.array([4, 4, 2])[:, None, None])[:, None], (3, *data.shape))
    _laid, found = spectrum_of(SlitAperture(**EDGES, fit=fit, order=order, smoothing=smoothing), data, variances)
    ratio = found.flux.std(axis=0) / np.sqrt(found.variance.sum(axis=0)[0])
    assert ratio.mean() == pytest.approx(wanted, abs=0.02)
    assert abs(ratio[[7, 11]] - ratio.mean()).max() < 0.1
    assert found.npixels[0, 7] == 6
    assert found.covered[0, 7] == pytest.approx(6 / 7)


def test_where_nothing_is_good_there_is_no_flux():
    data = np.ones(SHAPE)
    data[8:16, 5] = np.nan
    data[[*range(8), *range(16, 24)], 6] = np.nan
    for fit, lacking in (("poly", [5]), ("median", [5, 6])):
        found = spectrum_of(SlitAperture(**EDGES, fit=fit), data)[1]
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(found.flux[0])), lacking)
        columns = columns_of(SpectralSums.of_slit(found), FluxScale("MJy/sr", 1e-13))
        np.testing.assert_array_equal(np.flatnonzero(columns["DQ"][0]), lacking)


def test_a_smoothed_background_bridges_bad_pixels():
    data = 3 + 0.0 * WAVES.copy()
    data[[*range(8), *range(16, 24)], 20] = np.nan
    smooth, plain = (spectrum_of(SlitAperture(**EDGES, smoothing=length), data)[1] for length in (5, 0))
    assert smooth.background[0, 21] == pytest.approx(21)
    assert plain.background[0, 20] == 0  # as where there is no solution


def test_columns_without_a_wavelength_are_left_out_and_wavelengths_are_means_of_what_is_taken():
    waves = WAVES + 0.01 * np.arange(SHAPE[0])[:, None]
    waves[:, 50:] = np.nan
    laid = BoxExtraction.laid(SlitAperture(across=(4.5, 7)), waves)
    assert len(laid.wavelength) == 50
    share = np.array([0.5, 1, 1, 1])
    np.testing.assert_allclose(laid.wavelength[0], 5 + 0.01 * (share @ [4, 5, 6, 7]) / share.sum())


@pytest.mark.parametrize(
    ("unit", "flux", "brightness", "level"),
    [("MJy/sr", 70 * 2e-13 * 1e6, 10.0, 3.0), ("MJy", 70e6, 0.0, 3 / 2e-13), ("DN/s", 70.0, 10.0, 3.0)],
)
def test_columns_have_the_units_of_the_image(unit, flux, brightness, level):
    found = SpectralSums(np.array([70.0]), np.array([[1.0], [2.0], [4.0]]), np.array([3.0]), np.ones((3, 1)) * 0.1,
                     np.array([7.0]), np.array([1.0]))  # fmt: skip
    columns = columns_of(found, FluxScale(unit, 2e-13))
    assert columns["FLUX"][0] == pytest.approx(flux)
    assert columns["SURF_BRIGHT"][0] == pytest.approx(brightness)
    assert columns["BACKGROUND"][0] == pytest.approx(level)
    assert columns["FLUX_ERROR"][0] == pytest.approx(np.sqrt(7) * flux / 70)
    for name, error in (("FLUX", "FLUX_ERROR"), ("SB", "SB_ERROR"), ("BKGD", "BKGD_ERROR")):
        total = sum(columns[f"{name}_VAR_{kind}"] for kind in ("POISSON", "RNOISE", "FLAT"))
        np.testing.assert_allclose(columns[error] ** 2, total)
    assert units_of(unit).get("FLUX") == ("DN/s" if unit == "DN/s" else None)


def test_another_unit_is_refused_and_a_thin_aperture_can_be():
    found = SpectralSums(np.array([70.0, 60]), np.ones((3, 2)), np.zeros(2), np.zeros((3, 2)), np.array([7.0, 5]),
                     np.array([1.0, 0.7]))  # fmt: skip
    with pytest.raises(UsageError):
        columns_of(found, FluxScale("erg", 1.0))
    columns = columns_of(found, FluxScale("DN/s"), least=0.8)
    assert np.isnan(columns["FLUX"][1])
    assert columns["DQ"].tolist() == [0, 1]
    assert columns["NPIXELS"][1] == 5


def test_light_beside_the_aperture_is_given_back():
    waves, sizes = np.array([5.0, 8.0]), np.array([3.0, 5.0, 9.0])
    factors = 1 + np.outer([0.1, 0.3], 1 / sizes)
    found = aperture_correction((waves, sizes, factors), np.array([5.0, 6.5, 9.0, np.nan]), np.array([5.0, 4.0, 99, 3]))
    np.testing.assert_allclose(found[:3], [1.02, 1 + 0.2 * (1 / 3 + 1 / 5) / 2, 1 + 0.3 / 9])
    assert np.isnan(found[3])
    columns = corrected({"FLUX": np.ones(1), "FLUX_VAR_FLAT": np.ones(1), "BACKGROUND": np.ones(1)}, np.array([2.0]))
    assert {name: float(values[0]) for name, values in columns.items()} == {
        "FLUX": 2, "FLUX_VAR_FLAT": 4, "BACKGROUND": 1}  # fmt: skip
