"""rt-phot: the numbers of rt-catalog, rows that join back, reasons, what is refused."""

import json
import shutil

import numpy as np
import pytest
from astropy.table import Table

from rtools.products.jwst import open_jwst
from rtools.products.schema import nodes
from rtools.products.tables import read_catalog
from rtools.show.chart import Chart
from tests.support.runs import done, rewrite, tool
from tests.support.star_fields import sibling

QUICK = ("--no-psf", "--radii", "0.2,0.4")


def said(capsys):
    return " ".join(capsys.readouterr().err.split())


def test_positions_of_the_catalog_give_the_fluxes_of_the_catalog(imaged, tmp_path):
    catalog = read_catalog(sibling(imaged, "cat.parquet"))
    good = (catalog["psf_flags"] == 0) & (catalog["nn_distance"] > 1)
    stars = Table({"label": catalog["label"], "ra": catalog["ra_psf"], "dec": catalog["dec_psf"]})[good]
    stars.write(tmp_path / "stars.ecsv")
    done("phot", imaged, "--table", tmp_path / "stars.ecsv", "--background", "map", "-o", tmp_path / "light.parquet")
    light = read_catalog(tmp_path / "light.parquet")
    assert light["label"].tolist() == stars["label"].tolist()
    inside = light["status"] == "measured"
    assert inside.sum() > 10
    ratio = np.asarray(light["psf_flux"] / catalog["psf_flux"][good])[inside]
    assert abs(np.median(ratio) - 1) < 1e-4
    off = np.abs(light["aper04_flux"] - catalog["aper04_flux"][good]) / catalog["aper04_flux_err"][good]
    assert np.median(off[inside]) < 0.1
    assert light["mjd"].unit == "d" and light["psf_flux"].unit == "nJy" and light["psf_flux"].description
    assert np.all(np.abs(light["mjd"] - 61406) < 1)


def test_a_row_for_each_source_and_image_says_why_there_is_no_light(imaged, tmp_path, capsys):
    again = shutil.copy(imaged, tmp_path / "again_cal.asdf")
    assert tool("phot", imaged, again, "--at", "100,120", "--at", "-20,5", *QUICK, "--json", "-q") == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["file"] for one in records] == [str(imaged), str(again)]
    for record in records:
        first, second = record["rows"]
        assert (first["status"], second["status"]) == ("measured", "outside")
        assert first["position"] == "100,120" and second["aper04_flux"] is None
        assert record["statuses"] == {"measured": 1, "outside": 1}
    assert records[0]["rows"][0]["aper04_flux"] == records[1]["rows"][0]["aper04_flux"]


def test_images_of_both_missions_are_one_light_curve(imaged, jwst_golden, tmp_path):
    """A row for each source and image, each with the middle of its own exposure."""
    of_jwst = shutil.copy(jwst_golden("image") / "out_cal.fits", tmp_path / "jw01234001001_02101_00001_nrca1_cal.fits")
    places = ("--at", "30,40", "--at", "20,20", "--ring", "0.3,0.6")
    done("phot", imaged, of_jwst, *places, *QUICK, "-o", tmp_path / "light.ecsv")
    light = read_catalog(tmp_path / "light.ecsv")
    assert light["position"].tolist() == ["30,40", "20,20"] * 2
    assert [str(one).startswith("jw") for one in light["filename"]] == [False, False, True, True]
    product = open_jwst(of_jwst)
    middle = (product.value("EXPSTART") + product.value("EXPEND")) / 2
    np.testing.assert_allclose(light["mjd"][2:], middle, rtol=0, atol=1e-6)
    assert np.all(np.abs(light["mjd"][:2] - 61406) < 1)
    assert len(set(light["element"].tolist())) == 2


def test_the_curve_shows_sources_against_time(imaged, tmp_path):
    def later(meta, _arrays):
        meta["exposure"] |= {
            name: nodes.time(f"2027-01-03T00:0{n}:00") for n, name in enumerate(("start_time", "end_time"))
        }

    second = rewrite(imaged, tmp_path / "second_cal.asdf", later)
    done("phot", imaged, second, "--at", "100,120", *QUICK, "--curve", tmp_path / "star.png", "-o", tmp_path / "a.csv")
    assert (tmp_path / "star.png").read_bytes().startswith(b"\x89PNG")
    times = read_catalog(tmp_path / "a.csv")["mjd"]
    assert 1.9 < times[1] - times[0] < 2.1


