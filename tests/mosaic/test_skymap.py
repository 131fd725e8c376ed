"""The skymap: tessellation, names, positions, matching, tables; numbers are those that the mission has published
and those of the tables shipped with its tools."""

from time import perf_counter

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.mosaic.grid.footprint import footprint, outline
from rtools.mosaic.skymap import projection, skymap
from rtools.mosaic.skymap import table as skymap_table
from rtools.mosaic.skymap.agreement import disagreements
from rtools.mosaic.skymap.match import cells_touching, neighbours
from rtools.mosaic.skymap.projection import PIXEL_SCALE
from rtools.mosaic.skymap.skymap import Cell
from rtools.products.mosaic import skycells

REGIONS = {
    0: (135, 90, "135p90", 0, 1985),
    1: (0, 86.40080763, "000p86", 1985, 3986),
    10: (22.5, 82.79805845, "022p83", 19994, 21995),
    211: (270, 64.60237301, "270p65", 419567, 421550),
    2188: (10.384615, -5.88684214, "010m06", 4341798, 4343757),
    4057: (225, -90, "225m90", 8043049, 8045034),
}

CELLS = {
    "135p90x25y50": (135.0, 88.167291970521, 2499.5, 122499.5),
    "135p90x25y49": (132.70938995736145, 88.16582739076597, 7299.5, 122499.5),
    "000p86x26y39": (351.4308912229274, 84.58122443128516, 55299.5, 117699.5),
    "022p83x28y33": (14.4218941031, 81.0982166837, 84099.5, 108099.5),
}


def square(ra, dec, side, turn=0.0):
    """Corners of a square of `side` pixels about a position."""
    corners = np.array([-1 - 1j, 1 - 1j, 1 + 1j, -1 + 1j]) * side / 2 * np.exp(1j * turn)
    ra, dec = projection.plane_to_sky(corners.real, corners.imag, ra, dec)
    return ra % 360, dec


def names(cells):
    return [skymap.name_of(cell) for cell in cells]


def test_the_whole_sky_has_its_regions_and_cells():
    table = projection.regions()
    assert (len(table.ring), table.start[-1]) == (4058, 8045034)
    assert table.dec_min[0] == pytest.approx(88.20062574551088, abs=1e-12)
    assert table.dec_tangent[table.ring == 13] == pytest.approx(41.810314895778596, abs=1e-12)
    cells = np.diff(table.start)
    assert (cells.min(), np.median(cells), cells.max()) == (1927, 1983, 2021)
    assert len({projection.prefix(region) for region in range(4058)}) == 4058


@pytest.mark.parametrize("region", REGIONS)
def test_regions_are_the_published_ones(region):
    ra, dec, prefix, start, end = REGIONS[region]
    table = projection.regions()
    assert (table.ra_tangent[region], table.dec_tangent[region]) == pytest.approx((ra, dec), abs=1e-6)
    assert (projection.prefix(region), *table.start[region : region + 2]) == (prefix, start, end)


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_the_published_ones(name):
    cell = skymap.parse_name(name)
    assert (*skymap.center(cell), *skymap.tangent_pixel(cell)) == pytest.approx(CELLS[name], abs=1e-10)
    assert skymap.name_of(cell) == name


def test_corners_and_index():
    cell = skymap.parse_name("135p90x25y50")
    expected = [(133.830861, 88.128748), (136.169139, 88.128748), (136.218875, 88.205042), (133.781125, 88.205042)]
    assert skymap.corners(cell) == pytest.approx(np.array(expected), abs=1e-6)
    assert [skymap.cell_index(skymap.parse_name(name)) for name in ("135p90x25y49", "135p90x25y50")] == [0, 1]


@pytest.mark.parametrize(
    "name", ["274p63x31y81", "135p90x81y50", "270p65x02y50", "270p65", "270p65x69y51 ", "270p65x69y"]
)
def test_names_of_no_cell(name):
    with pytest.raises(InputError):
        skymap.parse_name(name)


def test_names_without_padding():
    assert skymap.name_of(skymap.parse_name("0p86x26y39")) == "000p86x26y39"


