"""Metadata of mosaics, tables and logs of their members, writing them from memory and by rows."""

import os
from types import SimpleNamespace

import asdf
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from rtools.errors import InputError, RtoolsError
from rtools.mosaic.drizzle.coverage import coverage_of, total_coverage
from rtools.mosaic.grid.grid import Grid, centred_grid, rotation
from rtools.products.io import open_product
from rtools.products.mosaic import metadata as mosaic_meta
from rtools.products.mosaic.members import image_logs, image_tables
from rtools.products.mosaic.writer import MosaicWriter, stage_mosaic
from rtools.products.schema import nodes
from rtools.work.statistics import image_statistics
from tests.support import judges, samples
from tests.support.validity import validate_tree

pytestmark = pytest.mark.slow

NAME = "r00001_p_v01001001001001_270p66x50y50_f158_coadd.asdf"
RESAMPLE = {
    "good_bits": "~DO_NOT_USE",
    "pixel_scale_ratio": 0.5,
    "pixfrac": 1.0,
    "weight_type": "ivm",
    "pixmap_stepsize": 64,
    "pixmap_order": 5,
}
GRID = centred_grid((270.0, 66.0), 0.055 / 3600, (40, 30), angle=20.0)


def member(number, **changed):
    """Metadata of an exposure; dotted paths change them."""
    meta = samples.meta("l2_image") | {"filename": f"m{number}_cal.asdf", "cal_logs": [f"log {number}", "more"]}
    start = f"2027-01-01T00:{number:02d}:00.000"
    meta["exposure"] = dict(meta["exposure"]) | {"start_time": nodes.time(start)}
    meta["exposure"]["end_time"] = nodes.time(f"2027-01-01T00:{number:02d}:30.500")
    steps = dict.fromkeys(("flux", "skymatch", "outlier_detection"), "COMPLETE")
    meta["cal_step"] = dict.fromkeys(meta.get("cal_step", {}), "COMPLETE") | steps
    meta["observation"] = dict(meta["observation"]) | {"observation_id": f"id{number // 2}"}
    for path, value in changed.items():
        block, _, key = path.partition("__")
        meta[block] = dict(meta[block]) | {key: value}
    return meta


def made(members, **changed):
    settings = {
        "wcs": GRID.wcs(),
        "where": mosaic_meta.wcsinfo(GRID.to_sky, GRID.shape, reference=GRID[1:]),
        "resample": RESAMPLE,
        "coverage": {"exposure_time": 100.0, "max_exposure_time": 200.0},
        "statistics": {"image_median": 1.0, "image_rms": 0.1, "good_pixel_fraction": 1.0},
        "filename": NAME,
    }
    return mosaic_meta.mosaic_meta(members, **(settings | changed))


def test_what_members_share_is_kept_and_the_rest_is_null():
    found = mosaic_meta.blend([member(0), member(1, observation__exposure=7, program__title="y")])
    assert found["observation"]["exposure"] is None and found["program"]["title"] is None
    assert found["observation"]["visit"] == 1 and found["program"]["category"] == "x"
    assert found["observation"]["exposure_grouping"] == "v01001001001001"
    assert found["instrument"] == {"name": "WFI", "optical_element": "F062"}
    assert found["cal_step"] == dict.fromkeys(("flux", "outlier_detection", "skymatch", "resample"), "COMPLETE")


def test_members_that_differ_where_it_matters():
    members = [
        member(0),
        member(1, observation__visit=2, cal_step__skymatch="SKIPPED", instrument__optical_element="F184"),
    ]
    found = mosaic_meta.blend(members)
    assert found["observation"]["visit"] is None and found["observation"]["exposure_grouping"] is None
    assert found["instrument"]["optical_element"] is None
    assert found["cal_step"]["skymatch"] == "INCOMPLETE" and found["cal_step"]["flux"] == "COMPLETE"


