"""Keywords and tree of a JWST file say the same: the value of one goes into the other."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import UsageError
from rtools.jwst.keywords import MetadataKeyword
from rtools.jwst.models import keywords_of_path, path_of_keyword
from rtools.products.fits.keywords import card_value
from rtools.products.jwst.content import AsdfContent

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["STRUCTURE", "card_into_tree", "header_into_tree", "leaves", "set_card", "set_values", "typed"]

STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|PCOUNT|GCOUNT|TFIELDS|T(?:FORM|TYPE|UNIT|DIM|ZERO|SCAL|NULL|DISP)\d+|THEAP|"
    r"BSCALE|BZERO|END|EXTNAME|EXTVER|EXTLEVEL|CHECKSUM|DATASUM|COMMENT|HISTORY|CONTINUE|"
)
"""Keywords that say how the data are stored, and what is no keyword; the tree has none of them."""

CARD = 80
"""Characters of a card."""

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
}


def typed(value: Any, told: MetadataKeyword) -> Any:
    """A value of the type that the metadata have.

    Parameters
    ----------
    value : object
        Of Python or numpy.
    told : MetadataKeyword
        What it is.

    Returns
    -------
    str, int, float or bool
        Of Python.

    Raises
    ------
    UsageError
        It is of another type.
    """
    value = value.item() if isinstance(value, np.generic) else value
    kinds = KINDS.get(told.type, (str, int, float, bool))
    fits_in = isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)
    if not fits_in or (told.type == "integer" and value != value // 1):
        raise UsageError(f"{told.path} is of the type {told.type}, not {value!r}")
    if told.type == "number":
        return float(value)
    return int(value) if told.type == "integer" else str(value) if told.type == "string" else value


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted path, value) of everything in nested mappings without tags, and in lists of nothing but mappings.

    Parameters
    ----------
    node : object
        Mappings, lists and values.
    path : str
        Of the node itself.

    Yields
    ------
    (str, object)
    """
    if isinstance(node, Mapping) and getattr(node, "tag", None) is None:
        for key, value in node.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list | tuple) and node and all(isinstance(one, Mapping) for one in node):
        for place, value in enumerate(node):
            yield from leaves(value, f"{path}.{place}")
    else:
        yield path, node


def set_card(header: fits.Header, keyword: str, value: Any) -> None:
    """Set a card; None, or a number that is not finite, takes it away, because FITS has no form for it.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Changed in place; a new card comes to its end.
    keyword : str
        Which card.
    value : str, int, float, bool or None
        What it says from now on; its comment stays.
    """
    said = card_value(value)
    if said is None:
        header.remove(keyword, ignore_missing=True)
        return
    header[keyword] = said
    if isinstance(said, str):
        _shorten_comment(header, keyword, said)


def _shorten_comment(header, keyword, text):
    """Leave of a comment what has room behind a text in one card, as the writer of headers would with a warning."""
    quoted = len(text.replace("'", "''"))
    comment, room = header.comments[keyword], CARD - max(quoted, 8) - len("KEYWORD = '' / ")
    if quoted <= CARD - len("KEYWORD = ''") and len(comment) > room:
        header.comments[keyword] = comment[: max(room, 0)].rstrip()


def set_values(
    content: AsdfContent | None,
    model: str,
    headers: Mapping[tuple[str, int], fits.Header],
    values: Iterable[tuple[str, Any]],
) -> None:
    """Set values in the tree, and in the headers those that have keywords there.

    Parameters
    ----------
    content : AsdfContent or None
        Changed in place; None where the file has no tree.
    model : str
        DATAMODL.
    headers : mapping
        Headers by EXTNAME and EXTVER, changed in place.
    values : iterable of (str, object)
        Dotted path from the root, and the value; None removes it.

    Raises
    ------
    UsageError
        A value is of another type than the data model has, or there is no place for it.
    """
    for path, told in values:
        value, has_place = told, content is not None
        for keyword, version in keywords_of_path(path, model):
            header = headers.get((keyword.hdu, version))
            if header is not None and not STRUCTURE.fullmatch(keyword.keyword):
                value = None if told is None else typed(told, keyword)
                set_card(header, keyword.keyword, value)
                has_place = True
        if not has_place:
            raise UsageError(f"there is no place for {path}, because the file has no extension ASDF")
        if content is not None:
            content.put(path, value)


def card_into_tree(content: AsdfContent, model: str, hdu: tuple[str, int], card: tuple[str, Any, str]) -> None:
    """Put what a card says into the tree, at its place in the data model, or among what the models do not know.

    Parameters
    ----------
    content : AsdfContent
        Changed in place.
    model : str
        DATAMODL.
    hdu : (str, int)
        EXTNAME and EXTVER of the card's HDU.
    card : (str, object, str)
        Keyword, value (None where the card is gone) and comment.
    """
    keyword, value, comment = card
    if STRUCTURE.fullmatch(keyword):
        return
    known = path_of_keyword(model, *hdu, keyword)
    if known is None:
        if hdu[1] == 1:
            _put_unknown(content, f"extra_fits.{hdu[0]}.header", (keyword, value, comment))
        return
    if value is None or not _says(content.value(known.path), value):
        content.put(known.path, value)


def header_into_tree(content: AsdfContent, model: str, hdu: tuple[str, int], header: fits.Header) -> None:
    """Put all cards of a header into the tree.

    Parameters
    ----------
    content, model, hdu
        As for `card_into_tree`.
    header : astropy.io.fits.Header
        Of the HDU.
    """
    from astropy.io.fits.card import Undefined

    for card in header.cards:
        if not isinstance(card.value, Undefined):
            value = card.value.strip() if isinstance(card.value, str) else card.value
            card_into_tree(content, model, hdu, (card.keyword, value, card.comment))


def _put_unknown(content, path, card):
    """Set or remove an entry of a list of cards that no data model knows."""
    import yaml

    listed = content.node(path)
    entries = listed.value if isinstance(listed, yaml.SequenceNode) else []
    kept = [one for one in entries if not (isinstance(one, yaml.SequenceNode) and _first(one) == card[0])]
    if card[1] is not None:
        kept.append(content.graph(list(card)))
    if kept or entries:
        content.put(path, kept)


def _first(node):
    return node.value[0].value if node.value else None


def _says(of_tree, of_card):
    """Whether a node of the tree says what a card says, which has fewer digits and only ASCII characters."""
    of_tree = card_value(of_tree)
    if isinstance(of_tree, bool) or isinstance(of_card, bool) or isinstance(of_tree, str):
        return type(of_tree) is type(of_card) and (of_tree.strip() if isinstance(of_tree, str) else of_tree) == of_card
    if not isinstance(of_tree, int | float) or not isinstance(of_card, int | float):
        return False
    return math.isclose(of_tree, of_card, rel_tol=1e-14, abs_tol=0.0)
