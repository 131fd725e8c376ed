"""The source catalog of an image in its file: what `rt-run` and `rt-catalog` have in common."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.pipeline.catalog.references import dust_of, psf_of
from rtools.products.tables import sources as source_catalog
from rtools.wfi import metadata
from rtools.wfi.quantities import problem
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from gwcs import WCS

    from rtools.catalog.measure.identifiers import Skycell
    from rtools.catalog.source_catalog import Found, ImagePlanes
    from rtools.products.io.product import Product
__all__ = [
    "CatalogSummary",
    "find_sources",
    "make_planes",
    "planes_of",
    "skycell_of",
    "summary_of",
    "without_calibration",
]

WIDEST = 20.0
"""Pixels: sharpness and roundness take a time that grows with the fourth power of the kernel's width."""


def planes_of(product: Product, work: Work = ALONE) -> ImagePlanes:
    """Planes of an image file, as the catalog takes them.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        An image or a mosaic, opened.
    work : rtools.work.Work
        Its threads decode.

    Returns
    -------
    rtools.catalog.source_catalog.ImagePlanes
        With the WCS and the calibration that the file states.

    Raises
    ------
    InputError
        It has no WCS, or no flux calibration, or lacks an array.
    """
    exposure = product.kind == "l2_image"
    wcs = product.node("meta.wcs") if product.meta.get("wcs") is not None else None
    if wcs is None:
        raise InputError("no WCS", mend="run rt-assignwcs first", path=product.path)
    done = metadata.get(product.meta, "cal_step.flux") == "COMPLETE"
    reason = without_calibration(product.meta) if exposure and not done else None
    if reason:
        raise InputError(reason, mend="run rt-photom first", path=product.path)
    wanted = ("data", "err", "dq", "var_poisson") if exposure else ("data", "err", "weight", "var_poisson")
    arrays = {name: product.array(name, work=work) for name in wanted if product.has(name)}
    missing = {"data", "err", "dq" if exposure else "weight"} - set(arrays)
    if missing:
        raise InputError(f"no array {', '.join(sorted(missing))}", path=product.path)
    members = None
    if not exposure:
        with suppress(KeyError):
            members = product.node("meta.individual_image_meta.background")
    return make_planes(arrays, product.meta, wcs, members=members)


def make_planes(
    arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any], wcs: WCS, *, members: Any = None
) -> ImagePlanes:
    """Planes from arrays, with the calibration that the metadata state.

    Parameters
    ----------
    arrays : mapping of str to ndarray (rows, columns)
        data and err; dq of an exposure, weight of a mosaic; var_poisson, where it is known. Other arrays are left out.
    meta : dict
        Metadata of the image. Data with dq whose flux step is not COMPLETE are DN/s, all others MJy/sr.
    wcs : gwcs.WCS
        Its world coordinate system.
    members : mapping of str to array, optional
        The table `individual_image_meta.background` of a mosaic, where it is not in `meta`.

    Returns
    -------
    rtools.catalog.source_catalog.ImagePlanes
        The arrays themselves, no copies.
    """
    from rtools.catalog.source_catalog import ImagePlanes

    counts = "dq" in arrays and metadata.get(meta, "cal_step.flux") != "COMPLETE"
    factor = metadata.usable(meta, "photometry.conversion_megajanskys") if counts else 1.0
    used = {name: arrays.get(name) for name in ("dq", "weight", "var_poisson")}
    if members is None:
        members = metadata.get(meta, "individual_image_meta.background")
    sky = _sky_taken(meta, members)
    return ImagePlanes(arrays["data"], arrays["err"], wcs, float(factor), sky=sky, **used)


def _sky_taken(meta, members):
    """Sky that rt-skymatch or rt-resample took from the data: of a mosaic, the mean of that of its members."""
    background = meta.get("background") or {}
    levels = [background.get("level")] if background.get("subtracted") is True else []
    if members is not None:
        with suppress(KeyError):
            levels = list(members["level"])
    numbers = [float(level) for level in levels if isinstance(level, Real)]
    numbers = [level for level in numbers if problem("background.level", level) is None]
    return float(np.mean(numbers)) if numbers else 0.0


def without_calibration(meta: Mapping[str, Any]) -> str | None:
    """Why fluxes of an exposure cannot be given in nJy; None where they can.

    Parameters
    ----------
    meta : dict
        Its metadata: `photometry.conversion_megajanskys` is looked at.

    Returns
    -------
    str or None
        The reason, in words that go on a line.
    """
    key = "photometry.conversion_megajanskys"
    if metadata.usable(meta, key) is not None:
        return None
    value = metadata.get(meta, key)
    return f"no flux calibration ({f'meta.{key}' if value is None else problem(key, value)})"


