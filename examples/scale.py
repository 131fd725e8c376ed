#!/usr/bin/env python3
"""A day of Roman on a cluster, played event by event: when it is done, what waits for what, what lost workers cost.

usage: python examples/scale.py [--cores 16 64 256] [--images 12900] [--bandwidth MB/S] [--mtbf HOURS] [--seed N]
                                [--per-mosaic 40] [--arrivals DAYS] [--json]

Images arrive through the day, eighteen at a time. Each job reads, computes and writes on one core with its memory;
all jobs that read or write at a moment share the bandwidth of the file system. When all images of a field are there, a
job makes their mosaic. A worker lives for a random time (mean --mtbf hours) and takes its job with it, which is done
once more; a new worker comes after two minutes. The costs of single jobs are those that examples/scale.md derives from
measurements; options replace them. Needs nothing but Python.
"""

import argparse
import heapq
import json
import random
from collections import deque
from dataclasses import dataclass, field

DAY = 86400.0
DETECTORS = 18
RESTART = 120.0
"""Seconds until a lost worker is replaced."""


@dataclass(frozen=True)
class Cost:
    """What a kind of job takes on one core: seconds of the processor, MB read and written, GiB of memory."""

    seconds: float
    read: float
    write: float
    memory: float


EXPOSURE = Cost(seconds=12.5, read=311.0, write=312.0, memory=1.5)
IMAGE_OF_MOSAIC = Cost(seconds=4.0, read=244.0, write=0.0, memory=0.0)
MOSAIC = Cost(seconds=8.4, read=0.0, write=700.0, memory=2.0)
"""From measurements: see examples/scale.md. A mosaic costs MOSAIC and IMAGE_OF_MOSAIC for each of its images."""


@dataclass
class Job:
    """A job, and what is left of the phase in which it is."""

    name: str
    cost: Cost
    arrival: float
    waits: set = field(default_factory=set)
    phase: str = ""
    left: float = 0.0
    tries: int = 0
    began: float = 0.0
    done: float = 0.0


