"""Are mosaics the same to the bit? Chain and single steps, numbers of threads, repair and a second pass, at full size.

usage: mosaic_bits.py X_cal.asdf… [--dir DIR] [--size N]

X are dithered exposures of profile 1.5.0, which keeps float32. Needs some 3 GB of disk in DIR.
"""

import argparse
import io
import shutil
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np

from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of
from rtools.pipeline.mosaic import flag as mosaic_flag
from rtools.products import names
from rtools.products.io import open_product


def tool(name, *words):
    """Run a tool in this process; it must succeed."""
    with redirect_stdout(io.StringIO()):
        failed = entry.run(command_of(name), [*map(str, words), "-q"])
    if failed:
        raise SystemExit(f"rt-{name} failed")


def different(first, second):
    """Names of the arrays that are not the same."""
    with open_product(first) as one, open_product(second) as two:
        both = one.arrays.keys() & two.arrays.keys()
        other = [name for name in both if np.array(one.array(name)).tobytes() != np.array(two.array(name)).tobytes()]
        return sorted({*other, *(one.arrays.keys() ^ two.arrays.keys())})


def steps(files, scratch, grid):
    """The mosaic by single tools."""
    roots = [names.split_suffix(Path(file).name)[0] for file in files]
    for name, suffix in (("flux", "flux"), ("skymatch", "skymatch"), ("outlier", "outlier_detection_step")):
        tool(name, *files, *(grid if name == "outlier" else []), "--outdir", scratch / name, "-j", 2)
        if name != "flux":
            shutil.rmtree(files[0].parent)
        files = [scratch / name / f"{root}_{suffix}.asdf" for root in roots]
    tool("resample", *files, *grid, "-o", scratch / "steps_coadd.asdf", "-j", 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cal", nargs="+")
    parser.add_argument("--dir")
    parser.add_argument("--size", type=int, help="pixels on a side of the mosaic, by default what covers all")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as folder:
        scratch = Path(folder)
        grid = ["--size", f"{arguments.size},{arguments.size}"] if arguments.size else []
        chain = scratch / "chain_coadd.asdf"
        tool("run", *arguments.cal, "--mosaic", "--skip", "catalog", *grid, "-o", chain, "-j", 2)

        def check(title, *words, against=chain):
            path = scratch / "other_coadd.asdf"
            tool("run", *arguments.cal, "--mosaic", "--skip", "catalog", *grid, "--overwrite", "-o", path, *words)
            print(f"{title}: {different(against, path) or 'same bits'}", flush=True)

        usual = mosaic_flag.MOSTLY
        mosaic_flag.MOSTLY = -1.0
        check("a second pass instead of repair", "-j", 2)
        mosaic_flag.MOSTLY = usual
        check("-j 1", "-j", 1)
        check("-j 3 and little memory", "-j", 3, "--max-memory", 1)
        steps(arguments.cal, scratch, grid)
        print(f"single steps: {different(chain, scratch / 'steps_coadd.asdf') or 'same bits'}", flush=True)
        without = scratch / "without_coadd.asdf"
        tool("run", *arguments.cal, "--mosaic", "--skip", "catalog", "--skip", "outlier", *grid, "-o", without, "-j", 2)
        check("nothing flagged", "--set", "outlier.snr=1e9 1e9", "-j", 2, against=without)
        print(f"with and without outliers, these differ: {different(chain, without)}")


if __name__ == "__main__":
    main()
