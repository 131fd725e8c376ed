"""The grammar of file names, as matchers that know how far a name could still be right.

A matcher is called with a `Scan`, a position and the components read so far, and yields every position at which it can
end. Where a character does not fit, it leaves a note; the notes at the furthest position say what was expected there.
Names are read by position from the left: suffixes hold underscores and repeat other tokens (`…_wfi18_wfi18_transient`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from rtools.wfi.instrument import DETECTORS, NAMED_ELEMENTS

__all__ = [
    "ALIASES",
    "ELEMENTS",
    "EXPOSURE",
    "FORMS",
    "GUIDE",
    "LENIENT_ALIASES",
    "MOSAIC",
    "SUFFIXES",
    "VISIT_PARTS",
    "Note",
    "Scan",
    "Span",
    "Suffix",
    "read",
]


class Suffix(NamedTuple):
    """What a suffix says of a product: file extension, level, kind."""

    extension: str
    level: str
    kind: str


_RAMPS = ("dqinit", "saturation", "refpix", "dark_decay", "wfi18_transient", "linearity")
_IMAGES = ("rampfit", "darkcurrent", "assignwcs", "photom", "flat", "sourcecatalogstep", "tweakregstep", "cal")
_MOSAIC_STEPS = ("flux", "skymatch", "outlier_detection_step")

_PICTURES = ("preview", "thumb")

EXPOSURE = {
    "uncal": Suffix("asdf", "L1", "l1_uncal"),
    "wcs": Suffix("asdf", "L1", "wcs"),
    **{name: Suffix("asdf", "L1-L2", "ramp") for name in _RAMPS},
    **{name: Suffix("asdf", "L2", "l2_image") for name in _IMAGES + _MOSAIC_STEPS},
    "cat": Suffix("parquet", "L4", "cat_exposure"),
    "segm": Suffix("asdf", "L4", "segm_exposure"),
    **{name: Suffix("png", "L2-L4", name) for name in _PICTURES},
}
"""Suffixes of exposure-level products, in the order of the chain; of the archive's pictures of them last."""

GUIDE = {"gw": Suffix("asdf", "L1", "l1_gw"), "face": Suffix("asdf", "L1", "l1_face")}
"""Suffixes of guide-window products."""

MOSAIC = {
    "asn": Suffix("json", "L3", "association"),
    "coadd": Suffix("asdf", "L3", "l3_coadd"),
    "cat": Suffix("parquet", "L4", "cat_mosaic"),
    "segm": Suffix("asdf", "L4", "segm_mosaic"),
    **{name: Suffix("png", "L3-L4", name) for name in _PICTURES},
}
"""Suffixes of skycell products; cat and segm of a data release have no element and are multiband."""

ALSO_ASDF = "cat"
"""The suffix that in a data release stands before .asdf, too."""

SUFFIXES = {name: entry.extension for table in (EXPOSURE, GUIDE, MOSAIC) for name, entry in table.items()}
"""Every suffix that is written, and the extension that goes with it."""

LENIENT_ALIASES = {
    "dq_init": "dqinit",
    "photomstep": "photom",
    "assign_wcs": "assignwcs",
    "dark_current": "darkcurrent",
}
"""Older spellings that a strict name may not have."""

ALIASES = {"outlier_detection": "outlier_detection_step", **LENIENT_ALIASES}
"""Every older spelling of a suffix, and what is written instead."""

ELEMENTS = tuple(element.lower() for element in NAMED_ELEMENTS)
"""Optical elements as names spell them."""

VISIT_PARTS = {"program": 5, "execution_plan": 2, "pass": 3, "segment": 3, "observation": 3, "visit": 3}
"""Parts of a visit identifier and their numbers of digits."""

FORMS = ("name", "stem", "root")
"""A full name; a name without its extension; a name without suffix and extension."""

EXTENSIONS = ("asdf", "parquet", "json", "png")
DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"


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


