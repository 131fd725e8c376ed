"""The index of a directory of reference files: what each file says of itself, read again only where a file changed.

The index is a small JSON file in the user's cache directory; without a writable cache everything is simply read again
(30 ms a file). A file is unchanged while its size, modification time and inode are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

from rtools.errors import MissingReferenceError, RtoolsError
from rtools.machine import cache_home
from rtools.products.io import temporary
from rtools.reference.match import Candidate, exposure_types, iso
from rtools.reference.types import type_of

__all__ = ["Indexed", "cache_file", "candidate_of", "scan", "scan_files"]

FORMAT = 2
"""Of the cache file; another number is thrown away."""


@dataclass(frozen=True)
class Indexed:
    """What a mission's files are called and what is kept of them.

    Attributes
    ----------
    mission : str
        Its name, with which its index is kept apart.
    endings : tuple of str
        Of the names of files that are looked at.
    read : callable
        ``read(path)``: what one file says of itself, a frozen dataclass whose `path` and `problem` are texts.
    kind : callable
        The class of that.
    revive : callable
        ``revive(says)``: it again, from the plain values that `dataclasses.asdict` made of it.
    """

    mission: str
    endings: tuple[str, ...]
    read: Callable[[Path], Any]
    kind: Callable[..., Any]
    revive: Callable[[dict[str, Any]], Any]


def scan(directory: Path | str) -> list[Candidate]:
    """Every ASDF file of a directory (not below it), sorted by name.

    Parameters
    ----------
    directory : str or Path
        Where the reference files lie.

    Returns
    -------
    list of Candidate
        Files that cannot be read have a `problem`, files that are not references have type None.

    Raises
    ------
    MissingReferenceError
        The directory does not exist or cannot be listed.
    """
    return scan_files(directory, Indexed("roman", (".asdf",), candidate_of, Candidate, _candidate))


def scan_files(directory: Path | str, indexed: Indexed) -> list[Any]:
    """Every file of a directory (not below it) that a mission's references may be, sorted by name.

    Parameters
    ----------
    directory : str or Path
        Where the reference files lie.
    indexed : Indexed
        Of the mission.

    Returns
    -------
    list
        What `indexed.read` gives of each; files that cannot be read have a `problem`.

    Raises
    ------
    MissingReferenceError
        The directory does not exist or cannot be listed.
    """
    directory = Path(directory).resolve()
    try:
        with os.scandir(directory) as entries:
            files = {entry.name: entry.stat() for entry in entries if entry.name.endswith(indexed.endings)
                     and entry.is_file()}  # fmt: skip
    except OSError as error:
        reason = "no such directory" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise MissingReferenceError(f"reference directory: {reason}", path=directory) from None
    known = _load(directory, indexed.mission)
    found = {}
    for name in sorted(files):
        stamp = [files[name].st_size, files[name].st_mtime_ns, files[name].st_ino]
        entry = known.get(name)
        if entry is None or entry["stamp"] != stamp:
            entry = {"stamp": stamp, "says": _plain(_read(directory / name, indexed))}
        found[name] = entry
    if found != known:
        _save(directory, indexed.mission, found)
    return [indexed.revive(entry["says"]) for entry in found.values()]


def candidate_of(path: Path | str) -> Candidate:
    """What one file says of itself.

    Parameters
    ----------
    path : str or Path
        The file; its arrays are not read.

    Returns
    -------
    Candidate
        Its type is None where it is not a reference that this package knows.

    Raises
    ------
    InputError
        It cannot be read, or is not an ASDF file with a ``roman`` tree.
    """
    from rtools.products.io import header
    from rtools.wfi.times import iso_time

    tree = header.read_header(path)[0]
    roman = tree.get("roman", tree)
    meta = roman.get("meta") or {}
    tag = str(getattr(roman, "tag", "") or "")
    schema = tag.rpartition("/")[2].rpartition("-")[0]
    instrument = meta.get("instrument") or {}
    if meta.get("telescope") == "JWST":
        return Candidate(path=str(Path(path).resolve()))
    return Candidate(
        path=str(Path(path).resolve()),
        type=type_of(meta.get("reftype", "")) or (type_of(schema) if "reference_files" in tag else None),
        detector=_text(instrument.get("detector")),
        element=_text(instrument.get("optical_element")),
        exposure_types=exposure_types(meta.get("exposure")) if "reftype" in meta else (),
        useafter=iso(iso_time(meta["useafter"])) if "useafter" in meta else "",
        tag=tag.rpartition("/")[2],
        description=str(meta.get("description", "")),
        pedigree=str(meta.get("pedigree", "")),
    )


def cache_file(directory: Path | str, mission: str = "roman") -> Path:
    """Where the index of a directory is kept.

    Parameters
    ----------
    directory : str or Path
        Where the reference files lie.
    mission : str
        Whose references are listed in it.

    Returns
    -------
    Path
        ``rtools/references/HASH.json`` below ``$XDG_CACHE_HOME``, by default ``~/.cache``; it need not exist.
    """
    name = md5(os.fsencode(Path(directory).resolve()), usedforsecurity=False).hexdigest()
    return cache_home() / "references" / f"{name}{'' if mission == 'roman' else f'-{mission}'}.json"


def _read(path, indexed):
    try:
        return indexed.read(path)
    except RtoolsError as error:
        return indexed.kind(path=str(path), problem=error.message)
    except Exception as error:
        return indexed.kind(path=str(path), problem=f"{type(error).__name__}: {error}")


def _text(value):
    return None if value is None else str(value).upper()


def _plain(candidate):
    """As JSON has it, so that what was just read compares equal to what was kept."""
    return json.loads(json.dumps(asdict(candidate)))


def _candidate(says):
    return Candidate(**{**says, "exposure_types": tuple(says["exposure_types"])})


def _load(directory, mission):
    try:
        index = json.loads(cache_file(directory, mission).read_text())
        return index["files"] if index["format"] == FORMAT and index["directory"] == str(directory) else {}
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return {}


def _save(directory, mission, files):
    try:
        path = cache_file(directory, mission)
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = temporary.name_beside(path)
        scratch.write_text(json.dumps({"format": FORMAT, "directory": str(directory), "files": files}))
        scratch.replace(path)
    except (OSError, RuntimeError):
        pass
