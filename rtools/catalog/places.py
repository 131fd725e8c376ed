"""Light at given places of an image: nothing is searched for.

Circles and the PSF are measured with the kernels of the catalog. By default the sky is the clipped median of a ring
about each place; its error is part of the errors of the fluxes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.astrometry.pixels import on_image
from rtools.catalog.detect.segments import empty_segments
from rtools.catalog.measure import apertures, sky
from rtools.catalog.measure.image import MJYSR_BRIGHTNESS, errors_and_mask
from rtools.catalog.measure.measure import ANNULUS, RADII, ab_magnitude
from rtools.catalog.source_catalog import make_image
from rtools.reference.epsf import native_stamp
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rtools.catalog.source_catalog import ImagePlanes
    from rtools.reference.epsf import Psf

__all__ = ["SKIES", "STATUSES", "PlaceOptions", "aperture_name", "limiting_aperture", "measure_places"]

SKIES = ("ring", "map", "none")
"""Where the sky may come from: the ring about each place, the map of the whole image that the catalog uses, nowhere."""

STATUSES = {
    "measured": "all is well",
    "replaced": "more than a tenth of an aperture is pixels that had to be replaced",
    "edge": "the image ends within an aperture, whose flux is NaN then",
    "no sky": "no pixel of the ring can be used",
    "unusable": "no pixel at the place can be used",
    "outside": "the place is not on the image",
}
"""What `status` may say of a place, and what it means; the last that applies is told."""

NOTHING = ("unusable", "outside")
"""Of places of which nothing can be said."""

MOST_REPLACED = 0.1

NEAR = 2
"""Pixels on each side of the place's own whose flags are told: those that the PSF is fitted to."""


class PlaceOptions(NamedTuple):
    """How to measure.

    Attributes
    ----------
    radii : tuple of float
        Of the circles, rising, arcsec.
    ring : tuple of float
        Inner and outer radius of the ring of sky, arcsec.
    sky : str
        One of `SKIES`.
    boxsize : int
        Side of the boxes of the map of the sky, pixels.
    free : bool
        The PSF may move from the place.
    limit : float
        Of the limits: how many times the error they are.
    energy : callable, optional
        Share of a star's light within a radius in arcsec; fluxes in circles are divided by it.
    """

    radii: tuple[float, ...] = RADII
    ring: tuple[float, float] = ANNULUS
    sky: str = "ring"
    boxsize: int = 1000
    free: bool = False
    limit: float = 5.0
    energy: Callable[[ArrayLike], np.ndarray] | None = None


def aperture_name(radius: float) -> str:
    """Name of the column of the flux in a circle.

    Parameters
    ----------
    radius : float
        Arcsec.

    Returns
    -------
    str
        As the catalog calls it, in tenths of an arcsecond: ``aper04_flux``; ``aper04p25_flux`` of 0.425 arcsec.
    """
    tenths = f"{10 * radius:.4f}".rstrip("0").rstrip(".")
    whole, point, rest = tenths.partition(".")
    return f"aper{whole:0>2}{'p' if point else ''}{rest}_flux"


