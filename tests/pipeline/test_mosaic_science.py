"""The science of mosaics in small: light of stars, scatter, outliers, sky steps. At full size: tests/validation."""

import numpy as np
import pytest

from tests.support.dithers import FACTOR, GAIN_TIME, READ, SIZE, SKY, exposure, place, stars, truth
from tests.support.runs import done, meta
from tests.validation.mosaic_measures import (
    array_of,
    box_pulls,
    copy_of,
    mosaic,
    node_of,
    outliers,
    pixel_areas,
    star_sums,
    white_noise,
)

pytestmark = pytest.mark.slow

HALF = {"scale_ratio": 0.5}
RADIUS = 0.6, 1.2


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Four exposures without noise, flags, or steps of the sky."""
    directory, paths = tmp_path_factory.mktemp("clean"), []
    for number in range(4):
        path = exposure(directory / f"n{number}_cal.asdf", number, profile="1.5.0", hit=False, noise=False)
        data = truth(place(number)[0]).astype(np.float32)
        dq = np.zeros(data.shape, np.uint32)
        variance = (data * GAIN_TIME / 140).astype(np.float32)
        paths.append(copy_of(path, directory / f"{number}_cal.asdf", data=data, dq=dq, var_poisson=variance))
    return paths


def isolated(files):
    """Stars with no other near."""
    ra, dec, _peak = stars()
    east = (ra - ra[:, None]) * np.cos(np.deg2rad(dec)) * 3600
    apart = np.hypot(east, (dec - dec[:, None]) * 3600) + 99 * np.eye(len(ra))
    inside = np.ones(len(ra), bool)
    for file in files:
        x, y = node_of(file).invert(ra, dec, with_bounding_box=False)
        inside &= (np.minimum(x, y) > 22) & (np.maximum(x, y) < SIZE - 23)
    kept = inside & (apart.min(axis=1) > 1.6)
    return ra[kept], dec[kept]


def light(files, at):
    """Mean over images of Σ data × local area, MJy."""
    sums = [star_sums(array_of(file), node_of(file), *at, radius=RADIUS, sky=SKY) for file in files]
    return FACTOR * np.mean(sums, axis=0)


@pytest.mark.parametrize("count, grid", [(1, {"scale_ratio": 1.0}), (1, HALF), (4, HALF)])
def test_light_of_stars_is_kept(clean, count, grid):
    """Σ mosaic × its pixels' areas is Σ L2 × the local areas of its pixels, star by star."""
    at = isolated(clean[:count])
    found, wcs, _ = mosaic(clean[:count], grid, planes="data")
    sums = star_sums(found["data"], wcs, *at, radius=RADIUS, sky=FACTOR * SKY)
    assert len(sums) >= 3
    np.testing.assert_allclose(sums, light(clean[:count], at), rtol=1e-3)


def test_weights_that_follow_the_light_do_not_keep_it(clean):
    """Read-noise variances that grow with the signal, as those of ramps do, weigh stars down; exposure times do not."""
    noise = (READ**2 * (1 + array_of(clean[0]))).astype(np.float32)
    at, loss = isolated(clean[:1]), {}
    for kind in ("ivm", "exptime"):
        how = {"replaced": [{"var_rnoise": noise}], "planes": "data", "weight_type": kind}
        found, wcs, _ = mosaic(clean[:1], {"scale_ratio": 1.0}, **how)
        loss[kind] = 1 - star_sums(found["data"], wcs, *at, radius=RADIUS, sky=FACTOR * SKY) / light(clean[:1], at)
    assert np.abs(loss["exptime"]).max() < 1e-3
    assert np.median(loss["ivm"]) > 0.01


def test_areas_of_pixels(clean):
    """Those of the WCS, against the determinant of its derivative."""
    wcs, step = node_of(clean[0]), 10.0
    ra, dec = wcs(np.array([100 - step, 100 + step, 100, 100]), np.array([50, 50, 50 - step, 50 + step]))
    ra = ra * np.cos(np.deg2rad(dec.mean()))
    jacobian = np.array([[ra[1] - ra[0], ra[3] - ra[2]], [dec[1] - dec[0], dec[3] - dec[2]]]) / (2 * step)
    expected = abs(np.linalg.det(np.deg2rad(jacobian)))
    assert pixel_areas(wcs, [100.0], [50.0])[0, 0] == pytest.approx(expected, rel=1e-4)


