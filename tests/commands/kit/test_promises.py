"""Promises that every tool keeps, one parametrised test each."""

import re
import resource
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from importlib import metadata

import pytest

from rtools.commands.kit.tools import command_of, groups, summary_of, tool_names
from rtools.commands.kit.written import Written
from rtools.products.making import history_of_file, job_of
from rtools.products.names.extensions import EXTENSIONS, form_of_name
from tests.support.kit import (
    ALL,
    CASES,
    EDITS,
    NAME,
    READS,
    TOOLS,
    WRITERS,
    WRONG,
    Terminal,
    broken_pipe,
    command_called,
    full_device,
    has,
    limited,
    run,
    stdout_to,
    words,
)
from tests.support.runs import listing, piped

HEAVY = ("numba", "scipy", "asdf", "astropy", "gwcs", "matplotlib", "pyarrow")

every_tool = pytest.mark.parametrize("name", ALL)
every_line = pytest.mark.parametrize(("name", "line"), CASES)
every_reader = pytest.mark.parametrize(("name", "line"), READS)
every_writer = pytest.mark.parametrize(("name", "line"), WRITERS)


@pytest.fixture
def out(tmp_path):
    """An empty directory for outputs."""
    directory = tmp_path / "out"
    directory.mkdir()
    return directory


def one_line(text, name):
    """The only line of an error message, which begins with the tool's name and its subcommand."""
    (line,) = text.splitlines()
    assert re.match(rf"rt-{name}( [a-z-]+)?: ", line)
    return line


# --- help, version, usage -------------------------------------------------------------------------------------------


@every_tool
def test_help_begins_with_usage_and_two_examples(name, capsys):
    assert run(name, "--help") == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: rt-{name}")
    before_options = text.split("Options:")[0]
    assert before_options.split("Examples:")[1].count(f"rt-{name}") >= 2


HELP = """
import os, sys
from rtools.commands import rt; from rtools.commands.kit import entry
before = sum(os.times()[:2])
for name in map(str.strip, sys.stdin):
    if os.fork():
        os.wait()
        print("end", file=sys.stderr)
        continue
    try:
        status = rt.main(["--help"]) if name == "rt" else entry.run(rt.command_of(name), ["--help"])
    except SystemExit as end:
        status = end.code
    sys.stdout.flush()
    print(status, before + sum(os.times()[:2]), *sys.modules, file=sys.stderr)
    os._exit(0)
"""
"""A process that has loaded what every tool begins with, and prints the help of each in a copy of itself."""


@contextmanager
def printing_helps():
    """A process of `HELP`."""
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HELP], text=True, **streams) as process:
        yield process
        process.stdin.close()


@pytest.fixture(scope="module")
def told_help():
    """``told_help(name)``: status, seconds of the processor since the interpreter began, and what was loaded."""
    with ExitStack() as stack:
        processes = []

        def ask(name, anew=False):
            if anew or not processes:
                processes.append(stack.enter_context(printing_helps()))
            print(name, file=processes[-1].stdin, flush=True)
            told = "".join(iter(processes[-1].stderr.readline, "end\n"))
            assert "Traceback" not in told, told
            status, seconds, *loaded = told.split()
            return status, float(seconds), set(loaded)

        yield ask


@pytest.mark.parametrize("name", [*TOOLS, "rt"])
def test_help_takes_less_than_0_3_s_and_loads_nothing_heavy(name, told_help):
    took = []
    while not took or (min(took) >= 0.3 and len(took) < 4):
        status, seconds, loaded = told_help(name, anew=bool(took))
        assert status == "0"
        assert not set(HEAVY) & loaded
        took.append(seconds)  # of the processor: others may be at work on this machine
    assert min(took) < 0.3


def test_the_list_of_tools_has_the_sentence_of_each():
    assert {name: summary_of(name) for name in TOOLS} == {name: command_of(name).short_help for name in TOOLS}


@every_tool
def test_version_names_the_tool(name, capsys):
    assert run(name, "-V") == 0
    assert capsys.readouterr().out.startswith(f"rt-{name} (rtools)")


@every_tool
def test_unknown_option_is_a_usage_error_that_names_the_nearest(name, capsys):
    assert run(name, "--versoin") == 2
    line = one_line(capsys.readouterr().err, name)
    assert "--versoin" in line
    assert "--version" in line.replace("--versoin", "")


@every_tool
def test_no_arguments_at_a_terminal_print_help_on_stderr(name, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert run(name) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"Usage: rt-{name}")


@every_tool
def test_no_arguments_in_a_pipe_print_help_too_unless_names_are_read(name, capsys, monkeypatch):
    with piped(monkeypatch, f"{NAME}\n".encode()) as printed:
        status = run(name)
    assert status == (0 if name == "name" else 2)
    assert printed.getvalue().decode().startswith(NAME if name == "name" else "")
    assert capsys.readouterr().err.startswith("" if name == "name" else f"Usage: rt-{name}")


