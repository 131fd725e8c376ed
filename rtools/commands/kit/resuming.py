"""``--resume``: a run goes on where an earlier one ended."""

import click

__all__ = ["resume_of", "resume_options"]

resume = click.option(
    "--resume",
    is_flag=True,
    help="Make only what is missing, damaged or out of date, and say why; with --dry-run list it.",
)
check_data = click.option(
    "--check-data",
    is_flag=True,
    help="With --resume: read all data of what exists, not headers and digests alone.",
)


def resume_options(function):
    """Both options, as one decorator."""
    return resume(check_data(function))


def resume_of(flags, executor, console):
    """What decides which products stay; None where all are made.

    Parameters
    ----------
    flags : rtools.commands.kit.reports.RunFlags
        How the run goes.
    executor : rtools.pipeline.job.run.Executor
        Who carries jobs out.
    console : rtools.commands.kit.console.Console
        Takes messages.

    Returns
    -------
    rtools.pipeline.job.resume.Resume or None
    """
    if not flags.resume:
        return None
    from rtools.pipeline.job.resume import Resume
    from rtools.products.io import digest

    if flags.check_data:
        digest.switch(False)
        click.get_current_context().call_on_close(lambda: digest.switch(True))
    return Resume(executor, console.log, read_all=flags.check_data)
