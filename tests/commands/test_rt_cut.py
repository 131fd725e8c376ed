"""rt-cut: the same product with fewer pixels, by section and by sky."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from rtools.astrometry.cutout_wcs import cutout_wcs, sky_section
from rtools.astrometry.positions import parse_sky
from rtools.commands.kit.cut_places import CutPlace, words_of_places
from rtools.errors import InputError, UsageError
from rtools.pipeline.catalog import placing
from rtools.products import forms
from rtools.products.io import open_product, writer
from rtools.products.making import job_of
from rtools.products.schema import layout, nodes
from rtools.show.stamps import plot_stamps
from rtools.work.statistics import image_statistics
from tests.support.placed_images import image as placed
from tests.support.runs import piped, tool
from tests.support.samples import arrays as sample_arrays
from tests.support.samples import meta as sample_meta
from tests.support.samples import wcs as sample_wcs
from tests.support.validity import validate_tree

ROWS, COLUMNS = slice(40, 100), slice(30, 50)
SECTION = "30:50,40:100"
WHOLE = ("amp33", "border_ref_pix")


def kind_of(suffix):
    """The first kind of product that has a suffix."""
    return next(kind for kind, entry in layout.facts()["products"].items() if suffix in entry.get("suffixes", ()))


MOSAIC = kind_of("coadd")
KINDS = ("l1_uncal", "ramp", "l2_image", MOSAIC, kind_of("segm"))


def made(path, kind, *, profile="2.1.0", compression="none", jumps=None):
    """A small product with every array of its kind."""
    meta, arrays = sample_meta(kind, profile), sample_arrays(kind, profile)
    arrays.pop("jump_indices", None)
    if "wcs" in meta:
        meta["wcs"] = sample_wcs()
    if jumps is not None:
        arrays["jump_indices"] = np.array(jumps, np.int16)
    shape = arrays["data"].shape[-2:] if "data" in arrays else None
    if shape and min(shape) < 128:  # mosaics are smaller in the samples
        arrays = {name: _grown(array) for name, array in arrays.items()}
    writer.write_product(path, kind, meta, arrays, profile=profile, compression=compression)
    return path


def _grown(array):
    if not isinstance(array, np.ndarray) or array.ndim < 2:
        return array
    return np.tile(array, (1,) * (array.ndim - 2) + (6, 6))


def cut(path, target, *words):
    assert tool("cut", path, "-o", target, "-q", *words) == 0
    return open_product(target)


@pytest.mark.parametrize("compression", ["none", "lz4", "zlib"])
@pytest.mark.parametrize("kind", KINDS)
def test_images_are_cut_and_the_rest_is_whole(kind, compression, tmp_path):
    path = made(tmp_path / "a.asdf", kind, compression=compression)
    with (
        open_product(path) as before,
        cut(path, tmp_path / "b.asdf", "--section", SECTION, "--reference-pixels") as after,
    ):
        assert after.kind == before.kind
        assert after.tag == before.tag
        assert after.arrays.keys() == before.arrays.keys()
        shape = before.arrays["data"].shape[-2:]
        for name, info in before.arrays.items():
            expected = before.array(name)
            if info.shape[-2:] == shape and not any(word in name for word in WHOLE):
                expected = expected[..., ROWS, COLUMNS]
            assert after.arrays[name].dtype == info.dtype
            np.testing.assert_array_equal(after.array(name), expected)
        assert after.arrays["data"].shape[-2:] == (60, 20)
        assert validate_tree(after) == validate_tree(before)
        lost = set(before.meta) - set(after.meta)
        assert not lost


@pytest.mark.parametrize("reftype", ["flat", "linearity", "mask", "dark", "gain", "saturation"])
def test_references_are_cut(reftype, tmp_path):
    path = made(tmp_path / "a.asdf", f"reference/{reftype}")
    with open_product(path) as before, cut(path, tmp_path / "b.asdf", "--section", SECTION) as after:
        assert after.reftype == reftype
        for name in before.arrays:
            np.testing.assert_array_equal(after.array(name), before.array(name)[..., ROWS, COLUMNS])


@pytest.mark.parametrize("kind", ["wcs", "reference/epsf", "reference/refpix"])
def test_what_has_no_image_is_exit_3(kind, tmp_path, capsys):
    writer.write_product(tmp_path / "a.asdf", kind, sample_meta(kind), sample_arrays(kind))
    assert tool("cut", tmp_path / "a.asdf", "--section", SECTION, "-o", tmp_path / "b.asdf") == 3
    assert "no image" in capsys.readouterr().err
    assert not (tmp_path / "b.asdf").exists()


def test_nothing_is_added_to_a_file_that_lacks_optional_arrays(tmp_path):
    kind = "l2_image"
    arrays = sample_arrays(kind)
    del arrays["var_rnoise"]
    meta = sample_meta(kind) | {"wcs": sample_wcs()}
    writer.stage_product(tmp_path / "a.asdf", kind, meta, arrays, as_is=True).commit()
    with cut(tmp_path / "a.asdf", tmp_path / "b.asdf", "--section", SECTION) as after:
        assert not after.has("var_rnoise")


def test_jumps_are_those_of_the_cutout_in_its_pixels(tmp_path):
    jumps = [[1, 40, 30], [2, 99, 49], [0, 100, 49], [1, 39, 30], [2, 50, 29], [1, 60, 50], [3, 70, 35]]
    path = made(tmp_path / "a.asdf", "l2_image", jumps=jumps)
    with cut(path, tmp_path / "b.asdf", "--section", SECTION) as after:
        assert after.array("jump_indices").tolist() == [[1, 0, 0], [2, 59, 19], [3, 30, 5]]
        assert after.arrays["jump_indices"].dtype == np.int16


def test_frames_differ_by_the_border(tmp_path):
    path = made(tmp_path / "a.asdf", "l1_uncal")
    words = ("--section", "26:46,36:96", "--frame", "l2")
    with cut(path, tmp_path / "b.asdf", *words) as one, cut(path, tmp_path / "c.asdf", "--section", SECTION) as two:
        np.testing.assert_array_equal(one.array("data"), two.array("data"))


def test_clipped_at_the_edge_and_refused_outside(tmp_path, capsys):
    path = made(tmp_path / "a.asdf", "l2_image")
    with cut(path, tmp_path / "b.asdf", "--section", "120:500,-20:3") as after:
        assert after.arrays["data"].shape == (3, 8)
    assert tool("cut", path, "--section", "128:130,0:5", "-o", tmp_path / "c.asdf") == 3
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "c.asdf").exists()


# -- the sky ----------------------------------------------------------------------------------------------------------


def sky(product, x, y):
    return np.array(product.node("meta.wcs")(x, y, with_bounding_box=False))


def test_wcs_of_a_cutout_is_that_of_the_whole_at_the_shifted_pixel(product, tmp_path):
    path = product("cal")
    with open_product(path) as before, cut(path, tmp_path / "b.asdf", "--section", SECTION) as after:
        x, y = np.meshgrid(np.linspace(-0.5, 19.5, 7), np.linspace(-0.5, 59.5, 7))
        np.testing.assert_allclose(sky(after, x, y), sky(before, x + 30, y + 40), rtol=0, atol=1e-9)
        wcs = after.node("meta.wcs")
        assert np.isfinite(wcs(19.4, 59.4)).all()
        assert np.isnan(wcs(19.6, 5)).all()
        back = wcs.invert(*sky(after, 7.25, 11.5), with_bounding_box=False)
        np.testing.assert_allclose(back, (7.25, 11.5), atol=1e-2)


def test_metadata_are_those_of_the_cutout(product, tmp_path):
    path = product("cal")
    with open_product(path) as before, cut(path, tmp_path / "b_cal.asdf", "--section", SECTION) as after:
        corners = np.array(after.meta["wcsinfo"]["s_region"].split()[2:], float).reshape(4, 2)
        expected = sky(before, np.array([29.5, 29.5, 49.5, 49.5]), np.array([39.5, 99.5, 99.5, 39.5])).T
        np.testing.assert_allclose(corners, expected, atol=1e-8)
        found = image_statistics(*(np.array(after.array(name)) for name in ("data", "dq", "err")))
        assert {key: after.meta["statistics"][key] for key in found} == found
        assert after.meta["statistics"].keys() == before.meta["statistics"].keys()
        assert after.meta["filename"] == "b_cal.asdf"
        cutout = after.meta["rtools"]["cutout"]
        place = {"columns": [30, 50], "rows": [40, 100], "shape": [248, 248]}
        assert cutout == {"filename": before.meta["filename"]} | place
        for key in ("exposure", "instrument", "photometry", "ref_file", "cal_step", "pointing"):
            assert after.meta[key] == before.meta[key]
        assert after.history[:-1] == before.history
        assert after.history[-1]["tool"] == "rt-cut"
        assert after.history[-1]["parameters"] == {"section": SECTION}
        assert "rt-cut" in after.meta["cal_logs"][-1]


def test_cutouts_by_sky_are_centred_there(product, tmp_path):
    path = product("cal")
    with open_product(path) as before:
        ra, dec = sky(before, 100.0, 60.0)
    with cut(path, tmp_path / "b.asdf", "--sky", f"{ra:.9f},{dec:.9f},3.3") as after:
        rows, columns = after.arrays["data"].shape
        centre = sky(after, (columns - 1) / 2, (rows - 1) / 2)
        assert np.hypot((centre[0] - ra) * np.cos(np.radians(dec)), centre[1] - dec) * 3600 < 0.08  # a pixel is 0.11
        assert 29 <= rows <= 31
        assert 29 <= columns <= 31


def test_a_raw_file_takes_the_wcs_beside_it(raw, product, tmp_path):
    with open_product(product("cal")) as image:
        ra, dec = sky(image, 100.0, 60.0)
    place = f"{ra:.9f},{dec:.9f},11pix"
    assert tool("cut", raw, "--sky", place, "-o", tmp_path / "a.asdf") == 3
    with cut(raw, tmp_path / "b.asdf", "--sky", place, "--wcs", product("wcs")) as after:
        assert after.meta["rtools"]["cutout"]["columns"] == [99, 110]
        assert after.meta["rtools"]["cutout"]["rows"] == [59, 70]


def test_the_wcs_of_the_whole_serves_a_cutout_of_raw_data(raw, product, tmp_path):
    from rtools.products.edit.wcs import load_wcs

    cut(raw, tmp_path / "part.asdf", "--section", "60:120,40:100").close()
    cut(product("cal"), tmp_path / "part_cal.asdf", "--section", "30:140,20:140").close()
    with open_product(product("cal")) as image, open_product(tmp_path / "part.asdf") as part:
        known = sky(image, 100.0, 60.0)
        for holder in (product("wcs"), product("cal"), tmp_path / "part_cal.asdf"):
            wcs = load_wcs(part, holder)
            np.testing.assert_allclose(wcs(44.0, 24.0), known, rtol=0, atol=1e-9)
    place = f"{known[0]:.9f},{known[1]:.9f},5pix"
    with cut(tmp_path / "part.asdf", tmp_path / "b.asdf", "--sky", place, "--wcs", product("wcs")) as after:
        assert after.meta["rtools"]["cutout"]["columns"] == [102, 107]
        assert after.meta["rtools"]["cutout"]["rows"] == [62, 67]


def test_a_place_that_is_not_in_the_image_is_exit_3(product, tmp_path, capsys):
    with open_product(product("cal")) as image:
        ra, dec = sky(image, 100.0, 60.0)
    for place in (f"{ra},{dec + 1},10", f"{(ra + 180) % 360},{-dec},10", f"{ra},-90,10"):
        assert tool("cut", product("cal"), "--sky", place, "-o", tmp_path / "a.asdf") == 3
        assert "outside" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_other_side_of_a_tangent_plane_is_outside():
    with pytest.raises(InputError):
        sky_section(sample_wcs(), (90.0, -66.0, 3.0, "arcsec"), (32, 32))


def test_a_square_in_arcsec_and_in_pixels():
    wcs = sample_wcs()  # 0.11 arcsec a pixel, 270 +66 at (16, 16)
    assert sky_section(wcs, (270.0, 66.0, 1.1, "arcsec"), (32, 32)) == (slice(11, 21), slice(11, 21))
    assert sky_section(wcs, (270.0, 66.0, 5.0, "pix"), (32, 32)) == (slice(14, 19), slice(14, 19))
    assert sky_section(wcs, (270.0, 66.0, 1000.0, "arcsec"), (32, 32)) == (slice(0, 32), slice(0, 32))


def test_bounding_box_is_no_wider_than_the_whole():
    wcs = sample_wcs()
    wcs.bounding_box = (4.0, 20.0), (-0.5, 31.5)
    box = cutout_wcs(wcs, slice(8, 40), slice(2, 12)).bounding_box.bounding_box(order="F")
    assert box == ((2.0, 9.5), (-0.5, 23.5))
    assert wcs.bounding_box.bounding_box(order="F") == ((4.0, 20.0), (-0.5, 31.5))


def test_mosaic_metadata_follow_the_pixels(tmp_path):
    path = made(tmp_path / "a.asdf", MOSAIC)
    with open_product(path) as before, cut(path, tmp_path / "b.asdf", "--section", SECTION) as after:
        old, new = before.meta["wcsinfo"], after.meta["wcsinfo"]
        assert new["image_shape"] == [60, 20]
        assert (new["x_ref"], new["y_ref"]) == (old["x_ref"] - 30, old["y_ref"] - 40)
        np.testing.assert_allclose((new["ra"], new["dec"]), sky(before, 39.5, 69.5), atol=1e-9)
        assert after.arrays["context"].shape[0] == before.arrays["context"].shape[0]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("270.1,66.02,30", (270.1, 66.02, 30, "arcsec")),
        ("270.1, -66.02, 30", (270.1, -66.02, 30, "arcsec")),
        ("-90,0,1arcmin", (270, 0, 60, "arcsec")),
        ("18:00:24,+66:01:12,0.5arcmin", (270.1, 66.02, 30, "arcsec")),
        ("18h00m24s,66d01m12s,0.01deg", (270.1, 66.02, 36, "arcsec")),
        ("18 00 24,-66 01 12,2.5arcsec", (270.1, -66.02, 2.5, "arcsec")),
        ("270d06m,66.02,64pix", (270.1, 66.02, 64, "pix")),
        ("10.5,-0:30:00,1", (10.5, -0.5, 1, "arcsec")),
    ],
)
def test_places_as_they_are_typed(text, place):
    found = parse_sky(text)
    np.testing.assert_allclose(found[:3], place[:3], atol=1e-9)
    assert found[3] == place[3]


@pytest.mark.parametrize(
    "text",
    ["", "1,2", "1,2,3,4", "a,2,3", "1,b,3", "1,2,c", "1,91,3", "1,2,0", "1,2,-3", "1,2,3kg", "25:00:00:00,2,3",
     "nan,2,3", "1,2,inf", "1,2,pix"],
)  # fmt: skip
def test_what_is_no_place_is_a_usage_error(text):
    with pytest.raises(UsageError):
        parse_sky(text)


# -- files ------------------------------------------------------------------------------------------------------------


def test_where_to_and_what_must_be_said(tmp_path, capsys):
    path = made(tmp_path / "a.asdf", "l2_image")
    for words in (
        ("--section", SECTION),
        ("-o", "b.asdf"),
        ("--section", SECTION, "--sky", "1,2,3", "-o", "b.asdf"),
        ("--section", SECTION, "-o", "b.asdf", "--outdir", "d"),
        ("--sky", "1,2,3", "--frame", "l1", "-o", "b.asdf"),
        ("--section", SECTION, "--wcs", "w", "-o", "b.asdf"),
        ("--section", SECTION, "-o", path, "--overwrite"),
        ("--section", SECTION, "-o", "-", "--json"),
        ("--section", SECTION, "-o", "b.png"),
        ("--section", SECTION, "--fill", "-o", "b.asdf"),
        ("--section", SECTION, "--size", "3", "-o", "b.asdf"),
        ("--sky", "1,2", "-o", "b.asdf"),
        ("--sky", "1,2,3", "--sky", "4,5,6", "-o", "b.asdf"),
    ):
        assert tool("cut", path, *words) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert tool("cut", path, tmp_path / "c.asdf", "--section", SECTION, "-o", tmp_path / "b.asdf") == 2
    assert [found.name for found in tmp_path.iterdir()] == ["a.asdf"]


def test_outdir_keeps_the_name_and_refuses_what_exists(tmp_path, capsys):
    path = made(tmp_path / "a.asdf", "l2_image")
    words = (path, "--section", SECTION, "--outdir", tmp_path / "new")
    assert tool("cut", *words, "-n") == 0
    assert not (tmp_path / "new").exists()
    capsys.readouterr()
    assert tool("cut", *words) == 0
    assert capsys.readouterr().out == f"{tmp_path}/new/a.asdf\n"
    before = (tmp_path / "new" / "a.asdf").read_bytes()
    assert tool("cut", *words) == 1
    assert (tmp_path / "new" / "a.asdf").read_bytes() == before
    assert tool("cut", *words, "--overwrite", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["outputs"], report["status"]) == ([f"{tmp_path}/new/a.asdf"], "done")
    assert (report["columns"], report["rows"]) == ([30, 50], [40, 100])


def test_two_inputs_of_one_name_do_not_replace_each_other(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    paths = [made(tmp_path / name / "a.asdf", "reference/gain") for name in ("one", "two")]
    assert tool("cut", *paths, "--section", SECTION, "--outdir", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_standard_input_to_standard_output(tmp_path, monkeypatch):
    path = made(tmp_path / "a_cal.asdf", "l2_image")
    with piped(monkeypatch, path.read_bytes()) as out:
        assert tool("cut", "-", "--section", SECTION, "-o", "-") == 0
    (tmp_path / "b.asdf").write_bytes(out.getvalue())
    with open_product(tmp_path / "b.asdf") as after:
        assert after.meta["filename"] == "a_cal.asdf"
        assert after.arrays["data"].shape == (60, 20)
    (read,) = job_of(tmp_path / "b.asdf")["inputs"]
    assert read["file"] == "-" and len(read["digest"]) == 32


def test_what_made_a_cutout_names_the_file_that_was_cut_and_not_the_cutout(tmp_path):
    (tmp_path / "parts").mkdir()
    path = made(tmp_path / "a.asdf", "ramp")
    assert tool("cut", path, "--section", SECTION, "--outdir", tmp_path / "parts") == 0
    (read,) = job_of(tmp_path / "parts" / "a.asdf")["inputs"]
    assert read["file"] == "../a.asdf" and len(read["digest"]) == 32


def test_a_cutout_of_a_cutout(tmp_path):
    path = made(tmp_path / "a.asdf", "ramp")
    cut(path, tmp_path / "b.asdf", "--section", SECTION).close()
    with (
        open_product(path) as whole,
        cut(tmp_path / "b.asdf", tmp_path / "c.asdf", "--section", "5:9,:") as last,
    ):
        np.testing.assert_array_equal(last.array("data"), whole.array("data")[:, 40:100, 35:39])
        assert last.arrays["amp33"].shape == (whole.arrays["amp33"].shape[0], 0, 128)
        where = last.meta["rtools"]["cutout"]
        assert (where["columns"], where["rows"]) == ([35, 39], [40, 100])
        assert where["filename"] == whole.meta["filename"]


def test_times_stay_times(tmp_path):
    path = made(tmp_path / "a.asdf", "l2_image")
    with cut(path, tmp_path / "b.asdf", "--section", SECTION) as after:
        assert after.tree["meta"]["exposure"]["start_time"].tag == nodes.TIME_TAG


def test_only_what_holds_the_cutout_is_decoded(tmp_path, monkeypatch):
    """Of a compressed cube no more is decoded than the chunks that have its rows."""
    from rtools.products.io import blocks

    cube = np.random.default_rng(1).integers(0, 65535, (3, 1024, 4096), np.uint16)
    meta, arrays = sample_meta("l1_uncal"), sample_arrays("l1_uncal")
    arrays = {"data": cube, "amp33": arrays["amp33"]}
    writer.write_product(tmp_path / "a.asdf", "l1_uncal", meta, arrays, compression="lz4")
    decoded, decode = [], blocks._lz4

    def counting(file, chunk, take):
        decoded.append(chunk[3])
        decode(file, chunk, take)

    monkeypatch.setattr(blocks, "_lz4", counting)
    with open_product(tmp_path / "a.asdf") as product:
        part = product.section("data", slice(100, 110), slice(7, 9))
    np.testing.assert_array_equal(part, cube[:, 100:110, 7:9])
    assert sum(decoded) <= cube.nbytes / 2


# -- many places, small files, pictures -----------------------------------------------------------------------------


@pytest.fixture
def field(tmp_path):
    """An image of 400 x 400 pixels of 0.11 arcsec at 270, 66, whose pixels count their columns."""
    path = placed(tmp_path / "f_cal.asdf", size=400)
    with open_product(path) as product:
        meta, arrays = dict(product.meta), {name: product.array(name) for name in product.arrays}
        meta["wcs"] = product.node("meta.wcs")
    arrays["data"] = np.broadcast_to(np.arange(400, dtype=np.float32), (400, 400)).copy()
    arrays["amp33"] = np.ones((3, 4096, 128), np.uint16)
    writer.write_product(path, "l2_image", meta, arrays)
    return path


def place_of(path, x, y):
    with open_product(path) as product:
        ra, dec = product.node("meta.wcs")(x, y, with_bounding_box=False)
    return f"{ra:.9f},{dec:.9f}"


def test_a_hundred_pixels_square_weigh_little(field, tmp_path):
    """A cutout of 40 kB kept the reference pixels of the whole frame, and weighed megabytes."""
    with cut(field, tmp_path / "b.asdf", "--sky", f"{place_of(field, 200, 200)},100pix") as after:
        assert after.arrays["data"].shape == (100, 100)
        assert after.arrays["amp33"].shape == (3, 0, 128)
        assert validate_tree(after) == []
    assert (tmp_path / "b.asdf").stat().st_size < 200_000


def test_places_of_a_list_become_files_with_their_names(field, tmp_path, capsys):
    lines = f"{place_of(field, 100, 50)} one\n{place_of(field, 300, 60)} two\n10,10,far\n"
    (tmp_path / "list").write_text(lines)
    assert tool("cut", field, "--sky", f"@{tmp_path / 'list'}", "--size", "11pix", "--outdir", tmp_path / "out") == 0
    names = ["f-one_cal.asdf", "f-two_cal.asdf"]
    assert capsys.readouterr().out.split() == [str(tmp_path / "out" / name) for name in names]
    for name, x in zip(names, (100, 300), strict=True):
        with open_product(tmp_path / "out" / name) as part:
            assert part.array("data")[0].tolist() == list(range(x - 5, x + 6))
    assert tool("cut", field, "--sky", "10,10", "--sky", "11,10", "--size", "3", "--outdir", tmp_path / "none") == 3
    assert "none of 2 positions is in it" in capsys.readouterr().err


def test_json_tells_of_which_position_a_cutout_is(field, tmp_path, capsys):
    (tmp_path / "list").write_text(f"{place_of(field, 100, 50)} one\n{place_of(field, 300, 60)} two\n")
    words = ("--sky", f"@{tmp_path / 'list'}", "--size", "11pix", "--outdir", tmp_path / "out", "--json")
    assert tool("cut", field, *words) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["place"], one["columns"]) for one in told] == [("one", [95, 106]), ("two", [295, 306])]


def test_rows_of_a_table_become_files_with_their_ids(field, tmp_path):
    places = [tuple(map(float, place_of(field, x, 200).split(","))) for x in (100, 300)]
    Table(rows=places, names=["ra", "dec"]).write(tmp_path / "t.ecsv")
    table = Table.read(tmp_path / "t.ecsv")
    table["label"] = [17, 23]
    table.write(tmp_path / "t.ecsv", overwrite=True)
    words = ("--table", tmp_path / "t.ecsv", "--size", "1", "--format", "fits", "--outdir", tmp_path / "out", "-q")
    assert tool("cut", field, *words) == 0
    assert sorted(found.name for found in (tmp_path / "out").iterdir()) == ["f-17_cal.fits", "f-23_cal.fits"]


def test_places_with_one_name_do_not_overwrite_each_other(field, tmp_path):
    names = ["a b", "AB", "003", "", "one"]
    lines = [f"{one},{place_of(field, 50 + 60 * n, 200)}" for n, one in enumerate(names)]
    (tmp_path / "t.csv").write_text("\n".join(["name,ra,dec", *lines]))
    words = ("--table", tmp_path / "t.csv", "--size", "5pix", "--outdir", tmp_path / "out", "--overwrite", "-q")
    assert tool("cut", field, *words) == 0
    found = {path.name: int(open_product(path).array("data")[0, 0]) for path in (tmp_path / "out").iterdir()}
    assert found == {
        "f-ab-001_cal.asdf": 48, "f-AB-002_cal.asdf": 108, "f-003_cal.asdf": 168, "f-004_cal.asdf": 228,
        "f-one_cal.asdf": 288,
    }  # fmt: skip
    places = [CutPlace(name, (0, 0, 1, "pix")) for name in ("a", "a", "a-001")]
    assert words_of_places(places) == ["001", "002", "003"]


def test_what_lies_beyond_the_edge_is_filled(field, tmp_path):
    words = ("--sky", f"{place_of(field, 1, 398)},9pix", "--fill")
    with cut(field, tmp_path / "b.asdf", *words) as after, open_product(field) as before:
        data, flags = after.array("data"), after.array("dq")
        assert data.shape == (9, 9)
        assert np.isnan(data[:, :3]).all()
        assert np.isnan(data[6:]).all()
        assert data[0, 3:].tolist() == [0, 1, 2, 3, 4, 5]
        assert (flags[:, :3] & 1).all()
        assert not flags[:6, 3:].any()
        there, whole = after.node("meta.wcs"), before.node("meta.wcs")
        np.testing.assert_allclose(there(4, 4), whole(1, 398, with_bounding_box=False), atol=1e-12)


def test_fits_has_the_wcs_in_its_header(field, tmp_path):
    assert tool("cut", field, "--sky", f"{place_of(field, 200, 100)},20pix", "-o", tmp_path / "b.fits", "-q") == 0
    with fits.open(tmp_path / "b.fits") as hdus:
        assert hdus["SCI"].shape == (20, 20)
        x, y = WCS(hdus["SCI"].header).all_world2pix(*map(float, place_of(field, 200, 100).split(",")), 0)
        assert hdus["SCI"].data[round(float(y)), round(float(x))] == 200


def noisy(field):
    """The field with noise, which does not compress, in planes of the types that a product has."""
    rng = np.random.default_rng(1)
    with open_product(field) as product:
        meta, arrays = dict(product.meta), {name: product.array(name) for name in product.arrays}
        meta["wcs"] = product.node("meta.wcs")
    for name, array in arrays.items():
        if array.shape == (400, 400) and array.dtype.kind == "f":
            arrays[name] = rng.normal(1, 0.1, (400, 400)).astype(array.dtype)
    writer.write_product(field, "l2_image", meta, arrays)


def test_a_cutout_in_fits_weighs_little_and_is_the_same(field, tmp_path):
    """FITS has no floats of 16 bits, and META was as wide as its longest text: 380 kB of 100 x 100 pixels."""
    noisy(field)
    square = ("--sky", f"{place_of(field, 200, 200)},100pix", "-q")
    made, plain, known = tmp_path / "b.fits", tmp_path / "p.fits", tmp_path / "b.asdf"
    for path, words in ((made, ()), (plain, ("--compression", "none")), (known, ())):
        assert tool("cut", field, *square, "-o", path, *words) == 0
    assert made.stat().st_size < min(200_000, 0.6 * plain.stat().st_size)
    with fits.open(made) as hdus, fits.open(plain) as expected, open_product(known) as product:
        assert "META" not in hdus
        for name, path in (("SCI", "data"), ("ERR", "err"), ("VAR_POISSON", "var_poisson"), ("DQ", "dq")):
            np.testing.assert_array_equal(hdus[name].data, product.array(path))
            np.testing.assert_array_equal(hdus[name].data, expected[name].data)
    assert tool("fits", made, "-o", tmp_path / "back.asdf", "-q") == 0
    assert tool("diff", known, tmp_path / "back.asdf", "--ignore", "meta.filename", "--ignore", "meta.file_date",
                "--ignore", "meta.rtools.job*", "--ignore", "meta.cal_logs*") == 0  # fmt: skip
    assert tool("cut", field, *square, "-o", tmp_path / "no.fits", "--compression", "lz4") == 2


def test_the_history_of_a_cutout_in_fits_names_no_file_that_is_gone(field, tmp_path):
    """It was made of a file in a temporary directory: that stood in its history, and paths led from there."""
    (tmp_path / "deep" / "down").mkdir(parents=True)
    made = tmp_path / "deep" / "down" / "b.fits"
    assert tool("cut", field, "--section", "0:20,0:20", "-o", made, "-q") == 0
    assert sorted(made.parent.iterdir()) == [made]
    with forms.embedded(made) as product:
        entries, job = product.history, product.meta["rtools"]["job"]
    assert [one["tool"] for one in entries if "tool" in one][-1] == "rt-cut"
    assert [Path(made.parent, one["file"]).resolve() for one in job["inputs"]] == [field.resolve()]


def test_a_sheet_of_stamps_is_a_picture(field, tmp_path, capsys):
    words = [word for x in (100, 200, 399) for word in ("--sky", place_of(field, x, 200))]
    assert tool("cut", field, *words, "--size", "31pix", "-o", tmp_path / "sheet.png") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'sheet.png'}\n"
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_what_lies_beyond_the_edge_is_no_grey_that_noise_has(tmp_path):
    """On a sheet of faint stamps it could not be told from the image."""
    stamp = np.linspace(0, 1, 400).reshape(20, 20)
    stamp[:, :10] = np.nan
    image = plot_stamps([("a", stamp)]).axes[0].images[0]
    red, _green, blue, _alpha = image.cmap(np.ma.masked_invalid(image.get_array()))[5, 5]
    assert blue - red > 0.2


def test_a_filled_cutout_has_no_place_in_the_frame():
    """References would have been cut where there is nothing."""
    product = SimpleNamespace(kind="l2_image", mission="roman", reftype=None, meta={"rtools": {"cutout": {
        "columns": [-3, 6], "rows": [10, 19], "shape": [4088, 4088]}}})  # fmt: skip
    assert not placing.place_of(product, (17, 17), None).known
