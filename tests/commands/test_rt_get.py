"""rt-get: keys, globs, tables, missing keys, every form of file that has metadata."""

import json
import subprocess
import sys

import pytest

from rtools.products.io import writer
from rtools.products.schema import keys, nodes
from rtools.products.schema.assignment import parse_assignment
from tests.support import guide_files, samples
from tests.support.guide_files import FACE_NAME, GUIDE_NAME, face_file, guide_file
from tests.support.keyed_files import ASSOCIATION, OLD, catalog_ecsv, catalog_ecsv_flat, catalog_parquet
from tests.support.runs import piped, tool

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # of what other modules left open
]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A small L2 image that is not what the samples are where the tests look."""
    meta = samples.meta("l2_image")
    meta["exposure"] |= {"type": "WFI_LOLO", "truncated": True, "data_problem": None, "exposure_time": 12.5}
    meta["instrument"]["detector"] = "WFI07"
    meta["cal_step"] = dict.fromkeys(meta.get("cal_step") or ("dq_init", "flux"), "INCOMPLETE") | {
        "dq_init": "COMPLETE"
    }
    meta["program"]["title"] = "tab\tand\nline"
    meta["wcs"] = samples.wcs()
    path = tmp_path_factory.mktemp("image") / "x_cal.asdf"
    writer.write_product(path, "l2_image", meta, samples.arrays("l2_image"))
    return path


def got(capsys, *args, status=0):
    """Lines on standard output of a call that ends with a status."""
    assert tool("get", *args) == status
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("exposure.type", "WFI_LOLO"),
        ("meta.exposure.type", "WFI_LOLO"),
        ("roman.meta.exposure.type", "WFI_LOLO"),
        ("exposure.truncated", "true"),
        ("exposure.data_problem", "null"),
        ("exposure.exposure_time", "12.5"),
        ("exposure.start_time", "2027-01-01T00:00:00.000"),
        ("exposure.read_pattern", "[[1], [2, 3], [4, 5, 6, 7]]"),
        ("exposure.read_pattern.1", "[2, 3]"),
        ("exposure.read_pattern.-1.0", "4"),
        ("data.shape", "[128, 128]"),
        ("data.datatype", "float32"),
        ("filename", "x_cal.asdf"),
    ],
)
def test_one_key_of_one_file_is_its_value_alone(image, capsys, key, text):
    assert got(capsys, key, image) == [text]


def test_several_keys_and_files_are_named(image, capsys):
    assert got(capsys, "exposure.type,instrument.detector", image) == [
        "exposure.type\tWFI_LOLO",
        "instrument.detector\tWFI07",
    ]
    assert got(capsys, "exposure.type", image, image) == [f"{image}\tWFI_LOLO"] * 2
    assert got(capsys, "exposure.type,instrument.detector", image, image)[1] == f"{image}\tinstrument.detector\tWFI07"
    assert got(capsys, "program.title,exposure.type", image)[0] == "program.title\ttab\\tand\\nline"


def test_patterns_find_every_key_that_fits(image, capsys):
    assert "cal_step.dq_init\tCOMPLETE" in got(capsys, "cal_step.*", image)
    assert got(capsys, "*.detector", image) == ["instrument.detector\tWFI07"]
    assert got(capsys, "**.read_pattern", image)[0].startswith("meta.exposure.read_pattern\t")
    assert got(capsys, "exposure.t[ry]*", image) == ["exposure.truncated\ttrue", "exposure.type\tWFI_LOLO"]
    assert got(capsys, "exposure.zz*", image, status=1) == []


def test_globs_do_not_enter_a_wcs_but_its_name_does(image, capsys):
    assert not [line for line in got(capsys, "**.name", image) if line.startswith("meta.wcs.")]
    assert got(capsys, "wcs.steps.0.frame.name", image) == ["detector"]


def test_a_missing_key_is_exit_1_and_the_nearest_is_named(image, capsys):
    assert tool("get", "exposure.tpye", image) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"rt-get: {image}: no key exposure.tpye; did you mean exposure.type?\n"
    assert tool("get", "detector", image) == 1
    assert "did you mean instrument.detector?" in capsys.readouterr().err
    assert got(capsys, "nothing.here,exposure.type", image, status=1) == ["exposure.type\tWFI_LOLO"]


def test_tsv_has_a_line_of_names_and_one_for_each_file(image, tmp_path, capsys):
    other = tmp_path / "old_uncal.asdf"
    other.write_text(OLD)
    assert got(capsys, "--tsv", "instrument.detector,telescope", image, other, status=1) == [
        "file\tinstrument.detector\ttelescope",
        f"{image}\tWFI07\tROMAN",
        f"{other}\t\tROMAN",
    ]


def test_json_keeps_types(image, capsys):
    found = json.loads("\n".join(got(capsys, "--json", "exposure.*,data.shape", image)))
    assert found["file"] == str(image)
    assert found["exposure.truncated"] is True
    assert found["exposure.data_problem"] is None
    assert found["exposure.exposure_time"] == 12.5
    assert found["data.shape"] == [128, 128]


def test_old_files_with_tags_and_quantities(tmp_path, capsys):
    path = tmp_path / "old_uncal.asdf"
    path.write_text(OLD)
    assert got(capsys, "telescope", path) == ["ROMAN"]
    assert got(capsys, "file_date", path) == ["2023-05-06T07:08:09.000"]
    assert got(capsys, "exposure.start_time", path) == ["2023-05-06T07:08:09.5"]
    assert got(capsys, "exposure.end_time", path) == ["2023-05-06T07:08:09.500"]
    assert got(capsys, "data.unit", path) == ["DN"]


@pytest.mark.parametrize("write", [catalog_parquet, catalog_ecsv, catalog_ecsv_flat])
def test_catalogs_are_asked_alike(write, tmp_path, capsys):
    path = write(tmp_path / "x_cat")
    assert got(capsys, "instrument.detector", path) == ["WFI07"]
    assert got(capsys, "meta.exposure.type", path) == ["WFI_IMAGE"]
    assert got(capsys, "exposure.nresultants,exposure.truncated", path) == [
        "exposure.nresultants\t3",
        "exposure.truncated\tfalse",
    ]
    assert got(capsys, "observation.visit_id", path) == ["0000101001001001001"]
    assert got(capsys, "exposure.read_pattern", path) == ["[[1], [2, 3]]"]
    assert json.loads("\n".join(got(capsys, "--json", "exposure.exposure_time", path))) == {
        "file": str(path),
        "status": "done",
        "exposure.exposure_time": 12.5,
    }
    assert tool("get", "exposure.tpye", path) == 1


def test_associations_and_standard_input(image, tmp_path, capsys, monkeypatch):
    path = tmp_path / "x_asn.json"
    path.write_text(json.dumps(ASSOCIATION))
    assert got(capsys, "products.0.members.*.expname", path)[1] == "products.0.members.1.expname\tb_cal.asdf"
    with piped(monkeypatch, image.read_bytes()) as out:
        assert tool("get", "instrument.detector", "-") == 0
    assert out.getvalue() == b"WFI07\n"


def test_lists_of_files_go_on_after_a_bad_one(image, tmp_path, capsys):
    bad = tmp_path / "bad.asdf"
    bad.write_bytes(image.read_bytes()[:-5000])
    names = tmp_path / "names.txt"
    names.write_text(f"{bad}\n{image}\n")
    assert tool("get", "exposure.type", f"@{names}") == 3
    captured = capsys.readouterr()
    assert captured.out == f"{image}\tWFI_LOLO\n"
    assert captured.err.startswith(f"rt-get: {bad}: truncated")
    assert tool("get", "--fail-fast", "exposure.type", f"@{names}") == 3
    assert capsys.readouterr().out == ""


def test_what_is_no_question_is_a_usage_error(image, capsys):
    assert tool("get", ",", image) == 2
    assert tool("get", "--json", "--tsv", "exposure.type", image) == 2
    assert tool("get", "exposure.type") == 2


@pytest.mark.parametrize("name", ["get", "info"])
def test_only_the_header_is_read(name, image):
    words = ["exposure.type"] if name == "get" else []
    code = (
        "import sys\nfrom rtools.commands import rt; from rtools.commands.kit import entry\n"
        f"entry.run(rt.command_of({name!r}), {[*words, str(image)]!r})\nprint(*sys.modules, file=sys.stderr)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    assert not {"asdf", "numba", "astropy", "gwcs", "scipy", "pyarrow", "matplotlib"} & set(loaded)


def test_values_are_yaml_as_json_has_it():
    for text, value in {
        "5": 5,
        "1e-5": 1e-5,
        "-2.5": -2.5,
        "true": True,
        "": None,
        "null": None,
        "None": "None",
        "yes": "yes",
        "12:30:00": "12:30:00",
        "0012": "0012",
        "'5'": "5",
        "[1, [2, 3]]": [1, [2, 3]],
        "{a: 1}": {"a": 1},
        "2027-01-01": "2027-01-01",
        "a=b": "a=b",
    }.items():
        assert parse_assignment(f"exposure.x={text}") == ("exposure.x", value)


def test_bare_takes_off_every_tag():
    node = nodes.TaggedDict({"a": nodes.TaggedList([nodes.time("2027-01-01 00:00:00.000")], "x")}, "asdf://x/y-1.0.0")
    made = keys.bare(node)
    assert made == {"a": ["2027-01-01T00:00:00.000"]}
    assert type(made) is dict
    assert type(made["a"]) is list
    assert type(made["a"][0]) is str


def test_fits_files_are_asked_alike(image, tmp_path, capsys):
    path = tmp_path / "x_cal.fits"
    assert tool("fits", image, "-o", path, "--sip-error", "none", "-q") == 0
    capsys.readouterr()
    assert got(capsys, "instrument.detector", path) == ["WFI07"]
    assert got(capsys, "data.shape", path) == got(capsys, "data.shape", image)
    catalog = catalog_parquet(tmp_path / "x_cat")
    assert tool("table", catalog, "-o", tmp_path / "x_cat.fits") == 0
    capsys.readouterr()
    assert got(capsys, "exposure.nresultants,exposure.truncated,visit_id", tmp_path / "x_cat.fits", status=1) == [
        "exposure.nresultants\t3",
        "exposure.truncated\tfalse",
    ]


@pytest.mark.parametrize(
    ("make", "key", "told"),
    [
        (guide_file, "guide_star.gsc_id", "N5R2005564"),
        (guide_file, "t_start", guide_files.text(0)),
        (guide_file, "guide_window.max_track_ystop", "2040"),
        (guide_file, "track_data.signal_resultants.shape", "[112, 16, 16]"),
        (guide_file, "acq_data.pedestal_times.0", guide_files.text(0.072)),
        (face_file, "detector_gw_files.WFI06", GUIDE_NAME),
        (face_file, "fgs_modes_used.-1", "WIM_TRK"),
        (face_file, "face_data.fgs_op_phase.0", "WIM_ACQ_VW"),
    ],
)
def test_guide_windows_and_face_have_their_keys(make, key, told, tmp_path, capsys):
    assert got(capsys, key, make(tmp_path)) == [told]


def test_guide_windows_and_face_make_one_table(tmp_path, capsys):
    files = guide_file(tmp_path), face_file(tmp_path)
    lines = got(capsys, "--tsv", "guide_window_id,filename", *files)
    assert [line.split("\t")[-1] for line in lines[1:]] == [GUIDE_NAME, FACE_NAME]
    assert len({line.split("\t")[-2] for line in lines[1:]}) == 1
