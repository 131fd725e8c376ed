"""Previews and thumbnails: names, sizes, looks."""

import numpy as np
from PIL import Image

from rtools.commands.kit.view_archive import archive_name
from tests.support.samples import wcs
from tests.support.small_files import tool, write


def image(path, **more):
    data = np.random.default_rng(3).normal(1, 0.1, (620, 640)).astype("f4")
    data[100:104, 200:204] = 50
    return write(path, "l2_image", {"data": data, "dq": np.zeros(data.shape, "u4")}, **more)


def test_previews_and_thumbnails_have_the_names_of_archives():
    assert archive_name("thumb", "d/r01_wfi01_f158_cal.asdf") == "r01_wfi01_f158_cal_thumb.png"
    assert archive_name("preview", "d/r01_wfi01_f158_cal.asdf") == "r01_wfi01_f158_cal_preview.png"
    assert archive_name("thumb", "jw01_cal.fits") == "jw01_cal_thumb.jpg"
    assert archive_name("preview", "jw01_cal.fits") == "jw01_cal.jpg"


def test_a_thumbnail_is_small_and_shows_sources_white(tmp_path, capsys):
    path = image(tmp_path / "a_cal.asdf")
    assert tool("view", path, "--thumb") == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "a_cal_thumb.png")
    with Image.open(tmp_path / "a_cal_thumb.png") as made:
        assert made.size == (214, 207)  # means of 3 x 3 pixels
        assert made.convert("RGB").getpixel((67, 207 - 1 - 34)) == (255, 255, 255)
    assert tool("view", path, "--thumb") == 1
    assert tool("view", path, "--thumb", "--preview", "--overwrite") == 2
    assert tool("view", path, "--thumb", "--panels", "--overwrite") == 2


def test_a_thumbnail_of_a_chart_is_small_too(tmp_path):
    node = {"F158": {"wavelength": np.linspace(1, 2, 9), "effective_area": np.ones(9), "photmjsr": 0.7,
                     "pixelareasr": 2.8e-13}}  # fmt: skip
    path = write(tmp_path / "roman_wfi_photom_0001.asdf", "reference/photom", {"phot_table": node}, reftype="PHOTOM")
    assert tool("view", path, "--thumb", "--outdir", tmp_path / "out") == 0
    with Image.open(tmp_path / "out" / "roman_wfi_photom_0001_thumb.png") as made:
        assert 200 < max(made.size) <= 300


def test_a_preview_has_a_compass_where_the_image_has_world_coordinates(tmp_path):
    plain, on_sky = image(tmp_path / "a_cal.asdf"), image(tmp_path / "b_cal.asdf", wcs=wcs())
    assert tool("view", plain, on_sky, "--preview", "--outdir", tmp_path / "out") == 0
    made = [Image.open(tmp_path / "out" / f"{name}_cal_preview.png").convert("RGB") for name in "ab"]
    assert [one.size for one in made] == [(640, 620)] * 2
    changed = np.any(np.asarray(made[0]) != np.asarray(made[1]), axis=2)
    assert 0.02 < changed.mean() < 0.2
    assert tool("view", plain, "--preview", "--cmap", "gray", "-o", tmp_path / "g.png") == 0
    with Image.open(tmp_path / "g.png") as grey:
        assert np.ptp(np.asarray(grey.convert("RGB")).astype(int), axis=2).max() == 0