def test_times_of_a_mosaic():
    times = mosaic_meta.blend([member(4), member(1), member(2)])["coadd_info"]
    assert times == {
        "time_first": "2027-01-01T00:01:00.000",
        "time_last": "2027-01-01T00:04:30.500",
        "time_mean": "2027-01-01T00:02:20.000",
    }
    assert all(value.tag == nodes.TIME_TAG for value in times.values())


def test_members_without_times_or_no_members_are_refused():
    broken = member(1)
    del broken["exposure"]["start_time"]
    with pytest.raises(InputError, match="start_time") as error:
        mosaic_meta.blend([member(0), broken])
    assert error.value.path == "m1_cal.asdf"
    with pytest.raises(InputError, match="no exposures"):
        mosaic_meta.blend([])


def test_exposures_are_counted_by_their_groups():
    members = [member(number) for number in range(5)]
    assert made(members)["resample"]["pointings"] == 3
    assert made(members)["resample"]["members"] == [f"m{number}_cal.asdf" for number in range(5)]
    assert made(members, resample=RESAMPLE | {"pointings": 5})["resample"]["pointings"] == 5
    assert mosaic_meta.group_of(members[3], 3) == "id1"
    assert mosaic_meta.group_of(members[3], 3, given="a") == "a"
    assert mosaic_meta.group_of({"observation": {"observation_id": "?"}}, 3) == "exposure0004"


@pytest.mark.parametrize(
    "name, kind, release",
    [
        (NAME, "p_visit_coadd", "p"),
        ("r00123_r1-ultradeep_full_270p65x31y71_f106_coadd.asdf", "r1-ultradeep_full_coadd", "r1-ultradeep"),
        ("r00123_r1_s02002_270p65x31y71_f106_coadd.asdf", "r1_pass_coadd", "r1"),
        ("r00123_r1_s2_270p65x31y71_f106_coadd.asdf", "coadd", "r1"),
        ("mine_coadd.asdf", "coadd", "p"),
    ],
)
def test_kind_of_product_and_release_follow_the_name(name, kind, release):
    found = made([member(0)], filename=name)
    assert (found["product_type"], found["data_release_id"]) == (kind, release)
    assert made([member(0)], filename=name, release="r7")["data_release_id"] == "r7"


def test_where_a_tangent_plane_is():
    grid = Grid((300, 200), (99.5, 149.5), (33.0, -45.0), 2e-5, rotation(30.0))
    found = mosaic_meta.wcsinfo(grid.to_sky, grid.shape, reference=grid[1:])
    assert found["image_shape"] == [200, 300] and found["projection"] == "TAN" and found["skycell_name"] is None
    assert (found["ra"], found["dec"]) == pytest.approx((33, -45), abs=1e-12)
    assert (found["ra_ref"], found["dec_ref"], found["x_ref"], found["y_ref"]) == (33, -45, 99.5, 149.5)
    assert found["pixel_scale"] == pytest.approx(2e-5, rel=1e-9) and found["pixel_scale_ref"] == 2e-5
    assert found["orientation"] == pytest.approx(30, abs=1e-6)
    assert found["orientation_ref"] == pytest.approx(30, abs=1e-6)
    np.testing.assert_array_equal(found["rotation_matrix"], rotation(30.0))
    words = found["s_region"].split(" ")
    assert words[:3] == ["POLYGON", "ICRS", ""] and all(len(word.partition(".")[2]) == 9 for word in words[3:])
    corners = np.array(words[3:], float).reshape(4, 2)
    x, y = grid.to_pixel(*corners.T)
    np.testing.assert_allclose(x, [-0.5, -0.5, 199.5, 199.5], atol=1e-4)
    np.testing.assert_allclose(y, [-0.5, 299.5, 299.5, -0.5], atol=1e-4)


