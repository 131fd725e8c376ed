"""rt-run on bad inputs, missing references, and in bad moments: the exit code, one line, and no partial file."""

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from rtools.pipeline.exposure import chain
from tests.support.runs import (
    PRODUCTS,
    STEPS,
    SUFFIXES,
    arrays,
    blocks,
    complaints,
    copied,
    done,
    listing,
    meta,
    retouched,
    rewrite,
    statuses,
    tool,
)
from tests.support.share import some_long

SATURATED, DO_NOT_USE, NO_GAIN_VALUE = 2, 1, 1 << 19


def first(count):
    """Change a raw exposure to its first resultants."""

    def change(meta, arrays):
        for name in ("data", "amp33"):
            arrays[name] = arrays[name][:count]
        meta["exposure"]["read_pattern"] = meta["exposure"]["read_pattern"][:count]
        meta["exposure"]["nresultants"] = count

    return change


def without(path):
    """Change a product to one that lacks a key of its metadata."""

    def change(meta, arrays):
        *inner, last = path.split(".")
        for key in inner:
            meta = meta[key]
        del meta[last]

    return change


def make_bad(kind, product, target):
    """A bad raw exposure of that kind at `target`."""
    source = product("uncal")
    if kind == "missing":
        return
    if kind == "empty":
        target.write_bytes(b"")
    elif kind.startswith("truncated"):
        share = {"truncated in the tree": 0.001, "truncated in a block": 0.6, "truncated at the end": 0.99}[kind]
        data = source.read_bytes()
        target.write_bytes(data[: int(len(data) * share)])
    elif kind == "wrong product":
        copied(product("wcs"), target.parent, target.name)
    elif kind == "one resultant":
        rewrite(source, target, first(1))
    elif kind == "no read pattern":
        retouched(source, target, b"read_pattern:", b"dead_pattern:")
    elif kind == "no frame time":
        retouched(source, target, b"frame_time:", b"fname_time:")
    elif kind == "no detector":
        retouched(source, target, b"detector: WFI01", b"defector: WFI01")
    elif kind == "no aperture":
        retouched(source, target, b"v2_ref:", b"w2_ref:")
    elif kind == "unknown exposure type":
        retouched(source, target, b"type: WFI_IMAGE", b"type: WFI_IMAGO")
    elif kind == "read pattern of another length":
        change = lambda meta, _: meta["exposure"].update(read_pattern=[[1], [2]])  # noqa: E731
        rewrite(source, target, change)
    elif kind == "no amp33":
        retouched(source, target, b"\n  amp33: !core", b"\n  amp34: !core")
    else:
        raise ValueError(kind)


KINDS = (
    "missing",
    "empty",
    "truncated in the tree",
    "truncated in a block",
    "truncated at the end",
    "wrong product",
    "one resultant",
    "no read pattern",
    "no frame time",
    "no detector",
    "no aperture",
    "unknown exposure type",
    "read pattern of another length",
    "no amp33",
)


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_alone_is_exit_3_one_line_and_no_output(product, kind, tmp_path, capsys):
    bad = tmp_path / "bad_uncal.asdf"
    make_bad(kind, product, bad)
    before = listing(tmp_path)
    assert tool("run", bad, "-q") == 3
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"rt-run: {bad}: ")
    assert captured.out == ""
    assert listing(tmp_path) == before


def test_bad_inputs_among_good_ones(product, tmp_path, capsys):
    """All good ones are done, every bad one is reported, and exit is the code that they share."""
    bad = []
    for number, kind in enumerate(KINDS):
        bad.append(tmp_path / f"bad{number}_uncal.asdf")
        make_bad(kind, product, bad[-1])
    good = [copied(product("photom"), tmp_path, f"good{number}_photom.asdf") for number in range(2)]
    half = len(bad) // 2
    assert tool("run", *bad[:half], good[0], *bad[half:], good[1], "-q", "--outdir", tmp_path / "out") == 3
    lines = complaints(capsys.readouterr().err)
    assert [line.split(": ")[1] for line in lines] == [str(path) for path in bad]
    assert sorted(listing(tmp_path / "out")) == sorted(f"good{number}_{end}" for number in (0, 1) for end in PRODUCTS)


