"""A new JWST product whose images are written as they come: headers and tree at once, pixels where they belong."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import RtoolsError
from rtools.products.fits import pixel_types
from rtools.products.io import Stage
from rtools.products.jwst.assembly import BLOCK, FilePart
from rtools.products.jwst.demands import NewHdu
from rtools.products.jwst.new import parts_of_product

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["LaidOutJwst", "room_for"]


def room_for(name: str, dtype: Any, shape: Sequence[int], **settings: Any) -> NewHdu:
    """An image that is to be written later.

    Parameters
    ----------
    name : str
        Its EXTNAME.
    dtype : dtype-like
        Of its pixels.
    shape : sequence of int
        Slowest axis first.
    **settings
        Further attributes of `NewHdu`.

    Returns
    -------
    NewHdu
        Zeros that take no memory.
    """
    return NewHdu(name, np.broadcast_to(np.zeros((), dtype), tuple(shape)), **settings)


class LaidOutJwst:
    """A product under its temporary name, with room for its images.

    Parameters
    ----------
    path, kind, meta, hdus, tree, history
        As `rtools.products.jwst.stage_new` takes them; images made by `room_for` are zero until they are written.

    Raises
    ------
    UsageError, RtoolsError
        As `stage_new`; or the disk has no room for it.
    """

    def __init__(
        self,
        path: str | Path,
        kind: str,
        meta: Mapping[str, Any],
        hdus: Iterable[NewHdu],
        *,
        tree: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any] | str] = (),
    ) -> None:
        given = list(hdus)
        empty = {one.name: one.data.dtype for one in given if _is_room(one.data)}
        self._dtypes = {name: dtype.newbyteorder("=") for name, dtype in empty.items()}
        self._shapes = {one.name: one.data.shape for one in given if one.name in empty}
        self._places: dict[str, int] = {}
        self.stage = Stage(path)
        self._scratch = self.stage.open()
        self._file = self._scratch.__enter__()
        try:
            parts = [
                self._marked(part) for part in parts_of_product(path, kind, meta, given, tree=tree, history=history)
            ]
            for part in parts:
                self._file.write(part.header_text)
                part.write(self._file)
            self._file.flush()
        except BaseException as error:
            self._scratch.__exit__(type(error), error, None)
            raise

    def _marked(self, part: FilePart) -> FilePart:
        """A part that notes where its pixels begin, and leaves room for them."""
        if part.name not in self._dtypes:
            return part
        size = int(np.prod(self._shapes[part.name], dtype=np.int64)) * self._dtypes[part.name].itemsize

        def write(file: BinaryIO) -> None:
            self._places[part.name] = file.tell()
            _reserve(file, -(-size // BLOCK) * BLOCK)

        return replace(part, write=write)

    def write(self, name: str, pixels: np.ndarray, first: int, plane: int = 0) -> None:
        """Put rows of one plane into their place; several threads may do this at a time.

        Parameters
        ----------
        name : str
            EXTNAME of an image of `room_for`.
        pixels : ndarray (rows, columns)
            Of its type.
        first : int
            Row of the first of them.
        plane : int
            Planes of more than two axes are counted through.
        """
        dtype, (height, width) = self._dtypes[name], self._shapes[name][-2:]
        content = pixel_types.encode(
            np.ascontiguousarray(pixels, dtype), flipped=dtype.name in pixel_types.ZEROS
        ).tobytes()
        place = self._places[name] + (plane * height + first) * width * dtype.itemsize
        try:
            os.pwrite(self._file.fileno(), content, place)
        except OSError as error:
            raise _cannot(self.stage.path, error) from None

    def finish(self) -> Stage:
        """The file, complete under its temporary name."""
        self._scratch.__exit__(None, None, None)
        return self.stage

    def discard(self) -> None:
        """Remove what there is of it."""
        self._scratch.__exit__(RuntimeError, None, None)


def _is_room(data):
    return isinstance(data, np.ndarray) and data.ndim > 0 and not any(data.strides)


def _reserve(file, size):
    """Leave room at the end of a file; the disk must have it."""
    start = file.tell()
    if size:
        try:
            os.posix_fallocate(file.fileno(), start, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
            os.ftruncate(file.fileno(), start + size)
    file.seek(start + size)


def _cannot(path, error):
    return RtoolsError(f"cannot be written ({(error.strerror or str(error)).lower()})", path=path)
