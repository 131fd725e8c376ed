"""The options of rt-run: which steps, which files, which names."""

import errno
import io
import json
import re
import sys

import pytest

from rtools.pipeline.exposure import chain
from tests.support.runs import (
    PRODUCTS,
    STEPS,
    SUFFIXES,
    arrays,
    complaints,
    copied,
    done,
    history,
    listing,
    meta,
    piped,
    records,
    same,
    simulate,
    statuses,
    tool,
)
from tests.support.share import some_long


def names_in(directory):
    return sorted(path.name for path in directory.iterdir())


def sibling(path, suffix):
    return path.name.replace("_uncal", f"_{suffix}")


def products(*stems):
    """Names of what the chain makes of images, sorted."""
    return sorted(f"{stem}_{end}" for stem in stems for end in PRODUCTS)


# --- which steps ----------------------------------------------------------------------------------------------------


def test_save_steps_writes_what_each_step_made(ran, raw):
    """A step that does not apply (wfi18_transient of WFI01) gets no file."""
    made = [SUFFIXES[name] for name in STEPS if name != "wfi18transient"]
    stem = raw.name.removesuffix("_uncal.asdf")
    saved = [f"{stem}_{suffix}.asdf" for suffix in (*made, "sourcecatalogstep")]
    assert names_in(ran) == sorted([*saved, *products(stem)])


def test_saved_steps_are_those_of_until(ran, raw, tmp_path):
    for name in ("saturation", "linearity", "rampfit", "assignwcs"):
        done("run", raw, "--outdir", tmp_path / name, "--until", name)
        assert names_in(tmp_path / name) == [sibling(raw, SUFFIXES[name])]
        found = tmp_path / name / sibling(raw, SUFFIXES[name])
        assert all(same(found, ran / found.name).values())
        assert statuses(found) == statuses(ran / found.name)


def test_cal_step_says_how_far_a_product_is(ran, raw):
    for name in ("dqinit", "linearity", "dark"):
        found = statuses(ran / sibling(raw, SUFFIXES[name]))
        through = STEPS[: STEPS.index(name) + 1]
        expected = {chain.step_of(step).cal_step: "COMPLETE" for step in through}
        expected |= {"wfi18_transient": "N/A"} if "wfi18transient" in through else {}
        assert {key: value for key, value in found.items() if value != "INCOMPLETE"} == expected


@pytest.mark.parametrize("name", some_long(STEPS[::-1], 4))
def test_from_takes_the_product_before_the_step(product, name, tmp_path):
    before = STEPS[STEPS.index(name) - 1] if name != "dqinit" else None
    if before == "wfi18transient":  # made by its own tool: a step that does nothing still writes its product
        done("wfi18transient", product("dark_decay"), "--outdir", tmp_path)
        source = tmp_path / product("dark_decay").name.replace("_dark_decay", "_wfi18_transient")
    else:
        source = product(SUFFIXES[before] if before else "uncal")
    done("run", source, "--from", name, "--outdir", tmp_path)
    assert all(same(tmp_path / product("cal").name, product("cal"), "data", "dq").values())


