"""What a product says of how it was made: history, log, status, references, file name, statistics."""

import os
import re

import numpy as np
import pytest

from rtools import __version__
from rtools.pipeline.exposure import chain
from tests.support.runs import (
    STEPS,
    SUFFIXES,
    TYPES,
    arrays,
    done,
    history,
    listing,
    meta,
    retouched,
    rewrite,
    statuses,
    tool,
)

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z :: rtools\.\S+ :: (INFO|WARNING) :: .+")


@pytest.fixture(scope="module")
def calibrated(raw, references, tmp_path_factory):
    """Directory of the products of a chain with reference files, some options set."""
    directory = tmp_path_factory.mktemp("calibrated")
    words = ("--set", "rampfit.threshold=5", "--set", "flat.var-flat=yes")
    done("run", raw, "--outdir", directory, "--refdir", references, "--save-steps", *words)
    return directory


@pytest.fixture
def cal(calibrated, raw):
    return calibrated / raw.name.replace("_uncal", "_cal")


def test_history_says_tool_version_parameters_references_inputs(cal, raw):
    from rtools.reference.files import FileSource

    entry = history(cal)[-1]
    assert (entry["tool"], entry["software"][0]["version"]) == ("rt-run", __version__)
    assert entry["inputs"] == [os.path.relpath(raw, cal.parent)]
    assert sorted(entry["parameters"]) == sorted(chain.order())
    assert entry["parameters"]["rampfit"]["threshold"] == 5.0
    assert entry["parameters"]["rampfit"]["algorithm"] == "likely"
    assert entry["parameters"]["flat"] == {"var_flat": True}
    assert entry["arguments"][0] == entry["inputs"][0] and not {"-j", "--outdir"} & set(entry["arguments"])
    for kind, used in entry["references"].items():
        assert used["checksum"] == FileSource(kind, used["name"]).checksum
    assert sorted(entry["references"]) == sorted(
        {use.type for step in chain.order() for use in chain.step_of(step).references}
    )


def test_history_is_that_of_the_input_and_one_entry_more(cal, raw):
    before, after = history(raw), history(cal)
    assert [entry["tool"] for entry in before] == ["rt-sim"]
    assert [entry["tool"] for entry in after] == ["rt-sim", "rt-run"]
    assert after[0]["parameters"] == before[0]["parameters"]


def test_history_of_the_wcs_product(cal):
    assert history(cal.with_name(cal.name.replace("_cal", "_wcs")))[-1]["tool"] == "rt-run"


def test_history_is_read_by_asdf(cal):
    import asdf

    with asdf.open(cal, ignore_unrecognized_tag=True) as file:
        entry = file.get_history_entries()[-1]
        assert "rt-run" in entry["description"]
        assert entry["time"].year >= 2024


def test_ref_file_names_what_was_used(cal, references):
    found = meta(cal)["ref_file"]
    used = {use.type for name in chain.order() for use in chain.step_of(name).references}
    assert used >= {"epsf", "apcorr", "flat"}
    assert all(found[kind].startswith(str(references.resolve())) for kind in used)


def test_ref_file_of_an_intermediate_product_names_only_what_was_used_so_far(calibrated, raw):
    found = meta(calibrated / raw.name.replace("_uncal", "_refpix"))["ref_file"]
    assert {kind for kind, name in found.items() if kind != "crds" and name != "N/A"} == {
        "mask",
        "saturation",
        "refpix",
    }


def test_ref_file_of_a_step_that_did_not_use_its_reference(product, tmp_path):
    """A claim that the raw file came with goes with the step that is left out."""
    claim = lambda meta, _: meta["ref_file"].update(dark="crds://roman_wfi_dark_0001.asdf")  # noqa: E731
    source = rewrite(product("rampfit"), tmp_path / "x_rampfit.asdf", claim)
    done("run", source, "--skip", "dark")
    assert meta(tmp_path / "x_cal.asdf")["ref_file"]["dark"] == "N/A"
    assert "dark" not in history(tmp_path / "x_cal.asdf")[-1]["references"]


