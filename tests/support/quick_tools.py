"""Tools as processes that start at once: forked off one that has loaded and compiled what they need.

For tests of what commands do together, and of a Ctrl-C while they work, which is passed on. Where the start of a
process counts, or signals of a terminal, take `path_of_tools` of `tests.support.kit`.

usage: python -m tests.support.quick_tools SOCKET
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.places import ROOT
from tests.support.warm_up import warm_up

CLIENT = """
import json, os, signal, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    question = json.dumps([sys.argv[2], sys.argv[3:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [question], [0, 1, 2])
    worker = int(server.recv(20))
    signal.signal(signal.SIGINT, lambda *_: os.kill(worker, signal.SIGINT))
    server.send(b"go")
    sys.exit(int(server.recv(9) or 1))
"""


@pytest.fixture(scope="session")
def quick():
    """A directory of tools that start at once, for PATH."""
    with tempfile.TemporaryDirectory() as place:  # a path short enough for a socket
        started, directory = directory_of(place)
        yield directory
        started.communicate()


def directory_of(place):
    """Start the process that tools are forked off, and make a directory of them; both are returned."""
    from tests.support.kit import TOOLS

    server = str(Path(place) / "socket")
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.support.quick_tools", server],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert started.stdout.readline() == b"ready\n"
    directory = Path(place) / "bin"
    directory.mkdir()
    (directory / "client.py").write_text(CLIENT)
    for name in TOOLS:
        script = directory / f"rt-{name}"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -SE "{directory}/client.py" "{server}" {name} "$@"\n')
        script.chmod(0o755)
    return started, directory


def serve(path):
    """Fork for every tool that is asked for, until standard input ends."""
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        os.write(out, b"ready\n")
        while 0 not in select.select([listening, 0], [], [])[0]:
            connection, _address = listening.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os._exit(run(connection))
            connection.close()


def run(connection):
    """Run a tool in place of the process that asks; its exit status."""
    from rtools.commands.kit import entry
    from rtools.commands.kit.tools import command_of

    question, streams, _flags, _address = socket.recv_fds(connection, 1 << 20, 3)
    name, args, directory, environment = json.loads(question)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # TMPDIR may be another
    signal.signal(signal.SIGINT, signal.default_int_handler)
    connection.send(b"%d" % os.getpid())
    connection.recv(2)
    try:
        entry.entry(command_of(name))(args)
    except SystemExit as end:
        status = end.code
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    connection.send(b"%d" % status)
    return status


if __name__ == "__main__":
    serve(sys.argv[1])
