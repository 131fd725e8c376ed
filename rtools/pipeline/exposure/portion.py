"""Input and references of a few channels in memory: what is read into, read, and cut for each strip."""

import math
import threading
from dataclasses import replace

import numpy as np

from rtools.wfi.frame import BORDER, CHANNEL

__all__ = ["GROUP", "Buffers", "Portion", "crop", "cropped"]

GROUP = 8
"""Channels whose input and references are in memory at a time."""

PAGE = 4096
"""Bytes; arrays begin on multiples."""


class Buffers:
    """Memory that strips and references of one group are read into, handed on to the next group.

    It is taken for a whole group at a time: large pieces cost the system less.
    """

    def __init__(self):
        self._free = {}
        self._lock = threading.Lock()

    def take(self, shape, dtype):
        """An array, its contents undefined."""
        dtype = np.dtype(dtype)
        nbytes = math.prod(shape) * dtype.itemsize
        pitch = -(-nbytes // PAGE) * PAGE
        with self._lock:
            free = self._free.setdefault(nbytes, [])
            if not free:
                whole = np.empty(GROUP * pitch, np.uint8)
                free += [whole[first : first + nbytes] for first in range(0, GROUP * pitch, pitch)]
            return free.pop().view(dtype).reshape(shape)

    def give(self, arrays):
        """Take arrays back that nobody uses any more."""
        with self._lock:
            for array in arrays:
                self._free[array.nbytes].append(array.reshape(-1).view(np.uint8))


class Portion:
    """Input and references of some spans of columns: read by `jobs`, then taken span by span.

    Every array is cut to the spans as it is decoded, and a span's cuts go when its strip is done, so that the memory
    serves the next portion.
    """

    def __init__(self, engine, upto, spans, buffers=None):
        columns = engine.exposure.shape[2]
        tasks = [task for task in engine.tasks[:upto] if task.active]
        halo = sum(task.halo for task in tasks)
        self.pooled = buffers is not None
        self._source = engine.source
        self._spans = {span: number for number, span in enumerate(spans)}
        self._wide = [(max(0, start - halo), min(columns, stop + halo)) for start, stop in spans]
        self._input = engine.source.spans(self._wide, engine.work)
        self._references = {}
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
        if self.pooled:
            for reading in readings:
                reading.allocate = buffers.take
        self.jobs = [job for reading in readings for job in reading.jobs]

    def take(self, span):
        """The `_Share` of a span, which leaves the portion."""
        number = self._spans.pop(span)
        taken = []
        for readings in (self._input, self._references):
            taken.append({key: reading.parts[number] for key, reading in readings.items()})
            for reading in readings.values():
                reading.parts[number] = None
        return _Share(self._source.strip(*self._wide[number], taken[0]), *taken)

    def untaken(self):
        """Arrays of all spans that nobody has taken; the portion is of no use afterwards."""
        readings = [*self._input.values(), *self._references.values()]
        numbers, self._spans = self._spans.values(), {}
        return [reading.parts[number] for number in numbers for reading in readings]


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


def cropped(strip, start, stop):
    """A copy without the columns outside [start, stop)."""
    inner = replace(strip)
    crop(inner, start, stop)
    return inner


def crop(strip, start, stop):
    """Drop the columns outside [start, stop)."""
    keep = slice(start - strip.start, stop - strip.start)
    for name in ("data", "groupdq", "pixeldq", "reference_read"):
        array = getattr(strip, name)
        if array is not None:
            setattr(strip, name, np.ascontiguousarray(array[..., keep]))
    strip.start, strip.stop = start, stop
