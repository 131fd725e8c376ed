"""Options that are about one mission, in tools that take files of several.

One that is typed while no input is of its mission is refused. What environment and configuration say serves many calls,
so it is passed over there.
"""

from collections.abc import Collection, Mapping

import click

from rtools.commands.kit.config_shown import OWN, long_names, origin_of, tables_of_steps
from rtools.errors import UsageError

__all__ = ["MISSIONS", "MissionOption", "mission_option", "options_by_mission"]

MISSIONS = {"roman": "Roman", "jwst": "JWST"}
"""Missions, and what they are called in text."""


class MissionOption(click.Option):
    """A click option that means something for inputs of one mission only; its help ends with the mission's name."""

    def __init__(self, *words, mission, **settings):
        settings["help"] = f"{settings.get('help', '')} [{MISSIONS[mission]}]".strip()
        super().__init__(*words, **settings)
        self.mission = mission


def mission_option(mission, *words, **settings):
    """The decorator of an option of one mission.

    Parameters
    ----------
    mission : str
        A key of `MISSIONS`.
    *words, **settings
        As click.option takes them.
    """
    return click.option(*words, cls=MissionOption, mission=mission, **settings)


def options_by_mission(console, options: Mapping, missions: Collection[str], step: str | None = None) -> dict:
    """The options of a call for the inputs of each mission.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        With -v it tells what is passed over.
    options : mapping of str to object
        Parameter name to value, of all missions.
    missions : collection of str
        Of the inputs, keys of `MISSIONS`.
    step : str, optional
        The step that the tool is, whose tables ``[jwst.NAME]`` of the configuration file count here.

    Returns
    -------
    dict of str to dict
        For each of `missions` the options without those of other missions.

    Raises
    ------
    UsageError
        An option is typed that is about a mission of which no input is.
    """
    ctx = click.get_current_context()
    bound = {param.name: param for param in ctx.command.params if isinstance(param, MissionOption)}
    for word, param in long_names(ctx.command).items():
        if param.name in bound and param.mission not in missions:
            _pass_over(console, ctx, word, param, options.get(param.name))
    return {
        mission: {key: value for key, value in options.items() if key not in bound or bound[key].mission == mission}
        | _of_tables(ctx, mission, step, options)
        for mission in missions
    }


def _pass_over(console, ctx, word, param, value):
    source = ctx.get_parameter_source(param.name).name
    called = MISSIONS[param.mission]
    if source == "COMMANDLINE":
        raise UsageError(f"--{word} is about {called}, and no input is of {called}")
    if source != "DEFAULT":
        console.log("info", f"{word} = {value}, {origin_of(ctx, param)}: passed over, no input is of {called}")


def _of_tables(ctx, mission, step, options):
    """What the configuration file says of the step for this mission, where nothing that counts more says it."""
    weak, own = ("DEFAULT", "DEFAULT_MAP"), ctx.meta.get(OWN, ())
    found = tables_of_steps(ctx, mission).get(step, {}) if step else {}
    return {key: value for key, value in found.items()
            if key in options and key not in own and ctx.get_parameter_source(key).name in weak}  # fmt: skip
