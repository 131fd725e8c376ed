"""What every tool shares: options, messages, a loop over inputs that goes on after a failure.

A tool file declares its command with `tool`, adds bundles of options (`outputs`, `references`, …), and ends in
``main = entry(command)``. Nothing here imports numpy: ``--help`` has 0.3 seconds.
"""

import errno
import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import click

from rtools import __version__
from rtools.commands.kit.config import long_names, print_config, read_config, untyped
from rtools.commands.kit.inputs import as_typed, files_of_options
from rtools.commands.kit.lists import expand_inputs, names_in
from rtools.commands.kit.process import DEBUG, entry, internal_error, leave, run, was_interrupt
from rtools.commands.kit.wording import Gathered, worded
from rtools.commands.kit.written import check_outputs, contradicts
from rtools.errors import InputError, Refusal, RtoolsError, UsageError
from rtools.pipeline.job.status import shared_status
from rtools.products.schema.jsontext import json_text

__all__ = [
    "Console",
    "Refusal",
    "Tool",
    "entry",
    "errors_in_json",
    "expand_inputs",
    "for_each",
    "group",
    "jobs_count",
    "json_line",
    "leave",
    "names_in",
    "option",
    "print_json",
    "run",
    "shared_status",
    "tell_failure",
    "tool",
    "typed",
]

option = partial(click.option, show_default=True)

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of the system that are no fault of an input."""

ALTERNATIVES = (
    ("quiet", "verbose"),
    ("output", "outdir", "in_place"),
    ("as_json", "tsv", "field", "format", "suffix"),
    ("section", "sky"),
    ("quick", "partner"),
)
"""Options that do not go together: of these, what is typed counts, not what environment or configuration say."""


_SHOW_CONFIG = "rtools.show_config"


@dataclass
class Console:
    """Messages of one tool on stderr: quiet, normal or verbose."""

    tool: str
    verbosity: int = 0
    debug: bool = False
    gathered: Gathered | None = None

    def __post_init__(self):
        from rtools.work.progress import ProgressReporter

        self._reporter = ProgressReporter(self.tool, quiet=self.verbosity < 0)

    def work(self, jobs=1):
        """What the command works with: threads, the console's log and progress; its threads end with the command.

        Parameters
        ----------
        jobs : int
            What ``-j`` asks for.

        Returns
        -------
        rtools.work.Work
        """
        from rtools.work import Work

        work = Work(jobs_count(jobs), log=self.log, progress=self._reporter.progress)
        context = click.get_current_context(silent=True)
        if context is not None:
            context.call_on_close(work.close)
        return work

    def log(self, level, text):
        """Print one message; ``info`` only with -v, ``note`` and ``warning`` unless -q, others always.

        A ``caution`` is a warning that -q does not hide: what was made is not what its reader takes it for.
        """
        threshold = {"debug": 2, "info": 1, "note": 0, "warning": 0, "caution": -1, "error": -1}[level]
        warning = level in ("warning", "caution")
        if self.gathered is not None and warning:
            self.gathered.add(level, text)
        elif self.verbosity >= threshold:
            self._reporter.say(f"{self.tool}: {'warning: ' if warning else ''}{worded(text)}")

    @contextmanager
    def gathering(self, names):
        """Warnings about several inputs wait until all are done: what is the same for many is then said once."""
        if self.gathered is not None or len(names) < 2:
            yield
            return
        self.gathered = Gathered(names)
        try:
            yield
        finally:
            held, self.gathered = self.gathered, None
            for level, text in held.lines():
                self.log(level, text)

    def error(self, error):
        """Print an error as one line, led by the tool's name."""
        self.log("error", str(error))


