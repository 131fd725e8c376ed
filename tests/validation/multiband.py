"""Are colours right, and what is found? A multiband catalog of simulated mosaics against the truth.

usage: multiband.py X_cat.parquet X_segm.asdf X_f106_truth.parquet X_f158_truth.parquet… [--sn N]

One truth table of rt-sim for each filter, all of one sky. First, colours (band minus reference, AB) of isolated sources
with at least that signal to noise in both: median of measured less true, in mmag, its scatter (1.4826 MAD), and mean
and sd of the pulls by the errors in the catalog, with the fluxes as they are and with matched ones. The sky of a mosaic
is correlated, so that errors of sums over pixels are too small there. Then, if X_segm has injected sources: share that
is recovered, and their median flux over the true one, by magnitude from the brightest filter's. Injected sources that
fall on one of the catalog are left out.
"""

import argparse
import itertools
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy.spatial import cKDTree

from rtools.products.io import open_product

FLUXES = ("aper02", "aper04", "aper08", "aper16", "kron", "segment")
SAME, ALONE, FAINT = 0.15, 2.0, 0.01
"""Arcsec between a source and its truth at most; arcsec within which no other has more than this share of its light."""

ZERO = 10 ** (0.4 * 31.4)
STEP = 0.5


def table_of(path):
    table = pq.read_table(path)
    return {name: table[name].to_numpy() for name in table.column_names}, table.schema.metadata


def plane(catalog, ra, dec):
    """Arcsec in a plane; good for differences within a small field."""
    return np.stack([np.asarray(ra) * np.cos(np.radians(np.nanmedian(catalog["dec"]))), np.asarray(dec)], -1) * 3600


def truths_of(paths, catalog):
    """Rows of the catalog, kinds and fluxes (by filter) of the isolated sources that it has."""
    tables = {re.search(r"_(f\d+)_truth", Path(path).name)[1]: table_of(path)[0] for path in paths}
    first = next(iter(tables.values()))
    for table in tables.values():
        assert np.array_equal(table["ra"], first["ra"]), "the tables are not of one pointing and sky"
    own, true = plane(catalog, catalog["ra"], catalog["dec"]), plane(catalog, first["ra"], first["dec"])
    near = cKDTree(true)
    known = np.flatnonzero(np.isfinite(own).all(axis=1))
    away, index = near.query(own[known])
    rows = []
    for row, distance, i in zip(known, away, index, strict=True):
        others = [j for j in near.query_ball_point(true[i], ALONE) if j != i]
        alone = all((table["flux"][others] < FAINT * table["flux"][i]).all() for table in tables.values())
        if distance < SAME and alone:
            rows.append((row, i))
    rows, index = np.array(rows).reshape(-1, 2).T
    return rows, first["type"][index].astype(str), {band: table["flux"][index] for band, table in tables.items()}


def colours(catalog, reference, paths, least):
    """A line for each kind, band and flux."""
    rows, kinds, true = truths_of(paths, catalog)
    for kind, band, flux in itertools.product(("star", "galaxy"), sorted(true), FLUXES):
        if band == reference:
            continue
        columns = [f"{flux}_{name}_flux" for name in (reference, band, f"{band}m")]
        values, errors = ([catalog[f"{column}{end}"][rows].astype(float) for column in columns] for end in ("", "_err"))
        circles = [f"aper04_{name}_flux" for name in (band, reference)]
        signal = np.min([catalog[name][rows] / catalog[f"{name}_err"][rows] for name in circles], axis=0)
        used = ((kinds == "star") == (kind == "star")) & (signal > least)
        used &= np.all([np.isfinite(each) & (each > 0) for each in values], axis=0)
        if used.sum() < 10:
            continue
        wanted = -2.5 * np.log10(true[band] / true[reference])[used]
        numbers = []
        for value, error in zip(values[1:], errors[1:], strict=True):
            off = -2.5 * np.log10(value[used] / values[0][used]) - wanted
            pull = off / (1.0857 * np.hypot(error[used] / value[used], errors[0][used] / values[0][used]))
            pull = pull[np.abs(pull - np.median(pull)) < 5 * scatter(pull)]
            numbers += [f"{1000 * np.median(off):.1f}", f"{1000 * scatter(off):.1f}"]
            numbers += [f"{pull.mean():.2f} ± {pull.std():.2f}"]
        yield [kind, band, flux, str(used.sum()), *numbers]


def scatter(values):
    return 1.4826 * np.median(np.abs(values - np.median(values)))


def recovery(catalog, segments):
    """A line for each half magnitude of injected sources."""
    with open_product(segments) as product:
        injected, found = (product.node(name) for name in ("injected_sources", "recovered_sources"))
    bands = sorted(name for name in injected.colnames if re.fullmatch(r"F\d+", name))
    known = plane(catalog, catalog["ra"], catalog["dec"])
    where = plane(catalog, injected["ra"], injected["dec"])
    reach = 3 * np.hypot(np.asarray(injected["half_light_radius"]), 0.2)
    free = cKDTree(known[np.isfinite(known).all(axis=1)]).query(where)[0] > reach
    magnitude = np.min([-2.5 * np.log10(np.asarray(injected[band])) for band in bands], axis=0)
    row = np.full(len(injected), -1)
    best = np.asarray(found["best_injected_index"])
    row[best[best >= 0]] = np.flatnonzero(best >= 0)
    for kind, flux in (("PSF", "psf"), ("SER", "kron")):
        chosen = free & (np.asarray(injected["type"]) == kind)
        for low in np.arange(np.floor(magnitude.min()), magnitude.max(), STEP):
            here = chosen & (magnitude >= low) & (magnitude < low + STEP)
            caught = here & (row >= 0)
            if not here.any():
                continue
            ratios = [np.asarray(found[f"{flux}_{band.lower()}_flux"])[row[caught]]
                      / (np.asarray(injected[band])[caught] * ZERO) for band in bands]  # fmt: skip
            shown = [f"{np.median(each):.3f}" if caught.any() else "" for each in ratios]
            yield [kind, f"{low + STEP / 2:.2f}", str(here.sum()), f"{caught.sum() / here.sum():.2f}", *shown]


def show(head, lines):
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for line in lines:
        print(f"| {' | '.join(line)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalog")
    parser.add_argument("segments")
    parser.add_argument("truths", nargs="*")
    parser.add_argument("--sn", type=float, default=30.0, help="in the circle of 0.4 arcsec (%(default)s)")
    arguments = parser.parse_args()
    catalog, metadata = table_of(arguments.catalog)
    reference = metadata[b"source_catalog.psf_match_reference_filter"].decode()
    if arguments.truths:
        head = ("kind", "band", "flux", "n", "plain: bias", "scatter", "pull", "matched: bias", "scatter", "pull")
        show(head, colours(catalog, reference, arguments.truths, arguments.sn))
    with open_product(arguments.segments) as product:
        injected = "injected_sources" in product.content
    if injected:
        print()
        bands = sorted(name.split("_")[1] for name in catalog if re.fullmatch(r"kron_f\d+_flux", name))
        show(("kind", "AB", "n", "recovered", *bands), recovery(catalog, arguments.segments))


if __name__ == "__main__":
    main()
