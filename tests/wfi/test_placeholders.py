"""Numbers that nobody filled in: refused naming the key, or not used with a warning, in whatever computes with them."""

import numpy as np
import pytest
from astropy.table import Table

from rtools.errors import InputError
from rtools.pipeline.catalog.references import psf_of
from rtools.products.edit.cutout import cut_metadata
from rtools.products.refcat.cones import corners_of
from rtools.simulate.files import read_sources
from rtools.wfi import metadata
from rtools.wfi.quantities import QUANTITIES, problem
from tests.support.dithers import exposure
from tests.support.runs import done, listing, meta, retouched, rewrite, tool

NAN = float("nan")
PLACEHOLDERS = (-999999, -999999.0, NAN, float("inf"), "?", "None", "N/A")


def put(key, value):
    """``change(meta, arrays)`` that sets one key."""
    return lambda meta, _arrays: metadata.put(meta, key, value)


@pytest.mark.parametrize("key", QUANTITIES)
def test_no_placeholder_passes_for_a_value(key):
    for value in PLACEHOLDERS:
        assert f"meta.{key} is {value!r}, " in problem(key, value)
        assert metadata.usable({key.partition(".")[0]: {key.partition(".")[2]: value}}, key) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("wcsinfo.dec_ref", 91),
        ("wcsinfo.vparity", 0),
        ("wcsinfo.pixel_scale", 0.0),
        ("photometry.pixel_area", 0.0),
        ("pointing.quaternion", [0.0, 0.0, 0.0, 0.0]),
        ("pointing.quaternion", [0.0, 0.0, 1.0]),
        ("instrument.data_encoding_offset", 12.5),
        ("exposure.frame_time", True),
        ("exposure.start_time", "1858-11-17T00:00:00.000"),
        ("exposure.read_pattern", [[1], [2, 2]]),
    ],
)
def test_what_cannot_be_is_no_value(key, value):
    assert problem(key, value).startswith(f"meta.{key} is ")


def test_values_of_exposures_and_mosaics_can_be(product):
    """And whatever has no range has nothing wrong."""
    for path in (product("uncal"), product("cal")):
        said = meta(path)
        assert [
            key for key in QUANTITIES if metadata.get(said, key) is not None and problem(key, metadata.get(said, key))
        ] == []
    assert problem("visit.nexposures", -999999) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("instrument.data_encoding_offset", -999999),
        ("wcsinfo.ra_ref", -999999),
        ("wcsinfo.dec_ref", 91.0),
        ("wcsinfo.roll_ref", -999999.0),
        ("wcsinfo.v2_ref", NAN),
        ("wcsinfo.v3_ref", float("inf")),
        ("exposure.frame_time", -999999),
    ],
)
def test_a_placeholder_that_the_chain_needs_is_refused(product, key, value, tmp_path, capsys):
    """Not a wrong WCS, an image that is saturated everywhere, or an internal error."""
    bad = rewrite(product("uncal"), tmp_path / "bad_uncal.asdf", put(key, value))
    before = listing(tmp_path)
    assert tool("run", bad) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"rt-run: {bad}: meta.{key} is {value!r}, ")
    assert listing(tmp_path) == before


@pytest.mark.parametrize("stated", [b"type: WFI_IMAGE", b"optical_element: F158", b"detector: WFI01"])
def test_a_word_that_says_nothing_is_refused(product, stated, tmp_path, capsys):
    key = stated.split(b":")[0] + b": '?'"
    bad = retouched(product("uncal"), tmp_path / "bad_uncal.asdf", stated, key.ljust(len(stated)))
    assert tool("run", bad) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{stated.decode().partition(':')[0]} is '?', a placeholder" in line


def test_what_a_run_does_not_use_may_be_a_placeholder(product, tmp_path):
    """The offset behind rt-dqinit, the pointing without rt-assignwcs."""
    odd = rewrite(product("dqinit"), tmp_path / "x_dqinit.asdf", put("instrument.data_encoding_offset", -999999))
    odd = rewrite(odd, tmp_path / "y_dqinit.asdf", put("wcsinfo.ra_ref", -999999))
    done("run", odd, "--until", "saturation")
    assert tool("run", odd, "--from", "dqinit", "-q") == 3


@pytest.mark.parametrize("change", [{"pixel_scale": -999999.0}, {"pixel_scale": 0.0}, {"pixfrac": -999999.0}])
def test_placeholders_of_a_mosaic_leave_its_psf_to_its_wcs(change):
    """Not an internal error: the scale of the WCS, a pixfrac of 1, and a warning."""
    from rtools.reference import find
    from tests.support.samples import wcs as sample_wcs

    meta = {"exposure": {"type": "WFI_IMAGE", "start_time": "2027-01-01T00:00:00.000"},
            "instrument": {"detector": "WFI02", "optical_element": "F158"}}  # fmt: skip
    from rtools.catalog.steps.catalog import STEP

    uses = [use for use in STEP.references if use.type == "epsf"]
    source = find.references(meta, uses, find.Config(), simulated=True, log=lambda level, text: None)["epsf"]
    grid = sample_wcs(0.055 / 3600, 270.0, 66.0), (200, 200)
    said = []
    right = {"wcsinfo": {"pixel_scale": 0.055 / 3600}, "resample": {"pixfrac": 1.0}}
    wrong = {block: {key: change.get(key, value) for key, value in entries.items()} for block, entries in right.items()}
    one = psf_of(source, right, grid=grid, log=lambda level, text: None)
    other = psf_of(source, wrong, grid=grid, log=lambda level, text: said.append((level, text)))
    np.testing.assert_allclose(other.stamps, one.stamps, atol=1e-5 * one.stamps.max())
    assert [level for level, text in said if next(iter(change)) in text] == ["warning"]


