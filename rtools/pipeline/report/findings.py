"""What is found in one product for a report: plain values and small arrays, no file is kept open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from rtools.quality import CorrectionField, MosaicQuality, SourceQuality, StarOffsets

__all__ = [
    "AlignmentFindings",
    "CatalogFindings",
    "ExposureFindings",
    "Identity",
    "MemberFindings",
    "MosaicFindings",
    "Pictures",
    "ProductFindings",
    "Provenance",
    "RunRecord",
]


@dataclass(frozen=True)
class Identity:
    """Which product it is.

    Attributes
    ----------
    file : str
        As it was typed.
    mission : str
        ``roman``, ``jwst``, or empty where it is not known.
    kind : str
        In the words of its mission; empty where it is not known.
    detector, element, exposure_type, target, start : str
        Detector, filter (with the pupil of JWST), exposure type, target or program, time of the start; empty where
        the file does not say.
    exposure_time : float
        Seconds; NaN where the file does not say.
    """

    file: str
    mission: str = ""
    kind: str = ""
    detector: str = ""
    element: str = ""
    exposure_type: str = ""
    target: str = ""
    start: str = ""
    exposure_time: float = float("nan")

    @property
    def like(self) -> tuple[object, ...]:
        """What products share that are compared with each other."""
        exposed = round(self.exposure_time, -1) if self.exposure_time == self.exposure_time else None
        return self.mission, self.kind, self.element, self.exposure_type, exposed


@dataclass(frozen=True)
class Pictures:
    """Small pictures of an image.

    Attributes
    ----------
    whole : ndarray float32 (rows, columns)
        Means of blocks; NaN where no pixel is good.
    block : int
        Pixels along each side of a block.
    cut : ndarray float32 (rows, columns) or None
        Pixels around the middle as they are, NaN where bad; None where `whole` shows them.
    segments : ndarray of int (rows, columns) or None
        Labels of the pixels of `cut`, or of `whole` where there is no cut.
    """

    whole: np.ndarray
    block: int
    cut: np.ndarray | None = None
    segments: np.ndarray | None = None


@dataclass(frozen=True)
class ExposureFindings:
    """An exposure.

    Attributes
    ----------
    pixels : int
        Of the image.
    flags : mapping of str to int
        Name of each flag to its number of pixels.
    unit : str
        Of the pixels.
    reads : tuple of (int, int)
        First and last read of each resultant; of JWST those of each group of one integration.
    read_name : str
        Of the read pattern.
    integrations : int
        1 of Roman.
    frame_time : float
        Seconds a read; NaN where the file does not say.
    """

    pixels: int
    flags: Mapping[str, int]
    unit: str = ""
    reads: tuple[tuple[int, int], ...] = ()
    read_name: str = ""
    integrations: int = 1
    frame_time: float = float("nan")


@dataclass(frozen=True)
class AlignmentFindings:
    """The alignment of an image.

    Attributes
    ----------
    status : str
        As `meta.cal_step.tweakreg` says.
    reason : str
        What the log of the file says of it last.
    rotation, scale : float
        Of the correction: degrees, and less 1 in parts of a million; NaN where there is none.
    stars : (ndarray float64 (n,), ndarray float64 (n,)) or None
        Right ascension and declination of bright point sources, degrees; None without a catalog.
    old : (ndarray float64 (n,), ndarray float64 (n,)) or None
        The same before the correction.
    pixels : ndarray float64 (n, 2)
        Where they are in the image, as fractions of its width and height.
    field : CorrectionField or None
        What was moved: of these stars.
    offsets : StarOffsets or None
        Against the same stars of the other exposures of the report.
    """

    status: str
    reason: str = ""
    rotation: float = float("nan")
    scale: float = float("nan")
    stars: tuple[np.ndarray, np.ndarray] | None = None
    old: tuple[np.ndarray, np.ndarray] | None = None
    pixels: np.ndarray | None = None
    field: CorrectionField | None = None
    offsets: StarOffsets | None = None


@dataclass(frozen=True)
class MemberFindings:
    """An image that a mosaic is made of.

    Attributes
    ----------
    name : str
        Of its file.
    sky : str
        The level that was subtracted, as the log of the mosaic says it; empty where it does not.
    outliers : int or None
        Pixels that were called outliers; None where the log does not say.
    share : float
        The same, percent of its pixels; NaN where unknown.
    """

    name: str
    sky: str = ""
    outliers: int | None = None
    share: float = float("nan")


@dataclass(frozen=True)
class MosaicFindings:
    """A mosaic.

    Attributes
    ----------
    quality : rtools.quality.MosaicQuality
        Depth and weight.
    members : tuple of MemberFindings
        Images that it is made of.
    unit : str
        Of the pixels.
    settings : mapping of str to str
        How it was resampled.
    """

    quality: MosaicQuality
    members: tuple[MemberFindings, ...] = ()
    unit: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CatalogFindings:
    """A catalog.

    Attributes
    ----------
    file : str
        Its name.
    band : str
        Of the fluxes, where the catalog has several.
    quality : rtools.quality.SourceQuality
        What its numbers say.
    magnitude, error, size : ndarray float64 (n,)
        Of some of the sources, for plots; NaN where unknown.
    extended : ndarray of bool (n,)
        Which of these are no points.
    size_name : str
        What the size is, with its unit.
    flux_name : str
        The column of the flux.
    """

    file: str
    band: str
    quality: SourceQuality
    magnitude: np.ndarray
    error: np.ndarray
    size: np.ndarray
    extended: np.ndarray
    size_name: str = ""
    flux_name: str = ""


@dataclass(frozen=True)
class Provenance:
    """How a product was made, by itself.

    Attributes
    ----------
    software : str
        What wrote it.
    command : str
        The last command line of its history; empty where it has none.
    steps : mapping of str to str
        Step to its status.
    references : mapping of str to str
        Type to name.
    built_in : bool
        Whether a reference is of the built-in instrument, which is not for science.
    simulated : bool
        Whether its history says that it is simulated.
    options : mapping of str to str
        ``step.option`` to value.
    warnings : tuple of str
        Of its log, each once.
    """

    software: str = ""
    command: str = ""
    steps: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    built_in: bool = False
    simulated: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProductFindings:
    """One product in a report.

    Attributes
    ----------
    identity : Identity
        Which product it is.
    values : mapping of str to float
        Numbers, by the keys of `rtools.quality.METRICS`.
    exposure, alignment, mosaic, catalog, pictures : object or None
        What was found, where it is of that sort.
    provenance : Provenance
        How it was made.
    problem : str
        Why it could not be read; empty where it could.
    remarks : tuple of str
        What could not be read of a file that could: a segmentation map that is damaged.
    """

    identity: Identity
    values: Mapping[str, float] = field(default_factory=dict)
    exposure: ExposureFindings | None = None
    alignment: AlignmentFindings | None = None
    mosaic: MosaicFindings | None = None
    catalog: CatalogFindings | None = None
    pictures: Pictures | None = None
    provenance: Provenance = field(default_factory=Provenance)
    problem: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunRecord:
    """One input of a run, by the log of the run.

    Attributes
    ----------
    input : str
        As the log names it.
    status : str
        ``done``, ``failed`` or another word of the log.
    outputs : tuple of str
        Files that were made.
    exit_code : int or None
        Where it failed.
    error : str
        Why it failed.
    warnings : tuple of str
        What was warned of.
    seconds : float
        On the clock; NaN where the log does not say.
    steps : mapping of str to float
        Seconds of each step, summed over threads.
    memory : float
        Peak of the process, bytes; NaN where the log does not say.
    more : mapping of str to object
        What else the log says in single values.
    """

    input: str
    status: str
    outputs: tuple[str, ...] = ()
    exit_code: int | None = None
    error: str = ""
    warnings: tuple[str, ...] = ()
    seconds: float = float("nan")
    steps: Mapping[str, float] = field(default_factory=dict)
    memory: float = float("nan")
    more: Mapping[str, Any] = field(default_factory=dict)
