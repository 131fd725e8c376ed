"""Matchers that grammars of names are made of; they know how far a text could still be a name.

A matcher is called with a `Scan`, a position and the components read so far, and yields every position at which it can
end. Where a character does not fit, it leaves a note; the notes at the furthest position say what was expected there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

__all__ = [
    "BOUNDS",
    "DIGITS",
    "DOT",
    "LOWER",
    "SEPARATOR",
    "Matcher",
    "Note",
    "Scan",
    "Span",
    "at_end",
    "choice",
    "component",
    "digits",
    "first_reading",
    "number",
    "optional",
    "repeated",
    "run",
    "sequence",
    "word",
]

DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"

BOUNDS = ("separator", "dot", "end")
"""Components that stand between those of a name."""


class Span(NamedTuple):
    """A component of a name: `text[start:end]`; `end` is None while it is being read."""

    component: str
    start: int
    end: int | None = None


class Note(NamedTuple):
    """What would have fitted at the furthest position, and the components before it."""

    component: str
    start: int
    expected: str
    spans: tuple[Span, ...]


@dataclass
class Scan:
    """One reading of a text: the furthest position that a name can reach, and the notes left there."""

    text: str
    furthest: int = 0
    notes: list[Note] = field(default_factory=list)

    def note(self, at: int, spans: tuple[Span, ...], expected: str) -> None:
        """Record that `expected` would have fitted at this position."""
        if at > self.furthest:
            self.furthest = at
            self.notes.clear()
        if at == self.furthest:
            component, start = (spans[-1].component, spans[-1].start) if spans else ("", at)
            self.notes.append(Note(component, start, expected, spans))


Matcher: TypeAlias = Callable[[Scan, int, tuple[Span, ...]], Iterator[tuple[int, tuple[Span, ...]]]]
"""What a grammar is made of: scan, position and components so far to the ends that are possible."""


def first_reading(grammar: Matcher, text: str) -> tuple[tuple[Span, ...] | None, Scan]:
    """Read a text by a grammar.

    Parameters
    ----------
    grammar : Matcher
        It ends in `at_end`.
    text : str
        Name without directory.

    Returns
    -------
    (tuple of Span or None, Scan)
        The components of the first way to read it, separators left out, None if there is none; and how far the reading
        went.
    """
    scan = Scan(text)
    for _at, spans in grammar(scan, 0, ()):
        return tuple(span for span in spans if span.component not in BOUNDS), scan
    return None, scan


def word(*words: str) -> Matcher:
    """Any of these words."""

    def match(scan, at, spans):
        for word in words:
            if scan.text.startswith(word, at):
                yield at + len(word), spans
            else:
                fits = 0
                while scan.text[at + fits : at + fits + 1] == word[fits]:
                    fits += 1
                scan.note(at + fits, spans, word)

    return match


def run(alphabet: str, low: int, high: int | None, *, expected: str) -> Matcher:
    """As many characters of an alphabet as there are, from `low` to `high`; `expected` says what they are."""

    def match(scan, at, spans):
        limit = len(scan.text) if high is None else min(at + high, len(scan.text))
        end = at
        while end < limit and scan.text[end] in alphabet:
            end += 1
        if high is None or end - at < high:
            scan.note(end, spans, expected)
        if end - at >= low:
            yield end, spans

    return match


def digits(low: int, high: int | None = None) -> Matcher:
    """From `low` to `high` digits; just `low` without `high`."""
    return run(DIGITS, low, high or low, expected="a digit")


def number(high: int | None = None) -> Matcher:
    """A number without leading zeros, of at most `high` digits."""
    rest = run(DIGITS, 0, None if high is None else high - 1, expected="a digit")
    return sequence(run("123456789", 1, 1, expected="a digit from 1"), rest)


def sequence(*parts: Matcher) -> Matcher:
    """All of these, one after another."""

    def match(scan, at, spans):
        if rest is None:
            yield at, spans
            return
        for middle, found in parts[0](scan, at, spans):
            yield from rest(scan, middle, found)

    rest = sequence(*parts[1:]) if parts else None
    return match


def choice(*parts: Matcher) -> Matcher:
    """Any of these; the first that leads to a name is taken."""

    def match(scan, at, spans):
        for part in parts:
            yield from part(scan, at, spans)

    return match


def optional(*parts: Matcher) -> Matcher:
    """All of these, or nothing."""
    return choice(sequence(*parts), sequence())


def repeated(*parts: Matcher) -> Matcher:
    """A sequence that can end in one way only, any number of times, also never; fewer are tried first."""
    once = sequence(*parts)

    def match(scan, at, spans):
        while at is not None:
            yield at, spans
            at = next((end for end, _ in once(scan, at, spans)), None)

    return match


def component(name: str, *parts: Matcher) -> Matcher:
    """A sequence that is reported as one component."""
    inner = sequence(*parts)

    def match(scan, at, spans):
        for end, _ in inner(scan, at, (*spans, Span(name, at))):
            yield end, (*spans, Span(name, at, end))

    return match


def at_end(scan: Scan, at: int, spans: tuple[Span, ...]) -> Iterator[tuple[int, tuple[Span, ...]]]:
    """The end of the text."""
    if at == len(scan.text):
        yield at, spans
    else:
        scan.note(at, (*spans, Span("end", at)), "the end of the name")


SEPARATOR = component("separator", word("_"))
DOT = component("dot", word("."))
