"""Which of several reference files of JWST serves an exposure.

A file serves where its type, instrument and detector are those asked for, and where every further selector that it
gives fits; USEAFTER must not be later than the exposure, and the latest is taken. A selector is one keyword, or a list
with ``|`` in its P_ keyword, which counts more. N/A, ANY and GENERIC fit everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rtools.jwst.instrument import IMAGING_DETECTORS, detector_facts
from rtools.jwst.readout import Subarray
from rtools.reference.jwst.types import JWST_TYPES
from rtools.reference.match import iso, latest
from rtools.wfi import metadata

__all__ = ["SELECTORS", "JwstCandidate", "JwstQuery", "best_jwst", "mismatches_jwst", "wanted_jwst"]

SELECTORS = {
    "FILTER": ("P_FILTER", "instrument.filter"),
    "PUPIL": ("P_PUPIL", "instrument.pupil"),
    "GRATING": ("P_GRATIN", "instrument.grating"),
    "CHANNEL": ("P_CHANNE", "instrument.channel"),
    "BAND": ("P_BAND", "instrument.band"),
    "EXP_TYPE": ("P_EXP_TY", "exposure.type"),
    "READPATT": ("P_READPA", "exposure.readpatt"),
    "SUBARRAY": ("P_SUBARR", "subarray.name"),
}
"""Keyword of each selector to the keyword of its list and the path of both below ``meta``."""

DETECTOR = ("P_DETECT", "instrument.detector")

MJD_0 = datetime(1858, 11, 17)

EVERYTHING = frozenset({"N/A", "ANY", "GENERIC", "MULTIPLE"})
"""Words that fit every exposure."""


@dataclass(frozen=True)
class JwstQuery:
    """What an exposure asks of its references.

    Attributes
    ----------
    instrument, detector : str
        In capitals: ``NIRCAM``, ``NRCA1``.
    start : str
        When it began, as `rtools.reference.match.iso` writes it.
    selectors : mapping of str to str
        Keyword of `SELECTORS` to its value; those that the exposure has.
    part : Subarray or None
        What of the detector it covers; None where its metadata do not say.
    names : mapping of str to str
        Reference type to the file that its R_ keyword names.
    """

    instrument: str
    detector: str
    start: str
    selectors: Mapping[str, str] = field(default_factory=dict)
    part: Subarray | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def __str__(self):
        told = [self.selectors[key] for key in ("FILTER", "PUPIL", "EXP_TYPE", "SUBARRAY") if key in self.selectors]
        return " ".join([self.detector, *told, self.start[:19]])


@dataclass(frozen=True)
class JwstCandidate:
    """What a file says of itself.

    Attributes
    ----------
    path : str
        Absolute.
    type : str or None
        Reference type; None for a file that is none that rtools knows.
    instrument : str
        ``NIRCAM``; empty where the file does not say.
    detectors : tuple of str
        Detectors that it is for; none for every one.
    selectors : mapping of str to tuple of str
        Keyword of `SELECTORS` to the values that the file is for; those that restrict it.
    place : tuple of int, or None
        SUBSTRT1, SUBSTRT2, SUBSIZE1, SUBSIZE2; None where it does not give all.
    useafter : str
        ISO.
    model, description, pedigree : str
        For lists.
    problem : str
        Why it cannot be read; empty if it can.
    """

    path: str
    type: str | None = None
    instrument: str = ""
    detectors: tuple[str, ...] = ()
    selectors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place: tuple[int, int, int, int] | None = None
    useafter: str = ""
    model: str = ""
    description: str = ""
    pedigree: str = ""
    problem: str = ""

    def listed(self) -> tuple[str, ...]:
        """Cells of a table: file, type, detector, element, exposure types, useafter, remark; empty where unknown.

        The element is every selector but the exposure type: ``F200W CLEAR``, ``SUBARRAY FULL``.
        """
        plain = [word for key in ("FILTER", "PUPIL", "GRATING") for word in self.selectors.get(key, ())]
        others = [f"{key} {'|'.join(self.selectors[key])}" for key in ("READPATT", "SUBARRAY") if key in self.selectors]
        types = "|".join(self.selectors.get("EXP_TYPE", ()))
        told = Path(self.path).name, self.type or "", "|".join(self.detectors), " ".join([*plain, *others])
        return *told, types, self.useafter[:19], self.problem or self.pedigree


def wanted_jwst(meta: Mapping[str, Any]) -> JwstQuery:
    """`JwstQuery` from the metadata of an exposure.

    Parameters
    ----------
    meta : mapping of str to object
        As below ``meta`` in the data model.

    Returns
    -------
    JwstQuery
        What its references are selected on.
    """
    selectors = {}
    for keyword, (_list, path) in SELECTORS.items():
        value = metadata.get(meta, path)
        if value is not None and str(value).strip():
            selectors[keyword] = str(value).strip().upper()
    detector = _word(meta, "instrument.detector")
    if detector.lower() in IMAGING_DETECTORS and (channel := detector_facts(detector).channel):
        selectors.setdefault("CHANNEL", channel)  # which the detector says, too
    named = metadata.get(meta, "ref_file") or {}
    files = {reftype: metadata.get(entry, "name") for reftype, entry in named.items()}
    return JwstQuery(
        instrument=_word(meta, "instrument.name"),
        detector=detector,
        start=_start(meta),
        selectors=selectors,
        part=_part(meta),
        names={reftype: str(name) for reftype, name in files.items() if name},
    )


def _word(meta, path):
    return str(metadata.get(meta, path) or "").strip().upper()


def _start(meta):
    """When an exposure began: DATE-OBS and TIME-OBS, else DATE-BEG, else EXPSTART; empty where none is there."""
    date, time = metadata.get(meta, "observation.date"), metadata.get(meta, "observation.time")
    if date:
        return iso(f"{str(date).strip()}T{str(time or '').strip()}".rstrip("T"))
    begin, days = metadata.get(meta, "observation.date_beg"), metadata.get(meta, "exposure.start_time")
    if begin:
        return iso(begin)
    return iso((MJD_0 + timedelta(days=float(days))).isoformat()) if days else ""


def _part(meta):
    values = [metadata.get(meta, f"subarray.{key}") for key in ("xsize", "ysize", "xstart", "ystart")]
    if None in values[:2]:
        return None
    columns, rows, x, y = (1 if value is None else int(value) for value in values)
    name = str(metadata.get(meta, "subarray.name") or "GENERIC")
    return Subarray(name, columns, rows, int(metadata.get(meta, "exposure.noutputs") or 1), x, y)


def words_of(value: object) -> tuple[str, ...]:
    """Values of a selector in a file: one, or a list with ``|``.

    Parameters
    ----------
    value : str
        ``F200W``, or ``F200W|F150W|``.

    Returns
    -------
    tuple of str
        In capitals; none where one of them fits everything.
    """
    words = tuple(word.strip().upper() for word in str(value).split("|") if word.strip())
    return () if EVERYTHING & set(words) else words


def mismatches_jwst(candidate: JwstCandidate, want: JwstQuery) -> list[str]:
    """Where a file of the right type does not fit an exposure, its date left out.

    Parameters
    ----------
    candidate : JwstCandidate
        A file whose type is known.
    want : JwstQuery
        What the exposure asks for.

    Returns
    -------
    list of str
        What the file is for instead: ``detector NRCA2``, ``FILTER F150W``; empty where it fits.
    """
    found = []
    if candidate.instrument not in ("", want.instrument) and candidate.instrument not in EVERYTHING:
        found.append(f"instrument {candidate.instrument}")
    if candidate.detectors and want.detector not in candidate.detectors:
        found.append(f"detector {'|'.join(candidate.detectors)}")
    for keyword, words in candidate.selectors.items():
        if want.selectors.get(keyword) not in words and not _serves_as_whole(candidate, keyword, words):
            found.append(f"{keyword} {'|'.join(words)}")
    if not found and not _covers(candidate, want):
        found.append("pixels {} to {}, {} to {}".format(*_reach(candidate)))
    return found


def _serves_as_whole(candidate, keyword, words):
    """Whether a file of the full frame is cut to a sub-array: what pixels are does not depend on how they are read."""
    return keyword == "SUBARRAY" and "FULL" in words and JWST_TYPES[candidate.type or ""].cut


def _covers(candidate, want):
    """Whether a file has the pixels of the exposure: all of them, or these and no others."""
    kind, part = JWST_TYPES[candidate.type or ""], want.part
    if not kind.is_plane or candidate.place is None or part is None:
        return True
    x, y, columns, rows = candidate.place
    if kind.exact:
        return (x, y, columns, rows) == (part.x, part.y, part.columns, part.rows)
    return x <= part.x and y <= part.y and x + columns >= part.x + part.columns and y + rows >= part.y + part.rows


def _reach(candidate):
    x, y, columns, rows = candidate.place
    return x, x + columns - 1, y, y + rows - 1


def best_jwst(candidates: Iterable[JwstCandidate], reftype: str, want: JwstQuery) -> tuple[JwstCandidate | None, str]:
    """The file that serves an exposure, and what there is to say about the choice.

    Parameters
    ----------
    candidates : iterable of JwstCandidate
        Files that were found.
    reftype : str
        The reference type that is wanted.
    want : JwstQuery
        What the exposure asks for.

    Returns
    -------
    candidate : JwstCandidate or None
        The one whose use begins last before the exposure; None if none fits. One of the very sub-array goes before one
        that is cut.
    note : str
        Why none fits, or that another fits as well; empty otherwise.
    """
    of_type = [candidate for candidate in candidates if candidate.type == reftype]
    fitting = [candidate for candidate in of_type if not mismatches_jwst(candidate, want)]
    part = want.selectors.get("SUBARRAY")
    of_part = [candidate for candidate in fitting if part in candidate.selectors.get("SUBARRAY", ())]
    return latest(of_part or fitting, want.start, reftype, _reason(of_type, want))


def _reason(of_type, want):
    """Why none of some files fits."""
    if len(of_type) == 1:
        return f"one for {', '.join(mismatches_jwst(of_type[0], want))}"
    return f"{len(of_type)} for other exposures" if of_type else ""
