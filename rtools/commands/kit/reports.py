"""What the tools print of the jobs of a run: paths as each input ends, plans with --dry-run, objects with --json."""

from functools import cache
from typing import NamedTuple

import click

from rtools.commands.kit.console import json_line
from rtools.commands.kit.ends import JsonLog, end_of_failure, end_of_result, lines_of_table
from rtools.commands.kit.failures import as_rtools_error
from rtools.commands.kit.loop import tell_failure
from rtools.commands.kit.sending import send_made
from rtools.errors import QualityError, RtoolsError
from rtools.pipeline.job.job import Description, Result

__all__ = ["RunFlags", "RunReport", "changed_options"]

VERSIONS = ("asdf", "gwcs", "numba", "numpy", "scipy")
"""Packages whose versions an object of --json names beside rtools': what the bits of a product may depend on."""


class RunFlags(NamedTuple):
    """How a run goes and what it prints, whatever its jobs are: the options of these names.

    Attributes
    ----------
    dry_run : bool
        Tell what would be done, and do nothing.
    as_json : bool
        Print one JSON object a line as each input ends, instead of paths.
    fail_fast : bool
        Stop at the first failure.
    timings : bool
        Print seconds and memory on standard error, too.
    max_memory : float or None
        GiB that all jobs under way may take together; None for as much as is usual.
    log_json : str or None
        A file to which a line of JSON is added as each input ends.
    emit : (str, str) or None
        Form and directory of rules that are written instead.
    dask : str or None
        Address of a scheduler of Dask, or ``local`` or ``local:N``.
    resume : bool
        What exists stays, where it is as it would be made.
    check_data : bool
        For that, its data are read, too.
    """

    dry_run: bool = False
    as_json: bool = False
    fail_fast: bool = False
    timings: bool = False
    max_memory: float | None = None
    log_json: str | None = None
    emit: tuple[str, str] | None = None
    dask: str | None = None
    resume: bool = False
    check_data: bool = False

    @classmethod
    def taken_from(cls, options: dict) -> "RunFlags":
        """The flags among the options of a command, which lose them."""
        return cls(**{name: options.pop(name) for name in cls._fields if name in options})


class RunReport:
    """Tells the user of a run, input by input; a `rtools.pipeline.job.run.RunReporter`.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages.
    flags : RunFlags
        What is printed, and where.
    """

    def __init__(self, console, flags=RunFlags()):  # noqa: B008 (it does not change)
        self.console = console
        self.as_json = flags.as_json
        self.timings = flags.timings
        self.catalogs = []
        self.kept = 0
        self._count = 0
        self._ends = []
        self._unheard = False
        self._log = JsonLog(flags.log_json) if flags.log_json and not (flags.dry_run or flags.emit) else None

        context = click.get_current_context(silent=True)
        if context is not None:
            context.call_on_close(self.close)

    def begin(self, count: int) -> None:
        """Learn how many inputs are worked on, beside those that have ended."""
        self._count = len(self._ends) + count

    def planned(self, description: Description) -> None:
        """Print what would be done for one input."""
        if self.as_json:
            json_line(record_of_plan(description))
        else:
            click.echo("\n".join(_lines(description)))

    def ended(self, result: Result) -> int:
        """Print what was done for one input; the exit code, 5 where a quality limit was missed."""
        try:
            send_made(result.outputs)
        except RtoolsError as error:
            return self.failed(result.input, error)
        try:
            return self._tell(result)
        except OSError:
            self._unheard = True
            raise

    def _tell(self, result):
        self.catalogs += result.catalogs
        self.kept += result.kept
        error = QualityError(result.failure, path=result.input) if result.failure else None
        self._record(record_of_result(result, error))
        for path in result.outputs if not (self.as_json or result.kept) else ():
            click.echo(path)
        if self.timings and not result.kept:
            _print_timings(result)
        if error:
            self.console.error(error)
        self._ended(end_of_result(result, error), kept=result.kept)
        return error.exit_code if error else 0

    def failed(self, name: str, error: Exception) -> int:
        """Print one line about an input that nothing came of; the exit code."""
        code = tell_failure(self.console, name, error, self._record)
        self._ended(end_of_failure(name, as_rtools_error(error, name)))
        return code

    def _ended(self, end, *, kept=False):
        """Keep how an input ended for the table; one that ended well gets a line where there are several."""
        self._ends.append(end)
        if self._log is not None:
            self._log.add(end)
        if self._tells_all and not end.exit_code and not kept:
            self.console.log("note", f"{len(self._ends)} of {self._count}: {end.line()}")

    @property
    def _tells_all(self):
        """Whether lines and a table are printed: there are several inputs, and no program reads the report."""
        return self._count > 1 and not self.as_json

    def again(self, name: str, error: BaseException | None) -> None:
        """Say that a job is done once more, because its worker was lost."""
        self.console.log("note", f"{error or name}: it is done once more, alone")

    def _record(self, record):
        """Keep what is said of an input, and print it with --json."""
        self.console.records.append(record)
        if self.as_json:
            json_line(record)

    def close(self) -> None:
        """Print the table of a run with several inputs, and say once how deep the catalogs are that were made."""
        if self._log is not None:
            self._log.close()
        if self._unheard:  # standard output takes nothing: an error says so, or nobody reads
            return
        if self._tells_all:
            for line in lines_of_table(self._ends):
                self.console.say(line)
        if self.kept:
            self.console.log("note", f"{self.kept} of {len(self._ends)} up to date")
        self._tell_depth()

    def _tell_depth(self):
        """Say how deep the catalogs are, and how they go deeper."""
        searched = [one for one in self.catalogs if one.searched != "forced"]
        if not searched:
            return
        many = f"{len(searched)} catalogs" if len(searched) > 1 else "catalog"
        counted = _range([one.sources for one in searched], "d")
        words = [f"{many}: {counted} source{'s' * (counted != '1')}"]
        depths = [one.magnitude_snr5 for one in searched if one.magnitude_snr5 is not None]
        if depths:
            words.append(f"a point source of S/N 5 has {_range(depths, '.1f')} mag (AB)")
        if any(one.searched == "default" for one in searched):
            words.append("--deep finds fainter ones")
        self.console.log("note", "; ".join(words))
        self.console.log("note", "which flux to use for what: docs/fluxes.md")


