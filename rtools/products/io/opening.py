"""Opening a file and recognising what it is: a product of any age, a reference file, or another ASDF file."""

from collections.abc import Collection
from pathlib import Path

from rtools.errors import InputError, with_article
from rtools.products.io import header
from rtools.products.io.product import Product
from rtools.products.schema import layout, nodes, tags

__all__ = ["open_product"]

OTHERS = {
    "truth": "the truth of an rt-sim exposure",
    "jwst": "a FITS file of JWST as ASDF, of which rt-fits makes FITS again",
    "other": "an ASDF file without a roman tree",
}
"""What files are that are no Roman product, by their kind."""


def open_product(path: str | Path, kinds: Collection[str] | None = None, *, others: bool = False) -> Product:
    """Open a Roman product or reference file.

    Parameters
    ----------
    path : str or Path
        The file.
    kinds : iterable of str, optional
        Kinds that are wanted (`Product.kind`), ``reference`` for any reference file; any by default.
    others : bool
        Open ASDF files that are not a Roman product, too: the kind is ``truth`` or ``other``, the tree the whole one.

    Returns
    -------
    Product

    Raises
    ------
    InputError
        Missing, a directory, empty, truncated, not ASDF, without a ``roman`` tree, of an unknown tag, or of a kind
        that is not wanted.
    """
    tree, about, table = header.read_header(path)
    kind, profile, root, problem = _root(tree)
    if problem and not others:
        raise InputError(problem, path=path)
    product = Product(path, kind, profile, root, about, table)
    product.problem = problem
    if kinds is not None and product.kind not in kinds:
        raise InputError(f"is {_described(product)}, wanted {' or '.join(_words(kind) for kind in kinds)}", path=path)
    return product


def _root(tree):
    """Kind, profile and root of a tree, and why it is not that of a Roman product, if it is not."""
    roman, whole = tree.get("roman"), nodes.TaggedDict(tree, getattr(tree, "tag", None))
    if not isinstance(roman, dict):
        kind = layout.kind_of_tree(tree)
        return kind, layout.DEFAULT_PROFILE, whole, f"not a Roman product: {OTHERS[kind]}"
    tag = getattr(roman, "tag", None)
    known, profile = tags.kind_of(tag)
    if known is None:
        return "other", profile, whole, f"not a Roman product: an unknown kind of product (tag {tag or 'missing'})"
    if not isinstance(roman.get("meta"), dict):
        return "other", profile, whole, "not a Roman product: the tree has no roman.meta"
    return known, profile, roman, None


def _described(product):
    words = product.reftype or _words(product.kind)
    words = f"{words} reference" if product.reftype else words
    return with_article(words)


def _words(kind):
    """``l2_image (_cal)``: a kind with the suffix that one knows it by."""
    if kind == "reference" or kind.startswith("reference/"):
        return kind
    known = layout.suffixes(kind)
    if "cal" in known or len(known) < 2:
        return f"{kind} (_{'cal' if 'cal' in known else known[0]})"
    return f"{kind} (_{known[0]} … _{known[-1]})"
