"""Pictures of several images: aligned by their world coordinates, in colour, blinking; compass and scale."""

import numpy as np
import pytest
from PIL import Image

from rtools.products.io import writer
from rtools.show.aligned import align_images, sample
from rtools.show.colour import lupton_colours
from rtools.show.compass_drawing import emptiest_corners
from rtools.show.image import ShownPlane
from tests.support.samples import arrays, meta, wcs
from tests.support.small_files import tool

RNG = np.random.default_rng(4)
SHAPE = (120, 160)


def stars(system, places, flux=50.0):
    """Stars at positions of the sky, of two pixels' width, on a noisy sky."""
    image = RNG.normal(1, 0.05, SHAPE)
    rows, columns = np.indices(SHAPE)
    for x, y in zip(*system.invert(*places, with_bounding_box=False), strict=True):
        image += flux * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    return image.astype("f4")


@pytest.fixture
def systems():
    """Two pointings that are 3″ from each other, with pixels of 0.11″."""
    return wcs(), wcs(ra=270.002, dec=66.0005)


@pytest.fixture
def places(systems):
    """Positions of four stars."""
    return systems[0](np.array([40, 70, 100, 75]), np.array([30, 80, 50, 20]))


def written(path, data, system):
    parts = {"data": data, "dq": np.zeros(SHAPE, "u4")}
    parts |= {name: array for name, array in arrays("l2_image").items() if name not in parts}
    writer.write_product(path, "l2_image", meta("l2_image") | {"wcs": system}, parts)
    return path


def test_stars_of_another_pointing_come_to_lie_on_those_of_the_first(systems, places):
    planes = [ShownPlane(stars(system, places), frame=SHAPE) for system in systems]
    one, two = align_images(planes, systems, 1000).planes
    known = np.isfinite(two)
    assert known.mean() > 0.6
    assert np.abs(one - two)[known].max() < 3.5
    assert np.abs(planes[0].data - planes[1].data).max() > 40


def test_images_on_both_sides_of_ra_0_are_as_large_as_elsewhere(systems):
    middle = float(systems[0](80.5, 60, with_bounding_box=False)[0])  # RA 0 lies between two pixels in the middle
    turned = wcs(ra=(270 - middle) % 360), wcs(ra=(270.002 - middle) % 360, dec=66.0005)
    for pair in (systems, turned):
        where = pair[0](np.array([40, 70, 100, 75]), np.array([30, 80, 50, 20]), with_bounding_box=False)
        shown = [ShownPlane(stars(system, where), frame=SHAPE) for system in pair]
        one, two = align_images(iter(shown), pair, 80).planes
        known = np.isfinite(two)
        assert known.mean() > 0.6
        assert np.abs(one - two)[known].max() < 10
        assert two[known].max() > 20


