"""Work is in proportion to the data: what a file claims is believed only as far as it can be true."""

import numpy as np
import pytest
from mosaic_case import SIZE, exposure
from run_case import rewrite, tool

from rtools.astrometry.wcs import Pointing, build_wcs
from rtools.errors import InputError
from rtools.mosaic.grid import covering_grid
from rtools.pipeline.mosaic_extent import check_covering
from rtools.products import cones
from rtools.reference.distortion import distortion
from rtools.reference.instrument import WFI_CEN

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
