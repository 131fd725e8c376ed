"""How guide-window and FACE files refer to each other, and to the visit: identifiers, names, modes, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rtools.findings import Finding, info, warning
from rtools.products import names
from rtools.products.guide import Face, Guide
from rtools.products.guide.stage import PREFIXES
from rtools.wfi.fill import NO_WORDS
from rtools.wfi.guide import PHASES, WINDOW_ACTIVITIES, guide_table
from rtools.wfi.instrument import DETECTORS, SPECTRAL_ELEMENTS

__all__ = ["check_face_links", "check_gw_links"]

CHECK = "guide"

WINDOW_ID = re.compile(r"(\d{19})(\d)")
"""The visit and the number of the acquisition."""

MODES_OF = {False: "WIM", True: "WSM"}
"""How the names of modes begin, by whether the element is a grism or prism."""


def check_gw_links(guide: Guide) -> Iterator[Finding]:
    """Identifiers, names, modes and tables of a guide-window file.

    Parameters
    ----------
    guide : Guide
        The file.

    Yields
    ------
    Finding
        Warnings, and remarks for tables that are not known.
    """
    yield from _check_window_id(guide.meta, guide.window_id)
    yield from _check_modes(guide.meta, guide.element)
    face = guide.meta.get("avg_face_filename")
    problem = _wrong_name(face, "face", guide.window_id)
    if problem:
        yield warning(CHECK, "meta.avg_face_filename", problem)
    for stage in guide.stages:
        key = f"{PREFIXES[stage.name]}_ma_table_id"
        identifier = guide.meta.get(key)
        if isinstance(identifier, str) and identifier not in NO_WORDS and guide_table(identifier) is None:
            yield info(CHECK, f"meta.{key}", f"{identifier} is not a table whose numbers are known")


def check_face_links(face: Face) -> Iterator[Finding]:
    """Identifiers, names, modes and tables of a FACE file.

    Parameters
    ----------
    face : Face
        The file.

    Yields
    ------
    Finding
        Warnings.
    """
    yield from _check_window_id(face.meta, face.window_id)
    yield from _check_modes(face.meta, face.element)
    yield from _check_lists(face)
    for detector, other in face.detector_files.items():
        where = f"meta.detector_gw_files.{detector}"
        if detector not in DETECTORS:
            yield warning(CHECK, where, "no detector is called so")
        elif other is not None:
            problem = _wrong_name(other, "gw", face.window_id, detector)
            if problem:
                yield warning(CHECK, where, problem)
    for key in ("expected_gw_acquisitions", "expected_gw_tracking"):
        words = face.meta.get(key)
        for detector, word in words.items() if isinstance(words, dict) else ():
            if word not in WINDOW_ACTIVITIES:
                yield warning(
                    CHECK, f"meta.{key}.{detector}", f"{word!r:.60} is not one of {', '.join(WINDOW_ACTIVITIES)}"
                )


def _check_lists(face):
    """Modes, tables and cycles go together, and with the phases of the data."""
    modes = face.meta.get("fgs_modes_used")
    if not isinstance(modes, list):
        return
    for key in ("ma_table_ids_used", "gw_cycles_per_sci_read_used"):
        listed = face.meta.get(key)
        if isinstance(listed, list) and len(listed) != len(modes):
            yield warning(CHECK, f"meta.{key}", f"{len(listed)} items, meta.fgs_modes_used has {len(modes)}")
    found = set(face.phase.tolist()) - {""}
    if found and found != set(modes):
        data = ", ".join(sorted(found - set(modes)))
        only = ", ".join(sorted(set(map(str, modes)) - found))
        told = [f"without {data} of the data"] * bool(data) + [f"{only} not in the data"] * bool(only)
        yield warning(CHECK, "meta.fgs_modes_used", "; ".join(told))


def _check_window_id(meta: Mapping[str, Any], found: str) -> Iterator[Finding]:
    """Visit and number of the acquisition in the identifier."""
    if found in NO_WORDS:
        return
    parts = WINDOW_ID.fullmatch(found)
    number = meta.get("guide_star_acq_num")
    if parts is None:
        yield warning(
            CHECK, "meta.guide_window_id", f"{found!r:.60} is not a visit (19 digits) and an acquisition (1 digit)"
        )
    elif isinstance(number, int) and parts[2] != str(number):
        yield warning(CHECK, "meta.guide_window_id", f"acquisition {parts[2]}, meta.guide_star_acq_num is {number}")


def _check_modes(meta: Mapping[str, Any], element: str) -> Iterator[Finding]:
    """Modes are those of the element."""
    modes = meta.get("fgs_modes_used")
    if not isinstance(modes, list) or not element:
        return
    other = MODES_OF[element not in SPECTRAL_ELEMENTS]
    strange = [mode for mode in modes if isinstance(mode, str) and mode in PHASES and mode.startswith(other)]
    if strange:
        yield warning(CHECK, "meta.fgs_modes_used", f"{', '.join(strange)}, although the element is {element}")


def _wrong_name(text: object, suffix: str, window: str, detector: str | None = None) -> str | None:
    """Why a file's name is not that of the file of this acquisition; None where it is, or nobody filled it in."""
    if text in (None, *NO_WORDS):
        return None
    if names.split_suffix(str(text))[1] != suffix:
        return f"{text!r:.80} is not the name of a _{suffix} file"
    try:
        name = names.parse(str(text), lenient=True, mission="roman")
    except names.InvalidName:
        return None  # a name of somebody's own
    parts = WINDOW_ID.fullmatch(window)
    if parts and name.acquisition and (name.visit_id, name.acquisition) != parts.groups():
        return f"of acquisition {name.acquisition} of visit {name.visit_id}, meta.guide_window_id is {window}"
    if detector and name.detector and name.detector.upper() != detector:
        return f"of detector {name.detector.upper()}"
    return None
