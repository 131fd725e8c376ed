"""rt-fits on JWST files: names, streams, options of the other mission, what other tools say of the result."""

import pytest

from rtools.jwst import SUFFIXES
from tests.support import jwst_files, samples
from tests.support.runs import done, tool


@pytest.mark.parametrize("suffix", ["uncal", "cal", "x1dints", "amilg", "s3d"])
def test_there_and_back_with_a_look(tmp_path, suffix):
    path = jwst_files.made(tmp_path, suffix)
    done("fits", path, "--check", "--outdir", tmp_path / "asdf")
    made = tmp_path / "asdf" / f"{path.stem}.asdf"
    done("fits", made, "--check", "--outdir", tmp_path / "back")
    assert (tmp_path / "back" / path.name).read_bytes() == path.read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted([path, made.parent, tmp_path / "back"])


def test_ecsv_is_refused(tmp_path, capsys):
    for suffix in SUFFIXES:
        if suffix in ("cat", "phot", "whtlt"):
            assert tool("fits", jwst_files.made(tmp_path, suffix)) == 3
            assert "rt-table converts catalogs" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--lossy"], ["--header-wins"], ["--dq", "jwst"], ["--sip-error", "0.1"]], ids=str)
def test_options_about_roman_are_refused(tmp_path, capsys, words):
    path = jwst_files.made(tmp_path, "rate")
    assert tool("fits", path, *words) == 2
    assert f"{words[0]} is about Roman, and no input is of Roman" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_options_about_roman_are_for_the_roman_ones_of_several(tmp_path):
    path, roman = jwst_files.made(tmp_path, "rate"), samples.write(tmp_path, "2.1.0", "l2_image")
    done("fits", path, roman, "--dq", "jwst", "--outdir", tmp_path / "out")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == sorted(
        [f"{path.stem}.asdf", f"{roman.stem}.fits"]
    )


def test_a_damaged_tree_is_refused_and_nothing_is_made(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "rate")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"%YAML 1.1", b"%YAML { [", 1))
    assert tool("fits", path) == 3
    assert "extension ASDF" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_other_tools_say_what_the_file_is(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "rate")
    done("fits", path)
    capsys.readouterr()
    made = path.with_suffix(".asdf")
    assert tool("flat", made) == 3
    assert "a FITS file of JWST as ASDF, of which rt-fits makes FITS again" in capsys.readouterr().err
    assert tool("info", made) == 0
    assert "rt-fits makes FITS again" in " ".join(capsys.readouterr().out.split())
