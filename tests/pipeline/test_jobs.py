"""Jobs: they wait for each other, fail one by one, are told as they end, and can be carried out elsewhere."""

import pickle
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rtools.errors import InputError, Refusal
from rtools.pipeline.exposure.job import plan_exposure
from rtools.pipeline.exposure.request import ExposureRequest
from rtools.pipeline.job.job import Description, Failure, Job, Result
from rtools.pipeline.job.local import Local
from rtools.pipeline.job.request import Request
from rtools.pipeline.job.run import run_jobs
from rtools.work import Work
from tests.support.runs import same

REQUEST = Request(tool="rt-test")


@dataclass(frozen=True, eq=False)
class Toy(Job):
    """A job that writes its name, or fails."""

    after: tuple = ()
    fails: bool = False
    writes: tuple = ()
    done: list = field(default_factory=list)

    kind = "toy"

    @property
    def waits_for(self):
        return tuple(f"toy {name}" for name in self.after)

    @property
    def reads(self):
        return ()

    def describe(self):
        return Description(input=self.name, waits_for=self.after)

    def moved_to(self, folder):
        return Toy(self.name, Request(tool="rt-test"), writes=(folder / "x",), done=self.done)

    def carry_out(self, work, before):
        failed = [one.input for outcomes in before.values() for one in outcomes if isinstance(one, Failure)]
        self.done.append((self.name, failed))
        if self.fails:
            raise InputError("broken", path=self.name)
        for path in self.writes:
            Path(path).write_text(self.name)
        return [Result(self.name, outputs=self.writes)]


class Told:
    """What a run tells."""

    def __init__(self):
        self.plans, self.results, self.failures = [], [], []

    def planned(self, description):
        self.plans.append(description)

    def begin(self, count):
        self.count = count

    def ended(self, result):
        self.results.append(result.input)
        return 0

    def failed(self, name, error):
        if isinstance(error, Refusal):
            raise error
        self.failures.append((name, str(error)))
        return error.exit_code


def run(jobs, **options):
    """Status, and what was told, of some jobs."""
    told = Told()
    plans = [(job.name, lambda job=job: [job]) for job in jobs]
    return run_jobs(plans, Local(Work()), told, **options), told


@pytest.mark.slow
def test_a_job_begins_when_those_that_it_waits_for_have_ended():
    done = []
    jobs = [
        Toy("last", REQUEST, ("b", "a"), done=done),
        Toy("b", REQUEST, ("a",), done=done),
        Toy("a", REQUEST, done=done),
    ]
    status, told = run(jobs)
    assert (status, told.results, [name for name, _failed in done]) == (0, ["a", "b", "last"], ["a", "b", "last"])


@pytest.mark.slow
def test_a_failure_is_told_and_what_waits_for_it_learns_of_it():
    done = []
    jobs = [
        Toy("a", REQUEST, fails=True, done=done),
        Toy("b", REQUEST, done=done),
        Toy("c", REQUEST, ("a", "b"), done=done),
    ]
    status, told = run(jobs)
    assert status == 3 and told.failures == [("a", "a: broken")] and told.results == ["b", "c"]
    assert done[-1] == ("c", ["a"])


def test_fail_fast_begins_nothing_after_a_failure():
    done = []
    status, told = run([Toy("a", REQUEST, fails=True, done=done), Toy("b", REQUEST, done=done)], fail_fast=True)
    assert (status, told.results, len(done)) == (3, [], 1)


def test_a_dry_run_tells_every_job_and_does_nothing():
    done = []
    status, told = run([Toy("a", REQUEST, done=done), Toy("b", REQUEST, ("a",), done=done)], dry_run=True)
    assert (status, done) == (0, []) and [plan.waits_for for plan in told.plans] == [(), ("a",)]


def test_two_jobs_of_one_file_are_refused_before_any_work(tmp_path):
    done = []
    jobs = [Toy(name, REQUEST, writes=(tmp_path / "x",), done=done) for name in "ab"]
    with pytest.raises(Refusal, match="a and b would both be"):
        run(jobs)
    assert done == []


def test_an_input_that_cannot_be_planned_does_not_stop_the_others():
    def refuse():
        raise InputError("no such file", path="x")

    told, job = Told(), Toy("a", REQUEST)
    status = run_jobs([("x", refuse), ("a", lambda: [job])], Local(Work()), told)
    assert (status, told.failures, told.results) == (3, [("x", "x: no such file")], ["a"])


def test_a_product_for_standard_output_is_copied_when_it_is_whole(capfdbinary):
    status, _told = run([Toy("a", Request(tool="rt-test", output="-"))])
    assert (status, capfdbinary.readouterr().out) == (0, b"a")


def test_an_executor_takes_as_many_jobs_as_it_has_room_for():
    class Slow:
        running, most = [], 0

        def begin(self, jobs):
            return len(jobs) == 3

        def takes(self, job, running):
            return len(running) < 2

        def wait(self, running):
            return [one for one in running if one.done()]

        def close(self):
            self.running.clear()

        def submit(self, job, before):
            self.running.append(Future())
            Slow.most = max(Slow.most, len([one for one in self.running if not one.done()]))
            if len(self.running) >= 2:  # the one before ends when the next begins
                self.running[-2].set_result([Result(job.name)]) if not self.running[-2].done() else None
            if len(self.running) == 3:
                self.running[-1].set_result([Result(job.name)])
            return self.running[-1]

    jobs = [Toy(name, REQUEST) for name in "abc"]
    assert run_jobs([(job.name, lambda job=job: [job]) for job in jobs], Slow(), Told()) == 0
    assert Slow.most == 2


def test_an_error_survives_a_pickle():
    error = pickle.loads(pickle.dumps(InputError("broken", mend="mend it", path="x")))
    assert (str(error), error.exit_code) == ("x: broken; mend it", 3)


CARRY_OUT = """
import pickle, sys
from rtools.work import Work
with open(sys.argv[1], "rb") as file:
    job = pickle.load(file)
print(*job.carry_out(Work(2), {})[0].outputs, sep="\\n")
"""


def elsewhere(job, folder):
    """Outputs of a job that another process carries out."""
    path = folder / "job.pickle"
    path.write_bytes(pickle.dumps(job))
    done = subprocess.run([sys.executable, "-c", CARRY_OUT, path], capture_output=True, text=True, check=True)
    return [Path(line) for line in done.stdout.splitlines()]


def test_another_process_calibrates_an_exposure_to_the_same_bits(raw, product, tmp_path):
    request = ExposureRequest(tool="rt-run", outdir=str(tmp_path), last="flat")
    job = plan_exposure(str(raw), str(raw), request)
    assert job.reads == (str(raw),) and job.cost().bytes > raw.stat().st_size
    assert elsewhere(job, tmp_path) == list(job.writes)
    assert all(same(job.writes[-1], product("flat")).values())


def test_a_job_that_waits_for_what_is_not_there_ends_the_run():
    with pytest.raises(RuntimeError, match="toy b"):
        run([Toy("a", REQUEST), Toy("b", REQUEST, ("nobody",))])
