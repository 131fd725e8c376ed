"""PSF photometry: equal to photutils where it finds the same minimum, honest errors, every flag."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from rtools.catalog.psf import groupfit, psffit
from rtools.catalog.psf.neighbours import friends, nearest
from rtools.catalog.psf.psffit import FLAGS, fit
from rtools.reference import epsf
from rtools.reference.builtin import Builtin
from rtools.simulate import render
from rtools.work import Work

pytestmark = pytest.mark.slow

SKY, READ_NOISE = 300.0, 10.0


@pytest.fixture(scope="module")
def psf():
    return epsf.from_reference(Builtin("epsf", "WFI01", "F158"))


@pytest.fixture(scope="module")
def varying(psf):
    """Nine stamps that differ."""
    stamps = np.stack([gaussian_filter(psf.stamps[0], sigma) for sigma in np.linspace(0.1, 1.0, 9)])
    return epsf.Psf(stamps, 4, np.array([0.0, 2000.0, 4000.0]), np.array([0.0, 2000.0, 4000.0]))


def observed(psf, x, y, flux, shape, seed=0):
    """Image without sky, error and photon variance, in electrons."""
    rng = np.random.default_rng(seed)
    light = np.zeros(shape, np.float32)
    render.add_stars(light, psf, x, y, flux)
    total = rng.poisson(light.astype(float) + SKY) + rng.normal(0, READ_NOISE, shape)
    photons = np.maximum(total, 0)
    err = np.sqrt(photons + READ_NOISE**2)
    return (total - SKY).astype(np.float32), err.astype(np.float32), photons.astype(np.float32)


def rendered(psf, x, y, flux, shape):
    """Noiseless image and an error of 1."""
    light = np.zeros(shape, np.float32)
    render.add_stars(light, psf, x, y, flux)
    return light, np.ones(shape, np.float32)


def isolated(n, seed, lowest, highest, step=30):
    """Stars on a grid, each somewhere in its pixel."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(n)))
    grid = np.arange(side) * step + 15.0
    x, y = (values.ravel()[:n] + rng.uniform(-0.5, 0.5, n) for values in np.meshgrid(grid, grid))
    flux = 10 ** rng.uniform(np.log10(lowest), np.log10(highest), n)
    return x, y, flux, (side * step, side * step)


@pytest.mark.parametrize("which", ["psf", "varying"])
def test_noiseless_stars_are_found_exactly(which, request):
    model = request.getfixturevalue(which)
    x, y, flux, shape = isolated(25, 1, 1e4, 1e6, step=100)
    image, err = rendered(model, x, y, flux, shape)
    rng = np.random.default_rng(2)
    found = fit(
        image, err, None, x + rng.uniform(-0.3, 0.3, 25), y + rng.uniform(-0.3, 0.3, 25), psf=model, weights="err"
    )
    # float32 of the image, and weights of the stamps at the start position.
    np.testing.assert_allclose(found.x, x, atol=1e-4)
    np.testing.assert_allclose(found.y, y, atol=1e-4)
    np.testing.assert_allclose(found.flux, flux, rtol=1e-4)
    assert not found.flags.any()


def test_derivatives_are_those_of_the_light(varying):
    from rtools.catalog.psf._psf_light_kernels import render_star, scratch_for_light
    from rtools.catalog.psf._psffit_work import PsfModel

    splines = np.pad(varying.splines, ((0, 0), (2, 2), (2, 2)), mode="reflect")
    corner = np.array([8, 9])
    model = PsfModel(splines, 4, corner[None], varying.weights([1500.0], [700.0]))

    def light(x, y):
        out = np.empty((3, 25))
        render_star(model, 0, np.array([x, y]), corner, out, scratch_for_light())
        return out

    for x, y in ((10.3, 11.4), (9.81, 10.6), (30.0, 9.0), (53.9, 11.0), (-30.2, 40.0)):
        step = 1e-5
        by_x = (light(x + step, y)[0] - light(x - step, y)[0]) / (2 * step)
        by_y = (light(x, y + step)[0] - light(x, y - step)[0]) / (2 * step)
        np.testing.assert_allclose(light(x, y)[1], by_x, atol=1e-7)
        np.testing.assert_allclose(light(x, y)[2], by_y, atol=1e-7)
    assert light(10.3, 11.4)[0].sum() == pytest.approx(epsf.native_stamp(varying, 5).sum(), abs=0.2)


