"""Is the error of a mosaic honest? Sums in boxes against the same drizzle of the noise-free truth.

usage: mosaic_scatter.py X_cal.asdf… [--side 20] [--size N] [--real] [-j N]

X are dithered simulated exposures (rt-sim, rt-run) with their truth beside them. Truth and truth with white noise of
their variances (or, with --real, the exposures as they are) are drizzled with the same weights and flags; in boxes
SIDE input pixels wide Σ(mosaic - truth) / √Σerr² should have a standard deviation of 1.
"""

import argparse

import numpy as np
from mosaic_measures import array_of, box_pulls, mosaic, truth_of, white_noise

GRIDS = {"0.055": {"scale": 0.055}, "native": {"scale_ratio": 1.0}, "0.0825": {"scale_ratio": 0.75}}
SIDES = {"0.055": 1.0, "native": 0.5, "0.0825": 2 / 3}
LEAST = 0.9
"""Share of a box's pixels that must have data; those without do not count."""

SETTINGS = [
    ("0.055", "square", 1.0, "exptime"),
    ("native", "square", 1.0, "exptime"),
    ("0.055", "square", 0.8, "exptime"),
    ("0.055", "square", 0.6, "exptime"),
    ("native", "square", 0.8, "exptime"),
    ("native", "square", 0.6, "exptime"),
    ("0.0825", "square", 1.0, "exptime"),
    ("0.055", "square", 1.0, "ivm"),
    ("native", "square", 1.0, "ivm"),
    ("0.055", "square", 1.0, "ivm-sky"),
    ("0.055", "turbo", 1.0, "exptime"),
]


def inputs(arguments):
    """Truth and noisy data of the exposures, and pulls in boxes of the exposures themselves."""
    true, noisy, own = [], [], []
    for number, cal in enumerate(arguments.cal):
        rate, _hit = truth_of(cal)
        data = array_of(cal) if arguments.real else white_noise(cal, rate, number)
        used = ((array_of(cal, "dq") & 1) == 0) & np.isfinite(data)
        true.append({"data": np.where(np.isfinite(data), rate, np.float32(np.nan))})
        noisy.append({"data": data})
        err = np.where(used, np.nan_to_num(array_of(cal, "err").astype(np.float32)), 0)
        own.append(box_pulls(np.where(used, data - rate, 0), err, arguments.side))
    return true, noisy, np.concatenate(own)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cal", nargs="+")
    parser.add_argument("--side", type=int, default=20)
    parser.add_argument("--size", type=int, default=4000, help="pixels on a side of the finest mosaic")
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--settings", type=int, default=len(SETTINGS), help="only the first so many")
    parser.add_argument("-j", type=int, default=2)
    arguments = parser.parse_args()
    true, noisy, own = inputs(arguments)
    print(f"the exposures themselves, boxes of {arguments.side}: sd {own.std():.3f}, mean {own.mean():.3f}")
    print("| exposures | grid, arcsec | kernel | pixfrac | weights | boxes | sd | mean | sd, one pixel |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for setting in SETTINGS[: arguments.settings]:
        for count in dict.fromkeys((1, len(noisy))):
            report(arguments, setting, noisy[:count], true[:count])


def report(arguments, setting, noisy, true):
    """One row of the table."""
    name, kernel, pixfrac, weights = setting
    count, size = len(noisy), round(arguments.size * SIDES[name])
    grid = GRIDS[name] | {"size": (size, size)}
    how = {"threads": arguments.j, "kernel": kernel, "pixfrac": pixfrac, "weight_type": weights}
    found, _wcs, ratio = mosaic(arguments.cal[:count], grid, replaced=noisy, planes="data,err", **how)
    expected = mosaic(arguments.cal[:count], grid, replaced=true, planes="data", **how)[0]["data"]
    difference = found["data"] - expected
    pulls = box_pulls(difference, found["err"], round(arguments.side / ratio), least=LEAST)
    single = (difference / found["err"])[np.isfinite(difference)]
    print(f"| {count} | {name} | {kernel} | {pixfrac:g} | {weights} | {len(pulls)} | {pulls.std():.3f} | "
          f"{pulls.mean():.3f} | {single.std():.3f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
