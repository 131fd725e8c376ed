"""The mosaic chain against romancal's numbers for the same exposures (tests/data/mosaic_peer.npz)."""

import json
import warnings

import numpy as np
import pytest

from rtools.mosaic.grid.grid import Grid
from rtools.pipeline.mosaic import spool as mosaic_spool
from rtools.products.io import open_product, writer
from tests.support.dithers import exposures, planes
from tests.support.places import DATA
from tests.support.runs import done, meta, rewrite
from tests.support.samples import arrays as sample_arrays
from tests.support.samples import meta as sample_meta
from tests.support.share import some_long

pytestmark = pytest.mark.slow

FLUXED = ("data", "err", "var_poisson", "var_rnoise", "var_flat")
VALUES = ("data", "weight", "err", "var_rnoise", "var_poisson", "var_flat")

LEVELS = {
    "match mode": ("--statistic", "mode"),
    "match median": ("--statistic", "median"),
    "match mean": ("--statistic", "mean"),
    "match midpt": ("--statistic", "midpt"),
    "match up": ("--statistic", "mode", "--no-match-down"),
    "match clipped": (
        "--statistic",
        "mean",
        "--nclip",
        2,
        "--lsigma",
        2,
        "--usigma",
        1.5,
        "--lower",
        0.1,
        "--upper",
        0.6,
    ),
    "local mode": ("--method", "local", "--statistic", "mode"),
    "local median": ("--method", "local", "--statistic", "median"),
    "global mode": ("--method", "global", "--statistic", "mode"),
    "global+match median": ("--method", "global+match", "--statistic", "median"),
}

COADDS = {
    "square": (),
    "square 0.7": ("--pixfrac", "0.7"),
    "point": ("--kernel", "point"),
    "turbo": ("--kernel", "turbo"),
    "turbo 0.7": ("--kernel", "turbo", "--pixfrac", "0.7"),
    "gaussian": ("--kernel", "gaussian"),
    "lanczos2": ("--kernel", "lanczos2"),
    "lanczos3": ("--kernel", "lanczos3"),
    "exptime": ("--weight-type", "exptime"),
    "flat": ("--var-flat",),
    "fine": (),
    "fine turbo": ("--kernel", "turbo"),
    "good bits": ("--good-bits", "~DO_NOT_USE+JUMP_DET"),
}

EDGE = 5
"""Pixels at the edge of the frame, where romancal leaves out what straddles it."""


@pytest.fixture(scope="module")
def golden():
    with np.load(DATA / "mosaic_peer.npz") as file:
        found = {name: file[name] for name in file.files}
    return found | json.loads(str(found.pop("told")))


@pytest.fixture(scope="module")
def fluxed(tmp_path_factory):
    """The exposures in MJy/sr."""
    folder = tmp_path_factory.mktemp("fluxed")
    done("flux", *exposures(folder, profile="1.5.0"), "--outdir", folder / "out")
    return sorted((folder / "out").iterdir())


@pytest.fixture(scope="module")
def outliers(golden, fluxed):
    """What romancal flags: a plane for each exposure."""
    shape = planes(fluxed[0], "dq")["dq"].shape
    bits = np.unpackbits(golden["outliers"], axis=1, count=shape[0] * shape[1])
    return bits.reshape(-1, *shape).astype(bool)


def changed(golden, files, folder, outliers=None):
    """The files with romancal's sky levels, and if given with its flags."""
    paths = []
    for number, path in enumerate(files):

        def change(meta, arrays, number=number):
            level = golden["levels"]["match mode"][number]
            meta["background"] = {"level": level, "method": "match", "subtracted": False}
            meta["cal_step"] = dict(meta["cal_step"]) | {"skymatch": "COMPLETE"}
            if outliers is not None:
                meta["cal_step"]["outlier_detection"] = "COMPLETE"
                arrays["dq"][outliers[number]] |= 129

        paths.append(rewrite(path, folder / path.name.replace("_flux", "_cal"), change))
    return paths


@pytest.fixture(scope="module")
def levelled(golden, fluxed, tmp_path_factory):
    return changed(golden, fluxed, tmp_path_factory.mktemp("levelled"))


@pytest.fixture(scope="module")
def flagged(golden, fluxed, outliers, tmp_path_factory):
    return changed(golden, fluxed, tmp_path_factory.mktemp("flagged"), outliers)


def like(golden, name, folder):
    """A mosaic without contents on the grid of one of romancal's."""
    told = golden["grids"][name]
    matrix = np.reshape(told["pc"], (2, 2)) * np.array(told["cdelt"])[:, None] / told["cdelt"][0]
    shape = tuple(told["shape"])
    about, arrays = sample_meta("l3_coadd"), sample_arrays("l3_coadd")
    about["wcs"] = Grid(shape, tuple(told["crpix"]), tuple(told["crval"]), told["cdelt"][0], matrix).wcs()
    about["resample"] = dict(about["resample"]) | {"pixel_scale_ratio": told["ratio"], "weight_type": "ivm"}
    nothing = {key: np.zeros(shape if array.ndim == 2 else (1, *shape), array.dtype) for key, array in arrays.items()
               if getattr(array, "ndim", 0) in (2, 3)}  # fmt: skip
    writer.write_product(folder / "like_coadd.asdf", "l3_coadd", about, nothing, compression="lz4")
    return folder / "like_coadd.asdf"


def test_fluxes_are_the_peers_to_the_bit(golden, fluxed):
    for path, expected in zip(fluxed, golden["flux"], strict=True):
        found = planes(path, *FLUXED)
        np.testing.assert_array_equal([found[name].ravel()[::997] for name in FLUXED], expected)


