"""Time the exposure chain, its steps and the floor below them on full-size exposures.

usage: python tests/bench/exposure.py [--refdir DIR] [--resultants 9 16 55] [--jobs 1 2] [--repeat 3]
                                      [--peer DIR] [--work DIR] [--json FILE] [--steps]

Every run is a process of its own; wall and CPU seconds and peak memory (ru_maxrss, mapped pages included) are those of
the process. "first" is a run with an empty kernel cache, "warm" the best of the repeats. With --peer, the environment
in DIR that has romancal runs on the same file and references between our runs (9 resultants only: it needs 30 GB for
55), and the ratios are printed. The floor: reading the input and writing the outputs with nothing between, and the
rates at which memory is copied and at which the system hands out new memory. Exposures are simulated when the work
directory does not have them.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

ROOT = "r0000101001001001001_{:04d}_wfi01_f158"
PATTERNS = {
    9: "C2A_IMG_HLWAS",
    16: "1;2;3-4;5-8;9-12;13-16;17-20;21-24;25-28;29-32;33-36;37-40;41-44;45-48;49-52;53",
    55: ";".join(str(read) for read in range(1, 56)),
}
READS = {9: 44, 16: 53, 55: 55}
STEPS = (
    ("uncal", "dqinit", "dqinit"),
    ("dqinit", "saturation", "saturation"),
    ("saturation", "refpix", "refpix"),
    ("refpix", "darkdecay", "dark_decay"),
    ("dark_decay", "wfi18transient", "wfi18_transient"),
    ("wfi18_transient", "linearity", "linearity"),
    ("linearity", "rampfit", "rampfit"),
    ("rampfit", "dark", "darkcurrent"),
    ("darkcurrent", "assignwcs", "assignwcs"),
    ("assignwcs", "photom", "photom"),
    ("photom", "flat", "flat"),
)
PEER_STEPS = {
    "dqinit": "DQInitStep",
    "saturation": "SaturationStep",
    "refpix": "RefPixStep",
    "darkdecay": "DarkDecayStep",
    "linearity": "LinearityStep",
    "rampfit": "RampFitStep",
    "dark": "DarkCurrentStep",
    "assignwcs": "AssignWcsStep",
    "photom": "PhotomStep",
    "flat": "FlatFieldStep",
}


def measure(command, env=None):
    """Run a command; its standard output, wall and CPU seconds, peak memory in bytes."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=output, env=env)
        _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode()
    if process.returncode:
        raise SystemExit(f"{command[0]} … ended with {process.returncode}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024, "output": text}


def tool(name, *arguments, env=None):
    """Measure one of the tools, run by this interpreter."""
    code = "from rtools.commands.rt import main; main()"
    return measure([sys.executable, "-c", code, name, *arguments], env)


def best(runs):
    """The quickest of several measurements, with the largest memory."""
    quickest = min(runs, key=lambda run: run["wall"])
    return quickest | {"peak": max(run["peak"] for run in runs)}


def chain(uncal, references, out, jobs, env=None):
    """One uncal to cal, without catalog and alignment, as romancal is run here (tests/bench/catalog.py times those)."""
    left_out = ["--skip", "catalog", "--skip", "tweakreg"]
    how = ["--outdir", out, "--overwrite", "-q", "--json", "-j", jobs, *left_out]
    run = tool("run", uncal, *references, *how, env=env)
    return run | {"steps": json.loads(run.pop("output").splitlines()[0])["seconds"]}


def first_run(uncal, references, out, jobs):
    """The chain with an empty kernel cache."""
    with tempfile.TemporaryDirectory() as cache:
        return chain(uncal, references, out, jobs, {**os.environ, "NUMBA_CACHE_DIR": cache})


def floor(uncal, cal):
    """Seconds to read the input and to write the outputs with nothing between; copy rate of memory in GB/s."""
    import numpy as np

    from rtools.products.io import open_product, writer
    from rtools.work import Work

    started = time.perf_counter()
    data = np.array(open_product(uncal).array("data"))
    read = time.perf_counter() - started
    product = open_product(cal)
    arrays = {name: np.array(product.array(name)) for name in product.arrays if not name.startswith("meta.")}
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=Path(cal).parent) as scratch:
        path = Path(scratch) / Path(cal).name
        writer.write_product(path, "l2_image", product.meta, arrays, profile=product.profile, work=Work(2))
        write = time.perf_counter() - started
    big = data.reshape(-1).view(np.uint8)
    copy = np.empty_like(big)
    rates = []
    for _ in range(3):
        started = time.perf_counter()
        np.copyto(copy, big)
        rates.append(big.nbytes / (time.perf_counter() - started) / 1e9)
    del copy
    started = time.perf_counter()
    np.empty(1 << 30, np.uint8)[::4096] = 1
    fresh = 2**30 / (time.perf_counter() - started) / 1e9
    return {"read": read, "write": write, "copy GB/s": max(rates), "new memory GB/s": fresh}


def single_steps(uncal, references, out, jobs):
    """Every step as a tool of its own, each on the product of the one before."""
    stem = uncal.name.removesuffix("_uncal.asdf")
    results = {}
    for before, name, _suffix in STEPS:
        source = uncal if before == "uncal" else out / f"{stem}_{before}.asdf"
        for count in jobs:
            run = tool(name, source, *references, "--outdir", out, "--overwrite", "-q", "-j", count)
            run.pop("output")
            results.setdefault(name, {})[count] = run
        if before != "uncal":
            source.unlink()
    return results


