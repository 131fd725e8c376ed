"""What differs between two JWST products: the cards, arrays and tables of each HDU, and the tree without its arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.jwst import path_of_keyword
from rtools.products.edit.array_comparison import BLOCK, Values
from rtools.products.edit.comparison import LEFT_OUT as LEFT_OUT_OF_TREES
from rtools.products.edit.comparison import Walk
from rtools.products.edit.table_columns import read_columns, table_columns
from rtools.products.io import Product, header, temporary
from rtools.products.schema import layout, nodes

if TYPE_CHECKING:
    from rtools.products.jwst import JwstHdu, JwstProduct

__all__ = ["LEFT_OUT", "compare_jwst"]

LEFT_OUT = (
    *LEFT_OUT_OF_TREES,
    *(f"*.{pattern}" for pattern in LEFT_OUT_OF_TREES),
    "_fits_hash",
    "cal_logs",
    "meta.date",
    "*.meta.date",
    "CAL_VCS",
    "CAL_VER",
    "CHECKSUM",
    "DATASUM",
    "DATE",
    "FILENAME",
    "HISTORY",
)
"""Keywords and nodes of the tree that differ between two files of the same content."""

TREE = "ASDF"
"""EXTNAME of the extension that holds the tree."""

STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|EXTEND|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|TFIELDS|T(?:TYPE|FORM|UNIT|DIM|NULL|ZERO|SCAL|DISP)\d+"
    r"|BSCALE|BZERO|EXTNAME|EXTVER|BUNIT|"
)
"""Keywords that say how data are stored, what they are called and their units, which are told with the data."""


def compare_jwst(
    first: JwstProduct,
    second: JwstProduct,
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    ignore: Iterable[str] = (),
    everything: bool = False,
    worst: int = 5,
    within: float = 0.0,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Compare two opened JWST products in FITS.

    HDUs belong together by EXTNAME and EXTVER. Their order, that of cards, and the comments of cards are no difference.
    What differs in a keyword and alike in the node of the tree that says the same is told of the keyword alone.

    Parameters
    ----------
    first, second : rtools.products.jwst.JwstProduct
        Opened; their arrays are read in pieces, their tables column by column.
    rtol, atol, everything, worst, within
        As `rtools.products.edit.comparison.compare_products`; of everything are comments, too.
    ignore : iterable of str
        Globs of keywords (``EXP_TYPE``, ``SCI.PHOTMJSR``), of extensions (``GROUP``), of arrays and columns, and of
        nodes of the tree, with or without ``meta.``, which are their keywords, too.

    Returns
    -------
    (list of dict, list of dict)
        As `rtools.products.edit.comparison.compare_products`. Keys are ``SCI,2.BUNIT`` for a card, ``kind`` for what
        the products are, and those of the tree. Arrays are ``data`` and columns ``EXTRACT1D.FLUX``; ``worst`` of
        columns has row, and element where cells hold several values, of arrays of four axes also x, y, group and
        integration.
    """
    patterns = [*ignore, *(() if everything else LEFT_OUT)]
    options: dict[str, Any] = {"rtol": rtol, "atol": atol, "worst": worst, "within": within}
    walk = Walk((first, second), patterns, **options, bits_of=first.flag_bits)
    walk.values("kind", first.kind, second.kind)
    for name, version, *pair in _pairs(first, second):
        label = name if version == 1 else f"{name},{version}"
        if not walk.ignored(label):
            _compare_hdus(walk, label, pair, comments=everything)
    with _tree_of(first) as one, _tree_of(second) as two:
        trees = Walk((one, two), patterns, **options)
        trees.nodes("", one.content, two.content)
        if everything:
            trees.nodes("", one.about, two.about)
        walk.metadata += _not_told(first, trees.metadata, walk.metadata)
        walk.arrays += trees.arrays
    return walk.metadata, walk.arrays


def _pairs(first, second):
    """(EXTNAME, EXTVER, HDU of A or None, HDU of B or None) of every HDU but the tree, in the order of the files."""
    sides: list[dict[tuple[str, int], JwstHdu]] = [
        {(hdu.name, hdu.version): hdu for hdu in reversed(product.hdus) if hdu.name != TREE}
        for product in (first, second)
    ]
    order = dict.fromkeys((hdu.name, hdu.version) for product in (first, second) for hdu in product.hdus)
    return [(*key, *(side.get(key) for side in sides)) for key in order if key[0] != TREE]


