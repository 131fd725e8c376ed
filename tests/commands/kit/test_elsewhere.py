"""Files that lie elsewhere, named where a tool takes the name of a file."""

import json
import re
import shutil
import subprocess
import sys

import click
import pytest

from rtools.commands.kit.elsewhere import IN_PARTS, brought
from rtools.remote import parts
from tests.support.kit import run, words
from tests.support.places import ROOT
from tests.support.runs import arrays, done, history, meta
from tests.support.share import some_long

pytest.importorskip("aiohttp")
pytestmark = pytest.mark.slow

LOOKS = {
    "info": ("cal", "FILE"),
    "get": ("cal", "exposure.type FILE"),
    "stat": ("cal", "FILE --section 10:40,20:60"),
    "history": ("cal", "FILE --json"),
    "validate": ("cal", "FILE --quick"),
    "diff": ("cal", "FILE FILE"),
    "table": ("catalog", "FILE --head 3"),
    "refs": ("uncal", "check FILE --builtin"),
    "refcat": ("catalog", "info FILE"),
    "point": ("cal", "--summary FILE"),
    "skymap": ("cal", "FILE"),
    "gw info": ("gw", "FILE"),
}
"""Tool to what it is shown, and a command line that prints."""

MAKES = {
    "cut": ("cal", "FILE --section 10:40,20:60 --outdir DIR"),
    "fits": ("cal", "FILE --outdir DIR --sip-error none"),
    "dq": ("cal", "FILE --mask JUMP_DET -o DIR/out.asdf"),
    "point": ("cal", "FILE --quaternion 0 0 0 1 --outdir DIR"),
    "dqinit": ("uncal", "FILE --outdir DIR"),
    "table": ("catalog", "FILE -o DIR/out.ecsv"),
    "report": ("cal", "FILE -o DIR/page.html"),
}
"""Tool to what it takes, and a command line that writes a file."""

JWST = {"info": "FILE", "get": "meta.instrument.name FILE", "stat": "FILE --section 10:20,10:20"}


def input_of(kind, product, others):
    return others[kind] if kind in others else product(kind)


def said(capsys, path, name):
    """What was printed, with the same name for the file in both places."""
    printed = capsys.readouterr()
    return printed.out.replace(str(path), name), printed.err


@pytest.mark.parametrize("name", some_long(LOOKS, 5))
def test_tools_look_at_what_lies_elsewhere(name, web, product, others, tmp_path, capsys):
    kind, line = LOOKS[name]
    path = input_of(kind, product, others)
    url = web.add(path)
    here = run(name, *words(line, path, tmp_path)), *said(capsys, path, url)
    there = run(name, *words(line, f"{url}?sig=SECRET", tmp_path)), *said(capsys, path, url)
    if name != "history":  # a directory of the web is none to type a command in
        assert there == here
    assert there[0] == 0
    assert "SECRET" not in there[1] + there[2] and str(tmp_path) not in there[1] + there[2]


@pytest.mark.parametrize("name", MAKES)
def test_tools_make_of_what_lies_elsewhere_what_they_make_here(name, web, product, others, tmp_path, capsys):
    kind, line = MAKES[name]
    path = input_of(kind, product, others)
    url = web.add(path)
    assert run(name, *words(line, path, tmp_path / "a")) == 0
    capsys.readouterr()
    assert run(name, *words(line, f"{url}?sig=SECRET", tmp_path / "b")) == 0
    printed = capsys.readouterr()
    made, wanted = (sorted(one.name for one in (tmp_path / place).iterdir()) for place in "ba")
    assert made == wanted
    for one in (tmp_path / "b").iterdir():
        data = one.read_bytes()
        assert b"SECRET" not in data and b"copies" not in data, one
        assert (
            not one.name.startswith("r0")
            or one.suffix != ".asdf"
            or arrays(one).keys() == arrays(tmp_path / "a" / one.name).keys()
        )
    assert "SECRET" not in printed.out + printed.err and "copies" not in printed.out + printed.err