def test_failures_of_different_kinds_are_exit_1(product, tmp_path):
    missing = tmp_path / "none_uncal.asdf"
    existing = copied(product("photom"), tmp_path, "x_photom.asdf")
    (tmp_path / "x_cal.asdf").write_text("mine")
    assert tool("run", missing, existing, "-q") == 1


def test_fail_fast_stops_before_any_work(product, tmp_path, capsys):
    good = copied(product("photom"), tmp_path, "x_photom.asdf")
    before = listing(tmp_path)
    assert tool("run", good, tmp_path / "none.asdf", tmp_path / "nor.asdf", "--fail-fast", "-q") == 3
    assert len(complaints(capsys.readouterr().err)) == 1
    assert listing(tmp_path) == before


@pytest.mark.parametrize("suffix", ["uncal", "linearity", "rampfit"])
def test_damaged_pixels_are_a_bad_input(product, suffix, tmp_path, capsys):
    """A compressed block whose bytes are not what was compressed."""
    source = tmp_path / f"bad_{suffix}.asdf"
    if suffix == "rampfit":
        data = bytearray(product(suffix).read_bytes())
        offset, used = max(blocks(product(suffix)), key=lambda block: block[1])
        data[offset + 200 : offset + used - 8] = b"\xff" * (used - 208)
        source.write_bytes(data)
    else:
        done("run", product("uncal"), "--until", "dqinit", "--compression", "lz4", "-o", source)
        offset, used = max(blocks(source), key=lambda block: block[1])
        data = bytearray(source.read_bytes())
        data[offset + 200 : offset + used - 8] = b"\xff" * (used - 208)
        source.write_bytes(data)
    before = listing(tmp_path)
    assert tool("run", source, "-q") == 3
    lines = complaints(capsys.readouterr().err)
    assert len(lines) == 1
    assert lines[0].startswith(f"rt-run: {source}: ")
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda meta, _: meta["exposure"].update(frame_time=0.0), "frame_time"),
        (lambda meta, _: meta["exposure"].update(frame_time=-3.0), "frame_time"),
        (lambda meta, _: meta["exposure"].update(frame_time=float("nan")), "frame_time"),
        (lambda meta, _: meta["exposure"].update(read_pattern=[[1], [2], [3], [4], [5], []]), "read_pattern"),
        (lambda meta, _: meta["exposure"].update(read_pattern=[[1], [2], [3], [5], [4], [6]]), "read_pattern"),
        (lambda meta, _: meta["exposure"].update(read_pattern=[[1], [1], [1], [1], [1], [1]]), "read_pattern"),
        (lambda meta, _: meta["exposure"].update(read_pattern=[[0], [1], [2], [3], [4], [5]]), "read_pattern"),
        (lambda meta, arrays: arrays.update(amp33=arrays["amp33"][:, :100]), "amp33"),
        (lambda meta, arrays: arrays.update(data=arrays["data"][..., :200]), "columns"),
        (lambda meta, arrays: arrays.update(reference_read=arrays["reference_read"][:100]), "reference_read"),
    ],
)
def test_values_that_no_exposure_has_are_exit_3(product, change, said, tmp_path, capsys):
    bad = rewrite(product("uncal"), tmp_path / "bad_uncal.asdf", change)
    before = listing(tmp_path)
    assert tool("run", bad, "-q") == 3
    (line,) = complaints(capsys.readouterr().err)
    assert line.startswith(f"rt-run: {bad}: ")
    assert said in line
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"frame_time: 3.16247", b"frame_time: 'fast' ", "frame_time"),
        (b"optical_element: F158", b"optical_element: F999", "F999"),
        (b"detector: WFI01", b"detector: WFI19", "WFI19"),
    ],
)
def test_words_that_no_exposure_has_are_exit_3(product, old, new, said, tmp_path, capsys):
    bad = retouched(product("uncal"), tmp_path / "bad_uncal.asdf", old, new)
    assert tool("run", bad, "-q") == 3
    (line,) = complaints(capsys.readouterr().err)
    assert said in line
    assert [path.name for path in tmp_path.iterdir()] == ["bad_uncal.asdf"]