@pytest.mark.parametrize(
    ("given", "first", "wanted"),
    [
        ("uncal", "saturation", "_dqinit"),
        ("dqinit", "linearity", "_wfi18_transient"),
        ("dqinit", "dqinit", "_uncal"),
        ("cal", "flat", "_photom"),
        ("rampfit", "ramp_fit", "_linearity"),
    ],
)
def test_from_names_the_product_it_expects(product, given, first, wanted, tmp_path, capsys):
    assert tool("run", product(given), "--from", first, "--outdir", tmp_path / "out") == 3
    assert f"takes a {wanted} product" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--until", "dqinit"), 3, "past it"),
        (("--until", "multiband"), 2, "no step is called 'multiband'"),
        (("--from", "nosuch"), 2, "no step is called 'nosuch'"),
        (("--skip", "nosuch"), 2, "no step is called 'nosuch'"),
        (("--skip", "rampfit"), 2, "no image without it"),
        (("--set", "rampfit.threshold"), 2, "STEP.OPTION=VALUE"),
        (("--set", "threshold=3"), 2, "STEP.OPTION=VALUE"),
        (("--set", "nosuch.threshold=3"), 2, "no step is called 'nosuch'"),
        (("--set", "rampfit.nosuch=3"), 2, "it has algorithm, threshold"),
        (("--set", "rampfit.threshold=high"), 2, "float expected"),
        (("--set", "rampfit.threshold=-1"), 2, "at least 0.0"),
        (("--set", "rampfit.threshold=nan"), 2, "a number expected"),
        (("--set", "rampfit.threshold-intercept=nan"), 2, "a number expected"),
        (("--set", "rampfit.algorithm=best"), 2, "likely, ols_cas22"),
        (("--set", "rampfit.record-jumps=perhaps"), 2, "true or false"),
        (("--set", "saturation.grow=1.5"), 2, "int expected"),
        (("--ref", "gain"), 2, "TYPE=FILE"),
        (("--ref", "nosuch=none"), 2, "no such reference type"),
        (("-j", "-2"), 2, "number of threads"),
        (("--profile", "3.0.0"), 2, "3.0.0"),
        (("--compression", "rar"), 2, "rar"),
        (("--output", "-", "--json"), 2, "standard output"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(product, tmp_path, capsys, options, code, said):
    assert tool("run", product("saturation"), "--outdir", tmp_path, *options) == code
    lines = complaints(capsys.readouterr().err)
    assert len(lines) == 1
    assert said in lines[0]
    assert names_in(tmp_path) == []


def test_until_a_step_that_the_type_does_not_have(product, tmp_path, capsys):
    from tests.support.runs import rewrite

    spectral = rewrite(
        product("rampfit"), tmp_path / "x_rampfit.asdf", lambda meta, _: meta["exposure"].update(type="WFI_SPECTRAL")
    )
    assert tool("run", spectral, "--until", "flat") == 2
    assert "not in the chain of WFI_SPECTRAL" in capsys.readouterr().err


@pytest.mark.parametrize("name", some_long([name for name in STEPS if name not in ("rampfit", "wfi18transient")], 3))
def test_skip_leaves_a_step_out_and_still_ends_in_cal(product, name, tmp_path):
    done("run", product("uncal"), "--outdir", tmp_path, "--skip", name)
    cal = tmp_path / product("cal").name
    step = chain.step_of(name)
    uncalibrated = {"source_catalog": "SKIPPED"} if name in ("assignwcs", "photom") else {}
    assert statuses(cal) == statuses(product("cal")) | {step.cal_step: "SKIPPED"} | uncalibrated
    made = products(product("cal").name.removesuffix("_cal.asdf"))
    assert names_in(tmp_path) == [one for one in made if not uncalibrated or one.endswith(("_cal.asdf", "_wcs.asdf"))]
    found = meta(cal)
    assert {found["ref_file"][use.type] for use in step.references} <= {"N/A"}
    if name in ("assignwcs", "photom"):
        assert (found["wcs"] is None) == (name == "assignwcs")
        assert (found["photometry"]["conversion_megajanskys"] is None) == (name == "photom")
    else:
        assert not all(same(cal, product("cal"), "data", "dq").values())


def test_skip_takes_every_name_of_a_step(product, tmp_path):
    done("run", product("rampfit"), "--outdir", tmp_path, "--skip", "rt-dark", "--skip", "flat_field")
    found = statuses(tmp_path / product("cal").name)
    assert (found["dark"], found["flat_field"]) == ("SKIPPED", "SKIPPED")


def test_skip_leaves_the_catalog_out(product, tmp_path, capsys):
    assert tool("run", product("flat"), "--outdir", tmp_path, "--skip", "catalog", "--skip", "tweakreg") == 0
    found = statuses(tmp_path / product("cal").name)
    assert (found["source_catalog"], found["tweakreg"]) == ("SKIPPED", "SKIPPED")
    assert names_in(tmp_path) == sorted(product(name).name for name in ("cal", "wcs"))
    assert "tweakreg" not in capsys.readouterr().err  # asked for
    assert meta(tmp_path / product("cal").name)["source_catalog"]["tweakreg_catalog_name"] == "?"


@pytest.mark.parametrize(
    "word",
    ["rampfit.threshold=3", "ramp_fit.rejection_threshold=3", "rt-rampfit.threshold=3.0"],
)
def test_set_by_any_name_of_step_and_option(product, tmp_path, word):
    done("run", product("linearity"), "--outdir", tmp_path, "--set", word, "--until", "rampfit")
    done("rampfit", product("linearity"), "--outdir", tmp_path / "typed", "--threshold", 3)
    made = product("rampfit").name
    assert all(same(tmp_path / made, tmp_path / "typed" / made).values())
    assert not same(tmp_path / made, product("rampfit"), "dq")["dq"]
    assert history(tmp_path / made)[-1]["parameters"]["rampfit"]["threshold"] == 3.0


def test_set_of_every_kind_of_value(product, tmp_path):
    words = ["flat.var-flat=true", "rampfit.algorithm=ols_cas22", "rampfit.use_ramp_jump_detection=no"]
    done("run", product("linearity"), "--outdir", tmp_path, *(part for word in words for part in ("--set", word)))
    cal = tmp_path / product("cal").name
    parameters = history(cal)[-1]["parameters"]
    assert parameters["flat"] == {"var_flat": True}
    assert parameters["rampfit"]["algorithm"] == "ols_cas22"
    assert parameters["rampfit"]["use_jump_detection"] is False
    assert arrays(cal, "var_flat")["var_flat"].dtype == "f2"


# --- before any work ------------------------------------------------------------------------------------------------


def test_dry_run_shows_chain_references_and_names_and_writes_nothing(raw, tmp_path, capsys):
    copied(raw, tmp_path)
    assert tool("run", tmp_path / raw.name, "--outdir", tmp_path / "out", "--skip", "dark", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:14]] == list(chain.order())
    assert "gain=builtin:" in lines[1 + STEPS.index("rampfit")]
    assert "(SKIPPED)" in lines[1 + STEPS.index("dark")]
    assert [line.split()[-1] for line in lines if "->" in line] == [
        str(tmp_path / "out" / raw.name.replace("uncal.asdf", end)) for end in PRODUCTS
    ]
    assert names_in(tmp_path) == [raw.name]


