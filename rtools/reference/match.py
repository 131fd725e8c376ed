"""Which of several reference files serves an exposure: exact match of the selectors, then the latest useafter.

docs/algorithms/instrument.md lists what each type is selected on; the rules are those of the mission's own templates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rtools.reference.types import TYPES

__all__ = ["Candidate", "ReferenceQuery", "best", "exposure_types", "iso", "latest", "mismatches", "wanted"]


@dataclass(frozen=True)
class ReferenceQuery:
    """What an exposure asks of its references.

    Attributes
    ----------
    detector, element, exposure_type : str
        As in its metadata; the element in capitals.
    start : str
        Its start time as `iso` writes it.
    """

    detector: str
    element: str
    exposure_type: str
    start: str

    def __str__(self):
        return f"{self.detector} {self.element} {self.exposure_type} {self.start}"


@dataclass(frozen=True)
class Candidate:
    """What a file says of itself.

    Attributes
    ----------
    path : str
        Absolute.
    type : str or None
        Reference type, None for a file that is not a reference that this package knows.
    detector, element : str or None
        What the file is for; None for every one.
    exposure_types : tuple of str
        Empty where the file does not restrict them.
    useafter : str
        ISO.
    tag, description, pedigree : str
        For lists.
    problem : str
        Why it cannot be read; empty if it can.
    """

    path: str
    type: str | None = None
    detector: str | None = None
    element: str | None = None
    exposure_types: tuple[str, ...] = ()
    useafter: str = ""
    tag: str = ""
    description: str = ""
    pedigree: str = ""
    problem: str = ""

    def listed(self) -> tuple[str, ...]:
        """Cells of a table: file, type, detector, element, exposure types, useafter, remark; empty where unknown."""
        types = "|".join(self.exposure_types)
        told = Path(self.path).name, self.type or "", self.detector or "", self.element or "", types, self.useafter[:19]
        return *told, self.problem or self.pedigree


def wanted(meta: Mapping[str, Any]) -> ReferenceQuery:
    """`ReferenceQuery` from the metadata of an exposure.

    Parameters
    ----------
    meta : mapping of str to object
        exposure.type, exposure.start_time, instrument.detector and instrument.optical_element are used.

    Returns
    -------
    ReferenceQuery
        What its references are selected on.
    """
    from rtools.wfi.times import iso_time

    exposure, instrument = meta["exposure"], meta["instrument"]
    return ReferenceQuery(
        detector=str(instrument["detector"]),
        element=str(instrument["optical_element"]).upper(),
        exposure_type=str(exposure["type"]),
        start=iso(iso_time(exposure["start_time"])),
    )


def iso(text: object) -> str:
    """An ISO time in the one form in which they compare as text: ``2027-01-01T00:00:00.000000``.

    Parameters
    ----------
    text : str
        Date, with or without a time, with T or a space between them; anything else is taken by its text.

    Returns
    -------
    str
        With microseconds, without a time zone.
    """
    plain = str(text).strip().replace(" ", "T").rstrip("Z")
    day, _, clock = plain.partition("T")
    clock, _, fraction = (clock or "00:00:00").partition(".")
    return f"{day}T{clock:0<8.8}.{fraction[:6]:0<6}"


def exposure_types(exposure: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Exposure types that a reference's `exposure` block names: ``p_exptype`` "A|B|", else ``type``.

    Parameters
    ----------
    exposure : mapping of str to object, or None
        The block; None where there is none.

    Returns
    -------
    tuple of str
        Empty where it names none: the reference is for all.
    """
    if not exposure:
        return ()
    words = str(exposure.get("p_exptype") or exposure.get("type") or "").split("|")
    return tuple(word.strip() for word in words if word.strip())


def mismatches(candidate: Candidate, want: ReferenceQuery) -> list[str]:
    """Selectors, besides the date, on which a file of the right type does not fit an exposure.

    Parameters
    ----------
    candidate : Candidate
        A file whose type is known.
    want : ReferenceQuery
        What the exposure asks for.

    Returns
    -------
    list of str
        What the file is for instead, ``detector WFI02``; empty where it fits.
    """
    kind = TYPES[candidate.type or ""]
    found = []
    if kind.detector and candidate.detector != want.detector:
        found.append(f"detector {candidate.detector}")
    if kind.element and candidate.element != want.element:
        found.append(f"optical element {candidate.element}")
    if kind.exposure_type and candidate.exposure_types and want.exposure_type not in candidate.exposure_types:
        found.append(f"exposure types {'|'.join(candidate.exposure_types)}")
    return found


def best(candidates: Iterable[Candidate], reftype: str, want: ReferenceQuery) -> tuple[Candidate | None, str]:
    """The file that serves an exposure, and what there is to say about the choice.

    Parameters
    ----------
    candidates : iterable of Candidate
        Files that were found.
    reftype : str
        The reference type that is wanted.
    want : ReferenceQuery
        What the exposure asks for.

    Returns
    -------
    candidate : Candidate or None
        The one whose use begins last before the exposure; None if none fits.
    note : str
        Why none fits, or that another fits as well; empty otherwise. Of equals the last by name is taken.
    """
    of_type = [candidate for candidate in candidates if candidate.type == reftype]
    fitting = [candidate for candidate in of_type if not mismatches(candidate, want)]
    return latest(fitting, want.start, reftype, f"{len(of_type)} for other {_selectors(reftype)}" if of_type else "")


class Dated(Protocol):
    """A file by its path and by the time from which it may be used."""

    @property
    def path(self) -> str:
        """Absolute."""

    @property
    def useafter(self) -> str:
        """As `iso` writes it."""


Fitting = TypeVar("Fitting", bound=Dated)


def latest(fitting: Sequence[Fitting], start: str, reftype: str, none: str) -> tuple[Fitting | None, str]:
    """Of files that fit an exposure the one whose use begins last before it.

    Parameters
    ----------
    fitting : sequence of Candidate or of another mission's
        Files that fit but for their dates.
    start : str
        When the exposure began, as `iso` writes it.
    reftype : str
        Their type.
    none : str
        What there is to say where none fits.

    Returns
    -------
    candidate : Candidate or None
        None where all are for later exposures.
    note : str
        As `best` gives it. Of equals the last by name is taken.
    """
    timely = [candidate for candidate in fitting if candidate.useafter <= start]
    if timely:
        chosen = max(timely, key=lambda candidate: (candidate.useafter, candidate.path))
        equal = sum(candidate.useafter == chosen.useafter for candidate in timely) - 1
        return chosen, f"{equal} other {reftype} of the same useafter" if equal else ""
    if fitting:
        first = min(candidate.useafter for candidate in fitting)
        return None, f"{len(fitting)} for later exposures only, from {first[:19]}"
    return None, none


def _selectors(reftype):
    kind = TYPES[reftype]
    words = [
        word
        for word, used in (
            ("detectors", kind.detector),
            ("elements", kind.element),
            ("exposure types", kind.exposure_type),
        )
        if used
    ]
    return " or ".join(words) or "exposures"
