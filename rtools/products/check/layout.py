"""Whether arrays and metadata of a product are those that our description of its kind and profile has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import UsageError
from rtools.products.schema import layout
from rtools.wfi import metadata

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["check_layout"]


def check_layout(product: Product) -> list[str]:
    """Compare arrays and required metadata with `layout`, without asdf.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened; no array is read.

    Returns
    -------
    list of str
        ``PATH: what is wrong``, one line each; empty where the kind has no description in the profile.
    """
    kind = f"reference/{product.reftype}" if product.kind == "reference" else product.kind
    try:
        described = layout.arrays(kind, product.profile)
        dtypes = layout.dtypes(kind, product.profile)
    except UsageError:
        return []
    problems = []
    for path, wanted in described.items():
        node = metadata.get(product.tree, path)
        if path in product.arrays:
            problems += _array_problems(path, product.arrays[path], wanted, dtypes.get(path))
        elif wanted.required and node is None:
            problems.append(f"{path}: missing")
        elif node is not None and not wanted.listed and not isinstance(node, int):
            problems.append(f"{path}: not an array")
        elif node is not None and wanted.listed and not isinstance(node, list):
            problems.append(f"{path}: not a list")
    for field in layout.fields(kind, product.profile):
        if field.required and metadata.get(product.meta, field.path) is None and "null" not in field.type:
            problems.append(f"meta.{field.path}: missing")
    return problems


def _array_problems(path, info, wanted, dtype):
    problems = []
    if dtype is not None and info.dtype.newbyteorder("=") != np.dtype(dtype):
        problems.append(f"{path}: {info.dtype.name}, not {wanted.dtype}")
    if wanted.ndim is not None and len(info.shape) != wanted.ndim:
        problems.append(f"{path}: {len(info.shape)} dimensions, not {wanted.ndim}")
    for axis, (length, expected) in enumerate(zip(info.shape, wanted.shape, strict=False)):
        if isinstance(expected, int) and expected <= 5 and length != expected:
            problems.append(f"{path}: axis {axis} has {length}, not {expected}")
    return problems
