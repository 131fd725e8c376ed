"""From the name of a raw exposure and settings as a user says them to a `SimulationRequest`."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from rtools.errors import RtoolsError, UsageError
from rtools.products import names
from rtools.simulate.guide.metadata import AcquisitionNames
from rtools.simulate.guide.request import AcquisitionRequest
from rtools.simulate.request import SimulationRequest, exposure_type_of, reads_of
from rtools.wfi.frame import BORDER, CHANNEL, FRAME
from rtools.wfi.instrument import ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from rtools.wfi.instrument import MaTable

__all__ = ["acquisitions_of", "refuse_infinite", "request_of", "windows_of"]

OFFSET = 1000
"""DN added to what is sent down where a first read was subtracted, so that noise does not fall below zero."""


def request_of(
    name: str,
    *,
    element: str | None = None,
    exposure_type: str | None = None,
    read_pattern: str | None = None,
    tables: Mapping[str, MaTable] | None = None,
    guide_window: str = "auto",
    encoding_offset: int | None = None,
    guide: AcquisitionRequest | None = None,
    size: int = FRAME,
    **settings: Any,
) -> SimulationRequest:
    """What is simulated under a name.

    Parameters
    ----------
    name : str
        Of a raw exposure, ``…_uncal.asdf``, or of its guide windows, ``…_gw.asdf``; a directory before it is ignored.
    element : str, optional
        Optical element, where the name has none.
    exposure_type : str, optional
        By default the usual one of the element.
    read_pattern : str, optional
        Name, number or id of a MultiAccum table, or reads like ``1;2-3;4-9``.
    tables : dict of str to MaTable, optional
        Further tables (`rtools.simulate.files.read_tables`).
    guide_window : str
        ``auto``, ``none`` or ``X,Y``.
    encoding_offset : int, optional
        DN; by default 1000 with a reference read, else 0.
    guide : rtools.simulate.guide.request.AcquisitionRequest, optional
        What is asked of guide windows; those of a raw exposure are made with it only.
    size : int
        Rows and columns of the frame, a multiple of 128.
    **settings
        Other fields of `rtools.simulate.request.SimulationRequest`.

    Returns
    -------
    rtools.simulate.request.SimulationRequest
        Complete: what neither name nor settings say is as usual.

    Raises
    ------
    UsageError
        The name is not that of a raw exposure, or a setting cannot be.
    """
    refuse_infinite(settings)
    if "ra" in settings:
        settings["ra"] %= 360
    parsed = _parsed(name)
    element = _element(parsed, element)
    kind = exposure_type or exposure_type_of(element)
    if size % CHANNEL:
        raise UsageError(f"--size {size}: a multiple of {CHANNEL} expected")
    if encoding_offset is None:
        encoding_offset = OFFSET if settings.get("reference_read") else 0
    if guide_window == "none" and (guide is not None or parsed.suffix == "gw"):
        raise UsageError("--guide-window none: there are to be guide windows", mend="leave it out")
    if parsed.suffix == "gw":
        guide = replace(guide or AcquisitionRequest(), acquisition=int(parsed.acquisition))
        parsed = _exposure_of(parsed)
    return SimulationRequest(
        root=parsed.root,
        detector=parsed.detector.upper(),
        element=element,
        exposure_type=kind,
        identity=names.metadata(parsed),
        table=reads_of(read_pattern, kind, tables),
        guide_window=_window(guide_window, size),
        encoding_offset=encoding_offset,
        guide=guide,
        size=size,
        **settings,
    )


def refuse_infinite(settings: Mapping[str, Any]) -> None:
    """Refuse positions and brightnesses that are not finite numbers.

    Parameters
    ----------
    settings : mapping of str to object
        Fields of `rtools.simulate.request.SimulationRequest`, some of them.

    Raises
    ------
    UsageError
        One of them is NaN or infinite.
    """
    for key in ("ra", "dec", "pa", "background", "pink_noise"):
        if settings.get(key) is not None and not math.isfinite(settings[key]):
            raise UsageError(f"--{key.replace('_', '-')} {settings[key]}: a finite number expected")


def _parsed(name):
    """The parsed name, which must be that of an L1 exposure."""
    try:
        parsed = names.parse(name, forms=("name",), mission="roman")
    except names.InvalidName as error:
        raise UsageError(f"not a file name of the mission ({str(error).splitlines()[0]})") from None
    if parsed.suffix not in ("uncal", "gw"):
        mend = "the name must end in _uncal.asdf, or in _gw.asdf for guide windows"
        raise UsageError(f"{parsed.suffix} files are not simulated", mend=mend)
    return parsed


def _exposure_of(parsed):
    """The name of the first exposure that was tracked with guide windows."""
    kept = {key: parsed[key] for key in ("visit_id", "exposure", "detector", "element")}
    return names.parse(names.build({**kept, "suffix": "uncal"}))


def windows_of(parsed: names.Name, acquisition: int = 1) -> str:
    """Name of the guide windows of an exposure.

    Parameters
    ----------
    parsed : rtools.products.names.Name
        Of the raw exposure, or of the windows themselves.
    acquisition : int
        Number of the acquisition.

    Returns
    -------
    str
        ``…_gw.asdf``.
    """
    kept = {key: parsed[key] for key in ("visit_id", "exposure", "detector", "element")}
    acquisition = int(parsed.acquisition or acquisition)
    return names.build({**kept, "acquisition": acquisition, "suffix": "gw"})


def acquisitions_of(typed: Iterable[str]) -> dict[str, AcquisitionNames]:
    """Files of the acquisitions of several names, one FACE for all detectors of each.

    Parameters
    ----------
    typed : iterable of str
        Names of raw exposures or of guide windows, with their directories.

    Returns
    -------
    dict of str to rtools.simulate.guide.metadata.AcquisitionNames
        By name as typed; FACE has the root of the first of its acquisition. Names that cannot be read are left out.
    """
    groups: dict[tuple, dict[str, str]] = {}
    of_name = {}
    for name in typed:
        try:
            parsed = names.parse(name, forms=("name",), mission="roman")
            windows = windows_of(parsed)
        except RtoolsError:
            continue
        key = (os.path.dirname(name), parsed.visit_id, parsed.exposure, parsed.acquisition or "1", parsed.element)
        groups.setdefault(key, {}).setdefault(parsed.detector.upper(), windows)
        of_name[name] = groups[key]
    return {name: AcquisitionNames(group, _face_of(next(iter(group.values())))) for name, group in of_name.items()}


def _face_of(windows):
    """Name of the FACE file beside guide windows."""
    return f"{windows.removesuffix('_gw.asdf')}_face.asdf"


def _element(parsed, asked):
    """The optical element, from the name or as asked for."""
    named, asked = (word.upper() if word else None for word in (parsed.element, asked))
    if named and asked and named != asked:
        raise UsageError(f"--element {asked}, but the name says {named}")
    if not (named or asked):
        raise UsageError("the name has no optical element", mend="give --element")
    if (named or asked) not in ELEMENTS:
        raise UsageError(f"--element {asked}: one of {', '.join(ELEMENTS)} expected")
    return named or asked


def _window(word, size):
    """The guide window of a word: None, ``auto``, or its first pixel."""
    if word in ("auto", "none"):
        return None if word == "none" else word
    try:
        x, y = (int(part) for part in word.split(","))
    except ValueError:
        raise UsageError(f"--guide-window {word}: auto, none or X,Y expected") from None
    if not (BORDER <= x < size - BORDER and BORDER <= y < size - BORDER):
        raise UsageError(f"--guide-window {word}: outside the science area")
    return x, y
