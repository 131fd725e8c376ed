"""Cubes from pixels of slices: the peer's kernels, light that is kept, errors, grids; what is seen in cubes."""

import numpy as np
import pytest

from rtools.errors import InputError, UsageError
from rtools.spectra import cube_views
from rtools.spectra._cube_kernels import add_boxes, add_points
from rtools.spectra.cube_building import CubeGrid, PixelCloud, PointReach, build_cube, choose_grid

SIDE, STEP = 0.13, 0.02
NAMES = ("flux", "weight", "variance", "count")


@pytest.fixture(scope="module")
def peer(jwst_golden):
    return np.load(jwst_golden("cube") / "out_kernels.npz")


def sums_of(peer, add, where, more):
    sums = np.zeros((4, 7, 8, 9))
    add(sums, 0, where, more, np.stack([peer["flux"], peer["err"]], axis=1))
    return sums


def in_voxels(peer):
    """Centres in spaxels and planes."""
    return [(peer[name] - peer[axis][0]) / side for name, axis, side in
            (("px", "x", SIDE), ("py", "y", SIDE), ("pz", "z", STEP))]  # fmt: skip


def test_volumes_are_those_of_the_mission(peer):
    quads = peer["corners"].reshape(4, 2, -1).transpose(2, 0, 1)
    corners = np.stack([(quads[..., 0] - peer["x"][0]) / SIDE, (quads[..., 1] - peer["y"][0]) / SIDE], axis=-1)
    depth = in_voxels(peer)[2]
    ends = np.stack([depth - 0.0075 / STEP, depth + 0.0075 / STEP], axis=1)
    sums = sums_of(peer, add_boxes, corners, ends)
    volume = SIDE * SIDE * STEP
    for plane, (name, factor) in enumerate(zip(NAMES, (volume, volume, volume**2, 1), strict=True)):
        wanted = peer[f"drizzle_{name}"]
        np.testing.assert_allclose(sums[plane] * factor, wanted, rtol=0, atol=2e-8 * wanted.max(), err_msg=name)


def test_points_are_those_of_the_mission(peer):
    centres = np.stack(in_voxels(peer), axis=1)
    sums = sums_of(peer, add_points, centres, (0.25 / SIDE, 0.03 / STEP, 0.1 / SIDE))
    for plane, name in enumerate(NAMES):
        np.testing.assert_allclose(sums[plane], peer[f"emsm_{name}"], rtol=1e-11, atol=1e-12, err_msg=name)


