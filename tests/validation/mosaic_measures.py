"""What is measured of mosaics, at full size here and on small images in the suite: light, scatter, copies."""

from pathlib import Path

import asdf
import numpy as np

from rtools.mosaic.drizzle.variance import finish
from rtools.pipeline.mosaic.grid import WantedGrid
from rtools.pipeline.mosaic.plan import make_plan
from rtools.pipeline.mosaic.request import MosaicRequest
from rtools.pipeline.mosaic.totals import drizzle_members, find_outliers
from rtools.pipeline.mosaic.workers import Workers
from rtools.products import names
from rtools.products.io import open_product, writer
from rtools.work import Work

__all__ = [
    "array_of",
    "box_pulls",
    "copy_of",
    "mosaic",
    "node_of",
    "outliers",
    "pixel_areas",
    "quantiles",
    "star_sums",
    "truth_of",
    "white_noise",
]


class _Replaced(Workers):
    """Workers that read other arrays than those of the files."""

    def __init__(self, work, replaced):
        super().__init__(work)
        self.replaced = replaced

    def arrays(self, member, names):
        others = self.replaced[member.number] if self.replaced else {}
        found = super().arrays(member, names)
        return {name: (others[name], False) if name in others else found[name] for name in names}


def mosaic(files, grid, *, replaced=None, threads=2, **options):
    """A mosaic in memory, as rt-resample makes it.

    Parameters
    ----------
    files : list of str
        Images.
    grid : dict
        Of `rtools.pipeline.mosaic.grid.WantedGrid`.
    replaced : list of dict, optional
        For each image, arrays by name that stand for those of the file.
    threads : int
    **options
        Of the step.

    Returns
    -------
    planes : dict of str to ndarray
    wcs : gwcs.WCS
    ratio : float
        Of pixel scales.
    """
    settings = {"resample": options}
    request = MosaicRequest(
        tool="rt-resample", single="resample", settings=settings, wanted=WantedGrid(**grid), output="m_coadd.asdf"
    )
    plan = make_plan([str(file) for file in files], request)
    frame, recipe = plan.mosaics[0].frame, plan.recipe("resample", plan.mosaics[0].frame)
    with Work(threads) as work:
        totals = drizzle_members(plan.members, recipe, _Replaced(work, replaced))
    return finish(totals, frame.ratio), frame.grid.wcs(), frame.ratio


def outliers(files, grid, folder, *, replaced=None, threads=2, **options):
    """What rt-outlier flags in each image, bool; parameters as `mosaic`, and a folder for large temporary files."""
    settings = {"outlier": options}
    request = MosaicRequest(
        tool="rt-outlier", single="outlier", settings=settings, wanted=WantedGrid(**grid), outdir=str(folder)
    )
    plan = make_plan([str(file) for file in files], request)
    recipe = plan.recipe("outlier", plan.mosaics[0].frame)
    with Work(threads) as work:
        workers = _Replaced(work, replaced)
        find_outliers(plan.members, recipe, workers, plan.options.outlier, folder)
    found = [np.zeros(member.shape, bool) for member in plan.members]
    for flags, member in zip(found, plan.members, strict=True):
        flags.reshape(-1)[member.flagged] = True
    return found


def array_of(path, name="data"):
    """An array of a product."""
    with open_product(path) as product:
        return np.array(product.array(name))


def node_of(path, key="meta.wcs"):
    """A node of a product's tree."""
    with open_product(path) as product:
        return product.node(key)


def truth_of(cal):
    """True rate of a simulated exposure and the pixels that cosmic rays hit, from the _truth.asdf beside it."""
    path = Path(cal)
    with asdf.open(path.with_name(f"{names.split_suffix(path.name)[0]}_truth.asdf")) as file:
        rate, rays = np.array(file["rate"]), file["cosmic_rays"]
        hit = np.zeros(rate.shape, bool)
        hit[np.array(rays["y"]), np.array(rays["x"])] = True
    return rate, hit


def copy_of(source, target, **changed):
    """An image with some arrays changed, in profile 1.5.0, which rounds nothing to half precision."""
    with open_product(source) as product:
        arrays = {name: np.array(product.array(name)) for name in product.arrays if name not in changed}
        writer.write_product(target, product.kind, product.meta, arrays | changed, profile="1.5.0")
    return target


