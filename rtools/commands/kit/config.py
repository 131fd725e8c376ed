"""Configuration files: values of options in TOML, obeyed or refused.

One file serves all tools::

    jobs = 2             # every tool that has --jobs, as RT_JOBS does
    [rampfit]            # a step: in rt-run as by --set, and in its own tool
    threshold = 5
    [jwst.rampfit]       # the same for inputs of one mission
    threshold = 4
    [rt-run]             # a tool
    save-steps = true
    [rt-refcat.make]     # a subcommand
    limit = 20
    [remote]             # copies of files that lie elsewhere
    cache-size = "50G"

The more special one counts: a tool's table before a step's, a step's of one mission before that of all, a step's before
the top level. All keys of the file are
checked, those of other tools, too: a word that nobody reads would look like one that is obeyed.
"""

from difflib import get_close_matches
from pathlib import Path

import click

from rtools.commands.kit.config_remote import REMOTE, remote_values, take_remote
from rtools.commands.kit.config_shown import OWN, PATH, STEPS, tables_of_steps
from rtools.commands.kit.config_steps import add_mission, add_step, all_steps, joined
from rtools.commands.kit.config_values import add_values, nearest, place_of, value_of_option
from rtools.commands.kit.missions import MISSIONS
from rtools.errors import InputError, UsageError

__all__ = ["read_config", "with_tables"]

UNWRITTEN = ("help", "version", "show-config", "config")
"""Options that a configuration cannot hold."""


def read_config(ctx, path):
    """Take the values of a configuration file as those that count where environment and command line say nothing.

    Parameters
    ----------
    ctx : click.Context
        Of the tool; its `default_map` is set, and its `meta` gets the tables of steps.
    path : str
        The TOML file.

    Raises
    ------
    InputError
        It cannot be read, or is not TOML.
    UsageError
        A table, a key or a value of it means nothing to any tool.
    """
    settings = _loaded(path)
    try:
        top = {word: value for word, value in settings.items() if not isinstance(value, dict)}
        tables = {word: value for word, value in settings.items() if isinstance(value, dict)}
        remote = remote_values(_written(tables.pop(REMOTE, {}), REMOTE))
        steps, tools = _tables(tables, ctx.command)
        top = _top_values(top, ctx.command)
        shadowed = {key for found in steps.values() for values in found.values() for key in values}
        values = {key: value for key, value in top.items() if key not in shadowed}
        values |= _of_step(steps, ctx.command.name.removeprefix("rt-"))
    except UsageError as error:
        error.path = path
        raise
    take_remote(ctx, remote)
    ctx.default_map = values | tools.get(ctx.command.name, {})
    ctx.meta[STEPS], ctx.meta[PATH], ctx.meta[OWN] = steps, path, frozenset(tools.get(ctx.command.name, {}))


def _of_step(steps, name):
    """What tables say of the step that a tool is, for all missions that have it; of the others inputs decide later."""
    found = {mission: tables[name] for mission, tables in steps.items() if name in tables}
    if not found:
        return {}
    missions = {mission for step in all_steps() if step.name == name for mission in step.missions}
    first, *rest = (found.get(mission, {}) for mission in missions)
    return {key: value for key, value in first.items() if all(key in one and one[key] == value for one in rest)}


def with_tables(settings, names, mission="roman"):
    """Options of steps with those that the configuration file of this call has in tables of these steps.

    Parameters
    ----------
    settings : dict
        Step name to {option key: value}, which counts more.
    names : iterable of str
        Steps whose tables are looked at.
    mission : str
        Whose steps they are.

    Returns
    -------
    dict
    """
    tables = tables_of_steps(click.get_current_context(), mission)
    merged = {name: tables[name] | settings.get(name, {}) for name in names if name in tables}
    return settings | merged


def _loaded(path):
    import tomllib

    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such file", path=path) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not a TOML file ({error})", path=path) from None


def _tables(tables, command):
    """Checked tables: of steps as {mission: {step: {option key: value}}}, of tools as {tool: {name: value}}."""
    steps, special, tools = {}, {}, {}
    for word, table in tables.items():
        if word == command.name:
            found = {word: command}
        elif word.startswith("rt-"):
            found = _tool(word)
        elif word in MISSIONS:
            add_mission(special.setdefault(word, {}), word, table)
            continue
        else:
            if not add_step(steps, word, table):
                raise _unknown_table(word)
            continue
        for name, values in _tool_options(word, table, found).items():
            add_values(tools.setdefault(name, {}), values, word)
    return joined(steps, special), tools


