"""Writing: what stands in the file, compressions, casts, atomicity, wrong trees."""

import os
import zlib

import asdf
import numpy as np
import pytest
import yaml

from rtools import __version__
from rtools.errors import InputError, RtoolsError, UsageError
from rtools.products.io import encode, header, open_product, staging, writer
from rtools.products.schema import history
from rtools.products.schema.layout import PROFILES
from rtools.products.schema.record import JobWord
from rtools.work import Work
from tests.support import samples

RNG = np.random.default_rng(3)
LARGE = RNG.integers(0, 4, (3, 500, 1100)).astype("f4")  # 6.6 MB: two chunks


def write_ramp(path, data=None, **settings):
    arrays = samples.arrays("ramp", settings.get("profile", "2.1.0"))
    if data is not None:
        arrays |= {"data": data, "groupdq": np.zeros(data.shape, "u1"), "pixeldq": np.zeros(data.shape[1:], "u4")}
    writer.write_product(path, "ramp", samples.meta("ramp"), arrays, **settings)
    return arrays


@pytest.mark.parametrize("compression", encode.COMPRESSIONS)
@pytest.mark.parametrize("profile", PROFILES)
def test_round_trip_in_every_profile_and_compression(tmp_path, profile, compression):
    path = tmp_path / "x_dqinit.asdf"
    arrays = write_ramp(path, profile=profile, compression=compression)
    with open_product(path, kinds=["ramp"]) as product:
        assert product.profile == profile
        assert set(product.arrays) == set(arrays)
        for name, array in arrays.items():
            assert product.arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(product.array(name), array)


@pytest.mark.parametrize("compression", encode.COMPRESSIONS)
def test_asdf_reads_the_blocks_and_their_checksums(tmp_path, compression):
    path = tmp_path / "x_dqinit.asdf"
    arrays = write_ramp(path, LARGE, compression=compression, work=Work(2))
    with asdf.open(path, validate_checksums=True, lazy_load=False, memmap=False, ignore_unrecognized_tag=True) as file:
        for name, array in arrays.items():
            np.testing.assert_array_equal(file["roman"][name], array)
    blocks = header.read_header(path)[2]
    assert {block.compression for block in blocks} == {"" if compression == "none" else compression}
    with asdf.open(path, ignore_unrecognized_tag=True) as file:  # lazily, by the index
        np.testing.assert_array_equal(file["roman"]["data"][1], LARGE[1])


@pytest.mark.slow
@pytest.mark.parametrize("compression", encode.COMPRESSIONS)
def test_the_blocks_do_not_depend_on_the_number_of_threads(tmp_path, compression):
    files = []
    for threads in (1, 4):
        path = tmp_path / f"{threads}"
        with open(path, "x+b") as file:
            encode.write_blocks(file, [encode.ArrayBytes(LARGE)] * 2, compression=compression, work=Work(threads))
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_a_zlib_block_is_one_stream(tmp_path):
    with open(tmp_path / "x", "x+b") as file:
        encode.write_blocks(file, [encode.ArrayBytes(LARGE)], compression="zlib", work=Work(3))
        file.seek(encode.HEAD)
        assert zlib.decompress(file.read()) == LARGE.tobytes()


def test_big_endian_array_keeps_its_values(tmp_path):
    path = tmp_path / "x.asdf"
    extra = np.arange(1000, dtype=">f4")
    writer.write_product(path, "ramp", samples.meta("ramp"), samples.arrays("ramp") | {"extra": extra})
    np.testing.assert_array_equal(open_product(path).array("extra"), extra)
    with asdf.open(path, ignore_unrecognized_tag=True) as file:
        np.testing.assert_array_equal(file["roman"]["extra"], extra)


def test_small_arrays_stand_in_the_tree(tmp_path):
    path = tmp_path / "x.asdf"
    arrays = samples.arrays("ramp") | {"few": np.arange(511.0), "many": np.arange(512.0)}
    writer.write_product(path, "ramp", samples.meta("ramp"), arrays)
    tree, _about, blocks = header.read_header(path)
    assert [name for name, node in tree["roman"].items() if "source" not in node] == ["meta", "few"]
    assert len(blocks) == len(arrays) - 1
    np.testing.assert_array_equal(open_product(path).array("few"), arrays["few"])


