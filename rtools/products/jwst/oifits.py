"""What OIFITS asks for in the headers of its tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rtools.wfi import metadata

__all__ = ["oifits_meta"]

REVISION = 2
"""OI_REVN of all tables of OIFITS 2 (Duvert, Young & Hummel 2017, A&A 597, A8)."""

ARRAY_NAME = "jwst_ami"
"""ARRNAME, by which tables refer to the array of the holes; the mission's."""


def oifits_meta(meta: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Metadata below ``oifits`` that interferometric products need: how tables refer to each other, dates, the frame.

    Parameters
    ----------
    meta : mapping
        Nested metadata; the date of the observation, the instrument and the target are taken from it.
    names : collection of str
        EXTNAMEs of the tables.

    Returns
    -------
    dict
        Nested, without what `meta` does not know.
    """
    told = {name: metadata.get(meta, path) for name, path in FROM_META.items()}
    derived: dict[str, Any] = {
        "content": "OIFITS2",
        "object": told["object"],
        "observer": told["observer"],
        "array": {"revn": REVISION, "frame": "SKY", "x": 0.0, "y": 0.0, "z": 0.0},
        "target": {"revn": REVISION},
        "wavelength": {"revn": REVISION, "instrument_name": told["instrument"]},
    }
    of_data = {
        "revn": REVISION,
        "array_name": ARRAY_NAME,
        "date_obs": told["date"],
        "instrument_name": told["instrument"],
    }
    derived |= {name: dict(of_data) for name in ("vis", "vis2", "t3", "q4") if f"OI_{name.upper()}" in names}
    return {"array_name": ARRAY_NAME, "instrument_mode": told["mode"], "derived": derived}


FROM_META = {
    "date": "observation.date",
    "instrument": "instrument.name",
    "mode": "instrument.pupil",
    "object": "target.proposer_name",
    "observer": "program.pi_name",
}
"""What of the headers follows from other metadata."""
