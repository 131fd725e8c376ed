"""A source catalog with its references and its files: what `rt-run` and `rt-catalog` have in common."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rtools.errors import InputError, MissingReferenceError, UsageError
from rtools.products.tables import sources as source_catalog
from rtools.reference import find
from rtools.wfi import metadata
from rtools.wfi.instrument import DETECTORS
from rtools.wfi.quantities import problem
from rtools.wfi.units import DEGREE_ARCSEC
from rtools.work import ALONE

__all__ = [
    "CatalogSummary",
    "dust_of",
    "find_sources",
    "make_planes",
    "planes_of",
    "psf_of",
    "references",
    "skycell_of",
    "summary_of",
    "without_calibration",
]

DUST_MAPS = "SFD_dust_4096_ngp.fits", "SFD_dust_4096_sgp.fits"
"""Of the northern and the southern galactic hemisphere, as they are distributed."""

MOSAIC_DETECTOR = "WFI02"
"""Its PSF, at its centre, stands for that of a mosaic."""

WIDEST = 20.0
"""Pixels: sharpness and roundness take a time that grows with the fourth power of the kernel's width."""


def references(meta, kind, uses, config, log, *, simulated=False):
    """References of the catalog of an image.

    Parameters
    ----------
    meta : dict
        Of the image.
    kind : str
        ``l2_image`` or ``l3_coadd``.
    uses : iterable of rtools.declare.Reference
    config : rtools.reference.find.Config
    log : callable
        ``log(level, text)``.
    simulated : bool
        Whether the data are.

    Returns
    -------
    dict
        Type to source or None.

    Raises
    ------
    MissingReferenceError
        One is needed, and is nowhere.
    """
    if kind == "l2_image":
        return find.references(meta, uses, config, simulated=simulated, log=log)
    asked = {
        "exposure": {"type": "WFI_IMAGE", "start_time": metadata.get(meta, "coadd_info.time_first")},
        "instrument": {"detector": MOSAIC_DETECTOR, "optical_element": meta["instrument"]["optical_element"]},
    }
    try:
        return find.references(asked, uses, config, simulated=simulated, log=log)
    except MissingReferenceError as error:
        for detector in DETECTORS:
            asked["instrument"]["detector"] = detector
            try:
                found = find.references(asked, uses, config, simulated=simulated, log=lambda level, text: None)
            except MissingReferenceError:
                continue
            log("warning", f"no references of {MOSAIC_DETECTOR}: those of {detector} stand in for a mosaic's")
            return found
        raise error


def planes_of(product, work=ALONE):
    """`rtools.catalog.source_catalog.ImagePlanes` of an image file.

    Raises
    ------
    InputError
        It has no WCS, or no flux calibration.
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


def make_planes(arrays, meta, wcs, *, members=None):
    """`ImagePlanes` from arrays by name, with the calibration that the metadata state.

    `members`: the table `individual_image_meta.background` of a mosaic, where it is not in `meta`.
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
    levels = [float(level) for level in levels if isinstance(level, Real)]
    levels = [level for level in levels if problem("background.level", level) is None]
    return float(np.mean(levels)) if levels else 0.0


def without_calibration(meta):
    """Why fluxes of an exposure cannot be given in nJy; None where they can."""
    key = "photometry.conversion_megajanskys"
    if metadata.usable(meta, key) is not None:
        return None
    value = metadata.get(meta, key)
    return f"no flux calibration ({f'meta.{key}' if value is None else problem(key, value)})"


