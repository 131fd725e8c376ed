"""How references of Roman are found: the rules that `rtools.reference.find` follows by default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.errors import InputError
from rtools.reference import crds_cache
from rtools.reference.builtin import Builtin
from rtools.reference.match import Candidate, ReferenceQuery, best, mismatches, wanted
from rtools.reference.rules import Case, SearchedPlace
from rtools.reference.types import APPLIED, TYPES, type_of
from rtools.wfi.instrument import DETECTORS, ELEMENTS

if TYPE_CHECKING:
    from rtools.reference.source import ReferenceSource

__all__ = ["RomanRules"]


class RomanRules:
    """The rules of Roman, as `rtools.reference.rules.MissionRules` asks for them."""

    types = tuple(TYPES)
    applied = APPLIED
    lackable = ()

    def type_of(self, word: str) -> str | None:
        """The type that a word names; None where none has this name."""
        return type_of(word)

    def wanted(self, meta: Mapping[str, Any]) -> ReferenceQuery:
        """What references of an exposure are selected on."""
        return wanted(meta)

    def scan(self, directory: str | Path) -> Sequence[Candidate]:
        """What the files of a directory say of themselves."""
        from rtools.reference.index import scan

        return scan(directory)

    def best(self, candidates: Iterable[Candidate], reftype: str, want: ReferenceQuery) -> tuple[Candidate | None, str]:
        """The file that serves or None, and what there is to say about the choice."""
        return best(candidates, reftype, want)

    def crds(
        self, reftypes: Iterable[str], meta: Mapping[str, Any], log: Callable[[str, str], None]
    ) -> SearchedPlace | None:
        """The cache that ``CRDS_PATH`` names, where the package crds is installed."""
        if not crds_cache.configured():
            return None
        if not crds_cache.available():
            log("info", "CRDS_PATH is set but the crds package is not installed; ignored")
            return None
        chosen = crds_cache.lookup(reftypes, meta)
        return SearchedPlace(f"CRDS cache {crds_cache.configured()}", lambda reftype: chosen[reftype], "crds")

    def crds_doubt(self) -> str:
        """Why the cache that the environment names cannot be asked."""
        return "CRDS_PATH is set, but the crds package is not installed" if crds_cache.configured() else ""

    def open(self, reftype: str, path: str | Path, origin: str, case: Case) -> tuple[ReferenceSource, str]:
        """The source in a file, and on what the file does not fit the exposure."""
        from rtools.reference.files import FileSource

        source = FileSource(reftype, path, origin=origin)
        return source, ", ".join(mismatches(source.candidate, case.want))

    def has_builtin(self, reftype: str, case: Case) -> bool:
        """Whether the built-in set has a reference of a type."""
        return reftype in APPLIED

    def builtin(self, reftype: str, case: Case) -> ReferenceSource:
        """The built-in reference of a type."""
        want = case.want
        for word, known in ((want.detector, DETECTORS), (want.element, ELEMENTS)):
            if word not in known:
                raise InputError(f"no built-in reference for {word!r}")
        return Builtin(reftype, want.detector, want.element, case.frame)
