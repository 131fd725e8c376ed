"""Which references the chains of JWST need for an exposure, from the raw ramp to the catalog of its mosaic."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rtools.declare import Reference
from rtools.errors import InputError
from rtools.reference.jwst.types import JWST_TYPES
from rtools.wfi import metadata

__all__ = ["needed_references"]

RAMPS = ("mask", "saturation", "superbias", "ipc", "linearity", "dark", "gain", "readnoise")
RAMPS_OF_MIRI = ("mask", "saturation", "ipc", "reset", "linearity", "rscd", "dark", "gain", "readnoise")
"""Types that make a rate of a ramp."""

IMAGES = ("flat", "photom", "area", "distortion", "filteroffset", "apcorr", "abvegaoffset")
"""Types that make an image in MJy/sr of a rate, with coordinates, and a catalog of it."""

IMAGING = (
    "NRC_IMAGE", "NRC_TSIMAGE", "NRC_CORON", "NRC_TACQ", "NRC_TACONFIRM", "NRC_FOCUS",
    "NIS_IMAGE", "NIS_AMI", "NIS_TACQ", "NIS_TACONFIRM", "NIS_FOCUS",
    "MIR_IMAGE", "MIR_LYOT", "MIR_4QPM", "MIR_TACQ", "MIR_TACONFIRM", "MIR_CORONCAL",
    "FGS_IMAGE", "FGS_FOCUS",
)  # fmt: skip
"""Exposure types whose coordinates need no more than a distortion."""

FURTHER = {
    "NIS_AMI": ("nrm", "throughput"),
    "NRC_CORON": ("psfmask",),
    "MIR_LYOT": ("psfmask",),
    "MIR_4QPM": ("psfmask",),
    "MIR_LRS-FIXEDSLIT": ("extract1d",),
    "MIR_LRS-SLITLESS": ("extract1d",),
}
"""Types that steps of single modes take where they are there."""

NOT_REFUSABLE = ("gain", "readnoise")
"""Without these no ramp can be fitted."""

NOT_ASKED = ("ipc", *(name for names in FURTHER.values() for name in names))
"""Types of steps that are off unless they are asked for, or that do without."""


def needed_references(meta: Mapping[str, Any], path: str | Path | None = None) -> list[Reference]:
    """What the chains of an exposure read.

    Parameters
    ----------
    meta : mapping of str to object
        As below ``meta`` in the data model: instrument.name and exposure.type.
    path : str or Path, optional
        The file that an error names.

    Returns
    -------
    list of rtools.declare.Reference
        In the order in which a chain needs them. Spectra have those of the ramps, and what extracts them.

    Raises
    ------
    InputError
        The metadata do not say of which instrument or of which exposure type it is.
    """
    instrument, kind = (str(metadata.get(meta, key) or "").upper() for key in ("instrument.name", "exposure.type"))
    for value, key in ((instrument, "INSTRUME"), (kind, "EXP_TYPE")):
        if not value:
            raise InputError(f"{key} is missing: which references an exposure needs depends on it", path=path)
    types = RAMPS_OF_MIRI if instrument == "MIRI" else RAMPS
    if kind in IMAGING:
        types = (*types, *IMAGES)
    return [_use(name) for name in (*types, *FURTHER.get(kind, ()))]


def _use(name):
    skip = JWST_TYPES[name].absent or name in NOT_ASKED
    return Reference(name, absent="skip" if skip else "needed", optional=skip, refusable=name not in NOT_REFUSABLE)
