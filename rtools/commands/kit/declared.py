"""The command of a step: its options, and what its declaration says of it."""

from rtools.commands.kit.tool import tool

__all__ = ["described", "tool_of_step"]


def tool_of_step(step, run, decorators, *, description="", examples=()):
    """The click command of a step.

    Parameters
    ----------
    step : rtools.declare.Step, MosaicStep, ProductStep
        Its declaration.
    run : callable
        What the tool does: ``run(console, **options)`` returns the exit status.
    decorators : sequence of callable
        Arguments and options, in the order of the help.
    description : str
        The text of the help; by default that of the declaration.
    examples : sequence of str
        Command lines that the help begins with; by default those of the declaration.

    Returns
    -------
    click.Command
    """
    for decorator in reversed(decorators):
        run = decorator(run)
    about = {"description": description or described(step), "examples": examples or step.examples}
    return tool(step.tool, summary=step.summary, no_args_is_help=True, **about)(run)


def described(step):
    """What a declaration says that its step does, and what memory it takes.

    Parameters
    ----------
    step : rtools.declare.Step, MosaicStep, ProductStep
        The declaration.

    Returns
    -------
    str
    """
    return step.description + (f"\n\nPeak memory: {step.memory}" if step.memory else "")
