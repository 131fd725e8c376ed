"""What a shell can hand over: lists that NUL ends, names that are no UTF-8, JSON for any reader."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rtools.commands.kit.lists import expand_inputs
from rtools.pipeline.astrometry.align import catalog_path
from rtools.products.schema.jsontext import json_text
from rtools.products.schema.nodes import readable
from tests.support.runs import meta, piped, rewrite, tool


def strict(text):
    """JSON as its standard has it: a reader that refuses NaN and Infinity."""

    def refuse(word):
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


# -- JSON -------------------------------------------------------------------------------------------------------------


def test_numbers_that_are_not_finite_are_null_in_json():
    found = strict(json_text({"a": float("nan"), "b": [1.5, float("-inf"), (float("inf"), True)], "c": "NaN"}))
    assert found == {"a": None, "b": [1.5, None, [None, True]], "c": "NaN"}


@pytest.mark.parametrize("line", ["get --json statistics FILE", "info --json --tree FILE", "stat --json FILE"])
def test_json_of_a_file_with_nan_in_its_metadata_can_be_read(line, product, tmp_path, capsys):
    def change(meta, arrays):
        meta["statistics"]["image_rms"] = float("nan")
        arrays["err"][:] = float("inf")

    path = rewrite(product("cal"), tmp_path / "x_cal.asdf", change)
    name, *words = line.replace("FILE", str(path)).split()
    assert tool(name, *words) == 0
    strict(capsys.readouterr().out)


def test_json_text_of_a_name_is_the_name_again():
    name = os.fsdecode(b"a\xff.asdf")
    assert json.loads(json_text([name])) == [name]
    assert json.loads(json_text([name, "é"], ascii_only=False).encode()) == [name, "é"]


# -- lists ------------------------------------------------------------------------------------------------------------


def test_a_list_that_nul_ends_is_read(tmp_path):
    listing = tmp_path / "list"
    listing.write_bytes(b"a b_cal.asdf\0#c_cal.asdf\0two\nlines_cal.asdf\0")
    assert expand_inputs([f"@{listing}"]) == ["a b_cal.asdf", "#c_cal.asdf", "two\nlines_cal.asdf"]


def test_a_list_of_lines_leaves_out_comments_and_blank_lines(tmp_path):
    listing = tmp_path / "list"
    listing.write_bytes(b"# comment\r\na_cal.asdf\r\n\r\nb\x0bc\xff_cal.asdf")
    assert expand_inputs([f"@{listing}"]) == ["a_cal.asdf", os.fsdecode(b"b\x0bc\xff_cal.asdf")]


def test_names_that_nul_ends_on_standard_input(product, monkeypatch):
    names = f"{product('cal')}\0{product('photom')}\0".encode()
    with piped(monkeypatch, names) as out:
        assert tool("get", "product_type", "@-") == 0
    assert out.getvalue().count(b"\n") == 2
    with piped(monkeypatch, b"r0000101001001001001_0001_wfi01_f158_cal.asdf\0") as out:
        assert tool("name", "--field", "detector", "-") == 0
    assert out.getvalue() == b"wfi01\n"


# -- names that are no UTF-8 ------------------------------------------------------------------------------------------


@pytest.fixture
def odd(product, tmp_path):
    """``odd(kind)``: a product with bytes in its name, and in that of its directory, that are no letters."""
    folder = tmp_path / os.fsdecode(b"d\xfe")
    folder.mkdir()

    def copy(kind):
        source = product(kind)
        target = folder / os.fsdecode(b"b\xff_" + source.name.rpartition("_")[2].encode())
        target.write_bytes(Path(source).read_bytes())
        return target

    return copy


def test_letters_stay_and_other_bytes_of_a_name_become_replacement_characters():
    assert readable("é.asdf") == "é.asdf"
    assert readable(os.fsdecode(b"\xff\xfe.asdf")) == "\ufffd\ufffd.asdf"


def test_products_of_a_name_that_is_no_utf_8_are_written(odd, monkeypatch):
    image = odd("cal")
    made = image.with_name(os.fsdecode(b"c\xff_cal.asdf"))
    catalog = image.with_name(os.fsdecode(b"b\xff_cat.parquet"))
    with piped(monkeypatch, b""):
        assert tool("cut", image, "--section", "0:50,0:50", "-o", made) == 0
        assert meta(made)["filename"] == "c\ufffd_cal.asdf"
        assert tool("catalog", image, "-q") == 0
    with piped(monkeypatch, b"") as out:
        assert tool("get", "meta.filename", catalog) == 0
    assert out.getvalue().decode() == "b\ufffd_cat.parquet\n"
    for form in ("ecsv", "fits", "parquet"):
        table = catalog.with_name(os.fsdecode(b"t\xff." + form.encode()))
        with piped(monkeypatch, b""):
            assert tool("table", catalog, "--format", form, "-o", table) == 0
            assert tool("info", table) == 0


@pytest.mark.parametrize(
    "line", ["view FILE -o DIR/x.png", "fits FILE --outdir DIR", "set FILE exposure.nresultants=5 -o DIR/y.asdf"]
)
def test_tools_take_names_that_are_no_utf_8(line, odd, monkeypatch):
    name, *words = line.split()
    image = odd("cal")
    places = {"FILE": str(image)}
    with piped(monkeypatch, b""):
        assert tool(name, *(places.get(word, word.replace("DIR", str(image.parent))) for word in words)) == 0


def test_paths_of_outputs_are_printed_as_the_bytes_that_they_are(odd, tmp_path):
    image = odd("cal")
    code = "import sys; from rtools.commands.cut import main; main()"
    words = [image, "--section", "0:50,0:50", "--outdir", tmp_path / "cut"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, env={**os.environ, "LC_ALL": "C"})
    assert done.stdout == os.fsencode(tmp_path / "cut" / image.name) + b"\n"


# -- names inside files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/escaped", "..", "a/b", "a\0b"])
def test_a_product_name_that_leads_out_of_the_directory_is_refused(name, product, tmp_path, capsys):
    members = [{"expname": str(product("cal")), "exptype": "science"}]
    path = tmp_path / "x_asn.json"
    path.write_text(json.dumps({"products": [{"name": name, "members": members}]}))
    assert tool("run", path, "--outdir", tmp_path / "a" / "b") == 3
    assert "a name without directories is expected" in capsys.readouterr().err
    assert list(tmp_path.rglob("*_coadd.asdf")) == []
    assert tool("asn", "--check", path) == 1
    assert tool("asn", product("cal"), "--product-name", name) == 2


def test_a_catalog_that_an_image_names_is_looked_for_beside_it_only(tmp_path):
    (tmp_path / "elsewhere.parquet").write_text("")
    (tmp_path / "images").mkdir()
    image = tmp_path / "images" / "x_cal.asdf"
    named = {"source_catalog": {"tweakreg_catalog_name": "../elsewhere.parquet"}}
    assert catalog_path(image, named) is None
    (tmp_path / "images" / "elsewhere.parquet").write_text("")
    assert catalog_path(image, named) == tmp_path / "images" / "elsewhere.parquet"


# -- a status of 0 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["catalog", "tweakreg"])
def test_a_saturated_exposure_has_no_catalog_and_the_status_says_so(name, drowned, tmp_path, capsys):
    refcat = ("--refcat", "gaia") if name == "tweakreg" else ()
    assert tool(name, drowned[1], *refcat, "--outdir", tmp_path / "out") == 3
    assert "every science pixel is saturated: there is no image" in capsys.readouterr().err
    assert list(tmp_path.rglob("*.*")) == []


# -- pipes that are named as files ------------------------------------------------------------------------------------


@pytest.fixture
def pipe(tmp_path):
    """``pipe(path)``: the name of a pipe from which a file can be read once."""
    writers = []

    def make(path):
        name = tmp_path / f"pipe{len(writers)}"
        os.mkfifo(name)
        writers.append(threading.Thread(target=name.write_bytes, args=(Path(path).read_bytes(),), daemon=True))
        writers[-1].start()
        return name

    yield make
    for writer in writers:
        writer.join(10)


@pytest.mark.parametrize("line", ["stat --array data FILE", "info FILE", "validate FILE --quick", "diff FILE FILE2"])
def test_a_pipe_is_read_as_a_file(line, pipe, product, capsys):
    places = (
        {"FILE": pipe(product("cal")), "FILE2": pipe(product("cal"))} if "2" in line else {"FILE": pipe(product("cal"))}
    )
    name, *words = line.split()
    assert tool(name, *(places.get(word, word) for word in words)) == 0


def test_products_of_pipes_are_called_as_these_call_themselves(pipe, product, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert tool("flux", pipe(product("cal")), "-q") == 0
    assert capsys.readouterr().out == f"{product('cal').name.replace('_cal', '_flux')}\n"


def test_an_association_in_a_pipe_has_its_members_in_the_working_directory(
    pipe, product, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x_cal.asdf").write_bytes(Path(product("cal")).read_bytes())
    (tmp_path / "list").write_text(json.dumps({"products": [{"name": "f", "members": [{"expname": "x_cal.asdf"}]}]}))
    assert tool("asn", "--members", pipe("list")) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'x_cal.asdf'}\n"
    assert tool("run", pipe("list"), "--skip", "catalog", "-q") == 0
    assert (tmp_path / "f_coadd.asdf").exists()


def test_options_take_pipes_and_errors_name_them(pipe, product, tmp_path, capsys):
    listing = tmp_path / "list"
    listing.write_text(f"{product('cal')}\n")
    assert tool("get", "product_type", f"@{pipe(listing)}") == 0
    config = tmp_path / "config"
    config.write_text('array = ["data"]')
    assert tool("stat", product("cal"), "--config", pipe(config)) == 0
    segments = pipe(product("cal").with_name(product("cal").name.replace("_cal", "_segm")))
    out = ("-o", tmp_path / "f_cat.parquet", "-q")
    assert tool("catalog", product("cal"), "--forced-segmentation", segments, *out) == 0
    wrong = pipe(listing)
    assert tool("catalog", product("cal"), "--ref", f"epsf={wrong}", *out, "--overwrite") == 3
    assert f"{wrong}: not an ASDF file" in capsys.readouterr().err
