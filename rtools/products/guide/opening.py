"""Which files are guide-window and FACE files, and opening one that says so by its tag, its metadata or its name."""

from __future__ import annotations

from pathlib import Path

from rtools.errors import InputError
from rtools.products import names
from rtools.products.io import Product, open_product
from rtools.products.schema import layout, nodes
from rtools.wfi import metadata

__all__ = ["KINDS", "is_face_name", "is_guide_name", "open_as"]

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


def is_face_name(path: str | Path) -> bool:
    """Whether a file is a FACE file by its name.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; it need not exist.

    Returns
    -------
    bool
        Its suffix is ``_face``.
    """
    return names.split_suffix(path)[1] == "face"


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
    product = open_product(path, others=True)
    if OLD_SCHEMA in product.tag:
        tag = product.tag.rpartition("/")[2]
        message = f"a guide-window file of an old form ({tag}: frames of five dimensions, without times)"
        raise InputError(message, mend="rt-info lists what is in it", path=path)
    if product.kind == KINDS[wanted]:
        return product, []
    found = product.reftype or product.kind
    untagged = product.tree.get("roman") if product.kind == "other" else None
    tagged = getattr(untagged, "tag", None)
    if not isinstance(untagged, dict) or tagged or not isinstance(untagged.get("meta"), dict):
        if product.problem:
            raise InputError(product.problem, path=path)
        raise InputError(f"is of kind {found}, wanted {KINDS[wanted]} (_{wanted})", path=path)
    model = metadata.get(untagged, "meta.model_type")
    if kind != wanted and model != layout.model(KINDS[wanted]) and names.split_suffix(path)[1] != wanted:
        mend = f"--kind {wanted} reads it as a _{wanted} file"
        raise InputError("the tree has no tag that says which kind of product it is", mend=mend, path=path)
    tree = nodes.TaggedDict(untagged, "")
    profile = layout.DEFAULT_PROFILE
    return Product(path, KINDS[wanted], profile, tree, product.about, product.blocks), [f"no tag: read as _{wanted}"]
