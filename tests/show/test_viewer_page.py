"""The page of rt-view --html: values keep their precision, flags and places are told, nothing comes from outside."""

import base64
import json
import re
import zlib

import numpy as np
import pytest

from rtools.products.io import writer
from rtools.products.opening import open_any
from rtools.show import viewer_tiles
from rtools.wfi.dq import PIXEL
from tests.support.browser import CHROMIUM, opened
from tests.support.jwst_files import made
from tests.support.samples import arrays, meta, wcs
from tests.support.small_files import tool, write

RNG = np.random.default_rng(12)
SHAPE = (600, 700)
DATA = RNG.normal(5, 0.2, SHAPE).astype("f4")
DATA[300, 400], DATA[0, 0] = 1e5, np.nan
FLAGS = np.zeros(SHAPE, "u4")
FLAGS[300, 400] = 4 | 1


def image(path, data=DATA):
    """A calibrated image with flags and coordinates in a file."""
    parts = {"data": data, "err": np.full(SHAPE, 0.2, "f2"), "dq": FLAGS}
    parts |= {name: array for name, array in arrays("l2_image").items() if name not in parts}
    writer.write_product(path, "l2_image", meta("l2_image") | {"wcs": wcs()}, parts)
    return path


def described(page):
    """What the page is given."""
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(), re.S)[1])


def unpacked(level, tile=viewer_tiles.TILE):
    """The image of a level, of its tiles."""
    made = np.zeros((level["rows"], level["columns"]), np.uint16)
    places = [(top, left) for top in range(0, level["rows"], tile) for left in range(0, level["columns"], tile)]
    for (top, left), text in zip(places, level["tiles"], strict=True):
        low, high = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(2, -1).astype(np.uint16)
        part = made[top : top + tile, left : left + tile]
        part[...] = (low | high << 8).reshape(part.shape)
    return made


def test_values_are_rounded_to_a_quarter_of_the_noise_and_bright_ones_to_a_quarter_percent():
    codes, levels = viewer_tiles.value_levels(DATA)
    assert [level["factor"] for level in levels] == [1, 4]
    back = viewer_tiles.values_of(unpacked(levels[0]), codes)
    assert np.isnan(back[0, 0])
    gap = np.abs(back - DATA)
    assert np.nanmax(gap[DATA < 10]) <= 0.126 * codes.noise
    assert gap[300, 400] <= 0.0025 * 1e5
    smaller = viewer_tiles.values_of(unpacked(levels[1]), codes)
    assert smaller[10, 10] == pytest.approx(DATA[40:44, 40:44].mean(), abs=0.05)


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_an_image_of_one_value_keeps_it(value):
    codes, levels = viewer_tiles.value_levels(np.full((20, 30), value, "f4"))
    np.testing.assert_allclose(viewer_tiles.values_of(unpacked(levels[0]), codes), value, atol=1e-6)


def test_a_flag_of_one_pixel_is_in_every_size():
    numbers, levels = viewer_tiles.flag_levels(FLAGS)
    assert numbers == [0, 5]
    assert [int(unpacked(level).sum()) for level in levels] == [1, 1]


def test_the_page_has_all_that_it_needs_and_nothing_from_outside(tmp_path, capsys):
    assert tool("view", image(tmp_path / "a_cal.asdf"), "--array", "data,err", "--html", tmp_path / "a.html") == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "a.html")
    page = described(tmp_path / "a.html")
    assert [layer["name"].split()[0] for layer in page["layers"]] == ["data", "err"]
    assert page["flags"][0]["bits"]["JUMP_DET"] == 4
    assert [layer["flags"] for layer in page["layers"]] == [0, 0]
    assert page["layers"][0]["at"] == {"L1": [4, 4]}
    assert max(map(abs, page["sky"]["xi"])) == pytest.approx(350 * 0.11, rel=0.01)
    text = (tmp_path / "a.html").read_text()
    assert "http" not in re.sub(r"<meta http-equiv[^>]*>", "", text.replace(json.dumps(page), ""))
    assert tool("view", tmp_path / "a_cal.asdf", "--html", tmp_path / "a.html") == 1


def test_names_of_files_are_text_on_the_page(tmp_path):
    name = "<img src=x onerror=alert(1)>{{DATA}}_cal.asdf"
    image(tmp_path / name)
    assert tool("view", tmp_path / name, "--html", tmp_path / "a.html") == 0
    text = (tmp_path / "a.html").read_text()
    assert "<img" not in text
    assert text.count("{{DATA}}") == 3  # title, heading, name of the layer
    assert described(tmp_path / "a.html")["layers"][0]["name"].endswith(name)


