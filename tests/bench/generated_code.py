"""What the compiled kernels became: for each innermost loop, how much of its arithmetic works on vectors.

    python tests/bench/generated_code.py [--kernels _rampfit,_jump] [--all]

Calibrates a small exposure so that every kernel is compiled for the types of production, then reads the assembly that
numba made of it. A loop is listed where it divides or takes roots one number at a time, or calls a function; with
--all every loop that computes is.
"""

import argparse
import contextlib
import gc
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

VECTOR = re.compile(r"^v?(add|sub|mul|div|sqrt|max|min|fn?m(add|sub)\d+|cvt\w+)p[sd]$")
SCALAR = re.compile(r"^v?(add|sub|mul|max|min|fn?m(add|sub)\d+)s[sd]$")
SLOW = re.compile(r"^v?(div|sqrt)s[sd]$")
JUMP = re.compile(r"^j\w+$")
PACKAGE_KERNELS = "rtools.exposure"


def main():
    """Entry point."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["NUMBA_CACHE_DIR"] = scratch  # compiled afresh: code from a cache has no assembly to show
        _calibrate(Path(scratch))
        print(f"{'kernel':42s} {'loop of':>8s} {'vector':>7s} {'scalar':>7s} {'slow':>5s} {'calls':>6s}")
        for name, assembly in _assemblies(arguments.kernels):
            for size, vector, scalar, slow, calls in _loops(assembly):
                if slow or calls or (arguments.all and vector + scalar):
                    print(f"{name:42s} {size:8d} {vector:7d} {scalar:7d} {slow:5d} {calls:6d}")


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", help="modules that contain one of these words (comma list)")
    parser.add_argument("--all", action="store_true", help="every loop that computes")
    return parser.parse_args()


def _calibrate(scratch):
    """A small exposure through the whole chain, in this process."""
    raw = scratch / "r0000101001001001001_0001_wfi01_f158_uncal.asdf"
    call = "from rtools.commands.sim import command; command.main()"
    words = [sys.executable, "-c", call, str(raw), "--size", "256", "--reference-read", "-q", "--no-truth"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    from rtools.commands.run import command

    with contextlib.redirect_stdout(sys.stderr):
        command.main([str(raw), "--builtin", "-q"], standalone_mode=False)


def _assemblies(words):
    """(kernel, assembly) of every compiled specialisation of every kernel that ran."""
    from numba.core.dispatcher import Dispatcher

    wanted = words.split(",") if words else [""]
    found = [kernel for kernel in gc.get_objects() if isinstance(kernel, Dispatcher)]  # those made by closures, too
    for kernel in sorted(found, key=lambda kernel: (kernel.__module__, kernel.__name__)):
        module = kernel.__module__
        if module.startswith(PACKAGE_KERNELS) and any(word in module for word in wanted):
            for assembly in kernel.inspect_asm().values():
                yield f"{module.rpartition('.')[2]}.{kernel.__name__}", assembly


def _loops(assembly):
    """(instructions, vector, scalar, slow, calls) of each innermost loop: a jump back over no other such jump."""
    lines, labels, ours = [], {}, False
    for line in assembly.splitlines():
        line = line.split("#")[0].strip()
        if line.endswith(":") and not line.startswith("."):
            ours = line.startswith("_ZN6rtools")  # not the wrappers that convert Python objects
        elif not ours:
            continue
        elif line.startswith(".LBB") and line.endswith(":"):
            labels[line[:-1]] = len(lines)
        elif line and not line.startswith("."):
            lines.append(line)
    back = []
    for at, line in enumerate(lines):
        words = line.split()
        if JUMP.match(words[0]) and len(words) > 1 and labels.get(words[1], at + 1) <= at:
            back.append((labels[words[1]], at))
    for first, last in back:
        inner = [other for other in back if first <= other[0] and other[1] < last]
        if not inner:
            yield _count([line.split() for line in lines[first : last + 1]])


def _count(body):
    wide = sum(bool(VECTOR.match(words[0])) for words in body)
    narrow = sum(bool(SCALAR.match(words[0])) for words in body)
    slow = sum(bool(SLOW.match(words[0])) for words in body)
    return len(body), wide, narrow, slow, sum(words[0].startswith("call") for words in body)


if __name__ == "__main__":
    main()
