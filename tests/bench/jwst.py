"""Time the ramps of JWST: a full frame, and time series whose number of integrations grows while memory must not.

usage: python tests/bench/jwst.py [--cases full likely series long] [--jobs 1 2] [--repeat 3] [--work DIR]
                                  [--given DIR …] [--fit] [--json FILE]

Cases: ``full`` is 2048 x 2048 pixels and 10 groups of SHALLOW4, ``likely`` the same with the likelihood fit, ``series``
256 x 256 pixels, 10 groups and 200 integrations, ``long`` the same with 800. Each is taken from _uncal to _rate and
_rateints with the built-in references. With --given, exposures in directories that also have references
(ref_TYPE.fits) are run with these: so the mission's pipeline can be timed on the same files. Every run is a process of
its own; wall and CPU seconds and peak memory (ru_maxrss) are those of the process; of several runs the quickest counts.
With --fit the fits alone are timed on the ramps of --given, or of the case ``full``, as the engine
calls them, block by block on one thread: CPU seconds of both algorithms, without reading, writing and imports.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from exposure import best, tool

ROOT = "jw01234001001_02101_{:05d}_nrca1"
CASES = {
    "full": (1, 1, ()),
    "likely": (1, 1, ("--set", "rampfit.algorithm=likely")),
    "series": (2, 200, ()),
    "long": (3, 800, ()),
}
"""Number of the exposure, integrations, further options."""

SIMULATED = 20
"""Integrations that are simulated; a series repeats them."""

KINDS = ("mask", "saturation", "superbias", "linearity", "dark", "gain", "readnoise")


def raw_exposure(number, integrations, work):
    """Path of a raw exposure, which is simulated if the directory does not have it."""
    path = work / f"{ROOT.format(number)}_uncal.fits"
    if path.exists():
        return path
    options = ["--ngroups", 10, "--readpatt", "SHALLOW4", "--no-truth", "-q", "-j", 2]
    if integrations == 1:
        tool("sim", path, *options)
        return path
    short = work / f"{ROOT.format(99)}_uncal.fits"
    if not short.exists():
        tool("sim", short, *options, "--subarray", "1,1,256,256", "--nints", SIMULATED)
    # In a process of its own: what this one has held counts as peak memory of every process that it starts.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        apart.submit(repeat, short, path, integrations // SIMULATED).result()
    return path


def repeat(source, path, times):
    """An exposure whose integrations are those of another one, so many times."""
    import numpy as np
    from astropy.io import fits

    with fits.open(source) as old:
        count = old["SCI"].data.shape[0] * times
        primary, ramps = old[0].copy(), fits.ImageHDU(np.tile(old["SCI"].data, (times, 1, 1, 1)), old["SCI"].header)
        rows = np.concatenate([np.array(old["INT_TIMES"].data)] * times)
        rows["integration_number"] = np.arange(1, count + 1)
        primary.header.update({"NINTS": count, "FILENAME": path.name, "INTSTART": 1, "INTEND": count})
        table = fits.BinTableHDU(rows, name="INT_TIMES")
        fits.HDUList([primary, ramps, table]).writeto(path, overwrite=True)


def run(uncal, options, jobs, out):
    """One exposure to its rates."""
    how = ["--until", "gainscale", "--outdir", out, "--overwrite", "-q", "-j", jobs]
    found = tool("run", uncal, *how, *options)
    found.pop("output")
    return found


def fit_alone(uncal, options, algorithm, repeat, work):
    """The fewest CPU seconds of the fit of an exposure's ramps."""
    from dataclasses import replace

    from rtools.api.asking import reference_places
    from rtools.pipeline.exposure.request import ExposureRequest
    from rtools.pipeline.jwst import engine, source
    from rtools.pipeline.jwst.plan import plan_jwst
    from rtools.pipeline.jwst.references import CutReference

    tool("run", uncal, "--until", "jump", "--outdir", work, "--overwrite", "-q", *options)
    ramp = work / uncal.name.replace("_uncal", "_ramp")
    named = dict(word.split("=", 1) for word in options if "=" in word)
    places = reference_places(None, {kind: named[kind] for kind in ("gain", "readnoise") if named}, not named)
    settings = {"rampfit": {"algorithm": algorithm}}
    asked = ExposureRequest(tool="rt-rampfit", single="rampfit", references=places, settings=settings, overwrite=True)
    plan = plan_jwst(ramp, asked)
    (fit,) = plan.steps
    sources = {kind: CutReference(found, ("data",)) for kind, found in fit.references.items()}
    prepared, chosen = fit.step.prepare(plan.exposure, dict(fit.options)), dict(fit.options)
    blocks = []
    for place in engine.blocks_for(plan.exposure.shape, 0, 160 << 20, len(sources)):
        references = engine.BlockCut(sources, *place).of(tuple(sources))
        blocks.append((source.ramp_block(plan.product, *place), references))
    seconds = []
    for _ in range(repeat + 1):  # the first compiles
        began = time.process_time()
        for block, references in blocks:
            fit.step.apply(replace(block, pixeldq=block.pixeldq.copy()), references, chosen, prepared)
        seconds.append(time.process_time() - began)
    return min(seconds)


def fits_alone(arguments, work):
    """The measurements of both fits on each exposure."""
    ramps = [(folder.name, next(folder.glob("*_uncal.fits")), given_references(folder)) for folder in arguments.given]
    results = []
    for name, uncal, options in ramps or [("full", raw_exposure(1, 1, work), ["--builtin"])]:
        for algorithm in ("ols", "likely"):
            cpu = fit_alone(uncal, options, algorithm, arguments.repeat, work / "fit")
            results.append({"case": name, "fit": algorithm, "cpu": cpu})
            print(f"| {name} | fit alone, {algorithm} | – | {cpu:.2f} | – |", flush=True)
    return results


def given_references(folder):
    """Options that name the references of a directory."""
    return [word for kind in KINDS for path in folder.glob(f"ref_{kind}.*") for word in ("--ref", f"{kind}={path}")]


def bench(name, uncal, options, arguments, out):
    """The measurements of one case."""
    result = {"case": name, "bytes": uncal.stat().st_size}
    for jobs in arguments.jobs:
        result[f"-j {jobs}"] = best([run(uncal, options, jobs, out) for _ in range(arguments.repeat)])
        print_line(name, jobs, result[f"-j {jobs}"])
    return result


def print_line(name, jobs, found):
    wall, cpu, peak = found["wall"], found["cpu"], found["peak"] / 2**30
    print(f"| {name} | -j {jobs} | {wall:.2f} | {cpu:.2f} | {peak:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--given", type=Path, nargs="*", default=[], metavar="DIR", help="an uncal and ref_TYPE.fits")
    parser.add_argument("--fit", action="store_true", help="time the fits alone, too")
    parser.add_argument("--work", type=Path, help="directory for exposures and outputs; a temporary one by default")
    parser.add_argument("--json", type=Path, help="write the results there")
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp(prefix="rtools-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores\n\n| case | run | wall s | CPU s | peak GiB |")
    print("|---|---|---|---|---|")
    results = []
    try:
        for name in arguments.cases:
            number, integrations, options = CASES[name]
            uncal = raw_exposure(number, integrations, work)
            results.append(bench(name, uncal, ["--builtin", *options], arguments, work / "out"))
        for folder in arguments.given:
            (uncal,) = folder.glob("*_uncal.fits")
            results.append(bench(folder.name, uncal, given_references(folder), arguments, work / "out"))
        if arguments.fit:
            results += fits_alone(arguments, work)
    finally:
        if not arguments.work:
            shutil.rmtree(work)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
