"""The streaming engine: strips through steps, on threads, with the references of a few channels at a time.

One step or thirteen, it is the same engine given a list of tasks. Nothing holds the float32 ramp of the frame: what
is kept is the input (mapped, or decoded once), the references of the group of channels at work, one strip per thread,
and the planes of the result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from rtools.declare import NotApplicable, Skip
from rtools.exposure.frame import View
from rtools.pipeline.exposure.portion import GROUP, Buffers, Portion, crop, cropped
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.work import results_of

if TYPE_CHECKING:
    from rtools.exposure.frame import Exposure, Strip
    from rtools.pipeline.exposure.source import Source
    from rtools.pipeline.exposure.task import StripTask
    from rtools.work import Work

__all__ = ["GROUP", "Engine"]

Item = TypeVar("Item")
Given = TypeVar("Given")


class Engine:
    """Runs the strip tasks of one exposure.

    Parameters
    ----------
    source : rtools.pipeline.exposure.source.Source
        Where strips come from.
    exposure : rtools.exposure.frame.Exposure
        What belongs to the frame and not to a strip; `prepare` of the tasks may change it.
    tasks : list of StripTask
        Strip tasks (ramp, fit, image) in order.
    work : rtools.work.Work
        Its threads compute a strip each; the result does not depend on how many there are.
    label : str
        What progress calls the exposure.
    """

    def __init__(self, source: Source, exposure: Exposure, tasks: list[StripTask], work: Work, *, label: str = ""):
        self.source = source
        self.exposure = exposure
        self.tasks = tasks
        self.work = work
        self.label = label
        self._ahead: tuple[Portion, list[Future]] | None = None
        self._checks: list[Future] | None = None
        self._kept: dict[tuple[int, int, int], Strip] = {}
        self._buffers = Buffers()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.work.close()  # nothing computes any more when the products are given up
        self._ahead = None
        self._kept.clear()
        self._buffers.clear()

    @property
    def channels(self) -> int:
        """Number of readout channels of the frame; a cutout is done in portions as wide, of which the last is less."""
        return -(-(self.exposure.shape[2] - BORDER) // CHANNEL)

    def _span(self, channel):
        """Columns [start, stop) of a channel."""
        return channel * CHANNEL, min((channel + 1) * CHANNEL, self.exposure.shape[2])

    def read_ahead(self) -> None:
        """Begin to read what the first strips of `run` need; `prepare` goes on meanwhile."""
        self._ahead = self._begin(len(self.tasks), range(min(GROUP, self.channels)))

    def prepare(self, first: int, last: int) -> None:
        """Call `prepare` of tasks, each seeing the exposure as the earlier ones leave it.

        A task that answers with `Skip` or `NotApplicable` is stopped; any other answer is kept for its `apply`.

        Parameters
        ----------
        first, last : int
            Tasks [first, last) of `tasks`.
        """
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

    def run(self) -> None:
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

    def map(self, function: Callable[[Item], Given], items: Iterable[Item]) -> list[Given]:
        """``[function(item) for each item]`` on the engine's threads.

        Parameters
        ----------
        function : callable
            Takes one item.
        items : iterable
            What it is called with.

        Returns
        -------
        list
            In the order of the items.
        """
        return self.work.map(function, items)

    def map_channels(self, upto: int, function: Callable[[Strip], Given]) -> list[Given]:
        """``function(strip)`` for each channel.

        Parameters
        ----------
        upto : int
            Tasks [0, upto) have been applied to the strips.
        function : callable
            Takes a strip, on any thread.

        Returns
        -------
        list
            In the order of the channels.
        """
        if self._ahead is not None:  # one group is enough in memory
            portion, reads = self._ahead
            self._ahead = None
            results_of(reads)
            self._buffers.give(portion.untaken())
        return self._sweep(upto, range(self.channels), function=function)

    def strip(self, upto: int, start: int, stop: int, *, keep: bool = False) -> Strip:
        """Some columns with tasks applied.

        Parameters
        ----------
        upto : int
            Tasks [0, upto) have been applied.
        start, stop : int
            Columns [start, stop) of the full frame.
        keep : bool
            Keep the strip: the next who asks for the same gets it, once.

        Returns
        -------
        rtools.exposure.frame.Strip
            In memory of its own.
        """
        wanted = (upto, start, stop)
        strip = self._kept.pop(wanted, None)
        if strip is None:
            portion = Portion(self, upto, [(start, stop)])
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
        results: dict[int, Any] = {}
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
                reference = task.references.get(use.type) if task.active else None
                if reference is not None:
                    jobs += reference.checks((*use.planes, *use.trimmed, *use.channels))
        return jobs

    def _begin(self, upto, channels):
        """A portion of these channels, and its jobs on the pool."""
        spans = [self._span(channel) for channel in channels]
        portion = Portion(self, upto, spans, self._buffers)
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
            crop(strip, max(0, start - halo), min(columns, stop + halo))
        for task in tasks:
            if task.active and task.apply is not None:
                references = share.references(task)
                started = time.perf_counter()
                counts = task.apply(strip, references, task.options, task.prepared)
                task.times.append(time.perf_counter() - started)
                if sinks:
                    task.counts[start // CHANNEL] = counts
            if task.halo:
                halo -= task.halo
                crop(strip, max(0, start - halo), min(columns, stop + halo))
            if sinks and task.sinks:
                inner = cropped(strip, start, stop) if halo else strip
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
