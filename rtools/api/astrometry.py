"""World coordinate systems, and images aligned to reference stars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.api.asking import opened, warn, working

if TYPE_CHECKING:
    import gwcs
    from astropy.table import Table
    from numpy.typing import ArrayLike

    from rtools.astrometry.align import Alignment, ImageSources
    from rtools.products.io import Product

__all__ = ["align", "load_wcs", "read_sources"]


def load_wcs(file: str | Path | Product) -> gwcs.WCS:
    """Load the world coordinate system of an image: that which it holds, else that of the ``_wcs`` file beside it.

    Parameters
    ----------
    file : str, Path or Product
        An image, a ramp or a mosaic.

    Returns
    -------
    gwcs.WCS
        ``ra, dec = wcs(x, y)`` and ``x, y = wcs.invert(ra, dec)`` take arrays; pixels are 0-based, positions degrees.

    Raises
    ------
    InputError
        There is none.

    Examples
    --------
    >>> import rtools
    >>> wcs = rtools.load_wcs("r0000101001001001001_0001_wfi01_f158_cal.asdf")
    >>> ra, dec = wcs(100.0, 50.0)
    >>> x, y = wcs.invert(ra, dec)
    >>> print(f"{x:.3f} {y:.3f}")
    100.000 50.000
    """
    from rtools.products.edit import load_wcs

    return load_wcs(opened(file))


def read_sources(file: str | Path | Product, catalog: str | Path | Mapping[str, Any] | None = None) -> ImageSources:
    """Read what an alignment needs of an image: positions of its sources, its WCS, its pointing, its epoch.

    Parameters
    ----------
    file : str, Path or Product
        A ``_cal`` file.
    catalog : str, Path or Table, optional
        Its sources; by default the catalog that the image names or that lies beside it.

    Returns
    -------
    rtools.astrometry.align.ImageSources

    Raises
    ------
    InputError
        The image has no WCS, or there is no catalog.

    Examples
    --------
    >>> import rtools
    >>> sources = rtools.read_sources("r0000101001001001001_0001_wfi01_f158_cal.asdf")
    >>> len(sources.x) == len(sources.y)
    True
    """
    from rtools.errors import InputError
    from rtools.pipeline.astrometry.align import catalog_path, image_of
    from rtools.products.edit import load_wcs
    from rtools.products.tables import read_catalog

    product = opened(file, ("l2_image",))
    if catalog is None or isinstance(catalog, str | Path):
        path = catalog_path(product.path, product.meta, catalog)
        if path is None:
            raise InputError("no catalog beside it", mend="run rt-catalog first", path=product.path)
        catalog = read_catalog(path)
    return image_of(catalog, product.meta, load_wcs(product), warn)


def align(
    images: Sequence[ImageSources],
    refcat: str | Path | Table | Mapping[str, ArrayLike],
    *,
    threads: int = 1,
    **options: Any,
) -> Alignment:
    """Align images to reference stars, all by one correction of shift, rotation and scale.

    Parameters
    ----------
    images : sequence of ImageSources
        As `read_sources` gives them, or made of arrays.
    refcat : str, Path, Table or mapping
        Reference stars: a file or HATS tree, of which the part around the images is read; or a table. Names of columns
        are Gaia's or others that are usual (``RA_ICRS``, ``RAJ2000``, ``pmRA`` …).
    threads : int
        Threads that look for the match; 0 means all cores. The result does not depend on it.
    **options
        Of rt-tweakreg, with underscores: ``searchrad=5``, ``fitgeometry="rshift"`` …

    Returns
    -------
    rtools.astrometry.align.Alignment
        `status` is COMPLETE, or FAILED with a `reason`; `wcs` has the corrected WCS of each image, `results` shift,
        rotation and scale, `matches` the stars that were matched.

    Raises
    ------
    InputError
        The WCS of an image cannot be corrected, or the catalog is not one of reference stars.
    UsageError
        An option does not exist or cannot have this value.

    Examples
    --------
    Reference stars that are those of the image itself, 0.2 arcsec further north:

    >>> import rtools
    >>> image = rtools.read_sources("r0000101001001001001_0001_wfi01_f158_cal.asdf")
    >>> ra, dec = image.wcs(image.x, image.y)
    >>> alignment = rtools.align([image], {"ra": ra, "dec": dec + 0.2 / 3600})
    >>> alignment.status, [f"{shift:.2f}" for shift in alignment.results["shift"]][1]
    ('COMPLETE', '0.20')
    """
    from astropy.table import Table

    from rtools.astrometry.align import align
    from rtools.astrometry.refcat import from_table
    from rtools.astrometry.steps.tweakreg import STEP
    from rtools.pipeline.astrometry.align import stars_around
    from rtools.pipeline.job.settings import check_options
    from rtools.products.refcat.files import standard
    from rtools.products.tables.column_names import parse_columns

    options = STEP.defaults() | check_options(STEP, options)
    if isinstance(refcat, str | Path):
        refcat = stars_around(str(refcat), [image.wcs for image in images], options)
    else:
        asked = options["refcat_columns"]
        refcat = standard(Table(refcat), asked=parse_columns(asked) if asked else None)
    with working(threads) as work:
        return align(list(images), from_table(refcat), options, work=work)
