"""Steps as they are found and ordered, and what each declaration must hold."""

import ast
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from types import ModuleType

import pytest

from rtools.declare import FrameStep, RampStep
from rtools.pipeline.exposure import chain
from rtools.pipeline.job import steps

FILES = sorted(steps.PACKAGE.glob("*/steps/[!_]*.py"))
HEAVY = {"numba", "scipy", "asdf", "click", "gwcs", "astropy", "pyarrow"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_step_is_called_as_its_file(path):
    assert steps.step_of(path.stem, steps.missions_of(path.stem)[0]).name == path.stem


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_step_imports_nothing_heavy_before_it_works(path):
    top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module for node in top if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in named} & HEAVY == set()
    assert [name for name in named if name.endswith("_kernels")] == []


@pytest.mark.parametrize("step", steps.steps_in_order(), ids=lambda step: step.name)
def test_what_a_step_wants_imported_exists(step):
    assert [name for name in step.imports if not isinstance(import_module(name), ModuleType)] == []


@pytest.mark.parametrize("step", steps.steps_in_order(), ids=lambda step: step.name)
def test_a_step_has_the_functions_of_its_kind(step):
    assert (step.apply is not None) == (step.works_on_strips or isinstance(step, FrameStep))
    assert step.halo is None or step.writes_ramp
    assert step.revise is None or step.fits_ramp


def test_the_chain_of_an_exposure_comes_before_that_of_mosaics():
    kinds = [step.of_exposure for step in steps.steps_in_order()]
    assert kinds == sorted(kinds, reverse=True)
    assert chain.order()[0] == "dqinit"
    assert chain.order().index("photom") < chain.order().index("flat")


def test_names_are_known_without_an_import():
    code = "import sys; from rtools.commands.kit.tools import tool_names; print('flat' in tool_names(), *sys.modules)"
    said, *imported = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert said == "True"
    assert [name for name in imported if ".steps." in name or name == "numpy"] == []


@pytest.fixture
def with_more(monkeypatch):
    """Have some further steps found, given as declarations."""

    def add(*declared):
        found = dict(steps.find_modules())
        for step in declared:
            module = ModuleType(f"extra_{step.name}_{step.mission}")
            module.STEP = step
            monkeypatch.setitem(sys.modules, module.__name__, module)
            found[step.name] = (*found.get(step.name, ()), module.__name__)
        monkeypatch.setattr(steps, "find_modules", lambda: found)
        steps.step_names.cache_clear()

    yield add
    monkeypatch.undo()
    steps.step_names.cache_clear()


def declared(**values):
    return RampStep(**dict.fromkeys(("name", "cal_step", "suffix", "summary", "description"), "bias") | values)


def test_a_new_step_says_alone_where_it_stands(with_more):
    before = steps.step_names()
    with_more(declared(after="saturation", before="refpix"))
    place = before.index("refpix")
    assert steps.step_names() == (*before[:place], "bias", *before[place:])


def test_two_steps_behind_the_same_must_say_which_is_first(with_more):
    with_more(declared(after="saturation"))
    with pytest.raises(ValueError, match="the order of bias and refpix is open"):
        steps.step_names()


def test_a_mission_has_its_own_chain(with_more):
    before = steps.step_names()
    other = replace(steps.step_of("rampfit"), mission="other", after="")
    with_more(other)
    assert steps.step_of("rampfit", "other") is other
    assert steps.step_names("other") == ("rampfit",)
    assert steps.step_names() == before
