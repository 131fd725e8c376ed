"""Where strips go: the planes of an image in memory, or a ramp product written as it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from rtools.exposure.frame import Strip
    from rtools.products.io.ramp import RampWriter

import numpy as np

from rtools.pipeline.exposure.source import IMAGE_PLANES
from rtools.work.half import round_to_half

__all__ = ["ImageSink", "RampSink"]


class ImageSink:
    """Planes of a trimmed image, in the dtypes in which the product will hold them.

    float32 goes through the chain to this point; here err, variances, chisq and dumo are rounded once to what the
    profile stores (float16 in 2.x), and values that overflow to infinity are counted.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns) of the full frame.
    dtypes : dict of str to dtype
        Planes to keep, and their dtype.

    Attributes
    ----------
    planes : dict of str to ndarray (rows, columns)
        By name, of the trimmed frame; whole when all strips have been put.
    """

    def __init__(self, shape: Sequence[int], dtypes: Mapping[str, DTypeLike]):
        self._shape = tuple(shape)
        self._dtypes = {name: np.dtype(dtypes[name]) for name in IMAGE_PLANES if name in dtypes}
        self.planes: dict[str, np.ndarray] = {}
        self._jumps: dict[int, np.ndarray] = {}
        self._overflows: dict[tuple[str, int], int] = {}

    def put(self, strip: Strip) -> None:
        """Take a strip's planes; the same strip again replaces what it gave.

        Parameters
        ----------
        strip : rtools.exposure.frame.Strip
            Of an image; copied.
        """
        if strip.image is None:
            raise ValueError("a strip of a ramp, not of an image")
        span = strip.trimmed
        for name, dtype in self._dtypes.items():
            if name not in strip.image:
                continue
            plane = self._plane(name, dtype, strip.image[name].shape[0])
            if dtype == np.float16:
                self._overflows[name, strip.start] = round_to_half(strip.image[name], plane, span.start)
            else:
                plane[:, span] = strip.image[name]
        if strip.jumps is not None:
            self._jumps[strip.start] = strip.jumps

    def _plane(self, name, dtype, rows):
        if name not in self.planes:
            border = self._shape[0] - rows
            fresh = np.empty((rows, self._shape[1] - border), dtype)
            return self.planes.setdefault(name, fresh)  # one of two threads wins
        return self.planes[name]

    def overflows(self) -> dict[str, int]:
        """Finite values that became infinite when rounded, by plane."""
        totals: dict[str, int] = {}
        for (name, _start), count in self._overflows.items():
            totals[name] = totals.get(name, 0) + count
        return {name: count for name, count in totals.items() if count}

    def jumps(self) -> np.ndarray | None:
        """Jump positions of the frame, int16 (n, 3), ordered by resultant, row, column; None where not recorded."""
        if not self._jumps:
            return None
        found = np.concatenate([self._jumps[start] for start in sorted(self._jumps)])
        return found[np.lexsort((found[:, 2], found[:, 1], found[:, 0]))]


class RampSink:
    """A ramp product written strip by strip.

    Parameters
    ----------
    writer : rtools.products.io.ramp.RampWriter
        The product, open.
    """

    def __init__(self, writer: RampWriter):
        self.writer = writer
        self._seen: set[int] = set()

    def put(self, strip: Strip) -> None:
        """Write a strip, once: a repeated sweep for the fit changes nothing here.

        Parameters
        ----------
        strip : rtools.exposure.frame.Strip
            Of a ramp, without a halo.
        """
        if strip.start in self._seen:
            return
        data, groupdq, pixeldq = strip.data, strip.groupdq, strip.pixeldq
        if data is None or groupdq is None or pixeldq is None:
            raise ValueError("a strip of an image, not of a ramp")
        self._seen.add(strip.start)
        self.writer.put(strip.start, strip.stop, data, groupdq, pixeldq)
