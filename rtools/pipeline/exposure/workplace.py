"""Workplaces of exposures that are calibrated by themselves and then aligned together.

What was calibrated stays as it is until all is aligned: a run that goes on where a killed one ended begins with it.
What the alignment makes lies beside it in a directory of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from rtools.products.io import temporary

__all__ = ["ALIGNED", "copy_catalog", "find_made", "workplace_of"]

ALIGNED = "aligned"
"""The directory in a workplace for what the alignment makes."""


def copy_catalog(workplace: Path | None, outputs: Mapping[str, Path]) -> str | None:
    """Copy the catalog of a calibrated image to where the alignment may bring it up to date.

    Parameters
    ----------
    workplace : Path or None
        None of an image that was calibrated elsewhere.
    outputs : mapping of str to Path
        Suffix to path of all products of the exposure.

    Returns
    -------
    str or None
        Path of the copy; None where there is no catalog.
    """
    if workplace is None or "cat" not in outputs or not (workplace / outputs["cat"].name).exists():
        return None
    return str(shutil.copy(workplace / outputs["cat"].name, workplace / ALIGNED / outputs["cat"].name))


def find_made(workplace: Path, outputs: Mapping[str, Path]) -> dict[str, Path]:
    """Where the products of an exposure lie: aligned, or as they were calibrated.

    Parameters
    ----------
    workplace : Path
        The workplace.
    outputs : mapping of str to Path
        Suffix to the path that each shall have.

    Returns
    -------
    dict of str to Path
        It need not exist.
    """
    aligned = {suffix: workplace / ALIGNED / path.name for suffix, path in outputs.items()}
    return {suffix: path if path.exists() else workplace / path.name for suffix, path in aligned.items()}


def workplace_of(main: Path) -> Path:
    """A directory that will be made on the file system of an exposure's outputs.

    Parameters
    ----------
    main : Path
        Path that the main product shall have.

    Returns
    -------
    Path
        Hidden, beside it.
    """
    return temporary.directory_name(main.parent)
