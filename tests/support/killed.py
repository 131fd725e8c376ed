"""Runs as processes of their own that are killed at any moment, and what they leave."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support.places import ROOT

__all__ = ["EXECUTORS", "kill_at", "left_alone", "moment", "started_run"]

CODE = "from rtools.commands.rt import main; main()"
EXECUTORS = {
    "threads": (CODE, ("-j", 2)),
    "processes": (f"from rtools.pipeline.job import local; local.WORTHWHILE = 0; {CODE}", ("-j", 2)),
    "dask": (CODE, ("--dask", "local:2")),
}
"""Who carries jobs out, to the code of the process and the options of rt-run."""

MARK = "RT_TEST_MARK"


def started_run(executor, words, folder, scratch="tmp"):
    """``rt-run`` in a process of its own, which leads its group; what it begins knows the directory as a mark.

    Parameters
    ----------
    executor : str
        One of `EXECUTORS`.
    words : sequence
        What stands behind ``rt-run``.
    folder : Path
        The working directory.
    scratch : str
        A directory in it that is made for temporary files.
    """
    scratch = folder / scratch
    scratch.mkdir()
    code, options = EXECUTORS[executor]
    settings = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(scratch), MARK: str(folder)}
    command = [sys.executable, "-c", code, "run", *map(str, words), *map(str, options), "-q"]
    return subprocess.Popen(
        command, env=settings, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def kill_at(process, seconds, *, group=False):
    """Kill a run some time after its start, with or without those that it has begun; whether it was still there.

    Parameters
    ----------
    process : subprocess.Popen
        Of `started_run`.
    seconds : float
        When.
    group : bool
        All processes of it at once, as when the power fails.
    """
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
        return True


def left_alone(folder, patience=30.0):
    """Processes of a run that go on although it was killed, after some time to end.

    Parameters
    ----------
    folder : Path
        As `started_run` was given it.
    patience : float
        Seconds.
    """
    until = time.monotonic() + patience
    while (found := _marked(f"{MARK}={folder}".encode())) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def _marked(mark):
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "environ").read_bytes().split(b"\0")
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:  # it has ended, or is another user's
            continue
        if mark in words and state != "Z":
            found.append(int(folder.name))
    return found


def moment(seed, longest):
    """When a run of this seed is killed, in seconds, and whether with all that it has begun."""
    rng = random.Random(seed)
    return rng.uniform(0.0, longest), rng.random() < 0.3
