"""rt-view: what stands where, in which colour; pictures; ramps and their lines."""

import json
import re

import numpy as np
import pytest
from matplotlib.contour import ContourSet

from rtools.errors import InputError, UsageError
from rtools.products.edit.wcs import load_wcs
from rtools.products.io import open_product, writer
from rtools.products.schema import layout, tags
from rtools.show import image as images
from rtools.show import overlay, plot, ramp, stretch, terminal
from rtools.wfi import dq
from tests.support.runs import meta, piped, tool
from tests.support.samples import arrays as sample_arrays
from tests.support.samples import meta as sample_meta
from tests.support.samples import wcs as sample_wcs

GROUND_TESTS = [kind for kind in layout.facts()["products"] if not any(tags.has(p, kind) for p in layout.PROFILES)]
KINDS = [
    kind
    for kind in layout.facts()["products"]
    if not kind.startswith("cat_") and kind not in ("segm_multiband", *GROUND_TESTS)
]
"""Those that are ASDF files and that the samples can make."""

PNG = b"\x89PNG\r\n"


def make_image(path, data, flags=None, wcs=None, **more):
    """An L2 image of given pixels."""
    parts = sample_arrays("l2_image")
    rows, columns = data.shape
    for name in ("data", "dq", "err", "var_poisson", "var_rnoise", "var_flat", "chisq", "dumo"):
        if name in parts:
            parts[name] = np.zeros((rows, columns), parts[name].dtype)
    parts["data"] = data.astype(np.float32)
    parts["dq"] = np.zeros(data.shape, np.uint32) if flags is None else flags.astype(np.uint32)
    made = sample_meta("l2_image") | {"wcs": wcs} | more
    writer.write_product(path, "l2_image", made, parts)
    return path


def make_ramp(path, data, groupdq=None):
    """A ramp of given resultants, one read each."""
    parts = sample_arrays("ramp")
    made = sample_meta("ramp")
    made["exposure"] |= {"read_pattern": [[n + 1] for n in range(len(data))], "frame_time": 3.0}
    parts["data"] = data.astype(np.float32)
    parts["groupdq"] = np.zeros(data.shape, np.uint8) if groupdq is None else groupdq
    parts["pixeldq"] = np.zeros(data.shape[1:], np.uint32)
    writer.write_product(path, "ramp", made, parts)
    return path


def shown(data, **more):
    return images.ShownPlane(np.asarray(data, np.float32), **more)


@pytest.fixture(scope="module")
def spot(tmp_path_factory):
    """100 x 60 pixels of 1 with one bright pixel at x = 70, y = 10, and one that is not to be used at x = 5, y = 50."""
    data, flags = np.ones((60, 100)), np.zeros((60, 100))
    data[10, 70] = 1000
    data[50, 5], flags[50, 5] = 1e6, 1
    return make_image(tmp_path_factory.mktemp("spot") / "x_cal.asdf", data, flags)


# -- text -------------------------------------------------------------------------------------------------------------


def test_bright_pixel_is_in_its_cell_without_colour(spot, capsys):
    assert tool("view", spot, "--section", "0:80,0:60", "--stretch", "linear", "--limits", "minmax") == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert "data  [DN/s]" in title
    shades = lines[:30]
    assert [(line, text.index("█")) for line, text in enumerate(shades) if "█" in text] == [(29 - 5, 70)]
    assert lines[-1].startswith("x 0:80, y 0:60")
    assert "; 1 bad" in lines[-1]


