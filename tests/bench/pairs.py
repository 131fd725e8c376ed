"""Old code against new: CPU seconds and peak memory of whole commands, in alternating pairs.

usage: python tests/bench/pairs.py OLD NEW [--pairs 7] [--jobs 2] [--work DIR] [--only exposure catalog mosaic]

OLD and NEW are the directories that hold the tools of two installations. Both run on the same full-size files and
references, which OLD makes when the work directory does not have them. A command runs once with each before anything
is counted. What counts is the ratio new over old within a pair: a machine that slows down does so for both. Printed
are the median, smallest and largest ratio of CPU seconds, the median ratio of wall seconds, and peak memory.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from exposure import ROOT, measure

POINTINGS = ((270.0, 66.0), (270.004, 66.0), (270.0, 66.0017), (270.004, 66.0017))


def make_inputs(old, work):
    """References, a raw exposure and four calibrated ones, all made by the old tools."""
    refs = work / "refs"
    if not refs.exists():
        measure([old / "rt-refs", "make", refs, "--detector", "WFI01", "--element", "F158", "-q"])
    for number, (ra, dec) in enumerate(POINTINGS, 1):
        raw = work / f"{ROOT.format(number)}_uncal.asdf"
        if not raw.exists():
            where = ["--ra", ra, "--dec", dec, "--seed", number, "--scene-seed", 1]
            measure([old / "rt-sim", raw, "--refdir", refs, "--no-truth", "-q", "-j", 2, *where])
        if not (work / f"{ROOT.format(number)}_cal.asdf").exists():
            measure([old / "rt-run", raw, "--refdir", refs, "--skip", "catalog", "-q", "-j", 2])


def commands(work, jobs):
    """The commands that are timed, without the directory of the tools."""
    refs = ["--refdir", work / "refs"]
    how = ["--outdir", work / "out", "--overwrite", "-q", "-j", jobs]
    raw, cal = (work / f"{ROOT.format(1)}_{suffix}.asdf" for suffix in ("uncal", "cal"))
    four = [work / f"{ROOT.format(number)}_cal.asdf" for number in range(1, 5)]
    mosaic = ["-o", work / "out" / "four_coadd.asdf", "--overwrite", "-q", "-j", jobs, "--skip", "catalog"]
    return {
        "exposure": ["rt-run", raw, *refs, *how, "--skip", "catalog"],
        "catalog": ["rt-catalog", cal, *refs, *how],
        "mosaic": ["rt-run", *four, "--mosaic", *mosaic],
    }


def compare(old, new, command, pairs):
    """Measurements of `pairs` runs of each, (old, new), after one of each that does not count."""
    found = []
    for turn in range(pairs + 1):
        pair = [measure([tools / command[0], *command[1:]]) for tools in (old, new)]
        if turn:
            found.append(pair)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--work", type=Path, help="directory for files; a temporary one by default")
    parser.add_argument("--only", nargs="+", default=["exposure", "catalog", "mosaic"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rtools-bench-") as scratch:
        work = (arguments.work or Path(scratch)).resolve()
        (work / "out").mkdir(parents=True, exist_ok=True)
        old, new = arguments.old.resolve(), arguments.new.resolve()
        make_inputs(old, work)
        print("| command | pairs | CPU new/old | smallest, largest | wall new/old | CPU s | wall s | peak GiB |")
        print("|---|---|---|---|---|---|---|---|")
        for name in arguments.only:
            found = compare(old, new, commands(work, arguments.jobs)[name], arguments.pairs)
            cpu = [after["cpu"] / before["cpu"] for before, after in found]
            wall = [after["wall"] / before["wall"] for before, after in found]
            middle = {
                key: " → ".join(f"{statistics.median(pair[i][key] for pair in found):.2f}" for i in (0, 1))
                for key in ("cpu", "wall")
            }
            peak = " → ".join(f"{max(pair[i]['peak'] for pair in found) / 2**30:.2f}" for i in (0, 1))
            print(
                f"| {name} | {len(found)} | {statistics.median(cpu):.3f} | {min(cpu):.3f}, {max(cpu):.3f} "
                f"| {statistics.median(wall):.3f} | {middle['cpu']} | {middle['wall']} | {peak} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