def test_dry_run_lists_no_product_of_a_step_that_is_left_out(product, tmp_path, capsys):
    words = ("--save-steps", "--skip", "dark", "--outdir", tmp_path)
    assert tool("run", product("rampfit"), "--dry-run", *words) == 0
    listed = [line.split()[-1] for line in capsys.readouterr().out.splitlines() if "->" in line]
    done("run", product("rampfit"), *words)
    assert sorted(listed) == sorted(str(path) for path in tmp_path.iterdir())


def test_dry_run_as_json(product, capsys):
    assert tool("run", product("photom"), "--dry-run", "--json", "--set", "flat.var-flat=1", "--outdir", "none") == 0
    (entry,) = records(capsys.readouterr().out)
    assert [step["step"] for step in entry["steps"]] == ["flat", "catalog", "tweakreg"]
    assert entry["steps"][0]["options"] == {"var_flat": True}
    assert [list(step["references"]) for step in entry["steps"]] == [["flat"], ["epsf", "apcorr"], []]


def test_dry_run_names_what_is_missing(raw, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert tool("run", raw, "--dry-run", "--refdir", tmp_path / "empty") == 4
    assert str(tmp_path / "empty") in capsys.readouterr().err


def test_existing_output_is_refused_before_any_work(product, tmp_path, capsys):
    source = copied(product("flat"), tmp_path, "x_flat.asdf")
    (tmp_path / "x_wcs.asdf").write_text("mine")
    before = listing(tmp_path)
    assert tool("run", source) == 1
    captured = capsys.readouterr()
    assert "x_wcs.asdf: exists already; --overwrite replaces it" in captured.err
    assert captured.out == ""
    assert listing(tmp_path) == before
    done("run", source, "--overwrite")
    assert names_in(tmp_path) == sorted(["x_flat.asdf", *products("x")])


def test_existing_output_of_one_input_does_not_stop_the_others(product, tmp_path, capsys):
    for stem in "ab":
        copied(product("flat"), tmp_path, f"{stem}_flat.asdf")
    (tmp_path / "a_cal.asdf").write_text("mine")
    assert tool("run", tmp_path / "a_flat.asdf", tmp_path / "b_flat.asdf", "-q") == 1
    assert capsys.readouterr().out.split() == [str(tmp_path / f"b_{end}") for end in PRODUCTS]
    assert (tmp_path / "a_cal.asdf").read_text() == "mine"


def test_a_directory_in_the_place_of_an_output(product, tmp_path, capsys):
    source = copied(product("flat"), tmp_path, "x_flat.asdf")
    (tmp_path / "x_cal.asdf").mkdir()
    assert tool("run", source, "--overwrite") == 1
    assert "a directory" in capsys.readouterr().err


def test_outdir_that_cannot_be_made(product, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert tool("run", product("flat"), "--outdir", tmp_path / "file" / "out") == 1
    assert len(complaints(capsys.readouterr().err)) == 1


def test_two_inputs_with_one_output_name_are_refused(product, tmp_path, capsys):
    first, second = (copied(product(suffix), tmp_path, f"x_{suffix}.asdf") for suffix in ("photom", "flat"))
    assert tool("run", first, second, "--outdir", tmp_path / "out", "-q") == 2
    assert f"rt-run: {first} and {second} would both be {tmp_path}/out/x_segm.asdf" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_same_input_twice_runs_once(product, tmp_path, capsys):
    source = copied(product("flat"), tmp_path, "x_flat.asdf")
    assert tool("run", source, source, "-q") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(PRODUCTS)


def test_the_same_input_spelt_twice_is_refused(product, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = copied(product("flat"), tmp_path, "x_flat.asdf")
    assert tool("run", "x_flat.asdf", source, "-q") == 2
    assert "would both be" in capsys.readouterr().err


# --- names ----------------------------------------------------------------------------------------------------------


def test_outputs_stand_next_to_the_input_and_take_its_stem(product, tmp_path, capsys):
    copied(product("flat"), tmp_path, "mysim.asdf")
    assert tool("run", tmp_path / "mysim.asdf", "-q") == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / f"mysim_{end}") for end in PRODUCTS]
    assert meta(tmp_path / "mysim_cal.asdf")["filename"] == "mysim_cal.asdf"
    assert meta(tmp_path / "mysim_wcs.asdf")["filename"] == "mysim_wcs.asdf"
    assert meta(tmp_path / "mysim_segm.asdf")["filename"] == "mysim_segm.asdf"
    assert meta(tmp_path / "mysim_cal.asdf")["source_catalog"] == {"tweakreg_catalog_name": "mysim_cat.parquet"}


def test_output_names_the_main_product_and_companions_take_its_stem(product, tmp_path):
    done("run", product("photom"), "-o", tmp_path / "deep" / "best_cal.asdf", "--save-steps")
    saved = ["best_flat.asdf", "best_sourcecatalogstep.asdf"]
    assert names_in(tmp_path / "deep") == sorted([*saved, *products("best")])
    done("run", product("photom"), "-o", tmp_path / "best.asdf")
    others = [name for name in products("best") if name != "best_cal.asdf"]
    assert names_in(tmp_path) == sorted(["best.asdf", "deep", *others])
    assert meta(tmp_path / "best.asdf")["filename"] == "best.asdf"


def test_output_with_the_name_of_a_companion_is_refused(product, tmp_path, capsys):
    assert tool("run", product("flat"), "-o", tmp_path / "x_wcs.asdf") == 2
    assert "another product" in capsys.readouterr().err
    assert names_in(tmp_path) == []


def test_output_for_several_inputs_is_refused(product, tmp_path, capsys):
    assert tool("run", product("flat"), product("photom"), "-o", tmp_path / "x.asdf") == 2
    assert "-o names one output" in capsys.readouterr().err


def test_a_list_of_inputs(product, tmp_path, capsys):
    for stem in "ab":
        copied(product("flat"), tmp_path, f"{stem}_flat.asdf")
    (tmp_path / "list.txt").write_text(f"{tmp_path}/a_flat.asdf\n\n{tmp_path}/b_flat.asdf\n")
    assert tool("run", f"@{tmp_path}/list.txt", "-q", "--outdir", tmp_path / "out") == 0
    assert names_in(tmp_path / "out") == products("a", "b")
    assert tool("run", f"@{tmp_path}/nolist.txt") == 3


def test_a_list_on_standard_input(product, tmp_path, monkeypatch):
    source = copied(product("flat"), tmp_path, "x_flat.asdf")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{source}\n"))
    done("run", "@-")
    assert (tmp_path / "x_cal.asdf").exists()


def association(path, *members):
    entries = [{"expname": str(name), "exptype": kind} for name, kind in members]
    path.write_text(json.dumps({"products": [{"name": "x", "members": entries}]}))
    return path


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--skip", "dark"), "dark is COMPLETE in this file: --skip of it changes nothing"),
        (("--set", "rampfit.threshold=5"), "rampfit is COMPLETE in this file: --set of it changes nothing"),
        (("--skip", "flat"), None),
    ],
)
def test_options_of_a_step_that_is_done_already_were_ignored_silently(product, tmp_path, capsys, words, named):
    assert tool("run", product("photom"), "--outdir", tmp_path, "--skip", "catalog", *words) == 0
    said = capsys.readouterr().err
    assert named in said if named else "changes nothing" not in said


