"""The catalog of mosaics in several filters: sources of one detection image, measured in each band as it is and with
the PSF of a reference band.

Bands pass through one at a time; of the reference band data and errors are kept where redder ones follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.catalog.detect import segments
from rtools.catalog.measure import columns, shapes, sky
from rtools.catalog.measure.image import Image
from rtools.catalog.measure.measure import RADII, Options, measure
from rtools.catalog.multiband.detection import detection_image, find_sources
from rtools.catalog.psf.match import convolve, matching_kernel, noise_factor
from rtools.catalog.source_catalog import about_table, make_image
from rtools.errors import InputError
from rtools.work import ALONE, Work
from rtools.work.work import silent

if TYPE_CHECKING:
    from rtools.catalog.multiband.detection import Band

__all__ = ["MultibandFound", "multiband_catalog", "reference_of"]

PER_BAND = [column.name for column in columns.per_band()[1:]]
MATCHED = [column.name for column in columns.matched()[1:]]


class MultibandFound(NamedTuple):
    """A multiband catalog.

    Attributes
    ----------
    values : dict of str to ndarray (n,)
        Columns by name.
    columns : tuple of (name, dtype, unit, definition)
        In the order of the file; the last is the name under which the schemas define it.
    about : dict
        What the table says of itself.
    labels : ndarray int32 (rows, columns)
        The segments; 0 is the sky.
    detection_image : ndarray float32 (rows, columns)
        Signal to noise.
    bands : tuple of str
        Filters in the order of the work: the reference first. Those without a usable pixel are not among them, unless
        all are so.
    """

    values: dict[str, np.ndarray]
    columns: tuple[tuple[str, str, str | None, str], ...]
    about: dict[str, Any]
    labels: np.ndarray
    detection_image: np.ndarray
    bands: tuple[str, ...]


def reference_of(bands: Sequence[Band], wanted: str | None = None) -> Band:
    """The band whose PSF the others are matched to: the one wanted, else the reddest.

    Parameters
    ----------
    bands : sequence of rtools.catalog.multiband.detection.Band
        Those whose images can be used.
    wanted : str, optional
        Filter, in letters of any case.

    Returns
    -------
    rtools.catalog.multiband.detection.Band
        One of `bands`.

    Raises
    ------
    InputError
        It is not among them.
    """
    if wanted is None:
        return max(bands, key=lambda band: band.wavelength)
    found = [band for band in bands if band.name == wanted.upper()]
    if not found:
        raise InputError(f"no pixel of the reference filter {wanted.upper()} can be used")
    return found[0]


def multiband_catalog(
    bands: Sequence[Band], options: Mapping[str, Any], *, measuring: Options | None = None, work: Work = ALONE
) -> MultibandFound:
    """Find the sources of several bands and measure them in each.

    Parameters
    ----------
    bands : sequence of rtools.catalog.multiband.detection.Band
        On one grid, each of another filter.
    options : mapping of str to object
        Options of the step by key (`rtools.catalog.steps.multiband.STEP`); kernel_fwhms is a list of numbers.
    measuring : rtools.catalog.measure.measure.Options, optional
        Dust and skycell; the rest is taken from `options` and the bands.
    work : rtools.work.Work
        Threads and log; the result does not depend on how many threads there are.

    Returns
    -------
    MultibandFound
        Without rows, but with all columns, where there is no source.

    Raises
    ------
    InputError
        No pixel of the reference filter can be used, or PSFs of two bands are sampled differently.
    """
    settings = {"kernel_fwhm": min(options["kernel_fwhms"]), "psf_weights": options["psf_weights"]}
    measuring = (measuring or Options())._replace(**settings)
    detection = detection_image(bands, options["kernel_fwhms"], options["bkg_boxsize"], work=work)
    used = detection.bands or tuple(bands)
    reference = reference_of(used, options["psf_match"])
    used = (reference, *(band for band in used if band is not reference))
    psfs = _psfs(used, work.log)
    labels = find_sources(detection, options, work=work)
    found = segments.find(labels)
    image = _as_image(detection)
    about = _about(image, measuring, used, reference)
    order = _columns(used, reference, psfs, fit_psf=options["fit_psf"])
    if found.n == 0:
        work.log("warning", "multiband: no source found; the catalog is empty")
        values = {name: np.zeros(0, dtype) for name, dtype, _unit, _definition in order}
    else:
        work.log("info", f"multiband: {found.n} sources in {len(used)} bands")
        given = _Given(found, _outline(image, found, work), options, measuring, work)
        names = [column.name for column in columns.detection()]
        values = measure(image, found, measuring, work=work, shapes=given.outline.shapes, columns=names)
        del image
        values |= _measured(given, used, psfs, values.pop("image_flags"))
    return MultibandFound(values, order, about, labels, detection.image, tuple(band.name for band in used))


class _Outline(NamedTuple):
    """Shapes of the sources in the detection image, their Kron radii in units of the axes, areas in pixels.

    `side` is the root of the area of the pixels where each is, arcsec.
    """

    shapes: shapes.Shapes
    kron: np.ndarray
    area: np.ndarray
    side: np.ndarray


class _Given(NamedTuple):
    """What the measurement of every band is given."""

    segments: segments.Segments
    outline: _Outline
    options: Mapping[str, Any]
    measuring: Options
    work: Work


def _as_image(detection):
    """The detection image as measurements take it."""
    err = np.ones(detection.image.shape, np.float32)
    mask = ~np.isfinite(detection.image)
    return Image(detection.image, err, mask, detection.image, detection.wcs, weight=detection.covered)


def _outline(image, found, work):
    outline = shapes.moments(image.smoothed, image.err, found, image.mask, work=work)
    radius = shapes.kron(image.data, image.err, found, image.mask, outline, work=work).k
    area = shapes.segment_sums(image.data, image.err, found, image.mask, work=work).area
    side = sky.sides(sky.local_slopes(image.wcs, image.data.shape, outline.x, outline.y))
    return _Outline(outline, radius, area, side)


def _psfs(used, log):
    """Filter to PSF; nothing if one of them has none."""
    psfs = {band.name: band.psf() for band in used}
    if all(psf is not None for psf in psfs.values()):
        return psfs
    log("warning", "multiband: no PSF; the catalog has neither PSF photometry nor fluxes of matched images")
    return {}


def _about(image, measuring, used, reference):
    """What the table says of itself."""
    ordered = sorted((band for band in used if band.energy is not None), key=lambda band: band.wavelength)
    fractions = {band.name.lower(): np.asarray(band.energy(np.array(RADII)), np.float32) for band in ordered}
    about = about_table(image, measuring._replace(energy=None))
    return about | {"ee_fractions": fractions, "psf_match_reference_filter": reference.name.lower()}


def _columns(used, reference, psfs, *, fit_psf):
    """Columns of the file with the names by which the schemas define them."""
    order = [(*column, columns.definition_name(column.name)) for column in columns.detection()]
    for band in sorted(used, key=lambda band: band.wavelength):
        token = band.name.lower()
        blocks = [(columns.per_band(psf=fit_psf and bool(psfs)), token)]
        if psfs and band is not reference:
            blocks.append((columns.matched(), f"{token}m"))
        for block, name in blocks:
            order += [
                (columns.band_name(column.name, name), column.dtype, column.unit, columns.definition_name(column.name))
                for column in block[1:]
            ]
    return tuple(order)


# -- bands ------------------------------------------------------------------------------------------------------------


def _measured(given, used, psfs, flags):
    """Columns of all bands, and the flags of the images together; the reference comes first."""
    reference, *others = used
    keep_image = bool(psfs) and any(band.wavelength > reference.wavelength for band in others)
    plain, image = _plain(given, reference, psfs)
    first, kept = plain, _trimmed(image) if keep_image else None
    out = _named(plain, reference.name.lower())
    flags = flags | _flags(plain)
    for band in others:
        del image
        plain, image = _plain(given, band, psfs)
        out |= _named(plain, band.name.lower())
        flags = flags | _flags(plain)
        if not psfs:
            continue
        if band.wavelength < reference.wavelength:
            values = _convolved(given, image, psfs[band.name], psfs[reference.name])
        else:
            at_band = _convolved(given, kept, psfs[reference.name], psfs[band.name])
            values = _scaled(plain, first, at_band)
        out |= _named(values, f"{band.name.lower()}m")
    return out | {"image_flags": flags}


def _named(values, token):
    return {columns.band_name(name, token): column for name, column in values.items() if name != "image_flags"}


def _flags(values):
    """Flags of a band's image for the sources that it shows."""
    return np.where(np.isfinite(values["segment_flux"]), values["image_flags"], 0).astype(np.int32)


