"""Which outliers are found, and what is flagged without reason? Hits of known height are put into dithered exposures.

usage: mosaic_outliers.py X_cal.asdf… [--counts 2,3,4] [--hits N] [--scale ARCSEC] [--save FILE.npz] [-j N]

X are dithered simulated exposures (rt-sim, rt-run) with their truth beside them. Into unflagged pixels go hits of 3 to
100 times the pixel's error: single pixels, tracks of 6 to 15 pixels, and in each exposure a satellite, a straight line
from edge to edge with a Gaussian profile. The defaults of rt-outlier look at the first 2, 3, … exposures, with and
without the hits, within a circle that all exposures see. Sky: true light of sources below the pixel's error; sources:
5 errors or more; cores: 50 or more. A real cosmic ray that the ramp fit did not find is no false alarm. With --save
what was put in and what was found goes into a file.
"""

import argparse
import tempfile

import numpy as np
from mosaic_measures import array_of, node_of, outliers, truth_of
from scipy.ndimage import binary_dilation

HEIGHTS = (3, 4, 5, 6, 7, 8, 10, 15, 20, 30, 50, 100)
SATELLITE = 20.0, 1.5
"""Errors at the peak, and standard deviation of the profile in pixels."""

SIZE = 2400
"""Pixels on a side of the grid, of the exposures' size; what lies in the circle within it counts."""

COARSE = 8

CLASSES = ("sky", "sources", "cores")


def within(wcs, shape, centre, radius):
    """Pixels within so many arcsec of a position, to some pixels."""
    rows, columns = (np.arange(0, size, COARSE) + COARSE / 2 for size in shape)
    ra, dec = wcs(*np.meshgrid(columns, rows), with_bounding_box=False)
    east = (ra - centre[0]) * np.cos(np.deg2rad(centre[1]))
    near = np.hypot(east, dec - centre[1]) * 3600 < radius
    return np.repeat(np.repeat(near, COARSE, axis=0), COARSE, axis=1)[: shape[0], : shape[1]]


