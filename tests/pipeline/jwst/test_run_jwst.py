"""A JWST exposure through its chain: the same bits however it is cut, from wherever it goes on; names; statuses."""

import json
import re
import shutil
import warnings
from threading import BoundedSemaphore

import numpy as np
import pytest
from astropy.io import fits

from rtools.api.asking import reference_places
from rtools.pipeline.exposure.request import ExposureRequest
from rtools.pipeline.job import local
from rtools.pipeline.jwst import engine
from rtools.pipeline.jwst import run as pipeline_run
from rtools.pipeline.jwst.job import plan_jwst_job
from rtools.products.jwst import open_jwst
from tests.support.judges import asked_of_jwst
from tests.support.runs import done, piped, tool
from tests.support.share import some_long

pytestmark = pytest.mark.slow

ROOT = "jw01234001001_02101_00001_nrca1"
BOTH = ("--with", "ipc", "--with", "chargemig")
RAMPS = ("dq_init", "saturation", "ipc", "superbias", "refpix", "linearity", "dark_current", "charge_migration", "jump")


def run(*words):
    done("run", *words, "--builtin")


def bits(path):
    """Bytes of all images of a file."""
    product = open_jwst(path)
    return {hdu.name: product.pixels(hdu.name).tobytes() for hdu in product.hdus if hdu.is_image and hdu.shape}


def statuses(path):
    return dict(open_jwst(path).meta["cal_step"])


def test_the_exposure_has_what_the_tests_are_about(ran_jwst):
    flags = open_jwst(ran_jwst / f"{ROOT}_jump.fits").array("groupdq")
    assert all((flags & bit).any() for bit in (2, 4, 128)), "saturated groups, jumps, charge that has moved"
    assert set(bits(ran_jwst / f"{ROOT}_cal.fits")) == {
        "SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "AREA",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("jobs", "tallest", "budget"),
    [(2, 120, 320 << 20), (1, 5, 320 << 20), (2, 13, 320 << 20), (1, 120, 1 << 20), (2, 120, 1)],
    ids=["two threads", "five rows", "thirteen rows", "little memory", "least memory"],
)
def test_bits_depend_neither_on_threads_nor_on_blocks(jobs, tallest, budget, raw_jwst, ran_jwst, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "TALLEST", tallest)
    monkeypatch.setattr(pipeline_run, "BUDGET", budget)
    run(raw_jwst, *BOTH, "--outdir", tmp_path, "-j", jobs)
    for suffix in ("rate", "rateints", "cal"):
        name = f"{ROOT}_{suffix}.fits"
        assert bits(tmp_path / name) == bits(ran_jwst / name), suffix


@pytest.mark.parametrize(("gigabytes", "jobs"), [(0.001, 3), (64, 2)])
def test_memory_that_is_allowed_changes_no_bit(gigabytes, jobs, raw_jwst, ran_jwst, tmp_path, monkeypatch):
    sizes, places = [], []
    monkeypatch.setattr(pipeline_run, "LEAST", 1)
    carry = engine.carry_ramp
    monkeypatch.setattr(engine, "carry_ramp", lambda *given: (places.append(given[3]), carry(*given)))
    monkeypatch.setattr(pipeline_run, "BoundedSemaphore", lambda n: (sizes.append(n), BoundedSemaphore(n))[1])
    run(raw_jwst, *BOTH, "--outdir", tmp_path, "-j", jobs, "--max-memory", gigabytes)
    at_a_time = sizes[0]
    assert (at_a_time == 1 and len(places) == 64) if gigabytes < 1 else (at_a_time > 2 and len(places) < 8)
    for suffix in ("rate", "rateints", "cal"):
        name = f"{ROOT}_{suffix}.fits"
        assert bits(tmp_path / name) == bits(ran_jwst / name), suffix


def test_a_job_says_how_much_memory_it_takes(raw_jwst):
    def cost(gigabytes):
        request = ExposureRequest(tool="rt-run", references=reference_places(None, None, True), max_memory=gigabytes)
        return plan_jwst_job("x", str(raw_jwst), request).cost().bytes

    assert cost(0.5) == pytest.approx(0.5 * 2**30, rel=1e-6)
    assert cost(0.001) < cost(0.4) < cost(0.5) < cost(2) == cost(64)


