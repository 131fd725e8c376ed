"""Work is in proportion to the data: what a file claims is believed only as far as it can be true."""

import numpy as np
import pytest

from rtools.astrometry.wcs import Pointing, build_wcs
from rtools.errors import InputError
from rtools.mosaic.grid.grid import covering_grid
from rtools.pipeline.mosaic.extent import check_covering
from rtools.products.io import header, open_product
from rtools.products.refcat import cones
from rtools.products.refcat import files as refcat_files
from rtools.wfi.distortion import distortion
from rtools.wfi.instrument import WFI_CEN
from tests.support.dithers import SIZE, exposure
from tests.support.runs import rewrite, tool

PIXEL = 0.11 / 3600


# -- grids ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stray(tmp_path_factory):
    """Two exposures of one field, and one of a field that is far away."""
    directory = tmp_path_factory.mktemp("stray")
    files = [exposure(directory / f"{number}_cal.asdf", number) for number in range(2)]

    def move(meta, _arrays):
        meta["wcs"] = build_wcs(distortion("WFI01"), Pointing(*WFI_CEN, 10.0, -20.0, 60.0), 1.0, (SIZE, SIZE))

    return [*files, rewrite(files[1], directory / "far_cal.asdf", move)]


@pytest.mark.parametrize("words", [("run", "--mosaic"), ("resample",), ("outlier",)])
def test_one_exposure_far_away_is_named_before_any_work(stray, words, tmp_path, capsys):
    out = ("--outdir", tmp_path / "o") if words[0] == "outlier" else ("-o", tmp_path / "m_coadd.asdf")
    assert tool(*words, *stray, *out) == 3
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "far_cal.asdf: it is 112 degrees from" in err
    assert "pixels; leave it out, or say the grid" in err
    assert list(tmp_path.iterdir()) == []


def test_a_grid_that_is_said_needs_no_leave(stray, tmp_path):
    words = ("--center", "270,66", "--size", "30000,30000", "-o", tmp_path / "m_coadd.asdf", "--dry-run", "-q")
    assert tool("resample", *stray, *words) == 0


class _Named:
    def __init__(self, name):
        self.name = name


def _fields(places, side=4088):
    """Members and footprints of square images at places (degrees east and north of 10, 0)."""
    half = side * PIXEL / 2
    corners = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return [_Named(str(place)) for place in places], [np.array(place) + corners + (10, 0) for place in places]


def test_a_survey_may_be_large_but_not_empty():
    tiles = [(0.12 * x, 0.12 * y) for x in range(12) for y in range(12)]
    for places in (tiles, [(0, 0), (0.7, 0.3)], [(0, 0)] * 500):
        members, footprints = _fields(places)
        check_covering(covering_grid(footprints, PIXEL, 0.0), members, footprints)
    for places in ([*tiles, (8.0, 8.0)], [*[(0, 0)] * 500, (2.0, 2.0)]):
        members, footprints = _fields(places)
        with pytest.raises(InputError, match="degrees from") as refused:
            check_covering(covering_grid(footprints, PIXEL, 0.0), members, footprints)
        assert refused.value.path == str(places[-1])


def test_a_cone_around_files_that_are_far_apart_names_one(monkeypatch):
    where = {"near": (10, 0), "nearer": (10, 1), "far": (60, 5)}
    corners = np.array([[-0.1, -0.1], [0.1, -0.1], [0.1, 0.1], [-0.1, 0.1]])
    monkeypatch.setattr(cones, "corners_of", lambda path: where[path] + corners)
    assert cones.around_files(["near", "nearer"], 0.0)[2] < 1
    with pytest.raises(InputError, match=r"far: it is 50\.\d degrees from near"):
        cones.around_files(["near", "nearer", "far"], 0.0)


# -- trees and blocks -------------------------------------------------------------------------------------------------


def _laughs(levels=40):
    """A tree of a few lines whose aliases stand for 10^40 nodes."""
    lines = ["l0: &l0 [1]"] + [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n    ".join(lines)


def _own_alias():
    return "a: &a [1, *a]"


def _nested(depth=300):
    return "a: " + "[" * depth + "]" * depth


@pytest.mark.parametrize("text", [_laughs(), _own_alias(), _nested(), _nested(20_000)], ids=str.__len__)
def test_a_tree_that_is_endless_when_written_out_is_one_line(text, tmp_path, capsys):
    head = (
        "#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n--- !<tag:stsci.edu:asdf/core/asdf-1.1.0>\nroman:\n  meta:\n    "
    )
    (tmp_path / "x_cal.asdf").write_text(f"{head}{text}\n...\n")
    for words in (("info",), ("get", "meta.a"), ("validate",), ("stat",)):
        assert tool(*words, tmp_path / "x_cal.asdf") == 3, words
        assert "internal" not in capsys.readouterr().err


@pytest.fixture
def small(tmp_path):
    """A product with lz4 blocks, and what becomes of its tree or bytes."""
    source = exposure(tmp_path / "a_cal.asdf", 0)

    def changed(old, new):
        data = source.read_bytes()
        assert old in data
        (tmp_path / "x_cal.asdf").write_bytes(data.replace(old, new, 1))
        return tmp_path / "x_cal.asdf"

    changed.source = source
    return changed


def _refused(path, capsys, word):
    assert tool("stat", path, "--array", "data", "-q") == 3
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert word in err


def test_shapes_that_no_block_holds_are_refused(small, capsys):
    shape = b"shape: [200, 200]"
    for other, word in ((b"[4000000, 4000000]", "does not fit"), (b"[-200, 200]", "not a valid shape"),
                        (b"[9000000, 9000000]\n    strides: [0, 0]", "GiB"),
                        (b"[200, 200]\n    strides: [-400, 2]", "does not fit")):  # fmt: skip
        _refused(small(shape, b"shape: " + other), capsys, word)


def test_a_block_cannot_state_more_than_its_bytes_can_hold(small, capsys):
    """Neither as a whole nor chunk by chunk."""
    with open_product(small.source) as product:
        block = product.arrays["data"].block
    place = block.offset - header.BLOCK_HEADER.size
    head = small.source.read_bytes()[place : block.offset]
    flags, kind, allocated, used, size, checksum = header.BLOCK_HEADER.unpack(head)
    assert kind == b"lz4\0"
    for wrong in (2**45, 2**63):
        claim = header.BLOCK_HEADER.pack(flags, kind, allocated, used, wrong, checksum)
        _refused(small(head, claim), capsys, "cannot hold")
    data = small.source.read_bytes()
    chunk = data[block.offset : block.offset + 8]
    _refused(small(head + chunk, head + chunk[:4] + b"\xff\xff\xff\x7f"), capsys, "damaged")
    assert size < 2**30


# -- reference catalogs -----------------------------------------------------------------------------------------------


def test_a_tree_of_the_finest_cells_is_looked_up_by_coarse_ones(tmp_path, capsys):
    """A cone of a degree has 10^13 cells of order 29."""
    (tmp_path / "partition_info.csv").write_text("Norder,Npix\n29,1000000000000000000\n29,5\n")
    table = refcat_files.read(tmp_path, (200.0, -80.0, 1.0))
    assert len(table) == 0
    (tmp_path / "partition_info.csv").write_text("Norder,Npix\n60,5\n")
    assert tool("refcat", "info", tmp_path) == 3
    assert "Norder and Npix" in capsys.readouterr().err
