"""The FACE file that belongs to a guide-window file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rtools.products.guide import open_face

if TYPE_CHECKING:
    from rtools.products.guide import Face, Guide

__all__ = ["face_beside"]


def face_beside(guide: Guide, path: str | None = None) -> Face | None:
    """The attitude of the same acquisition.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    path : str, optional
        The FACE file; by default the one that the file names, in its directory.

    Returns
    -------
    rtools.products.guide.Face or None
        None where it is not there.

    Raises
    ------
    InputError
        It cannot be read.
    """
    if path is None:
        name = str(guide.meta.get("avg_face_filename") or "")
        beside = Path(guide.path).with_name(Path(name).name) if name else None
        if beside is None or not beside.is_file():
            return None
        path = str(beside)
    with open_face(path) as face:
        return face
