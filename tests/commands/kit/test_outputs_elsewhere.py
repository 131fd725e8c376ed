"""Outputs that lie elsewhere: made here, sent when they are whole, kept here where they do not get there."""

import tempfile

import click
import pytest

from rtools.commands.kit import entry
from rtools.commands.kit.console import Console
from rtools.commands.kit.sending import made_here, send_made
from rtools.commands.kit.tools import command_of, tool_names
from rtools.commands.kit.written import Written, WrittenPlace, written_options
from rtools.errors import RtoolsError
from rtools.remote import faults
from tests.support.kit import run
from tests.support.runs import meta

pytest.importorskip("aiohttp")
pytestmark = pytest.mark.slow


def test_outputs_are_sent_when_they_are_whole(web, memory, product, capsys, tmp_path):
    path = product("cal")
    line = ("--section", "10:40,20:60")
    assert run("cut", path, *line, "-o", "memory://b/d/part_cal.asdf") == 0
    assert capsys.readouterr().out == "memory://b/d/part_cal.asdf\n"
    assert list(memory) == ["/b/d/part_cal.asdf"]
    (tmp_path / "back_cal.asdf").write_bytes(memory["/b/d/part_cal.asdf"].getvalue())
    assert run("cut", path, *line, "-o", tmp_path / "here_cal.asdf") == 0
    assert run("diff", tmp_path / "back_cal.asdf", tmp_path / "here_cal.asdf", "--ignore", "rtools") in (0, 1)
    assert meta(tmp_path / "back_cal.asdf")["filename"] == "part_cal.asdf"
    before = memory["/b/d/part_cal.asdf"].getvalue()
    capsys.readouterr()
    assert run("cut", path, *line, "-o", "memory://b/d/part_cal.asdf") == 1
    assert capsys.readouterr().err.endswith("memory://b/d/part_cal.asdf: exists already; --overwrite replaces it\n")
    assert memory["/b/d/part_cal.asdf"].getvalue() == before
    assert run("cut", path, *line, "-o", "memory://b/d/part_cal.asdf", "--overwrite") == 0


def test_products_of_a_run_are_sent(web, memory, raw, capsys):
    assert run("run", web.add(raw), "--until", "dqinit", "--outdir", "memory://b/out") == 0
    made = capsys.readouterr().out.strip()
    assert made.startswith("memory://b/out/") and list(memory) == [f"/{made.removeprefix('memory://')}"]
    assert run("run", web.add(raw), "--until", "dqinit", "--outdir", "memory://b/out") == 1
    assert "exists already" in capsys.readouterr().err
    assert run("run", web.add(raw), "--until", "dqinit", "--outdir", "memory://b/out", "--resume") == 2


def test_an_output_that_does_not_get_there_is_a_failure(memory, product, monkeypatch, capsys, tmp_path):
    from fsspec.implementations.memory import MemoryFileSystem

    def gone(*_words, **_more):
        raise ConnectionResetError("gone")

    monkeypatch.setattr(MemoryFileSystem, "put_file", gone)
    monkeypatch.setattr(faults, "PAUSE", 0.01)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert run("cut", product("cal"), "--section", "1:9,1:9", "-o", "memory://b/x_cal.asdf") == 1
    printed = capsys.readouterr()
    (kept,) = tmp_path.glob("rtools-unsent-*/x_cal.asdf")
    assert printed.out == "" and not memory
    assert printed.err == f"rt-cut: memory://b/x_cal.asdf: cannot be written (gone); it is kept as {kept}\n"


def two_places():
    """Two files made for two directories of a bucket, as rt-run --mosaic makes them; they are still to be sent."""
    asked = click.Command("x", params=[click.Option(["-o", "--output"], type=Written("asdf")),
                                       click.Option(["--outdir"], type=WrittenPlace())])  # fmt: skip
    context = click.Context(asked, obj=Console("x", 0, False))
    with context.scope(cleanup=False):
        options = made_here(context, {"output": "memory://b/m/x.asdf", "outdir": "memory://b/cal"})
    for path in (options["output"], f"{options['outdir']}/y.asdf"):
        with open(path, "w") as file:
            file.write("x")
    return context


def test_mosaic_and_exposures_that_go_to_two_places_are_both_sent(memory, product, capsys):
    """The directory that was named first was forgotten, and its products were lost."""
    with two_places():
        send_made()
    assert sorted(memory) == ["/b/cal/y.asdf", "/b/m/x.asdf"]


