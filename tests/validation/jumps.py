"""Which cosmic rays of a simulated exposure the jump search finds, and what it flags without one.

usage: jumps.py X_cal.asdf X_truth.asdf

Completeness by the height of the hit in the pixel, in DN, over pixels with one hit that do not saturate; false alarms
are pixels with a jump and without a hit there or next to it (inter-pixel capacitance spreads hits).
"""

import argparse
import itertools

import asdf
import numpy as np
from scipy import ndimage

from rtools.products.io import open_product

SATURATED = 2
JUMP_DET = 4
DO_NOT_USE = 1


def curves(cal, truth):
    """Rows (low, high, hits, share found) and the false alarms per usable pixel."""
    product = open_product(cal, kinds=("l2_image",))
    dq = np.array(product.array("dq"))
    with asdf.open(truth) as file:
        rays = {name: np.array(file["cosmic_rays"][name]) for name in ("x", "y", "dn", "resultant")}
    hits = np.zeros(dq.shape, np.int32)
    np.add.at(hits, (rays["y"], rays["x"]), 1)
    flags = dq[rays["y"], rays["x"]]
    clean = (hits[rays["y"], rays["x"]] == 1) & ((flags & (SATURATED | DO_NOT_USE)) == 0)
    found = (flags & JUMP_DET) != 0
    rows = []
    for low, high in itertools.pairwise([2, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 200, 500, 1000, np.inf]):
        inside = clean & (rays["dn"] >= low) & (rays["dn"] < high)
        if np.count_nonzero(inside):
            rows.append((low, high, int(np.count_nonzero(inside)), float(found[inside].mean())))
    quiet = ~ndimage.binary_dilation(hits > 0, np.ones((3, 3), bool)) & ((dq & (DO_NOT_USE | SATURATED)) == 0)
    return rows, float(np.mean((dq[quiet] & JUMP_DET) != 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cal")
    parser.add_argument("truth")
    arguments = parser.parse_args()
    rows, alarms = curves(arguments.cal, arguments.truth)
    print("| height, DN | hits | found |\n|---|---|---|")
    for low, high, hits, share in rows:
        print(f"| {low:g} to {high:g} | {hits} | {share:.3f} |")
    print(f"\nfalse alarms: {alarms:.2e} of the pixels without a hit")


if __name__ == "__main__":
    main()
