"""rt-tweakreg: files, statuses, exit codes; what is fitted is tested in test_align."""

import numpy as np
import pytest

from rtools.catalog.psf.psffit import FLAGS
from rtools.errors import InputError
from rtools.pipeline.astrometry.align import image_of
from rtools.products.tables.files import read_catalog
from tests.support.runs import copied, done, history, listing, meta, piped, rewrite, same, statuses, tool
from tests.support.star_fields import (
    MAS,
    SHIFT,
    apart,
    association,
    failed,
    moved,
    names_in,
    product_of,
    reference_stars,
    said,
    sibling,
    wcs_of,
)

SKY = [f"{axis}{kind}" for kind in ("", "_centroid", "_centroid_win", "_psf") for axis in ("ra", "dec")]


@pytest.fixture
def cal(imaged, tmp_path):
    """The image and its catalog in a directory of their own."""
    for path in (imaged, sibling(imaged, "cat.parquet")):
        copied(path, tmp_path)
    return tmp_path / imaged.name


@pytest.fixture(scope="module")
def pair(imaged, imaged_again, tmp_path_factory):
    """Two images of the same sky with their catalogs."""
    directory = tmp_path_factory.mktemp("pair")
    for path in (imaged, imaged_again):
        copied(path, directory)
        done("catalog", path, "--outdir", directory)
    return [directory / path.name for path in (imaged, imaged_again)]


# --- success --------------------------------------------------------------------------------------------------------


def test_the_wcs_moves_onto_the_reference_stars(cal, gaia, capsys):
    before = listing(cal.parent)
    status, out, err = said(capsys, "tweakreg", cal, "--refcat", gaia)
    assert status == 0
    assert out.split() == [str(product_of(cal))]
    assert "warning" not in err
    after = listing(cal.parent)
    assert {name: after[name] for name in before} == before  # the image and its catalog stay
    found, old, true = wcs_of(product_of(cal)), wcs_of(cal), moved()
    assert apart(old, true) > 500
    assert apart(found, true) < 3
    assert statuses(product_of(cal)) == statuses(cal) | {"tweakreg": "COMPLETE"}
    x, y = np.array([3.3, 499.0]), np.array([400.0, 2.5])
    there = [wcs.invert(*wcs(x, y)) for wcs in (old, found)]
    assert np.allclose(*there, rtol=0, atol=1e-6)  # the correction has an exact inverse; the distortion has not
    assert np.allclose(there[1], (x, y), rtol=0, atol=2e-3)
    assert found.available_frames == ["detector", "v2v3", "v2v3vacorr", "v2v3corr", "world"]
    assert found.name == "FIT-LVL2-stars"
    assert found.bounding_box == old.bounding_box


def test_a_table_as_vizier_delivers_it_aligns_as_gaias_own(cal, gaia, capsys):
    names = {"ra": "RA_ICRS", "dec": "DE_ICRS", "pmra": "pmRA", "pmdec": "pmDE", "parallax": "Plx",
             "source_id": "Source", "ra_error": "e_RA_ICRS", "dec_error": "e_DE_ICRS",
             "phot_g_mean_mag": "Gmag"}  # fmt: skip
    stars = read_catalog(gaia)
    epoch = float(stars["ref_epoch"][0])
    stars = stars[[name for name in names if name in stars.colnames]]
    for name in stars.colnames:
        stars.rename_column(name, names[name])
    stars.meta = {}
    stars["RA_ICRS"].description = f"Right ascension (ICRS) at Ep={epoch}"
    stars.write(cal.parent / "vizier.vot", format="votable")
    status, _, err = said(capsys, "tweakreg", cal, "--refcat", cal.parent / "vizier.vot")
    assert (status, "warning" in err) == (0, False)
    assert apart(wcs_of(product_of(cal)), moved()) < 3
    stars["RA_ICRS"].description = None
    stars.write(cal.parent / "undated.vot", format="votable")
    words = ("--refcat", cal.parent / "undated.vot", "--overwrite")
    if "pmRA" in stars.colnames:
        assert "because it has no epoch" in said(capsys, "tweakreg", cal, *words)[2]
    assert "no epoch" not in said(capsys, "tweakreg", cal, *words, "--refcat-columns", f"ref_epoch={epoch}")[2]


