"""The step tools: one step, its own product, its own options, and what it refuses."""

import pytest

from rtools.pipeline.exposure import chain
from tests.support.runs import (
    STEPS,
    SUFFIXES,
    arrays,
    complaints,
    copied,
    done,
    history,
    listing,
    meta,
    rewrite,
    same,
    statuses,
    tool,
)
from tests.support.share import some_long

BEFORE = {name: SUFFIXES[STEPS[number - 1]] if number else "uncal" for number, name in enumerate(STEPS)}
BEFORE["linearity"] = "dark_decay"  # WFI01 has no product of wfi18_transient


@pytest.mark.parametrize("name", some_long(STEPS[::-1], 4))
def test_step_writes_its_product_next_to_the_input(product, name, tmp_path, capsys):
    source = copied(product(BEFORE[name]), tmp_path)
    assert tool(name, source, "-q") == 0
    made = tmp_path / product(SUFFIXES[name]).name
    captured = capsys.readouterr()
    assert captured.out == f"{made}\n"
    assert sorted(listing(tmp_path)) == sorted([source.name, made.name])
    key = chain.step_of(name).cal_step
    assert statuses(made)[key] == ("N/A" if name == "wfi18transient" else "COMPLETE")
    if name != "wfi18transient":
        assert same(made, product(SUFFIXES[name]), "data")["data"]
    assert history(made)[-1]["tool"] == f"rt-{name}"
    assert list(history(made)[-1]["parameters"]) == [name]
    assert meta(made)["filename"] == made.name


@pytest.mark.parametrize("name", [name for name in STEPS if name not in ("dqinit", "rampfit", "wfi18transient")])
def test_a_complete_step_is_refused_unless_again(product, name, tmp_path, capsys):
    source = product(SUFFIXES[name])
    step = chain.step_of(name)
    status = tool(name, source, "--outdir", tmp_path, "-q")
    if name in ("assignwcs", "photom"):
        assert status == 0
        return
    assert status == 3
    (line,) = complaints(capsys.readouterr().err)
    assert line == f"rt-{name}: {source}: {step.cal_step} is COMPLETE in this file; --again runs it all the same"
    assert listing(tmp_path) == {}
    done(name, source, "--outdir", tmp_path, "--again")
    assert statuses(tmp_path / source.name)[step.cal_step] == "COMPLETE"


def test_dqinit_runs_never_twice(product, tmp_path, capsys):
    for words in ((), ("--again",)):
        assert tool("dqinit", product("dqinit"), "--outdir", tmp_path, "-q", *words) == 3
        assert "dq_init is COMPLETE in this file; it cannot run twice" in capsys.readouterr().err
    assert listing(tmp_path) == {}


def test_dqinit_adds_the_mask_to_a_ramp_that_lacks_it(product, tmp_path):
    """A dq_init that was SKIPPED for want of a mask has removed the offset already; it must not do so again."""
    done("dqinit", product("uncal"), "--outdir", tmp_path, "--ref", "mask=none")
    made = tmp_path / product("dqinit").name
    assert statuses(made)["dq_init"] == "SKIPPED"
    done("dqinit", made, "--overwrite")
    assert statuses(made)["dq_init"] == "COMPLETE"
    assert all(same(made, product("dqinit")).values())


@pytest.mark.parametrize(
    ("name", "suffix", "said"),
    [
        ("saturation", "uncal", "raw data; rt-saturation takes a ramp; run rt-dqinit first"),
        ("rampfit", "uncal", "raw data; rt-rampfit takes a ramp"),
        ("dark", "linearity", "a ramp; rt-dark takes an image; run rt-rampfit first"),
        ("assignwcs", "dqinit", "a ramp; rt-assignwcs takes an image"),
        ("photom", "uncal", "run rt-rampfit first"),
        ("refpix", "rampfit", "an image; rt-refpix takes a ramp"),
        ("flat", "wcs", "wcs"),
    ],
)
def test_a_product_of_the_wrong_kind_is_exit_3(product, name, suffix, said, tmp_path, capsys):
    words = ("--again",) if suffix == "rampfit" else ()
    assert tool(name, product(suffix), "--outdir", tmp_path, "-q", *words) == 3
    (line,) = complaints(capsys.readouterr().err)
    assert line.startswith(f"rt-{name}: {product(suffix)}: ")
    assert said in line
    assert listing(tmp_path) == {}