def test_where_a_skycell_far_from_its_tangent_point_is():
    grid = Grid((5000, 5000), (84099.5, 108099.5), (22.5, 82.79805845), 0.055 / 3600, rotation(0.0, 1))
    found = mosaic_meta.wcsinfo(grid.to_sky, grid.shape, reference=grid[1:], skycell="022p83x28y33")
    assert found["skycell_name"] == "022p83x28y33"
    assert (found["ra"], found["dec"]) == pytest.approx((14.4218941031, 81.0982166837), abs=1e-8)
    assert found["orientation_ref"] == pytest.approx(0, abs=1e-9)
    here, up, right = (
        SkyCoord(*grid.to_sky(x, y), unit="deg") for x, y in ((2499.5, 2499.5), (2499.5, 2599.5), (2500.5, 2499.5))
    )
    above = SkyCoord(*grid.to_sky(2499.5, 2500.5), unit="deg")
    assert found["orientation"] == pytest.approx(here.position_angle(up).deg, abs=1e-7)
    scale = np.sqrt(here.separation(right).deg * here.separation(above).deg)
    assert found["pixel_scale"] == pytest.approx(scale, rel=1e-6)


def test_where_an_image_that_is_no_tangent_plane_is():
    """The projection that touches the sky at its centre, which for a tangent plane is that plane."""
    grid = centred_grid((12.0, 40.0), 3e-5, (101, 201), angle=70.0)
    found = mosaic_meta.wcsinfo(grid.to_sky, grid.shape)
    assert (found["x_ref"], found["y_ref"], found["ra_ref"], found["dec_ref"]) == pytest.approx((100, 50, 12, 40))
    assert found["pixel_scale_ref"] == found["pixel_scale"] == pytest.approx(3e-5, rel=1e-9)
    np.testing.assert_allclose(found["rotation_matrix"], grid.matrix, atol=1e-6)


def test_right_ascensions_are_positive_across_the_meridian():
    grid = centred_grid((0.0, 5.0), 1e-4, (50, 50))
    words = mosaic_meta.wcsinfo(grid.to_sky, grid.shape)["s_region"].split()[2::2]
    assert min(map(float, words)) >= 0 and max(map(float, words)) > 359.9


def test_no_right_ascension_is_written_as_360():
    found = mosaic_meta.wcsinfo(lambda x, y: (-1e-11 + 0 * x, 5 + 1e-5 * y + 1e-9 * x), (50, 50))
    assert (found["ra"], found["ra_ref"]) == (0, 0)
    assert found["s_region"].split()[2::2] == ["0.000000000"] * 4


def listing(tables, count):
    """A mosaic of some members, as far as `metas_of` looks."""
    meta = {"resample": {"members": [f"m{number}_cal.asdf" for number in range(count)]}}
    return SimpleNamespace(
        meta=meta, tree={"meta": {"individual_image_meta": tables}}, node=lambda path: tables[path.rpartition(".")[2]]
    )


def test_tables_that_lack_members_are_not_read_as_of_others():
    members = [member(0), member(1), member(2)]
    assert len(mosaic_meta.metas_of(listing(image_tables(members), 3))) == 3
    ragged = image_tables(members) | {"photometry": image_tables(members[1:])["photometry"]}
    with pytest.raises(InputError, match="photometry has 2 rows for 3 members"):
        mosaic_meta.metas_of(listing(ragged, 3))


def test_times_of_members_that_are_no_numbers():
    tables = image_tables([member(0), member(1, exposure__effective_exposure_time=None)])
    with pytest.raises(InputError, match="does not say the times of m1_cal"):
        mosaic_meta.metas_of(listing(tables, 2))


