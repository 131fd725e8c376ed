"""rt-psf: the PSF of a reference, beside a star, of all stars, the depth; what is refused."""

import json
import warnings

import numpy as np
import pytest

from rtools.products.making import job_of
from rtools.products.tables import read_catalog
from tests.support.runs import done, retouched, tool
from tests.support.star_fields import sibling

TINY = ("--reach", "0.6")


@pytest.fixture(scope="module")
def star(imaged):
    """Where the most significant star is, as --at takes it."""
    catalog = read_catalog(sibling(imaged, "cat.parquet"))
    catalog = catalog[(catalog["psf_flags"] == 0) & (catalog["nn_distance"] > 1)]
    best = catalog[np.argmax(catalog["psf_flux"] / catalog["psf_flux_err"])]
    return f"{best['x_psf']:.2f},{best['y_psf']:.2f}", best


def told(capsys, *words):
    capsys.readouterr()
    assert tool("psf", *words, "--json", "-q") == 0
    return json.loads(capsys.readouterr().out)


def test_the_psf_of_the_reference_in_numbers(imaged, capsys):
    record = told(capsys, imaged, *TINY)
    numbers = record["numbers"]
    assert 0.12 < numbers["fwhm"] < 0.2 and 0.2 < numbers["peak"] < 0.35
    assert 0.08 < numbers["radius_50"] < numbers["radius_80"]
    energies = [row["psf_energy"] for row in record["rows"]]
    assert energies == sorted(energies) and 0.85 < energies[-1] < 1


def test_a_redder_star_has_a_wider_psf(imaged, capsys):
    blue, red = (told(capsys, imaged, *TINY, "--spectral-type", name)["numbers"] for name in ("A0V", "m5v"))
    assert red["radius_50"] > blue["radius_50"]


def test_a_star_is_like_the_psf(imaged, star, tmp_path, capsys):
    place, row = star
    record = told(capsys, imaged, "--at", place, "--star", *TINY)
    assert record["numbers"]["flux"] == pytest.approx(row["psf_flux"], rel=0.01)
    near = [one for one in record["rows"] if one["radius"] < 0.3]
    assert all(abs(one["star_energy"] - one["psf_energy"]) < 0.05 for one in near)
    done("psf", imaged, "--at", place, "--star", *TINY, "--plot", tmp_path / "star.png", "-o", tmp_path / "star.ecsv")
    assert (tmp_path / "star.png").read_bytes().startswith(b"\x89PNG")
    table = read_catalog(tmp_path / "star.ecsv")
    assert table["star_energy_err"][-1] > 0 and table["radius"].unit == "arcsec"


def test_the_psf_of_stars_is_a_reference_that_the_catalog_takes(imaged, tmp_path, capsys):
    target = tmp_path / "own_epsf.asdf"
    done("psf", imaged, "--measure", "--stars", "8", "--write", target, *TINY)
    assert job_of(target)["tool"] == "rt-psf" and job_of(target)["inputs"][0]["digest"]
    record = told(capsys, target, *TINY)
    assert 0.12 < record["numbers"]["fwhm"] < 0.2
    done("catalog", imaged, "--ref", f"epsf={target}", "-o", tmp_path / "own_cat.parquet")
    ours, theirs = read_catalog(tmp_path / "own_cat.parquet"), read_catalog(sibling(imaged, "cat.parquet"))
    bright = np.asarray(theirs["psf_flux"] / theirs["psf_flux_err"] > 50)
    ratio = np.asarray(ours["psf_flux"] / theirs["psf_flux"])[bright]
    assert abs(np.median(ratio) - 1) < 0.02
    assert tool("psf", imaged, "--measure", "--write", target, "-q") == 1


def test_the_depth_of_blank_sky_is_near_that_of_the_errors(imaged, capsys):
    rows = told(capsys, imaged, "--depth", "--radii", "0.2,0.3")["rows"]
    assert all(0.8 < row["ratio"] < 1.5 for row in rows)
    assert rows[0]["blank_abmag"] > rows[1]["blank_abmag"] > 22


def test_several_places_are_a_row_of_numbers_each(imaged, star, tmp_path, capsys):
    place, _row = star
    (tmp_path / "list").write_text(f"{place} best\n-5 9 off\n")
    first, second = told(capsys, imaged, "--at", f"@{tmp_path / 'list'}", "--star", *TINY)["rows"]
    alone = told(capsys, imaged, "--at", place, "--star", *TINY)["numbers"]
    assert (first["position"], first["status"]) == ("best", "measured")
    assert {key: first[key] for key in alone} == pytest.approx(alone)
    assert (second["position"], second["status"], second["flux"]) == ("off", "outside", None)
    rows = told(capsys, imaged, "--at", "5,5", "--at", "400,400", *TINY)["rows"]
    assert all(0.12 < one["fwhm"] < 0.2 for one in rows)


def test_where_there_is_no_peak_it_is_one_line_and_no_warning_of_astropy(jwst_golden, capsys):
    mosaic = jwst_golden("mosaic") / "out_i2d.fits"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tool("psf", mosaic, "--star", "--at", "50,50", "--reach", "0.2", "-q") == 3
    assert "its light has no peak there" in capsys.readouterr().err


def test_the_psf_of_another_telescope_is_refused(imaged, jwst_golden, tmp_path, capsys):
    roman, jwst = tmp_path / "roman_epsf.asdf", tmp_path / "jwst_epsf.asdf"
    done("psf", imaged, "--measure", "--stars", "8", "--write", roman, *TINY)
    calibrated = jwst_golden("mosaic") / "jw01234001001_02101_00001_nrca1_cal.fits"

    retouched(roman, jwst, b"measured_on: exposure", b"mission: JWST        ")
    capsys.readouterr()
    for image, other, text in ((calibrated, roman, "a PSF of Roman, not of JWST"), (imaged, jwst, "a PSF of JWST")):
        assert tool("phot", image, "--at", "20,20", "--ref", f"epsf={other}", "-q") == 3
        assert text in capsys.readouterr().err
    assert tool("catalog", imaged, "--ref", f"epsf={jwst}", "-o", tmp_path / "a_cat.parquet", "-q") == 3
    assert not (tmp_path / "a_cat.parquet").exists()
    assert tool("phot", calibrated, "--at", "20,20", "--ref", f"epsf={jwst}", "-q") == 3
    assert "a PSF per pixel of 0.1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("--star",), 2, "where is it?"),
        (("--star", "--depth", "--at", "5,5"), 2, "do not go together"),
        (("--write", "x_epsf.asdf"), 2, "--write goes with --measure"),
        (("--measure", "--write", "-"), 2, "not standard output"),
        (("--depth", "--at", "5,5"), 2, "of the whole image"),
        (("--at", "5,5", "--at", "6,6", "--plot", "a.png"), 2, "at one place"),
        (("--at", "-50,5"), 3, "not on the image"),
        (("--spectral-type", "Z9"), 2, "no spectral type Z9"),
        (("--defocus", "3"), 2, "no defocus 3"),
        (("--measure", "--stars", "2"), 2, "not in the range"),
    ],
)
def test_what_cannot_be_asked_is_refused(imaged, capsys, words, status, text):
    assert tool("psf", imaged, *words, "-q") == status
    assert text in " ".join(capsys.readouterr().err.split())


def test_a_mosaic_of_jwst_has_no_psf_but_that_of_its_stars(jwst_golden, capsys):
    assert tool("psf", jwst_golden("mosaic") / "out_i2d.fits", "-q") == 4
    assert "--measure makes one of the stars" in capsys.readouterr().err
