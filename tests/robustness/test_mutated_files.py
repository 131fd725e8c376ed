"""Tools over thousands of changed files: documented errors only, bounded time and memory, no stray file."""

from collections import Counter

import pytest

from tests.robustness.test_kills import COUNTS
from tests.support.corpus import KINDS, corpus
from tests.support.fuzzed import ending
from tests.support.places import ROOT

pytestmark = pytest.mark.slow

EACH = 7
"""Changed files of each kind in every run."""

MANY = 500
"""The same among the long tests."""


@pytest.fixture(scope="module")
def files(ran, raw, others, tmp_path_factory):
    """A whole file of every kind."""
    made = lambda suffix: raw if suffix == "uncal" else ran / raw.name.replace("_uncal", f"_{suffix}")  # noqa: E731
    return corpus(made, others, tmp_path_factory.mktemp("corpus"))


def endings(files, kind, numbers, box):
    """How tools ended over changed files of a kind; those that did what they may not do do so again."""
    found = [ending(files, kind, number, box) for number in numbers]
    again = [ending(files, kind, one.number, box) if one.fault else one for one in found]  # the first one may compile
    faults = [
        f"{one.number} ({one.word}): rt-{one.line}: {one.fault}: {one.said.strip()}" for one in again if one.fault
    ]
    assert not faults, f"{kind}: {len(faults)} faults\n" + "\n".join(faults)
    return Counter(one.status for one in found)


@pytest.mark.parametrize("kind", KINDS)
def test_tools_refuse_what_was_changed_with_documented_errors(files, kind, tmp_path):
    counts = endings(files, kind, range(EACH), tmp_path)
    assert counts.total() == EACH


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_tools_refuse_thousands_of_changed_files_with_documented_errors(files, kind, tmp_path, capsys):
    counts = endings(files, kind, range(1000, 1000 + MANY), tmp_path)
    with capsys.disabled():
        print(
            f"\n{kind}: {counts.total()} changed files; exit status "
            + ", ".join(f"{status} for {count}" for status, count in sorted(counts.items()))
        )
    assert counts.total() == MANY and counts[3] > MANY / 10


def test_the_page_says_how_many_there_are():
    page = (ROOT / "docs" / "robustness.md").read_text()
    assert f"of each kind | {EACH} | {MANY} |" in page
    assert f"| 1, 1, 1 | {', '.join(map(str, COUNTS.values()))} |" in page
