"""An acquisition before any pixel is made: time line, motion, faults, windows, and how the exposures are smeared.

The motion is keyed by seed, visit, acquisition and first exposure: detectors of one acquisition see the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.simulate.guide.faults import Faults, no_faults, plant
from rtools.simulate.guide.motion import TelescopeMotion, draw_motion, turns
from rtools.simulate.guide.star import GuideStar, corner_of
from rtools.simulate.guide.timeline import Cycles, Exposed, Timeline, draw_timeline, impacted_cycles
from rtools.wfi.fgs import FieldPlace, displacement, place_in_field
from rtools.wfi.frame import BORDER
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC, detector_number

if TYPE_CHECKING:
    from rtools.simulate.guide.request import AcquisitionRequest
    from rtools.simulate.request import SimulationRequest

__all__ = ["AcquisitionPlan", "Smear", "StagePlan", "Steps", "ellipse_of", "plan_acquisition", "smear_of", "steps_of"]

STEPS = 24
"""Places of the star in a pair, at equal times."""

SCALE_MAS = 1000 * PIXEL_SCALE_ARCSEC
"""mas in a pixel, as jitter in metadata is applied."""

LOST_PIXELS = 40.0
"""So far off in x is a star that was lost."""


class Steps(NamedTuple):
    """Where the star of a stage is during its pairs, each ndarray float64 (n, k).

    Attributes
    ----------
    x, y : ndarray
        Pixels of the full frame.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StagePlan:
    """One stage of an acquisition as one detector sees it.

    Attributes
    ----------
    stage : Cycles
        When.
    corners : ndarray int64 (n, 2)
        First column and row of each pair's window.
    turned : ndarray float64 (3, n)
        Mean rotation in each pair, radians.
    steps : Steps
        Where the star is.
    faults : Faults
        What goes wrong.
    """

    stage: Cycles
    corners: NDArray[np.int64]
    turned: NDArray[np.float64]
    steps: Steps
    faults: Faults


class AcquisitionPlan(NamedTuple):
    """An acquisition as one detector sees it.

    Attributes
    ----------
    timeline : Timeline
        Of all detectors.
    motion : TelescopeMotion
        Likewise.
    star : GuideStar
        What is guided on.
    stages : tuple of StagePlan
        In the order of time.
    stream : tuple
        What random numbers of all detectors are keyed by.
    """

    timeline: Timeline
    motion: TelescopeMotion
    star: GuideStar
    stages: tuple[StagePlan, ...]
    stream: tuple[object, ...]

    @property
    def track(self) -> StagePlan:
        """The stage of tracking."""
        return self.stages[-1]


class Smear(NamedTuple):
    """How an exposure is smeared, covariances in mas², of 110 mas a pixel.

    Attributes
    ----------
    exposure : Exposed
        Which.
    pairs : int
        Of its reads, without those in which something goes wrong.
    x, y : float
        Mean place of the star, pixels of the full frame.
    slow, inside, total : ndarray float64 (3,)
        xx, yy, xy: of the means of pairs (n - 1), mean inside the pairs, and their sum.
    """

    exposure: Exposed
    pairs: int
    x: float
    y: float
    slow: NDArray[np.float64]
    inside: NDArray[np.float64]
    total: NDArray[np.float64]

    @property
    def kernel(self) -> tuple[float, float, float]:
        """The total as major, minor, mas, and position angle, degrees."""
        return ellipse_of(*self.total)


def ellipse_of(xx: float, yy: float, xy: float) -> tuple[float, float, float]:
    """Axes of a covariance.

    Parameters
    ----------
    xx, yy, xy : float
        Its elements.

    Returns
    -------
    (float, float, float)
        rms along the major and the minor axis, and the position angle of the former, degrees from +y toward +x.
    """
    values, vectors = np.linalg.eigh([[xx, xy], [xy, yy]])
    angle = np.rad2deg(np.arctan2(vectors[0, 1], vectors[1, 1])) % 180
    minor, major = np.sqrt(np.maximum(values, 0))
    return float(major), float(minor), float(angle)