def test_the_curve_draws_the_aperture_whose_limits_the_table_has(imaged, tmp_path, monkeypatch):
    from rtools.show import flux_curve

    drawn = []
    monkeypatch.setattr(flux_curve, "Chart", lambda title, *rest: drawn.append(title) or Chart(title, *rest))
    for radii in ("1,1.2", "0.5,1,2"):
        done("phot", imaged, "--at", "100,120", "--no-psf", "--radii", radii, "--curve", tmp_path / "a.png",
             "-o", tmp_path / "a.csv", "--overwrite")  # fmt: skip
        row = read_catalog(tmp_path / "a.csv")[0]
        middle = "aper12_flux_err" if radii == "1,1.2" else "aper10_flux_err"
        assert row["limit_flux"] == pytest.approx(5 * row[middle], rel=1e-5)
    assert ["within 1.2 arcsec" in drawn[0], "within 1 arcsec" in drawn[1]] == [True, True]


def test_a_curve_without_any_usable_row_is_one_line(imaged, tmp_path, capsys):
    words = ("--at", "-50,-50", "--no-psf", "--radii", "1,2", "--curve", tmp_path / "a.png")
    capsys.readouterr()
    assert tool("phot", imaged, *words, "-q") == 3
    assert said(capsys) == "rt-phot: no row has a time and a flux: nothing to draw"
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("form", ["csv", "ecsv", "parquet"])
def test_masked_ids_stay_empty_and_do_not_become_0(imaged, tmp_path, form):
    (tmp_path / "in.csv").write_text("label,ra,dec\n7,270,66\n,270.001,66\n0,270,66.001\n")
    done("phot", imaged, "--table", tmp_path / "in.csv", *QUICK, "-o", tmp_path / f"out.{form}")
    assert read_catalog(tmp_path / f"out.{form}")["label"].tolist() == [7, None, 0]


def test_a_moved_psf_tells_where_it_went(imaged, tmp_path):
    catalog = read_catalog(sibling(imaged, "cat.parquet"))
    star = catalog[(catalog["psf_flags"] == 0) & (catalog["nn_distance"] > 1)]
    star = star[np.argmax(star["psf_flux"] / star["psf_flux_err"])]
    place = f"{star['x_psf'] + 0.2:.3f},{star['y_psf']:.3f}"
    done("phot", imaged, "--at", place, "--free", "--background", "map", "-o", tmp_path / "free.ecsv")
    found = read_catalog(tmp_path / "free.ecsv")[0]
    assert abs(found["x_psf"] - star["x_psf"]) < 0.02
    assert abs(found["ra_psf"] - star["ra_psf"]) * 3600 < 0.01


def test_a_mosaic_of_jwst_is_measured_without_a_psf(jwst_golden, tmp_path):
    mosaic = jwst_golden("mosaic") / "out_i2d.fits"
    catalog = Table.read(jwst_golden("mosaic") / "out_cat.ecsv")
    sources = Table({"label": catalog["label"], "ra": catalog["sky_centroid"].ra, "dec": catalog["sky_centroid"].dec})
    sources.write(tmp_path / "sources.ecsv")
    done("phot", mosaic, "--table", tmp_path / "sources.ecsv", "--radii", "0.05,0.1", "--ring", "0.2,0.4",
         "-o", tmp_path / "light.ecsv")  # fmt: skip
    light = read_catalog(tmp_path / "light.ecsv")
    assert "psf_flux" not in light.colnames and len(light) == len(catalog)
    assert (light["element"] != "").all() and np.isfinite(light["mjd"]).all()
    inside = light["status"] == "measured"
    assert inside.any() and np.isfinite(light["aper01_flux"][inside]).all()


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        ((), 2, "no position"),
        (("--at", "5,5", "--radii", "0.4,0.2"), 2, "rising numbers"),
        (("--at", "5,5", "--radii", "500"), 2, "arcsec up to 60"),
        (("--at", "5,5", "--ring", "2.4"), 2, "2 rising numbers"),
        (("--at", "5,5", "--limit", "0"), 2, "a positive number"),
        (("--at", "5,5", "--free", "--no-psf"), 2, "do not go together"),
        (("--at", "5,5", "--sky", "270,66"), 2, "do not go together"),
        (("--at", "5,5", "--ref", "epsf=nowhere.asdf"), 3, "no such file"),
    ],
)
def test_what_cannot_be_asked_is_refused(imaged, capsys, words, status, text):
    assert tool("phot", imaged, *words, "-q") == status
    assert text in said(capsys)


def test_what_is_no_calibrated_image_is_refused(imaged, capsys, tmp_path):
    assert tool("phot", sibling(imaged, "segm.asdf"), "--at", "5,5", "-q") == 3
    assert "light is measured on an l2_image or l3_coadd" in said(capsys)
