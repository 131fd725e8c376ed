"""The grammar of JWST's file names.

A name is that of an exposure, of what was made of several (stage 3), of an association, of a configuration of the
micro-shutters, or of guide star data. Underscores separate fields, hyphens begin optional parts.
"""

from collections.abc import Sequence
from functools import lru_cache

from rtools.jwst.detectors import DETECTORS
from rtools.jwst.suffixes import NAME_SUFFIXES
from rtools.products.names.matching import (
    DIGITS,
    DOT,
    LOWER,
    SEPARATOR,
    Matcher,
    Scan,
    Span,
    at_end,
    choice,
    component,
    digits,
    first_reading,
    optional,
    repeated,
    run,
    sequence,
    word,
)

__all__ = ["GUIDE_MODES", "GUIDE_SUFFIXES", "read"]

GUIDE_MODES = ("id", "acq1", "acq2", "track", "fg")
"""What the guider was doing: identification, two acquisitions, track, fine guide."""

GUIDE_SUFFIXES = ("uncal", "cal", "stream")
"""Suffixes of guide star data."""

ALNUM = DIGITS + LOWER
BASE36 = "a digit or a lower-case letter"


def read(
    text: str, forms: Sequence[str], *, lenient: bool = False, infix: bool = False
) -> tuple[tuple[Span, ...] | None, Scan]:
    """Read a text as a name of JWST.

    Parameters
    ----------
    text : str
        Name without directory; lower case if `lenient`.
    forms : sequence of str
        Which of ``name``, ``stem``, ``root`` are taken.
    lenient : bool
        Also take associations with three digits at the end, and guide star data with a hyphen before the suffix.
    infix : bool
        Also take other words before the suffix of an exposure.

    Returns
    -------
    (tuple of Span or None, Scan)
        The components, None if the text is not a name; and how far the reading went.
    """
    return first_reading(_grammar(tuple(forms), lenient, infix), text)


def _mark(*words):
    """A word that stands between components and belongs to none."""
    return component("separator", word(*words))


def _alnum(name, low, high):
    return component(name, run(ALNUM, low, high, expected=BASE36))


_PROGRAM = sequence(component("prefix", word("jw")), component("program", digits(5)))
_VISIT = sequence(_PROGRAM, component("observation", digits(3)), component("visit", digits(3)))
_SEGMENT = optional(_mark("-seg"), component("segment", digits(3)))
_CANDIDATE = component("asn_candidate", run(LOWER, 1, 1, expected="a letter"), digits(3, 4))
_SOURCE = component("source", word("s", "b", "v"), digits(5, 9))
_TARGET = component("target", word("t"), digits(1, 3))
_WORD = run(ALNUM, 1, None, expected=BASE36)
_EXTENSION = component("extension", _WORD, repeated(word("."), _WORD))
_WORDS = sequence(_WORD, repeated(word("-", "_"), _WORD))


def _ending(forms, suffixes, activity=None):
    """A suffix and its extension; a suffix; nothing, which is tried last, as a root may end in any word."""
    suffix = sequence(SEPARATOR, component("suffix", word(*suffixes)), *([activity] if activity else []))
    ways = [sequence(suffix, DOT, _EXTENSION, at_end)] if "name" in forms else []
    ways += [sequence(suffix, at_end)] if "stem" in forms else []
    return choice(*ways, *([at_end] if "root" in forms else []))


def _exposure(forms, infix):
    nickname = component("infix", _WORDS)
    ending = _ending(forms, NAME_SUFFIXES)
    if infix:
        others = [form for form in forms if form != "root"]
        ending = choice(ending, sequence(SEPARATOR, nickname, _ending(others, NAME_SUFFIXES)))
    detector = component("detector", word(*(name for names in DETECTORS.values() for name in names)))
    after = sequence(SEPARATOR, detector, choice(sequence(SEPARATOR, _CANDIDATE, ending), ending))
    return sequence(
        _VISIT,
        SEPARATOR,
        component("visit_group", digits(2)),
        component("parallel_seq", run("12345", 1, 1, expected="a digit from 1 to 5")),
        _alnum("activity", 2, 2),
        SEPARATOR,
        component("exposure", digits(5)),
        _SEGMENT,
        choice(after, *([at_end] if "root" in forms else [])),
    )


def _stage3(forms):
    ending = _ending(forms, NAME_SUFFIXES, optional(_mark("-"), _alnum("activity", 2, 2)))
    what = choice(sequence(_TARGET, optional(_mark("-"), _SOURCE)), _SOURCE)
    return sequence(
        _PROGRAM,
        _mark("-"),
        _CANDIDATE,
        SEPARATOR,
        what,
        optional(_mark("-epoch"), component("epoch", digits(1))),
        SEPARATOR,
        component("instrument", word(*DETECTORS)),
        choice(ending, sequence(SEPARATOR, component("optics", _WORDS), ending)),
    )


def _association(forms, lenient):
    kind = component("asn_type", run(ALNUM + "-", 1, None, expected="a type"))
    counter = [component("counter", digits(5))] + [component("counter", digits(3))] * lenient
    stamp = component("stamp", digits(8), word("t"), digits(6))
    tail = (SEPARATOR, kind, SEPARATOR, choice(*counter), _ending(forms, ("asn",)))
    return sequence(_PROGRAM, _mark("-"), _CANDIDATE, SEPARATOR, stamp, *tail)


def _shutters(forms):
    return sequence(_VISIT, SEPARATOR, component("config", digits(1, 2)), _ending(forms, ("msa",)))


def _guide(forms, lenient):
    ending = _ending(forms, GUIDE_SUFFIXES)
    picture = [ending]
    if lenient and "name" in forms:  # as the documentation of the pipeline writes it
        suffix = sequence(_mark("-"), component("suffix", word(*GUIDE_SUFFIXES)))
        picture += [sequence(suffix, DOT, _EXTENSION, at_end)]
    frame = component("frame", word("image", "stacked"))
    attempt = sequence(component("attempt", digits(1, 2)), SEPARATOR, frame, choice(*picture))
    stamp = sequence(component("stamp", digits(13)), _SEGMENT, ending)
    mode = component("guide_mode", word(*GUIDE_MODES))
    return sequence(_VISIT, _mark("_gs-"), mode, SEPARATOR, choice(attempt, stamp))


@lru_cache
def _grammar(forms, lenient, infix) -> Matcher:
    return choice(
        _exposure(forms, infix), _stage3(forms), _association(forms, lenient), _shutters(forms), _guide(forms, lenient)
    )
