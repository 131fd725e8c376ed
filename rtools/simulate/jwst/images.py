"""Images of JWST without ramps: the truth with the noise that a fit of the ramps would leave, in seconds.

Variances are those of an unweighted straight line through the n groups of an integration (read noise) and of the light
that is collected between its first and its last group (photons):
VAR_RNOISE = 12 (R/TGROUP)²/((n³ - n) G²) with R the electrons of read noise of a group,
VAR_POISSON = rate/(TGROUP G (n - 1)).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.jwst.dq import PIXEL_FLAGS
from rtools.simulate.streams import generator
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from rtools.simulate.jwst.exposure import JwstScene

__all__ = ["SimulatedImage", "simulate_image"]

RAMP_STEPS = ("group_scale", "dq_init", "saturation", "superbias", "refpix", "linearity", "dark_sub", "jump",
              "ramp_fit", "gain_scale")  # fmt: skip
IMAGE_STEPS = ("assign_wcs", "flat_field", "photom")
"""Steps that such a product has had, as ``meta.cal_step`` names them."""

MJY_SR_UJY_ARCSEC2 = 23.504430532
"""µJy/arcsec² in 1 MJy/sr."""


@dataclass(frozen=True)
class SimulatedImage:
    """A simulated image.

    Attributes
    ----------
    arrays : dict of str to ndarray
        By EXTNAME; float32, flags uint32.
    meta : dict
        Metadata.
    tree : dict
        Further nodes: the WCS.
    """

    arrays: dict[str, np.ndarray]
    meta: dict[str, Any]
    tree: dict[str, Any]


def simulate_image(scene: JwstScene) -> SimulatedImage:
    """An image, or one for each integration, of a scene.

    Parameters
    ----------
    scene : rtools.simulate.jwst.exposure.JwstScene
        From `rtools.simulate.jwst.exposure.set_up`.

    Returns
    -------
    SimulatedImage
        Of the kind that the request names.
    """
    request = scene.request
    calibrated = request.suffix in ("cal", "calints")
    planes = [
        _plane(scene, number, calibrated) for number in range(request.integrations if request.has_integrations else 1)
    ]
    arrays = {name: np.stack([plane[name] for plane in planes]) for name in planes[0]}
    if not request.has_integrations:
        arrays = {name: array[0] for name, array in arrays.items()}
    meta = deepcopy(scene.meta)
    meta["cal_step"] = dict.fromkeys(RAMP_STEPS + (IMAGE_STEPS if calibrated else ()), "COMPLETE")
    meta["bunit_data"] = meta["bunit_err"] = "MJy/sr" if calibrated else "DN/s"
    tree: dict[str, Any] = {}
    if calibrated:
        tree = {"meta": {"wcs": wcs_of(scene)}}
        meta["wcsinfo"] = _sip(meta["wcsinfo"], tree["meta"]["wcs"], scene)
        meta["photometry"] = _photometry(scene.planes.brightness)
        arrays["AREA"] = scene.planes.area
    return SimulatedImage(arrays, meta, tree)


def wcs_of(scene: JwstScene) -> Any:
    """The gwcs of an exposure.

    Parameters
    ----------
    scene : rtools.simulate.jwst.exposure.JwstScene
        From `rtools.simulate.jwst.exposure.set_up`.

    Returns
    -------
    gwcs.WCS
        Pixels of what is read, 0-based, to RA, Dec.
    """
    from astropy.modeling.models import Shift

    from rtools.astrometry.wcs import Pointing, build_wcs
    from rtools.jwst.distortion import distortion_model

    part = scene.request.part
    model = distortion_model(scene.request.detector) if scene.view.model is None else scene.view.model
    shifted = Shift(float(part.x - 1)) & Shift(float(part.y - 1)) | model
    pointing = Pointing(*(float(scene.view.wcsinfo[key]) for key in Pointing._fields))
    return build_wcs(shifted, pointing, scene.view.aberration[0], (part.rows, part.columns))


def _plane(scene, number, calibrated):
    """Arrays of one integration, or of the mean of all."""
    request, planes = scene.request, scene.planes
    if request.has_integrations or not request.varies:
        truth, count = scene.truth(number), 1 if request.has_integrations else request.integrations
    else:
        truth, count = scene.truths().mean(axis=0), request.integrations
    poisson, rnoise = _variances(truth, scene, count)
    rng = generator(*request.stream, "image", number)
    noise = np.sqrt(poisson + rnoise) * rng.standard_normal(truth.shape, dtype=np.float32)
    flags = planes.flags | _saturated(truth, scene)
    data = {"SCI": truth + noise, "VAR_POISSON": poisson, "VAR_RNOISE": rnoise}
    if calibrated:
        scale = np.float32(planes.brightness.photmjsr) / planes.flat
        data["VAR_FLAT"] = (data["SCI"] * scale * planes.flat_error / planes.flat) ** 2
        data["SCI"] = data["SCI"] * scale
        data |= {name: data[name] * scale**2 for name in ("VAR_POISSON", "VAR_RNOISE")}
        border = (flags & PIXEL_FLAGS["REFERENCE_PIXEL"]) != 0
        flags[border] |= np.uint32(PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["NO_FLAT_FIELD"])
    data["ERR"] = np.sqrt(sum(values for name, values in data.items() if name.startswith("VAR_")))
    unusable = (flags & PIXEL_FLAGS["DO_NOT_USE"]) != 0
    for name, values in data.items():
        values[unusable] = np.nan if calibrated or name == "SCI" else 0
    order = ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")
    data = {name: values.astype(np.float32) for name, values in data.items()} | {"DQ": flags}
    return {name: data[name] for name in order if name in data}


def _variances(truth, scene, count):
    """Photons and read noise, (DN/s)², of a mean of so many integrations."""
    request, detector = scene.request, scene.planes.detector
    n, seconds = max(request.groups, 2), request.group_time
    light = np.maximum(truth + scene.planes.dark / detector.gain, 0)
    poisson = light / (seconds * detector.gain * (n - 1)) / count
    group = detector.noise / np.sqrt(request.pattern.nframes)
    rnoise = 12 * (group / seconds) ** 2 / (n**3 - n) / count
    return poisson.astype(np.float32), rnoise.astype(np.float32)


def _saturated(truth, scene):
    """Flags of pixels that reach the well in an integration, or before the second group."""
    request, detector = scene.request, scene.planes.detector
    level = (detector.full - detector.bias).astype(np.float32)
    ends = [
        (request.pattern.frames(group)[-1] + 1) * request.frame_time
        for group in (min(1, request.groups - 1), request.groups - 1)
    ]
    flags = np.where(truth * np.float32(ends[1]) >= level, np.uint32(PIXEL_FLAGS["SATURATED"]), np.uint32(0))
    flags[truth * np.float32(ends[0]) >= level] |= np.uint32(PIXEL_FLAGS["DO_NOT_USE"])
    return flags


def _photometry(brightness):
    area = brightness.pixel_sr
    return {
        "conversion_megajanskys": brightness.photmjsr,
        "conversion_microjanskys": brightness.photmjsr * MJY_SR_UJY_ARCSEC2,
        "pixelarea_steradians": area,
        "pixelarea_arcsecsq": float(area * (np.rad2deg(1) * DEGREE_ARCSEC) ** 2),
    }


def _sip(wcsinfo, wcs, scene):
    """Metadata ``wcsinfo`` with the distortion as SIP polynomials."""
    from rtools.astrometry.sip import sip_header
    from rtools.jwst.keywords import keywords

    known = {one.keyword: one.path for one in keywords() if one.hdu == "SCI" and one.path.startswith("wcsinfo.")}
    found = sip_header(wcs, (scene.request.part.rows, scene.request.part.columns), limit=None)
    told = {known[key].removeprefix("wcsinfo."): value for key, value, _ in found.cards if key in known}
    plain = {key: value for key, value in wcsinfo.items() if not key.startswith(("pc", "cdelt"))}
    return plain | told
