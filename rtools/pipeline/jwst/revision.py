"""Steps whose flags move across blocks: flags of the whole image, what is found in them, blocks that are done again.

In the first pass the flags of a step are kept, one bit for each kind of flag and group, in a nameless file beside the
products: two bytes of a pixel for every eight groups of an integration. So memory does not grow with the exposure. Each
integration is searched alone. Then the step knows what was found, and blocks in which something is to be flagged are
done again, as far as it reaches.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, NamedTuple

import numpy as np

from rtools.errors import RtoolsError
from rtools.exposure.jwst.exposure import FlagSearch
from rtools.pipeline.jwst import engine
from rtools.products.io.encode import write_at
from rtools.work import Work

__all__ = ["FlagFile", "Revision", "revision_of", "touched"]

BYTES_OF_PIXEL = 24
"""Memory of one pixel of the image while an integration is searched, about: three masks, places of flagged pixels."""


class FlagFile:
    """Flags of all groups of an exposure, in a nameless file; threads may write and read at a time.

    Parameters
    ----------
    folder : str or Path
        Where the file is; it is gone when it is closed, or when the process ends.
    shape : tuple of int
        (integrations, groups, rows, columns).
    kinds : sequence of int
        Bits of the flags that are kept.

    Raises
    ------
    RtoolsError
        The file cannot be made, or written.
    """

    def __init__(self, folder: str | Path, shape: tuple[int, int, int, int], kinds: Sequence[int]):
        self.shape, self.kinds, self._folder = shape, tuple(np.uint8(kind) for kind in kinds), folder
        self._stored = -(-shape[1] // 8)  # bytes of a pixel, for each kind
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        except OSError as error:
            raise self._failed(error) from None

    def take(self, place: engine.Place, flags: np.ndarray) -> None:
        """Keep the flags of a part of the image.

        Parameters
        ----------
        place : (slice, slice)
            Rows and columns.
        flags : ndarray uint8 (integrations, groups, rows, columns)
            Of that part.
        """
        packed = np.stack([np.packbits(flags & kind != 0, axis=1, bitorder="little") for kind in self.kinds], axis=1)
        rows, columns = place
        try:
            for plane, content in enumerate(packed.reshape(-1, *packed.shape[-2:])):
                pieces = [(rows.start, content)]
                if content.shape[1] != self.shape[3]:
                    pieces = list(enumerate(content, rows.start))
                for row, piece in pieces:
                    data = np.ascontiguousarray(piece).reshape(-1).data
                    write_at(self._file.fileno(), data, self._start(plane, row) + columns.start)
        except OSError as error:
            raise self._failed(error) from None

    def plane(self, integration: int, group: int) -> np.ndarray:
        """Flags of one group in the whole image.

        Parameters
        ----------
        integration, group : int
            From 0.

        Returns
        -------
        ndarray uint8 (rows, columns)
            The kinds that are kept.
        """
        byte, bit = divmod(group, 8)
        out = np.zeros(self.shape[2:], np.uint8)
        for number, kind in enumerate(self.kinds):
            stored = self._read((integration * len(self.kinds) + number) * self._stored + byte)
            out |= np.where(stored >> np.uint8(bit) & 1, kind, np.uint8(0))
        return out

    def close(self) -> None:
        """Give the room back."""
        self._file.close()

    def _start(self, plane, row):
        return (plane * self.shape[2] + row) * self.shape[3]

    def _read(self, plane):
        size = self.shape[2] * self.shape[3]
        data = os.pread(self._file.fileno(), size, self._start(plane, 0))
        if len(data) != size:
            raise RtoolsError("a temporary file ended too soon")
        return np.frombuffer(data, np.uint8).reshape(self.shape[2:])

    def _failed(self, error):
        said = (error.strerror or str(error)).lower()
        return RtoolsError(f"no room for the flags of all groups ({said})", path=self._folder)


class Revision(NamedTuple):
    """A step whose flags are looked at in the whole image.

    Attributes
    ----------
    number : int
        Which of the steps.
    step : engine.BlockStep
        The step.
    search : FlagSearch
        What it looks for.
    """

    number: int
    step: engine.BlockStep
    search: FlagSearch

    def keeping(self, store: FlagFile, keep: engine.Keep) -> engine.Keep:
        """`keep`, which has the store take the flags of the step, too."""

        def keep_both(what: str, place: engine.Place, made: Any) -> None:
            if what == self.step.step.suffix:
                store.take(place, made.groupdq)
            keep(what, place, made)

        return keep_both

    def find(self, store: FlagFile, work: Work, budget: int) -> list[list[Any]]:
        """What there is in each integration.

        Parameters
        ----------
        store : FlagFile
            With the flags of the whole image.
        work : rtools.work.Work
            Its threads share the integrations.
        budget : int
            Bytes that the searches may take together; one is done in any case.
        """
        room = BoundedSemaphore(max(budget // (BYTES_OF_PIXEL * store.shape[2] * store.shape[3]), 1))

        def find_in(integration: int) -> list[Any]:
            with room:
                return self.search.find(partial(store.plane, integration))

        return work.map(find_in, range(store.shape[0]))

    def informed(self, steps: Sequence[engine.BlockStep], found: list[list[Any]]) -> list[engine.BlockStep]:
        """The steps, of which this one knows what was found."""
        known = replace(self.step, prepared=self.search.informed(found))
        return [*steps[: self.number], known, *steps[self.number + 1 :]]


def revision_of(steps: Sequence[engine.BlockStep]) -> Revision | None:
    """The step that looks at the flags of the whole image; None where none is asked to.

    Parameters
    ----------
    steps : sequence of engine.BlockStep
        On ramps.
    """
    for number, one in enumerate(steps):
        search = one.step.revise(one.prepared, dict(one.options)) if one.step.revise else None
        if search is not None:
            return Revision(number, one, search)
    return None


def touched(blocks: Sequence[engine.Place], areas: Sequence[Any], shape: Sequence[int]) -> list[engine.Place]:
    """Parts of blocks that areas reach.

    Parameters
    ----------
    blocks : sequence of (slice, slice)
        Of the image.
    areas : sequence
        ``area.box(shape)`` gives rows and columns around each.
    shape : sequence of int
        Rows and columns of the image.

    Returns
    -------
    list of (slice, slice)
        At most one part of each block.
    """
    boxes = np.array([[(span.start, span.stop) for span in area.box(tuple(shape))] for area in areas]).reshape(-1, 2, 2)
    parts = []
    for block in blocks:
        own = np.array([(span.start, span.stop) for span in block])
        common = np.stack([np.maximum(boxes[..., 0], own[:, 0]), np.minimum(boxes[..., 1], own[:, 1])], axis=-1)
        common = common[(common[..., 0] < common[..., 1]).all(axis=1)]
        if len(common):
            first, last = common[..., 0].min(axis=0), common[..., 1].max(axis=0)
            parts.append((slice(int(first[0]), int(last[0])), slice(int(first[1]), int(last[1]))))
    return parts
