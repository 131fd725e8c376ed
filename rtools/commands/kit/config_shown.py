"""What counts in a call, and where each value is from: what --show-config prints."""

import click

from rtools.commands.kit.config_values import place_of, toml_text
from rtools.remote import settings
from rtools.remote.names import shown_in

__all__ = ["long_names", "origin_of", "print_config", "tables_of_steps", "untyped"]

STEPS, PATH, OWN = "rtools.config.steps", "rtools.config.path", "rtools.config.own"
"""Keys of `click.Context.meta`: tables of steps by mission, path of the file, parameters in the table of the tool."""

REMOTE = "remote"
"""What the table about files that lie elsewhere is called."""


def tables_of_steps(ctx, mission):
    """What the configuration file of a call says of steps.

    Parameters
    ----------
    ctx : click.Context
        Of the tool.
    mission : str
        Whose steps.

    Returns
    -------
    dict of str to dict
        Step name to {option key: value}.
    """
    return ctx.meta.get(STEPS, {}).get(mission, {})


def long_names(command):
    """What options are called in configuration files, and after RT_ in the environment: ``--dry-run`` is dry-run.

    Parameters
    ----------
    command : click.Command
        The tool.

    Returns
    -------
    dict of str to click.Option
        The first long name of each option, without its dashes.
    """
    options = [param for param in command.params if isinstance(param, click.Option)]
    return {next(word[2:] for word in option.opts if word.startswith("--")): option for option in options}


def print_config(ctx, values):
    """Print what counts in this call as a configuration file; where each value is from stands behind it.

    What is as if nothing had been said is commented out, so that a tool that reads the file back sees no more
    asked for than was.

    Parameters
    ----------
    ctx : click.Context
        Of the tool.
    values : dict
        Parameter name to the value that counts.
    """
    click.echo(place_of(ctx.command.name))
    for word, param in long_names(ctx.command).items():
        if param.name in ctx.params and not param.hidden:
            click.echo(_line(word, values[param.name], origin_of(ctx, param)))
    _print_remote(ctx)
    if ctx.command.name != "rt-run":
        return
    for name, options in _tables(ctx.meta.get(STEPS, {})).items():
        click.echo(f"\n[{name}]")
        for key, value in options.items():
            click.echo(_line(key.replace("_", "-"), value, f"config file {ctx.meta[PATH]}"))


def _print_remote(ctx):
    """Print what counts for files that lie elsewhere."""
    lines = []
    for key, setting in settings.SETTINGS.items():
        text, origin = settings.wording(key)
        origin = {"environment": f"environment {setting.variable}",
                  "configuration": f"config file {ctx.meta.get(PATH)}"}.get(origin, origin)  # fmt: skip
        lines.append(_line(key, settings.said(key) if isinstance(setting.default, float) else text, origin))
    said = not all(line.startswith("# ") for line in lines)
    click.echo(f"\n{'' if said else '# '}{place_of(REMOTE)}")
    click.echo("\n".join(lines))


def _tables(steps):
    """Tables of steps by what they are called: one where all missions that have the step have the same."""
    from rtools.pipeline.job.steps import missions_of

    found = {}
    for mission, tables in steps.items():
        for name, options in tables.items():
            same = all(steps.get(other, {}).get(name) == options for other in missions_of(name))
            found[name if same else f"{mission}.{name}"] = options
    return found


def untyped(ctx, values):
    """Lines about what a configuration file or the environment says in this call, which nobody sees typed.

    Parameters
    ----------
    ctx : click.Context
        Of the tool.
    values : dict
        Parameter name to the value that counts.

    Yields
    ------
    str
        ``name = value, where it is from``.
    """
    for word, param in long_names(ctx.command).items():
        origin = origin_of(ctx, param)
        if origin not in ("default", "command line") and values.get(param.name) not in (None, False, (), param.default):
            yield shown_in(f"{word} = {toml_text(values[param.name])}, {origin}")


def _line(word, value, origin):
    if value is None:
        return f"# {word} is not set  # {origin}"
    mark = "# " if origin == "default" else ""
    return f"{mark}{word} = {toml_text(value)}  # {origin}"


def origin_of(ctx, param):
    """Where the value of an option is from, in words.

    Parameters
    ----------
    ctx : click.Context
        Of the tool.
    param : click.Option
        One of its options.

    Returns
    -------
    str
        ``command line``, ``config file X``, ``environment RT_X`` or ``default``.
    """
    return {
        "COMMANDLINE": "command line",
        "DEFAULT_MAP": f"config file {ctx.meta.get(PATH)}",
        "ENVIRONMENT": f"environment {param.envvar}",
    }.get(ctx.get_parameter_source(param.name).name, "default")
