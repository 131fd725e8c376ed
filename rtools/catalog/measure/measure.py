"""All that the catalog says of the sources of one image."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.catalog.measure import apertures, daofind, identifiers, sky
from rtools.catalog.measure.apcorr import is_extended
from rtools.catalog.measure.shapes import Centre, half_light, kron, moments, segment_sums, windowed
from rtools.catalog.psf import neighbours
from rtools.wfi.dq import PIXEL
from rtools.wfi.units import NJY_MAGNITUDE
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rtools.catalog.detect.segments import Segments
    from rtools.catalog.measure.image import Image
    from rtools.catalog.measure.shapes import Shapes
    from rtools.reference.epsf import Psf

__all__ = ["ANNULUS", "RADII", "Options", "ab_magnitude", "aperture_radii", "measure"]

RADII = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Of the circular apertures, arcsec."""

ANNULUS = (2.4, 2.8)
"""Of the ring for the local background, arcsec."""

NAMES = tuple(f"aper{round(10 * radius):02d}_flux" for radius in RADII)

REPLACED = 1
"""Bit of image_flags: more than a tenth of one of the apertures is pixels that had to be replaced."""

MOST_REPLACED = 0.1


class Options(NamedTuple):
    """How to measure.

    Attributes
    ----------
    kernel_fwhm : float
        Of the Gaussian of sharpness and roundness1, pixels.
    psf_weights : str
        ``model`` or ``err``.
    energy : callable, optional
        Encircled energy at a radius in arcsec (`rtools.catalog.measure.apcorr`).
    dust : callable, optional
        E(B-V) at right ascensions and declinations in degrees.
    skycell : rtools.catalog.measure.identifiers.Skycell, optional
        Where a mosaic is in the skymap; without it flagged_spatial_id is 0.
    """

    kernel_fwhm: float = 2.0
    psf_weights: str = "model"
    energy: Callable[[ArrayLike], np.ndarray] | None = None
    dust: Callable[[ArrayLike, ArrayLike], np.ndarray] | None = None
    skycell: identifiers.Skycell | None = None


def measure(
    image: Image,
    segments: Segments,
    options: Options | None = None,
    *,
    psf: Psf | None = None,
    work: Work = ALONE,
    shapes: Shapes | None = None,
    kron_radius: np.ndarray | None = None,
    columns: Iterable[str] | None = None,
) -> dict[str, np.ndarray]:
    """Measure the sources of an image.

    Parameters
    ----------
    image : rtools.catalog.measure.image.Image
        What is measured.
    segments : rtools.catalog.detect.segments.Segments
        The sources.
    options : Options, optional
        How to measure; the defaults if not given.
    psf : rtools.reference.epsf.Psf, optional
        Without it there are no PSF columns.
    work : rtools.work.Work
        The result does not depend on its threads.
    shapes : rtools.catalog.measure.shapes.Shapes, optional
        Centres and shapes of the same segments, measured elsewhere (detection image).
    kron_radius : ndarray float64 (n,), optional
        Kron radii measured elsewhere, in units of the axes.
    columns : iterable of str, optional
        Those that are wanted; what serves none of them is not measured. All by default.

    Returns
    -------
    dict of str to ndarray (n,)
        Columns by name, in the units and types of the catalog.
    """
    found = shapes
    if found is None:
        found = moments(image.smoothed, image.err, segments, image.mask, work=work)
    slopes = sky.local_slopes(image.wcs, image.data.shape, found.x, found.y)
    wanted = None if columns is None else set(columns)
    given = _Given(image, segments, options or Options(), work, wanted, slopes, sky.sides(slopes))
    out = _identity(given) | _centroids(given, found) | _shape_columns(given, found)
    out |= _segment_columns(given)
    out |= _kron_columns(given, found, kron_radius)
    out |= _aperture_columns(given, found)
    if given.wants("sharpness", "roundness1"):
        centres, width = (found.x, found.y), given.options.kernel_fwhm
        values = daofind.statistics(image.data, centres, width, mask=image.mask, work=work)
        out |= dict(zip(("sharpness", "roundness1"), values, strict=True))
    if given.wants("nn_label", "nn_distance"):
        out |= _neighbour_columns(given, found)
    if psf is not None and given.wants("psf_flux", "x_psf", "y_psf", "ra_psf", "dec_psf", "psf_flags", "psf_gof"):
        out |= _psf_columns(given, found, psf)
    names = [name for name in out if wanted is None or name in wanted]
    return {name: _stored(name, out[name]) for name in names}


