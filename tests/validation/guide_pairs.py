"""Pairs of simulated guide windows against what was put in: are places, light and their errors honest?

usage: guide_pairs.py X_gw_pairs.parquet X_truth.parquet [MORE...] [--json]

The tables are those of `rt-gw measure` and of `rt-sim X_gw.asdf`. Of pairs of exposures that are used (use 0): rms of
(measured - true) for each axis, in mas of 110 mas a pixel; the bound, which is the root of the mean of the fit's
variances; mean and sd of (measured - true) / error; bias of the light in per cent, sd of its error over the bound, and
signal to noise of one pair. The light of a spectrum is not compared.
"""

import argparse
import json

import numpy as np

PIXEL_MAS = 110.0
KEYS = (
    "element", "mag", "pairs", "x rms", "x bound", "x mean", "x sd", "y rms", "y bound", "y mean", "y sd",
    "flux bias %", "flux scatter", "flux sd", "S/N",
)  # fmt: skip


def read(path):
    """Columns of a table as plain arrays, and what its metadata say of the simulation."""
    from pyarrow import parquet

    table = parquet.read_table(path)
    about = json.loads((table.schema.metadata or {}).get(b"rtools", b"{}"))
    return {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}, about


def joined(pairs, truth, kept=0):
    """Rows of both tables of the same stage and pair, without flags but those kept, and not between exposures."""
    numbers = {key: i for i, key in enumerate(zip(truth["stage"], truth["pair"], strict=True))}
    rows = np.array([numbers[key] for key in zip(pairs["stage"], pairs["pair"], strict=True)])
    used = ((pairs["use"].astype(int) & ~kept) == 0) & (pairs["exposure"] > 0)
    return {k: v[used] for k, v in pairs.items()}, {k: v[rows][used] for k, v in truth.items()}


def line_of(pairs_path, truth_path):
    """One dict for a file."""
    (pairs, _), (truth, about) = read(pairs_path), read(truth_path)
    found, true = joined(pairs, truth)
    line = {"element": about["optical_element"], "mag": about["star"]["magnitude"], "pairs": len(true["x"])}
    for axis in "xy":
        error = found[axis] - true[axis]
        pull = error / found[f"{axis}_err"]
        line[f"{axis} rms"] = PIXEL_MAS * np.sqrt(np.mean(error**2))
        line[f"{axis} bound"] = PIXEL_MAS * np.sqrt(np.mean(found[f"{axis}_err"] ** 2))
        line[f"{axis} mean"], line[f"{axis} sd"] = pull.mean(), pull.std()
    if about["optical_element"] in ("GRISM", "PRISM"):
        true["flux"] = np.full(len(true["flux"]), np.nan)
    error = found["flux"] - true["flux"]
    line["flux bias %"] = 100 * error.mean() / true["flux"].mean()
    line["flux scatter"] = error.std() / np.sqrt(np.mean(found["flux_err"] ** 2))
    line["flux sd"] = (error / found["flux_err"]).std()
    line["S/N"] = true["flux"].mean() / error.std()
    return {key: float(value) if isinstance(value, np.floating) else value for key, value in line.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="PAIRS TRUTH")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if len(arguments.files) % 2:
        parser.error("two files each: pairs, truth")
    lines = [line_of(*arguments.files[i : i + 2]) for i in range(0, len(arguments.files), 2)]
    if arguments.json:
        print(json.dumps(lines, indent=1))
        return
    print("| " + " | ".join(KEYS) + " |\n|" + "---|" * len(KEYS))
    for line in lines:
        print("| " + " | ".join(f"{line[k]:.3f}" if isinstance(line[k], float) else str(line[k]) for k in KEYS) + " |")


if __name__ == "__main__":
    main()
