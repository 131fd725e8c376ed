"""Arrays of a JWST product piece by piece, several at the same places at once; and findings that are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.findings import Finding
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import JwstProduct

__all__ = [
    "PixelPiece",
    "count_of",
    "counted",
    "image_of",
    "meta_value",
    "named",
    "number_of",
    "pieces",
    "ramp_pieces",
    "table_of",
    "versions_of",
]

PIXELS = 1 << 20
"""Pixels of a piece: a few MB of each array are in memory at a time."""


class PixelPiece(NamedTuple):
    """The same part of several images.

    Attributes
    ----------
    rows : slice
        Which rows of the image it is.
    arrays : dict of str to ndarray
        By EXTNAME; those of an array with fewer axes are broadcast by numpy.
    """

    rows: slice
    arrays: dict[str, np.ndarray]


def named(name: str, version: int = 1) -> str:
    """How a finding calls an HDU: ``SCI``, ``SCI,2``.

    Parameters
    ----------
    name, version : str, int
        EXTNAME and EXTVER.

    Returns
    -------
    str
    """
    return name if version == 1 else f"{name},{version}"


def number_of(mask: Any) -> int:
    """How many elements of a mask are true.

    Parameters
    ----------
    mask : array_like
        Of any shape.

    Returns
    -------
    int
    """
    return int(np.count_nonzero(mask))


def image_of(product: JwstProduct, name: str, version: int = 1) -> JwstHdu | None:
    """The image of this name, None where the file has none.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    name, version : str, int
        EXTNAME and EXTVER.

    Returns
    -------
    JwstHdu or None
    """
    found = (hdu for hdu in product.hdus if (hdu.name, hdu.version) == (name, version) and hdu.is_image)
    return next(found, None)


def meta_value(product: JwstProduct, keyword: str) -> Any:
    """What a keyword says, or what the tree says in its place; None where neither does, or the tree is damaged.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    keyword : str
        Its keyword, or its path below ``meta``.

    Returns
    -------
    object
    """
    try:
        return product.value(keyword)
    except InputError:  # told by A1
        return None


def count_of(product: JwstProduct, keyword: str) -> int | None:
    """A whole number that a keyword says; None where it says none.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    keyword : str
        Its keyword.

    Returns
    -------
    int or None
    """
    value = meta_value(product, keyword)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def table_of(product: JwstProduct, name: str, version: int = 1) -> JwstHdu | None:
    """The table of this name, None where the file has none.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    name, version : str, int
        EXTNAME and EXTVER.

    Returns
    -------
    JwstHdu or None
    """
    found = (hdu for hdu in product.hdus if (hdu.name, hdu.version) == (name, version) and hdu.is_table)
    return next(found, None)


def versions_of(product: JwstProduct, name: str = "SCI") -> list[int]:
    """EXTVER of every image of this name, in ascending order.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    name : str
        EXTNAME.

    Returns
    -------
    list of int
    """
    return sorted(hdu.version for hdu in product.hdus if hdu.name == name and hdu.is_image)


def pieces(product: JwstProduct, names: Iterable[str], version: int = 1) -> Iterator[PixelPiece]:
    """The images of a set, from first to last pixel.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    names : iterable of str
        EXTNAMEs. The first gives the shape; of the others those are left out that are missing, or whose shape is
        neither the same nor its last two axes.
    version : int
        EXTVER of the set.

    Yields
    ------
    PixelPiece
        Of at most `PIXELS` pixels, or one row. Nothing where the first image is missing.
    """
    first, *others = names
    lead = image_of(product, first, version)
    if lead is None or len(lead.shape) < 2:
        return
    found = [(name, image_of(product, name, version)) for name in others]
    hdus = {first: lead} | {name: one for name, one in found if one and one.shape in (lead.shape, lead.shape[-2:])}
    for part in _parts(lead.shape):
        yield PixelPiece(
            part[-1],
            {
                name: product.pixels(name, version, part if hdu.shape == lead.shape else part[-1:])
                for name, hdu in hdus.items()
            },
        )


def _parts(shape):
    """Slices of all axes but the last, of whole planes together or of rows of one plane."""
    *leading, rows, columns = shape
    at_once = PIXELS // max(1, rows * columns)
    if leading and at_once > 1:
        for start in range(0, leading[-1], at_once):
            for before in np.ndindex(*leading[:-1]):
                yield (*(slice(one, one + 1) for one in before), slice(start, start + at_once), slice(0, rows))
        return
    step = max(1, PIXELS // max(1, columns))
    for plane in np.ndindex(*leading):
        for start in range(0, rows, step):
            yield (*(slice(one, one + 1) for one in plane), slice(start, min(start + step, rows)))


def ramp_pieces(product: JwstProduct, name: str) -> Iterator[tuple[int, np.ndarray]]:
    """An image of four axes as the ramps of some rows of an integration.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    name : str
        EXTNAME.

    Yields
    ------
    (int, ndarray)
        Number of the integration, 0 for the first; (groups, rows, columns).
    """
    hdu = image_of(product, name)
    if hdu is None or len(hdu.shape) != 4:
        return
    integrations, groups, rows, columns = hdu.shape
    step = max(1, PIXELS * 4 // max(1, groups * columns))
    for integration in range(integrations):
        for start in range(0, rows, step):
            yield integration, product.pixels(name, 1, (integration, slice(None), slice(start, start + step)))


def counted(tally: Counter[Finding]) -> Iterator[Finding]:
    """Findings whose message begins with a number.

    Parameters
    ----------
    tally : Counter of Finding
        How often each was found; ``{}`` in a message is the place of the number.

    Yields
    ------
    Finding
        Those that were found at all.
    """
    for finding, count in tally.items():
        if count:
            yield finding._replace(message=finding.message.format(int(count)))
