"""Residual arrows of an alignment: from a reference catalog, and from the table of matches."""

import numpy as np
import pytest
from astropy.table import Table

from rtools.products.io import writer
from rtools.products.opening import open_any
from rtools.show import plot
from rtools.show.image import ShownPlane
from rtools.show.view import load_overlays
from rtools.show.wishes import Wishes
from rtools.wfi.metadata import middle_mjd
from tests.support.samples import arrays, meta, wcs
from tests.support.small_files import tool, write

X, Y = np.array([1.0, 5, 3, 6]), np.array([2.0, 1, 6, 5])


@pytest.fixture
def image(tmp_path):
    """An image with its catalog beside it: three points and an extended source."""
    system = wcs()
    writer.write_product(tmp_path / "a_cal.asdf", "l2_image", meta("l2_image") | {"wcs": system}, arrays("l2_image"))
    ra, dec = system(X, Y, with_bounding_box=False)
    Table({"ra": ra, "dec": dec, "is_extended": [0, 0, 0, 1]}).write(tmp_path / "a_cat.ecsv")
    return tmp_path / "a_cal.asdf"


def overlays(image, **wishes):
    with open_any(image) as product:
        return load_overlays(product, ShownPlane(np.zeros((8, 8))), Wishes(**wishes), lambda *_: None)


def test_arrows_lead_from_sources_to_where_the_reference_has_them(image, tmp_path):
    ra, dec = wcs()(X + 0.5, Y - 0.25, with_bounding_box=False)
    Table({"ra": ra, "dec": dec}).write(tmp_path / "stars.ecsv")
    over = overlays(image, residuals=str(tmp_path / "stars.ecsv"))
    found = over["residuals"]
    np.testing.assert_allclose(found.places, np.stack([X, Y], axis=1)[:3], atol=1e-4)
    np.testing.assert_allclose(found.moves, [[55, -27.5]] * 3, atol=8.5)  # parallax of stars of unknown distance
    assert "3 stars" in found.note
    arrows = plot.plot_image(ShownPlane(np.zeros((8, 8))), **over).axes[0].collections[0]
    np.testing.assert_allclose(arrows.XY, found.places)
    assert (arrows.U > 0).all()
    assert (arrows.V < 0).all()


def test_the_table_of_matches_has_its_residuals_east_and_north(image, tmp_path):
    columns = {"image": ["a_cal.asdf", "b_cal.asdf", "a_cal.asdf"], "x": [1.0, 2, 3], "y": [1.0, 2, 3],
               "x_residual": [0.0, 9, 9], "y_residual": [20.0, 9, 9], "fitted": [True, True, False]}  # fmt: skip
    Table(columns).write(tmp_path / "m.ecsv")
    found = overlays(image, residuals=str(tmp_path / "m.ecsv"))["residuals"]
    assert found.places.tolist() == [[1, 1]]
    system = wcs()
    ra, dec = system(1.0, 1.0, with_bounding_box=False)
    north = np.array(system.invert(ra, dec + 20e-3 / 3600, with_bounding_box=False)) - 1
    np.testing.assert_allclose(found.moves[0] / np.hypot(*found.moves[0]), north / np.hypot(*north), atol=1e-3)


@pytest.mark.parametrize(("meta", "expected"), [
    ({"exposure": {"start_time": 60000.5, "end_time": 60000.7}}, 60000.6),
    ({"exposure": {"start_time": "2027-01-01T00:00:00", "end_time": "2027-01-02T00:00:00"}}, 61406.5),
    ({"coadd_info": {"time_mean": "2027-01-01T00:00:00"}}, 61406.0), ({}, np.nan),
])  # fmt: skip
def test_stars_are_moved_to_the_middle_of_an_exposure_of_either_mission(meta, expected):
    assert middle_mjd(meta) == pytest.approx(expected, nan_ok=True)


def test_a_catalog_elsewhere_on_the_sky_has_no_residuals(image, tmp_path, capsys):
    Table({"ra": [10.0], "dec": [20.0]}).write(tmp_path / "far.ecsv")
    assert tool("view", image, "--residuals", tmp_path / "far.ecsv", "-o", tmp_path / "r.png") == 3
    assert "no star of it is within 0.3 arcsec" in capsys.readouterr().err
    assert tool("view", image, "--residuals", tmp_path / "far.ecsv") == 2
    (tmp_path / "a_cat.ecsv").unlink()
    assert tool("view", image, "--residuals", tmp_path / "far.ecsv", "-o", tmp_path / "r.png") == 2
    assert "--catalog" in capsys.readouterr().err
    assert not (tmp_path / "r.png").exists()


def test_residuals_of_an_image_without_world_coordinates_are_refused_in_one_line(tmp_path, capsys):
    write(tmp_path / "n_cal.asdf", "l2_image", {"data": np.zeros((8, 8), "f4")})
    columns = {"x": [1.0], "y": [1.0], "x_residual": [0.0], "y_residual": [20.0]}
    Table(columns).write(tmp_path / "m.ecsv")
    words = ("--residuals", tmp_path / "m.ecsv", "-o", tmp_path / "x.png")
    assert tool("view", tmp_path / "n_cal.asdf", *words) == 3
    assert "has no world coordinates for --residuals; give --wcs FILE" in capsys.readouterr().err
