"""The source catalog of one image, from its planes: detection, measurement, and what the table says of itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools import __version__
from rtools.catalog.detect import background, deblend, deep, detect, segments, smooth
from rtools.catalog.measure import columns, shapes, sky
from rtools.catalog.measure.depth import limiting_magnitude
from rtools.catalog.measure.image import MJYSR_BRIGHTNESS, Image, errors_and_mask
from rtools.catalog.measure.measure import RADII, Options, aperture_radii, measure
from rtools.errors import UsageError
from rtools.reference.epsf import native_stamp
from rtools.wfi.labels import labels_of
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.reference.epsf import Psf

__all__ = [
    "Found",
    "ImagePlanes",
    "about_table",
    "catalog_of",
    "detect_sources",
    "make_image",
    "place_on_sky",
]

STAMP = 15
"""Pixels on a side of the PSF that the matched filter is cut from."""

LIBRARIES = ("numpy", "scipy", "numba", "astropy", "gwcs")


@dataclass
class ImagePlanes:
    """An image before anything is done to it.

    Attributes
    ----------
    data : ndarray float32 (rows, columns)
        Surface brightness: DN/s of an exposure, whose flat holds the areas of the pixels, MJy/sr of a mosaic; not
        changed.
    err : ndarray float16 or float32 (rows, columns)
        Errors of the pixels, unit of the data.
    wcs : gwcs.WCS
        Pixels, 0-based, to right ascension and declination in degrees.
    to_mjysr : float
        What makes the data MJy/sr: 1 for a mosaic.
    dq : ndarray uint32, optional
        Of an exposure.
    weight : ndarray float32, optional
        Of a mosaic.
    var_poisson : ndarray (rows, columns), optional
        Part of err² that is photon noise; the PSF fit and the depth make use of it.
    sky : float
        What was subtracted before, and has its photons in var_poisson; unit of the data.
    """

    data: np.ndarray
    err: np.ndarray
    wcs: Any
    to_mjysr: float = 1.0
    dq: np.ndarray | None = None
    weight: np.ndarray | None = None
    var_poisson: np.ndarray | None = None
    sky: float = 0.0


class Found(NamedTuple):
    """A catalog.

    Attributes
    ----------
    values : dict of str to ndarray (n,)
        Columns by name.
    columns : tuple of rtools.catalog.measure.columns.Column
        In the order of the file.
    about : dict
        What the table says of itself.
    labels : ndarray int32 (rows, columns)
        The segments of the sources; 0 is the sky.
    detection_image : ndarray float32 (rows, columns)
        nJy per pixel of the size that the one at the image's centre has: surface brightness as the image, in the
        archive's unit. NaN where no pixel under the kernel can be used; zero throughout where none of the image can.
    complete : bool
        False where no source was found.
    depth : float or None
        AB magnitude at which a point source has S/N 5 (`rtools.catalog.measure.depth`); None where it is not known.
    """

    values: dict[str, np.ndarray]
    columns: tuple[columns.Column, ...]
    about: dict[str, Any]
    labels: np.ndarray
    detection_image: np.ndarray
    complete: bool
    depth: float | None = None


def catalog_of(
    planes: ImagePlanes,
    options: Mapping[str, Any],
    *,
    psf: Psf | None = None,
    measuring: Options | None = None,
    forced: tuple[np.ndarray, np.ndarray] | None = None,
    work: Work = ALONE,
) -> Found:
    """Find and measure the sources of an image.

    Parameters
    ----------
    planes : ImagePlanes
        The image.
    options : mapping of str to object
        Options of the step by key (`rtools.catalog.steps.catalog.STEP`).
    psf : rtools.reference.epsf.Psf, optional
        PSF per pixel of this image; without it there are no PSF columns, and no deep detection.
    measuring : rtools.catalog.measure.measure.Options, optional
        Encircled energy, dust, skycell; kernel and weights are taken from `options`.
    forced : tuple of ndarray, optional
        Labels and detection image (nJy) of other data on the same pixels: nothing is searched for then.
    work : rtools.work.Work
        Threads, log and progress; the result does not depend on how many threads there are.

    Returns
    -------
    Found
        Without rows, but with all columns, where there is no source.

    Raises
    ------
    InputError
        The planes differ in shape.
    UsageError
        Deep detection is asked for without a PSF.
    """
    measuring = (measuring or Options())._replace(
        kernel_fwhm=options["kernel_fwhm"], psf_weights=options["psf_weights"]
    )
    image, rms = make_image(planes, options, work=work)
    about = about_table(image, measuring)
    stamp = native_stamp(psf, STAMP) if psf is not None else None
    psf = psf if options["fit_psf"] else None
    if image is None or rms is None:
        work.log("warning", "catalog: no pixel can be used; the catalog is empty")
        empty = _empty(planes.data.shape, about, psf, forced is not None)
        return empty if forced is None else empty._replace(detection_image=forced[1])
    if forced is not None:
        return _forced(image, forced, measuring, psf=psf, about=about, work=work)
    labels = detect_sources(image, rms, options, stamp=stamp, work=work)
    del rms
    found = segments.find(labels)
    depth = None if stamp is None else limiting_magnitude(image, labels, stamp)
    values = measure(image, found, measuring, psf=psf, work=work) if found.n else None
    shown = image.smoothed
    shown *= np.float32(image.brightness * image.side**2)  # in place: nothing needs it any more
    if values is None:
        work.log("warning", "catalog: no source found; the catalog is empty")
        return _empty(labels.shape, about, psf, False)._replace(detection_image=shown, depth=depth)
    work.log("info", f"catalog: {found.n} sources")
    return Found(values, columns.prompt(psf=psf is not None), about, labels, shown, True, depth)


def place_on_sky(values: Any, wcs: Any) -> None:
    """Right ascensions and declinations of a catalog by another WCS, from its pixel columns.

    Parameters
    ----------
    values : mapping of str to ndarray, or astropy.table.Table
        Columns by name; those of sky positions are assigned into, so that units and descriptions stay.
    wcs : gwcs.WCS
        Pixels, 0-based, to right ascension and declination in degrees.
    """
    names = set(getattr(values, "colnames", values))
    for kind in ("centroid", "centroid_win", "psf"):
        if {f"x_{kind}", f"y_{kind}", f"ra_{kind}", f"dec_{kind}"} <= names:
            ra, dec = sky.positions(wcs, values[f"x_{kind}"], values[f"y_{kind}"])
            values[f"ra_{kind}"][:], values[f"dec_{kind}"][:] = ra, dec
    if {"ra", "dec", "ra_centroid", "dec_centroid"} <= names:
        values["ra"][:], values["dec"][:] = values["ra_centroid"], values["dec_centroid"]


def make_image(
    planes: ImagePlanes, options: Mapping[str, Any], *, kernel: np.ndarray | None = None, work: Work = ALONE
) -> tuple[Image | None, np.ndarray | None]:
    """Mask, background, smoothing.

    Parameters
    ----------
    planes : ImagePlanes
        The image; it is not changed.
    options : mapping of str to object
        bkg_boxsize, and kernel_fwhm; None leaves the image as it is.
    kernel : ndarray float64 (k, k), optional
        That the image is smoothed with; by default the Gaussian of kernel_fwhm, averaged over pixels.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    image : Image or None
        None where no pixel can be used.
    rms : ndarray float32 (rows, columns) or None
        Noise of the background, unit of the data; None where no pixel can be used.

    Raises
    ------
    InputError
        dq and data differ in shape.
    """
    err, mask = errors_and_mask(planes.data, planes.err, planes.dq)
    if mask.all():
        return None, None
    sky_level = background.estimate(planes.data, mask, options["bkg_boxsize"], work=work)
    if sky_level.fallback:
        work.log("info", "catalog: no box of the background has enough pixels; one value for the image")
    data = planes.data - sky_level.level
    smoothed, fwhm = data, options["kernel_fwhm"]
    if fwhm is not None:
        smoothed = smooth.smooth(data, mask, smooth.gaussian_kernel(fwhm) if kernel is None else kernel, work=work)
    image = Image(
        data=data,
        err=err,
        mask=mask,
        smoothed=smoothed,
        wcs=planes.wcs,
        brightness=float(planes.to_mjysr * MJYSR_BRIGHTNESS),
        dq=planes.dq,
        weight=planes.weight,
        var_poisson=planes.var_poisson,
        background=sky_level.level + np.float32(planes.sky),
    )
    return image, sky_level.rms


def detect_sources(
    image: Image, rms: np.ndarray, options: Mapping[str, Any], *, stamp: np.ndarray | None = None, work: Work = ALONE
) -> np.ndarray:
    """Find the sources of an image.

    Parameters
    ----------
    image : rtools.catalog.measure.image.Image
        From `make_image`.
    rms : ndarray float32 (rows, columns)
        From `make_image`; of no use afterwards.
    options : mapping of str to object
        snr_threshold, npixels, deblend and contrast; deep and significance where there is deep detection.
    stamp : ndarray (rows, columns), optional
        The PSF on the image's pixels, which the deep detection needs.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    ndarray int32 (rows, columns)
        Labels of the sources from 1 on; 0 is the sky.

    Raises
    ------
    UsageError
        Deep detection is asked for without a PSF.
    """
    if options.get("deep"):
        if stamp is None:
            raise UsageError("--deep needs the PSF", mend="an epsf reference")
        significant = {"threshold": options["significance"], "npixels": options["npixels"], "work": work}
        return deep.detect_deep(image.data, image.err, image.mask, stamp, **significant)[0]
    rms *= np.float32(options["snr_threshold"])
    npixels = options["npixels"]
    labels, _n = detect.detect(image.smoothed, rms, image.mask, npixels)
    if options["deblend"]:
        settings = {"contrast": options["contrast"], "work": work}
        labels, _n = deblend.deblend(labels, image.smoothed, npixels, **settings)
    return labels


def _forced(image, forced, measuring, *, psf, about, work):
    """Measure on the segments of other data.

    Shapes, windowed centres, areas and Kron radii are those of the detection image that came with the segments, so
    that apertures change neither with the noise nor with the bad pixels of each epoch; their errors are NaN, as none
    came with them. What is measured anew is called ``forced_``.
    """
    labels, detection_image = forced
    labels = np.array(labels, np.int32)
    unseen = np.setdiff1d(labels_of(labels), labels_of(labels[~image.mask]), assume_unique=True)
    if unseen.size:
        labels[np.isin(labels, unseen, kind="sort")] = 0  # a table would be as long as the largest label
    found = segments.find(labels)
    order = _forced_columns(psf is not None)
    if found.n == 0:
        work.log("warning", "catalog: no segment has a pixel that can be used; the catalog is empty")
        return _empty(labels.shape, about, psf, True)._replace(detection_image=detection_image)
    depth = (detection_image / np.float32(image.brightness * image.side**2)).astype(np.float32)
    unknown, dark = np.full(depth.shape, np.nan, np.float32), ~np.isfinite(depth)
    deeper = replace(image, data=depth, smoothed=depth, err=unknown, mask=dark)
    outline = shapes.moments(depth, unknown, found, dark, work=work)
    radius = shapes.kron(depth, unknown, found, dark, outline, work=work).k
    fresh = {column.name for column in columns.prompt() if columns.forced_name(column.name) != column.name}
    kept = [column.name for column in columns.prompt() if column.name not in fresh | {"image_flags"}]
    own = [column.name for column in columns.forced_detection()]
    values = measure(deeper, found, measuring, work=work, shapes=outline, columns=kept)
    again = measure(
        image,
        found,
        measuring,
        psf=psf,
        work=work,
        shapes=outline,
        kron_radius=radius,
        columns=[*fresh, "image_flags"],
    )
    values |= {columns.forced_name(name): column for name, column in again.items()}
    here = measure(image, found, measuring, work=work, columns=own)
    values |= {f"forced_{name}": here[name] for name in own if name != "label"}
    work.log("info", f"catalog: {found.n} sources measured on given segments")
    return Found(values, order, about, labels, detection_image, True)


def _forced_columns(psf):
    """Columns of a forced catalog: those of a catalog of one image, then what its own light says of the shapes."""
    first = [column._replace(name=columns.forced_name(column.name)) for column in columns.prompt(psf=psf)]
    own = [column._replace(name=f"forced_{column.name}") for column in columns.forced_detection()[1:]]
    return (*first, *own)


def _empty(shape, about, psf, forced):
    """A catalog without rows, but with all columns."""
    order = _forced_columns(psf is not None) if forced else columns.prompt(psf=psf is not None)
    values = {column.name: np.zeros(0, column.dtype) for column in order}
    return Found(values, order, about, np.zeros(shape, np.int32), np.zeros(shape, np.float32), False)


def about_table(image: Image | None, measuring: Options) -> dict[str, Any]:
    """What the table says of itself; keys as in the archive's catalogs.

    Parameters
    ----------
    image : rtools.catalog.measure.image.Image or None
        Its pixels' size gives the apertures in pixels; without it they are left out.
    measuring : rtools.catalog.measure.measure.Options
        Its encircled energy, where there is one, is told for the apertures.

    Returns
    -------
    dict of str to object
        Versions of libraries, how apertures and Kron ellipses are laid, radii, fractions of a star's light in them.
    """
    versions = {"Python": sys.version.split()[0]} | {name: version(name) for name in LIBRARIES}
    about = {
        "versions": versions | {"rtools": __version__},
        "aperture_mask_method": "mask",
        "kron_params": [2.5, 1.4, 0.0],
    }
    if image is not None:
        about["aperture_radii"] = aperture_radii(image.side)
    if measuring.energy is not None:
        about["ee_fractions"] = np.asarray(measuring.energy(np.array(RADII)), np.float32)
    return about