def noisy(files, seed):
    """White noise on the data of images, as `mosaic` takes them."""
    return [{"data": white_noise(file, array_of(file), 10 * seed + number)} for number, file in enumerate(files)]


@pytest.mark.parametrize("count, pixfrac", [(1, 1.0), (4, 1.0), (4, 0.8)])
def test_scatter_of_boxes_is_as_err_says(clean, count, pixfrac):
    """Against the same drizzle of the truth, in boxes of ten pixels of the exposures."""
    files, pulls = clean[:count], []
    expected = mosaic(files, HALF, planes="data", pixfrac=pixfrac)[0]
    for seed in range(3):
        found, _, ratio = mosaic(files, HALF, replaced=noisy(files, seed), planes="data,err", pixfrac=pixfrac)
        assert np.array_equal(found["weight"], expected["weight"])
        full = np.bitwise_count(found["context"][0]) == count
        pulls.append(box_pulls(found["data"] - expected["data"], found["err"], round(10 / ratio), full))
    pulls = np.concatenate(pulls)
    assert len(pulls) > 200
    assert pulls.std() == pytest.approx(1, abs=0.1)
    assert abs(pulls.mean()) < 4 / np.sqrt(len(pulls))


HEIGHTS = (4, 10, 30)


@pytest.mark.parametrize("count, least", [(2, (0, 0.5, 0.9)), (4, (0, 0.85, 0.95))])
def test_hits_are_found_by_their_height(clean, count, least, tmp_path):
    """Single pixels of so many errors, on the sky between stars; little else is flagged."""
    files, images, hits = clean[:count], noisy(clean[:count], 7), []
    for number, (file, image) in enumerate(zip(files, images, strict=True)):
        rng, height = np.random.default_rng(number), np.zeros(image["data"].shape, np.float32)
        places = rng.choice(np.flatnonzero(truth(place(number)[0]) < 0.45), 600, replace=False)
        height.reshape(-1)[places] = np.resize(HEIGHTS, len(places))
        image["data"] += height * array_of(file, "err")
        hits.append(height)
    found = outliers(files, {}, tmp_path, replaced=images)
    total, good, wrong, looked = np.zeros(3), np.zeros(3), 0, 0
    for flags, height in zip(found, hits, strict=True):
        inside = np.zeros(flags.shape, bool)
        inside[45:-45, 45:-45] = True
        near = sum(np.roll(height > 0, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)) > 0
        wrong, looked = wrong + (flags & inside & ~near).sum(), looked + (inside & ~near).sum()
        for k, value in enumerate(HEIGHTS):
            total[k] += (inside & (height == value)).sum()
            good[k] += (flags & inside & (height == value)).sum()
    assert np.all(total > 50)
    assert np.all(good >= np.array(least) * total)
    assert good[0] < 0.6 * total[0]
    assert wrong < 5e-3 * looked


def test_steps_of_the_sky_are_found(clean, tmp_path):
    """Steps of 5 to 20 % are found to a hundredth of themselves, against what is found without them."""
    steps, levels = np.median(array_of(clean[0])) * np.array([0, 0.05, 0.2, 0.1]), []
    images = noisy(clean, 3)
    for added in (0 * steps, steps):
        files = [copy_of(file, tmp_path / f"{number}_cal.asdf", data=image["data"] + np.float32(step))
                 for number, (file, image, step) in enumerate(zip(clean, images, added, strict=True))]  # fmt: skip
        done("skymatch", *files, "--outdir", tmp_path / "out", "--overwrite")
        found = [meta(tmp_path / "out" / f"{number}_skymatch.asdf")["background"]["level"] for number in range(4)]
        levels.append(np.array(found) - found[0])
    np.testing.assert_allclose((levels[1] - levels[0])[1:], FACTOR * steps[1:], rtol=0.01)
