"""What the reference-pixel correction does to a simulated exposure: noise of the image, of its rows, stripes, jumps.

usage: refpix.py X_truth.asdf NONE_cal.asdf BEFORE_cal.asdf AFTER_cal.asdf …

Of each image less the truth, in mDN/s, over pixels without a flag or a hit: mean, standard deviation, standard
deviation of the medians of rows, pixels with a jump; and the profile folded over 256 columns, a pair of channels, whose
rows start at either end: mean and extremes of its 8 columns there, and standard deviation of the others.
"""

import argparse

import asdf
import numpy as np

from rtools.products.io import open_product

JUMP_DET = 4
BORDER = 4
PAIR = 256
ROW_START = 4
"""Columns at either end of the fold: the clocks that the border columns are read at."""


def difference(cal, truth):
    """Image less true rate, mDN/s, NaN where a flag or a hit is; and how many pixels have a jump."""
    product = open_product(cal, kinds=("l2_image",))
    data, dq = (np.array(product.array(name)) for name in ("data", "dq"))
    with asdf.open(truth) as file:
        rate = np.array(file["rate"])
        hits = np.array(file["cosmic_rays"]["y"]), np.array(file["cosmic_rays"]["x"])
    left = (data - rate) * 1000
    left[dq != 0] = np.nan
    left[hits] = np.nan
    return left, int(np.count_nonzero(dq & JUMP_DET))


def folded(left):
    """Mean of all rows and pairs of channels, the column of each pixel counted in its pair."""
    columns = (np.arange(left.shape[1]) + BORDER) % PAIR
    total, count = np.nansum(left, axis=0), np.isfinite(left).sum(axis=0)
    return np.bincount(columns, total, PAIR) / np.bincount(columns, count, PAIR)


def clipped(left):
    """Without pixels more than 5 standard deviations off, as `1.4826 mad` gives them."""
    middle = np.nanmedian(left)
    sigma = 1.4826 * np.nanmedian(np.abs(left - middle))
    return np.where(np.abs(left - middle) < 5 * sigma, left, np.nan)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth")
    parser.add_argument("cal", nargs="+")
    arguments = parser.parse_args()
    print("| image | mean | sd | sd of row medians | jumps | row starts | from, to | other columns, sd |")
    print("|---|---|---|---|---|---|---|---|")
    for cal in arguments.cal:
        left, jumps = difference(cal, arguments.truth)
        left = clipped(left)
        profile = folded(left) - np.nanmean(left)
        starts, others = np.r_[profile[:ROW_START], profile[-ROW_START:]], profile[ROW_START:-ROW_START]
        rows = np.nanmedian(left, axis=1).std()
        print(f"| {cal} | {np.nanmean(left):.1f} | {np.nanstd(left):.1f} | {rows:.1f} | {jumps} "
              f"| {starts.mean():.2f} | {starts.min():.2f}, {starts.max():.2f} | {others.std():.2f} |")  # fmt: skip


if __name__ == "__main__":
    main()