def white_noise(cal, data, seed):
    """`data` with white noise of the variances of an exposure, float32."""
    with open_product(cal) as product:
        variance = sum(np.nan_to_num(product.array(name).astype(np.float32)) for name in ("var_rnoise", "var_poisson"))
    noise = np.random.default_rng(seed).standard_normal(data.shape, np.float32)
    return data + noise * np.sqrt(np.maximum(variance, 0))


def _unit(ra, dec):
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def _areas(unit):
    """Solid angle of pixels whose centres are these unit vectors (3, …, rows, columns)."""
    along, across = np.gradient(unit, axis=-1), np.gradient(unit, axis=-2)
    return np.linalg.norm(np.cross(along, across, axis=0), axis=0)


def pixel_areas(wcs, x, y):
    """Solid angle (sr) of the pixels around a rectangle of pixels: coordinates (n,) along each axis."""
    near = np.array([-0.5, 0.5])
    xs, ys = (np.add.outer(np.asarray(each, float), near).ravel() for each in (x, y))
    unit = _unit(*wcs(*np.meshgrid(xs, ys), with_bounding_box=False))
    unit = unit.reshape(3, len(ys) // 2, 2, len(xs) // 2, 2)
    first = unit[:, :, 1, :, 1] - unit[:, :, 0, :, 0]
    second = unit[:, :, 0, :, 1] - unit[:, :, 1, :, 0]
    return np.linalg.norm(np.cross(first, second, axis=0), axis=0) / 2


def star_sums(data, wcs, ra, dec, *, radius, sky, soft=True):
    """Light of stars: sum of (data - sky) × solid angle in circles on the sky.

    Parameters
    ----------
    data : ndarray (rows, columns)
    wcs : gwcs.WCS
    ra, dec : ndarray (n,)
    radius : (float, float)
        Arcsec. With `soft` pixels count fully within the first and less and less up to the second, so that it does not
        matter how the circle cuts pixels; else up to the second fully.
    sky : float
        In units of the data.
    soft : bool

    Returns
    -------
    ndarray (n,)
        NaN where a pixel is NaN, or beyond the image.
    """
    x, y = wcs.invert(ra, dec, with_bounding_box=False)
    step = np.rad2deg(np.sqrt(pixel_areas(wcs, [x[0]], [y[0]])[0, 0])) * 3600
    half = int(np.ceil(radius[1] / step)) + 2
    sums = np.full(len(x), np.nan)
    for k, (column, row) in enumerate(zip(np.rint(x).astype(int), np.rint(y).astype(int), strict=True)):
        rows, columns = slice(row - half, row + half + 1), slice(column - half, column + half + 1)
        if row < half or column < half or row + half >= data.shape[0] or column + half >= data.shape[1]:
            continue
        j, i = np.mgrid[rows, columns].astype(float)
        unit = _unit(*wcs(i, j, with_bounding_box=False))
        apart = np.linalg.norm(unit - _unit(ra[k], dec[k])[:, None, None], axis=0) * np.rad2deg(1) * 3600
        out = np.clip((apart - radius[0]) / (radius[1] - radius[0]), 0, 1) if soft else apart > radius[1]
        share = (1 + np.cos(np.pi * out)) / 2
        light = share * (data[rows, columns].astype(float) - sky) * _areas(unit)
        sums[k] = np.sum(light[share > 0])
    return sums


def box_pulls(difference, err, side, usable=None, *, least=1.0):
    """Σ difference / √Σ err² over the usable pixels of square boxes of so many pixels, at least a share of which is."""
    rows, columns = (size // side * side for size in difference.shape)
    usable = np.isfinite(difference) & np.isfinite(err) & (True if usable is None else usable)

    def boxes(plane):
        return plane[:rows, :columns].reshape(rows // side, side, columns // side, side)

    whole = boxes(usable).mean(axis=(1, 3)) >= least
    total = boxes(np.where(usable, difference, 0).astype(float)).sum(axis=(1, 3))
    variance = boxes(np.where(usable, err, 0).astype(float) ** 2).sum(axis=(1, 3))
    return (total[whole] / np.sqrt(variance[whole])).ravel()


def quantiles(values):
    """Median, 68 % and largest of the sizes of values."""
    size = np.abs(values[np.isfinite(values)])
    return np.median(size), np.quantile(size, 0.6827), size.max()
