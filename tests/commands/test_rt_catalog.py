"""rt-catalog: what it writes, what it finds, and that others can read it."""

from pathlib import Path

import numpy as np
import pytest

from rtools.catalog.steps import catalog as step
from rtools.products.tables.files import read_catalog
from tests.support.runs import arrays, complaints, copied, done, history, listing, meta, piped, rewrite, statuses
from tests.support.share import some_long
from tests.support.star_fields import (
    SIZE,
    bits,
    catalog_of,
    is_as_the_archives,
    judged,
    names_in,
    nearest,
    published,
    said,
    sibling,
)

FRAME = SIZE - 8
DO_NOT_USE = 1


@pytest.fixture
def cal(imaged, tmp_path):
    """A copy of the image in a directory of its own."""
    return Path(copied(imaged, tmp_path))


@pytest.fixture
def changed(imaged, tmp_path):
    """``changed(function)``: the image, after ``function(meta, arrays)``."""
    return lambda change: rewrite(imaged, tmp_path / "x_cal.asdf", change)


# --- files ----------------------------------------------------------------------------------------------------------


def test_of_a_cal_it_writes_catalog_and_segments(cal, capsys):
    before = listing(cal.parent)
    status, out, _err = said(capsys, "catalog", cal, "-q")
    assert status == 0
    assert out.split() == [str(sibling(cal, "segm.asdf")), str(sibling(cal, "cat.parquet"))]
    assert names_in(cal.parent) == sorted([cal.name, sibling(cal, "cat.parquet").name, sibling(cal, "segm.asdf").name])
    assert listing(cal.parent)[cal.name] == before[cal.name]


@pytest.mark.parametrize("kind", ["flat", "photom"])
def test_of_a_flat_it_writes_the_image_too(imaged, tmp_path, kind):
    source = sibling(imaged, f"{kind}.asdf")
    done("catalog", source, "--outdir", tmp_path)
    stem = source.name.removesuffix(f"_{kind}.asdf")
    assert names_in(tmp_path) == [f"{stem}_{end}" for end in ("cat.parquet", "segm.asdf", "sourcecatalogstep.asdf")]
    image = tmp_path / f"{stem}_sourcecatalogstep.asdf"
    assert statuses(source)["source_catalog"] == "INCOMPLETE"
    assert statuses(image) == statuses(source) | {"source_catalog": "COMPLETE"}
    assert meta(image)["source_catalog"]["tweakreg_catalog_name"] == f"{stem}_cat.parquet"
    assert meta(image)["ref_file"]["epsf"].startswith("builtin:")
    assert history(image)[-1]["tool"] == "rt-catalog"
    assert history(image)[-1]["parameters"]["catalog"]["npixels"] == 25


def test_the_tool_finds_what_the_chain_finds(imaged, tmp_path):
    done("catalog", sibling(imaged, "flat.asdf"), "--outdir", tmp_path)
    assert bits(tmp_path / sibling(imaged, "cat.parquet").name) == bits(sibling(imaged, "cat.parquet"))
    segments = sibling(imaged, "segm.asdf")
    for name in ("data", "detection_image"):
        first, second = (arrays(path, name)[name] for path in (segments, tmp_path / segments.name))
        assert first.tobytes() == second.tobytes()
    assert statuses(imaged)["source_catalog"] == statuses(sibling(imaged, "sourcecatalogstep.asdf"))["source_catalog"]


def test_threads_change_nothing(cal, tmp_path):
    for options in ((), ("--deep",), ("--deblend",)):
        for jobs in (1, 2):
            done("catalog", cal, "-j", jobs, "--outdir", tmp_path / str(jobs), "--overwrite", *options)
        one, two = (tmp_path / str(jobs) / sibling(cal, "cat.parquet").name for jobs in (1, 2))
        assert bits(one) == bits(two)
        one, two = (arrays(sibling(path, "segm.asdf")) for path in (one, two))
        assert all(one[name].tobytes() == two[name].tobytes() for name in one)