def plan_acquisition(request: SimulationRequest, guide: AcquisitionRequest, star: GuideStar) -> AcquisitionPlan:
    """Everything about an acquisition that needs no pixels.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        Of its first exposure.
    guide : rtools.simulate.guide.request.AcquisitionRequest
        What is asked of the windows.
    star : GuideStar
        What is guided on.

    Returns
    -------
    AcquisitionPlan
        The same motion for every detector.
    """
    first = int(request.identity["observation.exposure"])
    timeline = draw_timeline(
        spectroscopic=request.dispersed,
        first=first,
        exposures=guide.exposures,
        reads=int(request.table.read_pattern[-1][-1]),
        gap=guide.gap,
    )
    visit = request.identity["observation.visit_id"]
    stream = ("guide", request.seed, visit, guide.acquisition, first)
    motion = draw_motion(guide, timeline, *stream)
    place = place_in_field(request.detector, star.x - BORDER, star.y - BORDER)
    stages = tuple(_stage(stage, timeline, motion, star, place, request, guide) for stage in timeline.stages)
    return AcquisitionPlan(timeline, motion, star, stages, stream)


def _stage(stage, timeline, motion, star, place, request, guide):
    """One stage as a detector sees it."""
    first = timeline.exposures[0].number
    index = np.maximum(np.abs(stage.mapping.astype(int)) - first, 0)
    last = len(timeline.exposures) - 1
    shifts = np.array([guide.shift(i) for i in range(last + 1)])[np.minimum(index, last)]
    x, y = star.centre
    whole, inverse = np.unique(shifts, axis=0, return_inverse=True)
    corners = np.array([corner_of(x + dx, y + dy, stage.table, request.size) for dx, dy in whole])
    corners = corners[inverse.ravel()]
    faults = no_faults(stage)
    if stage is timeline.track:
        faults = plant(timeline, guide.faults, _impacted(stage, corners, request))
    angles = turns(motion, stage.centre, _offsets(stage))
    steps = steps_of(angles, place, star)
    moved = Steps(steps.x + shifts[:, :1] + LOST_PIXELS * faults.lost[:, None], steps.y + shifts[:, 1:])
    return StagePlan(stage, corners, angles.mean(axis=2), moved, faults)


def _offsets(stage):
    """Times of the places in a pair from its centre, seconds."""
    return stage.table.exposure_s * ((np.arange(STEPS) + 0.5) / STEPS - 0.5)


def steps_of(angles: NDArray[np.float64], place: FieldPlace, star: GuideStar) -> Steps:
    """Where rotations move the star.

    Parameters
    ----------
    angles : ndarray float64 (3, n, k)
        Radians.
    place : rtools.wfi.fgs.FieldPlace
        Of the star in the field.
    star : GuideStar
        Where it is without a rotation.

    Returns
    -------
    Steps
        Pixels of the full frame.
    """
    dx, dy = displacement(place, *angles)
    return Steps(star.x + dx, star.y + dy)


def _impacted(stage, corners, request):
    """Pairs of reset reads whose block of rows holds the window."""
    upwards = detector_number(request.detector) % 3 == 0
    out = np.zeros(len(stage), bool)
    for corner in np.unique(corners[:, 1]):
        cycles = impacted_cycles(int(corner), int(corner) + stage.table.rows, size=request.size, upwards=upwards)
        out |= (corners[:, 1] == corner) & np.isin(stage.cycle, cycles)
    return out & stage.resetting


def smear_of(plan: AcquisitionPlan, exposure: int) -> Smear:
    """How an exposure is smeared.

    Parameters
    ----------
    plan : AcquisitionPlan
        Of the acquisition.
    exposure : int
        Index, from 0.

    Returns
    -------
    Smear
        From the places of the star while it collected light: the read that resets the detector is left out.
    """
    exposed = plan.timeline.exposures[exposure]
    track = plan.track
    faults = track.faults
    wrong = faults.lost | faults.reset_impacted | faults.sce | faults.low | faults.high | faults.missing
    used = (track.stage.mapping == exposed.number) & ~track.stage.resetting & ~wrong
    x, y = track.steps.x[used], track.steps.y[used]
    slow = _covariance(x.mean(axis=1), y.mean(axis=1)) * SCALE_MAS**2
    dx, dy = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    inside = np.array([(dx * dx).mean(), (dy * dy).mean(), (dx * dy).mean()]) * SCALE_MAS**2
    return Smear(exposed, int(used.sum()), float(x.mean()), float(y.mean()), slow, inside, slow + inside)


def _covariance(x, y):
    """xx, yy, xy, with n - 1."""
    if len(x) < 2:
        return np.zeros(3)
    (xx, xy), (_xy, yy) = np.cov(x, y)
    return np.array([xx, yy, xy])
