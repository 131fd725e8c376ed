"""Every function of `import rtools` has an example in its docstring, and the examples do what they say."""

import doctest
import importlib
import inspect
import os
import re
import warnings

import pytest

import rtools
from tests.support import bands, dithers
from tests.support.places import ROOT
from tests.support.runs import PRODUCTS

FUNCTIONS = sorted(name for name in rtools.__all__ if inspect.isfunction(getattr(rtools, name)))
PAGE = ROOT / "docs" / "python.md"
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.fixture(scope="module")
def folder(raw, ran, tmp_path_factory):
    """The directory in which examples are typed: an exposure with its products, a dithered field, two filters."""
    directory = tmp_path_factory.mktemp("examples")
    os.symlink(raw, directory / raw.name)
    for product in PRODUCTS:
        name = raw.name.replace("uncal.asdf", product)
        os.symlink(ran / name, directory / name)
    (directory / "field").mkdir()
    dithers.exposures(directory / "field")
    (directory / "bands").mkdir()
    for element in ("F106", "F158"):
        bands.write(directory / "bands" / f"{element.lower()}_coadd.asdf", element, bands.image(element, bands.stars()))
    return directory


def run_example(text, name, folder, monkeypatch):
    """Type the lines of an example in the directory; the number of those that did not answer as is written."""
    monkeypatch.chdir(folder)
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rtools.RtoolsWarning)
        return runner.run(doctest.DocTestParser().get_doctest(text, {}, name, None, 0))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_a_function_does_what_it_says(name, folder, monkeypatch):
    text = inspect.getdoc(getattr(rtools, name))
    done = run_example(text, name, folder, monkeypatch)
    assert done.failed == 0
    assert done.attempted or "See `to_fits`" in text


def test_the_examples_of_the_page_do_what_they_say(folder, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 3
    assert run_example("\n".join(blocks), "docs/python.md", folder, monkeypatch).failed == 0


def test_the_page_lists_every_name():
    text = PAGE.read_text()
    assert [name for name in rtools.__all__ if f"`{name}" not in text] == []


def test_every_function_stands_in_a_file_of_the_face():
    for name in FUNCTIONS:
        function = getattr(rtools, name)
        module = importlib.import_module(function.__module__)
        assert module.__name__.startswith("rtools.api.")
        assert name in module.__all__
