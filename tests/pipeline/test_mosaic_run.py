"""The chain of a mosaic: against single steps, threads, slabs, and what it takes and refuses."""

from pathlib import Path

import numpy as np
import pytest

from rtools.pipeline.mosaic import flag as mosaic_flag
from rtools.products.io import open_product, writer
from rtools.products.mosaic.association import AssociationMember, make_association, stage_association
from tests.support import samples
from tests.support.dithers import FACTOR, SIZE, SKY, STEPS, exposure, exposures, place, planes, rays, same
from tests.support.runs import done, listing, meta, records, tool
from tests.support.share import some_long

pytestmark = pytest.mark.slow

NAMES = ("data", "err", "weight", "context", "var_poisson", "var_rnoise", "var_sky")
COADD = "r00001_p_v01001001001001_270p65x69y50_f158_coadd.asdf"


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """Four exposures in float32, which pass from step to step without rounding."""
    return exposures(tmp_path_factory.mktemp("old"), profile="1.5.0")


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    """Four exposures as they are written today."""
    return exposures(tmp_path_factory.mktemp("new"))


APART = ()
TOGETHER = ("--set", "resample.weight_type=ivm", "--set", "resample.dq=true")
"""Images that are compared and totals of the mosaic: drizzled apart, or in one pass that is repaired; flags joined."""


@pytest.fixture(
    scope="module", params=[TOGETHER, pytest.param(APART, marks=pytest.mark.long)], ids=["together", "apart"]
)
def chained(old, request, tmp_path_factory):
    """The mosaic of `old` in one go with the images of its steps beside it, and how it was made."""
    path = tmp_path_factory.mktemp("chain") / "m_coadd.asdf"
    words = ("--mosaic", "--skip", "catalog", "--save-steps", "--outdir", path.parent / "steps", *request.param)
    done("run", *old, *words, "-o", path, "-j", 2)
    return path, request.param


def association(path, files, **settings):
    """An association file of some images."""
    members = [file if isinstance(file, AssociationMember) else AssociationMember(str(file)) for file in files]
    stage_association(path, make_association("field", members, **settings)).commit()
    return path


def test_the_chain_is_its_steps(old, chained, tmp_path):
    whole, how = chained
    done("flux", *old, "--outdir", tmp_path / "1")
    done("skymatch", *sorted((tmp_path / "1").iterdir()), "--outdir", tmp_path / "2")
    done("outlier", *sorted((tmp_path / "2").iterdir()), "--outdir", tmp_path / "3")
    words = ("--weight-type", "ivm", "--dq") if how else ()
    done("resample", *sorted((tmp_path / "3").iterdir()), *words, "-o", tmp_path / "m_coadd.asdf")
    assert set(planes(whole)) == {*NAMES, *(["dq"] if how else [])}
    assert same(whole, tmp_path / "m_coadd.asdf") == []
    assert meta(whole)["cal_step"] == meta(tmp_path / "m_coadd.asdf")["cal_step"]
    saved = [path for number in "123" for path in sorted((tmp_path / number).iterdir())]
    assert sorted(path.name for path in (whole.parent / "steps").iterdir()) == sorted(path.name for path in saved)
    for path in saved:
        assert same(path, whole.parent / "steps" / path.name) == [], path.name
        assert meta(path)["cal_step"] == meta(whole.parent / "steps" / path.name)["cal_step"]


@pytest.mark.parametrize(
    "how", some_long([("-j", 3), ("-j", 1), ("--max-memory", 0.1), ("--max-memory", 16), ("--on_disk",)], 1)
)
def test_threads_memory_and_slabs_change_no_bit(old, chained, how, tmp_path):
    whole, made = chained
    done("run", *old, "--mosaic", "--skip", "catalog", *made, "-o", tmp_path / "m_coadd.asdf", *how)
    assert same(whole, tmp_path / "m_coadd.asdf") == []


@pytest.mark.parametrize("mostly", [-1.0, 2.0])
@pytest.mark.parametrize("chained", [TOGETHER], ids=["together"], indirect=True)
def test_repaired_is_as_made_anew(old, chained, mostly, tmp_path, monkeypatch):
    whole, made = chained
    monkeypatch.setattr(mosaic_flag, "MOSTLY", mostly)
    done("run", *old, "--mosaic", "--skip", "catalog", *made, "-o", tmp_path / "m_coadd.asdf")
    assert any("touched by outliers" in line for line in meta(tmp_path / "m_coadd.asdf")["cal_logs"])
    assert same(whole, tmp_path / "m_coadd.asdf") == []


def test_flags_of_what_took_part_are_joined(old, chained, tmp_path):
    """Bad pixels do not take part; when no flag is bad, theirs are there, and those of the outliers."""
    whole, how = chained
    if not how:
        assert "dq" not in planes(whole)
        return
    found = planes(whole, "dq", "context")
    seen = np.bitwise_count(found["context"][0])
    assert set(np.unique(found["dq"])) == {0, 4} and not found["dq"][seen == 0].any()
    # 1 % of the pixels have it; a pixel on the sky sees a few of each of its exposures
    deep = found["dq"][seen == 4] == 4
    assert 0.04 < deep.mean() < 0.4
    done("run", *old, "--mosaic", "--skip", "catalog", *how, "--set", "resample.good_bits=~0", "-o",
         tmp_path / "m_coadd.asdf")  # fmt: skip
    assert set(np.unique(planes(tmp_path / "m_coadd.asdf", "dq")["dq"])) >= {0, 1, 4, 5, 129}


