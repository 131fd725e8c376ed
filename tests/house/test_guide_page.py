"""docs/guide.md beside the code: all that is assumed is said, every flag is explained, cadences are those computed."""

import re

import pytest

from rtools.wfi.guide import (
    ASSUMED,
    DROPPED_BY_JITTER,
    DROPPED_BY_PHOTOMETRY,
    GUIDE_TABLES,
    WSM_TRACK_LATE,
    Use,
)
from tests.support.places import ROOT

PAGE = (ROOT / "docs" / "guide.md").read_text()


def rows(heading):
    """Cells of the rows of the table under a heading, without its head."""
    lines = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][2:]


def plain(text):
    """Words without marks of the page."""
    return text.replace("−", "-").replace("×", "x").replace("`", "")


def test_all_that_is_assumed_is_said_in_the_same_words():
    said = {about: plain(assumed) for about, assumed, _otherwise in rows("What is assumed")}
    assert said == ASSUMED


@pytest.mark.parametrize("flag", list(Use), ids=lambda flag: flag.name)
def test_flags_are_explained_with_what_they_drop(flag):
    found = {name: (int(bit), dropped) for bit, name, _when, dropped in rows("Which pairs count")}
    dropped = [word for word, bits in (("light", DROPPED_BY_PHOTOMETRY), ("motion", DROPPED_BY_JITTER)) if flag & bits]
    assert found[flag.name] == (flag.value, ", ".join(dropped) or "–")


def test_cadences_are_those_of_the_tables_of_readout():
    stated = [(cells[0].split(",")[0], cells[1], *map(float, cells[2:])) for cells in rows("What the files hold")]
    tables = [*GUIDE_TABLES[:5], WSM_TRACK_LATE]
    for (name, size, cycle, rate, exposure, share, nyquist), table in zip(stated, tables, strict=True):
        assert (name, size) == (table.name, f"{table.rows} × {table.columns}")
        assert (cycle, exposure) == pytest.approx((table.cycle_s, table.exposure_s), abs=6e-6)
        assert (rate, nyquist) == pytest.approx((1 / table.cycle_s, 0.5 / table.cycle_s), abs=6e-4)
        assert share == pytest.approx(table.exposure_s / table.cycle_s, abs=6e-4)


def test_what_the_page_names_exists():
    files = re.findall(r"`((?:rtools|tests)/[\w/.]+)`", PAGE)
    assert files and [name for name in files if not (ROOT / name).exists()] == []
    headings = {title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", PAGE, flags=re.M)}
    targets = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert {target[1:] for target in targets if target.startswith("#")} <= headings
    assert all((ROOT / "docs" / target).exists() for target in targets if not target.startswith("#"))