def test_results_stand_in_the_metadata(cal, gaia, bright):
    done("tweakreg", cal, "--refcat", gaia)
    told, results = meta(product_of(cal)), meta(product_of(cal))["wcs_fit_results"]
    assert set(results) == {
        "status", "fitgeom", "matrix", "shift", "center", "proper_rot", "proper", "rot", "<rot>", "scale", "<scale>",
        "skew", "rmse", "mae", "nmatches", "n_detector",
    }  # fmt: skip
    assert (results["status"], results["fitgeom"], results["n_detector"]) == ("SUCCESS", "general", 1)
    assert 12 <= results["nmatches"] <= len(bright)
    assert 0 < results["mae"] <= results["rmse"] < 0.01
    assert np.hypot(*results["shift"]) == pytest.approx(np.hypot(*SHIFT), abs=0.2)  # at the origin of the plane
    assert results["<scale>"] == pytest.approx(1, abs=1e-4)
    assert told["wcsinfo"]["s_region"] != meta(cal)["wcsinfo"]["s_region"]
    corners = np.reshape([float(word) for word in told["wcsinfo"]["s_region"].split()[2:]], (4, 2))
    old = np.reshape([float(word) for word in meta(cal)["wcsinfo"]["s_region"].split()[2:]], (4, 2))
    assert np.allclose((corners - old)[:, 1] * 3600, SHIFT[1], atol=0.01)
    assert history(product_of(cal))[-1]["tool"] == "rt-tweakreg"
    assert history(product_of(cal))[-1]["parameters"]["tweakreg"]["refcat"] == str(gaia)
    assert any("tweakreg: " in line and " stars, rmse " in line for line in told["cal_logs"])


def test_product_is_valid(cal, gaia, elsewhere, tmp_path, judge):
    done("tweakreg", cal, "--refcat", gaia)
    assert tool("tweakreg", cal, "--refcat", elsewhere, "-o", tmp_path / "failed.asdf", "-q") == 5
    paths = [product_of(cal), tmp_path / "failed.asdf"]
    for path, verdict in judge("1.1.0", paths).items():
        assert verdict["ok"], (path, verdict)
        assert verdict["model"] == "ImageModel"
        x, y = 10.0, 20.0
        assert np.allclose(verdict["wcs"], wcs_of(path)(x, y), rtol=0, atol=1e-9)


def test_pixels_stay_as_they_were(cal, gaia):
    done("tweakreg", cal, "--refcat", gaia)
    assert all(same(cal, product_of(cal)).values())


def test_a_second_run_composes(cal, gaia, bright, tmp_path):
    done("tweakreg", cal, "--refcat", gaia)
    further = reference_stars(tmp_path / "further.ecsv", bright, shift=(1.1, 0.4))
    done("tweakreg", product_of(cal), "--refcat", further, "--outdir", tmp_path / "second", "--again")
    found = wcs_of(tmp_path / "second" / product_of(cal).name)
    assert apart(found, moved((1.1, 0.4))) < 3
    assert found.available_frames.count("v2v3corr") == 1
    assert found.name == "FIT-LVL2-further"


