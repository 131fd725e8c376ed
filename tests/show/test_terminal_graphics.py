"""Pictures in terminals that show pixels: what is detected, and what the letters stand for."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from rtools.show.terminal_graphics import kitty_text, known_graphics, sixel_text
from tests.support.small_files import tool, write


def picture(rows=13, columns=20):
    """A PNG with a red corner, a blue line and black elsewhere."""
    values = np.zeros((rows, columns, 3), np.uint8)
    values[:3, :5] = (255, 0, 0)
    values[11] = (0, 0, 255)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return values, file.getvalue()


def pixels_of(text):
    """What a terminal makes of Sixel: colours in percent."""
    head, body = re.fullmatch(r"\x1bP0;1;0q\"1;1;(\d+;\d+)(.*)\x1b\\", text, re.S).groups()
    columns, rows = map(int, head.split(";"))
    shown = np.full((-(-rows // 6) * 6, columns, 3), -1)
    palette, colour, x, y = {}, None, 0, 0
    for number, red, green, blue, times, letter in re.findall(
        r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|(?:!(\d+))?([?-~$-])", body
    ):
        if number:
            colour = int(number)
            if red:
                palette[colour] = (int(red), int(green), int(blue))
        elif letter == "$":
            x = 0
        elif letter == "-":
            x, y = 0, y + 6
        else:
            count, bits = int(times or 1), ord(letter) - 63
            for row in range(6):
                if bits >> row & 1:
                    shown[y + row, x : x + count] = palette[colour]
            x += count
    return shown[:rows]


def test_sixel_shows_the_pixels_of_the_picture():
    values, png = picture()
    np.testing.assert_array_equal(pixels_of(sixel_text(png)), values.astype(int) * 100 // 255)


def test_kitty_gets_the_picture_in_parts():
    rng = np.random.default_rng(1)
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (60, 60, 3), np.uint8)).save(file, "PNG")
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", kitty_text(file.getvalue()))
    assert len(parts) > 2
    assert all(len(letters) <= 4096 for _head, letters in parts)
    assert [head.endswith("m=1") for head, _letters in parts] == [True] * (len(parts) - 1) + [False]
    assert parts[0][0].startswith("a=T,f=100,q=2")
    assert base64.b64decode("".join(letters for _head, letters in parts)) == file.getvalue()


@pytest.mark.parametrize(("environment", "expected"), [
    ({"TERM": "xterm-kitty"}, "kitty"), ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
    ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "kitty"), ({"TERM": "foot"}, "sixel"),
    ({"TERM": "xterm", "TERM_PROGRAM": "mintty"}, "sixel"), ({"TERM": "xterm-256color"}, "blocks"),
    ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, "blocks"), ({"TERM": "xterm-kitty", "TMUX": "x"}, "blocks"),
    ({"TERM": "screen", "KITTY_WINDOW_ID": "1"}, "blocks"), ({}, "blocks"),
])  # fmt: skip
def test_what_a_terminal_shows_is_told_by_its_environment(environment, expected):
    assert known_graphics(environment, terminal=True) == expected
    assert known_graphics(environment, terminal=False) == "blocks"


def test_an_image_is_written_as_pixels_no_wider_than_asked(tmp_path, capsys):
    path = write(tmp_path / "a_cal.asdf", "l2_image", {"data": np.eye(40, dtype="f4")})
    assert tool("view", path, "--graphics", "sixel", "--width", 50) == 0
    shown = pixels_of(capsys.readouterr().out.rstrip("\n"))
    assert 200 < shown.shape[1] <= 400
    assert (shown >= 0).all()
    assert tool("view", path, "--graphics", "kitty") == 0
    assert capsys.readouterr().out.startswith("\x1b_Ga=T")
    assert tool("view", path, "--graphics", "kitty", "-o", tmp_path / "a.png") == 2
    assert tool("view", path) == 0
    assert "\x1b" not in capsys.readouterr().out
