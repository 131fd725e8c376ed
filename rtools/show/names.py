"""Names of files: what a picture calls its file, and for tables what all have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from rtools.products.io.temporary import STREAM

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["shortened", "shown_name"]


def shown_name(product: ProductFace) -> str:
    """What pictures and products call a file.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.

    Returns
    -------
    str
        Its name without directories; of a copy of a stream the name that it says of itself, else ``standard input``.
    """
    name = Path(product.path).name
    if not name.startswith(STREAM):
        return name
    return str(product.meta.get("filename") or "standard input")


def shortened(names: Sequence[str]) -> tuple[str, list[str]]:
    """What differs between names of files.

    Parameters
    ----------
    names : sequence of str
        Paths, each once.

    Returns
    -------
    pattern : str
        What they have in common, with a ``*`` for the rest; the name itself where there is one.
    parts : list of str
        What stands for the ``*`` in each. Names are cut at slashes, underlines and full stops only.
    """
    if len(names) < 2:
        return "".join(names), list(names)
    words = [re.findall(r"[^_/.]+|[_/.]", name) for name in names]
    before = _common(words)
    after = _common([each[: before - 1 if before else None : -1] for each in words])
    parts = ["".join(each[before : len(each) - after]) for each in words]
    head, tail = words[0][:before], words[0][len(words[0]) - after :]
    return f"{''.join(head)}*{''.join(tail)}", parts


def _common(words):
    """How many words all begin with."""
    return sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, zip(*words, strict=False)))