def _trimmed(image):
    """The image without what only PSF fits need."""
    return replace(image, weight=None, var_poisson=None, background=None)


def _plain(given, band, psfs):
    """Columns of a band as it is, and its image."""
    planes, options = band.load(), given.options
    settings = {"bkg_boxsize": options["bkg_boxsize"], "kernel_fwhm": None}
    image, _rms = make_image(planes, settings, work=given.work.with_log(silent))  # the detection has told of it
    psf = psfs.get(band.name) if options["fit_psf"] else None
    measuring = given.measuring._replace(energy=band.energy)
    values = _measure(given, image, [*PER_BAND, "image_flags"], measuring=measuring, psf=psf)
    return values, image


def _measure(given, image, names, *, measuring=None, psf=None):
    """Measure columns with the outlines of the detection image; no fluxes of sources of which no pixel can be used."""
    outline = given.outline
    values = measure(
        image,
        given.segments,
        measuring or given.measuring,
        psf=psf,
        work=given.work,
        shapes=outline.shapes,
        kron_radius=outline.kron,
        columns=[*names, "segment_flux"],
    )
    unseen = np.isnan(values["segment_flux"])
    for name, column in values.items():
        if name.startswith("aper"):
            column[unseen] = np.nan
    if "is_extended" in values:
        values["is_extended"] &= ~unseen
    return values