def test_catalog_is_updated_only_on_request(cal, gaia):
    path = sibling(cal, "cat.parquet")
    old = read_catalog(path)
    done("tweakreg", cal, "--refcat", gaia, "--update-catalog")
    new = read_catalog(path)
    assert new.colnames == old.colnames
    for name in old.colnames:
        one, two = old[name], new[name]
        assert (one.dtype, one.unit, one.description) == (two.dtype, two.unit, two.description)
        if name not in SKY:
            assert np.asarray(one).tobytes() == np.asarray(two).tobytes()
    wcs = wcs_of(product_of(cal))
    for kind in ("_centroid", "_centroid_win", "_psf"):
        ra, dec = wcs(*(np.asarray(new[f"{axis}{kind}"], float) for axis in "xy"))
        good = np.isfinite(ra)
        assert np.allclose(new[f"ra{kind}"][good], ra[good], rtol=0, atol=1e-10)
        assert np.allclose(new[f"dec{kind}"][good], dec[good], rtol=0, atol=1e-10)
    assert np.array_equal(new["ra"], new["ra_centroid"])
    assert np.allclose((new["dec"] - old["dec"]) * 3600, SHIFT[1], atol=0.01)
    assert sum(key.startswith("history.") for key in new.meta) == 1 + sum(
        key.startswith("history.") for key in old.meta
    )
    assert new.meta["roman.meta.model_type"] == old.meta["roman.meta.model_type"]


def test_an_update_that_fails_leaves_the_catalog(cal, gaia, monkeypatch, capsys):
    from rtools.pipeline.astrometry import aligned

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    before = listing(cal.parent)
    monkeypatch.setattr(aligned.catalogs, "stage_catalog", fail)
    status, out, err = said(capsys, "tweakreg", cal, "--refcat", gaia, "--update-catalog", "-q")
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert listing(cal.parent) == before


def test_matches_are_written_on_request(cal, gaia, bright, tmp_path):
    for name in ("matches.ecsv", "matches.parquet"):
        done("tweakreg", cal, "--refcat", gaia, "--matches", tmp_path / name, "--overwrite")
        table = read_catalog(tmp_path / name)
        sources = read_catalog(sibling(cal, "cat.parquet"))
        assert len(table) >= meta(product_of(cal))["wcs_fit_results"]["nmatches"] == table["fitted"].sum()
        row = {label: number for number, label in enumerate(sources["label"])}
        rows = [row[label] for label in table["label"]]
        assert np.array_equal(table["x"], np.asarray(sources["x_psf"][rows], float))
        stars = np.asarray(table["source_id"], int) - 1000
        distance = np.hypot(table["x"] - bright["x"][stars], table["y"] - bright["y"][stars])
        assert distance.max() < 0.5
        assert set(table["image"]) == {str(cal)}
        assert str(table["x_residual"].unit) == "mas"
        fitted = table[table["fitted"]]
        rms = np.sqrt(np.mean(fitted["x_residual"] ** 2 + fitted["y_residual"] ** 2))
        assert rms == pytest.approx(1000 * meta(product_of(cal))["wcs_fit_results"]["rmse"], rel=0.05)


def test_a_bad_extension_of_matches_speaks_of_no_option_that_there_is_not(cal, gaia, tmp_path, capsys):
    status, _out, err = said(capsys, "tweakreg", cal, "--refcat", gaia, "--matches", tmp_path / "matches.xyz", "-q")
    assert status == 2
    assert ".ecsv" in err
    assert "--format" not in err


def test_matches_overwrite_nothing_unasked(cal, gaia, tmp_path, capsys):
    (tmp_path / "m.ecsv").write_text("mine")
    for name, code, expected in (("m.ecsv", 1, "exists already"), ("m.txt", 2, "rt-tweakreg writes .parquet .ecsv")):
        status, out, err = said(capsys, "tweakreg", cal, "--refcat", gaia, "--matches", tmp_path / name, "-q")
        assert (status, out, len(err.splitlines())) == (code, "", 1)
        assert expected in err
    assert (tmp_path / "m.ecsv").read_text() == "mine"
    assert not product_of(cal).exists()


def test_threads_change_nothing(cal, gaia, tmp_path):
    for jobs in (1, 2):
        done("tweakreg", cal, "--refcat", gaia, "-j", jobs, "--outdir", tmp_path / str(jobs))
    one, two = (meta(tmp_path / str(jobs) / product_of(cal).name)["wcs_fit_results"] for jobs in (1, 2))
    assert one == two


