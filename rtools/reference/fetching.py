"""References brought into a directory: the best ones of exposures, from a server of CRDS or from a cache on disk.

Which ones are best is asked of the server's rules, or of those in the cache, by the client of CRDS (extra `crds`) in a
process of its own (`crds_process`). Nothing else in rtools speaks to a network for references.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from rtools.errors import MissingReferenceError, RtoolsError
from rtools.products.io import temporary
from rtools.reference import crds_cache

__all__ = ["AskedReferences", "ChosenReferences", "CrdsClient", "CrdsPlace", "require_crds"]

SERVERS = {"roman": "https://roman-crds.stsci.edu", "jwst": "https://jwst-crds.stsci.edu"}
"""The servers of the missions, where none is named."""

PATIENCE = {
    "CRDS_CLIENT_RETRY_COUNT": "3",
    "CRDS_CLIENT_RETRY_DELAY_SECONDS": "1",
    "CRDS_CLIENT_TIMEOUT_SECONDS": "60",
}
"""How often and how long a server is asked, where the environment does not say it."""

LONGEST = 200
"""Letters of what the client says when it ends, the last ones."""

NOTHING = "NOT FOUND"
"""How the rules' answer begins where they name no file; with ``N/A`` where none applies."""


class CrdsPlace(NamedTuple):
    """Where references are fetched from.

    Attributes
    ----------
    mission : str
        ``roman`` or ``jwst``.
    server : str or None
        URL of a server of CRDS; None for a cache.
    cache : str or None
        A cache on disk, laid out as CRDS does; None for a server.
    context : str or None
        The rules that are asked, as ``roman_0042.pmap``; None for the latest.
    """

    mission: str
    server: str | None
    cache: str | None
    context: str | None

    @property
    def name(self) -> str:
        """For messages and locks."""
        return self.cache or self.server or SERVERS[self.mission]


class AskedReferences(NamedTuple):
    """What an exposure asks of the rules.

    Attributes
    ----------
    parameters : mapping of str to str
        What the rules may ask of it (`rtools.reference.crds_cache.parameters`).
    needed : sequence of str
        Types without which it cannot be calibrated.
    others : sequence of str
        Types that serve where there are files of them.
    """

    parameters: Mapping[str, str]
    needed: Sequence[str]
    others: Sequence[str]


class ChosenReferences(NamedTuple):
    """What the rules have answered.

    Attributes
    ----------
    context : str
        The rules that were asked.
    files : mapping of str to str
        Name of each file to its type.
    lacking : sequence of mapping of str to str
        For each exposure type to what the rules say, where a needed one has no file.
    bad : sequence of str
        Names of the files that the mission itself takes for invalid.
    """

    context: str
    files: Mapping[str, str]
    lacking: Sequence[Mapping[str, str]]
    bad: Sequence[str]


def require_crds(mission: str, *, cache: bool) -> None:
    """Refuse to go on without the client of CRDS.

    Parameters
    ----------
    mission : str
        ``roman`` or ``jwst``.
    cache : bool
        Whether the rules in a cache are asked: those of JWST are read with the data models of the mission.

    Raises
    ------
    RtoolsError
        A package is not installed.
    """
    if not crds_cache.available():
        raise RtoolsError("references are chosen by the package crds", mend='pip install "roman-rtools[crds]"')
    if cache and mission == "jwst" and find_spec("stdatamodels") is None:
        raise RtoolsError(
            "the rules of JWST in a cache are read with stdatamodels", mend='pip install "roman-rtools[crds,jwst]"'
        )