def test_an_association_runs_its_science_members(product, tmp_path):
    for stem in "abc":
        copied(product("flat"), tmp_path, f"{stem}_flat.asdf")
    asn = association(
        tmp_path / "x_asn.json", ("a_flat.asdf", "science"), ("b_flat.asdf", "background"), ("c_flat.asdf", "science")
    )
    done("run", asn, tmp_path / "a_flat.asdf", "--outdir", tmp_path / "out")
    assert names_in(tmp_path / "out") == products("a", "c")


def test_a_bad_association_does_not_stop_the_others(product, tmp_path, capsys):
    source = copied(product("flat"), tmp_path, "x_flat.asdf")
    (tmp_path / "bad.json").write_text("{")
    assert tool("run", tmp_path / "bad.json", tmp_path / "none.json", source, "-q") == 3
    assert len(complaints(capsys.readouterr().err)) == 2
    assert (tmp_path / "x_cal.asdf").exists()
    assert tool("run", tmp_path / "bad.json", source, "-q", "--fail-fast", "--outdir", tmp_path / "out") == 3
    assert not (tmp_path / "out").exists()


# --- pipes ----------------------------------------------------------------------------------------------------------


def test_steps_through_pipes_give_the_bits_of_the_chain(product, tmp_path, monkeypatch):
    data = product("linearity").read_bytes()
    monkeypatch.chdir(tmp_path)
    for name in ("rampfit", "dark", "assignwcs", "photom", "flat"):
        with piped(monkeypatch, data) as out:
            done(name, "-", "-o", "-")
        data = out.getvalue()
    with piped(monkeypatch, data) as out:
        done("run", "-")
    assert names_in(tmp_path) == products(product("cal").name.removesuffix("_cal.asdf"))
    assert all(same(tmp_path / product("cal").name, product("cal"), "data", "dq", "jump_indices").values())
    inputs = [entry["inputs"] for entry in history(tmp_path / product("cal").name)[-5:]]
    assert inputs == [[product(name).name] for name in ("rampfit", "darkcurrent", "assignwcs", "photom", "flat")]