@pytest.mark.parametrize("which", ["psf", "varying"])
def test_equal_to_photutils(which, request):
    from astropy.nddata import NDData
    from astropy.table import Table
    from photutils.psf import GriddedPSFModel, PSFPhotometry, SourceGrouper

    model = request.getfixturevalue(which)
    rng = np.random.default_rng(4)
    shape = (230, 230)
    x, y = rng.uniform(2, 227, (2, 150))
    # Nothing finds two sources where the PSF shows one; neither program has a minimum to speak of there.
    x, y = (values[nearest(x, y)[1] > 2] for values in (x, y))
    n = x.size
    flux = 10 ** rng.uniform(3, 5.5, n)
    image, err, _photons = observed(model, x, y, flux, shape, seed=5)
    mask = rng.random(shape) < 0.01
    x0, y0 = x + rng.normal(0, 0.1, n), y + rng.normal(0, 0.1, n)
    ours = fit(image, err, mask, x0, y0, psf=model, weights="err")
    stamps = np.repeat(model.stamps, 4, 0) if which == "psf" else model.stamps
    lines = np.array([0.0, 4000.0]) if which == "psf" else model.x
    meta = {"grid_xypos": [(a, b) for b in lines for a in lines], "oversampling": 4}
    # photutils keeps the models of groups by the name of the PSF's class, with the PSF of the first that had it.
    gridded = type(GriddedPSFModel)(f"Gridded_{which}", (GriddedPSFModel,), {})
    fitter = PSFPhotometry(gridded(NDData(stamps, meta=meta)), (5, 5), grouper=SourceGrouper(5), aperture_radius=5)
    theirs = fitter(image, mask=mask, error=err, init_params=Table({"x_init": x0, "y_init": y0}))
    gof = np.asarray(theirs["reduced_chi2"])
    # What is minimised is that of the group: one member's may rise where another's falls.
    group = friends(x0, y0, psffit.LINK)
    of_group = [
        np.bincount(group, values * np.maximum(theirs["n_pixels_fit"] - 3, 0))[group] for values in (gof, ours.gof)
    ]
    same = of_group[0] <= of_group[1] * 1.01
    assert same.mean() > 0.95  # of some seventy: the peer is stuck in a worse minimum for one or two
    assert np.all(of_group[1] <= of_group[0] * 1.0001)
    # photutils stops when a step changes chi-square by 1e-8: the faint ones are as good as that.
    bright = same & (ours.flux > 10 * ours.flux_err)
    assert bright.sum() > 0.8 * n
    for value, name in ((ours.x, "x_fit"), (ours.y, "y_fit")):
        np.testing.assert_allclose(value[bright], theirs[name][bright], rtol=0, atol=1e-4)
    np.testing.assert_allclose(ours.flux[bright], theirs["flux_fit"][bright], rtol=1e-4)
    for value, name in ((ours.x_err, "x_err"), (ours.y_err, "y_err"), (ours.flux_err, "flux_err")):
        np.testing.assert_allclose(value[bright], theirs[name][bright], rtol=1e-3)
    # What one member of a group loses another gains: its own chi-square is not stationary.
    np.testing.assert_allclose(ours.gof[bright], gof[bright], rtol=1e-3)
    np.testing.assert_array_equal(ours.flags[bright] & 1, theirs["flags"][bright] & 1)


def test_errors_are_honest_and_fluxes_not_pulled_low(psf):
    """Weights of the model: pulls of mean 0 and sd 1; those of the errors draw fluxes down."""
    x, y, flux, shape = isolated(2500, 6, 400, 1e5)
    image, err, photons = observed(psf, x, y, flux, shape, seed=7)
    found = fit(image, err, None, x, y, psf=psf, var_poisson=photons, background=SKY)
    good = (found.flags == 0) & (flux > 25 * found.flux_err)
    assert good.sum() > 1000
    for value, truth, error in (
        (found.x, x, found.x_err),
        (found.y, y, found.y_err),
        (found.flux, flux, found.flux_err),
    ):
        pull = ((value - truth) / error)[good]
        # Three standard errors of the mean of these stars besides the 0.05 of the requirement.
        assert abs(pull.mean()) < 0.05 + 3 / np.sqrt(good.sum())
        assert pull.std() == pytest.approx(1, abs=0.1)
    bright = good & (flux > 50 * found.flux_err)
    assert abs(np.mean(found.flux[bright] / flux[bright] - 1)) < 0.002
    assert found.gof[good].mean() == pytest.approx(1, abs=0.05)
    by_err = fit(image, err, None, x, y, psf=psf, weights="err")
    pulls, lower = ((fitted.flux - flux) / fitted.flux_err for fitted in (found, by_err))
    assert np.mean((lower - pulls)[good]) < -0.05  # of the same stars: known to 0.001


