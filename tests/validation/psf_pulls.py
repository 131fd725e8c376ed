"""Pulls of a source catalog of a simulated exposure: are positions, fluxes and their errors honest?

usage: psf_pulls.py X_cat.parquet X_cal.asdf X_truth.parquet [MORE...] [--json]

Takes isolated stars: no detected source, and no true one with more than 1 % of the flux, within --isolation pixels; no
flagged pixel in the 5 x 5 around the star; not saturated. A star is matched to the nearest source within 1 pixel. For
each estimator, in bins of signal to noise (true flux over the error of psf_flux): median and mean, clipped at 5 sigma,
and sd of (measured - true) / error, share of the clipped, and for fluxes the bias in per cent. Sources too faint to be
detected lie under the stars, too; what they do to the pulls is in the numbers. Several exposures, three files each,
make one table.
"""

import argparse
import itertools
import json

import numpy as np

from rtools.products.io import open_product

EDGES = (10, 25, 50, 100, 300, np.inf)
ESTIMATORS = {
    "x_psf": "x",
    "y_psf": "y",
    "psf_flux": "flux",
    "x_centroid": "x",
    "y_centroid": "y",
    "x_centroid_win": "x",
    "y_centroid_win": "y",
    "aper04_flux": "flux",
    "aper16_flux": "flux",
    "kron_flux": "flux",
    "segment_flux": "flux",
}
CLIP = 5.0


def columns(path):
    """Columns of a catalog as plain arrays."""
    from pyarrow import parquet

    table = parquet.read_table(path)
    return {name: table[name].to_numpy() for name in table.column_names}


def stars(catalog, cal, truth, isolation):
    """Rows of the catalog and of the truth: isolated unflagged stars."""
    from scipy.ndimage import maximum_filter
    from scipy.spatial import cKDTree

    dq = open_product(cal, kinds=("l2_image",)).array("dq")
    flagged = maximum_filter(dq != 0, 5)
    found = np.stack([catalog["x_centroid"], catalog["y_centroid"]], -1).astype(float)
    usable = np.flatnonzero(np.isfinite(found).all(axis=1))
    seen = cKDTree(found[usable])
    places = np.stack([truth["x"], truth["y"]], -1)
    every = cKDTree(places)
    rows = []
    inside = ((places > 10) & (places < np.array(dq.shape)[::-1] - 11)).all(axis=1)
    for i in np.flatnonzero((truth["type"].astype(str) == "star") & inside):
        distance, nearest = seen.query(places[i])
        x, y = np.rint(places[i]).astype(int)
        if distance > 1 or flagged[y, x] or len(seen.query_ball_point(places[i], isolation)) > 1:
            continue
        near = [j for j in every.query_ball_point(places[i], isolation) if j != i]
        if np.all(truth["flux"][near] < 0.01 * truth["flux"][i]):
            rows.append((usable[nearest], i))
    return np.array(rows).reshape(-1, 2).T


def table_of(triples, isolation):
    """One dict a line."""
    parts = []
    for cat, cal, true in triples:
        catalog, truth = columns(cat), columns(true)
        source, star = stars(catalog, cal, truth, isolation)
        part = {"s/n": truth["flux"][star] / catalog["psf_flux_err"][source]}
        for name, key in ESTIMATORS.items():
            part[name] = catalog[name][source].astype(float) - truth[key][star]
            part[f"{name}_err"] = catalog[f"{name}_err"][source].astype(float)
            part[f"{name}_part"] = part[name] / truth["flux"][star]
        parts.append(part)
    values = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    lines = []
    for name, key in ESTIMATORS.items():
        for low, high in itertools.pairwise(EDGES):
            inside = (values["s/n"] >= low) & (values["s/n"] < high) & np.isfinite(values[name])
            if np.count_nonzero(inside) < 20:
                continue
            pull = values[name][inside] / values[f"{name}_err"][inside]
            kept = np.abs(pull - np.median(pull)) < CLIP * max(1.0, np.median(np.abs(pull - np.median(pull))) * 1.4826)
            line = {"estimator": name, "s/n": f"{low} to {high}", "stars": int(inside.sum())}
            line |= {"median": np.median(pull), "mean": pull[kept].mean(), "sd": pull[kept].std()}
            line["clipped"] = 1 - kept.mean()
            line["bias %"] = 100 * np.median(values[f"{name}_part"][inside]) if key == "flux" else np.nan
            lines.append({k: float(v) if isinstance(v, np.floating) else v for k, v in line.items()})
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="CAT CAL TRUTH")
    parser.add_argument("--isolation", type=float, default=12.0, help="pixels (%(default)s)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if len(arguments.files) % 3:
        parser.error("three files for each exposure: catalog, image, truth")
    lines = table_of([arguments.files[i : i + 3] for i in range(0, len(arguments.files), 3)], arguments.isolation)
    if arguments.json:
        print(json.dumps(lines, indent=1))
        return
    print("| estimator | S/N | stars | median | mean | sd | clipped | bias % |\n|---|---|---|---|---|---|---|---|")
    for line in lines:
        numbers = " | ".join(f"{line[key]:.3f}" for key in ("median", "mean", "sd", "clipped", "bias %"))
        print(f"| {line['estimator']} | {line['s/n']} | {line['stars']} | {numbers} |")


if __name__ == "__main__":
    main()