@pytest.mark.parametrize(
    ("name", "suffix", "missing"),
    [
        ("refpix", "dqinit", ["rt-saturation"]),
        ("linearity", "saturation", ["rt-refpix", "rt-darkdecay", "rt-wfi18transient"]),
        ("assignwcs", "rampfit", ["rt-dark"]),
        ("flat", "rampfit", ["rt-dark", "rt-assignwcs", "rt-photom"]),
    ],
)
def test_an_earlier_step_not_run_is_a_warning(product, name, suffix, missing, tmp_path, capsys):
    assert tool(name, product(suffix), "--outdir", tmp_path) == 0
    warned = [line for line in complaints(capsys.readouterr().err) if "has not run on this file" in line]
    assert [line.split(" has not run")[0].split()[-1] for line in warned] == missing


def test_wfi18_transient_corrects_its_detector(raw18, tmp_path):
    path = raw18
    for name in STEPS[:5]:
        done(name, path, "--outdir", tmp_path)
        before, path = path, tmp_path / raw18.name.replace("_uncal", f"_{SUFFIXES[name]}")
    assert statuses(path)["wfi18_transient"] == "COMPLETE"
    one, two = (arrays(found, "data")["data"] for found in (before, path))
    assert (one[0] != two[0]).any()
    assert (one[1:] == two[1:]).all()


@pytest.mark.parametrize(
    ("name", "suffix", "words", "key", "value"),
    [
        ("dqinit", "uncal", ("--expand-gw", 3), "expand_gw", 3),
        ("saturation", "dqinit", ("--grow", 2, "--backup", 1), "grow", 2),
        ("refpix", "saturation", ("--no-trends",), "trends", False),
        ("rampfit", "linearity", ("--algorithm", "ols_cas22"), "algorithm", "ols_cas22"),
        ("flat", "photom", ("--var-flat",), "var_flat", True),
    ],
)
def test_options_change_the_product_and_stand_in_its_history(product, name, suffix, words, key, value, tmp_path):
    done(name, product(suffix), "--outdir", tmp_path, *words)
    made = tmp_path / product(SUFFIXES[name]).name
    assert history(made)[-1]["parameters"][name][key] == value
    one, two = arrays(made), arrays(product(SUFFIXES[name]))
    assert one.keys() != two.keys() or any(one[array].tobytes() != two[array].tobytes() for array in one)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("saturation", ("--grow", -1)),
        ("rampfit", ("--threshold", "nan")),
        ("rampfit", ("--algorithm", "best")),
        ("dqinit", ("--expand-gw", "wide")),
    ],
)
def test_bad_values_of_options_are_exit_2(product, name, words, tmp_path, capsys):
    assert tool(name, product(BEFORE[name]), "--outdir", tmp_path, *words) == 2
    assert len(complaints(capsys.readouterr().err)) == 1
    assert listing(tmp_path) == {}


def test_several_inputs_and_a_bad_one(product, tmp_path, capsys):
    good = [copied(product("photom"), tmp_path, f"{stem}_photom.asdf") for stem in "ab"]
    assert tool("flat", good[0], tmp_path / "none.asdf", good[1], "--outdir", tmp_path / "out", "-q") == 3
    assert sorted(listing(tmp_path / "out")) == ["a_flat.asdf", "b_flat.asdf"]
    assert len(complaints(capsys.readouterr().err)) == 1


def test_output_overwrite_and_dry_run(product, tmp_path, capsys):
    target = tmp_path / "mine.asdf"
    assert tool("flat", product("photom"), "-o", target, "-n") == 0
    assert f"-> {target}" in capsys.readouterr().out
    assert listing(tmp_path) == {}
    done("flat", product("photom"), "-o", target)
    assert meta(target)["filename"] == "mine.asdf"
    assert tool("flat", product("photom"), "-o", target) == 1
    done("flat", product("photom"), "-o", target, "--overwrite")


