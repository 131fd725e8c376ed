"""A CRDS cache on disk, asked without any network: its rules are read, and only files that are there are used.

Needs the optional `crds` package and ``CRDS_PATH``; the context is ``CRDS_CONTEXT``, else the one that the cache's own
configuration names as the latest.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rtools.errors import MissingReferenceError
from rtools.reference.match import wanted
from rtools.wfi.instrument import NAME

__all__ = ["available", "configured", "locate_in_cache", "lookup", "parameters"]

OBSERVATORY = "roman"


def configured() -> str | None:
    """The cache's directory as ``CRDS_PATH`` names it, or None."""
    return os.environ.get("CRDS_PATH") or None


def available() -> bool:
    """Whether the `crds` package is installed; it is not imported for the answer."""
    from importlib.util import find_spec

    return find_spec("crds") is not None


def parameters(meta: Mapping[str, Any], mission: str = OBSERVATORY) -> dict[str, str]:
    """What the rules of a CRDS context may ask about an exposure: every scalar of its metadata.

    Parameters
    ----------
    meta : dict
        Metadata of the exposure.
    mission : str
        ``roman`` or ``jwst``.

    Returns
    -------
    dict of str to str
        Keys as in ``roman.meta.exposure.ma_table_number``, those of lists by place: ``….read_pattern.0.0``; of JWST as
        in ``meta.exposure.type``.
    """
    from rtools.products.tables.flat import flatten

    if mission != OBSERVATORY:
        return flatten(meta, "meta.")
    want = wanted(meta)
    return flatten(meta, "roman.meta.") | {
        "roman.meta.instrument.name": NAME,
        "roman.meta.instrument.optical_element": want.element,
        "roman.meta.exposure.start_time": want.start.replace("T", " ")[:23],
    }


def lookup(reftypes: Iterable[str], meta: Mapping[str, Any]) -> dict[str, tuple[str | None, str]]:
    """Paths of the files that the cache's rules choose for an exposure.

    Parameters
    ----------
    reftypes : iterable of str
        Types that are wanted.
    meta : dict
        Metadata of the exposure.

    Returns
    -------
    dict
        Type to (path or None, note); a file that the rules name but the cache does not hold gives None and a note.

    Raises
    ------
    MissingReferenceError
        The cache has no context, or its rules cannot be read.
    """
    from crds.core import config, rmap

    reftypes = list(reftypes)
    context = _context(config)
    header = parameters(meta)
    try:
        chosen = rmap.get_best_references(context, header, include=reftypes)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise MissingReferenceError(f"rules of CRDS context {context}: {reason}", path=configured()) from None
    found: dict[str, tuple[str | None, str]] = {}
    for reftype in reftypes:
        name = str(chosen.get(reftype, ""))
        if not name.endswith(".asdf"):
            found[reftype] = None, name if name.upper().startswith("NOT FOUND") else ""
            continue
        path = locate_in_cache(str(configured()), OBSERVATORY, name)
        found[reftype] = (path, "") if path else (None, f"{name} is not in the cache")
    return found


def locate_in_cache(cache: str | Path, observatory: str, name: str) -> str | None:
    """Where a cache of CRDS has a file: in one directory for all files, or in one for each instrument.

    Parameters
    ----------
    cache : str or Path
        Its directory, of all observatories or of one.
    observatory : str
        ``roman`` or ``jwst``.
    name : str
        Of the file.

    Returns
    -------
    str or None
        Its path; None where it is not there.
    """
    root = Path(cache) / "references"
    for directory in (root / observatory, *_directories_in(root / observatory), root, *_directories_in(root)):
        if (directory / name).is_file():
            return str(directory / name)
    return None


def _directories_in(directory):
    try:
        return sorted(entry for entry in directory.iterdir() if entry.is_dir())
    except OSError:
        return []


def _context(config):
    """Name of the context (``roman_0123.pmap``) that rules."""
    named = os.environ.get("CRDS_CONTEXT", "")
    if named.endswith(".pmap"):
        return named
    path = Path(config.get_crds_cfgpath(OBSERVATORY)) / "server_config"
    try:
        info = ast.literal_eval(path.read_text())
        return info.get("latest_context") or info["operational_context"]
    except (OSError, ValueError, SyntaxError, KeyError, TypeError):
        raise MissingReferenceError(
            "this CRDS cache names no context", mend="set CRDS_CONTEXT to one, roman_NNNN.pmap", path=configured()
        ) from None
