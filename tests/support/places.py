"""Where the checkout and its parts are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Top of the checkout: what PYTHONPATH names where a process of its own imports rtools and the tests."""

TESTS = ROOT / "tests"
DATA = TESTS / "data"
JUDGES = TESTS / "judges"