def test_a_file_may_be_replaced_by_its_own_product(product, tmp_path):
    """The input is mapped while its successor is written."""
    path = copied(product("saturation"), tmp_path, "x_refpix.asdf")
    done("refpix", path, "--overwrite")
    assert same(path, product("refpix"), "data", "groupdq", "pixeldq") == {
        "data": True, "groupdq": True, "pixeldq": True,
    }  # fmt: skip


def test_a_step_keeps_the_profile_of_its_input(product, tmp_path):
    from rtools.products.io import open_product

    for profile in ("1.5.0", "2.0.0", "2.2.0"):
        place = tmp_path / profile
        done("rampfit", product("linearity"), "--outdir", place, "--profile", profile)
        done("dark", place / product("rampfit").name)
        with open_product(place / product("darkcurrent").name) as found:
            assert found.profile == profile


def test_a_missing_reference_is_exit_4(product, tmp_path, capsys):
    (tmp_path / "refs").mkdir()
    assert tool("dark", product("rampfit"), "--refdir", tmp_path / "refs", "-q") == 4
    (line,) = complaints(capsys.readouterr().err)
    assert line.startswith(f"rt-dark: {product('rampfit')}: no dark reference for WFI01")


def test_photom_without_the_element_is_skipped_with_nulls(product, tmp_path, capsys):
    """An element that the table lacks (docs/algorithms/photom.md)."""
    from rtools.products.io import open_product, writer
    from rtools.reference.builtin import Builtin

    done("refs", "make", tmp_path / "refs", "--detector", "WFI01", "--element", "F158", "--types", "photom")
    (path,) = (tmp_path / "refs").iterdir()
    with open_product(path) as found:
        table = found.node("phot_table")
        del table["F158"]
        writer.write_product(tmp_path / "photom.asdf", "reference/photom", found.meta, {}, extra={"phot_table": table})
    assert Builtin("photom", "WFI01", "F158").node("phot_table")["F158"]["photmjsr"] > 0
    words = ("--ref", f"photom={tmp_path / 'photom.asdf'}", "--outdir", tmp_path)
    assert tool("photom", product("assignwcs"), *words) == 0
    assert "has no F158" in capsys.readouterr().err
    made = tmp_path / product("photom").name
    assert statuses(made)["photom"] == "SKIPPED"
    assert set(meta(made)["photometry"].values()) == {None}


def test_dark_decay_without_an_amplitude(product, references, tmp_path, capsys):
    """A detector for which the table says null."""
    from rtools.products.io import open_product, writer

    with open_product(next(references.glob("*_darkdecaysignal_*"))) as found:
        table = found.node("decay_table")
        table["WFI01"] = {"amplitude": None, "time_constant": None}
        extra = {"decay_table": table}
        writer.write_product(tmp_path / "d.asdf", "reference/darkdecaysignal", found.meta, {}, extra=extra)
    assert tool("darkdecay", product("refpix"), "--ref", f"darkdecaysignal={tmp_path / 'd.asdf'}", "--outdir",
                tmp_path) == 0  # fmt: skip
    made = tmp_path / product("dark_decay").name
    assert statuses(made)["dark_decay"] == "SKIPPED"
    assert "SKIPPED" in capsys.readouterr().err
    assert same(made, product("refpix"), "data")["data"]


def test_a_ramp_whose_optional_arrays_are_missing(product, tmp_path):
    """Images of other software lack jump positions and var_rnoise."""

    def bare(meta, arrays):
        for name in ("jump_indices", "var_rnoise"):
            arrays.pop(name)

    source = rewrite(product("rampfit"), tmp_path / "x_rampfit.asdf", bare)
    done("run", source)
    found = arrays(tmp_path / "x_cal.asdf")
    assert "jump_indices" not in found
    assert not found["var_rnoise"].any()
    assert same(tmp_path / "x_cal.asdf", product("cal"), "data", "dq") == {"data": True, "dq": True}
