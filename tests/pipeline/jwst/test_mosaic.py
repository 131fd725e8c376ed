"""Images of JWST to a mosaic: against what the mission's pipeline made of the same files, and against the truth."""

import json
import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from rtools.pipeline.mosaic.workers import Workers
from rtools.products.jwst import open_jwst
from rtools.products.opening import open_any
from tests.support.placed_images import image
from tests.support.runs import done, tool

pytestmark = pytest.mark.slow

RIM = 60
"""Pixels on the edge of a frame, of 20 000, that two ways of cutting polygons see differently."""

MOSAICS = {
    "ivm": ((), "out_i2d"),
    "exptime": (("--weight-type", "exptime"), "out_i2d_exptime"),
    "half the scale": (("--scale-ratio", "0.5", "--pixfrac", "0.8"), "out_i2d_scale05"),
}

PLANES = ("SCI", "ERR", "WHT", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")

OWN = ("DATE", "FILENAME", "CAL_VER", "CAL_VCS", "S_REGION", "")
"""Keywords that say who wrote the file, and the outline: ours is that of the frame, not of what is covered."""

NOTHING = ("DURATION", "TELAPSE")
"""Sums of what the exposures do not say, for which the mission's file has 0."""


@pytest.fixture
def folder(jwst_golden):
    return jwst_golden("mosaic")


@pytest.fixture
def cals(folder):
    return sorted(folder.glob("jw*_cal.fits"))


def references(folder):
    """Options that name the references of the catalog."""
    found = {"apcorr": folder / "ref_apcorr.fits", "abvegaoffset": folder / "ref_abvegaoffset.asdf"}
    return [word for kind, path in found.items() for word in ("--ref", f"{kind}={path}")]


def headers_agree(made, wanted):
    """All keywords but those of the writer; the reference pixel to 1e-8 pixel, which is the rounding of degrees."""
    for key, value in wanted.items():
        if key in (*OWN, *NOTHING):
            continue
        if key.startswith("CRPIX"):
            assert abs(made[key] - value) < 1e-8, key
        elif isinstance(value, float):
            assert made[key] == pytest.approx(value, rel=1e-12), key
        else:
            assert made[key] == value, key


@pytest.mark.parametrize("case", MOSAICS)
def test_a_mosaic_is_that_of_the_mission(case, folder, tmp_path):
    options, name = MOSAICS[case]
    done("resample", *sorted(folder.glob("out_crf?.fits")), "-o", tmp_path / "x_i2d.fits", *options)
    with fits.open(tmp_path / "x_i2d.fits") as made, fits.open(folder / f"{name}.fits") as wanted:
        headers_agree(made[0].header, wanted[0].header)
        headers_agree(made["SCI"].header, wanted["SCI"].header)
        np.testing.assert_array_equal(made["CON"].data, wanted["CON"].data)
        for plane in PLANES:
            one, other = made[plane].data, wanted[plane].data
            np.testing.assert_array_equal(np.isfinite(one), np.isfinite(other), plane)
            known = np.isfinite(other) & (other != 0)
            off = np.abs(one[known] / other[known] - 1)
            assert np.median(off) < 2e-7, plane
            assert np.count_nonzero(off > 2e-4) < RIM, plane


def test_every_image_of_a_mosaic_knows_its_place(folder, tmp_path):
    done("resample", *sorted(folder.glob("out_crf?.fits")), "-o", tmp_path / "x_i2d.fits")
    wcs = open_jwst(tmp_path / "x_i2d.fits").node("meta.wcs")
    x, y = np.array([0.0, 100, 208]), np.array([0.0, 169, 80])
    with fits.open(tmp_path / "x_i2d.fits") as made:
        assert [len(made["HDRTAB"].data), made["HDRTAB"].data["FILENAME"].size] == [4, 4]
        assert list(made["HDRTAB"].data["BKGLEVEL"]) == pytest.approx([0, 0.11936, 0.21194, 0.29675], abs=1e-4)
        for name in ("SCI", "ERR", "CON", "WHT"):
            found = WCS(made[name].header).celestial.all_pix2world(x, y, 0)
            np.testing.assert_allclose(found, wcs(x, y), rtol=0, atol=1e-10)


def test_outliers_are_those_of_the_mission(folder, tmp_path):
    done("outlier", *sorted(folder.glob("out_skymatch?.fits")), "--outdir", tmp_path)
    for number, count in zip(range(1, 5), (25, 30, 24, 24), strict=True):
        made = open_jwst(tmp_path / f"out_skymatch{number}_crf.fits")
        wanted = open_jwst(folder / f"out_crf{number}.fits")
        assert np.count_nonzero(made.array("dq") & 16) == count
        for name in ("dq", "data", "err", "var_poisson", "var_rnoise", "var_flat"):
            np.testing.assert_array_equal(made.array(name), wanted.array(name), name)
        assert made.value("S_OUTLIR") == "COMPLETE"


def test_sky_levels_are_found(cals, tmp_path):
    """Steps of 0.1 were put into the four images; the noise of a level is some 0.001."""
    done("skymatch", *cals, "--outdir", tmp_path)
    levels = [open_jwst(path).value("BKGLEVEL") for path in sorted(tmp_path.glob("*_skymatch.fits"))]
    assert levels == pytest.approx([0, 0.1, 0.2, 0.3], abs=0.003)
    first, second = (open_jwst(path) for path in (cals[1], tmp_path / f"{cals[1].stem[:-4]}_skymatch.fits"))
    np.testing.assert_array_equal(first.array("data"), second.array("data"))
    assert (second.value("BKGMETH"), second.value("BKGSUB"), second.value("S_SKYMAT")) == ("match", False, "COMPLETE")


def test_an_association_becomes_a_mosaic(folder, cals, tmp_path):
    for path in cals:
        shutil.copy(path, tmp_path)
    shutil.copy(folder / "in_asn.json", tmp_path / "x_asn.json")
    assert tool("run", tmp_path / "x_asn.json", "--outdir", tmp_path / "o", *references(folder)) == 0
    catalog, path, segments = sorted((tmp_path / "o").iterdir())
    name = json.loads((tmp_path / "x_asn.json").read_text())["products"][0]["name"]
    made = open_jwst(path)
    assert (path.name, made.kind, made.value("ASNTABLE")) == (f"{name}_i2d.fits", "i2d", "x_asn.json")
    assert [made.value(key) for key in ("S_SKYMAT", "S_OUTLIR", "S_RESAMP")] == ["COMPLETE"] * 3
    assert made.value("EXPMID") == pytest.approx((made.value("EXPSTART") + made.value("EXPEND")) / 2, abs=1e-9)
    wanted = open_jwst(folder / "out_i2d.fits").array("data")
    off = np.abs(made.array("data") - wanted)[40:130, 40:160]
    assert np.nanmedian(off) < 0.02
    assert tool("validate", path, catalog, segments) == 0
    assert (open_jwst(catalog).kind, open_jwst(segments).kind) == ("cat", "segm")
    assert catalog.name == f"{name}_cat.ecsv" and segments.name == f"{name}_segm.fits"


def test_images_are_read_again_and_not_kept_in_memory(cals, tmp_path, monkeypatch):
    kept, readings = [], Workers._readings

    def spy(*given):
        found = readings(*given)
        kept.extend(keep for _reading, keep in found.values())
        return found

    monkeypatch.setattr(Workers, "_readings", spy)
    done("run", *cals, "--mosaic", "--skip", "catalog", "-o", tmp_path / "x_i2d.fits")
    assert kept and not any(kept)


def test_the_catalog_of_a_run_is_that_of_its_mosaic(folder, cals, tmp_path):
    """Also where the mosaic was made in slabs."""
    done("run", *cals, "--mosaic", "-o", tmp_path / "x_i2d.fits", "--max-memory", "0.001", *references(folder))
    done("catalog", tmp_path / "x_i2d.fits", "-o", tmp_path / "y_cat.ecsv", *references(folder))
    one, other = (open_jwst(tmp_path / f"{name}_cat.ecsv").table() for name in "xy")
    assert len(one) > 20
    for column in one.colnames:
        np.testing.assert_array_equal(one[column], other[column], column)
    one, other = (open_jwst(tmp_path / f"{name}_segm.fits").array("data") for name in "xy")
    np.testing.assert_array_equal(one, other)


def test_a_mosaic_whose_catalog_lacks_its_reference_is_refused_before_any_work(cals, tmp_path, capsys):
    assert tool("run", *cals, "--mosaic", "-o", tmp_path / "x_i2d.fits") == 4
    assert "apcorr" in capsys.readouterr().err and list(tmp_path.iterdir()) == []
    done("run", *cals, "--mosaic", "-o", tmp_path / "x_i2d.fits", "--skip", "catalog")
    assert [path.name for path in tmp_path.iterdir()] == ["x_i2d.fits"]


def test_outliers_of_an_association_are_named_after_it(folder, cals, tmp_path):
    for path in cals:
        shutil.copy(path, tmp_path)
    shutil.copy(folder / "in_asn.json", tmp_path / "x_asn.json")
    done("outlier", tmp_path / "x_asn.json", "--outdir", tmp_path / "o")
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == [
        f"{path.stem[:-4]}_o001_crf.fits" for path in cals
    ]
    assert tool("validate", *(tmp_path / "o").iterdir()) == 0


def test_slabs_and_threads_give_the_same_bits(cals, tmp_path):
    plain = "--mosaic", "--skip", "catalog"
    done("run", *cals, *plain, "-o", tmp_path / "a_i2d.fits")
    done("run", *cals, *plain, "-o", tmp_path / "b_i2d.fits", "--max-memory", "0.001", "-j", "2")
    with fits.open(tmp_path / "a_i2d.fits") as one, fits.open(tmp_path / "b_i2d.fits") as other:
        for name in (*PLANES, "CON"):
            np.testing.assert_array_equal(one[name].data, other[name].data, name)


def test_images_of_two_missions_make_no_mosaic(cals, tmp_path, capsys):
    roman = image(tmp_path / "r0000101001001001001_0001_wfi01_f158_cal.asdf")
    assert tool("resample", roman, cals[0], "-o", tmp_path / "x_i2d.fits") == 2
    assert "images of JWST" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "x_i2d.fits").exists()


