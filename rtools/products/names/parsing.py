"""File names of Roman: parse and build them, name their siblings.

The grammar is `grammar`, the rules beside it `rules`, what an error says `errors`. Nothing here opens a file or imports
anything heavy.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from rtools.errors import RtoolsError, UsageError
from rtools.products.names import grammar, rules
from rtools.products.names.errors import InvalidName, rule_error, syntax_error
from rtools.products.names.grammar import ALIASES, ELEMENTS, FORMS, SUFFIXES, VISIT_PARTS
from rtools.products.names.name import FIELDS, Name
from rtools.wfi.instrument import NOT_CONFIGURED
from rtools.wfi.skycell_names import pad_skycell

__all__ = [
    "ALIASES",
    "ELEMENTS",
    "FORMS",
    "SUFFIXES",
    "build",
    "parse",
    "sibling",
]

WIDTHS = {"visit_id": 19, **VISIT_PARTS, "exposure": 4, "serial": 4}

DERIVED = ("name", "kind", "form", "level", "name_only", "strict", "warnings")
"""What is known of a name once it is parsed, and not asked for when it is built."""


def parse(text: str, *, lenient: bool = False, forms: Sequence[str] = FORMS) -> Name:
    """Parse a name.

    Parameters
    ----------
    text : str
        File name, stem or root; a directory before it is ignored.
    lenient : bool
        Also take any letter case, older suffixes (``dq_init``), ``visit_Q_eeee`` order, FACE without detector, the
        element ``unknown``, releases ``r0`` and ``dr01``, subsets ``pCCAAA``, ``dCCAAASSS`` and ``user``, prompt
        products of other subsets than visits, and associations ``rPPPPP-xNNN…_asn``.
    forms : tuple of str
        Which of ``name``, ``stem``, ``root`` are taken.

    Returns
    -------
    Name

    Raises
    ------
    InvalidName
        The text is not a name: at which column, and what was expected there.
    """
    base = os.path.basename(text)
    try:
        return _read(base, forms, lenient=False)
    except InvalidName:
        if not lenient:
            raise
    return _read(base, forms, lenient=True)


def _read(text, forms, *, lenient):
    lower = text.lower() if lenient and text.isascii() else text
    spans, scan = grammar.read(lower, forms=forms, lenient=lenient)
    if spans is None:
        relaxed, _scan = grammar.read(lower, forms=forms, lenient=lenient, relaxed=True)
        if relaxed is None:
            raise syntax_error(text, scan)
        spans = relaxed
    broken = rules.violations(lower, spans, lenient=lenient)
    if broken:
        raise rule_error(text, spans, broken[0])
    values = _values(lower, spans)
    form = "name" if values["extension"] else "stem" if values["suffix"] or values["reftype"] else "root"
    strict = _strict(values) if lenient else text
    return Name(text, _kind(values, spans), form, values, spans, strict)


def _values(text, spans):
    """Field to value."""
    tokens = {span.component: text[span.start : span.end] for span in spans}
    values = dict.fromkeys(FIELDS) | {name: token for name, token in tokens.items() if name in FIELDS}
    for name in {"visit_id", "subset"} & set(tokens):
        values |= {part: digits for part, digits, _offset in rules.visit_parts(name, tokens[name])}
    values["mission"] = "roman"
    tail = next((span.start for span in spans if span.component == "suffix"), None)
    if tail is None:
        tail = next((span.start for span in spans if span.component == "extension"), len(text) + 1)
    values["root"] = text[: tail - 1]
    values["suffix"] = ALIASES.get(values["suffix"], values["suffix"])
    values["level"] = _table(values, spans)[values["suffix"]].level if values["suffix"] else None
    values["name_only"] = "detector" if values["suffix"] == "face" and values["detector"] else None
    return values


def _table(values, spans):
    """The family of suffixes of a name."""
    if values["release"] or any(span.component == "candidate" for span in spans):
        return grammar.MOSAIC
    return grammar.GUIDE if values["acquisition"] else grammar.EXPOSURE


def _kind(values, spans):
    if values["reftype"]:
        return "reference"
    if values["suffix"]:
        kind = _table(values, spans)[values["suffix"]].kind
        multiband = kind in ("cat_mosaic", "segm_mosaic") and not values["element"]
        return kind.replace("_mosaic", "_multiband") if multiband else kind
    if _table(values, spans) is grammar.MOSAIC:
        return "mosaic-root"
    if values["acquisition"]:
        return "guide-root"
    return "detector-root" if values["detector"] else "exposure-root"


def _strict(values):
    """The strict name with the fields of a lenient one, or None."""
    fields = {name: value for name, value in values.items() if name != "root"}
    if fields["element"] == "unknown":
        fields["element"] = None
    if fields["release"]:
        number, _, tier = fields["release"].lstrip("dr").partition("-")
        letters = "dr" if fields["release"].startswith("d") else "r"
        fields["release"] = fields["release"] if fields["release"] == "p" else f"{letters}{number.lstrip('0')}"
        fields["release"] += f"-{tier}" * bool(tier)
    if fields["subset"] and len(fields["subset"]) == 6:
        fields["subset"] = f"s{fields['subset'][1:]}"
    try:
        return build(fields)
    except RtoolsError:
        return None


def build(fields: Mapping[str, Any], *, lenient: bool = False) -> str:
    """Make a strict name of fields.

    Parameters
    ----------
    fields : Mapping
        Field to string or integer: `visit_id` or its parts, `exposure`, perhaps `acquisition`, `detector`,
        `element`; or `program`, `release`, `subset`, `skycell`, perhaps `element`; or `reftype`, `serial`; or `root`,
        which is kept as it stands. With `suffix` a file name, whose extension follows from it; with an empty
        `extension` a stem; without suffix a root. Numbers are padded with zeros, detector and element may be in upper
        case as in metadata. Fields that are known twice (all that `Name.as_dict` gives) have to agree.
    lenient : bool
        Take older spellings of a suffix.

    Returns
    -------
    str
        The name.

    Raises
    ------
    UsageError
        A field is unknown, missing, or disagrees with another.
    InvalidName
        The name is against the grammar or the rules.
    """
    unknown = [name for name in fields if name not in FIELDS + DERIVED]
    if unknown:
        raise UsageError(f"a name has no field {unknown[0]}", mend=f"fields: {' '.join(FIELDS)}")
    given = {name: _normal(name, fields[name]) for name in FIELDS if fields.get(name) not in (None, "")}
    given = {name: value for name, value in given.items() if value is not None and name not in DERIVED}
    suffix = given.get("suffix")
    if suffix in grammar.LENIENT_ALIASES and not lenient:
        raise UsageError(f"suffix {suffix} is an older spelling", mend=f"written {ALIASES[suffix]}")
    suffix = given["suffix"] = suffix and ALIASES.get(suffix, suffix)
    text = given.get("root") or _assemble(given)
    is_reference = "reftype" in given or text.startswith("roman_")
    extension = given.get("extension") if "extension" in fields else SUFFIXES.get(suffix or "", "asdf")
    text += f"_{suffix}" if suffix else ""
    text += f".{extension}" if extension and (suffix or is_reference or "extension" in fields) else ""
    name = parse(text)
    for field, value in given.items():
        if value is not None and value != _normal(field, name[field]):
            raise UsageError(f"{field}={fields[field]} does not agree with {text}", mend="leave one of them out")
    return text


def _assemble(given):
    """A root of its components."""
    if "reftype" in given or "serial" in given:
        return "_".join(["roman_wfi", *_needed(given, "reftype", "serial")])
    if {"release", "subset", "skycell"} & set(given):
        parts = _needed(given, "program", "release", "subset", "skycell")
        return "_".join([f"r{parts[0]}", *parts[1:], *_present(given, "element")])
    by_parts = "visit_id" not in given and not set(VISIT_PARTS).isdisjoint(given)
    visit = _needed(given, *(VISIT_PARTS if by_parts else ["visit_id"]))
    order = _needed(given, "exposure") + _present(given, "acquisition", "detector", "element")
    return "_".join([f"r{''.join(visit)}", *order])


def _needed(given, *names):
    missing = [name for name in names if name not in given]
    if missing:
        raise UsageError(f"the field {missing[0]} is missing", mend=f"needed: {' '.join(names)}")
    return [given[name] for name in names]


def _present(given, *names):
    return [given[name] for name in names if name in given]


def _normal(field, value):
    """A field as a name writes it: padded, lower case."""
    if value is None or field == "root":
        return value
    value = str(value)
    if field in WIDTHS:
        return value.zfill(WIDTHS[field])
    if field == "skycell":
        return pad_skycell(value)
    if field == "detector":
        return f"wfi{value:0>2}" if value.isdecimal() else value.lower()
    if field == "element":
        return None if value.upper() == NOT_CONFIGURED else value.lower()
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
        Read `name` leniently, and take older spellings of the suffix.

    Returns
    -------
    str
        Its root is that of `name`; catalogs and segmentation maps of a data release lose the element.

    Raises
    ------
    UsageError
        There is no such suffix.
    InvalidName
        `name` is not a name, or its root has no such product.
    """
    name = name if isinstance(name, Name) else parse(name, lenient=lenient)
    taken = ALIASES if lenient else {"outlier_detection": ALIASES["outlier_detection"]}
    suffix = taken.get(suffix, suffix)
    if suffix not in SUFFIXES:
        raise UsageError(f"no product has the suffix {suffix}", mend=f"suffixes: {' '.join(SUFFIXES)}")
    if name.strict not in (None, name.text):
        name = parse(name.strict)
    root = name.root
    if name.release not in (None, "p") and suffix in ("cat", "segm"):
        root = root.removesuffix(f"_{name.element}")
    text = f"{root}_{suffix}.{SUFFIXES[suffix]}"
    return parse(text, lenient=lenient).text
