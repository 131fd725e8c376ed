"""What pytest is told of the whole suite: where its fixtures are, and which tests run when."""

import gc
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: as the tools have it, and workers share the cores

import pytest

gc.set_threshold(50_000)  # as the tools, too
pytest.register_assert_rewrite("tests.support")

from rtools.jwst import SUFFIXES  # noqa: E402
from tests.support.kit import ALIKE  # noqa: E402  (after the rewriting of its assertions)

pytest_plugins = [
    "tests.support.compiled_lines",
    "tests.support.elsewhere",
    "tests.support.judges",
    "tests.support.jwst_golden",
    "tests.support.kit",
    "tests.support.quick_tools",
    "tests.support.runs",
    "tests.support.star_fields",
]

TOLD = ("help", "manual", "complet", "option")
"""Words in the names of kit-wide tests of what a tool says of itself."""

SLOW_FIXTURES = {"raw", "raw18", "raw_jwst", "references", "star_field", "others", "quick", "path_of_tools"}
"""Fixtures that simulate and calibrate an exposure, or start tools as processes: what needs them is slow."""


QUICK_KINDS = {"uncal", "rate", "cal", "calints", "s3d", "x1d", "phot", "cat", "ami-oi"}
"""Of a test that is done with every kind of product of JWST, those with which `--quick` does it: ramp, image, images of
integrations, cube, tables of FITS and of ECSV, and several tables in one file."""

SETTLED = 2.0
"""Seconds after which what has been loaded and made meanwhile counts as no garbage."""


def pytest_collection_finish(session):
    """Ten thousand tests and all modules are no garbage: they are not looked at again and again."""
    session.settled = 0.0


def pytest_runtest_setup(item):
    """Nor are modules that the tests load and what fixtures keep: every job of a run looks for garbage as it ends."""
    if time.monotonic() - item.session.settled > SETTLED:
        gc.collect()
        gc.freeze()
        item.session.settled = time.monotonic()


def pytest_addoption(parser):
    """``--long``: run the tests marked ``long``, and only these; ``--quick``: leave out all that takes its time."""
    parser.addoption("--long", action="store_true", help="run the long tests, and only these")
    parser.addoption("--quick", action="store_true", help="leave out judges, full frames and whatever is slow")


def kinds_of(item):
    """Which of ``long``, ``full``, ``judges``, ``slow`` a test is: by its marks, and by the fixtures that it needs."""
    kinds = {"long", "full", "judges", "slow"} & set(item.keywords)
    if _is_done_with_a_tool_like_others(item):
        kinds.add("long")
    if "judge" in item.fixturenames:
        kinds.add("judges")
    if SLOW_FIXTURES & set(item.fixturenames) or _is_done_with_a_kind_like_others(item):
        kinds.add("slow")
    return kinds


def _is_done_with_a_tool_like_others(item):
    """Whether a kit-wide test is about a tool that differs by its declaration alone, and not of its help."""
    of_kit = item.path.parent.name == "kit" and hasattr(item, "callspec")
    return of_kit and item.callspec.params.get("name") in ALIKE and not any(word in item.name for word in TOLD)


def _is_done_with_a_kind_like_others(item):
    """Whether a test has a case for each kind of product of JWST, and this one is of no other form than others."""
    kind = item.callspec.params.get("suffix") if hasattr(item, "callspec") else None
    return kind in SUFFIXES and kind not in QUICK_KINDS


def pytest_collection_modifyitems(config, items):
    """Leave out long tests, or all others with ``--long``; with ``--quick`` all that is not quick."""
    only_long, only_quick = config.getoption("--long"), config.getoption("--quick")
    if only_long and only_quick:
        raise pytest.UsageError("--long and --quick exclude each other")
    if only_quick:  # a test that asks a judge and does not say so fails wherever it is run
        os.environ["RTOOLS_JUDGES"] = str(config.rootpath / "none with --quick")
    chosen, left_out = [], []
    for item in items:
        kinds = kinds_of(item)
        wanted = not kinds if only_quick else ("long" in kinds) == only_long
        (chosen if wanted else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = chosen
