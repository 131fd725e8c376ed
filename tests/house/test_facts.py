"""Facts of the instrument and of physics stand once, each in its module of `wfi`: no other module has the number."""

import ast
import re
from functools import cache

import pytest

from rtools.wfi import dq
from rtools.wfi.exposure_types import EXPOSURE_TYPES
from rtools.wfi.instrument import NAMED_ELEMENTS
from tests.support.modules import literals, modules, path_of, text_of, tree_of

NUMBERS = {
    "frame": ((4096, 4088), "rtools.wfi.frame"),
    "channel": ((128,), "rtools.wfi.frame"),
    "read-out clock": ((4.915263e-6, 142, 140), "rtools.wfi.readout"),
    "frame time": ((3.16247, 5.14116), "rtools.wfi.instrument"),
    "pixel scale": ((0.11,), "rtools.wfi.instrument"),
    "second Lagrange point": ((1.0099,), "rtools.wfi.units"),
    "radiation constant": ((14387.77,), "rtools.wfi.units"),
    "Terrestrial Time less UTC": ((69.184,), "rtools.wfi.times"),
    "fill value": ((999999,), "rtools.wfi.fill"),
    "zero of AB magnitudes": ((3631, 31.4, 8.9, 23.9), "rtools.wfi.units"),
    "nJy per MJy": ((1e15,), "rtools.wfi.units"),
    "speed of light": ((299792.458, 299792458), "rtools.wfi.units"),
    "astronomical unit": ((149597870.7,), "rtools.wfi.units"),
    "seconds of a day": ((86400,), "rtools.wfi.units"),
    "arcsec of a radian": ((206265, 206264.806, 206264.80624709636, 648000), "rtools.wfi.units"),
    "sigma of the median deviation": ((1.4826, 1.482602218505602), "rtools.work.statistics"),
}
"""Facts as numbers, and the module where each stands."""

OTHER_THINGS = {
    ("rtools.catalog.detect.deep", 128): "rows of a block",
    ("rtools.catalog.detect.smooth", 128): "rows of a block",
    ("rtools.catalog.psf._psffit_work", 128): "a flag of the catalog",
    ("rtools.pipeline.job.status", 128): "the shell's status of a signal",
    ("rtools.pipeline.exposure.portion", 4096): "bytes of a page of memory",
    ("rtools.products.fits.flags", 128): "a flag of JWST",
    ("rtools.products.fits.pixel_types", 128): "the smallest int8",
    ("rtools.products.io.arrays", 128): "bits of a number",
    ("rtools.products.tables.files", 4096): "bytes of the head of a file",
    ("rtools.reference.nominal", 4096): "points of a table",
    ("rtools.reference.psf", 128): "angles in half a turn",
    ("rtools.show.chart_text", 128): "a dot of a Braille letter",
    ("rtools.simulate.effects", 142): "the account of the simulator, which is independent on purpose",
    ("rtools.simulate.effects", 4.915263e-6): "the account of the simulator, which is independent on purpose",
    ("rtools.simulate._random_kernels", 128): "steps of a search",
    ("rtools.simulate.render", 128): "side of a stamp",
    ("rtools.simulate.scene", 4096): "cells of the sky",
    ("rtools.wfi.dq", 128): "a bit by its number",
    ("rtools.wfi.guide", 128): "a flag of pairs",
}
"""Numbers that happen to be those of a fact."""

NAMES = {
    "rtools.catalog.multiband.injection": "limiting magnitudes by element",
    "rtools.commands.refs_make": "an example in a help text",
    "rtools.commands.sim": "an example in a help text",
    "rtools.pipeline.catalog.references": "the exposure type that a mosaic stands for",
    "rtools.pipeline.guide.instrument": "the filter that stands for a spectrum across, what references are asked for",
    "rtools.products.schema.profiles": "names that exposure types had before",
    "rtools.reference.builtin": "the element that is taken by default",
    "rtools.reference.planes": "the element that is taken by default",
    "rtools.reference.psf": "the element that is taken by default",
    "rtools.reference.make": "the type that a dark has",
    "rtools.reference.tables": "tables that know darks as well",
    "rtools.reference.types": "tables that know darks as well",
    "rtools.simulate.assumed": "light by element, lamps by exposure type",
    "rtools.simulate.request": "the exposure type that follows from the element",
    "rtools.simulate.spectra": "light by element",
    "rtools.wfi.exposure_types": "where exposure types stand",
    "rtools.wfi.instrument": "where elements stand",
}
"""Modules that name optical elements or exposure types: those that state them, or something of one of them."""


