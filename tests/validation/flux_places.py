"""Does a flux depend on where the source is? Equal stars all over detectors, from rt-sim to the catalogs.

usage: flux_places.py [--detectors 1-18] [--stars 400] [--magnitude 17.5] [--size 4096] [--light] [--mosaic] [-j N]

For each detector a grid of equal stars is simulated (no cosmic rays, a short read pattern, one star every so many
pixels of a square), calibrated, and cataloged with rt-run. Ratios are of the flux to the true one; slopes are those of
a plane through the ratios, in per cent across the detector, with their errors; the last row is of all stars together.
With --light the chain is left out: the image is the light that rt-sim works out for a detector, which is what a perfect
calibration gives back, without noise; its stars are measured by the WCS of the same exposure, each in its box.
With --mosaic the exposure alone is made a mosaic (rt-run --mosaic), and its catalog is compared with the truth and with
that of the exposure.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import asdf
import numpy as np
from astropy.table import Table
from mosaic_measures import node_of, pixel_areas
from pyarrow import parquet
from scipy.spatial import cKDTree

READS = "1;2-3;4-7;8-10;11;12-13"
MARGIN = 40
NAME = "r0000101001001001001_0001_wfi{:02d}_f158_uncal.asdf"
NAMES = ("psf_flux", "aper08_flux", "kron_flux")
CLIP = 4.0


def tool(folder, name, *words):
    """Run the tool beside the interpreter."""
    call = [str(Path(sys.executable).parent / name), *map(str, words), "-q"]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")


def grid_of(count, size):
    """Pixels of a square grid, at all phases of a pixel."""
    side = round(np.sqrt(count))
    places = np.linspace(MARGIN, size - 8 - MARGIN, side)
    x, y = (each.ravel() for each in np.meshgrid(places, places))
    return np.stack([x, y]) + np.random.default_rng(1).uniform(-0.5, 0.5, (2, x.size))


def on_the_sky(folder, number, x, y):
    """Right ascension and declination of pixels of the exposure that rt-sim makes of a detector."""
    from rtools.simulate.pointing import attitude
    from rtools.wfi.distortion import distortion

    name = NAME.format(number)
    tool(folder, "rt-sim", name, "--size", 256, "--read-pattern", READS, "--no-truth", "--guide-window", "none")
    with asdf.open(folder / name) as file:
        where = attitude(file["roman"]["meta"])
    (folder / name).unlink()
    return where.to_sky(*distortion(f"WFI{number:02d}")(x, y))


def flux_ratios(path, x, y, true, columns=("x_psf", "y_psf")):
    """Fluxes of a catalog over the true one, NaN where a star is not found or flagged."""
    table = parquet.read_table(path)
    places = np.stack([table[name].to_numpy() for name in columns], axis=1).astype(float)
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    distance, index = cKDTree(places[known]).query(np.stack([x, y], axis=1))
    row = known[index]
    good = (distance < 1) & (table["psf_flags"].to_numpy()[row] == 0) & (table["image_flags"].to_numpy()[row] == 0)
    return {name: np.where(good, table[name].to_numpy()[row] / true, np.nan) for name in NAMES}


def plane(x, y, ratio, size):
    """Median, scatter and slopes with errors (per size) of the ratios, clipped."""
    u, v = x / size - 0.5, y / size - 0.5
    kept = np.isfinite(ratio)
    for _ in range(5):
        basis = np.stack([np.ones(kept.sum()), u[kept], v[kept]], axis=1)
        fit = np.linalg.lstsq(basis, ratio[kept], rcond=None)[0]
        left = ratio - (fit[0] + fit[1] * u + fit[2] * v)
        sd = max(1e-12, 1.4826 * np.median(np.abs(left[kept])))
        kept = np.isfinite(ratio) & (np.abs(left) < CLIP * sd)
    errors = sd * np.sqrt(np.diag(np.linalg.inv(basis.T @ basis)))
    return np.median(ratio[kept]), sd, fit[1], errors[1], fit[2], errors[2], kept.sum()


def row_of(title, x, y, ratio, size):
    median, sd, *slopes, count = plane(x, y, ratio, size)
    said = " | ".join(f"{100 * slope:+.3f} ± {100 * err:.3f}" for slope, err in (slopes[:2], slopes[2:]))
    return f"| {title} | {count} | {median:.4f} | {100 * sd:.2f} % | {said} |"


def one_detector(folder, number, arguments):
    """Ratios by catalog and column; places."""
    size = arguments.size
    x, y = grid_of(arguments.stars, size)
    ra, dec = on_the_sky(folder, number, x, y)
    Table({"ra": ra, "dec": dec, "magnitude": np.full(x.size, arguments.magnitude)}).write(
        folder / "stars.ecsv", format="ascii.ecsv", overwrite=True
    )
    name = NAME.format(number)
    tool(folder, "rt-sim", name, "--size", size, "-j", arguments.j, "--read-pattern", READS, "--sources", "stars.ecsv",
         "--no-truth", "--no-cosmic-rays", "--guide-window", "none")  # fmt: skip
    tool(folder, "rt-run", name, "--skip", "tweakreg", "-j", arguments.j)
    true = 3631e9 * 10 ** (-0.4 * arguments.magnitude)
    root = name.replace("_uncal.asdf", "")
    found = {"exposure": flux_ratios(folder / f"{root}_cat.parquet", x, y, true)}
    if arguments.mosaic:
        tool(folder, "rt-run", f"{root}_cal.asdf", "--mosaic", "-o", "m_coadd.asdf", "-j", arguments.j, "--overwrite")
        places = node_of(folder / "m_coadd.asdf").invert(ra, dec)
        found["mosaic"] = flux_ratios(folder / "m_cat.parquet", *places, true)
    ratio = pixel_areas(
        node_of(folder / f"{root}_cal.asdf"), np.linspace(0, size - 9, 41), np.linspace(0, size - 9, 41)
    )
    for path in folder.glob("*.asdf"):
        path.unlink()
    return x, y, found, np.ptp(ratio) / ratio.mean()


def light_alone(number, arguments):
    """As `one_detector`, of the simulator's light without noise."""
    from rtools.astrometry.wcs import Pointing, build_wcs
    from rtools.catalog.detect import segments
    from rtools.catalog.measure.image import MJYSR_BRIGHTNESS, Image
    from rtools.catalog.measure.measure import Options, measure
    from rtools.products import names
    from rtools.products.schema import layout
    from rtools.reference import epsf, find, nominal
    from rtools.simulate import light, metadata, references
    from rtools.simulate.request import SimulationRequest, reads_of
    from rtools.simulate.scene import Sources
    from rtools.work import Work

    size, root = arguments.size, NAME.format(number).removesuffix("_uncal.asdf")
    identity = names.metadata(names.parse(f"{root}_uncal.asdf", forms=("name",)))
    request = SimulationRequest(root, f"WFI{number:02d}", "F158", "WFI_IMAGE", identity, reads_of(READS, "WFI_IMAGE"),
                                sky=0.0, guide_window=None, size=size)  # fmt: skip
    meta = metadata.build(request, layout.DEFAULT_PROFILE)
    sources = references.find_all(meta, request, find.Config(), lambda level, text: None)
    view = light.view_of(meta, sources, size)
    x, y = grid_of(arguments.stars, size)
    ra, dec = view.attitude.to_sky(*view.transform(x, y))
    none = np.zeros(x.size)
    table = Sources(ra, dec, none + arguments.magnitude, none, none, none + 1, none, none + np.nan, none)
    rate, _seen = light.rate_image(view, request, sources, gain=nominal.GAIN, table=table)
    info = meta["wcsinfo"]
    pointing = Pointing(*(info[key] for key in Pointing._fields))
    wcs = build_wcs(view.transform, pointing, meta["velocity_aberration"]["scale_factor"], rate.shape)
    labels = np.zeros(rate.shape, np.int32)
    for k, (left, low) in enumerate(zip(np.rint(x).astype(int), np.rint(y).astype(int), strict=True)):
        labels[low - 4 : low + 5, left - 4 : left + 5] = k + 1
    row = sources["photom"].node("phot_table")["F158"]
    image = Image(rate, np.ones_like(rate), np.zeros(rate.shape, bool), rate, wcs, row["photmjsr"] * MJYSR_BRIGHTNESS)
    psf = epsf.from_reference(sources["epsf"])
    found = measure(image, segments.find(labels), Options(psf_weights="err"), psf=psf, work=Work(arguments.j))
    true = 3631e9 * 10 ** (-0.4 * arguments.magnitude)
    areas = pixel_areas(wcs, np.linspace(0, size - 9, 41), np.linspace(0, size - 9, 41))
    return x, y, {"light": {name: found[name] / true for name in NAMES}}, np.ptp(areas) / areas.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detectors", default="1-18", help="As in 1,5,9-12.")
    parser.add_argument("--stars", type=int, default=400, help="On each detector.")
    parser.add_argument("--magnitude", type=float, default=17.5)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--mosaic", action="store_true")
    parser.add_argument("-j", type=int, default=2)
    arguments = parser.parse_args()
    numbers = []
    for part in arguments.detectors.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    print("| detector, catalog, flux | stars | median / true | scatter | slope in x, % | slope in y, % |")
    print("|---|---|---|---|---|---|", flush=True)
    every = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            if arguments.light:
                x, y, found, spread = light_alone(number, arguments)
            else:
                x, y, found, spread = one_detector(Path(folder), number, arguments)
            for kind, fluxes in found.items():
                for name, ratio in fluxes.items():
                    title = f"WFI{number:02d} (areas ± {50 * spread:.2f} %), {kind}, {name}"
                    print(row_of(title, x, y, ratio, arguments.size), flush=True)
                    every.setdefault((kind, name), []).append(np.stack([x, y, ratio]))
    for (kind, name), parts in every.items():
        print(row_of(f"all, {kind}, {name}", *np.concatenate(parts, axis=1), arguments.size))


if __name__ == "__main__":
    main()