@pytest.mark.parametrize("name", JWST)
def test_tools_look_at_files_of_jwst_elsewhere(name, web, others, tmp_path, capsys):
    path = others["jwst_rate"]
    url = web.add(path)
    here = run(name, *words(JWST[name], path, tmp_path)), *said(capsys, path, url)
    assert (run(name, *words(JWST[name], url, tmp_path)), *said(capsys, path, url)) == here
    assert here[0] == 0


def test_the_page_names_the_tools_that_fetch_parts():
    page = (ROOT / "docs" / "remote.md").read_text()
    said = page.partition("## What is fetched")[2].partition(", which read")[0]
    assert set(re.findall(r"rt-\w+", said)) == set(IN_PARTS)


def test_a_section_is_fetched_not_the_file(web, tmp_path, capsys):
    done(
        "sim", "r0000101001001001001_0001_wfi01_f158_uncal.asdf", "--size", 1024, "--no-truth", "--read-pattern", "1;2"
    )
    path = next(tmp_path.glob("here/*_uncal.asdf"))
    url, size = web.add(path), path.stat().st_size
    for line, most in (("FILE", 8), ("FILE --section 500:510,500:510", 20)):
        web.sent = 0
        shutil.rmtree(tmp_path / "copies", ignore_errors=True)
        assert run("stat" if "--" in line else "info", *words(line, url, tmp_path)) == 0
        assert web.sent < most * parts.GRAIN < size / 4


def test_a_run_says_in_its_products_where_its_input_lies(web, raw, capsys):
    url = web.add(raw)
    assert run("run", f"{url}?token=SECRET", "--until", "dqinit", "-v", "--log-json", "log.json") == 0
    printed = capsys.readouterr()
    made = printed.out.split()[-1]
    assert made == raw.name.replace("_uncal", "_dqinit") or "/" not in made
    assert history(made)[-1]["inputs"] == [url]
    with open("log.json") as log:
        assert json.loads(log.read())["input"] == url
    job = meta(made)["rtools"]["job"]
    assert [one["file"] for one in job["inputs"]] == [url]
    assert run("run", f"{url}?token=OTHER", "--until", "dqinit", "--resume") == 0
    assert "1 of 1 up to date" in capsys.readouterr().err
    assert run("history", made) == 0
    assert url in capsys.readouterr().out


def test_history_of_a_product_elsewhere_names_files_here_and_there(web, memory, raw, capsys, tmp_path):
    """An absolute path leads here, not below the bucket; what lies beside the product there is named there."""
    done("refs", "make", tmp_path / "refs", "--detector", "WFI01", "--types", "mask", "--size", 256)
    mask = next((tmp_path / "refs").glob("*mask*.asdf"))
    line = ("--until", "dqinit", "--ref", f"mask={mask}")
    assert run("run", raw, *line, "--outdir", "memory://b/out") == 0
    product = capsys.readouterr().out.split()[-1]
    assert run("history", product) == 0
    told = capsys.readouterr().out
    assert f"rt-run {raw} " in told and f"--ref=mask={mask}" in told
    assert run("history", "--verify", product) == 0, capsys.readouterr().err
    shutil.copy(raw, "raw.asdf")
    shutil.copy(mask, "mask.asdf")
    assert run("run", "raw.asdf", "--until", "dqinit", "--ref", "mask=mask.asdf", "-o", "made_dqinit.asdf") == 0
    url = web.add(tmp_path / "here" / "made_dqinit.asdf")
    capsys.readouterr()
    assert run("history", url) == 0
    told = capsys.readouterr().out
    assert f"rt-run {web.address}/d/raw.asdf " in told and f"--ref=mask={web.address}/d/mask.asdf" in told


def test_history_asks_for_inputs_elsewhere_only_to_verify_and_says_which_changed(web, raw, product, capsys, tmp_path):
    url = web.add(raw)
    assert run("run", url, "--until", "dqinit", "-q") == 0
    made, asked = capsys.readouterr().out.strip(), len(web.requests)
    assert run("history", made) == 0
    assert len(web.requests) == asked
    assert run("history", "--verify", made) == 0, capsys.readouterr().err
    other = shutil.copy(raw, tmp_path / "other.asdf")
    done("set", other, "meta.exposure.start_time=2027-01-02T00:00:00.000", "--in-place")
    web.files[f"/d/{raw.name}"] = tmp_path / "other.asdf"
    capsys.readouterr()
    assert run("history", "--verify", made) == 1
    assert f"; {url} has changed since\n" in capsys.readouterr().out


