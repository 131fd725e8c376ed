"""What pytest is told of the whole suite: where its fixtures are, and which tests run when."""

import pytest

pytest.register_assert_rewrite("tests.support")

pytest_plugins = [
    "tests.support.judges",
    "tests.support.kit",
    "tests.support.quick_tools",
    "tests.support.runs",
    "tests.support.star_fields",
]


def pytest_addoption(parser):
    """``--long``: run the tests marked ``long``, and only these."""
    parser.addoption("--long", action="store_true", help="run the long tests, and only these")


def pytest_collection_modifyitems(config, items):
    """Leave out long tests, or all others with ``--long``."""
    wanted = config.getoption("--long")
    chosen = [item for item in items if ("long" in item.keywords) == wanted]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if ("long" in item.keywords) != wanted])
        items[:] = chosen
