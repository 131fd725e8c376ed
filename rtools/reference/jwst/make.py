"""Nominal references of JWST as files: which, and writing them as FITS and ASDF as the mission's software has them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtools.errors import UsageError
from rtools.jwst.instrument import detector_facts, filter_names
from rtools.jwst.readout import Subarray
from rtools.products.io.staging import Stage
from rtools.products.jwst.assembly import FilePart, write_parts
from rtools.products.jwst.demands import NewHdu
from rtools.products.jwst.new import new_part
from rtools.reference.jwst.nominal import NominalReference, available_types, has_nominal, nominal_reference
from rtools.reference.jwst.planes import DARK_FRAMES, RESET_DN, RESET_GROUPS, VERSION
from rtools.reference.jwst.tables import optical_elements
from rtools.reference.jwst.types import JWST_TYPES, known_type

__all__ = ["NominalFile", "files", "metadata", "write"]

USEAFTER = "2020-01-01T00:00:00"

ASDF_STANDARD = "1.6.0"

PLANES = {"dark": DARK_FRAMES + 1, "linearity": 6, "reset": len(RESET_DN) * RESET_GROUPS + 1}
"""How many planes a type has that has more than its arrays."""

GENERIC = "GENERIC"
"""SUBARRAY of a file that is cut to the sub-array of an exposure."""


@dataclass(frozen=True)
class NominalFile:
    """One file to be made.

    Attributes
    ----------
    name : str
        ``jwst_nircam_flat_builtin_nrca1_f200w.fits``.
    type, detector : str
        What is in it.
    filter : str or None
        For which filter it is; None where it is for all.
    part : Subarray or None
        What of the detector its planes cover; None for the full frame.
    """

    name: str
    type: str
    detector: str
    filter: str | None
    part: Subarray | None

    @property
    def bytes(self) -> int:
        """Of its arrays: so many planes of the part, of four bytes a pixel; 0 for tables and trees."""
        facts, kind = detector_facts(self.detector), JWST_TYPES[self.type]
        columns, rows = (self.part.columns, self.part.rows) if self.part else (facts.columns, facts.rows)
        return 4 * columns * rows * PLANES.get(self.type, len(kind.arrays)) if kind.is_plane else 0

    def reference(self) -> NominalReference:
        """What goes into it, computed now."""
        return nominal_reference(self.type, self.detector, self.filter, part=self.part)


def files(
    detectors: Sequence[str],
    filters: Sequence[str] = (),
    *,
    types: Sequence[str] = (),
    parts: Mapping[str, Subarray] | None = None,
) -> list[NominalFile]:
    """The files of the nominal set for some detectors and filters.

    Parameters
    ----------
    detectors : sequence of str
        Detectors, in letters of any case.
    filters : sequence of str
        Filters for which flats, aperture corrections and throughputs are made; each for the detectors that have it.
    types : sequence of str, optional
        Reference types; by default all that there are of a detector.
    parts : mapping of str to Subarray, optional
        What planes of each of `detectors` cover; the full frame by default.

    Returns
    -------
    list of NominalFile
        Each once.

    Raises
    ------
    UsageError
        No such type, detector or filter; no detector has a filter; the set has none of a type for a detector.
    """
    for word in types:
        known_type(word)
    made: dict[str, NominalFile] = {}
    unused = {name.upper() for name in filters}
    for detector in detectors:
        fitting = [name.upper() for name in filters if name.upper() in filter_names(detector)]
        part = (parts or {}).get(detector)
        unused -= set(fitting)
        for reftype in types or available_types(detector):
            kind, facts = known_type(reftype), detector_facts(detector)
            if facts.instrument not in kind.nominal:
                raise UsageError(f"the nominal set has no {kind.name} for {facts.name}")
            for name in fitting if kind.by_filter and fitting else (None,):
                if has_nominal(reftype, detector, name):
                    one = _file(kind.name, facts, name if kind.by_filter else None, part if kind.is_plane else None)
                    made.setdefault(one.name, one)
    if unused:
        raise UsageError(f"none of these detectors has filter {' '.join(sorted(unused))}")
    return list(made.values())


def _file(reftype, facts, filter_, part):
    words = ["jwst", facts.instrument, reftype, "builtin", facts.name, *([filter_] if filter_ else [])]
    if part is not None and part.name != "FULL":
        words.append(part.name if part.name != GENERIC else f"{part.x}-{part.y}-{part.columns}-{part.rows}")
    return NominalFile(f"{'_'.join(words).lower()}.{JWST_TYPES[reftype].form}", reftype, facts.name, filter_, part)


def metadata(reference: NominalReference) -> dict[str, Any]:
    """Keywords of the primary header of a reference, but FILENAME.

    Parameters
    ----------
    reference : NominalReference
        What the file holds.

    Returns
    -------
    dict of str to object
        What it is, for which detector, filter and part of it, and what its type says besides.
    """
    facts, kind = detector_facts(reference.detector), JWST_TYPES[reference.type]
    cards = {
        "DATAMODL": kind.model_of(facts.instrument),
        "TELESCOP": "JWST",
        "REFTYPE": reference.type.upper(),
        "PEDIGREE": "DUMMY",
        "DESCRIP": f"Nominal set of rtools {VERSION}: not for science",
        "AUTHOR": "rtools",
        "USEAFTER": USEAFTER,
        "INSTRUME": facts.instrument.upper(),
        "DETECTOR": facts.name,
    }
    if reference.filter:
        cards |= _elements(reference)
    if reference.part is not None:
        cards |= _place(reference.part, facts, exact=kind.exact)
    return cards | dict(reference.cards)


def _elements(reference):
    """FILTER; PUPIL only where it is the filter itself, so that a file serves with every other pupil."""
    if detector_facts(reference.detector).instrument not in ("nircam", "niriss"):
        return {"FILTER": reference.filter}
    filter_, pupil = optical_elements(reference.detector, reference.filter)[0]
    return {"FILTER": filter_} | ({"PUPIL": pupil} if pupil == reference.filter else {})


def _place(part, facts, *, exact):
    """Where planes lie; of a full frame that serves every sub-array the name is GENERIC."""
    name = part.name if exact or part.name != "FULL" else GENERIC
    place = {"SUBARRAY": name, "SUBSTRT1": part.x, "SUBSTRT2": part.y, "SUBSIZE1": part.columns, "SUBSIZE2": part.rows}
    if facts.fast_axis is not None:
        place |= {"FASTAXIS": facts.fast_axis, "SLOWAXIS": facts.slow_axis}
    return place


def write(path: str | Path, reference: NominalReference) -> Path:
    """Write a nominal reference, under a temporary name first.

    Parameters
    ----------
    path : str or Path
        Where the file will appear: ``.fits`` or ``.asdf`` as its type has it.
    reference : NominalReference
        What is written. The same reference gives the same bytes.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    RtoolsError
        The file cannot be written; nothing is left of it.
    """
    stage = Stage(path)
    with stage.open() as file:
        if JWST_TYPES[reference.type].form == "asdf":
            file.write(_asdf_bytes(reference, stage.path.name))
        else:
            write_parts(file, _parts(reference, stage.path.name))
    return stage.commit()


def _parts(reference: NominalReference, filename: str) -> list[FilePart]:
    """HDUs of a FITS reference: no extension ASDF, which such files have not."""
    from astropy.io import fits

    header = fits.PrimaryHDU().header
    for key, value in ({"FILENAME": filename} | metadata(reference)).items():
        header[key] = value
    contents = {**reference.arrays, **reference.tables}
    return [FilePart.of_header("PRIMARY", header), *(new_part(NewHdu(name, data)) for name, data in contents.items())]


def _asdf_bytes(reference: NominalReference, filename: str) -> bytes:
    import asdf

    file = asdf.AsdfFile({"meta": _tree_meta(reference, filename), **reference.tree}, version=ASDF_STANDARD)
    buffer = io.BytesIO()
    file.write_to(buffer)
    return buffer.getvalue()


def _tree_meta(reference: NominalReference, filename: str) -> dict[str, Any]:
    """What an ASDF reference says of itself below ``meta``."""
    cards, facts = metadata(reference), detector_facts(reference.detector)
    instrument = {"name": cards["INSTRUME"], "detector": cards["DETECTOR"]}
    if facts.channel:  # the mission's software asks for these
        instrument |= {"channel": facts.channel, "module": facts.module}
    if reference.type == "distortion":
        instrument["p_pupil"] = "ANY|"
    meta: dict[str, Any] = {
        "filename": filename,
        "model_type": cards["DATAMODL"],
        "telescope": "JWST",
        "reftype": reference.type,
        "pedigree": cards["PEDIGREE"],
        "description": cards["DESCRIP"],
        "author": cards["AUTHOR"],
        "useafter": cards["USEAFTER"],
        "title": f"{reference.type} of {reference.detector}",
        "instrument": instrument,
    }
    if reference.type == "distortion":
        from astropy import units

        meta |= {"input_units": units.pix, "output_units": units.arcsec}
    return meta
