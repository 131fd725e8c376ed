"""rt-tweakreg, and the alignment in rt-run: files, statuses, exit codes; what is fitted is tested in test_align."""

import json

import numpy as np
import pytest
from run_case import PRODUCTS, copied, done, history, listing, meta, piped, rewrite, same, statuses, tool
from sources_case import POINTING, names_in, nearest, reference_stars, said, sibling, true_wcs

from rtools.products import reader
from rtools.products.catalogs import read_catalog

SHIFT = (0.5, -0.3)
MAS = 3.6e6

SKY = [f"{axis}{kind}" for kind in ("", "_centroid", "_centroid_win", "_psf") for axis in ("ra", "dec")]


def wcs_of(path, node="meta.wcs"):
    """A WCS of a product, to be used when the file is closed."""
    with reader.open_product(path) as product:
        return product.node(node)


def apart(one, two, x=(10.0, 250.0, 490.0), y=(490.0, 30.0, 250.0)):
    """Largest distance between two WCSs at some pixels, mas."""
    (ra, dec), (ra0, dec0) = (each(np.array(x), np.array(y)) for each in (one, two))
    return float(np.hypot((ra - ra0) * np.cos(np.deg2rad(dec0)), dec - dec0).max() * MAS)


def moved(shift=SHIFT):
    """The true WCS, moved by arcsec east and north."""
    ra = POINTING.ra_ref + shift[0] / 3600 / np.cos(np.deg2rad(POINTING.dec_ref))
    return true_wcs(POINTING._replace(ra_ref=ra, dec_ref=POINTING.dec_ref + shift[1] / 3600))


@pytest.fixture(scope="module")
def bright(star_field):
    """The stars that a catalog of them would have."""
    return star_field[star_field["magnitude"] < 21]


@pytest.fixture(scope="module")
def gaia(bright, tmp_path_factory):
    """Reference catalog: the stars, all moved by `SHIFT`."""
    return reference_stars(tmp_path_factory.mktemp("refcat") / "stars.ecsv", bright, shift=SHIFT)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, bright):
    """Reference catalog of as many other stars in the same field."""
    rng = np.random.default_rng(8)
    other = bright.copy()
    other["ra"], other["dec"] = true_wcs()(*rng.uniform(5, 495, (2, len(bright))))
    return reference_stars(tmp_path_factory.mktemp("refcat") / "wrong.ecsv", other)


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


def product_of(path):
    """Path of what rt-tweakreg makes of an image."""
    return sibling(path, "tweakregstep.asdf")


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


def test_pixels_stay(cal, gaia):
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
    from rtools.pipeline import aligning

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    before = listing(cal.parent)
    monkeypatch.setattr(aligning.catalogs, "stage_catalog", fail)
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


def test_threads_change_nothing(cal, gaia, tmp_path):
    for jobs in (1, 2):
        done("tweakreg", cal, "--refcat", gaia, "-j", jobs, "--outdir", tmp_path / str(jobs))
    one, two = (meta(tmp_path / str(jobs) / product_of(cal).name)["wcs_fit_results"] for jobs in (1, 2))
    assert one == two


# --- failure --------------------------------------------------------------------------------------------------------


def failed(path, cal, reason=""):
    """Check a product whose alignment failed."""
    assert statuses(path)["tweakreg"] == "FAILED"
    results = meta(path)["wcs_fit_results"]
    assert set(results) == {"status", "nmatches", "n_detector"}
    assert results["status"].startswith("FAILED: ")
    assert reason in results["status"]
    assert results["nmatches"] == 0
    assert apart(wcs_of(path), wcs_of(cal)) == 0
    assert meta(path)["wcsinfo"] == meta(cal)["wcsinfo"]


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


def association(path, *members):
    path.write_text(json.dumps({"products": [{"name": "x", "members": list(members)}]}))
    return path


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