def test_grid_of_a_cell():
    info = skymap.wcs_info(skymap.parse_name("000p86x26y39"))
    assert list(info) == [
        "name", "pixel_scale", "ra_projection_center", "dec_projection_center", "x0_projection", "y0_projection",
        "ra_center", "dec_center", "nx", "ny", "orientat", "orientat_projection_center",
    ]  # fmt: skip
    assert info["orientat"] == pytest.approx(360 - 351.4308912229274, abs=1e-6)
    assert {type(value) for value in info.values()} <= {str, int, float}
    assert disagreements(info) == []
    assert len(disagreements(info | {"x0_projection": 1.0, "ra_center": 351.4308912229274 - 360})) == 1


def test_pixels_of_a_cell_are_those_of_astropy():
    from astropy.wcs import WCS

    cell = skymap.parse_name("270p65x69y51")
    info = skymap.wcs_info(cell)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crpix = info["x0_projection"] + 1, info["y0_projection"] + 1
    wcs.wcs.crval = info["ra_projection_center"], info["dec_projection_center"]
    wcs.wcs.cdelt = info["pixel_scale"], info["pixel_scale"]
    x, y = np.array([0.0, 4999.0, 17.25]), np.array([0.0, 4999.0, 3000.5])
    ra, dec = skymap.pixel_to_sky(cell, x, y)
    assert np.stack([ra, dec]) == pytest.approx(np.stack(wcs.all_pix2world(x, y, 0)), abs=1e-10)
    assert np.stack(skymap.sky_to_pixel(cell, ra, dec)) == pytest.approx(np.stack([x, y]), abs=1e-6)


def test_every_position_has_its_primary_cell():
    random = np.random.default_rng(4)
    ra, dec = random.uniform(0, 360, 300_000), np.rad2deg(np.arcsin(random.uniform(-1, 1, 300_000)))
    cells = skymap.cell_at(ra, dec)
    assert skymap.exists(cells).all()
    assert skymap.primary(*skymap.sky_to_pixel(cells, ra, dec)).all()
    assert skymap.in_primary(Cell(*(places[7] for places in cells)), ra[:20], dec[:20]).tolist() == [
        number == 7 for number in range(20)
    ]


def test_corners_of_regions_without_a_primary_cell_lie_in_a_border():
    table = projection.regions()
    missing = []
    for region in np.unique(table.ring, return_index=True)[1][1:-1]:
        for ra in (table.ra_min[region] + 1e-9, table.ra_max[region] - 1e-9):
            for dec in (table.dec_min[region] + 1e-9, table.dec_max[region] - 1e-9):
                if not skymap.exists(skymap.cell_at(ra, dec)):
                    missing.append(table.ring[region])
                    assert cells_touching(ra, dec)
    assert set(missing) == {4, 48}


@pytest.mark.parametrize("place", [(np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0), (1.0, 90.5)])
def test_what_is_no_position_has_no_cell(place):
    for position in (place, tuple(np.array([5.0, value]) for value in place)):
        with pytest.raises(InputError):
            skymap.cell_at(*position)
    cell = skymap.parse_name("270p65x69y51")
    ra, dec = skymap.center(cell)
    inside = skymap.in_primary(cell, np.array([ra, place[0]]), np.array([dec, place[1]]))
    assert inside.tolist() == [True, False]


def test_the_primary_area_leaves_out_a_hundred_pixels():
    x = np.array([99, 100, 4899, 4900])
    assert skymap.primary(x, np.full(4, 2500)).tolist() == [False, True, True, False]
    assert skymap.primary(np.full(4, 2500), x).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("place", "prefix", "rows", "columns"),
    [
        ((0, 86.4), "000p86", (49, 50, 51), (49, 50, 51)),
        ((10, 85), "000p86", (31, 32, 33), (61, 62, 63)),
        ((0, 84.8), "000p86", (27, 28, 29), (49, 50, 51)),
        ((135, 90), "135p90", (49, 50, 51), (49, 50, 51)),
        ((301, -90), "225m90", (49, 50, 51), (49, 50, 51)),
    ],
)
def test_cells_of_an_image(place, prefix, rows, columns):
    found = cells_touching(*square(*place, 0.125 / PIXEL_SCALE))
    assert names(found) == [f"{prefix}x{row}y{column}" for row in rows for column in columns]