# --- failure --------------------------------------------------------------------------------------------------------


def test_other_stars_are_no_match(cal, elsewhere, capsys):
    before = listing(cal.parent)
    status, out, err = said(capsys, "tweakreg", cal, "--refcat", elsewhere, "--update-catalog", "-q")
    assert status == 5
    assert out.split() == [str(product_of(cal))]
    (line,) = err.splitlines()
    assert line.startswith(f"rt-tweakreg: {cal}: not aligned: ")
    failed(product_of(cal), cal)
    assert {name: text for name, text in listing(cal.parent).items() if name in before} == before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--max-shift", 0.1), "shift"),
        (("--minobj", 90), "90 needed"),
        (("--max-rmse", 0.001), "mas is above the limit"),
    ],
)
def test_limits_are_options(cal, gaia, capsys, words, reason):
    status, _out, err = said(capsys, "tweakreg", cal, "--refcat", gaia, *words, "-q")
    assert status == 5
    assert reason in err
    failed(product_of(cal), cal, reason)


def test_stars_far_away_are_none(cal, bright, tmp_path, capsys):
    far = bright.copy()
    far["dec"] = far["dec"] - 20
    status, _out, err = said(
        capsys, "tweakreg", cal, "--refcat", reference_stars(tmp_path / "far.ecsv", far), "-q"
    )  # fmt: skip
    assert status == 5
    assert "no reference stars near the image" in err
    failed(product_of(cal), cal, "not enough matches")


@pytest.mark.parametrize("kind", ["missing", "text", "columns"])
def test_a_reference_catalog_that_is_none_is_exit_3_and_nothing_written(cal, tmp_path, capsys, kind):
    path = tmp_path / "bad.ecsv"
    if kind == "text":
        path.write_text("nothing\n")
    elif kind == "columns":
        path.write_text("a,b\n1,2\n")
    before = listing(cal.parent)
    status, out, err = said(capsys, "tweakreg", cal, "--refcat", path, "-q")
    assert (status, out, len(err.splitlines())) == (3, "", 1)
    assert str(path) in err
    assert listing(cal.parent) == before


def test_existing_output_is_refused(cal, gaia, capsys):
    product_of(cal).write_text("mine")
    status, out, err = said(capsys, "tweakreg", cal, "--refcat", gaia, "-q")
    assert (status, out) == (1, "")
    assert "exists already" in err


# --- nothing to do it with ------------------------------------------------------------------------------------------


def skipped(path, err):
    """Check a product whose alignment was left out, and that it was said once."""
    warned = [line for line in err.splitlines() if "tweakreg: SKIPPED" in line]
    assert len(warned) == 1
    assert statuses(path)["tweakreg"] == "SKIPPED"
    assert "wcs_fit_results" not in meta(path)
    return warned[0]


def test_without_a_reference_catalog_it_is_skipped(cal, gaia, capsys, monkeypatch):
    status, out, err = said(capsys, "tweakreg", cal)
    assert (status, out.split()) == (0, [str(product_of(cal))])
    assert "--refcat" in skipped(product_of(cal), err)
    monkeypatch.setenv("RT_REFCAT", str(gaia))
    done("tweakreg", cal, "--overwrite")
    assert statuses(product_of(cal))["tweakreg"] == "COMPLETE"


def test_without_a_catalog_it_is_skipped(imaged, gaia, tmp_path, capsys):
    cal = tmp_path / copied(imaged, tmp_path).name
    status, out, err = said(capsys, "tweakreg", cal, "--refcat", gaia)
    assert (status, out.split()) == (0, [str(product_of(cal))])
    assert "no catalog" in skipped(product_of(cal), err)


