"""Sky matching: the documentation's example, steps that must be found, images that are hard to say anything about."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.mosaic.grid.footprint import outline
from rtools.mosaic.options import parse_skymatch
from rtools.mosaic.sky.cells import pixel_finder, sky_cells, source_blocks
from rtools.mosaic.sky.pairs import overlap_values, points_of
from rtools.mosaic.sky.sky import background, check_background, match_cells, match_pairs, sky_levels
from rtools.mosaic.sky.statistics import KINDS, SkyStatistic, sky_value
from rtools.mosaic.steps.skymatch import METHODS
from rtools.mosaic.steps.skymatch import STEP as SKYMATCH
from rtools.work import Work
from tests.support.skies import DOCS, docs_mosaic, plane, sky_scene, to_sky

pytestmark = pytest.mark.slow


def reduced(images, **options):
    return [sky_cells(data, good, to_sky(wcs), whole=True, **options) for data, good, wcs in images]


def paired(images, points=8, **options):
    outlines = []
    for data, _, wcs in images:
        edges = [(-0.5, side - 0.5) for side in data.shape[::-1]]
        outlines.append(to_sky(wcs)(*outline(*edges, points=points)))
    found = [
        overlap_values(data, good, to_sky(wcs), outlines, index, **options)
        for index, (data, good, wcs) in enumerate(images)
    ]
    return match_pairs(*(np.array(each) for each in zip(*found, strict=True)))


def solved(images, method, pairs, **options):
    cells = reduced(images)
    matched = match_cells(cells) if pairs == "cells" else paired(images)
    return sky_levels(matched, [each.whole for each in cells], method, **options).level


@pytest.mark.slow
@pytest.mark.parametrize("pairs", ["cells", "exact"])
def test_the_documentation_example(pairs):
    images = docs_mosaic(DOCS)
    assert solved(images, "match", pairs) == pytest.approx([0, 20, 5, 10, 5, 15], abs=1e-6)
    assert solved(images, "match", pairs, match_down=False) == pytest.approx([-20, 0, -15, -10, -15, -5], abs=1e-6)
    assert solved(images, "global", pairs) == pytest.approx([100] * 6)
    assert solved(images, "local", pairs) == pytest.approx(DOCS)
    assert solved(images, "global+match", pairs) == pytest.approx(DOCS, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("pairs", ["cells", "exact"])
def test_two_mosaics_that_do_not_touch(pairs):
    images = docs_mosaic((100, 120, 105, 110), columns=2) + docs_mosaic((95, 90, 100), at=(3000, 100))
    assert solved(images, "match", pairs) == pytest.approx([0, 20, 5, 10, 8.75, 3.75, 13.75], abs=1e-6)
    wanted = [86.25, 106.25, 91.25, 96.25, 95, 90, 100]
    assert solved(images, "global+match", pairs) == pytest.approx(wanted, abs=1e-6)
    cells = match_cells(reduced(images))
    assert len(set(cells.group[:4])) == len(set(cells.group[4:])) == 1
    assert cells.group[0] != cells.group[-1]


SHAPE = (1000, 960)
PLACES = [(0, 0, 0.0), (420, 60, 10.0), (30, 500, -33.0), (430, 480, 90.0)]
STEPS = np.array([0.0, 0.05, 0.2, 0.11])


def dithers(levels, **options):
    """Images of one sky at `PLACES` with some bad pixels."""
    made = []
    for k, ((x, y, angle), level) in enumerate(zip(PLACES, levels, strict=True)):
        wcs = plane(x, y, SHAPE, angle=angle)
        data = sky_scene(wcs, SHAPE, seed=k, level=level, **options)
        good = np.random.default_rng(50 + k).random(SHAPE) > 0.01
        data[~good] = 1e6
        data[k, ::7] = np.nan
        made.append((data, good, wcs))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("pairs", ["cells", "exact"])
def test_steps_of_a_sky_with_sources(pairs):
    """Steps of 5 to 20 % of a sky of 1, noise 0.05, some 10⁵ pixels in an overlap."""
    found = solved(dithers(1 + STEPS), "match", pairs)
    # Of the mean of 10⁵ pixels with this noise; the smallest step's 1 %.
    assert found == pytest.approx(STEPS, abs=5e-4 if pairs == "cells" else 1.5e-3)


PEER = {
    "mean": ([0.0, 0.049885, 0.199968, 0.109939], 1.000157),
    "median": ([0.0, 0.049893, 0.200005, 0.109924], 1.000131),
    "mode": ([0.0, 0.051498, 0.198686, 0.111579], 0.996368),
    "midpt": ([0.0, 0.049413, 0.199929, 0.109743], 0.997895),
}
"""Levels by stcal 1.20.0 of the same images: match, and what global+match adds."""


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_as_the_peer(kind):
    """Outlines of four corners, no sources masked; pixels on the edges of overlaps may differ."""
    images, statistic = dithers(1 + STEPS), SkyStatistic(kind)
    matched = paired(images, points=1, statistic=statistic)
    whole = [sky_value(data[good], statistic).value for data, good, _ in images]
    level, more = PEER[kind]
    assert sky_levels(matched, None, "match").level == pytest.approx(level, abs=1e-4 if kind == "mode" else 1e-5)
    both = sky_levels(matched, whole, "global+match").level
    assert both == pytest.approx(np.add(level, more), abs=1e-4 if kind == "mode" else 1e-5)


@pytest.mark.slow
def test_errors_are_those_of_the_levels():
    """Pulls of the levels over several skies have a standard deviation of 1."""
    pulls = []
    for trial in range(12):
        images = []
        for k, (x, y, angle) in enumerate(PLACES):
            wcs = plane(x, y, (400, 380), angle=angle) if k else plane(300, 300, (400, 380))
            data = np.random.default_rng(100 * trial + k).normal(STEPS[k], 0.05, (400, 380)).astype(np.float32)
            images.append((data, np.ones(data.shape, bool), wcs))
        found = match_cells(reduced(images))
        pulls.append((found.level - found.level.mean() - STEPS + STEPS.mean()) / found.error)
    assert 0.6 < np.std(pulls) < 1.4


def test_sources_are_left_out():
    data, good, wcs = dithers(1 + STEPS, stars=1500)[0]
    plain = sky_cells(data, good, to_sky(wcs), mask_sources=False)
    masked = sky_cells(data, good, to_sky(wcs))
    assert masked.count.sum() < 0.95 * plain.count.sum()
    assert np.mean(masked.level) - 1 < 0.5 * (np.mean(plain.level) - 1)
    blocks = source_blocks(data, good)
    assert blocks.shape == (250, 240)
    bright = np.argwhere((data > 1.5) & good)
    assert blocks[tuple(bright.T // 4)].mean() > 0.95


def test_cells_share_out_the_pixels():
    """Every pixel belongs to one cell, but for shreds of cells at the edges."""
    wcs = plane(100, -30, (500, 470), angle=27)
    data = np.arange(500 * 470, dtype=np.float32).reshape(500, 470) * 1e-5
    cells = sky_cells(data, np.ones(data.shape, bool), to_sky(wcs), mask_sources=False, statistic=mean(nclip=0))
    assert cells.count.sum() <= data.size
    assert cells.count.sum() > 0.99 * data.size
    assert (cells.level * cells.count).sum() / cells.count.sum() == pytest.approx(data.mean(), rel=0.01)
    assert np.all(np.diff(cells.cells) > 0)


def mean(**options):
    return SkyStatistic("mean", **options)


def test_two_images_see_the_same_cell():
    """A sky as steep as 0.11 a pixel: its mean in a cell is the same in a turned image, to half a pixel."""
    found = []
    for angle in (0, 40):
        wcs = plane(0, 0, (600, 600), angle=angle)
        yy, xx = np.mgrid[:600, :600]
        data = wcs.all_pix2world(xx, yy, 0)[1].astype(float)
        data = ((data - 2) * 3600).astype(np.float32)
        found.append(sky_cells(data, np.ones(data.shape, bool), to_sky(wcs), mask_sources=False, statistic=mean()))
    _, first, second = np.intersect1d(found[0].cells, found[1].cells, return_indices=True)
    whole = (found[0].count[first] > 3300) & (found[1].count[second] > 3300)
    assert np.count_nonzero(whole) > 40
    assert np.abs(found[0].level[first] - found[1].level[second])[whole].max() < 0.055


@pytest.mark.slow
@pytest.mark.parametrize("centre", [(0.0, 0.0), (359.999, 41.8), (45.0, 89.999), (10.0, -90.0)])
def test_anywhere_on_the_sky(centre):
    images = []
    for k, at in enumerate([0, 150]):
        data = np.random.default_rng(k).normal(k, 0.01, (400, 400)).astype(np.float32)
        images.append((data, np.ones(data.shape, bool), plane(at, 0, (400, 400), centre=centre)))
    assert solved(images, "match", "cells") == pytest.approx([0, 1], abs=1e-3)
    assert solved(images, "match", "exact") == pytest.approx([0, 1], abs=1e-3)
    find = pixel_finder(to_sky(images[1][2]), (400, 400))
    x, y = np.random.default_rng(3).uniform(0, 400, (2, 100))
    assert find(*to_sky(images[1][2])(x, y)) == pytest.approx(np.array([x, y]), abs=1e-3)


def test_outlying_cells_do_not_matter():
    cells = reduced(dithers(1 + STEPS))
    clean = match_cells(cells).level
    for each in cells[:2]:
        each.level[::9] += 30
    assert match_cells(cells).level == pytest.approx(clean, abs=5e-4)


@pytest.mark.slow
def test_images_without_a_level():
    """Alone, all bad, and a pair beside them."""
    images = docs_mosaic((100, 120), columns=2)
    images.append((*docs_mosaic((7,))[0][:2], plane(5000, 5000, (200, 220))))
    bad = docs_mosaic((50,))[0]
    images.append((bad[0], ~bad[1], bad[2]))
    for pairs in ("cells", "exact"):
        assert solved(images, "match", pairs) == pytest.approx([0, 20, np.nan, np.nan], nan_ok=True)
        assert solved(images, "local", pairs) == pytest.approx([100, 120, 7, np.nan], nan_ok=True)
        assert solved(images, "global", pairs) == pytest.approx([7, 7, 7, np.nan], nan_ok=True)
        assert solved(images, "global+match", pairs) == pytest.approx([7, 27, 7, np.nan], nan_ok=True)


@pytest.mark.parametrize("images", [0, 1])
def test_fewer_than_two(images):
    for pairs in ("cells", "exact"):
        few = docs_mosaic(DOCS[:images])
        assert np.isnan(match_cells(reduced(few)).level).all()
        assert len(match_cells(reduced(few)).level) == images
        if images:
            assert np.isnan(solved(few, "match", pairs)).all()
            assert solved(few, "global+match", pairs) == pytest.approx([100])


def test_joining_a_mosaic():
    """Others take the level of the one that they join; those that do not touch it have none."""
    images = docs_mosaic(DOCS) + docs_mosaic((50, 60), at=(3000, 0), columns=2)
    matched = match_cells(reduced(images))
    level = sky_levels(matched, None, "match", anchor=1).level
    assert level == pytest.approx([-20, 0, -15, -10, -15, -5, np.nan, np.nan], abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_statistic_finds_the_steps(kind):
    images = dithers(1 + STEPS, stars=40)
    found = sky_levels(match_cells(reduced(images, statistic=SkyStatistic(kind))), None, "match").level
    assert found == pytest.approx(STEPS, abs=1e-2 if kind == "mode" else 1e-3)


def test_the_same_bits_for_any_number_of_threads():
    data, good, wcs = dithers(1 + STEPS)[1]
    one, three = (sky_cells(data, good, to_sky(wcs), work=Work(threads), whole=True) for threads in (1, 3))
    for first, second in zip(one, three, strict=True):
        assert np.array_equal(first, second)


def test_overlap_is_filled_as_the_peer_does():
    """Pixels between the whole-numbered vertices, both ends included: a shift by whole pixels."""
    images = [(np.ones((50, 60), np.float32), np.ones((50, 60), bool), plane(x, 0, (50, 60))) for x in (0, 20)]
    edges = (-0.5, 59.5), (-0.5, 49.5)
    outlines = [to_sky(wcs)(*outline(*edges, points=1)) for _, _, wcs in images]
    values, pixels = overlap_values(*images[0][:2], to_sky(images[0][2]), outlines, 0)
    assert np.isnan(values[0]) and values[1] == 1
    assert 40 * 50 <= pixels[1] <= 41 * 50


def test_points_of_outlines():
    assert points_of((4088, 4088)) >= 4
    assert points_of((4088, 4088), 10000) == 1
    assert points_of((4088, 4088), 1000) == 4


def test_the_background_block_says_level_method_and_status():
    assert background(0.25, "match") == ({"level": 0.25, "method": "match", "subtracted": False}, "COMPLETE")
    assert background(np.nan, "global") == ({"level": 0.0, "method": "global", "subtracted": False}, "SKIPPED")
    assert background(1.0, "match", subtract=True)[0]["subtracted"] is True


def test_backgrounds_that_cannot_go_on():
    check_background({}, True)
    check_background({"background": {"level": 0.3, "subtracted": False}}, True)
    check_background({"background": {"level": 0.3, "subtracted": True}}, False)
    with pytest.raises(InputError, match="not which"):
        check_background({"background": {"level": None, "subtracted": True}}, False)
    with pytest.raises(InputError, match="has been subtracted"):
        check_background({"background": {"level": 0.3, "subtracted": True}}, True)


def test_options_are_those_of_the_statistic():
    options = SKYMATCH.defaults() | {"statistic": "midpt", "lower": 0.5, "usigma": 3.0}
    parsed = parse_skymatch(options)
    assert parsed.statistic == SkyStatistic("midpt", lower=0.5, usigma=3.0)
    assert (parsed.bad_bits, parsed.exact, parsed.subtract) == (1, False, False)
    assert options["method"] in METHODS and options["pairs"] == "cells" and not options["subtract"]
