"""Whether the values of metadata can be (`rtools.wfi.quantities`): one finding a key."""

from collections.abc import Iterator, Mapping
from typing import Any

from rtools.findings import Finding, error, warning
from rtools.wfi import metadata
from rtools.wfi.fill import PLACEHOLDERS
from rtools.wfi.quantities import ENTRIES, QUANTITIES, entry_problem, problem

__all__ = ["check_entries", "check_values"]


def check_values(meta: Mapping[str, Any]) -> Iterator[Finding]:
    """Values that nobody filled in, and values that cannot be.

    Parameters
    ----------
    meta : mapping
        Below ``meta``.

    Yields
    ------
    Finding
        A warning for a placeholder of the archive, which the schemas allow; an error for any other value that cannot
        be.
    """
    for key in QUANTITIES:
        value = metadata.get(meta, key)
        found = None if value is None else problem(key, value)
        if found:
            made = warning if value in PLACEHOLDERS else error
            yield made("values", f"meta.{key}", found.removeprefix(f"meta.{key} is "))


def check_entries(tree: Mapping[str, Any]) -> Iterator[Finding]:
    """The same of the tables in the tree of a reference file; arrays are not read.

    Parameters
    ----------
    tree : mapping
        Below ``roman``.

    Yields
    ------
    Finding
        An error for each entry, without which the step would do, or be SKIPPED.
    """
    stack = [("", tree)]
    while stack:
        where, node = stack.pop()
        for key, value in node.items():
            place = f"{where}.{key}" if where else str(key)
            if isinstance(value, dict):
                stack.append((place, value))
            elif key in ENTRIES and value is not None:
                listed = value if isinstance(value, list) else [value]
                found = next((text for text in (entry_problem(key, one) for one in listed) if text), None)
                if found:
                    yield error("values", place, found.removeprefix(f"{key} is "))
