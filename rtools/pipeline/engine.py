"""The streaming engine: strips through steps, on threads, with the references of a few channels at a time.

One step or thirteen, it is the same engine given a list of tasks. Nothing holds the float32 ramp of the frame: what
is kept is the input (mapped, or decoded once), the references of the group of channels at work, one strip per thread,
and the planes of the result.
"""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import ModuleType

import numpy as np

from rtools.declare import NotApplicable, Skip, Step
from rtools.exposure.frame import BORDER, CHANNEL, View

__all__ = ["GROUP", "Engine", "Task"]

GROUP = 8 * CHANNEL
"""Columns whose references are in memory at a time."""


@dataclass
class Task:
    """One step of a run.

    Attributes
    ----------
    step, module
        Declaration, and the module with its functions.
    options : dict
        Values of its options.
    sources : dict
        Reference type to reference source; None where the user refused it or it may be absent.
    status : str
        What `meta.cal_step` will say.
    active : bool
        Whether its `apply` is called (dq_init works on although its mask is refused).
    counts : dict
        Channel to what `apply` counted there.
    times : list of float
        Seconds spent in each call.
    sinks : list
        Each has ``put(strip)``; filled as the strips leave this step.
    """

    step: Step
    module: ModuleType
    options: dict
    sources: dict = field(default_factory=dict)
    status: str = "COMPLETE"
    active: bool = True
    prepared: object = None
    counts: dict = field(default_factory=dict)
    times: list = field(default_factory=list)
    sinks: list = field(default_factory=list)
    _nodes: dict | None = None

    @property
    def halo(self):
        """Columns that the step needs on either side of a strip."""
        return self.module.halo(self.options) if self.active and hasattr(self.module, "halo") else 0

    def total(self):
        """Counts summed over the channels."""
        return sum((Counter(counts) for counts in self.counts.values() if counts), Counter())

    def stop(self, status):
        """Do nothing, and say so in `meta.cal_step`."""
        self.status = status
        self.active = False

    def nodes(self):
        """The declared small parts of its references, by type and name."""
        if self._nodes is None:
            self._nodes = {
                use.type: {path: self.sources[use.type].node(path) for path in use.nodes}
                for use in self.step.references
                if self.sources.get(use.type) is not None
            }
        return {kind: dict(nodes) for kind, nodes in self._nodes.items()}


