"""Functions that take arrays make of them what the tools make of files, to the bit."""

import numpy as np
import pytest

import rtools
from rtools.products.edit.section import parse_section
from rtools.wfi.dq import PIXEL
from tests.support import dithers
from tests.support.runs import arrays, done, meta

pytestmark = pytest.mark.filterwarnings("ignore::rtools.RtoolsWarning")
OUTLIER = PIXEL["OUTLIER"]
CENTER = tuple(map(float, dithers.place(0)[0](100.0, 100.0)))
SCALE, SHAPE = 0.11, (260, 280)
GRID = ("--center", f"{CENTER[0]!r},{CENTER[1]!r}", "--scale", SCALE, "--size", "280,260", "--pa", 0)
"""One grid, in both tongues."""


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """Four dithered exposures."""
    return dithers.exposures(tmp_path_factory.mktemp("field"))


def test_ramps_are_fitted_as_rt_rampfit_does(product, tmp_path):
    done("rampfit", product("linearity"), "-o", tmp_path / "x_rampfit.asdf", "--threshold", 5, "--builtin")
    ramp, fitted = arrays(product("linearity")), arrays(tmp_path / "x_rampfit.asdf")
    exposure, inner = meta(product("linearity"))["exposure"], np.s_[..., 4:-4, 4:-4]
    gain, noise = (source.array("data") for source in _references(product("linearity"), "gain", "readnoise"))
    found = rtools.fit_ramps(
        ramp["data"][inner],
        exposure["read_pattern"],
        exposure["frame_time"],
        gain=gain[inner],
        read_noise=noise[inner],
        groupdq=ramp["groupdq"][inner],
        pixeldq=ramp["pixeldq"][inner],
        threshold=5,
        threads=2,
    )
    for name in ("data", "err", "var_poisson", "chisq", "dumo", "dq"):
        stored = getattr(found, name).astype(fitted[name].dtype)  # some are stored in half precision
        assert np.array_equal(stored, fitted[name], equal_nan=True), name


def _references(path, *types):
    found = {answer.type: answer.source for answer in rtools.find_references(path, builtin=True)}
    return [found[kind] for kind in types]


def test_snowballs_are_looked_for_in_arrays_too():
    rng = np.random.default_rng(3)
    y, x = np.indices((60, 300))
    core = np.hypot(x - 130, y - 30) < 4
    ramps = 100 * np.arange(1, 7)[:, None, None] + rng.normal(0, 3, (6, 60, 300))
    ramps[3:] += 3000 * np.exp(-np.hypot(x - 130, y - 30) / 6)
    groupdq = np.zeros(ramps.shape, np.uint8)
    groupdq[3:, core] = 2
    how = {"gain": 1.8, "read_noise": 5, "groupdq": groupdq}
    pattern = [[number] for number in range(1, 7)]
    plain = rtools.fit_ramps(ramps, pattern, 3.04, **how)
    wide = rtools.fit_ramps(ramps, pattern, 3.04, expand_large_events=True, **how)
    assert np.count_nonzero(wide.dq & 4) > np.count_nonzero(plain.dq & 4)
    assert groupdq.max() == 2  # what was given stays as it was


def test_a_catalog_is_that_of_rt_catalog(product):
    found = rtools.catalog_image(product("cal"), builtin=True)
    written = rtools.read_catalog(product("cal").with_name(product("cal").name.replace("cal.asdf", "cat.parquet")))
    assert found.table.colnames == written.colnames
    for name in written.colnames:
        one, two = np.asarray(found.table[name]), np.asarray(written[name])
        assert np.array_equal(one, two, equal_nan=one.dtype.kind == "f"), name


@pytest.mark.slow
def test_sky_levels_are_those_of_rt_skymatch(field, tmp_path):
    done("skymatch", *field, "--outdir", tmp_path)
    levels = rtools.match_sky([rtools.read_image(path) for path in field], threads=2)
    told = [meta(path)["background"]["level"] for path in sorted(tmp_path.glob("*_skymatch.asdf"))]
    assert levels.tolist() == told


@pytest.mark.slow
def test_a_mosaic_is_that_of_rt_resample(field, tmp_path):
    done("resample", *field, "-o", tmp_path / "field_coadd.asdf", "--pixfrac", 0.8, *GRID)
    planes = arrays(tmp_path / "field_coadd.asdf")
    images = [rtools.read_image(path)._replace(pixel_area=None) for path in field]
    mosaic = rtools.drizzle(images, rtools.make_grid(CENTER, SCALE, SHAPE), pixfrac=0.8, threads=2)
    for name in ("data", "weight", "context"):
        assert np.array_equal(getattr(mosaic, name), planes[name], equal_nan=True), name
    for name in ("err", "var_rnoise", "var_poisson", "var_sky"):  # to half precision: the ratio of scales is measured
        assert np.allclose(getattr(mosaic, name), planes[name], rtol=2e-3, atol=0, equal_nan=True), name


@pytest.mark.slow
def test_outliers_are_those_of_rt_outlier(field, tmp_path):
    done("outlier", *field, "--outdir", tmp_path, *GRID)
    images = [rtools.read_image(path) for path in field]
    flagged = rtools.flag_outliers(images, rtools.make_grid(CENTER, SCALE, SHAPE), threads=2)
    for path, found in zip(sorted(tmp_path.glob("*.asdf")), flagged, strict=True):
        assert np.array_equal((arrays(path, "dq")["dq"] & OUTLIER) != 0, found)
        assert found.any()


def test_a_cutout_is_that_of_rt_cut(product, tmp_path):
    done("cut", product("cal"), "--section", "20:60,100:150", "-o", tmp_path / "cut_cal.asdf")
    rows, columns = parse_section("20:60,100:150", (248, 248))
    told, cut = rtools.cut_out(product("cal"), rows, columns)
    path = rtools.write_product(tmp_path / "face_cal.asdf", "l2_image", told, cut)
    found = rtools.compare(path, tmp_path / "cut_cal.asdf", ignore=["filename", "cal_logs"])
    assert (found.metadata, found.arrays) == ([], [])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rtools.fit_ramps(np.ones((3, 4, 4)), [[1], [2], [3]], 3.04, gain=1, read_noise=1, thrsh=5), "thrsh"),
        (lambda: rtools.fit_ramps(np.ones((3, 4, 4)), [[1], [2], [3]], 3.04, gain=1, read_noise=1, threshold=-1),
         "at least 0"),
        (lambda: rtools.fit_ramps(np.ones((3, 4, 4)), [[1], [2], [3]], 3.04, gain=np.ones(3), read_noise=1), "gain"),
        (lambda: rtools.drizzle([], None, kernel="round"), "one of square"),
        (lambda: rtools.run_exposure("x_uncal.asdf", settings={"rampfit": 5}), "names no option"),
        (lambda: rtools.run_mosaic(["x_cal.asdf"], skip=["resample"]), "no step that a mosaic can do without"),
        (lambda: rtools.simulate_exposure("r0000101001001001001_0001_wfi01_f158_uncal.asdf", sise=256), "sise"),
        (lambda: rtools.image_statistics(np.ones((2, 2)), np.ones((2, 2)), threads=-1), "threads=-1"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_refused(call, words):
    with pytest.raises(rtools.RtoolsError, match=words):
        call()