def find_sources(
    planes: ImagePlanes, meta: Mapping[str, Any], options: dict[str, Any], references: Mapping[str, Any], work: Work
) -> Found:
    """The catalog of an image.

    Parameters
    ----------
    planes : rtools.catalog.source_catalog.ImagePlanes
        Its planes, from `planes_of` or `make_planes`.
    meta : dict
        Of the image.
    options : dict
        Of the step; what follows from others is filled in, so that histories say it.
    references : mapping of str to reference or None
        By reference type, as `rtools.pipeline.catalog.references.find_references` gives them.
    work : rtools.work.Work
        Threads, log and progress.

    Returns
    -------
    rtools.catalog.source_catalog.Found
        The catalog; it may be empty.

    Raises
    ------
    UsageError
        The kernel is too wide, or the deep detection has no PSF.
    InputError
        The segments or the dust maps that are asked for cannot be read or do not fit.
    """
    from rtools.catalog.measure.apcorr import encircled_energy
    from rtools.catalog.measure.measure import Options
    from rtools.catalog.source_catalog import catalog_of
    from rtools.catalog.steps.catalog import in_vain, least_pixels

    for text in in_vain(options):
        work.log("warning", f"catalog: {text}")
    if options["kernel_fwhm"] > WIDEST:
        raise UsageError(f"--kernel-fwhm {options['kernel_fwhm']:g}: {WIDEST:g} pixels at most")
    if options["deep"] and references.get("epsf") is None and not options["forced_segmentation"]:
        raise UsageError("--deep needs the PSF", mend="an epsf reference")
    options["npixels"] = least_pixels(options)
    given, forced = options["forced_segmentation"], None
    if given:
        forced = source_catalog.read_segments(given, planes.data.shape)
    psf = None
    if references.get("epsf") is not None:
        grid = None if planes.dq is not None else (planes.wcs, planes.data.shape)
        psf = psf_of(references["epsf"], meta, grid=grid, log=work.log)
    energy = encircled_energy(references.get("apcorr"), meta["instrument"]["optical_element"])
    if energy is None:
        work.log("warning", "catalog: no encircled energy for this element; is_extended is false everywhere")
    skycell = None if planes.dq is not None else skycell_of(meta)
    measuring = Options(energy=energy, dust=dust_of(options["dust_maps"], work.log), skycell=skycell)
    with work.progress("catalog", None):
        return catalog_of(planes, options, psf=psf, measuring=measuring, forced=forced, work=work)


class CatalogSummary(NamedTuple):
    """What a run tells of a catalog.

    Attributes
    ----------
    sources : int
        How many it has.
    magnitude_snr5 : float or None
        AB magnitude of a point source of S/N 5, where that is known.
    searched : str
        ``default``, ``deep``, ``deepest`` where there is no deeper way, or ``forced`` for the segments of another
        image.
    """

    sources: int
    magnitude_snr5: float | None
    searched: str


def summary_of(found: Found, options: Mapping[str, Any]) -> CatalogSummary:
    """What a run tells of a catalog.

    Parameters
    ----------
    found : rtools.catalog.source_catalog.Found
        The catalog.
    options : mapping of str to object
        Of the step.

    Returns
    -------
    CatalogSummary
    """
    searched = "forced" if options["forced_segmentation"] else "deep" if options["deep"] else "default"
    depth = None if found.depth is None else round(found.depth, 3)
    return CatalogSummary(len(found.values["label"]), depth, searched)


def skycell_of(meta: Mapping[str, Any]) -> Skycell | None:
    """The skycell that a mosaic covers.

    Parameters
    ----------
    meta : dict
        Of the mosaic.

    Returns
    -------
    rtools.catalog.measure.identifiers.Skycell or None
        None where it covers none.
    """
    from rtools.catalog.measure.identifiers import Skycell
    from rtools.mosaic.skymap import projection, skymap

    name = str(metadata.get(meta, "wcsinfo.skycell_name"))
    if not skymap.is_name(name):
        return None
    try:
        cell = skymap.parse_name(name)
    except InputError:
        return None
    places = partial(skymap.in_primary, cell), partial(skymap.sky_to_pixel, cell)
    return Skycell(skymap.name_of(cell), cell.region, projection.PIXEL_SCALE, *places)
