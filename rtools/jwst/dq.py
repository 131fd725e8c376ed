"""Data-quality bits of JWST by name; `rtools.wfi.dq.names` and `value` take them as their `bits`."""

from __future__ import annotations

from rtools.jwst.layout import facts

__all__ = ["GROUP_FLAGS", "LOGICAL_FLAG", "PIXEL_FLAGS", "flags_of"]

PIXEL_FLAGS: dict[str, int] = {entry["jwst"]: entry["value"] for entry in facts()["_meta"]["dq_bits"]}
"""Bits of PIXELDQ and DQ, uint32. Bit 8 has a name, RESERVED, and no meaning."""

GROUP_FLAGS: dict[str, int] = dict(facts()["_meta"]["dq_group"]["jwst"])
"""Bits of GROUPDQ, uint8."""

LOGICAL_FLAG: dict[str, int] = {"FLAG": 1}
"""The columns FLAG of OIFITS say only whether an observable is bad."""


def flags_of(array: str) -> dict[str, int] | None:
    """Bits of an array of flags.

    Parameters
    ----------
    array : str
        Its EXTNAME, or its name in the data model: ``DQ``, ``groupdq``, ``slits.2.dq``; or a column of a table:
        ``EXTRACT1D.DQ``, ``OI_VIS.FLAG``.

    Returns
    -------
    dict of str to int, or None
        `PIXEL_FLAGS`, `GROUP_FLAGS`, or `LOGICAL_FLAG`; None if this is not an array of flags.
    """
    last = array.rpartition(".")[2].upper()
    if last == "GROUPDQ":
        return GROUP_FLAGS
    if last == "FLAG":
        return LOGICAL_FLAG
    return PIXEL_FLAGS if last in ("DQ", "PIXELDQ") else None
