"""rt-x1d on dispersed images of Roman: the light of a trace, its errors and flags, cutouts, forms, refusals."""

import json

import numpy as np
import pytest
from astropy.table import Table

from rtools.products.io import writer
from rtools.wfi.dq import PIXEL
from tests.support.runs import tool
from tests.support.samples import arrays as sample_arrays
from tests.support.samples import meta as sample_meta
from tests.support.stage3_files import golden_product

SIZE = 120
NAME = "r0000101001001001001_0001_wfi01_grism_cal.asdf"
BOX = "--xstart", 54, "--xstop", 64, "--bkg-coeff=34.5;46.5;72.5;84.5"


def light():
    """Along columns, in DN/s, with the sky."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    share = np.exp(-0.5 * ((x - 59.2) / 1.2) ** 2) / 1.2 / np.sqrt(2 * np.pi)
    return 20 * (1 + y / SIZE) * share, 0.5


def written(path, *, element="GRISM", kind="l2_image", seed=1, bad=0.03):
    star, sky = light()
    rng = np.random.default_rng(seed)
    arrays = sample_arrays(kind)
    shape = arrays["data"].shape[-2:]
    for name, array in arrays.items():
        if isinstance(array, np.ndarray) and array.shape[-2:] == shape:
            arrays[name] = np.zeros((*array.shape[:-2], SIZE, SIZE), array.dtype)
    var = {"var_poisson": (star + sky) / 300, "var_rnoise": np.full(star.shape, 0.0025)}
    sigma = np.sqrt(sum(var.values()))
    data = star + sky + rng.normal(size=star.shape) * sigma
    flags = np.where(rng.random(star.shape) < bad, np.uint32(PIXEL["DO_NOT_USE"] | PIXEL["HOT"]), np.uint32(0))
    data[flags > 0] = 1e4
    flags[50, 59] = PIXEL["JUMP_DET"]
    for name, array in {"data": data, "dq": flags, "err": sigma, **var}.items():
        arrays[name] = array.astype(arrays[name].dtype)
    meta = sample_meta(kind)
    meta["instrument"]["optical_element"] = element
    writer.write_product(path, kind, meta, arrays)
    return path


@pytest.fixture
def dispersed(tmp_path):
    return written(tmp_path / NAME)


def extracted(folder, source, *words, form="ecsv"):
    path = folder / f"made.{form}"
    assert tool("x1d", source, *words, "-o", path, "--overwrite", "-q") == 0
    return Table.read(path) if form == "ecsv" else path


def test_the_light_of_a_trace_is_the_truth_with_errors_that_hold(dispersed, tmp_path):
    star, sky = light()
    true = star[:, 54:65].sum(axis=1)
    found = extracted(tmp_path, dispersed, *BOX)
    assert found.colnames[:4] == ["pixel", "wavelength", "flux", "flux_err"]
    assert list(found["pixel"]) == list(range(SIZE))
    assert np.isnan(found["wavelength"]).all()
    assert [str(found[name].unit) for name in ("flux", "background", "flux_var_poisson")] == [
        "DN / s",
        "DN / s",
        "DN2 / s2",
    ]
    some = np.isfinite(found["flux"])
    assert some.sum() > SIZE - 5
    pulls = np.asarray((found["flux"] - true) / found["flux_err"])[some]
    assert abs(pulls.mean()) < 4 / np.sqrt(len(pulls))
    assert pulls.std() == pytest.approx(1, abs=0.25)
    filled = np.asarray(found["filled"])[some]
    assert filled.max() > 0.15
    dips = extracted(tmp_path, dispersed, *BOX, "--fill", "none")
    assert (dips["flux"] / true)[some].min() < 0.85
    assert abs(np.asarray(found["flux"] / true)[some] - 1).max() < 0.15
    assert np.median(found["background"]) == pytest.approx(sky, abs=0.02)


def test_flags_are_those_of_pixels_that_were_used(dispersed, tmp_path):
    found = extracted(tmp_path, dispersed, *BOX)
    assert found["dq"][50] == PIXEL["JUMP_DET"]
    assert (np.delete(np.asarray(found["dq"]), 50) & ~np.uint32(PIXEL["DO_NOT_USE"]) == 0).all()
    np.testing.assert_array_equal(np.asarray(found["dq"]) & 1 == 1, np.isnan(found["flux"]))


def test_a_cutout_and_another_description_of_the_box_give_the_same(dispersed, tmp_path):
    whole = extracted(tmp_path, dispersed, *BOX)
    cut = tmp_path / "star_cal.asdf"
    assert tool("cut", dispersed, "--section", "30:90,20:100", "-o", cut) == 0
    part = extracted(tmp_path, cut, "--xstart", 24, "--xstop", 34, "--bkg-coeff=4.5;16.5;42.5;54.5")
    edges = extracted(tmp_path, dispersed, "--src-coeff=53.5;64.5", BOX[-1], "--ystart", 20, "--ystop", 99)
    assert list(edges["pixel"]) == list(range(20, 100))
    inner = slice(30, -30)  # further out the profile sees less of the spectrum
    for found in (part, edges):
        np.testing.assert_allclose(found["flux"][inner], whole["flux"][20:100][inner], rtol=1e-6)
    everything = extracted(tmp_path, cut)
    assert (everything["npixels"] == 60).all()


def test_wavelengths_are_those_of_the_polynomial(dispersed, tmp_path):
    words = BOX[0], 54, "--xstop", 64, "--wavelength-coeffs", "1.0,0.001,1e-6"
    found = extracted(tmp_path, dispersed, *words)
    y = np.arange(SIZE)
    np.testing.assert_allclose(found["wavelength"], 1 + 0.001 * y + 1e-6 * y**2, rtol=1e-12)
    by_wavelength = extracted(
        tmp_path, dispersed, *words[4:], "--src-coeff=53.5;64.5", "--independent-var", "wavelength"
    )
    np.testing.assert_allclose(by_wavelength["flux"], found["flux"], rtol=1e-9)


@pytest.mark.filterwarnings("ignore::asdf.exceptions.AsdfConversionWarning")
def test_a_trace_may_be_along_rows(tmp_path, dispersed):
    import asdf

    path = tmp_path / "turned_cal.asdf"
    with asdf.open(dispersed) as file:
        tree = {key: value for key, value in file.tree.items() if key == "roman"}
        for name, array in tree["roman"].items():
            if getattr(array, "shape", ())[-2:] == (SIZE, SIZE):
                tree["roman"][name] = np.array(array).swapaxes(-1, -2).copy()
        asdf.AsdfFile(tree).write_to(path)
    found = extracted(tmp_path, path, "--dispaxis", 1, "--ystart", 54, "--ystop", 64, BOX[-1])
    np.testing.assert_allclose(found["flux"], extracted(tmp_path, dispersed, *BOX)["flux"], rtol=1e-9)


def test_tables_go_where_they_are_asked_for(dispersed, tmp_path, capsys):
    assert tool("x1d", dispersed, *BOX, "--outdir", tmp_path / "out", "-q") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [NAME.replace(".asdf", "_spectrum.ecsv")]
    extracted(tmp_path, dispersed, *BOX, form="parquet")
    capsys.readouterr()
    assert tool("x1d", dispersed, *BOX, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert len(record["rows"]) == SIZE
    assert tool("x1d", dispersed, *BOX) == 0
    assert capsys.readouterr().out.split("\n")[0].startswith("pixel")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "where the trace is"),
        ((*BOX, "--center", "3,3"), "--center"),
        ((*BOX, "--dispaxis", "3"), "--dispaxis 3"),
        ((*BOX, "--wavelength-coeffs", "a"), "--wavelength-coeffs a"),
        (("--xstart", 500, "--xstop", 510), "not on the image"),
        (("--src-coeff=1;2", "--independent-var", "wavelength"), "--wavelength-coeffs"),
    ],
)
def test_what_cannot_be_is_refused(words, says, dispersed, tmp_path, capsys):
    assert tool("x1d", dispersed, *words, "-o", tmp_path / "made.ecsv") == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert says in said[0]
    assert not (tmp_path / "made.ecsv").exists()


def test_images_without_a_disperser_are_refused(tmp_path, capsys):
    path = written(tmp_path / "r0000101001001001001_0001_wfi01_f158_cal.asdf", element="F158")
    assert tool("x1d", path, *BOX, "-o", tmp_path / "made.ecsv") == 3
    assert "an image of F158" in capsys.readouterr().err


def test_files_of_both_missions_do_not_go_together(dispersed, tmp_path, capsys):
    slit, out = golden_product("slit"), tmp_path / "made.fits"
    assert tool("x1d", dispersed, slit, *BOX, "--outdir", tmp_path / "out") == 2
    assert tool("x1d", slit, *BOX, "-o", tmp_path / "made.parquet") == 2
    assert tool("x1d", slit, *BOX, "--wavelength-coeffs", "1,2", "-o", out) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert "do not go together" in said[0]
    assert "written as .fits" in said[1]
    assert "--wavelength-coeffs is about" in said[2]
    assert not list(tmp_path.glob("made*"))


def test_a_spectrum_is_drawn_against_wavelength_or_pixel(dispersed, tmp_path, capsys):
    for words, axis in (((), "pixel along the dispersion"), (("--wavelength-coeffs", "1,0.001"), "wavelength [um]")):
        assert tool("x1d", dispersed, *BOX, *words, "--plot", "-") == 0
        told = capsys.readouterr().out
        assert axis in told
        assert "DN/s" in told
    picture = tmp_path / "spectrum.png"
    assert tool("x1d", dispersed, *BOX, "--plot", picture) == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert capsys.readouterr().out.split() == [str(picture)]


def test_a_picture_of_spectra_of_jwst_is_left_to_rt_view(tmp_path, capsys):
    assert tool("x1d", golden_product("slit"), "--plot", tmp_path / "x.png") == 2
    assert "rt-view shows spectra of JWST" in capsys.readouterr().err
