"""Rules for other programs: what they need and make, and that they reach the products of the run itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rtools.commands.kit.rule_files import levels_of, write_rules
from rtools.commands.kit.rules import Rule
from rtools.errors import UsageError
from tests.support.runs import done, listing, same, simulate, tool

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two raw exposures of the same sky, a few pixels apart, in a directory whose name has a space."""
    folder = tmp_path_factory.mktemp("a pair")
    return simulate(folder, number=1), simulate(folder, "wfi01", "--ra", 270.0002, number=2)


@pytest.fixture(scope="module")
def whole(pair, tmp_path_factory):
    """Directory with what one command makes of both."""
    folder = tmp_path_factory.mktemp("whole")
    done("run", *pair, *WORDS, "--outdir", folder, "-o", folder / "field_coadd.asdf")
    return folder


WORDS = ("--mosaic", "--set", "rampfit.threshold=5", "--set", "resample.kernel=point", "--skip", "dark")


def emitted(form, pair, folder):
    """Directories of rules and of products."""
    rules, made = folder / "rules", folder / "made"
    where = ("--outdir", made, "-o", made / "field_coadd.asdf")
    done("run", *pair, *WORDS, *where, "--emit", form, rules)
    assert not made.exists()
    return rules, made


@pytest.fixture
def surroundings(quick, tmp_path):
    """Environment in which the tools are found, and whatever a test puts into the directory ``bin``."""
    (tmp_path / "bin").mkdir()
    return os.environ | {"PATH": os.pathsep.join(map(str, (tmp_path / "bin", quick, os.environ["PATH"])))}


def agree(made, whole):
    """Whether the products are those of the run itself."""
    assert sorted(listing(made)) == sorted(listing(whole))
    for path in (*whole.glob("*_cal.asdf"), whole / "field_coadd.asdf"):
        assert all(same(path, made / path.name).values()), path.name


def carried_out(path, env):
    """Carry a Makefile out as make does: what is wanted after what it needs. Only what --emit writes is understood."""
    needs, commands, target = {}, {}, None
    for line in path.read_text().splitlines():
        if line.startswith("\t"):
            commands[target] = line[1:].replace("$$", "$")
        elif ":" in line and not line.startswith(("#", ".")):
            target, _colon, rest = line.removesuffix(" ;").partition(": ")
            target, needs[target] = target, rest.replace("\\ ", "\0").split()

    def make(wanted):
        name = wanted.replace("\0", "\\ ")
        if name in needs:
            for one in needs.pop(name):
                make(one)
            if name in commands:
                subprocess.run(["sh", "-c", commands[name]], env=env, check=True)

    make("all")


