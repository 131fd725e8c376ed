"""Mosaics of odd inputs and options: each symptom that was once seen."""

import numpy as np
import pytest

from rtools.mosaic.sky.cells import sky_cells
from rtools.products.mosaic.association import AssociationMember, make_association, stage_association
from tests.support.dithers import FACTOR, exposure, exposures, planes, same
from tests.support.runs import done, meta, records, tool
from tests.support.share import some_long

pytestmark = pytest.mark.slow

ALONE = ("--mosaic", "--skip", "catalog", "--skip", "skymatch")
IVM = ("--set", "resample.weight_type=ivm")
"""Weights of the search for outliers in the mosaic, too: both are made in one pass."""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Three exposures."""
    return exposures(tmp_path_factory.mktemp("images"), 3)


@pytest.mark.parametrize("kernel", some_long(["turbo", "gaussian", "lanczos2"], 1))
def test_one_kernel_in_both_steps(images, kernel, tmp_path, monkeypatch):
    """Images and totals are made in one pass; as in two."""
    words = ("--set", f"resample.kernel={kernel}", "--set", f"outlier.kernel={kernel}", *IVM)
    done("run", *images, *ALONE, *words, "-o", tmp_path / "a_coadd.asdf")
    monkeypatch.setattr("rtools.pipeline.mosaic.drizzle.Recipe.same_images", lambda one, other: False)
    done("run", *images, *ALONE, *words, "-o", tmp_path / "b_coadd.asdf")
    assert not same(tmp_path / "a_coadd.asdf", tmp_path / "b_coadd.asdf")


def test_exposures_count_by_their_time(images, tmp_path):
    """70 s beside 140 s; without exposure_time the effective one; not by the effective one where both are known."""
    short = exposure(tmp_path / "s_cal.asdf", 1, change={"exposure.exposure_time": 70.0})
    other = exposure(tmp_path / "o_cal.asdf", 1, change={"exposure.exposure_time": -999999,
                                                         "exposure.effective_exposure_time": 35.0})  # fmt: skip
    for file, time in ((short, 70), (other, 35)):
        done("resample", images[0], file, "-o", tmp_path / "m_coadd.asdf", "--overwrite")
        found = planes(tmp_path / "m_coadd.asdf")
        of_it = found["weight"][found["context"][0] == 2]
        assert np.median(of_it) == pytest.approx(time, rel=0.03)
        one, two = (found["var_rnoise"][found["context"][0] == bits] for bits in (1, 2))
        both = found["var_rnoise"][found["context"][0] == 3]
        share = np.array([140, time]) / (140 + time)
        assert np.median(both) == pytest.approx(
            np.median(one) * share[0] ** 2 + np.median(two) * share[1] ** 2, rel=0.1
        )


@pytest.mark.parametrize("time", some_long([-999999, 0.0, -5.0], 1))
def test_an_unknown_exposure_time_is_told_and_poisons_nothing(images, time, tmp_path, capsys):
    change = dict.fromkeys(("exposure.exposure_time", "exposure.effective_exposure_time"), time)
    file = exposure(tmp_path / "x_cal.asdf", 1, change=change)
    assert tool("resample", images[0], file, "-o", tmp_path / "m_coadd.asdf") == 0
    assert "exposure time not known" in capsys.readouterr().err
    found = planes(tmp_path / "m_coadd.asdf")
    assert np.all(found["weight"] >= 0) and np.any(found["context"][0] == 2)


def test_detectors_of_one_exposure_are_not_tested_against_each_other(tmp_path, capsys):
    at = {"observation.observation_id": "one"}
    files = [exposure(tmp_path / f"{number}_cal.asdf", number, change=at) for number in range(2)]
    assert tool("run", *files, *ALONE, "-o", tmp_path / "m_coadd.asdf", "-v") == 0
    assert "one exposure only" in capsys.readouterr().err
    assert meta(tmp_path / "m_coadd.asdf")["cal_step"]["outlier_detection"] == "SKIPPED"


def test_statistics_of_slabs_without_err(images, tmp_path):
    """They are those of the mosaic in memory."""
    words = (*ALONE, "--skip", "outlier", "--set", "resample.planes=data,weight")
    found = []
    for memory in (0.1, 8):
        done("run", *images, *words, "--max-memory", memory, "-o", tmp_path / "m_coadd.asdf", "--overwrite")
        found.append(dict(meta(tmp_path / "m_coadd.asdf")["statistics"]))
    assert found[0] == found[1] and np.isfinite(found[0]["image_median"])


def test_a_catalog_without_errors_is_refused(images, tmp_path, capsys):
    words = ("--mosaic", "--set", "resample.planes=data,weight", "-o", tmp_path / "m_coadd.asdf")
    assert tool("run", *images, *words) == 2
    assert "needs err" in capsys.readouterr().err


def test_products_of_one_name_are_refused(images, tmp_path, capsys):
    assert tool("run", *images, "--mosaic", "-o", tmp_path / "m_segm.asdf") == 2
    assert "another product of this run" in capsys.readouterr().err


def test_flux_cannot_be_left_out(images, tmp_path):
    assert tool("run", *images, "--mosaic", "--skip", "flux", "-o", tmp_path / "m_coadd.asdf") == 2


def test_a_skycell_that_does_not_exist_as_target(images, tmp_path, capsys):
    """As another target that is not a skycell."""
    document = make_association("field", [AssociationMember(str(file)) for file in images], target="274p63x31y81")
    stage_association(tmp_path / "x_asn.json", document).commit()
    assert tool("resample", tmp_path / "x_asn.json", "--outdir", tmp_path) == 0
    assert "covers all exposures" in capsys.readouterr().err


def test_histories_name_what_was_done(images, tmp_path):
    """Not the options of steps that did not run."""
    done("flux", images[0], "--outdir", tmp_path)
    from rtools.products.io import open_product

    with open_product(next(tmp_path.iterdir())) as product:
        assert not {"outlier", "resample"} & set(product.history[-1]["parameters"])


def test_what_images_became_stands_in_json(images, tmp_path, capsys):
    done("skymatch", *images, "--outdir", tmp_path, "--json")
    (report,) = records(capsys.readouterr().out)
    assert {each["skymatch"] for each in report["cal_step"].values()} == {"COMPLETE"}
    assert len(report["cal_step"]) == 3


@pytest.mark.parametrize("subtracted", [False, True])
def test_flux_converts_the_level_of_the_sky(subtracted, tmp_path):
    change = {"background.level": 0.25, "background.subtracted": subtracted, "background.method": "match"}
    path = exposure(tmp_path / "x_cal.asdf", 0, change=change)
    done("flux", path, "--outdir", tmp_path)
    assert meta(tmp_path / "x_flux.asdf")["background"]["level"] == pytest.approx(0.25 * FACTOR, rel=1e-6)


def test_sky_that_only_an_option_says(images, tmp_path):
    """--backg comes off both sides of what is compared: the same pixels are outliers, within rounding."""
    flagged = []
    for words in ((), ("--backg", 0.5)):
        done("outlier", *images, *words, "--outdir", tmp_path, "--overwrite")
        flagged.append([planes(path, "dq")["dq"] & 128 for path in sorted(tmp_path.iterdir())])
    assert np.mean(np.array(flagged[0]) != np.array(flagged[1])) < 1e-4


def test_sky_of_an_image_smaller_than_a_cell():
    data = np.full((20, 24), 3.0, np.float32)
    found = sky_cells(data, np.ones(data.shape, bool), lambda x, y: (150 + x * 3e-5, 2 + y * 3e-5))
    np.testing.assert_allclose(found.level, 3)


@pytest.mark.parametrize(
    "how", some_long([("--set", "resample.var_flat=true", "--max-memory", 0.1), IVM, ("--max-memory", 16)], 1)
)
def test_looking_ahead_changes_nothing(how, tmp_path, monkeypatch):
    """Images of several dtypes, some without arrays that others have; memory is what the last one left in it."""
    files = [exposure(tmp_path / "a_cal.asdf", 0, profile="1.5.0", drop=("var_rnoise",)),
             exposure(tmp_path / "b_cal.asdf", 1, drop=("var_flat",)),
             exposure(tmp_path / "c_cal.asdf", 2, drop=("var_rnoise", "var_flat")),
             exposure(tmp_path / "d_cal.asdf", 3, profile="1.5.0")]  # fmt: skip
    done("run", *files, "--mosaic", "--skip", "catalog", *how, "-o", tmp_path / "a_coadd.asdf")
    monkeypatch.setattr("rtools.pipeline.mosaic.workers.Workers.look_ahead", lambda *_what: None)
    done("run", *files, "--mosaic", "--skip", "catalog", *how, "-o", tmp_path / "b_coadd.asdf")
    assert same(tmp_path / "a_coadd.asdf", tmp_path / "b_coadd.asdf") == []


def test_a_damaged_image_that_was_read_ahead_is_named(images, tmp_path, capsys):
    whole = images[1].read_bytes()
    bad = tmp_path / "bad_cal.asdf"
    bad.write_bytes(whole)
    with open(bad, "r+b") as file:  # the sizes of the chunks of all blocks
        for place in _places(whole, b"\xd3BLK"):
            file.seek(place + 54)
            file.write(b"\xff\xff\xff\xff")
    assert tool("run", images[0], bad, images[2], "--mosaic", "--skip", "catalog", "-o", tmp_path / "m_coadd.asdf") == 3
    assert "bad_cal.asdf" in capsys.readouterr().err and sorted(path.name for path in tmp_path.iterdir()) == [bad.name]


def _places(data, word):
    found = []
    while (place := data.find(word, found[-1] + 1 if found else 0)) >= 0:
        found.append(place)
    return found