def test_what_a_file_says_of_itself(tmp_path):
    path = tmp_path / "x_dqinit.asdf"
    step = history.entry(
        "rt-dqinit", parameters={"n": np.int64(3)}, inputs=["x_uncal.asdf"], words=[JobWord("--n", "3")]
    )
    write_ramp(path, history=[step])
    product = open_product(path)
    assert product.meta["filename"] == "x_dqinit.asdf"
    assert product.meta["model_type"] == "RampModel"
    assert product.meta["product_type"] == "ramp"
    assert product.meta["calibration_software_name"] == "rtools"
    assert product.meta["calibration_software_version"] == __version__
    assert abs(np.datetime64(str(product.meta["file_date"])) - np.datetime64("now")) < np.timedelta64(60, "s")
    (entry,) = product.history
    assert entry["description"] == f"rt-dqinit (rtools {__version__}) on x_uncal.asdf"
    assert product.meta["rtools"]["job"]["arguments"] == ["--n=3"]
    assert entry["parameters"] == {"n": 3}
    assert entry["arguments"] == ["x_uncal.asdf", "--n=3"]
    assert entry["software"] == [{"name": "rtools", "version": __version__}]
    again = tmp_path / "x_saturation.asdf"
    write_ramp(again, history=[*product.history, history.entry("rt-saturation")])
    assert [entry["tool"] for entry in open_product(again).history] == ["rt-dqinit", "rt-saturation"]
    with asdf.open(again, ignore_unrecognized_tag=True) as file:
        assert len(file.get_history_entries()) == 2


def test_the_given_metadata_are_left_alone(tmp_path):
    meta, arrays = samples.meta("ramp"), samples.arrays("ramp")
    before = repr(meta)
    writer.write_product(tmp_path / "x.asdf", "ramp", meta, arrays, profile="1.5.0")
    assert repr(meta) == before


def test_overflow_of_half_precision_is_counted(tmp_path):
    arrays = samples.arrays("l2_image")
    big = np.full((128, 128), 1000, "f4")
    big[0, :5] = 70000
    big[1, 0] = np.inf
    arrays |= {"var_poisson": big, "err": big.astype("f8"), "chisq": np.full((128, 128), 65504, "f4")}
    done = writer.write_product(tmp_path / "x.asdf", "l2_image", samples.meta("l2_image"), arrays)
    assert done.overflows == {"var_poisson": 5, "err": 5}
    found = open_product(tmp_path / "x.asdf").array("var_poisson")
    assert found.dtype == np.float16
    assert np.isinf(found).sum() == 6


def test_half_precision_rounds_to_nearest_even(tmp_path):
    arrays = samples.arrays("l2_image")
    arrays["err"] = np.tile(np.array([1 + 2**-11, 1 + 3 * 2**-11], "f4"), (128, 64))
    writer.write_product(tmp_path / "x.asdf", "l2_image", samples.meta("l2_image"), arrays)
    assert open_product(tmp_path / "x.asdf").array("err")[0, :2].tolist() == [1.0, 1 + 2**-9]


def test_an_array_of_one_value_costs_nothing(tmp_path):
    zeros = np.broadcast_to(np.zeros((), "u4"), (4000, 4000))  # 64 MB
    path = tmp_path / "x.asdf"
    with open(path, "x+b") as file:
        encode.write_blocks(file, [encode.RepeatedBytes(zeros)], compression="none")
    assert path.stat().st_size < 400_000
    arrays = samples.arrays("ramp") | {"pixeldq": np.broadcast_to(np.uint32(7), (136, 136))}
    writer.write_product(tmp_path / "y.asdf", "ramp", samples.meta("ramp"), arrays, compression="none")
    assert (open_product(tmp_path / "y.asdf").array("pixeldq") == 7).all()


# -- nothing half-written ---------------------------------------------------------------------------------------------


def test_a_wrong_tree_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.asdf"
    write_ramp(path)
    before = path.read_bytes()
    meta = samples.meta("ramp")
    meta["exposure"]["type"] = "WFI_NOTHING"
    with pytest.raises(InputError, match=r"x\.asdf: meta\.exposure\.type: 'WFI_NOTHING' is not one of"):
        writer.write_product(path, "ramp", meta, samples.arrays("ramp"))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["x.asdf"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError, OSError(28, "No space left on device")])
