"""Files that belong to an image and lie beside it: its ramp, its segments, its catalog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rtools.errors import RtoolsError
from rtools.products import names
from rtools.products.making import job_of

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["file_beside", "ramps_beside"]

RAMPS = {
    "roman": ("linearity", "wfi18_transient", "dark_decay", "refpix", "saturation", "dqinit", "uncal"),
    "jwst": ("ramp", "uncal"),
}
"""Suffixes of ramps, those first of which more was done and flagged."""

FORMS = {"roman": "asdf", "jwst": "fits"}


def ramps_beside(product: ProductFace) -> Iterator[Path]:
    """The ramps of which an image was made, as far as they are there.

    Parameters
    ----------
    product : ProductFace
        The image, opened.

    Yields
    ------
    Path
        Ramps of the same stem in the same directory, the one first of which most was done; then what the record of
        the image says that it was made of.
    """
    for suffix in RAMPS[product.mission]:
        path = file_beside(product, f"{suffix}.{FORMS[product.mission]}")
        if path is not None:
            yield path
    endings = tuple(f"_{suffix}.{FORMS[product.mission]}" for suffix in RAMPS[product.mission])
    for name in _inputs_of(product):
        path = Path(product.path).parent / name
        if path.name.endswith(endings) and path.exists():
            yield path


def _inputs_of(product):
    """Files that the record of a product says that it was made of, from its own place."""
    try:
        job = job_of(product.path) or {}
    except RtoolsError:
        return
    for one in job.get("inputs") or ():
        if isinstance(one.get("file"), str):
            yield one["file"]


def file_beside(product: ProductFace, ending: str) -> Path | None:
    """The file of the same stem beside a product.

    Parameters
    ----------
    product : ProductFace
        Opened.
    ending : str
        Suffix and extension: ``segm.asdf``.

    Returns
    -------
    Path or None
        None where there is none.
    """
    path = Path(product.path).with_name(f"{names.split_suffix(product.path)[0]}_{ending}")
    return path if path.exists() and path != Path(product.path) else None