def slices(rng=None, *, turn=20.0, noise=0.0, middle=(359.999, 66.0)):
    """Pixels of slices that lie turned across RA 0, of a sky that is a plane in x, y and wavelength."""
    across, along, waves = np.meshgrid(np.arange(12), np.arange(30), np.arange(15), indexing="ij")
    grid = CubeGrid(*middle, 0.0, 0.0, 1.0, turn, 0.0, 1.0, (1, 1, 1))
    x, y = (along.ravel() - 14.5) * 0.2, (across.ravel() - 5.5) * 0.35
    ra, dec = grid.positions(x, y)
    corners = [grid.positions(x + dx * 0.1, y + dy * 0.175) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    corner_ra, corner_dec = (np.stack([one[axis] for one in corners], axis=-1) for axis in (0, 1))
    wavelength = 5 + 0.01 * waves.ravel()
    flux = 100 + 3 * x - 2 * y + 500 * (wavelength - 5)
    error = np.full(flux.shape, max(noise, 1e-3))
    if noise:
        flux = flux + rng.normal(0, noise, flux.shape)
    return PixelCloud(ra, dec, wavelength, corner_ra, corner_dec, np.full(flux.shape, 0.01), flux, error)


def test_light_is_kept_whatever_the_grid():
    """Each pixel spreads all of its volume over the cube: the weights add up to that of all pixels."""
    cloud = slices()
    for spaxel, step, angle in ((0.13, 0.007, 0.0), (0.5, 0.02, 33.0), (0.2, 0.01, 20.0)):
        grid = choose_grid(cloud, spaxel, step, angle)
        corners = np.stack(grid.pixels(cloud.corner_ra, cloud.corner_dec), axis=-1)
        planes = grid.planes(cloud.wavelength)
        ends = np.stack([planes - 0.005 / step, planes + 0.005 / step], axis=1)
        sums = np.zeros((4, *grid.shape))
        add_boxes(sums, 0, corners, ends, np.stack([cloud.flux, cloud.error], axis=1))
        volume = 0.2 * 0.35 * 0.01 / (spaxel**2 * step)
        assert sums[1].sum() == pytest.approx(volume * len(cloud.flux), rel=1e-6)
        assert sums[0].sum() == pytest.approx(volume * cloud.flux.sum(), rel=1e-6)


def test_a_plane_of_light_stays_one_across_ra_0():
    cloud = slices()
    cube = build_cube(cloud, grid := choose_grid(cloud, 0.13, 0.01, 0.0))
    m, y, x = np.nonzero(np.isfinite(cube.data))
    ra, dec = grid.positions(x, y)
    back = CubeGrid(359.999, 66.0, 0.0, 0.0, 1.0, 20.0, 0.0, 1.0, (1, 1, 1))
    u, v = back.pixels(ra, dec)
    truth = 100 + 3 * u - 2 * v + 500 * (grid.wavelengths[m] - 5)
    inside = (np.abs(u) < 2.7) & (np.abs(v) < 1.8)
    assert inside.sum() > 5000
    assert np.abs(cube.data[m, y, x] - truth)[inside].max() < 1.0  # half a slice of a slope of 2
    assert abs(np.mean(cube.data[m, y, x][inside] - truth[inside])) < 0.02


def test_a_cube_along_the_slices_has_their_values_and_errors():
    """Voxels that are the pixels themselves."""
    cloud = slices(np.random.default_rng(3), noise=2.0, turn=20.0)
    grid = choose_grid(cloud, 0.1, 0.01, 20.0)
    cube = build_cube(cloud, grid)
    x, y = (np.rint(values).astype(int) for values in grid.pixels(cloud.ra, cloud.dec))
    planes = np.rint(grid.planes(cloud.wavelength)).astype(int)
    np.testing.assert_allclose(cube.data[planes, y, x], cloud.flux, rtol=1e-5)
    np.testing.assert_allclose(cube.err[planes, y, x], cloud.error, rtol=1e-5)


def test_pulls_of_a_coarser_cube():
    rng = np.random.default_rng(8)
    cloud = slices(rng, noise=1.0, turn=0.0)
    flat = PixelCloud(**{**vars(cloud), "flux": 50 + rng.normal(0, 1, len(cloud.flux))})
    cube = build_cube(flat, choose_grid(flat, 0.7, 0.03, 0.0))
    pulls = ((cube.data - 50) / cube.err)[cube.wmap > 6]
    assert len(pulls) > 150
    assert abs(pulls.mean()) < 4 / np.sqrt(len(pulls))
    assert pulls.std() == pytest.approx(1, abs=0.15)


def test_bits_do_not_depend_on_threads():
    from rtools.work import Work

    cloud = slices()
    grid = choose_grid(cloud, 0.1, 0.003)
    alone = build_cube(cloud, grid)
    with Work(2) as work:
        for method in (None, PointReach(0.3, 0.01, 0.2)):
            one, two = build_cube(cloud, grid, method), build_cube(cloud, grid, method, work)
            for first, second in zip(one, two, strict=True):
                assert first.tobytes() == second.tobytes()
    assert (alone.dq[np.isnan(alone.data)] == 513).all()


def test_pixels_far_apart_are_refused_with_a_reason():
    cloud = slices()
    cloud.corner_dec[0, 0] = 30.0
    with pytest.raises(InputError, match="far from each other"):
        choose_grid(cloud, 0.01, 1e-5)


# --- what is seen in a cube -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["mean", "median", "sum"])
def test_errors_of_collapsed_planes_are_those_of_their_scatter(how):
    rng = np.random.default_rng(4)
    sigma = np.full((41, 60, 60), 2.0)
    data = 7 + rng.normal(0, 2.0, sigma.shape)
    good = rng.random(sigma.shape) > 0.1
    found, err, count = cube_views.collapse_cube(np.where(good, data, 1e9), sigma, good, how)
    np.testing.assert_array_equal(count, good.sum(axis=0))
    pulls = (found - (7 * count if how == "sum" else 7)) / err
    assert abs(pulls.mean()) < 0.07
    assert pulls.std() == pytest.approx(1, abs=0.06)


def test_a_spaxel_without_values_is_not_zero():
    good = np.ones((5, 2, 2), bool)
    good[:, 0, 0] = False
    for how in ("mean", "median", "sum"):
        found, err, count = cube_views.collapse_cube(np.ones((5, 2, 2)), np.ones((5, 2, 2)), good, how)
        assert np.isnan(found[0, 0]) and np.isnan(err[0, 0]) and count[0, 0] == 0
        assert np.isfinite(found[1, 1])


def test_moments_of_a_line():
    waves = np.sort(np.concatenate([np.linspace(5, 6, 120), np.linspace(5.3, 5.7, 99)]))  # of uneven steps
    line = 4.0 * np.exp(-((waves - 5.47) ** 2) / (2 * 0.05**2)) / (0.05 * np.sqrt(2 * np.pi))
    cube = np.broadcast_to(line[:, None, None], (len(waves), 2, 3))
    found = cube_views.moment_maps(cube, np.zeros(cube.shape), np.ones(cube.shape, bool), waves)
    np.testing.assert_allclose(found.flux, 4.0, rtol=1e-3)
    np.testing.assert_allclose(found.centre, 5.47, atol=1e-4)
    np.testing.assert_allclose(found.width, 0.05, rtol=2e-3)


def test_merged_planes_rise_and_each_wavelength_has_one_cube():
    first, second = np.linspace(4.9, 5.8, 90), np.linspace(5.6, 6.6, 70)
    cube, plane = cube_views.merge_order([second, first])
    waves = np.where(cube == 1, first[np.minimum(plane, 89)], second[np.minimum(plane, 69)])
    assert (np.diff(waves) > 0).all()
    assert np.count_nonzero(np.diff(cube)) == 1
    assert waves[0] == 4.9 and waves[-1] == 6.6


def test_wavelengths_outside_are_refused():
    waves = np.linspace(5, 6, 11)
    assert cube_views.nearest_plane(waves, 5.449) == 4
    assert cube_views.planes_between(waves.astype("f4").astype(float), 5.1, 5.3) == slice(1, 4)
    for wrong in (4.9, 6.06):
        with pytest.raises(UsageError):
            cube_views.nearest_plane(waves, wrong)
    with pytest.raises(UsageError):
        cube_views.planes_between(waves, 5.12, 5.18)
