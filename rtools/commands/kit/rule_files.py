"""Rules of a run as a Makefile, a Snakefile, or job arrays of Slurm."""

import json
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from rtools.commands.kit.rules import Rule
from rtools.errors import UsageError

__all__ = ["FIRST", "FORMS", "levels_of", "write_rules"]

ARRAY = 1000
"""Jobs of one array; by default Slurm takes 1001."""


def write_rules(form: str, rules: Sequence[Rule], folder: Path, cores: int) -> list[Path]:
    """Write the rules of a run.

    Parameters
    ----------
    form : str
        A key of `FORMS`.
    rules : sequence of Rule
        Each behind those whose products it needs.
    folder : Path
        Takes the files; it exists.
    cores : int
        Of each job.

    Returns
    -------
    list of Path
        What was written, first the file to begin with.
    """
    for rule in rules:
        if any("\n" in str(text) for text in (*rule.inputs, *rule.outputs, *rule.words)):
            raise UsageError(f"{rule.words[1]}: a line feed in a name cannot be emitted")
    here = os.getcwd()
    written = []
    for name, text in FORMS[form](rules, here, folder, cores).items():
        path = folder / name
        path.write_bytes(os.fsencode(text))
        if name.endswith(".sh"):
            path.chmod(0o755)
        written.append(path)
    return written


UNQUOTABLE = re.compile(r"[;|=&\\\x00-\x1f\x7f]")
"""Characters by which make ends a name although a backslash stands before them: behind ``;`` it reads a command."""


def _command(rule, here):
    """The shell command of a rule, in the directory where the run was typed."""
    return f"cd {shlex.quote(here)} && {shlex.join(rule.words)}"


def _make_name(path):
    """A file name as a Makefile takes it; one that it would read as a command or a variable in any case is refused."""
    found = UNQUOTABLE.search(str(path))
    if found:
        raise UsageError(
            f"{path}: a name with {found[0]!r} cannot stand in a Makefile", mend="rename it, or emit others"
        )
    text = str(path).replace("$", "$$")
    for letter in " #:":  # a name with % is a pattern that it matches itself
        text = text.replace(letter, f"\\{letter}")
    return text


def _makefile(rules, here, folder, _cores):
    """A Makefile: the main product of a rule is its target, the others come with it."""
    mains = " ".join(_make_name(rule.outputs[-1]) for rule in rules)
    lines = [
        f"# usage: make -f {folder / 'Makefile'} -j N [-k]",
        ".DELETE_ON_ERROR:",
        ".PHONY: all",
        f"all: {mains}",
    ]
    for rule in rules:
        main = _make_name(rule.outputs[-1])
        lines += ["", f"{main}: {' '.join(map(_make_name, rule.inputs))}".rstrip()]
        lines.append("\t" + _command(rule, here).replace("$", "$$"))
        lines += [f"{_make_name(path)}: {main} ;" for path in rule.outputs[:-1]]
    return {"Makefile": "\n".join(lines) + "\n"}


def _snakefile(rules, here, folder, cores):
    """A Snakefile: a rule for each job."""
    mains = _python_list(rule.outputs[-1] for rule in rules)
    lines = [f"# usage: snakemake -s {folder / 'Snakefile'} --cores N", "rule all:", f"    input: {mains}"]
    for rule in rules:
        command = _command(rule, here).replace("{", "{{").replace("}", "}}")
        lines += [
            "",
            f"rule {rule.name}:",
            f"    input: {_python_list(rule.inputs)}",
            f"    output: {_python_list(rule.outputs)}",
            f"    threads: {cores}",
            f"    resources: mem_mb={_megabytes(rule)}",
            f"    shell: {json.dumps(command)}",
        ]
    return {"Snakefile": "\n".join(lines) + "\n"}


def _python_list(paths):
    """Names as Snakemake takes them: braces would be wildcards."""
    return ", ".join(json.dumps(str(path).replace("{", "{{").replace("}", "}}")) for path in paths)


def _megabytes(rule):
    return -(-rule.bytes // 10**6)


def levels_of(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Rules in groups: each needs only products of the groups before its own.

    Parameters
    ----------
    rules : sequence of Rule
        Each behind those whose products it needs.

    Returns
    -------
    list of list of Rule
    """
    level: dict[Path, int] = {}
    groups: list[list[Rule]] = []
    for rule in rules:
        number = max((level[path] + 1 for path in rule.inputs if path in level), default=0)
        level |= dict.fromkeys(rule.outputs, number)
        if number == len(groups):
            groups.append([])
        groups[number].append(rule)
    return groups


ARRAY_SCRIPT = """\
#!/bin/sh
# One job of an array: the line of the file of commands whose number is that of the task. What is there stays.
exec sh -c "$(sed -n "${SLURM_ARRAY_TASK_ID}p" "$1")"
"""


def _slurm(rules, here, folder, cores):
    """Files of commands, one a line; the script of an array's job; and a script that submits the arrays in order."""
    files, submits = {}, []
    for number, group in enumerate(levels_of(rules), 1):
        before = "".join(f":$id{number - 1}_{part}" for part in range(1, submits[-1] + 1)) if submits else ""
        parts = [group[first : first + ARRAY] for first in range(0, len(group), ARRAY)]
        submits.append(len(parts))
        for part, some in enumerate(parts, 1):
            name = f"commands{number}_{part}.txt"
            files[name] = "".join(f"[ -e {shlex.quote(str(rule.outputs[-1]))} ] || {{ {_command(rule, here)}; }}\n"
                                  for rule in some)  # fmt: skip
            wait = f" --dependency=afterok{before}" if before else ""
            memory = max(map(_megabytes, some))
            files[f"submit{number:03d}{part:03d}"] = (
                f"id{number}_{part}=$(sbatch --parsable --array=1-{len(some)}{wait} --cpus-per-task={cores} "
                f'--mem={memory}M "$@" "$here/array.sh" "$here/{name}")'
            )
    calls = [files.pop(name) for name in sorted(files) if name.startswith("submit")]
    head = [
        "#!/bin/sh",
        "# Submits the arrays; words behind its name are options of sbatch: --partition, --time, …",
        "set -e",
        f"here={shlex.quote(str(folder.absolute()))}",
    ]
    return {"submit.sh": "\n".join([*head, *calls]) + "\n", "array.sh": ARRAY_SCRIPT} | files


FORMS = {"make": _makefile, "snakemake": _snakefile, "slurm": _slurm}
"""What writes the rules of each form: file name to text."""

FIRST = {"make": "Makefile", "snakemake": "Snakefile", "slurm": "submit.sh"}
"""The file of each form that one begins with."""
