"""PSF photometry with the kernel of the guide windows and without: equal stars on a detector, from rt-sim to catalogs.

usage: guide_kernel.py [--jitter 20,12,30] [--stars 400] [--magnitude 17.5] [--guide-star 14] [-j N]

A grid of equal stars in F158 is simulated in an exposure of 139 s with such a jitter, with its guide windows
(`rt-sim --guide`). Its metadata are set to 8 mas, and it is calibrated with rt-run. Then rt-gw jitter --apply writes
kernels into it, and rt-catalog measures again. For each kernel: its axes, the median of psf_flux over the truth less
1 with its error, the scatter, and the median of psf_gof.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from astropy.table import Table
from flux_places import NAME, flux_ratios, grid_of, on_the_sky, plane, tool
from pyarrow import parquet

from rtools.products.io import open_product

SIZE, DETECTOR = 4096, 1
ROOT = NAME.format(DETECTOR).removesuffix("_uncal.asdf")
USUAL = {"jitter_major": 8, "jitter_minor": 8, "jitter_position_angle": 0}


def kernel_in(path):
    """Major and minor axis and position angle that a file has."""
    star = open_product(path).meta["guide_star"]
    return [float(star[name]) for name in USUAL]


def line_of(folder, title, x, y, true):
    """A line of the table for the image and catalog in a folder."""
    ratio = flux_ratios(folder / f"{ROOT}_cat.parquet", x, y, true)["psf_flux"]
    median, sd, *_slopes, count = plane(x, y, ratio, SIZE)
    gof = np.nanmedian(parquet.read_table(folder / f"{ROOT}_cat.parquet")["psf_gof"].to_numpy())
    major, minor, angle = kernel_in(folder / f"{ROOT}_cal.asdf")
    off = f"{100 * (median - 1):+.3f} ± {100 * 1.25 * sd / np.sqrt(count):.3f}"
    return f"| {title} | {major:.2f} × {minor:.2f}, {angle:.1f}° | {count} | {off} | {100 * sd:.2f} | {gof:.2f} |"


def measure(folder, arguments):
    """Simulate, calibrate, and measure with each kernel; lines of the table."""
    x, y = grid_of(arguments.stars, SIZE)
    ra, dec = on_the_sky(folder, DETECTOR, x, y)
    stars = Table({"ra": ra, "dec": dec, "magnitude": np.full(x.size, arguments.magnitude)})
    stars.write(folder / "stars.ecsv", format="ascii.ecsv", overwrite=True)
    raw, cal, windows = f"{ROOT}_uncal.asdf", f"{ROOT}_cal.asdf", ROOT.replace("_wfi", "_1_wfi") + "_gw.asdf"
    tool(folder, "rt-sim", raw, "--sources", "stars.ecsv", "--guide", "--mag", arguments.guide_star,
         "--jitter", arguments.jitter, "-j", arguments.j)  # fmt: skip
    true = 3631e9 * 10 ** (-0.4 * arguments.magnitude)
    total = dict(zip(USUAL, kernel_in(folder / raw), strict=True))
    tool(folder, "rt-set", raw, *(f"guide_star.{name}={value}" for name, value in USUAL.items()), "--in-place")
    tool(folder, "rt-run", raw, "--skip", "tweakreg", "-j", arguments.j)
    yield line_of(folder, "usual, nothing known", x, y, true)
    for title, words in (("slow part (default)", ()), ("window", ("--high-frequency", "window"))):
        tool(folder, "rt-gw", "jitter", windows, *words, "--apply", cal, "--outdir", title)
        tool(folder / title, "rt-catalog", cal, "-j", arguments.j)
        yield line_of(folder / title, title, x, y, true)
    tool(folder, "rt-set", cal, *(f"guide_star.{name}={value}" for name, value in total.items()), "--outdir", "true")
    tool(folder / "true", "rt-catalog", cal, "-j", arguments.j)
    yield line_of(folder / "true", "true", x, y, true)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jitter", default="20,12,30", help="As for rt-sim.")
    parser.add_argument("--stars", type=int, default=400)
    parser.add_argument("--magnitude", type=float, default=17.5)
    parser.add_argument("--guide-star", type=float, default=14.0, help="AB.")
    parser.add_argument("-j", type=int, default=2)
    arguments = parser.parse_args()
    print("| kernel | mas | stars | psf_flux off, % | scatter, % | psf_gof |\n|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in measure(Path(folder), arguments):
            print(line, flush=True)


if __name__ == "__main__":
    main()
