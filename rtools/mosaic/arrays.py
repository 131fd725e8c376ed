"""The steps of a mosaic put to images in memory, each an exposure of its own: sky levels, outliers, drizzle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import UsageError
from rtools.mosaic.drizzle.drizzle import MemberPlanes, add_image, band_rows, drizzle_band, touched
from rtools.mosaic.drizzle.variance import add_band, finish, new_totals
from rtools.mosaic.drizzle.weights import read_noise_variance, sky_variance, typical_noise, weight_map
from rtools.mosaic.grid.pixmap import pixel_map
from rtools.mosaic.grid.scale import mean_pixel_area, pixel_scale_ratio
from rtools.mosaic.outlier.median import mask_low_weight, median_of, weight_threshold
from rtools.mosaic.outlier.outlier import BITS, InspectedImage, flag_rows
from rtools.mosaic.sky.cells import sky_cells
from rtools.mosaic.sky.sky import match_cells, sky_levels
from rtools.work import ALONE, Work
from rtools.work.loops import row_slices

if TYPE_CHECKING:
    from rtools.mosaic.grid.freegrid import FreeGrid
    from rtools.mosaic.grid.grid import Grid
    from rtools.mosaic.grid.pixmap import PixMap
    from rtools.mosaic.options import OutlierOptions, ResampleOptions, SkyMatchOptions

__all__ = ["MosaicImage", "drizzle_images", "find_outliers", "levels_of"]

UNLIKE_OUTLIERS = ~BITS
"""Flags of pixels from which no noise is learned: all but those of outliers, which may come or go without a change."""


class MosaicImage(NamedTuple):
    """An image that goes into a mosaic, in memory.

    Attributes
    ----------
    data : ndarray float32 (rows, columns)
        Surface brightness; all images of a mosaic have one unit.
    wcs : gwcs.WCS
        Of its pixels.
    err : ndarray, optional
        Error of the data.
    dq : ndarray uint32, optional
        Flags.
    var_rnoise, var_poisson, var_flat : ndarray, optional
        Variances.
    exposure_time : float
        s.
    level : float
        Sky that is in the data and is to be taken off them.
    pixel_area : float or None
        sr; None where it is measured from the WCS.
    """

    data: np.ndarray
    wcs: Callable[..., Any]
    err: np.ndarray | None = None
    dq: np.ndarray | None = None
    var_rnoise: np.ndarray | None = None
    var_poisson: np.ndarray | None = None
    var_flat: np.ndarray | None = None
    exposure_time: float = 1.0
    level: float = 0.0
    pixel_area: float | None = None


def levels_of(images: Sequence[MosaicImage], options: SkyMatchOptions, work: Work = ALONE) -> np.ndarray:
    """Sky levels of images that overlap.

    Parameters
    ----------
    images : sequence of MosaicImage
        The images.
    options : rtools.mosaic.options.SkyMatchOptions
        Of the step; images are compared in cells.
    work : rtools.work.Work
        Its threads share the cells.

    Returns
    -------
    ndarray float64 (images,)
        NaN where an image overlaps with no other.

    Raises
    ------
    UsageError
        The options ask for ``pairs=exact``.
    """
    if options.exact:
        raise UsageError("images in memory are compared in cells, not pairs=exact")
    reduce = partial(sky_cells, statistic=options.statistic, mask_sources=options.mask_sources,
                     whole=options.wants_whole, work=work)  # fmt: skip
    found = []
    for image in images:
        good = _without(image, options.bad_bits)
        found.append(reduce(image.data, good, _to_sky(image)))
    matched = match_cells(found) if options.matches else None
    return sky_levels(matched, [each.whole for each in found], options.method, match_down=options.match_down).level


def find_outliers(
    images: Sequence[MosaicImage],
    grid: Grid | FreeGrid,
    options: OutlierOptions,
    work: Work = ALONE,
    *,
    ratio: float | None = None,
    mapped: Callable[..., PixMap] = pixel_map,
) -> list[np.ndarray]:
    """Pixels of images that the median of all does not show.

    Parameters
    ----------
    images : sequence of MosaicImage
        With errors; each is an exposure of its own.
    grid : rtools.mosaic.grid.grid.Grid
        On which they are compared.
    options : rtools.mosaic.options.OutlierOptions
        Of the step.
    work : rtools.work.Work
        Its threads share the rows.
    ratio, mapped
        As `drizzle_images` takes them.

    Returns
    -------
    list of ndarray bool (rows, columns)
        One for each image.

    Raises
    ------
    UsageError
        An image has no errors.
    """
    if any(image.err is None for image in images):
        raise UsageError("outliers are told by the errors of the images: err is missing")
    kernel = options.drizzle.kernel_for(_ratio(images[0], grid) if ratio is None else ratio)
    maps = [mapped(image.wcs, image.data.shape, grid.to_pixel) for image in images]
    drizzled = np.zeros((len(images), *grid.shape), np.float32)
    for image, pixmap, plane in zip(images, maps, drizzled, strict=True):
        weight = np.zeros(grid.shape, np.float32)
        planes = _planes(image, options.drizzle, ())
        for band in _bands(planes, pixmap, grid, kernel, work):
            add_image(band, plane, weight)
        plane[weight == 0] = np.nan
        mask_low_weight(plane, weight, weight_threshold(weight, options.maskpt, work=work))
    median = median_of(drizzled)
    return [_flagged(image, pixmap, median, options, work) for image, pixmap in zip(images, maps, strict=True)]


def _flagged(image, pixmap, median, options, work):
    """Outliers of one image."""
    err = np.ascontiguousarray(image.err, np.float32)
    looked_at = InspectedImage(np.ascontiguousarray(image.data, np.float32), err, image.level)
    limits, fill = options.limits, options.drizzle.fill
    parts = work.map(
        lambda rows: flag_rows(looked_at, pixmap, median, rows, limits=limits, fill=fill), row_slices(len(err))
    )
    return np.concatenate(parts)


def drizzle_images(
    images: Sequence[MosaicImage],
    grid: Grid | FreeGrid,
    options: ResampleOptions,
    work: Work = ALONE,
    *,
    ratio: float | None = None,
    mapped: Callable[..., PixMap] = pixel_map,
) -> dict[str, np.ndarray]:
    """Drizzle images into the planes of a mosaic.

    Parameters
    ----------
    images : sequence of MosaicImage
        In the order of the bits of the context.
    grid : rtools.mosaic.grid.grid.Grid
        Of the mosaic.
    options : rtools.mosaic.options.ResampleOptions
        Of the step.
    work : rtools.work.Work
        Its threads share the rows.
    ratio : float, optional
        Pixel scale of the grid over that of the images; measured by default.
    mapped : callable
        ``mapped(wcs, shape, grid.to_pixel)``: the map of an image.

    Returns
    -------
    dict of str to ndarray (rows, columns)
        As `rtools.mosaic.drizzle.variance.finish` gives them.
    """
    ratio = _ratio(images[0], grid) if ratio is None else ratio
    kernel, weight = options.drizzle.kernel_for(ratio), options.drizzle.weight_type
    names = _variances(images, options.variances)
    totals = new_totals(grid.shape, len(images), names, dq=options.dq)
    for number, image in enumerate(images):
        pixmap = mapped(image.wcs, image.data.shape, grid.to_pixel)
        planes = _planes(image, options.drizzle, names, dq=options.dq)
        share = image.exposure_time if weight == "exptime" else None
        for band in _bands(planes, pixmap, grid, kernel, work, names=names):
            add_band(totals, band, number, share)
    planes = finish(totals, ratio, work)
    if not np.isnan(options.drizzle.fill):
        planes["data"][planes["weight"] == 0] = options.drizzle.fill
    return planes


def _variances(images, names):
    """Those of the variances that the images have what is needed for."""
    if any(image.err is None and image.var_rnoise is None for image in images):
        return ()
    photons = all(image.var_poisson is not None for image in images)
    return tuple(name for name in names if photons or name != "var_sky")


def _bands(planes, pixmap, grid, kernel, work, names=()):
    """What an image gives to each band of rows of the mosaic that it touches."""
    places = [touched(pixmap, grid.shape, kernel, rows) for rows in band_rows(grid.shape)]
    met = [(rows, columns) for rows, columns in places if rows.start < rows.stop and columns.start < columns.stop]
    return work.each(lambda place: drizzle_band(planes, pixmap, place[0], place[1], kernel, names=names), met)


def _planes(image, drizzle, names, *, dq=False):
    """What is drizzled of an image: data less the sky, weights, variances."""
    noise, sky = _read_noise(image, drizzle, names), 0.0
    if "var_sky" in names or drizzle.weight_type == "ivm-sky":
        if image.var_poisson is None:
            raise UsageError("the variance of the sky is that of its photons: var_poisson is missing")
        photons, learn = _float(image.var_poisson), _without(image, UNLIKE_OUTLIERS)
        sky = sky_variance(np.asarray(image.data, np.float32), photons, learn)
    data = np.array(image.data, np.float32)
    if image.level:
        data -= np.float32(image.level)
    good = _without(image, drizzle.bad_bits)
    weight = weight_map(drizzle.weight_type, data, good, var_rnoise=noise, sky=sky, exposure_time=image.exposure_time)
    flags = _dq(image) if dq else None
    return MemberPlanes(data, weight, noise, _float(image.var_poisson), _float(image.var_flat), sky, flags)


def _read_noise(image, drizzle, names):
    """Read-noise variance: as the image has it, else what is left of its errors; None where nobody asks."""
    if image.var_rnoise is not None or not (names or drizzle.weight_type != "exptime"):
        return _float(image.var_rnoise)
    if image.err is None:
        raise UsageError("weights and variances are made of var_rnoise, or of err: both are missing")
    err = _float(image.err)
    others = [_float(each) for each in (image.var_poisson, image.var_flat) if each is not None]
    return read_noise_variance(err, others, typical_noise(err, others, _without(image, UNLIKE_OUTLIERS)))


def _ratio(image, grid):
    """Pixel scale of a grid over that of an image."""
    area = mean_pixel_area(image.wcs, image.data.shape) if image.pixel_area is None else image.pixel_area
    return pixel_scale_ratio(np.rad2deg(np.sqrt(mean_pixel_area(grid.to_sky, grid.shape))), area)


def _to_sky(image):
    """Right ascension and declination of pixels, also outside the image."""
    if hasattr(image.wcs, "bounding_box"):
        return lambda x, y: image.wcs(x, y, with_bounding_box=False)
    return image.wcs


def _without(image, bits):
    """Pixels without any of these flags."""
    return (_dq(image) & np.uint32(bits)) == 0


def _dq(image):
    """Flags; none where the image has none."""
    return np.zeros(image.data.shape, np.uint32) if image.dq is None else np.ascontiguousarray(image.dq, np.uint32)


def _float(plane):
    """A plane as the compiled loops take it."""
    return None if plane is None else np.ascontiguousarray(plane, np.float32)