def test_members_of_an_exposure_that_do_not_follow_each_other(tmp_path):
    """Two detectors of two exposures, in two orders: the same images are compared, the same pixels flagged."""
    at = {"observation.observation_id": "one"}
    files = [exposure(tmp_path / f"{name}_cal.asdf", number, profile="1.5.0", change=at if number % 2 else ())
             for number, name in enumerate("abcd")]  # fmt: skip
    for name, order in (("x", (1, 3, 0, 2)), ("y", (1, 0, 3, 2))):
        done("run", *(files[number] for number in order), "--mosaic", "--skip", "catalog", "--like", files[0], "-o",
             tmp_path / f"{name}_coadd.asdf")  # fmt: skip
    one, other = (planes(tmp_path / f"{name}_coadd.asdf") for name in "xy")
    assert meta(tmp_path / "x_coadd.asdf")["resample"]["pointings"] == 3
    np.testing.assert_allclose(one["data"], other["data"], rtol=2e-6)
    np.testing.assert_allclose(one["weight"], other["weight"], rtol=2e-6)


def test_cosmic_rays_are_gone_and_the_sky_is_one(new, tmp_path):
    """The lowest of the skies is that of all."""
    done("run", *new, "--mosaic", "--skip", "catalog", "-o", tmp_path / "m_coadd.asdf")
    found = planes(tmp_path / "m_coadd.asdf")
    sky = np.nanmedian(found["data"])
    assert sky == pytest.approx(FACTOR * (SKY + min(STEPS)), abs=0.002)
    deep = np.bitwise_count(found["context"][0]) > 2
    with open_product(tmp_path / "m_coadd.asdf") as product:
        wcs, metas = product.node("meta.wcs"), product.meta
    assert metas["cal_step"]["outlier_detection"] == "COMPLETE"
    for number, path in enumerate(new):
        with open_product(path) as product:
            ra, dec = product.node("meta.wcs")(*rays(number)[::-1].astype(float), with_bounding_box=False)
        x, y = (np.rint(each).astype(int) for each in wcs.invert(ra, dec, with_bounding_box=False))
        inside = (x >= 0) & (y >= 0) & (x < deep.shape[1]) & (y < deep.shape[0])
        hit = found["data"][y[inside], x[inside]][deep[y[inside], x[inside]]]
        assert len(hit) > 3 and np.median(hit) < sky + 0.1


def test_an_association_says_grid_name_and_members(new, tmp_path):
    from rtools.mosaic.skymap import skymap

    cell = skymap.parse_name("270p65x69y50")
    x, y = (float(each) for each in skymap.sky_to_pixel(cell, *place(0)[0](SIZE / 2, SIZE / 2)))
    info = skymap.wcs_info(cell) | {"nx": 700, "ny": 600}
    info |= {"x0_projection": info["x0_projection"] - x + 350, "y0_projection": info["y0_projection"] - y + 300}
    members = [
        AssociationMember(str(new[0])),
        AssociationMember(str(new[1]), "background"),
        AssociationMember(str(new[2]), group_id="g"),
    ]
    path = association(tmp_path / "x_asn.json", members, target="M31", grid=info)
    done("run", path, "--outdir", tmp_path / "out", "--skip", "catalog", "--skip", "outlier")
    made = meta(tmp_path / "out" / "field_coadd.asdf")
    assert made["resample"]["members"] == [new[0].name, new[2].name]
    assert made["wcsinfo"]["image_shape"] == [700, 600] and made["association"]["name"] == "x_asn.json"
    assert made["cal_step"]["outlier_detection"] == "SKIPPED" and made["cal_step"]["skymatch"] == "COMPLETE"


@pytest.mark.parametrize("target, word", [("M31", "not a skycell"), (None, "covers all")])
def test_an_association_of_no_skycell_covers_its_members(new, target, word, tmp_path, capsys):
    path = association(tmp_path / "x_asn.json", new[:2], target=target)
    assert tool("resample", path, "--outdir", tmp_path) == 0
    assert word in capsys.readouterr().err
    assert (planes(tmp_path / "field_coadd.asdf", "weight")["weight"] > 0).mean() > 0.4