def test_ecsv_by_format_or_by_name(cal, tmp_path):
    expected = catalog_of(cal)
    done("catalog", cal, "--format", "ecsv", "--outdir", tmp_path / "ecsv")
    done("catalog", cal, "-o", tmp_path / "best.ecsv")
    assert names_in(tmp_path / "ecsv") == [sibling(cal, "cat.ecsv").name, sibling(cal, "segm.asdf").name]
    for path in (tmp_path / "ecsv" / sibling(cal, "cat.ecsv").name, tmp_path / "best.ecsv"):
        assert path.read_bytes().startswith(b"# %ECSV")
        found = read_catalog(path)
        assert found.colnames == expected.colnames
        for name in found.colnames:
            one, two = found[name], expected[name]
            assert (one.dtype, one.unit, one.description) == (two.dtype, two.unit, two.description)
            assert np.array_equal(one, two, equal_nan=one.dtype.kind == "f")
        assert found.meta["roman.meta.filename"] == path.name
        assert found.meta["roman.meta.exposure.type"] == "WFI_IMAGE"
    assert (tmp_path / "best_segm.asdf").exists()


def test_standard_output_holds_the_catalog_alone(cal, tmp_path, monkeypatch):
    for options, start in (((), b"PAR1"), (("--format", "ecsv"), b"# %ECSV")):
        with piped(monkeypatch, cal.read_bytes()) as out:
            done("catalog", "-", "-o", "-", *options)
        assert out.getvalue().startswith(start)
    assert names_in(tmp_path) == [cal.name]


def test_a_name_of_another_format_is_refused(cal, tmp_path, capsys):
    status, out, err = said(capsys, "catalog", cal, "-o", tmp_path / "x.fits", "-q")
    assert (status, out) == (2, "")
    assert "rt-catalog writes .parquet .ecsv; rt-table makes .fits of it" in err
    assert names_in(tmp_path) == [cal.name]
    done("catalog", cal, "-o", tmp_path / "x.dat", "--format", "ecsv")
    assert (tmp_path / "x.dat").read_bytes().startswith(b"# %ECSV")


def test_what_exists_is_refused_before_any_work(cal, capsys):
    sibling(cal, "segm.asdf").write_text("mine")
    status, out, err = said(capsys, "catalog", cal, "-q")
    assert (status, out) == (1, "")
    assert "_segm.asdf: exists already" in err
    assert not sibling(cal, "cat.parquet").exists()
    done("catalog", cal, "--overwrite")
    assert read_catalog(sibling(cal, "cat.parquet"))


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("uncal", "wanted l2_image"), ("linearity", "wanted l2_image"), ("rampfit", "rt-assignwcs"), ("wcs", "wanted")],
)
def test_what_is_no_calibrated_image_is_refused(imaged, tmp_path, capsys, kind, expected):
    status, out, err = said(capsys, "catalog", sibling(imaged, f"{kind}.asdf"), "--outdir", tmp_path / "out", "-q")
    assert (status, out, len(complaints(err))) == (3, "", 1)
    assert expected in err
    assert not (tmp_path / "out").exists() or names_in(tmp_path / "out") == []


def test_without_flux_calibration_it_is_refused(changed, capsys):
    path = changed(lambda meta, _: meta["photometry"].update(conversion_megajanskys=None))
    status, out, err = said(capsys, "catalog", path, "-q")
    assert (status, out) == (3, "")
    assert "no flux calibration" in err
    assert "rt-photom" in err


@pytest.mark.parametrize("words", [("--npixels", "0"), ("--kernel-fwhm", "0"), ("--psf-weights", "x"),
                                   ("--format", "fits"), ("--snr-threshold", "nan"), ("--contrast", "-1"),
                                   ("--kernel-fwhm", "500")])  # fmt: skip
