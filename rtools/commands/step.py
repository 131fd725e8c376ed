"""Console scripts of the steps: ``rtools.commands.step:NAME`` is that of step NAME."""

from rtools.commands.kit.entry import entry
from rtools.commands.kit.step_tools import command
from rtools.pipeline.job.steps import has_step

__all__ = ["command"]


def __getattr__(name):
    """The console script of the step called `name`, made when it is asked for."""
    if not has_step(name):
        raise AttributeError(name)
    return entry(command(name))
