"""rt-skymap: cells of files, positions and polygons; grids; the reference file and its comparison."""

import json

import numpy as np
import pytest

from rtools.mosaic.skymap import skymap
from rtools.mosaic.skymap import table as skymap_table
from rtools.products.io import writer
from rtools.products.mosaic import skycells
from tests.support.placed_images import image
from tests.support.runs import piped, tool
from tests.support.samples import arrays as sample_arrays
from tests.support.samples import meta as sample_meta
from tests.support.samples import wcs as sample_wcs

POINT = "270.3,65.99"


@pytest.fixture
def said(capsys):
    """``said(*words)``: the lines that the tool prints."""

    def run(*args, status=0):
        assert tool("skymap", *args) == status
        return capsys.readouterr().out.splitlines()

    return run


def test_cells_of_files(tmp_path, said):
    cell = skymap.parse_name("270p65x69y51")
    inside = image(tmp_path / "a_cal.asdf", place=skymap.center(cell))
    ra, dec = skymap.pixel_to_sky(cell, 4950.0, 2500.0)
    across = image(tmp_path / "b_coadd.asdf", kind="l3_coadd", place=(ra, dec))
    assert [line.split("\t")[:2] for line in said(inside, across)] == [
        [str(inside), "270p65x69y51"],
        [str(across), "270p65x69y51"],
        [str(across), "270p65x69y52"],
    ]
    assert said(across, inside, "--names") == ["270p65x69y51", "270p65x69y52"]


def test_lists_and_standard_input(tmp_path, said, monkeypatch):
    path = image(tmp_path / "a_cal.asdf")
    (tmp_path / "list").write_text(f"{path}\n")
    expected = said(path, "--names")
    assert said(f"@{tmp_path / 'list'}", "--names") == expected
    with piped(monkeypatch, path.read_bytes()) as printed:
        assert tool("skymap", "-", "--names") == 0
    assert printed.getvalue().decode().split() == expected


def test_a_position_has_its_cell_and_pixel(tmp_path, said):
    lines = [line.split("\t") for line in said("--radec", "18:00:43.250,+65:59:43.18", "--sky", "10.0 , 85")]
    cell = skymap.parse_name("270p65x69y51")
    ra, dec = skymap.center(cell)
    assert lines[0] == ["18:00:43.250,+65:59:43.18", "270p65x69y51", f"{ra:.8f}", f"{dec:.8f}", *lines[0][4:]]
    assert [float(text) for text in lines[0][4:6]] == pytest.approx([2499.5, 2499.5], abs=0.2)
    assert lines[0][6] == "yes"
    assert lines[1][1] == "000p86x32y62"
    (tmp_path / "places").write_text("# a list\n270.0 66.0 star\n10,85\n\n")
    assert [line.split("\t")[0] for line in said("--sky", f"@{tmp_path / 'places'}")][-1] == "10,85"


def test_a_position_in_the_overlap_has_one_primary_cell(said):
    cell = skymap.parse_name("270p65x69y51")
    ra, dec = skymap.pixel_to_sky(cell, 4899.0, 4899.0)
    told = json.loads("\n".join(said("--sky", f"{ra:.12f},{dec:.12f}", "--json")))
    found = {entry["name"]: entry for entry in told["cells"]}
    assert len(found) == 4
    assert [name for name, entry in found.items() if entry["primary"]] == ["270p65x69y51"]
    assert (found["270p65x70y52"]["x"], found["270p65x70y52"]["y"]) == pytest.approx((99, 99), abs=1e-4)


@pytest.mark.parametrize(
    "line",
    [
        "18 00 43.250 +65 59 43.18",
        "18 00 43.250, +65 59 43.18, 12.5",
        "18:00:43.250 +65:59:43.18",
        "270.180208 65.995328",
        "270.180208,65.995328 # bright",
        "270.180208\t65.995328\t+12\t13\t14\t15",
    ],
)
def test_forms_of_positions_in_lists(line, tmp_path, said):
    (tmp_path / "places").write_text(f"\n# RA Dec\n  {line}\n")
    (found,) = said("--sky", f"@{tmp_path / 'places'}")
    assert [float(text) for text in found.split("\t")[4:6]] == pytest.approx([2499.5, 2499.5], abs=0.2)


def test_polygons_in_a_list(tmp_path, said):
    (tmp_path / "fields").write_text(
        "# two\n270.18,65.99,270.19,65.99,270.18,66\n\nPOLYGON ICRS 10 85 10.01 85 10 85.001\n"
    )
    lines = said("--polygon", f"@{tmp_path / 'fields'}")
    assert [line.split("\t")[1] for line in lines] == ["270p65x69y51", "000p86x32y62"]