def test_picture_of_a_pipe_has_80_columns(spot, capsys):
    assert tool("view", spot, "--limits", "0,2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[1:-2])) == 50  # 100 pixels in blocks of two
    assert not any("\x1b" in line for line in lines)


def cells(lines):
    """(colour of the upper half, of the lower half) of every character of half-block lines."""
    rows = []
    for line in lines:
        row, code = [], None
        for escape, letter in re.findall(r"\x1b\[([0-9;]*)m|(.)", line):
            code = code if letter else escape
            if letter:
                row.append((re.search(r"38;([25](?:;\d+)+?)(?=;48|$)", code)[1],
                            (re.search(r"48;([25](?:;\d+)+)$", code) or [None, None])[1], letter))  # fmt: skip
        rows.append(row)
    return rows


@pytest.mark.parametrize("colours", [256, 1 << 24])
def test_half_blocks_put_row_zero_at_the_bottom(colours):
    data = np.zeros((6, 8))
    data[0, 1] = data[3, 6] = 1
    style = terminal.Style(8, 3, colours)
    lines = terminal.draw_image(shown(data), style, stretch="linear", limits="0,1", cmap="gray")
    found = cells(lines[1:4])
    white, black = ("2;255;255;255", "2;0;0;0") if colours > 256 else ("5;231", "5;16")
    bright = [(line, column, half) for line in range(3) for column in range(8) for half in range(2)
              if found[line][column][half] == white]  # fmt: skip
    assert bright == [(1, 6, 0), (2, 1, 1)]  # y = 3 is the upper half of the second line from below
    assert sum(half == black for row in found for cell in row for half in cell[:2]) == 48 - 2


def test_odd_number_of_rows_leaves_the_upper_half_of_the_top_line_alone():
    style = terminal.Style(4, 2, 256)
    lines = terminal.draw_image(shown(np.zeros((3, 4))), style, stretch="linear", limits="0,1")
    assert {letter for _fg, _bg, letter in cells(lines[1:2])[0]} == {"▄"}
    assert {letter for _fg, _bg, letter in cells(lines[2:3])[0]} == {"▀"}


@pytest.mark.parametrize(
    ("environment", "terminal_there", "colours"),
    [
        ({"COLORTERM": "truecolor"}, True, 1 << 24),
        ({"COLORTERM": "24bit"}, True, 1 << 24),
        ({"TERM": "xterm-256color"}, True, 256),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, True, 0),
        ({"COLORTERM": "truecolor", "NO_COLOR": ""}, True, 1 << 24),
        ({"COLORTERM": "truecolor"}, False, 0),
        ({"TERM": "dumb"}, True, 0),
    ],
)
def test_colours_of_a_terminal(environment, terminal_there, colours):
    assert terminal.terminal_colours(environment, terminal=terminal_there) == colours


def test_palette_of_256_colours_is_the_nearest():
    assert terminal._codes([(255, 255, 255), (0, 0, 0), (255, 0, 0), (127, 127, 127)], 256) == [
        "5;231", "5;16", "5;196", "5;244",
    ]  # fmt: skip


def test_small_images_are_magnified_with_square_pixels():
    data = np.zeros((2, 4))
    data[1, 3] = 1
    lines = terminal.draw_image(shown(data), terminal.Style(80, 40), stretch="linear", limits="0,1")
    shades = lines[1:-2]
    assert [len(line) for line in shades] == [64] * 8 + [0] * 8  # 16 characters wide, 8 lines high
    assert shades[0] == " " * 48 + "█" * 16


def test_bad_blocks_are_marked_and_do_not_count():
    data = np.ones((4, 4))
    data[:2, :2] = np.nan
    data[2, 2], data[3, 3] = np.nan, 3
    assert np.array_equal(stretch.shrink(np.float32(data), 2), [[np.nan, 1], [1, np.float32(5 / 3)]], equal_nan=True)
    lines = terminal.draw_image(shown(data), terminal.Style(4, 2), stretch="linear", limits="0,9")
    assert lines[2].startswith("xx")


def test_blocks_at_the_end_are_means_of_what_is_there():
    data = np.arange(15, dtype=np.float32).reshape(3, 5)
    small = stretch.shrink(data, 2)
    assert small.shape == (2, 3)
    assert small[0, 0] == np.mean([0, 1, 5, 6])
    assert small[1, 2] == 14


def test_sources_are_marked_where_they_are(spot, tmp_path, capsys):
    table = tmp_path / "x_cat.ecsv"
    table.write_text("# %ECSV 1.0\n# ---\n# datatype:\n# - {name: x, datatype: float64}\n"
                     "# - {name: y, datatype: float64}\nx y\n70.2 9.8\n500 10\n")  # fmt: skip
    assert tool("view", spot, "--section", "0:80,0:60", "--catalog", table) == 0
    lines = capsys.readouterr().out.splitlines()[1:31]
    assert [(line, text.index("o")) for line, text in enumerate(lines) if "o" in text] == [(24, 70)]