def test_without_photon_variance_model_weights_are_those_of_the_errors(psf):
    x, y, flux, shape = isolated(9, 8, 1e3, 1e5)
    image, err, photons = observed(psf, x, y, flux, shape)
    plain = fit(image, err, None, x, y, psf=psf, weights="err", var_poisson=photons)
    for one, other in zip(fit(image, err, None, x, y, psf=psf), plain, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="weights"):
        fit(image, err, None, x, y, psf=psf, weights="none")


def test_background_may_be_an_image(psf):
    x, y, flux, shape = isolated(9, 8, 1e3, 1e5)
    image, err, photons = observed(psf, x, y, flux, shape)
    one = fit(image, err, None, x, y, psf=psf, var_poisson=photons, background=SKY)
    other = fit(image, err, None, x, y, psf=psf, var_poisson=photons, background=np.full(shape, SKY, np.float32))
    np.testing.assert_array_equal(one.flux, other.flux)
    without = fit(image, err, None, x, y, psf=psf, var_poisson=photons)
    assert not np.array_equal(one.flux, without.flux)


def test_the_covariance_of_x_and_y_is_that_of_the_scatter(psf):
    """An oval star, turned: its x and y go together."""
    grid = (np.arange(81) - 40) / 4
    oval = np.exp(-(grid[None] ** 2 - 1.4 * grid[None] * grid[:, None] + grid[:, None] ** 2) / 1.02 / 1.5)
    oval = epsf.Psf(16 * oval[None] / oval.sum(), 4, np.zeros(1), np.zeros(1))
    x, y, flux, shape = isolated(400, 21, 2e4, 2e4, step=20)
    image, err, photons = observed(oval, x, y, flux, shape, seed=22)
    found = fit(image, err, None, x, y, psf=oval, var_poisson=photons, background=SKY)
    scatter = np.corrcoef(found.x - x, found.y - y)[0, 1]
    assert scatter > 0.3
    assert np.median(found.xy_cov / found.x_err / found.y_err) == pytest.approx(scatter, abs=0.12)


def test_a_pixel_that_lost_resultants_keeps_its_own_noise(psf):
    """Its variance per light is ten times that of the others, so it weighs less than they do."""
    x, y = np.array([15.0]), np.array([15.0])
    light, _err = rendered(psf, x, y, [1e5], (31, 31))
    photons = light.astype(float) + SKY
    photons[15, 15] *= 10
    err = np.sqrt(photons + 100)
    wrong = light.copy()
    wrong[15, 15] *= 1.05
    found = fit(wrong, err, None, x, y, psf=psf, var_poisson=photons, background=SKY)
    even = fit(wrong, np.sqrt(light + SKY + 100), None, x, y, psf=psf, var_poisson=light + SKY, background=SKY)
    assert abs(found.flux[0] - 1e5) < 0.3 * abs(even.flux[0] - 1e5)