def test_a_product_on_standard_output_knows_its_name(product, tmp_path, monkeypatch):
    with piped(monkeypatch, b"") as out:
        done("run", product("flat"), "-o", "-")
    (tmp_path / "out.asdf").write_bytes(out.getvalue())
    assert meta(tmp_path / "out.asdf")["filename"] == product("cal").name
    assert all(same(tmp_path / "out.asdf", product("cal")).values())
    assert names_in(tmp_path) == ["out.asdf"]
    assert meta(tmp_path / "out.asdf")["source_catalog"]["tweakreg_catalog_name"] == "?"  # there is no file to name


def test_standard_input_without_a_name_wants_one(product, tmp_path, monkeypatch, capsys):
    from tests.support.runs import rewrite

    data = bytearray(rewrite(product("flat"), tmp_path / "x_flat.asdf", lambda *_: None).read_bytes())
    assert data.count(b"filename: x_flat.asdf") == 1
    data = data.replace(b"filename: x_flat.asdf", b"filemane: x_flat.asdf")
    monkeypatch.chdir(tmp_path)
    with piped(monkeypatch, bytes(data)):
        assert tool("run", "-") == 3
    assert "-: standard input has no meta.filename" in capsys.readouterr().err
    with piped(monkeypatch, bytes(data)):
        done("run", "-", "-o", "y.asdf")
    assert names_in(tmp_path) == ["x_flat.asdf", "y.asdf", "y_cat.parquet", "y_segm.asdf", "y_wcs.asdf"]


