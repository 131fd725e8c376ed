"""Light at given places of the images of files: planes, references, the time of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.astrometry.pixels import pixels_to_sky
from rtools.catalog.measure import sky
from rtools.catalog.places import PlaceOptions, measure_places
from rtools.errors import InputError, UsageError, with_article
from rtools.pipeline.catalog.jwst import jwst_planes_of
from rtools.pipeline.catalog.references import find_references, psf_of
from rtools.pipeline.catalog.single import planes_of
from rtools.products.jwst import JwstProduct, integration_times, sky_of
from rtools.products.schema import history
from rtools.reference import find
from rtools.wfi import metadata
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.catalog.source_catalog import ImagePlanes
    from rtools.products.io.product import Product
    from rtools.reference.epsf import Psf
    from rtools.reference.epsf_choice import PsfChoice

__all__ = [
    "SERIES_KINDS",
    "LightRequest",
    "MeasuredImage",
    "image_planes",
    "image_psf",
    "light_of",
    "light_of_integrations",
    "refuse_other",
]

ROMAN_KINDS = ("l2_image", "l3_coadd")
JWST_KINDS = ("cal", "crf", "i2d")
"""Images whose light is calibrated."""

SERIES_KINDS = ("calints", "crfints")
"""Products whose integrations are such images."""

OTHER_PIXELS = 0.05
"""Share by which pixels may differ from those of a PSF; distortion changes them by less on one detector."""


@dataclass(frozen=True)
class LightRequest:
    """What is asked of every image.

    Attributes
    ----------
    options : rtools.catalog.places.PlaceOptions
        How to measure.
    psf : bool
        Whether the PSF is fitted, where there is one.
    correct : bool
        Whether fluxes in circles are made those of stars, by the apcorr reference.
    references : rtools.reference.find.Config
        Where references are looked for.
    """

    options: PlaceOptions = field(default_factory=PlaceOptions)
    psf: bool = True
    correct: bool = False
    references: find.Config = field(default_factory=find.Config)


class MeasuredImage(NamedTuple):
    """One image with what was measured on it.

    Attributes
    ----------
    about : dict of str to object
        What the image is: ``detector``, ``element``, ``mjd`` (of the middle of the exposure, UTC), ``exposure_time``
        (seconds).
    ra, dec : ndarray float64 (n,)
        The places on the sky, degrees.
    values : dict of str to ndarray (n,)
        Columns of `rtools.catalog.places.measure_places`.
    """

    about: dict[str, Any]
    ra: np.ndarray
    dec: np.ndarray
    values: dict[str, np.ndarray]


def refuse_other(product: Product | JwstProduct) -> None:
    """Refuse a product that is no calibrated image.

    Parameters
    ----------
    product : rtools.products.io.product.Product or rtools.products.jwst.JwstProduct
        Opened.

    Raises
    ------
    InputError
        It is something else, or a cube.
    """
    kinds = JWST_KINDS if isinstance(product, JwstProduct) else ROMAN_KINDS
    if product.kind not in kinds:
        wanted = ", ".join(kinds[:-1]) + f" or {kinds[-1]}"
        raise InputError(
            f"is {with_article(product.kind)}, and light is measured on {with_article(wanted)}", path=product.path
        )


def image_planes(product: Product | JwstProduct, work: Work = ALONE) -> ImagePlanes:
    """Planes of a calibrated image of either mission.

    Parameters
    ----------
    product : rtools.products.io.product.Product or rtools.products.jwst.JwstProduct
        Opened.
    work : rtools.work.Work
        Its threads decode.

    Returns
    -------
    rtools.catalog.source_catalog.ImagePlanes
        With the calibration and the world coordinates that the file has.

    Raises
    ------
    InputError
        It is no calibrated image, or lacks something.
    """
    refuse_other(product)
    if not isinstance(product, JwstProduct):
        return planes_of(product, work)
    if product.kind == "i2d":
        return jwst_planes_of(product)
    if len(product.arrays["data"].shape) != 2:
        raise InputError("its data are no single image", path=product.path)
    return _planes_by(product, lambda name: product.array(name, work), sky_of(product))


def _planes_by(product, read, wcs):
    """Planes of an exposure of JWST, each of which ``read(name)`` gives."""
    from rtools.catalog.source_catalog import ImagePlanes

    unit = str(product.arrays["data"].unit or "MJy/sr")
    if unit.replace(" ", "").lower() != "mjy/sr":
        raise InputError(f"its data are in {unit}, not in MJy/sr", mend="run rt-photom first", path=product.path)
    planes = {name: np.asarray(read(name), np.float32) for name in ("data", "err", "var_poisson") if product.has(name)}
    dq = np.asarray(read("dq"), np.uint32)
    return ImagePlanes(planes["data"], planes["err"], wcs, dq=dq, var_poisson=planes.get("var_poisson"))


def image_psf(
    product: Product | JwstProduct,
    planes: ImagePlanes,
    config: find.Config,
    log: Callable[[str, str], None],
    choice: PsfChoice | None = None,
) -> Psf | None:
    """The PSF per pixel of an image: that of the epsf reference.

    Parameters
    ----------
    product : rtools.products.io.product.Product or rtools.products.jwst.JwstProduct
        The image.
    planes : rtools.catalog.source_catalog.ImagePlanes
        Its planes.
    config : rtools.reference.find.Config
        Where references are looked for.
    log : callable
        ``log(level, text)``.
    choice : rtools.reference.epsf_choice.PsfChoice, optional
        Which of the PSFs of the reference.

    Returns
    -------
    rtools.reference.epsf.Psf or None
        None where there is none: the reference was refused, or the image is of JWST and no reference is named.

    Raises
    ------
    InputError
        The PSF is of another mission, or per pixel of another size.
    MissingReferenceError
        Of Roman: the reference is nowhere.
    """
    from rtools.catalog.steps.catalog import REFERENCES
    from rtools.reference.epsf import from_reference
    from rtools.reference.files import FileSource

    if isinstance(product, JwstProduct):
        named = config.overrides.get("epsf")
        if named in (None, "none"):
            return None
        source = FileSource("epsf", str(named))
        _refuse_psf(source, product, planes, log)
        return from_reference(source, log, choice)
    uses = [use for use in REFERENCES if use.type == "epsf"]
    simulated = history.is_simulated(product.history)
    found = find_references(product.meta, product.kind, uses, config, log, simulated=simulated)["epsf"]
    grid = None if planes.dq is not None else (planes.wcs, planes.data.shape)
    return None if found is None else psf_of(found, product.meta, grid=grid, log=log, choice=choice)


def _refuse_psf(source, product, planes, log):
    """Refuse a PSF for an image of JWST whose pixels are not those that it is per; warn of another filter."""
    from rtools.reference.epsf_choice import measured_on, refuse_mission, said_of_measuring

    refuse_mission(source, "jwst")
    if measured_on(source) == "mosaic" and planes.dq is not None:
        raise InputError("a PSF that was measured on a mosaic, not that of an exposure", path=source.label)
    own, side = sky.centre_side(planes.wcs, planes.data.shape), said_of_measuring(source, "pixel_scale")
    if isinstance(side, int | float) and abs(side / own - 1) > OTHER_PIXELS:
        raise InputError(f"a PSF per pixel of {side:.4g} arcsec, and those of the image are {own:.4g}",
                         path=source.label)  # fmt: skip
    instrument = product.meta.get("instrument") or {}
    for key in ("detector", "filter"):
        theirs, ours = (str(one or "") for one in (said_of_measuring(source, key), instrument.get(key)))
        if theirs and ours and theirs != ours:
            log("warning", f"{source.label}: the PSF of {key} {theirs} is taken for {ours}")


def light_of(
    product: Product | JwstProduct,
    places: Callable[[Any], tuple[np.ndarray, np.ndarray]],
    request: LightRequest,
    work: Work = ALONE,
) -> MeasuredImage:
    """Measure the light at places of one image.

    Parameters
    ----------
    product : rtools.products.io.product.Product or rtools.products.jwst.JwstProduct
        The image, opened.
    places : callable
        ``places(wcs)`` returns x and y in pixels of this image, whose coordinates it is given.
    request : LightRequest
        What is asked.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    MeasuredImage

    Raises
    ------
    InputError
        It is no calibrated image, or lacks something.
    MissingReferenceError
        A reference is nowhere.
    UsageError
        The apertures shall be corrected, and it is not known how.
    """
    planes = image_planes(product, work)
    x, y = places(planes.wcs)
    psf = image_psf(product, planes, request.references, work.log) if request.psf else None
    options = request.options
    if request.correct:
        options = options._replace(energy=_energy(product, request, work.log))
    values = measure_places(planes, x, y, options, psf=psf, work=work)
    return MeasuredImage(_about(product), *pixels_to_sky(planes.wcs, x, y), values)


def light_of_integrations(
    product: JwstProduct,
    places: Callable[[Any], tuple[np.ndarray, np.ndarray]],
    request: LightRequest,
    work: Work = ALONE,
) -> Iterator[MeasuredImage]:
    """Measure the light at places of each integration of a series.

    Parameters
    ----------
    product : rtools.products.jwst.JwstProduct
        One of `SERIES_KINDS`, opened.
    places, request, work
        As `light_of` takes them.

    Yields
    ------
    MeasuredImage
        Its `about` has the number of the integration, and the middle of its time.

    Raises
    ------
    InputError
        It is no series of calibrated images, or lacks something.
    """
    shape = product.arrays["data"].shape if product.has("data") else ()
    if len(shape) != 3:
        raise InputError("its data are no integrations of one image", path=product.path)
    if request.correct:
        raise UsageError("--apcorr is for images of Roman", path=product.path)
    wcs, times = sky_of(product), integration_times(product, shape[0])
    x, y = places(wcs)
    seconds = metadata.get(product.meta, "exposure.integration_time")
    psf = None
    for number, mjd in enumerate(times.middle):
        planes = _planes_by(product, partial(_of_integration, product, number), wcs)
        if request.psf and not number:
            psf = image_psf(product, planes, request.references, work.log)
        about = _about(product) | {"mjd": mjd, "exposure_time": np.nan if seconds is None else float(seconds)}
        about = {"detector": about.pop("detector"), "integration": int(times.numbers[number])} | about
        values = measure_places(planes, x, y, request.options, psf=psf, work=work)
        yield MeasuredImage(about, *pixels_to_sky(wcs, x, y), values)


def _of_integration(product, number, name):
    """A plane of an array; an array that all integrations share is as it is."""
    return product.plane(name, number) if len(product.arrays[name].shape) == 3 else product.array(name)


def _energy(product, request, log):
    """Share of a star's light within a radius, by the apcorr reference."""
    from rtools.catalog.measure.apcorr import encircled_energy
    from rtools.catalog.steps.catalog import REFERENCES

    if isinstance(product, JwstProduct):
        mend = "leave it out; rt-catalog of an _i2d corrects the circles that its apcorr reference has"
        raise UsageError("--apcorr: an apcorr reference of JWST has a few radii for each filter, not any radius",
                         mend=mend, path=product.path)  # fmt: skip
    uses = [use for use in REFERENCES if use.type == "apcorr"]
    simulated = history.is_simulated(product.history)
    found = find_references(product.meta, product.kind, uses, request.references, log, simulated=simulated)["apcorr"]
    energy = encircled_energy(found, product.meta["instrument"]["optical_element"])
    if energy is None:
        raise UsageError("no encircled energies for this element", mend="leave out --apcorr", path=product.path)
    return energy


def _about(product):
    """What an image is, as far as it says it."""
    meta = product.meta
    instrument = meta.get("instrument") or {}
    keys = ("optical_element",) if product.mission == "roman" else ("filter",)
    element = next((str(instrument[key]) for key in keys if instrument.get(key)), "")
    seconds = metadata.get(meta, "exposure.exposure_time")
    if seconds is None:
        seconds = metadata.get(meta, "coadd_info.exposure_time")
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return {
        "detector": str(instrument.get("detector") or ""),
        "element": element,
        "mjd": metadata.middle_mjd(meta),
        "exposure_time": float(seconds) if known else np.nan,
    }
