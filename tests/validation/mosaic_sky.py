"""Are steps of the sky found? Known steps are added to dithered exposures; levels against those without steps.

usage: mosaic_sky.py X_cal.asdf… [--white] [--factors 0.05,0.2,0.1] [--pairs cells,exact] [-j N]

X are dithered exposures. To each a share of its own sky (its clipped median) is added; the lowest gets none. What the
defaults of rt-skymatch find is compared with what they find without steps; an error of 1 is one per cent of the step.
With --white the data are the truth (beside the exposures) with white noise of their variances, another one with the
steps than without.
"""

import argparse

import numpy as np
from mosaic_measures import array_of, node_of, truth_of, white_noise

from rtools.mosaic.grid.footprint import footprint
from rtools.mosaic.options import parse_skymatch
from rtools.mosaic.sky.cells import good_values, sky_cells, source_blocks
from rtools.mosaic.sky.pairs import overlap_values, points_of
from rtools.mosaic.sky.sky import match_cells, match_pairs, sky_levels
from rtools.mosaic.sky.statistics import sky_value
from rtools.mosaic.steps.skymatch import STEP as SKYMATCH
from rtools.work import Work

METHODS = ("match", "local", "global+match")


class Exposure:
    """Pixels and place of an exposure."""

    def __init__(self, path, seed=None):
        self.data, dq, self.wcs = array_of(path), array_of(path, "dq"), node_of(path)
        self.good = ((dq & 1) == 0) & np.isfinite(self.data)
        if seed is not None:
            self.data = white_noise(path, truth_of(path)[0].astype(np.float32), seed)

    def to_sky(self, x, y):
        return self.wcs(x, y, with_bounding_box=False)


def solve(exposures, added, options, work):
    """Levels by each method, and their errors as the match states them."""
    statistic, masked = parse_skymatch(options).statistic, options["mask_sources"]
    outlines = [footprint(each.wcs, each.data.shape, points=points_of(each.data.shape, None)) for each in exposures]
    cells, values, pixels, whole = [], [], [], []
    for number, (each, more) in enumerate(zip(exposures, added, strict=True)):
        data = each.data + np.float32(more)
        if options["pairs"] == "cells":
            how = {"statistic": statistic, "mask_sources": masked, "whole": True, "work": work}
            cells.append(sky_cells(data, each.good, each.to_sky, **how))
            whole.append(cells[-1].whole)
            continue
        sources = source_blocks(data, each.good, work) if masked else None
        whole.append(sky_value(good_values(data, each.good, sources), statistic).value)
        how = {"statistic": statistic, "sources": sources}
        value, count = overlap_values(data, each.good, each.to_sky, outlines, number, **how)
        values.append(value)
        pixels.append(count)
    matched = match_cells(cells) if cells else match_pairs(np.array(values), np.array(pixels))
    return {method: sky_levels(matched, whole, method).level for method in METHODS}, matched.error


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cal", nargs="+")
    parser.add_argument("--white", action="store_true", help="truth with noise of its own for either solution")
    parser.add_argument("--factors", default="0.05,0.2,0.1")
    parser.add_argument("--pairs", default="cells,exact")
    parser.add_argument("-j", type=int, default=2)
    arguments = parser.parse_args()
    count = len(arguments.cal)
    seeds = range(2 * count) if arguments.white else [None] * 2 * count
    exposures = [Exposure(path, seed) for path, seed in zip(arguments.cal, seeds[:count], strict=True)]
    others = [Exposure(path, seed) for path, seed in zip(arguments.cal, seeds[count:], strict=True)]
    skies = np.array([np.median(each.data[each.good]) for each in exposures])
    factors = np.resize([float(word) for word in arguments.factors.split(",")], len(exposures) - 1)
    steps = np.concatenate([[0], factors * skies[1:]])
    print(f"skies {skies}, steps {steps}")
    print("| pairs | method | without steps | found - steps | error, % of the step | stated error, % |")
    print("|---|---|---|---|---|---|")
    for pairs in arguments.pairs.split(","):
        options = SKYMATCH.defaults() | {"pairs": pairs}
        before, _ = solve(exposures, np.zeros(len(steps)), options, Work(arguments.j))
        after, stated = solve(others, steps, options, Work(arguments.j))
        for method in METHODS:
            off = after[method] - before[method] - steps
            off -= 0 if method == "local" else off[0]
            share = 100 * np.abs(off[1:]) / steps[1:]
            said = 100 * stated[1:] / steps[1:] if method == "match" else []
            shown = (before[method] - before[method][0], off, share.round(4), np.round(said, 4))
            print(f"| {pairs} | {method} | {' | '.join(str(each) for each in shown)} |", flush=True)


if __name__ == "__main__":
    main()
