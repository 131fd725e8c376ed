"""rt-skymatch and rt-flux."""

import numpy as np
import pytest

from rtools.wfi import metadata
from tests.support.dithers import FACTOR, SKY, STEPS, exposure, exposures, planes
from tests.support.runs import done, history, meta, tool

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Four exposures, without cosmic rays, in float32."""
    return exposures(tmp_path_factory.mktemp("images"), hit=False, profile="1.5.0")


def levels(directory):
    return np.array([meta(path)["background"]["level"] for path in sorted(directory.iterdir())])


@pytest.mark.parametrize(
    "words, within",
    [
        ((), 0.0006),
        (("-j", 2), 0.0006),
        (("--pairs", "exact"), 0.0006),
        (("--statistic", "mode", "--pairs", "exact"), 0.002),
    ],
)
def test_steps_of_the_sky_are_found(images, words, within, tmp_path):
    done("skymatch", *images, "--outdir", tmp_path, *words)
    expected = FACTOR * (np.array(STEPS) - min(STEPS))
    np.testing.assert_allclose(levels(tmp_path), expected, atol=within)
    about = meta(sorted(tmp_path.iterdir())[1])
    assert about["background"]["method"] == "match" and about["background"]["subtracted"] is False
    assert about["cal_step"]["skymatch"] == "COMPLETE"


@pytest.mark.parametrize("method", ["local", "global", "global+match"])
def test_each_method_finds_the_levels_that_were_put_in(images, method, tmp_path):
    done("skymatch", *images, "--outdir", tmp_path, "--method", method)
    sky = FACTOR * (SKY + np.array(STEPS))
    expected = sky if method != "global" else np.full(4, sky.min())
    np.testing.assert_allclose(levels(tmp_path), expected, atol=0.003)


def test_subtracted_now_or_later_is_the_same(images, tmp_path):
    for name, words in (("later", ()), ("now", ("--subtract",))):
        done("skymatch", *images, "--outdir", tmp_path / name, *words)
        done("resample", *sorted((tmp_path / name).iterdir()), "-o", tmp_path / f"{name}_coadd.asdf")
    one, other = (planes(tmp_path / f"{name}_coadd.asdf", "data")["data"] for name in ("later", "now"))
    np.testing.assert_array_equal(one, other)
    path = sorted((tmp_path / "now").iterdir())[1]
    assert meta(path)["background"]["subtracted"] is True
    assert np.median(planes(path, "data")["data"]) == pytest.approx(FACTOR * (SKY + min(STEPS)), abs=0.003)
    assert tool("skymatch", *(tmp_path / "now").iterdir(), "--again", "--subtract", "--outdir", tmp_path / "x") == 3


def test_the_highest_sky_may_be_the_zero(images, tmp_path):
    done("skymatch", *images, "--outdir", tmp_path, "--no-match-down")
    assert levels(tmp_path).max() == 0 and levels(tmp_path).min() < -0.03


def test_an_image_alone_has_no_level(images, tmp_path, capsys, judge):
    assert tool("skymatch", images[0], "--outdir", tmp_path) == 0
    assert "SKIPPED" in capsys.readouterr().err
    (path,) = tmp_path.iterdir()
    assert meta(path)["cal_step"]["skymatch"] == "SKIPPED" and meta(path)["background"]["level"] == 0
    assert judge("1.2.0", [path])[str(path)]["ok"]


def test_flux_converts_and_says_so(images, tmp_path, capsys):
    done("flux", *images[:2], "--outdir", tmp_path)
    before, after = planes(images[0]), planes(tmp_path / images[0].name.replace("_cal", "_flux"))
    factor = np.float32(FACTOR)
    np.testing.assert_array_equal(after["data"], before["data"] * factor)
    np.testing.assert_array_equal(after["err"], before["err"] * factor)
    np.testing.assert_array_equal(after["var_rnoise"], before["var_rnoise"] * factor**2)
    for name in set(before) - {"data", "err", "var_poisson", "var_rnoise", "var_flat"}:
        np.testing.assert_array_equal(after[name], before[name])
    path = tmp_path / images[0].name.replace("_cal", "_flux")
    about = meta(path)
    assert about["cal_step"]["flux"] == "COMPLETE" and about["filename"] == path.name
    assert metadata.get(about, "statistics.image_median") == pytest.approx(FACTOR * SKY, abs=0.005)
    assert history(path)[-1]["tool"] == "rt-flux" and len(about["cal_logs"]) == 2
    assert tool("flux", path, "--outdir", tmp_path / "again") == 3
    assert "cannot run twice" in capsys.readouterr().err


def test_half_precision_is_told_where_it_overflows(tmp_path, capsys):
    path = exposure(tmp_path / "x_cal.asdf", 0, change={"photometry.conversion_megajanskys": 1e6})
    assert tool("flux", path) == 0
    assert "became infinite" in capsys.readouterr().err


def test_each_image_is_answered(images, tmp_path, capsys):
    lost = exposure(tmp_path / "lost_cal.asdf", 0, change={"photometry.conversion_megajanskys": None})
    assert tool("flux", images[0], lost, images[1], "--outdir", tmp_path / "out") == 3
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert str(lost) in capsys.readouterr().err
