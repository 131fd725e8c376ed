"""How far the tree of the data model in a JWST file can be trusted, and what its world coordinates need."""

from __future__ import annotations

from typing import Any, NamedTuple

from rtools.products.jwst.product import TREE, JwstProduct
from rtools.products.schema import nodes
from rtools.wfi.metadata import get

__all__ = ["ModelState", "model_state"]

FOREIGN_TRANSFORMS = "jwst_pipeline/"
"""What stands in tags of transforms that only stdatamodels knows."""


class ModelState(NamedTuple):
    """What is known of the extension ASDF of a file.

    Attributes
    ----------
    state : str
        ``trusted`` where the hash of the headers that it keeps is theirs; ``edited`` where a header became another
        since, so that keywords hold; ``without hash``; ``none`` where the file has no such extension.
    form : str or None
        ``table``, or ``image``, which is the older convention.
    wcs : str or None
        ``gwcs``; ``stdatamodels`` where it has transforms that only that package knows; ``fits`` where only the header
        has one; None without world coordinates.
    """

    state: str
    form: str | None
    wcs: str | None


def model_state(product: JwstProduct) -> ModelState:
    """The state of the extension ASDF; headers and the extension are read, no pixels.

    Parameters
    ----------
    product : JwstProduct
        Of a FITS file.

    Returns
    -------
    ModelState

    Raises
    ------
    InputError
        The extension is damaged.
    """
    found = [hdu for hdu in product.hdus if hdu.name == TREE]
    science = next((hdu for hdu in product.hdus if hdu.name == "SCI"), None)
    by_header = "fits" if science is not None and "CTYPE1" in science.values else None
    if not found:
        return ModelState("none", None, by_header)
    kept = product.tree.get("_fits_hash")
    state = "without hash" if kept is None else "trusted" if str(kept) == product.header_hash() else "edited"
    return ModelState(state, "table" if found[-1].is_table else "image", _wcs_of(product.tree) or by_header)


def _wcs_of(tree):
    """What the world coordinates of the file, or of its first slit that has some, are made of."""
    holders = [tree, *(tree.get("slits") or [])]
    wcs = next((found for one in holders if (found := get(one, "meta.wcs")) is not None), None)
    if wcs is None:
        return None
    return "stdatamodels" if _has_foreign(wcs) else "gwcs"


def _has_foreign(node: Any) -> bool:
    if FOREIGN_TRANSFORMS in (getattr(node, "tag", None) or ""):
        return True
    if nodes.is_array(node):
        return False
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(_has_foreign(one) for one in inside)
