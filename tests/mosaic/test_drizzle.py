"""Drizzling against the drizzle library, with the same pixel map."""

import numpy as np
import pytest
from drizzle.resample import Drizzle

from rtools.errors import UsageError
from rtools.mosaic.drizzle.drizzle import MemberPlanes, add_image, band_rows, drizzle_band, make_kernel, touched
from rtools.mosaic.drizzle.options import KERNELS
from rtools.mosaic.grid.pixmap import pixel_map

SHAPE = 90, 110
OUT = 170, 190
WHOLE = slice(0, OUT[0]), slice(0, OUT[1])


def distorted(angle=17.0, scale=1.0, centre=(95.0, 85.0), bend=2e-5):
    """Pixel to mosaic pixel: turned, scaled and bent."""
    sin, cos = np.sin(np.deg2rad(angle)) * scale, np.cos(np.deg2rad(angle)) * scale

    def forward(x, y):
        u, v = np.asarray(x, float) - 55, np.asarray(y, float) - 45
        bent_u, bent_v = u + bend * u * v, v + bend * (u * u - 0.5 * v * v)
        return cos * bent_u - sin * bent_v + centre[0], sin * bent_u + cos * bent_v + centre[1]

    return forward


def same(x, y):
    return x, y


def made(seed=3):
    rng = np.random.default_rng(seed)
    data = rng.normal(10, 3, SHAPE).astype(np.float32)
    weight = rng.uniform(0.5, 2, SHAPE).astype(np.float32)
    weight[rng.random(SHAPE) < 0.05] = 0
    return data, weight


def library(members, kernel="square", pixfrac=1.0, ratio=1.0):
    """Images by the library, one after the other: data, weight, context."""
    drizzle = Drizzle(kernel=kernel, fillval="NaN", out_shape=OUT)
    for data, weight, pixmap in members:
        grid = np.stack(pixmap.evaluate(), axis=-1)
        drizzle.add_image(data, 1.0, grid, pixel_scale_ratio=ratio, weight_map=weight, pixfrac=pixfrac)
    return drizzle.out_img, drizzle.out_wht, drizzle.out_ctx


def drizzled(members, kernel, height=40):
    data, weight = np.zeros(OUT, np.float32), np.zeros(OUT, np.float32)
    for rows in band_rows(OUT, height):
        for pixels, weights, pixmap in members:
            band = drizzle_band(MemberPlanes(pixels, weights), pixmap, rows, slice(0, OUT[1]), kernel)
            add_image(band, data, weight)
    data[weight == 0] = np.nan
    return data, weight


def agree(ours, theirs, margin=0):
    inner = (slice(margin, -margin or None),) * 2
    data, weight = (each[inner] for each in ours)
    expected, total = (each[inner] for each in theirs[:2])
    assert np.count_nonzero(total) > 1000
    np.testing.assert_allclose(weight, total, rtol=3e-6, atol=1e-9 * total.max())
    np.testing.assert_array_equal(np.isnan(data), np.isnan(expected))
    np.testing.assert_allclose(data, expected, rtol=3e-6)


@pytest.mark.parametrize("pixfrac", [1.0, 0.7, 0.3])
@pytest.mark.parametrize("angle", [0.0, 17.0, 135.0])
@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_the_square_kernel_is_the_librarys(angle, pixfrac, scale):
    pixmap = pixel_map(distorted(angle, scale), SHAPE, same)
    members = [(*made(), pixmap)]
    agree(drizzled(members, make_kernel("square", pixfrac)), library(members, pixfrac=pixfrac))


def test_a_mirrored_image_is_drizzled_as_the_library_does():
    forward = distorted(30)
    pixmap = pixel_map(lambda x, y: forward(109 - x, y), SHAPE, same)
    members = [(*made(), pixmap)]
    agree(drizzled(members, make_kernel()), library(members))


def test_finer_pixels_are_drizzled_as_the_library_does():
    pixmap = pixel_map(distorted(40, 2.0, (95, 85)), SHAPE, same)
    members = [(*made(), pixmap)]
    agree(drizzled(members, make_kernel()), library(members, ratio=0.5), margin=5)


def test_several_members_are_drizzled_as_the_library_does():
    members = [(*made(seed), pixel_map(distorted(20 * seed, 0.8 + 0.1 * seed), SHAPE, same)) for seed in range(3)]
    agree(drizzled(members, make_kernel()), library(members))


