"""Pulls of fluxes in apertures of a simulated exposure: is the error that the catalog gives the scatter?

usage: aperture_pulls.py X_cal.asdf X_truth.asdf [--places 20000] [--independent]

Empty sky: places anywhere with no source of the catalog within 1.7 arcsec; the flux in each circle less that of the
truth, over the error. Sources: those that the catalog finds; fluxes are compared with those of the truth in the same
circles, ellipses and segments. Unusable pixels are replaced in image and truth alike, and the background is that of the
catalog for both. Means and standard deviations are clipped at 5 sigma. With --independent the image is the truth plus
independent noise of its err, and no pixel is unusable: then every sd is 1 if the errors are right. Otherwise the noise
is that of the exposure: 1/f and reference-pixel noise are correlated between pixels, and err follows the measured rate.
"""

import argparse
from dataclasses import replace

import asdf
import numpy as np
from scipy.ndimage import maximum_filter

from rtools.catalog.detect import segments
from rtools.catalog.measure import shapes, sky
from rtools.catalog.measure.apertures import circular
from rtools.catalog.measure.measure import RADII
from rtools.catalog.source_catalog import catalog_of, make_image
from rtools.catalog.steps.catalog import STEP
from rtools.pipeline.catalog.single import planes_of
from rtools.products.io import open_product
from rtools.work import Work

CLEAR = 1.7
CLIP = 5.0
BRIGHT = 20.0


def clipped(pulls):
    """Mean, standard deviation and number within 5 sigma."""
    kept = np.isfinite(pulls)
    for _ in range(5):
        middle, sd = np.median(pulls[kept]), pulls[kept].std()
        kept = np.isfinite(pulls) & (np.abs(pulls - middle) < CLIP * sd)
    return pulls[kept].mean(), pulls[kept].std(), int(kept.sum())


def empty_places(taken, side, count):
    """x and y of places without a pixel of a source near."""
    reach = 2 * int(CLEAR / side) + 1
    near = maximum_filter(taken, reach)
    rng = np.random.default_rng(7)
    y, x = (rng.uniform(reach, size - reach, 3 * count) for size in taken.shape)
    clear = ~near[np.rint(y).astype(int), np.rint(x).astype(int)]
    return x[clear][:count], y[clear][:count]


def show(title, pulls):
    mean, sd, count = clipped(pulls)
    print(f"| {title} | {count} | {mean:+.3f} | {sd:.3f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cal")
    parser.add_argument("truth")
    parser.add_argument("--places", type=int, default=20000)
    parser.add_argument("--independent", action="store_true")
    parser.add_argument("-j", type=int, default=2)
    arguments = parser.parse_args()
    planes = planes_of(open_product(arguments.cal, kinds=("l2_image",)), Work(arguments.j))
    with asdf.open(arguments.truth) as file:
        truth = np.array(file["rate"], np.float32)
    if arguments.independent:
        err = planes.err.astype(np.float32)
        err = np.where(np.isfinite(err) & (err > 0), err, np.nanmedian(err))
        noise = np.random.default_rng(3).standard_normal(truth.shape, dtype=np.float32)
        planes = replace(planes, data=truth + err * noise, err=err, dq=np.zeros_like(planes.dq))
    options = STEP.defaults() | {"fit_psf": False, "npixels": STEP.defaults()["npixels"] or 25}
    found = catalog_of(planes, options, work=Work(arguments.j))
    image, _rms = make_image(planes, options, work=Work(arguments.j))
    level = planes.data - image.data
    clean = truth - level
    print("| what | number | mean | sd |\n|---|---|---|---|")
    x, y = empty_places(found.labels > 0, image.side, arguments.places)
    places = segments.Segments(np.zeros(truth.shape, np.int32), x.size, *np.zeros((5, x.size), np.int32))
    side = sky.sides(sky.local_slopes(planes.wcs, truth.shape, x, y))
    radii = np.array(RADII) / side[:, None]
    settings = {"radii": radii, "work": Work(arguments.j)}
    ours = circular(image.data, image.err, places, image.mask, (x, y), **settings)
    true = circular(clean, image.err, places, image.mask, (x, y), **settings)
    for k, radius in enumerate(RADII):
        show(f'empty sky, {radius}"', (ours.flux[:, k] - true.flux[:, k]) / ours.err[:, k])
    within_sources(image, clean, found, Work(arguments.j))


def within_sources(image, clean, found, work):
    """Circles, ellipses and segments of the sources that were found."""
    where = segments.find(found.labels)
    outline = shapes.moments(image.smoothed, image.err, where, image.mask, work=work)
    settings = {"work": work}
    kron = shapes.kron(image.data, image.err, where, image.mask, outline, **settings)
    true_kron = shapes.kron(clean, image.err, where, image.mask, outline, k=kron.k, **settings)
    sums = shapes.segment_sums(image.data, image.err, where, image.mask, **settings)
    true_sums = shapes.segment_sums(clean, image.err, where, image.mask, **settings)
    side = sky.sides(sky.local_slopes(image.wcs, clean.shape, outline.x, outline.y))
    radii = np.array(RADII) / side[:, None]
    places = outline.x, outline.y
    ours = circular(image.data, image.err, where, image.mask, places, radii=radii, **settings)
    true = circular(clean, image.err, where, image.mask, places, radii=radii, **settings)
    bright = sums.flux > BRIGHT * sums.err
    for k, radius in enumerate(RADII):
        show(f'sources, {radius}"', (ours.flux[:, k] - true.flux[:, k]) / ours.err[:, k])
    for title, one, other in (("Kron", kron, true_kron), ("segment", sums, true_sums)):
        pulls = (one.flux - other.flux) / one.err
        show(f"sources, {title}", pulls)
        show(f"sources of S/N above {BRIGHT:g}, {title}", pulls[bright])


if __name__ == "__main__":
    main()
