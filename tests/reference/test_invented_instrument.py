"""The built-in instrument is never taken for a real one: asked for aloud, said always, and by the products for ever."""

import json

import pytest

from rtools.products.io import open_product, writer
from rtools.products.schema.history import built_in_types, entry, is_simulated
from tests.support.runs import tool

WARNING = "uses the built-in nominal instrument, not for science"
SAYING = "BUILT IN, not for science"


@pytest.fixture(scope="module")
def real(raw, tmp_path_factory):
    """A raw exposure whose record does not name the simulator."""
    return forgotten(raw, tmp_path_factory.mktemp("real") / raw.name)


def forgotten(source, target):
    """A product without its history."""
    with open_product(source) as product:
        found = {name: product.array(name) for name in product.arrays}
        writer.write_product(target, product.kind, product.meta, found, compression="none", profile=product.profile)
    return target


def told(capsys, tool_name, path, *words):
    assert tool(tool_name, "--json", path, *words) in (0, 1)
    return json.loads(capsys.readouterr().out)


def test_who_says_that_data_are_simulated():
    simulated, run = entry("rt-sim"), entry("rt-run", inputs=["rt-sim_uncal.asdf"])
    assert is_simulated([simulated, run])
    assert not is_simulated([run])
    assert not is_simulated([])
    made_of = [({}, [simulated, run]), ({}, [simulated])]
    mosaic = entry("rt-resample", made_of=made_of)
    assert is_simulated([mosaic, entry("rt-set")])
    mixed = entry("rt-resample", made_of=[*made_of, ({}, [run])])
    assert not is_simulated([mixed])
    assert not is_simulated([mosaic, mixed]), "a real exposure was added to a simulated mosaic"


def test_types_of_the_built_in_set_are_handed_on():
    first = {"ref_file": {"dark": "builtin:nominal1/dark_wfi01", "gain": "/refs/gain.asdf"}}
    second = {"ref_file": {"flat": {"name": "builtin:nominal1/flat", "checksum": "1"}}}
    assert built_in_types(first, []) == ["dark"]
    mosaic = entry("rt-resample", made_of=[(first, []), (second, [])])
    assert built_in_types({}, [mosaic]) == ["dark", "flat"]
    assert SAYING in mosaic["description"]
    catalog = entry("rt-catalog", made_of=[({}, [mosaic])], references={"epsf F158": "builtin:nominal1/epsf"})
    assert built_in_types({}, [catalog]) == ["dark", "epsf", "flat"]
    assert built_in_types({}, [entry("rt-sim", references={"gain": "builtin:nominal1/gain"})]) == []


def test_real_data_without_references_are_refused_before_any_work(real, tmp_path, capsys):
    for words in (("run",), ("dqinit",)):
        assert tool(*words, real, "--outdir", tmp_path / "out", "-q") == 4
        said = capsys.readouterr().err
        assert "mask" in said and "--builtin" in said
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    assert tool("refs", "check", real) == 4
    assert "gain" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["option", "environment", "file"])
def test_quiet_does_not_hide_what_was_asked_for(real, how, tmp_path, monkeypatch, capsys):
    words = {"option": ("--builtin",), "file": ("--config", tmp_path / "rtools.toml")}.get(how, ())
    (tmp_path / "rtools.toml").write_text("builtin = true\n")
    if how == "environment":
        monkeypatch.setenv("RT_BUILTIN", "1")
    assert tool("dqinit", real, "--outdir", tmp_path, "-q", *words) == 0
    assert WARNING in capsys.readouterr().err


def test_simulated_data_need_not_ask_and_products_say_it_for_ever(product, tmp_path, capsys):
    """Also after a change of FITS and back, a catalog, and a name that says nothing."""
    assert tool("photom", product("assignwcs"), "-o", tmp_path / "x_photom.asdf", "-q") == 0
    assert WARNING in capsys.readouterr().err
    assert tool("fits", product("cal"), "-o", tmp_path / "x_cal.fits", "-q") == 0
    assert tool("fits", tmp_path / "x_cal.fits", "-o", tmp_path / "x_cal.asdf", "-q") == 0
    with open_product(tmp_path / "x_cal.asdf") as back:
        assert is_simulated(back.history)
    capsys.readouterr()
    for path in (product("cal"), tmp_path / "x_cal.fits", product("cat").with_suffix(".parquet"), product("segm")):
        assert "dark" in told(capsys, "info", path)["built_in"]
        assert tool("info", path) == 0
        assert SAYING in " ".join(capsys.readouterr().out.split())
    assert told(capsys, "info", product("uncal"))["built_in"] == []


def test_validate_warns_and_strict_fails(product, capsys):
    assert tool("validate", "--quick", product("dqinit")) == 0
    assert SAYING in capsys.readouterr().out
    assert tool("validate", "--quick", "--strict", product("dqinit")) == 1


def test_catalog_of_a_real_image_asks(product, tmp_path, capsys):
    real = forgotten(product("cal"), tmp_path / "y_cal.asdf")
    assert tool("catalog", real, "--outdir", tmp_path, "-q") == 4
    said = capsys.readouterr().err
    assert "epsf" in said and "apcorr" in said
