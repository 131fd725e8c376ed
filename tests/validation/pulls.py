"""Pulls of a calibrated simulated exposure: is the error honest?

usage: pulls.py X_cal.asdf X_truth.asdf [--refdir DIR] [--json]

For unflagged pixels, in bins of the true rate: mean and sd of (measured - true) / sigma, where sigma is the error that
the same generalised least-squares fit gives at the true rate, and the rms of err / sigma. err itself follows the
measured rate, so pulls by err are biased in faint pixels; their mean is printed, too. Whether image and truth are flat,
each of them says.
"""

import argparse
import itertools
import json

import asdf
import numpy as np

from rtools.declare import Reference
from rtools.exposure.rampfit.timing import resultant_timing
from rtools.products.io import open_product
from rtools.reference import find

BORDER = 4
ROWS_AT_A_TIME = 128


def slope_error(rate, gain, readnoise, timing):
    """Error of a fitted slope at a given rate, no resultant flagged; all in DN and s, any shape.

    sigma^-2 = 1' M^-1 1 with the tridiagonal covariance M of the differences, by elimination.
    """
    poisson = np.maximum(rate, 0) / gain
    noise = readnoise.astype(float) ** 2
    pivot = left = total = None
    for i in range(timing.interval.size):
        diagonal = poisson * timing.poisson_diagonal[i] + noise * timing.read_diagonal[i]
        if i == 0:
            pivot, left, total = diagonal, np.ones_like(diagonal), 1 / diagonal
        else:
            coupling = poisson * timing.poisson_coupling[i - 1] + noise * timing.read_coupling[i - 1]
            factor = coupling / pivot
            pivot, left = diagonal - coupling * factor, 1 - factor * left
            total += left**2 / pivot
    return total**-0.5


def pulls(cal, truth, refdir):
    """True rate, pull, err / sigma and pull by err of the unflagged pixels without a cosmic ray."""
    product = open_product(cal, kinds=("l2_image",))
    meta = product.meta
    names = {"gain": "data", "readnoise": "data", "dark": "dark_slope"}
    uses = [Reference(kind, planes=(name,)) for kind, name in names.items()]
    with asdf.open(truth) as file:
        rate, corrected = np.array(file["rate"]), bool(file["flat_corrected"])
        hit = np.zeros(rate.shape, bool)
        hit[np.array(file["cosmic_rays"]["y"]), np.array(file["cosmic_rays"]["x"])] = True
    flattened = meta["cal_step"]["flat_field"] == "COMPLETE"
    if corrected or flattened:
        uses.append(Reference("flat", trimmed=("data",)))
    rows, columns = product.arrays["data"].shape
    frame = (rows + 2 * BORDER, columns + 2 * BORDER)
    sources = find.references(meta, uses, find.Config(refdir=refdir), frame=frame)
    planes = {
        kind: sources[kind].columns(name, BORDER, columns + BORDER)[BORDER:-BORDER] for kind, name in names.items()
    }
    flat = sources["flat"].columns("data", 0, columns) if corrected or flattened else np.ones(rate.shape, np.float32)
    landed = rate * flat if corrected else rate
    divisor = flat if flattened else np.ones_like(flat)
    timing = resultant_timing(meta["exposure"]["read_pattern"], float(meta["exposure"]["frame_time"]))
    data, err, dq = (product.array(name) for name in ("data", "err", "dq"))
    sigma = np.empty(rate.shape)
    for first in range(0, rows, ROWS_AT_A_TIME):
        part = slice(first, first + ROWS_AT_A_TIME)
        total = landed[part] + planes["dark"][part]
        sigma[part] = slope_error(total, planes["gain"][part], planes["readnoise"][part], timing) / divisor[part]
    good = (dq == 0) & ~hit & np.isfinite(data)
    difference = (data - landed / divisor)[good]
    err = err[good].astype(float)
    return rate[good], difference / sigma[good], err / sigma[good], difference / err


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cal")
    parser.add_argument("truth")
    parser.add_argument("--refdir")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rate, pull, ratio, by_err = pulls(arguments.cal, arguments.truth, arguments.refdir)
    edges = np.concatenate([[-np.inf], np.geomspace(0.3, 3000, 9), [np.inf]])
    table = []
    for low, high in itertools.pairwise(edges):
        inside = (rate >= low) & (rate < high)
        if np.count_nonzero(inside) < 1000:
            continue
        n = int(np.count_nonzero(inside))
        row = {
            "low": float(low),
            "high": float(high),
            "pixels": n,
            "mean": pull[inside].mean(),
            "sd": pull[inside].std(),
        }
        row |= {"rms err/sigma": np.sqrt(np.mean(ratio[inside] ** 2)), "mean by err": by_err[inside].mean()}
        table.append({key: float(value) if key != "pixels" else value for key, value in row.items()})
    if arguments.json:
        print(json.dumps(table, indent=1))
        return
    print("| true rate, DN/s | pixels | mean | sd | rms err/sigma | mean by err |\n|---|---|---|---|---|---|")
    for row in table:
        values = " | ".join(f"{row[key]:.3f}" for key in ("mean", "sd", "rms err/sigma", "mean by err"))
        print(f"| {row['low']:.3g} to {row['high']:.3g} | {row['pixels']} | {values} |")


if __name__ == "__main__":
    main()
