"""What is wrong with a name, where, and what was expected there.

A syntax error stands at the first character that no name continues with. The notes that a scan left at that position
name several components that could stand there; the most likely one is blamed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rtools.errors import RtoolsError
from rtools.products.names.grammar import ALIASES, ELEMENTS, SUFFIXES
from rtools.products.names.hints import WIDTHS, Fault, hint
from rtools.products.names.matching import BOUNDS, Scan, Span

if TYPE_CHECKING:
    from rtools.products.names.rules import Violation

__all__ = ["InvalidName", "rule_error", "syntax_error"]

LABELS = {
    "visit_id": "visit id",
    "acquisition": "acquisition number",
    "serial": "version",
    "reftype": "reference type",
    "execution_plan": "execution plan",
    "ra": "skycell RA",
    "dec": "skycell Dec",
    "asn_type": "association type",
    "end": "the name's end",
    "visit_group": "visit group",
    "parallel_seq": "parallel sequence",
    "asn_candidate": "association candidate",
    "config": "configuration",
    "guide_mode": "guide mode",
}
"""What a component is called where its field name does not say it."""

ALLOWED = {
    "prefix": "r, or roman_wfi_ of a reference file",
    "visit_id": "19 digits",
    "program": "5 digits",
    "exposure": "4 digits",
    "acquisition": "one digit, 1 to 9",
    "detector": "wfi01 to wfi18",
    "element": f"one of {' '.join(ELEMENTS)}",
    "release": "p, or r or dr and a number from 1, perhaps with a tier (r1-ultradeep)",
    "subset": "v and 14 digits, s and 5 digits, s and a number from 1 to 9999, or full",
    "skycell": "RA, p or m, Dec, x and y, like 270p65x48y69",
    "reftype": "lower-case words joined by _",
    "serial": "4 digits",
    "separator": "_",
    "candidate": "a letter and 3 or 4 digits",
    "stamp": "8 digits, t and 6 digits",
    "asn_type": "lower-case letters",
    "counter": "3 digits",
    "end": "here",
}
"""What is allowed for each component; suffix and extension depend on what stands before them."""

FOLLOWER = {
    "visit_id": "exposure",
    "program": "release",
    "exposure": "detector",
    "acquisition": "detector",
    "detector": "suffix",
    "element": "suffix",
    "release": "subset",
    "subset": "skycell",
    "skycell": "suffix",
    "reftype": "serial",
}
"""The component that is missing where a name ends after another."""


class InvalidName(RtoolsError):
    """A text that is not a name.

    Attributes
    ----------
    text : str
        The text, without directory.
    column : int
        First wrong character, counted from 1; one more than the length if the text ends too early.
    component, found, expected : str
        Component of the name, what stands there, what is allowed there.
    hint : str or None
        What the writer may have meant.
    picture : str
        Two lines: the text, and a caret under the column with ``~`` under the rest of the component.
    """

    def __init__(
        self, text: str, column: int, component: str, *, start: int, stop: int, expected: str, hint: str | None = None
    ) -> None:
        label = LABELS.get(component, component)
        shown = _printable(text)
        super().__init__(f"column {column}: {label} must be {expected}", mend=hint and _printable(hint), path=shown)
        self.text = text
        self.column = column
        self.component = component
        self.found = text[start:stop]
        self.expected = expected
        self.hint = hint
        self.picture = f"  {shown}\n  {' ' * start}{'~' * (column - 1 - start)}^{'~' * (stop - column)}"


def _printable(text):
    return "".join(character if character.isprintable() else "?" for character in text)


def rule_error(text: str, spans: Sequence[Span], violation: Violation) -> InvalidName:
    """The error of a grammatical name that breaks a rule.

    Parameters
    ----------
    text : str
        The name.
    spans : tuple of rtools.products.names.matching.Span
        Its components.
    violation : rtools.products.names.rules.Violation
        The rule that it breaks.

    Returns
    -------
    InvalidName
        To be raised.
    """
    component, start, expected, meant = violation
    stop = next((span.end for span in spans if span.end is not None and span.start <= start < span.end), start)
    stop = min(stop, start + WIDTHS.get(component, stop))
    return InvalidName(text, start + 1, component, start=start, stop=stop, expected=expected, hint=meant)


def syntax_error(text: str, scan: Scan) -> InvalidName:
    """The error of a text that no name begins with.

    Parameters
    ----------
    text : str
        The text.
    scan : rtools.products.names.matching.Scan
        How far it could be read.

    Returns
    -------
    InvalidName
        To be raised.
    """
    at = scan.furthest
    component, start, before = _blame(text, scan)
    stop = max(_stop(text, start, component), at)
    wanted = tuple(note.expected for note in scan.notes if note.component == component)
    fault = Fault(text, at, component, start, stop, before, wanted)
    meant = hint(fault)
    return InvalidName(text, at + 1, component, start=start, stop=stop, expected=_allowed(fault), hint=meant)


def _blame(text, scan):
    """The component that is wrong, where it starts, and the components before it."""
    at, found = scan.furthest, text[scan.furthest : scan.furthest + 1]
    inside = {note.component: note for note in reversed(scan.notes) if note.component not in BOUNDS}
    bounds = {note.component: note for note in scan.notes if note.component in BOUNDS}
    if inside and (not bounds or found.isalnum() or ("visit_id" in inside and found in ("", "."))):
        chosen = _most_likely(text, inside)
        return chosen.component, chosen.start, chosen.spans[:-1]
    before = next(iter(bounds.values())).spans[:-1]
    last = before[-1]
    if found.isalnum() or (found == "_" and last.component in ("suffix", "extension")):
        return last.component, last.start, before[:-1]  # it goes on where it should have ended
    if "dot" in bounds and last.component == "suffix":
        return "extension", at, before
    if "separator" in bounds and found in ("", "."):
        return FOLLOWER[last.component], at, before
    return ("separator" if "separator" in bounds else "end"), at, before


def _most_likely(text, notes):
    """The component that was meant, where several could stand."""
    if {"acquisition", "detector"} <= set(notes):
        start = notes["detector"].start
        return notes["acquisition" if text[start : start + 1].isdecimal() else "detector"]
    if {"element", "suffix"} <= set(notes):
        rest = text[notes["element"].start :].split(".")[0].lower()
        is_last = "_" not in rest or rest in SUFFIXES or rest in ALIASES
        return notes["suffix" if is_last else "element"]
    first = next(iter(notes.values()))
    return notes.get("visit_id", first)


_PREFIX = re.compile(r"(roman(_([a-z]+_?)?)?|.)?", re.IGNORECASE | re.DOTALL)


def _stop(text, start, component):
    """Where the component ends that begins at `start`."""
    if component == "prefix":
        found = _PREFIX.match(text, start)
        return found.end() if found else start
    if component == "separator":
        return min(start + 1, len(text))
    enders = {"suffix": ".", "extension": "", "end": ""}.get(component, "_.")
    return next((at for at in range(start, len(text)) if text[at] in enders), len(text))


def _allowed(fault):
    if fault.component == "suffix":
        return f"one of {' '.join(fault.suffixes)}"
    return fault.extension if fault.component == "extension" else ALLOWED[fault.component]