@pytest.mark.filterwarnings("ignore:Kernel")
@pytest.mark.parametrize("name", ["point", "turbo", "gaussian", "lanczos2", "lanczos3"])
@pytest.mark.parametrize("ratio", [1.0, 0.6])
def test_the_other_kernels_are_the_librarys(name, ratio):
    pixmap = pixel_map(distorted(25, 0.8 / ratio**0.5), SHAPE, same)
    members = [(*made(), pixmap)]
    pixfrac = 0.8 if name in ("turbo", "gaussian") else 1.0
    ours, theirs = drizzled(members, make_kernel(name, pixfrac, ratio)), library(members, name, pixfrac, ratio)
    if not name.startswith("lanczos"):
        agree(ours, theirs, margin=6)
        return
    # weights of both signs cancel at the edges of the member
    np.testing.assert_allclose(ours[1], theirs[1], rtol=0, atol=1e-6 * theirs[1].max())
    well = theirs[1] > 0.1 * theirs[1].max()
    assert np.count_nonzero(well) > 5000
    np.testing.assert_allclose(ours[0][well], theirs[0][well], rtol=3e-6, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Kernel")
@pytest.mark.parametrize("name", KERNELS)
def test_flags_go_where_the_light_goes(name):
    """The flags of every pixel with weight, in every output pixel that it gives to; in bands, too."""
    data, weight = made()
    rng = np.random.default_rng(5)
    dq = np.where(rng.random(SHAPE) < 0.1, 1 << rng.integers(0, 32, SHAPE), 0).astype(np.uint32)
    pixmap, kernel = pixel_map(distorted(), SHAPE, same), make_kernel(name, 0.8)
    drizzle = Drizzle(kernel=name, fillval="NaN", out_shape=OUT)
    grid = np.stack(pixmap.evaluate(), axis=-1)
    drizzle.add_image(data, 1.0, grid, pixel_scale_ratio=1.0, weight_map=weight, pixfrac=0.8, dq=dq)
    planes = MemberPlanes(data, weight, dq=dq)
    bands = [drizzle_band(planes, pixmap, rows, WHOLE[1], kernel) for rows in band_rows(OUT, 40)]
    found = np.concatenate([band.flags for band in bands])
    assert not np.any(found & ~drizzle.out_dq)
    # the library's Lanczos of order 3 does not quite vanish at its end
    assert np.count_nonzero(found != drizzle.out_dq) <= (0.002 * found.size if name == "lanczos3" else 0)
    assert np.bitwise_count(np.bitwise_or.reduce(found, axis=None)) > 28 and 0.02 < (found != 0).mean() < 0.9
    assert not drizzle_band(planes._replace(dq=None), pixmap, *WHOLE, kernel).flags.size


def test_bands_do_not_matter():
    members = [(*made(), pixel_map(distorted(50), SHAPE, same))]
    whole = drizzled(members, make_kernel(), 1000)
    for height in (1, 7, 64):
        for one, other in zip(drizzled(members, make_kernel(), height), whole, strict=True):
            np.testing.assert_array_equal(one, other)


def test_weight_is_conserved():
    _, weight = made()
    pixmap = pixel_map(distorted(33, 0.9), SHAPE, same)
    band = drizzle_band(MemberPlanes(np.ones(SHAPE, np.float32), weight), pixmap, *WHOLE, make_kernel())
    assert band.lanes[..., 0].sum(dtype=float) == pytest.approx(weight.sum(dtype=float), rel=1e-6)


def test_columns_and_touched():
    data, weight = made()
    pixmap = pixel_map(distorted(33, 0.5), SHAPE, same)
    rows, columns = touched(pixmap, OUT, make_kernel())
    assert columns.stop - columns.start < 100
    full = drizzle_band(MemberPlanes(data, weight), pixmap, *WHOLE, make_kernel()).lanes
    part = drizzle_band(MemberPlanes(data, weight), pixmap, rows, columns, make_kernel()).lanes
    np.testing.assert_array_equal(full[rows, columns], part)
    assert np.count_nonzero(full[..., 0]) == np.count_nonzero(part[..., 0])
    beside = pixel_map(distorted(33, 0.5, (900, 900)), SHAPE, same)
    assert touched(beside, OUT, make_kernel())[1] == slice(0, 0)


def test_wanted_pixels_have_their_full_sums():
    data, weight = made()
    pixmap = pixel_map(distorted(12), SHAPE, same)
    wanted = np.random.default_rng(5).random(OUT) < 0.01
    for name in ("square", "gaussian"):
        kernel = make_kernel(name)
        full = drizzle_band(MemberPlanes(data, weight), pixmap, *WHOLE, kernel).lanes
        part = drizzle_band(MemberPlanes(data, weight), pixmap, *WHOLE, kernel, wanted=wanted).lanes
        np.testing.assert_array_equal(part[wanted], full[wanted])
        assert np.count_nonzero(part[..., 0]) < 0.6 * np.count_nonzero(full[..., 0])


def test_frame_edges_are_filled():
    """The library leaves out input pixels that straddle the frame; we drizzle them all."""
    data, weight = made()
    pixmap = pixel_map(distorted(20, 2.6), SHAPE, same)
    band = drizzle_band(MemberPlanes(data, np.ones_like(weight)), pixmap, *WHOLE, make_kernel())
    inside = band.lanes[..., 0][10:-10, 10:-10]
    assert inside.min() > 0.1
    assert band.lanes[0, 70:120, 0].min() > 0.9 * inside.min()


def test_not_a_number_in_the_map():
    forward = distorted()

    def half(x, y):
        u, v = forward(x, y)
        return np.where(np.asarray(x) < 80, u, np.nan), v

    pixmap = pixel_map(half, SHAPE, same)
    band = drizzle_band(MemberPlanes(*made()), pixmap, *WHOLE, make_kernel())
    assert 0.2 < np.count_nonzero(band.lanes[..., 0]) / SHAPE[0] / SHAPE[1] < 0.7


def test_a_kernel_that_is_none_is_refused():
    with pytest.raises(UsageError, match="tophat"):
        make_kernel("tophat")
    with pytest.raises(UsageError, match="pixfrac"):
        make_kernel(pixfrac=1.5)
    with pytest.raises(UsageError, match="ratio"):
        make_kernel(ratio=float("nan"))
    assert make_kernel("square", 0.0).name == "point"