# --- references -----------------------------------------------------------------------------------------------------


@pytest.fixture
def some_references(references, tmp_path):
    """``some_references(without=...)``: a directory of links to all references but those of a type."""

    def make(without=()):
        directory = tmp_path / "refs"
        directory.mkdir()
        for path in references.iterdir():
            if not any(f"_{name}_" in path.name for name in without):
                (directory / path.name).symlink_to(path)
        return directory

    return make


NEEDED = (
    "mask", "saturation", "refpix", "linearity", "inverselinearity", "gain", "readnoise", "dark", "distortion",
    "photom", "flat",
)  # fmt: skip


@pytest.mark.parametrize("reftype", NEEDED)
def test_a_missing_reference_is_exit_4_before_any_work(product, some_references, reftype, tmp_path, capsys):
    directory = some_references([reftype])
    assert tool("run", product("uncal"), "--outdir", tmp_path / "out", "--refdir", directory, "--save-steps") == 4
    (line,) = complaints(capsys.readouterr().err)
    assert f"no {reftype} reference" in line
    assert str(directory) in line
    assert not (tmp_path / "out").exists()


def test_a_missing_reference_of_one_input_does_not_stop_the_others(product, raw18, some_references, tmp_path, capsys):
    directory = some_references()
    assert tool("run", raw18, product("photom"), "--refdir", directory, "--outdir", tmp_path / "out", "-q") == 4
    assert str(raw18) in capsys.readouterr().err
    assert sorted(listing(tmp_path / "out")) == sorted(product("cal").name.replace("cal.asdf", end) for end in PRODUCTS)


def test_a_reference_directory_that_does_not_exist_is_exit_4(product, tmp_path, capsys):
    assert tool("run", product("photom"), "--refdir", tmp_path / "none", "--outdir", tmp_path / "out") == 4
    assert f"{tmp_path / 'none'}" in capsys.readouterr().err
    assert tool("run", product("photom"), "--no-builtin", "--outdir", tmp_path / "out") == 4
    assert not (tmp_path / "out").exists()


def test_builtin_fills_gaps_only_when_asked(product, some_references, tmp_path, capsys):
    directory = some_references(["flat"])
    assert tool("run", product("darkcurrent"), "--refdir", directory, "--builtin", "--outdir",
                tmp_path / "out") == 0  # fmt: skip
    found = meta(tmp_path / "out" / product("cal").name)["ref_file"]
    assert found["flat"].startswith("builtin:")
    assert found["distortion"].startswith(str(directory.resolve().parent)) or "references" in found["distortion"]
    assert "not for science" in capsys.readouterr().err


def test_builtin_products_say_so(product, tmp_path, capsys):
    assert tool("run", product("photom"), "--outdir", tmp_path) == 0
    assert "not for science" in capsys.readouterr().err
    found = meta(tmp_path / product("cal").name)
    assert found["ref_file"]["flat"].startswith("builtin:")
    assert any("not for science" in line for line in found["cal_logs"])


@pytest.mark.parametrize("reftype", ["integralnonlinearity", "darkdecaysignal"])
def test_two_types_may_be_absent(product, some_references, reftype, tmp_path, capsys):
    directory = some_references([reftype])
    assert tool("run", product("refpix"), "--refdir", directory, "--outdir", tmp_path / "out") == 0
    cal = tmp_path / "out" / product("cal").name
    assert reftype in capsys.readouterr().err
    found = statuses(cal)
    assert found["linearity"] == "COMPLETE"
    assert found["dark_decay"] == ("SKIPPED" if reftype == "darkdecaysignal" else "COMPLETE")
    assert meta(cal)["ref_file"][reftype] == "N/A"


