"""A ramp product written as it comes, some columns at a time, never in memory.

The file is laid out before anything is known but the shape: room for the tree, then data, groupdq and pixeldq,
uncompressed, each beginning on a page. Strips are collected until they fill 1024 columns (a page of each float32 row;
190 MB for nine resultants), which go to their place row by row; the small arrays and the tree follow at the end.
"""

import errno
import mmap
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5

import numpy as np

from rtools.errors import RtoolsError
from rtools.products import encode, metadata, profiles, staging
from rtools.products.arrays import array_node
from rtools.products.encode import CHUNK, HEAD, FileBytes

__all__ = ["RampWriter"]

ROOM = 1 << 18
"""Bytes kept for the tree (it takes some 20 kB without long logs); a longer one costs a second pass."""

PAGE = mmap.ALLOCATIONGRANULARITY

BAND = 1024
"""Columns that are collected before they are written."""


class _Band:
    """Arrays of some columns that are being filled."""

    def __init__(self, arrays, width):
        self.arrays = {
            name: np.empty((*(array.shape if array.ndim == 3 else (1, *array.shape))[:2], width), array.dtype)
            for name, array in arrays.items()
        }


class RampWriter:
    """Writes one ramp product strip by strip.

    Parameters
    ----------
    path : str or os.PathLike
    meta : dict
        As far as it is known; `finish` has the last word.
    shape : tuple of int
        (resultants, rows, columns).
    profile : str

    Raises
    ------
    RtoolsError
        The file cannot be made, or the disk has no room for it.
    """

    def __init__(self, path, meta, shape, *, profile):
        self.meta = meta
        self.shape = tuple(shape)
        self.profile = profile
        self.stage = staging.Stage(path)
        planes = {"data": ("<f4", self.shape), "groupdq": ("u1", self.shape), "pixeldq": ("<u4", self.shape[1:])}
        self._arrays = {name: np.broadcast_to(np.zeros((), dtype), shape) for name, (dtype, shape) in planes.items()}
        self._places, self._end = self._lay_out()
        self._seen = np.zeros(self.shape[2], bool)
        self._bands = {}
        self._lock = threading.Lock()
        self._scratch = self.stage.open()
        self._file = self._scratch.__enter__()
        try:
            _reserve(self._file.fileno(), self._end)
        except BaseException as error:
            self._scratch.__exit__(type(error), error, None)
            raise

    def _lay_out(self):
        """Offset of each array's bytes, on a page; and the end of the last one."""
        places, place = {}, 0
        for name, array in self._arrays.items():
            place = -(-(place + (HEAD if places else ROOM)) // PAGE) * PAGE
            places[name] = place
            place += array.nbytes
        return places, place

    def put(self, start, stop, data, groupdq, pixeldq):
        """Write columns [start, stop); safe on several threads for different columns.

        Parameters
        ----------
        start, stop : int
        data : ndarray float32, (resultants, rows, stop - start)
        groupdq : ndarray uint8, same shape
        pixeldq : ndarray uint32, (rows, stop - start)
        """
        parts = {"data": data, "groupdq": groupdq, "pixeldq": pixeldq[None]}
        while start < stop:
            first = start - start % BAND
            last = min(first + BAND, self.shape[2])
            width = min(stop, last) - start
            with self._lock:
                band = self._bands.setdefault(first, _Band(self._arrays, last - first))
            for name, part in parts.items():
                band.arrays[name][..., start - first : start - first + width] = part[..., :width]
                parts[name] = part[..., width:]
            with self._lock:
                self._seen[start : start + width] = True
                full = bool(self._seen[first:last].all()) and self._bands.pop(first, None)
            if full:
                self._write_band(first, full)
            start += width

    def _write_band(self, first, band):
        """Put complete columns into their place, row by row: whole pages, so that nothing is read back."""
        descriptor = self._file.fileno()
        for name, array in band.arrays.items():
            size = array.dtype.itemsize
            pitch, place = self.shape[2] * size, self._places[name] + first * size
            lines = array.reshape(-1, array.shape[-1]).view(np.uint8)
            for number, line in enumerate(lines):
                os.pwrite(descriptor, line, place + number * pitch)

    def finish(self, meta=None, extra=None, *, history=(), compression=None, threads=2):
        """Write the rest; what comes back waits for its name.

        Parameters
        ----------
        meta : dict, optional
            Final metadata.
        extra : dict of str to ndarray, optional
            Further arrays: amp33, borders.
        history : iterable of dict
        compression : str, optional
            lz4 or zlib: a second pass over the file. None by default.
        threads : int

        Returns
        -------
        rtools.products.writer.Stage

        Raises
        ------
        InputError
            The tree does not fit the schema; no file is left.
        RtoolsError
            A column was never written; the file cannot be written.
        """
        stage = self.stage
        try:
            if not self._seen.all():
                raise RtoolsError(f"{np.count_nonzero(~self._seen)} columns of the ramp were never written")
            head, inner, sources = self._serialise(self.meta if meta is None else meta, extra or {}, history)
            if compression in (None, "none") and not inner and len(head) <= ROOM - HEAD:
                self._complete(head, sources[len(self._arrays) :], threads)
            else:
                stage = self._second_pass(head, inner, sources, compression or "none", threads)
        except BaseException as error:
            if isinstance(error, RtoolsError):
                error.path = error.path or self.stage.path
            self._scratch.__exit__(type(error), error, None)
            raise
        return stage

    def discard(self):
        """Give up: remove the temporary file. Nothing happens after `finish`."""
        if not self._file.closed:
            self._scratch.__exit__(RtoolsError, RtoolsError("given up"), None)

    def _serialise(self, meta, extra, history):
        meta, extra, self.stage.messages = profiles.convert("ramp", meta, self._arrays | extra, self.profile)
        meta = metadata.stamp_file("ramp", meta, self.stage.path)
        sources = [FileBytes(self._file.fileno(), self._places[name], array.nbytes)
                   for name, array in self._arrays.items()]  # fmt: skip
        parts = {name: array_node(array, number) for number, (name, array) in enumerate(self._arrays.items())}
        parts |= {name: array for name, array in extra.items() if name not in self._arrays}
        tree = staging.build_tree("ramp", meta, parts, self.profile)
        return staging.serialise(tree, self.profile, history, sources)

    def _complete(self, head, sources, threads):
        file, places = self._file, list(self._places.values())
        file.seek(self._end)
        further = encode.write_blocks(file, sources, compression="none", threads=threads)
        file.write(encode.block_index([place - HEAD for place in places] + further))
        with ThreadPoolExecutor(threads + 1) as pool:
            pool.submit(os.fsync, file.fileno())  # the disk works while the checksums are taken
            digests = pool.map(self._checksum, self._arrays)
            ends = [place - HEAD for place in places[1:]] + [self._end]
            for place, end, array, digest in zip(places, ends, self._arrays.values(), digests, strict=True):
                file.seek(place - HEAD)
                file.write(encode.block_head(None, array.nbytes, array.nbytes, digest, allocated=end - place))
        file.seek(0)
        file.write(head)
        self._scratch.__exit__(None, None, None)

    def _checksum(self, name):
        digest, nbytes = md5(usedforsecurity=False), self._arrays[name].nbytes
        stored = FileBytes(self._file.fileno(), self._places[name], nbytes)
        for start in range(0, nbytes, CHUNK):
            digest.update(stored[start : start + CHUNK])
        return digest.digest()

    def _second_pass(self, head, inner, sources, compression, threads):
        stage = staging.Stage(self.stage.path)
        stage.messages = self.stage.messages
        with stage.open() as file:
            staging.write_file(file, head, inner, sources, compression=compression, threads=threads)
        self.discard()
        return stage


def _reserve(file, size):
    """Give a file its size, and where the system can, its place on the disk: a full disk must not be a SIGBUS later."""
    try:
        os.posix_fallocate(file, 0, size)
    except AttributeError:  # not Linux
        os.ftruncate(file, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise
        os.ftruncate(file, size)