def test_a_catalog_without_sources_is_no_match(cal, gaia, tmp_path, capsys):
    empty = tmp_path / "empty.ecsv"
    read_catalog(sibling(cal, "cat.parquet"))[:0].write(empty, format="ascii.ecsv")
    status, _out, err = said(capsys, "tweakreg", cal, "--refcat", gaia, "--catalog", empty, "-q")
    assert status == 5
    assert "no sources in the catalog" in err


# --- which catalog --------------------------------------------------------------------------------------------------


def test_the_catalog_given_goes_before_the_one_named_and_the_sibling(cal, gaia, tmp_path, capsys):
    """A table of positions alone, called x and y; its errors are unknown."""
    sources = read_catalog(sibling(cal, "cat.parquet"))
    own = sources["x_psf", "y_psf"][np.isfinite(sources["x_psf"])]
    own.rename_columns(("x_psf", "y_psf"), ("x", "y"))
    own["x"] += 2.0
    own.write(tmp_path / "own.ecsv", format="ascii.ecsv")
    done("tweakreg", cal, "--refcat", gaia, "--catalog", tmp_path / "own.ecsv")
    true = moved()
    found = wcs_of(product_of(cal))
    assert np.allclose(found(252.0, 250.0), true(250.0, 250.0), rtol=0, atol=20 / MAS)
    status, _out, err = said(capsys, "tweakreg", cal, "--refcat", gaia, "--catalog", tmp_path / "none.ecsv", "-q",
                             "--overwrite")  # fmt: skip
    assert status == 3
    assert "none.ecsv: no such file" in err


def test_the_catalog_that_the_image_names(cal, gaia, tmp_path):
    sibling(cal, "cat.parquet").rename(tmp_path / "mine.parquet")
    rewrite(cal, cal, lambda meta, _: meta.update(source_catalog={"tweakreg_catalog_name": "mine.parquet"}))
    done("tweakreg", cal, "--refcat", gaia)
    assert statuses(product_of(cal))["tweakreg"] == "COMPLETE"


def test_the_sibling_where_the_image_names_none(cal, gaia):
    rewrite(cal, cal, lambda meta, _: meta.pop("source_catalog"))
    done("tweakreg", cal, "--refcat", gaia)
    assert statuses(product_of(cal))["tweakreg"] == "COMPLETE"


def test_flagged_sources_are_left_out(cal, gaia, tmp_path, capsys):
    table = read_catalog(sibling(cal, "cat.parquet"))
    table["warning_flags"][:] = 1
    table.write(tmp_path / "own.ecsv", format="ascii.ecsv")
    status, _out, err = said(capsys, "tweakreg", cal, "--refcat", gaia, "--catalog", tmp_path / "own.ecsv", "-q")
    assert status == 5
    assert "no sources" in err


def test_psf_fits_that_are_flagged_lead_no_alignment(cal, gaia, tmp_path):
    """A third of the fits went wrong, with small errors; one lacks a pixel, and is as good as its error says."""
    table = read_catalog(sibling(cal, "cat.parquet"))
    table["psf_flags"][::3] |= FLAGS["not_positive"]
    table["x_psf"][::3] += 3.0
    table["x_psf_err"][::3] = 1e-4
    table["psf_flags"][1] |= FLAGS["few_pixels"]
    table["psf_flags"][2] |= FLAGS["not_converged"]
    image = image_of(table, meta(cal), wcs_of(cal), None)
    assert np.isnan(image.x[::3]).all() and np.isfinite(np.delete(image.x, np.arange(0, len(table), 3))).all()
    assert (image.x_err[1], image.x_err[2]) == (table["x_psf_err"][1], pytest.approx(3 * table["x_psf_err"][2]))
    table.write(tmp_path / "own.ecsv", format="ascii.ecsv")
    done("tweakreg", cal, "--refcat", gaia, "--catalog", tmp_path / "own.ecsv")
    assert apart(wcs_of(product_of(cal)), moved()) < 5


