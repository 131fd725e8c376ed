"""Jobs that do what a test asks for on the way, in whatever process carries them out; and what a run tells of them."""

import os
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtools.errors import InputError
from rtools.pipeline.job.job import Cost, Description, Job, Result
from rtools.pipeline.job.request import Request
from rtools.products.io import temporary

REQUEST = Request(tool="rt-test")
GIB = 2**30


@dataclass(frozen=True, eq=False)
class Worked(Job):
    """A job that says who carried it out, and does what is asked for on the way."""

    folder: str = ""
    what: tuple = ()
    size: float = 1.0
    after: tuple = ()

    kind = "worked"

    @property
    def waits_for(self):
        return tuple(f"worked {name}" for name in self.after)

    @property
    def reads(self):
        return ()

    @property
    def writes(self):
        return (Path(self.folder) / self.name,)

    def cost(self):
        return Cost(bytes=int(self.size * GIB))

    def describe(self):
        return Description(input=self.name)

    def moved_to(self, folder):
        raise NotImplementedError

    def carry_out(self, work, before):
        for word in self.what:
            getattr(self, f"_{word}")(work)
        self.writes[0].write_text(f"{os.getpid()} {work.threads} {time.time()}")
        work.log("info", f"{self.name}: done")
        with work.progress(self.name, 2) as progress:
            progress.advance()
            progress.advance()
        return [Result(self.name, outputs=self.writes)]

    def _fail(self, _work):
        raise InputError("broken", path=self.name)

    def _die(self, _work):
        os.kill(os.getpid(), signal.SIGKILL)

    def _die_once(self, work):
        """Leave a file that is not finished, and be killed, where that has not been done."""
        mark = Path(self.folder) / f"{self.name}.died"
        if not mark.exists():
            mark.touch()
            temporary.name_beside(self.writes[0]).touch()
            self._die(work)

    def _starve(self, _work):
        raise MemoryError

    def _devour(self, _work):
        """Ask for more memory than the system gives this process."""
        in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + GIB // 8, resource.RLIM_INFINITY))
        pieces = []
        while True:
            pieces.append(np.ones(GIB // 64))

    def _devour_once(self, work):
        mark = Path(self.folder) / f"{self.name}.devoured"
        if not mark.exists():
            mark.touch()
            self._devour(work)

    def _begun(self, _work):
        Path(self.folder, f"{self.name}.begun").write_text(str(time.time()))

    def _linger(self, _work):
        Path(self.folder, f"{self.name}.begun").write_text(str(os.getpid()))
        time.sleep(60)

    def _nap(self, _work):
        time.sleep(0.3)


class Told:
    """What a run tells."""

    def __init__(self):
        self.results, self.failures, self.lost = [], [], []

    def begin(self, count):
        self.count = count

    def ended(self, result):
        self.results.append(result.input)
        return 0

    def failed(self, name, error):
        self.failures.append(str(error))
        return error.exit_code

    def again(self, name, error):
        self.lost.append(name)


def whom(folder, *names):
    """Process and threads that each job had."""
    return [tuple(map(int, (folder / name).read_text().split()[:2])) for name in names]


def jobs_of(folder, *names, **about):
    return [Worked(name, REQUEST, str(folder), **about) for name in names]


def gone(process):
    """Whether a process has ended, or does so within ten seconds."""
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def begun(folder, *names):
    """Processes of the jobs, when all have begun."""
    marks = [folder / f"{name}.begun" for name in names]
    for _ in range(300):
        if all(mark.exists() and mark.read_text() for mark in marks):
            return [int(mark.read_text()) for mark in marks]
        time.sleep(0.1)
    raise AssertionError("the jobs did not begin")
