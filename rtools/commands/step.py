"""Console scripts of the steps: ``rtools.commands.step:NAME`` is that of step NAME."""

from rtools.commands.kit.entry import entry
from rtools.commands.kit.step_tools import command
from rtools.commands.kit.tools import command_of
from rtools.pipeline.job.steps import has_step

__all__ = ["command"]


def __getattr__(name):
    """The console script of the step called `name`, made when it is asked for.

    A step that has a file of its own is called so by scripts of an installation that is older than the file.
    """
    if not has_step(name):
        raise AttributeError(name)
    return entry(command_of(name))
