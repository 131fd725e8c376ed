"""The streaming engine: strips through steps, on threads, with the references of a few channels at a time.

One step or thirteen, it is the same engine given a list of tasks. Nothing holds the float32 ramp of the frame: what
is kept is the input (mapped, or decoded once), the references of the group of channels at work, one strip per thread,
and the planes of the result.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from rtools.declare import NotApplicable, Skip, Step
from rtools.exposure.frame import View
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.work import results_of

__all__ = ["GROUP", "Engine", "StripTask"]

GROUP = 8
"""Channels whose input and references are in memory at a time."""


PAGE = 4096
"""Bytes; arrays begin on multiples."""


@dataclass
class StripTask:
    """One step of a run.

    Attributes
    ----------
    step : rtools.declare.Step
        Declaration, with its functions.
    options : dict
        Values of its options.
    references : dict
        Reference type to reference source; None where the user refused it or it may be absent.
    status : str
        What `meta.cal_step` will say.
    reason : str
        Why it does nothing, where it is the step that said so; it has been logged then.
    note : str
        What its line in the log says beside the status.
    active : bool
        Whether its `apply` is called (dq_init works on although its mask is refused).
    counts : dict
        Channel to what `apply` counted there.
    times : list of float
        Seconds spent in each call.
    apply : callable or None
        What is called with each strip: the step's `apply`, where nothing else is put in its place.
    sinks : list
        Each has ``put(strip)``; filled as the strips leave this step.
    """

    step: Step
    options: dict
    references: dict = field(default_factory=dict)
    status: str = "COMPLETE"
    reason: str = ""
    note: str = ""
    active: bool = True
    prepared: object = None
    counts: dict = field(default_factory=dict)
    times: list = field(default_factory=list)
    apply: Callable | None = None
    sinks: list = field(default_factory=list)
    _nodes: dict | None = None

    @classmethod
    def of(cls, planned):
        """The task that a `rtools.pipeline.job.steps.StepPlan` becomes when it is carried out."""
        return cls(
            planned.step,
            dict(planned.options),
            dict(planned.references),
            status=planned.status,
            note=planned.note,
            active=planned.active,
        )

    def __post_init__(self):
        self.apply = self.apply or self.step.apply

    @property
    def halo(self):
        """Columns that the step needs on either side of a strip."""
        return self.step.halo(self.options) if self.active and self.step.halo else 0

    def total(self):
        """Counts summed over the channels."""
        return sum((Counter(counts) for counts in self.counts.values() if counts), Counter())

    def stop(self, status, reason=""):
        """Do nothing, and say so in `meta.cal_step`."""
        self.status = status
        self.reason = reason
        self.active = False

    def nodes(self):
        """The declared small parts of its references, by type and name."""
        if self._nodes is None:
            self._nodes = {
                use.type: {path: self.references[use.type].node(path) for path in use.nodes}
                for use in self.step.references
                if self.references.get(use.type) is not None
            }
        return {kind: dict(nodes) for kind, nodes in self._nodes.items()}


class Engine:
    """Runs the strip tasks of one exposure.

    Parameters
    ----------
    source : rtools.pipeline.exposure.source.Source
    exposure : rtools.exposure.frame.Exposure
    tasks : list of StripTask
        Strip tasks (ramp, fit, image) in order.
    work : rtools.work.Work
        Its threads compute a strip each; the result does not depend on how many there are.
    label : str
        What progress calls the exposure.
    """

    def __init__(self, source, exposure, tasks, work, *, label=""):
        self.source = source
        self.exposure = exposure
        self.tasks = tasks
        self.work = work
        self.label = label
        self._ahead = None
        self._checks = None
        self._kept = {}
        self._buffers = _Buffers()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.work.close()  # nothing computes any more when the products are given up

    @property
    def channels(self):
        """Number of readout channels of the frame; a cutout is done in portions as wide, of which the last is less."""
        return -(-(self.exposure.shape[2] - BORDER) // CHANNEL)

    def _span(self, channel):
        """Columns [start, stop) of a channel."""
        return channel * CHANNEL, min((channel + 1) * CHANNEL, self.exposure.shape[2])

    def read_ahead(self):
        """Begin to read what the first strips of `run` need; `prepare` goes on meanwhile."""
        self._ahead = self._begin(len(self.tasks), range(min(GROUP, self.channels)))

    def prepare(self, first, last):
        """Call `prepare` of tasks [first, last), each seeing the exposure as the earlier ones leave it."""
        for index in range(first, last):
            task = self.tasks[index]
            if not task.active or task.step.prepare is None:
                continue
            started = time.perf_counter()
            answer = task.step.prepare(self.exposure, _Look(self, index), task.nodes(), task.options)
            task.times.append(time.perf_counter() - started)
            if isinstance(answer, Skip | NotApplicable):
                task.stop("SKIPPED" if isinstance(answer, Skip) else "N/A", answer.reason)
                level = "warning" if isinstance(answer, Skip) else "info"
                self.exposure.log(level, f"{task.step.name}: {task.status}: {answer.reason}")
            else:
                task.prepared = answer

    def run(self):
        """All strips through all tasks into the sinks; then the channels that a task wants again."""
        everything = len(self.tasks)
        self._kept.clear()
        with self.work.progress(self.label, self.channels) as progress:
            self._sweep(everything, range(self.channels), sinks=True, advance=progress.advance)
        results_of(self._checks or ())
        for task in self.tasks:
            if task.active and task.step.revise is not None:
                again = task.step.revise(task.prepared, task.options)
                self._sweep(everything, again or (), sinks=True)

    def map(self, function, items):
        """``[function(item) for each item]`` on the engine's threads."""
        return self.work.map(function, items)

    def map_channels(self, upto, function):
        """``function(strip)`` for each channel with tasks [0, upto) applied; results in channel order."""
        if self._ahead is not None:  # one group is enough in memory
            portion, reads = self._ahead
            self._ahead = None
            results_of(reads)
            self._buffers.give(portion.untaken())
        return self._sweep(upto, range(self.channels), function=function)

    def strip(self, upto, start, stop, *, keep=False):
        """Columns [start, stop) with tasks [0, upto) applied; `keep` it for one who asks again."""
        wanted = (upto, start, stop)
        strip = self._kept.pop(wanted, None)
        if strip is None:
            portion = _Portion(self, upto, [(start, stop)])
            for job in portion.jobs:  # not on the pool, which may be reading ahead
                job()
            strip = self._compute(upto, (start, stop), portion)
        if keep:
            self._kept[wanted] = strip
        return strip

    def _sweep(self, upto, channels, *, function=None, sinks=False, advance=None):
        """Channels through tasks [0, upto), group by group; the next group is read as the last strips are computed."""
        channels = list(channels)
        groups = [channels[first : first + GROUP] for first in range(0, len(channels), GROUP)]
        ahead, self._ahead = self._ahead, None
        results = {}
        for place, group in enumerate(groups):
            portion, reads = ahead if ahead is not None else self._begin(upto, group)
            results_of(reads)
            jobs = [self.work.submit(self._channel, upto, channel, portion, function, sinks) for channel in group]
            if sinks and self._checks is None:  # behind the first strips, so that no thread waits at the end
                self._checks = [self.work.submit(job) for job in self._check_jobs()]
            ahead = self._begin(upto, groups[place + 1]) if place + 1 < len(groups) else None
            self._gather(jobs, results, advance)
        return [results[channel] for channel in channels]

    def _check_jobs(self):
        """Jobs that compare all that strips are made of with its checksums."""
        jobs = self.source.checks()
        for task in self.tasks:
            for use in task.step.references:
                source = task.references.get(use.type) if task.active else None
                if source is not None:
                    jobs += source.checks((*use.planes, *use.trimmed, *use.channels))
        return jobs

    def _begin(self, upto, channels):
        """A portion of these channels, and its jobs on the pool."""
        spans = [self._span(channel) for channel in channels]
        portion = _Portion(self, upto, spans, self._buffers)
        return portion, [self.work.submit(job) for job in portion.jobs]

    def _channel(self, upto, channel, portion, function, sinks):
        strip = self._compute(upto, self._span(channel), portion, sinks=sinks)
        return channel, function(strip) if function else None

    def _gather(self, jobs, results, advance):
        for job in jobs:
            channel, result = job.result()
            results[channel] = result
            if advance:
                advance()

    def _compute(self, upto, span, portion, *, sinks=False):
        tasks = self.tasks[:upto]
        start, stop = span
        halo = sum(task.halo for task in tasks)
        columns = self.exposure.shape[2]
        share = portion.take(span)
        strip = share.strip
        if strip.stop - strip.start > stop - start + 2 * halo:  # read before a task with a halo was stopped
            _crop(strip, max(0, start - halo), min(columns, stop + halo))
        for task in tasks:
            if task.active:
                references = share.references(task)
                started = time.perf_counter()
                counts = task.apply(strip, references, task.options, task.prepared)
                task.times.append(time.perf_counter() - started)
                if sinks:
                    task.counts[start // CHANNEL] = counts
            if task.halo:
                halo -= task.halo
                _crop(strip, max(0, start - halo), min(columns, stop + halo))
            if sinks and task.sinks:
                inner = _cropped(strip, start, stop) if halo else strip
                for sink in task.sinks:
                    sink.put(inner)
        if sinks:  # nobody has the strip any more
            self._buffers.give(share.arrays)
        elif portion.pooled:
            self._buffers.give(share.references_read)
        return strip


class _Look(View):
    """What `prepare` of the task at `index` may see."""

    def __init__(self, engine, index):
        self._engine = engine
        self._index = index

    def strip(self, start, stop):
        return self._engine.strip(self._index, start, stop)

    def map_channels(self, function):
        return self._engine.map_channels(self._index, function)

    def map(self, function, items):
        return self._engine.map(function, items)


class _Buffers:
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


class _Portion:
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
                source = task.references.get(use.type)
                if source is None:
                    continue
                for name in use.planes:
                    self._references.setdefault((use.type, name), source.spans(name, self._wide))
                for name in use.trimmed:
                    self._references.setdefault((use.type, name), source.spans(name, trimmed))
                for name in use.channels:
                    self._references.setdefault((use.type, name), source.row_spans(name, channels))
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


def _cropped(strip, start, stop):
    """A copy without the columns outside [start, stop)."""
    inner = replace(strip)
    _crop(inner, start, stop)
    return inner


def _crop(strip, start, stop):
    """Drop the columns outside [start, stop)."""
    keep = slice(start - strip.start, stop - strip.start)
    for name in ("data", "groupdq", "pixeldq", "reference_read"):
        array = getattr(strip, name)
        if array is not None:
            setattr(strip, name, np.ascontiguousarray(array[..., keep]))
    strip.start, strip.stop = start, stop