@pytest.mark.parametrize("gigabytes", ["0", "-1", "nan", "inf"])
def test_memory_that_is_no_number_above_zero_is_refused(gigabytes, raw_jwst, tmp_path, capsys):
    assert tool("run", raw_jwst, "--builtin", "--outdir", tmp_path, "--max-memory", gigabytes) == 2
    assert "--max-memory" in capsys.readouterr().err


def test_bits_do_not_depend_on_processes(raw_jwst, ran_jwst, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "WORTHWHILE", 0)
    other = tmp_path / raw_jwst.name.replace("nrca1", "nrca2")
    shutil.copy(raw_jwst, other)
    run(raw_jwst, other, *BOTH, "--outdir", tmp_path / "out", "-j", 2)
    for suffix in ("rate", "cal"):
        name = f"{ROOT}_{suffix}.fits"
        assert bits(tmp_path / "out" / name) == bits(ran_jwst / name), suffix


def test_little_memory_cuts_columns_too():
    shape = (800, 10, 256, 256)
    places = engine.blocks_for(shape, 4, 160 << 20)
    assert any(columns != slice(0, 256) for _rows, columns in places)
    covered = np.zeros(shape[2:], int)
    for place in places:
        covered[place] += 1
        height, width = (min(one.stop + 4, 256) - max(one.start - 4, 0) for one in place)
        assert height * width * 800 * (10 * engine.BYTES_OF_SAMPLE + engine.BYTES_OF_RATE) <= 160 << 20
    assert (covered == 1).all()


@pytest.mark.parametrize("suffix", some_long(RAMPS[::-1], 3))
def test_a_ramp_goes_on_where_it_stopped(suffix, ran_jwst, tmp_path):
    shutil.copy(ran_jwst / f"{ROOT}_{suffix}.fits", tmp_path)
    more = () if suffix in ("charge_migration", "jump") else BOTH
    if suffix in RAMPS[2:-2]:
        more = ("--with", "chargemig")
    run(tmp_path / f"{ROOT}_{suffix}.fits", *more)
    for made in ("rate", "rateints", "cal"):
        assert bits(tmp_path / f"{ROOT}_{made}.fits") == bits(ran_jwst / f"{ROOT}_{made}.fits"), made
    assert statuses(tmp_path / f"{ROOT}_cal.fits") == statuses(ran_jwst / f"{ROOT}_cal.fits")


@pytest.mark.parametrize("suffix", ["rate", "assign_wcs", "flat_field"])
def test_an_image_goes_on_where_it_stopped(suffix, ran_jwst, tmp_path):
    shutil.copy(ran_jwst / f"{ROOT}_{suffix}.fits", tmp_path)
    run(tmp_path / f"{ROOT}_{suffix}.fits")
    made, wanted = (open_jwst(place / f"{ROOT}_cal.fits") for place in (tmp_path, ran_jwst))
    assert bits(made.path) == bits(wanted.path)
    assert made.value("PHOTMJSR") == wanted.value("PHOTMJSR")
    assert made.node("meta.wcs")(3, 4) == wanted.node("meta.wcs")(3, 4)


def test_steps_one_by_one_are_the_chain(raw_jwst, ran_jwst, tmp_path):
    path = raw_jwst
    for name, suffix in (
        ("groupscale", "group_scale"), ("dqinit", "dq_init"), ("saturation", "saturation"), ("ipc", "ipc"),
        ("superbias", "superbias"), ("refpix", "refpix"), ("linearity", "linearity"), ("dark", "dark_current"),
        ("chargemig", "charge_migration"), ("jump", "jump"), ("rampfit", "rate"),
    ):  # fmt: skip
        done(name, path, "--outdir", tmp_path, "--builtin")
        path = tmp_path / f"{ROOT}_{suffix}.fits"
    assert bits(path) == bits(ran_jwst / path.name)
    assert bits(tmp_path / f"{ROOT}_rateints.fits") == bits(ran_jwst / f"{ROOT}_rateints.fits")