@pytest.mark.parametrize(("way", "words"), [
    (["-o", "c.png"], ["--stretch", "log"]), (["-o", "c.png"], ["--cmap", "gray"]),
    (["-o", "c.png"], ["--limits", "0,1"]),
    (["-o", "c.gif"], ["--grid"]), (["-o", "c.gif"], ["--compass"]), (["-o", "c.gif"], ["--scales", "1,1,1"]),
    (["-o", "c.gif"], ["--title", "T"]), (["-o", "c.gif"], ["--wcs", "0_cal.asdf"]),
    (["--panels", "-o", "c.png"], ["--scales", "1,1,1"]), (["--panels", "-o", "c.png"], ["--difference"]),
    (["--panels", "-o", "c.png"], ["--wcs", "0_cal.asdf"]), (["--html", "c.html"], ["--bare"]),
    (["--html", "c.html"], ["--dq", "HOT"]), (["--html", "c.html"], ["--segmentation", "0_cal.asdf"]),
    (["--html", "c.html"], ["--residuals", "0_cal.asdf"]), (["--focal-plane", "-o", "c.png"], ["--section", "0:9,0:9"]),
    (["-o", "c.png"], ["--width", "60"]),
])  # fmt: skip
def test_what_means_nothing_for_several_images_is_refused(tmp_path, systems, way, words, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        (tmp_path / f"{number}_cal.asdf").touch()  # refused before anything is read
    assert tool("view", "0_cal.asdf", "1_cal.asdf", "2_cal.asdf", *way, *words) == 2
    assert words[0] in capsys.readouterr().err
    assert not list(tmp_path.glob("c.*"))


def test_where_another_image_has_nothing_nothing_is_known():
    data = np.full((5, 5), 2.0)
    data[2, 2] = np.nan
    x, y = np.meshgrid([-1.0, 0.5, 2.0, 3.5], [0.0, 2.0])
    np.testing.assert_array_equal(sample(data, x, y), [[np.nan, 2, 2, 2], [np.nan, 2, np.nan, 2]])


def test_common_sources_are_white_and_single_ones_have_their_colour(systems, places):
    shared = [stars(systems[0], [axis[:3] for axis in places], flux) for flux in (10, 30, 90)]
    x, y = np.indices(SHAPE)[::-1]
    shared[0] += (5 * np.exp(-((x - 140) ** 2 + (y - 100) ** 2) / 8)).astype("f4")
    made = lupton_colours(shared).astype(int)
    assert np.ptp(made[30, 40]) < 40
    assert made[100, 140, 0] > made[100, 140, 1:].max() + 60
    shared[1][0, 0] = np.nan
    assert lupton_colours(shared)[0, 0].tolist() == [90, 90, 90]


def test_three_files_are_a_picture_in_colour_and_bare_is_as_large_as_the_image(tmp_path, systems, places, capsys):
    paths = [written(tmp_path / f"{n}_cal.asdf", stars(systems[n % 2], places), systems[n % 2]) for n in range(3)]
    assert tool("view", *paths, "--bare", "--compass", "-o", tmp_path / "c.png") == 0
    with Image.open(tmp_path / "c.png") as made:
        assert made.size == (480, 360)
        assert np.ptp(np.asarray(made.convert("RGB")).astype(int), axis=2).max() > 30
    assert capsys.readouterr().out.strip() == str(tmp_path / "c.png")
    assert tool("view", *paths, "-o", tmp_path / "c.png") == 1
    assert tool("view", *paths, "--scales", "1,2", "-o", tmp_path / "d.png") == 2
    assert tool("view", *paths, "--at", "1,1", "-o", tmp_path / "d.png") == 2
    assert tool("view", *paths[:2], "-o", tmp_path / "d.png") == 2
    assert not (tmp_path / "d.png").exists()


def test_images_elsewhere_on_the_sky_are_refused(tmp_path, systems, places, capsys):
    far = wcs(ra=10.0)
    paths = [written(tmp_path / f"{n}_cal.asdf", stars(systems[0], places), system) for n, system in
             enumerate((systems[0], systems[0], far))]  # fmt: skip
    assert tool("view", *paths, "-o", tmp_path / "c.png") == 3
    assert "lies elsewhere on the sky" in capsys.readouterr().err
    assert not (tmp_path / "c.png").exists()


def test_two_images_blink_with_their_difference(tmp_path, systems, places):
    paths = [written(tmp_path / f"{n}_cal.asdf", stars(systems[n], places), systems[n]) for n in range(2)]
    assert tool("view", *paths, "--blink", "--difference", "-o", tmp_path / "b.gif") == 0
    with Image.open(tmp_path / "b.gif") as made:
        assert made.n_frames == 3
        assert made.info["duration"] == 700
    assert tool("view", *paths, "--blink", "-o", tmp_path / "b.png") == 2
    assert tool("view", paths[0], "--blink", "-o", tmp_path / "c.gif") == 2


@pytest.mark.parametrize(("bright", "corners"), [
    ([], ("lower left", "lower right")), ([(10, 10)], ("lower right", "lower left")),
    ([(10, 10), (10, 150)], ("upper right", "upper left")),
    ([(10, 10), (10, 150), (110, 150)], ("upper left", "upper right")),
])  # fmt: skip
def test_compass_and_scale_stand_where_they_hide_no_source(bright, corners):
    data = RNG.normal(0, 1, SHAPE).astype("f4")
    for row, column in bright:
        data[row - 3 : row + 3, column - 3 : column + 3] += 500
    assert emptiest_corners(ShownPlane(data))[0] == corners[0]
    marked = np.array([[column for _row, column in bright], [row for row, _column in bright]], float)
    assert emptiest_corners(ShownPlane(data), marked.reshape(2, -1))[0] == corners[0]
