"""An acquisition from its plan: light, pixels, centroids and FACE."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.simulate import light
from rtools.simulate.assumed import REFERENCE_BAND
from rtools.simulate.guide import assumed
from rtools.simulate.guide.centroids import SentCentroids, downlink, downlink_edges, downlink_several
from rtools.simulate.guide.face import FaceRows, estimate_attitude
from rtools.simulate.guide.readout import Box, WindowPixels, pixels_of
from rtools.simulate.guide.star import edge_offset
from rtools.simulate.guide.windows import Resultants, WindowLight, read_stage
from rtools.simulate.seen import MARGIN_PIXELS
from rtools.simulate.streams import generator
from rtools.wfi.frame import BORDER

if TYPE_CHECKING:
    from rtools.reference.source import References
    from rtools.simulate.guide.plan import AcquisitionPlan, StagePlan
    from rtools.simulate.light import FocalPlane
    from rtools.simulate.request import SimulationRequest
    from rtools.simulate.seen import Seen
    from rtools.work import Work

__all__ = ["Acquisition", "Sky", "acquire"]

NEIGHBOUR = 0.01
"""A star of more than this share of the guide star's light moves with it; others are at rest."""

REACH = 8
"""So many pixels beside a window such stars still count."""


class Sky(NamedTuple):
    """What is looked at.

    Attributes
    ----------
    view : rtools.simulate.light.FocalPlane
        Where the image is.
    found : rtools.simulate.seen.Seen or None
        The sources; None where no sky is seen.
    usual : (float, float)
        Gain (electron/DN) and read noise (DN) of a usual pixel.
    """

    view: FocalPlane
    found: Seen | None
    usual: tuple[float, float]


class Acquisition(NamedTuple):
    """What is sent down of an acquisition.

    Attributes
    ----------
    reads : list of Resultants
        Of each stage.
    sent : list of SentCentroids or None
        Centroids of each stage; None where no sky is seen.
    attitude : FaceRows
        FACE.
    flux, background : float
        Of the star (of a row of its spectrum), and of sky and lamp in a pixel; electron/s.
    """

    reads: list[Resultants]
    sent: list[SentCentroids | None]
    attitude: FaceRows
    flux: float
    background: float


def acquire(
    request: SimulationRequest, plan: AcquisitionPlan, sky: Sky, references: References, work: Work
) -> Acquisition:
    """Simulate what is planned.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        Of the first exposure.
    plan : AcquisitionPlan
        The acquisition.
    sky : Sky
        What is looked at.
    references : mapping of str to ReferenceSource or None
        References, from `rtools.simulate.references.find_all`.
    work : rtools.work.Work
        Threads and log; the result does not depend on the threads.

    Returns
    -------
    Acquisition
        Pixels, centroids, attitude.
    """
    box = _box_of(plan)
    pixels = pixels_of(box, request, references, sky.usual, work)
    psf = light.stamp_of(references, (0.0, 0.0, 0.0), work) if request.has_sky else None
    shines = _light_of(request, plan, sky, psf, box, work)
    key = ("guide", *request.stream)
    reads: list[Resultants] = []
    sent: list[SentCentroids | None] = []
    for each in plan.stages:
        places = each.steps.x, each.steps.y
        about = {"light": shines, "pixels": pixels, "spoiled": each.faults.spoiled, "rays": request.cosmic_rays}
        found = read_stage(each.stage, each.corners, places, stream=(*key, each.stage.name), work=work, **about)
        reads.append(found)
        sent.append(_centroids(each, found, pixels, request.dispersed) if request.has_sky else None)
    attitude = _attitude(request, plan)
    flux = float(shines.rate[0]) if len(shines.rate) else 0.0
    return Acquisition(reads, sent, attitude, flux, light.uniform_rate(request))