class Engine:
    """Runs the strip tasks of one exposure.

    Parameters
    ----------
    source : rtools.pipeline.source.Source
    exposure : rtools.exposure.frame.Exposure
    tasks : list of Task
        Strip tasks (ramp, fit, image) in order.
    threads : int
        Strips computed at a time; the result does not depend on it.
    progress : callable
        ``progress(done, of)``, strips of the main pass.
    """

    def __init__(self, source, exposure, tasks, *, threads=1, progress=lambda done, of: None):
        self.source = source
        self.exposure = exposure
        self.tasks = tasks
        self.threads = threads
        self.progress = progress
        self._groups = {}
        self._pool = ThreadPoolExecutor(threads)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown(cancel_futures=True)

    @property
    def channels(self):
        """Number of readout channels of the frame."""
        return self.exposure.shape[2] // CHANNEL

    def prepare(self, first, last):
        """Call `prepare` of tasks [first, last), each seeing the exposure as the earlier ones leave it."""
        for index in range(first, last):
            task = self.tasks[index]
            if not task.active or not hasattr(task.module, "prepare"):
                continue
            started = time.perf_counter()
            answer = task.module.prepare(self.exposure, _Look(self, index), task.nodes(), task.options)
            task.times.append(time.perf_counter() - started)
            if isinstance(answer, Skip | NotApplicable):
                task.stop("SKIPPED" if isinstance(answer, Skip) else "N/A")
                level = "warning" if isinstance(answer, Skip) else "info"
                self.exposure.log(level, f"{task.step.name}: {task.status}: {answer.reason}")
            else:
                task.prepared = answer

    def run(self):
        """All strips through all tasks into the sinks; then the channels that a task wants again."""
        everything = len(self.tasks)
        self._sweep(everything, range(self.channels), sinks=True)
        for task in self.tasks:
            if task.active and hasattr(task.module, "revise"):
                again = task.module.revise(task.prepared, task.options)
                self._sweep(everything, again or (), sinks=True)
        self._groups.clear()

    def map_channels(self, upto, function):
        """``function(strip)`` for each channel with tasks [0, upto) applied; results in channel order."""
        return self._sweep(upto, range(self.channels), function=function)

    def strip(self, upto, start, stop):
        """Columns [start, stop) with tasks [0, upto) applied."""
        first = start - start % GROUP
        group = self._group(first) if stop <= first + GROUP else _Columns(self, start, stop)
        return self._compute(upto, start, stop, group)

    def _sweep(self, upto, channels, *, function=None, sinks=False):
        """Channels through tasks [0, upto), group by group."""
        channels = list(channels)
        starts = sorted({channel * CHANNEL // GROUP * GROUP for channel in channels})
        starts.sort(key=lambda start: start not in self._groups)  # those already in memory first
        results = {}
        for start in starts:
            group = self._group(start)
            group.read(self.tasks[:upto])
            members = [channel for channel in channels if start <= channel * CHANNEL < start + GROUP]
            jobs = [self._pool.submit(self._channel, upto, channel, group, function, sinks) for channel in members]
            self._gather(jobs, results, report=sinks)
            if upto == len(self.tasks):
                self._groups.pop(start)
                group = jobs = None  # before the next group is read
        return [results[channel] for channel in channels]

    def _group(self, start):
        """References of the channels from column `start` on; kept until the last sweep."""
        stop = min(start + GROUP, self.exposure.shape[2])
        return self._groups.setdefault(start, _Columns(self, start, stop))

    def _channel(self, upto, channel, group, function, sinks):
        strip = self._compute(upto, channel * CHANNEL, (channel + 1) * CHANNEL, group, sinks=sinks)
        return channel, function(strip) if function else None

    def _gather(self, jobs, results, *, report):
        try:
            for job in jobs:
                channel, result = job.result()
                results[channel] = result
                if report:
                    self.progress(len(results), self.channels)
        except BaseException:
            for job in jobs:
                job.cancel()
            raise

    def _compute(self, upto, start, stop, group, *, sinks=False):
        tasks = self.tasks[:upto]
        halo = sum(task.halo for task in tasks)
        columns = self.exposure.shape[2]
        strip = self.source.load(max(0, start - halo), min(columns, stop + halo))
        for task in tasks:
            if task.active:
                references = group.cut(task, strip)
                started = time.perf_counter()
                counts = task.module.apply(strip, references, task.options, task.prepared)
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


class _Columns:
    """The references of some columns of the frame, read once, handed out by strip."""

    def __init__(self, engine, start, stop):
        self._engine = engine
        halo = sum(task.halo for task in engine.tasks)
        self._start = max(0, start - halo)
        self._stop = min(engine.exposure.shape[2], stop + halo)
        self._first_channel = start // CHANNEL
        self._channels = -(-stop // CHANNEL) - self._first_channel
        self._arrays = {}

    def read(self, tasks):
        """Read what these tasks declare and is not here yet."""
        for task in tasks:
            for use in task.step.references if task.active else ():
                if task.sources.get(use.type) is not None:
                    for name in (*use.planes, *use.trimmed, *use.channels):
                        self._array(task, use, name)

    def cut(self, task, strip):
        """References of a task, cut to a strip: type to name to array."""
        references = task.nodes()
        for use in task.step.references:
            if task.sources.get(use.type) is None:
                continue
            found = references.setdefault(use.type, {})
            for name in use.planes:
                plane = self._array(task, use, name)
                found[name] = np.ascontiguousarray(plane[..., strip.start - self._start : strip.stop - self._start])
            for name in use.trimmed:
                first = max(self._start, BORDER) - BORDER
                span = strip.trimmed
                plane = self._array(task, use, name)
                found[name] = np.ascontiguousarray(plane[..., span.start - first : span.stop - first])
            for name in use.channels:
                found[name] = self._array(task, use, name)[strip.channel - self._first_channel]
        return references

    def _array(self, task, use, name):
        key = (use.type, name)
        if key not in self._arrays:
            source = task.sources[use.type]
            threads = self._engine.threads
            columns = self._engine.exposure.shape[2]
            if name in use.planes:
                array = source.columns(name, self._start, self._stop, threads=threads)
            elif name in use.trimmed:
                first = max(self._start, BORDER) - BORDER
                last = min(self._stop, columns - BORDER) - BORDER
                array = source.columns(name, first, last, threads=threads)
            else:
                first = self._first_channel
                array = source.rows(name, first, first + self._channels, threads=threads)
            self._arrays[key] = array
        return self._arrays[key]


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
