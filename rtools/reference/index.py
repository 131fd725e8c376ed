"""The index of a directory of reference files: what each file says of itself, read again only where a file changed.

The index is a small JSON file in the user's cache directory; without a writable cache everything is simply read again
(30 ms a file). A file is unchanged while its size, modification time and inode are.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from hashlib import md5
from pathlib import Path

from rtools.errors import MissingReferenceError, RtoolsError
from rtools.products.io import temporary
from rtools.reference.match import Candidate, exposure_types, iso
from rtools.reference.types import type_of

__all__ = ["cache_file", "candidate_of", "scan"]

FORMAT = 2
"""Of the cache file; another number is thrown away."""


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
    directory = Path(directory).resolve()
    try:
        with os.scandir(directory) as entries:
            files = {entry.name: entry.stat() for entry in entries if entry.name.endswith(".asdf") and entry.is_file()}
    except OSError as error:
        reason = "no such directory" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise MissingReferenceError(f"reference directory: {reason}", path=directory) from None
    known = _load(directory)
    found = {}
    for name in sorted(files):
        stamp = [files[name].st_size, files[name].st_mtime_ns, files[name].st_ino]
        entry = known.get(name)
        if entry is None or entry["stamp"] != stamp:
            entry = {"stamp": stamp, "says": _plain(_read(directory / name))}
        found[name] = entry
    if found != known:
        _save(directory, found)
    return [_candidate(entry["says"]) for entry in found.values()]


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


def cache_file(directory: Path | str) -> Path:
    """Where the index of a directory is kept.

    Parameters
    ----------
    directory : str or Path
        Where the reference files lie.

    Returns
    -------
    Path
        ``rtools/references/HASH.json`` below ``$XDG_CACHE_HOME``, by default ``~/.cache``; it need not exist.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = md5(os.fsencode(Path(directory).resolve()), usedforsecurity=False).hexdigest()
    return Path(home) / "rtools" / "references" / f"{name}.json"


def _read(path):
    try:
        return candidate_of(path)
    except RtoolsError as error:
        return Candidate(path=str(path), problem=error.message)
    except Exception as error:
        return Candidate(path=str(path), problem=f"{type(error).__name__}: {error}")


def _text(value):
    return None if value is None else str(value).upper()


def _plain(candidate):
    return asdict(candidate) | {"exposure_types": list(candidate.exposure_types)}


def _candidate(says):
    return Candidate(**{**says, "exposure_types": tuple(says["exposure_types"])})


def _load(directory):
    try:
        index = json.loads(cache_file(directory).read_text())
        return index["files"] if index["format"] == FORMAT and index["directory"] == str(directory) else {}
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return {}


def _save(directory, files):
    try:
        path = cache_file(directory)
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = temporary.name_beside(path)
        scratch.write_text(json.dumps({"format": FORMAT, "directory": str(directory), "files": files}))
        scratch.replace(path)
    except (OSError, RuntimeError):
        pass
