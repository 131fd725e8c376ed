"""Options that are about one mission, in a tool that takes files of both."""

import click
import pytest

from rtools.commands.kit.entry import run
from rtools.commands.kit.missions import mission_option, options_by_mission
from rtools.commands.kit.tool import tool
from rtools.declare import Option, RampStep
from rtools.pipeline.job import steps

FOUND = {}


@tool("rt-both", summary="A tool for both missions.", examples=("rt-both FILE",))
@click.argument("inputs", nargs=-1)
@click.option("--jobs", type=int, default=1)
@click.option("--threshold", type=float, default=4.0)
@mission_option("jwst", "--nints", type=int, default=1, help="Integrations.")
@mission_option("roman", "--read-pattern", help="Reads.")
def command(console, inputs, **options):
    missions = {"jwst" if name.startswith("jw") else "roman" for name in inputs}
    FOUND.clear()
    FOUND.update(options_by_mission(console, options, missions, "both"))


def called(*args):
    assert run(command, list(args)) == 0
    return FOUND


def test_inputs_of_a_mission_get_its_options():
    found = called("jw1.fits", "r1.asdf", "--nints", "3", "--read-pattern", "1;2")
    assert found["jwst"] == {"jobs": 1, "threshold": 4.0, "nints": 3}
    assert found["roman"] == {"jobs": 1, "threshold": 4.0, "read_pattern": "1;2"}


def test_help_says_whose_an_option_is(capsys):
    assert run(command, ["--help"]) == 0
    assert "Integrations. [JWST]" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("r1.asdf", "--nints", "3"), "--nints is about JWST, and no input is of JWST"),
        (("jw1.fits", "--read-pattern", "1"), "--read-pattern is about Roman, and no input is of Roman"),
    ],
)
def test_a_typed_option_of_the_other_mission_is_exit_2(args, said, capsys):
    assert run(command, list(args)) == 2
    assert said in capsys.readouterr().err


def test_environment_and_configuration_are_passed_over_for_the_other_mission(tmp_path, monkeypatch, capsys):
    path = tmp_path / "c.toml"
    monkeypatch.setattr("rtools.commands.kit.tools.command_of", lambda name: command)
    path.write_text('[rt-both]\nread-pattern = "7"\n')
    monkeypatch.setenv("RT_NINTS", "5")
    assert called("r1.asdf", "-v", "--config", str(path))["roman"]["read_pattern"] == "7"
    assert "nints = 5, environment RT_NINTS: passed over, no input is of JWST" in capsys.readouterr().err
    assert called("jw1.fits", "-v", "--config", str(path))["jwst"]["nints"] == 5
    assert "read-pattern = 7, config file" in capsys.readouterr().err
    called("jw1.fits", "--config", str(path))
    assert capsys.readouterr().err == ""


def declared(mission, *names):
    options = tuple(Option(name, 1.0, "A number.") for name in names)
    return RampStep(name="both", cal_step="both", suffix="both", summary="x", description="x", mission=mission,
                    options=options)  # fmt: skip


def test_a_table_of_one_mission_leaves_files_of_the_other_alone(tmp_path, monkeypatch):
    two = {mission: declared(mission, "threshold") for mission in ("roman", "jwst")}
    monkeypatch.setattr(steps, "steps_in_order", lambda mission="roman": [two[mission]])
    path = tmp_path / "c.toml"
    path.write_text("[jwst.both]\nthreshold = 6\n")
    found = called("jw1.fits", "r1.asdf", "--config", str(path))
    assert (found["roman"]["threshold"], found["jwst"]["threshold"]) == (4.0, 6.0)


def test_a_table_of_a_step_of_two_missions_serves_each(tmp_path, monkeypatch, capsys):
    two = {"roman": declared("roman", "threshold"), "jwst": declared("jwst", "threshold", "only")}
    monkeypatch.setattr(steps, "steps_in_order", lambda mission="roman": [two[mission]])
    path = tmp_path / "c.toml"
    path.write_text("[both]\nthreshold = 5\n[jwst.both]\nthreshold = 6\n")
    found = called("jw1.fits", "r1.asdf", "--config", str(path))
    assert (found["roman"]["threshold"], found["jwst"]["threshold"]) == (5.0, 6.0)
    found = called("jw1.fits", "r1.asdf", "--config", str(path), "--threshold", "7")
    assert (found["roman"]["threshold"], found["jwst"]["threshold"]) == (7.0, 7.0)
    path.write_text("[both]\nonly = 2\n")
    called("jw1.fits", "--config", str(path))
    for text, said in (
        ("[roman.both]\nonly = 1\n", "[roman.both]: rt-both has no step option only"),
        ("[jwst.nothing]\nx = 1\n", "[jwst.nothing]: no step of this mission is called so"),
        ("[jwst]\nboth = 1\n", "[jwst.both]: a table expected"),
    ):
        path.write_text(text)
        assert run(command, ["jw1.fits", "--config", str(path)]) == 2
        assert said in capsys.readouterr().err
