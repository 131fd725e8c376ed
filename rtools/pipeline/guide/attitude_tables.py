"""The attitude of guide windows as tables: rotations, stars, motion at detectors, FACE beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.guide import Comparison
from rtools.pipeline.guide.attitude import StarAttitude, compare_with_face, motion_at_detectors
from rtools.pipeline.guide.columns import GuideColumn, make_table
from rtools.wfi.units import DAY_S, MAS, RADIAN_ARCSEC

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["TABLES", "attitude_table", "comparison_table", "detectors_table", "stars_table", "summary_of"]

TURNS = ("delta", "epsilon", "zeta")

_EXPOSURE = GuideColumn("exposure", None, "Exposure of the visit; 0 where unknown", "int32")
_DETECTOR = GuideColumn("detector", None, "Detector", "U5")

ATTITUDE = (
    GuideColumn("mjd", "d", "Mean time of the pairs of the cycle, UTC"),
    GuideColumn("t", "s", "The same since meta.t_start"),
    _EXPOSURE,
    *(GuideColumn(name, "rad", f"Rotation about F{axis}, mean 0 an exposure") for axis, name in enumerate(TURNS, 1)),
    *(GuideColumn(f"{name}_var", "rad2", f"Variance of {name}") for name in TURNS),
    GuideColumn("delta_mas", "mas", "delta"),
    GuideColumn("epsilon_mas", "mas", "epsilon"),
    GuideColumn("zeta_arcsec", "arcsec", "zeta"),
    GuideColumn("stars", None, "Stars that were used", "int32"),
    GuideColumn("chi2", None, "Chi-square per degree of freedom of the cycle"),
)  # fmt: skip
"""A row a cycle (`rt-gw attitude`)."""

STARS = (
    _DETECTOR,
    _EXPOSURE,
    GuideColumn("x", "pix", "Median place of the star in the frame of 4096, from 0"),
    GuideColumn("y", "pix", "Median place of the star in the frame of 4096, from 0"),
    GuideColumn("field_x", "arcsec", "Its angle along F1 from the line of sight"),
    GuideColumn("field_y", "arcsec", "Its angle along F2 from the line of sight"),
    GuideColumn("cycles", None, "Cycles in which it was measured", "int32"),
    GuideColumn("rejected", None, "Cycles in which it was thrown out", "int32"),
    GuideColumn("left_out", None, "Whether it was thrown out of the whole exposure", "bool"),
    GuideColumn("rms_x", "mas", "What the rotations leave of its motion along x"),
    GuideColumn("rms_y", "mas", "What the rotations leave of its motion along y"),
    GuideColumn("expected_x", "mas", "What its errors let expect"),
    GuideColumn("expected_y", "mas", "What its errors let expect"),
    GuideColumn("chi2", None, "Mean square of the residuals by their errors, per axis"),
)
"""A row a star and exposure (`rt-gw attitude --show stars`)."""

MOTION = ("rms_x", "rms_y", "rms_radial", "corr", "noise_x", "noise_y", "drift_x", "drift_x_err", "drift_y",
          "drift_y_err")  # fmt: skip

DETECTOR_MOTION = (
    _DETECTOR,
    GuideColumn("star", None, "Whether the detector has a star of its own", "bool"),
    _EXPOSURE,
    GuideColumn("cycles", None, "Cycles of which the motion is measured", "int32"),
    GuideColumn("rms_x", "mas", "Motion along x at the centre of the detector, noise taken out"),
    GuideColumn("rms_y", "mas", "Motion along y at the centre of the detector, noise taken out"),
    GuideColumn("rms_radial", "mas", "Square root of the sum of both squares"),
    GuideColumn("corr", None, "Correlation of the motion along x and y"),
    GuideColumn("noise_x", "mas", "Noise of the prediction along x"),
    GuideColumn("noise_y", "mas", "Noise of the prediction along y"),
    GuideColumn("drift_x", "mas / s", "Slope of a line along x"),
    GuideColumn("drift_x_err", "mas / s", "Its standard deviation"),
    GuideColumn("drift_y", "mas / s", "Slope of a line along y"),
    GuideColumn("drift_y_err", "mas / s", "Its standard deviation"),
    GuideColumn("jitter_major", "mas", "Major axis of the kernel, rms, 110 mas a pixel, as guide_star.jitter_major"),
    GuideColumn("jitter_minor", "mas", "Minor axis of the kernel, rms"),
    GuideColumn("jitter_position_angle", "deg", "From +y towards +x"),
    GuideColumn("own_rms_x", "mas", "Motion of the star of the detector along x, noise taken out"),
    GuideColumn("own_rms_y", "mas", "Motion of the star of the detector along y, noise taken out"),
)
"""A row a detector and exposure (`rt-gw attitude --show detectors`)."""

COMPARISON = (
    GuideColumn("what", None, "A rotation, or the detector of a star", "U8"),
    GuideColumn("unit", None, "Of rms and expected", "U8"),
    GuideColumn("rms", None, "Of the difference of both attitudes, about its mean in each exposure"),
    GuideColumn("expected", None, "What both errors let expect"),
    GuideColumn("sign", None, "Sign of the slope; 0 where the correlation is below 0.3", "int32"),
    GuideColumn("slope", None, "Of what the stars say over what FACE says; the noise of FACE is taken out"),
    GuideColumn("slope_err", None, "Its standard deviation"),
    GuideColumn("correlation", None, "Of both"),
    GuideColumn("lag", "s", "By how much the stars are later"),
    GuideColumn("pairs", None, "Times at which there are both", "int32"),
)
"""A row a rotation, then a row a star (`rt-gw attitude --show comparison`)."""


def _about(solution: StarAttitude) -> dict[str, Any]:
    star = solution.stars[0]
    return {
        "guide_window_id": star.window_id,
        "optical_element": star.element,
        "t_start_mjd": star.t_start_mjd,
        "detectors": ",".join(one.track.name for one in solution.stars),
    }


def attitude_table(solution: StarAttitude) -> Table:
    """A row for every cycle.

    Parameters
    ----------
    solution : StarAttitude
        The attitude.

    Returns
    -------
    astropy.table.Table
        Columns as `ATTITUDE`.
    """
    found = solution.attitude
    variances = np.where(found.covariance > 0, found.covariance, np.nan)
    values = {
        "mjd": solution.stars[0].t_start_mjd + found.t / DAY_S,
        "t": found.t,
        "exposure": found.exposure,
        **{name: getattr(found, name) for name in TURNS},
        **{f"{name}_var": variances[:, axis, axis] for axis, name in enumerate(TURNS)},
        "delta_mas": found.delta / MAS,
        "epsilon_mas": found.epsilon / MAS,
        "zeta_arcsec": found.zeta * RADIAN_ARCSEC,
        "stars": found.stars,
        "chi2": found.chi2,
    }
    return make_table(ATTITUDE, values, _about(solution))


def stars_table(solution: StarAttitude) -> Table:
    """A row for every star in every exposure.

    Parameters
    ----------
    solution : StarAttitude
        The attitude.

    Returns
    -------
    astropy.table.Table
        Columns as `STARS`.
    """
    stars = {star.track.name: star for star in solution.stars}
    rows = []
    for fit in solution.attitude.fits:
        star, values = stars[fit.name], fit._asdict()
        values["detector"] = values.pop("name")
        place = star.track.place
        rows.append(values | {"x": star.x, "y": star.y, "field_x": place.x, "field_y": place.y})
    return make_table(STARS, rows, _about(solution))


def detectors_table(solution: StarAttitude) -> Table:
    """A row for every detector in every exposure.

    Parameters
    ----------
    solution : StarAttitude
        The attitude.

    Returns
    -------
    astropy.table.Table
        Columns as `DETECTOR_MOTION`.
    """
    rows = []
    for one in motion_at_detectors(solution):
        major, minor, angle = one.kernel.ellipse if one.kernel else (np.nan, np.nan, np.nan)
        row = {"detector": one.detector, "star": one.own is not None, "exposure": one.exposure,
               "cycles": one.motion.used}  # fmt: skip
        row |= {name: getattr(one.motion, name) for name in MOTION}
        row |= {"jitter_major": major, "jitter_minor": minor, "jitter_position_angle": angle}
        row |= {f"own_rms_{axis}": getattr(one.own, f"rms_{axis}") if one.own else np.nan for axis in "xy"}
        rows.append(row)
    return make_table(DETECTOR_MOTION, rows, _about(solution))


def comparison_table(solution: StarAttitude) -> Table:
    """FACE beside the stars: a row for every rotation, and a row for every star.

    Parameters
    ----------
    solution : StarAttitude
        With FACE.

    Returns
    -------
    astropy.table.Table
        Columns as `COMPARISON`.

    Raises
    ------
    InputError
        There is no FACE.
    """
    axes, followers = compare_with_face(solution)
    units = ("mas", "mas", "arcsec")
    rows = [
        {"what": name, "unit": unit, "rms": turn.rms, "expected": turn.expected} | _followed(turn.comparison)
        for (name, turn), unit in zip(axes._asdict().items(), units, strict=True)
    ]
    rows += [
        {"what": one.detector, "unit": "", "rms": np.nan, "expected": np.nan} | _followed(one.comparison)
        for one in followers
    ]
    return make_table(COMPARISON, rows, _about(solution))


def _followed(found: Comparison) -> dict[str, Any]:
    values = found._asdict()
    values["lag"] = values.pop("lag_s")
    return values


def summary_of(solution: StarAttitude) -> dict[str, Any]:
    """What ``--json`` says of an attitude.

    Parameters
    ----------
    solution : StarAttitude
        The attitude.

    Returns
    -------
    dict
        Stars, cycles, median errors, stars that were left out; FACE where it is there.
    """
    found = solution.attitude
    errors = []
    for axis, unit in enumerate((MAS, MAS, 1 / RADIAN_ARCSEC)):
        fitted = found.covariance[found.covariance[:, axis, axis] > 0, axis, axis]
        errors.append(float(np.sqrt(np.median(fitted))) / unit if len(fitted) else np.nan)
    said = {
        "stars": [star.track.name for star in solution.stars],
        "cycles": int((found.stars >= 2).sum()),
        "delta_err": errors[0],
        "epsilon_err": errors[1],
        "zeta_err": errors[2],
        "left_out": [{"detector": fit.name, "exposure": fit.exposure} for fit in found.fits if fit.left_out],
    }
    if solution.face is None:
        return said | {"face": None}
    axes, _ = compare_with_face(solution)
    return said | {"face": {name: {"rms": turn.rms, "expected": turn.expected} | _followed(turn.comparison)
                            for name, turn in axes._asdict().items()}}  # fmt: skip


TABLES = {
    "attitude": attitude_table,
    "stars": stars_table,
    "detectors": detectors_table,
    "comparison": comparison_table,
}
"""What ``--show`` says to the function that makes it."""
