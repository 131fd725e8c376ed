"""The process of a command: how it begins, what signals do, how it ends in one line and an exit code."""

import gc
import os
import signal
import sys
from contextlib import nullcontext, suppress

import click

from rtools.commands.kit.elsewhere import retold
from rtools.commands.kit.failures import as_rtools_error
from rtools.commands.kit.guarded import guarded_terminal, on_one_line
from rtools.commands.kit.surroundings import find_a_home, settings_of_matplotlib, settle_places
from rtools.pipeline.job.process import quieten_libraries
from rtools.pipeline.job.status import end_by_signal
from rtools.products.io import unfinished

__all__ = ["DEBUG", "entry", "leave", "run"]

DEBUG = "rtools.debug"
"""Key of a context's `meta`: whether tracebacks are wanted."""


def entry(command):
    """The console script of a command: run it, end in one line and an exit code.

    Parameters
    ----------
    command : click.Command
        The tool.

    Returns
    -------
    callable
        Takes arguments, by default those of the process, and ends the process.
    """

    def main(args=None):
        if args is None and "_RT_COMPLETE" in os.environ:
            from rtools.commands.kit.complete import answer

            leave(answer(command), at_once=False)
        # Linear algebra is small here; its threads would only wait, and burn a core meanwhile.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        find_a_home()
        settle_places()
        gc.set_threshold(50_000)  # imports make many objects and no garbage
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:  # nohup keeps its word
                signal.signal(number, end_by_signal)
        _let_no_interrupt_be_lost()
        _take_any_name()
        try:
            with settings_of_matplotlib():
                status = run(command, sys.argv[1:] if args is None else args)
        finally:
            unfinished.remove_all()
        leave(status, at_once=args is None)

    return main


def leave(status, *, at_once):
    """End the process.

    Parameters
    ----------
    status : int
        The exit status.
    at_once : bool
        Do not take the interpreter apart, which frees gigabytes piece by piece (0.4 s).
    """
    if not at_once:
        sys.exit(status)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)


def _take_any_name():
    """Names of files are bytes: read and print those that are not valid UTF-8 as they are."""
    for stream in (sys.stdin, sys.stdout):
        if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="surrogateescape")


def _let_no_interrupt_be_lost():
    """Raise again, a moment later, what a signal raised where Python drops exceptions: callbacks of weak references."""
    dropped = []

    def raise_again(_number, _frame):
        raise dropped.pop()

    def keep(unraisable):
        if issubclass(unraisable.exc_type, KeyboardInterrupt | SystemExit):
            dropped.append(unraisable.exc_type(*unraisable.exc_value.args))
            signal.signal(signal.SIGALRM, raise_again)
            signal.setitimer(signal.ITIMER_REAL, 0.05)  # not before this function has ended
        else:
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = keep


def run(command, args):
    """Run a command with arguments; return its exit status instead of raising.

    0 ok · 1 failed or "no" · 2 usage · 3 input · 4 reference · 5 quality · 130 interrupted.

    Parameters
    ----------
    command : click.Command
        The tool.
    args : sequence of str
        What stands behind its name.
    """
    ctx = None
    quieten_libraries()
    try:
        with guarded_terminal(), command.make_context(command.name, list(args)) as ctx:
            status = command.invoke(ctx)
        status = status if isinstance(status, int) else 0
        with suppress(OSError) if status else nullcontext():  # what failed there has been said
            sys.stdout.flush()
        return status
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # as a shell reports a process ended by SIGPIPE
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"{command.name}: interrupted", err=True)
        return 130
    except Exception as error:
        return _failed(
            _called(command, ctx, error),
            error,
            ctx,
            args,
            debug="--debug" in args or bool(ctx and ctx.meta.get(DEBUG)),
        )


def _called(command, ctx, error):
    """Name of the tool that was called, with its subcommand."""
    context = getattr(error, "ctx", None)
    if context is not None:
        return context.command.name
    word = ctx.invoked_subcommand if ctx is not None else None
    return command.commands[word].name if word in getattr(command, "commands", {}) else command.name


def _failed(name, error, ctx, args, *, debug):
    if (debug or os.environ.get("RT_DEBUG", "0") not in ("", "0")) and not isinstance(error, click.UsageError):
        import traceback

        traceback.print_exc()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.ctx.get_help(), err=True)
        return 2
    if isinstance(error, click.ClickException):
        click.echo(f"{name}: {on_one_line(error.format_message())}; see {name} --help", err=True)
        return error.exit_code
    error = as_rtools_error(error, words=args)
    click.echo(f"{name}: {on_one_line(retold(ctx, str(error)))}", err=True)
    return error.exit_code
