"""What is wrong with a name of JWST, where, what was expected there, and what the writer may have meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from rtools.jwst.detectors import DETECTORS
from rtools.jwst.suffixes import NAME_SUFFIXES
from rtools.products.names.errors import LABELS, InvalidName
from rtools.products.names.jwst_grammar import GUIDE_MODES, GUIDE_SUFFIXES
from rtools.products.names.matching import BOUNDS, Note, Scan, Span

__all__ = ["JWST_WIDTHS", "jwst_syntax_error"]

JWST_WIDTHS = {
    "program": 5,
    "observation": 3,
    "visit": 3,
    "visit_group": 2,
    "activity": 2,
    "exposure": 5,
    "segment": 3,
    "counter": 5,
}
"""Components of a fixed number of characters."""

DETECTOR_NAMES = tuple(name for names in DETECTORS.values() for name in names)

ALLOWED = {
    "prefix": "jw",
    **{name: f"{width} digits" for name, width in JWST_WIDTHS.items()},
    "parallel_seq": "one digit, 1 to 5",
    "activity": "two digits or lower-case letters",
    "detector": f"one of {' '.join(DETECTOR_NAMES)}",
    "asn_candidate": "a letter and 3 or 4 digits",
    "target": "t and 3 digits, or s, b or v and 9 digits of a source",
    "source": "s, b or v and 9 digits",
    "epoch": "one digit",
    "instrument": f"one of {' '.join(DETECTORS)}",
    "optics": "words of lower-case letters and digits, joined by -",
    "config": "1 or 2 digits",
    "guide_mode": f"one of {' '.join(GUIDE_MODES)}",
    "attempt": "1 or 2 digits",
    "frame": "image or stacked",
    "stamp": "8 digits, t and 6 digits",
    "asn_type": "lower-case letters and digits",
    "extension": "lower-case letters and digits",
    "separator": "_",
    "end": "here",
}
"""What is allowed for each component; of the suffix it depends on what stands before."""

FOLLOWER = {
    "program": "observation",
    "visit": "visit_group",
    "activity": "exposure",
    "exposure": "detector",
    "segment": "detector",
    "detector": "suffix",
    "target": "instrument",
    "source": "instrument",
    "epoch": "instrument",
    "instrument": "suffix",
    "optics": "suffix",
    "stamp": "suffix",
    "asn_type": "counter",
    "counter": "suffix",
    "config": "suffix",
    "guide_mode": "stamp",
    "attempt": "frame",
    "frame": "suffix",
}
"""The component that is missing where a name ends after another."""


def jwst_syntax_error(text: str, scan: Scan) -> InvalidName:
    """The error of a text that no name of JWST begins with.

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
    component, start, at, before = _blame(text, scan)
    stop = max(_stop(text, start, component), at)
    words = _suffixes(before)
    allowed = ALLOWED.get(component) or f"{'one of ' * (len(words) > 1)}{' '.join(words)}"
    if component == "stamp" and words is GUIDE_SUFFIXES:
        allowed = "13 digits"
    meant = _hint(text, component, start, stop, at, words)
    return InvalidName(text, at + 1, component, start=start, stop=stop, expected=allowed, hint=meant)


def _blame(text: str, scan: Scan) -> tuple[str, int, int, Sequence[Span]]:
    """The component that is wrong, where it starts, its first wrong character, and the components before it."""
    at, found = scan.furthest, text[scan.furthest : scan.furthest + 1]
    inside = {note.component: note for note in reversed(scan.notes) if note.component not in BOUNDS}
    bounds = [note for note in scan.notes if note.component in BOUNDS]
    if inside and (not bounds or found.isalnum() or "observation" in inside):
        chosen = _most_likely(text, inside)
        return chosen.component, chosen.start, at, chosen.spans[:-1]
    before = bounds[0].spans[:-1]
    last = before[-1]
    if last.component in ("optics", "infix") and found in ("", "."):
        return _last_word(text, last, before)
    if found.isalnum() or (found and last.component in ("suffix", "extension")):
        if last.component == "suffix" and found == ".":
            return "extension", at + 1, at + 1, before
        return last.component, last.start, at, before[:-1]  # it goes on where it should have ended
    if last.component == "suffix":
        return "extension", at, at, before
    if found in ("", ".") and last.component in FOLLOWER:
        return FOLLOWER[last.component], at, at, before
    return ("separator" if any(note.component == "separator" for note in bounds) else "end"), at, at, before


def _most_likely(text: str, notes: dict[str, Note]) -> Note:
    """The component that was meant, where several could stand."""
    if "optics" in notes and "_" in text[notes["optics"].start :].split(".")[0]:
        return notes["optics"]
    if "suffix" in notes:
        is_candidate = re.match(r"[a-z]\d+", text[notes["suffix"].start :], re.IGNORECASE)
        if "asn_candidate" in notes and is_candidate and not _nearest_suffix(text, notes["suffix"].start):
            return notes["asn_candidate"]
        return notes["suffix"]
    for component in ("observation", "target", "visit_group", "exposure", "stamp"):
        if component in notes:
            return notes[component]
    return next(iter(notes.values()))


