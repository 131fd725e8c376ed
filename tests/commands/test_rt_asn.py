"""rt-asn, and reading what associations say: plain, by skycell, multiband; checks."""

import json
from pathlib import Path

import pytest

from rtools.errors import InputError, UsageError
from rtools.mosaic.skymap import grouping, skymap
from rtools.mosaic.skymap.grouping import DetectorImage
from rtools.products.mosaic.association import (
    AssociationMember,
    make_association,
    problems,
    read_association,
    science_members,
    tweakreg_catalogs,
)
from rtools.products.names.parsing import parse
from tests.support.placed_images import image
from tests.support.runs import piped, retouched, tool

KEYS = [
    "asn_type", "asn_rule", "code_version", "degraded_status", "program", "data_release_id", "version_id", "target",
    "constraints", "asn_id", "asn_pool", "skycell_wcs_info", "products",
]  # fmt: skip

CELL = skymap.parse_name("270p65x69y51")
VISIT = "0000101001001001"
MOSAIC = "r00001_r1_full_270p65x69y51_f158"


def asn(*words, status=0):
    assert tool("asn", *words) == status


@pytest.fixture
def written(tmp_path, monkeypatch, capsys):
    """``written(*words)``: path and content of each association that rt-asn writes, working in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        capsys.readouterr()
        asn(*words)
        return {path: json.loads(Path(path).read_text()) for path in capsys.readouterr().out.splitlines()}

    return run


def members(content):
    return [member["expname"] for member in content["products"][0]["members"]]


def test_a_plain_association_has_its_members_once(written):
    again = ("b_cal.asdf", "./b_cal.asdf", "x/../b_cal.asdf")
    found = written("b_cal.asdf", "a_cal.asdf", "/data/c_cal.asdf", *again, "--product-name", "field")
    content = found["field_asn.json"]
    assert list(content) == KEYS
    assert content["products"][0]["name"] == "field"
    assert members(content) == ["b_cal.asdf", "a_cal.asdf", "/data/c_cal.asdf"]
    assert {member["exptype"] for member in content["products"][0]["members"]} == {"science"}
    assert (content["target"], content["skycell_wcs_info"], content["program"]) == ("None", "none", "noprogram")
    assert not Path("field_asn.json").read_text().endswith("\n")


def test_plain_in_another_directory(written):
    Path("out").mkdir()
    found = written("x/a_cal.asdf", "out/b_cal.asdf", "-o", "out/f_asn.json", "--catalogs", "--psf-match", "F184")
    content = found["out/f_asn.json"]
    assert content["products"][0]["name"] == "f"
    assert members(content) == ["../x/a_cal.asdf", "b_cal.asdf"]
    assert [member["tweakreg_catalog"] for member in content["products"][0]["members"]] == [
        "../x/a_cat.parquet",
        "b_cat.parquet",
    ]
    assert list(content) == [*KEYS[:-1], "psf_match_reference_filter", "products"]
    read = read_association("out/f_asn.json")
    assert [Path(member.path).resolve() for member in read.members] == [
        Path("x/a_cal.asdf").resolve(),
        Path("out/b_cal.asdf").resolve(),
    ]
    assert read.psf_match_reference_filter == "F184"
    assert len(tweakreg_catalogs("out/f_asn.json")) == 2


def test_lists_on_standard_input(written, monkeypatch):
    Path("list").write_text("a_cal.asdf\nb_cal.asdf\n")
    assert members(written("@list", "--product-name", "f")["f_asn.json"]) == ["a_cal.asdf", "b_cal.asdf"]
    with piped(monkeypatch, b"d_cal.asdf\nc_cal.asdf\n") as printed:
        asn("-", "-o", "-", "--product-name", "g")
    assert members(json.loads(printed.getvalue())) == ["d_cal.asdf", "c_cal.asdf"]


def test_target_that_is_a_cell_brings_its_grid(written):
    content = written("a_cal.asdf", "--product-name", "f", "--target", "270p65x69y51", "--release", "r1")["f_asn.json"]
    assert content["skycell_wcs_info"] == skymap.wcs_info(CELL)
    assert (content["target"], content["data_release_id"]) == ("270p65x69y51", "r1")
    assert read_association("f_asn.json").skycell_wcs_info == skymap.wcs_info(CELL)
    content = written("a_cal.asdf", "--product-name", "g", "--target", "M31")["g_asn.json"]
    assert (content["target"], content["skycell_wcs_info"]) == ("M31", "none")


def exposures():
    """Three visits of two passes, two filters, two cells."""
    near = CELL._replace(column=CELL.column + 1)
    far = CELL._replace(region=0)
    return [
        DetectorImage("a", f"{VISIT}002", "f158", (CELL, near)),
        DetectorImage("b", f"{VISIT}001", "f158", (near,)),
        DetectorImage("c", f"{VISIT}001", "f106", (near, far)),
        DetectorImage("d", "0000101002001001001", "f158", (near,)),
        DetectorImage("e", f"{VISIT}002", "f158", ()),
    ]


def test_groups_by_visit():
    found = grouping.by_skycell(exposures())
    assert [(group.subset, group.cell, group.element, group.files) for group in found] == [
        ("v01001001001002", "270p65x69y51", "f158", ("a",)),
        ("v01001001001002", "270p65x69y52", "f158", ("a",)),
        ("v01001001001001", skymap.name_of(CELL._replace(region=0)), "f106", ("c",)),
        ("v01001001001001", "270p65x69y52", "f158", ("b",)),
        ("v01001001001001", "270p65x69y52", "f106", ("c",)),
        ("v01002001001001", "270p65x69y52", "f158", ("d",)),
    ]


def test_groups_by_pass_and_program():
    passes = {(group.subset, group.cell, group.element): group.files
              for group in grouping.by_skycell(exposures(), "pass", "r1")}  # fmt: skip
    assert passes["s01001", "270p65x69y52", "f158"] == ("a", "b")
    assert passes["s01002", "270p65x69y52", "f158"] == ("d",)
    full = {(group.subset, group.cell, group.element): group.files
            for group in grouping.by_skycell(exposures(), "full", "r1-deep")}  # fmt: skip
    assert full["full", "270p65x69y52", "f158"] == ("a", "b", "d")
    for product_type, release in (("visit", "r1"), ("pass", "p"), ("full", "p")):
        with pytest.raises(UsageError):
            grouping.by_skycell([], product_type, release)


@pytest.fixture
def files(tmp_path):
    """Images of two visits in the middle of a cell and across its border, a spectrum, and one of another name."""
    middle = skymap.center(CELL)
    border = skymap.pixel_to_sky(CELL, 4950.0, 2500.0)
    base = f"r{VISIT}"
    f158 = {"instrument.optical_element": "F158"}
    return [
        image(tmp_path / f"{base}002_0001_wfi01_f158_cal.asdf", place=border, change=f158),
        image(tmp_path / f"{base}001_0001_wfi01_f158_cal.asdf", place=middle, change=f158),
        image(tmp_path / "mine.asdf", place=middle, change=f158 | {"observation.visit_id": f"{VISIT}001"}),
        image(
            tmp_path / f"{base}001_0002_wfi01_grism_cal.asdf", place=middle, change={"exposure.type": "WFI_SPECTRAL"}
        ),
    ]


def test_each_skycell_and_visit_gets_an_association(files, written, capsys):
    found = written("--skycell", *[path.name for path in files])
    assert [(path, members(content)) for path, content in found.items()] == [
        ("r00001_p_v01001001001002_270p65x69y51_f158_asn.json", [files[0].name]),
        ("r00001_p_v01001001001002_270p65x69y52_f158_asn.json", [files[0].name]),
        ("r00001_p_v01001001001001_270p65x69y51_f158_asn.json", [files[1].name, "mine.asdf"]),
    ]
    content = found["r00001_p_v01001001001002_270p65x69y52_f158_asn.json"]
    assert (content["asn_type"], content["program"], content["target"]) == ("image", "00001", "270p65x69y52")
    assert content["skycell_wcs_info"] == skymap.wcs_info(skymap.parse_name("270p65x69y52"))
    asn("--check", *found)
    assert "no name of the archive" not in capsys.readouterr().err


def test_spectra_are_left_out_with_a_warning(files, capsys):
    asn("--skycell", *files, "--dry-run")
    captured = capsys.readouterr()
    assert "grism_cal.asdf: WFI_SPECTRAL, left out" in captured.err
    assert [line.split()[0] for line in captured.out.splitlines()] == ["1", "1", "2"]
    asn("--skycell", files[3], status=3)
    assert "no image of the sky" in capsys.readouterr().err


def test_exposures_of_other_types_that_show_the_sky_belong_to_mosaics(tmp_path, capsys):
    types = {"observation.visit_id": f"{VISIT}001", "exposure.type": "WFI_LOLO"}
    asn("--skycell", image(tmp_path / "x_cal.asdf", place=skymap.center(CELL), change=types), "--dry-run")
    assert capsys.readouterr().out.startswith("1 members")


def test_an_image_that_does_not_say_its_filter(tmp_path, capsys):
    whole = image(tmp_path / "x_cal.asdf", place=skymap.center(CELL))
    path = retouched(whole, tmp_path / "y_cal.asdf", b"optical_element:", b"optical_elephant:"[:-2] + b":")
    asn("--skycell", path, status=3)
    assert "metadata missing: meta.instrument.optical_element" in capsys.readouterr().err


def test_one_cell_of_a_program(files, written):
    words = ("--product-type", "full", "--release", "r1", "--cell", "270p65x69y51", "--outdir", "made")
    found = written(*[path.name for path in files[:3]], *words)
    assert {path: members(content) for path, content in found.items()} == {
        "made/r00001_r1_full_270p65x69y51_f158_asn.json": [f"../{path.name}" for path in files[:3]]
    }


def test_a_subset_stands_in_the_name(files, written):
    words = ("--subset", "2", "--release", "r1", "--cell", "270p65x69y51")
    found = written(*[path.name for path in files[:3]], *words)
    assert {path: members(content) for path, content in found.items()} == {
        "r00001_r1_s2_270p65x69y51_f158_asn.json": [path.name for path in files[:3]]
    }
    asn("--check", *found)


def test_an_association_stands_for_its_members(files, written):
    found = written("--skycell", "--cell", "270p65x69y51", *[path.name for path in files[:3]])
    again = written(*found, "--skycell", "--cell", "270p65x69y52", "--outdir", "x")
    assert [members(content) for content in again.values()] == [[f"../{files[0].name}"]]
    plain = written(*found, files[0].name, "other_cal.asdf", "--product-name", "all")
    assert members(plain["all_asn.json"]) == [*[path.name for path in files[:3]], "other_cal.asdf"]


def test_members_are_listed_beside_their_association(tmp_path, capsys):
    entries = ({"expname": "a.asdf"}, {"expname": "/x/b.asdf", "exptype": "background"}, {"expname": "c.asdf"})
    path = saved(tmp_path / "x_asn.json", products=product(*entries), program="00001")
    asn("--members", path)
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "a.asdf"), str(tmp_path / "c.asdf")]
    asn("--members", path, tmp_path / "none_asn.json", "--json", status=3)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["file"], first["name"], first["program"]) == (str(path), "f", "00001")
    assert [member["exptype"] for member in first["members"]] == ["science", "background", "science"]
    assert second["exit_code"] == 3


def test_coadds_of_one_cell_and_subset_go_together(written):
    names = [f"r00001_r1_{subset}_270p65x69y51_{element}_coadd.asdf"
             for element in ("f158", "f106") for subset in ("full", "s01001")]  # fmt: skip
    found = written("--multiband", *names)
    assert {path: members(content) for path, content in found.items()} == {
        "r00001_r1_full_270p65x69y51_asn.json": names[::2],
        "r00001_r1_s01001_270p65x69y51_asn.json": names[1::2],
    }
    content = found["r00001_r1_full_270p65x69y51_asn.json"]
    assert (content["data_release_id"], content["target"]) == ("r1", "270p65x69y51")
    for path in found:
        assert parse(path).kind == "association"


def test_prompt_coadds_need_a_name(written, capsys):
    names = [f"r00001_p_v01001001001001_270p65x69y51_{element}_coadd.asdf" for element in ("f158", "f106")]
    asn("--multiband", *names, status=2)
    assert "give --product-name" in capsys.readouterr().err
    assert members(written("--multiband", *names, "--product-name", "both")["both_asn.json"]) == names


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("a_cal.asdf",), 2, "has no name"),
        (("--skycell", "--multiband", "a"), 2, "exclude each other"),
        (("--skycell", "a", "--target", "M31"), 2, "--target"),
        (("--skycell", "a", "--product-name", "x"), 2, "--product-name"),
        (("--product-type", "pass", "a_cal.asdf"), 2, "made of visits"),
        (("--skycell", "missing_cal.asdf"), 3, "no such file"),
        (("--cell", "135p90x81y50", "a_cal.asdf"), 3, "no such skycell"),
        (("--multiband", "a_coadd.asdf"), 3, "not a name of a coadd"),
        (("--multiband", f"a/{MOSAIC}_coadd.asdf", f"b/{MOSAIC}_coadd.asdf"), 3, "same filter"),
        (("--multiband", f"{MOSAIC}_coadd.asdf", "--psf-match", "f106"), 2, "no coadd is in this filter"),
        (("a_cal.asdf", "--product-name", "f", "--psf-match", "f185"), 2, "not a valid filter"),
        (("a_cal.asdf", "--subset", "2", "--product-type", "pass", "--release", "r1"), 2, "whole program"),
        (("a_cal.asdf", "--subset", "2"), 2, "made of visits"),
        (("--members", "a_asn.json"), 3, "no such file"),
        (("--members", "--check", "a_asn.json"), 2, "exclude each other"),
        (("none_asn.json", "--product-name", "f"), 3, "no such file"),
        (("--check", "a_asn.json", "--catalogs"), 2, "--catalogs is for associations that are made"),
        (("--members", "a_asn.json", "--release", "r1"), 2, "--release is for associations that are made"),
        (("--check", "a_asn.json", "-o", "x.json"), 2, "--output is for associations that are made"),
        (("--skycell", "a_cal.asdf", "--psf-match", "f158"), 2, "--psf-match is for multiband"),
        (("--multiband", f"{MOSAIC}_coadd.asdf", "--catalogs"), 2, "--catalogs is for the alignment"),
        (("a_cal.asdf", "--product-name", "f", "--release", "first"), 2, "not a valid data release"),
        ((f"r{VISIT}001_0001_wfi01_f158_cal.asdf", f"r{VISIT}001_0001_wfi01_f158_uncal.asdf", "--product-name", "x"), 3,
         "several levels"),
        (("a_cal.asdf", "--product-name", "f", "--target", "270p65x01y51"), 3, "no such skycell"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_and_nothing_written(words, status, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asn(*words, status=status)
    assert text in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(written, capsys):
    written("a_cal.asdf", "--product-name", "f")
    asn("b_cal.asdf", "--product-name", "f", status=1)
    assert "exists already" in capsys.readouterr().err
    assert members(written("b_cal.asdf", "--product-name", "f", "--overwrite")["f_asn.json"]) == ["b_cal.asdf"]


def test_nothing_is_written_if_one_image_fails(files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asn("--skycell", files[0], "missing.asdf", files[1], status=3)
    assert "nothing is written" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.json"))


def test_no_image_touches_the_cell(files, capsys):
    asn("--skycell", files[0], "--cell", "135p90x50y50", status=3)
    assert "no image touches" in capsys.readouterr().err


def saved(path, **keys):
    """An association of one member with other keys."""
    content = make_association("f", [AssociationMember("a_cal.asdf")]) | keys
    path.write_text(json.dumps(content))
    return path


def product(*entries, name="f"):
    return [{"name": name, "members": list(entries)}]


def test_members_are_read_with_their_types_and_groups(tmp_path):
    entries = (
        {"expname": "a.asdf", "exptype": "SCIENCE", "group_id": "g1"},
        {"expname": "/x/b.asdf", "exptype": "background", "tweakreg_catalog": "c.parquet"},
        {"expname": "c.asdf"},
    )
    path = saved(tmp_path / "x_asn.json", target="none", products=product(*entries) + product({"expname": "z"}))
    found = read_association(path)
    assert (found.name, found.target, found.skycell_wcs_info, found.products) == ("f", None, None, 2)
    assert found.members == (
        AssociationMember(str(tmp_path / "a.asdf"), "science", "g1"),
        AssociationMember("/x/b.asdf", "background", None, str(tmp_path / "c.parquet")),
        AssociationMember(str(tmp_path / "c.asdf")),
    )
    assert [member.path for member in found.science] == [str(tmp_path / "a.asdf"), str(tmp_path / "c.asdf")]
    said = []
    assert science_members(path, lambda *line: said.append(line)) == [member.path for member in found.science]
    assert said == [("warning", f"{path}: only the first of its 2 products counts")]
    assert read_association(saved(path, target=None)).target is None


BROKEN = {
    "no products": {"products": []},
    "no members": {"products": [{"name": "f"}]},
    "no expname": {"products": product({"exptype": "science"})},
    "a number": {"products": product({"expname": 3})},
    "exptype": {"products": product({"expname": "a", "exptype": None})},
    "target": {"target": 5},
    "grid": {"skycell_wcs_info": {"name": "x"}},
    "grid text": {"skycell_wcs_info": "some"},
}


@pytest.mark.parametrize("keys", BROKEN.values(), ids=BROKEN)
def test_a_broken_association_is_refused_and_found_by_check(tmp_path, keys, capsys):
    path = saved(tmp_path / "f_asn.json", **keys)
    with pytest.raises(InputError):
        read_association(path)
    (tmp_path / "a_cal.asdf").touch()
    assert tool("asn", "--check", path) == 1
    assert capsys.readouterr().err


def test_problems_of_what_is_no_association():
    assert problems([]) and problems("x") and problems({}) and problems({"products": [3]})
    assert problems(make_association("f", [AssociationMember("a")])) == []


def test_check_of_members_whose_names_say_no_program(tmp_path, capsys):
    entries = ({"expname": "roman_wfi_flat_0001.asdf"}, {"expname": f"r00002{VISIT[5:]}001_0001_wfi01_f158_cal.asdf"})
    path = saved(tmp_path / "f_asn.json", program="00001", products=product(*entries))
    asn("--check", path, status=1)
    assert "its program is 00001, members are of 00002\n" in capsys.readouterr().err


def test_check_finds_what_is_wrong_with_members(tmp_path, capsys):
    (tmp_path / "a_cal.asdf").touch()
    path = saved(tmp_path / "f_asn.json")
    asn("--check", path)
    assert "not a name of the archive's" in capsys.readouterr().err
    asn("--check", path, "-q")
    assert capsys.readouterr().err == ""
    grid = skymap.wcs_info(CELL) | {"x0_projection": 0.0}
    twice = product({"expname": "a_cal.asdf"}, {"expname": "a_cal.asdf"}, {"expname": "b_cal.asdf"})
    asn("--check", saved(path, products=twice, skycell_wcs_info=grid), "--json", status=1)
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert [text.split("/")[-1] for text in told["errors"]] == [
        "a_cal.asdf is listed 2 times",
        "b_cal.asdf is not there",
    ]
    assert "skycell_wcs_info: x0_projection is 0.0, the skymap says -2300.5" in told["warnings"]
    assert len(captured.err.splitlines()) == len(told["errors"]) + len(told["warnings"])


def test_check_compares_names(tmp_path, capsys):
    root = "r00001_p_v01001001001001_270p65x69y51_f158"
    names = [f"r{VISIT}001_0001_wfi01_f158_cal.asdf", f"r{VISIT}001_0001_wfi02_f106_cal.asdf"]
    for name in names:
        (tmp_path / name).touch()
    entries = product(*[{"expname": name} for name in names], name=root)
    asn("--check", saved(tmp_path / f"{root}_asn.json", products=entries, program="00002", target="270p65x69y52"))
    said = capsys.readouterr().err
    assert "its program is 00002, its product's name says 00001" in said
    assert "its skycell is 270p65x69y52, its product's name says 270p65x69y51" in said
    assert "members of several elements: f106 f158" in said
    (tmp_path / names[0].replace("cal", "uncal")).touch()
    mixed = product({"expname": names[0]}, {"expname": names[0].replace("cal", "uncal")}, name=root)
    asn("--check", saved(tmp_path / f"{root}_asn.json", products=mixed), status=1)
    assert "members of several levels: L1 L2" in capsys.readouterr().err


def test_check_of_what_cannot_be_read(tmp_path, capsys):
    (tmp_path / "x_asn.json").write_text("{")
    asn("--check", tmp_path / "x_asn.json", tmp_path / "none_asn.json", status=3)
    assert len(capsys.readouterr().err.splitlines()) == 2
