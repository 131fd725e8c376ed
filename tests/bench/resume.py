"""Time what a survey does many times over: deciding what of it is finished (rt-run --resume).

usage: python tests/bench/resume.py [--products 1000] [--work DIR] [--refdir] [--check-data] [--json FILE]

One small exposure is simulated and calibrated; the others are links to its files under names of their own, so that a
thousand finished products need little room. Each exposure has four. With --refdir the references are files. The run is
a process of its own; wall and CPU seconds are those of the process. Target: 1,000 products in less than 10 s.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

from exposure import tool

ROOT = "r0000101001001001001_{:04d}_wfi01_f158"
PRODUCTS = ("cal.asdf", "wcs.asdf", "cat.parquet", "segm.asdf")


def finished(count, work, refdir):
    """Raw exposures, and the directory with their products."""
    raw, cal = work / "raw", work / "cal"
    for folder in (raw, cal):
        folder.mkdir(exist_ok=True)
    first = raw / f"{ROOT.format(1)}_uncal.asdf"
    if not first.exists():
        tool("sim", first, "--size", 384, "--no-truth", "-q")
    if refdir is not None and not refdir.exists():
        tool("refs", "make", refdir, "--detector", "WFI01", "--element", "F158", "--size", 384)
    options = ["--outdir", cal, "-q", *([] if refdir is None else ["--refdir", refdir])]
    if not (cal / f"{ROOT.format(1)}_cal.asdf").exists():
        tool("run", first, *options)
    for number in range(2, count + 1):
        for folder, suffixes in ((raw, ("uncal.asdf",)), (cal, PRODUCTS)):
            for suffix in suffixes:
                path = folder / f"{ROOT.format(number)}_{suffix}"
                if not path.exists():
                    os.link(folder / f"{ROOT.format(1)}_{suffix}", path)
    return [raw / f"{ROOT.format(number)}_uncal.asdf" for number in range(1, count + 1)], options


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--refdir", action="store_true")
    parser.add_argument("--check-data", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    work = asked.work or Path(tempfile.mkdtemp(prefix="survey-"))
    work.mkdir(parents=True, exist_ok=True)
    paths, options = finished(asked.products // len(PRODUCTS), work, work / "refs" if asked.refdir else None)
    listed = work / "exposures.txt"
    listed.write_text("".join(f"{path}\n" for path in paths))
    words = ["run", f"@{listed}", *options, "--resume", *(["--check-data"] if asked.check_data else [])]
    found = tool(*words)
    print(f"{len(paths) * len(PRODUCTS)} products: {found['wall']:.1f} s, CPU {found['cpu']:.1f} s")
    if asked.json:
        asked.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
