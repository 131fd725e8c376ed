"""What is to be simulated: a file name and settings in, one complete `SimulationRequest` out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtools.errors import UsageError
from rtools.simulate import assumed
from rtools.wfi import instrument
from rtools.wfi.exposure_types import DARK_TYPES, SKY_IMAGE_TYPES, SKY_TYPES, reading_of
from rtools.wfi.frame import FRAME

if TYPE_CHECKING:
    from rtools.simulate.guide.request import AcquisitionRequest

__all__ = ["SimulationRequest", "exposure_type_of", "parse_reads", "reads_of"]


@dataclass(frozen=True)
class SimulationRequest:
    """One exposure to simulate.

    Attributes
    ----------
    root : str
        Name without suffix; part of every noise stream, so that exposures of one seed differ.
    detector, element, exposure_type : str
        As in the metadata: ``WFI01``, ``F158``, ``WFI_IMAGE``.
    identity : dict of str to object
        Metadata that the name gives, dotted path to value.
    table : rtools.wfi.instrument.MaTable
        With number None for a read pattern that is in no table.
    ra, dec, pa : float
        Of the aperture WFI_CEN, degrees.
    date : str
        Start of the exposure, ISO, UTC.
    scene_seed, seed : int
        Of the sky, and of the noise of the exposure.
    sky : float or None
        Background, electron/s/pixel, instead of the assumed one.
    crowded : int or None
        Stars per detector of a crowded field.
    pink_noise : float or None
        1/f noise of each channel and of amp33, electrons rms per frame, instead of the assumed one.
    cosmic_rays : bool
        Whether there are any.
    encoding_offset : int
        DN added to what is sent down.
    reference_read : bool
        Whether a read before the exposure is subtracted from all resultants, and kept beside them.
    guide_window : str or (int, int) or None
        ``auto``, (x, y) of its first pixel in the full frame, or None.
    jitter : (float, float, float) or None
        That of the image: rms along two perpendicular axes, mas, and the position angle of the first, degrees from +y
        toward +x; None for that of the epsf reference.
    guide : rtools.simulate.guide.request.AcquisitionRequest or None
        The acquisition whose windows are made.
    size : int
        Rows and columns of the frame; 4096, less for tests (the corner of the full frame).
    """

    root: str
    detector: str
    element: str
    exposure_type: str
    identity: Mapping[str, Any]
    table: instrument.MaTable
    ra: float = assumed.POSITION["ra"]
    dec: float = assumed.POSITION["dec"]
    pa: float = assumed.POSITION["pa"]
    date: str = assumed.START_TIME
    scene_seed: int = 0
    seed: int = 0
    sky: float | None = None
    crowded: int | None = None
    pink_noise: float | None = None
    cosmic_rays: bool = True
    encoding_offset: int = 0
    reference_read: bool = False
    guide_window: str | tuple[int, int] | None = "auto"
    jitter: tuple[float, float, float] | None = None
    guide: AcquisitionRequest | None = None
    size: int = FRAME

    @property
    def stream(self) -> tuple[str, int, str]:
        """What this exposure's noise is keyed by."""
        return ("exposure", self.seed, self.root)

    @property
    def frame_time(self) -> float:
        """Seconds per read."""
        return instrument.frame_time(self.exposure_type)

    @property
    def dispersed(self) -> bool:
        """Whether sources leave traces."""
        return self.element in instrument.SPECTRAL_ELEMENTS

    @property
    def dark(self) -> bool:
        """Whether no light at all comes in."""
        return self.exposure_type in DARK_TYPES or self.element == "DARK"

    @property
    def has_sky(self) -> bool:
        """Whether sources and sky are seen."""
        return not self.dark and self.exposure_type in SKY_TYPES

    @property
    def flattened(self) -> bool:
        """Whether the chain divides this type of exposure by the flat."""
        return self.exposure_type in SKY_IMAGE_TYPES

    def as_parameters(self) -> dict[str, Any]:
        """The request as plain values, for the history."""
        kept = (
            "exposure_type",
            "ra",
            "dec",
            "pa",
            "date",
            "scene_seed",
            "seed",
            "sky",
            "crowded",
            "pink_noise",
            "cosmic_rays",
            "encoding_offset",
            "reference_read",
            "size",
            "guide_window",
        )
        values = {key: getattr(self, key) for key in kept} | {"read_pattern": self.table.read_pattern}
        values |= {} if self.jitter is None else {"jitter": self.jitter}
        return values if self.guide is None else values | {"guide": self.guide.as_parameters()}


def exposure_type_of(element: str) -> str:
    """The usual exposure type of an optical element.

    Parameters
    ----------
    element : str
        ``F158``, ``GRISM``, ``DARK`` …

    Returns
    -------
    str
        ``WFI_IM_DARK``, ``WFI_SPECTRAL`` for the dispersers, else ``WFI_IMAGE``.
    """
    if element == "DARK":
        return "WFI_IM_DARK"
    return "WFI_SPECTRAL" if element in instrument.SPECTRAL_ELEMENTS else "WFI_IMAGE"


def reads_of(
    word: str | None, exposure_type: str, tables: Mapping[str, instrument.MaTable] | None = None
) -> instrument.MaTable:
    """The MultiAccum table of a word: table name, number or id, or explicit reads.

    Parameters
    ----------
    word : str or None
        None for the usual table of the exposure type.
    exposure_type : str
        As in the metadata; asked only where there is no word.
    tables : dict of str to MaTable, optional
        Further tables by name, number and id, from a matable reference file; asked first.

    Returns
    -------
    MaTable
        Without number and name where the reads were given themselves.

    Raises
    ------
    UsageError
        No such table, or the reads do not increase.
    """
    if word is None:
        word = assumed.TABLES[reading_of(exposure_type)]
    if tables and word.upper() in tables:
        return tables[word.upper()]
    if ";" in word or "," in word or "-" in word:
        return instrument.MaTable(None, "", parse_reads(word))
    return instrument.ma_table(word)


def parse_reads(text: str) -> list[list[int]]:
    """Reads of each resultant from text like ``1;2-3;4,6,8``.

    Parameters
    ----------
    text : str
        Resultants between semicolons; of each, reads or ranges of reads between commas.

    Returns
    -------
    list of list of int
        Numbers of the reads, from 1.

    Raises
    ------
    UsageError
        It is not a list of increasing read numbers.
    """
    pattern = []
    for part in text.split(";"):
        reads: list[int] = []
        for word in part.split(","):
            first, dash, last = word.strip().partition("-")
            try:
                reads += range(int(first), int(last if dash else first) + 1)
            except ValueError:
                raise UsageError(f"read pattern {text!r}: {word!r} is not a read number or range") from None
        pattern.append(reads)
    flat = [read for reads in pattern for read in reads]
    if any(not reads for reads in pattern) or flat != sorted(set(flat)) or flat[0] < 1:
        raise UsageError(f"read pattern {text!r}: reads must increase from 1 on", mend="write it as 1;2-3;4-9")
    return pattern
