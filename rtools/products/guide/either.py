"""Opening a file that may be a guide-window or a FACE file."""

from __future__ import annotations

from pathlib import Path

from rtools.errors import InputError
from rtools.products.guide.face import Face, read_face
from rtools.products.guide.guide import Guide, read_guide
from rtools.products.guide.opening import is_old, kind_of_product, taken_as
from rtools.products.guide.problems import refuse
from rtools.products.io import open_product

__all__ = ["open_either"]


def open_either(path: str | Path) -> Guide | Face:
    """Open a guide-window or FACE file of any age.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.

    Returns
    -------
    Guide or Face

    Raises
    ------
    InputError
        It cannot be read, is neither, is one from before 2025, or its arrays do not agree with each other.
    """
    product = open_product(path, others=True)
    kind = kind_of_product(product)
    if kind is None and not is_old(product):
        found = (
            product.problem or f"is of kind {product.reftype or product.kind}, wanted l1_gw (_gw) or l1_face (_face)"
        )
        raise InputError(found, path=path)
    product, remarks = taken_as(product, kind or "gw", kind)
    opened, problems = read_face(product, remarks) if kind == "face" else read_guide(product, remarks)
    refuse(problems, path)
    return opened
