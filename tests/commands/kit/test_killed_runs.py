"""What `kill -9` leaves: it is removed by the next run, for its names say whose it is; companions are replaced."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rtools.products.io import temporary
from rtools.products.io.staging import Stage
from tests.support.places import ROOT
from tests.support.runs import PRODUCTS, copied, listing, same, tool

pytestmark = pytest.mark.slow

CODE = "from rtools.commands.rt import main; main()"
HANG = """
import os, signal, sys
from rtools.products.io import staging
left = int(sys.argv.pop(1))
commit = staging.Stage.commit

def killed(stage):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return commit(stage)

staging.Stage.commit = killed
"""
"""A process that is killed when it gives the file of this number its name."""


def start(code, *words):
    settings = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", code, *map(str, words)], env=settings, stderr=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)  # fmt: skip


def unfinished(folder):
    return [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.fixture(autouse=True)
def as_a_new_process(monkeypatch):
    """Directories are looked through once in a process, and each run here stands for one."""
    monkeypatch.setattr(temporary, "_swept", set())


def left_behind(folder, name="x_cal.asdf", directory=False):
    """What a process leaves that writes a product and is killed."""
    code = (
        "import os, signal, sys; from pathlib import Path; from rtools.products.io import temporary\n"
        "path = temporary.name_beside(Path(sys.argv[1]))\n"
        "(path / 'inside').mkdir(parents=True) if sys.argv[2] == 'True' else path.write_text('half')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    process = start(code, folder / name, directory)
    assert process.wait() == -signal.SIGKILL, process.stderr.read()
    (left,) = unfinished(folder)
    return left


@pytest.mark.parametrize("directory", [False, True])
def test_leftovers_of_a_killed_process_are_removed_and_told(product, directory, tmp_path, capsys):
    left = left_behind(tmp_path, directory=directory)
    assert tool("cut", product("cal"), "--section", "10:40,20:60", "--outdir", tmp_path) == 0
    said = capsys.readouterr().err
    assert str(left) in said and "killed" in said and "removed" in said
    assert not unfinished(tmp_path)


def test_what_others_write_stays(product, tmp_path, capsys):
    """Files of a process that lives, and of another host, whose processes cannot be seen; the latter are named."""
    mine = Stage(tmp_path / "a.asdf").temporary
    mine.write_text("half")
    with temporary.directory(tmp_path) as folder:
        other = tmp_path / mine.name.replace(temporary._host(), "elsewhere.edu")
        other.write_text("half")
        temporary._swept.clear()
        assert tool("cut", product("cal"), "--section", "10:40,20:60", "--outdir", tmp_path) == 0
        assert {path.name for path in unfinished(tmp_path)} == {mine.name, other.name, Path(folder).name}
    said = capsys.readouterr().err
    assert str(other) in said and "other hosts" in said
    assert str(mine) not in said


def test_a_process_number_that_came_again_is_another_process(tmp_path):
    mine = Stage(tmp_path / "a.asdf").temporary
    pid, began = os.getpid(), temporary._start_of(os.getpid())
    if began is None:
        pytest.skip("this system does not tell when a process began")
    mine.with_name(mine.name.replace(f"-{pid}-{began}-", f"-{pid}-{began - 1}-")).write_text("half")
    temporary._swept.clear()
    temporary.sweep(tmp_path)
    assert not unfinished(tmp_path)


def test_names_of_any_length_and_kind_of_host(tmp_path, monkeypatch):
    for host in ("n", "a-very-long.name." * 9, "ß 1"):
        monkeypatch.setattr(os, "uname", lambda host=host: os.uname_result(("", host, "", "", "")))
        temporary._host.cache_clear()
        path = temporary.name_beside(tmp_path / ("ü" * 110 + "_cal.asdf"))
        assert temporary.OWNER.match(path.name)["host"] == temporary._host()
        path.write_text("it can be written")
    monkeypatch.undo()
    temporary._host.cache_clear()


def test_a_tree_that_was_to_be_replaced_gets_its_name_again(tmp_path):
    """A HATS tree goes out of the way of its successor for a moment; the kill comes then."""
    left = left_behind(tmp_path, "stars", directory=True)
    old = left.with_name(left.name.replace(".tmp", ".old"))
    shutil.copytree(left, old)
    temporary._swept.clear()
    temporary.sweep(tmp_path)
    assert (tmp_path / "stars" / "inside").is_dir()
    assert not unfinished(tmp_path)


def killed_run(raw, folder, commits):
    """``rt-run`` that is killed after so many products have their names."""
    process = start(HANG + CODE, commits, "run", raw, "--outdir", folder, "-q")
    assert process.wait() == -signal.SIGKILL, process.stderr.read()


def test_after_a_kill_between_companions_and_main_product_the_same_command_works(product, tmp_path, capsys):
    source = copied(product("flat"), tmp_path / "in", "x_flat.asdf")
    out = tmp_path / "out"
    killed_run(source, out, 2)
    named = [path.name for path in out.iterdir() if not path.name.startswith(".")]
    assert sorted(named) == ["x_cat.parquet", "x_segm.asdf"]
    assert len(unfinished(out)) == 2
    other = copied(product("flat"), tmp_path / "other", "x_flat.asdf")
    before = listing(out)
    assert tool("run", other, "--outdir", out, "-q") == 1, "of another input"
    assert tool("catalog", source, "--outdir", out, "-q") == 1, "of another tool"
    assert listing(out) == before
    capsys.readouterr()
    assert tool("run", source, "--outdir", out) == 0
    said = capsys.readouterr().err
    assert "cut off" in said and "x_segm.asdf" in said
    assert sorted(listing(out)) == sorted(f"x_{end}" for end in PRODUCTS)
    assert all(same(out / "x_cal.asdf", product("cal"), "data", "dq").values())
    (out / "x_cal.asdf").unlink()
    (out / "x_segm.asdf").write_text("a file of the user")
    assert tool("run", source, "--outdir", out, "-q") == 1