STEP_WITHOUT = {
    "mask": "dq_init",
    "saturation": "saturation",
    "refpix": "refpix",
    "darkdecaysignal": "dark_decay",
    "linearity": "linearity",
    "inverselinearity": "linearity",
    "dark": "dark",
    "distortion": "assign_wcs",
    "photom": "photom",
    "flat": "flat_field",
}
"""cal_step key of what is SKIPPED where a reference is none (docs/algorithms/README.md#references)."""


@pytest.mark.parametrize("reftype", some_long(STEP_WITHOUT, 3))
def test_reference_none_skips_its_step_with_a_warning(product, reftype, tmp_path, capsys):
    assert tool("run", product("uncal"), "--outdir", tmp_path, "--ref", f"{reftype}=none") == 0
    assert f"SKIPPED without the {reftype} reference" in capsys.readouterr().err
    cal = tmp_path / product("cal").name
    uncalibrated = {"source_catalog": "SKIPPED"} if reftype in ("distortion", "photom") else {}
    assert statuses(cal) == statuses(product("cal")) | {STEP_WITHOUT[reftype]: "SKIPPED"} | uncalibrated
    step = next(chain.step_of(name) for name in STEPS if chain.step_of(name).cal_step == STEP_WITHOUT[reftype])
    assert {meta(cal)["ref_file"][use.type] for use in step.references} == {"N/A"}


def test_linearity_goes_on_without_integralnonlinearity(product, tmp_path, capsys):
    words = ("--ref", "integralnonlinearity=none")
    assert tool("run", product("dark_decay"), "--outdir", tmp_path, *words) == 0
    assert "integralnonlinearity" in capsys.readouterr().err
    cal = tmp_path / product("cal").name
    assert statuses(cal) == statuses(product("cal"))
    found = meta(cal)["ref_file"]
    assert found["integralnonlinearity"] == "N/A"
    assert found["linearity"].startswith("builtin:")


@pytest.mark.parametrize("reftype", ["gain", "readnoise"])
def test_gain_and_readnoise_cannot_be_none(product, reftype, tmp_path, capsys):
    for name, source in (("run", "uncal"), ("rampfit", "linearity")):
        assert tool(name, product(source), "--outdir", tmp_path / "out", "--ref", f"{reftype}=none", "-q") == 4
        (line,) = complaints(capsys.readouterr().err)
        assert reftype in line
    assert not (tmp_path / "out").exists()


def test_a_reference_of_another_shape(product, references, tmp_path, capsys):
    """Mask and flat are left out (SKIPPED, warned); any other is refused, exit 3."""
    done("refs", "make", tmp_path / "big", "--detector", "WFI01", "--element", "F158", "--size", 384, "--types",
         "mask,flat,gain")  # fmt: skip
    big = {path.name.split("_")[2]: path for path in (tmp_path / "big").iterdir()}
    words = ("--refdir", references, "--outdir", tmp_path / "out")
    overrides = ("--ref", f"mask={big['mask']}", "--ref", f"flat={big['flat']}")
    assert tool("run", product("uncal"), *words, *overrides) == 0
    found = statuses(tmp_path / "out" / product("cal").name)
    assert (found["dq_init"], found["flat_field"]) == ("SKIPPED", "SKIPPED")
    assert capsys.readouterr().err.count("not of the frame's shape") == 2
    assert tool("run", product("uncal"), *words, "--overwrite", "--ref", f"gain={big['gain']}", "-q") == 3
    assert str(big["gain"]) in capsys.readouterr().err


def test_reference_of_another_type_is_refused(product, references, tmp_path, capsys):
    gain = next(references.glob("*_gain_*"))
    assert tool("run", product("photom"), "--ref", f"flat={gain}", "--outdir", tmp_path / "out", "-q") == 3
    assert str(gain) in capsys.readouterr().err