def read(
    text: str, *, forms: Sequence[str] = FORMS, lenient: bool = False, relaxed: bool = False
) -> tuple[tuple[Span, ...] | None, Scan]:
    """Read a text as a name.

    Parameters
    ----------
    text : str
        Name without directory; lower case if `lenient`.
    forms : tuple of str
        Which of `FORMS` are taken.
    lenient : bool
        Also take older and unofficial forms.
    relaxed : bool
        Take any extension with any suffix, and guide-window suffixes with or without an acquisition number.

    Returns
    -------
    (tuple of Span or None, Scan)
        The components, separators left out, None if the text is not a name; and how far the reading went.
    """
    scan = Scan(text)
    for _at, spans in _grammar(tuple(forms), lenient, relaxed)(scan, 0, ()):
        return tuple(span for span in spans if span.component not in ("separator", "dot", "end")), scan
    return None, scan


def _word(*words):
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


def _run(alphabet, low, high, *, expected):
    """As many characters of an alphabet as there are, from `low` to `high`."""

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


def _digits(low, high=None):
    return _run(DIGITS, low, high or low, expected="a digit")


def _number(high=None):
    """A number without leading zeros, of at most `high` digits."""
    rest = _run(DIGITS, 0, None if high is None else high - 1, expected="a digit")
    return _sequence(_run("123456789", 1, 1, expected="a digit from 1"), rest)


def _sequence(*parts):
    def match(scan, at, spans):
        if rest is None:
            yield at, spans
            return
        for middle, found in parts[0](scan, at, spans):
            yield from rest(scan, middle, found)

    rest = _sequence(*parts[1:]) if parts else None
    return match


def _choice(*parts):
    def match(scan, at, spans):
        for part in parts:
            yield from part(scan, at, spans)

    return match


def _optional(*parts):
    return _choice(_sequence(*parts), _sequence())


def _repeated(*parts):
    """A sequence that can end in one way only, any number of times, also never."""
    once = _sequence(*parts)

    def match(scan, at, spans):
        while at is not None:
            yield at, spans
            at = next((end for end, _ in once(scan, at, spans)), None)

    return match


def _component(name, *parts):
    """A sequence that is reported as one component."""
    inner = _sequence(*parts)

    def match(scan, at, spans):
        for end, _ in inner(scan, at, (*spans, Span(name, at))):
            yield end, (*spans, Span(name, at, end))

    return match


def _end(scan, at, spans):
    """The end of the text."""
    if at == len(scan.text):
        yield at, spans
    else:
        scan.note(at, (*spans, Span("end", at)), "the end of the name")


_SEPARATOR = _component("separator", _word("_"))
_DOT = _component("dot", _word("."))
_R = _component("prefix", _word("r"))
_VISIT = _component("visit_id", _digits(sum(VISIT_PARTS.values())))
_EXPOSURE = _component("exposure", _digits(4))
_ACQUISITION = _component("acquisition", _run("123456789", 1, 1, expected="a digit from 1 to 9"))
_DETECTOR = _component("detector", _word(*(detector.lower() for detector in DETECTORS)))
_SKYCELL = _component(
    "skycell", _digits(1, 3), _word("p", "m"), _digits(1, 2), _word("x"), _digits(1, 2), _word("y"), _digits(1, 2)
)


def _ending(forms, suffixes, relaxed):
    """What may follow a root: nothing, a suffix, a suffix and its extension."""
    extensions = EXTENSIONS if relaxed else sorted(set(suffixes.values()))
    ways = [_end] if "root" in forms else []
    for extension in extensions:
        names = [name for name, own in suffixes.items() if relaxed or own == extension]
        suffix = _sequence(_SEPARATOR, _component("suffix", _word(*names)))
        if "stem" in forms:
            ways.append(_sequence(suffix, _end))
        if "name" in forms:
            ways.append(_sequence(suffix, _DOT, _component("extension", _word(extension)), _end))
    return _choice(*ways)


def _suffixes(table, *, lenient):
    """Suffix to extension of a family, with the spellings that are read but not written."""
    taken = ALIASES if lenient else {old: new for old, new in ALIASES.items() if old not in LENIENT_ALIASES}
    known = {name: entry.extension for name, entry in table.items()}
    return known | {old: known[new] for old, new in taken.items() if new in known}


