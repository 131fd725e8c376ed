"""Reading: headers, arrays of every storage against asdf, old spellings, bad files."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import asdf
import numpy as np
import pytest

from rtools.errors import InputError
from rtools.products.io import blocks, header, open_product, writer
from rtools.products.schema import nodes
from rtools.wfi.times import iso_time
from rtools.work import Work
from tests.support import samples
from tests.support.keyed_files import OLD
from tests.support.validity import validate_tree

TAG = "asdf://stsci.edu/datamodels/roman/tags/"
RNG = np.random.default_rng(5)
CUBE = RNG.normal(size=(3, 300, 1100)).astype("f4")  # 3.96 MB: rows straddle the 4 MiB chunks of the larger one
LARGE = np.arange(3 * 500 * 1100, dtype="f4").reshape(3, 500, 1100)


def by_asdf(path, parts, kind="ramp-2.1.0", compression=None, **meta):
    """A file written by asdf alone."""
    tree = asdf.tagged.TaggedDict({"meta": meta, **parts}, TAG + kind)
    with asdf.config_context() as config:
        config.default_array_save_base = False
        asdf.AsdfFile({"roman": tree}).write_to(path, all_array_compression=compression)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("compression", [None, "lz4", "zlib", "bzp2"])
@pytest.mark.parametrize("cube", [CUBE, LARGE, LARGE.astype(">f4"), LARGE[:, ::2, 100:900], np.asfortranarray(CUBE)])
def test_columns_rows_and_array_equal_what_asdf_wrote(tmp_path, compression, cube):
    with open_product(by_asdf(tmp_path / "x.asdf", {"data": cube}, compression=compression)) as product:
        assert product.arrays["data"].compression == (compression or "")
        assert product.arrays["data"].shape == cube.shape
        for threads in (1, 3) if compression == "lz4" else (1,):
            np.testing.assert_array_equal(product.array("data", work=Work(threads)), cube)
            for start, stop in ((0, 128), (127, 129), (5, 5), (0, cube.shape[2])):
                columns = product.columns("data", start, stop, work=Work(threads))
                np.testing.assert_array_equal(columns, cube[..., start:stop])
                assert columns.flags.c_contiguous
                assert columns.flags.owndata or columns.base.nbytes == columns.nbytes
            for start, stop in ((1, 3), (2, 2)):
                np.testing.assert_array_equal(product.rows("data", start, stop, work=Work(threads)), cube[start:stop])


@pytest.mark.slow
@pytest.mark.parametrize("compression", [None, "lz4", "zlib", "bzp2"])
@pytest.mark.parametrize("cube", [LARGE, LARGE.astype(">f4"), LARGE[:, ::2, 100:900], RNG.normal(size=3000)])
def test_spans_are_read_in_one_pass_by_jobs_in_any_order(tmp_path, compression, cube):
    product = open_product(by_asdf(tmp_path / "x.asdf", {"data": cube}, compression=compression))
    spans = [(0, 128), (100, 300), (7, 7), (512, 640)]
    reading = product.spans("data", spans)
    for job in reversed(reading.jobs):
        job()
    for (start, stop), part in zip(spans, reading.parts, strict=True):
        np.testing.assert_array_equal(part, cube[..., start:stop])
        assert part.flags.c_contiguous
    rows = product.row_spans("data", [(0, 1), (1, 3)]).finish(Work(2))
    for part, expected in zip(rows, (cube[:1], cube[1:3]), strict=True):
        np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize("compression", [None, "lz4"])
def test_a_plane_that_lies_in_several_chunks_is_read_whole(tmp_path, compression):
    with open_product(by_asdf(tmp_path / "x.asdf", {"data": LARGE}, compression=compression)) as product:
        for number, plane in enumerate(LARGE):
            np.testing.assert_array_equal(product.plane("data", number), plane)
            np.testing.assert_array_equal(product.plane("data", number, slice(450, 500)), plane[450:])


def test_many_threads_may_read_one_product(tmp_path):
    product = open_product(by_asdf(tmp_path / "x.asdf", {"data": LARGE}, compression="lz4"))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda start: product.columns("data", start, start + 50), range(0, 1100, 50)))
    np.testing.assert_array_equal(np.concatenate(found, axis=-1), LARGE)


def test_strided_view_of_a_base_as_asdf_5_stores_it(tmp_path):
    base = RNG.normal(size=(3, 64, 1000)).astype("f4")
    tree = asdf.tagged.TaggedDict({"meta": {}, "data": base[..., 4:-4], "left": base[..., :4]}, TAG + "ramp-2.1.0")
    path = tmp_path / "x.asdf"
    with asdf.config_context() as config:
        config.default_array_save_base = True
        asdf.AsdfFile({"roman": tree}).write_to(path, all_array_compression="lz4")
    product = open_product(path)
    assert product.arrays["data"].strides[1] == 4000
    np.testing.assert_array_equal(product.array("data"), base[..., 4:-4])
    np.testing.assert_array_equal(product.columns("data", 100, 228), base[..., 104:232])
    np.testing.assert_array_equal(product.columns("left", 1, 3), base[..., 1:3])
    np.testing.assert_array_equal(product.rows("data", 1, 2), base[1:2, :, 4:-4])


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype="i2").reshape(2, 3),
        np.zeros((0, 3), "i2"),
        np.array([[np.nan, np.inf], [1.5, -0.0]], "f2"),
        np.array([True, False]),
        np.array(["AQ_DOF_3", ""], "U30"),
        np.array([1 + 2j], "c16"),
        np.array([("a", 1.5, [1, 2])], [("name", "U16"), ("x", "f8"), ("pair", "i4", (2,))]),
        np.arange(2000, dtype=[("a", "u1"), ("b", ">f8")][1][1]),
        np.array([("b", 2.5)] * 9, [("name", "U16"), ("x", ">f8")]),
        RNG.integers(0, 2, (40, 50)).astype(bool),
    ],
)
@pytest.mark.parametrize("storage", ["inline", "internal"])
def test_dtypes_inline_and_in_blocks(tmp_path, array, storage):
    path = tmp_path / "x.asdf"
    tree = asdf.tagged.TaggedDict({"meta": {}, "data": array}, TAG + "ramp-2.1.0")
    asdf.AsdfFile({"roman": tree}).write_to(path, all_array_storage=storage)
    found = open_product(path).array("data")
    assert found.shape == array.shape
    assert found.dtype == array.dtype.newbyteorder("=") or array.dtype.names
    np.testing.assert_array_equal(found, array)


def test_a_plain_array_is_a_read_only_map(tmp_path):
    product = open_product(by_asdf(tmp_path / "x.asdf", {"data": LARGE}))
    mapped = product.array("data")
    product.close()
    assert not mapped.flags.writeable
    np.testing.assert_array_equal(mapped, LARGE)


def test_streamed_block_runs_to_the_end(tmp_path):
    path = tmp_path / "x.asdf"
    stream = asdf.tags.core.Stream([50], np.float32)
    file = asdf.AsdfFile({"roman": asdf.tagged.TaggedDict({"meta": {}, "data": stream}, TAG + "ramp-2.1.0")})
    rows = RNG.normal(size=(7, 50)).astype("f4")
    with open(path, "wb") as target:
        file.write_to(target)
        for row in rows:
            target.write(row.tobytes())
    product = open_product(path)
    assert product.arrays["data"].shape == (7, 50)
    np.testing.assert_array_equal(product.columns("data", 10, 20), rows[:, 10:20])


def test_old_spellings_are_read_as_todays(tmp_path):
    path = tmp_path / "old_uncal.asdf"
    path.write_text(OLD)
    product = open_product(path, kinds=["l1_uncal"])
    assert product.profile == "1.5.0"
    assert type(product.meta["telescope"]) is str
    assert type(product.meta["exposure"]) is dict
    assert product.meta["exposure"]["start_time"] == "2023-05-06T07:08:09.5"
    assert product.meta["exposure"]["start_time"].tag == nodes.TIME_TAG
    assert product.meta["exposure"]["mid_time"] == "2023-05-06T12:00:00.000"
    assert product.meta["exposure"]["end_time"] == "2023-05-06T07:08:09.500"
    assert product.meta["exposure"]["start_day"] == "2023-05-06"
    assert iso_time(product.meta["file_date"]) == "2023-05-06T07:08:09.000"
    assert product.meta["exposure"]["read_pattern"] == [[1], [2, 3]]
    assert product.arrays["data"].unit == "DN"
    np.testing.assert_array_equal(product.array("data"), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(product.columns("data", 1, 2), [[2], [4]])


def test_node_converts_tables_and_models(tmp_path):
    from astropy.modeling.models import Polynomial2D

    model = Polynomial2D(2, c0_0=1.0, c1_0=2.0)
    table = {"channel": {"number": 3, "correction": np.arange(600.0)}, "none": None}
    path = by_asdf(tmp_path / "x.asdf", {"table": table, "model": model, "pair": {"m": model}})
    product = open_product(path)
    np.testing.assert_array_equal(product.node("table")["channel"]["correction"], np.arange(600.0))
    assert product.node("table.channel.number") == 3
    assert product.node("table.none") is None
    assert product.node("model")(3.0, 0.0) == 7.0
    assert product.node("pair")["m"](3.0, 0.0) == 7.0
    assert list(product.arrays) == ["table.channel.correction"]
    with pytest.raises(KeyError):
        product.node("table.nothing")


# -- files that are refused ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "x_linearity.asdf"
    arrays = samples.arrays("ramp") | {"data": np.zeros((3, 136, 136), "f4")}
    writer.write_product(path, "ramp", samples.meta("ramp"), arrays, compression="none")
    return path


def test_truncated_anywhere_is_refused_in_one_line(tmp_path, good):
    whole = good.read_bytes()
    blocks = header.read_header(good)[2]
    ends = [block.offset + block.used for block in blocks]
    cuts = {20, 300, 3000, ends[-1] - 1, *(block.offset - 20 for block in blocks), *ends[:-1]}
    path = tmp_path / "cut.asdf"
    for cut in sorted(cuts):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError) as caught:
            open_product(path)
        assert "truncated" in str(caught.value), cut
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 3
    path.write_bytes(whole[: ends[-1]])  # only the index is gone: everything can be read
    np.testing.assert_array_equal(open_product(path).array("groupdq"), samples.arrays("ramp")["groupdq"])


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "an empty file"),
        (b"SIMPLE  =                    T", "not an ASDF file"),
        (b"#ASDF 1.0.0\n%YAML 1.1\n--- {a: [}\n...\n", "YAML tree is damaged"),
        (b"#ASDF 1.0.0\n%YAML 1.1\n--- {a: 1}\n...\n", "without a roman tree"),
        (b"#ASDF 1.0.0\n%YAML 1.1\n--- [1]\n...\n", "without a tree"),
        (b"#ASDF 1.0.0\n%YAML 1.1\n--- {roman: {meta: {}}}\n...\n", "unknown kind of product (tag missing)"),
        (b"#ASDF 1.0.0\n%YAML 1.1\n--- {roman: !<asdf://x.org/tags/cat-1.0> {meta: {}}}\n...\n", "tag asdf://x.org"),
    ],
)
def test_other_files_are_refused(tmp_path, content, words):
    path = tmp_path / "x.asdf"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_product(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_directory_and_wrong_kind(tmp_path, good):
    with pytest.raises(InputError, match="no such file"):
        open_product(tmp_path / "nothing.asdf")
    with pytest.raises(InputError, match="is a directory"):
        open_product(tmp_path)
    with pytest.raises(InputError, match=r"is a ramp \(_dqinit … _linearity\), wanted l2_image \(_cal\) or reference"):
        open_product(good, kinds=["l2_image", "reference"])
    with pytest.raises(InputError, match="the array chisq is missing"):
        open_product(good).array("chisq")


def test_damaged_lz4_is_refused(tmp_path):
    path = by_asdf(tmp_path / "x.asdf", {"data": LARGE}, compression="lz4")
    block = header.read_header(path)[2][0]
    whole = bytearray(path.read_bytes())
    whole[block.offset + 4 : block.offset + 8] = b"\xff\xff\xff\x00"  # the decoded size of the first chunk
    path.write_bytes(whole)
    with pytest.raises(InputError, match="damaged"):
        open_product(path).array("data")


def test_unknown_compression_is_refused(tmp_path):
    path = by_asdf(tmp_path / "x.asdf", {"data": LARGE}, compression="lz4")
    whole = path.read_bytes().replace(b"lz4\0", b"qqqq", 1)
    path.write_bytes(whole)
    with pytest.raises(InputError, match="qqqq compression cannot be read"):
        open_product(path).array("data")


# -- the header reader ------------------------------------------------------------------------------------------------


def test_header_imports_neither_asdf_nor_numpy(good):
    code = (
        "import sys; from rtools.products.io import header; "
        f"tree, about, blocks = header.read_header({str(good)!r}); "
        "print(tree['roman']['meta']['exposure']['type'], len(blocks), about['asdf_library']['name'], "
        "[name for name in ('asdf', 'numpy', 'astropy', 'click') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    blocks = header.read_header(good)[2]
    assert done.stdout.split(maxsplit=3) == ["WFI_IMAGE", str(len(blocks)), "asdf", "[]\n"]


def test_face_of_5000_samples_lists_in_a_third_of_a_second(tmp_path):
    path = tmp_path / "x_face.asdf"
    few = samples.arrays("l1_face")
    many = {
        name: [nodes.time(f"2027-01-01T00:00:{k % 60:02d}.{k:03d}"[:23]) for k in range(5000)]
        if name.endswith("times")
        else (array * 1000)[:5000]
        if isinstance(array, list)
        else np.resize(array, 5000)
        for name, array in few.items()
    }
    writer.write_product(path, "l1_face", samples.meta("l1_face"), many)
    seconds = []
    for _attempt in range(3):
        started = time.perf_counter()
        product = open_product(path, kinds=["l1_face"])
        times = [str(value) for value in product.tree["face_data"]["centroid_times"]]
        seconds.append(time.perf_counter() - started)
    assert len(times) == 5000
    assert min(seconds) < 0.3
    assert product.array("face_data.delta").shape == (5000,)


@pytest.mark.parametrize("kind", ["l1_gw", "l1_face"])
def test_guide_window_files_validate_and_faults_are_named(tmp_path, kind):
    path = tmp_path / "x.asdf"
    arrays = samples.arrays(kind)
    writer.write_product(path, kind, samples.meta(kind), arrays)
    product = open_product(path, kinds=["l1_gw", "l1_face"])
    assert validate_tree(product) == []
    name = next(name for name in product.arrays if product.arrays[name].dtype == "f4" or "resultants" in name)
    node = product.tree
    for key in name.split("."):
        node = node[key]
    node["datatype"] = "float64" if node["datatype"] == "float32" else "int16"
    assert any(line.startswith(name) for line in validate_tree(product))


def test_a_view_of_a_block_that_somebody_holds_is_no_error(tmp_path):
    """Dask's profiler looks at frames of threads, and holds what they hold."""
    path, held = tmp_path / "block", []
    path.write_bytes(bytes(range(256)) * 64)
    lines = blocks.Lines(5000, 1, 300, 300)
    out = np.empty((1, 300), np.uint8)

    def outs():
        held.append(sys._getframe(1).f_locals["data"])
        return [out]

    with open(path, "rb") as file:
        (job,) = blocks.line_jobs(file.fileno(), SimpleNamespace(compression="", offset=0), [lines], outs)
        job()
    assert out.tobytes() == path.read_bytes()[5000:5300] == held[0].tobytes()[:300]