def test_a_grid_is_taken_from_the_other_mission(cals, folder, tmp_path):
    roman = image(
        tmp_path / "r0000101001001001001_0001_wfi01_f158_cal.asdf",
        place=(80.0, -69.5),
        change={"photometry.conversion_megajanskys": 0.5},
    )
    done("resample", *cals, "--like", roman, "-o", tmp_path / "x_i2d.fits")
    done("resample", roman, "--like", folder / "out_i2d.fits", "-o", tmp_path / "x_coadd.asdf")
    made, other = open_any(tmp_path / "x_i2d.fits"), open_any(tmp_path / "x_coadd.asdf")
    assert (made.mission, other.mission) == ("jwst", "roman")
    assert made.array("data").shape == open_any(roman).arrays["data"].shape
    assert other.array("data").shape == (170, 209)
    assert np.isfinite(made.array("data")).any() and np.isfinite(other.array("data")).any()


def test_what_is_of_roman_is_refused(cals, tmp_path, capsys):
    assert tool("flux", cals[0], "--outdir", tmp_path) == 3
    assert tool("resample", *cals, "-o", tmp_path / "x_coadd.asdf") == 2
    assert tool("resample", *cals, "--dq", "-o", tmp_path / "x_i2d.fits") == 2
    assert tool("resample", *cals, "--add", tmp_path / "m_coadd.asdf", "-o", tmp_path / "x_i2d.fits") == 2
    assert list(tmp_path.iterdir()) == []


def test_flags_go_by_the_names_of_the_mission(cals, tmp_path):
    """Bit 4 is OUTLIER for JWST, bit 7 for Roman."""
    path = tmp_path / cals[0].name
    shutil.copy(cals[0], path)
    with fits.open(path, mode="update") as changed:
        changed["DQ"].data[60:70, 60:70] |= 16
        changed["DQ"].data[80:90, 80:90] |= 128
    for words, name in (((), "a"), (("--good-bits", "~OUTLIER+DO_NOT_USE"), "b")):
        done("resample", path, *words, "-o", tmp_path / f"{name}_i2d.fits")
    everything, without = (open_jwst(tmp_path / f"{name}_i2d.fits").array("wht") > 0 for name in "ab")
    assert 60 < np.count_nonzero(everything & ~without) < 130