# --- in the chain ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def aligned(imaged, gaia, tmp_path_factory):
    """`_cal` of rt-run with a reference catalog."""
    directory = tmp_path_factory.mktemp("aligned")
    done("run", sibling(imaged, "flat.asdf"), "--refcat", gaia, "--outdir", directory, "--save-steps")
    return directory / imaged.name


def test_rt_run_aligns_and_writes_the_catalog_after_that(aligned, bright):
    assert statuses(aligned)["tweakreg"] == "COMPLETE"
    assert apart(wcs_of(aligned), moved()) < 3
    table, wcs = read_catalog(sibling(aligned, "cat.parquet")), wcs_of(aligned)
    assert table["ra_psf"].unit == "deg"
    assert table["ra_psf"].description
    ra, _dec = wcs(np.asarray(table["x_psf"], float), np.asarray(table["y_psf"], float))
    good = np.isfinite(ra)
    assert np.allclose(table["ra_psf"][good], ra[good], rtol=0, atol=1e-10)
    rows, distance = nearest(table, bright["x"], bright["y"])
    error = (table["dec_psf"][rows] - bright["dec"]) * 3600 - SHIFT[1]
    assert np.median(np.abs(error[distance < 0.3])) < 0.003
    assert table.meta["roman.meta.wcsinfo.s_region"] == meta(aligned)["wcsinfo"]["s_region"]


def test_rt_run_writes_the_corrected_wcs(aligned):
    product = sibling(aligned, "wcs.asdf")
    one, two = wcs_of(product, "wcs_l1"), wcs_of(product, "wcs_l2")
    assert apart(two, wcs_of(aligned)) < 1e-3
    assert "v2v3corr" in one.available_frames
    assert np.allclose(one(34.0, 24.0), two(30.0, 20.0), rtol=0, atol=1e-12)
    assert meta(product)["wcs_fit_results"] == meta(aligned)["wcs_fit_results"]


def test_rt_run_writes_the_products_of_its_steps(aligned, imaged):
    stem = imaged.name.removesuffix("_cal.asdf")
    ends = ("cal.asdf", "cat.parquet", "segm.asdf", "sourcecatalogstep.asdf", "tweakregstep.asdf", "wcs.asdf")
    assert names_in(aligned.parent) == [f"{stem}_{end}" for end in ends]
    assert apart(wcs_of(product_of(aligned)), wcs_of(aligned)) == 0
    before = sibling(aligned, "sourcecatalogstep.asdf")
    assert apart(wcs_of(before), moved()) > 500
    assert statuses(before)["tweakreg"] == "INCOMPLETE"


def test_single_tools_give_what_the_chain_gives(aligned, imaged, gaia, tmp_path):
    done("catalog", sibling(imaged, "flat.asdf"), "--outdir", tmp_path)
    image = tmp_path / sibling(imaged, "sourcecatalogstep.asdf").name
    done("tweakreg", image, "--refcat", gaia, "--update-catalog")
    one, two = (read_catalog(sibling(path, "cat.parquet")) for path in (aligned, image))
    for name in one.colnames:
        assert np.asarray(one[name]).tobytes() == np.asarray(two[name]).tobytes(), name
    assert meta(product_of(image))["wcs_fit_results"] == meta(aligned)["wcs_fit_results"]
    done("run", product_of(image), "--outdir", tmp_path / "end")
    assert names_in(tmp_path / "end") == [sibling(imaged, f"{end}.asdf").name for end in ("cal", "wcs")]
    assert apart(wcs_of(tmp_path / "end" / aligned.name), wcs_of(aligned)) < 1e-3
    assert statuses(tmp_path / "end" / aligned.name) == statuses(aligned)


def test_rt_run_goes_on_from_the_catalog(imaged, gaia, tmp_path):
    done("catalog", sibling(imaged, "flat.asdf"), "--outdir", tmp_path)
    image = tmp_path / sibling(imaged, "sourcecatalogstep.asdf").name
    before = listing(tmp_path)
    done("run", image, "--refcat", gaia, "--outdir", tmp_path / "end")
    assert statuses(tmp_path / "end" / imaged.name)["tweakreg"] == "COMPLETE"
    assert {name: text for name, text in listing(tmp_path).items() if name in before} == before