def test_results_do_not_depend_on_threads_chunks_or_order(psf, monkeypatch):
    monkeypatch.setattr(psffit, "CHUNK", 7)
    rng = np.random.default_rng(9)
    x, y = rng.uniform(0, 150, (2, 60))
    image, err, photons = observed(psf, x, y, np.full(60, 5e3), (151, 151))
    one = fit(image, err, None, x, y, psf=psf, var_poisson=photons, background=SKY)
    for other in (
        fit(image, err, None, x, y, psf=psf, var_poisson=photons, background=SKY, work=Work(3)),
        psffit.PsfFit(*(v[::-1] for v in fit(image, err, None, x[::-1], y[::-1], psf=psf, var_poisson=photons,
                                             background=SKY))),
    ):  # fmt: skip
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    threaded = fit(image, err, None, x, y, psf=psf, var_poisson=photons, background=SKY, work=Work(2))
    for a, b in zip(one, threaded, strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_blended_stars_are_told_apart(psf):
    x, y, flux = np.array([20.2, 22.6]), np.array([20.1, 20.9]), np.array([2e4, 8e3])
    image, err, photons = observed(psf, x, y, flux, (41, 41), seed=11)
    for weights in ("err", "model"):
        found = fit(image, err, None, x + 0.2, y - 0.2, psf=psf, weights=weights, var_poisson=photons, background=SKY)
        assert not found.flags.any()
        for value, truth, error in ((found.x, x, found.x_err), (found.flux, flux, found.flux_err)):
            assert np.all(np.abs(value - truth) < 4 * error)
    alone = fit(image, err, None, x[1:], y[1:], psf=psf, var_poisson=photons, background=SKY)
    assert abs(alone.flux[0] - flux[1]) > 10 * abs(found.flux[1] - flux[1])


@pytest.mark.parametrize("fixed", [True, False])
def test_repeated_positions_have_the_flux_of_one_fit_not_nan(psf, fixed):
    x, y = np.array([20.3, 44.0, 20.3, 20.35, np.nan, 21.3]), np.array([20.1, 20.0, 20.1, 20.1, 5.0, 20.1])
    data, err = rendered(psf, x[:2], y[:2], np.array([5e4, 1e4]), (60, 60))
    once = fit(data, err, None, x[[0, 1, 4, 5]], y[[0, 1, 4, 5]], psf=psf, fixed=fixed)
    found = fit(data, err, None, x, y, psf=psf, fixed=fixed)
    for name in ("x", "x_err", "flux", "flux_err", "gof"):
        np.testing.assert_array_equal(getattr(found, name), getattr(once, name)[[0, 1, 0, 0, 2, 3]], err_msg=name)
    assert (found.flags & FLAGS["shared"] != 0).tolist() == [True, False, True, True, False, False]
    assert found.flux[0] == pytest.approx(5e4, rel=1e-3)


@pytest.mark.parametrize("photons_known", [True, False])
def test_pieces_of_a_large_group_end_where_the_whole_group_does(psf, monkeypatch, photons_known):
    """Noiseless, so that the common minimum is the truth."""
    rng = np.random.default_rng(12)
    gx, gy = np.meshgrid(np.arange(7) * 4.0 + 20, np.arange(6) * 4.0 + 20)
    x, y = gx.ravel() + rng.uniform(-0.4, 0.4, 42), gy.ravel() + rng.uniform(-0.4, 0.4, 42)
    flux = 10 ** rng.uniform(3.5, 5, 42)
    image, err = rendered(psf, x, y, flux, (64, 68))
    photons = image + SKY if photons_known else None
    err = np.sqrt(image + SKY + 100)
    monkeypatch.setattr(groupfit, "MOVED", 1e-4)
    found = fit(image, err, None, x + 0.1, y - 0.1, psf=psf, var_poisson=photons, background=SKY)
    assert not found.flags.any()
    np.testing.assert_allclose(found.x, x, atol=2e-3)
    np.testing.assert_allclose(found.y, y, atol=2e-3)
    np.testing.assert_allclose(found.flux, flux, rtol=5e-3)


def test_large_groups_are_fitted_with_honest_errors(psf):
    rng = np.random.default_rng(13)
    gx, gy = np.meshgrid(np.arange(16) * 4.0 + 20, np.arange(16) * 4.0 + 20)
    x, y = gx.ravel() + rng.uniform(-0.6, 0.6, 256), gy.ravel() + rng.uniform(-0.6, 0.6, 256)
    flux = 10 ** rng.uniform(3.5, 5, 256)
    image, err, photons = observed(psf, x, y, flux, (104, 104), seed=14)
    found = fit(image, err, None, x + 0.1, y, psf=psf, var_poisson=photons, background=SKY)
    assert not found.flags.any()
    for value, truth, error in ((found.x, x, found.x_err), (found.flux, flux, found.flux_err)):
        pull = (value - truth) / error
        assert abs(pull.mean()) < 0.25
        assert pull.std() == pytest.approx(1, abs=0.15)


def test_groups_are_cut_until_pieces_are_small():
    corners = np.random.default_rng(15).integers(0, 300, (333, 2))
    pieces = groupfit._halves(corners, np.arange(333))
    assert max(piece.size for piece in pieces) <= groupfit.PIECE
    assert np.array_equal(np.sort(np.concatenate(pieces)), np.arange(333))


UNFITTED = FLAGS["few_pixels"] | FLAGS["no_covariance"] | FLAGS["no_position"] | FLAGS["no_flux"]


def one(psf, x, y, *, mask=None, err=None, image=None):
    """Fit of one star of 10⁴ at (20, 20) from a start position."""
    light, ones = rendered(psf, np.array([20.0]), np.array([20.0]), [1e4], (41, 41))
    found = fit(light if image is None else image, ones if err is None else err, mask, [x], [y], psf=psf, weights="err")
    return int(found.flags[0]), found


def test_flag_of_masked_pixels_and_of_errors_that_are_none(psf):
    mask = np.zeros((41, 41), bool)
    mask[19, 20] = True
    flags, found = one(psf, 20, 20, mask=mask)
    assert flags == FLAGS["few_pixels"]
    assert found.flux[0] == pytest.approx(1e4, rel=1e-4)
    for bad in (np.inf, np.nan, 0.0, -1.0):
        err = np.where(mask, bad, 1.0)
        assert one(psf, 20, 20, err=err)[0] == FLAGS["few_pixels"]
    light, _ = rendered(psf, np.array([20.0]), np.array([20.0]), [1e4], (41, 41))
    light[mask] = np.nan
    assert one(psf, 20, 20, image=light)[0] == FLAGS["few_pixels"]


def test_flag_of_a_position_outside_the_image(psf):
    image, err = rendered(psf, np.array([-0.9]), np.array([20.0]), [1e5], (41, 41))
    flags = fit(image, err, None, [0.0], [20.0], psf=psf, weights="err").flags[0]
    assert flags == FLAGS["outside"] | FLAGS["few_pixels"]


def test_flag_of_negative_flux(psf):
    light, err = rendered(psf, np.array([20.0]), np.array([20.0]), [1e4], (41, 41))
    assert fit(-light, err, None, [20.0], [20.0], psf=psf, weights="err").flags[0] == FLAGS["not_positive"]


def test_flag_of_no_covariance_and_no_exception_for_an_empty_image(psf):
    found = fit(np.zeros((41, 41)), np.ones((41, 41)), None, [20.0], [20.0], psf=psf)
    assert found.flux[0] == 0
    assert found.flags[0] & FLAGS["no_covariance"]
    assert np.isnan(found.x_err[0])


def test_flag_of_a_fit_that_does_not_converge(psf, monkeypatch):
    """A slope has no star: the source runs away."""
    ramp = np.tile(np.arange(41.0) ** 2, (41, 1))
    flags = fit(ramp, np.ones((41, 41)), None, [20.0], [20.0], psf=psf).flags[0]
    assert flags & FLAGS["not_converged"] or flags == 0
    rng = np.random.default_rng(16)
    gx, gy = np.meshgrid(np.arange(6) * 4.0 + 10, np.arange(6) * 4.0 + 10)
    x, y = gx.ravel(), gy.ravel()
    image, err, _photons = observed(psf, x, y, np.full(36, 1e4), (41, 41))
    monkeypatch.setattr(groupfit, "SWEEPS", 1)
    found = fit(image, err, None, x + rng.uniform(-0.1, 0.1, 36), y, psf=psf, weights="err")
    assert (found.flags & FLAGS["not_converged"]).any()


@pytest.mark.parametrize(("x", "y"), [(-7.0, 20.0), (20.0, 60.0), (1e12, 20.0), (20.0, -1e12)])
def test_flag_of_a_source_off_the_image(psf, x, y):
    flags, found = one(psf, x, y)
    assert flags == UNFITTED | FLAGS["no_overlap"]
    assert all(np.isnan(value[0]) for value in found if value.dtype == float)


def test_flag_of_a_source_that_is_masked(psf):
    mask = np.ones((41, 41), bool)
    assert one(psf, 20, 20, mask=mask)[0] == UNFITTED | FLAGS["all_masked"]
    mask[20, 20] = mask[20, 21] = False
    assert one(psf, 20, 20, mask=mask)[0] == UNFITTED | FLAGS["too_few_pixels"]
    mask[21, 20] = False
    assert one(psf, 20, 20, mask=mask)[0] & FLAGS["too_few_pixels"] == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_flag_of_a_source_without_a_position(psf, bad):
    assert one(psf, bad, 20.0)[0] == UNFITTED
    light, err = rendered(psf, np.array([20.0]), np.array([20.0]), [1e4], (41, 41))
    found = fit(light, err, None, [20.0, bad, 20.0], [20.0, 20.0, bad], psf=psf)
    assert found.flags.tolist() == [0, UNFITTED, UNFITTED]
    assert found.flux[0] == pytest.approx(1e4, rel=1e-4)


def test_no_sources_are_no_results(psf):
    found = fit(np.zeros((9, 9)), np.ones((9, 9)), None, [], [], psf=psf)
    assert all(value.size == 0 for value in found)
    assert found.flags.dtype == np.int32