def test_tools_and_scripts_are_the_same():
    scripts = {script.name for script in metadata.distribution("roman-rtools").entry_points}
    assert scripts == {"rt", *(f"rt-{name}" for name in tool_names())}
    assert sorted(name for names in groups().values() for name in names) == sorted(tool_names())


# --- inputs ---------------------------------------------------------------------------------------------------------


@every_reader
def test_missing_file_is_exit_3_and_one_line(name, line, tmp_path, out, capsys):
    missing = tmp_path / "none_uncal.asdf"
    assert run(name, *words(line, missing, out)) == 3
    captured = capsys.readouterr()
    assert captured.out == "" or "--json" in line
    assert f": {missing}: no such file" in one_line(captured.err, name)


@every_reader
def test_directory_for_a_file_is_exit_3(name, line, tmp_path, out, capsys):
    assert run(name, *words(line, tmp_path, out)) == 3
    assert "directory" in one_line(capsys.readouterr().err, name)


BAD_FILES = {
    "empty": b"",
    "text": b"this is no ASDF file\n" * 20,
    "binary": bytes(range(256)) * 20,
    "truncated header": b"#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n--- !core/asdf-1.1.0\nroman: {meta: {",
    "other tree": b"#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n--- \nfoo: 1\n...\n",
}


ANY_TREE = ("info", "get", "stat", "diff", "validate")
"""Tools that look at any ASDF file, whatever its tree is."""


@pytest.mark.parametrize("kind", BAD_FILES)
@every_reader
def test_bad_file_is_exit_3_one_line_and_nothing_written(name, line, kind, tmp_path, out, capsys):
    path = tmp_path / "bad_uncal.asdf"
    path.write_bytes(BAD_FILES[kind])
    if kind == "other tree" and name in ANY_TREE:
        assert run(name, *words(line, path, out)) in (0, 1)
        return
    assert run(name, *words(line, path, out)) == 3
    assert str(path) in one_line(capsys.readouterr().err, name)
    assert listing(out) == {}
    assert sorted(listing(tmp_path)) == ["bad_uncal.asdf", "out"]


HEADER_ONLY = ("info", "get")
"""Tools that read no pixels: they may not notice that some are missing."""


