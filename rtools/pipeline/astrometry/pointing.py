"""The pointing of an exposure with its files: attitude from telemetry or elsewhere, velocity from the metadata."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from rtools.astrometry import aberration, pointing
from rtools.errors import InputError, UsageError
from rtools.products.schema import history
from rtools.products.tables import engineering
from rtools.wfi import siaf
from rtools.wfi.fill import FILL_STRING, NOT_APPLICABLE
from rtools.wfi.metadata import exposure_mjd, get, refuse_impossible, require, usable

__all__ = [
    "PointingRequest",
    "Sample",
    "aberration_keywords",
    "pointing_keywords",
    "report",
    "samples",
    "v1_from_table",
    "v1_of_file",
]

VELOCITY = ("ephemeris.velocity_x", "ephemeris.velocity_y", "ephemeris.velocity_z")

MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)

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

    quaternion: tuple | None = None
    telemetry: tuple | None = None
    allow_default: bool = False
    fgs: tuple | None = None
    guide_star: tuple | None = None
    tolerance: float = 60.0
    which: str = "average"


class Sample(NamedTuple):
    """One attitude: when (MJD), ECI to body, body to FGS or None, CALCULATED or PLANNED."""

    mjd: float
    quaternion: tuple
    fgs: tuple | None
    source: str


def samples(meta, request, log):
    """The attitudes of an exposure: one, or with ``which="all"`` one for each sample of the telemetry.

    Returns
    -------
    list of Sample

    Raises
    ------
    InputError
        The telemetry has nothing there.
    UsageError
        Nothing says the attitude.
    """
    start, end = exposure_mjd(meta)
    if request.telemetry is not None:
        found = _sampled(request, start, end)
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


def _sampled(request, start, end):
    body, fgs = (engineering.during(attitudes, start, end, request.tolerance) for attitudes in request.telemetry)
    if len(body.mjd) == 0:
        return []
    to_fgs = request.fgs or (pointing.mean_quaternion(fgs.quaternion) if len(fgs.mjd) else None)
    if request.which == "average":
        return [Sample((start + end) / 2, pointing.mean_quaternion(body.quaternion), to_fgs, "CALCULATED")]
    count = 1 if request.which == "first" else len(body.mjd)
    return [Sample(float(body.mjd[n]), tuple(body.quaternion[n]), to_fgs, "CALCULATED") for n in range(count)]


def _solved(meta, sample, request, log):
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


def pointing_keywords(meta, request, log):
    """What the metadata are to say of a pointing, by dotted key below ``meta``.

    Raises
    ------
    InputError, UsageError
        There is no attitude, or it is none.
    """
    sample = samples(meta, request._replace(which="average"), log)[0]
    solution = _solved(meta, sample, request, log)
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


def aberration_keywords(meta, log):
    """Scale factor and apparent reference position, by dotted key below ``meta``.

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


# -- tables -----------------------------------------------------------------------------------------------------------


def report(meta, name):
    """Target, V1 and reference point of an exposure as its metadata say them, and their separations in degrees."""
    require(meta, "pointing", "wcsinfo")
    told = meta["pointing"]
    target = usable(meta, "pointing.target_ra"), usable(meta, "pointing.target_dec")
    v1 = usable(meta, "pointing.ra_v1"), usable(meta, "pointing.dec_v1")
    reference = usable(meta, "wcsinfo.ra_ref"), usable(meta, "wcsinfo.dec_ref")
    return {
        "file": name,
        "source": told.get("pointing_engineering_source"),
        "target_aperture": told.get("target_aperture"),
        "target_ra": target[0],
        "target_dec": target[1],
        "ra_v1": v1[0],
        "dec_v1": v1[1],
        "pa_v3": usable(meta, "pointing.pa_v3"),
        "aperture": meta["wcsinfo"].get("aperture_name"),
        "ra_ref": reference[0],
        "dec_ref": reference[1],
        "roll_ref": usable(meta, "wcsinfo.roll_ref"),
        "target_to_v1": pointing.separation(target, v1),
        "target_to_ref": pointing.separation(target, reference),
        "v1_to_ref": pointing.separation(v1, reference),
    }


def v1_of_file(meta, name, request, log):
    """Rows of V1: calculated where an attitude is given, else as the metadata say."""
    if request.quaternion is None and request.telemetry is None and not request.allow_default:
        require(meta, "pointing.ra_v1", "pointing.dec_v1", "pointing.pa_v3")
        told = meta["pointing"]
        when = sum(exposure_mjd(meta)) / 2
        v1 = told["ra_v1"], told["dec_v1"], told["pa_v3"]
        return [_v1_row(told.get("pointing_engineering_source"), name, when, v1)]
    rows = []
    for sample in samples(meta, request, log):
        v1 = _solved(meta, sample, request, log).v1
        rows.append(_v1_row(sample.source, name, sample.mjd, v1))
    return rows


def v1_from_table(start, end, request, aperture):
    """Rows of V1 at the samples of an engineering table between two dates (MJD).

    The velocity is that of the second Lagrange point, the guide star at the aperture's reference point.

    Raises
    ------
    InputError
        There is none.
    """
    found = _sampled(request, start, end)
    if not found:
        raise InputError("the engineering table has no attitude between these times")
    rows = []
    for sample in found:
        velocity = aberration.spacecraft_velocity(sample.mjd)
        solution = pointing.solve(
            sample.quaternion,
            aperture,
            "WFI01",
            guide_star=request.guide_star,
            body_to_fgs=sample.fgs,
            velocity=velocity,
        )
        rows.append(_v1_row(sample.source, None, sample.mjd, solution.v1))
    return rows


def _v1_row(source, name, mjd, v1):
    return {
        **({} if name is None else {"file": name}),
        "source": source,
        "obstime": _iso(mjd),
        "ra": v1[0],
        "dec": v1[1],
        "pa_v3": v1[2],
    }


def _iso(mjd):
    return history.stamp(MJD_ZERO + timedelta(days=mjd))