def test_rt_run_warns_where_it_fails_and_is_strict_on_request(imaged, elsewhere, tmp_path, capsys):
    source = sibling(imaged, "flat.asdf")
    status, out, err = said(capsys, "run", source, "--refcat", elsewhere, "--outdir", tmp_path / "a")
    assert (status, len(out.split())) == (0, 4)
    assert len([line for line in err.splitlines() if "warning" in line and "tweakreg: FAILED" in line]) == 1
    failed(tmp_path / "a" / imaged.name, imaged)
    words = ("--refcat", elsewhere, "--outdir", tmp_path / "b", "--strict", "-q")
    status, out, err = said(capsys, "run", source, *words)
    assert (status, len(out.split()), len(err.splitlines())) == (5, 4, 1)
    failed(tmp_path / "b" / imaged.name, imaged)
    one, two = (read_catalog(sibling(tmp_path / place / imaged.name, "cat.parquet")) for place in "ab")
    assert np.array_equal(one["ra"], two["ra"])
    assert np.array_equal(one["ra"], read_catalog(sibling(imaged, "cat.parquet"))["ra"])


def test_rt_run_aligns_an_association_together(imaged, imaged_again, gaia, tmp_path, capsys):
    sources = [sibling(path, "flat.asdf") for path in (imaged, imaged_again)]
    asn = association(tmp_path / "x_asn.json", *({"expname": str(path)} for path in sources))
    status, out, _err = said(capsys, "run", asn, "--refcat", gaia, "--outdir", tmp_path / "out", "-q", "-j", 2)
    assert status == 0
    made = [tmp_path / "out" / path.name for path in (imaged, imaged_again)]
    expected = [sibling(path, end) for path in made for end in PRODUCTS]
    assert sorted(out.split()) == sorted(map(str, expected))
    assert [path.name for path in sorted(expected)] == names_in(tmp_path / "out")  # and nothing else is left there
    one, two = (meta(path)["wcs_fit_results"] for path in made)
    assert one == two
    assert one["n_detector"] == 2
    for path in made:
        assert apart(wcs_of(path), moved()) < 3
        assert apart(wcs_of(sibling(path, "wcs.asdf"), "wcs_l2"), wcs_of(path)) < 1e-3
        table = read_catalog(sibling(path, "cat.parquet"))
        ra, _dec = wcs_of(path)(np.asarray(table["x_psf"], float), np.asarray(table["y_psf"], float))
        assert np.allclose(table["ra_psf"], ra, rtol=0, atol=1e-10, equal_nan=True)
        assert table.meta["roman.meta.filename"] == sibling(path, "cat.parquet").name
        assert meta(path)["filename"] == path.name
        assert meta(path)["source_catalog"]["tweakreg_catalog_name"] == sibling(path, "cat.parquet").name


def test_rt_run_of_an_association_that_fails(imaged, imaged_again, elsewhere, tmp_path, capsys):
    sources = [sibling(path, "flat.asdf") for path in (imaged, imaged_again)]
    asn = association(tmp_path / "x_asn.json", *({"expname": str(path)} for path in sources))
    status, out, err = said(capsys, "run", asn, "--refcat", elsewhere, "--outdir", tmp_path / "a")
    assert (status, len(out.split())) == (0, 8)
    assert len([line for line in err.splitlines() if "warning" in line and "tweakreg: FAILED" in line]) == 2
    failed(tmp_path / "a" / imaged.name, imaged)
    words = ("--refcat", elsewhere, "--outdir", tmp_path / "b", "--strict", "-q")
    assert said(capsys, "run", asn, *words)[0] == 5
    assert names_in(tmp_path / "b") == names_in(tmp_path / "a")