def _compare_hdus(walk, label, pair, *, comments):
    if None in pair:
        side, hdu = ("a", pair[0]) if pair[1] is None else ("b", pair[1])
        walk.arrays.append({"array": label, "only_in": side, side: _described(hdu)})
        return
    _compare_cards(walk, label, pair, comments=comments)
    if all(hdu.is_image for hdu in pair):
        names = [_array_name(product, hdu) for product, hdu in zip(walk.products, pair, strict=True)]
        if not walk.ignored(names[0]):
            _compare_arrays(walk, *names)
    elif all(hdu.is_table for hdu in pair):
        _compare_tables(walk, label)
    else:
        told = [_described(hdu) for hdu in pair]
        walk.values(label, *told)


def _described(hdu):
    if hdu.is_table:
        return f"table of {hdu.rows} rows and {len(hdu.columns)} columns"
    return f"array {hdu.dtype} {hdu.shape}" if hdu.is_image else "a header alone"


def _array_name(product, hdu):
    return next((name for name in product.arrays if product.hdu(name) is hdu), hdu.name)


# -- cards ------------------------------------------------------------------------------------------------------------


def _compare_cards(walk, label, pair, *, comments):
    one, two = (_cards(hdu) for hdu in pair)
    for keyword in [*one, *(keyword for keyword in two if keyword not in one)]:
        if _is_ignored(walk, label, keyword):
            continue
        key = f"{label}.{keyword}"
        if keyword not in one or keyword not in two:
            side, there = ("a", one) if keyword in one else ("b", two)
            walk.metadata.append({"key": key, "only_in": side, side: there[keyword][0]})
            continue
        walk.values(key, one[keyword][0], two[keyword][0])
        if comments:
            walk.values(f"{key} comment", one[keyword][1], two[keyword][1])


def _cards(hdu) -> dict[str, tuple[Any, Any]]:
    """Value and comment of each keyword; lists of them where it stands several times."""
    found: dict[str, list[tuple[Any, str]]] = {}
    for card in hdu.header.cards:
        if not STRUCTURE.fullmatch(card.keyword):
            found.setdefault(card.keyword, []).append((_plain(card.value), card.comment))
    many = {keyword: tuple(map(list, zip(*cards, strict=True))) for keyword, cards in found.items()}
    return {keyword: (values, texts) if len(values) > 1 else (values[0], texts[0]) for keyword, (values, texts) in
            many.items()}  # fmt: skip


def _plain(value):
    """A value of a card as JSON has it; None for one that has no value."""
    if isinstance(value, str):
        return value.rstrip()
    return value if isinstance(value, bool | int | float) else None if _is_undefined(value) else str(value)


def _is_undefined(value):
    from astropy.io.fits.card import Undefined

    return isinstance(value, Undefined)


def _is_ignored(walk, label, keyword):
    path = _path_of(walk.products[0], label, keyword)
    return any(walk.ignored(name) for name in (keyword, f"{label}.{keyword}", *([path] if path else [])))


def _path_of(product, label, keyword):
    """Path in the tree of what a keyword says; None where no data model has it."""
    name, _, version = label.partition(",")
    known = path_of_keyword(str(product.hdus[0].values.get("DATAMODL", "")), name, int(version or 1), keyword)
    return known.path if known else None


def _not_told(product, of_tree, of_hdus):
    """Differences of the tree that no keyword has told."""
    told = {}
    for entry in of_hdus:
        key = entry["key"]
        if key.endswith(" unit") and product.has(key.removesuffix(" unit")):
            hdu = product.hdu(key.removesuffix(" unit"))
            label, keyword = f"{hdu.name},{hdu.version}", "BUNIT"
        else:
            label, _, keyword = key.rpartition(".")
        told[_path_of(product, label, keyword)] = entry
    same = [told.get(entry["key"]) for entry in of_tree]
    return [
        entry
        for entry, other in zip(of_tree, same, strict=True)
        if other is None or other | {"key": entry["key"]} != entry
    ]


# -- arrays and tables ------------------------------------------------------------------------------------------------