def _range(values, form):
    """Least and greatest of some numbers, or the one that they are."""
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"


def _print_timings(result):
    for step, seconds in result.seconds.items():
        click.echo(f"{step:16s} {seconds:8.2f} s", err=True)
    click.echo(f"{'peak memory':16s} {result.peak_memory / 2**30:8.2f} GiB", err=True)


@cache
def _versions():
    from importlib.metadata import version

    from rtools import __version__

    return {"rtools": __version__} | {name: version(name) for name in VERSIONS}


def record_of_result(result, error=None):
    """The object that --json prints of one input that was carried out.

    Parameters
    ----------
    result : rtools.pipeline.job.job.Result
    error : RtoolsError, optional
        The quality limit that it missed.
    """
    record = {"input": result.input}
    if result.members:
        record["members"] = list(result.members)
    record |= {
        "outputs": [str(path) for path in result.outputs],
        "status": "failed" if error else "kept" if result.kept else "done",
        "warnings": list(result.warnings),
        "versions": _versions(),
        "seconds": dict(result.seconds),
        "peak_memory": result.peak_memory,
        "cal_step": dict(result.statuses),
        "catalogs": [one._asdict() for one in result.catalogs],
    }
    return record | ({"error": error.message, "exit_code": error.exit_code} if error else {})


def record_of_plan(description):
    """The object that --json prints of one input with --dry-run."""
    told = description
    record = {"input": told.input, "status": "kept" if told.reason == "" else "planned"}
    if told.reason is not None:
        record["reason"] = told.reason
    if told.waits_for:
        record["waits_for"] = list(told.waits_for)
    if told.members:
        record |= {
            "members": [_member_record(member) for member in told.members],
            "add": told.add and told.add._asdict(),
            "steps": [step.name for step in told.steps],
            "options": {step.name: step.options for step in told.steps},
            "grids": list(told.grids),
        }
    else:
        record["steps"] = [
            {"step": step.name, "status": step.status, "options": step.options, "references": step.references}
            for step in told.steps
        ]
    return record | {"outputs": list(told.outputs), "warnings": list(told.warnings)}


def _member_record(member):
    """One of several files: its name, or more where that is not all that is to be said."""
    if not member.element:
        return member.file
    weight, references = member.sed_weight, member.references
    return {"file": member.file, "filter": member.element, "sed_weight": weight, "references": references}


def _member_line(member):
    found = "  ".join(f"{kind}={label or 'none'}" for kind, label in (member.references or {}).items())
    return "  ".join(filter(None, (member.element, member.file, found)))


def changed_options(options, step, mission=""):
    """What --dry-run prints of a step's options: those that are not as by default, ``threshold=5.0  jobs=2``."""
    defaults = step.defaults(mission)
    changed = {key: value for key, value in options.items() if key in defaults and value != defaults[key]}
    return "  ".join(f"{key.replace('_', '-')}={value}" for key, value in changed.items())


def _lines(told):
    """A plan as text."""
    if told.reason is not None:
        return [f"{told.input}: {told.reason or 'up to date'}"]
    if not told.steps:  # what is made from nothing: its files say it
        return [*told.outputs, *(f"  warning: {text}" for text in told.warnings)]
    from rtools.pipeline.job.steps import step_of

    steps = []
    for step in told.steps:
        found = "  ".join(f"{kind}={label or 'none'}" for kind, label in step.references.items())
        mark = "" if step.status == "COMPLETE" else f" ({step.status})"
        words = step.name + mark, found, changed_options(step.options, step_of(step.name, step.mission), step.mission)
        if not told.members or any(words[1:]):
            steps.append("  " + "  ".join(filter(None, words)))
    title = f"{told.input}: {', '.join(step.name for step in told.steps)}" if told.members else told.input
    return [
        title,
        *steps,
        *(f"  {_member_line(member)}" for member in told.members),
        *([f"  joining {told.add.mosaic}, of {told.add.members} images"] if told.add else []),
        *(f"  on {grid}" for grid in told.grids),
        *(f"  after {name}" for name in told.waits_for),
        *(f"  -> {path}" for path in told.outputs),
        *(f"  warning: {text}" for text in told.warnings),
    ]