def _tool(word):
    """The commands that a table is named for: a tool, a subcommand (``rt-refcat make``), or all those of a group."""
    from rtools.commands.kit.tools import command_of

    group, _, name = word.partition(" ")
    try:
        command = command_of(group.removeprefix("rt-"))
    except UsageError:
        command = None
    if command is None or command.name != group or (name and name not in getattr(command, "commands", {})):
        raise _unknown_table(word)
    if name:
        return {word: command.commands[name]}
    return {word: command} | {f"{word} {name}": one for name, one in getattr(command, "commands", {}).items()}


def _tool_options(word, table, commands):
    """{tool: {parameter name: value}} of a table; that of a group has the tables of its subcommands."""
    found = {name: {} for name in commands}
    for key, value in table.items():
        inner = f"{word} {key}"
        if isinstance(value, dict):
            if inner not in commands:
                names = [name.removeprefix(f"{word} ") for name in commands if name != word]
                raise UsageError(f"[{word}.{key}]: {word} has no such table", mend=nearest(key, names))
            found[inner] |= _tool_options(inner, value, {inner: commands[inner]})[inner]
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    for key, value in _written(plain, word).items():
        takers = {name: _options(command)[key] for name, command in commands.items() if key in _options(command)}
        if not takers:
            known = [key for command in commands.values() for key in _options(command)]
            raise UsageError(f"{place_of(word)}: {word} has no option {key}", mend=nearest(key, known))
        for name, param in takers.items():
            found[name] = {param.name: value_of_option(param, value, place_of(word, key))} | found[name]
    return found


def _top_values(top, command):
    """Values at the top level that the command has options for; the others must be of another tool."""
    own, values = _options(command, shared=True), {}
    for key, value in _written(top, None).items():
        if key in own:
            values[own[key].name] = value_of_option(own[key], value, key)
            continue
        if key in _table_names():
            raise UsageError(f"{key}: a table expected, [{key}]")
        every = [_options(other, shared=True) for other in _commands()]
        takers = [options[key] for options in every if key in options]
        owners = [] if takers else [other.name for other in _commands() if key in _options(other)]
        if owners:
            raise UsageError(f"{key}: not for all tools", mend=f"put it into a table, as {place_of(owners[0])}")
        if not takers:
            raise UsageError(f"no tool has an option {key}", mend=nearest(key, {key for one in every for key in one}))
        _of_any(takers, value, key)
    return values


def _of_any(takers, value, key):
    """Refuse a value that none of these options takes."""
    for param in takers:
        try:
            return value_of_option(param, value, key)
        except UsageError as error:
            refused = error
    raise refused


def _commands():
    """Every command of the kit, subcommands included."""
    from rtools.commands.kit.tools import command_of, groups

    for name in [tool for group in groups().values() for tool in group]:
        command = command_of(name)
        yield from (command, *getattr(command, "commands", {}).values())


def _options(command, *, shared=False):
    """Options that may stand in a configuration, by each of their long names; with `shared` at its top level."""
    options = {}
    for param in command.params:
        if isinstance(param, click.Option) and (param.allow_from_autoenv or not shared):
            words = [word[2:].replace("_", "-") for word in param.opts if word.startswith("--")]
            options |= dict.fromkeys((word for word in words if word not in UNWRITTEN), param)
    return options


def _written(table, name):
    """A table with its keys as options are typed, save_steps as save-steps."""
    plain = {}
    for key, value in table.items():
        word = key.replace("_", "-")
        if word in plain:
            raise UsageError(f"{place_of(name, key)}: given twice")
        plain[word] = value
    return plain


def _table_names():
    return [command.name for command in _commands()] + [step.name for step in all_steps()] + [REMOTE]


def _unknown_table(word):
    """The error about a table that is named for nothing."""
    near = get_close_matches(word, _table_names(), n=1, cutoff=0.5)
    mend = (
        f"did you mean {place_of(near[0])}?"
        if near
        else "tables are called as tools are, rt-run, or as steps are, rampfit"
    )
    return UsageError(f"[{word}]: no tool or step is called so", mend=mend)