@pytest.mark.parametrize("pole", ["90", "-90"])
def test_a_pole_lies_in_one_cell(pole, said):
    found = {line.split("\t")[1]: line.split("\t") for line in said("--sky", f"77,{pole}")}
    (name,) = found
    assert name == {"90": "135p90x50y50", "-90": "225m90x50y50"}[pole]
    assert found[name][6] == "yes"
    assert len(said(name, "--neighbours")) == 8
    around = ",".join(f"{ra},{float(pole) * 0.9994}" for ra in range(0, 360, 30))
    assert len(said("--polygon", around)) == 9


def test_right_ascension_zero(said):
    expected = said("--polygon", "359.95,0.1,0.05,0.1,0.05,0.2,359.95,0.2", "--names")
    assert expected[0].startswith("000p00")
    assert said("--polygon", "-0.05,0.1,0.05,0.1,0.05,0.2,-0.05,0.2", "--names") == expected
    assert said("--polygon", "359.95,0.1,360.05,0.1,360.05,0.2,359.95,0.2", "--names") == expected


def test_the_primary_area_ends_where_that_of_the_region_does(said):
    (line,) = said("135p90x25y50", "--primary")
    fields = [float(text) for text in line.split("\t")[4:]]
    assert fields[-4:] == pytest.approx([0, 360, 88.20062575, 90])
    told = json.loads("\n".join(said("135p90x25y50", "--primary", "--json")))
    corners = np.array(told["cells"][0]["primary_corners"])
    assert fields[:8] == pytest.approx(corners.ravel())
    x, y = skymap.sky_to_pixel(skymap.parse_name("135p90x25y50"), *corners.T)
    assert np.stack([x, y], axis=1) == pytest.approx(
        np.array([[99.5, 99.5], [4899.5, 99.5], [4899.5, 4899.5], [99.5, 4899.5]]), abs=1e-5
    )


def test_a_polygon_may_be_an_s_region(said):
    corners = "270.1,65.95,270.3,65.95,270.3,66.03,270.1,66.03"
    lines = said("--polygon", corners, "--names")
    assert "270p65x69y51" in lines
    assert said("--polygon", f"POLYGON ICRS  {corners.replace(',', ' ')}", "--names") == lines


def test_grid_of_a_cell(said):
    (line,) = said("0p86x26y39", "--wcs", "--corners")
    fields = line.split("\t")
    assert fields[:2] == ["0p86x26y39", "000p86x26y39"]
    assert fields[7:9] == ["55299.5", "117699.5"]
    assert len(fields) == 4 + 9 + 8
    told = json.loads("\n".join(said("000p86x26y39", "--wcs", "--corners", "--json")))
    cell = skymap.parse_name("000p86x26y39")
    entry = told["cells"][0]
    assert entry["skycell_wcs_info"] == skymap.wcs_info(cell)
    assert entry["corners"] == skymap.corners(cell).tolist()
    assert entry["index"] == 1993
    assert entry["region_bounds"]["ra_min"] == -22.5


def test_neighbours_may_lie_in_another_region(said):
    assert len(said("270p65x50y50", "--neighbours")) == 8
    assert "135p86x75y50" in said("135p90x25y50", "--neighbours", "--names")


def test_on_a_terminal_nothing_is_wider_than_it(monkeypatch, capsys):
    from rtools.show import table

    monkeypatch.setattr(table.sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    assert tool("skymap", "270p65x69y51", "--wcs", "--corners") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["source", "cell"]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("135p90x81y50",), 3, "135p90x81y50: no such skycell"),
        (("--sky", "10"), 2, "'10' is not a position"),
        (("--sky", "10,95"), 2, "'10,95' is not a position"),
        (("--polygon", "1,2,3,4"), 2, "three corners"),
        (("--polygon", "1,2,3,4,5,x"), 2, "'x'"),
        (("--polygon", "0,0,90,0,180,0,270,0"), 3, "wider than"),
        (("missing.asdf",), 3, "missing.asdf: no such file"),
        (("135p90x25y50", "--write", "x.asdf"), 2, "one of --write"),
        (("135p90x25y50", "--names", "--wcs"), 2, "--names does not go"),
        (("--sky", "nan,10"), 2, "'nan,10' is not a position"),
        (("--polygon", "1,2,3,nan,5,6"), 3, "finite corners"),
        (("--write", "x.asdf", "--corners"), 2, "no options of cells"),
        (("--write", "-"), 2, "names a file"),
        (("--compare", "x", "--overwrite"), 2, "--overwrite is for --write"),
        (("--sky", "@/dev/null"), 2, "the list of --sky is empty"),
    ],
)
def test_each_bad_word_is_refused_in_one_line(words, status, text, capsys):
    assert tool("skymap", *words) == status
    captured = capsys.readouterr()
    assert text in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def test_raw_data_without_a_wcs_beside_them(tmp_path, capsys):
    meta = sample_meta("l1_uncal")
    path = tmp_path / "a_uncal.asdf"
    writer.write_product(path, "l1_uncal", meta, sample_arrays("l1_uncal"))
    assert tool("skymap", path) == 3
    assert "has no WCS; its _wcs file stands beside it" in capsys.readouterr().err


