"""The source catalog of a mosaic of JWST: the house's detection, photometry as the archive has it.

A circle sums the image as it is, with exact overlap, less its area times the median of the clipped pixels of the sky's
annulus. Its variance is the sum of the variances of its pixels, each with the share that the circle covers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.catalog.detect import segments
from rtools.catalog.detect.smooth import sampled_kernel
from rtools.catalog.jwst.columns import BOX_CORNERS, JwstColumn, catalog_columns
from rtools.catalog.measure import apertures as circles
from rtools.catalog.measure import daofind, sky
from rtools.catalog.measure.shapes import moments, segment_sums
from rtools.catalog.psf import neighbours
from rtools.catalog.source_catalog import detect_sources, make_image
from rtools.wfi.units import NJY_MAGNITUDE
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.catalog.detect.segments import Segments
    from rtools.catalog.jwst.apertures import EnergyApertures
    from rtools.catalog.measure.image import Image
    from rtools.catalog.measure.shapes import Shapes
    from rtools.catalog.source_catalog import ImagePlanes

__all__ = ["Concentrations", "JwstFound", "jwst_catalog_of"]

ZERO_MAGNITUDE = NJY_MAGNITUDE - 22.5
"""AB magnitude of 1 Jy, 1e9 nJy."""


class Concentrations(NamedTuple):
    """What a star's concentration indices do not exceed.

    Attributes
    ----------
    inner : float
        Flux of the second aperture over that of the first.
    outer : float
        Flux of the third aperture over that of the second.
    """

    inner: float = 2.0
    outer: float = 1.8


class JwstFound(NamedTuple):
    """A catalog.

    Attributes
    ----------
    values : dict of str to ndarray (n,)
        Columns by name.
    columns : tuple of rtools.catalog.jwst.columns.JwstColumn
        In the order of the file.
    labels : ndarray int32 (rows, columns)
        The segments of the sources; 0 is the sky.
    """

    values: dict[str, np.ndarray]
    columns: tuple[JwstColumn, ...]
    labels: np.ndarray


def jwst_catalog_of(
    planes: ImagePlanes,
    options: Mapping[str, Any],
    apertures: EnergyApertures,
    *,
    vega_offset: float | None = None,
    forced: np.ndarray | None = None,
    work: Work = ALONE,
) -> JwstFound:
    """Find and measure the sources of a mosaic.

    Parameters
    ----------
    planes : rtools.catalog.source_catalog.ImagePlanes
        The mosaic; what a pixel is in Jy follows from its area at each source's place.
    options : mapping of str to object
        Options of the step by key (`rtools.catalog.jwst.steps.catalog.STEP`).
    apertures : rtools.catalog.jwst.apertures.EnergyApertures
        Circles and annulus, in pixels of the mosaic.
    vega_offset : float, optional
        AB magnitude less Vega magnitude; without it Vega magnitudes are NaN.
    forced : ndarray int32 (rows, columns), optional
        Segments that are measured; nothing is searched for then.
    work : rtools.work.Work
        Threads, log and progress; the result does not depend on how many threads there are.

    Returns
    -------
    JwstFound
        Without rows, but with all columns, where there is no source.
    """
    columns = catalog_columns(apertures.energies)
    image, rms = make_image(planes, options, kernel=sampled_kernel(options["kernel_fwhm"]), work=work)
    if image is None or rms is None:
        work.log("warning", "catalog: no pixel can be used; the catalog is empty")
        return _empty(columns, planes.data.shape)
    labels = detect_sources(image, rms, options, work=work) if forced is None else np.array(forced, np.int32)
    found = segments.find(labels)
    if found.n == 0:
        work.log("warning", "catalog: no source found; the catalog is empty")
        return _empty(columns, labels.shape)
    work.log("info", f"catalog: {found.n} sources" + (" measured on given segments" if forced is not None else ""))
    values = _measured(image, planes, found, apertures, options, work)
    for name in [name for name in values if name.endswith("_flux") and name != "aper_bkg_flux"]:
        values |= _magnitudes(name.removesuffix("_flux"), values, vega_offset)
    return JwstFound({one.name: np.asarray(values[one.name], one.dtype) for one in columns}, columns, labels)


def _empty(columns, shape):
    return JwstFound({one.name: np.zeros(0, one.dtype) for one in columns}, columns, np.zeros(shape, np.int32))


def _measured(image, planes, found, apertures, options, work):
    """All columns but magnitudes."""
    shapes = moments(image.smoothed, image.err, found, image.mask, work=work)
    slopes = sky.local_slopes(image.wcs, image.data.shape, shapes.x, shapes.y)
    jansky = image.brightness * sky.sides(slopes) ** 2 * 1e-9
    out = _places(image, found, shapes) | _shape_columns(found, shapes, slopes)
    total = segment_sums(image.data, image.err, found, image.mask, work=work)
    out |= {"isophotal_flux": total.flux * jansky, "isophotal_flux_err": total.err * jansky}
    out["isophotal_area"] = total.area
    out |= _aperture_columns(image, planes.data, found, (shapes.x, shapes.y), apertures, jansky, work)
    out |= _indices(out, apertures, Concentrations(options["ci1_star_threshold"], options["ci2_star_threshold"]))
    centres, width = (shapes.x, shapes.y), options["kernel_fwhm"]
    statistics = daofind.statistics(image.data, centres, width, mask=image.mask, work=work)
    return out | dict(zip(("sharpness", "roundness"), statistics, strict=True))


def _places(image: Image, found: Segments, shapes: Shapes) -> dict[str, np.ndarray]:
    """Numbers, centres and boxes, in pixels and on the sky."""
    out = {"label": found.ids, "xcentroid": shapes.x, "ycentroid": shapes.y}
    out |= _on_sky("sky_centroid", image.wcs, shapes.x, shapes.y)
    across = {"l": found.xmin - 0.5, "r": found.xmax + 0.5}
    up = {"l": found.ymin - 0.5, "u": found.ymax + 0.5}
    for corner in BOX_CORNERS:
        out |= _on_sky(f"sky_bbox_{corner}", image.wcs, across[corner[1]], up[corner[0]])
    return out


def _on_sky(name, wcs, x, y):
    ra, dec = sky.positions(wcs, x, y)
    return {f"{name}.ra": ra, f"{name}.dec": dec}


def _shape_columns(found, shapes, slopes):
    """Axes, angles, and the nearest neighbour."""
    index, distance = neighbours.nearest(shapes.x, shapes.y)
    return {
        "semimajor_sigma": shapes.a,
        "semiminor_sigma": shapes.b,
        "ellipticity": 1 - shapes.b / shapes.a,
        "orientation": shapes.theta,
        "sky_orientation": sky.position_angle(slopes, shapes.theta),
        "nn_label": np.append(found.ids, np.int32(-1))[index],  # index -1 is the last
        "nn_dist": distance,
    }


def _aperture_columns(image, whole, found, centres, apertures, jansky, work):
    """Fluxes in circles on the image as it is, less the sky of the annulus."""
    rest = {"segments": found, "mask": image.mask, "centres": centres, "work": work}
    ring = circles.annulus(whole, radii=apertures.annulus, **rest)
    sums = circles.circular(whole, image.err, radii=apertures.radii, whole_variance=True, **rest)
    flux = (sums.flux - np.pi * apertures.radii**2 * ring.median[:, None]) * jansky[:, None]
    err = sums.err * jansky[:, None]
    out = {"aper_bkg_flux": ring.median * jansky}
    out["aper_bkg_flux_err"] = ring.median_err * jansky
    for number, energy in enumerate(apertures.energies):
        out |= {f"aper{energy}_flux": flux[:, number], f"aper{energy}_flux_err": err[:, number]}
    correction = np.nan if apertures.corrections is None else apertures.corrections[-1]
    return out | {"aper_total_flux": flux[:, -1] * correction, "aper_total_flux_err": err[:, -1] * correction}


def _indices(values, apertures, limits):
    """Concentration indices, and which sources are less concentrated than a star."""
    small, middle, large = (values[f"aper{energy}_flux"] for energy in apertures.energies)
    one, two, three = apertures.energies
    with np.errstate(divide="ignore", invalid="ignore"):
        out = {
            f"CI_{two}_{one}": middle / small,
            f"CI_{three}_{two}": large / middle,
            f"CI_{three}_{one}": large / small,
        }
    extended = (out[f"CI_{two}_{one}"] > limits.inner) & (out[f"CI_{three}_{two}"] > limits.outer)
    return out | {"is_extended": extended}


def _magnitudes(name, values, vega_offset):
    """AB and Vega magnitudes of one flux: NaN where it is not positive."""
    flux = np.where(values[f"{name}_flux"] > 0, values[f"{name}_flux"], np.nan)
    magnitude = -2.5 * np.log10(flux) + ZERO_MAGNITUDE
    error = 2.5 * np.log10(1 + values[f"{name}_flux_err"] / flux)
    vega = magnitude - (np.nan if vega_offset is None else vega_offset)
    return {
        f"{name}_abmag": magnitude, f"{name}_abmag_err": error,
        f"{name}_vegamag": vega, f"{name}_vegamag_err": error + 0 * vega,
    }  # fmt: skip