def _compare_arrays(walk, name, other):
    before = len(walk.arrays)
    walk.compare_arrays(name, _array(walk.products[0], name), _array(walk.products[1], other))
    for found in walk.arrays[before:]:
        for entry in found.get("worst", ()):
            if len(entry["index"]) == 4:
                entry |= dict(zip(("x", "y", "group", "integration"), entry["index"][::-1], strict=True))


def _array(product, name):
    info = product.arrays[name]
    count = math.prod(info.shape[:-1])
    step = max(1, BLOCK // max(1, info.shape[-1]))
    return Values(info.shape, info.dtype, info.unit, partial(product.lines, name), step, count)


def _compare_tables(walk, label):
    sides = [
        {one.column: one for one in table_columns(product).values() if one.table == label} for product in walk.products
    ]
    rows = [product.tables[label].rows for product in walk.products]
    walk.values(f"{label} rows", *rows)
    units = [{one.name: one.unit for one in product.tables[label].columns} for product in walk.products]
    shared = [name for name in sides[0] if name in sides[1] and not _is_ignored_column(walk, sides[0][name])]
    for name in dict.fromkeys(name for side in sides for name in side):
        column = sides[0].get(name) or sides[1][name]
        if (name in sides[0]) != (name in sides[1]) and not _is_ignored_column(walk, column):
            side = "a" if name in sides[0] else "b"
            what = f"column {column.dtype} {units['ab'.index(side)][name] or ''}".strip()
            walk.arrays.append({"array": column.name, "only_in": side, side: what})
    readings = [
        read_columns(product, [side[name] for name in shared])
        for product, side in zip(walk.products, sides, strict=True)
    ]
    for (column, one), (other, two) in zip(*readings, strict=True):
        walk.values(f"{column.name} unit", units[0][column.column], units[1][other.column])
        _compare_columns(walk, column.name, *_alike(one[: min(rows)], two[: min(rows)]))


def _is_ignored_column(walk, column):
    return walk.ignored(column.name) or walk.ignored(column.column)


def _alike(one, two):
    """Values of both; texts of one length, and what is neither text nor number as text."""
    sides = [np.array([str(value) for value in side], str) if side.dtype.kind == "O" else side for side in (one, two)]
    if all(side.dtype.kind == "U" for side in sides):
        sides = [side.astype(np.result_type(*sides)) for side in sides]
    return sides


def _compare_columns(walk, name, one, two):
    before = len(walk.arrays)
    walk.compare_arrays(name, _in_pieces(one), _in_pieces(two))
    for found in walk.arrays[before:]:
        for entry in found.get("worst", ()):
            row, *element = entry["index"]
            entry |= {"row": row} | ({"element": element[0]} if len(element) == 1 else {})


def _in_pieces(values):
    """A column as an array that is compared some rows at a time."""
    step = max(1, BLOCK // max(1, values[:1].size))
    return Values.of(values)._replace(step=step)


# -- the tree ---------------------------------------------------------------------------------------------------------


@contextmanager
def _tree_of(product: JwstProduct) -> Iterator[Product]:
    """The tree as an opened product, without the arrays that are HDUs; an empty one where there is none."""
    content = product.tree_bytes()
    if content is None:
        yield Product(product.path, "other", layout.DEFAULT_PROFILE, nodes.TaggedDict({}), {}, [])
        return
    with temporary.file(".asdf") as file:
        file.write(content)
        file.flush()
        _ = product.tree  # a damaged one is told by the name of the product
        tree, about, blocks = header.read_header(file.name, cut_loops=True)
        root = nodes.TaggedDict(_without_hdus(tree), getattr(tree, "tag", None))
        with Product(file.name, "other", layout.DEFAULT_PROFILE, root, about, blocks) as opened:
            yield opened


def _without_hdus(node):
    """A part of the tree without the nodes that refer to HDUs."""
    if isinstance(node, dict):
        kept = {key: _without_hdus(value) for key, value in node.items() if not _is_hdu(value)}
        return nodes.TaggedDict(kept, node.tag) if isinstance(node, nodes.TaggedDict) else kept
    if isinstance(node, list):
        items = [_without_hdus(value) for value in node if not _is_hdu(value)]
        return nodes.TaggedList(items, node.tag) if isinstance(node, nodes.TaggedList) else items
    return node


def _is_hdu(node):
    return isinstance(node, dict) and str(node.get("source", "")).startswith("fits:")
