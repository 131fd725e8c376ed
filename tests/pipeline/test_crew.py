"""Jobs in several processes: the same bits, whole messages, a lost worker costs its job, nothing stays behind."""

import os
import signal
import sys

import pytest

from rtools.pipeline.job import local
from rtools.pipeline.job.run import run_jobs
from rtools.work import Work
from tests.support.worked_jobs import GIB, Told, begun, gone, jobs_of, whom

pytestmark = pytest.mark.slow


def run(jobs, cores=2, memory=None, **options):
    """Status, what was told and what was logged of jobs in processes."""
    told, said = Told(), []
    with Work(cores, log=lambda level, text: said.append((level, text))) as work:
        plans = [(job.name, lambda job=job: [job]) for job in jobs]
        status = run_jobs(plans, local.Local(work, memory), told, **options)
    return status, told, said


def test_jobs_are_carried_out_by_warm_processes_and_the_last_gets_all_cores(tmp_path):
    status, told, said = run(jobs_of(tmp_path, *"abc"))
    found = whom(tmp_path, *"abc")
    assert status == 0 and sorted(told.results) == list("abc")
    assert len({process for process, _threads in found}) == 2 and os.getpid() not in dict(found)
    assert [threads for _process, threads in found] == [1, 1, 2]
    assert sorted(said) == [("info", f"{name}: done") for name in "abc"]


def test_one_job_is_carried_out_by_the_threads_of_this_process(tmp_path):
    run(jobs_of(tmp_path, "a"))
    assert whom(tmp_path, "a") == [(os.getpid(), 2)]


def test_small_jobs_begin_no_process(tmp_path):
    run(jobs_of(tmp_path, *"ab", size=0.4))
    assert {process for process, _threads in whom(tmp_path, *"ab")} == {os.getpid()}


def test_jobs_that_do_not_fit_together_run_one_after_another_with_all_cores(tmp_path):
    run(jobs_of(tmp_path, *"ab", size=2), memory=3 * GIB)
    assert [threads for _process, threads in whom(tmp_path, *"ab")] == [2, 2]


def test_a_job_larger_than_the_limit_runs_alone_and_a_line_says_so(tmp_path):
    small = jobs_of(tmp_path, *"ab", what=("begun", "nap"))
    large = jobs_of(tmp_path, "c", size=9, what=("begun", "nap"))
    _status, _told, said = run([small[0], *large, small[1]], memory=3 * GIB)
    begun = {name: float((tmp_path / f"{name}.begun").read_text()) for name in "abc"}
    ended = {name: float((tmp_path / name).read_text().split()[2]) for name in "abc"}
    assert all(ended[name] <= begun["c"] or begun[name] >= ended["c"] for name in "ab")
    assert ("note", "c: 9.0 GiB are more than the 3.0 GiB of --max-memory, so it runs alone") in said


def test_a_failure_costs_its_job_and_fail_fast_begins_no_other(tmp_path):
    jobs = [*jobs_of(tmp_path, "a", what=("fail",)), *jobs_of(tmp_path, *"bc")]
    status, told, _said = run(jobs)
    assert status == 3 and told.failures == ["a: broken"] and sorted(told.results) == ["b", "c"]
    jobs = [*jobs_of(tmp_path, "a", what=("fail",)), *jobs_of(tmp_path, "x", what=("nap",)), *jobs_of(tmp_path, "y")]
    status, told, _said = run(jobs, fail_fast=True)
    assert status == 3 and told.results == ["x"] and not (tmp_path / "y").exists()


def test_a_job_whose_worker_is_killed_is_done_once_more_and_its_temporary_file_removed(tmp_path):
    jobs = [*jobs_of(tmp_path, "a", what=("die_once",)), *jobs_of(tmp_path, *"bc")]
    status, told, _said = run(jobs)
    assert (status, told.lost, sorted(told.results)) == (0, ["a"], list("abc"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.died", "b", "c"]


@pytest.mark.parametrize("what, why", [("die", "was killed (SIGKILL)"), ("devour", "had no memory left")])
def test_a_job_whose_workers_are_lost_twice_is_a_failure_with_its_name(what, why, tmp_path):
    status, told, _said = run([*jobs_of(tmp_path, "a", what=(what,)), *jobs_of(tmp_path, *"bc")])
    assert (status, told.lost, sorted(told.results)) == (1, ["a"], ["b", "c"])
    assert told.failures[0].startswith(f"a: the process that worked on it {why}; fewer jobs at a time (-j)")


def test_a_job_whose_worker_had_no_memory_is_done_once_more_alone(tmp_path):
    jobs = [*jobs_of(tmp_path, "a", what=("devour_once",)), *jobs_of(tmp_path, *"bc", what=("nap",))]
    status, told, _said = run(jobs)
    assert (status, told.lost, told.failures, sorted(told.results)) == (0, ["a"], [], ["a", "b", "c"])
    assert whom(tmp_path, "a")[0][0] != os.getpid()


@pytest.mark.parametrize("cores", [1, 2, 4, 8, 16, 64])
@pytest.mark.parametrize("count", [1, 2, 8, 50])
def test_processes_and_their_threads_follow_from_cores_inputs_and_memory(count, cores, tmp_path):
    """A process for each job as far as cores and memory reach; the cores are shared by those that begin together."""
    jobs = jobs_of(tmp_path, *map(str, range(count)), size=1.4)
    for each in (1.5, 0.5):  # GiB for a core
        executor = local.Local(Work(cores), memory=each * cores * GIB)
        executor.begin(jobs)
        processes = min(cores, count, max(1, int(each * cores / 1.4)))
        assert executor._most == processes
        assert (executor._crew is None) == (processes == 1)  # one process: this one, with all threads
        threads = []
        for job in jobs if processes > 1 else ():
            executor._left.pop(job.key)
            threads.append(executor._threads())
        for first in range(0, len(threads), processes):
            together = threads[first : first + processes]
            assert sum(together) == cores and max(together) - min(together) <= 1


def test_what_waits_for_others_begins_in_a_process_when_they_have_ended(tmp_path):
    jobs = [*jobs_of(tmp_path, "last", after=("a", "b")), *jobs_of(tmp_path, *"ab", what=("nap",))]
    _status, told, _said = run(jobs)
    assert told.results[-1] == "last" and whom(tmp_path, "last")[0][1] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_run(number, tmp_path):
    child = os.fork()
    if not child:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            run(jobs_of(tmp_path, *"ab", what=("linger",)))
        finally:
            os._exit(1)
    workers = begun(tmp_path, *"ab")
    os.kill(child, number)
    os.waitpid(child, 0)
    assert all(map(gone, workers))
