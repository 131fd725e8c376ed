"""The motion of each exposure as a table, and the kernel that smears its images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.guide import (
    JitterKernel,
    Motion,
    count_causes,
    exposure_kernel,
    measure_motion,
    measure_scatter,
    sum_widths,
    turn_covariance,
)
from rtools.pipeline.guide.columns import JITTER, make_table
from rtools.pipeline.guide.measure import Measured
from rtools.pipeline.guide.request import GuideRequest
from rtools.pipeline.guide.series import track_of
from rtools.pipeline.guide.tables import about
from rtools.wfi.guide import DROPPED_BY_PHOTOMETRY
from rtools.wfi.units import MAS, RADIAN_ARCSEC

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.products.guide import Face, Guide
    from rtools.work import Work

__all__ = ["ExposureJitter", "jitter_of", "jitter_table"]

FEWEST_OF_CLAIM, MOST_OF_CLAIM = 0.5, 2.0
"""Scatter of downlinked centroids by their errors outside of which the errors are doubted: that the three numbers are
variances in square pixels is assumed (`rtools.wfi.guide.ASSUMED`)."""

KINDS = {"none": "slow", "window": "window"}
"""What a kernel holds by ``--high-frequency``; a number is ``added``."""


class ExposureJitter(NamedTuple):
    """The motion of one exposure.

    Attributes
    ----------
    exposure : int
        Its number; negative between exposures.
    motion : rtools.guide.Motion
        On the sky along the axes of the detector, mas.
    kernel : rtools.guide.JitterKernel or None
        What smears the images; None where the motion is not known.
    row : dict
        Values of the columns of `columns.JITTER`.
    """

    exposure: int
    motion: Motion
    kernel: JitterKernel | None
    row: dict[str, Any]


def jitter_of(
    guide: Guide, measured: Measured, request: GuideRequest, work: Work, *, face: Face | None = None, gaps: bool = False
) -> list[ExposureJitter]:
    """The motion of each exposure of a file.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    measured : Measured
        Of its tracking.
    request : GuideRequest
        Which flags keep a pair out, and what the kernel holds.
    work : rtools.work.Work
        Log.
    face : rtools.products.guide.Face, optional
        The attitude of the same acquisition.
    gaps : bool
        Whether what lies between exposures gets rows, too.

    Returns
    -------
    list of ExposureJitter
        In the order of time.

    Raises
    ------
    InputError
        The kernel is to hold the width of the star, and that is not known well enough.
    """
    track = track_of(measured, request)
    numbers = dict.fromkeys(int(one) for one in track.exposure if one >= 0 or gaps)
    return [_one(guide, measured, track, number, request, work, face) for number in numbers]


def _one(guide, measured, track, number, request, work, face):
    """The motion of one exposure."""
    which = track.exposure == number
    mine = track.chosen(which)
    stage, pairs = measured.stage, measured.pairs[which]
    motion = measure_motion(mine.t, mine.x, mine.y, mine.covariance, mine.used, cycle_s=stage.cycle_s)
    if motion.bounded:
        work.log("warning", f"{guide.path}: exposure {number}: the noise exceeds the motion, which is taken for 0")
    counted = which.copy()
    counted[which] = mine.used
    width = sum_widths(measured.centroids, counted) if measured.psf is not None else None
    kernel = _kernel(measured, motion, width, request, f"exposure {number}")
    row = {
        "guide_window_id": guide.window_id,
        "detector": guide.detector,
        "element": guide.element,
        "exposure": number,
        "start": stage.mjd[pairs[0]],
        "stop": stage.mjd[pairs[-1]],
        "pairs": motion.pairs,
        "used": motion.used,
    }
    row |= {f"dropped_{flag.name.lower()}": count for flag, count in count_causes(mine.use).items() if flag.name}
    row |= _place(measured, counted) | _motion(motion) | _width(measured, width) | _ellipse(kernel, request)
    row |= _light(measured, which, request) | _downlinked(measured, track, which) | _face(face, row)
    ratio = _claimed(measured, track, which, row["downlink_scatter"])
    if ratio < FEWEST_OF_CLAIM or ratio > MOST_OF_CLAIM:
        said = f"downlinked centroids scatter {ratio:.2g} times as much as their errors let expect"
        work.log("warning", f"{guide.path}: exposure {number}: {said}")
    return ExposureJitter(number, motion, kernel, row)


def _kernel(measured, motion, width, request, called):
    """The kernel in the plane of the pixels; None without a motion."""
    if not np.isfinite(motion.xx):
        return None
    slow = turn_covariance([motion.xx, motion.yy, motion.xy], np.linalg.inv(measured.angles)).tolist()
    reference = measured.psf.jitter if measured.psf is not None else (0.0, 0.0, 0.0)
    try:
        return exposure_kernel(slow, high_frequency=request.high_frequency, width=width, reference=reference)
    except InputError as error:
        error.message = f"{called}: {error.message}"
        raise


def _place(measured, counted):
    found = measured.centroids
    there = counted.any()
    return {axis: float(np.mean(getattr(found, axis)[counted])) if there else np.nan for axis in "xy"}


def _motion(motion):
    """Columns of the motion that are called as its fields."""
    names = ("rms_x", "rms_y", "rms_radial", "corr", "noise_x", "noise_y", "drift_x", "drift_x_err", "drift_y",
             "drift_y_err", "rms_line_x", "rms_line_y", "excursion_max", "excursion_95", "gaps")  # fmt: skip
    return {name: getattr(motion, name) for name in names}


def _width(measured, width):
    """What the width of the star says, on the sky."""
    names = ("high_xx", "high_yy", "high_xy")
    if width is None:
        return {column: np.nan for name in names for column in (name, f"{name}_err")}
    values = turn_covariance([width.xx, width.yy, width.xy], measured.angles)
    # Each pixel is 104 to 110 mas wide in both directions; the errors need no more than that.
    scale = np.array([measured.angles[0, 0] ** 2, measured.angles[1, 1] ** 2, np.linalg.det(measured.angles)])
    errors = np.sqrt(np.diag(width.covariance)) * scale
    return {column: value for name, one, error in zip(names, values, errors, strict=True)
            for column, value in ((name, float(one)), (f"{name}_err", float(error)))}  # fmt: skip


def _ellipse(kernel, request):
    kind = KINDS.get(request.high_frequency, "added")
    if kernel is None:
        return {"jitter_major": np.nan, "jitter_minor": np.nan, "jitter_position_angle": np.nan, "kind": kind}
    major, minor, angle = kernel.ellipse
    return {"jitter_major": major, "jitter_minor": minor, "jitter_position_angle": angle, "kind": kind}


def _light(measured, which, request):
    """Mean and scatter of the light."""
    found, seconds = measured.centroids, measured.stage.exptime or np.nan
    used = which & ((measured.use & request.dropped(DROPPED_BY_PHOTOMETRY)) == 0)
    scatter = measure_scatter(found.flux[used] / seconds, found.flux_err[used] / seconds)
    return {"flux": scatter.flux, "flux_rms_ppm": scatter.found_ppm, "flux_expected_ppm": scatter.expected_ppm}


def _downlinked(measured, track, which):
    """Downlinked centroids beside ours: their offset, their scatter about ours, the motion that they give."""
    down, pairs = measured.stage.downlinked(), measured.pairs[which]
    found, angles = measured.centroids, measured.angles
    offset = np.stack([down.x[pairs] - found.x[which], down.y[pairs] - found.y[which]])
    both = track.used[which] & np.isfinite(offset).all(axis=0)
    if both.sum() < 2:
        names = ("downlink_dx", "downlink_dy", "downlink_scatter", "downlink_rms_x", "downlink_rms_y")
        return dict.fromkeys(names, np.nan)
    places = angles @ np.stack([down.x[pairs] - down.x[pairs][both][0], down.y[pairs] - down.y[pairs][both][0]])
    motion = measure_motion(track.t[which], places[0], places[1], None, both, cycle_s=measured.stage.cycle_s)
    scatter = np.sqrt((angles @ offset[:, both]).var(axis=1, ddof=1).mean())
    dx, dy = offset[:, both].mean(axis=1)
    return {"downlink_dx": dx, "downlink_dy": dy, "downlink_scatter": scatter, "downlink_rms_x": motion.rms_x,
            "downlink_rms_y": motion.rms_y}  # fmt: skip


def _claimed(measured, track, which, scatter):
    """Scatter of the difference to the downlinked centroids, by what their errors and ours let expect."""
    down, pairs, found = measured.stage.downlinked(), measured.pairs[which], measured.centroids
    variance = np.stack([down.xx[pairs] + found.xx[which], down.yy[pairs] + found.yy[which]])
    both = track.used[which] & np.isfinite(variance).all(axis=0) & (variance > 0).all(axis=0)
    if not both.any():
        return np.nan
    side = np.sqrt(np.linalg.det(measured.angles))
    return float(scatter / (side * np.sqrt(variance[:, both].mean())))


def _face(face, row):
    """Motion of FACE in the time of the exposure."""
    units = (("delta", 1 / MAS), ("epsilon", 1 / MAS), ("zeta", RADIAN_ARCSEC))
    if face is None:
        return {f"face_rms_{name}": np.nan for name, _ in units}
    inside = face.good & (face.mjd >= row["start"]) & (face.mjd <= row["stop"])
    enough = inside.sum() > 1
    return {
        f"face_rms_{name}": float(np.std(getattr(face, name)[inside], ddof=1) * unit) if enough else np.nan
        for name, unit in units
    }


def jitter_table(guide: Guide, found: list[ExposureJitter], request: GuideRequest) -> Table:
    """A row for every exposure.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    found : list of ExposureJitter
        Of its exposures.
    request : GuideRequest
        How they were measured.

    Returns
    -------
    astropy.table.Table
        Columns as `columns.JITTER`.
    """
    return make_table(JITTER, [one.row for one in found], about(guide, request))
