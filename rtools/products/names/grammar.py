"""The grammar of Roman's file names.

Names are read by position from the left: suffixes hold underscores and repeat other tokens (`…_wfi18_wfi18_transient`).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

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
    number,
    optional,
    repeated,
    run,
    sequence,
    word,
)
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
_LATER_STEPS = ("bsub", "flux", "skymatch", "outlier_detection_step")

_PICTURES = ("preview", "thumb")

EXPOSURE = {
    "uncal": Suffix("asdf", "L1", "l1_uncal"),
    "wcs": Suffix("asdf", "L1", "wcs"),
    **{name: Suffix("asdf", "L1-L2", "ramp") for name in _RAMPS},
    **{name: Suffix("asdf", "L2", "l2_image") for name in _IMAGES + _LATER_STEPS},
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
    return first_reading(_grammar(tuple(forms), lenient, relaxed), text)


_R = component("prefix", word("r"))
_VISIT = component("visit_id", digits(sum(VISIT_PARTS.values())))
_EXPOSURE = component("exposure", digits(4))
_ACQUISITION = component("acquisition", run("123456789", 1, 1, expected="a digit from 1 to 9"))
_DETECTOR = component("detector", word(*(detector.lower() for detector in DETECTORS)))
_SKYCELL = component(
    "skycell", digits(1, 3), word("p", "m"), digits(1, 2), word("x"), digits(1, 2), word("y"), digits(1, 2)
)


def _ending(forms, suffixes, relaxed):
    """What may follow a root: nothing, a suffix, a suffix and its extension."""
    extensions = EXTENSIONS if relaxed else sorted(set(suffixes.values()))
    ways: list[Matcher] = [at_end] if "root" in forms else []
    for extension in extensions:
        names = [name for name, own in suffixes.items() if relaxed or own == extension]
        suffix = sequence(SEPARATOR, component("suffix", word(*names)))
        if "stem" in forms:
            ways.append(sequence(suffix, at_end))
        if "name" in forms:
            ways.append(sequence(suffix, DOT, component("extension", word(extension)), at_end))
    return choice(*ways)


def _suffixes(table, *, lenient):
    """Suffix to extension of a family, with the spellings that are read but not written."""
    taken = ALIASES if lenient else {old: new for old, new in ALIASES.items() if old not in LENIENT_ALIASES}
    known = {name: entry.extension for name, entry in table.items()}
    return known | {old: known[new] for old, new in taken.items() if new in known}


def _after_exposure(ending, element):
    """Detector, perhaps an element, and the ending."""
    return sequence(SEPARATOR, _DETECTOR, choice(ending, sequence(SEPARATOR, element, ending)))


def _exposure(forms, element, lenient, relaxed):
    table = EXPOSURE | GUIDE if relaxed else EXPOSURE
    after = _after_exposure(_ending(forms, _suffixes(table, lenient=lenient), relaxed), element)
    root = (at_end,) if "root" in forms else ()
    return sequence(_R, _VISIT, SEPARATOR, _EXPOSURE, choice(*root, after))


def _guide(forms, element, lenient, relaxed):
    table = EXPOSURE | GUIDE if relaxed else GUIDE
    ending = _ending(forms, _suffixes(table, lenient=lenient), relaxed)
    root = (at_end,) if "root" in forms else ()
    order = sequence(_EXPOSURE, SEPARATOR, _ACQUISITION)
    after = choice(*root, _after_exposure(ending, element))
    if lenient:
        order = choice(order, sequence(_ACQUISITION, SEPARATOR, _EXPOSURE))
        face = _ending(forms, {"face": "asdf"}, relaxed)
        after = choice(after, face, sequence(SEPARATOR, element, face))
    return sequence(_R, _VISIT, SEPARATOR, order, after)


def _mosaic(forms, element, lenient, relaxed):
    tier = optional(word("-"), run(LOWER + DIGITS, 1, None, expected="a lower-case letter or digit"))
    release = [word("p"), sequence(word("r", "dr"), number(), tier)]
    visit = sequence(word("v"), digits(14))
    passes, arbitrary = sequence(word("s"), digits(5)), sequence(word("s"), number(4))
    subset = [visit, passes, arbitrary, word("full")]
    if lenient:
        release += [sequence(word("r"), digits(1, 4), tier), sequence(word("dr"), digits(1, 4), tier)]
        subset += [sequence(word("p"), digits(5)), sequence(word("d"), digits(8)), word("user")]
    ending = _ending(forms, _suffixes(MOSAIC, lenient=lenient), relaxed)
    return sequence(
        _R,
        component("program", digits(5)),
        SEPARATOR,
        component("release", choice(*release)),
        SEPARATOR,
        component("subset", choice(*subset)),
        SEPARATOR,
        _SKYCELL,
        choice(ending, sequence(SEPARATOR, element, ending)),
    )


def _reference(forms):
    letters = run(LOWER, 1, None, expected="a lower-case letter")
    ways: list[Matcher] = [at_end] if "stem" in forms or "root" in forms else []
    if "name" in forms:
        ways.append(sequence(DOT, component("extension", word("asdf")), at_end))
    return sequence(
        component("prefix", word("roman_wfi_")),
        component("reftype", letters, repeated(word("_"), letters)),
        SEPARATOR,
        component("serial", digits(4)),
        choice(*ways),
    )


def _older_association(forms):
    """`rPPPPP-xNNN…_asn`: candidate, perhaps a time stamp, type, counter."""
    candidate = component("candidate", run(LOWER, 1, 1, expected="a letter"), digits(3, 4))
    stamp = component("stamp", digits(8), word("t"), digits(6))
    kind = component("asn_type", run(LOWER + DIGITS + "-", 1, None, expected="a type"))
    counter = component("counter", digits(3))
    head = (_R, component("program", digits(5)), word("-"), candidate, SEPARATOR)
    tail = (kind, SEPARATOR, counter, _ending(forms, {"asn": "json"}, False))
    return sequence(*head, choice(sequence(*tail), sequence(stamp, SEPARATOR, *tail)))


@lru_cache
def _grammar(forms, lenient, relaxed):
    element = component("element", word(*ELEMENTS, *(("unknown",) if lenient else ())))
    ways = [family(forms, element, lenient, relaxed) for family in (_exposure, _guide, _mosaic)]
    if lenient:
        ways.append(_older_association(forms))
    return choice(*ways, _reference(forms))
