"""rt-bsub: the background that other exposures show is subtracted, with its error."""

import json
import shutil

import numpy as np
import pytest
from astropy.io import fits

from rtools.products.io import open_product
from rtools.products.jwst import open_jwst
from tests.support.jwst_files import made
from tests.support.runs import tool

pytestmark = pytest.mark.slow

NAME = "jw01234001001_02101_00001_nrca1"

GOLDEN = {
    "rate": ("rate", "bsub", (), "out_bsub"),
    "rate, close samples only": ("rate", "bsub", ("--sigma", "1"), "out_bsub_sigma1"),
    "integrations": ("rateints", "bsubints", ("-j", "2"), "out_bsubints"),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_the_background_is_that_of_the_mission_with_its_error_and_without_flags_of_clipped_samples(
    case, jwst_golden, tmp_path
):
    kind, suffix, options, wanted = GOLDEN[case]
    folder = jwst_golden("image")
    target = shutil.copy(folder / f"in_{kind}.fits", tmp_path / f"{NAME}_{kind}.fits")
    backgrounds = sorted(folder.glob(f"in_background*_{kind}.fits"))
    assert tool("bsub", target, *backgrounds, "--outdir", tmp_path / "o", *options) == 0
    result, peer = open_jwst(tmp_path / "o" / f"{NAME}_{suffix}.fits"), open_jwst(folder / f"{wanted}.fits")
    np.testing.assert_allclose(result.array("data"), peer.array("data"), 1.5e-5, 1e-7)
    np.testing.assert_array_equal(result.array("var_poisson"), peer.array("var_poisson"))
    assert [result.value(word) for word in ("S_BKDSUB", "DATAMODL", "BUNIT")] == [
        "COMPLETE",
        peer.value("DATAMODL"),
        "DN/s",
    ]
    before, samples = open_jwst(target), [open_jwst(path) for path in backgrounds]
    np.testing.assert_array_equal(result.array("dq"), before.array("dq"))
    assert ((peer.array("dq") & 1) > 0).sum() > ((result.array("dq") & 1) > 0).sum()  # flags of single samples
    good = (result.array("dq") & 1) == 0
    added = (result.array("var_rnoise") - before.array("var_rnoise"))[good]
    share = [np.nanmean(np.where(one.array("dq") & 1, np.nan, one.array("err") ** 2)) for one in samples]
    number = sum(one.array("data").shape[0] if kind == "rateints" else 1 for one in samples)
    assert (added > 0).all()
    if not options or kind == "rateints":  # of few samples few are clipped
        assert np.median(added) == pytest.approx(np.mean(share) / number, rel=0.1)
    total = result.array("var_poisson") + result.array("var_rnoise")
    np.testing.assert_allclose(result.array("err")[good], np.sqrt(total)[good], 1e-6)


@pytest.fixture
def exposure(tmp_path):
    """``exposure(number, shape, start, level, sigma)``: a rate of a sub-array with noise of a known size."""

    def make(number, shape=(64, 48), start=(1, 1), level=1.0, sigma=0.1, change=None):
        def fill(hdus):
            rng = np.random.default_rng(number)
            rows, columns = np.arange(shape[0]) + start[1], np.arange(shape[1]) + start[0]
            truth = level + 1e-3 * rows[:, None] + 1e-2 * columns
            arrays = {
                "SCI": truth + rng.normal(0, sigma, shape),
                "ERR": np.full(shape, sigma),
                "VAR_RNOISE": np.full(shape, sigma**2),
                "VAR_POISSON": np.zeros(shape),
            }
            for name, array in arrays.items():
                hdus[name].data = array.astype("f4")
            hdus["DQ"].data = np.zeros(shape, "u4")
            place = {"SUBSTRT1": start[0], "SUBSTRT2": start[1], "SUBSIZE1": shape[1], "SUBSIZE2": shape[0]}
            hdus[0].header.update(place | {"FILTER": "F200W"})
            if change:
                change(hdus)

        path = made(tmp_path, "rate", f"jw01234001001_02101_{number:05d}_nrca1_rate.fits")
        with fits.open(path) as hdus:
            hdus = fits.HDUList([hdu.copy() for hdu in hdus])
        fill(hdus)
        hdus.writeto(path, overwrite=True)
        return path

    return make


def bsub(target, *words):
    """The product of a target, which must be made."""
    assert tool("bsub", target, *words, "--overwrite", "-q") == 0
    return open_jwst(str(target).replace("_rate", "_bsub"))


def test_the_error_is_the_scatter(exposure):
    backgrounds = [exposure(number) for number in (2, 3)]
    result = bsub(exposure(1, level=1.0), *backgrounds)
    pull = result.array("data") / result.array("err")
    assert result.array("err").mean() == pytest.approx(0.1 * np.sqrt(1.5), rel=1e-5)
    assert (pull.mean(), pull.std()) == (pytest.approx(0, abs=0.07), pytest.approx(1, abs=0.04))


def test_sub_arrays_are_laid_on_each_other_by_their_place_on_the_detector(exposure):
    target = exposure(1, (20, 30), (101, 201), sigma=1e-4)
    result = bsub(target, exposure(2, (40, 20), (111, 191), sigma=1e-4))
    data, flags = result.array("data"), result.array("dq")
    inside = np.zeros(data.shape, bool)
    inside[:, 10:] = True  # columns 111 to 130 of the detector
    np.testing.assert_allclose(data[inside], 0, atol=1e-3)
    assert np.isnan(data[~inside]).all()
    np.testing.assert_array_equal((flags & 1) > 0, ~inside)
    assert not result.array("err")[~inside].any()


def test_a_sample_that_is_not_to_be_used_or_far_away_does_not_count(exposure):
    def spoil(hdus):
        hdus["SCI"].data[3, 4], hdus["DQ"].data[3, 4] = 7.0, 1
        hdus["SCI"].data[5, 6] += 1000
        hdus["DQ"].data[5, 6] = 4

    target = exposure(1, sigma=0.01)
    fine = [exposure(number, sigma=0.01) for number in range(3, 15)]
    result = bsub(target, exposure(2, sigma=0.01, change=spoil), *fine)
    assert np.abs(result.array("data")[[3, 5], [4, 6]]).max() < 0.1
    assert not result.array("dq")[[3, 5], [4, 6]].any()
    kept = bsub(target, exposure(2, sigma=0.01, change=spoil), *fine, "--maxiters", "0")
    assert kept.array("data")[5, 6] < -50
    alone = bsub(target, exposure(2, sigma=0.01, change=spoil))
    assert np.isnan(alone.array("data")[3, 4]) and alone.array("dq")[3, 4] == 1


def test_any_threads_give_the_same_bits(exposure):
    target, others = exposure(1, (300, 40)), [exposure(number, (300, 40)) for number in (2, 3, 4)]
    first = bsub(target, *others).path
    content = fits.getdata(first, "SCI").copy()
    bsub(target, *others, "-j", "3")
    np.testing.assert_array_equal(fits.getdata(first, "SCI"), content)


def change_of(keyword, value):
    return lambda hdus: hdus[0].header.set(keyword, value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"start": (1000, 1000)}, "covers no pixel of"),
        ({"change": change_of("FILTER", "F444W")}, "its instrument.filter is F444W"),
        ({"change": change_of("DETECTOR", "NRCB1")}, "its instrument.detector is NRCB1"),
    ],
)
def test_backgrounds_that_do_not_fit_are_exit_3(options, said, exposure, tmp_path, capsys):
    target = exposure(1)
    assert tool("bsub", target, exposure(2, **options)) == 3
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("*bsub*"))