@pytest.mark.slow
def test_a_mosaic_without_its_pixfrac_is_not_joined(tmp_path, capsys):
    files = [exposure(tmp_path / f"{number}_cal.asdf", number) for number in range(2)]
    done("resample", files[0], "-o", tmp_path / "m_coadd.asdf")
    odd = rewrite_mosaic(tmp_path / "m_coadd.asdf", tmp_path / "o_coadd.asdf", {"resample.pixfrac": -999999.0})
    assert tool("resample", files[1], "--add", odd, "-o", tmp_path / "n_coadd.asdf") == 3
    assert f"{odd}: meta.resample.pixfrac is -999999.0" in capsys.readouterr().err
    odd = rewrite_mosaic(tmp_path / "m_coadd.asdf", tmp_path / "p_coadd.asdf",
                         {"resample.pointings": -999999, "resample.pixel_scale_ratio": 0.0})  # fmt: skip
    done("resample", files[1], "--add", odd, "-o", tmp_path / "n_coadd.asdf")
    said = meta(tmp_path / "n_coadd.asdf")["resample"]
    assert said["pointings"] == 2 and said["pixel_scale_ratio"] == pytest.approx(1, rel=0.02)


def rewrite_mosaic(source, target, changes):
    """A copy of a mosaic with other values in its metadata."""
    done("set", source, *(f"{key}={value}" for key, value in changes.items()), "-o", target)
    return target


@pytest.mark.slow
def test_placeholders_in_the_place_of_an_exposure_make_no_odd_grid(tmp_path, capsys):
    """Not a grid turned by a million degrees: north up, and one warning a key."""
    change = {"wcsinfo.roll_ref": NAN, "photometry.pixel_area": -999999.0, "background.level": NAN}
    change["exposure.effective_exposure_time"] = NAN
    file = exposure(tmp_path / "x_cal.asdf", 0, change=change)
    assert tool("resample", file, "-o", tmp_path / "m_coadd.asdf") == 0
    assert meta(tmp_path / "m_coadd.asdf")["wcsinfo"]["orientation_ref"] == pytest.approx(0, abs=1e-6)
    odd = rewrite_mosaic(tmp_path / "m_coadd.asdf", tmp_path / "o_coadd.asdf", {"resample.pixel_scale_ratio": 0.0})
    assert tool("resample", file, "--like", odd, "-o", tmp_path / "n_coadd.asdf") == 0
    said = capsys.readouterr().err
    assert "meta.resample.pixel_scale_ratio is 0.0" in said
    for key in change:
        assert f"meta.{key}" in said


def test_an_attitude_of_zeros_is_refused(product, tmp_path, capsys):
    odd = rewrite(product("uncal"), tmp_path / "x_uncal.asdf", put("pointing.quaternion", [0.0, 0.0, 0.0, 0.0]))
    assert tool("point", odd, "--allow-default", "--in-place") == 3
    assert "meta.pointing.quaternion is [0.0, 0.0, 0.0, 0.0], nothing but zeros" in capsys.readouterr().err


def test_times_that_are_none_name_their_key():
    with pytest.raises(InputError, match=r"meta.exposure.end_time is '\?', not a time"):
        metadata.exposure_mjd({"exposure": {"start_time": "2027-01-01T00:00:00.000", "end_time": "?"}})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("magnitude", -99.0),
        ("magnitude", 99.0),
        ("magnitude", -999999),
        ("dec", 91.0),
        ("ra", -999999.0),
        ("radius", -1.0),
        ("axis_ratio", -99.0),
        ("angle", 999.0),
        ("sersic", -999999.0),
    ],
)
def test_sentinels_in_a_table_of_sources_are_refused(column, value, tmp_path):
    """Not an exposure without the light of these sources, and not a word."""
    rows = {"ra": 270.0, "dec": 66.0, "magnitude": 20.0, "radius": 0.3, "axis_ratio": 0.5, "angle": 30.0, "sersic": 1.0}
    path = tmp_path / "x.ecsv"
    Table({name: [one, value if name == column else one] for name, one in rows.items()}).write(path)
    with pytest.raises(InputError, match=rf"x.ecsv: column {column} has 1 value that cannot be \({value:g}"):
        read_sources(path, "F158")
    Table({name: [one] for name, one in rows.items()}).write(path, overwrite=True)
    assert len(read_sources(path, "F158")) == 1


def test_a_region_of_placeholders_is_no_cone(product, tmp_path):
    path = tmp_path / "x_uncal.asdf"
    done("set", product("uncal"), "wcsinfo.s_region=POLYGON ICRS  -999999 91 1 2 3 4 5 6", "-o", path)
    with pytest.raises(InputError, match="s_region is not a polygon"):
        corners_of(path)


def test_a_cutout_leaves_a_placeholder_one():
    """Not -1000029, which nothing knows for a placeholder."""
    place = {"image_shape": [100, 100], "x_ref": -999999.0, "y_ref": 49.5}
    cut = cut_metadata({"wcsinfo": place}, slice(20, 60), slice(30, 60), (100, 100))["wcsinfo"]
    assert (cut["x_ref"], cut["y_ref"]) == (-999999.0, 29.5)