def test_cal_logs_tell_the_whole_story(cal):
    lines = meta(cal)["cal_logs"]
    assert all(LINE.fullmatch(line) for line in lines)
    ended = [line.split(" :: ")[-1] for line in lines if re.search(r":: \w+: [A-Z/]+(:? .*)?$", line)]
    expected = dict.fromkeys(chain.order(), "COMPLETE") | {"wfi18transient": "N/A", "tweakreg": "SKIPPED"}
    expected["wfi18transient"] += ": only WFI18 has this transient"
    expected["tweakreg"] += " without a reference catalog (--refcat or RT_REFCAT)"
    assert sorted(ended) == sorted(f"{name}: {status}" for name, status in expected.items())  # each once


def test_cal_logs_grow_with_typed_steps(product, tmp_path):
    before = meta(product("photom"))["cal_logs"]
    done("flat", product("photom"), "--outdir", tmp_path)
    after = meta(tmp_path / product("flat").name)["cal_logs"]
    assert after[: len(before)] == before
    assert after[-1].endswith("flat: COMPLETE")


def test_warnings_are_in_cal_logs(product, tmp_path, capsys):
    assert tool("run", product("photom"), "--ref", "flat=none", "--outdir", tmp_path) == 0
    printed = [line.partition("warning: ")[2] for line in capsys.readouterr().err.splitlines() if "warning: " in line]
    logged = meta(tmp_path / product("cal").name)["cal_logs"]
    assert printed
    for text in printed:
        said = text.partition(f"{product('photom')}: ")[2]
        assert any(line.endswith(f":: WARNING :: {said}") for line in logged)


@pytest.mark.parametrize("name", [name for name in STEPS if name != "wfi18transient"])  # WFI01 has no file of it
def test_file_says_its_own_name_and_kind(calibrated, raw, name):
    path = calibrated / raw.name.replace("_uncal", f"_{SUFFIXES[name]}")
    found = meta(path)
    ramp = STEPS.index(name) < STEPS.index("rampfit")
    assert found["filename"] == path.name
    assert found["model_type"] == ("RampModel" if ramp else "ImageModel")
    assert found["product_type"] == ("ramp" if ramp else "l2")
    assert (found["calibration_software_name"], found["calibration_software_version"]) == ("rtools", __version__)
    assert set(found["cal_step"]) == set(chain.cal_steps())
    assert ("statistics" in found) != ramp
    assert found["exposure"] == meta(raw)["exposure"] | {"data_problem": None}
    assert found["observation"] == meta(raw)["observation"]


def test_statistics_are_those_of_the_good_pixels(cal):
    planes = arrays(cal, "data", "dq", "err")
    good = np.isfinite(planes["data"]) & ((planes["dq"] & 1) == 0) & (planes["err"] > 0)
    values = planes["data"][good]
    centre = np.median(values)
    said = meta(cal)["statistics"]
    assert said["image_median"] == pytest.approx(centre, rel=1e-6)
    assert said["image_rms"] == pytest.approx(1.482602218505602 * np.median(np.abs(values - centre)), rel=1e-5)
    assert said["good_pixel_fraction"] == pytest.approx(good.mean())
    assert said["zodiacal_light"] == -1.0


def test_photometry_is_unknown_until_photom(product):
    assert set(meta(product("rampfit"))["photometry"].values()) == {None}
    assert meta(product("photom"))["photometry"]["conversion_megajanskys"] > 0
    assert meta(product("rampfit"))["wcs"] is None


