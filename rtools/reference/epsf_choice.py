"""Which of the PSFs of an epsf reference is taken: its defocus, its spectral type, and what it was measured on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.errors import InputError, UsageError

if TYPE_CHECKING:
    from rtools.reference.source import ReferenceSource

__all__ = ["PsfChoice", "chosen_indices", "measured_on", "refuse_mission", "said_of_measuring"]

IN_FOCUS = 0
"""Index of the defocus that is used where no other is asked for."""

G2V = 1
"""Index of the spectral type that is used where no other is asked for."""


NAMES = {"roman": "Roman", "jwst": "JWST"}


class PsfChoice(NamedTuple):
    """Which of the PSFs of a reference; None for the one in focus, and for G2V.

    Attributes
    ----------
    defocus : float or None
        As the reference lists it.
    spectral_type : str or None
        As the reference lists it, in any case.
    """

    defocus: float | None = None
    spectral_type: str | None = None


def chosen_indices(
    source: ReferenceSource, choice: PsfChoice, log: Callable[[str, str], None] | None = None
) -> tuple[int, int]:
    """Indices of a defocus and a spectral type among those of a reference.

    Parameters
    ----------
    source : ReferenceSource
        Of an epsf reference, opened or built in.
    choice : PsfChoice
        What is asked for.
    log : callable, optional
        ``log(level, text)``, for a warning that there is one spectral type only.

    Returns
    -------
    (int, int)
        Of the first two axes of ``psf``.

    Raises
    ------
    UsageError
        The reference has no such defocus or spectral type.
    """
    defocus, spectral = IN_FOCUS, G2V
    if choice.defocus is not None:
        levels = [float(value) for value in source.node("meta.defocus")]
        defocus = _place_among(levels, float(choice.defocus), "defocus")
    if choice.spectral_type is not None:
        types = [str(value).upper() for value in source.node("meta.spectral_type")]
        spectral = _place_among(types, choice.spectral_type.upper(), "spectral type")
    elif source.shape("psf")[1] <= G2V:
        spectral = 0
        if log and measured_on(source) is None:
            log("warning", "the epsf reference has one spectral type; it is used for every source")
    return defocus, spectral


def _place_among(known, wanted, what):
    if wanted not in known:
        told = wanted if isinstance(wanted, str) else f"{wanted:g}"
        listed = " ".join(one if isinstance(one, str) else f"{one:g}" for one in known)
        raise UsageError(f"the epsf reference has no {what} {told}", mend=f"there are {listed}")
    return known.index(wanted)


def said_of_measuring(source: ReferenceSource, key: str) -> Any:
    """What a reference that was measured on an image says of that (`rt-psf --measure`).

    Parameters
    ----------
    source : ReferenceSource
        Of an epsf reference, opened or built in.
    key : str
        ``mission``, ``detector``, ``filter``, ``pixel_scale``, ``measured_on`` …

    Returns
    -------
    object
        None where it says nothing, as any other reference.
    """
    try:
        return source.node(f"meta.rtools.psf.{key}")
    except (InputError, KeyError, TypeError):
        return None


def measured_on(source: ReferenceSource) -> str | None:
    """What the PSF of a reference was measured on, where it was measured on an image (`rt-psf --measure`).

    Parameters
    ----------
    source : ReferenceSource
        Of an epsf reference, opened or built in.

    Returns
    -------
    str or None
        ``exposure`` or ``mosaic``; None for any other reference.
    """
    said = said_of_measuring(source, "measured_on")
    return said if said in ("exposure", "mosaic") else None


def refuse_mission(source: ReferenceSource, mission: str) -> None:
    """Refuse a PSF of another telescope: its pixels and its optics are others, and all fluxes would be wrong.

    Parameters
    ----------
    source : ReferenceSource
        Of an epsf reference, opened or built in.
    mission : str
        ``roman`` or ``jwst``: whose image it is wanted for.

    Raises
    ------
    InputError
        It is of another mission.
    """
    theirs = "jwst" if str(said_of_measuring(source, "mission")).upper() == "JWST" else "roman"
    if theirs != mission:
        mend = "rt-psf --measure makes one of an image's own stars"
        raise InputError(f"a PSF of {NAMES[theirs]}, not of {NAMES[mission]}", mend=mend, path=source.label)
