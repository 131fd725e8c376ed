"""A tool as a click command: its help, and the options that mean the same everywhere.

A tool file declares its command with `tool`, adds bundles of options (`rtools.commands.kit.options`), and ends in
``main = entry(command)``. Nothing here imports numpy: ``--help`` has 0.3 seconds.
"""

from contextlib import contextmanager
from functools import partial

import click

from rtools import __version__
from rtools.commands.kit.config import read_config
from rtools.commands.kit.config_shown import long_names, print_config, untyped
from rtools.commands.kit.console import Console
from rtools.commands.kit.elsewhere import brought
from rtools.commands.kit.entry import DEBUG
from rtools.commands.kit.grouping import by_title
from rtools.commands.kit.inputs import as_typed, files_of_options, refuse_numbers
from rtools.commands.kit.said import words_said
from rtools.commands.kit.sending import keep_made, made_here, send_made
from rtools.commands.kit.wording import worded
from rtools.commands.kit.written import check_outputs, contradicts
from rtools.errors import RtoolsError

__all__ = ["Tool", "ToolGroup", "group", "option", "tool", "typed"]

option = partial(click.option, show_default=True)

ALTERNATIVES = (
    ("quiet", "verbose"),
    ("output", "outdir", "in_place"),
    ("as_json", "tsv", "field", "format", "suffix"),
    ("section", "sky"),
    ("quick", "partner"),
    ("server", "cache"),
)
"""Options that do not go together: of these, what is typed counts, not what environment or configuration say."""


_SHOW_CONFIG = "rtools.show_config"


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

    def format_options(self, ctx, formatter):
        for title, params in by_title(self.get_params(ctx)).items():
            records = [record for param in params if (record := param.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def tool(name, *, summary, examples, description="", no_args_is_help=False, **settings):
    """Decorate a function into a `Tool` with the options that mean the same everywhere.

    The function receives a `rtools.commands.kit.console.Console` first, then its own options, and returns the exit
    status; None is 0.

    Parameters
    ----------
    name : str
        As it is typed, ``rt-refs list``.
    summary : str
        One line of help.
    examples : sequence of str
        Command lines that its help begins with.
    description : str
        The rest of its help.
    no_args_is_help : bool
        Print the help when it is called without arguments.
    **settings
        Of click's context.
    """

    def decorate(function):
        def run(**options):
            return _call(function, name, options)

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


def _call(function, name, options):
    """Call the function of a tool with the console and those options that are its own."""
    ctx = click.get_current_context()
    options = _settled(ctx, options)
    check_outputs(ctx, options)
    refuse_numbers(ctx, options)
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
            options = _here(ctx, options)
            with _heard(ctx, options):
                status = _carried_out(ctx, function, options)
            send_made()
            return status
    except RtoolsError as error:
        error.path = error.path and as_typed(error.path)
        error.message, error.mend = worded(error.message), error.mend and worded(error.mend)
        raise


def _carried_out(ctx, function, options):
    """Call the function of a tool; what it had made when it failed goes where it was to go, as it would stay here."""
    try:
        return function(ctx.obj, **files_of_options(ctx, options))
    except RtoolsError:
        try:
            send_made()
        except RtoolsError as second:
            ctx.obj.error(second)
        raise
    except BaseException:  # interrupted, for example: what is whole stays here
        keep_made()
        raise


def _here(ctx, options):
    """Options of a call whose files lie here, those that lie elsewhere as copies."""
    if not any(_lies_elsewhere(value) for value in options.values()):
        return options
    return brought(ctx, made_here(ctx, options))


def _lies_elsewhere(value):
    if isinstance(value, tuple):
        return any(map(_lies_elsewhere, value))
    return isinstance(value, str) and "://" in value


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


@contextmanager
def _heard(ctx, options):
    """Let what is written know what was said."""
    from rtools.products.schema import history

    before = history.said.set(words_said(ctx, options))
    try:
        yield
    finally:
        history.said.reset(before)


def _without_checksums(ctx):
    """Take blocks as they are until the command has ended."""
    from rtools.products.io import checksums

    checksums.switch(False)
    ctx.call_on_close(lambda: checksums.switch(True))


class ToolGroup(Tool, click.Group):
    """A group of subcommands whose help begins with usage and examples."""

    def format_options(self, ctx, formatter):
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


def group(name, *, summary, examples, description):
    """Make a `ToolGroup` without subcommands yet, with the options that one has.

    Parameters
    ----------
    name, summary, examples
        As `tool` takes them.
    description : str
        The whole text of its help.
    """
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
    """Whether an option stands on the command line.

    Parameters
    ----------
    key : str
        Name of its parameter.
    """
    return click.get_current_context().get_parameter_source(key).name == "COMMANDLINE"
