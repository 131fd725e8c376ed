"""What is asked of simulated guide windows: exposures, motion, star, dithers, faults."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FAULTS", "AcquisitionRequest", "MotionTable", "parse_dithers", "parse_numbers"]

FAULTS = ("lost", "reset", "sce", "bind", "late")
"""What can be planted into an acquisition."""


class MotionTable(NamedTuple):
    """A motion that is given instead of drawn.

    Attributes
    ----------
    t : ndarray float64 (n,)
        Seconds since the first exposure began; increasing. Before the first and after the last nothing moves.
    dx, dy : ndarray float64 (n,)
        Where stars are along x and y of the detectors, mas.
    dzeta : ndarray float64 (n,)
        Rotation about the line of sight, arcsec.
    """

    t: NDArray[np.float64]
    dx: NDArray[np.float64]
    dy: NDArray[np.float64]
    dzeta: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AcquisitionRequest:
    """One acquisition of a guide star and the exposures that were tracked with it.

    Attributes
    ----------
    acquisition : int
        Its number in the visit, 1 … 9.
    exposures : int
        Exposures, numbered on from that of the name.
    jitter : (float, float, float)
        rms along two axes that are perpendicular to each other, mas, and the position angle of the first, degrees from
        +y toward +x.
    drift : (float, float) or None
        mas/s along x and y in every exposure; None draws the signs of the assumed one.
    motion : MotionTable or None
        Instead of all of the motion that is drawn.
    magnitude : float or None
        AB of the guide star instead of its own.
    dither : tuple of (float, float)
        By how many pixels in x and y the star stands elsewhere in the second and every further exposure than in the
        first; begun again with (0, 0) when it is used up.
    gap : int
        Science reads between exposures, before the first and after the last.
    faults : tuple of str
        Of `FAULTS`.
    """

    acquisition: int = 1
    exposures: int = 1
    jitter: tuple[float, float, float] | None = None
    drift: tuple[float, float] | None = None
    motion: MotionTable | None = None
    magnitude: float | None = None
    dither: tuple[tuple[float, float], ...] = ()
    gap: int = 3
    faults: tuple[str, ...] = ()

    def shift(self, exposure: int) -> tuple[float, float]:
        """Where the star of an exposure stands, in pixels from that of the first.

        Parameters
        ----------
        exposure : int
            Index of the exposure, from 0.

        Returns
        -------
        (float, float)
            In x and y.
        """
        places = ((0.0, 0.0), *self.dither)
        return places[exposure % len(places)]

    def as_parameters(self) -> dict[str, Any]:
        """What was asked for as plain values, for the history."""
        known = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "motion"}
        return known | {"motion": "of a table" if self.motion is not None else None}


def parse_numbers(option: str, word: str, counts: tuple[int, ...]) -> tuple[float, ...]:
    """Numbers of an option like ``20,12``.

    Parameters
    ----------
    option : str
        Its name, for the message.
    word : str
        What was typed.
    counts : tuple of int
        How many there may be.

    Returns
    -------
    tuple of float
        Finite ones.

    Raises
    ------
    UsageError
        They are none, or of another count.
    """
    try:
        values = tuple(float(part) for part in word.split(","))
    except ValueError:
        values = ()
    if len(values) not in counts or not all(map(math.isfinite, values)):
        wanted = " or ".join(map(str, counts))
        raise UsageError(f"{option} {word}: {wanted} numbers expected", mend="with commas between them")
    return values


def parse_dithers(word: str) -> tuple[tuple[float, float], ...]:
    """Dithers like ``10,0;10,-5.5``.

    Parameters
    ----------
    word : str
        Pairs between semicolons.

    Returns
    -------
    tuple of (float, float)
        Pixels in x and y.

    Raises
    ------
    UsageError
        They are none.
    """
    pairs = [parse_numbers("--dither", part, (2,)) for part in word.split(";")]
    return tuple((x, y) for x, y in pairs)
