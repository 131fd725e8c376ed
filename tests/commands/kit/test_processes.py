"""What needs a process of its own: a Ctrl-C while a tool works, and a user whom mode bits stop."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.kit import (
    NAME,
    READS,
    TAKES,
    WORKING,
    WRITERS,
    many_inputs,
    many_line,
    started,
    words,
)
from tests.support.places import ROOT
from tests.support.runs import listing
from tests.support.share import some_long

DETECTORS = " ".join(f"--detector WFI{number:02d}" for number in range(1, 19))

LONG = {
    **{name: many_line(name) for name in WORKING if many_inputs(name) and "DIR" in many_line(name)},
    "sim": f"{' '.join(NAME.replace('_0001_', f'_{number:04d}_') for number in range(1, 31))} "
    "--size 256 --read-pattern 1;2;3 --no-truth --outdir DIR",
    "refs": f"make DIR {DETECTORS} --size 256",
}
"""Tool to a command line that writes one file after another."""

READERS = [(name, line) for name, line in READS if name not in LONG or name == "refs"]


def environment():
    """That of this suite, with this source tree."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The directory for temporary files, empty."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    return directory


def end_of(process, name):
    """What the process has said since; it must end as one that was interrupted."""
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.decode().splitlines()[-1] == f"rt-{name.split()[0]}: interrupted"
    assert b"Traceback" not in errors
    return said.decode()


USUAL = ("jump", "run", "sim", "table")
"""Tools that are interrupted in every run."""


@pytest.mark.parametrize("name", some_long(sorted(LONG, key=lambda name: name not in USUAL), len(USUAL)))
def test_ctrl_c_between_many_outputs_leaves_whole_files_only(name, taken, tmp_path, scratch, quick):
    out, files = tmp_path / "out", []
    if "FILE" in LONG[name]:
        source = taken(name, LONG[name])
        files = [tmp_path / f"{number:03d}_{source.name}" for number in range(60)]
        for path in files:
            os.link(source, path)
    process = started(quick, name, *words(LONG[name], files, out))
    first = process.stdout.readline().decode()  # it has begun, and far from ended
    printed = [first, *end_of(process, name).splitlines()]
    written = listing(out)
    assert {Path(path.strip()).name for path in printed} <= set(written)
    assert len(written) < 55
    assert not any(entry.startswith(".") for entry in written)
    assert list(scratch.iterdir()) == []
    sizes = defaultdict(set)
    for path in out.iterdir():
        sizes[re.sub(r"^\d+_|_\d{4}_wfi\d\d|_\d{4}\.", "", path.name)].add(path.stat().st_size)
    assert all(min(found) > 0.95 * max(found) for found in sizes.values())


FRESH = ("info", "dq")
"""Tools that read in a process which has loaded nothing yet; the others are forked, which takes less than to start."""


@pytest.mark.parametrize(("name", "line"), [*READERS, ("dq", "FILE --mask HOT -o DIR/out.asdf")])
def test_ctrl_c_while_reading(name, line, raw, tmp_path, scratch, request):
    tools = request.getfixturevalue("path_of_tools" if name in FRESH else "quick")
    out = tmp_path / "out"
    out.mkdir()
    process = started(tools, name, *words(line.replace("FILE FILE", f"- {raw}"), "-", out), stdin=subprocess.PIPE)
    process.stdin.write(raw.read_bytes()[:400_000])  # more than a pipe holds: it reads
    process.stdin.flush()
    assert end_of(process, name) == ""
    assert (listing(out), list(scratch.iterdir())) == ({}, [])


def test_ctrl_c_while_names_are_typed(path_of_tools):
    process = started(path_of_tools, "name", "--field", "program", stdin=subprocess.PIPE)
    process.stdin.write(f"{NAME}\n".encode())
    process.stdin.flush()
    assert process.stdout.readline() == b"00001\n"
    assert end_of(process, "name") == ""


def test_every_tool_is_interrupted_here():
    one_small_file = "asn"  # written in one go, from names alone
    assert sorted({*LONG, *(name for name, _line in READERS), "name", one_small_file}) == sorted(WORKING)