def _convolved(given, image, psf, target):
    """Fluxes in a band's image after its convolution to another PSF, with the noise that this leaves."""
    kernel = matching_kernel(psf, target)
    data = convolve(image.data, image.mask, kernel, work=given.work)
    values = _measure(given, replace(_trimmed(image), data=data, smoothed=data), MATCHED)
    return _with_noise(values, kernel, _radii(given))


def _radii(given):
    """Name of a flux to the radius of its aperture in pixels, or of the circle of the same area."""
    outline = given.outline.shapes
    radii = {f"aper{round(10 * radius):02d}_flux": radius / given.outline.side for radius in RADII}
    radii["kron_flux"] = shapes.KRON_SCALE * given.outline.kron * np.sqrt(outline.a * outline.b)
    return radii | {"segment_flux": np.sqrt(given.outline.area / np.pi)}


def _with_noise(values, kernel, radii):
    """Errors as the convolution leaves them: those of a sum over independent pixels, times what of it is left."""
    # The scatter in the ring has shrunk as that of single pixels has, the error of its median as that of a wide area.
    pixel, wide, *factors = noise_factor(kernel, np.stack(np.broadcast_arrays(0.0, np.inf, *radii.values())))
    for name, factor in zip(radii, factors, strict=True):
        values[f"{name}_err"] = (values[f"{name}_err"] * factor).astype(np.float32)
    values["aper_bkg_flux_err"] = (values["aper_bkg_flux_err"] * (wide / pixel)).astype(np.float32)
    return values


def _scaled(plain, reference, at_band):
    """Fluxes of a redder band as they would be at the reference's PSF.

    Every flux is multiplied by what the reference's own loses when it is convolved to the PSF of the band.
    """
    out = {}
    for name in MATCHED:
        if name.endswith("_err"):
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = reference[name] / at_band[name]
        factor[~np.isfinite(factor)] = np.nan
        out[name] = plain[name] * factor
        out[f"{name}_err"] = plain[f"{name}_err"] * np.abs(factor)
    return out
