"""Whether an ASDF product and a FITS file hold the same: every item of the tree, every array bit for bit."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from rtools.errors import RtoolsError
from rtools.products.fits import read as fits_read
from rtools.products.io import header, open_product
from rtools.products.schema import nodes

__all__ = ["require_same"]

STAMPED = ("roman.meta.filename", "roman.meta.file_date")
"""What a file says of itself, and no other file does."""


def require_same(asdf_path: str | Path, fits_path: str | Path, changed: Collection[str] = ()) -> None:
    """Read a FITS file back, in memory, and compare it with the product that it was made of, or that was made of it.

    One array at a time is in memory.

    Parameters
    ----------
    asdf_path, fits_path : str or Path
        The product, and the FITS file that was made of it.
    changed : collection of str
        Keys below ``roman`` that were changed on purpose.

    Raises
    ------
    RtoolsError
        They differ; names the first place.
    """
    with (
        open_product(asdf_path) as product,
        fits_read.open_fits(fits_path) as hdus,
        fits_read.embedded(fits_path, hdus) as inner,
        open(fits_path, "rb") as pixels,
    ):
        trees = [header.read_header(one.path)[0] | {"roman": one.tree} for one in (product, inner)]
        for one, tree in zip((product, inner), trees, strict=True):
            one.attach(tree)

        def load(node):
            if isinstance(node.get("source"), str):
                return fits_read.image_of(node, hdus, pixels.fileno(), fits_path)
            return node.load()

        skipped = {*STAMPED, *(f"roman.{key}" for key in changed)}
        place = _difference(trees[0], trees[1], "", (load, skipped))
    if place is not None:
        raise RtoolsError(f"does not come back as it was: {place} differs", mend="please report this")


def _difference(one, two, path, settings):
    """Dotted path of the first difference between two nodes, None without one."""
    load, skipped = settings
    if path in skipped:
        return None
    if getattr(one, "tag", None) != getattr(two, "tag", None) or type(one) is not type(two):
        return path
    if nodes.is_array(one):
        return None if _same_array(load(one), load(two)) else path
    if isinstance(one, dict):
        if set(one) != set(two):
            return f"{path}.{min(map(str, set(one) ^ set(two)))}".lstrip(".")
        pairs = [(f"{path}.{key}".lstrip("."), value, two[key]) for key, value in one.items()]
    elif isinstance(one, list):
        if len(one) != len(two):
            return path
        pairs = [(f"{path}.{place}", *both) for place, both in enumerate(zip(one, two, strict=True))]
    else:
        return None if one == two or one != one else path
    differences = (_difference(first, second, key, settings) for key, first, second in pairs)
    return next((found for found in differences if found is not None), None)


def _same_array(one, two):
    one, two = (np.asarray(array) for array in (one, two))
    native = [array.dtype.newbyteorder("=") for array in (one, two)]
    if native[0] != native[1] or one.shape != two.shape:
        return False
    if native[0].hasobject:
        return True
    same = [np.ascontiguousarray(array.astype(native[0], copy=False)) for array in (one, two)]
    first, second = (array.reshape(-1).view(np.uint8) for array in same)
    return np.array_equal(first, second)
