"""What the writer of a wrong name may have meant.

One function for each component that has more to say than what is allowed; each looks at a `Fault` and answers a few
words or None.
"""

import re
from dataclasses import dataclass

from rtools.products.names.grammar import (
    ALIASES,
    ELEMENTS,
    EXPOSURE,
    GUIDE,
    LENIENT_ALIASES,
    MOSAIC,
    SUFFIXES,
    VISIT_PARTS,
    Suffix,
)
from rtools.products.names.matching import Span

__all__ = ["WIDTHS", "Fault", "hint"]

WIDTHS = {"visit_id": 19, "program": 5, "exposure": 4, "serial": 4, **VISIT_PARTS}
"""Components of a fixed number of digits."""


@dataclass(frozen=True)
class Fault:
    """Where a text stops being a name.

    Attributes
    ----------
    text : str
        The whole name.
    at : int
        First wrong character, counted from 0.
    component : str
        The component that is wrong; it begins at `start` and ends before `stop`.
    before : tuple of rtools.products.names.matching.Span
        The components before it.
    wanted : tuple of str
        What would have fitted at `at`.
    """

    text: str
    at: int
    component: str
    start: int
    stop: int
    before: tuple[Span, ...]
    wanted: tuple[str, ...]

    @property
    def token(self) -> str:
        """The wrong component as it stands."""
        return self.text[self.start : self.stop]

    @property
    def found(self) -> str:
        """The wrong character; empty at the end of the text."""
        return self.text[self.at : self.at + 1]

    @property
    def suffixes(self) -> dict[str, Suffix]:
        """The suffixes of the family that the components before belong to."""
        components = {span.component for span in self.before}
        return MOSAIC if "release" in components else GUIDE if "acquisition" in components else EXPOSURE

    @property
    def extension(self) -> str:
        """The extension that goes with the suffix read before; asdf if there was none."""
        return SUFFIXES.get(self.suffix or "", "asdf")

    @property
    def suffix(self) -> str | None:
        """The suffix read before, or None."""
        token = next((self.text[span.start : span.end] for span in self.before if span.component == "suffix"), None)
        return token and ALIASES.get(token, token)


def hint(fault: Fault) -> str | None:
    """What the writer of a wrong name may have meant; None if nobody can say.

    Parameters
    ----------
    fault : Fault
        Where the text stops being a name.

    Returns
    -------
    str or None
        A few words.
    """
    if fault.component == "prefix":
        return _prefix(fault)
    if fault.component == "subset" and _is_tier(fault):
        return "a tier follows its release with -, as in r1-ultradeep"
    if fault.found.isupper():
        return "names are in lower case"
    if fault.token == "" and fault.found == "_":
        return f"empty {fault.component}"
    meant = _HINTS[fault.component](fault) if fault.component in _HINTS else None
    return meant or ("the name ends here" if fault.found == "" else None)


def _prefix(fault):
    if fault.text[:1] == "R":
        return "the prefix is in lower case"
    if fault.text[:1].isdecimal():
        return "the prefix r is missing"
    return None if fault.text else "the name is empty"


def _is_tier(fault):
    """Whether a word stands in the subset's place and the subset after it."""
    follower = fault.text[fault.stop + 1 :].split("_")[0]
    return fault.at == fault.start and re.fullmatch(r"full|[vsp]\d+", follower) is not None


def _digits(fault):
    if re.fullmatch(r"[0-9]+", fault.token):
        count = len(fault.token)
        return f"{count} digit{'s' * (count != 1)} found, {WIDTHS[fault.component]} needed"
    return f"a digit is needed, {fault.found!r} found" if fault.found else None


def _exposure(fault):
    if re.fullmatch(r"[1-9]", fault.token) and re.match(r"_\d{4}_", fault.text[fault.stop :]):
        return "old order: the exposure comes before the acquisition number"
    return _digits(fault)


def _found(fault):
    return f"{fault.token} found" if fault.token else None


def _detector(fault):
    number = re.fullmatch(r"wfi_?([1-9])", fault.token)
    if number:
        return f"zero-pad to wfi0{number[1]}"
    return None if fault.token.startswith("wfi") else _found(fault)


def _element(fault):
    nearest = _nearest(fault.token, ELEMENTS)
    return f"nearest {nearest}" if nearest else f"{fault.token} is not an element"


def _release(fault):
    if re.fullmatch(r"r0+\d*(-.*)?", fault.token):
        return "data release numbers start at 1"
    if re.fullmatch(r"dr0*[1-9]\d*(-.*)?", fault.token):
        return f"written dr{fault.token[2:].lstrip('0')}"
    return _found(fault)


def _subset(fault):
    kind, number = fault.token[:1], fault.token[1:]
    if not number.isdecimal():
        return _found(fault)
    if kind == "v":
        return f"v takes 14 digits, {len(number)} found"
    if kind == "p" and len(number) == 5:
        return f"a pass subset is s{number}"
    if kind == "s":
        return "s takes 5 digits for a pass, or a number from 1 to 9999 without leading zeros"
    return _found(fault)


def _skycell(fault):
    letters = [word for word in fault.wanted if len(word) == 1]
    if fault.at == fault.stop and letters and letters[0] in "xy":
        return f"the skycell's {letters[0]} is missing"
    if fault.found.isdecimal() and not letters:
        return "too many digits"
    return f"{' or '.join(letters or fault.wanted[:1])} expected"


def _suffix(fault):
    token = fault.token
    if token == "":
        return "the product suffix is missing"
    if token == "asdf" and fault.suffixes is MOSAIC:
        return "an association's suffix is asn"
    for table, whose in ((EXPOSURE, "an exposure"), (GUIDE, "a guide-window"), (MOSAIC, "a mosaic")):
        if token in table and token not in fault.suffixes:
            return f"{token} is {whose} suffix"
    if token in LENIENT_ALIASES:
        return f"written {LENIENT_ALIASES[token]}"
    nearest = _nearest(token, list(fault.suffixes))
    return f"unknown suffix {token}" + (f", nearest {nearest}" if nearest else "")


def _extension(fault):
    if fault.found == "" and fault.token == "":
        return "the extension is missing"
    return f"{fault.suffix} is {fault.extension}" if fault.suffix else None


def _separator(fault):
    return f"{fault.found!r} found" if fault.found else None


def _nearest(token, words):
    from difflib import get_close_matches

    close = get_close_matches(token.lower(), words, 1, 0.6)
    return close[0] if close else None


_HINTS = {
    "visit_id": _digits,
    "program": _digits,
    "serial": _digits,
    "exposure": _exposure,
    "acquisition": _found,
    "detector": _detector,
    "element": _element,
    "release": _release,
    "subset": _subset,
    "skycell": _skycell,
    "suffix": _suffix,
    "extension": _extension,
    "separator": _separator,
    "end": _found,
}
