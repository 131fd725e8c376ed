"""Exposures that join a mosaic: as one run, in any portions, for every weight; sky, outliers, refusals."""

import os
from itertools import pairwise

import asdf
import numpy as np
import pytest
from astropy.time import Time

from rtools.mosaic import adding
from rtools.pipeline.mosaic import run as mosaic_run
from rtools.products.io import open_product, writer
from tests.support.dithers import FACTOR, SIZE, STEPS, exposure, exposures, place, planes, rays, same
from tests.support.runs import done, history, listing, meta, records, retouched, tool
from tests.support.share import some_long

pytestmark = pytest.mark.slow

EXACT = ("data", "weight", "context", "dq")
ALONE = ("--skip", "skymatch", "--skip", "outlier", "--skip", "catalog")
CENTER = ("--center", "{:.5f},{:.5f}".format(*place(0)[0](SIZE / 2, SIZE / 2)))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Four exposures, without cosmic rays, the fourth in a visit of its own."""
    directory = tmp_path_factory.mktemp("images")
    change = {"observation.visit": 7, "photometry.pixel_area": None}
    other = exposure(directory / "z_cal.asdf", 3, hit=False, change=change)
    return [*exposures(directory, 3, hit=False), other]


@pytest.fixture(scope="module")
def grid():
    """Options of a grid that is not that of the detector."""
    return (*CENTER, "--size", "300,280", "--scale-ratio", 0.8, "--pa", 25)


@pytest.fixture(scope="module")
def three(images, grid, tmp_path_factory):
    path = tmp_path_factory.mktemp("three") / "three_coadd.asdf"
    done("resample", *images[:3], *grid, "-o", path)
    return path


@pytest.fixture(scope="module")
def four(images, grid, tmp_path_factory):
    path = tmp_path_factory.mktemp("four") / "four_coadd.asdf"
    done("resample", *images, *grid, "-o", path)
    return path


def alike(one, other, exact=EXACT):
    """Two mosaics: arrays, and metadata but for names and logs."""
    first, second = planes(one), planes(other)
    assert first.keys() == second.keys() and np.nanmax(first["weight"]) > 0
    for name in first:
        if name in exact:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        else:
            np.testing.assert_allclose(first[name], second[name], rtol=1e-6, err_msg=name)
    mine, its = meta(one), meta(other)
    for block in ("observation", "program", "instrument", "cal_step", "resample"):
        assert mine[block] == its[block]
    for block in ("coadd_info", "wcsinfo"):
        assert mine[block].keys() == its[block].keys()
        for key, value in mine[block].items():
            assert value == (pytest.approx(its[block][key], rel=1e-9) if type(value) is float else its[block][key])
    assert tables(one) == tables(other)


def tables(path):
    """Every table of a mosaic as texts; NaN equals NaN."""
    with open_product(path) as product:
        names = product.meta["individual_image_meta"]
        found = {name: product.node(f"meta.individual_image_meta.{name}") for name in names}
        logs = product.node("individual_image_cal_logs")
    return {name: {key: (table[key].dtype.kind, list(map(str, table[key]))) for key in table.colnames}
            for name, table in found.items()} | {"logs": logs}  # fmt: skip


@pytest.mark.parametrize("weight", some_long(["ivm", "exptime", "ivm-sky"], 1))
def test_adding_is_one_run(weight, images, grid, tmp_path):
    how = ("--weight-type", weight, "--kernel", "turbo", "--pixfrac", 0.8, "--var-flat", "--dq")
    done("resample", *images, *grid, *how, "-o", tmp_path / "all_coadd.asdf")
    done("resample", images[0], *grid, *how, "-o", tmp_path / "0_coadd.asdf")
    for number, image in enumerate(images[1:]):
        done("resample", image, "--add", tmp_path / f"{number}_coadd.asdf", "-o", tmp_path / f"{number + 1}_coadd.asdf")
    assert "var_flat" in planes(tmp_path / "3_coadd.asdf") and 4 in planes(tmp_path / "3_coadd.asdf", "dq")["dq"]
    alike(tmp_path / "3_coadd.asdf", tmp_path / "all_coadd.asdf")
    entries = history(tmp_path / "3_coadd.asdf")
    assert len(entries) == 4 and entries[-1]["inputs"] == ["2_coadd.asdf", os.path.relpath(images[3], tmp_path)]
    assert entries[-1]["parameters"]["resample"]["kernel"] == "turbo"


def test_the_chain_without_sky_and_outliers_is_one_run(images, three, four, tmp_path):
    done("run", images[3], "--add", three, *ALONE, "-o", tmp_path / "x_coadd.asdf")
    found = meta(tmp_path / "x_coadd.asdf")
    assert found["cal_step"]["skymatch"] == "INCOMPLETE"  # three of them say so, the fourth SKIPPED
    assert found["resample"] == meta(four)["resample"] and found["resample"]["pointings"] == 4
    assert found["cal_logs"][: len(meta(three)["cal_logs"])] == meta(three)["cal_logs"]
    assert found["observation"]["visit"] is None and found["observation"]["pass"] == 1
    for name, plane in planes(four).items():
        np.testing.assert_allclose(planes(tmp_path / "x_coadd.asdf", name)[name], plane, rtol=1e-6)


@pytest.mark.parametrize("how", some_long([("-j", 2), ("--max-memory", 0.1), ("--compression", "none")], 1))
def test_threads_and_slabs_change_no_bit(how, images, three, tmp_path):
    words = (images[3], "--add", three, "--skip", "catalog")
    done("run", *words, "-o", tmp_path / "one_coadd.asdf")
    done("run", *words, *how, "-o", tmp_path / "two_coadd.asdf")
    assert same(tmp_path / "one_coadd.asdf", tmp_path / "two_coadd.asdf") == []


@pytest.mark.long
def test_the_thirty_third_member_is_in_a_second_plane(images, tmp_path):
    name, files = images[0].name, []
    for number in range(101, 136):
        files.append(tmp_path / name.replace("_0001_", f"_0{number}_"))
        retouched(images[0], files[-1], f"filename: {name}".encode(), f"filename: {files[-1].name}".encode())
    grid = (*CENTER, "--size", "70,60")
    done("resample", *files, *grid, "-o", tmp_path / "all_coadd.asdf")
    done("resample", *files[:30], *grid, "-o", tmp_path / "old_coadd.asdf")
    done("resample", *files[30:], "--add", tmp_path / "old_coadd.asdf", "-o", tmp_path / "new_coadd.asdf")
    assert planes(tmp_path / "old_coadd.asdf", "context")["context"].shape == (1, 60, 70)
    context = planes(tmp_path / "new_coadd.asdf", "context")["context"]
    assert context.shape == (2, 60, 70) and context[1].max() == 7
    alike(tmp_path / "new_coadd.asdf", tmp_path / "all_coadd.asdf")


def test_the_sky_of_a_new_exposure_is_that_of_the_mosaic(images, tmp_path):
    """Two without a step make the mosaic; steps of the others come back as levels."""
    old = tmp_path / "old_coadd.asdf"
    flat = [exposure(tmp_path / f"{number}_cal.asdf", number, hit=False) for number in (0, 4)]
    done("run", *flat, "--mosaic", "--like", images[0], "--skip", "catalog", "-o", old)
    before = planes(old, "data")["data"]
    done("run", *images[1:3], "--add", old, "--skip", "catalog", "-o", tmp_path / "n_coadd.asdf")
    found = meta(tmp_path / "n_coadd.asdf")
    with open_product(tmp_path / "n_coadd.asdf") as product:
        levels = product.node("meta.individual_image_meta.background")["level"]
    assert np.isfinite(levels[2:]).all() and found["cal_step"]["skymatch"] == "COMPLETE"
    np.testing.assert_allclose(levels[2:], FACTOR * np.array(STEPS[1:3]), atol=0.02 * FACTOR * STEPS[1])
    after = planes(tmp_path / "n_coadd.asdf", "data")["data"]
    assert np.nanmedian(after) == pytest.approx(np.nanmedian(before), abs=1e-3)


def test_an_exposure_elsewhere_does_not_join(three, tmp_path, capsys):
    far = exposure(tmp_path / "far_cal.asdf", 1, detector="WFI05")
    assert tool("run", far, "--add", three, "--skip", "catalog", "-o", tmp_path / "x_coadd.asdf") == 3
    assert "no image touches" in capsys.readouterr().err


def flags_of(image, mosaic, directory, monkeypatch):
    """Pixels that the run flags when an exposure joins a mosaic: bool of the detector."""
    kept, flag = [], mosaic_run.flag_against

    def spy(stack, members, *rest, **settings):
        flag(stack, members, *rest, **settings)
        kept.extend(member.flagged for member in members)

    with monkeypatch.context() as patched:
        patched.setattr(mosaic_run, "flag_against", spy)
        done("run", image, "--add", mosaic, "--skip", "catalog", "-o", directory / "x_coadd.asdf", "--overwrite")
    found = np.zeros(planes(image, "dq")["dq"].shape, bool)
    found.reshape(-1)[kept[0]] = True
    return found


def test_cosmic_rays_of_a_new_exposure(three, tmp_path, monkeypatch):
    hit = exposure(tmp_path / "hit_cal.asdf", 3, change={"observation.observation_id": "hit"})
    found = flags_of(hit, three, tmp_path, monkeypatch)
    struck, good = np.zeros_like(found), planes(hit, "dq")["dq"] & 1 == 0
    struck[tuple(rays(3))] = True
    data = planes(three, "data", "context")
    assert np.nanmax(planes(tmp_path / "x_coadd.asdf", "data")["data"]) < 1.2 * np.nanmax(data["data"])
    assert found[struck & good].mean() > 0.7  # the corners of the exposure are outside
    assert found[~struck & good].mean() < 2e-3


def test_cosmic_rays_of_the_mosaic_condemn_nobody(images, tmp_path, monkeypatch):
    """They are steep, and what is unlike them by less than the steepest step is no outlier."""
    old = exposure(tmp_path / "old_cal.asdf", 0)
    done("resample", old, "--like", old, "-o", tmp_path / "old_coadd.asdf")
    new = exposure(tmp_path / "new_cal.asdf", 4, hit=False)
    found = flags_of(new, tmp_path / "old_coadd.asdf", tmp_path, monkeypatch)
    assert found[tuple(rays(0))].mean() < 0.1
    assert found[planes(new, "dq")["dq"] & 1 == 0].mean() < 2e-3


def test_what_cannot_join_a_mosaic_is_refused(images, three, four, tmp_path, capsys):
    def refused(code, *words, name="resample"):
        assert tool(name, *words) == code
        return capsys.readouterr().err

    out = ("-o", tmp_path / "x_coadd.asdf")
    before = listing(tmp_path)
    assert "already" in refused(3, images[2], "--add", three, *out)
    assert "already" in refused(3, images[3], images[2], "--add", three, *out)
    assert "--kernel point" in refused(2, images[3], "--add", three, "--kernel", "point", *out)
    assert "--pixfrac 0.5" in refused(2, images[3], "--add", three, "--pixfrac", 0.5, *out)
    assert "--weight-type" in refused(2, images[3], "--add", three, "--weight-type", "ivm", *out)
    assert "--good-bits" in refused(2, images[3], "--add", three, "--good-bits", "0", *out)
    for words in (("--size", "5,5"), ("--skycell", "270p65x69y50"), ("--like", images[0]), ("--scale", 0.1)):
        assert "grid is that of the mosaic" in refused(2, images[3], "--add", three, *words, *out)
    assert "var_flat" in refused(3, images[3], "--add", three, "--var-flat", *out)
    assert "no name" in refused(2, images[3], "--add", three)
    assert "exists" in refused(1, images[3], "--add", three, "-o", three)
    assert "wanted" in refused(3, images[3], "--add", images[0], *out)
    assert "no such file" in refused(3, images[3], "--add", tmp_path / "none.asdf", *out).lower()
    other = exposure(tmp_path / "o_cal.asdf", 3, change={"instrument.optical_element": "F106"})
    assert "F106" in refused(3, other, "--add", three, *out)
    for word in ("skymatch.method=global", "skymatch.pairs=exact", "outlier.resample_data=false"):
        assert "--add" in refused(2, images[3], "--add", three, "--set", word, *out, name="run")
    assert "--refcat" in refused(2, images[3], "--add", three, "--refcat", "x", *out, name="run")
    other.unlink()
    assert listing(tmp_path) == before


def test_members_that_are_not_described_cannot_be_added_to(three, images, tmp_path, capsys):
    path = retouched(three, tmp_path / "m_coadd.asdf", b"effective_exposure_time", b"efficient_exposure_time")
    assert tool("resample", images[3], "--add", path, "-o", tmp_path / "x_coadd.asdf") == 3
    assert "times of" in capsys.readouterr().err


def test_a_grid_may_be_a_bare_wcs(images, three, four, tmp_path, capsys):
    with open_product(three) as product:
        asdf.AsdfFile({"wcs": product.node("meta.wcs")}).write_to(tmp_path / "w.asdf")
    done("resample", *images, "--like", tmp_path / "w.asdf", "-o", tmp_path / "x_coadd.asdf")
    np.testing.assert_array_equal(planes(tmp_path / "x_coadd.asdf")["context"], planes(four)["context"])
    asdf.AsdfFile({"wcs": "none"}).write_to(tmp_path / "n.asdf")
    assert tool("resample", images[0], "--like", tmp_path / "n.asdf", "-o", tmp_path / "y_coadd.asdf") == 3
    assert "not a WCS" in capsys.readouterr().err


def test_same_options_are_no_others(images, three, four, tmp_path):
    words = ("--kernel", "square", "--pixfrac", "1", "--weight-type", "exptime", "--good-bits", "~1")
    done("resample", images[3], "--add", three, *words, "-o", tmp_path / "x_coadd.asdf")
    alike(tmp_path / "x_coadd.asdf", four)


@pytest.mark.long
def test_planes_that_the_mosaic_lacks(images, grid, three, four, tmp_path, capsys):
    bare, out = tmp_path / "bare_coadd.asdf", tmp_path / "x_coadd.asdf"
    words = (*images[:3], *grid, "--planes", "data,weight,context", "-o", bare)
    done("resample", *words, "--weight-type", "ivm")
    assert tool("resample", images[3], "--add", bare, "-o", out) == 3
    assert "var_rnoise" in capsys.readouterr().err
    done("resample", *words, "--overwrite")
    done("resample", images[3], "--add", bare, "--planes", "data,weight,context", "-o", out)
    np.testing.assert_array_equal(planes(out)["data"], planes(four)["data"])
    done("resample", *images[:3], *grid, "--planes", "data,err,weight,context,var_rnoise,var_poisson", "-o", bare,
         "--overwrite")  # fmt: skip
    assert tool("resample", images[3], "--add", bare, "-o", out, "--overwrite") == 0
    assert "var_sky" in capsys.readouterr().err and "var_sky" not in planes(out)
    np.testing.assert_allclose(planes(out)["err"], planes(four)["err"], rtol=1e-6)
    assert tool("resample", images[3], "--add", bare, "--planes", "data,weight,context,var_sky", "-o", out) == 3
    done("resample", images[3], "--add", three, "--planes", "data,weight,context,var_rnoise", "-o", out, "--overwrite")
    assert "var_sky" not in planes(out) and np.isnan(planes(out)["err"]).all()


def test_flags_that_the_mosaic_lacks(images, grid, three, tmp_path, capsys):
    out = tmp_path / "x_coadd.asdf"
    assert tool("resample", images[3], "--add", three, "--dq", "-o", out) == 3
    assert "dq is not known" in capsys.readouterr().err
    done("resample", *images[:3], *grid, "--dq", "-o", tmp_path / "d_coadd.asdf")
    done("resample", images[3], "--add", tmp_path / "d_coadd.asdf", "--no-dq", "-o", out)
    assert "dq" not in planes(out)


def test_a_mosaic_may_be_replaced_by_itself_and_more(images, three, four, tmp_path):
    path = tmp_path / "m_coadd.asdf"
    path.write_bytes(three.read_bytes())
    done("resample", images[3], "--add", path, "-o", path, "--overwrite")
    alike(path, four)


def test_a_mosaic_that_does_not_say_its_kernel(images, three, four, tmp_path, capsys):
    path = tmp_path / "m_coadd.asdf"
    with open_product(three) as product:
        arrays = {name: np.array(product.array(name)) for name in product.arrays}
        logs = product.node("individual_image_cal_logs")
        members = product.node("meta.individual_image_meta")
        for key in ("start_time", "end_time"):  # as others write them
            members["exposure"][key] = Time(list(members["exposure"][key]))
        about = product.meta | {"wcs": product.node("meta.wcs"), "individual_image_meta": members}
        writer.stage_product(path, "l3_coadd", about, arrays, extra={"individual_image_cal_logs": logs}).commit()
    assert tool("resample", images[3], "--add", path, "-o", tmp_path / "x_coadd.asdf") == 0
    assert "kernel: square is taken" in capsys.readouterr().err
    alike(tmp_path / "x_coadd.asdf", four)


def test_a_plan_and_the_catalog(images, three, tmp_path, capsys):
    out = ("-o", tmp_path / "x_coadd.asdf")
    assert tool("run", images[3], "--add", three, *out, "-n", "--json", "-q") == 0
    (plan,) = records(capsys.readouterr().out)
    assert plan["add"] == {"mosaic": str(three), "members": 3} and plan["members"] == [str(images[3])]
    assert "300 x 280" in plan["grids"][0] and not list(tmp_path.iterdir())
    words = ("--no-builtin", "--ref", "epsf=none", "--ref", "apcorr=none", "--set", "catalog.fit_psf=false")
    done("run", images[3], "--add", three, *out, *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x_cat.parquet", "x_coadd.asdf", "x_segm.asdf"]


@pytest.mark.long
def test_mosaics_that_were_added_to_are_valid(images, three, tmp_path, judge):
    paths = []
    for words in ((), ("--max-memory", 0.1), ("--profile", "1.5.0")):
        paths.append(tmp_path / f"{len(paths)}_coadd.asdf")
        done("run", images[3], "--add", three, "--skip", "catalog", *words, "-o", paths[-1])
    for version in ("1.1.0", "1.2.0"):
        assert all(entry["ok"] for entry in judge(version, paths[:2] if version == "1.1.0" else paths).values())


def test_strips_hold_every_cell_whole():
    for height, scale in ((100, 1e-5), (2048, 3e-5), (9000, 3e-5), (9000, 1.5e-6)):
        found, margin = adding.strips(height, scale), int(np.ceil(adding.CELL / scale))
        assert found[0].start == 0 and found[-1].stop == height
        assert all(one.stop - other.start >= margin for one, other in pairwise(found))


def test_the_sky_in_strips_is_that_of_the_whole(monkeypatch):
    from rtools.mosaic.grid.grid import centred_grid

    grid = centred_grid((30.0, 20.0), 0.11 / 3600, (3000, 400))
    rng = np.random.default_rng(3)
    data, good = rng.normal(1, 0.1, grid.shape).astype("f4"), np.ones(grid.shape, bool)
    cut = adding.strips(3000, grid.scale)
    assert len(cut) == 2
    how = {"mask_sources": False}
    whole = adding.sky_cells(data, good, grid.to_sky, **how)
    parts = adding.joined_cells([(rows.start, data[rows], good[rows]) for rows in cut], grid.to_sky, **how)
    shared, one, other = np.intersect1d(whole.cells, parts.cells, return_indices=True)
    assert len(shared) >= len(whole.cells) - 5
    np.testing.assert_allclose(parts.count[other], whole.count[one], atol=3)
    np.testing.assert_allclose(parts.level[other], whole.level[one], atol=2e-3)
