"""What the catalog of an image is made with beside the image: its references, the PSF of one, the maps of the dust."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, MissingReferenceError
from rtools.reference import find
from rtools.wfi import metadata
from rtools.wfi.instrument import DETECTORS
from rtools.wfi.units import DEGREE_ARCSEC
from rtools.work.work import silent

if TYPE_CHECKING:
    from gwcs import WCS

    from rtools.declare import Reference
    from rtools.reference.epsf import Psf
    from rtools.reference.epsf_choice import PsfChoice
__all__ = ["dust_of", "find_references", "pixel_side_of", "psf_of"]

DUST_MAPS = "SFD_dust_4096_ngp.fits", "SFD_dust_4096_sgp.fits"
"""Of the northern and the southern galactic hemisphere, as they are distributed."""

MOSAIC_DETECTOR = "WFI02"
"""Its PSF, at its centre, stands for that of a mosaic."""


def find_references(
    meta: Mapping[str, Any],
    kind: str,
    uses: Iterable[Reference],
    config: find.Config,
    log: Callable[[str, str], None],
    *,
    simulated: bool = False,
) -> dict[str, Any]:
    """References of the catalog of an image.

    Parameters
    ----------
    meta : dict
        Of the image.
    kind : str
        ``l2_image`` or ``l3_coadd``.
    uses : iterable of rtools.declare.Reference
        What the step reads.
    config : rtools.reference.find.Config
        Where references are looked for.
    log : callable
        ``log(level, text)``: is warned of doubts, and of another detector that stands in for a mosaic's.
    simulated : bool
        Whether the data are: only then the built-in set serves unasked.

    Returns
    -------
    dict
        Reference type to reference, or None where one may be absent or was refused.

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
                found = find.references(asked, uses, config, simulated=simulated, log=silent)
            except MissingReferenceError:
                continue
            log("warning", f"no references of {MOSAIC_DETECTOR}: those of {detector} stand in for a mosaic's")
            return found
        raise error


def dust_of(folder: str | None, log: Callable[[str, str], None]) -> Callable | None:
    """E(B-V) from the maps in a directory.

    Parameters
    ----------
    folder : str or None
        With both of `DUST_MAPS`.
    log : callable
        ``log(level, text)``: is told where there are no maps.

    Returns
    -------
    callable or None
        Of right ascensions and declinations (degrees); None where no directory is given.

    Raises
    ------
    InputError
        A map is missing or cannot be read.
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


def psf_of(
    reference: Any,
    meta: Mapping[str, Any],
    *,
    grid: tuple[WCS, tuple[int, int]] | None,
    log: Callable[[str, str], None],
    choice: PsfChoice | None = None,
) -> Psf:
    """The PSF per pixel of an image, with its jitter.

    Parameters
    ----------
    reference : rtools.reference.files.FileSource or rtools.reference.builtin.Builtin
        epsf.
    meta : dict
        Of the image.
    grid : (gwcs.WCS, (int, int)) or None
        WCS and shape of a mosaic; None for an exposure.
    log : callable
        ``log(level, text)``: is warned of metadata that cannot be used.
    choice : rtools.reference.epsf.PsfChoice, optional
        Which of the PSFs of the reference: in focus and G2V, if no other is asked for.

    Returns
    -------
    rtools.reference.epsf.Psf
        In pixels of the image: of a cutout its own, of a mosaic those of its grid, averaged over orientations. What
        was measured on a mosaic is that of mosaics as it is.

    Raises
    ------
    InputError
        The PSF is of another mission, or the image is an exposure and the PSF was measured on a mosaic.
    """
    from rtools.catalog.psf.mosaic import mosaic_psf
    from rtools.mosaic.grid.scale import mean_pixel_area
    from rtools.reference.epsf import from_reference, image_jitter, jitter_of, jittered
    from rtools.reference.epsf_choice import measured_on, refuse_mission

    refuse_mission(reference, "roman")
    if measured_on(reference) == "mosaic":
        if grid is None:
            raise InputError("a PSF that was measured on a mosaic, not that of an exposure", path=reference.label)
        return from_reference(reference, log, choice)
    jitter = image_jitter(meta, log) if grid is None else _mosaic_jitter(meta, log)
    psf = jittered(from_reference(reference, log, choice), jitter_of(reference, log), jitter)
    if grid is None:
        place = (meta.get("rtools") or {}).get("cutout")
        return replace(psf, x=psf.x - place["columns"][0], y=psf.y - place["rows"][0]) if place else psf
    scale = metadata.usable(meta, "wcsinfo.pixel_scale", log, "the scale of the WCS is taken")
    if scale is None:
        scale = np.rad2deg(np.sqrt(mean_pixel_area(*grid)))
    pixfrac = metadata.usable(meta, "resample.pixfrac", log, "1 is taken")
    width = 1.0 if pixfrac is None else float(pixfrac)
    return mosaic_psf(psf, float(scale) * DEGREE_ARCSEC, width, native=pixel_side_of(reference))


def _mosaic_jitter(meta, log):
    """Jitter of a mosaic: the mean of the variances of its exposures, weighted by their times.

    The PSF of a mosaic is averaged over all orientations (`mosaic_psf`), so only the variance matters that both axes of
    a kernel have on average. An exposure that says nothing has the usual jitter.
    """
    from rtools.reference.epsf import image_jitter

    stars, exposures = (_members(meta, section) for section in ("guide_star", "exposure"))
    if not stars:
        return image_jitter(meta, log)
    kernels = np.array([image_jitter({"guide_star": star}, log)[:2] for star in stars])
    times = np.array([_number(exposure.get("exposure_time")) for exposure in exposures or [{}] * len(stars)])
    weights = times if len(times) == len(stars) and (times > 0).all() else np.ones(len(stars))
    rms = float(np.sqrt(np.average((kernels**2).mean(axis=1), weights=weights)))
    return rms, rms, 0.0


def _members(meta, section):
    """What a mosaic keeps of a section of its exposures' metadata, a mapping for each; nothing where it keeps none."""
    from rtools.products.io.serial import convert

    table = metadata.get(meta, f"individual_image_meta.{section}")
    if table is None:
        return []
    if not hasattr(table, "colnames"):
        table = convert(table)
    return [{name: row[name] for name in table.colnames} for row in table] if hasattr(table, "colnames") else []


def _number(value):
    """A number; 0 for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def pixel_side_of(reference: Any) -> float:
    """Side of the pixels that the PSF of a reference is per, arcsec.

    Parameters
    ----------
    reference : rtools.reference.files.FileSource or rtools.reference.builtin.Builtin
        epsf.

    Returns
    -------
    float
        Of the image that it was measured on, else of the detector whose PSF it is.
    """
    from rtools.reference.epsf_choice import said_of_measuring
    from rtools.wfi.distortion import pixel_side

    with suppress(TypeError, ValueError):
        return float(said_of_measuring(reference, "pixel_scale"))
    detector = getattr(reference, "detector", None)
    if detector is None:
        with suppress(KeyError, InputError):
            detector = reference.node("meta.instrument.detector")
    return pixel_side(detector if detector in DETECTORS else MOSAIC_DETECTOR)
