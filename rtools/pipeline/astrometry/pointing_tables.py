"""Tables of the pointing: what files say of theirs, and where V1 points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rtools.astrometry import aberration, pointing
from rtools.errors import InputError
from rtools.pipeline.astrometry.pointing import PointingRequest, samples, samples_between, solve_sample
from rtools.products.schema import history
from rtools.wfi.metadata import exposure_mjd, require, usable

__all__ = ["report", "v1_from_table", "v1_of_file"]

MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)


def report(meta: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Target, V1 and reference point of an exposure as its metadata say them, and their separations in degrees.

    Parameters
    ----------
    meta : dict
        Metadata of the exposure, with the blocks `pointing` and `wcsinfo`.
    name : str
        What its file is called.

    Returns
    -------
    dict of str to object
        The row of a table: angles in degrees; None where a value is missing or cannot be.

    Raises
    ------
    InputError
        One of the two blocks is missing.
    """
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


def v1_of_file(
    meta: Mapping[str, Any], name: str, request: PointingRequest, log: Callable[[str, str], None]
) -> list[dict[str, Any]]:
    """Rows of V1: calculated where an attitude is given, else as the metadata say.

    Parameters
    ----------
    meta : dict
        Metadata of the exposure.
    name : str
        What its file is called.
    request : PointingRequest
        Where attitudes come from, if from anywhere but the metadata.
    log : callable
        As in `samples`.

    Returns
    -------
    list of dict
        file, source, obstime (ISO, UTC), ra, dec and pa_v3 (degrees) of each sample.

    Raises
    ------
    InputError, UsageError
        There is no attitude, or the metadata do not say V1.
    """
    if request.quaternion is None and request.telemetry is None and not request.allow_default:
        require(meta, "pointing.ra_v1", "pointing.dec_v1", "pointing.pa_v3")
        told = meta["pointing"]
        when = sum(exposure_mjd(meta)) / 2
        v1 = told["ra_v1"], told["dec_v1"], told["pa_v3"]
        return [_v1_row(told.get("pointing_engineering_source"), name, when, v1)]
    rows = []
    for sample in samples(meta, request, log):
        v1 = solve_sample(meta, sample, request, log).v1
        rows.append(_v1_row(sample.source, name, sample.mjd, v1))
    return rows


def v1_from_table(start: float, end: float, request: PointingRequest, aperture: str) -> list[dict[str, Any]]:
    """Rows of V1 at the samples of an engineering table between two dates.

    The velocity is that of the second Lagrange point, the guide star at the aperture's reference point.

    Parameters
    ----------
    start, end : float
        Modified Julian Dates (UTC).
    request : PointingRequest
        Its `telemetry` has the attitudes; a `guide_star` goes before the reference point.
    aperture : str
        Name of the aperture at whose reference point the guide star is taken to be.

    Returns
    -------
    list of dict
        As `v1_of_file` gives them, without the file.

    Raises
    ------
    InputError
        There is none.
    """
    found = samples_between(request, start, end)
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
