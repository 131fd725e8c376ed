"""Which files are guide-window and FACE files, and opening one that says so by its tag, its metadata or its name."""

from __future__ import annotations

from pathlib import Path

from rtools.errors import InputError
from rtools.products import names
from rtools.products.io import Product, open_product
from rtools.products.schema import layout, nodes
from rtools.wfi import metadata

__all__ = ["KINDS", "is_guide_name", "is_old", "kind_of_product", "open_as", "taken_as"]

KINDS = {"gw": "l1_gw", "face": "l1_face"}
"""Words for the kinds, which are the suffixes of their files, and the kinds."""

OLD_SCHEMA = "/guidewindow-"
"""Part of the tags of guide windows before 2025, which have five-dimensional frames and no times."""


def is_guide_name(path: str | Path) -> bool:
    """Whether a file is a guide-window file by its name.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; it need not exist.

    Returns
    -------
    bool
        Its suffix is ``_gw``.
    """
    return names.split_suffix(path)[1] == "gw"


def open_as(path: str | Path, wanted: str, kind: str | None) -> tuple[Product, list[str]]:
    """Open a file as one of these kinds.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    wanted : str
        ``gw`` or ``face``.
    kind : str or None
        ``gw`` or ``face`` where the user says what a file without tag is; by default its model type says it, or its
        name.

    Returns
    -------
    Product
        Of the kind `wanted`.
    list of str
        A remark where its tag does not say so.

    Raises
    ------
    InputError
        It cannot be read, is of another kind, or is a guide-window file from before 2025.
    """
    return taken_as(open_product(path, others=True), wanted, kind)


def taken_as(product: Product, wanted: str, kind: str | None = None) -> tuple[Product, list[str]]:
    """An opened file as one of these kinds; parameters, results and errors as of `open_as`.

    Parameters
    ----------
    product : Product
        Opened with `others`.
    wanted : str
        ``gw`` or ``face``.
    kind : str, optional
        What the user says that a file without tag is.

    Returns
    -------
    Product
        Of the kind `wanted`.
    list of str
        A remark where its tag does not say so.

    Raises
    ------
    InputError
        It is of another kind, or a guide-window file from before 2025.
    """
    path = product.path
    if is_old(product):
        tag = product.tag.rpartition("/")[2]
        message = f"a guide-window file of an old form ({tag}: frames of five dimensions, without times)"
        raise InputError(message, mend="rt-info lists what is in it", path=path)
    if product.kind == KINDS[wanted]:
        return product, []
    tree = _untagged(product)
    if tree is None:
        if product.problem:
            raise InputError(product.problem, path=path)
        found = product.reftype or product.kind
        raise InputError(f"is of kind {found}, wanted {KINDS[wanted]} (_{wanted})", path=path)
    if wanted not in (kind, _told(product, tree)):
        mend = f"--kind {wanted} reads it as a _{wanted} file"
        raise InputError("the tree has no tag that says which kind of product it is", mend=mend, path=path)
    root = nodes.TaggedDict(tree, "")
    made = Product(path, KINDS[wanted], layout.DEFAULT_PROFILE, root, product.about, product.blocks)
    return made, [f"no tag: read as _{wanted}"]


def is_old(product: Product) -> bool:
    """Whether a product is a guide-window file from before 2025, which nothing reads but its list of arrays.

    Parameters
    ----------
    product : Product
        The opened file.

    Returns
    -------
    bool
        By its tag.
    """
    return OLD_SCHEMA in product.tag


def kind_of_product(product: Product) -> str | None:
    """Whether a product is a guide-window or a FACE file.

    Parameters
    ----------
    product : Product
        Opened with `others`.

    Returns
    -------
    str or None
        ``gw`` or ``face`` by its tag; of a file without tag by its model type or its name. None for others.
    """
    found = next((word for word, kind in KINDS.items() if product.kind == kind), None)
    tree = None if found else _untagged(product)
    return found if tree is None else _told(product, tree)


def _untagged(product):
    """What stands below ``roman`` in a file that has no tag there; None of other files."""
    tree = product.tree.get("roman") if product.kind == "other" else None
    has_meta = isinstance(tree, dict) and isinstance(tree.get("meta"), dict)
    return tree if has_meta and not getattr(tree, "tag", None) else None


def _told(product, tree):
    """The kind that the model type of a file without tag says, or its name; None where neither does."""
    model = metadata.get(tree, "meta.model_type")
    by_model = next((word for word, kind in KINDS.items() if model == layout.model(kind)), None)
    suffix = names.split_suffix(product.path)[1]
    return by_model or (suffix if suffix in KINDS else None)