@pytest.mark.parametrize(
    ("step", "made"),
    [
        ("dqinit", ["dq_init"]),
        ("saturation", ["saturation"]),
        ("dark", ["dark_current"]),
        ("dark_current", ["dark_current"]),
        ("jump", ["ramp"]),
        ("rampfit", ["rate", "rateints"]),
        ("gainscale", ["rate", "rateints"]),
        ("assignwcs", ["assign_wcs", "rate", "rateints"]),
        ("photom", ["cal", "rate", "rateints"]),
    ],
)
def test_what_a_run_leaves_when_it_stops_at_a_step(step, made, raw_jwst, tmp_path):
    run(raw_jwst, "--until", step, "--outdir", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{ROOT}_{suffix}.fits" for suffix in made]
    last = open_jwst(tmp_path / f"{ROOT}_{made[0]}.fits")
    assert last.meta["filename"] == last.path.name == last.value("FILENAME")


def test_what_products_say_of_their_steps(ran_jwst, tmp_path, raw_jwst):
    rate, each, cal = (open_jwst(ran_jwst / f"{ROOT}_{one}.fits") for one in ("rate", "rateints", "cal"))
    for product in (rate, each):
        told = dict(product.meta["cal_step"])
        assert {key: value for key, value in told.items() if value != "COMPLETE"} == {
            "group_scale": "SKIPPED", "gain_scale": "SKIPPED",
        }  # fmt: skip
        assert set(told) >= {"dq_init", "refpix", "charge_migration", "ipc", "jump", "ramp_fit"}
        assert not {"assign_wcs", "photom"} & set(told)
    assert statuses(cal.path)["photom"] == "COMPLETE"
    header = cal.hdus[0].values
    assert (header["S_GRPSCL"], header["S_GANSCL"], header["S_RAMP"]) == ("SKIPPED", "SKIPPED", "COMPLETE")
    assert header["R_DARK"].startswith("builtin:") and header["R_FLAT"].startswith("builtin:")
    assert header["CAL_VER"].startswith("rtools ")
    assert (rate.value("DATAMODL"), each.value("DATAMODL")) == ("ImageModel", "CubeModel")
    assert (rate.value("BUNIT"), cal.value("BUNIT")) == ("DN/s", "MJy/sr")
    assert len(each.table("INT_TIMES")) == 2 and "INT_TIMES" not in {hdu.name for hdu in rate.hdus}
    assert not {"GROUP", "GROUPDQ", "PIXELDQ", "ZEROFRAME"} & {hdu.name for hdu in (*rate.hdus, *each.hdus)}
    assert [entry["tool"] for entry in cal.history] == ["rt-sim", "rt-run"]
    assert cal.history[-1]["references"]["dark"] == header["R_DARK"] or cal.history[-1]["references"]


def test_skipped_steps_are_told(raw_jwst, tmp_path):
    run(raw_jwst, "--skip", "dark", "--until", "gainscale", "--outdir", tmp_path)
    assert statuses(tmp_path / f"{ROOT}_rate.fits")["dark_sub"] == "SKIPPED"
    assert "R_DARK" not in open_jwst(tmp_path / f"{ROOT}_rate.fits").hdus[0].values


@pytest.mark.judges
def test_stdatamodels_opens_every_product_without_a_warning(ran_jwst):
    files = sorted(map(str, ran_jwst.glob("*.fits")))
    assert len(files) >= 14
    verdicts = asked_of_jwst("files", *files)
    bad = {path: told for path, told in verdicts.items()
           if not (told["ok"] and told["trusted"] and not told["warnings"])}  # fmt: skip
    assert not bad, bad


def test_every_product_is_sound(ran_jwst, capsys):
    files = [ran_jwst / f"{ROOT}_{suffix}.fits" for suffix in ("rate", "rateints", "cal")]
    assert tool("validate", *files, "-q") == 0, capsys.readouterr()


def test_an_image_of_niriss_has_charge_migration(tmp_path):
    path = tmp_path / "jw01234001001_02101_00001_nis_uncal.fits"
    done("sim", path, "--subarray", "SUB64", "--ngroups", "4", "--filter", "F200W", "--exp-type", "NIS_IMAGE",
         "--no-truth")  # fmt: skip
    run(path, "--until", "gainscale")
    told = statuses(tmp_path / path.name.replace("uncal", "rate"))
    assert told["charge_migration"] == "COMPLETE" and "ipc" not in told


def test_the_dark_current_told_to_a_step_counts_in_the_fit(ran_jwst, raw_jwst, tmp_path):
    """Of the step, of the chain, of the fit; and not where nothing is told."""
    dark = ("--set", "dark.average-dark=5")
    run(raw_jwst, *dark, "--until", "gainscale", "--outdir", tmp_path / "chain")
    run(raw_jwst, *dark, "--until", "jump", "--outdir", tmp_path / "ramp")
    ramp = tmp_path / "ramp" / f"{ROOT}_ramp.fits"
    assert (open_jwst(ramp).array("average_dark_current") == 5).all()
    done("rampfit", ramp, "--builtin")
    run(raw_jwst, "--until", "jump", "--outdir", tmp_path / "none")
    done("rampfit", tmp_path / "none" / ramp.name, "--builtin", "--average-dark", "5", "--outdir", tmp_path / "fit")
    done("rampfit", tmp_path / "none" / ramp.name, "--builtin")
    chain, step, fit, none = (
        open_jwst(tmp_path / place / f"{ROOT}_rate.fits").array("var_poisson")
        for place in ("chain", "ramp", "fit", "none")
    )
    np.testing.assert_array_equal(chain, step)
    np.testing.assert_array_equal(chain, fit)
    good = none > 0
    assert (chain[good] > none[good]).all()


def test_the_peers_dark_current_counts_too(jwst_golden, tmp_path):
    folder = jwst_golden("ramps")
    path = shutil.copy(folder / "out_dark_average.fits", tmp_path / f"{ROOT}_ramp.fits")
    noise = [word for kind in ("gain", "readnoise") for word in ("--ref", f"{kind}={folder}/ref_{kind}.fits")]
    done("rampfit", path, *noise)
    for kind in ("rate", "rateints"):
        made = open_jwst(tmp_path / f"{ROOT}_{kind}.fits")
        wanted = open_jwst(folder / f"out_{kind}_average_dark.fits")
        for name in ("data", "err", "var_poisson", "var_rnoise"):
            np.testing.assert_allclose(made.array(name), wanted.array(name), 1e-5, 1e-7, err_msg=f"{kind} {name}")
        np.testing.assert_array_equal(made.array("dq"), wanted.array("dq"))


def test_a_ramp_of_the_mission_goes_on(jwst_golden, tmp_path):
    folder = jwst_golden("ramps")
    path = shutil.copy(folder / "out_linearity.fits", tmp_path / f"{ROOT}_linearity.fits")
    given = [word for kind in ("dark", "gain", "readnoise") for word in ("--ref", f"{kind}={folder}/ref_{kind}.fits")]
    done("run", path, *given, "--until", "gainscale", "--skip", "refpix", "--skip", "superbias")
    made, wanted = open_jwst(tmp_path / f"{ROOT}_rate.fits"), open_jwst(folder / "out_rate.fits")
    for name in ("data", "err", "var_poisson", "var_rnoise"):
        np.testing.assert_allclose(made.array(name), wanted.array(name), 1e-5, 1e-7, err_msg=name)
    np.testing.assert_array_equal(made.array("dq"), wanted.array("dq"))


def test_standard_input_and_output(raw_jwst, ran_jwst, monkeypatch, tmp_path):
    with piped(monkeypatch, raw_jwst.read_bytes()) as out:
        assert tool("run", "-", "--builtin", *BOTH, "-o", "-", "-q") == 0
        made = tmp_path / f"{ROOT}_cal.fits"
        made.write_bytes(out.getvalue())
    assert bits(made) == bits(ran_jwst / made.name)
    with monkeypatch.context() as patched:
        patched.chdir(tmp_path)
        with piped(monkeypatch, (ran_jwst / f"{ROOT}_jump.fits").read_bytes()):
            assert tool("rampfit", "-", "--builtin", "-q") == 0
    assert bits(tmp_path / f"{ROOT}_rate.fits") == bits(ran_jwst / f"{ROOT}_rate.fits")


def test_a_plan_and_a_report(raw_jwst, tmp_path, capsys):
    assert tool("run", raw_jwst, "--builtin", "--dry-run", "--json", "--outdir", tmp_path / "no", "-q") == 0
    plan = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in plan["steps"]][:3] == ["groupscale", "dqinit", "saturation"]
    assert [name.rpartition("_")[2] for name in plan["outputs"]] == ["rate.fits", "rateints.fits", "cal.fits"]
    assert not (tmp_path / "no").exists()
    assert tool("run", raw_jwst, "--builtin", "--json", "--outdir", tmp_path, "-q") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outputs"] == [str(tmp_path / f"{ROOT}_{one}.fits") for one in ("rate", "rateints", "cal")]
    assert told["cal_step"]["ramp_fit"] == "COMPLETE"