def test_bad_standard_input_is_called_so(product, monkeypatch, capsys):
    with piped(monkeypatch, product("flat").read_bytes()[:-200_000]):
        assert tool("run", "-", "-o", "-") == 3
    assert capsys.readouterr().err.startswith("rt-run: -: truncated")


class Failing(io.RawIOBase):
    """Standard output that takes nothing."""

    def __init__(self, error, spare):
        self.error = error
        self.spare = spare

    def writable(self):
        return True

    def write(self, data):
        raise self.error

    def fileno(self):
        return self.spare.fileno()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "no space left on device"),
    ],
)
def test_a_broken_pipe_is_silent_and_a_full_disk_is_not(product, monkeypatch, capsys, error, code, said):
    with open("/dev/null", "wb") as spare, monkeypatch.context() as patched:
        pipe = io.TextIOWrapper(Failing(error, spare))
        patched.setattr(sys, "stdout", pipe)
        assert tool("run", product("flat"), "-o", "-", "-q") == code
        pipe.detach()
    assert complaints(capsys.readouterr().err) == ([f"rt-run: {product('flat')}: {said}"] if said else [])


def test_a_terminal_gets_no_product(product, monkeypatch, capsys):
    with monkeypatch.context() as patched:
        patched.setattr(sys.stdout, "isatty", lambda: True)
        assert tool("run", product("flat"), "-o", "-") == 2
    assert "terminal" in capsys.readouterr().err


# --- what is printed, and settings ----------------------------------------------------------------------------------


def test_timings_go_to_standard_error(product, tmp_path, capsys):
    assert tool("run", product("photom"), "--outdir", tmp_path, "-q", "--timings") == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == len(PRODUCTS)
    timed = ["flat", "catalog", "tweakreg", "write", "total", "peak"]
    assert [line.split()[0] for line in complaints(captured.err)] == timed


def test_the_report_as_json_says_what_was_done(product, tmp_path, capsys):
    assert tool("run", product("photom"), "--outdir", tmp_path, "-q", "--json") == 0
    (report,) = records(capsys.readouterr().out)
    assert report["input"] == str(product("photom"))
    assert [path.rpartition("_")[2] for path in report["outputs"]] == list(PRODUCTS)
    assert report["cal_step"] == statuses(tmp_path / product("cal").name)
    assert report["seconds"]["total"] > 0
    assert report["peak_memory"] > 1 << 20