class Exposure:
    """What is known of an exposure: truth, classes of pixels, and what is put into it."""

    def __init__(self, path, number, hits, centre):
        rng = np.random.default_rng(number)
        rate, ray = truth_of(path)
        err, dq = array_of(path, "err").astype(np.float32), array_of(path, "dq")
        light = (rate - np.median(rate)) / err
        inside = within(node_of(path), rate.shape, centre, 0.11 * (SIZE / 2 - 3 * COARSE))
        edges = inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any()
        print(f"{path}: {np.count_nonzero(inside)} pixels in the circle{', which it cuts' if edges else ''}")
        usable = inside & (dq == 0) & np.isfinite(err) & (err > 0)
        self.regions = {"sky": usable & (light < 1), "sources": usable & (light >= 5), "cores": usable & (light >= 50)}
        self.rays = binary_dilation(ray, np.ones((3, 3)))
        usable &= ~self.rays
        self.height = {"single": np.zeros(rate.shape, np.float32)}
        self.height |= {"track": self.height["single"].copy(), "satellite": self.height["single"].copy()}
        _put_singles(self.height["single"], usable, hits, rng)
        _put_singles(self.height["single"], self.regions["sources"] & usable, hits // 4, rng)
        _put_tracks(self.height["track"], hits // 8, rng)
        _put_satellite(self.height["satellite"], rng)
        for plane in self.height.values():
            plane[~usable] = 0
        self.height["track"][self.height["single"] > 0] = 0
        hit = sum(self.height.values())
        self.near = binary_dilation(hit > 0, np.ones((3, 3)))
        data = array_of(path)
        self.data = np.where(hit > 0, data + hit * err, data)


def _put_singles(plane, usable, hits, rng):
    places = rng.choice(np.flatnonzero(usable), min(hits * len(HEIGHTS), np.count_nonzero(usable)), replace=False)
    plane.reshape(-1)[places] = np.resize(HEIGHTS, len(places))


def _put_tracks(plane, count, rng):
    rows, columns = plane.shape
    for height in HEIGHTS:
        for _ in range(count):
            length, angle = rng.integers(6, 16), rng.uniform(0, np.pi)
            along = np.arange(length)
            y = np.rint(rng.uniform(20, rows - 20) + along * np.sin(angle)).astype(int)
            x = np.rint(rng.uniform(20, columns - 20) + along * np.cos(angle)).astype(int)
            plane[y, x] = height


def _put_satellite(plane, rng):
    rows, columns = plane.shape
    angle = rng.uniform(0.2, 1.3)
    x0, y0 = columns * rng.uniform(0.35, 0.65), rows * rng.uniform(0.35, 0.65)
    y, x = np.ogrid[:rows, :columns]
    off = (x - x0) * np.sin(angle) - (y - y0) * np.cos(angle)
    peak, sigma = SATELLITE
    plane[...] = np.where(np.abs(off) < 4 * sigma, peak * np.exp(-(off**2) / (2 * sigma**2)), 0)


def completeness(exposures, found, kind, region):
    """Share of pixels of a height that are flagged, by height."""
    total, good = np.zeros((2, len(HEIGHTS)))
    for each, flags in zip(exposures, found, strict=True):
        which = (each.height[kind] > 0) & each.regions[region] & (each.height["satellite"] == 0)
        place = np.searchsorted(HEIGHTS, each.height[kind][which])
        total += np.bincount(place, minlength=len(HEIGHTS))
        good += np.bincount(place[flags[which]], minlength=len(HEIGHTS))
    return good / np.maximum(total, 1), total


def report(exposures, clean, hit, title):
    """Tables of one run."""
    print(f"\n{title}\n| hits | {' | '.join(map(str, HEIGHTS))} |\n|---|{'---|' * len(HEIGHTS)}")
    for kind, region in (("single", "sky"), ("single", "sources"), ("single", "cores"), ("track", "sky")):
        share, total = completeness(exposures, hit, kind, region)
        shown = [f"{value:.3f}" if n >= 20 else "–" for value, n in zip(share, total, strict=True)]
        print(f"| {kind}, {region} | {' | '.join(shown)} |")
    bright = [flags[(each.height["satellite"] > 10) & each.regions["sky"]].mean()
              for each, flags in zip(exposures, hit, strict=True)]  # fmt: skip
    alarms = []
    for region in CLASSES:
        looked = [each.regions[region] & ~each.rays for each in exposures]
        number = sum((flags & area).sum() for flags, area in zip(clean, looked, strict=True))
        alarms.append(f"{region} {number / max(sum(area.sum() for area in looked), 1):.2e}")
    more = sum((flags & ~before & ~each.near & each.regions["sky"]).sum()
               for each, before, flags in zip(exposures, clean, hit, strict=True))  # fmt: skip
    put = sum((each.height["single"] > 0).sum() + (each.height["track"] > 0).sum() for each in exposures)
    print(f"satellite, pixels above 10 errors: {np.mean(bright):.4f} found")
    print(f"false alarms per pixel: {', '.join(alarms)}")
    print(f"flagged in other exposures per hit: {more / put:.4f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cal", nargs="+")
    parser.add_argument("--counts", default="2,3,4")
    parser.add_argument("--hits", type=int, default=2000)
    parser.add_argument("--scale", type=float, default=0.11, help="arcsec a pixel of the grid")
    parser.add_argument("--save")
    parser.add_argument("-j", type=int, default=2)
    arguments = parser.parse_args()
    centre = tuple(map(float, node_of(arguments.cal[0])(2043.5, 2043.5)))
    exposures = [Exposure(path, number, arguments.hits, centre) for number, path in enumerate(arguments.cal)]
    side = round(SIZE * 0.11 / arguments.scale)
    grid, saved = {"center": centre, "scale": arguments.scale, "size": (side, side)}, {}
    with tempfile.TemporaryDirectory() as scratch:
        for count in map(int, arguments.counts.split(",")):
            files, hit = arguments.cal[:count], [{"data": each.data} for each in exposures[:count]]
            clean = outliers(files, grid, scratch, threads=arguments.j)
            found = outliers(files, grid, scratch, replaced=hit, threads=arguments.j)
            report(exposures[:count], clean, found, f"{count} exposures")
            saved |= {f"found{count}of{number}": np.packbits(flags) for number, flags in enumerate(found)}
    if arguments.save:
        saved |= {f"data{number}": each.data for number, each in enumerate(exposures)}
        np.savez(arguments.save, **saved)


if __name__ == "__main__":
    main()
