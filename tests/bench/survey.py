"""Time a run of several full-size exposures: one after another, in processes of one run, on workers of Dask.

usage: python tests/bench/survey.py [--count 20] [--jobs 2] [--refdir DIR] [--repeat 1] [--work DIR] [--only WAY…]
                                    [--json FILE]

``alone -j 1`` and ``alone -j N`` are a command for each exposure; ``run -j N`` is one command for all, ``run -j 1``
the same on one core; ``threads -j N`` is one command whose exposures come one after another, each on N threads;
``dask`` is one command with N workers of Dask. Wall and CPU seconds are those of all processes together, memory is
the largest sum of their proportional set sizes, looked at four times a second. Exposures are simulated when the work
directory does not have them. All ways must give the same bits. On a machine that others use compare CPU seconds.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = "r0000101001001001001_{:04d}_wfi01_f158"
TOOL = "from rtools.commands.rt import main; main()"
THREADS = "from rtools.pipeline.job import local; local.WORTHWHILE = 1 << 60; "
WAYS = ("alone -j 1", "alone -j N", "run -j 1", "threads -j N", "run -j N", "dask")


def tree(process):
    """Numbers of a process and of all that it began."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return [process]
    return [process, *(number for child in children for number in tree(int(child)))]


def memory_of(processes):
    """Sum of the proportional set sizes of some processes, in bytes."""
    total = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total


def measured(commands):
    """Wall and CPU seconds and peak memory of commands, one after another."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = 0
    for command in commands:
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
        while process.poll() is None:
            peak = max(peak, memory_of(tree(process.pid)))
            time.sleep(0.25)
        if process.returncode:
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": time.perf_counter() - started, "cpu": cpu, "peak": peak}


def simulated(work, count):
    """Raw exposures of full size; those that are missing are made."""
    paths = [work / f"{ROOT.format(number)}_uncal.asdf" for number in range(1, count + 1)]
    missing = [path for path in paths if not path.exists()]
    if missing:
        command = [sys.executable, "-c", TOOL, "sim", *missing, "--no-truth", "-q", "-j", "0"]
        subprocess.run([str(word) for word in command], check=True)
    return paths


def commands_of(way, paths, out, options):
    """Command lines of one way to calibrate all exposures."""
    jobs, references = str(options.jobs), ["--refdir", options.refdir] if options.refdir else []
    words = [*references, "--outdir", out, "-q"]

    def run(inputs, *more, before=""):
        return [sys.executable, "-c", before + TOOL, "run", *inputs, *words, *more]

    return {
        "alone -j 1": lambda: [run([path], "-j", "1") for path in paths],
        "alone -j N": lambda: [run([path], "-j", jobs) for path in paths],
        "run -j 1": lambda: [run(paths, "-j", "1")],
        "threads -j N": lambda: [run(paths, "-j", jobs, before=THREADS)],
        "run -j N": lambda: [run(paths, "-j", jobs)],
        "dask": lambda: [run(paths, "--dask", f"local:{jobs}")],
    }[way]()


def bits_of(folder):
    """Arrays of all images in a directory, as bytes."""
    from rtools.products.io import open_product

    found = {}
    for path in sorted(folder.glob("*_cal.asdf")):
        with open_product(path) as product:
            found |= {(path.name, name): hash(product.array(name).tobytes()) for name in product.arrays}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--refdir")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("survey-bench"))
    parser.add_argument("--only", nargs="+", default=WAYS, choices=WAYS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.work.mkdir(exist_ok=True)
    paths = simulated(options.work, options.count)
    found, bits = {}, None
    for _ in range(options.repeat):
        for way in options.only:  # alternating, so that what else the machine does hits all
            out = options.work / "out"
            shutil.rmtree(out, ignore_errors=True)
            found.setdefault(way, []).append(measured(commands_of(way, paths, out, options)))
            now = bits_of(out)
            if bits not in (None, now):
                raise SystemExit(f"{way}: other bits")
            bits = now
    best = {way: min(runs, key=lambda run: run["wall"]) for way, runs in found.items()}
    load = os.getloadavg()[0]
    print(f"{options.count} exposures, {options.jobs} cores; load of the machine {load:.1f}")
    print("| way | wall s an exposure | CPU s an exposure | peak GiB | rate |\n|---|---|---|---|---|")
    first = best.get("alone -j 1", next(iter(best.values())))
    for way, run in best.items():
        each = [run[key] / options.count for key in ("wall", "cpu")]
        print(
            f"| {way} | {each[0]:.2f} | {each[1]:.2f} | {run['peak'] / 2**30:.2f} | {first['wall'] / run['wall']:.2f} |"
        )
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