def test_nothing_is_wider_than_the_terminal():
    style = terminal.Style(40, 20, 1 << 24)
    classes = [(name, 12345) for name in list(dq.PIXEL)[:9]]
    picture = shown(np.arange(100.0).reshape(10, 10) % 10, kind="flags", classes=classes, title="x", name="dq")
    direction = np.array([0.6, 0.8])
    sources = np.array([[3.0, 4.0], [5.0, 5.0]])
    lines = terminal.draw_image(picture, style, compass=(direction, direction, 0.11), sources=sources)
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert max(map(len, plain)) <= 40
    assert all(f"{name} 12345" in " ".join(plain) for name, _count in classes)
    assert "arcsec" in plain[-1]
    text = "".join(lines)
    assert text.count("o\x1b[0m") == 2  # each with its own colours, which end there


def test_ascii_where_the_output_takes_nothing_else():
    data = np.arange(64).reshape(8, 8)
    style = terminal.Style(8, 4, 0, unicode=False)
    for lines in (terminal.draw_image(shown(data), style), terminal.draw_histogram(shown(data), style)):
        assert "\n".join(lines).isascii()


# -- limits, stretches ------------------------------------------------------------------------------------------------


def test_limits_as_they_are_typed():
    values = np.append(np.arange(101.0), np.nan)
    assert stretch.find_limits(values, "minmax") == (0, 100)
    assert stretch.find_limits(values, "90%") == (5, 95)
    assert stretch.find_limits(values, "1%,99%") == (1, 99)
    assert stretch.find_limits(values, "-1.5,2e3") == (-1.5, 2000)
    assert stretch.find_limits(values, None, "percentile") == (0.5, 99.5)
    assert stretch.find_limits(np.full(5, 7.0), "zscale") == pytest.approx((6.5, 7.5))
    assert stretch.find_limits(np.full(5, np.nan)) == (0, 1)
    for wrong in ("5,1", "120%", "60%,40%", "zscales", "1,2,3"):
        with pytest.raises(UsageError):
            stretch.find_limits(values, wrong)


@pytest.mark.parametrize("name", stretch.STRETCHES)
def test_stretches_rise_from_0_to_1_and_clip(name):
    values = np.ma.filled(stretch.normalisation(2, 10, name)(np.array([-5, 2, 3, 6, 9, 10, 99.0])), np.nan)
    assert values[0] == values[1] == 0
    assert values[-2] == values[-1] == pytest.approx(1)
    assert np.all(np.diff(values[1:-1]) > 0)
    if name in ("linear", "zscale", "percentile"):
        assert values[3] == 0.5
    else:
        assert values[3] > 0.5  # faint things are lifted


def test_histogram_counts_every_value():
    values = np.array([0, 1, 1, 2, 2, 2, 50], np.float32)
    edges, counts, below, above = stretch.histogram(values, "0,3", 10)
    assert counts.tolist() == [1, 2, 3, 0]
    assert (below, above) == (0, 1)
    assert np.array_equal(edges, [-0.5, 0.5, 1.5, 2.5, 3.5])


def test_histogram_in_text(spot, capsys):
    assert tool("view", spot, "--hist") == 0
    out = capsys.readouterr().out
    assert "5999 pixels" in out or "5998 pixels" in out  # the bright one may lie above
    assert "; 1 bad" in out


# -- what is read -----------------------------------------------------------------------------------------------------


def test_flags_are_classes_the_rarest_on_top(tmp_path, capsys):
    flags = np.zeros((20, 20))
    flags[:10] = dq.PIXEL["JUMP_DET"]
    flags[3, 4] += dq.PIXEL["HOT"]
    path = make_image(tmp_path / "x_cal.asdf", np.ones((20, 20)), flags)
    with open_product(path) as product:
        image = images.load_image(product, array="dq")
        assert image.classes == [("JUMP_DET", 200), ("HOT", 1)]
        assert image.data[3, 4] == 2
        assert image.data[15, 4] == 0
        only = images.load_image(product, array="dq", flags="HOT")
    assert only.classes == [("HOT", 1)]
    assert np.count_nonzero(only.data) == 1
    assert tool("view", path, "--array", "dq") == 0
    assert "a JUMP_DET 200  b HOT 1" in capsys.readouterr().out


