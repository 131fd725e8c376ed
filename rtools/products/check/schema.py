"""Schema and layout: the tree against the schemas of its own manifest, the arrays against what the product holds.

`check_schema` asks the schemas themselves, for which asdf loads gwcs and astropy (a second); `check_fields` knows
types, words and lengths of the metadata from products.json, and is done at once.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rtools.errors import UsageError
from rtools.findings import Finding, error, info, warning
from rtools.products.check.layout import check_layout
from rtools.products.edit.section import cutout_of
from rtools.products.schema import layout, tags
from rtools.wfi import metadata
from rtools.wfi.frame import CHANNEL, FRAME, TRIMMED

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["check_arrays", "check_fields", "check_schema", "check_tree", "is_described", "one_per_place"]

MISSING = re.compile(r"'([^']+)' is a required property")

TYPES = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}

_ABSENT = object()


def check_schema(product: Product) -> list[Finding]:
    """What the schema of the file's own tag says against its tree.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened; asdf is asked, no array is read.

    Returns
    -------
    list of rtools.findings.Finding
        One for each place; an error where no manifest of the installed rad has the tag.
    """
    from rtools.products.io import serial

    manifest = tags.manifest_of(product.tag)
    if manifest is None:
        return [error("schema", "the tree", f"no manifest of the installed rad has the tag {product.tag}")]
    return list(dict.fromkeys(_schema_finding(line) for line in serial.problems(product.tree, manifest)))


def _schema_finding(line):
    place, _, message = line.partition(": ")
    place = place.removeprefix("roman").removeprefix(".") or "the tree"
    missing = MISSING.match(message)
    if missing:
        key = missing.group(1)
        return error("schema", key if place == "the tree" else f"{place}.{key}", "missing")
    return error("schema", place, message)


def check_fields(product: Product) -> Iterator[Finding]:
    """Types, lengths and words of the metadata against our description of the product; no asdf.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened, of a kind that `layout` describes.

    Returns
    -------
    iterator of Finding
        One for each wrong value.
    """
    made = _severity(product)
    for field in layout.fields(kind_of(product), product.profile):
        value = metadata.get(product.meta, field.path, _ABSENT)
        if value is _ABSENT or (value is None and "null" in field.type.split("|")):
            continue
        problem = _wrong_type(value, field.type) or _wrong_words(value, field.rule, product.profile)
        if problem:
            yield made("schema", f"meta.{field.path}", problem)


def _wrong_type(value, types):
    known = [TYPES[name] for name in types.split("|") if name in TYPES]
    if "time" in types:
        return None if "time" in (getattr(value, "tag", None) or "") else f"{value!r:.60} is not a valid time"
    if len(known) < len(types.split("|")):  # a WCS, a table
        return None
    right = any(isinstance(value, one) and (bool in one or not isinstance(value, bool)) for one in known)
    return None if right else f"{value!r:.60} is not of type {' or '.join(types.split('|'))}"


def _wrong_words(value, rule, profile):
    longest = rule.get("maxLength")
    if longest and isinstance(value, str) and len(value) > longest:
        return f"{value!r:.60} is longer than {longest} characters"
    if "enum" in rule and profile != "1.5.0":  # whose lists of words are others
        allowed = _words(rule["enum"])
        if value not in allowed:
            return f"{value!r:.60} is not one of {', '.join(map(str, allowed))}"
    if isinstance(value, list) and not rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", len(value)):
        return f"{len(value)} items, not {rule['minItems']}"
    return None


def _words(enum):
    """Words of an enumeration: a list, or names of lists and words joined by bars."""
    if isinstance(enum, list):
        return enum
    return [word for name in enum.split("|") for word in layout.facts()["enums"].get(name, [name])]


def _severity(product):
    """`error` where the tag is that of a profile; of another generation only the schema is sure: `warning`."""
    try:
        return error if tags.tag(kind_of(product), product.profile) == product.tag else warning
    except UsageError:
        return warning


def check_tree(product: Product) -> list[Finding]:
    """Arrays and required metadata against our description of the product; no asdf.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened; no array is read.

    Returns
    -------
    list of rtools.findings.Finding
        One for each array or key that is missing or of another type, and a warning for a wrong `meta.model_type`.
    """
    kind, made = kind_of(product), _severity(product)
    found = [made("layout", where, message) for where, _, message in
             (line.partition(": ") for line in check_layout(product))]  # fmt: skip
    model = product.meta.get("model_type")
    if product.kind != "reference" and model not in (None, layout.model(kind)):
        found.append(warning("layout", "meta.model_type", f"{model}, not {layout.model(kind)}"))
    return found


def kind_of(product):
    """Kind of a product as `layout` calls it."""
    return f"reference/{product.reftype}" if product.kind == "reference" else product.kind


def is_described(product: Product) -> bool:
    """Whether products.json is about this schema, and not only about what took its place.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.

    Returns
    -------
    bool
        True where the tags differ in their versions alone.
    """
    try:
        current = tags.tag(kind_of(product), product.profile)
    except UsageError:
        return False
    return current.rpartition("-")[0] == product.tag.rpartition("-")[0]


def one_per_place(schema: Sequence[Finding], described: Sequence[Finding]) -> list[Finding]:
    """Findings of two checks of the same places, each place once: ours where it is an error, else the schema's.

    Parameters
    ----------
    schema : sequence of rtools.findings.Finding
        What `check_schema` found.
    described : sequence of rtools.findings.Finding
        What `check_tree` and `check_fields` found.

    Returns
    -------
    list of rtools.findings.Finding
        Those of the schema first.
    """
    ours = {finding.where for finding in described if finding.severity == "error"}
    kept = [finding for finding in schema if finding.where not in ours]
    theirs = {finding.where for finding in kept}
    return kept + [finding for finding in described if finding.where not in theirs]


def check_arrays(product: Product) -> list[Finding]:
    """Whether the shapes of the arrays agree with each other, with the border, and with the read pattern.

    A cutout keeps borders and amp33 whole, so that its image has to agree with itself alone.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened; only shapes are looked at.

    Returns
    -------
    list of rtools.findings.Finding
        Errors and warnings, one for each array that is odd.
    """
    lengths = _lengths(product)
    cutout = bool(cutout_of(product))
    if cutout:
        lengths = {key: {path: n for path, n in by_path.items() if "border" not in path and "amp33" not in path}
                   for key, by_path in lengths.items()}  # fmt: skip
        lengths = {key: by_path for key, by_path in lengths.items() if by_path}
    found, agreed = [], {}
    for (symbol, axis), by_path in lengths.items():
        agreed[symbol, axis], odd = _majority(by_path)
        for path in odd:
            others = next(other for other in by_path if other not in odd)
            message = f"{by_path[path]} {_axis(axis, symbol)}, not {agreed[symbol, axis]} as {others}"
            found.append(error("layout", path, message))
    found += _amp33(product)
    if product.kind == "l2_image" and not cutout:
        found += _border(agreed)
    if product.kind in ("l1_uncal", "ramp", "l2_image"):
        found += _resultants(product.meta, agreed.get(("N", None)))
    if not found and product.kind != "l3_coadd":
        found += _full_frame(agreed)
    return found


def _lengths(product):
    """(symbol, axis counted from the last) to {path: length}, of axes that have to agree; axis None for letters."""
    found: defaultdict[tuple, dict[str, int]] = defaultdict(dict)
    for path, wanted in layout.arrays(kind_of(product), product.profile).items():
        shape = _shape(product, path, wanted)
        if shape is None or len(shape) != len(wanted.shape):
            continue
        for place, (length, symbol) in enumerate(zip(shape, wanted.shape, strict=True)):
            if isinstance(symbol, int) and symbol > CHANNEL:
                found[symbol, place - len(shape)][path] = length
            elif isinstance(symbol, str):
                found[symbol, None][path] = length
    return found


def _shape(product, path, wanted):
    if wanted.listed:
        node = metadata.get(product.tree, path)
        return (len(node),) if isinstance(node, list) else None
    return product.arrays[path].shape if path in product.arrays else None


def _majority(by_path):
    """The length that most arrays have (the first array's, where as many have another), and paths of the others."""
    length, _count = Counter(by_path.values()).most_common(1)[0]
    return length, [path for path, found in by_path.items() if found != length]


def _axis(axis, symbol=""):
    """What is counted along an axis: by its place in a frame, or by the first letter of its symbol in products.json."""
    of_windows = {"Y": "rows", "X": "columns", "A": "columns"}.get(str(symbol)[:1], "entries")
    return {-1: "columns", -2: "rows"}.get(axis, of_windows)


def _amp33(product):
    for name in ("amp33", "reference_amp33", "reset_amp33"):
        info_ = product.arrays.get(name)
        if info_ is not None and info_.shape[-1:] not in ((), (CHANNEL,)):
            yield error("layout", name, f"{info_.shape[-1]} columns, not {CHANNEL}")


def _border(agreed):
    """The image is the frame without four pixels on each side."""
    for axis in (-2, -1):
        frame, image = agreed.get((FRAME, axis)), agreed.get((TRIMMED, axis))
        if None not in (frame, image) and image != frame - (FRAME - TRIMMED):
            yield error("layout", "data", f"{image} {_axis(axis)} do not go with a border of {frame}")


def _resultants(meta, count):
    exposure = meta.get("exposure") or {}
    pattern = exposure.get("read_pattern")
    if not isinstance(pattern, list):
        return
    if not pattern:
        yield warning("layout", "meta.exposure.read_pattern", "empty")
    elif count is not None and count != len(pattern) and not exposure.get("truncated"):
        yield error("layout", "meta.exposure.read_pattern", f"{len(pattern)} resultants, the arrays have {count}")
    elif exposure.get("nresultants") not in (None, len(pattern)):
        message = f"{exposure['nresultants']}, the read pattern has {len(pattern)}"
        yield warning("layout", "meta.exposure.nresultants", message)


def _full_frame(agreed):
    sizes = {axis: (length, symbol) for (symbol, axis), length in agreed.items() if symbol in (TRIMMED, FRAME)}
    if {-1, -2} <= set(sizes) and any(length != symbol for length, symbol in sizes.values()):
        (rows, full), (columns, _full) = sizes[-2], sizes[-1]
        yield info("layout", "the arrays", f"{columns} x {rows} pixels, a full frame has {full} x {full}")