def test_matching_takes_less_than_10_ms():
    outline_ = square(10, 85, 4088 * 2)
    cells_touching(*outline_)
    times = []
    for _ in range(5):
        start = perf_counter()
        cells_touching(*outline_)
        times.append(perf_counter() - start)
    assert min(times) < 0.01


def covered(ra, dec):
    """Cells of the whole sky that hold any of many positions, one after the other region."""
    table, found = projection.regions(), set()
    for region in np.flatnonzero(np.abs(table.dec_tangent - dec.mean()) < 6):
        x, y = projection.sky_to_plane(ra, dec, table.ra_tangent[region], table.dec_tangent[region])
        near = np.hypot(x, y) < 250_000
        rows, columns = projection.ring_cells(int(table.ring[region]))
        kept = set(zip(rows.tolist(), columns.tolist(), strict=True))
        for up in (-1, 0, 1):
            for right in (-1, 0, 1):
                row, column = np.round(y[near] / 4800) + up, np.round(x[near] / 4800) + right
                inside = (np.abs(y[near] - 4800 * row) <= 2500) & (np.abs(x[near] - 4800 * column) <= 2500)
                places = set(zip(row[inside].astype(int).tolist(), column[inside].astype(int).tolist(), strict=True))
                found |= {Cell(int(region), *place) for place in places & kept}
    return found


@pytest.mark.parametrize(
    "place", [(77.0, 88.2), (22.4, 84.75), (359.99, 84.6), (3.0, -89.99), (211.0, 1.3), (40.0, -60.0)]
)
def test_matching_finds_what_a_grid_of_positions_finds(place):
    side, turn = 7000, 0.5
    grid = np.linspace(-1, 1, 61) * side / 2
    points = (grid + 1j * grid[:, None]).ravel() * np.exp(1j * turn)
    ra, dec = projection.plane_to_sky(points.real, points.imag, *place)
    found = set(cells_touching(*square(*place, side, turn)))
    assert covered(ra % 360, dec) <= found
    wider = (1.04 * points.real, 1.04 * points.imag)
    ra, dec = projection.plane_to_sky(*wider, *place)
    assert found <= covered(ra % 360, dec)


def test_a_polygon_inside_a_cell_and_one_around_many():
    cell = skymap.parse_name("270p65x69y51")
    assert names(cells_touching(*square(*skymap.center(cell), 10))) == ["270p65x69y51"]
    assert names(cells_touching(*skymap.center(cell))) == ["270p65x69y51"]
    assert skymap.cell_at(*skymap.center(cell)) == cell
    around = cells_touching(*square(*skymap.center(cell), 8 * 4800))
    assert {Cell(cell.region, cell.row + up, cell.column + right) for up in (-3, 0, 3) for right in (-3, 0, 3)} <= set(
        around
    )
    assert around == sorted(around)


def test_what_is_no_polygon_is_refused():
    for ra, dec in (([], []), ([np.nan], [1]), ([1.0], [91]), ([0, 90, 180, 270], [10] * 4)):
        with pytest.raises(InputError):
            cells_touching(ra, dec)


def test_a_cell_has_eight_neighbours_and_more_at_the_edge():
    inner = skymap.parse_name("270p65x50y50")
    assert names(neighbours(inner)) == [
        f"270p65x{row}y{column}" for row in (49, 50, 51) for column in (49, 50, 51) if (row, column) != (50, 50)
    ]
    cell = skymap.parse_name("135p90x25y50")
    around = neighbours(cell)
    assert {projection.prefix(other.region) for other in around} == {"135p90", "135p86"}
    assert all(cell in neighbours(other) for other in around)


