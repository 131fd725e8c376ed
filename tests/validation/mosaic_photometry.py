"""Is light kept? Per star the sum of mosaic × output pixel area against that of L2 × local pixel area.

usage: mosaic_photometry.py X_cal.asdf… [--stars N] [--bright M] [--faint M] [--noisy] [--weights W] [-j N]

X are dithered simulated exposures of one detector (rt-sim, rt-run) with their truth beside them. Their data are
replaced by the true rates, so that only the resampling is seen; with --noisy they stay. Stars are isolated ones of the
first truth table. Areas are those of the WCS. Sums, one level of the sky subtracted, are within circles that fade from
1 to 3 arcsec, or with a hard edge at 3 arcsec. Several exposures: against the mean of the sums of the L2. Differences
are in per cent.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from mosaic_measures import array_of, mosaic, node_of, pixel_areas, quantiles, star_sums, truth_of
from scipy.spatial import cKDTree

from rtools.products import names

RADIUS = 1.0, 3.0
GRIDS = {"native": {"scale_ratio": 1.0}, "0.055": {"scale": 0.055}}
MAGNITUDES = (16, 18, 20, 21, 22, 23, 24)
"""Edges of bins."""

NEIGHBOUR = 3.0, 0.02
"""Arcsec within which there is no other source with more than this share of the light."""


def stars_of(cal, bright, faint):
    """Right ascension and declination of isolated stars."""
    path = Path(cal)
    table = pq.read_table(path.with_name(f"{names.split_suffix(path.name)[0]}_truth.parquet"))
    truth = {name: table[name].to_numpy() for name in ("ra", "dec", "x", "y", "magnitude", "type")}
    near = cKDTree(np.column_stack([truth["x"], truth["y"]]))
    chosen = np.flatnonzero((truth["type"] == "star") & (truth["magnitude"] > bright) & (truth["magnitude"] < faint))
    limit = -2.5 * np.log10(NEIGHBOUR[1])
    kept = [k for k in chosen if sum(truth["magnitude"][near.query_ball_point(
        [truth["x"][k], truth["y"][k]], NEIGHBOUR[0] / 0.11)] < truth["magnitude"][k] + limit) == 1]  # fmt: skip
    return truth["ra"][kept], truth["dec"][kept], truth["magnitude"][kept]


def masked_nearby(cal, ra, dec, radius=5):
    """Stars with a pixel in the innermost so many that is not used."""
    from scipy.ndimage import maximum_filter

    bad = maximum_filter((array_of(cal, "dq") & 1).astype(np.uint8), 2 * radius + 1)
    x, y = (np.rint(each).astype(int) for each in node_of(cal).invert(ra, dec, with_bounding_box=False))
    inside = (x >= 0) & (y >= 0) & (x < bad.shape[1]) & (y < bad.shape[0])
    return np.where(inside, bad[y.clip(0, bad.shape[0] - 1), x.clip(0, bad.shape[1] - 1)] > 0, True)


def nominal_areas(cal):
    """Local over nominal pixel area on a grid over the detector: least, median, largest."""
    wcs, nominal = node_of(cal), node_of(cal, "meta.photometry.pixel_area")
    places = np.linspace(0, 4087, 41)
    ratio = pixel_areas(wcs, places, places) / nominal
    corners = ratio[[0, 0, -1, -1], [0, -1, 0, -1]]
    return ratio.min(), np.median(ratio), ratio.max(), corners


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cal", nargs="+")
    parser.add_argument("--stars", type=int, default=300)
    parser.add_argument("--bright", type=float, default=16.0)
    parser.add_argument("--faint", type=float, default=24.0)
    parser.add_argument("--noisy", action="store_true")
    parser.add_argument("--weights", default="exptime,ivm")
    parser.add_argument("-j", type=int, default=2)
    arguments = parser.parse_args()
    low, middle, high, corners = nominal_areas(arguments.cal[0])
    print(f"local / nominal pixel area: {low:.4f} to {high:.4f}, median {middle:.4f}; corners {corners.round(4)}")
    stars = stars_of(arguments.cal[0], arguments.bright, arguments.faint)
    ra, dec, magnitude = (column[: arguments.stars] for column in stars)
    for flags in ("none", "as found"):
        measure(arguments, (ra, dec), np.digitize(magnitude, MAGNITUDES) - 1, flags)


def measure(arguments, stars, bins, flags):
    """One table: without flags, or with those of the exposures."""
    titles = [f"{low} to {high}" for low, high in itertools.pairwise(MAGNITUDES)]
    replaced, sums, clean, sky = [], {True: [], False: []}, np.ones(len(stars[0]), bool), None
    print(f"\nflags: {flags}; last columns: medians by AB magnitude")
    print(f"| exposures | grid | weights | edge | stars | median | median size | 68 % | worst | {' | '.join(titles)} |")
    print(f"|{'---|' * (9 + len(titles))}", flush=True)
    for cal in arguments.cal:
        data = array_of(cal) if arguments.noisy else truth_of(cal)[0]
        replaced.append({"data": data})
        if flags == "none":
            noise = array_of(cal, "var_rnoise").astype(np.float32)
            noise[~(noise > 0)] = np.median(noise[noise > 0])  # what was a bad pixel needs a variance now
            replaced[-1] |= {"dq": np.zeros(data.shape, np.uint32), "var_rnoise": noise}
        else:
            clean &= ~masked_nearby(cal, *stars)
        factor = node_of(cal, "meta.photometry.conversion_megajanskys")
        sky = np.median(data[np.isfinite(data)]) if sky is None else sky
        for soft in sums:
            own = star_sums(data, node_of(cal), *stars, radius=RADIUS, sky=sky, soft=soft)
            sums[soft].append(factor * own)
    for count in dict.fromkeys((1, len(replaced))):
        for name, grid in GRIDS.items():
            for weights in arguments.weights.split(","):
                how = {"replaced": replaced, "threads": arguments.j, "weight_type": weights, "planes": "data"}
                planes, wcs, _ratio = mosaic(arguments.cal[:count], grid, **how)
                for soft in sums:
                    found = star_sums(planes["data"], wcs, *stars, radius=RADIUS, sky=factor * sky, soft=soft)
                    ratio = np.where(clean, found / np.mean(sums[soft][:count], axis=0) - 1, np.nan)
                    values = [np.nanmedian(ratio), *quantiles(ratio)]
                    values += [np.median(part) if (part := ratio[(bins == k) & np.isfinite(ratio)]).size else np.nan
                               for k in range(len(titles))]  # fmt: skip
                    row = " | ".join(f"{100 * value:.4f}" for value in values)
                    edge, number = "soft" if soft else "hard", np.isfinite(ratio).sum()
                    print(f"| {count} | {name} | {weights} | {edge} | {number} | {row} |", flush=True)


if __name__ == "__main__":
    main()