def test_what_cannot_be_fetched_does_not_stop_the_others(web, product, capsys):
    path = product("cal")
    urls = f"{web.address}/d/lost_cal.asdf", web.add(path)
    assert run("info", *urls, "--json") == 3
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["file"], first["error"], first["exit_code"]) == (urls[0], "no such file", 3)
    assert second["file"] == urls[1] and second["status"] == "done"


@pytest.mark.parametrize("status, words", [(403, "denied (403)"), (404, "no such file")])
@pytest.mark.parametrize("name", ["info", "rampfit", "table"])
def test_what_is_denied_is_an_input_that_cannot_be_read(name, status, words, web, tmp_path, capsys):
    web.status = status
    url = f"{web.address}/d/x_cal.asdf"
    assert run(name, url) == 3
    assert capsys.readouterr().err.splitlines() == [f"rt-{name}: {url}: {words}"]


def test_lists_and_options_name_files_elsewhere(web, raw, capsys, tmp_path):
    done("refs", "make", tmp_path / "refs", "--detector", "WFI01", "--types", "mask", "--size", 256)
    mask = next((tmp_path / "refs").glob("*mask*.asdf"))
    capsys.readouterr()
    (tmp_path / "list.txt").write_text(web.add(raw) + "\n")
    web.files["/d/list.txt"] = tmp_path / "list.txt"
    assert run("dqinit", f"@{web.address}/d/list.txt", "--ref", f"mask={web.add(mask)}", "--outdir", ".") == 0
    made = capsys.readouterr().out.strip()
    assert f"--ref=mask={web.address}/d/{mask.name}" in meta(made)["rtools"]["job"]["arguments"]


def test_members_of_an_association_are_found_beside_it(web, raw, capsys, tmp_path):
    asn = tmp_path / "field_asn.json"
    member = {"expname": raw.name, "exptype": "science"}
    content = {"asn_id": "a1", "asn_pool": "none", "products": [{"name": "field", "members": [member]}]}
    content |= {"asn_type": "image", "asn_rule": "x", "program": "00001", "target": "d001"}
    asn.write_text(json.dumps(content))
    url = web.add(raw)
    assert run("run", f"{web.add(asn)}?sig=S", "--until", "dqinit") == 0, capsys.readouterr().err
    made = capsys.readouterr().out.strip()
    assert meta(made)["rtools"]["job"]["inputs"][0]["file"] == url
    del web.files[f"/d/{raw.name}"]
    assert run("run", web.add(asn), "--until", "dqinit", "--outdir", "none") == 3
    assert capsys.readouterr().err == f"rt-run: {url}: no such file\n"


def test_nothing_is_written_to_the_web(web, product, capsys):
    url = f"{web.address}/d/out_cal.asdf"
    assert run("cut", product("cal"), "--section", "1:9,1:9", "-o", f"{url}?sig=SECRET") == 2
    assert capsys.readouterr().err == f"rt-cut: -o {url}: nothing is written to the web; s3:// and gs:// take files\n"
    assert run("set", web.add(product("cal")), "meta.exposure.nresultants=5", "--in-place") == 2


def test_nothing_of_it_is_loaded_where_no_such_name_is_given(product):
    code = f"""if True:
        import sys
        from rtools.commands.kit import entry
        from rtools.commands.kit.tools import command_of
        assert entry.run(command_of("info"), [{str(product("cal"))!r}]) == 0
        assert not [name for name in ("fsspec", "aiohttp", "rtools.remote.cache", "rtools.remote.server")
                    if name in sys.modules]"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_the_address_of_a_server_is_no_file():
    asked = click.Command("rt-refs fetch", params=[click.Option(["--server"], metavar="URL")])
    assert brought(click.Context(asked), {"server": "https://crds.example"}) == {"server": "https://crds.example"}


def test_a_missing_driver_is_told_with_its_remedy(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert run("info", "https://h/x.asdf") == 1
    assert capsys.readouterr().err == (
        "rt-info: https:// needs fsspec and aiohttp; pip install 'roman-rtools[cloud]'\n"
    )