def test_a_reference_file_has_no_place_on_the_sky(tmp_path, capsys):
    regions = skymap_table.region_table()[:1]
    path = skycells.write_tables(tmp_path / "s.asdf", regions, [skymap_table.region_rows(0)], count=1985)
    assert tool("skymap", path) == 3
    assert "skycells has no place on the sky" in capsys.readouterr().err


def test_one_bad_input_among_good_ones(tmp_path, capsys):
    assert tool("skymap", "270p65x69y51", "nothing.asdf", "135p90x25y50", "--json") == 3
    captured = capsys.readouterr()
    told = [json.loads(line) for line in captured.out.splitlines()]
    assert [entry["input"] for entry in told] == ["270p65x69y51", "nothing.asdf", "135p90x25y50"]
    assert (told[1]["status"], told[1]["exit_code"], told[2]["status"]) == ("failed", 3, "done")


@pytest.fixture
def small_sky(monkeypatch):
    """The table of regions ends after three."""
    whole = skymap_table.region_table
    monkeypatch.setattr(skymap_table, "region_table", lambda: whole()[:3])


def test_the_tables_are_a_reference_file_that_others_open(small_sky, tmp_path, said, judge, capsys):
    path = tmp_path / "roman_wfi_skycells_0001.asdf"
    assert said("--write", path) == [str(path)]
    regions, cells = skycells.read_tables(path)
    assert (len(regions), len(cells)) == (3, regions["skycell_end"][-1])
    verdict = judge("1.1.0", [path])[str(path)]
    assert (verdict["ok"], verdict.get("model")) == (True, "SkycellsRefModel")
    assert said("--compare", path) == []
    assert tool("skymap", "--write", path) == 1
    assert "exists already" in capsys.readouterr().err
    assert json.loads("\n".join(said("--write", path, "--overwrite", "--json"))) == {"output": str(path)}


def test_comparison_with_a_file_that_differs(tmp_path, said):
    regions = skymap_table.region_table()[:2]
    cells = np.concatenate([skymap_table.region_rows(region) for region in (0, 1)])
    cells["x_tangent"][2000] += 1
    path = skycells.write_tables(tmp_path / "s.asdf", regions, [cells], count=len(cells))
    assert said("--compare", path, status=1) == ["region 1: places (x_tangent) differ by up to 1 pixels"]
    told = json.loads("\n".join(said("--compare", path, "--json", status=1)))
    assert (told["cells"], told["regions"], told["missing"]) == (3986, 2, 4056)


def test_comparison_of_sizes_and_length(tmp_path, said, monkeypatch):
    whole = skymap_table.region_table()
    monkeypatch.setattr(skymap_table, "region_table", lambda: whole[:1])
    rows = skymap_table.region_rows(0)
    path = skycells.write_tables(
        tmp_path / "s.asdf", whole[:1], [rows, rows[:2]], count=1987, meta={"nxy_skycell": 5001}
    )
    assert said("--compare", path, status=1) == ["meta.nxy_skycell is 5001, not 5000", "1987 cells, not 1985"]


def test_compare_wants_a_skycells_file(tmp_path, capsys):
    assert tool("skymap", "--compare", image(tmp_path / "a_cal.asdf")) == 3
    assert "wanted reference" in capsys.readouterr().err


def test_a_wcs_file(tmp_path, said):
    wcs = sample_wcs()
    wcs.bounding_box = ((-0.5, 99.5), (-0.5, 99.5))
    path = tmp_path / "a_wcs.asdf"
    writer.write_product(path, "wcs", sample_meta("wcs"), {}, extra={"wcs_l1": wcs, "wcs_l2": wcs})
    assert said(path, "--names") == ["270p65x69y50"]