def test_flags_may_be_floats_but_not_words(cal):
    table = read_catalog(sibling(cal, "cat.parquet"))
    table["warning_flags"][4] = 1
    table["warning_flags"] = np.where(np.arange(len(table)) == 5, np.nan, np.asarray(table["warning_flags"], float))
    image = image_of(table, meta(cal), wcs_of(cal), None)
    assert np.isnan(image.x[4]) and np.isfinite(image.x[5])
    table["warning_flags"] = ["good"] * len(table)
    with pytest.raises(InputError, match="warning_flags"):
        image_of(table, meta(cal), wcs_of(cal), None)


def test_weights_that_the_catalog_lacks_are_refused(cal, gaia, capsys):
    status, out, err = said(capsys, "tweakreg", cal, "--refcat", gaia, "--weights", "weight", "-q")
    assert (status, out) == (3, "") and "no column weight" in err


def test_a_catalog_without_psf_positions_serves_with_a_warning(cal, gaia, tmp_path, capsys):
    table = read_catalog(sibling(cal, "cat.parquet"))
    table.remove_columns([name for name in table.colnames if "psf" in name])
    table.write(tmp_path / "own.ecsv", format="ascii.ecsv")
    status, _out, err = said(capsys, "tweakreg", cal, "--refcat", gaia, "--catalog", tmp_path / "own.ecsv")
    assert status == 0
    assert "x_centroid_win is taken" in err
    assert apart(wcs_of(product_of(cal)), moved()) < 20


def test_an_image_without_wcs_is_skipped(imaged, gaia, tmp_path, capsys):
    source = sibling(imaged, "rampfit.asdf")
    status, _out, err = said(capsys, "tweakreg", source, "--refcat", gaia, "--outdir", tmp_path)
    assert status == 0
    assert "no WCS" in skipped(tmp_path / product_of(source).name, err)


# --- several images -------------------------------------------------------------------------------------------------


def test_an_association_is_aligned_together(pair, gaia, tmp_path):
    """By one correction; a member may name its catalog, which the image's own name would not find."""
    first, second = pair
    renamed = tmp_path / "elsewhere.parquet"
    renamed.write_bytes(sibling(second, "cat.parquet").read_bytes())
    asn = association(
        tmp_path / "x_asn.json",
        {"expname": str(first), "exptype": "science"},
        {"expname": str(copied(second, tmp_path)), "exptype": "science", "tweakreg_catalog": "elsewhere.parquet"},
    )
    done("tweakreg", asn, "--refcat", gaia, "--outdir", tmp_path / "out", "--matches", tmp_path / "m.ecsv")
    made = [tmp_path / "out" / product_of(path).name for path in pair]
    assert names_in(tmp_path / "out") == [path.name for path in made]
    one, two = (meta(path)["wcs_fit_results"] for path in made)
    assert one == two
    assert one["n_detector"] == 2
    alone = tmp_path / "alone"
    done("tweakreg", first, "--refcat", gaia, "--outdir", alone)
    assert one["nmatches"] > 1.5 * meta(alone / product_of(first).name)["wcs_fit_results"]["nmatches"]
    assert apart(wcs_of(made[0]), wcs_of(made[1])) < 0.01  # the same pointing, the same correction
    assert apart(wcs_of(made[0]), moved()) < 3
    table = read_catalog(tmp_path / "m.ecsv")
    assert set(table["image"]) == {str(first), str(tmp_path / second.name)}


def test_together_is_an_association_without_a_file(pair, gaia, tmp_path):
    done("tweakreg", *pair, "--together", "--refcat", gaia, "--outdir", tmp_path / "together")
    done("tweakreg", *pair, "--refcat", gaia, "--outdir", tmp_path / "apart")
    name = product_of(pair[0]).name
    assert [meta(tmp_path / place / name)["wcs_fit_results"]["n_detector"] for place in ("together", "apart")] == [2, 1]


