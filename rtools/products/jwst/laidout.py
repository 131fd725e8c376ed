"""A new JWST product whose images are written as they come: headers and tree at once, pixels where they belong."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import RtoolsError
from rtools.products.fits import pixel_types
from rtools.products.io import Stage
from rtools.products.jwst.assembly import BLOCK, FilePart, write_part
from rtools.products.jwst.changes import HduChange
from rtools.products.jwst.demands import NewHdu
from rtools.products.jwst.new import parts_of_new
from rtools.products.jwst.past import settled
from rtools.products.jwst.product import JwstProduct
from rtools.products.jwst.sealing import seal
from rtools.products.jwst.writing import rewritten_parts

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
    path : str or Path
        Where it will appear.
    parts : sequence of FilePart
        Its HDUs; those of `rooms` are not written.
    rooms : mapping of str to (dtype, tuple of int)
        Type and shape of the images that are written later, by EXTNAME.

    Raises
    ------
    RtoolsError
        The file cannot be made, or the disk has no room for it.
    """

    def __init__(self, path: str | Path, parts: Sequence[FilePart], rooms: Mapping[str, tuple[Any, tuple[int, ...]]]):
        self._dtypes = {name: np.dtype(dtype).newbyteorder("=") for name, (dtype, _shape) in rooms.items()}
        self._shapes = {name: shape for name, (_dtype, shape) in rooms.items()}
        self._places: dict[str, int] = {}
        self.stage = Stage(path)
        self._scratch = self.stage.open()
        self._file = self._scratch.__enter__()
        try:
            self._spans = [write_part(self._file, self._marked(part)) for part in parts]
            self._file.flush()
        except BaseException as error:
            self._scratch.__exit__(type(error), error, None)
            raise

    @classmethod
    def made_of(
        cls,
        path: str | Path,
        product: JwstProduct,
        changes: Sequence[HduChange],
        added: Sequence[NewHdu],
        *,
        tree: Mapping[str, Any],
        history: Sequence[Mapping[str, Any] | str] = (),
    ) -> LaidOutJwst:
        """A product that is made of another one; images of `room_for` in changes and added HDUs are written later.

        Parameters
        ----------
        path : str or Path
            Where it will appear.
        product, changes, added, tree, history
            As `rtools.products.jwst.stage_jwst` takes them.

        Returns
        -------
        LaidOutJwst
        """
        empty = [(one.name, one.data) for one in added] + [(one.name, one.array) for one in changes]
        rooms = {name: (data.dtype, data.shape) for name, data in empty if _is_room(data)}
        with rewritten_parts(product, changes, tree=tree, added=added, history=settled(history, path)) as parts:
            return cls(path, parts, rooms)

    @classmethod
    def new(
        cls,
        path: str | Path,
        kind: str,
        meta: Mapping[str, Any],
        hdus: Sequence[NewHdu],
        *,
        tree: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any] | str] = (),
    ) -> LaidOutJwst:
        """A product that did not exist; images of `room_for` are written later.

        Parameters
        ----------
        path : str or Path
            Where it will appear.
        kind, meta, hdus, tree, history
            As `rtools.products.jwst.stage_new` takes them.

        Returns
        -------
        LaidOutJwst
        """
        rooms = {one.name: (one.data.dtype, one.data.shape) for one in hdus if _is_room(one.data)}
        return cls(path, parts_of_new(path, kind, meta, hdus, tree=tree, history=history), rooms)

    def _marked(self, part: FilePart) -> FilePart:
        """A part that notes where its pixels begin, and leaves room for them."""
        if part.name not in self._dtypes:
            return part
        size = int(np.prod(self._shapes[part.name], dtype=np.int64)) * self._dtypes[part.name].itemsize

        def write(file: BinaryIO) -> None:
            self._places[part.name] = file.tell()
            _reserve(file, -(-size // BLOCK) * BLOCK)

        return replace(part, write=write)

    def write(self, name: str, pixels: np.ndarray, first: int, plane: int = 0, *, column: int = 0) -> None:
        """Put a part of one plane, or of several that follow each other, into place; threads may do this at a time.

        Parameters
        ----------
        name : str
            EXTNAME of an image of `room_for`.
        pixels : ndarray (rows, columns) or (planes, rows, columns)
            Of its type.
        first : int
            Row of the first of them.
        plane : int
            The first plane; those of more than two axes are counted through.
        column : int
            Column of the first of them.
        """
        dtype, (height, width) = self._dtypes[name], self._shapes[name][-2:]
        stored = pixel_types.encode(np.ascontiguousarray(pixels, dtype), flipped=dtype.name in pixel_types.ZEROS)
        content = stored.view(np.uint8).reshape(-1, pixels.shape[-2], pixels.shape[-1] * dtype.itemsize)
        try:
            for number, lines in enumerate(content, plane):
                place = self._places[name] + ((number * height + first) * width + column) * dtype.itemsize
                if pixels.shape[-1] == width:
                    os.pwrite(self._file.fileno(), lines.data, place)
                    continue
                for line in lines:
                    os.pwrite(self._file.fileno(), line.data, place)
                    place += width * dtype.itemsize
        except OSError as error:
            raise _cannot(self.stage.path, error) from None

    def finish(self) -> Stage:
        """The file, complete under its temporary name."""
        seal(self._file, self._spans)
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
