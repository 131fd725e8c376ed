"""rt-info: what is told of every kind of file, as text and as JSON."""

import json
import os

import numpy as np
import pytest

from rtools.pipeline.exposure import chain
from rtools.products.io import writer
from rtools.products.schema import layout, nodes
from tests.support import samples
from tests.support.keyed_files import ASSOCIATION, OLD, catalog_ecsv, catalog_parquet
from tests.support.runs import piped, tool

KINDS = ("l1_uncal", "ramp", "l2_image", "wcs", "l1_gw", "l1_face", "l3_coadd", "segm_exposure", "segm_mosaic")


def told(capsys, *args, status=0):
    """Lines on standard output."""
    assert tool("info", *args) == status
    return capsys.readouterr().out.splitlines()


def told_json(capsys, *args):
    return [json.loads(line) for line in told(capsys, "--json", *args)]


def row(lines, label):
    """Text of a row, its lines joined."""
    start = next(place for place, line in enumerate(lines) if line.startswith(f"  {label}"))
    rest = [line[15:] for line in lines[start:]]
    more = next((n for n, line in enumerate(lines[start + 1 :], 1) if not line.startswith(" " * 15)), len(rest))
    return " ".join(rest[:more])


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A small L2 image."""
    meta = samples.meta("l2_image")
    meta["exposure"] |= {"type": "WFI_LOLO", "exposure_time": 139.14868, "read_pattern": [[1], [2, 3, 4], [6, 8]]}
    meta["instrument"] |= {"detector": "WFI07", "optical_element": "F184"}
    meta["pointing"] |= {"target_ra": 270.25, "target_dec": -66.5}
    meta["cal_step"] = dict.fromkeys(chain.cal_steps(), "INCOMPLETE") | {"dq_init": "COMPLETE", "refpix": "SKIPPED"}
    meta["ref_file"] |= {"dark": "/somewhere/roman_wfi_dark_0001.asdf", "flat": "N/A"}
    meta["cal_logs"] = ["first line", "second\n line"]
    meta["program"]["title"] = "?"
    meta["wcs"] = samples.wcs()
    entry = {
        "description": "rt-run (rtools) on x_uncal.asdf",
        "tool": "rt-run",
        "time": "2026-01-02T03:04:05",
        "arguments": ["x y.asdf", "-q"],
        "parameters": {"threshold": 5.5},
        "references": {"dark": {"name": "dark.asdf", "checksum": "0123abcd"}},
    }
    path = tmp_path_factory.mktemp("image") / "x_cal.asdf"
    planes = samples.arrays("l2_image") | {"data": np.zeros((128, 128), "f4")}
    writer.write_product(path, "l2_image", meta, planes, history=[entry])
    return path


def test_an_image_is_told_on_one_screen(image, capsys):
    lines = told(capsys, image)
    assert lines[0] == str(image)
    assert max(map(len, lines)) <= 80
    assert row(lines, "product") == "l2_image, L2 (wfi_image-2.1.0; profile 2.1.0)"
    assert row(lines, "exposure").startswith("WFI_LOLO, WFI07, F184")
    assert row(lines, "exposed").startswith("139.149 s")
    assert row(lines, "read pattern") == "3 resultants of 6 reads: 1 2-4 6,8"
    assert row(lines, "pointing").startswith("RA 270.250000, Dec -66.500000")
    assert "1 entry; last 2026-01-02 03:04:05 rt-run (rtools) on x_uncal.asdf" in row(lines, "history")
    assert "roman_wfi_dark_0001.asdf" in row(lines, "references")
    assert "N/A" not in row(lines, "references")
    assert "?" not in row(lines, "program")
    assert f"{os.path.getsize(image) / 1000:.1f} kB" in row(lines, "size")


def test_steps_stand_in_the_order_of_the_chain(image, capsys):
    order = [chain.step_of(name).cal_step for name in chain.order()]
    steps = told_json(capsys, image)[0]["steps"]
    assert [one["step"] for one in steps][: len(order)] == order
    assert {one["step"] for one in steps[len(order) :]} == {"flux", "outlier_detection", "skymatch"}
    assert {one["step"]: one["status"] for one in steps}["refpix"] == "SKIPPED"
    text = row(told(capsys, image), "steps")
    assert "dq_init           COMPLETE" in text
    assert "refpix            SKIPPED" in text


def test_arrays_as_they_are_stored(image, capsys):
    arrays = {one["name"]: one for one in told_json(capsys, image)[0]["arrays"]}
    assert arrays["data"]["dtype"] == "float32"
    assert arrays["data"]["shape"] == [128, 128]
    assert arrays["data"]["unit"].startswith("DN / s")
    assert arrays["data"]["bytes"] == 128 * 128 * 4
    assert arrays["data"]["compression"] == "lz4"
    assert arrays["data"]["stored"] < 2000  # zeros
    assert arrays["err"]["dtype"] == "float16"
    assert arrays["jump_indices"]["compression"] == "inline"
    lines = told(capsys, image)
    assert any(line.split()[:3] == ["data", "float32", "128x128"] for line in lines)


def test_history_tree_and_logs(image, capsys):
    assert told(capsys, "--history", image) == [
        "2026-01-02 03:04:05  rt-run (rtools) on x_uncal.asdf",
        "    $ rt-run 'x y.asdf' -q",
        "    threshold: 5.5",
        "    dark reference: dark.asdf 0123abcd",
    ]
    assert told(capsys, "--logs", image) == ["first line", "second line"]
    lines = told(capsys, "--tree", image)
    assert "    detector: WFI07" in lines
    assert "    truncated: false" in lines
    assert "data: float32 (128, 128)" in lines
    assert any(line.startswith("  wcs: <wcs-") for line in lines)
    assert "    read_pattern: [[1], [2, 3, 4], [6, 8]]" in lines
    both = told(capsys, "--logs", "--history", image)
    assert both[-1] == "second line"
    assert both[0].startswith("2026")


def test_json_is_an_object_a_file_and_parts_are_added(image, capsys):
    first, second = told_json(capsys, image, image)
    assert first == second
    assert first["kind"] == "l2_image"
    assert first["profile"] == "2.1.0"
    assert first["bytes"] == os.path.getsize(image)
    assert first["references"]["dark"] == "/somewhere/roman_wfi_dark_0001.asdf"
    assert (first["history"], first["logs"], "tree" in first) == (1, 2, False)
    full = told_json(capsys, "--tree", "--history", "--logs", image)[0]
    assert full["tree"]["meta"]["instrument"]["detector"] == "WFI07"
    assert full["history"][0]["parameters"] == {"threshold": 5.5}
    assert full["logs"][0] == "first line"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_product_is_told(kind, tmp_path, capsys):
    path = tmp_path / "x.asdf"
    meta = samples.meta(kind) | ({"wcs": samples.wcs()} if kind in ("l2_image", "l3_coadd") else {})
    extra = {name: samples.wcs() for name in ("wcs_l1", "wcs_l2")} if kind == "wcs" else {}
    writer.write_product(path, kind, meta, samples.arrays(kind), extra=extra)
    lines = told(capsys, path)
    assert row(lines, "product").startswith(kind)
    assert max(map(len, lines)) <= 80
    arrays = {name for name, array in layout.arrays(kind).items() if not array.listed}
    assert {one["name"] for one in told_json(capsys, path)[0]["arrays"]} == arrays
    assert told(capsys, "--tree", path)


def test_every_reference_file(references, capsys):
    paths = sorted(references.iterdir())
    lines = told(capsys, *paths)
    assert max(map(len, lines)) <= max(80, *(len(str(path)) for path in paths))
    for path, found in zip(paths, told_json(capsys, *paths), strict=True):
        assert found["kind"].startswith("reference/")
        assert found["file"] == str(path)
    text = "\n".join(lines)
    assert "  instrument   WFI01, F158" in text
    assert "use after" in text


def test_files_of_the_oldest_profile_are_told(tmp_path, capsys):
    path = tmp_path / "old_uncal.asdf"
    path.write_text(OLD)
    lines = told(capsys, path)
    assert row(lines, "product") == "l1_uncal, L1 (wfi_science_raw-1.0.0; profile 1.5.0)"
    assert row(lines, "time") == "2023-05-06T07:08:09.5 to 2023-05-06T07:08:09.500"
    assert any(line.split() == ["data", "uint16", "2x2", "DN", "8", "B", "inline"] for line in lines)
    assert "data: uint16 (2, 2) DN" in told(capsys, "--tree", path)


@pytest.mark.parametrize(("write", "form"), [(catalog_parquet, "parquet"), (catalog_ecsv, "ecsv")])
def test_catalogs_are_told_in_every_form(write, form, tmp_path, capsys):
    path = write(tmp_path / "x_cat")
    lines = told(capsys, path)
    assert row(lines, "product") == f"cat_exposure, L4 ({form})"
    assert "2 rows, 2 columns" in row(lines, "size")
    assert row(lines, "exposure") == "WFI_IMAGE, WFI07"
    assert row(lines, "exposed") == "12.500 s"
    assert row(lines, "columns") == "label, segment_flux [nJy]"
    found = told_json(capsys, path)[0]
    assert found["rows"] == 2
    assert [(one["name"], one["unit"]) for one in found["columns"]] == [("label", None), ("segment_flux", "nJy")]
    assert found["columns"][0]["description"] == "Label of the source"
    assert any(line.startswith("column segment_flux: float") and "nJy" in line for line in told(capsys, "--tree", path))


def test_associations_are_told_with_their_products(tmp_path, capsys):
    path = tmp_path / "x_asn.json"
    path.write_text(json.dumps(ASSOCIATION))
    lines = told(capsys, path)
    assert row(lines, "product") == "association (json)"
    assert row(lines, "association") == "a3001, image, DMS_ELPP_Base, target 270p65x50y50"
    assert row(lines, "products") == "r00001_p_full_270p65x50y50_f158 (2 members)"
    assert "science  b_cal.asdf" in row(lines, "members")
    path.write_text('{"a": 1}')
    assert told(capsys, path, status=3) == []


def test_several_files_are_blocks_and_a_bad_one_is_passed_over(image, tmp_path, capsys):
    bad = tmp_path / "bad.asdf"
    bad.write_bytes(image.read_bytes()[:-5000])
    assert tool("info", image, bad, image) == 3
    captured = capsys.readouterr()
    assert captured.err.startswith(f"rt-info: {bad}: truncated")
    assert captured.out.splitlines().count(str(image)) == 2
    assert "" in captured.out.splitlines()
    assert tool("info", "--json", image, bad) == 3
    good, failed = map(json.loads, capsys.readouterr().out.splitlines())
    assert good["kind"] == "l2_image"
    assert (failed["file"], failed["exit_code"]) == (str(bad), 3)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x_cat.parquet", b"PAR1 and no more"),
        ("x_cat.ecsv", b"# %ECSV 1.0\n# ---\n# datatype: [\n"),
        ("x_cat.ecsv", b"# %ECSV 1.0\n# ---\n# datatype:\n# - {name: a, datatype: int64}\n"),
        ("x_asn.json", b'{"products": ['),
        ("x_asn.json", b'{"products": 3}'),
        ("x.txt", b"plain text"),
        ("x.asdf", b""),
        ("x.asdf", b"#ASDF 1.0.0\n%YAML 1.1\n--- 3\n...\n"),
    ],
)
def test_damaged_files_are_one_line_and_exit_3(name, data, tmp_path, capsys):
    path = tmp_path / name
    path.write_bytes(data)
    assert tool("info", path) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith(f"rt-info: {path}: ")
    assert "internal" not in captured.err


def test_standard_input_is_told_as_a_dash(image, capsys, monkeypatch):
    with piped(monkeypatch, image.read_bytes()) as out:
        assert tool("info", "-") == 0
    assert out.getvalue().startswith(b"-\n  product      l2_image")


def test_no_number_of_unknown_meaning_is_shown(tmp_path, capsys):
    path = tmp_path / "x_uncal.asdf"
    meta = samples.meta("l1_uncal")
    meta["pointing"] |= {"target_ra": -999999, "target_dec": -999999.0, "target_aperture": "?", "pa_v3": 12.0}
    meta["exposure"]["start_time"] = nodes.time("2027-05-06T07:08:09.100")
    writer.write_product(path, "l1_uncal", meta, samples.arrays("l1_uncal"))
    lines = told(capsys, path)
    assert "999999" not in "\n".join(lines)
    assert "V3 PA 12.0000" in row(lines, "pointing")
    assert row(lines, "time").startswith("2027-05-06T07:08:09.100")


@pytest.mark.parametrize("name", ["x_cal.asdf", "x_flat.asdf"])
def test_fits_files_of_products_are_told_like_the_products(image, references, tmp_path, name, capsys):
    source = image if name == "x_cal.asdf" else next(references.glob("*flat*.asdf"))
    path = (tmp_path / name).with_suffix(".fits")
    assert tool("fits", source, "-o", path, "--sip-error", "none", "-q") == 0
    capsys.readouterr()
    first, second = told_json(capsys, "--tree", source, path)
    assert second["form"] == "fits"
    assert (second["kind"], second["profile"], second["steps"]) == (first["kind"], first["profile"], first["steps"])
    assert {one["name"] for one in second["arrays"]} == {one["name"] for one in first["arrays"]}
    (data,) = (one for one in second["arrays"] if one["name"] == "data")
    assert data["extension"] == "SCI,1"
    assert data["shape"] == next(one["shape"] for one in first["arrays"] if one["name"] == "data")
    assert second["tree"]["meta"]["instrument"] == first["tree"]["meta"]["instrument"]
    lines = told(capsys, path)
    assert "(FITS; " in row(lines, "product")
    assert any(line.startswith("data: float32") for line in told(capsys, "--tree", path))


def test_fits_and_foreign_tables(tmp_path, capsys):
    from astropy.io import fits
    from astropy.table import Table

    table = Table({"a": np.array([1, 2], "u2"), "b": ["x", "yz"], "c": np.zeros((2, 3), "f4")})
    table.write(tmp_path / "a.fits")
    found = told_json(capsys, tmp_path / "a.fits")[0]
    assert (found["kind"], found["rows"]) == ("table", 2)
    assert [one["dtype"] for one in found["columns"]] == ["uint16", "string", "float32[3]"]
    path = catalog_parquet(tmp_path / "x_cat")
    assert tool("table", path, "-o", tmp_path / "x_cat.fits") == 0
    capsys.readouterr()
    assert row(told(capsys, tmp_path / "x_cat.fits"), "product") == "cat_exposure, L4 (fits)"
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(tmp_path / "b.fits")
    assert tool("info", tmp_path / "b.fits") == 3
    assert "neither an extension ASDF nor a table" in capsys.readouterr().err
    assert tool("table", tmp_path / "a.fits", "-o", tmp_path / "a.vot") == 0
    capsys.readouterr()
    assert tool("info", tmp_path / "a.vot") == 3
    assert "rt-table prints tables" in capsys.readouterr().err


def test_history_of_a_catalog(tmp_path, capsys):
    path = catalog_parquet(tmp_path / "x_cat")
    assert tool("set", path, "exposure.type=WFI_LOLO", "--in-place") == 0
    capsys.readouterr()
    assert "1 entry; last" in row(told(capsys, path), "history")
    lines = told(capsys, "--history", path)
    assert "rt-set (rtools" in lines[0]
    assert "    meta.exposure.type: WFI_LOLO" in lines
