"""rt-ls: a manifest from headers; cones, times, conditions, pictures and coverage maps."""

import os
import shutil
import time

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.time import Time
from astropy_healpix import HEALPix, uniq_to_level_ipix

from rtools.products.io.glimpse import glimpse
from rtools.products.io.header import read_header
from rtools.products.manifest import manifest_row
from rtools.products.schema.keys import bare
from rtools.wfi.sphere import positions_of, unit_vectors
from rtools.wfi.sphere_regions import healpix_cover, parse_region, region_distances
from tests.support import jwst_files
from tests.support.placed_images import image
from tests.support.runs import records, tool

SQUARE = (np.array([10.1, 10.0, 10.0, 10.1]), np.array([20.0, 20.0, 20.1, 20.1]))


def region(ra, dec, size=0.01):
    half = size / 2
    corners = (ra - half, dec - half, ra + half, dec - half, ra + half, dec + half, ra - half, dec + half)
    return "POLYGON ICRS  " + " ".join(f"{value:.9f}" for value in corners)


@pytest.fixture
def night(tmp_path):
    """Two images and a file that is none, one below the other."""
    (tmp_path / "night" / "below").mkdir(parents=True)
    for name, ra, day in (("a_cal", 10.0, 1), ("below/b_cal", 30.0, 2)):
        change = {"wcsinfo.s_region": region(ra, 20.0), "exposure.start_time": Time(f"2027-01-0{day}T00:00:00.000")}
        image(tmp_path / "night" / f"{name}.asdf", place=(ra, 20.0), size=32, change=change)
    (tmp_path / "night" / "broken_cal.asdf").write_bytes(b"#ASDF 1.0.0\n%YAML 1.1\n")
    return tmp_path / "night"


def listed(capsys, *words, status=0):
    assert tool("ls", *words, "--json", "-q") == status
    return [row for record in records(capsys.readouterr().out) for row in record["rows"]]


def test_every_file_below_a_directory_is_a_row(night, capsys):
    rows = listed(capsys, night)
    assert [row["file"] for row in rows] == [f"{night}/{name}_cal.asdf" for name in ("a", "broken", "below/b")]
    first, broken, last = rows
    assert (first["root"], first["product"], first["status"]) == ("a", "cal", "ok")
    assert (first["ra"], first["dec"]) == pytest.approx((10, 20), abs=1e-4)
    assert last["start"].startswith("2027-01-02")
    assert "truncated" in broken["status"]


def test_files_are_chosen_by_place_time_and_condition(night, capsys):
    assert [row["root"] for row in listed(capsys, night, "--cone", "10.004,20,1")] == ["a"]
    assert listed(capsys, night, "--cone", "10.006,20,1") == []
    assert [row["root"] for row in listed(capsys, night, "--cone", "10.006,20,10arcsec")] == ["a"]
    assert [row["root"] for row in listed(capsys, night, "--time", "2027-01-02,")] == ["b"]
    assert [row["root"] for row in listed(capsys, night, "--time", "2027-01-01,2027-01-02")] == ["a"]
    assert [row["root"] for row in listed(capsys, night, "--where", "ra > 20")] == ["b"]
    assert [row["root"] for row in listed(capsys, night, "--where", "status == 'ok'", "--sort=-start")] == ["b", "a"]


def test_spans_take_offsets_from_utc(night, capsys):
    for span in ("2027-01-02T01:00:00+01:00,", "2027-01-01T19:00-05:00,", "2027-01-02T00:00:00Z,", "2027:002,"):
        assert [row["root"] for row in listed(capsys, night, "--time", span)] == ["b"], span
    assert listed(capsys, night, "--time", "2027-01-02T00:00:00-01:00,") == []


def test_a_start_with_an_offset_is_told_in_utc(tmp_path, capsys):
    from tests.support.runs import retouched

    path = image(tmp_path / "a_cal.asdf", change={"exposure.start_time": Time("2027-01-01T00:30:00.000")})
    retouched(path, tmp_path / "b_cal.asdf", b"2027-01-01T00:30:00.000", b"2027-01-01T00:30+01:00 ")
    assert [row["start"][:16] for row in listed(capsys, tmp_path / "b_cal.asdf")] == ["2026-12-31T23:30"]


def test_a_symbolic_link_to_nothing_does_not_end_the_list(night, capsys):
    (night / "c_cal.asdf").symlink_to(night / "gone_cal.asdf")
    os.mkfifo(night / "d_cal.asdf")
    rows = {row["root"]: row["status"] for row in listed(capsys, night)}
    assert (rows["a"], rows["b"], rows["d"]) == ("ok", "ok", "not a file")
    assert rows["c"] == "a symbolic link to a file that is not there"
    rows = listed(capsys, night / "c_cal.asdf", night / "a_cal.asdf", status=3)
    assert [row["status"] == "ok" for row in rows] == [False, True]


def test_cones_of_many_footprints_are_those_of_each():
    rng = np.random.default_rng(5)
    around = [(10 + rng.normal(0, 0.1, n), 20 + rng.normal(0, 0.1, n)) for n in (3, 4, 4, 5, 4)]
    together = region_distances([*around, None], 10.2, 20.2)
    assert together[:-1].tolist() == [region_distances([one], 10.2, 20.2)[0] for one in around]
    assert np.isnan(together[-1])


