"""The ramp writer that takes strips as they come."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import asdf
import numpy as np
import pytest

from rtools.errors import InputError, RtoolsError
from rtools.products.io import header, laidout, open_product
from rtools.products.io.ramp import RampWriter
from tests.support import samples

SHAPE = (3, 64, 512)
RNG = np.random.default_rng(8)
DATA = RNG.normal(100, 5, SHAPE).astype("f4")
GROUPDQ = RNG.integers(0, 255, SHAPE).astype("u1")
PIXELDQ = RNG.integers(0, 2**32, SHAPE[1:]).astype("u4")
SMALL = {name: array for name, array in samples.arrays("ramp").items() if "border" in name or name == "amp33"}


def put(writer, start, stop):
    writer.put(start, stop, DATA[..., start:stop], GROUPDQ[..., start:stop], PIXELDQ[:, start:stop])


def filled(path, profile="2.1.0"):
    writer = RampWriter(path, samples.meta("ramp", profile), SHAPE, profile=profile)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda start: put(writer, start, start + 128), (384, 0, 256, 128)))
    return writer


@pytest.mark.parametrize("compression", [None, "none", "lz4", "zlib"])
@pytest.mark.parametrize("profile", ["1.5.0", "2.0.0", "2.1.0", "2.2.0"])
def test_strips_in_any_order_make_the_product(tmp_path, compression, profile):
    path = tmp_path / "x_linearity.asdf"
    stage = filled(path, profile).finish(extra=SMALL, history=[{"description": "x"}], compression=compression)
    assert not path.exists()
    stage.commit()
    assert os.listdir(tmp_path) == ["x_linearity.asdf"]
    with asdf.open(path, validate_checksums=True, lazy_load=False, memmap=False, ignore_unrecognized_tag=True) as file:
        for name, array in {"data": DATA, "groupdq": GROUPDQ, "pixeldq": PIXELDQ, **SMALL}.items():
            np.testing.assert_array_equal(file["roman"][name], array)
    with open_product(path, kinds=["ramp"]) as product:
        assert product.profile == profile
        expected = {"1.5.0": {"err"}, "2.0.0": set(), "2.1.0": set(), "2.2.0": {"pixeldq2"}}[profile]
        assert set(product.arrays) == {"data", "groupdq", "pixeldq", *SMALL, *expected}
        for name in expected:
            assert not product.array(name).any()
        plain = compression in (None, "none")
        assert product.arrays["data"].compression == ("" if plain else compression)
        if plain:
            assert product.arrays["data"].block.offset % os.sysconf("SC_PAGESIZE") == 0


def test_a_tree_longer_than_its_room_costs_a_second_pass(tmp_path):
    meta = samples.meta("ramp") | {"cal_logs": ["a rather long line " * 10] * (laidout.ROOM // 150)}
    path = filled(tmp_path / "x.asdf").finish(meta, SMALL).commit()
    assert header.read_header(path)[2][0].offset > laidout.ROOM
    assert len(open_product(path).meta["cal_logs"]) == len(meta["cal_logs"])
    np.testing.assert_array_equal(open_product(path).array("data"), DATA)
    assert os.listdir(tmp_path) == ["x.asdf"]


def test_a_column_that_was_never_written_is_an_error(tmp_path):
    writer = RampWriter(tmp_path / "x.asdf", samples.meta("ramp"), SHAPE, profile="2.1.0")
    put(writer, 0, 384)
    with pytest.raises(RtoolsError, match="128 columns of the ramp were never written"):
        writer.finish(extra=SMALL)
    assert os.listdir(tmp_path) == []


def test_a_wrong_tree_leaves_nothing(tmp_path):
    meta = samples.meta("ramp")
    del meta["exposure"]["read_pattern"]
    with pytest.raises(InputError, match=r"meta\.exposure: 'read_pattern' is a required property"):
        filled(tmp_path / "x.asdf").finish(meta, SMALL)
    assert os.listdir(tmp_path) == []


def test_giving_up_leaves_nothing(tmp_path):
    writer = filled(tmp_path / "x.asdf")
    assert len(os.listdir(tmp_path)) == 1
    writer.discard()
    writer.discard()
    assert os.listdir(tmp_path) == []


def test_giving_up_after_the_end_changes_nothing(tmp_path):
    writer = filled(tmp_path / "x.asdf")
    stage = writer.finish(extra=SMALL)
    writer.discard()
    stage.commit()
    assert os.listdir(tmp_path) == ["x.asdf"]


@pytest.mark.parametrize("failure", [AttributeError, OSError(errno.EOPNOTSUPP, "not supported")])
def test_file_systems_that_cannot_reserve(tmp_path, monkeypatch, failure):
    def cannot(*_arguments):
        raise failure

    monkeypatch.setattr(os, "posix_fallocate", cannot)
    filled(tmp_path / "x.asdf").finish(extra=SMALL).commit()
    np.testing.assert_array_equal(open_product(tmp_path / "x.asdf").array("data"), DATA)


def test_no_room_on_the_disk_is_known_at_once(tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(RtoolsError, match=r"x\.asdf: cannot be written \(no space left on device\)"):
        RampWriter(tmp_path / "x.asdf", {}, SHAPE, profile="2.1.0")
    assert os.listdir(tmp_path) == []
