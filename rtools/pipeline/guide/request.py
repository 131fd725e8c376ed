"""What is asked of guide windows, parsed once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rtools.errors import UsageError
from rtools.reference.find import Config
from rtools.wfi.guide import STAGES, Use

__all__ = [
    "AMP33",
    "CENTROIDS",
    "GuideRequest",
    "parse_bits",
    "parse_exposures",
    "parse_high_frequency",
    "parse_stages",
]

CENTROIDS = ("psf", "moment", "gauss")
"""Ways to measure where the star is."""

AMP33 = ("none", "frame", "row")
"""What the reference output takes away: nothing, one level a frame, one a row."""


EXPOSURES = re.compile(r"(-?\d{1,5})(?:-(-?\d{1,5}))?", re.ASCII)
"""A number, or the first and the last of several."""

NOTHING = Use(0)
"""No flag."""


@dataclass(frozen=True)
class GuideRequest:
    """How guide windows are measured.

    Attributes
    ----------
    references : rtools.reference.find.Config
        Where reference files are looked for.
    centroid : str
        One of `CENTROIDS`.
    stages : tuple of str
        Of `rtools.wfi.guide.STAGES`.
    exposures : frozenset of int
        Only pairs of these; empty for all.
    amp33 : str
        One of `AMP33`.
    gain : float or None
        Electrons per DN instead of the gain reference.
    linearity : bool
        Whether the linearity reference is applied.
    keep, drop : rtools.wfi.guide.Use
        Flags that do not count, and further ones that do.
    high_frequency : str or float
        What the kernel holds of the motion that is faster than a pair: ``none``, ``window`` (as measured), or mas rms
        that are added in quadrature.
    wcs : str or None
        A file with the WCS of the detector, for the size of its pixels; the nominal distortion without one.
    max_memory : float
        GiB.
    """

    references: Config = field(default_factory=Config)
    centroid: str = "psf"
    stages: tuple[str, ...] = ("track",)
    exposures: frozenset[int] = frozenset()
    amp33: str = "row"
    gain: float | None = None
    linearity: bool = True
    keep: Use = NOTHING
    drop: Use = NOTHING
    high_frequency: str | float = "none"
    wcs: str | None = None
    max_memory: float = 1.0

    def dropped(self, usual: Use) -> int:
        """Flags that keep a pair out.

        Parameters
        ----------
        usual : rtools.wfi.guide.Use
            Those that do by default.

        Returns
        -------
        int
            With `drop`, without `keep`.
        """
        return int((usual | self.drop) & ~self.keep)


def parse_bits(word: str | None, option: str) -> Use:
    """Flags of a pair from their names or their sum.

    Parameters
    ----------
    word : str or None
        Like ``RESET_READ,EDGE`` or ``2050``; None for no flag.
    option : str
        For the message.

    Returns
    -------
    rtools.wfi.guide.Use

    Raises
    ------
    UsageError
        There is no such flag.
    """
    found = Use(0)
    for part in (word or "").replace("|", ",").split(","):
        name = part.strip().upper()
        if not name:
            continue
        if name.isdigit() and int(name) <= int(~Use(0)):
            found |= Use(int(name))
        elif name in Use.__members__:
            found |= Use[name]
        else:
            raise UsageError(f"{option} {part.strip()}: not a valid flag", mend=f"they are {' '.join(Use.__members__)}")
    return found


def parse_exposures(words: tuple[str, ...]) -> frozenset[int]:
    """Exposure numbers from words like ``3`` and ``1-4,7``; gaps between exposures are negative, ``-3--1``.

    Parameters
    ----------
    words : tuple of str
        As they were typed.

    Returns
    -------
    frozenset of int

    Raises
    ------
    UsageError
        One is not a number or a range, or its end comes before its begin.
    """
    found: set[int] = set()
    for part in ",".join(words).split(","):
        text = part.strip()
        if not text:
            continue
        ends = EXPOSURES.fullmatch(text)
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (1, 0)
        if first > last:
            raise UsageError(f"--exposure {text}: not a valid number or range", mend="like 3 or 1-4,7")
        found.update(number for number in range(first, last + 1) if number or first == last)  # 0 is none of a visit
    return frozenset(found)


def parse_high_frequency(word: str) -> str | float:
    """What the kernel holds of fast motion.

    Parameters
    ----------
    word : str
        ``none``, ``window``, or mas.

    Returns
    -------
    str or float

    Raises
    ------
    UsageError
        It is none of these.
    """
    if word in ("none", "window"):
        return word
    try:
        mas = float(word)
    except ValueError:
        mas = -1.0
    if not 0 <= mas < 1000:
        raise UsageError(f"--high-frequency {word}: none, window or mas rms")
    return mas


def parse_stages(word: str) -> tuple[str, ...]:
    """Stages from their names.

    Parameters
    ----------
    word : str
        Like ``track`` or ``acq,track``; ``all``.

    Returns
    -------
    tuple of str
        In the order of time.

    Raises
    ------
    UsageError
        There is no such stage.
    """
    wanted = [part.strip() for part in word.lower().split(",") if part.strip()]
    wrong = [part for part in wanted if part not in (*STAGES, "all")]
    if wrong or not wanted:
        raise UsageError(f"--stage {word}: stages are {', '.join(STAGES)}, or all")
    return STAGES if "all" in wanted else tuple(stage for stage in STAGES if stage in wanted)