def test_what_is_refused_of_targets_and_names(exposure, tmp_path, capsys):
    target, background = exposure(1), exposure(2)
    slitless = exposure(3, change=change_of("EXP_TYPE", "NIS_WFSS"))
    again, calibrated = tmp_path / "again_bsub.fits", made(tmp_path, "cal", "x_cal.fits")
    for keyword in ("SUBSTRT1", "SUBSTRT2"):
        fits.setval(calibrated, keyword, value=1)
    assert tool("bsub", target, background, "-o", again, "-q") == 0
    for words, status, said in (
        ((target,), 2, "no exposure of the background"),
        ((target, target), 2, "is the target and a background of it"),
        ((target, background, "-o", tmp_path / "x.asdf"), 2, "writes .fits of these"),
        ((slitless, background), 3, "NIS_WFSS: its background is scaled from a template"),
        ((calibrated, background), 3, "is a cal, wanted rate or rateints"),
        ((again, background), 3, "bkg_subtract is COMPLETE in this file"),
        ((target, calibrated), 3, "is a cal, wanted rate or rateints"),
        ((target, tmp_path / "none_rate.fits"), 3, "no such file"),
    ):
        assert tool("bsub", *words) == status
        assert said in capsys.readouterr().err
    assert tool("run", target, "--with", "bsub", "--builtin") == 2


def test_images_of_roman(product, tmp_path, capsys):
    source = product("cal")
    paths = [shutil.copy(source, tmp_path / source.name.replace("_0001_", f"_000{number}_")) for number in (1, 2, 3)]
    assert tool("bsub", *paths, "--json") == 0
    (record,) = map(json.loads, capsys.readouterr().out.splitlines())
    with open_product(source) as before, open_product(record["outputs"][0]) as after:
        data, flags = after.array("data"), after.array("dq")
        unused = (before.array("dq") & 1) > 0
        assert after.kind == "l2_image" and not data[~unused & np.isfinite(before.array("data"))].any()
        np.testing.assert_array_equal((flags & 1) > 0, unused | ~np.isfinite(before.array("data")))
        good = ~unused & np.isfinite(before.array("data"))
        ratio = after.array("err")[good].astype(float) / before.array("err")[good]
        assert np.median(ratio) == pytest.approx(np.sqrt(1.5), rel=0.01)
        assert after.history[-1]["tool"] == "rt-bsub"
    assert tool("validate", record["outputs"][0], "-q") == 0
    rate = made(tmp_path, "rate")
    assert tool("bsub", *paths, "-o", tmp_path / "x.fits") == 2
    assert "writes .asdf of these" in capsys.readouterr().err
    assert tool("bsub", paths[0], rate) == 3
    assert "no exposure of Roman, as the target is" in capsys.readouterr().err
    assert tool("bsub", record["outputs"][0], paths[1]) == 3
    assert "its background is subtracted already" in capsys.readouterr().err
