"""Images of exposures on disk while their median is wanted: a nameless file, read and written, never mapped."""

import os
import tempfile

import numpy as np

from rtools.errors import RtoolsError
from rtools.mosaic.outlier import mask_low_weight, median_of, weight_threshold
from rtools.products.encode import write_at

__all__ = ["Spool", "median_plane"]

AT_ONCE = 1 << 27
"""Bytes of all images that one median is taken of."""


class Spool:
    """Images on disk, float32, of parts of one grid.

    Parameters
    ----------
    folder : str or Path
        Where the file is; it has no name and is gone when the process ends.
    shape : (int, int)
        Of the grid.
    """

    def __init__(self, folder, shape):
        self.folder, self.shape = folder, tuple(shape)
        self.size = 0
        self._images = []
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        except OSError as error:
            raise RtoolsError(f"cannot be written ({(error.strerror or str(error)).lower()})", path=folder) from None

    def __len__(self):
        return len(self._images)

    def put(self, image, weight, maskpt, place=(0, 0)):
        """Keep an image whose first pixel is this one; NaN where its weight is 0, or below MASKPT of its mean weight.

        It is changed.
        """
        mask_low_weight(image, weight, weight_threshold(weight, maskpt))
        image[weight == 0] = np.nan
        rows, columns = (slice(first, first + size) for first, size in zip(place, image.shape, strict=True))
        kept = np.ascontiguousarray(image)
        try:
            write_at(self._file.fileno(), kept.reshape(-1).view(np.uint8), self.size)
        except OSError as error:
            text = f"no room for the images of the exposures ({(error.strerror or str(error)).lower()})"
            raise RtoolsError(text, path=self.folder) from None
        self._images.append((self.size, rows, columns))
        self.size += kept.nbytes

    def rows(self, first, last):
        """Rows [first, last) of all images, NaN where one has nothing: ndarray (images, rows, columns)."""
        out = np.full((len(self._images), last - first, self.shape[1]), np.nan, np.float32)
        for plane, (place, rows, columns) in zip(out, self._images, strict=True):
            start, stop = max(first, rows.start), min(last, rows.stop)
            if start < stop:
                pitch = 4 * (columns.stop - columns.start)
                data = os.pread(self._file.fileno(), (stop - start) * pitch, place + (start - rows.start) * pitch)
                plane[start - first : stop - first, columns] = np.frombuffer(data, np.float32).reshape(stop - start, -1)
        return out

    def close(self):
        """Give the disk back."""
        self._file.close()


def median_plane(spool, workers):
    """Median of the images, pixel by pixel: ndarray float32 of the whole grid."""
    out = np.empty(spool.shape, np.float32)
    room = AT_ONCE // workers.threads
    height = max(1, min(256, room // (4 * spool.shape[1] * (len(spool) + 1))))

    def work(first):
        last = min(first + height, spool.shape[0])
        median_of(spool.rows(first, last), out[first:last])

    list(workers.pool.map(work, range(0, spool.shape[0], height)))
    return out
