"""A product is made again in a temporary directory, by the tool that made it, and compared."""

import contextlib
import io
import os
from pathlib import Path

import click

from rtools.commands.kit.said import AROUND, FILES
from rtools.errors import InputError, RtoolsError
from rtools.products.schema.record import STREAM

__all__ = ["Remakings", "options_of_files", "options_of_tool", "refuse_strange"]

IGNORED = ("meta.image.file_date",)
"""A time that rt-diff does not leave out."""


def options_of_tool(tool):
    """Long options of a tool by the names of their parameters, ``--output``.

    Parameters
    ----------
    tool : str
        As it is typed, perhaps with a subcommand.

    Returns
    -------
    frozenset of str
        None where there is no such tool any more.
    """
    try:
        command = _command(tool)
    except RtoolsError:
        return frozenset()
    return frozenset(f"--{param.name.replace('_', '-')}" for param in command.params if isinstance(param, click.Option))


def options_of_files(tool):
    """Options of a tool whose values are names of files, or of directories.

    Parameters
    ----------
    tool : str
        As it is typed, perhaps with a subcommand; there is one.

    Returns
    -------
    frozenset of str
    """
    params = [param for param in _command(tool).params if isinstance(param, click.Option)]
    return frozenset(
        word for param in params if any(kind in str(param.metavar) for kind in FILES) for word in param.opts
    )


def _command(tool):
    from rtools.commands.kit.tools import command_of

    name, *words = tool.split()
    found = command_of(name.removeprefix("rt-"))
    for word in words:
        found = found.commands[word]
    return found


def refuse_strange(job, path):
    """Refuse what a file says of its job where that is no job: its command is for a shell, and anybody writes files.

    Parameters
    ----------
    job : mapping
        What the file says (`rtools.products.making.job_of`).
    path : str
        The file.

    Raises
    ------
    InputError
        It names no tool of rtools, or words that the record of a job never has: where products go, what is replaced.
    """
    try:
        known = {word: param.name for param in _command(str(job["tool"])).params for word in param.opts}
    except (RtoolsError, AttributeError, LookupError):
        raise InputError(f"says that {job.get('tool')!r} made it, which is no tool of rtools", path=path) from None
    words = [str(word).partition("=")[0] for word in job.get("arguments") or ()]
    inputs = [str(one["file"]) for one in job.get("inputs") or ()]
    main = str(job.get("main") or "x")
    strange = [word for word in words if word.startswith("-") and known.get(word) in (*AROUND, "config")]
    strange += [word for word in words if word.startswith("-") and not word.startswith("--")]
    strange += [name for name in inputs if name.startswith("-") and name != STREAM]
    strange += [main] if main != os.path.basename(main) or main.startswith("-") else []
    if strange:
        raise InputError(f"its record of what made it has {strange[0]!r}, which no such record has", path=path)


class Remakings:
    """Products that are made again, each command once; a context, with which they are gone.

    Parameters
    ----------
    jobs : int
        Threads.
    """

    def __init__(self, jobs):
        self._jobs = jobs
        self._folders = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._stack.close()

    def compared(self, told):
        """Make a file again, and compare.

        Parameters
        ----------
        told : dict
            ``file``, ``tool``, ``command``, ``directory`` and ``reads``, as rt-history tells them.

        Returns
        -------
        dict
            ``same``, and ``differences``: keys and arrays.

        Raises
        ------
        RtoolsError
            An input is missing or was a stream, or the tool fails.
        """
        from rtools.products.edit.file_comparison import compare_files

        name = told["file"]
        _refuse_lost(told)
        key = os.path.abspath(told["directory"]), *told["command"]
        if key not in self._folders:
            self._folders[key] = self._made(told)
        made = self._folders[key] / Path(name).name
        if not made.exists():
            raise RtoolsError("its command makes no file of this name", path=name)
        found = compare_files(
            name, str(made), ignore=IGNORED, everything=False, worst=0, rtol=0.0, atol=0.0, within=0.0
        )
        differences = [str(one.get("key") or one.get("array")) for one in (*found.metadata, *found.arrays)]
        return {"same": not differences, "differences": differences}

    def _made(self, told):
        """Run the command with its products in a directory; that directory."""
        from rtools.commands.kit.entry import run
        from rtools.products.io import temporary

        folder = Path(self._stack.enter_context(temporary.directory()))
        words = told["command"][len(told["tool"].split()) :]
        if "-o" in words:
            place = words.index("-o") + 1
            words[place] = str(folder / words[place])
        else:
            words = [word for word in words if word != "--outdir=."] + [f"--outdir={folder}"]
        words += [f"--jobs={self._jobs}"] if "--jobs" in options_of_tool(told["tool"]) else []
        said, printed = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(told["directory"]),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(said),
        ):
            status = run(_command(told["tool"]), [*words, "-q"])
        answered = status == 1 and any(folder.iterdir())  # rt-diff: the files differ
        if status and not answered:
            reason = (said.getvalue().strip().splitlines() or [f"exit status {status}"])[-1]
            raise RtoolsError(f"cannot be made again: {reason}", path=told["file"])
        return folder


def _refuse_lost(told):
    """Refuse a file of which not all that made it is there."""
    if told["directory"] is None:
        raise InputError("does not say enough to be made again", path=told["file"])
    for one in told["reads"]:
        if one["state"] == "stream":
            raise InputError("was made from a stream", path=told["file"])
        if one["state"] == "missing":
            raise InputError(f"was made of {one['file']}, which is missing", path=told["file"])