def test_every_table_has_a_row_for_every_member():
    first, second, third = member(0), member(1), member(2)
    first.pop("background", None)
    second["background"] = {"level": 0.25, "method": "match", "subtracted": False}
    third["background"] = {"level": None, "method": "None"}
    del third["rcs"]
    first["exposure"]["nresultants"], first["exposure"]["truncated"] = None, True
    tables = image_tables([first, second, third])
    assert {len(table) for table in tables.values()} == {3}
    background = tables["background"]
    np.testing.assert_array_equal(background["level"], [np.nan, 0.25, np.nan])
    assert list(background["method"]) == ["MISSING_CELL", "match", "None"]
    assert list(background["subtracted"]) == ["MISSING_CELL", "False", "MISSING_CELL"]
    np.testing.assert_array_equal(tables["exposure"]["nresultants"], [np.nan, 1, 1])
    assert tables["exposure"]["truncated"].dtype == bool and list(tables["exposure"]["truncated"]) == [
        True,
        False,
        False,
    ]
    assert tables["observation"]["visit"].dtype == np.int64
    assert list(tables["exposure"]["read_pattern"]) == ["[[1], [2, 3], [4, 5, 6, 7]]"] * 3
    assert tables["exposure"]["start_time"][1] == "2027-01-01T00:01:00.000"
    assert list(tables["basic"]["filename"]) == ["m0_cal.asdf", "m1_cal.asdf", "m2_cal.asdf"]
    assert list(tables["visit"]["dither"]) == [str(dict(first["visit"]["dither"]))] * 3
    assert set(tables["visit"]["type"]) == {first["visit"]["type"]}
    assert "statistics" not in tables


def test_a_column_that_no_member_knows():
    members = [member(number, photometry__pixel_area=None) for number in range(2)]
    assert list(image_tables(members)["photometry"]["pixel_area"]) == ["None", "None"]


def test_logs_of_the_members_are_kept():
    silent = member(2) | {"cal_logs": []}
    assert image_logs([member(0), silent, member(1)]) == [["log 0", "more"], ["log 1", "more"]]


def test_exposure_time_is_summed_over_the_members_of_a_pixel():
    rng = np.random.default_rng(2)
    context = rng.integers(0, 1 << 20, (2, 30, 17)).astype("u4")
    context[:, :9] = 0
    context[:, 12:14] = context[:, 12:13, :1]
    times = rng.uniform(50, 200, 52)
    bits = np.concatenate([(context[plane] >> np.arange(32)[:, None, None]) & 1 for plane in range(2)])[:52]
    wanted = (bits * times[:, None, None]).sum(axis=0)
    parts = [coverage_of(context[:, rows], times) for rows in (slice(0, 4), slice(4, 21), slice(21, 30))]
    found = total_coverage(parts)
    assert found["max_exposure_time"] == pytest.approx(wanted.max(), rel=1e-12)
    assert found["exposure_time"] == pytest.approx(wanted[wanted > 0].mean(), rel=1e-12)
    empty = total_coverage([coverage_of(np.zeros((1, 3, 3), "u4"), [100.0])])
    assert empty == {"exposure_time": 0.0, "max_exposure_time": 0.0}


def test_statistics_of_an_image_without_flags():
    rng = np.random.default_rng(1)
    data, err = rng.normal(5, 2, (60, 50)).astype("f4"), np.ones((60, 50), "f4")
    data[:9], err[20] = np.nan, np.nan
    good = np.isfinite(data) & np.isfinite(err)
    found = image_statistics(data, None, err)
    assert found["image_median"] == np.median(data[good]) and found["good_pixel_fraction"] == good.mean()


PLANES = samples.arrays("l3_coadd", seed=4)
SHAPE = PLANES["data"].shape


