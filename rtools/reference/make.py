"""The nominal set as reference files: which files, how large, what their metadata say; and writing them.

One file is in memory at a time: at most 0.5 GB (inverse linearity, refpix).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from rtools.errors import UsageError
from rtools.reference import nominal
from rtools.reference.builtin import Builtin
from rtools.reference.types import APPLIED, TYPES
from rtools.wfi.exposure_types import EXPOSURE_TYPES
from rtools.wfi.frame import FRAME
from rtools.wfi.instrument import DETECTORS, ELEMENTS, NAME, NOT_CONFIGURED
from rtools.work import ALONE, Work

__all__ = ["ReferenceToMake", "jobs", "metadata", "paths", "size", "write"]


@dataclass(frozen=True)
class ReferenceToMake:
    """One file to be made.

    Attributes
    ----------
    name : str
        Its name in the directory.
    source : rtools.reference.builtin.Builtin
        What goes into it.
    """

    name: str
    source: Builtin


def jobs(
    detectors: Sequence[str],
    elements: Sequence[str],
    *,
    types: Sequence[str] = (),
    seed: int = 0,
    frame: tuple[int, int] = (FRAME, FRAME),
) -> list[ReferenceToMake]:
    """The files of the nominal set for some detectors and elements.

    Parameters
    ----------
    detectors, elements : sequence of str
        Detectors and optical elements for which references are made.
    types : sequence of str, optional
        Reference types; all that tools apply by default.
    seed : int
        0 for the nominal set, else a seeded variation.
    frame : tuple of int
        Rows and columns.

    Returns
    -------
    list of ReferenceToMake
        Names ``roman_wfi_TYPE_NNNN.asdf``. NNNN is the detector's number, preceded by that of the element for types
        that are selected on it (its place among the elements, 1 for F062); 0001 for one file for all detectors.

    Raises
    ------
    UsageError
        No such type, detector or element; a type that no tool applies.
    """
    for words, known, what in (
        (types, TYPES, "reference type"),
        (detectors, DETECTORS, "detector"),
        (elements, ELEMENTS, "optical element"),
    ):
        for word in words:
            if word not in known:
                raise UsageError(f"no {what} is called {word!r}", mend=f"they are {' '.join(known)}")
    made: dict[str, ReferenceToMake] = {}
    for reftype in types or APPLIED:
        kind = TYPES[reftype]
        for detector in detectors:
            for element in (word for word in elements if word in kind.elements()) if kind.element else (ELEMENTS[0],):
                name = f"roman_wfi_{reftype}_{_number(kind, detector, element):04d}.asdf"
                made.setdefault(
                    name, ReferenceToMake(name, Builtin(reftype, detector, element, (frame[0], frame[1]), seed))
                )
    return list(made.values())


def _number(kind, detector, element):
    number = DETECTORS.index(detector) + 1 if kind.detector else 1
    return number + 100 * (ELEMENTS.index(element) + 1) if kind.element else number


def size(job: ReferenceToMake) -> int:
    """Bytes of a file's arrays, uncompressed.

    Parameters
    ----------
    job : ReferenceToMake
        The file.

    Returns
    -------
    int
        Nodes of the tree that are not arrays with pixels as axes do not count.
    """
    source = job.source
    return sum(prod(source.shape(array)) * source.dtype(array).itemsize for array in TYPES[source.type].arrays)


def metadata(source: Builtin) -> dict[str, Any]:
    """The `meta` block of the file of a built-in reference.

    Parameters
    ----------
    source : rtools.reference.builtin.Builtin
        What the file will hold.

    Returns
    -------
    dict of str to object
        What all reference files say, and what only those of this type do.
    """
    from rtools.products.schema import nodes

    kind = TYPES[source.type]
    variation = f" Seeded variation {source.seed} of it." if source.seed else ""
    instrument = {"name": NAME, "detector": source.detector if kind.detector else NOT_CONFIGURED}
    meta = {
        "reftype": source.type.upper(),
        "pedigree": "DUMMY",
        "description": f"Nominal instrument of rtools, version {nominal.VERSION}: partly assumed values, not for "
        f"science.{variation}",
        "author": "rtools",
        "useafter": nodes.time(nominal.USEAFTER),
        "telescope": "ROMAN",
        "origin": "rtools",
        "instrument": instrument,
    }
    if kind.element:
        instrument["optical_element"] = source.element
    if source.type == "dark":
        instrument["optical_element"] = "DARK"
    if kind.exposure_type:
        meta["exposure"] = {"type": "WFI_IMAGE", "p_exptype": "".join(f"{name}|" for name in EXPOSURE_TYPES)}
    return meta | source.tree().get("meta", {})


def paths(directory: Path | str, planned: Iterable[ReferenceToMake]) -> list[Path]:
    """Absolute-or-as-given paths of the files of a plan.

    Parameters
    ----------
    directory : str or Path
        Where they will lie.
    planned : iterable of ReferenceToMake
        From `jobs`.

    Returns
    -------
    list of Path
        In the order of the plan.
    """
    return [Path(directory) / job.name for job in planned]


def write(
    path: Path | str,
    source: Builtin,
    *,
    compression: str = "lz4",
    work: Work = ALONE,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Write a built-in reference as a reference file, under a temporary name first.

    Parameters
    ----------
    path : str or Path
        Where the file will appear.
    source : Builtin
        What is written.
    compression : str
        ``lz4``, ``zlib`` or ``none``.
    work : rtools.work.Work
        Its threads draw, compress and write.
    parameters : mapping of str to object, optional
        What the command was asked, for the history.

    Raises
    ------
    RtoolsError
        The file cannot be written; nothing is left of it.
    """
    from rtools.products.io import writer
    from rtools.products.schema import history

    arrays = {name: source.array(name, work) for name in TYPES[source.type].arrays}
    writer.write_product(
        path,
        f"reference/{source.type}",
        metadata(source),
        arrays,
        extra={key: node for key, node in source.tree().items() if key != "meta"},
        compression=compression,
        work=work,
        history=[history.entry("rt-refs make", parameters={"label": source.label, **(parameters or {})})],
    )
