"""Images on their way to a mosaic, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.api.asking import warn, working

if TYPE_CHECKING:
    import numpy as np

    from rtools.mosaic.arrays import MosaicImage
    from rtools.mosaic.grid.grid import Grid
    from rtools.products.io import Product

__all__ = ["DrizzledImage", "drizzle", "flag_outliers", "match_sky", "read_image"]


def read_image(file: str | Path | Product) -> MosaicImage:
    """Read an image of one detector for a mosaic, in MJy/sr.

    Parameters
    ----------
    file : str, Path or Product
        A ``_cal`` file, or another image that has a WCS and a flux calibration.

    Returns
    -------
    rtools.mosaic.arrays.MosaicImage
        `data`, `err`, `dq`, variances, `wcs`, `exposure_time`, and `level`, the sky that is in the data where its
        metadata say one. ``image._replace(level=…)`` is a copy with another.

    Raises
    ------
    InputError
        The file is not an image, or lacks something.

    Examples
    --------
    >>> import rtools
    >>> image = rtools.read_image("field/r0000101001001001001_0001_wfi01_f158_cal.asdf")
    >>> image.data.shape, image.exposure_time
    ((200, 200), 140.0)
    """
    import numpy as np

    from rtools.mosaic.arrays import MosaicImage
    from rtools.mosaic.drizzle.flux import apply_flux, put_floats
    from rtools.mosaic.outlier.outlier import level_of
    from rtools.pipeline.mosaic.members import open_members, share_of
    from rtools.products.io import Product
    from rtools.wfi import metadata

    (member,) = open_members([file.path if isinstance(file, Product) else file], warn)
    wanted = ("data", "err", "var_rnoise", "var_poisson", "var_flat")
    planes = {name: np.empty(member.shape, np.float32) for name in wanted if member.product.has(name)}
    with member.product as product:
        for name, plane in planes.items():
            put_floats(product.array(name), plane)
        dq = np.array(product.array("dq"), np.uint32)
    if member.factor is not None:
        apply_flux(planes, member.factor)
    return MosaicImage(
        wcs=member.wcs,
        dq=dq,
        exposure_time=share_of(member.meta),
        level=level_of(member.meta.get("background")),
        pixel_area=metadata.usable(member.meta, "photometry.pixel_area"),
        **planes,
    )


def match_sky(images: Sequence[MosaicImage], *, threads: int = 1, **options: Any) -> np.ndarray:
    """Find the sky level of each image that makes them agree where they overlap.

    Parameters
    ----------
    images : sequence of MosaicImage
        As `read_image` gives them, or made of arrays. Their data are compared as they are.
    threads : int
        Threads that share the work; 0 means all cores. The result does not depend on it.
    **options
        Of rt-skymatch, with underscores: ``method="global+match"``, ``mask_sources=False`` …

    Returns
    -------
    ndarray float64
        One for each image, in the unit of the data; the lowest is 0. NaN where an image overlaps with no other.

    Raises
    ------
    UsageError
        An option does not exist or cannot have this value.

    Examples
    --------
    >>> import rtools
    >>> images = [rtools.read_image(f"field/r0000101001001001001_000{n}_wfi01_f158_cal.asdf") for n in (1, 2)]
    >>> levels = rtools.match_sky(images)
    >>> print(levels.round(3))
    [0.    0.025]
    >>> images = [image._replace(level=level) for image, level in zip(images, levels)]
    """
    from rtools.mosaic.arrays import levels_of
    from rtools.mosaic.options import parse_skymatch
    from rtools.mosaic.steps.skymatch import STEP

    with working(threads) as work:
        return levels_of(images, parse_skymatch(_settled(STEP, options)), work)


def flag_outliers(images: Sequence[MosaicImage], grid: Grid, *, threads: int = 1, **options: Any) -> list[np.ndarray]:
    """Find pixels that one image shows and the median of all does not.

    Parameters
    ----------
    images : sequence of MosaicImage
        As `read_image` gives them, or made of arrays, with `err`; their levels are taken off. Each is an exposure of
        its own.
    grid : rtools.mosaic.grid.grid.Grid
        On which they are compared; pixels outside it are not flagged.
    threads : int
        Threads that share the work; 0 means all cores. The result does not depend on it.
    **options
        Of rt-outlier, with underscores: ``snr="4 3"``, ``maskpt=0.5`` …

    Returns
    -------
    list of ndarray bool (rows, columns)
        One for each image, True where it has an outlier. DO_NOT_USE | OUTLIER is 129.

    Raises
    ------
    UsageError
        An image has no errors; an option does not exist or cannot have this value.

    Examples
    --------
    >>> import rtools
    >>> images = [rtools.read_image(f"field/r0000101001001001001_000{n}_wfi01_f158_cal.asdf") for n in (1, 2, 3)]
    >>> grid = rtools.make_covering_grid([image.wcs for image in images], scale=0.11)
    >>> levels = rtools.match_sky(images)
    >>> images = [image._replace(level=level) for image, level in zip(images, levels)]
    >>> flagged = rtools.flag_outliers(images, grid)
    >>> flagged[0].shape, bool(flagged[0].sum() > 10)
    ((200, 200), True)
    """
    from rtools.mosaic.arrays import find_outliers
    from rtools.mosaic.options import parse_outlier
    from rtools.mosaic.steps.outlier import STEP

    with working(threads) as work:
        return find_outliers(images, grid, parse_outlier(_settled(STEP, options)), work)


class DrizzledImage(NamedTuple):
    """A mosaic; arrays of (rows, columns), float32, NaN where nothing was seen.

    Attributes
    ----------
    data : ndarray
        Surface brightness, in the unit of the images.
    weight : ndarray
        Sum of the weights; 0 where nothing was seen.
    context : ndarray uint32 (planes, rows, columns)
        Bit m % 32 of plane m // 32 is set where image m took part.
    err : ndarray or None
        Error of the data; None where the images have none.
    var_rnoise, var_poisson, var_sky, var_flat : ndarray or None
        Variances; None where they are not computed.
    dq : ndarray uint32 or None
        Flags of all pixels that took part, with ``dq=True``.
    """

    data: np.ndarray
    weight: np.ndarray
    context: np.ndarray
    err: np.ndarray | None = None
    var_rnoise: np.ndarray | None = None
    var_poisson: np.ndarray | None = None
    var_sky: np.ndarray | None = None
    var_flat: np.ndarray | None = None
    dq: np.ndarray | None = None


def drizzle(images: Sequence[MosaicImage], grid: Grid, *, threads: int = 1, **options: Any) -> DrizzledImage:
    """Drizzle images into a mosaic (Fruchter & Hook 2002, PASP 114, 144).

    Parameters
    ----------
    images : sequence of MosaicImage
        As `read_image` gives them, or made of arrays; their levels are taken off.
    grid : rtools.mosaic.grid.grid.Grid
        Of the mosaic.
    threads : int
        Threads that share the work; 0 means all cores. The result does not depend on it.
    **options
        Of rt-resample, with underscores: ``kernel="turbo"``, ``pixfrac=0.8``, ``weight_type="ivm"``, ``dq=True`` …

    Returns
    -------
    DrizzledImage

    Raises
    ------
    UsageError
        An option does not exist or cannot have this value; weights need a variance that an image lacks.

    Examples
    --------
    Any image with a WCS: a grid's own pixels, moved by half a pixel.

    >>> import numpy as np, rtools
    >>> image = rtools.MosaicImage(np.full((50, 50), 3.0, np.float32), rtools.make_grid((10, 0), 0.11, (50, 50)).wcs())
    >>> mosaic = rtools.drizzle([image], rtools.make_grid((10, 0), 0.11, (51, 51)))
    >>> float(mosaic.data[25, 25]), float(mosaic.weight[25, 25])
    (3.0, 1.0)
    """
    from rtools.mosaic.arrays import drizzle_images
    from rtools.mosaic.options import parse_resample
    from rtools.mosaic.steps.resample import STEP

    with working(threads) as work:
        planes = drizzle_images(images, grid, parse_resample(_settled(STEP, options)), work)
    return DrizzledImage(**planes)


def _settled(step, options):
    """All options of a step, checked; weights that are ``auto`` are exposure times."""
    from rtools.pipeline.job.settings import check_options

    settled = step.defaults() | check_options(step, options)
    return settled | {"weight_type": "exptime"} if settled.get("weight_type") == "auto" else settled
