"""One stage of guiding: the windows of acquisition, of acquisition at an edge of the spectrum, or of tracking."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError
from rtools.products.guide.downlink import Downlinked, choose
from rtools.products.io import Product
from rtools.wfi.guide import GuideTable

__all__ = ["PREFIXES", "SECTIONS", "GuideStage"]

SECTIONS = {"acq": "acq_data", "edge": "edge_acq_data", "track": "track_data"}
"""Name of each stage, and its section."""

PREFIXES = {"acq": "acq", "edge": "edge_acq", "track": "track"}
"""How the names of its centroids, its amp33 and its metadata begin."""


@dataclass(frozen=True, eq=False)
class GuideStage:
    """The pairs of one stage; pixels are read when they are asked for.

    Attributes
    ----------
    name : str
        ``acq``, ``edge`` or ``track``.
    pairs : int
        How many; 0 for an empty section.
    shape : tuple of int or None
        Rows and columns of the windows; None where there are no pixels.
    lower, upper : ndarray int32, (n, 2), or None
        x, y of the first pixel of each window, and one past the last; 0-based in the frame of 4096.
    pedestal_t, signal_t : ndarray float64, (n)
        Ends of the resultants, seconds since the guiding began; NaN where there is none.
    t, mjd : ndarray float64, (n)
        Centre of a pair, that is the middle between the mean times of the readings of its pedestal and of its signal:
        seconds since the guiding began, and as Modified Julian Date (UTC).
    reset_read, reset_impacted : ndarray bool, (n)
        Read during a reset read of the full frame; spoiled by it.
    packet_counts : ndarray int32, (n, 2), or None
        Last row of the full frame read before pedestal and signal.
    sce_status, resultant_err, min_bind, max_bind : ndarray bool, (n, 2)
        Flags of pedestal and signal; False where the file has none.
    offsets : ndarray int32, (n)
        Constant that was added to the stored values, DN.
    exposure : ndarray int32, (n)
        Number of the science exposure; negative between exposures, 0 where it is unknown.
    centroids, centroid_errs : ndarray float32, (n, m, 2) and (n, m, 3), or None
        Downlinked x, y and XX, YY, XY; m is 1 or 5.
    centroid_quality : ndarray of str, (n, m), or None
        Their words.
    centroid_t : ndarray float64, (n)
        Their times, seconds since the guiding began; NaN where there is none.
    table : GuideTable or None
        How the windows are read, where the table that the file names is known.
    cycles_per_read : int or None
        Pairs in one read of the full frame.
    pedestal_exptime, signal_exptime : float or None
        Effective times since the reset, seconds.
    exptime : float or None
        Exposure time of the difference of signal and pedestal, seconds.
    cycle_s : float
        Seconds from a pair to the next; NaN where nothing tells.
    has : frozenset of str
        Names of the arrays that the file has of this stage, as ``pedestal_resultants`` or ``centroids``.
    """

    name: str
    pairs: int
    shape: tuple[int, int] | None
    lower: NDArray[np.int32] | None
    upper: NDArray[np.int32] | None
    pedestal_t: NDArray[np.float64]
    signal_t: NDArray[np.float64]
    t: NDArray[np.float64]
    mjd: NDArray[np.float64]
    reset_read: NDArray[np.bool_]
    reset_impacted: NDArray[np.bool_]
    packet_counts: NDArray[np.int32] | None
    sce_status: NDArray[np.bool_]
    resultant_err: NDArray[np.bool_]
    min_bind: NDArray[np.bool_]
    max_bind: NDArray[np.bool_]
    offsets: NDArray[np.int32]
    exposure: NDArray[np.int32]
    centroids: NDArray[np.float32] | None
    centroid_errs: NDArray[np.float32] | None
    centroid_quality: NDArray[np.str_] | None
    centroid_t: NDArray[np.float64]
    table: GuideTable | None
    cycles_per_read: int | None
    pedestal_exptime: float | None
    signal_exptime: float | None
    exptime: float | None
    cycle_s: float
    has: frozenset[str]
    product: Product = field(repr=False)
    expected: tuple[float, float] | None = field(default=None, repr=False)
    """x, y of the pixel at which the metadata expect the star."""

    def pedestals(self, first: int, last: int) -> NDArray[np.uint16]:
        """Pedestals of some pairs; nothing else is decoded.

        Parameters
        ----------
        first, last : int
            Pairs [first, last).

        Returns
        -------
        ndarray uint16, (last - first, rows, columns)
            DN, the offset included.

        Raises
        ------
        InputError
            The file has none, or they are damaged.
        """
        return self._pixels("pedestal_resultants", first, last)

    def signals(self, first: int, last: int) -> NDArray[np.uint16]:
        """Signals of some pairs, as `pedestals`.

        Parameters
        ----------
        first, last : int
            Pairs [first, last).

        Returns
        -------
        ndarray uint16, (last - first, rows, columns)
            DN, the offset included.

        Raises
        ------
        InputError
            The file has none, or they are damaged.
        """
        return self._pixels("signal_resultants", first, last)

    def amp33_pedestals(self, first: int, last: int) -> NDArray[np.uint16] | None:
        """Pedestals of the reference output for some pairs.

        Parameters
        ----------
        first, last : int
            Pairs [first, last).

        Returns
        -------
        ndarray uint16, (last - first, rows, columns), or None
            With the rows of the window, DN; None where the file has none.

        Raises
        ------
        InputError
            They are damaged.
        """
        return self._pixels("amp33_pedestals", first, last) if "amp33_pedestals" in self.has else None

    def amp33_signals(self, first: int, last: int) -> NDArray[np.uint16] | None:
        """Signals of the reference output for some pairs, as `amp33_pedestals`.

        Parameters
        ----------
        first, last : int
            Pairs [first, last).

        Returns
        -------
        ndarray uint16, (last - first, rows, columns), or None
            With the rows of the window, DN; None where the file has none.

        Raises
        ------
        InputError
            They are damaged.
        """
        return self._pixels("amp33_signals", first, last) if "amp33_signals" in self.has else None

    def downlinked(self) -> Downlinked:
        """The downlinked centroid of each pair; of several that which is nearest to the one before, in the window.

        The first is looked for at the place that the metadata expect where that is in the window, else in its middle.

        Returns
        -------
        Downlinked
            NaN and empty words where there is none.
        """
        nothing = np.full((self.pairs, 1, 2), np.nan)
        centroids = nothing if self.centroids is None else self.centroids
        origin = np.zeros((self.pairs, 2), np.int32) if self.lower is None else self.lower
        return choose(centroids, self.centroid_errs, self.centroid_quality, origin=origin, start=self._start())

    def _start(self):
        """x, y in the window where the star should be."""
        if self.shape is None or self.lower is None or not self.pairs:
            return self.expected or (0.0, 0.0)
        rows, columns = self.shape
        if self.expected is not None:
            x, y = (float(place - first) for place, first in zip(self.expected, self.lower[0], strict=True))
            if -0.5 <= x < columns - 0.5 and -0.5 <= y < rows - 0.5:
                return x, y
        return (columns - 1) / 2, (rows - 1) / 2

    def _pixels(self, name, first, last):
        if name not in self.has:
            raise InputError(f"the array {SECTIONS[self.name]}.{name} is missing", path=self.product.path)
        prefix = PREFIXES[self.name]
        path = f"amp33.amp33_{prefix}_{name[6:]}" if name.startswith("amp33_") else f"{SECTIONS[self.name]}.{name}"
        return np.ascontiguousarray(self.product.rows(path, first, last)).astype(np.uint16, copy=False)