def test_where_one_of_two_places_takes_nothing_the_other_gets_its_products(memory, monkeypatch, capsys, tmp_path):
    from rtools.remote import server

    send = server.send
    refused = RtoolsError("gone")

    def sent(path, url):
        if "/m/" in url:
            raise refused
        send(path, url)

    monkeypatch.setattr(server, "send", sent)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with two_places(), pytest.raises(RtoolsError, match="gone"):
        send_made()
    assert list(memory) == ["/b/cal/y.asdf"]
    assert list(tmp_path.glob("rtools-unsent-*/x.asdf"))


def test_products_that_are_whole_are_kept_when_a_run_is_interrupted(memory, monkeypatch, capsys, tmp_path):
    """They went with the temporary directory."""
    from rtools.commands.kit import tool as kit

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def interrupted(_console, output):
        with open(output, "w") as file:
            file.write("x")
        raise KeyboardInterrupt

    asked = kit.tool("rt-x", summary="X.", examples=())(
        click.option("-o", "--output", type=Written("asdf"), metavar="FILE")(interrupted)
    )
    assert entry.run(asked, ["-o", "memory://b/x.asdf"]) == 130
    (kept,) = tmp_path.glob("rtools-unsent-*/x.asdf")
    assert f"memory://b/x.asdf: not sent; it is kept as {kept}" in capsys.readouterr().err
    assert not memory


def test_products_that_are_whole_are_kept_when_a_run_was_killed(memory, monkeypatch, caplog, tmp_path):
    """The next command removed them with all that was not finished."""
    from rtools.products.io import temporary

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    context = two_places()
    with context.scope(cleanup=False):
        send_made()  # x and y are there; z is not
    (folder,) = [one for one in tmp_path.iterdir() if (one / "y.asdf").exists()]
    (folder / "z.asdf").write_text("z")
    (folder / ".w.asdf.tmp").write_text("not whole")
    (folder / "stands.asdf").touch()
    monkeypatch.setattr(temporary, "_is_gone", lambda _pid, _start: True)
    temporary.sweep(tmp_path, again=True)
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("rtools-unsent-")
    assert {path.name: path.read_text() for path in kept.iterdir()} == {"z.asdf": "z"}
    assert f"memory://b/cal/z.asdf: not sent, of a run that was killed: kept in {kept}" in caplog.text


@pytest.mark.parametrize("line", ["URL", "@list.txt", "HERE --ref mask=URL", "HERE --config URL"])
def test_no_rules_are_written_of_what_lies_elsewhere(line, raw, capsys, tmp_path, monkeypatch):
    """Make and its like look for files here alone, and a copy may go."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("https://h/d/x_uncal.asdf\n")
    words = line.replace("URL", "https://h/d/x_uncal.asdf").replace("HERE", str(raw)).split()
    assert run("run", *words, "--emit", "make", "rules") in (2, 3)
    printed = capsys.readouterr().err
    assert "https://h/d/x_uncal.asdf" in printed and printed.count("\n") == 1
    assert not (tmp_path / "rules").exists()


@pytest.mark.parametrize("line", [
    "run RAW --emit make s3://b/rules", "run RAW --log-json s3://b/log", "ls . --moc s3://b/moc.fits",
    "refs make s3://b/refs --detector WFI01", "refs lock s3://b/refs", "refs fetch RAW --to s3://b/refs",
    "run RAW --report s3://b/page",
])  # fmt: skip
def test_what_is_written_here_only_is_refused_elsewhere(line, raw, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*line.replace("RAW", str(raw)).split()) == 2
    printed = capsys.readouterr()
    assert "it is written here only; name a file here" in printed.err
    assert not list(tmp_path.iterdir())


def test_every_option_that_names_an_output_says_so():
    """By its type it is known that its file is not fetched."""
    for name in tool_names():
        command = command_of(name)
        for one in (command, *getattr(command, "commands", {}).values()):
            told = {param.name for param in one.params if str(getattr(param, "help", "")).startswith("Write ")
                    and any(word in str(param.metavar) for word in ("FILE", "DIR", "OUT"))}  # fmt: skip
            told |= {param.name for param in one.params} & {"output", "outdir", "log_json", "emit"}
            assert told <= written_options(one), one.name