def test_section_plane_and_frame_of_a_cube(tmp_path):
    data = np.arange(3 * 136 * 136).reshape(3, 136, 136)
    groupdq = np.zeros(data.shape, np.uint8)
    groupdq[1, 24, 14] = 1
    path = make_ramp(tmp_path / "x_linearity.asdf", data, groupdq)
    with open_product(path) as product:
        last = images.load_image(product)
        assert np.array_equal(last.data, data[2])
        assert last.name == "data, resultant 2 of 3"
        middle = images.load_image(product, resultant=-2, section="10:30,20:30", frame="l2")
        with pytest.raises(InputError, match="has 3"):
            images.load_image(product, resultant=3)
    wanted = data[1, 24:34, 14:34].astype(float)
    wanted[0, 0] = np.nan
    assert np.array_equal(middle.data, wanted, equal_nan=True)
    assert (middle.x, middle.y) == (14, 24)


def test_flags_to_leave_out(spot):
    with open_product(spot) as product:
        assert images.load_image(product).bad == 1
        assert images.load_image(product, flags="none").bad == 0
        assert images.load_image(product, flags="none").data[50, 5] == 1e6
        with pytest.raises(UsageError, match="HOTT"):
            images.load_image(product, flags="HOTT")


def test_unit_follows_the_flux_step(tmp_path):
    made = sample_meta("l2_image").get("cal_step", {})
    path = make_image(tmp_path / "x_flux.asdf", np.ones((9, 9)), cal_step=made | {"flux": "COMPLETE"})
    with open_product(path) as product:
        assert images.unit_of(product, "data") == "MJy/sr"


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--array", "nothing"], 3, "there are"),
        (["--section", "200:300,0:10"], 3, "outside"),
        (["--section", "3"], 2, "section"),
        (["--resultant", "2"], 3, "two axes"),
        (["--cmap", "infern"], 2, "inferno"),
        (["--limits", "9,1"], 2, "--limits"),
        (["--ramp", "1,2"], 3, "x_uncal"),
        (["--ramp", "1"], 2, "X,Y"),
        (["--rate", "y.asdf"], 2, "--ramp"),
        (["--grid"], 2, "-o"),
        (["--compass"], 3, "WCS"),
        (["--hist", "--compass"], 2, "--hist"),
        (["--frame", "l1"], 2, "--section"),
        (["--array", "dq", "--hist"], 2, "rt-dq"),
        (["--catalog", "none.parquet"], 3, "no such file"),
        (["--segmentation", "none_segm.asdf"], 3, "no such file"),
        (["-o", "x.gif"], 2, "png"),
    ],
)
def test_refusals_are_one_line(spot, options, status, words, capsys):
    assert tool("view", spot, *options) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err


def test_a_file_without_an_image_is_exit_3(tmp_path, capsys):
    path = tmp_path / "x_wcs.asdf"
    writer.write_product(path, "wcs", sample_meta("wcs"), {"wcs_l2": sample_wcs(), "wcs_l1": sample_wcs()})
    assert tool("view", path) == 3
    assert "has no image" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_shown_or_refused(kind, tmp_path, capsys):
    path = tmp_path / "x.asdf"
    parts = {name: part for name, part in sample_arrays(kind).items() if not name.startswith("wcs")}
    made = sample_meta(kind)
    if "wcs" in made:
        made["wcs"] = sample_wcs()
    writer.write_product(path, kind, made, parts)
    shown_or_refused(path, parts, capsys)


@pytest.mark.parametrize("kind", GROUND_TESTS)
def test_every_ground_test_is_shown(kind, tmp_path, capsys, monkeypatch):
    """Raw exposures from before launch, under a tag that no profile has."""
    path = tmp_path / "x.asdf"
    parts = sample_arrays("l1_uncal")
    with monkeypatch.context() as patched:
        patched.setattr(tags, "tag", lambda *_: f"asdf://stsci.edu/datamodels/roman/tags/{kind}-1.0.0")
        writer.write_product(path, kind, sample_meta("l1_uncal"), parts)
    with open_product(path) as product:
        assert product.kind == kind
    shown_or_refused(path, parts, capsys)


def shown_or_refused(path, parts, capsys):
    """Run the tool on a product, shown if it has anything that is an image."""
    status = tool("view", path, "--width", 20)
    captured = capsys.readouterr()
    drawn = any(np.ndim(part) >= 2 for part in parts.values()) or "face_data.delta" in parts
    assert status == (0 if drawn else 3)
    assert "internal" not in captured.err