LOST = """
import os, time, weakref
from rtools.commands.kit import entry
from rtools.commands.kit.tool import tool

@tool("rt-x", summary="", examples=())
def command(console):
    thing = {1}
    watched = weakref.ref(thing, lambda _gone: (os.kill(os.getpid(), NUMBER), list(map(str, range(99)))))
    del thing
    time.sleep(60)

entry.entry(command)()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_where_python_drops_exceptions_is_not_lost(number, status):
    code = LOST.replace("NUMBER", str(int(number)))
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, check=False, timeout=50)
    assert done.returncode == status
    assert done.stderr == (b"rt-x: interrupted\n" if status == 130 else b"")


WORK = """
import json, os, sys
from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of

def alone(command, args, errors):
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
    if os.getuid() == 0:  # root ignores mode bits, nobody does not
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    try:
        entry.entry(command)(args)
    except SystemExit as end:
        os._exit(end.code)

statuses = {}
for name, before, args, errors in json.loads(sys.argv[1]):
    first, *word = name.split()
    command, before, args = command_of(first), [*word, *before], [*word, *args]
    assert entry.run(command, before) == 0  # loads what only root may read, and compiles
    child = os.fork() or alone(command, args, errors)
    statuses[name] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.stdout.write("\\n" + json.dumps(statuses))
"""


@pytest.fixture(scope="session")
def forbidden(ran, raw, others, request):
    """Tool to the status, messages and output directory of a run by a user who may not write there."""
    asked = [item.callspec.params["name"] for item in request.session.items if "forbidden" in item.fixturenames]
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        cases, outs = [], {}
        for name, line in WRITERS:
            if name not in asked:
                continue
            kind = TAKES.get(name, "cal")
            source = others.get(kind) or (raw if kind == "uncal" else ran / raw.name.replace("_uncal", f"_{kind}"))
            directory = Path(place, name)
            for part in ("before", "out"):
                (directory / part).mkdir(parents=True)
            shutil.copy(source, directory)
            (directory / "out").chmod(0o555)
            before, args = (words(line, directory / source.name, directory / part) for part in ("before", "out"))
            cases.append((name, before, args, str(directory / "errors")))
            outs[name] = directory
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", WORK, json.dumps(cases)],
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        statuses = json.loads(done.stdout.splitlines()[-1])
        yield {name: (statuses[name], (outs[name] / "errors").read_text(), outs[name] / "out") for name in outs}
        for directory in outs.values():
            (directory / "out").chmod(0o755)


@pytest.mark.parametrize("name", [name for name, _line in WRITERS])
def test_read_only_directory_is_exit_1_and_one_line(name, forbidden):
    status, messages, out = forbidden[name]
    assert status == 1
    (error,) = [text for text in messages.splitlines() if ": warning: " not in text]
    assert re.match(rf"rt-{name}( [a-z-]+)?: ", error)
    assert "permission denied" in error
    assert listing(out) == {}


def test_an_interrupt_that_a_library_made_an_error_of_still_ends_all():
    """An interrupted tool went on with its other inputs and ended with 1."""
    from rtools.commands.kit.console import Console
    from rtools.commands.kit.loop import for_each

    done = []

    def work(name):
        done.append(name)
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise RuntimeError("something was cut short") from error

    with pytest.raises(KeyboardInterrupt):
        for_each(Console("rt-x"), ["a", "b"], work)
    assert done == ["a"]


STAGED = """
from rtools.commands.kit import entry
from rtools.commands.kit.tool import tool
from rtools.products.io import Stage

@tool("rt-x", summary="", examples=())
def command(console):
    with Stage("PATH").open() as file:
        file.write(b"whole")
    raise KeyboardInterrupt  # before anybody knows of the stage

entry.entry(command)()
"""


def test_an_interrupt_between_a_file_and_whoever_would_name_it_leaves_nothing(tmp_path):
    code = STAGED.replace("PATH", str(tmp_path / "x_cal.asdf"))
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, check=False, timeout=50)
    assert (done.returncode, done.stderr) == (130, b"rt-x: interrupted\n")
    assert list(tmp_path.iterdir()) == []
