"""One scheme of names for the tests: a file says what it tests, its folder in which room; nothing is said twice."""

import ast

from tests.support.places import ROOT, TESTS

FILES = sorted(TESTS.rglob("test_*.py"))
BESIDE_ROOMS = ("house", "robustness", "support", "tasks")
"""Folders of tests that mirror no room: the house as a whole, all tools when things go wrong, what tests share, and
what somebody wants to have done."""


def test_no_two_files_have_the_same_name():
    names = [path.name for path in FILES]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_folders_mirror_the_rooms():
    folders = {path.parent.relative_to(TESTS) for path in FILES}
    rooms = [folder for folder in folders if folder.parts[:1] not in [(name,) for name in BESIDE_ROOMS]]
    assert [str(folder) for folder in rooms if not folder.parts or not (ROOT / "rtools" / folder).is_dir()] == []


def test_every_file_of_tests_says_what_it_shows():
    assert [path.name for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_no_test_stands_twice_in_a_file():
    """The second would be run in place of the first."""
    for path in FILES:
        names = [node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
        assert sorted({name for name in names if names.count(name) > 1}) == [], path.name