class CrdsClient:
    """The client of CRDS at work for one mission, until it is closed.

    Parameters
    ----------
    place : CrdsPlace
        Which server or cache it asks.
    scratch : str or Path
        A directory into which a server's files come; on the file system where they shall lie.
    """

    def __init__(self, place: CrdsPlace, scratch: str | Path) -> None:
        self.place = place
        root = Path(place.cache or scratch).absolute()
        if place.cache:
            _refuse_other_directory(place, root)
        else:  # all files in one directory: where they would lie else, the client asks the mission's software
            tag = root / "config" / place.mission / "ref_cache_subdir_mode"
            tag.parent.mkdir(parents=True)
            tag.write_text("flat")
        self._said = open(Path(scratch, "said"), "w+")  # noqa: SIM115  (closed with it)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rtools.reference.crds_process"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True,
            env=_settings(place, root),
        )  # fmt: skip

    def __enter__(self) -> CrdsClient:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def choose(self, exposures: Sequence[AskedReferences]) -> ChosenReferences:
        """Ask which files serve exposures best.

        Parameters
        ----------
        exposures : sequence of AskedReferences
            All of the place's mission.

        Returns
        -------
        ChosenReferences

        Raises
        ------
        MissingReferenceError
            The server cannot be reached, or its rules cannot be asked.
        """
        asked = [{"parameters": dict(one.parameters), "reftypes": [*one.needed, *one.others]} for one in exposures]
        answer = self._ask(context=self.place.context, exposures=asked)
        said = [_by_type(one, chosen) for one, chosen in zip(exposures, answer["chosen"], strict=True)]
        files = {name: reftype for chosen in said for reftype, name in chosen.items() if not _is_nothing(name)}
        for name in files:
            if os.path.basename(name) != name or name.startswith("."):
                raise MissingReferenceError(f"the rules name a file {name!r}, which is no name", path=self.place.name)
        lacking = [
            {reftype: chosen[reftype] for reftype in one.needed
             if _is_nothing(chosen[reftype]) and not chosen[reftype].upper().endswith("N/A")}
            for one, chosen in zip(exposures, said, strict=True)
        ]  # fmt: skip
        return ChosenReferences(answer["context"], files, lacking, sorted(files.keys() & set(answer["bad"])))

    def bring(self, context: str, names: Iterable[str], directory: str | Path) -> None:
        """Bring files into a directory; all get their names when all are whole and have the server's checksums.

        Parameters
        ----------
        context : str
            The rules that named them.
        names : iterable of str
            Of the files; what exists under such a name is replaced.
        directory : str or Path
            Where they shall lie.

        Raises
        ------
        MissingReferenceError
            A file is not there, or what came is not the whole file.
        """
        names = list(names)
        if not names:
            return
        paths = self._ask(context=context, files=names)["paths"]
        lacking = [name for name in names if name not in paths]
        if lacking:
            raise MissingReferenceError(f"not there: {', '.join(lacking)}", path=self.place.name)
        with temporary.directory(directory) as scratch:
            if self.place.cache:
                paths = {name: shutil.copy(path, Path(scratch) / name) for name, path in paths.items()}
            for name in names:
                Path(paths[name]).replace(Path(directory) / name)

    def _ask(self, **question):
        asked = {"observatory": self.place.mission, "server": not self.place.cache} | question
        try:
            print(json.dumps(asked), file=self._process.stdin, flush=True)
            answer: dict[str, Any] = json.loads(next(iter(self._process.stdout or ()), ""))
        except (OSError, ValueError):
            self._said.seek(0)
            told = " ".join(self._said.read().split())[-LONGEST:] or "it said nothing"
            raise MissingReferenceError(f"the client of CRDS ended: {told}", path=self.place.name) from None
        if "error" in answer:
            raise MissingReferenceError(answer["error"], path=self.place.name)
        return answer


def _refuse_other_directory(place, root):
    """Refuse what is no cache of the mission, in whose place the client would tell of a server that it cannot reach."""
    for wanted in (".", f"config/{place.mission}", f"mappings/{place.mission}"):
        if not (root / wanted).is_dir():
            what = "no such directory" if wanted == "." else f"no cache of CRDS for {place.mission}: it has no {wanted}"
            mend = "--cache names the directory that CRDS software fills, as CRDS_PATH does"
            raise MissingReferenceError(what, mend=mend, path=place.cache)


def _settings(place, root):
    """The environment of the client: it does not change a cache of the user, and asks nobody else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CRDS_") or name in PATIENCE}
    return (
        PATIENCE
        | kept
        | {
            "CRDS_PATH": str(root),
            "CRDS_OBSERVATORY": place.mission,
            "CRDS_SERVER_URL": "https://serverless" if place.cache else place.name,
            "CRDS_MODE": "local" if place.cache else "remote",
            "CRDS_READONLY_CACHE": "1" if place.cache else "0",
        }
    )


def _by_type(wanted, chosen):
    """What the rules say of each type; they may write types in capitals."""
    said = {name.lower(): text for name, text in chosen.items()}
    return {reftype: said.get(reftype) or NOTHING for reftype in (*wanted.needed, *wanted.others)}


def _is_nothing(text):
    return text.upper().startswith(NOTHING)
