"""Lists of positions by chance: each line is a position, or the list is refused with one of the documented errors."""

import random
import time

import numpy as np
import pytest

from rtools.commands.kit.positions import read_positions
from rtools.errors import RtoolsError

LINES = (
    "270.1,66.02", "270.1 66.02 star1", "18:00:24,+66:01:12", "18h00m24.5s,+66d01m12s", "18 00 24.5 -66 01 12 name",
    "10h02m03.4s +02d12m11s", "1,2", "1234.5,567", "# what follows is a comment", "", "  359.999,-89.9  # a pole",
)  # fmt: skip
PIECES = (
    ",", ":", "h", "m", "s", "d", "+", "-", " ", "\t", "\n", "\r\n", "\0", "#", "@", "nan", "inf", "1e400", "9" * 400,
    "0x10", "1_0", "٣", "°", "′", "\N{MINUS SIGN}", "\ud800", "-0", "91", "400", "60", "''", '"', "\\",
)  # fmt: skip
SECONDS = 1.0
"""Of processor: no list takes longer."""


def changed(chance):
    """A list whose lines were cut, doubled, or mixed with pieces of others."""
    text = "\n".join(chance.choice(LINES) for _ in range(chance.randrange(1, 6)))
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(text) + 1)
        text = text[:place] + chance.choice([*PIECES, *LINES, ""]) + text[place + chance.randrange(4) :]
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data and chance.random() < 0.2:
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def try_them(count, seed, path):
    """How many of so many lists were taken; what is no documented error comes through."""
    chance, taken = random.Random(seed), 0
    for _ in range(count):
        data = changed(chance)
        path.write_bytes(data)
        kind = chance.choice(["sky", "at"])
        begun = time.process_time()
        try:
            found = read_positions(**{kind: [f"@{path}"]})
        except RtoolsError as error:
            assert error.exit_code in (2, 3), data
            assert str(error), data
        else:
            assert np.isfinite(found.first).all() and np.isfinite(found.second).all(), data
            assert len(found) == len(found.names) == len(found.ids) > 0, data
            if kind == "sky":
                assert ((found.first >= 0) & (found.first <= 360) & (abs(found.second) <= 90)).all(), data
            taken += 1
        assert time.process_time() - begun < SECONDS, data
    return taken


def test_lists_are_positions_or_refused(tmp_path):
    assert 30 < try_them(300, 1, tmp_path / "list") < 270


@pytest.mark.long
def test_ten_thousand_lists_are_positions_or_refused(tmp_path):
    taken = try_them(10_000, 2, tmp_path / "list")
    print(f"{taken} of 10000 lists were taken")