@cache
def numbers_in(module):
    """Numbers of a module with their lines."""
    return [(value, line) for value, line in literals(module) if isinstance(value, int | float)]


@pytest.mark.parametrize(
    "fact",
    NUMBERS,
)
def test_a_number_stands_once(fact):
    values, home = NUMBERS[fact]
    elsewhere = [
        f"{path_of(module)}:{line}: {value}"
        for module in modules()
        for value, line in numbers_in(module)
        if value in values and module != home and (module, value) not in OTHER_THINGS
    ]
    assert elsewhere == []
    assert any(value in values for value, _line in numbers_in(home))


def test_no_allowance_outlives_its_reason():
    found = {(module, value) for module in modules() for value, _line in numbers_in(module)}
    assert sorted(OTHER_THINGS.keys() - found) == []
    assert sorted(NAMES.keys() - {module for module in modules() if named_in(module)}) == []


def named_in(module):
    """Elements and exposure types that a module names."""
    known = {*NAMED_ELEMENTS, *EXPOSURE_TYPES}
    return [f"{path_of(module)}:{line}: {value}" for value, line in literals(module) if value in known]


def test_elements_and_exposure_types_are_named_where_they_are_stated():
    assert [place for module in modules() if module not in NAMES for place in named_in(module)] == []


def flags_by_number(module):
    """Assignments and entries of dictionaries that give a DQ bit its number again."""
    known = {**dq.PIXEL, **dq.GROUP}.keys()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Assign):
            pairs = [(target.id, node.value) for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.Dict):
            pairs = [(key.value, value) for key, value in zip(node.keys, node.values, strict=True) if is_literal(key)]
        else:
            pairs = []
        for name, value in pairs:
            if name in known and not any(isinstance(part, ast.Name | ast.Attribute) for part in ast.walk(value)):
                yield f"{path_of(module)}:{node.lineno}: {name} = {ast.unparse(value)}"


def is_literal(node):
    """Whether a node is a number or a text."""
    return isinstance(node, ast.Constant)


SPHERE = {
    "unit vector of a position": r"cos\(\w+\) \* np\.cos\(\w+\), |cosine \* np\.cos\(longitude\)",
    "shorter turn": r"\+ 180\) % 360 - 180",
    "polygon of s_region": r"\"POLYGON ICRS  \"",
    "gnomonic projection": r"np\.arctan2\(xi, |np\.sin\(ra\) / depth",
    "haversine": r"np\.sin\(\(\w+ - \w+\) / 2\) \*\* 2",
}
"""Formulas of the sphere, each with a pattern of how it is written."""


@pytest.mark.parametrize("formula", SPHERE)
def test_a_formula_of_the_sphere_stands_once(formula):
    assert [module for module in modules() if re.search(SPHERE[formula], text_of(module))] == ["rtools.wfi.sphere"]


def test_dq_bits_have_their_numbers_in_one_module():
    others = ("rtools.wfi.dq", "rtools.products.fits.flags", "rtools.wfi.guide")  # those of JWST, those of pairs
    assert [place for module in modules() if module not in others for place in flags_by_number(module)] == []


def test_the_border_has_its_width_in_one_module():
    """A slice from 4 to -4, or a name of the border with a number."""
    found = []
    for module in set(modules()) - {"rtools.wfi.frame"}:
        nodes = list(ast.walk(tree_of(module)))
        found += [path_of(module) for node in nodes if isinstance(node, ast.Slice) and ast.unparse(node) == "4:-4"]
        for node in nodes:
            names = [name.id for name in getattr(node, "targets", ()) if isinstance(name, ast.Name)]
            if getattr(getattr(node, "value", None), "value", None) == 4 and any("BORDER" in name for name in names):
                found.append(f"{path_of(module)}:{node.lineno}")
    assert sorted(found) == []


def test_the_centre_of_a_detector_is_computed():
    """From the frame: no module has it as a number."""
    centres = (2043.5, 2044, 2044.5, 2047.5)
    places = [(path_of(module), line) for module in modules() for value, line in numbers_in(module) if value in centres]
    assert places == []
