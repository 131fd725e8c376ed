"""Motion of simulated exposures against what was put in: rms, the width of the star, the kernel.

usage: guide_motion.py X_gw_jitter.ecsv X_gw_pairs.parquet X_truth.parquet [MORE...] [--json]

The tables are those of `rt-gw jitter`, `rt-gw measure` and `rt-sim X_gw.asdf`, of one file. The truth of an exposure
is that of the pairs that were used. Over the exposures of a file: mean and sd of rms_x and rms_y less the truth's, in
per cent; mean and sd of high_xx, high_yy and high_xy less the truth's (motion inside pairs less the 8 mas of the
built-in PSF), in mas² on the sky, and the error that the table has; and of the kernel's xx and yy less the truth's:
`slow`, or `total` where the kernel is that of `--high-frequency window`, in mas² of 110 mas a pixel.
"""

import argparse
import json

import numpy as np
from astropy.table import Table
from guide_pairs import joined, read

from rtools.pipeline.guide.instrument import stretch_of
from rtools.wfi.fgs import place_in_field
from rtools.wfi.frame import BORDER
from rtools.wfi.guide import DROPPED_BY_JITTER

PIXEL_MAS = 110.0
REFERENCE_MAS = 8.0
PAIRS = ("xx", "yy", "xy")


def covariances(jitter, pairs_path, truth_path):
    """Truth of each exposure: slow and inside in pixel², total of the metadata in mas²; and about it."""
    (pairs, _), (truth, about) = read(pairs_path), read(truth_path)
    _found, true = joined(pairs, truth, ~int(DROPPED_BY_JITTER))
    totals = {one["exposure"]: one for one in about["exposures"]}
    lines = []
    for number in jitter["exposure"]:
        here = true["exposure"] == number
        slow = np.cov(true["x"][here], true["y"][here])
        inside = [true[name][here].mean() for name in PAIRS]
        lines.append((slow, np.array([[inside[0], inside[2]], [inside[2], inside[1]]]), totals[number]))
    return lines, about


def kernel_of(row):
    """xx, yy of the kernel, mas²."""
    turn = np.deg2rad(row["jitter_position_angle"])
    sin, cos = np.sin(turn) ** 2, np.cos(turn) ** 2
    major, minor = row["jitter_major"] ** 2, row["jitter_minor"] ** 2
    return np.array([major * sin + minor * cos, major * cos + minor * sin])


def line_of(jitter_path, pairs_path, truth_path):
    """One dict for a file."""
    jitter = Table.read(jitter_path)
    truths, about = covariances(jitter, pairs_path, truth_path)
    star = about["star"]
    angles = 1000 * stretch_of(place_in_field(about["detector"], star["x"] - BORDER, star["y"] - BORDER).jacobian)
    window = jitter["kind"][0] == "window"
    parts, high, kernels = [], [], []
    for row, (slow, inside, about_it) in zip(jitter, truths, strict=True):
        sky = angles @ slow @ angles.T
        parts.append([100 * (row[f"rms_{axis}"] / np.sqrt(sky[i, i]) - 1) for i, axis in enumerate("xy")])
        wide = angles @ (inside - np.eye(2) * (REFERENCE_MAS / PIXEL_MAS) ** 2) @ angles.T
        error = [row["high_xx"] - wide[0, 0], row["high_yy"] - wide[1, 1], row["high_xy"] - wide[0, 1]]
        high.append([*error, *(row[f"high_{name}_err"] for name in PAIRS)])
        true = about_it["total" if window else "slow"][:2]
        kernels.append(kernel_of(row) - true)
    parts, high, kernels = np.array(parts), np.array(high), np.array(kernels)
    line = {"element": about["optical_element"], "mag": star["magnitude"], "exposures": len(jitter)}
    for i, axis in enumerate("xy"):
        line |= {f"rms_{axis} mean %": parts[:, i].mean(), f"rms_{axis} sd %": parts[:, i].std(ddof=1)}
    for i, name in enumerate(PAIRS):
        line |= {f"H {name} mean": high[:, i].mean(), f"H {name} sd": high[:, i].std(ddof=1)}
        line[f"H {name} err"] = high[:, 3 + i].mean()
    line["kernel"] = str(jitter["kind"][0])
    for i, name in enumerate(PAIRS[:2]):
        line |= {f"kernel {name} mean": kernels[:, i].mean(), f"kernel {name} sd": kernels[:, i].std(ddof=1)}
    return {key: float(value) if isinstance(value, np.floating) else value for key, value in line.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="JITTER PAIRS TRUTH")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if len(arguments.files) % 3:
        parser.error("three files each: jitter, pairs, truth")
    lines = [line_of(*arguments.files[i : i + 3]) for i in range(0, len(arguments.files), 3)]
    if arguments.json:
        print(json.dumps(lines, indent=1))
        return
    keys = list(lines[0])
    print("| " + " | ".join(keys) + " |\n|" + "---|" * len(keys))
    for line in lines:
        print("| " + " | ".join(f"{line[k]:.2f}" if isinstance(line[k], float) else str(line[k]) for k in keys) + " |")


if __name__ == "__main__":
    main()
