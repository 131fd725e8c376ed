"""Input and references of a few channels in memory: what is read into, read, and cut for each strip."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rtools.wfi.frame import BORDER, CHANNEL

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from rtools.exposure.frame import Strip
    from rtools.pipeline.exposure.engine import Engine
    from rtools.products.io.reading import Reading

__all__ = ["GROUP", "Buffers", "Portion", "crop", "cropped"]

GROUP = 8
"""Channels whose input and references are in memory at a time."""

PAGE = 4096
"""Bytes; arrays begin on multiples."""


class Buffers:
    """Memory that strips and references of one group are read into, handed on to the next group.

    It is taken for a whole group at a time: large pieces cost the system less.
    """

    def __init__(self) -> None:
        self._free: dict[int, list[np.ndarray]] = {}
        self._lock = threading.Lock()

    def take(self, shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
        """An array, its contents undefined.

        Parameters
        ----------
        shape : sequence of int
            Its shape.
        dtype : dtype
            Its type.

        Returns
        -------
        ndarray
            Contiguous; to be given back with `give`.
        """
        dtype = np.dtype(dtype)
        nbytes = math.prod(shape) * dtype.itemsize
        pitch = -(-nbytes // PAGE) * PAGE
        with self._lock:
            free = self._free.setdefault(nbytes, [])
            if not free:
                whole = np.empty(GROUP * pitch, np.uint8)
                free += [whole[first : first + nbytes] for first in range(0, GROUP * pitch, pitch)]
            return free.pop().view(dtype).reshape(shape)

    def give(self, arrays: Iterable[np.ndarray]) -> None:
        """Take arrays back that nobody uses any more.

        Parameters
        ----------
        arrays : iterable of ndarray
            From `take`, whole.
        """
        with self._lock:
            for array in arrays:
                self._free[array.nbytes].append(array.reshape(-1).view(np.uint8))

    def clear(self) -> None:
        """Keep nothing that was given back."""
        with self._lock:
            self._free.clear()


class Portion:
    """Input and references of some spans of columns: read by `jobs`, then taken span by span.

    Every array is cut to the spans as it is decoded, and a span's cuts go when its strip is done, so that the memory
    serves the next portion.

    Parameters
    ----------
    engine : rtools.pipeline.exposure.engine.Engine
        Its source, its tasks and the shape of its exposure.
    upto : int
        Tasks [0, upto) are going to be applied: their references are read, and columns for their halos.
    spans : sequence of (int, int)
        Columns [start, stop) of the full frame.
    buffers : Buffers, optional
        Where memory is taken from; without them everything gets memory of its own.

    Attributes
    ----------
    jobs : list of callable
        To be called once each, on any threads, before a span is taken.
    pooled : bool
        Whether memory is of `buffers`, and is to be given back.
    """

    def __init__(self, engine: Engine, upto: int, spans: Sequence[tuple[int, int]], buffers: Buffers | None = None):
        columns = engine.exposure.shape[2]
        tasks = [task for task in engine.tasks[:upto] if task.active]
        halo = sum(task.halo for task in tasks)
        self._source = engine.source
        self._spans = {span: number for number, span in enumerate(spans)}
        self._wide = [(max(0, start - halo), min(columns, stop + halo)) for start, stop in spans]
        self._input = engine.source.spans(self._wide, engine.work)
        self._references: dict[tuple[str, str], Reading] = {}
        trimmed = [_trimmed(span, columns) for span in self._wide]
        channels = [(start // CHANNEL, start // CHANNEL + 1) for start, _stop in spans]
        for task in tasks:
            for use in task.step.references:
                reference = task.references.get(use.type)
                if reference is None:
                    continue
                for name in use.planes:
                    self._references.setdefault((use.type, name), reference.spans(name, self._wide))
                for name in use.trimmed:
                    self._references.setdefault((use.type, name), reference.spans(name, trimmed))
                for name in use.channels:
                    self._references.setdefault((use.type, name), reference.row_spans(name, channels))
        readings = [*self._input.values(), *self._references.values()]
        self.pooled = buffers is not None
        if buffers is not None:
            for reading in readings:
                reading.allocate = buffers.take
        self.jobs = [job for reading in readings for job in reading.jobs]

    def take(self, span: tuple[int, int]) -> _Share:
        """What was read for a span, which leaves the portion.

        Parameters
        ----------
        span : (int, int)
            One of the portion's spans; each can be taken once.

        Returns
        -------
        _Share
            Its strip and its references.
        """
        number = self._spans.pop(span)
        read = {name: _handed_over(reading, number) for name, reading in self._input.items()}
        references = {key: _handed_over(reading, number) for key, reading in self._references.items()}
        return _Share(self._source.strip(*self._wide[number], read), read, references)

    def untaken(self) -> list[np.ndarray]:
        """Arrays of all spans that nobody has taken; the portion is of no use afterwards."""
        readings = [*self._input.values(), *self._references.values()]
        numbers, self._spans = self._spans.values(), {}
        return [reading.parts[number] for number in numbers for reading in readings]


def _handed_over(reading, number):
    """A part of a reading, which has it no longer."""
    part, reading.parts[number] = reading.parts[number], None
    return part


class _Share:
    """One strip and its references; `arrays` is all that they were read into, `references_read` without the strip's."""

    def __init__(self, strip, read, references):
        self.strip = strip
        self.references_read = list(references.values())
        self.arrays = [*read.values(), *self.references_read]
        self._arrays = references
        self._start, self._trimmed_start = strip.start, strip.trimmed.start

    def references(self, task):
        """References of a task, cut to the strip: type to name to array."""
        references = task.nodes()
        strip = self.strip
        for use in task.step.references:
            if task.references.get(use.type) is None:
                continue
            found = references.setdefault(use.type, {})
            for name in use.planes:
                found[name] = _cut(self._arrays[use.type, name], strip.start - self._start, strip.stop - strip.start)
            for name in use.trimmed:
                first, width = strip.trimmed.start - self._trimmed_start, strip.trimmed.stop - strip.trimmed.start
                found[name] = _cut(self._arrays[use.type, name], first, width)
            for name in use.channels:
                found[name] = self._arrays[use.type, name][0]
        return references


def _cut(array, first, width):
    """Columns [first, first + width), contiguous."""
    return np.ascontiguousarray(array[..., first : first + width])


def _trimmed(span, columns):
    """Columns of the frame without its border that a span covers."""
    first, last = (min(max(edge, BORDER), columns - BORDER) - BORDER for edge in span)
    return first, last


def cropped(strip: Strip, start: int, stop: int) -> Strip:
    """Another strip without the columns outside [start, stop); it shares the memory of what is not cut.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        Not changed.
    start, stop : int
        Columns of the full frame, within the strip.

    Returns
    -------
    rtools.exposure.frame.Strip
        Cropped as `crop` does it.
    """
    inner = replace(strip)
    crop(inner, start, stop)
    return inner


def crop(strip: Strip, start: int, stop: int) -> None:
    """Drop the columns of a strip outside [start, stop).

    Planes of an image (`Strip.image`) stay as they are: halos are of steps on ramps.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        Changed: its ramp and flags are contiguous afterwards.
    start, stop : int
        Columns of the full frame, within the strip.
    """
    keep = slice(start - strip.start, stop - strip.start)
    for name in ("data", "groupdq", "pixeldq", "reference_read"):
        array = getattr(strip, name)
        if array is not None:
            setattr(strip, name, np.ascontiguousarray(array[..., keep]))
    strip.start, strip.stop = start, stop
