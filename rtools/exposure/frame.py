"""What a step of the exposure chain is given: the exposure, and strips of it.

The detector is read by 32 channels of 128 columns. After one look at the reference columns a channel needs nothing
from its neighbours, so the strip (one channel, all rows, all resultants) is the unit of work.

The declaration of a step (`rtools.declare.Step`) holds its functions. Depending on its kind these are

``prepare(exposure, view, refs, options)``
    (optional) once per exposure, before any strip: what the step needs from the whole frame. Returns anything (handed
    to `apply`), or `rtools.declare.Skip` / `NotApplicable`. `refs` holds the declared ``nodes`` only.
``apply(strip, refs, options, prepared)``
    (ramp, fit, image) works in place on one strip, on any thread; returns a dict of counts to be summed, or None.
    ``refs[type][array]`` is cut to the strip. A type that the user refused is missing from `refs`.
``halo(options)``
    (optional, ramp) columns needed on either side of the strip.
``revise(prepared, options)``
    (optional, fit) after all strips: a list of channels to be done again, because flags moved across strips.
``apply(exposure, refs, options, prepared)``
    (frame) changes ``exposure.meta``.
``report(counts, options)``
    (optional) list of ("info" | "warning", text) for the log, from the summed counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from rtools.wfi.frame import BORDER, CHANNEL, FRAME, science_slices

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Exposure", "Strip", "View", "given"]

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class Exposure:
    """One exposure as the steps see it: metadata, and what belongs to the frame and not to a strip.

    Attributes
    ----------
    meta : dict
        The tree below ``roman.meta``; frame steps change it.
    shape : tuple of int
        (resultants, rows, columns) of the full frame, border included.
    amp33 : ndarray, uint16, (resultants, rows, 128)
        The reference output, in DN; dq_init restores it (`reference_amp33` added, encoding offset subtracted).
    reference_amp33 : ndarray or None, uint16, (rows, 128)
        As in the L1 file; dq_init sets it to None.
    borders : dict of str to ndarray
        ``border_ref_pix_{left,right,top,bottom}`` float32 and ``dq_border_ref_pix_*`` uint32, as dq_init leaves them.
    log : callable
        ``log(level, text)``, level "info" or "warning"; ends in `meta.cal_logs` and on stderr.
    raw : bool
        Whether the strips come from an L1 file.
    origin : (int, int)
        Column and row of the image's first pixel in the frame without border; not 0, 0 for a cutout.
    """

    meta: dict[str, Any]
    shape: tuple[int, int, int]
    amp33: np.ndarray | None = None
    reference_amp33: np.ndarray | None = None
    borders: dict[str, np.ndarray] = field(default_factory=dict)
    log: Callable[[str, str], None] = lambda level, text: None
    raw: bool = True
    origin: tuple[int, int] = (0, 0)

    @property
    def detector(self) -> str:
        """Detector name, ``WFI01``."""
        return self.meta["instrument"]["detector"]

    @property
    def read_pattern(self) -> list[list[int]]:
        """List of lists of 1-based read numbers, one list per resultant."""
        return self.meta["exposure"]["read_pattern"]

    @property
    def frame_time(self) -> float:
        """Seconds per read."""
        return float(self.meta["exposure"]["frame_time"])


@dataclass
class Strip:
    """Some columns of an exposure; steps work on it in place.

    Attributes
    ----------
    start, stop : int
        Full-frame columns [start, stop), border included in the numbering.
    data : ndarray (resultants, rows, columns)
        uint16 as read from L1; float32 from dq_init on; DN. None once the ramp is fitted.
    groupdq : ndarray uint8, same shape
        None in a strip fresh from an L1 file without `resultantdq`.
    pixeldq : ndarray uint32, (rows, columns)
        None in a strip fresh from L1.
    reference_read : ndarray uint16 (rows, columns) or None
        The L1 reference read, until dq_init adds it.
    image : dict of str to ndarray, (rows - 8, science columns)
        After the fit: data, err, var_poisson, var_rnoise, chisq, dumo float32, dq uint32; var_flat when asked for.
        Science columns are those of [start, stop) inside the border.
    jumps : ndarray int16 (n, 3) or None
        Jump positions (resultant, y, x) in the trimmed frame.
    frame_columns, frame_rows : int
        Size of the full frame.
    """

    start: int
    stop: int
    data: np.ndarray | None
    groupdq: np.ndarray | None
    pixeldq: np.ndarray | None
    frame_rows: int = FRAME
    frame_columns: int = FRAME
    reference_read: np.ndarray | None = None
    image: dict[str, np.ndarray] | None = None
    jumps: np.ndarray | None = None

    @property
    def channel(self) -> int:
        """Readout channel, 0-based, of the strip's first column."""
        return self.start // CHANNEL

    @property
    def science(self) -> tuple[slice, slice]:
        """(rows, columns) slices into the strip of its pixels inside the border."""
        return science_slices(self.start, self.stop, self.frame_rows, self.frame_columns)

    @property
    def trimmed(self) -> slice:
        """Slice of columns of the trimmed (4088) frame that the strip covers."""
        first = max(self.start, BORDER) - BORDER
        return slice(first, max(first, min(self.stop, self.frame_columns - BORDER) - BORDER))


def given(part: Item | None) -> Item:
    """What a strip has at some place of the chain: the order of the steps sees to it.

    Parameters
    ----------
    part : object or None
        An attribute of the strip: its data, its flags, its image.

    Returns
    -------
    object
        The same.

    Raises
    ------
    ValueError
        The strip does not have it.
    """
    if part is None:
        raise ValueError("a strip of another place of the chain: it does not have what the step works on")
    return part


class View:
    """The exposure as the steps before this one leave it; what `prepare` may look at.

    The engine implements it; tests may pass any object with these methods.
    """

    def strip(self, start: int, stop: int) -> Strip:
        """The `Strip` of full-frame columns [start, stop) with all earlier steps applied."""
        raise NotImplementedError

    def map_channels(self, function: Callable[[Strip], Result]) -> list[Result]:
        """``[function(strip) for each channel]``, in channel order, on the engine's threads."""
        raise NotImplementedError

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """``[function(item) for each item]``, on the engine's threads."""
        return [function(item) for item in items]