def jobs_of_day(images, per_mosaic, arrivals):
    """The exposures of a day in the order in which they arrive, and the mosaics that wait for them."""
    exposures = [
        Job(f"image {number}", EXPOSURE, arrivals * DAY * (number // DETECTORS * DETECTORS) / images)
        for number in range(images)
    ]
    mosaics = []
    for first in range(0, images if per_mosaic else 0, per_mosaic or 1):
        members = exposures[first : first + per_mosaic]
        number, one = len(members), IMAGE_OF_MOSAIC
        cost = Cost(MOSAIC.seconds + number * one.seconds, number * one.read, MOSAIC.write, MOSAIC.memory)
        mosaics.append(Job(f"mosaic {len(mosaics)}", cost, members[-1].arrival, {job.name for job in members}))
    return exposures, mosaics


class Cluster:
    """Workers of one core each, a shared file system, and the events between them."""

    def __init__(self, cores, bandwidth, mtbf, seed):
        self.cores, self.bandwidth, self.mtbf = cores, bandwidth, mtbf * 3600
        self.random = random.Random(seed)
        self.now, self.free, self.lost = 0.0, cores, 0
        self.moving, self.computing, self.later = [], [], []
        self.busy = self.moved = self.wasted = 0.0
        self.most = 0

    def run(self, exposures, mosaics):
        """Carry all jobs out."""
        waiting, ready = deque(exposures), deque()
        blocked = {name: mosaic for mosaic in mosaics for name in mosaic.waits}
        left = len(exposures) + len(mosaics)
        if self.mtbf:
            self._at(self.random.expovariate(self.cores / self.mtbf), "loss", None)
        while left:
            while waiting and waiting[0].arrival <= self.now:
                ready.append(waiting.popleft())
            while ready and self.free:
                self._begin(ready.popleft())
            for job in self._advance(waiting[0].arrival if waiting else float("inf"), ready):
                left -= 1
                job.done = self.now
                mosaic = blocked.pop(job.name, None)
                if mosaic is not None:
                    mosaic.waits.discard(job.name)
                    if not mosaic.waits:
                        ready.appendleft(mosaic)
        return self.now

    def _begin(self, job):
        self.free -= 1
        job.tries += 1
        job.began = self.now
        job.phase, job.left = "read", job.cost.read
        self.moving.append(job)
        self.most = max(self.most, self.cores - self.free)

    def _at(self, delay, what, job):
        heapq.heappush(self.later, (self.now + delay, self.random.random(), what, job, job.tries if job else 0))

    def _advance(self, arrival, ready):
        """Go to the next event; the jobs that it ended."""
        rate = self.bandwidth / len(self.moving) if self.moving else 0.0
        moved = self.now + min((job.left for job in self.moving), default=float("inf")) / rate if rate else float("inf")
        event = self.later[0][0] if self.later else float("inf")
        then = max(self.now, min(arrival, moved, event))
        step = then - self.now
        self.busy += step * (self.cores - self.free)
        for job in self.moving:
            job.left -= rate * step
        self.moved += rate * step * len(self.moving)
        self.now = then
        if then == event:
            _time, _tie, what, job, tries = heapq.heappop(self.later)
            if what == "loss":
                self._lose(ready)
            elif what == "worker":
                self.free += 1
            elif job.tries == tries and job.phase == "compute":
                self.computing.remove(job)
                job.phase, job.left = "write", job.cost.write
                self.moving.append(job)
        return self._finish_moves()

    def _finish_moves(self):
        ended = []
        for job in [job for job in self.moving if job.left <= 1e-6]:
            self.moving.remove(job)
            if job.phase == "read":
                job.phase = "compute"
                self.computing.append(job)
                self._at(job.cost.seconds, "computed", job)
            else:
                job.phase = ""
                self.free += 1
                ended.append(job)
        return ended

    def _lose(self, ready):
        """One of all workers is gone, with its job; another one comes."""
        at_work = self.moving + self.computing
        self.lost += 1
        chosen = self.random.random() * self.cores
        if chosen < len(at_work):
            job = self.random.choice(at_work)
            (self.moving if job in self.moving else self.computing).remove(job)
            self.wasted += self.now - job.began
            job.phase = ""
            ready.appendleft(job)
            self._at(RESTART, "worker", None)
        elif chosen < len(at_work) + self.free:
            self.free -= 1
            self._at(RESTART, "worker", None)
        self._at(self.random.expovariate(self.cores / self.mtbf), "loss", None)


def percentile(values, share):
    """The value below which a share of all values lies."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def play(cores, options):
    """What a day on some cores comes to, as a mapping of numbers."""
    exposures, mosaics = jobs_of_day(options.images, options.per_mosaic, options.arrivals)
    cluster = Cluster(cores, options.bandwidth, options.mtbf, options.seed)
    end = cluster.run(exposures, mosaics)
    late = [job.done - job.arrival for job in exposures]
    return {
        "cores": cores,
        "hours": end / 3600,
        "core_hours": sum(job.cost.seconds for job in exposures + mosaics) / 3600,
        "busy": cluster.busy / (cores * end),
        "TB_moved": cluster.moved / 1e6,
        "MB_s": cluster.moved / end,
        "memory_GiB": cluster.most * EXPOSURE.memory,
        "delay_median_s": percentile(late, 0.5),
        "delay_99_s": percentile(late, 0.99),
        "workers_lost": cluster.lost,
        "jobs_repeated": sum(job.tries - 1 for job in exposures + mosaics),
        "hours_repeated": cluster.wasted / 3600,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cores", type=int, nargs="+", default=[16, 64, 256])
    parser.add_argument("--images", type=int, default=12900)
    parser.add_argument("--per-mosaic", type=int, default=40, help="images of a mosaic; 0 makes none")
    parser.add_argument("--arrivals", type=float, default=1.0, help="days through which they arrive; 0: all at once")
    parser.add_argument("--bandwidth", type=float, default=2000.0, help="MB/s of the file system")
    parser.add_argument("--mtbf", type=float, default=24.0, help="mean hours that a worker lives; 0: for ever")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [play(cores, options) for cores in options.cores]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for name in rows[0]:
        print(f"{name:16s}" + "".join(f"{row[name]:12.4g}" for row in rows))


if __name__ == "__main__":
    main()