def test_options_from_file_environment_and_command_line(product, tmp_path, capsys, monkeypatch):
    config = tmp_path / "c.toml"
    config.write_text('jobs = 3\nprofile = "1.5.0"\n[rt-run]\nset = "flat.var-flat=true"\nuntil = "photom"\njobs = 2\n')
    monkeypatch.setenv("RT_UNTIL", "flat")
    monkeypatch.setenv("RT_CONFIG", str(config))
    monkeypatch.setenv("RT_VERSION", "1")
    assert tool("run", product("photom"), "--show-config", "--profile", "2.2.0") == 0
    shown = capsys.readouterr().out.splitlines()
    assert f"jobs = 2  # config file {config}" in shown
    assert f'set = ["flat.var-flat=true"]  # config file {config}' in shown
    assert 'until = "flat"  # environment RT_UNTIL' in shown
    assert 'profile = "2.2.0"  # command line' in shown
    assert "# refdir is not set  # default" in shown
    done("run", product("photom"), "--outdir", tmp_path / "out")
    assert names_in(tmp_path / "out") == [product("flat").name]
    assert arrays(tmp_path / "out" / product("flat").name, "var_flat")["var_flat"].dtype == "f4"


def test_references_from_the_environment(product, references, tmp_path, monkeypatch):
    monkeypatch.setenv("RT_REFDIR", str(references))
    done("run", product("photom"), "--outdir", tmp_path)
    assert meta(tmp_path / product("cal").name)["ref_file"]["flat"].startswith(str(references))


@pytest.mark.parametrize("text", ["[rt-run]\nnosuch = 1\n", "rt-run = 3\n"])
def test_a_configuration_that_makes_no_sense(product, tmp_path, capsys, text):
    (tmp_path / "c.toml").write_text(text)
    assert tool("run", product("photom"), "--config", tmp_path / "c.toml") == 2
    assert re.search(r"c\.toml: \[?rt-run", capsys.readouterr().err)


def test_missing_configuration_is_exit_3(product, tmp_path):
    assert tool("run", product("photom"), "--config", tmp_path / "c.toml") == 3


def test_profile_and_compression_of_outputs(product, tmp_path):
    from rtools.products.io import open_product

    for compression in ("lz4", "zlib", "none"):
        place = tmp_path / compression
        done("run", product("linearity"), "--outdir", place, "--compression", compression, "--profile", "1.5.0")
        with open_product(place / product("cal").name) as found:
            assert found.profile == "1.5.0"
            assert found.arrays["data"].compression == compression.replace("none", "")
        assert same(place / product("cal").name, product("cal"), "data") == {"data": True}
    done("run", place / product("cal").name, "--outdir", tmp_path)
    with open_product(tmp_path / product("cal").name) as found:
        assert found.profile == "1.5.0"  # that of the input


def test_ramp_is_compressed_on_request(product, tmp_path):
    from rtools.products.io import open_product

    done("dqinit", product("uncal"), "--outdir", tmp_path, "--compression", "lz4")
    with open_product(tmp_path / product("dqinit").name) as found:
        assert found.arrays["data"].compression == "lz4"
    with open_product(product("dqinit")) as found:
        assert found.arrays["data"].compression == ""
    assert all(same(tmp_path / product("dqinit").name, product("dqinit")).values())


def test_inputs_that_differ_in_everything(raw, raw18, tmp_path):
    """Detectors, shapes and levels in one command."""
    short = simulate(tmp_path / "more", "wfi02", size=384, reads="1;2-3;4-5;6", number=2)
    done("run", raw, raw18, short, "--outdir", tmp_path / "out")
    assert len(names_in(tmp_path / "out")) == 12
