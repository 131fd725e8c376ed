"""Pictures of several detectors and arrays: places in the focal plane, limits of panels."""

import weakref

import numpy as np
import pytest
from PIL import Image

from rtools.products.opening import open_any
from rtools.show.focal_plane import DOT, load_focal_plane
from rtools.show.names import shown_name
from rtools.show.panels import plot_panels
from rtools.show.wishes import Wishes
from rtools.wfi import aperture, pixel_to_v2v3, v2v3_to_ideal
from tests.support.samples import wcs
from tests.support.small_files import tool, write

SIDE = 200


def part_of(path, detector, first, value, step=0.0, **more):
    """A piece of a detector's image, of one value."""
    cutout = {"filename": "whole_cal.asdf", "columns": [first, first + SIDE], "rows": [first, first + SIDE]}
    data = np.full((SIDE, SIDE), value, "f4")
    data[0] += step
    parts = {"data": data, "err": data / 10, "dq": np.zeros((SIDE, SIDE), "u4")}
    instrument = {"detector": detector, "optical_element": "F158", "name": "WFI"}
    return write(path, "l2_image", parts, instrument=instrument, rtools={"cutout": cutout},
                 filename="r01_0001_wfi_f158_cal.asdf", **more)  # fmt: skip


def test_each_detector_lies_at_its_place_in_the_focal_plane(tmp_path):
    asked = {"WFI01": (100, 3.0), "WFI09": (3500, 5.0), "WFI16": (2000, 7.0)}
    for name, (first, value) in asked.items():
        part_of(tmp_path / f"{name}_cal.asdf", name, first, value)
    products = [open_any(tmp_path / f"{name}_cal.asdf") for name in asked]
    found = load_focal_plane(products, Wishes(), lambda *_: None)
    for product in products:
        product.close()
    assert found.there == asked.keys()
    assert len(found.outlines) == 18
    for name, (first, value) in asked.items():
        middle = first + (SIDE - 1) / 2
        x, y = v2v3_to_ideal(aperture("WFI_CEN"), *pixel_to_v2v3(name, middle, middle))
        rows, columns = np.nonzero(found.image.data == value)
        assert abs(found.extent[0] + (columns.mean() + 0.5) * DOT - x) < DOT
        assert abs(found.extent[2] + (rows.mean() + 0.5) * DOT - y) < DOT
        assert len(rows) == pytest.approx((SIDE * 0.11 / DOT) ** 2, rel=0.15)


@pytest.mark.slow
def test_the_focal_plane_shows_north_and_refuses_two_images_of_a_detector(tmp_path, capsys):
    one, two = (part_of(tmp_path / f"{n}_cal.asdf", "WFI02", 500, n, wcs=wcs()) for n in (1.0, 2.0))
    assert tool("view", one, "--focal-plane", "--compass", "-o", tmp_path / "f.png") == 0
    with Image.open(tmp_path / "f.png") as made:
        assert made.width > 1500
    assert tool("view", one, two, "--focal-plane", "-o", tmp_path / "g.png") == 3
    assert "two images of WFI02" in capsys.readouterr().err
    assert tool("view", one, "--focal-plane") == 2
    assert tool("view", one, "--focal-plane", "--panels", "-o", tmp_path / "g.png") == 2
    assert not (tmp_path / "g.png").exists()


def colour_limits(figure):
    return [axes.images[0].norm.vmax for axes in figure.axes if axes.images and axes.get_xlabel() == "x [pixel]"]


def test_panels_of_one_array_share_their_limits_unless_each_has_its_own(tmp_path):
    paths = [part_of(tmp_path / f"{n}_cal.asdf", "WFI02", 500, n, n) for n in (1.0, 9.0)]
    products = [open_any(path) for path in paths]
    wishes = Wishes(array="data,err", stretch="linear", limits="minmax")
    shared = colour_limits(plot_panels(products, wishes, lambda *_: None))
    own = colour_limits(plot_panels(products, wishes, lambda *_: None, each=True))
    for product in products:
        product.close()
    assert len(shared) == len(own) == 4
    assert shared[0] == shared[2]
    assert shared[1] == shared[3] != shared[0]
    assert own[0] < own[2]


@pytest.mark.slow
def test_panels_are_a_picture_of_several_images(tmp_path, capsys):
    path = part_of(tmp_path / "a_cal.asdf", "WFI02", 500, 1.0)
    assert tool("view", path, "--panels", "--array", "data,err,dq", "-o", tmp_path / "p.png") == 0
    assert tool("view", path, "--panels", "-o", tmp_path / "q.png") == 2
    assert tool("view", path, "--each", "-o", tmp_path / "q.png") == 2
    assert "--each goes with --panels" in capsys.readouterr().err


def test_no_more_than_one_image_of_many_panels_is_in_memory(tmp_path, monkeypatch):
    from rtools.show import panels

    load, seen = panels.load_shown, []

    def watched(*args):
        assert not any(one() is not None for one in seen)
        image = load(*args)
        seen.append(weakref.ref(image))
        return image

    monkeypatch.setattr(panels, "load_shown", watched)
    part_of(tmp_path / "a_cal.asdf", "WFI02", 500, 1.0)
    with open_any(tmp_path / "a_cal.asdf") as product:
        plot_panels([product] * 3, Wishes(), lambda *_: None)
    assert len(seen) == 3


def test_a_picture_from_standard_input_says_so(tmp_path, monkeypatch):
    path = part_of(tmp_path / "a_cal.asdf", "WFI02", 500, 1.0)
    (tmp_path / "rtools-stream.asdf").write_bytes(path.read_bytes())
    with open_any(tmp_path / "rtools-stream.asdf") as product:
        assert shown_name(product) == "r01_0001_wfi_f158_cal.asdf"
        product.meta.pop("filename")
        figure = plot_panels([product] * 2, Wishes(), lambda *_: None)
    assert {axes.get_title() for axes in figure.axes if axes.get_title()} == {"standard input  data"}
