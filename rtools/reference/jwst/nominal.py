"""The nominal references of JWST, computed in memory: deterministic by detector, not for science.

Numbers are those of `rtools.jwst.nominal`. Every array is drawn by a generator of its own, keyed by the version of the
set, the detector and what is drawn, so a reference is always the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rtools.errors import UsageError
from rtools.jwst.instrument import bandpass, detector_facts, filter_names
from rtools.jwst.readout import Subarray, frame_time, subarray
from rtools.reference.jwst import planes, tables
from rtools.reference.jwst.types import JWST_TYPES, known_type

__all__ = ["NominalReference", "available_types", "has_nominal", "nominal_reference"]


@dataclass(frozen=True)
class NominalReference:
    """One nominal reference.

    Attributes
    ----------
    type : str
        Reference type, a key of `rtools.reference.jwst.types.JWST_TYPES`.
    detector : str
        As the keyword DETECTOR has it: ``NRCA1``.
    filter : str or None
        For which filter it is; None where it is for all.
    part : Subarray or None
        The part of the detector that planes cover; None where there are none.
    arrays : mapping of str to ndarray
        Images by EXTNAME. Flags are JWST's own bits.
    tables : mapping of str to ndarray
        Tables by EXTNAME, structured arrays.
    cards : mapping of str to object
        Keywords of the primary header that are this type's own.
    tree : mapping of str to object
        Nodes of an ASDF reference.
    """

    type: str
    detector: str
    filter: str | None = None
    part: Subarray | None = None
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    tables: Mapping[str, np.ndarray] = field(default_factory=dict)
    cards: Mapping[str, Any] = field(default_factory=dict)
    tree: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What distinguishes it: ``gain_nrca1``, ``flat_nrca1_f200w``, ``dark_nrca1_sub64p``."""
        words = [self.type, self.detector, *([self.filter] if self.filter else [])]
        if self.part is not None and self.part.name != "FULL":
            part = self.part
            words.append(part.name if part.name != "GENERIC" else f"{part.x}-{part.y}-{part.columns}-{part.rows}")
        return "_".join(words).lower()


def has_nominal(reftype: str, detector: str, filter_: str | None = None, *, part: Subarray | None = None) -> bool:
    """Whether the nominal set has a reference.

    Parameters
    ----------
    reftype, detector, filter_, part
        As `nominal_reference` takes them.

    Returns
    -------
    bool
        False, too, where one is made for each filter and none is named, and for a dark whose frame time is not known.
    """
    kind, facts = known_type(reftype), detector_facts(detector)
    if kind.exact and part is not None:
        try:
            frame_time(detector, part)
        except UsageError:
            return False
    return facts.instrument in kind.nominal and (filter_ is not None or not kind.by_filter or facts.instrument == "fgs")


def available_types(detector: str) -> tuple[str, ...]:
    """Types of which the nominal set has a reference for a detector.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.

    Returns
    -------
    tuple of str
        In the order in which a chain needs them.
    """
    instrument = detector_facts(detector).instrument
    return tuple(name for name, kind in JWST_TYPES.items() if instrument in kind.nominal)


def nominal_reference(
    reftype: str, detector: str, filter_: str | None = None, *, part: Subarray | None = None
) -> NominalReference:
    """A nominal reference of a detector.

    Parameters
    ----------
    reftype : str
        A key of `rtools.reference.jwst.types.JWST_TYPES`.
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    filter_ : str, optional
        Needed for a flat, an aperture correction and a throughput.
    part : Subarray, optional
        What of the detector its planes cover; the full frame by default. A dark has the frame time of it.

    Returns
    -------
    NominalReference

    Raises
    ------
    UsageError
        No such type, detector or filter; the nominal set has none of this type for this instrument.
    """
    kind, facts = known_type(reftype), detector_facts(detector)
    if facts.instrument not in kind.nominal:
        raise UsageError(f"the nominal set has no {kind.name} for {facts.name}")
    if kind.by_filter and facts.instrument != "fgs":
        if filter_ is None:
            raise UsageError(f"a nominal {kind.name} is for one filter, and none is named")
        if filter_.upper() not in filter_names(detector):
            bandpass(detector, filter_)  # which says what filters there are
    named = filter_.upper() if kind.by_filter and filter_ else None
    if kind.name not in planes.PLANES:
        return NominalReference(kind.name, facts.name, named, None, *tables.TABLES[kind.name](facts.name, named))
    part = part or subarray(detector)
    arrays, cards = planes.PLANES[kind.name](planes.JwstSetting(facts.name, named, part))
    flagged = {"DQ_DEF": tables.dq_def(planes.FLAGS[kind.name])} if kind.name in planes.FLAGS else {}
    return NominalReference(kind.name, facts.name, named, part if kind.is_plane else None, arrays, flagged, cards)