def test_damaged_reference_is_exit_3_and_named(product, references, tmp_path, capsys):
    gain = copied(next(references.glob("*_gain_*")), tmp_path)
    data = bytearray(gain.read_bytes())
    ((offset, used),) = blocks(gain)
    data[offset + 100 : offset + used - 8] = b"\xff" * (used - 108)
    gain.write_bytes(data)
    assert tool("run", product("linearity"), "--ref", f"gain={gain}", "--outdir", tmp_path / "out", "-q") == 3
    (line,) = complaints(capsys.readouterr().err)
    assert str(gain) in line
    assert listing(tmp_path / "out") == {}


def test_nan_gain_flags_the_pixels_and_exits_0(product, references, tmp_path, capsys):
    from rtools.products.io import open_product, writer

    gain = next(references.glob("*_gain_*"))
    with open_product(gain) as found:
        plane = np.array(found.array("data"))
        plane[50:60, 70:90] = np.nan
        writer.write_product(tmp_path / "gain.asdf", "reference/gain", found.meta, {"data": plane})
    assert tool("run", product("linearity"), "--outdir", tmp_path, "--ref", f"gain={tmp_path / 'gain.asdf'}") == 0
    assert "NO_GAIN_VALUE" in capsys.readouterr().err
    found = arrays(tmp_path / product("cal").name, "dq", "data")
    flagged = (found["dq"] & NO_GAIN_VALUE) != 0
    expected = np.zeros_like(flagged)
    expected[46:56, 66:86] = True
    assert np.array_equal(flagged, expected)
    assert np.all(found["dq"][expected] & DO_NOT_USE)


# --- few resultants, all saturated ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 3])
def test_two_and_three_resultants_are_fitted_with_a_warning(product, count, tmp_path, capsys):
    short = rewrite(product("uncal"), tmp_path / "x_uncal.asdf", first(count))
    assert tool("run", short) == 0
    assert f"{count} resultants: too few to look for jumps" in capsys.readouterr().err
    found = arrays(tmp_path / "x_cal.asdf", "data", "dq", "jump_indices")
    good = (found["dq"] & DO_NOT_USE) == 0
    assert good.mean() > 0.9
    long = arrays(product("cal"), "data")["data"]
    assert np.median(found["data"][good]) == pytest.approx(np.median(long[good]), abs=0.3)
    assert len(found["jump_indices"]) == 0


def test_one_resultant_goes_through_the_steps_before_the_fit(product, tmp_path, capsys):
    path = rewrite(product("uncal"), tmp_path / "x_uncal.asdf", first(1))
    for name in STEPS[: STEPS.index("rampfit")]:
        done(name, path)
        path = tmp_path / f"x_{SUFFIXES[name]}.asdf"
    assert statuses(path)["linearity"] == "COMPLETE"
    before = listing(tmp_path)
    for name in ("rampfit", "run"):
        capsys.readouterr()
        assert tool(name, path, "-q") == 3
        assert len(complaints(capsys.readouterr().err)) == 1
    assert listing(tmp_path) == before


SATURATION = STEPS.index("saturation")


def test_everything_saturated_is_a_warning(drowned, tmp_path, capsys):
    assert tool("run", drowned[0], "--outdir", tmp_path) == 0
    warnings = [line for line in complaints(capsys.readouterr().err) if "saturated" in line]
    assert len(warnings) == 1
    assert sorted(listing(tmp_path)) == ["x_cal.asdf", "x_wcs.asdf"]


def test_everything_saturated_gives_zeros_and_flags(drowned):
    found = arrays(drowned[1])
    for name in ("data", "err", "var_poisson", "var_rnoise", "chisq", "dumo"):
        assert not found[name].any()
    assert np.all((found["dq"] & (SATURATED | DO_NOT_USE)) == SATURATED | DO_NOT_USE)
    assert found["border_ref_pix_left"].any()


def test_everything_saturated_skips_every_later_step(drowned):
    found = statuses(drowned[1])
    assert [found[chain.step_of(name).cal_step] for name in STEPS[: SATURATION + 1]] == ["COMPLETE"] * 2
    later = [chain.step_of(name).cal_step for name in chain.order()[SATURATION + 1 :]]
    assert {found[key] for key in later} == {"SKIPPED"}
    described = meta(drowned[1])
    assert described["wcs"] is None
    assert described["statistics"]["good_pixel_fraction"] == 0
    used = {key: value for key, value in described["ref_file"].items() if str(value).startswith("builtin:")}
    assert sorted(used) == ["mask", "saturation"]


