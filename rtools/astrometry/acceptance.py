"""Whether a match is believed: enough sources and stars, no chance, and a correction that can be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.astrometry import fit as fitting

if TYPE_CHECKING:
    from rtools.astrometry.fields import Field, PointingLimits
    from rtools.astrometry.match import Match

__all__ = ["hopeless", "refusal"]


def hopeless(fields: Sequence[Field], minimum: int) -> str:
    """Why no match can be tried, or nothing.

    Parameters
    ----------
    fields : sequence of rtools.astrometry.fields.Field
        The images and the reference stars around them.
    minimum : int
        Fewest matches that will do.

    Returns
    -------
    str
        The reason, one line; empty where a match can be tried.
    """
    sources = sum(len(field.xy) for field in fields)
    references = sum(len(field.ref_xy) for field in fields)
    for count, what in ((sources, "sources in the catalog"), (references, "reference stars near the image")):
        if count < minimum:
            return f"not enough matches: {count or 'no'} {what}, {minimum} needed"
    if not any(len(field.xy) and len(field.ref_xy) for field in fields):
        return "not enough matches: no image has both sources and reference stars"
    return ""


def refusal(match: Match, limits: PointingLimits, options: Mapping[str, Any], error: float) -> str:
    """Why a match is not accepted, or nothing.

    Parameters
    ----------
    match : rtools.astrometry.match.Match
        What was found.
    limits : rtools.astrometry.fields.PointingLimits
        The middle of the field, and the point about which the telescope may be turned.
    options : mapping of str to object
        What is accepted, as `rtools.astrometry.steps.tweakreg` declares: minobj, and the options named max-….
    error : float
        Predicted error of the correction at the worst corner of the images, mas.

    Returns
    -------
    str
        The first reason that is found, one line; empty where the match is accepted.
    """
    fit, fitted = match.fit, int(match.fitted.sum())
    told = fitting.derived(fit.matrix)
    shift = _shift(fit, limits)
    minimum = max(options["minobj"], fitting.MINIMUM[fit.geometry])
    if match.log_chance > math.log10(max(options["max_chance"], 1e-300)):
        chance = f"{10**match.log_chance:.2g}"
        return (
            f"not enough matches: {len(match.source)} of {match.candidates} reference stars may have matched by "
            f"chance (probability {chance}, limit {options['max_chance']:g})"
        )
    if fitted < minimum:
        return f"not enough matches: {fitted} left after clipping, {minimum} needed"
    if not told["proper"]:
        return "the fit is a reflection"
    checks = (
        (shift, options["max_shift"], "shift", '"'),
        (abs(told["proper_rot"]), options["max_rotation"], "rotation", " degrees"),
        (abs(told["<scale>"] - 1), options["max_scale"], "|scale - 1|", ""),
        (1000 * fit.rmse, options["max_rmse"], "rmse", " mas"),
        (error, options["max_rmse"], "predicted error at the worst corner", " mas"),
    )
    for value, limit, what, unit in checks:
        if not value <= limit:
            return f"{what} of {value:.4g}{unit} is above the limit of {limit:g}{unit}"
    return ""


def _shift(fit, limits):
    """Displacement of the middle of the field, with or without what the rotation about WFI_CEN does to it."""
    moved = fit.apply(limits.center) - limits.center
    angle = -np.deg2rad(fitting.derived(fit.matrix)["proper_rot"])
    arm = limits.center - limits.pivot
    return float(min(np.hypot(*moved), np.hypot(*(moved - (fitting.turn(angle) @ arm - arm)))))
