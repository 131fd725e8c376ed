"""The loop over the inputs of a tool: it goes on after a failure, and reports each input as it ends."""

from contextlib import contextmanager

import click

from rtools.commands.kit.console import json_line
from rtools.commands.kit.failures import as_rtools_error, was_interrupt
from rtools.commands.kit.inputs import as_typed
from rtools.errors import Refusal, RtoolsError, UsageError
from rtools.pipeline.job.status import shared_status

__all__ = ["errors_in_json", "failed_record", "file_record", "for_each", "tell_failure"]

STOPS = (BrokenPipeError, Refusal, click.ClickException, click.Abort, click.exceptions.Exit)
"""Exceptions that end the whole run, whichever input they came up at."""


def for_each(console, inputs, function, *, fail_fast=False, report=None, key="file"):
    """Call ``function(name)`` for every input, go on after a failure, and return the exit status.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes one line for each failure; its list of warnings is emptied before each input.
    inputs : iterable of str
        Names of the inputs.
    function : callable
        Does the work for one.
    fail_fast : bool
        Stop at the first failure.
    report : callable, optional
        Called with the record of each input that fails, for --json: see `tell_failure`.
    key : str
        What the name of the input is called in that record.

    Returns
    -------
    int
        0 when all went well, the code that all failures share, else 1.
    """
    inputs = list(inputs)
    codes = []
    with console.gathering(inputs):
        for name in inputs:
            console.warned.clear()
            try:
                function(name)
            except Exception as error:
                codes.append(tell_failure(console, name, error, report, key=key))
                if fail_fast:
                    break
    return shared_status(*codes)


def tell_failure(console, name, error, report=None, *, key="input"):
    """Print one line about an input that failed; what stops the whole run is raised again.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes the line.
    name : str
        The input.
    error : Exception
        What went wrong.
    report : callable, optional
        Called with ``{key: name, "status": "failed", "error": text, "exit_code": code}``, for --json.
    key : str
        What the name is called there.

    Returns
    -------
    int
        The exit code.
    """
    if isinstance(error, STOPS):
        raise error
    if was_interrupt(error):
        raise KeyboardInterrupt from error
    if console.debug:
        import traceback

        traceback.print_exception(error)
    error = as_rtools_error(error, name)
    error.path = as_typed(error.path or name)
    console.error(error)
    if report:
        try:
            report({key: name} | failed_record(error, name))
        except OSError as second:  # a full disk behind standard output has been told
            if isinstance(second, BrokenPipeError):
                raise
    return error.exit_code


@contextmanager
def errors_in_json(as_json, **inputs):
    """With --json, print an error of a tool that takes no list there, too, and let it go on its way.

    Parameters
    ----------
    as_json : bool
        Whether --json was given.
    **inputs : str
        What the object says besides the failure, by its keys: the inputs.
    """
    try:
        yield
    except RtoolsError as error:
        if as_json and not isinstance(error, UsageError):
            json_line(inputs | failed_record(error, inputs.get("file")))
        raise


def failed_record(error, name):
    """What an object of --json says of a failure.

    Parameters
    ----------
    error : RtoolsError
        What went wrong.
    name : str
        The input, which is not repeated: it stands in the object already.

    Returns
    -------
    dict
        status ("failed"), error, exit_code.
    """
    text = str(error).removeprefix(f"{name}: ")
    return {"status": "failed", "error": text, "exit_code": error.exit_code}


def file_record(console, name, outputs, *, dry_run=False):
    """The object that --json prints of one input of which files were made.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Knows the warnings about this input.
    name : str
        The input.
    outputs : iterable of str, os.PathLike or None
        The files; None for standard output.
    dry_run : bool
        They were not written.

    Returns
    -------
    dict
        input, outputs, status ("done" or "planned"), warnings.
    """
    return {
        "input": name,
        "outputs": ["-" if path is None else str(path) for path in outputs],
        "status": "planned" if dry_run else "done",
        "warnings": [text.removeprefix(f"{name}: ") for text in console.warned],
    }