@every_reader
def test_truncated_file_is_refused_in_one_line_and_nothing_written(name, line, taken, tmp_path, out, capsys):
    source = taken(name, line)
    path = tmp_path / source.name
    path.write_bytes(source.read_bytes()[: -source.stat().st_size // 3])
    status = run(name, *words(line, path, out))
    captured = capsys.readouterr()
    if status == 0:
        assert name in HEADER_ONLY
    elif name == "validate":
        assert status in (1, 3)
    else:
        assert status == 3
        one_line(captured.err, name)
    assert listing(out) == {}


@pytest.mark.parametrize(("name", "line"), [case for case in READS if case[0] in WRONG])
def test_wrong_product_is_exit_3(name, line, product, others, out, capsys):
    kind = "cal" if "GAIN" in line else WRONG[name]
    assert run(name, *words(line, others[kind] if kind in others else product(kind), out)) == 3
    one_line(capsys.readouterr().err, name)
    assert listing(out) == {}


@every_reader
def test_non_ascii_and_spaced_paths(name, line, taken, tmp_path):
    source = taken(name, line)
    directory = tmp_path / "Ångström & ß (δ)  'x'"
    directory.mkdir()
    path = shutil.copy(source, directory / f"a b {source.name}")
    assert run(name, *words(line, path, directory / "löschbar")) == 0


@pytest.mark.parametrize(("name", "line"), [case for case in READS if case not in WRITERS])
def test_a_dash_is_standard_input(name, line, taken, out, monkeypatch):
    source = taken(name, line)
    with piped(monkeypatch, source.read_bytes()) as printed:
        status = run(name, *words(line.replace("FILE FILE", f"FILE {source}"), "-", out))
    assert status == 0
    assert printed.getvalue() or line.startswith("FILE FILE")


@pytest.mark.parametrize(("name", "line"), [case for case in WRITERS if "FILE" in case[1]])
def test_a_pipe_at_both_ends(name, line, taken, out, monkeypatch):
    source = taken(name, line)
    if not has(name, "output"):
        pytest.fail("it has no -o")
    line = re.sub(r"-o \S+|--outdir \S+", "-o -", line)
    with piped(monkeypatch, source.read_bytes()) as printed:
        assert run(name, *words(line.replace("FILE FILE", f"FILE {source}"), "-", out)) == 0
    assert printed.getvalue().startswith((b"#ASDF", b"SIMPLE", b"\x89PNG\r", b"# %ECSV", b"PAR1", b"<!doctype html>"))


@pytest.mark.parametrize(("name", "line"), [case for case in WRITERS if "FILE" in case[1]])
def test_a_terminal_gets_no_product(name, line, taken, out, monkeypatch, capsys):
    line = re.sub(r"-o \S+|--outdir \S+", "-o -", line)
    with stdout_to(monkeypatch, Terminal()) as screen:
        assert run(name, *words(line, taken(name, line), out)) == 2
        assert screen.getvalue() == ""
    assert "terminal" in one_line(capsys.readouterr().err, name)


# --- forms of outputs -----------------------------------------------------------------------------------------------

MARKS = {
    "asdf": b"#ASDF",
    "fits": b"SIMPLE",
    "parquet": b"PAR1",
    "ecsv": b"# %ECSV",
    "png": b"\x89PNG",
    "json": b"{",
    "html": b"<!doctype html>",
}
"""Form to the first bytes of its files."""


def outputs_of(name):
    """Options of a tool, or of its subcommands, that name an output: (command, option)."""
    command = command_called(name)
    commands = [command, *getattr(command, "commands", {}).values()]
    return [(one, param) for one in commands for param in one.params if isinstance(param.type, Written)]


@every_tool
def test_every_output_that_is_named_has_the_forms_that_the_tool_writes(name):
    named = {param.name for _command, param in outputs_of(name)}
    assert has(name, "output") == ("output" in named)
    assert {word for word in ("matches", "write") if has(name, word)} <= named
    assert all(set(param.type.forms) <= set(EXTENSIONS) for _command, param in outputs_of(name))


@pytest.mark.parametrize(("name", "line"), [case for case in WRITERS if has(case[0], "output")])
def test_a_name_that_says_another_form_is_exit_2_before_any_work(name, line, out, capsys):
    option = next(param for _command, param in outputs_of(name) if param.name == "output")
    line = re.sub(r"-o \S+|--outdir \S+|--format \S+", "", line)
    wrong = [endings[0] for form, endings in EXTENSIONS.items() if form not in option.type.forms]
    for extension in (*wrong, *([] if option.type.directory else ["", ".dat"])):
        assert run(name, *words(line, "nowhere.asdf", out), "-o", out / f"result{extension}") == 2
        text = one_line(capsys.readouterr().err, name)
        assert f"result{extension}: rt-{name}" in text
        assert " writes " in text
        assert EXTENSIONS[option.type.forms[0]][0] in text
        assert ("rt-fits makes" in text) == (extension == ".fits" and "asdf" in option.type.forms)
    assert listing(out) == {}


def test_no_form_lies_under_the_name_of_an_input(product, others, tmp_path, out, capsys):
    image, table = tmp_path / "x_cal.fits", tmp_path / "x_cat.asdf"
    shutil.copy(product("cal"), image)
    shutil.copy(others["catalog"], table)
    for line in (
        ("cut", image, "--section", "0:9,0:9"),
        ("set", image, "exposure.nresultants=5"),
        ("set", table, "x=1"),
        ("aberration", image),
    ):
        assert run(*line, "--outdir", out) == 2
        assert "is what would be written under this name" in one_line(capsys.readouterr().err, line[0])
    assert run("set", product("cal"), "exposure.nresultants=5", "-o", out / "x.fits") == 2
    assert run("fits", product("cal"), "-o", out / "x.asdf") == 2
    assert listing(out) == {}


def test_format_and_name_say_the_same(others, out, capsys, monkeypatch):
    line = ("table", others["catalog"], "-o", out / "x.ecsv")
    assert run(*line, "--format", "csv") == 2
    assert "--format csv is not what this name says" in one_line(capsys.readouterr().err, "table")
    monkeypatch.setenv("RT_FORMAT", "csv")
    assert run(*line) == 0
    assert (out / "x.ecsv").read_bytes().startswith(b"# %ECSV")
    assert run("table", others["catalog"], "-o", out / "y.dat") == 0


def test_a_raw_exposure_is_not_simulated_under_another_extension(out, capsys):
    for name in ("uncal.fits", "uncal", "uncal.parquet"):
        assert run("sim", out / NAME.replace("uncal.asdf", name), "--size", 256, "--no-truth") == 2
        assert "_uncal" in one_line(capsys.readouterr().err, "sim")
    assert listing(out) == {}


# --- outputs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "line"), sorted({*CASES, *WRITERS}))
def test_a_line_works_says_what_it_wrote_and_replaces_only_when_asked(name, line, taken, out, monkeypatch, capsys):
    """No escapes where there is no terminal; paths of outputs one a line; each is what its name says."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    args = words(line, taken(name, line), out)
    assert run(name, *args) == 0
    captured, made = capsys.readouterr(), listing(out)
    assert "\x1b" not in captured.out + captured.err
    if (name, line) not in WRITERS:
        return
    assert made
    assert sorted(captured.out.splitlines()) == sorted(str(path) for path in out.iterdir())
    for path in out.rglob("*.*"):
        assert path.read_bytes().startswith(MARKS[form_of_name(path)])
        if form_of_name(path) in OF_PRODUCTS:
            says_what_made_it(name, line, path, taken(name, line), capsys)
    assert run(name, *args) == 1
    text = one_line(capsys.readouterr().err, name)
    assert str(out) in text
    assert "exists" in text
    assert "--overwrite" in text
    assert listing(out) == made
    assert run(name, *args, "--overwrite") == 0
    assert listing(out).keys() == made.keys()


OF_PRODUCTS = ("asdf", "fits", "parquet", "ecsv")
"""Forms of files that say which job made them."""


def says_what_made_it(name, line, path, source, capsys):
    """A product has the record of its job, and rt-history prints the command line; an edit keeps the file's record."""
    job, edits = job_of(path), name in EDITS
    made = job_of(source)["tool"] if edits else f"rt-{name}"
    assert job["tool"].startswith(made)
    assert len(job["fingerprint"]) == 32
    read = [path.parent / one["file"] for one in job["inputs"]]
    assert bool(read) == ("FILE" in line)
    assert edits or source in [one.resolve() for one in read] or not read
    assert edits or all(one["digest"] for one in job["inputs"])
    assert run("history", path) == 0
    assert f"{made} " in capsys.readouterr().out.splitlines()[0]
    assert not edits or history_of_file(path)[-1]["tool"] == f"rt-{name}"


def errors(capsys):
    """What stands on stderr but for warnings."""
    return "\n".join(text for text in capsys.readouterr().err.splitlines() if ": warning: " not in text)


@every_writer
def test_full_disk_is_exit_1_and_leaves_nothing(name, line, taken, out, capsys):
    args = words(line, taken(name, line), out)
    with limited(resource.RLIMIT_FSIZE, 1000):
        status = run(name, *args)
    assert status == 1
    assert "file too large" in one_line(errors(capsys), name)
    assert listing(out) == {}


@every_line
def test_full_disk_behind_standard_output_is_exit_1(name, line, taken, out, monkeypatch, capsys):
    with stdout_to(monkeypatch, full_device()):
        status = run(name, *words(line, taken(name, line), out))
    if line.startswith("FILE FILE"):
        return  # says nothing where nothing differs
    assert status == 1
    assert "no space left" in one_line(errors(capsys), name)


@every_line
def test_broken_pipe_is_silent(name, line, taken, out, monkeypatch, capsys):
    with stdout_to(monkeypatch, broken_pipe()):
        status = run(name, *words(line, taken(name, line), out))
    assert errors(capsys) == ""
    assert status == (0 if line.startswith("FILE FILE") else 141)


COLOUR = re.compile(r"\x1b\[[0-9;]*\b(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])\b[0-9;]*m")


@every_line
def test_NO_COLOR_is_obeyed(name, line, taken, out, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    with stdout_to(monkeypatch, Terminal()) as screen:
        assert run(name, *words(line, taken(name, line), out)) == 0
        assert not COLOUR.search(screen.getvalue())


# --- rt -------------------------------------------------------------------------------------------------------------


def rt(*args):
    """Exit status of rt."""
    from rtools.commands import rt

    with pytest.raises(SystemExit) as end:
        rt.main(list(args))
    return end.value.code


def test_rt_lists_every_tool_by_group(capsys):
    assert rt("--help") == 0
    listed = capsys.readouterr().out
    assert all(f"rt-{name} " in listed for name in TOOLS)
    assert [line[:-1] for line in listed.splitlines() if line.endswith(":")] == [*groups(), "the installation"]
    assert rt() == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", listed)


def test_rt_takes_aliases_and_refuses_what_is_not_there(capsys):
    assert rt("darkcurrent", "--version") == 0
    assert capsys.readouterr().out.startswith("rt-dark ")
    assert rt("nosuch") == 2
    assert "tools: " in capsys.readouterr().err
    assert rt("rt-refps") == 2
    assert capsys.readouterr().err == "rt: no tool is called rt-refps; did you mean rt-refs?\n"
    assert rt("--versoin") == 2
    assert capsys.readouterr().err == "rt: no such option: --versoin; did you mean --version?\n"


def test_rt_ends_as_the_tools_do_where_nothing_can_be_written(monkeypatch, capsys):
    for stream, status in ((broken_pipe(), 141), (full_device(), 1)):
        with stdout_to(monkeypatch, stream):
            assert rt("--help") == status
    assert capsys.readouterr().err == "rt: no space left on device\n"