def _nearest_suffix(text, start):
    return _nearest(re.split(r"[_.]", text[start:])[0], NAME_SUFFIXES)


def _last_word(text, span, before):
    """The suffix that is missing or unknown at the end of words that could be optics."""
    end = len(text) if span.end is None else span.end
    start = text.rfind("_", 0, end) + 1
    token = text[start:end]
    if start <= span.start and not _nearest(token, NAME_SUFFIXES):
        return "suffix", end, end, before
    fits = max(_agreeing(token, suffix) for suffix in NAME_SUFFIXES)
    return "suffix", start, start + fits, before[:-1]


def _agreeing(one, other):
    """How many characters two words begin alike with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _stop(text, start, component):
    """Where the component ends that begins at `start`."""
    if component == "prefix":
        found = re.match(r"jw?", text[start:], re.IGNORECASE)
        return start + (found.end() if found else 0)
    if component in ("program", "observation", "visit"):
        found = re.match(r"[^-_.]*", text[start:])
        return start + min(found.end() if found else 0, JWST_WIDTHS[component])
    if component == "separator":
        return min(start + 1, len(text))
    enders = {"suffix": ".", "extension": "", "end": ""}.get(component, "-_.")
    return next((at for at in range(start, len(text)) if text[at] in enders), len(text))


def _suffixes(before):
    components = {span.component for span in before}
    if "counter" in components:
        return ("asn",)
    return GUIDE_SUFFIXES if "guide_mode" in components else ("msa",) if "config" in components else NAME_SUFFIXES


def _hint(text, component, start, stop, at, words):
    """What the writer of a wrong name may have meant; None if nobody can say."""
    token, found = text[start:stop], text[at : at + 1]
    if component == "prefix":
        return "the prefix is in lower case" if token else "the prefix jw is missing"
    if found.isupper():
        return "names are in lower case"
    if component == "suffix":
        return _suffix(token, words)
    if component in ("program", "observation", "visit"):
        return _visit(text, found)
    if token == "" and found in ("", "."):
        return f"the {LABELS.get(component, component)} is missing"
    if token == "" and found == "_":
        return f"empty {LABELS.get(component, component)}"
    told = _HINTS.get(component, _found)(text, token, found)
    return told or ("the name ends here" if found == "" else None)


def _found(text, token, found):
    return f"{token or repr(found)} found"


def _visit(text, found):
    """Of program, observation and visit, whose digits stand together."""
    match = re.match(r"jw(\d+)(?=[_.]|$)", text)
    if match and len(match[1]) == 5:
        return "after the program stand 6 digits of observation and visit, or - and an association candidate"
    if match:
        return f"{len(match[1])} digits after jw found, 11 needed"
    return f"a digit is needed, {found!r} found" if found else "the name ends here"


def _group(text, token, found):
    """Of visit group, parallel sequence and activity, which stand together."""
    match = re.match(r"jw\d{11}_([0-9a-z]+)", text)
    if match and len(match[1]) != 5:
        return f"{len(match[1])} characters found, 5 needed: visit group, parallel sequence, activity"
    return f"{found!r} found" if found else None


def _exposure(text, token, found):
    if re.fullmatch(r"\d+", token):
        return f"{len(token)} digit{'s' * (len(token) != 1)} found, 5 needed"
    return f"a digit is needed, {found!r} found" if found else None


def _segment(text, token, found):
    return f"{token or found!r} found, 3 digits needed" if token or found else None


def _detector(text, token, found):
    if re.fullmatch(r"seg\d*", token):
        return f"a segment follows the exposure with -, as in 00001-{token}"
    nearest = _nearest(token, DETECTOR_NAMES)
    return f"nearest {nearest}" if nearest else f"{token} found"


def _instrument(text, token, found):
    nearest = _nearest(token, list(DETECTORS))
    return f"nearest {nearest}" if nearest else f"{token} found"


def _target(text, token, found):
    if token in DETECTORS:
        return "the target or source is missing"
    return f"{token} found" if token else None


def _suffix(token, words):
    if token == "":
        return "the product suffix is missing"
    if re.search(r"_[a-z]\d{3,4}$", token):
        return "the association candidate stands before the suffix"
    nearest = _nearest(token, words)
    return f"unknown suffix {token}" + (f", nearest {nearest}" if nearest else "")


def _nearest(token, words):
    close = get_close_matches(token.lower(), words, 1, 0.6)
    return close[0] if close else None


_HINTS = {
    "visit_group": _group,
    "parallel_seq": _group,
    "activity": _group,
    "exposure": _exposure,
    "segment": _segment,
    "detector": _detector,
    "instrument": _instrument,
    "target": _target,
}
