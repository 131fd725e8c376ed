"""The image in which a multiband catalog finds its sources: signal to noise of all bands together."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rtools.catalog.detect import background, deblend, detect
from rtools.catalog.detect.smooth import gaussian_kernel, smooth
from rtools.catalog.source_catalog import make_image
from rtools.work import ALONE

__all__ = ["Band", "Detection", "detection_image", "find_sources", "read_noise"]


class Band(NamedTuple):
    """A mosaic in one filter.

    Attributes
    ----------
    name : str
        The filter.
    load : callable
        Gives `rtools.catalog.source_catalog.ImagePlanes`; called twice, so that bands need not be held.
    noise : callable
        ``noise(planes)``: read-noise variance of the pixels, float32.
    psf : callable
        Gives the `rtools.reference.epsf.Psf` per pixel of the mosaic, or None.
    energy : callable, optional
        Encircled energy at a radius in arcsec.
    sed_weight : float
        Brightness of the sources looked for in this band, relative to the others.
    """

    name: str
    load: Callable
    noise: Callable
    psf: Callable = lambda: None
    energy: Callable | None = None
    sed_weight: float = 1.0

    @property
    def wavelength(self):
        """Micrometres, as the filter's name says it."""
        return int(self.name[1:]) / 100


class Detection(NamedTuple):
    """What `detection_image` made.

    Attributes
    ----------
    image : ndarray float32
        Signal to noise; NaN where no band has data.
    covered : ndarray bool
        Where some band has weight.
    wcs : gwcs.WCS or None
        Of the grid that all bands share.
    bands : tuple of Band
        Those with some pixel that can be used.
    """

    image: np.ndarray
    covered: np.ndarray
    wcs: Any
    bands: tuple


def detection_image(bands, fwhms, boxsize, *, work=ALONE):
    """Signal to noise of all bands together, the largest over kernels.

    Parameters
    ----------
    bands : sequence of Band
        The mosaics.
    fwhms : sequence of float
        Of the Gaussian kernels, pixels.
    boxsize : int
        Of the background.
    work : rtools.work.Work
        Threads and log; the result does not depend on how many threads there are.

    Returns
    -------
    Detection

    Notes
    -----
    With weights w = sed_weight / variance it is Σ K∗(w D) / √(Σ K²∗(w² variance)), sums over bands: the filter that is
    best where read noise dominates. A pixel that a band cannot use has no say there; others interpolate it.
    """
    kernels = [gaussian_kernel(fwhm) for fwhm in fwhms]
    sums, covered, wcs, used = None, None, None, []
    for band in bands:
        planes = band.load()
        image, _rms = make_image(planes, {"bkg_boxsize": boxsize, "kernel_fwhm": None}, work=work)
        if sums is None:
            sums = [np.zeros((2, *planes.data.shape), np.float32) for _ in kernels]
            covered, wcs = np.zeros(planes.data.shape, bool), planes.wcs
        if image is None:
            work.log("warning", f"multiband: no pixel of {band.name} can be used; it is left out")
            continue
        used.append(band)
        covered |= ~image.mask if planes.weight is None else planes.weight > 0
        noise = band.noise(planes)
        del planes
        for kernel, both in zip(kernels, sums, strict=True):
            _add(both, image, noise, band.sed_weight, kernel, work)
    return Detection(_ratio(sums), covered, wcs, tuple(used))


def _add(sums, image, noise, sed_weight, kernel, work):
    """Add a band's weighted signal and its variance, both smoothed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.float32(sed_weight) / noise
    unused = image.mask | ~((weight > 0) & (weight < np.inf))
    square = kernel**2
    share = square.sum()
    for total, plane, taps in (
        (sums[0], weight * image.data, kernel),
        (sums[1], weight * np.float32(sed_weight * share), square / share),
    ):
        part = smooth(plane, unused, taps, work=work)
        part[unused] = 0
        total += part


def _ratio(sums):
    """Signal / √variance, the largest over kernels, in the memory of the first."""
    best = None
    for signal, variance in sums:
        variance[variance == 0] = np.nan
        signal /= np.sqrt(variance, out=variance)
        best = signal if best is None else np.fmax(best, signal, out=best)
    return best


def find_sources(detection, options, *, work=ALONE):
    """Segments of the detection image.

    Parameters
    ----------
    detection : Detection
        What `detection_image` gave.
    options : dict
        bkg_boxsize, snr_threshold, npixels, deblend, contrast.
    work : rtools.work.Work
        The result does not depend on its threads.

    Returns
    -------
    ndarray int32 (rows, columns)
        Labels from 1; 0 is the sky.
    """
    image = detection.image
    mask = ~np.isfinite(image)
    if mask.all():
        return np.zeros(image.shape, np.int32)
    limit = background.estimate(image, mask, options["bkg_boxsize"], work=work).rms
    limit *= np.float32(options["snr_threshold"])
    labels, _n = detect.detect(image, limit, mask, options["npixels"])
    if options["deblend"]:
        settings = {"contrast": options["contrast"], "work": work}
        labels, _n = deblend.deblend(labels, image, options["npixels"], **settings)
    return labels


def read_noise(err, others):
    """Read-noise variance of a mosaic that does not hold it.

    Parameters
    ----------
    err : ndarray float32
        Errors of the pixels.
    others : iterable of ndarray
        Variances of everything else.

    Returns
    -------
    ndarray float32
        What is left of err². Where nothing is, as may be in bright sources, all of it.
    """
    square = err.astype(np.float32) ** 2
    left = square.copy()
    for variance in others:
        left -= variance
    return np.where(left > 0, left, square)