def test_everything_saturated_wcs_has_no_transforms(drowned):
    from rtools.products.io import open_product

    with open_product(drowned[1].with_name("x_wcs.asdf")) as found:
        assert found.kind == "wcs"
        assert set(found.tree) == {"meta"}


@pytest.mark.long
def test_everything_saturated_step_by_step(drowned, tmp_path):
    path = drowned[0]
    for name in STEPS:
        done(name, path, "--outdir", tmp_path)
        path = tmp_path / f"x_{SUFFIXES[name]}.asdf"
        status = statuses(path)[chain.step_of(name).cal_step]
        assert status == ("COMPLETE" if STEPS.index(name) <= SATURATION else "SKIPPED")
    done("run", path, "--outdir", tmp_path)
    one, two = arrays(drowned[1]), arrays(tmp_path / "x_cal.asdf")
    assert {name for name in one if one[name].tobytes() != two[name].tobytes()} == set()
    assert statuses(tmp_path / "x_cal.asdf") == statuses(drowned[1])
    assert (tmp_path / "x_wcs.asdf").exists()


@pytest.mark.parametrize("name", some_long(["linearity", "saturation", "rampfit", "flat"], 1))
def test_rt_run_goes_on_with_everything_saturated(drowned, name, tmp_path):
    done("run", drowned[0], "--outdir", tmp_path, "--until", name)
    done("run", tmp_path / f"x_{SUFFIXES[name]}.asdf")
    one, two = arrays(drowned[1]), arrays(tmp_path / "x_cal.asdf")
    assert {key for key in one if one[key].tobytes() != two[key].tobytes()} == set()
    assert statuses(tmp_path / "x_cal.asdf") == statuses(drowned[1])


# --- bad moments ----------------------------------------------------------------------------------------------------


def put_in_place(monkeypatch, name, function):
    """Have a step call another function with its strips."""
    monkeypatch.setattr(f"rtools.exposure.steps.{name}.STEP", replace(chain.step_of(name), apply=function))


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize(
    "place", some_long(["refpix", "os.replace", "dark", "rtools.products.io.writer.write_file"], 2)
)
def test_an_end_in_the_middle_leaves_nothing(product, tmp_path, monkeypatch, capsys, place, error):
    source = copied(product("uncal"), tmp_path)
    before = listing(tmp_path)

    def fail(*args, **kwargs):
        raise error("now")

    if place in STEPS:
        put_in_place(monkeypatch, place, fail)
    else:
        monkeypatch.setattr(place, fail)
    status = tool("run", source, "--save-steps", "-q", "-j", 2)
    monkeypatch.undo()
    assert status == (130 if error is KeyboardInterrupt else 1)
    assert len(complaints(capsys.readouterr().err)) == 1
    assert listing(tmp_path) == before


def test_an_error_nobody_foresaw_does_not_stop_the_other_inputs(product, tmp_path, monkeypatch, capsys):
    sources = [copied(product("photom"), tmp_path, f"{stem}_photom.asdf") for stem in "ab"]
    apply, calls = chain.step_of("flat").apply, []

    def fail_once(*args):
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError("foo")
        return apply(*args)

    put_in_place(monkeypatch, "flat", fail_once)
    assert tool("run", *sources, "-q") == 1
    (line,) = complaints(capsys.readouterr().err)
    assert line.startswith(f"rt-run: {sources[0]}: internal error: ZeroDivisionError: foo")
    made = [f"b_{end}" for end in PRODUCTS]
    assert sorted(listing(tmp_path)) == sorted(["a_photom.asdf", "b_photom.asdf", *made])