def _box_of(plan):
    """The part of the frame that all windows lie in."""
    low = np.min([each.corners.min(axis=0) for each in plan.stages], axis=0)
    sizes = [(each.stage.table.columns, each.stage.table.rows) for each in plan.stages]
    high = np.max([each.corners.max(axis=0) + size for each, size in zip(plan.stages, sizes, strict=True)], axis=0)
    return Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _light_of(request, plan, sky, psf, box, work):
    """What shines on the box, electron/s."""
    gain, found = sky.usual[0], sky.found
    image = np.zeros((box.y1 - box.y0, box.x1 - box.x0), np.float32)
    nothing = np.zeros(0)
    moving = _moving(request, plan, found, box)
    if found is not None and psf is not None:
        still = np.ones(len(found.x), bool)
        still[moving] = False
        still &= _near(found, box)
        origin = box.x0 - BORDER, box.y0 - BORDER
        light.add_sources(image, _taken(found, still), psf, sky.view, origin=origin, work=work)
        image *= np.float32(gain)
    image += np.float32(light.uniform_rate(request))
    if not len(moving):
        return WindowLight(image, nothing, nothing, nothing)
    star = plan.star
    if request.dispersed:
        offset = edge_offset(request.element)
        row = np.searchsorted(found.offset, offset + plan.track.stage.table.rows // 2)
        rate = found.trace[moving, row] * gain
        zero = np.zeros(1)
        return WindowLight(image, zero, zero, rate, section=_section_of(psf, star))
    x, y = found.x[moving] + BORDER - star.x, found.y[moving] + BORDER - star.y
    return WindowLight(image, x, y, found.rate[moving] * gain, spline=_spline_of(psf, star))


def _moving(request, plan, found, box):
    """Sources that move with the guide star, which is the first."""
    index = plan.star.source
    if found is None or index is None:
        return np.zeros(0, int)
    if request.dispersed:
        return np.array([index])
    inside = (found.stars.sersic == 0) & (found.rate > NEIGHBOUR * found.rate[index])
    x, y = found.x + BORDER, found.y + BORDER
    inside &= (x > box.x0 - REACH) & (x < box.x1 + REACH) & (y > box.y0 - REACH) & (y < box.y1 + REACH)
    inside[index] = False
    return np.append(index, np.flatnonzero(inside))


def _near(found, box):
    """Sources whose light may fall into the box."""
    margin = MARGIN_PIXELS
    x, y = found.x + BORDER, found.y + BORDER
    near = (x > box.x0 - margin) & (x < box.x1 + margin)
    if found.offset is None:
        return near & (y > box.y0 - margin) & (y < box.y1 + margin)
    return near & (y + found.offset[0] < box.y1) & (y + found.offset[-1] > box.y0)


def _taken(found, which):
    """Some of the sources."""
    trace = None if found.trace is None else found.trace[which]
    columns = {key: getattr(found, key)[which] for key in ("x", "y", "magnitude", "rate")}
    return found._replace(stars=found.stars.take(which), trace=trace, **columns)


def _spline_of(psf, star):
    """B-spline coefficients of the ePSF at the star's place, and its samples per pixel."""
    weights = psf.weights([star.x - BORDER], [star.y - BORDER])[0]
    return np.ascontiguousarray(np.tensordot(weights, psf.splines, 1)), int(psf.oversample)


def _section_of(psf, star):
    """Cross-section of a trace: the ePSF summed along y."""
    weights = psf.weights([star.x - BORDER], [star.y - BORDER])[0]
    stamp = np.tensordot(weights, psf.stamps, 1)
    return stamp.sum(axis=0) / psf.oversample, int(psf.oversample), assumed.EDGE_SIGMA


def _centroids(each: StagePlan, read: Resultants, pixels: WindowPixels, dispersed: bool) -> SentCentroids:
    """Centroids of a stage."""
    gain, sigma = pixels.typical
    table = each.stage.table
    variance = (sigma * gain) ** 2 * (1 / table.pedestal + 1 / table.signal)
    images = (read.signal.astype(np.int32) - read.pedestal) * gain
    faults = each.faults
    bad = faults.reset_impacted | faults.sce | (read.min_bind | read.max_bind).any(axis=1)
    if dispersed and each.stage.name == "track":
        return downlink_edges(images, each.corners, variance, bad)
    several = downlink_several if each.stage.name == "acq" else downlink
    return several(images, each.corners, variance, bad)


def _attitude(request, plan):
    """FACE, the same for all detectors of the acquisition."""
    turned = np.concatenate([each.turned for each in plan.stages], axis=1)
    lost = np.concatenate([each.faults.lost for each in plan.stages])
    if not request.has_sky:
        lost[:] = True
    sigma = assumed.FACE_ERROR_MAS.get(request.element, assumed.FACE_ERROR_MAS[REFERENCE_BAND])
    rng = generator(*plan.stream, "face")
    spectroscopic = request.dispersed
    return estimate_attitude(plan.timeline, turned, sigma, spectroscopic=spectroscopic, lost=lost, rng=rng)
