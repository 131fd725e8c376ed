"""rt-gw stack: the mean difference, its planes and places, pictures, movies, what is refused."""

import json

import asdf
import numpy as np
import pytest
from astropy.io import fits

from tests.support.guide_files import CORNERS, MAPPING, guide_file
from tests.support.small_files import tool


@pytest.fixture
def windows(tmp_path):
    """Windows that stand six pixels further in the second exposure."""

    def moved(tree):
        data = tree["track_data"]
        shift = np.where(MAPPING == 2, 6, 0)[:, None].astype("u2") * np.array([1, 0], "u2")
        for name in ("lower_left_corners", "upper_right_corners"):
            data[name] = (data[name] + shift).astype("u2")

    return guide_file(tmp_path, change=moved)


def stacked(path, *args):
    """Tree of the ASDF file that is made."""
    target = path.with_name("stack.asdf")
    assert tool("gw", "stack", path, "--builtin", "-o", target, "--overwrite", "-q", *args) == 0
    with asdf.open(target, memmap=False, lazy_load=False) as file:
        return {name: file[name] for name in ("meta", "data", "err", "n")}


def test_the_mean_is_that_of_the_pairs_that_count(tmp_path):
    path = guide_file(tmp_path)
    found = stacked(path, "--exposure", 1, "--gain", 2, "--no-linearity", "--amp33", "none")
    with asdf.open(path, memmap=False, lazy_load=False) as file:
        data = file["roman"]["track_data"]
        used = (MAPPING == 1) & ~np.asarray(data["reset_impacted_pairs"], bool)
        both = (np.array(data[f"{one}_resultants"])[used].astype(float) for one in ("signal", "pedestal"))
        mean = 2 * np.subtract(*both).mean(axis=0)
    known = found["n"] > 0  # others are bad pixels of the mask
    assert known.mean() > 0.9 and set(found["n"][known]) == {used.sum()}
    np.testing.assert_allclose(found["data"][known], mean[known], rtol=1e-5)
    assert np.isnan(found["data"][~known]).all()
    assert (found["meta"]["x_start"], found["meta"]["y_start"]) == CORNERS["track"]
    assert (found["meta"]["stage"], found["meta"]["unit"], found["data"].dtype) == ("track", "electron", np.float32)
    assert np.unravel_index(np.nanargmax(found["data"]), found["data"].shape) == (8, 8)


def test_windows_that_moved_are_laid_on_each_other(windows):
    union, inside = stacked(windows), stacked(windows, "--cover", "intersection")
    assert union["data"].shape == (16, 22) and inside["data"].shape == (16, 10)
    assert inside["meta"]["x_start"] == union["meta"]["x_start"] + 6 == CORNERS["track"][0] + 6
    assert union["n"][0, 0] < union["n"][0, 12] > union["n"][0, 21]
    assert np.nanmax(union["data"][:, 8]) > 2000 and np.nanmax(union["data"][:, 14]) > 2000


@pytest.mark.parametrize(("form", "spectroscopic"), [("old", False), ("seed", False), ("dark", False), ("rad", True)])
def test_every_form_has_a_stack(form, spectroscopic, tmp_path, capsys):
    path = guide_file(tmp_path, form, spectroscopic=spectroscopic)
    stages = ("acq", "edge", "track") if spectroscopic else ("acq", "track")
    for stage in stages:
        capsys.readouterr()
        assert tool("gw", "stack", path, "--builtin", "--stage", stage, "--method", "median", "--json") == 0
        record = json.loads(capsys.readouterr().out)
        assert record["stage"] == stage and record["used"] > 0 and record["outputs"] == []


@pytest.mark.slow
def test_pictures_movies_and_fits_are_what_they_are_called(windows, tmp_path):
    names = {"x.fits": b"SIMPLE", "x.png": b"\x89PNG", "x.gif": b"GIF8"}
    line = ("gw", "stack", windows, "--builtin", "-q", "--exposure", 2, "-o")
    assert tool(*line, tmp_path / "x.fits") == 0
    assert tool(*line, tmp_path / "x.png", "--montage", "4x3", "--movie", tmp_path / "x.gif") == 0
    for name, mark in names.items():
        assert (tmp_path / name).read_bytes().startswith(mark)
    with fits.open(tmp_path / "x.fits") as file:
        assert [hdu.name for hdu in file[1:]] == ["DATA", "ERR", "N"]
        assert file[0].header["XSTART"] == CORNERS["track"][0] + 6
        assert file["DATA"].header["BUNIT"] == "electron"
    assert tool(*line, tmp_path / "y.png", "--movie", tmp_path / "x.gif") == 1
    assert not (tmp_path / "y.png").exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--stage", "edge"), 3, "no stage edge"),
        (("--exposure", "9"), 3, "no pair in the stage track"),
        (("--stage", "acq,track"), 2, "one stage"),
        (("--montage", "4x3"), 2, "needs a picture"),
        (("--movie", "-"), 2, "a movie does not go to standard output"),
        (("-o", "-", "--json"), 2, "both want standard output"),
    ],
)
def test_what_cannot_be_is_refused(words, status, said, windows, capsys):
    assert tool("gw", "stack", windows, "--builtin", *words) == status
    assert said in capsys.readouterr().err


def test_empty_sections_have_no_stack(tmp_path, capsys):
    out = tmp_path / "out"
    assert tool("gw", "stack", guide_file(tmp_path, "empty"), "--builtin", "--outdir", out) == 3
    assert "no pair in the stage track" in capsys.readouterr().err
    assert not out.exists()