@pytest.mark.parametrize("name", some_long(LEVELS, 2))
def test_sky_levels_are_the_peers(golden, fluxed, name, tmp_path):
    how = ("--pairs", "exact", "--stepsize", 10_000, "--no-mask-sources")
    done("skymatch", *fluxed, *LEVELS[name], *how, "--outdir", tmp_path)
    found = [meta(path)["background"]["level"] for path in sorted(tmp_path.iterdir())]
    np.testing.assert_allclose(found, golden["levels"][name], rtol=0, atol=1e-6)


def found_outliers(golden, levelled, tmp_path):
    """What is flagged here on romancal's grid, a plane for each exposure."""
    done("outlier", *levelled, "--like", like(golden, "square", tmp_path), "--outdir", tmp_path / "out")
    paths = sorted((tmp_path / "out").iterdir())
    pairs = [(planes(path, "dq")["dq"], planes(old, "dq")["dq"]) for path, old in zip(paths, levelled, strict=True)]
    return np.array([(after & ~before & 128) != 0 for after, before in pairs])


def test_outliers_with_the_plain_median(golden, levelled, outliers, tmp_path, monkeypatch):
    """Where two exposures have a say romancal takes their mean: with that the flags are the same."""

    def plain(images):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pixels without any value
            return np.nanmedian(images, axis=0)

    monkeypatch.setattr(mosaic_spool, "median_of", plain)
    assert np.all(outliers.sum(axis=(1, 2)) > 200)
    np.testing.assert_array_equal(found_outliers(golden, levelled, tmp_path), outliers)


def test_outliers_are_the_peers_but_few(golden, levelled, outliers, tmp_path):
    """The lower of two values spares the exposure that saw nothing, and costs no outlier elsewhere."""
    found = found_outliers(golden, levelled, tmp_path)
    assert not np.any(found & ~outliers)
    assert 0 < np.count_nonzero(outliers & ~found) < 0.03 * np.count_nonzero(outliers)


@pytest.mark.parametrize("name", some_long(COADDS, 2))
def test_coadds_are_the_peers(golden, flagged, name, tmp_path):
    path = tmp_path / "m_coadd.asdf"
    done("resample", *flagged, *COADDS[name], "--dq", "--like", like(golden, name, tmp_path), "-o", path)
    at, expected = golden[f"{name}: at"], golden[f"{name}: values"]
    made = planes(path)
    rows, columns = made["data"].shape
    y, x = np.divmod(at, columns)
    use = (np.minimum(x, columns - 1 - x) >= EDGE) & (np.minimum(y, rows - 1 - y) >= EDGE)
    np.testing.assert_array_equal(made["context"][0].ravel()[at][use], golden[f"{name}: context"][use])
    np.testing.assert_array_equal(made["dq"].ravel()[at][use], golden[f"{name}: dq"][use])
    for key, values in zip(VALUES, expected, strict=False):
        np.testing.assert_allclose(made[key].ravel()[at][use], values[use], rtol=1e-4, atol=0, err_msg=key)
    assert np.count_nonzero(np.isfinite(expected[0][use])) > 200


OTHERWISE = {
    "association": "made from a list here",
    "calibration_software_name": "",
    "calibration_software_version": "",
    "file_date": "",
    "filename": "with its suffix here",
    "product_type": "always p_visit_coadd there",
    "resample.pixmap_order": "the map is another",
    "resample.pixmap_stepsize": "",
    "wcsinfo.image_shape": "rows first there, against the schema",
    "wcsinfo.skycell_name": "the target there, though it is not a skycell",
}
"""Metadata that are not romancal's, and why."""

NOT_COMPARED = ("wcs", "cal_logs", "individual_image_meta", "rtools")


def leaves(value, path=""):
    """Dotted path to value of nested metadata, as JSON has them."""
    if isinstance(value, dict):
        return {key: one for name, below in value.items() for key, one in leaves(below, f"{path}{name}.").items()}
    return {path[:-1]: value if isinstance(value, list | int | float | None) else str(value)}


def test_metadata_are_the_peers(golden, flagged, tmp_path):
    path = tmp_path / "m_coadd.asdf"
    done("resample", *flagged, "--like", like(golden, "square", tmp_path), "-o", path)
    with open_product(path) as product:
        tables = {name: {column: np.array(table[column]) for column in table.colnames}
                  for name, table in product.node("meta.individual_image_meta").items()}  # fmt: skip
    found = {key: value for key, value in meta(path).items() if key not in NOT_COMPARED}
    expected = leaves(golden["meta"])
    for key, value in leaves(found).items():
        if key in OTHERWISE or key.partition(".")[0] in OTHERWISE:
            continue
        if isinstance(value, float):
            near = 5e-4 if key.startswith("statistics") else 5e-6  # they see the edge of the frame
            assert value == pytest.approx(expected[key], rel=near, abs=1e-9 if "orientation" in key else 0), key
        else:
            assert value == expected[key], key
    assert leaves(found).keys() == expected.keys()
    assert tables.keys() == golden["tables"].keys()
    for name, table in golden["tables"].items():
        for column, values in table.items():
            if name == "basic" and column in ("calibration_software_version", "file_date"):
                continue
            if column == "scale_factor":  # the peer's inputs said 1.5, which cannot be
                values = [1.0] * len(values)
            np.testing.assert_array_equal(tables[name][column], np.array(values), err_msg=f"{name}.{column}")
