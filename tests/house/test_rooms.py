"""The rooms of the package and the arrows between them: down only, without a circle (docs/house.md)."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.support.modules import imports, libraries_of, modules, tree_of

FLOORS = [
    ["rtools.errors", "rtools.machine", "rtools.declared_parts"],
    ["rtools.remote"],
    ["rtools.compiled", "rtools.declare", "rtools.findings"],
    ["rtools.wfi", "rtools.jwst"],
    ["rtools.work"],
    ["rtools.expressions"],
    ["rtools.products.schema"],
    ["rtools.products.names"],
    ["rtools.products.io"],
    ["rtools.products.guide"],
    ["rtools.products.fits"],
    ["rtools.products.tables"],
    ["rtools.products.jwst"],
    ["rtools.products.forms"],
    ["rtools.products.opening"],
    ["rtools.products.making", "rtools.products.manifest"],
    ["rtools.products.mosaic", "rtools.products.refcat", "rtools.products.edit"],
    ["rtools.products.check"],
    ["rtools.reference"],
    ["rtools.astrometry"],
    [
        "rtools.exposure",
        "rtools.catalog",
        "rtools.guide",
        "rtools.mosaic",
        "rtools.simulate",
        "rtools.quality",
        "rtools.timeseries",
        "rtools.spectra",
        "rtools.coronagraphy",
        "rtools.interferometry",
    ],
    ["rtools.pipeline.job"],
    ["rtools.pipeline.astrometry", "rtools.pipeline.catalog", "rtools.pipeline.guide", "rtools.pipeline.simulation"],
    ["rtools.pipeline.report"],
    ["rtools.pipeline.exposure"],
    ["rtools.pipeline.jwst"],
    ["rtools.pipeline.mosaic"],
    ["rtools.pipeline.stage3"],
    ["rtools.show", "rtools.api"],
    ["rtools.commands.kit"],
    ["rtools.commands"],
]
"""Rooms from the ground up, and single modules that stand beside rooms. A room may import what lies on floors below
its own, and itself; rooms of one floor know nothing of each other."""

FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}
SCIENCE = (
    "rtools.exposure", "rtools.catalog", "rtools.guide", "rtools.mosaic", "rtools.quality", "rtools.astrometry",
    "rtools.expressions", "rtools.timeseries", "rtools.spectra", "rtools.coronagraphy", "rtools.interferometry",
)  # fmt: skip
DOORS = ("rtools", "rtools.products", "rtools.pipeline")
"""Packages that hold rooms and nothing else, and the face of the whole package: the face may see every room."""


def room_of(module):
    """The room in which a module lies: the longest name on the list of floors that its own begins with."""
    rooms = [room for room in FLOOR_OF if module == room or module.startswith(f"{room}.")]
    return max(rooms, key=len, default=None)


def inner_room_of(module):
    """The directory of a module, or the module itself where it lies beside directories of its room."""
    directory = module.rsplit(".", 1)[0]
    return module if directory in FLOOR_OF or directory in DOORS or module in DOORS else directory


def circle_in(graph):
    """Names along a circle of a graph (node to those that it needs), or None."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]


def graph_of(name_of):
    """Arrows between what modules are counted as."""
    graph = {}
    for module in modules():
        graph.setdefault(name_of(module), set()).update(map(name_of, imports(module)))
    return {node: sorted(needed - {node}) for node, needed in graph.items()}


def test_every_module_lies_in_a_room():
    assert [module for module in modules() if room_of(module) is None and module not in DOORS] == []
    assert [room for room in FLOOR_OF if room not in modules()] == []


def test_no_arrow_goes_up():
    up = [
        f"{module} -> {needed}"
        for module in modules()
        if module not in DOORS
        for needed in sorted(imports(module))
        if room_of(needed) != room_of(module) and FLOOR_OF[room_of(needed)] >= FLOOR_OF[room_of(module)]
    ]
    assert up == []


def test_no_circle_of_modules():
    assert circle_in(graph_of(lambda module: module)) is None


def test_no_circle_of_rooms_inside_rooms():
    assert circle_in(graph_of(inner_room_of)) is None


@pytest.mark.parametrize("room", SCIENCE)
def test_science_knows_no_files(room):
    """Nor command lines, nor pipelines: arrays in, arrays out."""
    strangers = ("rtools.products", "rtools.pipeline", "rtools.commands", "rtools.show", "rtools.simulate")
    libraries = {"asdf", "click", "pyarrow", "rich", "yaml"}
    mine = [module for module in modules() if room_of(module) == room]
    assert [f"{module} -> {name}" for module in mine for name in imports(module) if name.startswith(strangers)] == []
    assert [f"{module} -> {name}" for module in mine for name in libraries_of(module) & libraries] == []


def test_imports_say_where_they_lead():
    """An arrow is read off an import; one that begins with a dot hides its end, one of `*` what goes along it."""
    nodes = [(module, node) for module in modules() for node in ast.walk(tree_of(module))]
    from_where = [(module, node) for module, node in nodes if isinstance(node, ast.ImportFrom)]
    assert [module for module, node in from_where if node.level or node.names[0].name == "*"] == []
