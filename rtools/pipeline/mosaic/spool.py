"""Images of exposures while their median is wanted: in memory, or in nameless files, read and written, never mapped."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import RtoolsError
from rtools.mosaic.outlier.median import mask_low_weight, median_of, weight_threshold
from rtools.products.io.encode import write_at
from rtools.work.loops import in_rows

if TYPE_CHECKING:
    from rtools.pipeline.mosaic.workers import Workers
    from rtools.work import Work
__all__ = ["Spool", "SpooledPlane", "median_plane"]

AT_ONCE = 1 << 27
"""Bytes of all images that one median is taken of."""


class _Piece(NamedTuple):
    """Part of an image: where it is in the file, and on the grid; the pixels where they are in memory."""

    start: int
    rows: slice
    columns: slice
    held: np.ndarray | None = None

    @property
    def shape(self):
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start


class Spool:
    """Images, float32, of parts of one grid.

    Parameters
    ----------
    folder : str, Path or None
        Where the files are; they have no name and are gone when the process ends. None: images stay in memory.
    shape : (int, int)
        Rows and columns of the grid.
    work : rtools.work.Work
        Its threads share the rows.

    Attributes
    ----------
    size : int
        Bytes on disk.
    """

    def __init__(self, folder: str | Path | None, shape: Sequence[int], work: Work):
        self.folder, self.shape, self._work = folder, tuple(shape), work
        self.size = 0
        self._images: list[list[_Piece]] = []
        self._file: IO[bytes] | None = None if folder is None else _open(folder)

    def __len__(self) -> int:
        return len(self._images)

    def put(self, image: np.ndarray, weight: np.ndarray, maskpt: float, place: tuple[int, int] = (0, 0)) -> None:
        """Keep the image of an exposure; NaN where its weight is 0, or below MASKPT of its mean weight.

        Parameters
        ----------
        image, weight : ndarray float32 (rows, columns)
            Changed; without a folder the image is kept, not a copy.
        maskpt : float
            Share of the mean weight (`rtools.mosaic.outlier.outlier.weight_threshold`).
        place : (int, int)
            Row and column of the first pixel on the grid.
        """
        piece = self._place(image.shape, place)
        self._images.append([piece._replace(held=image) if self._file is None else piece])
        self._mask(self._images[-1][0], image, weight, weight_threshold(weight, maskpt, work=self._work))

    def put_pieces(self, pieces: Iterable[tuple[np.ndarray, np.ndarray, tuple[int, int]]], maskpt: float) -> None:
        """The same of an image in several pieces, of which one is in memory at a time.

        Parameters
        ----------
        pieces : iterable of (ndarray, ndarray, (int, int))
            Image, weight and place of each.
        maskpt : float
            As in `put`: the mean weight is that of all pieces.
        """
        kept, weights = [], _open(self.folder)
        with weights:
            for image, weight, place in pieces:
                kept.append(self._place(image.shape, place))
                _write(self._file, image, kept[-1].start, self.folder)
                _write(weights, weight, kept[-1].start - kept[0].start, self.folder)

            def weight_of(piece):
                return _read(weights, piece.start - kept[0].start, piece.shape)

            threshold = weight_threshold((weight_of(piece) for piece in kept), maskpt)
            for piece in kept:
                self._mask(piece, _read(self._file, piece.start, piece.shape), weight_of(piece), threshold)
        self._images.append(kept)

    def rows(self, first: int, last: int) -> np.ndarray:
        """Some rows of all images.

        Parameters
        ----------
        first, last : int
            Rows [first, last) of the grid.

        Returns
        -------
        ndarray float32 (images, rows, columns)
            NaN where an image has nothing.
        """
        out = np.full((len(self._images), last - first, self.shape[1]), np.nan, np.float32)
        for plane, pieces in zip(out, self._images, strict=True):
            for piece in pieces:
                start, stop = max(first, piece.rows.start), min(last, piece.rows.stop)
                if start < stop:
                    plane[start - first : stop - first, piece.columns] = self._part(piece, start, stop)
        return out

    def _part(self, piece, first, last):
        """Rows of the grid that are all in a piece."""
        before = first - piece.rows.start
        if piece.held is not None:
            return piece.held[before : last - piece.rows.start]
        width = piece.shape[1]
        return _read(self._file, piece.start + 4 * before * width, (last - first, width))

    def close(self) -> None:
        """Give disk and memory back."""
        self._images = []
        if self._file is not None:
            self._file.close()

    def _place(self, shape, place):
        """A piece of this shape, at the end of the file."""
        rows, columns = (slice(first, first + size) for first, size in zip(place, shape, strict=True))
        piece = _Piece(self.size, rows, columns)
        self.size += 4 * shape[0] * shape[1]
        return piece

    def _mask(self, piece, image, weight, threshold):
        def mask(rows):
            mask_low_weight(image[rows], weight[rows], threshold)
            image[rows][weight[rows] == 0] = np.nan
            if piece.held is None:
                _write(self._file, image[rows], piece.start + 4 * rows.start * image.shape[1], self.folder)

        in_rows(self._work, mask, len(image))


class SpooledPlane:
    """A plane on disk, of which rows are read and written: ``plane[first:last]``, ``plane[first:last] = rows``.

    Parameters
    ----------
    folder : str or Path
        Where its file is, which has no name.
    shape : (int, int)
        Rows and columns; float32.
    """

    def __init__(self, folder: str | Path, shape: Sequence[int]):
        self.shape, self._folder = tuple(shape), folder
        self._file = _open(folder)

    def __getitem__(self, rows: slice) -> np.ndarray:
        first, last, _step = rows.indices(self.shape[0])
        return _read(self._file, 4 * first * self.shape[1], (last - first, self.shape[1]))

    def __setitem__(self, rows: slice, values: np.ndarray) -> None:
        _write(self._file, values, 4 * rows.start * self.shape[1], self._folder)


def median_plane(spool: Spool, workers: Workers, *, on_disk: bool = False) -> np.ndarray | SpooledPlane:
    """Median of the images, pixel by pixel.

    Parameters
    ----------
    spool : Spool
        The images.
    workers : rtools.pipeline.mosaic.workers.Workers
        Its threads share the rows.
    on_disk : bool
        Keep the result in the folder of the images.

    Returns
    -------
    ndarray float32 (rows, columns), or SpooledPlane
        Of the whole grid; NaN where no image has anything.
    """
    out: np.ndarray | SpooledPlane = np.empty(0 if on_disk else spool.shape, np.float32)
    if on_disk and spool.folder is not None:
        out = SpooledPlane(spool.folder, spool.shape)
    room = AT_ONCE // workers.threads
    height = max(1, min(256, room // (4 * spool.shape[1] * (len(spool) + 1))))

    with workers.progress("median", spool.shape[0]) as progress:

        def fill(rows):
            out[rows] = median_of(spool.rows(rows.start, rows.stop))
            progress.advance(rows.stop - rows.start)

        in_rows(workers.work, fill, spool.shape[0], height=height)
    return out


def _open(folder):
    try:
        return tempfile.TemporaryFile(dir=folder)
    except OSError as error:
        raise _failed(folder, error) from None


def _write(file, array, start, folder):
    try:
        write_at(file.fileno(), np.ascontiguousarray(array).reshape(-1).view(np.uint8).data, start)
    except OSError as error:
        raise _failed(folder, error) from None


def _read(file, start, shape):
    out = np.empty(shape, np.float32)
    view = out.reshape(-1).view(np.uint8).data
    while view:
        count = os.preadv(file.fileno(), [view], start)
        if not count:
            raise RtoolsError("a temporary file ended too soon")
        view, start = view[count:], start + count
    return out


def _failed(folder, error):
    return RtoolsError(f"no room for images of exposures ({(error.strerror or str(error)).lower()})", path=folder)
