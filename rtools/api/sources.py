"""Sources of one image: found, measured in apertures, fitted with the PSF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.api.asking import opened, reference_places, warn, working

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from numpy.typing import ArrayLike

    from rtools.catalog.measure.apertures import Apertures
    from rtools.catalog.psf.psffit import PsfFit
    from rtools.products.io import Product
    from rtools.reference.epsf import Psf

__all__ = ["SourceCatalog", "catalog_image", "find_sources", "fit_psf", "load_psf", "measure_apertures"]


class SourceCatalog(NamedTuple):
    """The sources of an image.

    Attributes
    ----------
    table : astropy.table.Table
        One row a source; the columns of the archive's catalogs, with units and descriptions. Fluxes are nJy.
    labels : ndarray int32 (rows, columns)
        ``label`` of the source that each pixel belongs to; 0 for the sky.
    depth : float or None
        AB magnitude of a point source of S/N 5; None where there is no PSF.
    """

    table: Table
    labels: np.ndarray
    depth: float | None


def find_sources(
    data: ArrayLike,
    err: ArrayLike,
    wcs: Callable,
    *,
    to_mjysr: float = 1.0,
    dq: ArrayLike | None = None,
    var_poisson: ArrayLike | None = None,
    psf: Psf | None = None,
    threads: int = 1,
    **options: Any,
) -> SourceCatalog:
    """Find and measure the sources of an image that is in memory.

    Parameters
    ----------
    data, err : array_like float32 (rows, columns)
        Surface brightness with its background, and its error. Pixels that are not finite, or have no positive error,
        are not used.
    wcs : gwcs.WCS
        Of the image.
    to_mjysr : float
        What makes the data MJy/sr: `meta.photometry.conversion_megajanskys` of an exposure in DN/s.
    dq : array_like uint32 (rows, columns), optional
        Flags; pixels with DO_NOT_USE (1) are not used.
    var_poisson : array_like float32 (rows, columns), optional
        Part of err² that is photon noise, for the second PSF fit.
    psf : rtools.reference.epsf.Psf, optional
        As `load_psf` gives it; without it there are no PSF columns, and no deep search.
    threads : int
        Threads that share the work; 0 means all cores. The result does not depend on it.
    **options
        Of rt-catalog, with underscores: ``deep=True``, ``snr_threshold=5``, ``deblend=True``, ``npixels=9`` …

    Returns
    -------
    SourceCatalog

    Raises
    ------
    UsageError
        An option does not exist or cannot have this value; ``deep=True`` without a PSF.

    Examples
    --------
    Two Gaussian stars on a noisy sky:

    >>> import numpy as np, rtools
    >>> y, x = np.mgrid[:100, :100]
    >>> noise = np.random.default_rng(1).normal(0, 0.1, (100, 100))
    >>> star = lambda x0, y0: 20 * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * 1.5**2))
    >>> data = noise + star(30, 40) + star(70, 55)
    >>> wcs = rtools.make_grid((270, 66), 0.11, (100, 100)).wcs()
    >>> found = rtools.find_sources(data, np.full_like(data, 0.1), wcs, fit_psf=False)
    >>> print(found.table["x_centroid"].round(1).tolist(), found.labels[40, 30])
    [30.0, 70.0] 1
    """
    import numpy as np

    from rtools.catalog.source_catalog import ImagePlanes, catalog_of
    from rtools.catalog.steps.catalog import STEP, least_pixels
    from rtools.pipeline.job.settings import check_options

    options = STEP.defaults() | check_options(STEP, options)
    options["npixels"] = least_pixels(options)
    data, err = (np.ascontiguousarray(plane, np.float32) for plane in (data, err))
    dq = None if dq is None else np.ascontiguousarray(dq, np.uint32)
    var_poisson = None if var_poisson is None else np.ascontiguousarray(var_poisson, np.float32)
    planes = ImagePlanes(data, err, wcs, to_mjysr, dq=dq, var_poisson=var_poisson)
    with working(threads) as work:
        return _catalog(catalog_of(planes, options, psf=psf, work=work))


def catalog_image(
    file: str | Path | Product,
    *,
    refdir: str | Path | None = None,
    references: Mapping[str, str | None] | None = None,
    builtin: bool | None = None,
    threads: int = 1,
    **options: Any,
) -> SourceCatalog:
    """Find and measure the sources of an image file, as rt-catalog does; nothing is written.

    Parameters
    ----------
    file : str, Path or Product
        A ``_cal`` or ``_coadd`` file.
    refdir, references, builtin
        As `find_references`: where the PSF and the encircled energies are.
    threads : int
        Threads that share the work; 0 means all cores. The result does not depend on it.
    **options
        Of rt-catalog, with underscores; see `find_sources`.

    Returns
    -------
    SourceCatalog

    Raises
    ------
    InputError
        The file has no WCS or no flux calibration.
    MissingReferenceError
        A reference is nowhere.
    UsageError
        An option does not exist or cannot have this value.

    Examples
    --------
    >>> import rtools
    >>> found = rtools.catalog_image("r0000101001001001001_0001_wfi01_f158_cal.asdf", builtin=True)
    >>> bright = found.table[found.table["psf_flux"] > 20 * found.table["psf_flux_err"]]
    >>> 0 < len(bright) <= len(found.table)
    True
    """
    from rtools.catalog.steps.catalog import STEP
    from rtools.pipeline.catalog import single
    from rtools.pipeline.job.settings import check_options
    from rtools.pipeline.job.steps import uses_of

    options = STEP.defaults() | check_options(STEP, options)
    with opened(file, ("l2_image", "l3_coadd")) as product, working(threads) as work:
        found = _references(product, uses_of(STEP, options), reference_places(refdir, references, builtin))
        catalog = single.find_sources(single.planes_of(product, work), product.meta, options, found, work)
    return _catalog(catalog)


def measure_apertures(
    data: ArrayLike, err: ArrayLike, x: ArrayLike, y: ArrayLike, radii: ArrayLike, *, threads: int = 1
) -> Apertures:
    """Sum an image in circles, with exact overlap of the pixels.

    Parameters
    ----------
    data, err : array_like float32 (rows, columns)
        The image less its background, and its error. Under pixels that cannot be used stand those opposite the centre.
    x, y : array_like (n,)
        Centres, pixels, 0-based.
    radii : array_like (k,)
        Rising, pixels.
    threads : int
        Threads that share the circles; 0 means all cores.

    Returns
    -------
    rtools.catalog.measure.apertures.Apertures
        `flux` and `err`, float64 (n, k), in the unit of the data times pixels; `replaced`, the share of pixels that
        others stood in for.

    Examples
    --------
    >>> import numpy as np, rtools
    >>> image = np.ones((20, 20))
    >>> measured = rtools.measure_apertures(image, 0.1 * image, [10.0], [10.0], [2.0, 3.0])
    >>> print((measured.flux / np.pi).round(4))
    [[4. 9.]]
    """
    import numpy as np

    from rtools.catalog.detect.segments import empty_segments
    from rtools.catalog.measure.apertures import circular

    data, err = (np.ascontiguousarray(plane, np.float32) for plane in (data, err))
    places = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
    with working(threads) as work:
        segments = empty_segments(data.shape, len(places[0]))
        return circular(data, err, segments, ~_usable(data, err), places, radii=np.atleast_1d(radii), work=work)


def fit_psf(
    data: ArrayLike,
    err: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    psf: Psf,
    *,
    var_poisson: ArrayLike | None = None,
    background: ArrayLike | None = None,
    threads: int = 1,
) -> PsfFit:
    """Fit position and flux of the PSF to sources; sources close to each other are fitted together.

    Parameters
    ----------
    data, err : array_like (rows, columns)
        The image less its background, and its error. Pixels that are not finite, or have no positive error, are not
        used.
    x, y : array_like (n,)
        Where the fit begins, pixels, 0-based.
    psf : rtools.reference.epsf.Psf
        As `load_psf` gives it.
    var_poisson : array_like (rows, columns), optional
        Part of err² that is photon noise; with it a second fit has the noise of the model, and fluxes are not low.
    background : array_like (rows, columns) or float, optional
        What was taken off the data, where its photons are in `var_poisson`.
    threads : int
        Threads that share the sources; 0 means all cores. The result does not depend on it.

    Returns
    -------
    rtools.catalog.psf.psffit.PsfFit
        `x`, `y`, `flux`, their errors, `flags`, `gof` (reduced χ²): one value a source, NaN where it cannot be fitted.

    Examples
    --------
    >>> import numpy as np, rtools
    >>> psf = rtools.load_psf("r0000101001001001001_0001_wfi01_f158_cal.asdf", builtin=True)
    >>> star = psf.stamps[0][2::4, 2::4]  # the PSF, sampled once a pixel
    >>> data = np.zeros((61, 61))
    >>> data[10 : 10 + len(star), 10 : 10 + len(star)] = 1000 * star[:51, :51]
    >>> y, x = np.unravel_index(data.argmax(), data.shape)
    >>> fitted = rtools.fit_psf(data, np.ones_like(data), [x], [y], psf)
    >>> bool(abs(fitted.flux[0] - 1000) < 5)
    True
    """
    import numpy as np

    from rtools.catalog.psf.psffit import fit

    data, err = np.asarray(data, np.float32), np.asarray(err, np.float32)
    x, y = (np.atleast_1d(np.asarray(each, float)) for each in (x, y))
    photons, sky = (None if each is None else np.asarray(each, np.float32) for each in (var_poisson, background))
    with working(threads) as work:
        return fit(data, err, None, x, y, psf=psf, var_poisson=photons, background=sky, work=work)


def load_psf(
    file: str | Path | Product,
    *,
    refdir: str | Path | None = None,
    references: Mapping[str, str | None] | None = None,
    builtin: bool | None = None,
) -> Psf:
    """Load the PSF of an image, with its jitter; of a mosaic, as its drizzle has widened it.

    Parameters
    ----------
    file : str, Path or Product
        A ``_cal`` or ``_coadd`` file.
    refdir, references, builtin
        As `find_references`: where the epsf reference is.

    Returns
    -------
    rtools.reference.epsf.Psf
        Per pixel, with pixel response and charge diffusion: `stamps` have `oversample` samples a pixel.

    Raises
    ------
    MissingReferenceError
        There is no epsf reference.

    Examples
    --------
    >>> import rtools
    >>> psf = rtools.load_psf("r0000101001001001001_0001_wfi01_f158_cal.asdf", builtin=True)
    >>> psf.oversample, 0.1 < psf.peak < 0.3
    (4, True)
    """
    from rtools.catalog.steps.catalog import REFERENCES
    from rtools.errors import MissingReferenceError
    from rtools.pipeline.catalog.references import psf_of
    from rtools.products.edit import load_wcs

    with opened(file, ("l2_image", "l3_coadd")) as product:
        uses = [use for use in REFERENCES if use.type == "epsf"]
        reference = _references(product, uses, reference_places(refdir, references, builtin))["epsf"]
        if reference is None:
            raise MissingReferenceError("the PSF is that of an epsf reference, and there is none", path=product.path)
        grid = (load_wcs(product), product.arrays["data"].shape) if product.kind == "l3_coadd" else None
        return psf_of(reference, product.meta, grid=grid, log=warn)


def _references(product, uses, places):
    """References of the catalog of an image, by type."""
    from rtools.pipeline.catalog.references import find_references
    from rtools.products.schema import is_simulated

    return find_references(product.meta, product.kind, uses, places, warn, simulated=is_simulated(product.history))


def _catalog(found):
    """What was found, as a table."""
    from rtools.catalog.measure.columns import definition_name
    from rtools.products.tables.sources import table_of

    columns = [(*column, definition_name(column.name)) for column in found.columns]
    return SourceCatalog(table_of(found.values, columns, {}, found.about), found.labels, found.depth)


def _usable(data, err):
    """Pixels with a finite value and a positive, finite error."""
    import numpy as np

    return np.isfinite(data) & (err > 0) & np.isfinite(err)
