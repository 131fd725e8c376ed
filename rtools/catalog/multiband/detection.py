"""The image in which a multiband catalog finds its sources: signal to noise of all bands together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.catalog.detect import background, deblend, detect
from rtools.catalog.detect.smooth import gaussian_kernel, smooth
from rtools.catalog.source_catalog import make_image
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rtools.catalog.source_catalog import ImagePlanes
    from rtools.reference.epsf import Psf

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
    load: Callable[[], ImagePlanes]
    noise: Callable[[ImagePlanes], np.ndarray]
    psf: Callable[[], Psf | None] = lambda: None
    energy: Callable[[ArrayLike], np.ndarray] | None = None
    sed_weight: float = 1.0

    @property
    def wavelength(self) -> float:
        """Micrometres, as the filter's name says it."""
        return int(self.name[1:]) / 100


class Detection(NamedTuple):
    """What `detection_image` made.

    Attributes
    ----------
    image : ndarray float32 (rows, columns)
        Signal to noise; NaN where no band has data.
    covered : ndarray bool (rows, columns)
        Where some band has weight.
    wcs : gwcs.WCS or None
        Of the grid that all bands share.
    bands : tuple of Band
        Those with some pixel that can be used.
    """

    image: np.ndarray
    covered: np.ndarray
    wcs: Any
    bands: tuple[Band, ...]


def detection_image(bands: Sequence[Band], fwhms: Sequence[float], boxsize: int, *, work: Work = ALONE) -> Detection:
    """Signal to noise of all bands together, the largest over kernels.

    Parameters
    ----------
    bands : sequence of Band
        The mosaics, one at least.
    fwhms : sequence of float
        Of the Gaussian kernels, pixels.
    boxsize : int
        Side of the boxes of the background, pixels.
    work : rtools.work.Work
        Threads and log; the result does not depend on how many threads there are.

    Returns
    -------
    Detection
        The image, and the bands that are in it.

    Notes
    -----
    With weights w = sed_weight / variance it is Σ K∗(w D) / √(Σ K²∗(w² variance)), sums over bands: the filter that is
    best where read noise dominates. A pixel that a band cannot use has no say there; others interpolate it.
    """
    kernels = [gaussian_kernel(fwhm) for fwhm in fwhms]
    sums: list[np.ndarray] = []
    covered, wcs, used = np.zeros((0, 0), bool), None, []
    for band in bands:
        planes = band.load()
        image, _rms = make_image(planes, {"bkg_boxsize": boxsize, "kernel_fwhm": None}, work=work)
        if not sums:
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
    for signal, variance in sums:
        variance[variance == 0] = np.nan
        signal /= np.sqrt(variance, out=variance)
    best = sums[0][0]
    for signal, _variance in sums[1:]:
        np.fmax(best, signal, out=best)
    return best


def find_sources(detection: Detection, options: Mapping[str, Any], *, work: Work = ALONE) -> np.ndarray:
    """Segments of the detection image.

    Parameters
    ----------
    detection : Detection
        What `detection_image` gave.
    options : mapping of str to object
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


def read_noise(err: np.ndarray, others: Iterable[np.ndarray]) -> np.ndarray:
    """Read-noise variance of a mosaic that does not hold it.

    Parameters
    ----------
    err : ndarray float16 or float32 (rows, columns)
        Errors of the pixels.
    others : iterable of ndarray (rows, columns)
        Variances of everything else.

    Returns
    -------
    ndarray float32 (rows, columns)
        What is left of err². Where nothing is, as may be in bright sources, all of it.
    """
    square = err.astype(np.float32) ** 2
    left = square.copy()
    for variance in others:
        left -= variance
    return np.where(left > 0, left, square)