class _Given(NamedTuple):
    """What every part of the measurement is given.

    `slopes` and `side` are those of the pixels at each source's place (`rtools.catalog.measure.sky`).
    """

    image: Image
    segments: Segments
    options: Options
    work: Work
    columns: set[str] | None
    slopes: np.ndarray
    side: np.ndarray

    @property
    def nanojansky(self):
        """nJy that one unit of data in a pixel is, at each source's place."""
        return self.image.brightness * self.side**2

    def wants(self, *names):
        return self.columns is None or any(name in self.columns or f"{name}_err" in self.columns for name in names)


def _stored(name, values):
    """As stored: positions on the sky in double, other floats in single precision."""
    if values.dtype.kind != "f":
        return values
    degrees = name.split("_")[0] in ("ra", "dec") and not name.endswith("_err")
    return values.astype(np.float64 if degrees else np.float32)


def _identity(given):
    segments = given.segments
    boxes = {f"bbox_{name}": getattr(segments, name) for name in ("xmin", "xmax", "ymin", "ymax")}
    return {"label": segments.ids, **boxes}


def _centroids(given, found):
    image, options = given.image, given.options
    out = {"x_centroid": found.x, "y_centroid": found.y, "warning_flags": _warnings(image, found)}
    out |= {"x_centroid_err": np.sqrt(found.var_x), "y_centroid_err": np.sqrt(found.var_y)}
    if not given.wants("ra", "dec", "ra_centroid", "dec_centroid", "flagged_spatial_id", "dust_ebv"):
        return out
    ra, dec = sky.positions(image.wcs, found.x, found.y)
    out |= {"ra": ra, "dec": dec, "ra_centroid": ra, "dec_centroid": dec}
    east, north = sky.errors(given.slopes, found.var_x, found.var_y, found.cov_xy)
    out |= {"ra_centroid_err": east, "dec_centroid_err": north}
    out["flagged_spatial_id"] = identifiers.flagged_spatial_id(ra, dec, cell=options.skycell)
    if given.wants("dust_ebv"):
        out["dust_ebv"] = (
            np.full(ra.shape, np.nan) if options.dust is None else np.asarray(options.dust(ra, dec), float)
        )
    return out


def _warnings(image, found):
    """1 where the centre is not finite, or on a pixel that is DO_NOT_USE or has no weight."""
    rows, columns = image.data.shape
    x, y = np.rint(found.x), np.rint(found.y)
    on = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    out = np.ones(len(found.x), np.int32)
    place = y[on].astype(int), x[on].astype(int)
    if image.dq is not None:
        out[on] = image.dq[place] & PIXEL["DO_NOT_USE"] != 0
    elif image.weight is not None:
        out[on] = image.weight[place] == 0
    else:
        out[on] = 0
    return out


def _shape_columns(given, found):
    side = given.side
    return {
        "semimajor": found.a * side,
        "semiminor": found.b * side,
        "fwhm": 2 * np.sqrt(np.log(2) * (found.a**2 + found.b**2)) * side,
        "ellipticity": 1 - found.b / found.a,
        "orientation_pix": found.theta,
        "orientation_sky": sky.position_angle(given.slopes, found.theta),
        "cxx": found.cxx / side**2,
        "cxy": found.cxy / side**2,
        "cyy": found.cyy / side**2,
    }


def _segment_columns(given):
    if not given.wants("segment_area", "segment_flux"):
        return {}
    image = given.image
    total = segment_sums(image.data, image.err, given.segments, image.mask, work=given.work)
    return {
        "segment_area": total.area * given.side**2,
        "segment_flux": total.flux * given.nanojansky,
        "segment_flux_err": total.err * given.nanojansky,
    }


def _kron_columns(given, found, kron_radius):
    """Kron aperture, half-light radius and the windowed centre, which build on each other."""
    window = [f"{axis}_centroid_win" for axis in ("x", "y", "ra", "dec")]
    if not given.wants("kron_radius", "kron_flux", "kron_abmag", "fluxfrac_radius_50", *window):
        return {}
    image, segments, work = given.image, given.segments, given.work
    ellipse = kron(image.data, image.err, segments, image.mask, found, k=kron_radius, work=work)
    out = {"kron_radius": ellipse.k * given.side}
    out["kron_flux"], out["kron_flux_err"] = ellipse.flux * given.nanojansky, ellipse.err * given.nanojansky
    out["kron_abmag"], out["kron_abmag_err"] = ab_magnitude(out["kron_flux"], out["kron_flux_err"])
    if not given.wants("fluxfrac_radius_50", *window):
        return out
    radius = half_light(image.data, segments, image.mask, found, ellipse, work=work)
    out["fluxfrac_radius_50"] = radius * given.side
    if not given.wants(*window):
        return out
    centre = windowed(image.data, image.err, segments, image.mask, found, radius=radius, work=work)
    return out | _position_columns(given, centre, "centroid_win")


