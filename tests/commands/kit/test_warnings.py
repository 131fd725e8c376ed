"""Warnings are few: once for many inputs, of what was asked for, in words of the tool that was typed."""

import pytest

from rtools.commands.kit.console import Console
from rtools.commands.kit.tools import command_of
from rtools.commands.kit.wording import in_words_of
from tests.support.runs import history, simulate, tool

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def raws(tmp_path_factory):
    """Two raw exposures."""
    directory = tmp_path_factory.mktemp("raws")
    return [simulate(directory, reads="1;2;3;4;5", number=number) for number in (1, 2)]


def warnings(capsys):
    """What was said on stderr, without the tool's name."""
    return [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines() if "first run here" not in line]


def test_what_is_the_same_for_all_inputs_is_said_once_at_the_end(tmp_path, capsys):
    names = [str(tmp_path / f"{letter}_cal.asdf") for letter in "abc"]
    console = Console("rt-x")
    with console.gathering(names):
        for name in names:
            console.log("warning", f"{name}: no jitter")
            console.log("warning", f"{name}: no jitter")
        console.log("warning", f"{names[1]}: no err")
        console.log("warning", "all is nominal")
        console.log("note", "begins")
    assert capsys.readouterr().err.splitlines() == [
        "rt-x: begins",
        "rt-x: warning: no jitter (3 inputs)",
        f"rt-x: warning: {names[1]}: no err",
        "rt-x: warning: all is nominal",
    ]
    console.log("warning", f"{names[0]}: alone")
    assert capsys.readouterr().err == f"rt-x: warning: {names[0]}: alone\n"


def test_what_was_held_is_said_although_the_run_is_interrupted(capsys):
    console = Console("rt-x")
    with pytest.raises(KeyboardInterrupt), console.gathering(["a", "b"]):
        console.log("warning", "a: doubtful")
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "rt-x: warning: a: doubtful\n"


def test_a_first_run_warns_of_the_nominal_instrument_alone(raws, tmp_path, capsys):
    assert tool("run", *raws, "--outdir", tmp_path) == 0
    said = [line for line in warnings(capsys) if line.startswith("warning: ")]
    assert said == [line for line in said if line.endswith("(2 inputs)")]
    assert any("built-in nominal instrument" in line for line in said)
    assert not any("tweakreg" in line or "dust" in line for line in said)
    assert tool("run", raws[0], "--outdir", tmp_path / "loud", "-v") == 0
    said = warnings(capsys)
    assert any("tweakreg: SKIPPED without a reference catalog" in line for line in said)
    assert any("no dust maps" in line for line in said)
    assert tool("run", raws[0], "--outdir", tmp_path / "asked", "--set", "tweakreg.minobj=20") == 0
    assert any("warning: " in line and "tweakreg: SKIPPED without" in line for line in warnings(capsys))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("catalog", "--snr-threshold does nothing with --deep", "--snr-threshold does nothing with --deep"),
        ("run", "--snr-threshold does nothing with --deep", "--set catalog.snr-threshold does nothing with --deep"),
        ("run", "give --weights none", "give --set tweakreg.weights=none"),
        ("run", "leave out --no-fit-psf", "leave out --set catalog.fit-psf=false"),
        ("run", "--overwrite replaces it", "--overwrite replaces it"),
        ("run", "--nothing of this kind", "--nothing of this kind"),
    ],
)
def test_advice_names_options_of_the_tool_that_was_typed(name, text, said):
    assert in_words_of(command_of(name), text) == said


def test_options_of_the_catalog_are_options_of_rt_run(raws, tmp_path, capsys, monkeypatch):
    def used(outdir):
        made = next(outdir.glob("*_cal.asdf"))
        return history(made)[-1]["parameters"]["catalog"]

    assert tool("run", raws[0], "--outdir", tmp_path / "a", "--deep", "--deblend") == 0
    assert any("--deblend does nothing with --deep" in line for line in warnings(capsys))
    assert tool("run", raws[0], "--outdir", tmp_path / "b", "--set", "catalog.deep=true") == 0
    first, second = used(tmp_path / "a"), used(tmp_path / "b")
    assert first.pop("deblend") and not second.pop("deblend")
    assert first == second
    assert first["deep"] and first["npixels"] == 5
    monkeypatch.setenv("RT_DUST_MAPS", str(tmp_path / "nowhere"))
    assert tool("run", raws[0], "--outdir", tmp_path / "c") == 3
    assert "no such file; --dust-maps is the directory of both maps" in capsys.readouterr().err
