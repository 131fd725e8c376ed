"""The page as a browser shows it: its script runs, its console is empty, it opens quickly, whatever the width."""

import json
import re

import pytest

from tests.support import report_files
from tests.support.browser import CHROMIUM, opened
from tests.support.kit import run

pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")]

PROBE = """
<script>
const said = {};
const press = (number) => document.querySelectorAll("#products thead button")[number].click();
const names = () => [...document.querySelectorAll("#products tbody tr:not([hidden]) th")].map(one => one.textContent);
const heads = [...document.querySelectorAll("#products thead button")].map(one => one.textContent.trim());
said.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
said.first = names();
press(heads.findIndex(one => one.startsWith("sky")));
said.sorted = names();
press(heads.findIndex(one => one.startsWith("sky")));
said.reversed = names();
const search = document.getElementById("filter");
search.value = "0002 f158"; search.dispatchEvent(new Event("input"));
said.found = names();
search.value = ""; search.dispatchEvent(new Event("input"));
const verdict = document.getElementById("verdict");
verdict.value = "broken"; verdict.dispatchEvent(new Event("input"));
said.broken = names();
const back = () => getComputedStyle(document.body).backgroundColor;
const before = back(); document.getElementById("theme").click(); said.themes = [before, back()];
const box = document.querySelector(".flicker input"), over = document.querySelector(".flicker img.over");
said.hidden = getComputedStyle(over).opacity; box.click(); said.shown = getComputedStyle(over).opacity;
said.pictures = [...document.images].map(one => one.naturalWidth);
const load = performance.getEntriesByType("navigation")[0];
said.milliseconds = load.loadEventEnd || load.domContentLoadedEventEnd || performance.now();
document.body.textContent = "SAID" + JSON.stringify(said) + "DIAS";
</script>
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of four exposures, a mosaic, and a file that is broken."""
    directory = tmp_path_factory.mktemp("field")
    report_files.exposures(directory)
    report_files.coadd(directory)
    (directory / "zz_cal.asdf").write_text("no product")
    made = tmp_path_factory.mktemp("page") / "page.html"
    assert run("report", *sorted(directory.iterdir()), "-o", made) == 3
    return made


@pytest.fixture(scope="module", params=[1400, 500])
def said(request, page, tmp_path_factory):
    """What a script behind the page's own finds at a width; the page's policy, which forbids it, is taken off."""
    text = re.sub(r"<meta http-equiv=[^>]*>", "", page.read_text())
    directory = tmp_path_factory.mktemp("probed")
    probed = directory / "page.html"
    probed.write_text(text.replace("</body>", f"{PROBE}</body>"))
    document, console = opened(probed, directory / "profile", request.param)
    assert console == []
    return json.loads(re.search("SAID(.*)DIAS", document)[1])


def test_the_console_is_empty_and_the_policy_lets_the_script_of_the_page_run(page, tmp_path):
    document, console = opened(page, tmp_path / "profile")
    assert console == []
    assert re.search(r'<span id="count">6 of 6</span>', document)


def test_a_script_that_is_not_the_page_s_does_not_run(page, tmp_path):
    other = tmp_path / "page.html"
    other.write_text(page.read_text().replace("</main>", "<script>document.title = 'mine'</script></main>"))
    document, console = opened(other, tmp_path / "profile")
    assert "<title>mine" not in document
    assert len(console) == 1
    assert "Content Security Policy" in console[0]


def test_a_click_on_a_heading_sorts_and_another_reverses(said):
    exposures = sorted(name for name in said["first"] if "wfi01" in name)
    assert [name for name in said["sorted"] if "wfi01" in name] == exposures
    assert [name for name in said["reversed"] if "wfi01" in name] == exposures[::-1]
    assert said["sorted"][-1] == said["reversed"][-1] == "zz_cal.asdf"


def test_words_and_verdicts_filter_the_table(said):
    assert [name for name in said["found"] if "_0002_" not in name] == []
    assert len(said["found"]) == 1
    assert said["broken"] == ["zz_cal.asdf"]


def test_the_page_is_as_wide_as_its_window_and_has_two_themes(said):
    assert said["wide"] <= 0
    assert len(set(said["themes"])) == 2


def test_sources_flicker_and_pictures_are_there(said):
    assert (said["hidden"], float(said["shown"]) > 0.5) == ("0", True)
    assert len(said["pictures"]) >= 10


def test_500_exposures_are_less_than_20_mb_and_open_in_seconds(page, tmp_path):
    """A second is for a quiet machine; this one may be busy."""
    directory = tmp_path / "many"
    directory.mkdir()
    sources = report_files.exposures(directory, 4)
    names = [f"{number:04d}_{source.name}" for number in range(125) for source in sources]
    for number, name in enumerate(names):
        source = sources[number % 4]
        for end in ("_cal.asdf", "_cat.parquet", "_segm.asdf"):
            (directory / name.replace("_cal.asdf", end)).hardlink_to(str(source).replace("_cal.asdf", end))
    made = tmp_path / "many.html"
    assert run("report", *(directory / name for name in names), "-o", made) == 0
    assert made.stat().st_size < 20e6
    probed = tmp_path / "probed.html"
    text = re.sub(r"<meta http-equiv=[^>]*>", "", made.read_text())
    probed.write_text(text.replace("</body>", f"{PROBE}</body>"))
    document, console = opened(probed, tmp_path / "profile")
    assert console == []
    found = json.loads(re.search("SAID(.*)DIAS", document)[1])
    assert len(found["first"]) == 500
    assert found["milliseconds"] < 10_000
