"""The pointing of an exposure with its files: attitude from telemetry or elsewhere, velocity from the metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from rtools.astrometry import aberration, pointing
from rtools.astrometry.quaternions import mean_quaternion
from rtools.errors import InputError, UsageError
from rtools.products.tables import engineering
from rtools.wfi import siaf
from rtools.wfi.fill import FILL_STRING, NOT_APPLICABLE
from rtools.wfi.metadata import exposure_mjd, get, refuse_impossible, require, usable

__all__ = [
    "PointingRequest",
    "Sample",
    "aberration_keywords",
    "pointing_keywords",
    "samples",
    "samples_between",
    "solve_sample",
]

VELOCITY = ("ephemeris.velocity_x", "ephemeris.velocity_y", "ephemeris.velocity_z")

ROUNDING = 1e-9
"""Scale factors that differ by less are the same."""


class PointingRequest(NamedTuple):
    """What is asked of the pointing.

    Attributes
    ----------
    quaternion : tuple of float or None
        ECI to body.
    telemetry : tuple of rtools.products.tables.engineering.Attitudes or None
        ECI to body, body to FGS.
    allow_default : bool
        Do with `quaternion`, or with that of the file, where the telemetry has nothing.
    fgs : tuple of float or None
        Body to FGS; goes before that of the telemetry.
    guide_star : tuple of float or None
        H, V; by default that of the file.
    tolerance : float
        Seconds around an exposure.
    which : str
        Of several samples: ``average``, ``first`` or ``all``.
    """

    quaternion: tuple[float, ...] | None = None
    telemetry: tuple[engineering.Attitudes, engineering.Attitudes] | None = None
    allow_default: bool = False
    fgs: tuple[float, ...] | None = None
    guide_star: tuple[float, ...] | None = None
    tolerance: float = 60.0
    which: str = "average"


class Sample(NamedTuple):
    """One attitude.

    Attributes
    ----------
    mjd : float
        When, Modified Julian Date (UTC).
    quaternion : tuple of float
        ECI to body.
    fgs : tuple of float or None
        Body to FGS; None for that before launch.
    source : str
        CALCULATED (from telemetry) or PLANNED.
    """

    mjd: float
    quaternion: tuple[float, ...]
    fgs: tuple[float, ...] | None
    source: str


def samples(meta: Mapping[str, Any], request: PointingRequest, log: Callable[[str, str], None]) -> list[Sample]:
    """The attitudes of an exposure: one, or with ``which="all"`` one for each sample of the telemetry.

    Parameters
    ----------
    meta : dict
        Metadata of the exposure, which say when it was taken.
    request : PointingRequest
        Where attitudes come from.
    log : callable
        ``log(level, text)``: is warned where the telemetry has nothing, and that is allowed.

    Returns
    -------
    list of Sample
        Never empty.

    Raises
    ------
    InputError
        The telemetry has nothing there.
    UsageError
        Nothing says the attitude.
    """
    start, end = exposure_mjd(meta)
    if request.telemetry is not None:
        found = samples_between(request, start, end)
        if found:
            return found
        if not request.allow_default:
            mend = f"none within {request.tolerance:g} s (--tolerance); --allow-default does without"
            raise InputError("the engineering table has no attitude during the exposure", mend=mend)
        log("warning", "the engineering table has no attitude during the exposure")
    if request.allow_default and not request.quaternion:
        refuse_impossible(meta, "pointing.quaternion")
    quaternion = request.quaternion or (get(meta, "pointing.quaternion") if request.allow_default else None)
    if quaternion is None:
        asked = "the file has no pointing.quaternion" if request.allow_default else "no attitude"
        raise UsageError(asked, mend="give --quaternion Q1 Q2 Q3 Q4 or --engineering TABLE")
    return [Sample((start + end) / 2, tuple(quaternion), request.fgs, "PLANNED")]


def samples_between(request: PointingRequest, start: float, end: float) -> list[Sample]:
    """Attitudes of the telemetry within an interval.

    Parameters
    ----------
    request : PointingRequest
        Its `telemetry`, `which` and `tolerance`; its `fgs` goes before that of the telemetry, whose mean is taken.
    start, end : float
        Modified Julian Dates (UTC).

    Returns
    -------
    list of Sample
        The average at the middle of the interval, the first, or all; empty where there is no telemetry.
    """
    if request.telemetry is None:
        return []
    body, fgs = (engineering.during(attitudes, start, end, request.tolerance) for attitudes in request.telemetry)
    if len(body.mjd) == 0:
        return []
    to_fgs = request.fgs or (mean_quaternion(fgs.quaternion) if len(fgs.mjd) else None)
    if request.which == "average":
        return [Sample((start + end) / 2, mean_quaternion(body.quaternion), to_fgs, "CALCULATED")]
    count = 1 if request.which == "first" else len(body.mjd)
    return [Sample(float(body.mjd[n]), tuple(body.quaternion[n]), to_fgs, "CALCULATED") for n in range(count)]


def solve_sample(
    meta: Mapping[str, Any], sample: Sample, request: PointingRequest, log: Callable[[str, str], None]
) -> pointing.Solution:
    """Where an exposure points with one attitude.

    Parameters
    ----------
    meta : dict
        Metadata of the exposure: aperture, detector, velocity, and the guide star's place where `request` has none.
    sample : Sample
        The attitude.
    request : PointingRequest
        Its `guide_star`.
    log : callable
        ``log(level, text)``: is warned of what is not known, and of a boresight alignment that is not applied.

    Returns
    -------
    rtools.astrometry.pointing.Solution
        Attitude, V1 and the aperture's reference point.

    Raises
    ------
    InputError, UsageError
        The metadata do not name aperture and detector, or the attitude is not valid.
    """
    require(meta, "wcsinfo.aperture_name", "instrument.detector")
    bam = get(meta, "ref_file.bam")
    if sample.fgs is None and bam not in (None, "", FILL_STRING, NOT_APPLICABLE):
        log("warning", f"the boresight alignment {bam} is not applied: body to FGS is that before launch")
    return pointing.solve(
        sample.quaternion,
        meta["wcsinfo"]["aperture_name"],
        meta["instrument"]["detector"],
        guide_star=_guide_star(meta, request, log),
        body_to_fgs=sample.fgs,
        velocity=_velocity_or_none(meta, log),
    )


def _guide_star(meta, request, log=None):
    position = request.guide_star or usable(
        meta, "guide_star.hv_position", log, "the star is taken to be at its aperture"
    )
    return None if position is None else tuple(float(value) for value in position)


def _velocity_or_none(meta, log):
    try:
        return _velocity(meta, log)
    except InputError as error:
        log("warning", f"{error.message}: velocity aberration is not taken out")
        return None


def _velocity(meta, log):
    start, _end = exposure_mjd(meta)
    velocity, odd = aberration.checked_velocity([get(meta, key) for key in VELOCITY], start)
    if odd:
        log("warning", odd)
    return velocity


def pointing_keywords(
    meta: Mapping[str, Any], request: PointingRequest, log: Callable[[str, str], None]
) -> dict[str, Any]:
    """What the metadata are to say of a pointing.

    Parameters
    ----------
    meta : dict
        Metadata of the exposure; not changed.
    request : PointingRequest
        Where the attitude comes from; of several samples the average is taken.
    log : callable
        ``log(level, text)``: is warned of what was made for another pointing, and of what is not known.

    Returns
    -------
    dict of str to object
        Dotted key below ``meta`` to its value.

    Raises
    ------
    InputError, UsageError
        There is no attitude, or it is not valid.
    """
    sample = samples(meta, request._replace(which="average"), log)[0]
    solution = solve_sample(meta, sample, request, log)
    target = get(meta, "pointing.target_aperture")
    try:
        siaf.aperture(target)
    except UsageError:
        log("warning", f"target aperture {target!r} is not known: pointing.target_ra, target_dec stay as they are")
        target = None
    said = pointing.keywords(solution, source=sample.source, target=target, guide_star=_guide_star(meta, request))
    _warn_of_old(meta, solution, log)
    return said


def _warn_of_old(meta, solution, log):
    """Say what was made for another pointing."""
    if meta.get("wcs") is not None:
        log("warning", "its WCS is that of the pointing before; rt-assignwcs makes it anew")
    try:
        velocity, _odd = aberration.checked_velocity([get(meta, key) for key in VELOCITY])
    except InputError:
        return
    wanted = aberration.aberration(solution.reference.ra, solution.reference.dec, velocity).scale
    scale = get(meta, "velocity_aberration.scale_factor")
    if not isinstance(scale, int | float) or abs(scale - wanted) > ROUNDING:
        log("warning", "velocity_aberration is that of another position; rt-aberration sets it")


def aberration_keywords(meta: Mapping[str, Any], log: Callable[[str, str], None]) -> dict[str, float]:
    """Scale factor of the velocity aberration, and apparent reference position.

    Parameters
    ----------
    meta : dict
        Metadata of the exposure: its reference position, its velocity, and when it was taken; not changed.
    log : callable
        ``log(level, text)``: is warned of a velocity that is odd, and of a WCS that was made with another scale.

    Returns
    -------
    dict of str to float
        `velocity_aberration.scale_factor`, `ra_reference` and `dec_reference` (degrees) by dotted key below ``meta``.

    Raises
    ------
    InputError
        No velocity, or one that cannot be; no reference position.
    """
    require(meta, "wcsinfo.ra_ref", "wcsinfo.dec_ref")
    ra, dec = (meta["wcsinfo"][key] for key in ("ra_ref", "dec_ref"))
    found = aberration.aberration(ra, dec, _velocity(meta, log))
    if meta.get("wcs") is not None:
        log("warning", "its WCS is that of the scale before; rt-assignwcs makes it anew")
    return {
        "velocity_aberration.scale_factor": found.scale,
        "velocity_aberration.ra_reference": found.ra,
        "velocity_aberration.dec_reference": found.dec,
    }
