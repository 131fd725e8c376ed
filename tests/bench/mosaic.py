"""Time mosaics of 4 and of 40 full-size images.

usage: python tests/bench/mosaic.py [--refdir DIR] [--inputs CAL…] [--many 40] [--jobs 2] [--repeat 3] [--peer DIR]
                                    [--work DIR] [--json FILE]

Four exposures are simulated and calibrated (or given: --inputs), and copied under new observation numbers with
pointings shifted by 0.01 arcsec from copy to copy: so little that stars stay where they are, as in exposures of one
field. Mosaics are whole commands without catalog: of 4 images on the grid that covers them, of 4 and of all on the
skycell in their middle. With --peer, the environment in DIR that has romancal makes the first of these between our
runs. Wall and CPU seconds and peak memory (ru_maxrss) are those of processes; the fastest of the repeats is given. What
else is measured: the search for the skycells of a detector, and the error of the pixel maps at random pixels. Forty
images take 10 GB in the work directory; without --work it is a temporary one.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from exposure import best, measure, tool

ROOT = "r0000101001001001001_{:04d}_wfi01_f158"
POINTINGS = ((270.0, 66.0), (270.004, 66.0), (270.0, 66.0017), (270.004, 66.0017))
ALIKE = ("--set", "resample.weight_type=ivm", "--set",
         "resample.planes=data,err,weight,context,var_poisson,var_rnoise")  # fmt: skip
"""What romancal does: its weights, its arrays."""

SHIFT = 0.01 / 3600
"""Degrees from one copy of an exposure to the next."""


def simulate(work, references, jobs):
    """Four calibrated exposures of one field; their paths. Those that are there are taken."""
    paths = []
    for number, (ra, dec) in enumerate(POINTINGS, 1):
        uncal, cal = (work / f"{ROOT.format(number)}_{suffix}.asdf" for suffix in ("uncal", "cal"))
        if not cal.exists():
            how = ["--ra", ra, "--dec", dec, "--seed", number, "--no-truth", "--overwrite"]
            tool("sim", uncal, *references, *map(str, how), "-q", "-j", str(jobs))
            left_out = ["--skip", "catalog", "--skip", "tweakreg"]
            tool("run", uncal, *references, "--outdir", work, *left_out, "-q", "-j", str(jobs))
            uncal.unlink()
        paths.append(cal)
    return paths


def copies(sources, count, folder):
    """So many images, made from few: their paths. The first are the sources as they are, but for their grid."""
    paths = []
    for number in range(count):
        copy, which = divmod(number, len(sources))
        visit, rest = sources[which].name[1:20], sources[which].name[20:]
        visit = f"{visit[:13]}{int(visit[13:16]) + copy:03d}{visit[16:]}"
        paths.append(folder / f"r{visit}{rest}")
        if not paths[-1].exists():
            _copy(sources[which], paths[-1], visit, copy * SHIFT)
    return paths


def _copy(source, path, visit, shift):
    """An image of another observation, whose pointing is shifted (degrees, in both coordinates)."""
    from rtools.astrometry.wcs import footprint
    from rtools.products.io import open_product, writer
    from rtools.wfi.sphere import s_region
    from rtools.work import Work

    work = Work(2)
    with open_product(source, ("l2_image",)) as product:
        meta, wcs = dict(product.meta), product.node("meta.wcs")
        arrays = {name: product.array(name, work) for name in product.arrays if not name.startswith("meta.")}
    info, observation = dict(meta["wcsinfo"]), dict(meta["observation"])
    if shift:
        wcs.insert_transform(wcs.output_frame, _turn(info["ra_ref"], shift, shift))
        info |= {"ra_ref": info["ra_ref"] + shift, "dec_ref": info["dec_ref"] + shift}
        info["s_region"] = s_region(footprint(wcs))
    # Both pipelines turn the covering grid by roll_ref - vparity v3yangle: now it lies along the detector's axes.
    info["v3yangle"] = (info["roll_ref"] - _angle(wcs, product.arrays["data"].shape)) / info["vparity"]
    observation |= {"observation": int(visit[13:16]), "visit_id": visit}
    observation["observation_id"] = visit + observation["observation_id"][len(visit) :]
    meta |= {"wcs": wcs, "wcsinfo": info, "observation": observation, "filename": path.name}
    writer.write_product(path, "l2_image", meta, arrays, profile=product.profile, compression="lz4", work=work)


def _turn(ra, east, north):
    """Rotation of the sky about two axes: `north` about one 90 degrees from a meridian, `east` about the pole."""
    from astropy.modeling.models import RotationSequence3D
    from gwcs.geometry import CartesianToSpherical, SphericalToCartesian

    turn = RotationSequence3D([ra, north, -(ra + east)], axes_order="zyz")
    return SphericalToCartesian(wrap_lon_at=360) | turn | CartesianToSpherical(wrap_lon_at=360)


def _angle(wcs, shape):
    """Position angle of +y in the middle of an image, degrees."""
    import numpy as np

    y, x = (size / 2 for size in shape)
    (ra, ra_up), (dec, dec_up) = wcs([x, x], [y, y + 1], with_bounding_box=False)
    return float(np.degrees(np.arctan2((ra_up - ra) * np.cos(np.radians(dec)), dec_up - dec)))


def checks(paths):
    """Name of the middle skycell; milliseconds to find the cells of a detector; error of the maps of images on it."""
    import numpy as np

    from rtools.mosaic.grid.footprint import footprint
    from rtools.mosaic.grid.grid import skycell_grid
    from rtools.mosaic.grid.pixmap import pixel_map
    from rtools.mosaic.skymap import skymap
    from rtools.mosaic.skymap.match import cells_touching
    from rtools.products.io import open_product

    random, times, errors, cell = np.random.default_rng(1), [], [], None
    for path in paths:
        with open_product(path) as product:
            wcs, shape = product.node("meta.wcs"), product.arrays["data"].shape
        outline = footprint(wcs, shape)
        for _ in range(20):
            started = time.perf_counter()
            found = cells_touching(*outline)
            times.append(1e3 * (time.perf_counter() - started))
        cell = cell or skymap.cell_at(*(float(value) for value in wcs(shape[1] / 2, shape[0] / 2)))
        to_pixel = skycell_grid(skymap.wcs_info(cell)).to_pixel
        pixmap = pixel_map(wcs, shape, to_pixel)
        y, x = (random.integers(0, size, 50_000) for size in shape)
        mapped = [plane[y, x] for plane in pixmap.evaluate(slice(0, shape[0]), slice(0, shape[1]))]
        off = np.hypot(*(np.stack(mapped) - np.stack(to_pixel(*wcs(x, y, with_bounding_box=False)))))
        errors.append(float(off.max()))
    return {"skycell": skymap.name_of(cell), "match ms": min(times), "cells": len(found), "map error": max(errors)}


def mosaic(files, grid, out, jobs):
    """One mosaic by `rt-run`; seconds of its parts, too."""
    run = tool("run", *files, *grid, "-o", out, "--skip", "catalog", "--overwrite", "-q", "--json", "-j", str(jobs))
    out.unlink()
    return run | {"parts": json.loads(run.pop("output").splitlines()[0])["seconds"]}


def peer_mosaic(python, files, folder):
    """The same by romancal."""
    run = measure([python, Path(__file__).with_name("peer_mosaic.py"), folder, *files])
    shutil.rmtree(folder)
    return run | json.loads(run.pop("output").splitlines()[-1])


def bench(arguments, work):
    """All measurements."""
    references = ["--refdir", arguments.refdir] if arguments.refdir else []
    sources = arguments.inputs or simulate(work, references, arguments.jobs)
    few, folder = len(sources), work / "images"
    folder.mkdir(exist_ok=True)
    # In processes of their own: what this one has held counts as peak memory of every process that it starts.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        files = apart.submit(copies, sources, arguments.many, folder).result()
        result = {"checks": apart.submit(checks, files[:few]).result(), "images": (few, len(files))}
    on_cell, out = ["--skycell", result["checks"]["skycell"]], work / "bench_coadd.asdf"
    runs = {"grid": [], "alike": [], "cell": [], "many": []}
    peers = []
    mosaic(files[:few], ["--mosaic"], out, arguments.jobs)  # compiles what is not compiled yet
    for _ in range(arguments.repeat):
        runs["grid"].append(mosaic(files[:few], ["--mosaic"], out, arguments.jobs))
        if arguments.peer:
            runs["alike"].append(mosaic(files[:few], ["--mosaic", *ALIKE], out, arguments.jobs))
            peers.append(peer_mosaic(Path(arguments.peer) / "bin" / "python", files[:few], work / "peer"))
        runs["cell"].append(mosaic(files[:few], on_cell, out, arguments.jobs))
        if len(files) > few:
            runs["many"].append(mosaic(files, on_cell, out, arguments.jobs))
    result |= {name: best(found) for name, found in runs.items() if found}
    return result | {"peer": best(peers) if peers else None, "all": runs | {"peer": peers}}


def print_tables(result):
    """Tables in Markdown."""
    (few, many), peer = result["images"], result["peer"]
    print("| images | wall s | CPU s | peak GiB | romancal | ratio |\n|---|---|---|---|---|---|")
    titles = {"grid": f"{few}, covering grid", "alike": f"{few}, covering grid, weights and arrays of romancal",
              "cell": f"{few}, skycell", "many": f"{many}, skycell"}  # fmt: skip
    titles = {name: title for name, title in titles.items() if name in result}
    for name, title in titles.items():
        run = result[name]
        line = f"| {title} | {run['wall']:.2f} | {run['cpu']:.2f} | {run['peak'] / 2**30:.2f} |"
        if peer and name in ("grid", "alike"):
            ratio = peer["wall"] / run["wall"]
            line += f" {peer['wall']:.1f} s, {peer['peak'] / 2**30:.2f} GiB | {ratio:.1f} |"
        print(line)
    print("\n| part | " + " | ".join(titles.values()) + " |\n|---|---|---|---|")
    for part in dict.fromkeys(part for name in titles for part in result[name]["parts"]):
        print(f"| {part} | " + " | ".join(f"{result[name]['parts'].get(part, 0):.2f}" for name in titles) + " |")
    if peer:
        print("\nromancal: " + ", ".join(f"{step} {seconds:.1f} s" for step, seconds in peer["seconds"].items()))
    found = result["checks"]
    if many > few:
        one, other = result["cell"], result["many"]
        each = [(other["wall"] - one["wall"]) / (many - few), one["wall"] / few]
        growth = (other["peak"] - one["peak"] - 4 * 5000**2 * ((many - 1) // 32)) / one["peak"]
        print(f"\n{each[0]:.2f} s for each further image, {each[1]:.2f} s for each of the first {few}; "
              f"memory grows by {growth:.1%} besides the context")  # fmt: skip
    print(f"\nskycell {found['skycell']}; {found['cells']} cells of a detector found in {found['match ms']:.2f} ms; "
          f"largest error of a pixel map {found['map error']:.1g} pixel")  # fmt: skip


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refdir", type=Path, help="references, the built-in set by default")
    parser.add_argument("--inputs", type=Path, nargs="+", help="images to use instead of simulated ones")
    parser.add_argument("--many", type=int, default=40, help="images of the large mosaic")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peer", metavar="DIR", help="environment with romancal")
    parser.add_argument("--work", type=Path, help="directory for images and mosaics; what is there is used again")
    parser.add_argument("--json", type=Path, help="write the results there")
    arguments = parser.parse_args()
    arguments.inputs = [path.resolve() for path in arguments.inputs or []]
    arguments.refdir = arguments.refdir and str(arguments.refdir.resolve())
    work = arguments.work or Path(tempfile.mkdtemp(prefix="rtools-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    try:
        result = bench(arguments, work.resolve())
    finally:
        if not arguments.work:
            shutil.rmtree(work)
    python = platform.python_version()
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, Python {python}\n")
    print_tables(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    sys.exit(main())