def test_long_paths_of_references_are_no_matter_for_the_user(raw_jwst, tmp_path):
    folder = tmp_path / ("long" * 8) / ("longer" * 6)
    folder.mkdir(parents=True)
    done("refs", "make", folder, "--mission", "jwst", "--detector", "nrca1", "--subarray", "SUB64P")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tool("run", raw_jwst, "--refdir", folder, "--outdir", tmp_path, "-q", "--until", "gainscale") == 0
    header = fits.getheader(tmp_path / f"{ROOT}_rate.fits")
    assert re.search("longer.*dark.*fits", header["R_DARK"])


def test_flags_of_a_reference_count_by_their_names(raw_jwst, tmp_path):
    """A mask in whose file DEAD and HOT have changed places."""
    done("refs", "make", tmp_path, "--mission", "jwst", "--detector", "nrca1", "--subarray", "SUB64P")
    (path,) = tmp_path.glob("*mask*.fits")
    with fits.open(path) as hdus:
        names = [str(name).strip() for name in hdus["DQ_DEF"].data["NAME"]]
        values, dq = hdus["DQ_DEF"].data["VALUE"].copy(), hdus["DQ"].data.copy()
        one, other = (names.index(name) for name in ("DO_NOT_USE", "HOT"))
        first, second = (int(values[k]) for k in (one, other))
        swapped = dq & ~np.asarray(first | second, dq.dtype)
        swapped |= np.where(dq & first, second, 0).astype(dq.dtype) | np.where(dq & second, first, 0).astype(dq.dtype)
        assert (swapped != dq).any()
        table = hdus["DQ_DEF"].data
        table["VALUE"][one], table["VALUE"][other] = second, first
        table["BIT"][one], table["BIT"][other] = np.log2(second), np.log2(first)
        fits.HDUList([hdus[0], fits.ImageHDU(swapped, hdus["DQ"].header), hdus["DQ_DEF"]]).writeto(
            tmp_path / "odd.fits"
        )
    done("dqinit", raw_jwst, "--ref", f"mask={path}", "--outdir", tmp_path / "plain")
    done("dqinit", raw_jwst, "--ref", f"mask={tmp_path / 'odd.fits'}", "--outdir", tmp_path / "odd")
    plain, odd = (open_jwst(tmp_path / place / f"{ROOT}_dq_init.fits") for place in ("plain", "odd"))
    assert plain.array("pixeldq").any()
    assert bits(plain.path) == bits(odd.path)


def test_kernels_of_crosstalk_may_be_one_for_each_pixel(raw_jwst, ran_jwst, tmp_path, monkeypatch):
    """Blocks get those of their own pixels: with kernels that differ from row to row the bits stay the same."""
    done("refs", "make", tmp_path, "--mission", "jwst", "--detector", "nrca1", "--subarray", "SUB64P")
    (path,) = tmp_path.glob("*ipc*.fits")
    with fits.open(path) as hdus:
        kernel = np.broadcast_to(hdus["SCI"].data[..., None, None], (*hdus["SCI"].data.shape, 64, 64)).copy()
        kernel[1, 1] += np.arange(64, dtype=np.float32)[:, None] * 1e-3
        hdus["SCI"].data = kernel
        hdus.writeto(tmp_path / "each.fits")
    made = []
    for height in (120, 9):
        monkeypatch.setattr(engine, "TALLEST", height)
        place = tmp_path / str(height)
        done("ipc", ran_jwst / f"{ROOT}_saturation.fits", "--ref", f"ipc={tmp_path / 'each.fits'}", "--outdir", place)
        made.append(bits(place / f"{ROOT}_ipc.fits"))
    assert made[0] == made[1] != bits(ran_jwst / f"{ROOT}_ipc.fits")