def _position_columns(given, centre, name):
    """x, y, ra, dec of one kind of centre with their errors."""
    ra, dec = sky.positions(given.image.wcs, centre.x, centre.y)
    east, north = sky.errors(given.slopes, centre.var_x, centre.var_y, centre.cov_xy)
    return {
        f"x_{name}": centre.x,
        f"y_{name}": centre.y,
        f"x_{name}_err": np.sqrt(centre.var_x),
        f"y_{name}_err": np.sqrt(centre.var_y),
        f"ra_{name}": ra,
        f"dec_{name}": dec,
        f"ra_{name}_err": east,
        f"dec_{name}_err": north,
    }


def _aperture_columns(given, found):
    image, side = given.image, given.side[:, None]
    centres = found.x, found.y
    rest = {"data": image.data, "segments": given.segments, "mask": image.mask, "centres": centres}
    out = {}
    if given.wants("image_flags", "is_extended", *NAMES):
        fluxes = apertures.circular(err=image.err, radii=np.array(RADII) / side, work=given.work, **rest)
        for i, name in enumerate(NAMES):
            out[name] = fluxes.flux[:, i] * given.nanojansky
            out[f"{name}_err"] = fluxes.err[:, i] * given.nanojansky
        energy = given.options.energy
        out["is_extended"] = is_extended(out["aper02_flux"], out["aper04_flux"], energy)
        out["image_flags"] = np.any(fluxes.replaced > MOST_REPLACED, axis=1).astype(np.int32) * REPLACED
    if given.wants("aper_bkg_flux"):
        ring = apertures.annulus(radii=np.array(ANNULUS) / side, work=given.work, **rest)
        out["aper_bkg_flux"] = ring.median * image.brightness
        out["aper_bkg_flux_err"] = ring.median_err * image.brightness
    return out


def _neighbour_columns(given, found):
    index, _pixels = neighbours.nearest(found.x, found.y)
    ids = np.append(given.segments.ids, np.int32(-1))  # index -1 is the last
    x, y = (np.append(places, np.nan)[index] - places for places in (found.x, found.y))
    return {"nn_label": ids[index], "nn_distance": sky.span(given.slopes, x, y)}


def _psf_columns(given, found, psf):
    from rtools.catalog.psf import psffit

    image = given.image
    fit = psffit.fit(
        image.data,
        image.err,
        image.mask,
        found.x,
        found.y,
        psf=psf,
        weights=given.options.psf_weights,
        var_poisson=image.var_poisson,
        background=image.background,
        work=given.work,
    )
    centre = Centre(fit.x, fit.y, fit.x_err**2, fit.y_err**2, fit.xy_cov)
    return _position_columns(given, centre, "psf") | {
        "psf_flux": fit.flux * given.nanojansky,
        "psf_flux_err": fit.flux_err * given.nanojansky,
        "psf_flags": np.asarray(fit.flags, np.int32),
        "psf_gof": fit.gof,
    }


def ab_magnitude(flux: np.ndarray | float, err: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """AB magnitudes and their errors: m = -2.5 log10(flux / nJy) + 31.4, error 2.5 log10(1 + err / flux).

    Parameters
    ----------
    flux, err : ndarray (n,) or float
        nJy.

    Returns
    -------
    magnitude, error : ndarray (n,)
        mag(AB); NaN where the flux is not positive.
    """
    flux = np.where(flux > 0, flux, np.nan)
    return -2.5 * np.log10(flux) + NJY_MAGNITUDE, 2.5 * np.log10(1 + err / flux)


def aperture_radii(side: float) -> dict[str, np.ndarray]:
    """Radii of circles and ring for the table's metadata.

    Parameters
    ----------
    side : float
        Root of the area of the pixel at the image's centre, arcsec: a source's own radii in pixels follow the pixels at
        its place.

    Returns
    -------
    dict of str to ndarray
        circle_pix, annulus_pix, circle_arcsec, annulus_arcsec.
    """
    circle, ring = np.array(RADII), np.array(ANNULUS)
    return {
        "circle_pix": circle / side,
        "annulus_pix": ring / side,
        "circle_arcsec": circle,
        "annulus_arcsec": ring,
    }
