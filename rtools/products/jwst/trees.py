"""The tree of the data model in the extension ASDF: its bytes, what is written in it, and its nodes converted."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.products.fits.keywords import ascii_text
from rtools.products.io import header, temporary
from rtools.products.jwst.hdus import JwstHdu, read_spans

__all__ = ["bytes_of_tree", "count_cards", "in_tree", "node_of", "parsed_tree"]


def bytes_of_tree(path: str | Path, hdu: JwstHdu) -> bytes:
    """The ASDF file that an extension holds, in a table of one cell or in an image of bytes.

    Parameters
    ----------
    path : str or Path
        The FITS file.
    hdu : JwstHdu
        Its extension ASDF.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        The extension is neither of the two.
    """
    if hdu.is_table:
        form = str(hdu.values.get("TFORM1", ""))
        if not (len(hdu.columns) == hdu.rows == 1 and re.fullmatch(r"\d*B", form)):
            raise InputError("its extension ASDF is not a table of one cell of bytes", path=path)
    elif hdu.dtype != np.uint8:
        raise InputError("its extension ASDF is not an image of bytes", path=path)
    return b"".join(read_spans(path, [(hdu.data, hdu.data + hdu.size)]))


def parsed_tree(content: bytes, path: str | Path) -> dict[str, Any]:
    """What stands in an ASDF file that is in memory; nodes keep their tags, loops are cut.

    Parameters
    ----------
    content : bytes
        The file.
    path : str or Path
        What an error names.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        It is damaged.
    """
    with temporary.file(".asdf") as file:
        file.write(content)
        file.flush()
        try:
            tree, about, _blocks = header.read_header(file.name, cut_loops=True)
        except InputError as error:
            raise InputError(f"its extension ASDF: {error.message}", path=path) from None
    return {**about, **tree}


def node_of(content: bytes, path: str, where: str | Path) -> Any:
    """A node of an ASDF file that is in memory, as asdf converts it.

    Parameters
    ----------
    content : bytes
        The file.
    path : str
        Dotted, from the root.
    where : str or Path
        What an error names.

    Returns
    -------
    object

    Raises
    ------
    InputError
        It cannot be converted: a damaged tree, or one with transforms of packages that are not installed.
    """
    import asdf

    from rtools.products.io.extensions import find_extensions

    header.refuse_links(parsed_tree(content, where), where)
    find_extensions()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with asdf.open(io.BytesIO(content), lazy_load=False, lazy_tree=True) as opened:
                node: Any = opened.tree
                for key in path.split("."):
                    node = node[int(key)] if key.isdigit() and not isinstance(node, Mapping) else node[key]
        except Exception as error:  # what converters of other packages raise is not known
            raise InputError(f"its {path} cannot be read ({' '.join(str(error).split())})", path=where) from None
    if path.endswith("wcs") and not hasattr(node, "invert"):
        raise InputError(
            f"its {path} has transforms that only stdatamodels knows",
            mend="pip install 'roman-rtools[jwst]'",
            path=where,
        )
    return node


def count_cards(entries: Sequence[Mapping[str, Any]], cards: Sequence[str]) -> int | None:
    """How many of the first HISTORY cards say what the entries of a history say.

    Parameters
    ----------
    entries : sequence of mapping
        Of the tree, oldest first.
    cards : sequence of str
        Texts of the cards; those of entries are broken where a card ends, and blanks there may be lost.

    Returns
    -------
    int or None
        None where other cards stand there.
    """
    wanted = "".join("".join(ascii_text(str(entry.get("description", ""))).split()) for entry in entries)
    for count, card in enumerate(cards):
        if not wanted:
            return count
        text = "".join(card.split())
        if not wanted.startswith(text):
            return None
        wanted = wanted[len(text) :]
    return None if wanted and cards else len(cards)


def in_tree(tree: Any, path: str) -> Any:
    """What stands at a dotted path of a tree, of which numbers count the items of lists.

    Parameters
    ----------
    tree : mapping or sequence
        The tree.
    path : str
        From its root: ``slits.1.meta.wcs``.

    Returns
    -------
    object
        None where nothing stands there.
    """
    for key in path.split("."):
        if isinstance(tree, list) and key.isdigit() and int(key) < len(tree):
            tree = tree[int(key)]
        elif isinstance(tree, dict):
            tree = tree.get(key)
        else:
            return None
    return tree