def test_each_layer_of_a_page_has_the_flags_of_its_own_mission(tmp_path):
    jwst = made(tmp_path, "cal")
    with open_any(jwst) as product:
        shape, own = product.arrays["data"].shape, product.flag_bits("dq")
    roman = write(tmp_path / "a_cal.asdf", "l2_image", {"data": DATA[: shape[0], : shape[1]],
                                                        "dq": FLAGS[: shape[0], : shape[1]]})  # fmt: skip
    assert tool("view", roman, jwst, "--html", tmp_path / "a.html") == 0
    page = described(tmp_path / "a.html")
    bits = [page["flags"][layer["flags"]]["bits"] for layer in page["layers"]]
    assert bits[1] == {name: bit for name, bit in own.items() if bit} != bits[0]
    assert bits[0] == {name: bit for name, bit in PIXEL.items() if bit}


def test_world_coordinates_of_another_file_are_those_of_the_page(tmp_path):
    image(tmp_path / "b_cal.asdf")
    write(tmp_path / "a_cal.asdf", "l2_image", {"data": DATA})
    assert tool("view", tmp_path / "a_cal.asdf", "--wcs", tmp_path / "b_cal.asdf", "--html", tmp_path / "a.html") == 0
    middle = described(tmp_path / "a.html")["sky"]["middle"]
    expected = wcs()(SHAPE[1] / 2 - 0.5, SHAPE[0] / 2 - 0.5, with_bounding_box=False)
    assert middle == pytest.approx([float(value) for value in expected], abs=1e-5)


PROBE = """
<script>
const said = {}, canvas = document.getElementById("image"), told = document.getElementById("told");
const point = (x, y) => { const box = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + x, clientY: box.top + y, pointerId: 7})); };
// the browser's clock runs ahead of what it unpacks: to pack something takes its turn behind that
const later = async (milliseconds) => {
  for (let turn = 0; turn < 15; turn++) {
    const packed = new Blob(["x".repeat(1e5)]).stream().pipeThrough(new CompressionStream("deflate"));
    await new Response(packed).arrayBuffer();
    await new Promise((done) => setTimeout(done, milliseconds / 15));
  }
};
const press = (key) => canvas.dispatchEvent(new KeyboardEvent("keydown", {key}));
const copy = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const dot = () => { copy.drawImage(canvas, canvas.width / 2, canvas.height / 2, 1, 1, 0, 0, 1, 1);
  return [...copy.getImageData(0, 0, 1, 1).data]; };
(async () => {
  await later(1500);
  press("1"); await later(400);
  point(canvas.clientWidth / 2 + 50.5, canvas.clientHeight / 2 - 0.5); await later(300);
  point(canvas.clientWidth / 2 + 50.5, canvas.clientHeight / 2 - 0.5);
  said.middle = told.textContent;
  said.before = dot();
  const invert = document.getElementById("invert"); invert.click(); await later(300);
  said.inverted = dot();
  press("n"); await later(400);
  point(canvas.clientWidth / 2 + 50.5, canvas.clientHeight / 2 - 0.5); await later(200);
  point(canvas.clientWidth / 2 + 50.5, canvas.clientHeight / 2 - 0.5);
  said.next = told.textContent; said.layer = document.getElementById("layer").value;
  said.ready = document.body.dataset.ready;
  document.body.textContent = "SAID" + JSON.stringify(said) + "DIAS";
})();
</script>
"""


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
def test_a_browser_tells_value_flags_and_position_under_the_pointer_and_changes_colours(tmp_path):
    page = tmp_path / "a.html"
    assert tool("view", image(tmp_path / "a_cal.asdf"), "--array", "data,err", "--html", page) == 0
    document, console = opened(page, tmp_path / "profile")
    assert console == []
    assert "data-ready=" in document
    text = re.sub(r"<meta http-equiv=[^>]*>", "", page.read_text())
    (tmp_path / "probed.html").write_text(text.replace("</body>", f"{PROBE}</body>"))
    document, console = opened(tmp_path / "probed.html", tmp_path / "profile")
    assert console == []
    said = json.loads(re.search("SAID(.*)DIAS", document)[1])
    place, value, flags, *_sky = re.split(r" {3,}", said["middle"])
    assert place == "x 400  y 300  L1 404,304"
    assert float(value.split()[0]) == pytest.approx(1e5, rel=0.003)
    assert flags == "DO_NOT_USE JUMP_DET"
    ra, dec = map(float, said["middle"].split("   ")[3].split())
    expected = wcs()(400, 300)
    assert abs(ra - expected[0]) * 3600 < 0.05
    assert abs(dec - expected[1]) * 3600 < 0.02
    assert said["ready"] == "true"
    assert said["before"] != said["inverted"]
    assert float(re.split(r" {3,}", said["next"])[1].split()[0]) == pytest.approx(0.2, abs=0.001)