def test_nonsense_is_a_usage_error(cal, capsys, words):
    status, _out, err = said(capsys, "catalog", cal, *words, "-q")
    assert status == 2
    assert len(complaints(err)) == 1
    assert names_in(cal.parent) == [cal.name]


# --- columns and metadata -------------------------------------------------------------------------------------------


def test_columns_are_those_published(imaged, cal):
    for psf, table in (
        (True, read_catalog(sibling(imaged, "cat.parquet"))),
        (False, catalog_of(cal, "--no-fit-psf")),
    ):
        expected = published(psf=psf)
        assert len(expected) == (74 if psf else 62)
        assert table.colnames == list(expected)
        assert {name: (table[name].dtype, str(table[name].unit or "None")) for name in expected} == expected
        assert all(table[name].description for name in expected)


def test_parquet_fields_and_layout(imaged):
    from pyarrow import parquet

    path = sibling(imaged, "cat.parquet")
    file = parquet.ParquetFile(path)
    schema = file.schema_arrow
    assert {field.name: field.metadata[b"unit"].decode() for field in schema} == {
        name: unit for name, (_dtype, unit) in published().items()
    }
    assert file.metadata.num_row_groups == 1
    assert {file.metadata.row_group(0).column(i).compression for i in range(len(schema))} == {"UNCOMPRESSED"}
    said = {key.decode(): value.decode() for key, value in schema.metadata.items()}
    assert {"table_meta_yaml", "roman.meta.exposure.read_pattern.0.0", "source_catalog.date"} <= set(said)
    assert said["roman.meta.filename"] == path.name
    assert said["roman.meta.model_type"] == "ImageSourceCatalogModel"
    assert said["roman.meta.image.filename"] == imaged.name
    assert said["source_catalog.aperture_mask_method"] == "mask"
    assert [float(said[f"source_catalog.kron_params.{i}"]) for i in range(3)] == [2.5, 1.4, 0.0]
    radii = np.fromstring(said["source_catalog.aperture_radii.circle_arcsec"].strip("[]"), sep=" ")
    assert np.allclose(radii, [0.1, 0.2, 0.4, 0.8, 1.6])
    energy = np.fromstring(said["source_catalog.ee_fractions"].strip("[]"), sep=" ")
    assert np.all(np.diff(energy) > 0)
    assert 0.05 < energy[0] < energy[-1] <= 1


@pytest.mark.parametrize(
    ("version", "profile"), some_long([("1.2.0", "2.2.0"), ("1.1.0", "2.1.0"), ("1.0.0", "2.0.0")], 1, rows=True)
)
def test_roman_datamodels_astropy_and_pandas_agree(imaged, judge, tmp_path, version, profile):
    image = imaged
    if profile != "2.1.0":
        done("run", sibling(imaged, "flat.asdf"), "--profile", profile, "--outdir", tmp_path)
        image = tmp_path / imaged.name
    catalog = sibling(image, "cat.parquet")
    found = judged(version, image, catalog, "ImageSourceCatalogModel", tmp_path)
    is_as_the_archives(found, len(read_catalog(catalog)))
    assert found["units"] == {name: unit for name, (_dtype, unit) in published().items()}
    assert found["pandas"] == {name: str(dtype) for name, (dtype, _unit) in published().items()}
    verdict = judge(version, [sibling(image, "segm.asdf")])[str(sibling(image, "segm.asdf"))]
    assert verdict["ok"], verdict
    assert verdict["model"] == "SegmentationMapModel"


