"""Options of a help text stand in groups; what all tools have comes last."""

import click
import pytest

from rtools.commands.kit import grouping
from rtools.commands.kit.tools import command_of
from tests.support.kit import TOOLS


def commands():
    """Every command by what is typed, subcommands as well."""
    found = {name: command_of(name) for name in TOOLS}
    for name, command in list(found.items()):
        found |= {f"{name} {word}": one for word, one in getattr(command, "commands", {}).items()}
    return found


def test_every_shared_name_is_one_of_some_tool():
    known = {param.name for command in commands().values() for param in command.params} | {grouping.HELP}
    assert {name for names in grouping.SHARED.values() for name in names} <= known


def test_every_option_is_in_one_group_and_shared_ones_come_last():
    for called, command in commands().items():
        params = command.get_params(click.Context(command, help_option_names=["-h", "--help"]))
        found = grouping.by_title(params)
        grouped = [param for members in found.values() for param in members]
        assert len(grouped) == len(set(grouped)), called
        assert set(grouped) == {param for param in params if isinstance(param, click.Option)}, called
        shared = [title for title in found if title in grouping.SHARED]
        assert list(found)[-len(shared) :] == shared == [title for title in grouping.SHARED if title in shared], called


def test_help_of_rt_run_begins_with_what_is_its_own(capsys):
    with pytest.raises(SystemExit):
        command_of("run").main(["--help"])
    said = capsys.readouterr().out
    titles = ["Steps:", "Exposures:", "Mosaic:", "Output:", "References:", "Running:", "Common to all tools:"]
    places = [said.index(f"\n{title}\n") for title in titles]
    assert places == sorted(places)
    said = said[places[0] :]
    assert said.index("--skip ") < said.index("--refcat ") < said.index("--skycell ") < said.index("--outdir ")
    assert said.index("--json ") < said.index("--refdir ") < said.index("--jobs ") < said.index("--verbose ")
