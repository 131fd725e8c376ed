"""Who carries the jobs of a command out: this machine, workers of Dask, or whoever reads rules of them."""

from dataclasses import replace

import click

from rtools.commands.kit.console import Console
from rtools.commands.kit.reports import RunFlags
from rtools.errors import RtoolsError, UsageError

__all__ = ["executor_of", "with_memory"]


def executor_of(console: Console, jobs: int, flags: RunFlags):
    """Who carries the jobs of a run out.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages and progress.
    jobs : int
        Cores, as ``-j`` says.
    flags : rtools.commands.kit.reports.RunFlags
        How the run goes.

    Returns
    -------
    rtools.pipeline.job.executor.Executor
    """
    from rtools.pipeline.job.local import Local

    work = console.work(jobs)
    if flags.emit and flags.dask:
        raise UsageError("--emit and --dask do not go together")
    if flags.emit:
        return Emitter(console, *flags.emit, work.threads)
    if flags.dask and not flags.dry_run:
        from rtools.pipeline.job.cluster import Cluster

        return Cluster(work, flags.dask)
    memory = None if flags.max_memory is None else flags.max_memory * 2**30
    return Local(work, memory)


def with_memory(request, flags: RunFlags):
    """A request whose jobs may each use the memory that the user gave; as much as is usual where none was.

    Parameters
    ----------
    request : rtools.pipeline.job.request.Request
        One that has a `max_memory`.
    flags : rtools.commands.kit.reports.RunFlags
        How the run goes.

    Returns
    -------
    Request
    """
    return request if flags.max_memory is None else replace(request, max_memory=flags.max_memory)


class Emitter:
    """Writes rules instead of carrying jobs out.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages.
    form : str
        ``make``, ``snakemake`` or ``slurm``.
    folder : str
        Takes the files.
    cores : int
        Of each job.
    """

    def __init__(self, console, form, folder, cores):
        self._console, self._form, self._folder, self._cores = console, form, folder, cores

    def begin(self, jobs):
        """Write the rules of these jobs, which are not carried out."""
        from pathlib import Path

        from rtools.commands.kit.rule_files import FIRST, write_rules
        from rtools.commands.kit.rules import rules_of
        from rtools.pipeline.job.outputs import make_directory

        context, folder = click.get_current_context(), Path(self._folder)
        make_directory(folder)
        if (folder / FIRST[self._form]).exists() and not context.params.get("overwrite"):
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=folder / FIRST[self._form])
        rules = rules_of(jobs, context, folder)
        for path in write_rules(self._form, rules, folder, self._cores):
            click.echo(path)
        return False

    def close(self):
        """Nothing is under way."""