def _after_exposure(ending, element):
    """Detector, perhaps an element, and the ending."""
    return _sequence(_SEPARATOR, _DETECTOR, _choice(ending, _sequence(_SEPARATOR, element, ending)))


def _exposure(forms, element, lenient, relaxed):
    table = EXPOSURE | GUIDE if relaxed else EXPOSURE
    after = _after_exposure(_ending(forms, _suffixes(table, lenient=lenient), relaxed), element)
    root = (_end,) if "root" in forms else ()
    return _sequence(_R, _VISIT, _SEPARATOR, _EXPOSURE, _choice(*root, after))


def _guide(forms, element, lenient, relaxed):
    table = EXPOSURE | GUIDE if relaxed else GUIDE
    ending = _ending(forms, _suffixes(table, lenient=lenient), relaxed)
    root = (_end,) if "root" in forms else ()
    order = _sequence(_EXPOSURE, _SEPARATOR, _ACQUISITION)
    after = _choice(*root, _after_exposure(ending, element))
    if lenient:
        order = _choice(order, _sequence(_ACQUISITION, _SEPARATOR, _EXPOSURE))
        face = _ending(forms, {"face": "asdf"}, relaxed)
        after = _choice(after, face, _sequence(_SEPARATOR, element, face))
    return _sequence(_R, _VISIT, _SEPARATOR, order, after)


def _mosaic(forms, element, lenient, relaxed):
    tier = _optional(_word("-"), _run(LOWER + DIGITS, 1, None, expected="a lower-case letter or digit"))
    release = [_word("p"), _sequence(_word("r", "dr"), _number(), tier)]
    visit = _sequence(_word("v"), _digits(14))
    passes, arbitrary = _sequence(_word("s"), _digits(5)), _sequence(_word("s"), _number(4))
    subset = [visit, passes, arbitrary, _word("full")]
    if lenient:
        release += [_sequence(_word("r"), _digits(1, 4), tier), _sequence(_word("dr"), _digits(1, 4), tier)]
        subset += [_sequence(_word("p"), _digits(5)), _sequence(_word("d"), _digits(8)), _word("user")]
    ending = _ending(forms, _suffixes(MOSAIC, lenient=lenient), relaxed)
    return _sequence(
        _R,
        _component("program", _digits(5)),
        _SEPARATOR,
        _component("release", _choice(*release)),
        _SEPARATOR,
        _component("subset", _choice(*subset)),
        _SEPARATOR,
        _SKYCELL,
        _choice(ending, _sequence(_SEPARATOR, element, ending)),
    )


def _reference(forms):
    letters = _run(LOWER, 1, None, expected="a lower-case letter")
    ways = [_end] if "stem" in forms or "root" in forms else []
    if "name" in forms:
        ways.append(_sequence(_DOT, _component("extension", _word("asdf")), _end))
    return _sequence(
        _component("prefix", _word("roman_wfi_")),
        _component("reftype", letters, _repeated(_word("_"), letters)),
        _SEPARATOR,
        _component("serial", _digits(4)),
        _choice(*ways),
    )


def _older_association(forms):
    """`rPPPPP-xNNN…_asn`: candidate, perhaps a time stamp, type, counter."""
    candidate = _component("candidate", _run(LOWER, 1, 1, expected="a letter"), _digits(3, 4))
    stamp = _component("stamp", _digits(8), _word("t"), _digits(6))
    kind = _component("asn_type", _run(LOWER + DIGITS + "-", 1, None, expected="a type"))
    counter = _component("counter", _digits(3))
    head = (_R, _component("program", _digits(5)), _word("-"), candidate, _SEPARATOR)
    tail = (kind, _SEPARATOR, counter, _ending(forms, {"asn": "json"}, False))
    return _sequence(*head, _choice(_sequence(*tail), _sequence(stamp, _SEPARATOR, *tail)))


@lru_cache
def _grammar(forms, lenient, relaxed):
    element = _component("element", _word(*ELEMENTS, *(("unknown",) if lenient else ())))
    ways = [family(forms, element, lenient, relaxed) for family in (_exposure, _guide, _mosaic)]
    if lenient:
        ways.append(_older_association(forms))
    return _choice(*ways, _reference(forms))
