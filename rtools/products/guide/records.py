"""What is told of a guide-window or FACE file: its summary, its stages, exposures and phases, its star."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ExpectedStar",
    "ExposureSummary",
    "FaceSummary",
    "GuideSummary",
    "PhaseSummary",
    "StageSummary",
]


@dataclass(frozen=True)
class StageSummary:
    """One stage of a guide-window file.

    Attributes
    ----------
    name : str
        ``acq``, ``edge`` or ``track``.
    pairs : int
        How many.
    rows, columns : int or None
        Size of the windows; None where there are no pixels.
    table : str or None
        Name of the readout table.
    cycle_s, exptime : float or None
        Seconds from a pair to the next, and exposure time of a difference.
    start_s, stop_s : float or None
        Centres of the first and the last pair, seconds since the guiding began.
    gaps : int
        Pairs that come later than they should.
    moves : int
        Pairs whose window is elsewhere than that of the pair before.
    x_min, y_min, x_max, y_max : int or None
        First pixel of all windows, and one past the last.
    """

    name: str
    pairs: int
    rows: int | None
    columns: int | None
    table: str | None
    cycle_s: float | None
    exptime: float | None
    start_s: float | None
    stop_s: float | None
    gaps: int
    moves: int
    x_min: int | None
    y_min: int | None
    x_max: int | None
    y_max: int | None


@dataclass(frozen=True)
class ExposureSummary:
    """The tracked pairs of one exposure, or of one gap between exposures.

    Attributes
    ----------
    number : int
        Of the exposure; negative for gaps, 0 where it is unknown.
    pairs : int
        How many.
    start_s, stop_s : float or None
        Centres of the first and the last, seconds since the guiding began.
    start_mjd, stop_mjd : float or None
        The same as Modified Julian Date (UTC).
    flags : dict of str to int
        Pairs with each flag; those that none has are left out.
    """

    number: int
    pairs: int
    start_s: float | None
    stop_s: float | None
    start_mjd: float | None
    stop_mjd: float | None
    flags: dict[str, int]


@dataclass(frozen=True)
class ExpectedStar:
    """The star, as the metadata have it; None for what they do not know.

    Attributes
    ----------
    name : str or None
        In the Guide Star Catalog.
    ra, dec : float or None
        Degrees.
    x, y : float or None
        Pixel at which it was expected.
    magnitude, count_rate : float or None
        As predicted.
    """

    name: str | None
    ra: float | None
    dec: float | None
    x: float | None
    y: float | None
    magnitude: float | None
    count_rate: float | None


@dataclass(frozen=True)
class GuideSummary:
    """A guide-window file.

    Attributes
    ----------
    window_id, detector, element : str
        Identifier of the window, and where it was.
    edge : str or None
        Edge of the spectrum by which is guided.
    modes : tuple of str
        Modes of fine guidance that were used.
    start, stop : str or None
        When the guiding began and ended (UTC).
    stages : tuple of StageSummary
        In the order of time.
    exposures : tuple of ExposureSummary
        Of tracking, in the order of time, gaps too.
    flags : dict of str to int
        Pairs of all stages with each flag; those that none has are left out.
    centroids : dict of str to int
        Pairs with a downlinked centroid, by its word; ``none`` counts those without.
    star : ExpectedStar
        As the metadata have it.
    face_file : str or None
        Name of the FACE file.
    remarks : tuple of str
        What was read otherwise than the schema has it.
    """

    window_id: str
    detector: str
    element: str
    edge: str | None
    modes: tuple[str, ...]
    start: str | None
    stop: str | None
    stages: tuple[StageSummary, ...]
    exposures: tuple[ExposureSummary, ...]
    flags: dict[str, int]
    centroids: dict[str, int]
    star: ExpectedStar
    face_file: str | None
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class PhaseSummary:
    """One run of a phase of fine guidance.

    Attributes
    ----------
    name : str
        Of the phase.
    rows, good : int
        Attitudes, and those that can be used.
    start_s, stop_s : float or None
        First and last time, seconds since the guiding began.
    """

    name: str
    rows: int
    good: int
    start_s: float | None
    stop_s: float | None


@dataclass(frozen=True)
class FaceSummary:
    """A FACE file.

    Attributes
    ----------
    window_id, element : str
        Identifier of the window, and optical element.
    modes : tuple of str
        Modes of fine guidance that were used.
    start, stop : str or None
        When the guiding began and ended (UTC).
    rows, good : int
        Attitudes, and those that can be used.
    cycle_s : float or None
        Seconds from an attitude to the next.
    phases : tuple of PhaseSummary
        In the order of time.
    quality : dict of str to int
        Attitudes with each word.
    stars : tuple of int or None
        Least and most stars of good attitudes.
    detectors : dict of str to str
        Guide-window file of each detector that has one.
    guiding : tuple of str
        Detectors whose windows were to guide.
    remarks : tuple of str
        What was read otherwise than the schema has it.
    """

    window_id: str
    element: str
    modes: tuple[str, ...]
    start: str | None
    stop: str | None
    rows: int
    good: int
    cycle_s: float | None
    phases: tuple[PhaseSummary, ...]
    quality: dict[str, int]
    stars: tuple[int, int] | None
    detectors: dict[str, str]
    guiding: tuple[str, ...]
    remarks: tuple[str, ...]
