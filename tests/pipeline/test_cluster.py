"""Jobs on a real scheduler of Dask with several worker processes: lost workers, failures, messages, no orphans."""

import os
import signal
import subprocess
import sys

import pytest

from rtools.errors import RtoolsError, UsageError
from rtools.pipeline.job.cluster import Cluster
from rtools.pipeline.job.run import run_jobs
from rtools.work import Work
from tests.support.places import ROOT
from tests.support.runs import done, listing, same, simulate
from tests.support.worked_jobs import Told, begun, gone, jobs_of, whom

pytestmark = pytest.mark.slow


def run(jobs, where="local:2", **options):
    """Status, what was told and what was logged of jobs on workers of Dask."""
    told, said, shown = Told(), [], []
    with Work(1, log=lambda level, text: said.append((level, text)), progress=progress_into(shown)) as work:
        plans = [(job.name, lambda job=job: [job]) for job in jobs]
        status = run_jobs(plans, Cluster(work, where), told, **options)
    return status, told, said, shown


def progress_into(shown):
    """Progress that keeps how far each label came."""

    class Shown:
        def __init__(self, label, total):
            self.label, self.total, self.done = label, total, 0
            shown.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.ended = True

        def advance(self, n=1):
            self.done += n

    return Shown


def test_a_graph_is_carried_out_although_a_worker_is_killed_and_a_job_fails(tmp_path):
    jobs = [
        *jobs_of(tmp_path, "last", after=("a", "b", "c")),
        *jobs_of(tmp_path, "a", what=("die_once",)),
        *jobs_of(tmp_path, "b", what=("fail",)),
        *jobs_of(tmp_path, *"cd"),
    ]
    status, told, said, shown = run(jobs)
    assert (status, told.failures) == (3, ["b: broken"]) and sorted(told.results) == ["a", "c", "d", "last"]
    assert os.getpid() not in dict(whom(tmp_path, *"acd"))
    assert {("info", "a: done"), ("info", "last: done")} <= set(said)
    assert {one.label: (one.done, one.ended) for one in shown}["c"] == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.died", "c", "d", "last"]


def test_a_job_that_loses_every_worker_is_a_failure_with_its_name(tmp_path):
    status, told, _said, _shown = run([*jobs_of(tmp_path, "a", what=("die",)), *jobs_of(tmp_path, "b")])
    assert status == 1 and told.results == ["b"]
    assert told.failures[0].startswith("its workers were lost")


INTERRUPTED = """
import signal, sys
from rtools.pipeline.job.cluster import Cluster
from rtools.pipeline.job.run import run_jobs
from rtools.work import Work
from tests.support.worked_jobs import Told, jobs_of
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
if __name__ == "__main__":
    jobs = jobs_of(sys.argv[1], *"ab", what=("linger",))
    run_jobs([(job.name, lambda job=job: [job]) for job in jobs], Cluster(Work(1), "local:2"), Told())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.long)])
def test_no_worker_outlives_the_run(number, tmp_path):
    command = [sys.executable, "-c", INTERRUPTED, tmp_path]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        workers = begun(tmp_path, *"ab")
        process.send_signal(number)
        process.wait(60)
    assert all(map(gone, workers))


def test_what_cannot_be_is_said_in_one_line(tmp_path):
    with pytest.raises(UsageError, match="a number of workers is 1 or more"):
        run(jobs_of(tmp_path, "a"), "local:0")
    with pytest.raises(RtoolsError, match="no scheduler of Dask answers"):
        run(jobs_of(tmp_path, "a"), "nonsense://nowhere")


def test_rt_run_on_dask_makes_the_same_bits(tmp_path):
    pair = [simulate(tmp_path, number=number) for number in (1, 2)]
    words = ("--until", "flat", "--outdir")
    done("run", *pair, *words, tmp_path / "here")
    done("run", *pair, *words, tmp_path / "there", "--dask", "local:2")
    assert sorted(listing(tmp_path / "here")) == sorted(listing(tmp_path / "there"))
    for path in (tmp_path / "here").iterdir():
        assert all(same(path, tmp_path / "there" / path.name).values()), path.name
