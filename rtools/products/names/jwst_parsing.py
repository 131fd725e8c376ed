"""File names of JWST: parse and build them, name their siblings.

The grammar is `jwst_grammar`, what an error says `jwst_errors`.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rtools.errors import UsageError
from rtools.jwst.detectors import instrument_of
from rtools.jwst.suffixes import (
    EXPOSURE_ONLY,
    NAME_SUFFIXES,
    STAGE3_ONLY,
    STEP_SUFFIXES,
    WITH_CANDIDATE,
    Making,
    extension_of,
    making_of,
)
from rtools.products.names.errors import InvalidName
from rtools.products.names.grammar import FORMS
from rtools.products.names.jwst_errors import JWST_WIDTHS, jwst_syntax_error
from rtools.products.names.jwst_grammar import GUIDE_SUFFIXES, read
from rtools.products.names.name import JWST_FIELDS, Name

__all__ = ["build", "parse", "remarks", "sibling", "split_suffix"]

DERIVED = ("name", "kind", "form", "stage", "title", "maker", "strict", "warnings")
"""What is known of a name once it is parsed, and not asked for when it is built."""


def parse(text: str, *, lenient: bool = False, forms: Sequence[str] = FORMS) -> Name:
    """Parse a name of JWST.

    Parameters
    ----------
    text : str
        File name, stem or root; a directory before it is ignored.
    lenient : bool
        Also take any letter case, associations with three digits at the end, and ``image-cal`` of guide star data.
    forms : sequence of str
        Which of ``name``, ``stem``, ``root`` are taken.

    Returns
    -------
    Name
        A word before the suffix of an exposure that no field is becomes its `infix`; its strict name lacks it.

    Raises
    ------
    InvalidName
        The text is not a name: at which column, and what was expected there.
    """
    base = os.path.basename(text)
    spans, scan = read(base, forms)
    lower = base
    if spans is None:
        spans, _scan = read(base, forms, infix=True)
    if spans is None and lenient:
        lower = base.lower() if base.isascii() else base
        spans, _scan = read(lower, forms, lenient=True)
        spans = spans or read(lower, forms, lenient=True, infix=True)[0]
    if spans is None:
        raise jwst_syntax_error(base, scan)
    values = _values(lower, spans)
    form = "name" if values["extension"] else "stem" if values["suffix"] else "root"
    is_strict = lower == base and values["infix"] is None
    known = {key: value for key, value in values.items() if key not in ("root", "infix")}
    strict = base if is_strict and not lenient else build(known | {"extension": values["extension"] or ""})
    return Name(base, _kind(values), form, values, spans, strict)


def _values(text, spans):
    """Field to value."""
    tokens = {span.component: text[span.start : span.end] for span in spans}
    values: dict[str, Any] = dict.fromkeys(JWST_FIELDS)
    values |= {name: token for name, token in tokens.items() if name in JWST_FIELDS}
    values["mission"] = "jwst"
    tail = next((span.start for span in spans if span.component == "suffix"), len(text) + 1)
    values["root"] = text[: tail - 1]
    if values["detector"]:
        values["instrument"] = instrument_of(values["detector"])
    if values["guide_mode"]:
        values["instrument"] = "fgs"
    return values | _making(values)._asdict()


def _making(values):
    """What is known of the product by its suffix and the kind of its name."""
    suffix = values["suffix"]
    if suffix is None:
        return Making(None, None, None)
    if suffix == "asn" or values["guide_mode"]:
        return Making(None, "Association" if suffix == "asn" else "Guide star data", None)
    return making_of(suffix, of_exposure=values["exposure"] is not None)


def _kind(values):
    family = (
        "association" if values["asn_type"] else "guide" if values["guide_mode"] else "msa" if values["config"] else ""
    )
    if family:
        return f"{family}-root" if values["suffix"] is None else {"guide": "guide-star"}.get(family, family)
    if values["suffix"]:
        return values["suffix"]
    return "stage3-root" if values["exposure"] is None else f"{'detector' if values['detector'] else 'exposure'}-root"


def build(fields: Mapping[str, Any], *, lenient: bool = False) -> str:
    """Make a strict name of fields.

    Parameters
    ----------
    fields : mapping
        Field to string or integer. Of an exposure `program`, `observation`, `visit`, `visit_group`, `parallel_seq`,
        `activity`, `exposure`, perhaps `segment`, `detector`, `asn_candidate`; of stage 3 `program`, `asn_candidate`,
        `target` or `source` or both, `instrument`, perhaps `epoch`, `optics`; of an association `program`,
        `asn_candidate`, `stamp`, `asn_type`, `counter`; of micro-shutters and of guide star data `program`,
        `observation`, `visit` and `config`, or `guide_mode` and `stamp`, or `guide_mode`, `attempt`, `frame`; or
        `root`, which is kept as it stands. With `suffix` a file name, whose extension follows from it; with an empty
        `extension` a stem; without suffix a root. Numbers are padded with zeros. Fields that are known twice have to
        agree.
    lenient : bool
        Read the root leniently.

    Returns
    -------
    str
        The name.

    Raises
    ------
    UsageError
        A field is unknown, missing, or disagrees with another.
    InvalidName
        The name is against the grammar.
    """
    unknown = [name for name in fields if name not in (*JWST_FIELDS, *DERIVED)]
    if unknown:
        raise UsageError(f"a name of JWST has no field {unknown[0]}", mend=f"fields: {' '.join(JWST_FIELDS)}")
    given = {name: _normal(name, fields[name]) for name in JWST_FIELDS if fields.get(name) not in (None, "")}
    given = {name: value for name, value in given.items() if name not in DERIVED}
    text = given.get("root") or _assemble(given)
    suffix = given.get("suffix", "asn" if "asn_type" in given else "msa" if "config" in given else None)
    if suffix and (fields.get("suffix") or "suffix" not in fields):
        text += f"_{suffix}" + (f"-{given['activity']}" if "activity" in given and "exposure" not in given else "")
        extension = given.get("extension") if "extension" in fields else extension_of(suffix)
        text += f".{extension}" if extension else ""
    name = parse(text, lenient=lenient)
    for field, value in given.items():
        if value != _normal(field, name[field]):
            raise UsageError(f"{field}={fields[field]} does not agree with {text}", mend="leave one of them out")
    return text


def _assemble(given):
    """A root of its components."""
    if "guide_mode" in given or "config" in given:
        visit = "".join(_needed(given, "program", "observation", "visit"))
        return f"jw{visit}_" + ("_".join(_guide(given)) if "guide_mode" in given else given["config"])
    if {"stamp", "asn_type", "counter"} & set(given):
        program, *rest = _needed(given, "program", "asn_candidate", "stamp", "asn_type", "counter")
        return f"jw{program}-{'_'.join(rest)}"
    if {"target", "source", "optics", "epoch"} & set(given):
        return _stage3(given)
    visit = _needed(given, "program", "observation", "visit")
    group = _needed(given, "visit_group", "parallel_seq", "activity")
    exposure = _needed(given, "exposure")[0] + (f"-seg{given['segment']}" if "segment" in given else "")
    if "asn_candidate" in given or "infix" in given:
        _needed(given, "detector")
    more = [given[name] for name in ("detector", "asn_candidate", "infix") if name in given]
    return "_".join([f"jw{''.join(visit)}", "".join(group), exposure, *more])


def _stage3(given):
    program, candidate, instrument = _needed(given, "program", "asn_candidate", "instrument")
    what = [given[name] for name in ("target", "source") if name in given]
    if not what:
        raise UsageError("the field target is missing", mend="needed: target, or source")
    epoch = f"-epoch{given['epoch']}" if "epoch" in given else ""
    more = [given["optics"]] if "optics" in given else []
    return "_".join([f"jw{program}-{candidate}", f"{'-'.join(what)}{epoch}", instrument, *more])


def _guide(given):
    mode = f"gs-{given['guide_mode']}"
    if "attempt" in given:
        return [mode, *_needed(given, "attempt", "frame")]
    segment = f"-seg{given['segment']}" if "segment" in given else ""
    return [mode, _needed(given, "stamp")[0] + segment]


def _needed(given, *names):
    missing = [name for name in names if name not in given]
    if missing:
        raise UsageError(f"the field {missing[0]} is missing", mend=f"needed: {' '.join(names)}")
    return [given[name] for name in names]


def _normal(field, value):
    """A field as a name writes it: padded, lower case."""
    if value is None or field == "root":
        return value
    value = str(value).lower()
    if field in JWST_WIDTHS:
        return value.zfill(JWST_WIDTHS[field])
    if field == "target" and value.isdecimal():
        return f"t{value:0>3}"
    return value


def sibling(name: Name | str, suffix: str, *, lenient: bool = False) -> str:
    """The name of another product of the same root.

    Parameters
    ----------
    name : Name or str
        A name, stem or root.
    suffix : str
        Suffix of the other product.
    lenient : bool
        Read `name` leniently.

    Returns
    -------
    str
        Its root is that of `name`; a product that is named by its exposure alone loses the association candidate.

    Raises
    ------
    UsageError
        There is no such suffix.
    InvalidName
        `name` is not a name, or its root has no such product.
    """
    name = name if isinstance(name, Name) else parse(name, lenient=lenient)
    if suffix not in (*NAME_SUFFIXES, *GUIDE_SUFFIXES, "asn"):
        raise UsageError(f"no product has the suffix {suffix}", mend=f"suffixes: {' '.join(NAME_SUFFIXES)}")
    if name.strict not in (None, name.text):
        name = parse(name.strict)
    root = name.root
    if name.exposure and name.asn_candidate and suffix not in WITH_CANDIDATE:
        root = root.removesuffix(f"_{name.asn_candidate}")
    text = f"{root}_{suffix}.{extension_of(suffix)}"
    if refused := _other_family(name, suffix):
        start, (allowed, hint) = len(root) + 1, refused
        stop = start + len(suffix)
        raise InvalidName(text, start + 1, "suffix", start=start, stop=stop, expected=allowed, hint=hint)
    return parse(text).text


def _other_family(name, suffix):
    """What is allowed as suffix of a name, and why this one is not; None where it is."""
    if name.exposure and suffix in STAGE3_ONLY:
        allowed = " ".join(word for word in NAME_SUFFIXES if word not in STAGE3_ONLY)
        return f"one of {allowed}", f"{suffix} is a suffix of stage 3, not of an exposure"
    if name.instrument and not name.exposure and not name.guide_mode and suffix in EXPOSURE_ONLY:
        allowed = " ".join(word for word in NAME_SUFFIXES if word not in EXPOSURE_ONLY)
        return f"one of {allowed}", f"{suffix} is an exposure's suffix"
    return None


def remarks(name: Name) -> list[str]:
    """What is allowed in a name of JWST but not as it should be.

    Parameters
    ----------
    name : Name
        As `parse` gives it.

    Returns
    -------
    list of str
    """
    column = {span.component: f"column {span.start + 1}: " for span in name.spans}
    found = []
    if name.infix:
        found.append(f"{column['infix']}{name.infix} is not a part of a standard name")
    if name.target and len(name.target) != 4:
        found.append(f"{column['target']}target is not padded; written t{name.target[1:]:0>3}")
    if name.source and len(name.source) != 10:
        found.append(f"{column['source']}source is not padded; written {name.source[0]}{name.source[1:]:0>9}")
    if name.optics and "_" in name.optics:
        found.append(f"{column['optics']}parts of the optics are joined by -; written {name.optics.replace('_', '-')}")
    if refused := _other_family(name, name.suffix):
        found.append(f"{column['suffix']}{refused[1]}")
    if name.exposure and name.suffix in WITH_CANDIDATE and not name.asn_candidate:
        found.append(f"{column['suffix']}no association candidate before {name.suffix}")
    if name.exposure and name.suffix in EXPOSURE_ONLY and name.asn_candidate:
        found.append(f"{column['asn_candidate']}no association candidate stands before {name.suffix}")
    written = {"fits", "ecsv", "json"} & {re.sub(r"\.gz$", "", name.extension or "")}
    if written and extension_of(name.suffix) not in written:
        found.append(f"{column['extension']}{name.suffix} is {extension_of(name.suffix)}")
    return found


def split_suffix(filename: str) -> tuple[str, str | None]:
    """Split any file name into its stem and a suffix of JWST.

    Parameters
    ----------
    filename : str
        Without directory; it need not follow the grammar.

    Returns
    -------
    (str, str or None)
        What stands before a known ``_suffix``, else all but the extension; and the suffix. An activity after it, as in
        ``_wfscmb-04``, is left out.
    """
    if found := _SUFFIXED.match(filename):
        return found["stem"], found["suffix"]
    return os.path.splitext(filename)[0], None


_WORDS = "|".join([*NAME_SUFFIXES, *STEP_SUFFIXES, *GUIDE_SUFFIXES, "asn"])
_SUFFIXED = re.compile(rf"(?P<stem>[^.]+)_(?P<suffix>{_WORDS})(-[0-9a-z]{{2}})?(\.|$)")
