"""A reference of which an image needs a part: the image was cut out of the frame."""

import threading
from functools import partial

from rtools.work import ALONE

__all__ = ["Part"]


class Part:
    """A reference source whose planes are cut to a section; all else is that of the whole.

    Parameters
    ----------
    source : reference source
        Of the whole reference.
    origin : (int, int)
        Column and row of the whole at which the section begins.
    sizes : dict
        Array name to the rows and columns that are left of it.
    """

    def __init__(self, source, origin, sizes):
        self._source, self._origin, self._sizes = source, origin, sizes
        self._lock, self._parts = threading.Lock(), {}

    def __getattr__(self, name):
        return getattr(self._source, name)

    def shape(self, array):
        """Shape of an array."""
        return (*self._source.shape(array)[:-2], *self._sizes[array])

    def columns(self, array, start, stop, work=ALONE):
        """``array[..., start:stop]`` of the section."""
        return self.array(array, work)[..., start:stop]

    def spans(self, array, spans):
        """A `rtools.products.io.reading.Reading` of the columns [start, stop) of each span of the section."""
        from rtools.products.io.reading import one_by_one

        leading = self.shape(array)[:-1]
        shapes = [(*leading, stop - start) for start, stop in spans]
        return one_by_one(partial(self.columns, array), spans, shapes, self._source.dtype(array))

    def array(self, array, work=ALONE):
        """The whole section, which is kept."""
        with self._lock:
            if array not in self._parts:
                (x, y), (rows, columns) = self._origin, self._sizes[array]
                band = self._source.columns(array, x, x + columns, work=work)
                self._parts[array] = band[..., y : y + rows, :].copy()
            return self._parts[array]