def find_sources(planes, meta, options, sources, work):
    """The catalog of an image.

    Parameters
    ----------
    planes : rtools.catalog.source_catalog.ImagePlanes
    meta : dict
        Of the image.
    options : dict
        Of the step; what follows from others is filled in, so that histories say it.
    sources : dict
        Reference type to source (`references`).
    work : rtools.work.Work
        Threads, log and progress.

    Returns
    -------
    rtools.catalog.source_catalog.Found
    """
    from rtools.catalog.measure.apcorr import encircled_energy
    from rtools.catalog.measure.measure import Options
    from rtools.catalog.source_catalog import catalog_of
    from rtools.catalog.steps.catalog import in_vain, least_pixels

    for text in in_vain(options):
        work.log("warning", f"catalog: {text}")
    if options["kernel_fwhm"] > WIDEST:
        raise UsageError(f"--kernel-fwhm {options['kernel_fwhm']:g}: {WIDEST:g} pixels at most")
    if options["deep"] and sources.get("epsf") is None and not options["forced_segmentation"]:
        raise UsageError("--deep needs the PSF", mend="an epsf reference")
    options["npixels"] = least_pixels(options)
    given, forced = options["forced_segmentation"], None
    if given:
        forced = source_catalog.read_segments(given, planes.data.shape)
    psf = None
    if sources.get("epsf") is not None:
        grid = None if planes.dq is not None else (planes.wcs, planes.data.shape)
        psf = psf_of(sources["epsf"], meta, grid=grid, log=work.log)
    energy = encircled_energy(sources.get("apcorr"), meta["instrument"]["optical_element"])
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
        ``default``, ``deep``, or ``forced`` for the segments of another image.
    """

    sources: int
    magnitude_snr5: float | None
    searched: str


def summary_of(found, options):
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


def skycell_of(meta):
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
    from rtools.mosaic.skymap import skymap

    name = str(metadata.get(meta, "wcsinfo.skycell_name"))
    if not skymap.is_name(name):
        return None
    try:
        cell = skymap.parse_name(name)
    except InputError:
        return None
    places = partial(skymap.in_primary, cell), partial(skymap.sky_to_pixel, cell)
    return Skycell(skymap.name_of(cell), cell.region, skymap.PIXEL_SCALE, *places)


def dust_of(folder, log):
    """E(B-V) from the maps in a directory.

    Parameters
    ----------
    folder : str or None
        With both of `DUST_MAPS`.
    log : callable

    Returns
    -------
    callable or None
        Of right ascensions and declinations; None where no directory is given.
    """
    if folder is None:
        log("info", "catalog: no dust maps (--dust-maps or RT_DUST_MAPS), so dust_ebv is NaN")
        return None
    from astropy.io import fits
    from astropy.wcs import WCS

    from rtools.catalog.measure.dust import reddening

    maps = []
    for name in DUST_MAPS:
        path = Path(folder) / name
        try:
            with fits.open(path, memmap=True) as file:  # of 64 MB a few pages are read
                maps.append((file[0].data, WCS(file[0].header)))
        except FileNotFoundError:
            raise InputError("no such file", mend="--dust-maps is the directory of both maps", path=path) from None
        except (OSError, ValueError) as error:
            raise InputError(f"not a map that can be read ({' '.join(str(error).split())})", path=path) from None
    return reddening(*maps)


def psf_of(source, meta, *, grid, log):
    """The PSF per pixel of an image, with its jitter.

    Parameters
    ----------
    source : reference source
        epsf.
    meta : dict
        Of the image.
    grid : (gwcs.WCS, (int, int)) or None
        WCS and shape of a mosaic; None for an exposure.
    log : callable

    Returns
    -------
    rtools.reference.epsf.Psf
    """
    from rtools.catalog.psf.mosaic import mosaic_psf
    from rtools.mosaic.grid.scale import mean_pixel_area
    from rtools.reference.epsf import from_reference, image_jitter, jitter_of, jittered

    psf = jittered(from_reference(source, log), jitter_of(source, log), image_jitter(meta, log))
    if grid is None:
        place = (meta.get("rtools") or {}).get("cutout")
        return replace(psf, x=psf.x - place["columns"][0], y=psf.y - place["rows"][0]) if place else psf
    scale = metadata.usable(meta, "wcsinfo.pixel_scale", log, "the scale of the WCS is taken")
    if scale is None:
        scale = np.rad2deg(np.sqrt(mean_pixel_area(*grid)))
    pixfrac = metadata.usable(meta, "resample.pixfrac", log, "1 is taken")
    width = 1.0 if pixfrac is None else float(pixfrac)
    return mosaic_psf(psf, float(scale) * DEGREE_ARCSEC, width, native=_side_of(source))


def _side_of(source):
    """Side of the pixels of the detector whose PSF a reference has, arcsec."""
    from rtools.wfi.distortion import pixel_side

    detector = getattr(source, "detector", None)
    if detector is None:
        with suppress(KeyError, InputError):
            detector = source.node("meta.instrument.detector")
    return pixel_side(detector if detector in DETECTORS else MOSAIC_DETECTOR)
