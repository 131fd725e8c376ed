"""The attitude from the guide windows of many detectors: stars of files, motion at detectors, FACE beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.guide import (
    AttitudeComparison,
    FaceSeries,
    GuideAttitude,
    JitterKernel,
    Motion,
    StarTrack,
    compare_attitudes,
    exposure_kernel,
    fit_attitude,
    measure_motion,
    predict_motion,
    turn_covariance,
)
from rtools.pipeline.guide.faces import face_beside
from rtools.pipeline.guide.follow import Follower, compare_star, series_of
from rtools.pipeline.guide.instrument import stretch_of
from rtools.pipeline.guide.measure import Measured, measure_stage
from rtools.pipeline.guide.request import GuideRequest
from rtools.pipeline.guide.series import Track, track_of
from rtools.products.guide import open_guide
from rtools.wfi.fgs import place_in_field
from rtools.wfi.frame import BORDER, CENTRE
from rtools.wfi.instrument import DETECTORS
from rtools.wfi.units import DAY_S

if TYPE_CHECKING:
    from rtools.products.guide import Face, Guide
    from rtools.work import Work

__all__ = [
    "DetectorMotion",
    "StarAttitude",
    "TrackedStar",
    "compare_with_face",
    "motion_at_detectors",
    "read_stars",
    "solve",
]


class TrackedStar(NamedTuple):
    """The star of one guide-window file.

    Attributes
    ----------
    window_id, element : str
        Acquisition and optical element.
    t_start_mjd : float
        From which all times count.
    cycle_s : float
        Seconds from a pair to the next.
    x, y : float
        Its median place, 0-based in the frame of 4096.
    track : rtools.guide.StarTrack
        Its centroids, pixels.
    motion : Track
        The same on the sky along the axes of the detector, mas.
    """

    window_id: str
    element: str
    t_start_mjd: float
    cycle_s: float
    x: float
    y: float
    track: StarTrack
    motion: Track


class StarAttitude(NamedTuple):
    """The attitude of an acquisition.

    Attributes
    ----------
    stars : tuple of TrackedStar
        What it was made of.
    attitude : rtools.guide.GuideAttitude
        Rotations.
    cycle_s : float
        Seconds from a cycle to the next.
    face : rtools.guide.FaceSeries or None
        FACE, its times from the same begin.
    """

    stars: tuple[TrackedStar, ...]
    attitude: GuideAttitude
    cycle_s: float
    face: FaceSeries | None


class DetectorMotion(NamedTuple):
    """Motion at the centre of a detector in an exposure.

    Attributes
    ----------
    detector : str
        ``WFI01`` …
    exposure : int
        Number of the exposure.
    motion : rtools.guide.Motion
        By the rotations; on the sky along the axes of the detector, mas.
    kernel : rtools.guide.JitterKernel or None
        What smears the images; None where the motion is not known.
    own : rtools.guide.Motion or None
        Of the star of the detector itself; None without one.
    """

    detector: str
    exposure: int
    motion: Motion
    kernel: JitterKernel | None
    own: Motion | None


def read_stars(
    paths: Sequence[str], request: GuideRequest, work: Work, face_path: str | None = None
) -> tuple[list[TrackedStar], Face | None]:
    """Measure the stars of guide-window files.

    Parameters
    ----------
    paths : sequence of str
        Files of one acquisition, one a detector.
    request : GuideRequest
        How they are measured.
    work : rtools.work.Work
        Threads and log.
    face_path : str, optional
        The FACE file; by default the first that a file names and that is beside it.

    Returns
    -------
    list of TrackedStar
        One for each file, whether the star was found or not.
    rtools.products.guide.Face or None
        None where it is not there.

    Raises
    ------
    InputError
        A file cannot be read, or the files are not of one acquisition, or two of them are of one detector.
    """
    stars: list[TrackedStar] = []
    attitude = None
    for path in paths:
        with open_guide(path) as guide:
            _refuse_stranger(guide, stars)
            measured = measure_stage(guide, "track", request, work)
            stars.append(_star(guide, measured, request, stars[0].t_start_mjd if stars else guide.t_start_mjd))
            if attitude is None:
                attitude = face_beside(guide, face_path)
    if face_path is not None and attitude is not None and attitude.window_id != stars[0].window_id:
        raise InputError("is of another acquisition than the guide windows", path=face_path)
    return stars, attitude


def _refuse_stranger(guide: Guide, stars: list[TrackedStar]) -> None:
    """Refuse a file that does not go with those before it."""
    if guide.detector not in DETECTORS:
        raise InputError("the file does not say its detector", path=guide.path)
    if stars and guide.window_id != stars[0].window_id:
        message = f"is of guide window {guide.window_id or '?'}, the first file of {stars[0].window_id or '?'}"
        raise InputError(message, mend="give files of one acquisition", path=guide.path)
    if guide.detector in [star.track.name for star in stars]:
        raise InputError(f"a second file of {guide.detector}", path=guide.path)


def _star(guide: Guide, measured: Measured, request: GuideRequest, t_start_mjd: float) -> TrackedStar:
    """What was measured of a file; pairs outside of exposures do not count."""
    stage, found, motion = measured.stage, measured.centroids, track_of(measured, request)
    t = motion.t + (guide.t_start_mjd - t_start_mjd) * DAY_S
    used = motion.used & (motion.exposure >= 0) & np.isfinite(t)
    x, y = (float(np.median(axis[used])) if used.any() else CENTRE + BORDER for axis in (found.x, found.y))
    place = place_in_field(guide.detector, x - BORDER, y - BORDER)
    track = StarTrack(
        guide.detector, place, t, motion.exposure.astype(np.int64), found.x, found.y, found.xx, found.yy, found.xy, used
    )
    motion = motion._replace(t=t, used=used)
    return TrackedStar(guide.window_id, guide.element, t_start_mjd, stage.cycle_s, x, y, track, motion)


def solve(stars: Sequence[TrackedStar], face: Face | None = None) -> StarAttitude:
    """The attitude of every cycle.

    Parameters
    ----------
    stars : sequence of TrackedStar
        Of one acquisition.
    face : rtools.products.guide.Face, optional
        FACE of it.

    Returns
    -------
    StarAttitude

    Raises
    ------
    InputError
        Fewer than two stars have pairs that count.
    """
    cycles = [star.cycle_s for star in stars if np.isfinite(star.cycle_s)]
    cycle_s = float(np.median(cycles)) if cycles else np.nan
    attitude = fit_attitude([star.track for star in stars], cycle_s=cycle_s)
    series = None if face is None else series_of(face, t_start_mjd=stars[0].t_start_mjd)
    return StarAttitude(tuple(stars), attitude, cycle_s, series)


def motion_at_detectors(solution: StarAttitude) -> list[DetectorMotion]:
    """Motion at the centre of every detector, with or without a star, in every exposure.

    Parameters
    ----------
    solution : StarAttitude
        The attitude.

    Returns
    -------
    list of DetectorMotion
        Detector after detector.
    """
    stars = {star.track.name: star for star in solution.stars}
    numbers = np.unique(solution.attitude.exposure).tolist()
    return [one for detector in DETECTORS for one in _motion_at(solution, detector, stars.get(detector), numbers)]


def _motion_at(solution, detector, star, numbers):
    """Motion at one detector in each exposure."""
    attitude, place = solution.attitude, place_in_field(detector, CENTRE, CENTRE)
    angles = 1000 * stretch_of(place.jacobian)
    moved = predict_motion(attitude, place)
    x, y = angles @ np.stack([moved.dx, moved.dy])
    noise = turn_covariance(np.stack([moved.xx, moved.yy, moved.xy], axis=1), angles)
    for number in numbers:
        here = attitude.exposure == number
        motion = measure_motion(attitude.t[here], x[here], y[here], noise[here], np.isfinite(x[here]),
                                cycle_s=solution.cycle_s)  # fmt: skip
        kernel = None
        if np.isfinite(motion.xx):
            slow = turn_covariance([motion.xx, motion.yy, motion.xy], np.linalg.inv(angles))
            kernel = exposure_kernel(slow.tolist())
        yield DetectorMotion(detector, int(number), motion, kernel, _own(star, number))


def _own(star, number):
    """Motion of the star itself in an exposure."""
    if star is None or not (star.motion.used & (star.motion.exposure == number)).any():
        return None
    mine = star.motion.chosen(star.motion.exposure == number)
    return measure_motion(mine.t, mine.x, mine.y, mine.covariance, mine.used, cycle_s=star.cycle_s)


def compare_with_face(solution: StarAttitude) -> tuple[AttitudeComparison, list[Follower]]:
    """The attitude of FACE beside that of the stars, and the stars beside the motion that FACE predicts.

    Parameters
    ----------
    solution : StarAttitude
        With FACE.

    Returns
    -------
    rtools.guide.AttitudeComparison
        About each axis.
    list of Follower
        How each star follows: slopes of +1 or -1 confirm frame and scale.

    Raises
    ------
    InputError
        There is no FACE.
    """
    if solution.face is None:
        raise InputError("no FACE file beside the guide windows", mend="--face names it")
    followers = []
    for star in solution.stars:
        track = star.track
        measured = track.t[track.used], np.stack([track.x, track.y], axis=1)[track.used]
        found = compare_star(solution.face, track.place, measured, track.exposure[track.used], cycle_s=solution.cycle_s)
        followers.append(Follower(track.name, found))
    return compare_attitudes(solution.face, solution.attitude, cycle_s=solution.cycle_s), followers
