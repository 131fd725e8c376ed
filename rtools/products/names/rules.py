"""What a name must keep beside its grammar, and what a check only warns of.

Rules R1 to R5 make a name invalid: ranges, which products have an element, which subsets a release has, which extension
and which kind of suffix go together. R6 warns: padding of the skycell, missing filter, disagreement with the metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.products.names.grammar import ALIASES, ALSO_ASDF, EXPOSURE, GUIDE, SUFFIXES, VISIT_PARTS
from rtools.products.names.matching import Span
from rtools.wfi.fill import PLACEHOLDERS
from rtools.wfi.skycell_names import SKYCELL_NAME, pad_skycell

if TYPE_CHECKING:
    from rtools.products.names.name import Name

__all__ = ["Violation", "disagreements", "metadata", "remarks", "violations", "visit_parts"]

RANGES = {
    "program": (1, 18445),  # a 19-digit visit identifier has to fit 64 bits
    "execution_plan": (1, 99),
    "pass": (1, 999),
    "segment": (1, 999),
    "observation": (1, 999),
    "visit": (1, 999),
    "exposure": (1, 9999),
    "ra": (0, 359),
    "dec": (0, 90),
}
"""Smallest and largest value of each numeric component."""

UNKNOWN = tuple(str(value) for value in PLACEHOLDERS if value != "")
"""Values that stand in metadata where nothing is known."""


class Violation(NamedTuple):
    """A rule that a name breaks: the component, where it stands (0-based), what is allowed, and why."""

    component: str
    start: int
    expected: str
    hint: str | None


def violations(text: str, spans: Sequence[Span], *, lenient: bool = False) -> list[Violation]:
    """Rules that a grammatical name breaks, leftmost first.

    Parameters
    ----------
    text : str
        The name.
    spans : tuple of rtools.products.names.matching.Span
        Its components.
    lenient : bool
        Prompt products may have any subset, data releases visits.

    Returns
    -------
    list of Violation
    """
    found = {span.component: span for span in spans}
    token = {name: text[span.start : span.end] for name, span in found.items()}
    broken = [*_ranges(found, token), *_element(text, found, token), *_suffix(found, token)]
    if not lenient:
        broken += _subset(found, token)
    return sorted(broken, key=lambda violation: violation.start)


def visit_parts(component: str, token: str) -> Iterator[tuple[str, str, int]]:
    """Parts of a visit identifier, or of the subset that names a visit or a pass.

    Parameters
    ----------
    component : str
        ``visit_id`` or ``subset``.
    token : str
        The component.

    Yields
    ------
    (str, str, int)
        Part of the identifier, as `program` or `visit`, its digits, and where these begin in the token.
    """
    widths, offset = dict(VISIT_PARTS), 0
    if component == "subset":
        del widths["program"]
        count = {15: 5, 9: 3, 6: 2}.get(len(token), 0) if token[1:].isdecimal() else 0
        widths, offset = dict(list(widths.items())[:count]), 1
    for part, width in widths.items():
        yield part, token[offset : offset + width], offset
        offset += width


def _numbers(found, token):
    """Component, its digits, and where they begin, for every number that has a range."""
    for name in ("visit_id", "subset"):
        if name in found:
            for part, digits, offset in visit_parts(name, token[name]):
                yield part, digits, found[name].start + offset
    for name in ("program", "exposure"):
        if name in found:
            yield name, token[name], found[name].start
    if match := SKYCELL_NAME.fullmatch(token["skycell"]) if "skycell" in found else None:
        for part in ("ra", "dec"):
            yield part, match[part], found["skycell"].start + match.start(part)


def _ranges(found, token):
    """R1: numbers within their ranges."""
    for name, digits, start in _numbers(found, token):
        low, high = RANGES[name]
        if not low <= int(digits) <= high:
            side = f"above {high}" if int(digits) > high else f"below {low}"
            yield Violation(name, start, f"{low} to {high}", f"{digits} is {side}")


def _element(text, found, token):
    """R2: which skycell products have an optical element."""
    if "release" not in found:
        return
    prompt, suffix = token["release"] == "p", token.get("suffix")
    if "element" not in found and (prompt or suffix == "coadd"):
        start = found["suffix"].start if suffix else len(text)
        whose = "coadd" if suffix == "coadd" else "prompt"
        yield Violation("element", start, "given", f"an element is required in {whose} names")
    if "element" in found and not prompt and suffix in ("cat", "segm"):
        hint = f"no element in data-release {suffix} names"
        yield Violation("element", found["element"].start, "left out", hint)


def _subset(found, token):
    """R3: prompt products are made of visits, releases of anything else."""
    if "release" not in found:
        return
    prompt, visit = token["release"] == "p", token["subset"].startswith("v")
    start = found["subset"].start
    if prompt and not visit:
        yield Violation("subset", start, "v and 14 digits", "prompt products use visit subsets")
    if not prompt and visit:
        hint = "data releases use pass, full-depth or numbered subsets"
        yield Violation("subset", start, "s and 5 digits, s and a number from 1 to 9999, or full", hint)


def _suffix(found, token):
    """R4 and R5: extension and acquisition number that go with the suffix."""
    suffix = token.get("suffix")
    if suffix is None:
        return
    suffix = ALIASES.get(suffix, suffix)
    released = token.get("release", "p") != "p"
    also = "asdf" if suffix == ALSO_ASDF and released else None
    if "extension" in found and token["extension"] not in (SUFFIXES[suffix], also):
        hint = f"{suffix} is {SUFFIXES[suffix]}"
        yield Violation("extension", found["extension"].start, SUFFIXES[suffix], hint)
    if suffix in GUIDE and "acquisition" not in found:
        what = "guide-window" if suffix == "gw" else "FACE"
        hint = f"a {what} name needs the acquisition number after the exposure"
        allowed = f"one of {' '.join(EXPOSURE)}"
        yield Violation("suffix", found["suffix"].start, allowed, hint)
    if suffix not in GUIDE and "acquisition" in found:
        hint = "an acquisition number stands only in gw and face names"
        yield Violation("suffix", found["suffix"].start, "gw or face", hint)


def remarks(name: Name) -> list[str]:
    """R6: what is allowed in a name but not as it should be.

    Parameters
    ----------
    name : rtools.products.names.name.Name
        As `parse` gives it.

    Returns
    -------
    list of str
    """
    column = {span.component: f"column {span.start + 1}: " for span in name.spans}
    found = []
    if name.skycell and pad_skycell(name.skycell) != name.skycell:
        found.append(f"{column['skycell']}skycell is not padded; written {pad_skycell(name.skycell)}")
    if name.detector and not name.element:
        found.append(f"{column['detector']}no optical element after the detector")
    written = name.text[slice(*name.span("suffix"))] if name.suffix else None
    if written != name.suffix:
        found.append(f"{column['suffix']}suffix {written} is an older spelling of {name.suffix}")
    return found


def metadata(name: Name) -> dict[str, int | str]:
    """What the metadata of a product with this name must say.

    Parameters
    ----------
    name : rtools.products.names.name.Name
        As `parse` gives it.

    Returns
    -------
    dict of str to int or str
        Dotted path below ``meta`` to value; numbers as integers, detector and element in upper case. The exposure
        number of a guide-window name (its file spans several exposures) and the detector of a FACE name (its file
        covers all) stand in the name only.
    """
    face, guide = name.suffix == "face", name.acquisition is not None
    element = "optical_element" if face else "instrument.optical_element"
    numbers = [*VISIT_PARTS, "exposure"] if not guide else [*VISIT_PARTS]
    values = {f"observation.{part}": int(name[part]) for part in numbers if name[part]}
    if guide:
        values["guide_window_id"] = name.visit_id + name.acquisition
        values["guide_star_acq_num"] = int(name.acquisition)
    texts = {
        "observation.visit_id": name.visit_id,
        "instrument.detector": name.detector.upper() if name.detector and not face else None,
        element: name.element.upper() if name.element else None,
        "data_release_id": name.release,
        "wcsinfo.skycell_name": pad_skycell(name.skycell) if name.skycell else None,
        "filename": name.text if name.form == "name" else None,
    }
    return values | {path: text for path, text in texts.items() if text is not None}


def disagreements(name: Name, meta: Mapping[str, Any]) -> list[str]:
    """Where the metadata of a file say something else than its name.

    Parameters
    ----------
    name : rtools.products.names.name.Name
        As `parse` gives it.
    meta : mapping
        ``roman.meta`` of the file. What it lacks, or has as null or a fill value, is not compared; nor is the visit
        of guide-window files taken in parallel with the Coronagraph, whose name has the Coronagraph's.

    Returns
    -------
    list of str
    """
    observation = meta.get("observation") or {}
    other_visit = name.acquisition and (not observation or observation.get("wfi_parallel"))
    found = []
    for path, expected in metadata(name).items():
        value = _at(meta, path)
        if str(value) in UNKNOWN or (other_visit and (path.startswith("observation.") or path == "guide_window_id")):
            continue
        if _plain(path, value) != str(expected):
            found.append(f"meta.{path} is {value}, the name says {expected}")
    return found


def _at(meta, path):
    """The value at a dotted path, or None."""
    for key in path.split("."):
        meta = meta.get(key) if isinstance(meta, dict) else None
    return meta


def _plain(path, value):
    """A metadata value as text that compares with a name's."""
    text = str(value)
    if path == "guide_window_id":
        return text.replace("_", "")
    if path == "wcsinfo.skycell_name":
        return pad_skycell(text)
    number = path.startswith("observation.") and path != "observation.visit_id" and text.isdecimal()
    return str(int(text)) if number else text
