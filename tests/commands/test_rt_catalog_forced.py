"""rt-catalog on the segments of other data, and on mosaics."""

import json
import resource
from pathlib import Path

import numpy as np
import pytest

from rtools.products.io import open_product, writer
from rtools.products.tables.files import read_catalog
from tests.support import samples
from tests.support.fits_files import by_asdf
from tests.support.judges import newest_only
from tests.support.runs import arrays, complaints, copied, done, meta, retouched, rewrite, tool
from tests.support.star_fields import (
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

pytestmark = pytest.mark.slow

DO_NOT_USE = 1

FORCED_ALONE = """
flagged_spatial_id x_centroid y_centroid x_centroid_err y_centroid_err ra dec ra_centroid dec_centroid ra_centroid_err
dec_centroid_err semimajor semiminor fwhm ellipticity orientation_pix orientation_sky cxx cxy cyy kron_radius nn_label
nn_distance
"""
"""What is measured on the new image's own light, beside what is measured in the given apertures."""

ANEW = ("psf", "aper", "kron_flux", "kron_abmag", "segment_flux", "sharpness", "roundness", "is_extended", "fluxfrac",
        "warning_flags")  # fmt: skip
"""How columns begin that take ``forced_``."""


def forced_columns():
    """Name to (dtype, unit) of a forced catalog, in order."""
    table = published()
    anew = {name for name in table if name.startswith(ANEW) or "_psf" in name}
    first = {f"forced_{name}" if name in anew else name: table[name] for name in table}
    return first | {f"forced_{name}": table[name] for name in FORCED_ALONE.split()}


@pytest.fixture(scope="module")
def deep(imaged, tmp_path_factory):
    """Segmentation map of a deep catalog of the first exposure."""
    directory = tmp_path_factory.mktemp("deep")
    done("catalog", imaged, "--deep", "--outdir", directory)
    return directory / sibling(imaged, "segm.asdf").name


def forced(path, segments, directory, *options):
    """The catalog of an image on given segments."""
    done("catalog", path, "--forced-segmentation", segments, "--outdir", directory, *options)
    return read_catalog(directory / sibling(path, "cat.parquet").name)


@pytest.fixture(scope="module")
def both(imaged, imaged_again, deep, tmp_path_factory):
    """Directory of the forced catalog of the second exposure, the catalog, and that of the deep detection."""
    directory = tmp_path_factory.mktemp("forced")
    return directory, forced(imaged_again, deep, directory), read_catalog(sibling(deep, "cat.parquet"))


# --- forced ---------------------------------------------------------------------------------------------------------


def test_columns_are_those_of_the_archive(both):
    _directory, table, _deep = both
    expected = forced_columns()
    assert len(expected) == 97
    assert table.colnames == list(expected)
    assert {name: (table[name].dtype, str(table[name].unit or "None")) for name in expected} == expected
    assert all(table[name].description for name in expected)


def test_forced_sources_are_those_of_the_map(both, imaged, deep):
    _directory, table, first = both
    assert np.array_equal(table["label"], first["label"])
    bad = arrays(imaged, "dq")["dq"] & DO_NOT_USE != 0
    clean = ~np.isin(first["label"], arrays(deep, "data")["data"][bad])  # bad pixels of the first are not in the map
    assert clean.sum() >= 20
    for name in ("x_centroid", "y_centroid", "semimajor", "ra", "bbox_xmin"):  # of the detection image
        assert np.allclose(table[name][clean], first[name][clean], rtol=1e-4, atol=1e-4), name
    assert "source_catalog.ee_fractions" in table.meta
    assert "source_catalog.aperture_radii.circle_pix" in table.meta


def test_forced_fluxes_are_those_of_the_new_exposure(both, star_field):
    _directory, table, _deep = both
    true = star_field[:25][star_field[:25]["magnitude"] < 25]
    rows, distance = nearest(table, true["x"], true["y"], ("x_centroid", "y_centroid"))
    clean = (distance < 1) & (table["forced_psf_flags"][rows] == 0)
    assert clean.sum() >= 15
    found = 31.4 - 2.5 * np.log10(table["forced_psf_flux"][rows][clean])
    assert np.abs(found - true["magnitude"][clean]).max() < 0.05
    pull = (table["forced_x_psf"][rows] - true["x"]) / table["forced_x_psf_err"][rows]
    assert np.abs(pull[clean]).max() < 5
    assert np.allclose(table["forced_x_centroid"][rows][clean], true["x"][clean], atol=0.3)


def test_apertures_do_not_depend_on_the_noise_of_the_epoch(both, imaged, deep, tmp_path):
    _directory, second, _deep = both
    first = forced(imaged, deep, tmp_path)
    assert np.array_equal(first["label"], second["label"])
    for name in ("kron_radius", "semimajor", "segment_area", "x_centroid", "x_centroid_win", "fwhm"):
        assert np.allclose(first[name], second[name], rtol=1e-5, equal_nan=True), name
    assert all(
        np.isnan(second[f"{axis}_{kind}_err"]).all() for axis in ("x", "dec") for kind in ("centroid", "centroid_win")
    )
    assert np.isfinite(second["forced_x_centroid_err"]).mean() > 0.9
    assert np.nanmax(first["kron_radius"]) > 1.1 * np.nanmin(first["kron_radius"])  # not all at the least
    assert not np.any(first["forced_semimajor"] == second["forced_semimajor"])
    assert not np.any(first["forced_kron_flux"] == second["forced_kron_flux"])


def test_forced_product_says_so_and_is_valid(both, imaged_again, deep, judge):
    directory, table, _deep = both
    path = directory / sibling(imaged_again, "cat.parquet").name
    assert table.meta["roman.meta.model_type"] == "ForcedImageSourceCatalogModel"
    assert table.meta["roman.meta.image.forced_segmentation"] == str(deep)
    segments = directory / sibling(imaged_again, "segm.asdf").name
    verdict = judge("1.1.0", [segments])[str(segments)]
    assert verdict["ok"], verdict
    assert np.array_equal(arrays(segments, "detection_image")["detection_image"],
                          arrays(deep, "detection_image")["detection_image"], equal_nan=True)  # fmt: skip
    found = judged("1.1.0", imaged_again, path, "ForcedImageSourceCatalogModel", directory)
    is_as_the_archives(found, len(table), differ=("ref_file.epsf", "ref_file.apcorr"))


def test_a_forced_catalog_is_a_product_of_its_own(both, imaged_again, tmp_path, capsys):
    directory, table, _deep = both
    path = directory / sibling(imaged_again, "cat.parquet").name
    assert tool("info", path) == 0
    said = capsys.readouterr().out
    assert "cat_forced_exposure, L4 (parquet)" in said
    assert f"{len(table)} rows" in said and "resultants of" in said
    assert tool("get", "exposure.read_pattern,exposure.frame_time", path, "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert values["exposure.read_pattern"] == meta(imaged_again)["exposure"]["read_pattern"]
    assert values["exposure.frame_time"] == meta(imaged_again)["exposure"]["frame_time"]
    assert tool("set", path, "exposure.frame_time=soon", "-o", tmp_path / "x_cat.parquet") == 2
    assert "'soon' is not of type 'number'" in capsys.readouterr().err
    assert tool("set", path, "program.title=deep", "-o", tmp_path / "x_cat.parquet") == 0


@pytest.mark.parametrize("version", newest_only(["1.0.0", "1.1.0"]))
def test_a_forced_catalog_of_profile_2_0_0_is_valid(version, imaged_again, deep, tmp_path):
    image, catalog = tmp_path / "x_cal.asdf", tmp_path / "x_cat.parquet"
    with open_product(imaged_again) as product:
        planes = {name: product.array(name) for name in product.arrays}
        writer.write_product(image, "l2_image", product.meta, planes, profile="2.0.0")
    table = forced(image, deep, tmp_path, "--builtin")
    found = judged(version, image, catalog, "ForcedImageSourceCatalogModel", tmp_path)
    is_as_the_archives(found, len(table), differ=("ref_file.epsf", "ref_file.apcorr"))


def test_forced_with_any_number_of_threads(imaged_again, deep, both, tmp_path):
    directory, _table, _deep = both
    forced(imaged_again, deep, tmp_path, "-j", 2)
    name = sibling(imaged_again, "cat.parquet").name
    assert bits(tmp_path / name) == bits(directory / name)


def test_forced_without_psf(imaged_again, deep, tmp_path):
    table = forced(imaged_again, deep, tmp_path, "--no-fit-psf")
    assert table.colnames == [name for name in forced_columns() if "psf" not in name]


@pytest.mark.parametrize("kind", ["missing", "shape", "no detection image", "image"])
def test_a_map_that_cannot_serve_is_refused(imaged_again, imaged, deep, tmp_path, capsys, kind):
    path = tmp_path / "x_segm.asdf"

    def smaller(_meta, arrays):
        for name in arrays:
            arrays[name] = arrays[name][:100, :90].copy()

    if kind == "shape":
        rewrite(deep, path, smaller)
    elif kind == "no detection image":
        rewrite(deep, path, lambda _meta, arrays: arrays.pop("detection_image"))
    elif kind == "image":
        path = imaged
    words = ("--forced-segmentation", path, "--outdir", tmp_path / "out", "-q")
    status, out, err = said(capsys, "catalog", imaged_again, *words)
    assert (status, out, len(complaints(err))) == (3, "", 1)
    assert str(path) in err
    assert {"missing": "no such file", "shape": "100×90 and 504×504", "no detection image": "no detection_image",
            "image": "segm"}[kind] in err  # fmt: skip
    assert not (tmp_path / "out").exists() or names_in(tmp_path / "out") == []


def relabelled(deep, path, label, dtype):
    """A copy of a map with another label for the segment 3."""

    data = arrays(deep, "data")["data"]
    return by_asdf(deep, path, {"data": np.where(data == 3, np.array(label, dtype), data.astype(dtype))})


def test_labels_are_what_they_are_however_large(imaged_again, both, deep, tmp_path):
    path = relabelled(deep, tmp_path / "x_segm.asdf", 2_000_000_000, np.int64)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = forced(imaged_again, path, tmp_path / "out")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2e6  # KiB; a table of labels takes 31e6
    expected = both[1]
    assert list(table["label"]) == [*(label for label in expected["label"] if label != 3), 2_000_000_000]
    first, last = (expected["label"] == 3).nonzero()[0], len(table) - 1
    assert table["forced_kron_flux"][last] == expected["forced_kron_flux"][first]
    assert np.array_equal(table["forced_kron_flux"][:last], np.delete(expected["forced_kron_flux"], first))


@pytest.mark.parametrize(("label", "dtype", "word"), [
    (2**32 + 2, np.uint64, "4294967298 does not fit"),
    (3_000_000_000, np.uint32, "3000000000 does not fit"),
    (-1, np.int64, "-1 is negative"),
    (3.5, np.float32, "float32"),
])  # fmt: skip
def test_a_label_that_no_catalog_holds_is_refused(imaged_again, deep, tmp_path, capsys, label, dtype, word):
    path = relabelled(deep, tmp_path / "x_segm.asdf", label, dtype)
    words = ("--forced-segmentation", path, "--outdir", tmp_path / "out", "-q")
    status, out, err = said(capsys, "catalog", imaged_again, *words)
    assert (status, out, len(complaints(err))) == (3, "", 1)
    assert f"{path}: " in err and word in err


def test_all_segments_masked_is_an_empty_catalog(imaged_again, deep, tmp_path, capsys):
    labels = arrays(deep, "data")["data"]

    def hide(_meta, arrays):
        arrays["dq"][labels > 0] |= DO_NOT_USE

    path = rewrite(imaged_again, tmp_path / "x_cal.asdf", hide)
    status, _out, err = said(capsys, "catalog", path, "--forced-segmentation", deep)
    assert status == 0
    assert "the catalog is empty" in err
    table = read_catalog(tmp_path / "x_cat.parquet")
    assert len(table) == 0
    assert "detection_image" in arrays(tmp_path / "x_segm.asdf")
    assert {name: (table[name].dtype, str(table[name].unit or "None")) for name in table.colnames} == forced_columns()
    assert not arrays(tmp_path / "x_segm.asdf", "data")["data"].any()


def test_a_bad_pixel_of_the_new_image_moves_no_forced_aperture(imaged_again, both, deep, tmp_path):
    _directory, table, _deep = both
    row = table[int(np.argmax(table["segment_area"]))]
    x, y = round(float(row["x_centroid"])), round(float(row["y_centroid"]))

    def spoil(_meta, arrays):
        arrays["dq"][y, x + 1] |= DO_NOT_USE

    again = forced(rewrite(imaged_again, tmp_path / "x_cal.asdf", spoil), deep, tmp_path / "out")
    for name in ("x_centroid", "y_centroid", "semimajor", "kron_radius", "x_centroid_win", "segment_area"):
        assert np.array_equal(again[name], table[name]), name
    assert np.sum(again["forced_kron_flux"] != table["forced_kron_flux"]) >= 1


def test_a_wholly_masked_image_keeps_the_given_detection_image(imaged_again, deep, tmp_path):
    path = rewrite(imaged_again, tmp_path / "x_cal.asdf", lambda _meta, arrays: arrays["dq"].fill(DO_NOT_USE))
    assert len(forced(path, deep, tmp_path / "out")) == 0
    given, kept = (
        arrays(name, "detection_image")["detection_image"] for name in (deep, tmp_path / "out" / "x_segm.asdf")
    )
    assert np.array_equal(given, kept, equal_nan=True)


def test_a_segment_without_a_good_pixel_is_left_out(imaged_again, deep, tmp_path):
    labels = arrays(deep, "data")["data"]

    def hide(_meta, arrays):
        arrays["dq"][labels == 3] |= DO_NOT_USE

    table = forced(rewrite(imaged_again, tmp_path / "x_cal.asdf", hide), deep, tmp_path / "out")
    assert 3 not in table["label"]
    assert {2, 4} <= set(table["label"])
    assert 3 not in arrays(tmp_path / "out" / "x_segm.asdf", "data")["data"]


# --- mosaics --------------------------------------------------------------------------------------------------------

SCALE = 0.055
FLUX = 3e4
PLACES = [(30.0, 40.5), (90.25, 30.0), (150.0, 95.5), (60.0, 150.0), (120.5, 160.0)]
ABSENT = 3
"""The star at whose centre the mosaic has no weight."""


@pytest.fixture(scope="module")
def mosaic(tmp_path_factory):
    """A mosaic in MJy/sr: five stars of `FLUX` nJy; no weight at the centre of one."""
    rng, size = np.random.default_rng(1), 200
    omega = np.radians(SCALE / 3600) ** 2
    y, x = np.indices((size, size))
    sigma = 1.6
    stars = sum(np.exp(-0.5 * ((x - a) ** 2 + (y - b) ** 2) / sigma**2) for a, b in PLACES) / (2 * np.pi * sigma**2)
    noise = 20.0
    image = (FLUX * stars + 100 + rng.normal(0, noise, x.shape)) / (omega * 1e15)
    planes = {
        "data": image.astype("f4"),
        "err": np.full(x.shape, noise / (omega * 1e15), "f4"),
        "weight": np.ones(x.shape, "f4"),
        "var_poisson": np.full(x.shape, (0.1 * noise / (omega * 1e15)) ** 2, "f4"),
        "var_rnoise": np.full(x.shape, (noise / (omega * 1e15)) ** 2, "f4"),
        "context": np.ones((1, size, size), "u4"),
    }
    planes["weight"][round(PLACES[ABSENT][1]), round(PLACES[ABSENT][0])] = 0
    told = samples.meta("l3_coadd") | {"wcs": samples.wcs(SCALE / 3600)}
    told["instrument"] |= {"optical_element": "F158", "name": "WFI"}
    told["wcsinfo"] |= {"pixel_scale": SCALE / 3600}
    told["coadd_info"]["time_first"] = samples.nodes.time(samples.START)
    path = tmp_path_factory.mktemp("mosaic") / "x_coadd.asdf"
    writer.write_product(path, "l3_coadd", told, planes, history=samples.SIMULATED)
    return path


def test_a_mosaic_has_a_catalog_and_segments(mosaic, judge, tmp_path, capsys):
    path = Path(copied(mosaic, tmp_path))
    status, out, _err = said(capsys, "catalog", path, "-q")
    assert status == 0
    assert out.split() == [str(tmp_path / name) for name in ("x_segm.asdf", "x_cat.parquet")]
    table = read_catalog(tmp_path / "x_cat.parquet")
    assert {name: (table[name].dtype, str(table[name].unit or "None")) for name in table.colnames} == published()
    assert table.meta["roman.meta.model_type"] == "MosaicSourceCatalogModel"
    verdict = judge("1.1.0", [tmp_path / "x_segm.asdf"])[str(tmp_path / "x_segm.asdf")]
    assert verdict["ok"], verdict
    assert verdict["model"] == "MosaicSegmentationMapModel"
    assert meta(tmp_path / "x_segm.asdf")["image"]["filename"] == "x_coadd.asdf"
    found = judged("1.1.0", path, tmp_path / "x_cat.parquet", "MosaicSourceCatalogModel", tmp_path)
    is_as_the_archives(found, len(table))


def test_fluxes_of_a_mosaic_are_by_the_square_of_its_pixel_scale(mosaic, tmp_path):
    table = catalog_of(Path(copied(mosaic, tmp_path)))
    assert len(table) == len(PLACES)
    x, y = np.transpose(PLACES)
    rows, distance = nearest(table, x, y, ("x_centroid_win", "y_centroid_win"))
    assert distance.max() < 0.1
    assert np.allclose(table["aper08_flux"][rows], FLUX, rtol=0.03)
    assert np.allclose(table["kron_flux"][rows], FLUX, rtol=0.05)
    assert np.allclose(table["fwhm"][rows], 2.3548 * 1.9 * SCALE, rtol=0.15)  # of the smoothed image
    ra, dec = samples.wcs(SCALE / 3600)(np.asarray(table["x_psf"], float), np.asarray(table["y_psf"], float))
    assert np.allclose(table["ra_psf"], ra, rtol=0, atol=1e-9)
    assert np.allclose(table["dec_psf"], dec, rtol=0, atol=1e-9)
    assert list(table["warning_flags"][rows]) == [int(i == ABSENT) for i in range(len(PLACES))]
    assert not np.any(table["flagged_spatial_id"])


def test_a_mosaic_borrows_the_psf_of_another_detector(mosaic, tmp_path, capsys):
    done("refs", "make", tmp_path / "refs", "--detector", "WFI05", "--element", "F158", "--types", "epsf,apcorr")
    words = ("--refdir", tmp_path / "refs", "--outdir", tmp_path / "out")
    status, _out, err = said(capsys, "catalog", mosaic, *words)
    assert status == 0
    assert "WFI05 stand in" in err
    assert "psf_flux" in read_catalog(tmp_path / "out" / "x_cat.parquet").colnames


@pytest.mark.parametrize("name", ["weight", "err", "pixel_scale", "wcs"])
def test_a_mosaic_that_lacks_what_is_needed_is_refused(mosaic, tmp_path, capsys, name):
    absent = f"\n  {name}: ", f"\n    {name}: ", f"\n      {name}: "
    (here,) = [text for text in absent if mosaic.read_bytes().count(text.encode()) == 1]
    path = retouched(mosaic, tmp_path / "y_coadd.asdf", here.encode(), here.replace(name[:2], "zz").encode())
    status, out, err = said(capsys, "catalog", path, "-q", "--outdir", tmp_path / "out")
    assert (status, out, len(complaints(err))) == (3, "", 1)
    assert name in err.lower()


def test_a_mosaic_may_be_forced_deep_and_deblended(mosaic, tmp_path):
    done("catalog", mosaic, "--deep", "--outdir", tmp_path)
    done("catalog", mosaic, "--deblend", "-o", tmp_path / "y.ecsv", "-j", 2)
    x, y = np.transpose(PLACES)
    for name in ("x_cat.parquet", "y.ecsv"):
        table = read_catalog(tmp_path / name)
        rows, distance = nearest(table, x, y, ("x_centroid_win", "y_centroid_win"))
        assert distance.max() < 0.1
        assert np.allclose(table["aper08_flux"][rows], FLUX, rtol=0.03)
    assert len(table) == len(PLACES)
    table = forced(mosaic, tmp_path / "x_segm.asdf", tmp_path / "out")
    assert table.meta["roman.meta.model_type"] == "ForcedMosaicSourceCatalogModel"
    rows, distance = nearest(table, x, y, ("forced_x_centroid", "forced_y_centroid"))
    assert distance.max() < 0.3
    assert np.allclose(table["forced_aper08_flux"][rows], FLUX, rtol=0.03)
