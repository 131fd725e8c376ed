"""One pool for a run: order, failures, nesting, what is shared, and that nothing of it can be pickled."""

import pickle
import threading
import time

import numpy as np
import pytest

from rtools.work import ALONE, Work, aside, results_of, settle
from rtools.work.loops import in_chunks, in_rows, row_slices


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads):
    def slow_first(n):
        time.sleep(0.02 if n == 0 else 0)
        return n * n

    with Work(threads) as work:
        assert work.map(slow_first, range(20)) == [n * n for n in range(20)]


def test_without_threads_all_is_done_by_the_caller():
    here = threading.get_ident()
    assert ALONE.map(lambda _: threading.get_ident(), range(3)) == [here] * 3
    assert ALONE.submit(threading.get_ident).result() == here


def test_one_thread_is_not_the_caller_s():
    with Work(1) as work:
        assert set(work.map(lambda _: threading.get_ident(), range(3))) != {threading.get_ident()}


def test_pool_has_no_more_threads_than_asked_for():
    with Work(3) as work:
        seen = work.map(lambda _: (time.sleep(0.001), threading.get_ident())[1], range(200))
    assert 1 <= len(set(seen)) <= 3


@pytest.mark.parametrize("threads", [1, 2])
def test_nested_use_does_not_wait_for_itself(threads):
    with Work(threads) as work:

        def outer(n):
            return sum(work.map(lambda m: n + m, range(4))) + work.submit(lambda: 1).result()

        found = work.submit(lambda: work.map(outer, range(8))).result(timeout=20)
    assert found == [4 * n + 7 for n in range(8)]


def test_first_failure_is_raised_and_what_has_not_begun_is_cancelled():
    done = []

    def job(n):
        if n == 0:
            raise KeyError("first")
        time.sleep(0.01)
        done.append(n)

    with Work(2) as work, pytest.raises(KeyError, match="first"):
        work.map(job, range(500))
    assert len(done) < 50


def test_nothing_runs_any_more_when_a_failure_is_raised():
    running = []

    def job(n):
        if n == 0:
            time.sleep(0.01)
            raise ValueError
        running.append(n)
        time.sleep(0.05)
        running.remove(n)

    with Work(4) as work:
        with pytest.raises(ValueError):
            work.map(job, range(100))
        assert running == []


@pytest.mark.parametrize("threads", [None, 2])
def test_a_failed_job_says_so_when_its_result_is_asked_for(threads):
    with Work(threads) as work:
        jobs = [work.submit(int, text) for text in ("1", "two", "3")]
        with pytest.raises(ValueError, match="two"):
            results_of(jobs)


def test_another_log_has_the_same_threads():
    heard = []
    with Work(2) as work:
        other = work.with_log(lambda level, text: heard.append((level, text)))
        other.log("info", "something")
        names = {*work.map(lambda _: (time.sleep(0.001), threading.get_ident())[1], range(50)),
                 *other.map(lambda _: (time.sleep(0.001), threading.get_ident())[1], range(50))}  # fmt: skip
        assert other.threads == 2
    assert heard == [("info", "something")]
    assert len(names) <= 2


def test_closed_work_begins_anew():
    work = Work(2)
    for _ in range(2):
        assert work.map(abs, [-1, -2]) == [1, 2]
        work.close()


def test_what_runs_aside_is_waited_for_and_not_cancelled():
    gate = threading.Event()
    job = aside(lambda: (gate.wait(10), "done")[1])
    threading.Timer(0.05, gate.set).start()
    settle([job])
    assert job.result(timeout=0) == "done"


def test_jobs_of_a_closed_pool_are_not_waited_for():
    work, begun, gate = Work(1), threading.Event(), threading.Event()
    jobs = [work.submit(lambda: (begun.set(), gate.wait(10))), *(work.submit(abs, n) for n in range(5))]
    assert begun.wait(10)
    threading.Timer(0.05, gate.set).start()
    work.close()
    settler = threading.Thread(target=settle, args=(jobs,), daemon=True)
    settler.start()
    settler.join(5)
    assert not settler.is_alive()
    assert [job.cancelled() for job in jobs] == [False] + [True] * 5


def test_results_that_nobody_takes_hold_nobody_up():
    with Work(2) as work:
        results = work.each(lambda n: time.sleep(0.001) or n, range(100))
        assert next(results) == 0
        work.close()
        results.close()


def test_work_is_never_pickled():
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(Work(2))


def test_silent_work_takes_progress():
    with Work().progress("frames", 3) as progress:
        progress.advance()


@pytest.mark.parametrize("threads", [None, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 1000])
def test_each_row_and_each_source_is_done_once(threads, count):
    rows, sources, begun = np.zeros(count, int), np.zeros(count, int), []

    def add(rows):
        counts[rows] += 1

    def kernel(out, first, last):
        out[first:last] += 1

    counts = rows
    with Work(threads) as work:
        in_rows(work, add, count, then=lambda: begun.append(True))
        in_chunks(work, count, kernel, sources)
    assert (rows == 1).all()
    assert (sources == 1).all()
    assert begun == [True]


def test_slices_of_rows_do_not_overlap_and_leave_nothing_out():
    assert row_slices(600, 256) == [slice(0, 256), slice(256, 512), slice(512, 600)]
    assert row_slices(0) == []


def test_what_was_begun_aside_is_waited_for_when_it_is_settled():
    """Settled before it has ended, it was once cancelled without a word and waited for without an end."""
    may_end, done = threading.Event(), []
    job = aside(lambda: may_end.wait(10) and done.append("synced"))
    threading.Timer(0.1, may_end.set).start()
    settling = threading.Thread(target=settle, args=([job],), daemon=True)
    settling.start()
    settling.join(10)
    assert not settling.is_alive()
    assert done == ["synced"] and not job.cancelled()