def test_an_exposure_without_catalog_does_not_stop_the_others(pair, gaia, tmp_path, capsys):
    first, second = pair
    lonely = copied(second, tmp_path)
    status, _out, err = said(
        capsys, "tweakreg", first, lonely, "--together", "--refcat", gaia, "--outdir", tmp_path / "out"
    )
    assert status == 0
    skipped(tmp_path / "out" / product_of(lonely).name, err)
    assert statuses(tmp_path / "out" / product_of(first).name)["tweakreg"] == "COMPLETE"


@pytest.mark.parametrize(
    ("words", "expected"), [(("--catalog", "x.parquet"), "--catalog is of one"), (("--matches", "m.ecsv"), "--matches"),
                            (("-o", "y.asdf"), "-o names one")]
)  # fmt: skip
def test_what_is_of_one_image_is_refused_for_two(pair, gaia, tmp_path, capsys, words, expected):
    status, out, err = said(capsys, "tweakreg", *pair, "--refcat", gaia, *words, "-q")
    assert (status, out) == (2, "")
    assert expected in err


def test_standard_input_and_output(cal, gaia, monkeypatch, tmp_path):
    with piped(monkeypatch, cal.read_bytes()) as out:
        done("tweakreg", "-", "-o", "-", "--refcat", gaia, "--catalog", sibling(cal, "cat.parquet"))
    (tmp_path / "out.asdf").write_bytes(out.getvalue())
    assert statuses(tmp_path / "out.asdf")["tweakreg"] == "COMPLETE"


# --- the archive ----------------------------------------------------------------------------------------------------


def test_the_archive_is_asked_where_it_is_asked_for(cal, gaia, capsys, monkeypatch):
    asked = []

    def download(cone, *, limit):
        asked.append((cone, limit))
        return read_catalog(gaia)

    monkeypatch.setattr("rtools.products.refcat.gaia.download", download)
    status, _out, _err = said(capsys, "tweakreg", cal, "--refcat", "gaia")
    assert status == 0 and statuses(product_of(cal))["tweakreg"] == "COMPLETE"
    ((ra, dec, radius),) = (cone for cone, _limit in asked)
    assert apart(wcs_of(product_of(cal)), moved()) < 3
    assert abs(dec - meta(cal)["wcsinfo"]["dec_ref"]) < 1 and 0 <= ra < 360 and 0.005 < radius < 0.1


@pytest.mark.parametrize("spelled", ["gaia", "./gaia", "gaia/"])
def test_a_file_of_the_archives_name_goes_before_it(cal, gaia, capsys, monkeypatch, tmp_path, spelled):
    def download(cone, *, limit):
        raise AssertionError("asked")

    monkeypatch.setattr("rtools.products.refcat.gaia.download", download)
    monkeypatch.chdir(tmp_path)
    done("refcat", "make", gaia, "-o", "gaia")
    assert said(capsys, "tweakreg", cal, "--refcat", spelled)[0] == 0
    assert apart(wcs_of(product_of(cal)), moved()) < 3


def test_a_path_that_is_not_there_is_not_the_archive(cal, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    status, out, err = said(capsys, "tweakreg", cal, "--refcat", "./gaia", "-q")
    assert (status, out) == (3, "") and "no such file" in err


def test_an_archive_that_does_not_answer_leaves_the_image_as_it_is(cal, capsys, monkeypatch):
    from rtools.errors import RtoolsError

    def download(cone, *, limit):
        raise RtoolsError("the Gaia archive does not answer (no route)")

    monkeypatch.setattr("rtools.products.refcat.gaia.download", download)
    status, _out, err = said(capsys, "tweakreg", cal, "--refcat", "gaia")
    assert status == 0 and err.count("the Gaia archive does not answer") == 1
    assert statuses(product_of(cal))["tweakreg"] == "SKIPPED"
    assert apart(wcs_of(product_of(cal)), wcs_of(cal)) < 1e-6