def bench(resultants, arguments, work):
    """All measurements of one exposure."""
    uncal = work / f"{ROOT.format(resultants)}_uncal.asdf"
    references = ["--refdir", arguments.refdir] if arguments.refdir else []
    if not uncal.exists():
        tool("sim", uncal, "--read-pattern", PATTERNS[resultants], *references, "-j", 2, "--no-truth", "-q")
    out = work / "out"
    out.mkdir(exist_ok=True)
    result = {"resultants": resultants, "first": first_run(uncal, references, out, 2), "warm": {}, "peer": None}
    runs = {jobs: [] for jobs in arguments.jobs}
    peers = []
    for _ in range(arguments.repeat):
        for jobs in arguments.jobs:
            runs[jobs].append(chain(uncal, references, out, jobs))
        if arguments.peer and resultants == 9 and len(peers) < 2:
            script = Path(__file__).with_name("peer.py")
            run = measure([Path(arguments.peer) / "bin" / "python", script, uncal, arguments.refdir, work / "peer"])
            peers.append(run | json.loads(run.pop("output").splitlines()[-1]))
    result["warm"] = {jobs: best(found) for jobs, found in runs.items()}
    if peers:
        result["peer"] = min(peers, key=lambda run: run["total"])
    # In a process of its own: what this one has held counts as peak memory of every process that it starts.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        result["floor"] = apart.submit(floor, uncal, out / f"{ROOT.format(resultants)}_cal.asdf").result()
    if arguments.steps and resultants < 55:  # whose ramps are 5 GB each
        result["tools"] = single_steps(uncal, references, out, arguments.jobs)
    return result


def print_tables(results):
    """Tables in Markdown."""
    print("| resultants | run | wall s | CPU s | peak GiB | romancal wall s | ratio | romancal peak GiB |")
    print("|---|---|---|---|---|---|---|---|")
    for result in results:
        peer = result["peer"]
        for name, run in [("first, -j 2", result["first"])] + [(f"-j {j}", r) for j, r in result["warm"].items()]:
            numbers = f"{run['wall']:.2f} | {run['cpu']:.2f} | {run['peak'] / 2**30:.2f}"
            line = f"| {result['resultants']} | {name} | {numbers} |"
            if peer:
                line += f" {peer['wall']:.1f} | {peer['wall'] / run['wall']:.1f} | {peer['peak'] / 2**30:.2f} |"
            print(line)
    for result in results:
        jobs, last = list(result["warm"].items())[-1]
        print(f"\n{result['resultants']} resultants, -j {jobs}: seconds of the steps inside the chain\n")
        print("| step | summed over threads | share of the wall clock | romancal | ratio |\n|---|---|---|---|---|")
        for step, seconds in last["steps"].items():
            share = seconds / int(jobs) if step in PEER_STEPS and step not in ("assignwcs", "photom") else seconds
            peer = (result["peer"] or {"seconds": {}})["seconds"].get(PEER_STEPS.get(step))
            ratio = f"{peer:.2f} | {peer / share:.0f}" if peer and share > 0.005 else " | "
            print(f"| {step} | {seconds:.2f} | {share:.2f} | {ratio} |")
        print("\nfloor: " + ", ".join(f"{name} {value:.2f}" for name, value in result["floor"].items()))
        if "tools" in result:
            print("\n| tool alone | -j | wall s | CPU s | peak GiB |\n|---|---|---|---|---|")
        for name, runs in result.get("tools", {}).items():
            for count, run in runs.items():
                print(f"| rt-{name} | {count} | {run['wall']:.2f} | {run['cpu']:.2f} | {run['peak'] / 2**30:.2f} |")
    print_growth(results)


def print_growth(results):
    """What one more resultant and one more read cost, by least squares over the exposures."""
    import numpy as np

    if len(results) < 3:
        return
    resultants = np.array([result["resultants"] for result in results])
    for jobs in results[0]["warm"]:
        runs = [result["warm"][jobs] for result in results]
        wall, peak = (np.polyfit(resultants, [run[key] for run in runs], 1)[0] for key in ("wall", "peak"))
        terms = np.stack([resultants, [READS[count] for count in resultants]], axis=1)
        each, read = np.linalg.lstsq(terms, [run["steps"]["linearity"] for run in runs], rcond=None)[0]
        print(f"\n-j {jobs}: {wall:.3f} s and {peak / 2**20:.0f} MiB a resultant; "
              f"in linearity {each:.3f} s a resultant and {read:.3f} s a read, summed over threads")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refdir", help="references, the built-in set by default; --peer needs it")
    parser.add_argument("--resultants", type=int, nargs="+", default=[9, 16, 55], choices=list(PATTERNS))
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peer", metavar="DIR", help="environment with romancal")
    parser.add_argument("--steps", action="store_true", help="also time every step as a tool of its own")
    parser.add_argument("--work", type=Path, help="directory for exposures and outputs; a temporary one by default")
    parser.add_argument("--json", type=Path, help="write the results there")
    arguments = parser.parse_args()
    if arguments.peer and not arguments.refdir:
        parser.error("--peer needs --refdir")
    if arguments.refdir:
        arguments.refdir = str(Path(arguments.refdir).resolve())
    work = arguments.work or Path(tempfile.mkdtemp(prefix="rtools-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    try:
        results = [bench(resultants, arguments, work.resolve()) for resultants in arguments.resultants]
    finally:
        if not arguments.work:
            shutil.rmtree(work)
    python = platform.python_version()
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, Python {python}\n")
    print_tables(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