def test_a_manifest_is_written_as_a_table_and_drawn(night, tmp_path):
    assert tool("ls", night, "-o", tmp_path / "night.csv", "-q") == 0
    assert len((tmp_path / "night.csv").read_text().splitlines()) == 4
    assert tool("ls", night, "--plot", tmp_path / "night.png", "-q") == 0
    assert (tmp_path / "night.png").read_bytes().startswith(b"\x89PNG")


def test_neither_table_nor_map_is_left_where_the_picture_cannot_be_written(night, tmp_path):
    words = ("-o", tmp_path / "a.csv", "--moc", tmp_path / "a.fits", "--plot", tmp_path / "nowhere" / "a.png")
    before = sorted(tmp_path.iterdir())
    assert tool("ls", night, *words) != 0
    assert sorted(tmp_path.iterdir()) == before


def test_the_coverage_map_has_the_cells_of_the_footprints(night, tmp_path):
    assert tool("ls", night, "--moc", tmp_path / "night.fits", "--moc-order", 16, "-q") == 0
    with fits.open(tmp_path / "night.fits") as hdus:
        header, numbers = hdus[1].header, np.array(hdus[1].data["UNIQ"])
    assert (header["ORDERING"], header["COORDSYS"], header["MOCORD_S"]) == ("NUNIQ", "C", 16)
    levels, _cells = uniq_to_level_ipix(numbers)
    area = (4 * np.pi / 12 / 4.0**levels).sum()
    assert area == pytest.approx(2 * np.radians(0.01) ** 2 * np.cos(np.radians(20)), rel=0.5)


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("--cone", "1,2"), 2, "RA,DEC,RADIUS is one"),
        (("--cone", "1,2,3pix"), 2, "in pixels"),
        (("--time", "yesterday"), 2, "T1,T2 expected"),
        (("--time", "2027-01-02,2027-01-01"), 2, "not later"),
        (("--moc", "-"), 2, "not standard output"),
        (("--where", "nonsense > 1"), 3, "nonsense"),
        (("nothing",), 3, "nothing: no such file"),
    ],
)
def test_what_cannot_be_asked_is_one_line(words, status, text, night, capsys):
    assert tool("ls", night / "a_cal.asdf", *words) == status
    told = capsys.readouterr()
    assert text in told.err
    assert len(told.err.splitlines()) == 1


def test_files_of_jwst_and_catalogs_are_rows(tmp_path, product, capsys):
    jwst_files.made(tmp_path, "rate")
    shutil.copy(product("cat").with_suffix(".parquet"), tmp_path)
    catalog, rate = sorted(listed(capsys, tmp_path), key=lambda row: row["product"])
    assert (catalog["detector"], catalog["element"], catalog["type"]) == ("WFI01", "F158", "WFI_IMAGE")
    assert (rate["product"], rate["detector"], rate["type"]) == ("rate", "NRCA1", "NRC_IMAGE")


def test_a_glimpse_says_what_the_whole_tree_says(product):
    for suffix in ("cal", "uncal", "segm"):
        path, blocks = product(suffix), ("exposure", "instrument", "wcsinfo", "cal_step")
        whole = bare(read_header(path)[0])["roman"]["meta"]
        assert glimpse(path, blocks) == {key: whole[key] for key in blocks if key in whole}


def test_a_thousand_headers_take_seconds(product):
    path = str(product("cal"))
    manifest_row(path)
    start = time.process_time()
    for _ in range(50):
        manifest_row(path)
    assert (time.process_time() - start) / 50 < 0.02  # 5 ms and less, with room for a busy machine


@pytest.mark.parametrize(
    ("place", "distance"),
    [((10.05, 20.05), 0), ((10.05, 20.2), 0.1), ((10.2, 20.2), None), ((9.9, 20.05), 0.1 * np.cos(np.radians(20.05)))],
)
def test_distances_from_a_polygon(place, distance):
    expected = float(np.hypot(0.1 * np.cos(np.radians(20.15)), 0.1)) if distance is None else distance
    assert region_distances([SQUARE, None], *place)[0] == pytest.approx(expected, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(("ra", "dec"), [(10.0, 20.0), (0.0, -5.0), (40.0, 89.9)])
def test_cells_of_a_polygon_are_those_that_have_its_positions(ra, dec):
    centre = unit_vectors(ra, dec)
    east = np.cross([0, 0, 1], centre)
    north = np.cross(centre, east)

    def around(*places):
        return positions_of(np.array([centre + 0.003 * (x * east + y * north) for x, y in places]))

    found = healpix_cover([around((-1, -1), (1, -1), (1, 1), (-1, 1))], 9)
    deep = {level: 2 * (9 - level) for level in found}
    cells = {int(cell) << deep[level] | child for level in found for cell in found[level]
             for child in range(1 << deep[level])}  # fmt: skip
    inside = around(*((x, y) for x in (-0.9, 0, 0.9) for y in (-0.9, 0, 0.9)))
    grid = HEALPix(nside=512, order="nested")
    assert set(grid.lonlat_to_healpix(inside[0] * units.deg, inside[1] * units.deg).tolist()) <= cells


def test_only_polygons_are_regions():
    assert parse_region("CIRCLE ICRS 1 2 3") is None
    assert parse_region("") is None
    assert parse_region("POLYGON ICRS  1 2 3") is None
    assert parse_region(region(1, 2))[0] == pytest.approx([0.995, 1.005, 1.005, 0.995])