def limiting_aperture(radii: tuple[float, ...]) -> float:
    """The circle whose error makes the limits where there is no PSF: the middle one.

    Parameters
    ----------
    radii : tuple of float
        Rising.

    Returns
    -------
    float
    """
    return radii[len(radii) // 2]


def measure_places(
    planes: ImagePlanes,
    x: np.ndarray,
    y: np.ndarray,
    options: PlaceOptions | None = None,
    *,
    psf: Psf | None = None,
    work: Work = ALONE,
) -> dict[str, np.ndarray]:
    """Measure the light at places of an image.

    Parameters
    ----------
    planes : rtools.catalog.source_catalog.ImagePlanes
        The image, with its sky; it is not changed.
    x, y : ndarray float64 (n,)
        Places, pixels; NaN and places off the image allowed.
    options : PlaceOptions, optional
        How to measure; the defaults if not given.
    psf : rtools.reference.epsf.Psf, optional
        Per pixel of this image; without it there are no PSF columns. Places within five pixels of each other are
        fitted together; sources that are not among the places are not known.
    work : rtools.work.Work
        Threads and log; the result does not depend on how many threads there are.

    Returns
    -------
    dict of str to ndarray (n,)
        ``status`` (text, of `STATUSES`), ``x``, ``y``, ``aper_bkg_flux`` (nJy per square arcsecond), ``aperNN_flux``,
        ``psf_flux``, ``limit_flux`` (nJy) with their errors, and what the catalog tells beside them. NaN where
        something cannot be measured.
    """
    options = options or PlaceOptions()
    x, y = (np.asarray(places, np.float64) for places in (x, y))
    given = _prepared(planes, x, y, options, work)
    out, cut = _aperture_columns(given)
    status = _status(given, out["replaced"], cut)
    limiting = out[aperture_name(limiting_aperture(options.radii)) + "_err"]
    if psf is not None:
        out |= _psf_columns(given, psf)
        limiting = out["psf_flux_err"]
    out["limit_flux"] = options.limit * limiting
    out["limit_abmag"] = ab_magnitude(out["limit_flux"], 0.0)[0]
    for column in out.values():
        if column.dtype.kind == "f":
            column[np.isin(status, NOTHING)] = np.nan
    return {"status": status, "x": x, "y": y} | out | {"dq": _flags_at(planes.dq, x, y)}


class _Given(NamedTuple):
    """What is measured: the image, and what is known at each place."""

    planes: ImagePlanes
    data: np.ndarray
    err: np.ndarray
    mask: np.ndarray
    background: np.ndarray | float
    x: np.ndarray
    y: np.ndarray
    ring: apertures.Ring
    level: np.ndarray
    level_err: np.ndarray
    slopes: np.ndarray
    options: PlaceOptions
    work: Work

    @property
    def side(self):
        return sky.sides(self.slopes)

    @property
    def brightness(self):
        """nJy per square arcsecond that one unit of data is."""
        return float(self.planes.to_mjysr * MJYSR_BRIGHTNESS)

    @property
    def nanojansky(self):
        """nJy that one unit of data in a pixel is, at each place."""
        return self.brightness * self.side**2

    @property
    def about(self) -> dict[str, Any]:
        """What circles and rings are laid about."""
        segments = empty_segments(self.data.shape, self.x.size)
        return {"segments": segments, "mask": self.mask, "centres": (self.x, self.y), "work": self.work}


def _prepared(planes, x, y, options, work):
    """The image without its map of sky, where that is asked for, and the ring about each place."""
    err, mask = errors_and_mask(planes.data, planes.err, planes.dq)
    data, background = np.ascontiguousarray(planes.data, np.float32), planes.sky
    if options.sky == "map":
        image, _rms = make_image(planes, {"bkg_boxsize": options.boxsize, "kernel_fwhm": None}, work=work)
        if image is not None:
            data, background = image.data, image.background
    slopes = sky.local_slopes(planes.wcs, data.shape, x, y)
    nothing = apertures.Ring(*np.zeros((3, x.size)))
    zero = np.zeros(x.size)
    given = _Given(planes, data, err, mask, background, x, y, nothing, zero, zero, slopes, options, work)
    ring = apertures.annulus(data, radii=np.array(options.ring) / given.side[:, None], **given.about)
    given = given._replace(ring=ring)
    if options.sky != "ring":
        return given
    return given._replace(level=ring.median, level_err=ring.median_err)


def _aperture_columns(given):
    """Fluxes in circles, and which places have a circle that the edge of the image cuts."""
    options, side = given.options, given.side[:, None]
    radii = np.array(options.radii) / side
    sums = apertures.circular(given.data, given.err, radii=radii, levels=given.level, **given.about)
    err = np.hypot(sums.err, np.pi * radii**2 * given.level_err[:, None])
    rows, columns = given.data.shape
    edge = np.min([given.x + 0.5, given.y + 0.5, columns - 0.5 - given.x, rows - 0.5 - given.y], axis=0)
    cut = ~(radii <= edge[:, None])
    unknown = cut | (sums.replaced >= 1 - 1e-9)
    scale = np.ones(len(options.radii)) if options.energy is None else 1 / options.energy(np.array(options.radii))
    scale = np.where(unknown, np.nan, given.nanojansky[:, None] * scale)
    out = {
        "aper_bkg_flux": given.ring.median * given.brightness,
        "aper_bkg_flux_err": given.ring.median_err * given.brightness,
    }
    for number, radius in enumerate(options.radii):
        name = aperture_name(radius)
        out |= {name: sums.flux[:, number] * scale[:, number], f"{name}_err": err[:, number] * scale[:, number]}
    out["replaced"] = np.max(np.nan_to_num(sums.replaced, nan=1.0), axis=1)
    return out, cut.any(axis=1)


def _psf_columns(given, psf):
    """The PSF fitted at the places, or about them."""
    from rtools.catalog.psf import psffit

    fit = psffit.fit(
        given.data, given.err, given.mask, given.x, given.y,
        psf=psf, var_poisson=given.planes.var_poisson, background=given.background, level=given.level,
        fixed=not given.options.free, work=given.work,
    )  # fmt: skip
    stamp = native_stamp(psf, 5)
    # What the flux of a fit, all of whose pixels weigh alike, changes by when all pixels have one more unit of sky.
    err = np.hypot(fit.flux_err, given.level_err * stamp.sum() / np.sum(stamp**2))
    out = {"psf_flux": (fit.flux + 0 * given.level) * given.nanojansky, "psf_flux_err": err * given.nanojansky}
    out["psf_abmag"], out["psf_abmag_err"] = ab_magnitude(out["psf_flux"], out["psf_flux_err"])
    out |= {"psf_flags": np.asarray(fit.flags, np.int32), "psf_gof": fit.gof}
    if not given.options.free:
        return out
    ra, dec = sky.positions(given.planes.wcs, fit.x, fit.y)
    east, north = sky.errors(given.slopes, fit.x_err**2, fit.y_err**2, fit.xy_cov)
    return out | {"x_psf": fit.x, "x_psf_err": fit.x_err, "y_psf": fit.y, "y_psf_err": fit.y_err,
                  "ra_psf": ra, "dec_psf": dec, "ra_psf_err": east, "dec_psf_err": north}  # fmt: skip


def _status(given, replaced, cut):
    """Why a place could not be measured as it should; the gravest reason."""
    on = on_image(given.data.shape, given.x, given.y)
    dark = np.zeros(given.x.size, bool)
    dark[on] = [_is_dark(given.mask, *place) for place in zip(given.x[on], given.y[on], strict=True)]
    no_sky = np.isnan(given.level)
    found = {"replaced": replaced > MOST_REPLACED, "edge": cut, "no sky": no_sky,
             "unusable": dark, "outside": ~on}  # fmt: skip
    out = np.full(given.x.size, "measured", dtype=object)
    for name, where in found.items():
        out[where] = name
    return out.astype(str)


def _around(shape, x, y):
    """The pixels about a place that the PSF is fitted to, as far as they are on the image."""
    column, row = (int(np.floor(value + 0.5)) for value in (x, y))
    return slice(max(row - NEAR, 0), row + NEAR + 1), slice(max(column - NEAR, 0), column + NEAR + 1)


def _is_dark(mask, x, y):
    return bool(mask[_around(mask.shape, x, y)].all())


def _flags_at(dq, x, y):
    """All flags of the pixels about each place; 0 where there are none."""
    out = np.zeros(x.size, np.uint32)
    if dq is None:
        return out
    for number in np.flatnonzero(on_image(dq.shape, x, y)):
        out[number] = np.bitwise_or.reduce(dq[_around(dq.shape, x[number], y[number])], axis=None)
    return out
