"""rt-psfstack on files: planes in order, what belongs together, the judge."""

import numpy as np
import pytest
from astropy.io import fits

from rtools.products.jwst import open_jwst
from tests.support.judges import asked_of_jwst
from tests.support.runs import tool

NAME = "jw01234-o001_t002_nircam_f335m-maskrnd_psfstack.fits"


@pytest.fixture
def stars(jwst_golden):
    return [jwst_golden("coron") / f"in_psf{number}_calints.fits" for number in (1, 2, 3)]


def test_the_stack_is_the_missions(stars, jwst_golden, tmp_path):
    assert tool("psfstack", *stars, "-o", tmp_path / NAME) == 0
    with fits.open(tmp_path / NAME) as found, fits.open(jwst_golden("coron") / "out_psfstack.fits") as wanted:
        for name in ("SCI", "ERR", "DQ"):
            np.testing.assert_array_equal(found[name].data, wanted[name].data)
        keys = {key for part in (0, "SCI") for key in wanted[part].header} - {
            "DATE",
            "FILENAME",
            "CAL_VER",
            "CAL_VCS",
            "",
        }
        for key in keys:
            part = 0 if key in wanted[0].header else "SCI"
            assert found[part].header.get(key) == wanted[part].header[key], key
        assert found[0].header["S_PSFSTK"] == "COMPLETE"


def test_the_history_names_file_and_plane(stars, tmp_path):
    assert tool("psfstack", *reversed(stars), "-o", tmp_path / NAME) == 0
    said = [entry["description"] for entry in open_jwst(tmp_path / NAME).history]
    assert "plane 1 is in_psf3_calints.fits:1" in said
    assert "plane 9 is in_psf1_calints.fits:3" in said
    assert said[-1].startswith("rt-psfstack")


@pytest.mark.judges
def test_it_is_valid_and_opens_in_stdatamodels(stars, tmp_path, capsys):
    assert tool("psfstack", *stars, "-o", tmp_path / NAME) == 0
    assert tool("validate", tmp_path / NAME, "--strict") == 0
    verdict = asked_of_jwst("files", tmp_path / NAME)[str(tmp_path / NAME)]
    assert (verdict["ok"], verdict["model"], verdict["trusted"], verdict["warnings"]) == (True, "CubeModel", True, [])


def test_images_of_another_size_are_refused(stars, tmp_path, capsys):
    cut = tmp_path / "cut_calints.fits"
    assert tool("cut", stars[1], "--section", "0:40,0:51", "-o", cut) == 0
    capsys.readouterr()
    assert tool("psfstack", stars[0], cut, "-o", tmp_path / NAME) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "40 x 51 pixels" in said
    assert not (tmp_path / NAME).exists()


def test_images_behind_another_mask_are_refused(stars, tmp_path, capsys):
    other = tmp_path / "other_calints.fits"
    assert tool("set", stars[1], "instrument.pupil=MASKBAR", "-o", other) == 0
    capsys.readouterr()
    assert tool("psfstack", stars[0], other, "-o", tmp_path / NAME) == 3
    assert "MASKBAR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda hdus: hdus["SCI"].header.set("BUNIT", "DN/s"), "in DN/s, those of"),
        (lambda hdus: hdus[0].header.set("CORONMSK", "MASKA430R"), "MASKA430R"),
        (lambda hdus: setattr(hdus["ERR"], "data", hdus["ERR"].data[:1]), "ERR and SCI have different shapes"),
    ],
    ids=["unit", "occulter", "errors"],
)
def test_images_that_cannot_be_compared_are_refused(change, said, stars, tmp_path, capsys):
    with fits.open(stars[1]) as hdus:
        change(hdus)
        hdus.writeto(tmp_path / "other_calints.fits")
    assert tool("psfstack", stars[0], tmp_path / "other_calints.fits", "-o", tmp_path / NAME) == 3
    assert said in capsys.readouterr().err
    assert not (tmp_path / NAME).exists()


def test_a_stack_has_a_name(stars, tmp_path, capsys):
    assert tool("psfstack", *stars, "--outdir", tmp_path) == 2
    assert "-o" in capsys.readouterr().err
