"""How deep detection goes: completeness and purity by magnitude, normal and deep mode.

usage: depth.py X_cal.asdf X_truth.parquet [--threshold 4.25] [--json]

X is a simulated exposure (rt-sim, rt-run) and its table of true sources. Detections are matched with true sources one
to one, bright ones first, within max(0.3 arcsec, half-light radius) of the detection's peak; a second number for purity
is 1 - N(negative image) / N.
"""

import argparse
import json

import numpy as np
import pyarrow.parquet as pq
from scipy.ndimage import maximum_position
from scipy.spatial import cKDTree

from rtools.catalog.detect.background import estimate
from rtools.catalog.detect.deep import detect_deep
from rtools.catalog.detect.detect import detect
from rtools.catalog.detect.smooth import gaussian_kernel, smooth
from rtools.products.io import open_product
from rtools.reference import epsf
from rtools.reference.builtin import Builtin
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC

STEP = 0.25
"""Width of the magnitude bins."""

LEAST_RADIUS = 0.3
FEWEST = 5


def image_of(path):
    """Data without background, err, mask, noise map and metadata of an L2 image."""
    product = open_product(path, kinds=("l2_image",))
    data, err, dq = (product.array(name) for name in ("data", "err", "dq"))
    err = err.astype(np.float32)
    mask = ~np.isfinite(data) | ~np.isfinite(err) | ~(err > 0) | ((dq & 1) > 0)
    background = estimate(data, mask, 1000)
    return data - background.level, err, mask, background.rms, product.meta


def normal(data, _err, mask, rms):
    """The defaults of rt-catalog."""
    smoothed = smooth(data, mask, gaussian_kernel(2.0))
    return *detect(smoothed, 3 * rms, mask, 25), smoothed


def truth_of(path, shape):
    """True sources on the detector."""
    table = pq.read_table(path, columns=["x", "y", "magnitude", "half_light_radius", "type"])
    truth = {name: table[name].to_numpy() for name in table.schema.names}
    inside = (np.abs(truth["x"] - (shape[1] - 1) / 2) < shape[1] / 2) & (
        np.abs(truth["y"] - (shape[0] - 1) / 2) < shape[0] / 2
    )
    return {name: values[inside] for name, values in truth.items()}


def matches(truth, places):
    """Which true sources and which detections have a partner, one to one."""
    radius = np.maximum(LEAST_RADIUS, np.nan_to_num(truth["half_light_radius"])) / PIXEL_SCALE_ARCSEC
    x, y = truth["x"], truth["y"]
    near = cKDTree(places[:, ::-1]).query_ball_point(np.column_stack([x, y]), radius)
    found, true = np.zeros(len(x), bool), np.zeros(len(places), bool)
    for i in np.argsort(truth["magnitude"], kind="stable"):
        free = [k for k in near[i] if not true[k]]
        if free:
            best = min(free, key=lambda k: np.hypot(places[k, 1] - x[i], places[k, 0] - y[i]))
            found[i] = true[best] = True
    return found, true


def fifty_percent(magnitude, found):
    """Magnitude at which completeness falls to one half for good, or text; bins with few sources are left out."""
    edges = np.arange(np.floor(magnitude.min()), magnitude.max() + STEP, STEP)
    total, good = np.histogram(magnitude, edges)[0], np.histogram(magnitude[found], edges)[0]
    usable = total >= FEWEST
    middle, share = (edges[:-1] + STEP / 2)[usable], (good[usable] / total[usable])
    above = np.flatnonzero(share >= 0.5)
    if not len(above):
        return "never reached"
    last = above[-1]
    if last + 1 == len(share):
        return f"beyond {middle[last]:.2f}"
    return float(middle[last] + (share[last] - 0.5) / (share[last] - share[last + 1]) * STEP)


def report(name, truth, labels, n, image, negative):
    """Numbers of one mode."""
    places = np.array(maximum_position(image, labels, np.arange(1, n + 1))).reshape(-1, 2)
    found, true = matches(truth, places)
    star = truth["type"] == "star"
    result = {"mode": name, "sources": n, "negative": negative, "purity by negative image": 1 - negative / n}
    result["purity by matches"] = float(true.mean())
    for kind, which in (("stars", star), ("galaxies", ~star)):
        magnitude = truth["magnitude"][which]
        result[f"50 % of {kind}"] = fifty_percent(magnitude, found[which])
        edges = np.arange(21, 28.01, 0.5)
        total = np.histogram(magnitude, edges)[0]
        good = np.histogram(magnitude[found[which]], edges)[0]
        rows = zip(edges, total, good, strict=False)
        result[kind] = {f"{low + 0.25:.2f}": [int(n), round(float(k / n), 3)] for low, n, k in rows if n}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cal")
    parser.add_argument("truth")
    parser.add_argument("--threshold", type=float, default=4.25)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    *image, meta = image_of(arguments.cal)
    data, err, mask, _rms = image
    instrument = meta["instrument"]
    psf = epsf.from_reference(Builtin("epsf", instrument["detector"], instrument["optical_element"]))
    stamp = epsf.native_stamp(psf, 21)
    truth = truth_of(arguments.truth, data.shape)
    results = [report("normal", truth, *normal(*image), normal(-data, *image[1:])[1])]
    deep = detect_deep(data, err, mask, stamp, threshold=arguments.threshold)
    negative = detect_deep(-data, err, mask, stamp, threshold=arguments.threshold)[1]
    results.append(report("deep", truth, *deep, smooth(data, mask, gaussian_kernel(2.0)), negative))
    if arguments.json:
        print(json.dumps(results, indent=1))
        return
    for result in results:
        for kind in ("stars", "galaxies"):
            table = result.pop(kind)
            print(f"\n{result['mode']}, {kind}\n| AB | true | found |\n|---|---|---|")
            for magnitude, (total, share) in table.items():
                print(f"| {magnitude} | {total} | {share:.3f} |")
        print(
            "\n"
            + ", ".join(
                f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}" for key, value in result.items()
            )
        )


if __name__ == "__main__":
    main()