def test_several_skycells_have_the_names_of_the_archive(new, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("rtools.pipeline.mosaic.plan.refuse_empty", lambda *what: None)  # no two are so near
    cells = ("270p65x69y50", "270p65x70y50")
    words = [word for cell in cells for word in ("--skycell", cell)]
    assert tool("run", *new[:2], *words, "--outdir", tmp_path, "--skip", "catalog", "-n") == 0
    assert COADD in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_catalog_and_segments_belong_to_the_mosaic(new, tmp_path, capsys):
    words = ("--no-builtin", "--ref", "epsf=none", "--ref", "apcorr=none", "--set", "catalog.fit_psf=false")
    done("run", *new, "--mosaic", "-o", tmp_path / "m_coadd.asdf", *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m_cat.parquet", "m_coadd.asdf", "m_segm.asdf"]
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "m_coadd.asdf")
    assert meta(tmp_path / "m_segm.asdf")["image"]["filename"] == "m_coadd.asdf"
    segments = planes(tmp_path / "m_segm.asdf", "data")["data"]
    assert segments.shape == planes(tmp_path / "m_coadd.asdf", "data")["data"].shape and segments.max() > 10


def test_refusals_come_before_any_work(new, tmp_path, capsys):
    def refused(code, *words, tool_name="run"):
        assert tool(tool_name, *words) == code
        return capsys.readouterr().err

    assert "no name" in refused(2, *new, "--mosaic")
    assert "several" in refused(2, *new, "--skycell", "270p65x69y50", "--skycell", "270p65x69y51", "-o", "x.asdf")
    assert "exclude" in refused(2, *new, "--like", new[0], "--pa", "5", "-o", tmp_path / "x.asdf")
    assert "--until" in refused(2, *new, "--mosaic", "--until", "flat", "-o", tmp_path / "x.asdf")
    assert "no step" in refused(2, *new, "--mosaic", "--skip", "dqinit", "-o", tmp_path / "x.asdf")
    assert "numbers" in refused(2, *new, "--mosaic", "--set", "outlier.snr=5", "-o", tmp_path / "x.asdf")
    assert "go together" in refused(2, *new, "x_asn.json", "--mosaic", "-o", tmp_path / "x.asdf")
    other = exposure(tmp_path / "other_cal.asdf", 1, change={"instrument.optical_element": "F106"})
    assert "F106" in refused(3, *new, other, "--mosaic", "-o", tmp_path / "x.asdf")
    dark = exposure(tmp_path / "dark_cal.asdf", 1, change={"exposure.type": "WFI_IM_DARK"})
    assert "no image of the sky" in refused(3, dark, "--mosaic", "-o", tmp_path / "x.asdf")
    (tmp_path / "there.asdf").write_text("")
    before = listing(tmp_path)
    assert "exists" in refused(1, *new, "--mosaic", "--skip", "catalog", "-o", tmp_path / "there.asdf")
    assert "input" in refused(2, *new, "--mosaic", "--skip", "catalog", "-o", new[0], "--overwrite")
    assert listing(tmp_path) == before


def test_a_grid_with_a_reference_catalog_is_refused(new, tmp_path, capsys):
    """The images were aligned, the grid was forgotten."""
    for words in (("--skycell", "270p65x69y50"), ("--like", new[0]), ("--center", "270,66")):
        assert tool("run", *new[:2], "--refcat", tmp_path / "gaia.ecsv", *words, "--outdir", tmp_path) == 2
        assert "--refcat is for exposures" in capsys.readouterr().err


def test_one_bad_association_does_not_stop_the_others(new, tmp_path, capsys):
    good = association(tmp_path / "good_asn.json", new[:2])
    half = association(tmp_path / "half_asn.json", [tmp_path / "none_cal.asdf", new[0]])
    assert tool("run", tmp_path / "none_asn.json", good, half, "-n", "--json", "--outdir", tmp_path / "out") == 3
    told = records(capsys.readouterr().out)
    assert [Path(entry["input"]).name for entry in told] == ["none_asn.json", "half_asn.json", "good_asn.json"]
    assert told[-1]["steps"][-1] == "catalog" and [entry.get("exit_code") for entry in told[:2]] == [3, 3]
    assert tool("run", tmp_path / "none_asn.json", "--json") == 3
    assert records(capsys.readouterr().out)[0]["exit_code"] == 3


def test_associations_of_images_and_of_ramps_do_not_go_together(new, tmp_path, capsys):
    writer.write_product(tmp_path / "x_uncal.asdf", "l1_uncal", samples.meta("l1_uncal"), samples.arrays("l1_uncal"))
    raw = association(tmp_path / "raw_asn.json", [tmp_path / "x_uncal.asdf"])
    assert tool("run", raw, association(tmp_path / "new_asn.json", new[:2]), "--outdir", tmp_path) == 2
    assert "new_asn.json is of images" in capsys.readouterr().err


@pytest.mark.long
def test_mosaics_of_every_profile_are_valid(new, tmp_path, judge):
    made = []
    for profile in ("1.5.0", "2.0.0", "2.1.0", "2.2.0"):
        made.append(tmp_path / f"m{profile[0]}{profile[2]}_coadd.asdf")
        done("run", *new[:2], "--mosaic", "--skip", "catalog", "--profile", profile, "-o", made[-1])
    made.append(tmp_path / "slabs_coadd.asdf")
    done("run", *new, "--mosaic", "--skip", "catalog", "--max-memory", 0.1, *TOGETHER, "-o", made[-1])
    for version, chosen in (("1.0.0", made[:2]), ("1.1.0", made[1:3] + made[4:]), ("1.2.0", made)):
        assert all(entry["ok"] for entry in judge(version, chosen).values())