def written_by_rows(path, members, *, profile="2.1.0", **settings):
    contexts = -(-len(members) // 32)
    context = np.repeat(PLANES["context"], contexts, axis=0)
    writer = MosaicWriter(path, SHAPE, members, [name for name in PLANES if name != "context"], profile=profile)
    for first in (16, 0, 8):
        rows = slice(first, first + 8)
        writer.put(first, {name: array[..., rows, :] for name, array in (PLANES | {"context": context}).items()})
    np.testing.assert_array_equal(writer.rows("err", 3, 19), PLANES["err"][3:19])
    return writer.finish(made(members), history=[{"description": "x"}], **settings)


@pytest.mark.parametrize("compression", ["none", "lz4"])
@pytest.mark.parametrize("count", [3, 40, 600])
def test_a_mosaic_by_rows_holds_what_one_from_memory_holds(tmp_path, compression, count):
    """600 members: their tables no longer stand in the tree, but in blocks of their own."""
    members = [member(number % 60) for number in range(count)]
    whole, rows = tmp_path / "whole.asdf", tmp_path / "rows.asdf"
    context = np.repeat(PLANES["context"], -(-count // 32), axis=0)
    stage_mosaic(whole, made(members), PLANES | {"context": context}, members, compression=compression).commit()
    written_by_rows(rows, members, compression=compression).commit()
    assert sorted(os.listdir(tmp_path)) == ["rows.asdf", "whole.asdf"]
    opened = []
    for path in (whole, rows):
        with asdf.open(
            path, validate_checksums=True, lazy_load=False, memmap=False, ignore_unrecognized_tag=True
        ) as file:
            opened.append(file["roman"])
    for name in PLANES:
        np.testing.assert_array_equal(opened[0][name], opened[1][name])
        assert opened[0][name].dtype == opened[1][name].dtype
    assert opened[1]["context"].shape == (-(-count // 32), *SHAPE)
    assert opened[0]["individual_image_cal_logs"] == opened[1]["individual_image_cal_logs"]
    assert len(opened[1]["individual_image_cal_logs"]) == count
    tables = [one["meta"]["individual_image_meta"] for one in opened]
    assert list(tables[0]) == list(tables[1])
    assert len(tables[1]["basic"]) == count and list(tables[0]["basic"]["filename"]) == list(
        tables[1]["basic"]["filename"]
    )
    with open_product(rows, kinds=["l3_coadd"]) as product:
        assert validate_tree(product) == []
        assert product.array("data").shape == SHAPE


def test_an_error_of_the_disk_is_not_lost(tmp_path, monkeypatch):
    """The system tells it to one of two calls."""
    errors, sync = [OSError(5, "Input/output error")], os.fsync

    def fail_once(file):
        if errors:
            raise errors.pop()
        sync(file)

    monkeypatch.setattr(os, "fsync", fail_once)
    with pytest.raises(RtoolsError, match="cannot be written"):
        written_by_rows(tmp_path / "x.asdf", [member(0)])
    assert not os.listdir(tmp_path)


def test_rows_that_were_never_written(tmp_path):
    writer = MosaicWriter(tmp_path / "x.asdf", SHAPE, [member(0)], ["data", "err"])
    writer.put(0, {name: PLANES[name][..., :5, :] for name in ("data", "err", "context")})
    with pytest.raises(RtoolsError, match="19 rows of the mosaic were never written"):
        writer.finish(made([member(0)]))
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("version", judges.newest_only(judges.OPENS))
def test_roman_datamodels_validates_mosaics_with_tables_and_logs(version, tmp_path, judge):
    members, paths = [member(number) for number in range(3)], []
    for profile in judges.OPENS[version]:
        path = tmp_path / f"{profile}_coadd.asdf"
        whole = stage_mosaic(path, made(members), PLANES, members, profile=profile).commit()
        by_rows = written_by_rows(tmp_path / f"{profile}_rows_coadd.asdf", members, profile=profile).commit()
        paths += [whole, by_rows]
    verdicts = judge(version, paths)
    wrong = {path: verdict for path, verdict in verdicts.items() if not verdict["ok"]}
    assert wrong == {}
    for path in map(str, paths):
        assert verdicts[path]["model"] == "MosaicModel"
        np.testing.assert_allclose(verdicts[path]["wcs"], GRID.to_sky(10, 20), rtol=0, atol=1e-11)