@contextmanager
def disk_of(size):
    """No file may grow beyond this many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("name", "suffix", "size", "options"),
    [
        ("run", "linearity", 300_000, ()),
        ("run", "linearity", 1_000_000, ("--save-steps", "-j", 2)),
        ("run", "linearity", 4000, ()),
        ("dqinit", "uncal", 1_000_000, ()),
        ("dqinit", "uncal", 1_000_000, ("--compression", "lz4")),
    ],
)
def test_a_full_disk_leaves_nothing(product, tmp_path, capsys, name, suffix, size, options):
    source = copied(product(suffix), tmp_path)
    before = listing(tmp_path)
    with disk_of(size):
        status = tool(name, source, "-q", *options)
    (line,) = complaints(capsys.readouterr().err)
    assert status == 1
    assert "cannot be written (file too large)" in line
    assert listing(tmp_path) == before


SLOW = """
import sys, time
from dataclasses import replace
from rtools.commands.run import main
from rtools.exposure.steps import dark
def wait(*args):
    print("working", flush=True)
    time.sleep(1)
    raise SystemError("not stopped")
dark.STEP = replace(dark.STEP, apply=wait)
main(sys.argv[1:])
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_the_middle_leaves_nothing(product, tmp_path, number, code):
    source = copied(product("linearity"), tmp_path)
    command = [sys.executable, "-c", SLOW, source, "--save-steps", "-q"]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=os.getcwd(),
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # background jobs inherit an ignored SIGINT
    )
    assert running.stdout.readline() == "working\n"
    time.sleep(0.05)
    running.send_signal(number)
    running.communicate(timeout=30)
    assert running.returncode == code
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


# --- found in review ------------------------------------------------------------------------------------------------


def test_the_raw_exposure_is_never_replaced_by_its_own_image(product, tmp_path, capsys):
    source = copied(product("uncal"), tmp_path)
    before = source.read_bytes()
    assert tool("run", source, "-o", source, "--overwrite") == 2
    assert "is the input" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_metadata_that_only_the_product_needs_are_missed_before_any_work(product, tmp_path, capsys):
    source = retouched(product("uncal"), tmp_path / "x_uncal.asdf", b"pa_aperture:", b"pa_apertuer:")
    capsys.readouterr()
    assert tool("run", source) == 3
    said = capsys.readouterr().err
    assert "x_uncal.asdf: metadata missing: meta.pointing.pa_aperture" in said
    assert [path.name for path in tmp_path.iterdir()] == ["x_uncal.asdf"]


def test_an_output_name_and_an_output_directory_exclude_each_other(product, tmp_path, capsys):
    assert tool("run", product("uncal"), "-o", tmp_path / "x_cal.asdf", "--outdir", tmp_path / "there") == 2
    assert "do not go together" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_empty_list_of_inputs_is_a_usage_error(tmp_path, capsys):
    (tmp_path / "empty.txt").write_text("")
    assert tool("run", f"@{tmp_path}/empty.txt") == 2
    assert "no input" in capsys.readouterr().err


def test_planes_that_nothing_needs_stop_no_tool(product, tmp_path, capsys):
    """Simulated images of others have chisq and dumo of one pixel."""
    path = tmp_path / "x_cal.asdf"

    def change(_meta, arrays):
        arrays["chisq"] = arrays["dumo"] = np.zeros((1, 1), np.float16)

    rewrite(product("flat"), path, change)
    assert tool("catalog", path, "--outdir", tmp_path / "made") == 0
    assert "the array chisq is (1, 1), not (248, 248): it is left out" in capsys.readouterr().err
    done("photom", path, "--again", "--outdir", tmp_path / "made")
    made = arrays(tmp_path / "made" / "x_photom.asdf")
    assert made["chisq"].shape == made["dumo"].shape == made["data"].shape
    assert tool("validate", path) == 1
    found = capsys.readouterr().out
    assert "chisq\t1 columns, not 248" in found and "dumo\t1 rows, not 248" in found
    rewrite(product("flat"), path, lambda _meta, arrays: arrays.update(dq=arrays["dq"][1:]))
    assert tool("catalog", path, "--outdir", tmp_path / "made", "--overwrite") == 3
    assert "the array dq is (247, 248)" in capsys.readouterr().err