def test_an_interrupt_in_the_middle_leaves_nothing(tmp_path, monkeypatch, failure):
    calls = []

    def fail(data):
        calls.append(data)
        if len(calls) == 2:
            raise failure
        return data

    monkeypatch.setattr(encode, "ENCODERS", encode.ENCODERS | {"lz4": lambda data, *_rest: fail(data)})
    expected = RtoolsError if isinstance(failure, OSError) else failure
    with pytest.raises(expected) as caught:
        write_ramp(tmp_path / "x.asdf", LARGE)
    assert os.listdir(tmp_path) == []
    if expected is RtoolsError:
        assert str(caught.value) == f"{tmp_path / 'x.asdf'}: cannot be written (no space left on device)"


def test_products_appear_when_they_are_committed(tmp_path):
    path = tmp_path / "x.asdf"
    stage = writer.stage_product(path, "ramp", samples.meta("ramp"), samples.arrays("ramp"))
    assert not path.exists()
    assert [name for name in os.listdir(tmp_path) if not name.startswith(".")] == []
    assert stage.commit() == path
    assert os.listdir(tmp_path) == ["x.asdf"]
    second = writer.stage_product(path, "ramp", samples.meta("ramp"), samples.arrays("ramp"))
    second.discard()
    second.discard()
    assert os.listdir(tmp_path) == ["x.asdf"]


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(RtoolsError, match="cannot be written"):
        write_ramp(tmp_path / "no" / "x.asdf")
    (tmp_path / "taken.asdf").mkdir()
    with pytest.raises(RtoolsError, match="cannot be written"):
        write_ramp(tmp_path / "taken.asdf")
    assert os.listdir(tmp_path) == ["taken.asdf"]


def test_permissions_follow_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write_ramp(tmp_path / "x.asdf")
    finally:
        os.umask(old)
    assert (tmp_path / "x.asdf").stat().st_mode & 0o777 == 0o640


def test_the_longest_name(tmp_path):
    name = "é" * 115 + ".asdf"  # the schema allows 120 characters, the file system 255 bytes
    write_ramp(tmp_path / name)
    assert os.listdir(tmp_path) == [name]
    with pytest.raises(InputError, match=r"meta\.filename: .* is too long"):
        write_ramp(tmp_path / f"n{name}")


def test_compressions_and_profiles_that_are_not_known_are_refused(tmp_path):
    with pytest.raises(UsageError, match="no compression is called zstd"):
        write_ramp(tmp_path / "x.asdf", compression="zstd")
    with pytest.raises(UsageError, match=r"no profile is called 2\.0\.1"):
        write_ramp(tmp_path / "x.asdf", profile="2.0.1")
    assert os.listdir(tmp_path) == []


def test_objects_that_yaml_cannot_hold(tmp_path):
    meta = samples.meta("ramp") | {"rtools": {"thing": object()}}
    with pytest.raises(RtoolsError, match="the tree cannot be written"):
        writer.write_product(tmp_path / "x.asdf", "ramp", meta, samples.arrays("ramp"))
    assert os.listdir(tmp_path) == []


def test_stage_names_its_file_next_to_the_place(tmp_path):
    stage = staging.Stage(tmp_path / "x.asdf")
    assert stage.temporary.parent == tmp_path
    assert stage.temporary.name.startswith(".x.asdf.")


def test_extensions_stand_in_one_order_whatever_process_writes(tmp_path):
    """asdf lists them as a set has them, which is another order in each process: products had other bytes."""
    meta = samples.meta("l2_image") | {"wcs": samples.wcs()}
    writer.write_product(tmp_path / "x_cal.asdf", "l2_image", meta, samples.arrays("l2_image"))
    listed = header.read_header(tmp_path / "x_cal.asdf")[1]["history"]["extensions"]
    told = [str(one.get("extension_uri")) for one in listed]
    assert len(told) > 2 and told == sorted(told)


def test_schemas_are_not_parsed_anew_for_every_file(tmp_path, monkeypatch):
    """asdf parses a hundred of them for each file, which took a third of the time of writing a tree."""
    image = "l2_image", samples.meta("l2_image") | {"wcs": samples.wcs()}, samples.arrays("l2_image")
    before = asdf.schema._make_schema_loader
    writer.write_product(tmp_path / "x_cal.asdf", *image)
    monkeypatch.setattr(yaml, "load", lambda *_args, **_settings: pytest.fail("parsed again"))
    writer.write_product(tmp_path / "y_cal.asdf", *image)
    assert asdf.schema._make_schema_loader is before