def test_outline_goes_round_the_edges():
    x, y = outline((-0.5, 9.5), (-0.5, 4.5), points=5)
    assert x == pytest.approx([-0.5, 1.5, 3.5, 5.5, 7.5, *[9.5] * 5, 9.5, 7.5, 5.5, 3.5, 1.5, *[-0.5] * 5])
    assert y == pytest.approx([*[-0.5] * 5, -0.5, 0.5, 1.5, 2.5, 3.5, *[4.5] * 5, 4.5, 3.5, 2.5, 1.5, 0.5])


class Plane:
    """As a gwcs, of a plane about a position."""

    def __init__(self, bounding_box=None):
        self.bounding_box = bounding_box

    def __call__(self, x, y, with_bounding_box=True):
        ra, dec = projection.plane_to_sky(x, y, 0.0, 20.0)
        return np.where(x > 1e5, np.nan, ra), dec


def test_a_footprint_follows_the_edge_of_the_image():
    ra, dec = footprint(Plane(((-4.5, 99.5), (-0.5, 49.5))), (40, 90), points=4)
    x, y = projection.sky_to_plane(ra, dec, 0.0, 20.0)
    assert (x.min(), x.max(), y.min(), y.max()) == pytest.approx((-0.5, 89.5, -0.5, 39.5), abs=1e-6)
    assert len(ra) == 16
    assert ra.min() >= 0
    with pytest.raises(InputError):
        footprint(Plane())
    with pytest.raises(InputError):
        footprint(Plane(), (10, 200_000))


def test_tables_are_those_of_the_mission():
    table = skymap_table.region_table()
    assert table["nx"][[0, 1, 10]].tolist() == [235554, 277186, 230530]
    assert table["ny"][[0, 1, 10]].tolist() == [235554, 235670, 236020]
    assert table[["x_tangent", "y_tangent"]][1].tolist() == (138592.5, 117834.5)
    assert (table["ra_min"][1], table["ra_max"][1]) == (337.5, 22.5)
    rows = skymap_table.region_rows(1)
    assert len(rows) == 2001
    assert rows.dtype == skymap_table.CELL_ROW
    row = rows[rows["name"] == "000p86x25y52"][0]
    expected = (1.54819296, 84.56612785, -1.548193, -7100.5, 122499.5, 1.13715804, 84.52887405, 1.93748922, 84.52683506,
                1.96488048, 84.6031013, 1.15324282, 84.60516946)  # fmt: skip
    assert list(row)[1:] == pytest.approx(expected, abs=1e-6)


@pytest.fixture
def part():
    """Tables of the first regions."""
    regions = skymap_table.region_table()[:3]
    return regions, np.concatenate([skymap_table.region_rows(region) for region in range(3)])


def test_a_comparison_finds_what_was_changed(part):
    regions, cells = part
    told = skymap_table.compare(regions, cells)
    assert (told["regions"], told["cells"], told["missing"], told["lines"]) == (3, len(cells), 4055, [])
    assert told["largest"] == 0
    cells["ra_corn2"][5] += 3 * PIXEL_SCALE
    cells["name"][2000] = "000p00x00y00"
    regions["dec_min"][2] -= 1
    assert [line.split()[0:2] for line in skymap_table.compare(regions, cells)["lines"]] == [
        ["projection_regions:", "dec_min"],
        ["region", "0:"],
        ["region", "1:"],
    ]
    cells["dec_center"][0] = np.nan
    assert "nan" in skymap_table.compare(regions, cells)["lines"][1]


@pytest.mark.parametrize("compression", ["none", "lz4"])
def test_the_reference_file_comes_back_as_it_was(tmp_path, part, compression):
    regions, cells = part
    path = tmp_path / "skycells.asdf"
    parts = np.array_split(cells, [7, 4000])
    skycells.write_tables(path, regions, parts, count=len(cells), compression=compression, meta={"nxy_skycell": 5000})
    again, rows = skycells.read_tables(path)
    assert (again == regions).all()
    assert (rows == cells).all()
    assert [file.name for file in tmp_path.iterdir()] == ["skycells.asdf"]