@pytest.mark.long
def test_a_makefile_reaches_the_products_of_the_run(pair, whole, tmp_path, surroundings):
    rules, made = emitted("make", pair, tmp_path)
    try:
        version = subprocess.run(["make", "--version"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        version = ""
    if version.startswith("GNU Make"):
        command = ["make", "-f", rules / "Makefile", "-j", "2"]
        subprocess.run(command, env=surroundings, check=True, capture_output=True)
        again = subprocess.run(command, env=surroundings, check=True, capture_output=True, text=True)
        assert "rt-run" not in again.stdout, "what is there is not made again"
    else:
        carried_out(rules / "Makefile", surroundings)
    agree(made, whole)


SBATCH = """\
#!/bin/sh
# Carries an array out at once, task after task, and prints its number.
while [ "${1#--}" != "$1" ]; do
    case $1 in --array=1-*) last=${1#--array=1-};; --dependency=afterok:*) echo "$1" >> "$LOG";; esac
    shift
done
for task in $(seq "$last"); do SLURM_ARRAY_TASK_ID=$task "$@" >&2 || exit 1; done
echo 77
"""


def test_arrays_of_slurm_reach_the_products_of_the_run(pair, whole, tmp_path, surroundings):
    rules, made = emitted("slurm", pair, tmp_path)
    env = surroundings | {"LOG": str(tmp_path / "log")}
    (tmp_path / "bin" / "sbatch").write_text(SBATCH)
    (tmp_path / "bin" / "sbatch").chmod(0o755)
    subprocess.run([rules / "submit.sh", "--partition=day"], env=env, check=True, capture_output=True)
    assert (tmp_path / "log").read_text() == "--dependency=afterok:77\n"
    agree(made, whole)


@pytest.mark.long
def test_snakemake_reaches_the_products_of_the_run(pair, whole, tmp_path, surroundings, snakemake):
    rules, made = emitted("snakemake", pair, tmp_path)
    command = [snakemake, "-s", rules / "Snakefile", "--cores", "2", "--directory", tmp_path]
    subprocess.run(command, env=surroundings, check=True, capture_output=True)
    agree(made, whole)


def test_rules_of_a_snakefile_are_python_with_all_names(pair, tmp_path):
    rules, made = emitted("snakemake", pair, tmp_path)
    text = (rules / "Snakefile").read_text()
    assert text.count("\nrule job") == 3 and json.dumps(str(made / "field_coadd.asdf")) in text
    last = text.rpartition("\nrule ")[2]
    assert all(json.dumps(str(made / path.name.replace("uncal", "cal"))) in last for path in pair)


def test_step_tools_emit_too_and_nothing_is_overwritten(pair, tmp_path, capsys):
    done("dqinit", *pair, "--outdir", tmp_path, "--emit", "make", tmp_path)
    assert capsys.readouterr().out.split() == [str(tmp_path / "Makefile")]
    assert (tmp_path / "Makefile").read_text().count("\t") == 2
    assert tool("dqinit", *pair, "--outdir", tmp_path, "--emit", "make", tmp_path) == 1
    assert "exists already" in capsys.readouterr().err


def rule(name, inputs, outputs):
    return Rule(name, tuple(map(Path, inputs)), tuple(map(Path, outputs)), ("rt-run", *inputs), 10**9)


def test_names_that_make_and_the_shell_would_read_otherwise_stay_what_they_are(tmp_path):
    odd = [tmp_path / name for name in ("a b", "c$HOME", "d#e", "f:g", "h%i", "j'k", "l{m}")]
    rules = [Rule(f"r{n}", (), (path,), (sys.executable, "-c", "import sys; open(sys.argv[1], 'w')", str(path)), 1)
             for n, path in enumerate(odd)]  # fmt: skip
    write_rules("make", rules, tmp_path, 1)
    if shutil.which("make"):
        subprocess.run(["make", "-f", tmp_path / "Makefile"], check=True, capture_output=True)
        assert all(path.exists() for path in odd)
    write_rules("slurm", rules, tmp_path, 1)
    for path in odd:
        path.unlink(missing_ok=True)
    for number in range(1, len(odd) + 1):
        command = ["sh", tmp_path / "array.sh", tmp_path / "commands1_1.txt"]
        subprocess.run(command, env=os.environ | {"SLURM_ARRAY_TASK_ID": str(number)}, check=True)
    assert all(path.exists() for path in odd)
    with pytest.raises(UsageError, match="line feed"):
        write_rules("make", [rule("r", ["a\nb"], ["c"])], tmp_path, 1)


def test_arrays_are_no_longer_than_slurm_takes_and_wait_for_all_parts_of_the_one_before(tmp_path):
    first = [rule(f"a{n}", [], [f"/x/{n}"]) for n in range(2500)]
    last = rule("b", ["/x/1"], ["/y"])
    assert [len(group) for group in levels_of([*first, last])] == [2500, 1]
    write_rules("slurm", [*first, last], tmp_path, 4)
    calls = [line for line in (tmp_path / "submit.sh").read_text().splitlines() if "sbatch --parsable" in line]
    assert [line.split("--array=")[1].split()[0] for line in calls] == ["1-1000", "1-1000", "1-500", "1-1"]
    assert "--dependency=afterok:$id1_1:$id1_2:$id1_3" in calls[-1] and "--cpus-per-task=4" in calls[0]


@pytest.mark.parametrize("name", ["a;touch pwned", "a=b", "a|b", "a&b", "a\\", "a\tb"])
def test_names_that_make_would_take_for_commands_are_refused(tmp_path, name):
    """The member of an association is a name that anybody may have chosen."""
    with pytest.raises(UsageError, match="cannot stand in a Makefile"):
        write_rules("make", [rule("x", [name], ["x_cal.asdf"])], tmp_path, 1)
    assert not list(tmp_path.iterdir())