def test_existing_picture_is_kept(spot, tmp_path, capsys):
    png = tmp_path / "x.png"
    png.write_bytes(b"mine")
    assert tool("view", spot, "-o", png) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert png.read_bytes() == b"mine"
    assert tool("view", spot, "-o", png, "--overwrite") == 0
    assert capsys.readouterr().out == f"{png}\n"
    assert png.read_bytes().startswith(PNG)
    assert [found.name for found in tmp_path.iterdir()] == ["x.png"]


def test_several_inputs_go_to_a_directory(spot, tmp_path, capsys):
    assert tool("view", spot, tmp_path / "missing_cal.asdf", "--outdir", tmp_path / "new") == 3
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path}/new/x_cal.png\n"
    assert "missing_cal.asdf" in captured.err
    assert tool("view", spot, tmp_path / "other_cal.asdf", "-o", tmp_path / "y.png") == 2


@pytest.mark.parametrize("words", [(), ("-o", "x.png"), ("--hist", "-o", "x.png"), ("--cmap", "gray")])
def test_without_matplotlib_one_line_says_so(words, spot, monkeypatch, capsys, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.chdir(tmp_path)
    assert tool("view", spot, *words) == 1
    err = capsys.readouterr().err
    assert "needs matplotlib; pip install matplotlib" in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_standard_input_to_standard_output(spot, monkeypatch):
    with piped(monkeypatch, spot.read_bytes()) as out:
        assert tool("view", "-", "-o", "-") == 0
    assert out.getvalue().startswith(PNG)


# -- pictures ---------------------------------------------------------------------------------------------------------


def pixels_of(figure):
    """The picture as an array, (rows, columns, 3), and where the axes stand in it, both from above."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def test_bright_pixel_is_at_its_place_in_a_picture():
    data = np.zeros((40, 80))
    data[5, 60] = 1
    figure = plot.plot_image(shown(data, x=100, y=200), stretch="linear", limits="0,1", cmap="gray")
    pixels = pixels_of(figure)
    axes = figure.axes[0]
    x, y = axes.transData.transform([(160, 205)])[0]
    assert np.all(pixels[len(pixels) - int(y), int(x)] == 255)
    assert np.all(pixels[len(pixels) - int(y) - 30, int(x)] == 0)
    assert axes.get_xlim() == (99.5, 179.5)
    assert axes.get_ylim() == (199.5, 239.5)


def test_colour_bar_has_the_unit_and_ticks_inside():
    figure = plot.plot_image(shown(np.arange(100.0).reshape(10, 10), unit="DN/s"), stretch="log")
    (bar,) = figure.axes[0].child_axes
    assert bar.get_ylabel() == "DN/s"
    assert len(bar.get_yticks()) >= 4


def test_lines_of_the_sky_run_where_the_sky_is(tmp_path):
    wcs = sample_wcs(scale=0.01)
    figure = plot.plot_image(shown(np.ones((32, 32))), wcs=wcs, grid=True)
    drawn = [found for found in figure.axes[0].collections if isinstance(found, ContourSet)]
    assert len(drawn) == 2
    for lines, axis in zip(drawn, (0, 1), strict=True):
        assert len(lines.levels) >= 2
        for level, path in zip(lines.levels, lines.get_paths(), strict=True):
            if len(path.vertices):
                found = wcs(*path.vertices.T, with_bounding_box=False)[axis]
                np.testing.assert_allclose(found, level, atol=1e-3)


def test_compass_points_as_the_sky(tmp_path):
    wcs = sample_wcs()
    north, east, scale = overlay.compass(wcs, 20, 20)
    assert scale == pytest.approx(0.11, rel=1e-4)
    there = wcs(20 + 5 * north[0], 20 + 5 * north[1], with_bounding_box=False)
    here = wcs(20, 20, with_bounding_box=False)
    assert there[0] == pytest.approx(here[0], abs=1e-7)
    assert there[1] - here[1] == pytest.approx(5 * 0.11 / 3600, rel=1e-3)
    assert wcs(20 + east[0], 20 + east[1], with_bounding_box=False)[0] > here[0]


def test_sources_come_from_the_sky_where_there_is_a_wcs(tmp_path):
    from astropy.table import Table

    wcs = sample_wcs()
    path = make_image(tmp_path / "x_cal.asdf", np.ones((32, 32)), wcs=wcs)
    x, y = np.array([3.0, 20.5]), np.array([7.25, 30.0])
    ra, dec = wcs(x, y, with_bounding_box=False)
    Table({"ra": ra, "dec": dec, "x_centroid": x + 9, "y_centroid": y}).write(tmp_path / "c.ecsv")
    with open_product(path) as product:
        found = overlay.load_sources(tmp_path / "c.ecsv", product, wcs=load_wcs(product))
        plain = overlay.load_sources(tmp_path / "c.ecsv", product)
    np.testing.assert_allclose(found, [x, y], atol=1e-5)
    np.testing.assert_allclose(plain, [x + 9, y])


def test_sources_and_outlines_move_with_the_border_of_a_ramp(tmp_path):
    import pyarrow
    from pyarrow import parquet

    path = make_ramp(tmp_path / "x_linearity.asdf", np.ones((3, 136, 136)))
    parquet.write_table(pyarrow.table({"x_centroid": [10.0], "y_centroid": [20.0]}), tmp_path / "c.parquet")
    labels = np.zeros((128, 128), np.uint32)
    labels[20:23, 10:13] = 7
    writer.write_product(tmp_path / "s.asdf", "segm_exposure", sample_meta("segm_exposure"), {"data": labels})
    with open_product(path) as product:
        image = images.load_image(product, section="10:30,20:40")
        assert overlay.load_sources(tmp_path / "c.parquet", product).tolist() == [[14], [24]]
        outlines = overlay.load_outlines(tmp_path / "s.asdf", product, image)
    wanted = np.zeros((20, 20), bool)
    wanted[4:7, 4:7] = True
    wanted[5, 5] = False  # inside
    assert np.array_equal(outlines, wanted)


def test_sources_and_outlines_stay_on_a_cutout(tmp_path):
    from astropy.table import Table

    labels = np.zeros((64, 64), np.uint32)
    labels[20:23, 10:13] = 7
    segm = tmp_path / "x_segm.asdf"
    writer.write_product(segm, "segm_exposure", sample_meta("segm_exposure"), {"data": labels})
    Table({"x_centroid": [11.0], "y_centroid": [21.0]}).write(tmp_path / "c.ecsv")
    whole = make_image(tmp_path / "x_cal.asdf", np.ones((64, 64)))
    for name, section in (("cal", "8:40,16:50"), ("segm", "9:30,:")):
        assert tool("cut", tmp_path / f"x_{name}.asdf", "--section", section, "-o", tmp_path / f"p_{name}.asdf") == 0
    for image, maps in (
        (tmp_path / "p_cal.asdf", (segm, tmp_path / "p_segm.asdf")),
        (whole, (tmp_path / "p_segm.asdf",)),
    ):
        with open_product(image) as product:
            x, y = overlay.load_sources(tmp_path / "c.ecsv", product)[:, 0]
            for path in maps:
                rows, columns = np.nonzero(overlay.load_outlines(path, product, images.load_image(product)))
                assert (columns.min(), columns.max(), rows.min(), rows.max()) == (x - 1, x + 1, y - 1, y + 1)


def test_outlines_of_another_size_are_refused(spot, tmp_path):
    labels = {"data": np.ones((7, 7), np.uint32)}
    writer.write_product(tmp_path / "s.asdf", "segm_exposure", sample_meta("segm_exposure"), labels)
    with open_product(spot) as product, pytest.raises(InputError, match="different size"):
        overlay.load_outlines(tmp_path / "s.asdf", product, images.load_image(product))


def test_picture_with_everything_over_it(product, ran, tmp_path, capsys):
    """A run of the whole chain: lines of the sky, compass, and a catalog and a map of our own."""
    from astropy.table import Table

    cal = product("cal")
    with open_product(cal) as opened:
        shape = opened.arrays["data"].shape
        ra, dec = opened.node("meta.wcs")([100.0], [120.0])
    Table({"ra": ra, "dec": dec}).write(tmp_path / "c.fits")
    labels = np.zeros(shape, np.uint32)
    labels[100:120, 90:110] = 1
    writer.write_product(tmp_path / "s.asdf", "segm_exposure", sample_meta("segm_exposure"), {"data": labels})
    over = ("--grid", "--compass", "--catalog", tmp_path / "c.fits", "--segmentation", tmp_path / "s.asdf")
    assert tool("view", cal, *over, "-o", tmp_path / "x.png", "-q") == 0
    assert (tmp_path / "x.png").read_bytes().startswith(PNG)
    uncal = product("uncal")
    beside = tmp_path / uncal.name
    beside.symlink_to(uncal)
    (tmp_path / product("wcs").name).symlink_to(product("wcs"))
    capsys.readouterr()
    assert tool("view", beside, "--compass", "--catalog", tmp_path / "c.fits", "--section", "0:160,0:160") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "arcsec a pixel" in lines[-1]
    where = [(number, line.index("o")) for number, line in enumerate(lines[1:-2]) if "o" in line]
    assert where == [(39 - (124 // 4), 104 // 2)]  # a border of four pixels further, two pixels a cell


# -- ramps ------------------------------------------------------------------------------------------------------------


def rising(slope=2.5, jump=0.0):
    """Ramp of 8 resultants, 3 s apart, that begins at 100 and jumps before the sixth."""
    times = 3.0 * np.arange(1, 9)
    one = 100 + slope * (times - 3) + jump * (times >= 18)
    return times, np.broadcast_to(one[:, None, None], (8, 136, 136)).copy()


def test_line_without_an_image_is_straight_through_unflagged_resultants(tmp_path):
    times, data = rising()
    groupdq = np.zeros(data.shape, np.uint8)
    data[7, 40, 30], groupdq[7, 40, 30] = 9999, dq.GROUP["SATURATED"]
    with open_product(make_ramp(tmp_path / "x_linearity.asdf", data, groupdq)) as product:
        found = ramp.load_ramp(product, 30, 40)
    assert found.rate == pytest.approx(2.5)
    assert "straight line through 7 unflagged" in found.source
    assert np.array_equal(found.times, times)
    assert found.bad.tolist() == [False] * 7 + [True]
    assert found.words(7) == "SATURATED"
    text = "\n".join(ramp.draw_ramp(found, terminal.Style()))
    assert "straight line" in text
    assert "9999  SATURATED" in text


def test_line_is_the_rate_of_the_image_beside_it_and_breaks_at_jumps(tmp_path):
    _times, data = rising(jump=40)
    path = make_ramp(tmp_path / "x_linearity.asdf", data)
    rate = np.zeros((128, 128))
    rate[36, 26] = 2.5
    make_image(tmp_path / "x_rampfit.asdf", rate)
    with open_product(path) as product:
        found = ramp.load_ramp(product, 30, 40)
        same = ramp.load_ramp(product, 26, 36, frame="l2")
    assert found.rate == same.rate == 2.5
    assert found.source == "x_rampfit.asdf"
    assert len(found.lines) == 1  # nobody says that there is a jump
    found.flags[5] = dq.GROUP["JUMP_DET"]
    groupdq = np.zeros(data.shape, np.uint8)
    groupdq[5, 40, 30] = dq.GROUP["JUMP_DET"]
    path = make_ramp(tmp_path / "y_linearity.asdf", data, groupdq)
    with open_product(path) as product:
        found = ramp.load_ramp(product, 30, 40, rate=tmp_path / "x_rampfit.asdf")
    assert found.jumps == [5]
    assert len(found.lines) == 2
    for ends, values in found.lines:
        assert values[1] - values[0] == pytest.approx(2.5 * (ends[1] - ends[0]))
        np.testing.assert_allclose(np.interp(ends, found.times, found.values), values, atol=1e-6)
    figure = ramp.plot_ramp(found)
    drawn = [line for line in figure.axes[0].lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 2]
    slopes = [np.ptp(line.get_ydata()) / np.ptp(line.get_xdata()) for line in drawn]
    assert slopes == pytest.approx([2.5, 2.5])


@pytest.mark.parametrize("value", [np.nan, None])
def test_no_rate_for_this_pixel_is_a_straight_line(tmp_path, value):
    _times, data = rising()
    path = make_ramp(tmp_path / "x_linearity.asdf", data)
    make_image(tmp_path / "x_cal.asdf", np.full((128, 128), np.nan if value is None else value))
    with open_product(path) as product:
        found = ramp.load_ramp(product, *((1, 1) if value is None else (30, 40)))
    assert found.rate == pytest.approx(2.5)
    assert ("no such pixel" if value is None else "no rate here") in found.source


def test_the_cal_beside_it_goes_before_the_rampfit_if_it_has_a_rate(tmp_path):
    _times, data = rising()
    path = make_ramp(tmp_path / "x_linearity.asdf", data)
    make_image(tmp_path / "x_rampfit.asdf", np.full((128, 128), 2.0))
    rate = np.full((128, 128), 3.0)
    rate[36, 26] = np.nan
    make_image(tmp_path / "x_cal.asdf", rate)
    with open_product(path) as product:
        both, one = ramp.load_ramp(product, 31, 40), ramp.load_ramp(product, 30, 40)
    assert (both.rate, both.source) == (3, "x_cal.asdf")
    assert (one.rate, one.source) == (2, "x_rampfit.asdf")


def test_a_cutout_of_a_ramp_takes_the_rate_of_its_own_pixel(tmp_path):
    _times, data = rising()
    path = make_ramp(tmp_path / "x_linearity.asdf", data)
    rate = np.arange(128.0 * 128).reshape(128, 128)
    make_image(tmp_path / "x_cal.asdf", rate)
    for name, section in (("linearity", "20:60,30:70"), ("cal", "5:50,25:60")):
        out = tmp_path / f"cut_{name}.asdf"
        assert tool("cut", tmp_path / f"x_{name}.asdf", "--section", section, "-o", out) == 0
    for pixels, image in ((path, "cut_cal"), (tmp_path / "cut_linearity.asdf", "x_cal")):
        with open_product(pixels) as product:
            x, y = (30, 40) if pixels == path else (10, 10)
            assert ramp.load_ramp(product, x, y, rate=tmp_path / f"{image}.asdf").rate == rate[36, 26]
    with open_product(tmp_path / "cut_linearity.asdf") as product:  # both cut, beside each other
        assert ramp.load_ramp(product, 10, 10).rate == rate[36, 26]


def test_all_flagged_has_no_line(tmp_path):
    _times, data = rising()
    path = make_ramp(tmp_path / "x_linearity.asdf", data, np.full(data.shape, 2, np.uint8))
    with open_product(path) as product:
        found = ramp.load_ramp(product, 30, 40)
        assert found.lines == []
        assert "no line" in "\n".join(ramp.draw_ramp(found, terminal.Style()))
        ramp.plot_ramp(found)
        with pytest.raises(InputError, match="outside"):
            ramp.load_ramp(product, 136, 0)


def test_ramp_of_a_run_has_the_rate_and_jumps_of_its_image(product, tmp_path, capsys):
    linearity, cal = product("linearity"), product("cal")
    with open_product(cal) as image:
        resultant, y, x = (int(value) for value in np.array(image.array("jump_indices"))[0])
        rate = float(image.array("data")[y, x])
    with open_product(linearity) as opened:
        found = ramp.load_ramp(opened, x, y, frame="l2")
    assert found.source == cal.name
    assert resultant in found.jumps
    if np.isfinite(rate):
        assert found.rate == rate
    assert tool("view", linearity, "--ramp", f"{x + 4},{y + 4}") == 0
    out = capsys.readouterr().out
    assert "JUMP_DET" in out
    assert f"pixel {x + 4},{y + 4}" in out
    assert tool("view", linearity, "--ramp", f"{x + 4},{y + 4}", "-o", tmp_path / "r.png") == 0
    assert (tmp_path / "r.png").read_bytes().startswith(PNG)
    assert json.dumps(meta(linearity)["exposure"]["read_pattern"])  # the times come from there


def test_what_is_no_number_is_grey_and_not_the_brightest(tmp_path):
    """NaN around a mosaic was drawn in the colour of the highest value."""
    from matplotlib.image import imread

    data = np.full((50, 50), np.nan)
    data[20:30, 20:30] = np.arange(100).reshape(10, 10)
    path = make_image(tmp_path / "x_cal.asdf", data)
    assert tool("view", path, "-o", tmp_path / "x.png", "--cmap", "inferno") == 0
    found = imread(tmp_path / "x.png")[..., :3]
    greys = np.ptp(found, axis=-1) < 1e-3
    inside = greys & (found[..., 0] > 0.3) & (found[..., 0] < 0.7)
    assert inside.mean() > 0.3
