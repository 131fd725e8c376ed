"""How references of JWST are found: the rules by which `rtools.reference.find` asks for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.jwst.instrument import IMAGING_DETECTORS, filter_names
from rtools.reference.crds_cache import locate_in_cache
from rtools.reference.jwst.builtin import JwstBuiltin
from rtools.reference.jwst.files import JwstFileSource
from rtools.reference.jwst.index import scan_jwst
from rtools.reference.jwst.match import JwstCandidate, JwstQuery, best_jwst, mismatches_jwst, wanted_jwst
from rtools.reference.jwst.needs import NOT_ASKED
from rtools.reference.jwst.nominal import has_nominal
from rtools.reference.jwst.types import JWST_TYPES, jwst_type
from rtools.reference.rules import Case, SearchedPlace

if TYPE_CHECKING:
    from rtools.reference.source import ReferenceSource

__all__ = ["JWST_RULES", "JwstRules"]


class JwstRules:
    """The rules of JWST, as `rtools.reference.rules.MissionRules` asks for them."""

    types = tuple(JWST_TYPES)
    applied = tuple(JWST_TYPES)
    lackable = (*(name for name, kind in JWST_TYPES.items() if kind.absent), *NOT_ASKED)

    def type_of(self, word: str) -> str | None:
        """The type that a word names; None where none has this name."""
        kind = jwst_type(word)
        return kind.name if kind else None

    def wanted(self, meta: Mapping[str, Any]) -> JwstQuery:
        """What references of an exposure are selected on."""
        return wanted_jwst(meta)

    def scan(self, directory: str | Path) -> Sequence[JwstCandidate]:
        """What the files of a directory say of themselves."""
        return scan_jwst(directory)

    def best(
        self, candidates: Iterable[JwstCandidate], reftype: str, want: JwstQuery
    ) -> tuple[JwstCandidate | None, str]:
        """The file that serves or None, and what there is to say about the choice."""
        return best_jwst(candidates, reftype, want)

    def crds(
        self, reftypes: Iterable[str], meta: Mapping[str, Any], log: Callable[[str, str], None]
    ) -> SearchedPlace | None:
        """The cache that ``CRDS_PATH`` names: files that the exposure's own R_ keywords name, by no rules."""
        root = os.environ.get("CRDS_PATH")
        if not root:
            return None
        want = wanted_jwst(meta)

        def look(reftype: str) -> tuple[str | None, str]:
            name = want.names.get(reftype, "").rpartition("/")[2]
            if not name or name.upper() in ("N/A", "NONE"):
                return None, "the exposure names no file"
            path = locate_in_cache(root, "jwst", name)
            return (path, "") if path else (None, f"{name} is not in the cache")

        return SearchedPlace(f"CRDS cache {root}", look, "crds")

    def crds_doubt(self) -> str:
        """Nothing: the cache is always asked."""
        return ""

    def open(self, reftype: str, path: str | Path, origin: str, case: Case) -> tuple[ReferenceSource, str]:
        """The source in a file, cut to what the exposure covers, and on what the file does not fit it."""
        source = JwstFileSource(reftype, path, origin=origin, part=case.want.part)
        return source, ", ".join(mismatches_jwst(source.candidate, case.want))

    def has_builtin(self, reftype: str, case: Case) -> bool:
        """Whether the nominal set has a reference of a type for the exposure."""
        detector = case.want.detector.lower()
        return detector in IMAGING_DETECTORS and has_nominal(
            reftype, detector, _filter_of(case.want), part=case.want.part
        )

    def builtin(self, reftype: str, case: Case) -> ReferenceSource:
        """The nominal reference of a type."""
        return JwstBuiltin(reftype, case.want.detector, _filter_of(case.want), case.want.part)


JWST_RULES = JwstRules()


def _filter_of(want):
    """The filter that light passes: that of the pupil wheel where there is one, else that of the filter wheel."""
    known = filter_names(want.detector)
    named = [want.selectors.get(key) for key in ("PUPIL", "FILTER")]
    return next((name for name in named if name in known), None)
