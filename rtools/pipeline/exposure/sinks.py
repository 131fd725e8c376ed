"""Where strips go: the planes of an image in memory, or a ramp product written as it comes."""

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
    """

    def __init__(self, shape, dtypes):
        self._shape = tuple(shape)
        self._dtypes = {name: np.dtype(dtypes[name]) for name in IMAGE_PLANES if name in dtypes}
        self.planes = {}
        self._jumps = {}
        self._overflows = {}

    def put(self, strip):
        """Take a strip's planes."""
        span = strip.trimmed
        for name, dtype in self._dtypes.items():
            if name not in strip.image:
                continue
            plane = self._plane(name, dtype, strip)
            if dtype == np.float16:
                self._overflows[name, strip.start] = round_to_half(strip.image[name], plane, span.start)
            else:
                plane[:, span] = strip.image[name]
        if strip.jumps is not None:
            self._jumps[strip.start] = strip.jumps

    def _plane(self, name, dtype, strip):
        if name not in self.planes:
            rows = strip.image[name].shape[0]
            border = self._shape[0] - rows
            fresh = np.empty((rows, self._shape[1] - border), dtype)
            return self.planes.setdefault(name, fresh)  # one of two threads wins
        return self.planes[name]

    def overflows(self):
        """Finite values that became infinite when rounded, by plane."""
        totals = {}
        for (name, _start), count in self._overflows.items():
            totals[name] = totals.get(name, 0) + count
        return {name: count for name, count in totals.items() if count}

    def jumps(self):
        """Jump positions of the frame, int16 (n, 3), ordered by resultant, row, column; None where not recorded."""
        if not self._jumps:
            return None
        found = np.concatenate([self._jumps[start] for start in sorted(self._jumps)])
        return found[np.lexsort((found[:, 2], found[:, 1], found[:, 0]))]


class RampSink:
    """A ramp product written strip by strip.

    Parameters
    ----------
    writer : rtools.products.io.writer.RampWriter
    """

    def __init__(self, writer):
        self.writer = writer
        self._seen = set()

    def put(self, strip):
        """Write a strip, once: a repeated sweep for the fit changes nothing here."""
        if strip.start not in self._seen:
            self._seen.add(strip.start)
            self.writer.put(strip.start, strip.stop, strip.data, strip.groupdq, strip.pixeldq)