class Tool(click.Command):
    """A click command whose help begins with usage and examples."""

    def __init__(self, *args, examples=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_help(self, ctx, formatter):
        self.format_usage(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write_text(example)
        self.format_help_text(ctx, formatter)
        self.format_options(ctx, formatter)
        self.format_epilog(ctx, formatter)


def tool(name, *, summary, examples, description="", no_args_is_help=False, **settings):
    """Decorate a function into a `Tool` with the options that mean the same everywhere.

    The function receives `console` first, then its own options. `settings` go to click's context.
    """

    def decorate(function):
        def run(**options):
            ctx = click.get_current_context()
            options = _settled(ctx, options)
            check_outputs(ctx, options)
            if ctx.meta.get(_SHOW_CONFIG):
                print_config(ctx, options)
                return 0
            verbose, quiet, debug = (options.pop(key) for key in ("verbose", "quiet", "debug"))
            if options.pop("no_checksum", False):
                _without_checksums(ctx)
            ctx.obj, ctx.meta[DEBUG] = Console(name, -1 if quiet else verbose, debug), debug
            if options.get("dry_run"):
                for line in untyped(ctx, options):
                    ctx.obj.log("note", line)
            try:
                with _told_by(ctx.obj):
                    return function(ctx.obj, **files_of_options(ctx, options))
            except RtoolsError as error:
                error.path = error.path and as_typed(error.path)
                error.message, error.mend = worded(error.message), error.mend and worded(error.mend)
                raise

        run.__doc__ = f"{summary}\n\n{description}" if description else summary
        run.__click_params__ = list(getattr(function, "__click_params__", []))
        for decorator in reversed(_shared(name)):
            decorator(run)
        command = click.command(
            name,
            cls=Tool,
            examples=examples,
            short_help=summary,
            no_args_is_help=no_args_is_help,
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, **settings},
        )(run)
        for word, param in long_names(command).items():
            if param.allow_from_autoenv and word not in ("version", "show-config"):
                param.envvar = param.envvar or f"RT_{word.upper().replace('-', '_')}"
        return command

    return decorate


@contextmanager
def _told_by(console):
    """Have the console print what is told where files are written, which knows no console."""
    import logging

    class Told(logging.Handler):
        def emit(self, record):
            console.log("warning" if record.levelno >= logging.WARNING else "note", record.getMessage())

    logger, handler = logging.getLogger("rtools"), Told()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _without_checksums(ctx):
    """Take blocks as they are until the command has ended."""
    from rtools.products.io import checksums

    checksums.switch(False)
    ctx.call_on_close(lambda: checksums.switch(True))


class ToolGroup(Tool, click.Group):
    """A group of subcommands whose help begins with usage and examples."""


def group(name, *, summary, examples, description):
    """A `ToolGroup` without subcommands yet, with the options that one has."""
    command = ToolGroup(
        name,
        examples=examples,
        short_help=summary,
        help=description,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    return _version(name)(command)


def _version(name):
    return click.version_option(__version__, "-V", "--version", prog_name=name, message="%(prog)s (rtools) %(version)s")


def _settled(ctx, options):
    """Options without those that environment or configuration give and that what is typed does not go with."""
    ranks = {"COMMANDLINE": 3, "ENVIRONMENT": 2, "DEFAULT_MAP": 1}
    absent = {param.name: () if param.multiple else False if param.is_flag else None for param in ctx.command.params
              if isinstance(param, click.Option)} | {"verbose": 0}  # fmt: skip
    settled = dict(options)
    to_stdout = (("as_json", "output"),) if options.get("output") == "-" else ()
    forms = (("form", "output"),) if contradicts(options) else ()
    for group in (*ALTERNATIVES, *to_stdout, *forms):
        given = {key: ranks.get(ctx.get_parameter_source(key).name, 0) for key in group if options.get(key)}
        for key, rank in given.items():
            if rank < max(given.values()):
                settled[key] = absent[key]
    return settled


def _shared(name):
    """Options of every tool: -v -q --debug -V --config --show-config."""
    return [
        click.option("-v", "--verbose", count=True, help="Say more; twice for everything."),
        click.option("-q", "--quiet", is_flag=True, help="Errors only; and what must not be overlooked."),
        click.option("--debug", is_flag=True, help="Show the traceback of an error."),
        click.option(
            "--config",
            is_eager=True,
            expose_value=False,
            callback=_read_config,
            metavar="FILE",
            help="TOML file of option values: for all tools, in tables of tools, of steps.",
        ),
        click.option(
            "--show-config",
            is_flag=True,
            expose_value=False,
            callback=_show_config,
            help="Print every value and its origin, as a file for --config.",
        ),
        _version(name),
    ]


def _read_config(ctx, _param, value):
    if value and not ctx.resilient_parsing:
        read_config(ctx, value)


def _show_config(ctx, _param, value):
    if value and not ctx.resilient_parsing:
        ctx.meta[_SHOW_CONFIG] = True


def typed(key):
    """Whether the option of this parameter stands on the command line."""
    return click.get_current_context().get_parameter_source(key).name == "COMMANDLINE"


def for_each(console, inputs, function, *, fail_fast=False, report=None, key="file"):
    """Call ``function(name)`` for every input, go on after a failure, and return the exit status.

    Parameters
    ----------
    console : Console
    inputs : iterable of str
    function : callable
    fail_fast : bool
        Stop at the first failure.
    report : callable, optional
        Called with ``{key: name, "error": text, "exit_code": code}`` of each input that fails, for --json.
    key : str
        What the name is called there.

    Returns
    -------
    int
        0 when all went well, the code that all failures share, else 1.
    """
    inputs = list(inputs)
    with console.gathering(inputs):
        return _for_each(console, inputs, function, fail_fast, report, key)


def _for_each(console, inputs, function, fail_fast, report, key):
    codes = []
    for name in inputs:
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
    console : Console
        Takes the line.
    name : str
        The input.
    error : Exception
        What went wrong.
    report : callable, optional
        Called with ``{key: name, "error": text, "exit_code": code}``, for --json.
    key : str
        What the name is called there.

    Returns
    -------
    int
        The exit code.
    """
    if isinstance(error, BrokenPipeError | Refusal | click.ClickException | click.Abort | click.exceptions.Exit):
        raise error
    if was_interrupt(error):
        raise KeyboardInterrupt from error
    if console.debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, OSError):
        kind = RtoolsError if error.errno in NO_ROOM else InputError
        error = kind((error.strerror or str(error)).lower(), path=error.filename or name)
    elif not isinstance(error, RtoolsError):
        error = internal_error(error)
    error.path = as_typed(error.path or name)
    console.error(error)
    if report:
        text = str(error).removeprefix(f"{name}: ")
        report({key: name, "error": text, "exit_code": error.exit_code})
    return error.exit_code


@contextmanager
def errors_in_json(as_json, **inputs):
    """With --json, tell an error there, too: `inputs` with "error" and "exit_code", as the report of `for_each`."""
    try:
        yield
    except RtoolsError as error:
        if as_json and not isinstance(error, UsageError):
            text = str(error).removeprefix(f"{inputs.get('file')}: ")
            json_line(inputs | {"error": text, "exit_code": error.exit_code})
        raise


def json_line(record):
    """Print a record as JSON on a line of its own."""
    click.echo(json_text(record))


def print_json(value, *, ascii_only=True):
    """Print what a tool tells with --json."""
    click.echo(json_text(value, indent=2, ascii_only=ascii_only))


def jobs_count(jobs):
    """Number of threads that ``-j`` asks for; 0 means all cores."""
    if jobs < 0:
        raise UsageError(f"-j {jobs}: a number of threads is 0 (all cores) or more")
    return jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or os.cpu_count()
