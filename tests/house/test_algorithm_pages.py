"""docs/algorithms and the glossary beside the code: links lead somewhere, files exist, defaults are those declared."""

import re

import pytest

from rtools.pipeline.job.steps import step_of, steps_in_order
from tests.support.places import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*(DOCS / "algorithms").glob("*.md"), DOCS / "glossary.md"])

STEPS = steps_in_order()
PAGE_OF = {"drizzle": [step_of("resample")], "ols": [step_of("rampfit")]}
PAGE_OF |= {"jumps": PAGE_OF["ols"], "psfphotometry": [step_of("catalog")]}
PAGE_OF |= {step.name: [step] for step in STEPS if step.name != "resample"}
"""Page to the steps whose options its table of defaults has."""


def anchors(page):
    """Fragments under which the headings of a page are found, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_pages_and_headings(page):
    lost = []
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        file, _, fragment = target.partition("#")
        place = (page.parent / file) if file else page
        if not place.exists() or (fragment and fragment not in anchors(place)):
            lost.append(target)
    assert not lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_that_a_page_names_exist(page):
    named = re.findall(r"`(rtools/[\w/.]+)`", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_step_and_every_page_are_in_the_index():
    index = (DOCS / "algorithms" / "README.md").read_text()
    assert [step.tool for step in STEPS if f"| {step.tool} |" not in index] == []
    others = {page.name for page in PAGES} - {"README.md", "glossary.md"}
    assert {name for name in others if f"]({name})" not in index} == set()


def stated(page):
    """(option, default) as the tables of defaults of a page say them, where a row has one word for each option."""
    found, inside = [], False
    for line in page.read_text().splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        if cells[:2] in (["option", "default"], ["limit", "default"]):
            inside = True
        elif inside:
            options, values = re.findall(r"`--([\w-]+)`", cells[0]), cells[1].split(", ")
            found += zip(options, values, strict=True) if len(options) == len(values) else []
    return found


def same(said, default):
    """Whether a table's words are a declared default."""
    if isinstance(default, bool):
        return said == ("on" if default else "off")
    if isinstance(default, int | float):
        first, _, second = said.split()[0].rstrip("°").partition("/")
        return float(first) / float(second or 1) == pytest.approx(default)
    return default is None or said.split(" ")[: len(str(default).split())] == str(default).split()


@pytest.mark.parametrize("name", sorted(PAGE_OF))
def test_defaults_are_those_declared(name):
    declared = {option.name: option.default for step in PAGE_OF[name] for option in step.options}
    wrong = [
        (option, said, declared.get(option))
        for option, said in stated(DOCS / "algorithms" / f"{name}.md")
        if option not in declared or not (said in ("see above", "does nothing") or same(said, declared[option]))
    ]
    assert wrong == []


def test_tables_of_defaults_are_read():
    """Guards the tests above: a table that is written otherwise would pass unread."""
    assert len(stated(DOCS / "algorithms" / "tweakreg.md")) >= 5
    assert len(stated(DOCS / "algorithms" / "skymatch.md")) >= 8
