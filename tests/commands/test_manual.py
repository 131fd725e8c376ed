"""Manual pages: current, complete, and without a complaint of groff."""

import shutil
import subprocess

import pytest

from rtools.commands import manual
from tests.support.kit import TOOLS
from tests.support.places import ROOT

DIRECTORY = ROOT / "man"
PAGES = ["rt.1", *(f"rt-{name}.1" for name in TOOLS)]


def test_there_is_a_page_for_every_tool_and_no_other():
    assert sorted(path.name for path in DIRECTORY.iterdir()) == sorted(PAGES)


@pytest.fixture(scope="module")
def made():
    return manual.pages()


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_current(name, made):
    assert (DIRECTORY / name).read_text() == made[name], "make them with: python -m rtools.commands.manual man"


def test_pages_of_tools_that_are_no_more_go(tmp_path, made):
    (tmp_path / "rt-gone.1").write_text("")
    (tmp_path / "other.1").write_text("")
    manual.main([str(tmp_path)])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*PAGES, "other.1"])
    assert (tmp_path / "rt-run.1").read_text() == made["rt-run.1"]


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff here")
def test_groff_has_nothing_to_complain_about():
    names = [str(DIRECTORY / name) for name in PAGES]
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", *names], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff here")
def test_a_page_says_what_help_says():
    shown = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-cbou", "-rLL=200n", str(DIRECTORY / "rt-rampfit.1")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for part in (
        "rt-rampfit - Fit a count rate",
        "--threshold FLOAT",
        "default: 4.5",
        "gain, readnoise",
        "RT_REFDIR",
    ):
        assert part in " ".join(shown.split())


def test_troff_does_not_take_text_for_commands():
    assert manual._text(".TH -x 'a\\b'") == r"\&.TH \-x 'a\eb'"
    assert manual._text("'quoted'") == r"\&'quoted'"
    assert manual._text("é…") == r"\[u0065_0301]\[u2026]"


def test_wheels_take_the_pages_along():
    import tomllib

    settings = tomllib.loads((DIRECTORY.parent / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert settings["data-files"]["share/man/man1"] == ["man/*.1"]
