"""Names of data-quality bits of every mission."""

from __future__ import annotations

from collections.abc import Mapping

from rtools.wfi import dq

__all__ = ["MISSIONS", "bits_of_mission", "check_flags", "tables_of_mission"]

MISSIONS = ("roman", "jwst")
"""Missions whose products are known."""


def tables_of_mission(mission: str) -> dict[str, dict[str, int]]:
    """Bits of pixels and of groups, by name.

    Parameters
    ----------
    mission : str
        One of `MISSIONS`.

    Returns
    -------
    dict
        ``dq`` and ``groupdq``; groups have resultants in them as well.
    """
    if mission == "roman":
        return {"dq": dq.PIXEL, "groupdq": dq.GROUP}
    from rtools.jwst import GROUP_FLAGS, PIXEL_FLAGS  # read from a file, which those who ask of Roman need not wait for

    return {"dq": PIXEL_FLAGS, "groupdq": GROUP_FLAGS}


def bits_of_mission(mission: str, array: str) -> dict[str, int] | None:
    """Bits of an array of flags of a mission's products.

    Parameters
    ----------
    mission : str
        One of `MISSIONS`.
    array : str
        Its name, as ``groupdq``.

    Returns
    -------
    dict of str to int, or None
        None if this is not an array of flags.
    """
    if mission == "roman":
        return dq.bits_of(array)
    from rtools.jwst import flags_of

    return flags_of(array)


def check_flags(text: str, missions: tuple[str, ...] = MISSIONS) -> None:
    """Raise UsageError where some flags are known to none of the missions.

    Parameters
    ----------
    text : str
        Names or numbers, as `rtools.wfi.dq.value` takes them.
    missions : tuple of str
        Of `MISSIONS`.
    """
    known: Mapping[str, int] = {
        name: flag
        for mission in missions
        for table in tables_of_mission(mission).values()
        for name, flag in table.items()
    }
    dq.value(text, known)
