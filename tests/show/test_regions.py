"""Region files of DS9: read, brought to pixels, drawn; marks of sources by class."""

import contextlib
import random

import numpy as np
import pytest
from astropy.table import Table

from rtools.errors import InputError
from rtools.products.io import writer
from rtools.products.opening import open_any
from rtools.products.tables.regions import read_regions, write_regions
from rtools.show import plot
from rtools.show.image import ShownPlane
from rtools.show.overlay import load_classed
from rtools.show.region_shapes import load_regions, paint_regions
from rtools.show.view import load_overlays
from rtools.show.wishes import Wishes
from tests.support.samples import arrays, meta, wcs
from tests.support.share import some_long
from tests.support.small_files import tool

SKY = """# Region file format: DS9 version 4.1
global color=red font="helvetica 10 normal" width=1
fk5
circle(18:00:00,+66:00:00,1.1") # text={a; b} color=cyan
ellipse(270,66,0.001,0.0005,90) # text="tall"
-annulus(270.0d,66.0d,1",2")
galactic;point(95.7,29.6) # point=cross
image
box(11,21,4,2,0); line 1 1 3 1 # line=0 0
polygon(1,1,5,1,5,5)
# text(2,3) text={here}
panda(1,2,3,4)
"""


def written(path, text):
    path.write_text(text)
    return path


def test_shapes_and_properties_are_read(tmp_path):
    messages = []
    found = read_regions(written(tmp_path / "x.reg", SKY), messages)
    assert " ".join(one.shape for one in found) == "circle ellipse circle circle point box line polygon text"
    circle, ellipse, *rings, point, box, line, _polygon, text = found
    assert (circle.text, circle.colour, ellipse.text, ellipse.colour) == ("a; b", "cyan", "tall", "red")
    np.testing.assert_allclose(circle.places, [[270, 66]], atol=1e-5)
    assert circle.sizes == (pytest.approx(1.1 / 3600),)
    assert all(ring.excluded for ring in rings)
    assert point.sky
    assert not box.sky
    assert box.places.tolist() == [[10, 20]]  # DS9 counts from 1
    assert line.places.tolist() == [[0, 0], [2, 0]]
    assert text.text == "here"
    assert messages == ["shapes that are not read: 1 panda"]


@pytest.mark.parametrize("cases", some_long((40, 10_000), 1))
def test_a_damaged_region_file_is_read_or_refused(tmp_path, cases):
    letters, path = "()[]{};,#\"'+-.019eE:hmsdr \n\tfk5boxline\0é", tmp_path / "x.reg"
    choose = random.Random(7)
    for _case in range(cases):
        text = list(SKY)
        for _change in range(choose.randint(1, 6)):
            place = choose.randrange(len(text))
            text[place : place + choose.randint(0, 6)] = choose.choices(letters, k=choose.randint(0, 3))
        with contextlib.suppress(InputError):
            read_regions(written(path, "".join(text)))


@pytest.mark.parametrize("text", [
    "ra,dec\n1,2\n", "circle(1,2)", "circle(1,2,x)", "icrs\ncircle(10,95,1)", "polygon(1,2,3)", "circle(1,2,-3)",
    "icrs;circle(1e999,2,3)", "wcs\ncircle(1,2,3)", "ellipse(1,2,3)", "fk5\ncircle(1:x,2,3)",
])  # fmt: skip
def test_what_is_no_region_is_an_error_that_names_the_line(tmp_path, text):
    with pytest.raises(InputError, match="line"):
        read_regions(written(tmp_path / "x.reg", text))


def test_written_regions_read_back(tmp_path):
    table = Table({"ra": [270.1, 0.0001], "dec": [66.2, -89.0], "label": [7, 8]})
    (tmp_path / "x.reg").write_bytes(write_regions(table, []))
    found = read_regions(tmp_path / "x.reg")
    np.testing.assert_allclose([one.places[0] for one in found], [[270.1, 66.2], [0.0001, -89]], atol=1e-8)
    assert [one.text for one in found] == ["7", "8"]


def test_regions_on_the_sky_have_their_size_and_turn_in_pixels(tmp_path):
    system = wcs()
    path = written(tmp_path / "x.reg", 'icrs\ncircle(270,66,2.2")\nellipse(270,66,2.2",1.1",90)\ncircle(270,66,5i)')
    middle = np.array(system.invert(270.0, 66.0))
    circle, ellipse, pixels = (one.corners - middle for one in load_regions(path, system, []))
    np.testing.assert_allclose(np.hypot(*circle.T), 20, rtol=1e-4)
    np.testing.assert_allclose(np.hypot(*pixels.T), 5, rtol=1e-6)
    north = np.array(system.invert(270.0, 66.0 + 2.2 / 3600)) - middle
    assert np.hypot(*(ellipse - north).T).min() < 1e-3  # 90 degrees from west is north
    with pytest.raises(InputError, match="need a WCS"):
        load_regions(path, None, [])


def test_text_paints_the_lines_of_regions(tmp_path):
    path = written(tmp_path / "x.reg", "image\nbox(11,21,4,2,0)\nline(1,1,1e9,1)")
    painted = paint_regions(load_regions(path, None, []), ShownPlane(np.zeros((40, 30))))
    assert painted[0].all()
    assert painted[19:22, 8:13].sum() == 12
    assert painted[1:].sum() == 12


@pytest.fixture
def image(tmp_path):
    writer.write_product(tmp_path / "a_cal.asdf", "l2_image", meta("l2_image") | {"wcs": wcs()}, arrays("l2_image"))
    return tmp_path / "a_cal.asdf"


def test_sources_have_marks_by_class_and_flag(tmp_path, image):
    table = Table({"x": [1.0, 2, 3, 4], "y": [2.0, 2, 2, 2], "is_extended": [False, True, True, False],
                   "warning_flags": [0, 0, 1, 0]})  # fmt: skip
    table.write(tmp_path / "c.ecsv")
    with open_any(image) as product:
        _places, classes = load_classed(tmp_path / "c.ecsv", product)
        shown = ShownPlane(np.zeros((8, 8)))
        over = load_overlays(product, shown, Wishes(catalog=str(tmp_path / "c.ecsv")), lambda *_: None)
    assert classes.tolist() == [0, 1, 2, 0]
    figure = plot.plot_image(shown, **over)
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["point (2)", "extended (1)", "flagged (1)"]
    flagged = figure.axes[0].collections[2]
    assert flagged.get_offsets().tolist() == [[3, 2]]
    assert flagged.get_edgecolor()[0, 0] > flagged.get_edgecolor()[0, 1]


def test_regions_are_drawn_where_they_are(tmp_path, image, capsys):
    path = written(tmp_path / "x.reg", "image\npoint(4,6) # color=red text={$x_1}\npanda(1,1,1,1)")
    assert tool("view", image, "--regions", path, "-o", tmp_path / "p.png") == 0
    assert "not read: 1 panda" in capsys.readouterr().err
    assert tool("view", image, "--regions", path) == 0
    with open_any(image) as product:
        shown = ShownPlane(np.zeros((8, 8)))
        over = load_overlays(product, shown, Wishes(regions=str(path)), lambda *_: None)
    axes = plot.plot_image(shown, **over).axes[0]
    assert axes.lines[0].get_xydata().tolist() == [[3, 5]]
    assert axes.texts[0].get_text() == "$x_1"
    assert tool("view", image, "--regions", tmp_path / "none.reg") == 3
    assert tool("view", image, "--regions", path, "--html", tmp_path / "p.html") == 2