def test_segments_are_those_of_the_catalog(imaged):
    table, found = read_catalog(sibling(imaged, "cat.parquet")), arrays(sibling(imaged, "segm.asdf"))
    assert found["data"].dtype == np.uint32
    assert found["detection_image"].dtype == np.float32
    assert found["data"].shape == found["detection_image"].shape == (FRAME, FRAME)
    assert np.array_equal(np.unique(found["data"])[1:], table["label"])
    row = table[len(table) // 2]
    y, x = np.nonzero(found["data"] == row["label"])
    assert (x.min(), x.max(), y.min(), y.max()) == tuple(row[f"bbox_{end}"] for end in ("xmin", "xmax", "ymin", "ymax"))
    light = found["detection_image"][y, x].astype(float)  # nJy, as the fluxes are
    assert light.sum() == pytest.approx(row["segment_flux"], rel=0.1)
    assert np.allclose([x @ light, y @ light] / light.sum(), [row["x_centroid"], row["y_centroid"]], atol=1e-3)
    said = meta(sibling(imaged, "segm.asdf"))
    assert said["image"]["filename"] == imaged.name
    assert said["filename"] == sibling(imaged, "segm.asdf").name


# --- what it finds --------------------------------------------------------------------------------------------------


def test_positions_fluxes_and_coordinates_are_those_of_the_stars(imaged, star_field):
    table = read_catalog(sibling(imaged, "cat.parquet"))
    bright = star_field[:25][star_field[:25]["magnitude"] < 25]
    rows, distance = nearest(table, bright["x"], bright["y"])
    clean = (table["psf_flags"][rows] == 0) & (distance < 1)
    assert clean.sum() >= 15
    found, true = table[rows][clean], bright[clean]
    for axis in "xy":
        pull = (found[f"{axis}_psf"] - true[axis]) / found[f"{axis}_psf_err"]
        assert np.abs(np.median(pull)) < 1
        assert np.abs(pull).max() < 5
    assert np.abs(31.4 - 2.5 * np.log10(found["psf_flux"]) - true["magnitude"]).max() < 0.05
    east = (found["ra_psf"] - true["ra"]) * np.cos(np.deg2rad(true["dec"])) * 3.6e6
    assert np.hypot(east, (found["dec_psf"] - true["dec"]) * 3.6e6).max() < 10
    assert np.array_equal(found["ra"], found["ra_centroid"])
    assert not np.any(found["is_extended"])
    for name in ("x_centroid_err", "y_centroid_win_err", "ra_centroid_err", "dec_psf_err", "x_psf_err"):
        assert np.all(found[name] > 0)


def test_a_source_on_the_border_is_measured(imaged):
    table = read_catalog(sibling(imaged, "cat.parquet"))
    (row,), (distance,) = nearest(table, [1.0], [250.0], ("x_centroid", "y_centroid"))
    assert distance < 1
    assert table["bbox_xmin"][row] == 0
    assert table["psf_flags"][row] & 1
    assert table["psf_flux"][row] > 0


def test_deblending_separates_the_pair(cal):
    together = catalog_of(cal, "--npixels", 9)
    apart = catalog_of(cal, "--npixels", 9, "--deblend", "--overwrite")
    x, y = [253.0, 259.2], [251.6, 251.0]
    assert len(set(nearest(together, x, y)[0])) == 1
    rows, distance = nearest(apart, x, y)
    assert len(set(rows)) == 2
    assert distance.max() < 0.2
    assert len(together) < len(apart) <= len(together) + 3
    labels = arrays(sibling(cal, "segm.asdf"), "data")["data"]
    assert labels[252, 253] != labels[251, 259]
    assert sorted(np.unique(labels)) == list(range(len(apart) + 1))


def test_deep_finds_what_is_too_faint(imaged, cal, star_field):
    usual, deep = read_catalog(sibling(imaged, "cat.parquet")), catalog_of(cal, "--deep")
    faint = star_field[28:]
    assert len(faint) > 8
    assert (nearest(usual, faint["x"], faint["y"])[1] < 1.5).sum() <= 1
    assert (nearest(deep, faint["x"], faint["y"])[1] < 1.5).sum() >= 0.9 * len(faint)
    true = star_field[star_field["magnitude"] < 25]
    alone = nearest(true, deep["x_centroid"], deep["y_centroid"], ("x", "y"))[1] > 3
    assert alone.sum() <= 0.1 * len(deep)
    assert deep.colnames == usual.colnames


def test_a_flux_product_has_the_fluxes_of_its_cal(imaged, cal):
    """Its data are in MJy/sr already; and a sky that was subtracted still has its photons in var_poisson."""
    usual = read_catalog(sibling(imaged, "cat.parquet"))
    done("flux", cal)
    done("skymatch", cal, "--method", "local", "--subtract")
    for end, limits in (("flux.asdf", (0.05, 1e-3)), ("skymatch.asdf", (0.2, 0.02))):
        found = catalog_of(sibling(cal, end), "--overwrite")
        assert len(found) == len(usual)
        for name in ("kron_flux", "aper04_flux", "psf_flux"):
            off = np.abs(found[name] - usual[name]) / usual[f"{name}_err"]
            assert np.nanmax(off) < limits[0], (end, name)
        assert np.allclose(found["psf_flux_err"], usual["psf_flux_err"], rtol=limits[1]), end


@pytest.mark.parametrize(
    ("given", "idle"),
    [({"significance": 5.0}, "--significance"), ({"contrast": 0.1}, "--contrast"),
     ({"contrast": 0.1, "deblend": True}, ""), ({"deep": True, "significance": 5.0, "npixels": 9}, ""),
     ({"deep": True, "snr_threshold": 4.0, "deblend": True}, "--snr-threshold --deblend"),
     ({"forced_segmentation": "x", "deep": True, "npixels": 9}, "--npixels --deep")],
)  # fmt: skip
def test_options_that_do_nothing_are_told(given, idle):
    told = step.in_vain(step.STEP.defaults() | given)
    assert {text.partition(" does nothing with")[0] for text in told} == set(idle.split())


def test_deep_takes_the_least_number_of_pixels(cal):
    table = catalog_of(cal, "--deep", "--npixels", 60, "--no-fit-psf")
    assert 0 < len(table) <= 30  # the bright ones


def test_weights_of_the_fit_change_the_fit_alone(imaged, cal):
    model, err = read_catalog(sibling(imaged, "cat.parquet")), catalog_of(cal, "--psf-weights", "err")
    differ = {name for name in model.colnames if not np.array_equal(model[name], err[name], equal_nan=True)}
    assert {"psf_flux", "psf_gof", "x_psf"} <= differ
    assert all("psf" in name for name in differ)


def test_a_bad_pixel_at_the_centre_is_told(imaged, changed):
    row = read_catalog(sibling(imaged, "cat.parquet"))[3]
    x, y = round(float(row["x_centroid"])), round(float(row["y_centroid"]))

    def spoil(meta, arrays):
        arrays["dq"][y, x + 1] |= 2  # saturated alone is no reason
        arrays["dq"][y, x] |= DO_NOT_USE

    table = catalog_of(changed(spoil))
    (found,), (distance,) = nearest(table, [x], [y], ("x_centroid", "y_centroid"))
    assert distance < 1
    assert table["warning_flags"][found] == 1
    assert table["psf_flags"][found] & 1
    assert table["aper08_flux"][found] == pytest.approx(row["aper08_flux"], rel=0.2)
    others = np.delete(np.asarray(table["warning_flags"]), found)
    assert np.array_equal(
        others, np.delete(np.asarray(read_catalog(sibling(imaged, "cat.parquet"))["warning_flags"]), 3)
    )


def test_without_a_psf_there_are_no_psf_columns(cal, capsys):
    status, _out, err = said(capsys, "catalog", cal, "--ref", "epsf=none")
    assert status == 0
    assert "epsf" in err
    assert len(read_catalog(sibling(cal, "cat.parquet")).colnames) == 62
    status, out, err = said(capsys, "catalog", cal, "--ref", "epsf=none", "--deep", "--overwrite", "-q")
    assert (status, out, len(complaints(err))) == (2, "", 1)


def test_without_encircled_energy_nothing_is_extended(cal, capsys):
    status, _out, err = said(capsys, "catalog", cal, "--ref", "apcorr=none")
    assert status == 0
    assert "is_extended is false everywhere" in err
    table = read_catalog(sibling(cal, "cat.parquet"))
    assert not np.any(table["is_extended"])
    assert "source_catalog.ee_fractions.0" not in table.meta


# --- nothing to find ------------------------------------------------------------------------------------------------


def empty_image(meta, arrays):
    arrays["data"][:] = np.nan


def flat_image(meta, arrays):
    arrays["data"][:] = np.random.default_rng(1).normal(1, 0.1, arrays["data"].shape)
    arrays["err"][:] = 0.1


@pytest.mark.parametrize("change", some_long([empty_image, flat_image], 1))
def test_no_source_is_an_empty_catalog_with_all_columns(imaged, tmp_path, capsys, change, judge):
    path = rewrite(sibling(imaged, "flat.asdf"), tmp_path / "x_flat.asdf", change)
    status, _out, err = said(capsys, "catalog", path)
    assert status == 0
    assert "the catalog is empty" in err
    table = read_catalog(tmp_path / "x_cat.parquet")
    assert len(table) == 0
    assert {name: (table[name].dtype, str(table[name].unit or "None")) for name in table.colnames} == published()
    found = arrays(tmp_path / "x_segm.asdf")
    assert not found["data"].any()
    assert np.isnan(found["detection_image"]).mean() < 0.01  # amid pixels that cannot be used
    assert statuses(tmp_path / "x_sourcecatalogstep.asdf")["source_catalog"] == "INCOMPLETE"
    verdicts = judge("1.1.0", [tmp_path / "x_segm.asdf", tmp_path / "x_sourcecatalogstep.asdf"])
    assert all(verdict["ok"] for verdict in verdicts.values())
    verdict = judged("1.1.0", path, tmp_path / "x_cat.parquet", "ImageSourceCatalogModel", tmp_path)
    is_as_the_archives(verdict, 0, differ=("ref_file.epsf", "ref_file.apcorr"))  # the image was made without them


def a_hole(meta, arrays):
    arrays["data"][100:140, 100:140] = np.nan


def test_detection_image_is_nan_where_no_pixel_under_the_kernel_can_be_used(imaged, tmp_path):
    path = rewrite(sibling(imaged, "flat.asdf"), tmp_path / "x_flat.asdf", a_hole)
    done("catalog", path)
    bad = np.zeros(arrays(path, "dq")["dq"].shape, bool)
    bad[100:140, 100:140] = True
    shown = arrays(tmp_path / "x_segm.asdf", "detection_image")["detection_image"]
    assert np.isnan(shown[115:125, 115:125]).all()
    assert np.isfinite(shown[~bad]).mean() > 0.99


def test_rt_run_goes_on_without_sources(imaged, tmp_path):
    path = rewrite(sibling(imaged, "flat.asdf"), tmp_path / "x_flat.asdf", empty_image)
    done("run", path)
    assert statuses(tmp_path / "x_cal.asdf")["source_catalog"] == "INCOMPLETE"
    assert len(read_catalog(tmp_path / "x_cat.parquet")) == 0


def test_a_single_source(changed):
    def one(meta, arrays):
        flat_image(meta, arrays)
        y, x = np.indices(arrays["data"].shape)
        arrays["data"] += 50 * np.exp(-0.5 * ((x - 300) ** 2 + (y - 200) ** 2) / 1.5**2).astype("f4")

    table = catalog_of(changed(one))
    assert len(table) == 1
    assert np.allclose([table["x_centroid"][0], table["y_centroid"][0]], [300, 200], atol=0.05)
    assert table["nn_label"][0] == -1
    assert np.isnan(table["nn_distance"][0])
    assert table["is_extended"][0]
