"""Both missions at once: the rules by which references are found, and files of either."""

from __future__ import annotations

from pathlib import Path

from rtools.errors import InputError
from rtools.products.forms import form_of
from rtools.reference.files import FileSource
from rtools.reference.find import ROMAN
from rtools.reference.index import candidate_of, scan
from rtools.reference.jwst.files import JwstFileSource
from rtools.reference.jwst.index import jwst_candidate_of, scan_jwst
from rtools.reference.jwst.match import JwstCandidate
from rtools.reference.jwst.rules import JWST_RULES
from rtools.reference.match import Candidate
from rtools.reference.rules import MissionRules

__all__ = ["opened_reference", "rules_of", "scan_all"]

RULES: dict[str, MissionRules] = {"roman": ROMAN, "jwst": JWST_RULES}


def rules_of(mission: str) -> MissionRules:
    """The rules of a mission.

    Parameters
    ----------
    mission : str
        ``roman`` or ``jwst``, as a product says it.

    Returns
    -------
    rtools.reference.rules.MissionRules
        For `rtools.reference.find.references` and `survey`.
    """
    return RULES[mission]


def scan_all(directory: str | Path) -> list[Candidate | JwstCandidate]:
    """What every file of a directory (not below it) says of itself that may be a reference of either mission.

    Parameters
    ----------
    directory : str or Path
        Where the reference files lie.

    Returns
    -------
    list of Candidate or JwstCandidate
        Sorted by name: every ASDF file; FITS and JSON files that are references of JWST, or cannot be read.

    Raises
    ------
    MissingReferenceError
        The directory does not exist or cannot be listed.
    """
    found: dict[str, Candidate | JwstCandidate] = {one.path: one for one in scan(directory)}
    for one in scan_jwst(directory):
        if one.type or (one.problem and one.path not in found):
            found[one.path] = one
    return [found[path] for path in sorted(found)]


def opened_reference(path: str | Path) -> FileSource | JwstFileSource:
    """A reference file of either mission, whatever its type.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    FileSource or JwstFileSource

    Raises
    ------
    InputError
        It cannot be read, or is no reference that rtools knows.
    """
    form = form_of(path)
    jwst = jwst_candidate_of(path) if form in ("fits", "json") or _is_of_jwst(path, form) else None
    if jwst is not None and jwst.type:
        return JwstFileSource(jwst.type, path)
    if jwst is None:
        candidate = candidate_of(path)
        if candidate.type:
            return FileSource(candidate.type, path)
    raise InputError("not a reference file of a type that the chain uses", path=path)


def _is_of_jwst(path, form):
    from rtools.products.io import header

    if form != "asdf":
        return False
    meta = header.read_header(path, cut_loops=True)[0].get("meta")
    return isinstance(meta, dict) and meta.get("telescope") == "JWST"
