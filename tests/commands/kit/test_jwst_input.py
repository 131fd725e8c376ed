"""Every tool that gets a file of JWST which it cannot take says so, whatever it wanted, and makes nothing."""

import pytest
from astropy.io import fits

from tests.support import jwst_files
from tests.support.runs import tool

SAID = "a JWST product ({kind}, NIRCam): this tool does not take it yet"

TOOLS = [["skymap"]]


@pytest.mark.parametrize("name", ["run", "flat"])
def test_a_product_that_is_no_exposure_is_told_by_its_kind(name, tmp_path, monkeypatch, capsys):
    path = jwst_files.made(tmp_path, "x1d", "from_jwst.fits")
    monkeypatch.chdir(tmp_path)
    assert tool(name, path) == 3
    assert f"{path}: a JWST product (x1d, NIRCam): wanted uncal, " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["rate", "i2d", "x1d"])
def test_a_product_that_is_no_image_for_a_mosaic_is_told_by_its_kind(kind, tmp_path, monkeypatch, capsys):
    path = jwst_files.made(tmp_path, kind, "from_jwst.fits")
    monkeypatch.chdir(tmp_path)
    assert tool("resample", path, "-o", "x_i2d.fits") == 3
    assert f"{path}: a JWST product ({kind}, NIRCam): wanted cal, crf" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("words", TOOLS, ids=" ".join)
@pytest.mark.parametrize("kind", ["uncal", "i2d", "x1d"])
def test_a_product_of_jwst_is_told_by_its_kind(words, kind, tmp_path, monkeypatch, capsys):
    path = jwst_files.made(tmp_path, kind, "from_jwst.fits")
    monkeypatch.chdir(tmp_path)
    assert tool(*words, path) == 3
    assert f"{path}: {SAID.format(kind=kind)}\n" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_references_and_damaged_files_of_jwst(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "rate")
    content = path.read_bytes()
    fits.setval(path, "REFTYPE", value="FLAT")
    assert tool("flat", path) == 3
    assert "a JWST reference file (FLAT, NIRCam), which is none of the JWST products" in capsys.readouterr().err
    path.write_bytes(content[:1000])
    assert tool("flat", path) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_other_fits_files_are_refused_as_before(tmp_path, capsys):
    path = tmp_path / "x.fits"
    fits.PrimaryHDU().writeto(path)
    assert tool("flat", path) == 3
    assert f"{path}: not an ASDF file\n" in capsys.readouterr().err
