"""Flags in pictures: as classes of an array of flags, and as pixels that are left out of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import UsageError
from rtools.wfi import dq

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["classify", "flag_value", "flag_words", "flags_beside"]

MOST_CLASSES = 9
"""Flags that get a colour of their own; the rest shares one."""

MASKS = ("dq", "pixeldq", "groupdq", "resultantdq")
"""Arrays of flags that go with an image."""


def classify(
    pixels: np.ndarray, table: Mapping[str, int], wanted: str | None = None
) -> tuple[np.ndarray, list[tuple[str, int]]]:
    """Flags as classes, the rarest on top: one bad pixel is not to be lost.

    Parameters
    ----------
    pixels : ndarray of unsigned int, (rows, columns)
        Flags.
    table : mapping of str to int
        Names of their bits.
    wanted : str, optional
        Names of the flags that are shown; by default, or with ``none``, all.

    Returns
    -------
    (ndarray float32, list of (str, int))
        Number of the class of each pixel, 0 for none; name and number of pixels of each class, the first is class 1.

    Raises
    ------
    UsageError
        No flag has such a name.
    """
    present = int(np.bitwise_or.reduce(pixels, axis=None))
    if wanted and wanted.lower() != "none":
        present &= dq.value(wanted, table)
    counts = {}
    for bit in range(present.bit_length()):
        if present >> bit & 1:
            counts[1 << bit] = int(np.count_nonzero(pixels & pixels.dtype.type(1 << bit)))
    order = sorted(counts, key=counts.__getitem__, reverse=True)
    shared = order[: max(0, len(order) - MOST_CLASSES + 1)] if len(order) > MOST_CLASSES else []
    groups = ([shared] if shared else []) + [[bit] for bit in order if bit not in shared]
    found, classes = np.zeros(pixels.shape, np.float32), []
    for number, bits in enumerate(groups, 1):
        hit = (pixels & pixels.dtype.type(sum(bits))) != 0
        found[hit] = number
        name = dq.names(bits[0], table)[0] if len(bits) == 1 else f"{len(bits)} other flags"
        classes.append((name, int(np.count_nonzero(hit))))
    return found, classes


def flags_beside(product: ProductFace, name: str) -> dict[str, dict[str, int]]:
    """Arrays of flags whose pixels are those of an array.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    name : str
        Of the array.

    Returns
    -------
    dict of str to dict
        The name of each, and the names of its bits. It has two axes, or all that the array has.
    """
    shape = product.arrays[name].shape
    before = name[: len(name) - len(name.rpartition(".")[2])]  # slits.0.
    found = {}
    for other in MASKS:
        info, table = product.arrays.get(before + other), product.flag_bits(before + other)
        if info is None or table is None or info.shape[-2:] != shape[-2:]:
            continue
        if info.shape[:-2] in ((), shape[:-2]):
            found[before + other] = table
    return found


def flag_value(product: ProductFace, words: str, table: Mapping[str, int]) -> int:
    """Value of those flags that a table has.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Whose flags they are.
    words : str
        Names or numbers, separated by ``,``, ``|`` or ``+``.
    table : mapping of str to int
        One of the product's.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        No table of the product's mission has a flag of such a name.
    """
    both = (product.flag_bits("dq") or {}) | (product.flag_bits("groupdq") or {})
    total = 0
    for word in words.replace("|", ",").replace("+", ",").split(","):
        try:
            total |= dq.value(word, table)
        except UsageError:
            dq.value(word, both)
    return total


def flag_words(words: str | None, table: Mapping[str, int]) -> int:
    """Value of the flags that an option names.

    Parameters
    ----------
    words : str or None
        Names or numbers; None is DO_NOT_USE, ``none`` no flag.
    table : mapping of str to int
        Names of the bits.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        No flag has such a name.
    """
    words = words or "DO_NOT_USE"
    return 0 if words.lower() == "none" else dq.value(words, table)