def test_float16_overflow_is_counted_and_reported(product, tmp_path, capsys):
    """chisq of a wild pixel does not fit float16: infinite, counted (docs/algorithms/README.md#half-precision)."""

    def wild(meta, arrays):
        arrays["data"][:, 100, 100] = [1e3, 6e4, 1e3, 6e4, 1e3, 6e4]

    source = rewrite(product("linearity"), tmp_path / "x_linearity.asdf", wild)
    assert tool("run", source) == 0
    found = arrays(tmp_path / "x_cal.asdf")
    lost = {name: np.isinf(found[name]).sum() for name in ("err", "var_poisson", "var_rnoise", "chisq", "dumo")}
    told = dict(re.findall(r"warning: .*: (\d+) values of (\w+) are beyond", capsys.readouterr().err))
    assert {name: int(count) for count, name in told.items()} == {name: n for name, n in lost.items() if n}
    assert sum(lost.values()) > 0
    done("run", source, "--profile", "1.5.0", "--overwrite")
    assert not any(np.isinf(arrays(tmp_path / "x_cal.asdf", name)[name]).any() for name in ("err", "var_poisson"))


@pytest.mark.parametrize(("word", "expected"), [("true", "True"), ("null", None)])
def test_data_problem_becomes_a_word(product, tmp_path, word, expected):
    """A boolean in raw files of older schemas, a string or null in everything later."""
    raw = retouched(
        product("uncal"), tmp_path / "x_uncal.asdf", b"data_problem: null", b"data_problem: " + word.encode()
    )
    done("run", raw, "--until", "dqinit")
    assert meta(tmp_path / "x_dqinit.asdf")["exposure"]["data_problem"] == expected


# --- steps that were left out ---------------------------------------------------------------------------------------


def test_rt_run_runs_an_overtaken_step_with_a_warning(product, tmp_path, capsys):
    done("refpix", product("dqinit"), "--outdir", tmp_path)
    source = tmp_path / product("refpix").name
    capsys.readouterr()
    assert tool("run", source) == 0
    assert "rt-saturation has not run on this file" in capsys.readouterr().err
    assert statuses(tmp_path / product("cal").name)["saturation"] == "COMPLETE"


def test_rt_run_fills_in_metadata_steps_that_were_overtaken(product, tmp_path, capsys):
    """rt-photom before rt-assignwcs: rt-run does dark, assignwcs and flat, warned of dark only."""
    done("photom", product("rampfit"), "--outdir", tmp_path)
    source = tmp_path / product("photom").name
    capsys.readouterr()
    assert tool("run", source) == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "has not run on this file" in line]
    assert [word for line in warned for word in line.split() if word.startswith("rt-") and word != "rt-run:"] == [
        "rt-dark"
    ]
    assert statuses(tmp_path / product("cal").name)["assign_wcs"] == "COMPLETE"
    assert meta(tmp_path / product("cal").name)["wcs"] is not None


def test_a_step_done_outside_its_chain_stays_complete(product, tmp_path, capsys):
    """The flat field of a spectral exposure, by its own tool: warned; rt-run does not deny it afterwards."""
    change = lambda meta, _: meta["exposure"].update(type="WFI_SPECTRAL")  # noqa: E731
    source = rewrite(product("photom"), tmp_path / "x_photom.asdf", change)
    assert tool("flat", source) == 0
    assert "not in the chain of WFI_SPECTRAL" in capsys.readouterr().err
    done("run", tmp_path / "x_flat.asdf")
    found = statuses(tmp_path / "x_cal.asdf")
    assert (found["flat_field"], found["source_catalog"]) == ("COMPLETE", "SKIPPED")


def test_everything_is_known_of_every_type():
    assert set(TYPES) == {
        "WFI_IMAGE", "WFI_LOLO", "WFI_WFSC", "WFI_SPECTRAL", "WFI_FLAT", "WFI_IM_DARK", "WFI_SP_DARK",
    }  # fmt: skip


def test_inputs_are_not_changed(product, raw, tmp_path):
    before = listing(raw.parent)
    done("run", raw, "--outdir", tmp_path)
    assert listing(raw.parent) == before
