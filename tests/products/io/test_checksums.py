"""A damaged block is not calibrated: what is read whole is compared with the MD5 that its file keeps of it."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.products.io import checksums, open_product
from tests.support.dithers import exposure
from tests.support.runs import done, rewrite, simulate, tool

pytestmark = pytest.mark.slow


def flipped(source, target, name, place=0.5):
    """A copy with one bit of an array's stored bytes turned."""
    with open_product(source) as product:
        block = product.arrays[name].block
    data = bytearray(source.read_bytes())
    data[block.offset + int(place * block.used)] ^= 4
    target.write_bytes(data)
    return target


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """An exposure whose arrays are plain, so that a turned bit is another number and nothing else."""
    directory = tmp_path_factory.mktemp("image")
    return rewrite(exposure(directory / "a_cal.asdf", 0), directory / "x_cal.asdf", lambda _meta, _arrays: None)


@pytest.fixture(scope="module")
def plain_raw(tmp_path_factory):
    """A raw exposure of 256 x 256 pixels."""
    return simulate(tmp_path_factory.mktemp("raw"))


def test_a_turned_bit_of_raw_data_is_exit_3_and_names_the_array(plain_raw, tmp_path, capsys):
    path = flipped(plain_raw, tmp_path / "x_uncal.asdf", "data")
    for words in (("dqinit",), ("run", "--until", "linearity")):
        assert tool(*words, path, "--outdir", tmp_path / "o", "-q") == 3
        lines = capsys.readouterr().err.splitlines()
        assert [line for line in lines if "warning" not in line] == lines[-1:]
        assert f"{path}: the array data is damaged" in lines[-1]
        assert list(tmp_path.glob("o/*")) == []
    assert tool("dqinit", path, "--outdir", tmp_path / "o", "-q", "--no-checksum") == 0


@pytest.mark.parametrize("words", [
    ("stat",), ("fits", "-o", "x.fits"), ("cut", "--section", "0:200,0:200", "-o", "c_cal.asdf"), ("view",),
    ("resample", "-o", "m_coadd.asdf"), ("flux", "-o", "x_flux.asdf"),
])  # fmt: skip
def test_every_tool_that_reads_an_array_checks_it(image, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = flipped(image, tmp_path / "x_cal.asdf", "data")
    assert tool(words[0], path, *words[1:]) == 3
    assert "the array data is damaged" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["x_cal.asdf"]
    assert tool(words[0], path, *words[1:], "--no-checksum") == 0


def test_images_that_are_compared_are_checked(image, tmp_path, capsys):
    assert tool("diff", image, flipped(image, tmp_path / "x_cal.asdf", "err")) == 3
    assert "the array err is damaged" in capsys.readouterr().err


def test_a_part_of_a_block_is_not_checked(image, tmp_path):
    path = flipped(image, tmp_path / "x_cal.asdf", "data")
    assert tool("cut", path, "--section", "0:20,0:20", "-o", tmp_path / "c_cal.asdf", "-q") == 0
    assert tool("stat", path, "--section", "0:20,0:20") == 0
    assert tool("info", path) == 0


def test_a_damaged_chunk_names_its_array(tmp_path, capsys):
    source = exposure(tmp_path / "a_cal.asdf", 0)
    with open_product(source) as product:
        assert product.arrays["err"].compression == "lz4"
    path = flipped(source, tmp_path / "x_cal.asdf", "err")
    assert tool("stat", path, "--array", "err") == 3
    assert "the array err is damaged" in capsys.readouterr().err


def test_blocks_without_a_checksum_are_taken(image, tmp_path):
    path = flipped(image, tmp_path / "x_cal.asdf", "data")
    with open_product(path) as product:
        stated = product.arrays["data"].block.checksum
    path.write_bytes(path.read_bytes().replace(stated, bytes(16), 1))
    assert tool("stat", path) == 0


def test_blocks_are_checked_once(plain_raw, tmp_path, monkeypatch):
    seen = []
    original = checksums.md5_of
    monkeypatch.setattr(checksums, "md5_of", lambda file, block: seen.append(block.offset) or original(file, block))
    done("run", plain_raw, "--outdir", tmp_path, "--until", "rampfit", "-j", 2)
    assert len(seen) == len(set(seen)) >= 2


# -- references -------------------------------------------------------------------------------------------------------


@pytest.fixture
def dark(references, tmp_path):
    """A dark reference of our own."""
    source = next(path for path in references.iterdir() if "_dark_" in path.name or "dark." in path.name)
    return Path(shutil.copy(source, tmp_path / "x_dark.asdf"))


def _read(path):
    """All columns of a dark, as the chain reads them."""
    with open_product(path, ("reference",)) as product:
        name = "dark_slope" if product.has("dark_slope") else "data"
        return product.columns(name, 0, product.arrays[name].shape[-1])


def test_references_are_checked_once_per_time_of_change(dark, monkeypatch):
    seen = []
    original = checksums.md5_of
    monkeypatch.setattr(checksums, "md5_of", lambda file, block: seen.append(block.offset) or original(file, block))
    monkeypatch.setattr(checksums, "LEAST", 0)
    first = _read(dark)
    assert len(seen) == 1
    assert np.array_equal(_read(dark), first, equal_nan=True)
    assert len(seen) == 1
    os.utime(dark, ns=(1, 1))
    _read(dark)
    assert len(seen) == 2


def test_a_damaged_reference_is_not_remembered(dark, tmp_path, monkeypatch):
    monkeypatch.setattr(checksums, "LEAST", 0)
    with open_product(dark) as product:
        name = "dark_slope" if product.has("dark_slope") else "data"
    path = flipped(dark, tmp_path / "y_dark.asdf", name)
    for _turn in range(2):
        with pytest.raises(InputError, match=f"the array {name} is damaged"):
            _read(path)


def test_no_cache_that_can_be_written_is_no_obstacle(dark, monkeypatch):
    monkeypatch.setattr(checksums, "LEAST", 0)
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/nowhere")
    assert _read(dark).size
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    assert _read(dark).size
