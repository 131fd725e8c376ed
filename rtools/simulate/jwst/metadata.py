"""Metadata of a simulated exposure of JWST, as they are below ``meta`` in the data model.

What the name, the request and the instrument give is said, and what mission software asks for; nothing else is made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.jwst.instrument import detector_facts
from rtools.products import names
from rtools.simulate.jwst.clock import barycentric, heliocentric_delay, iso
from rtools.wfi.sphere import to_plane
from rtools.wfi.units import DAY_S, DEGREE_ARCSEC

if TYPE_CHECKING:
    from rtools.simulate.jwst.clock import Clock
    from rtools.simulate.jwst.light import Target
    from rtools.simulate.jwst.request import JwstRequest
    from rtools.simulate.jwst.view import JwstView

__all__ = ["identity_of", "metadata_of"]

SAMPLE_TIME_US = 10.0
"""Time of one pixel, TSAMPLE."""

TEMPLATES = {
    "NRC_IMAGE": "NIRCam Imaging",
    "NRC_TSIMAGE": "NIRCam Time Series",
    "NRC_CORON": "NIRCam Coronagraphic Imaging",
    "NRC_DARK": "NIRCam Dark",
    "NIS_IMAGE": "NIRISS Imaging",
    "NIS_AMI": "NIRISS Aperture Masking Interferometry",
    "NIS_DARK": "NIRISS Dark",
}


def metadata_of(request: JwstRequest, clock: Clock, view: JwstView, target: Target | None = None) -> dict[str, Any]:
    """Metadata of an exposure.

    Parameters
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    clock : rtools.simulate.jwst.clock.Clock
        When.
    view : rtools.simulate.jwst.view.JwstView
        Where it looks.
    target : rtools.simulate.jwst.light.Target, optional
        The star on the reference point.

    Returns
    -------
    dict
        Nested, plain values.
    """
    position, velocity = view.ephemeris
    scale, ra_apparent, dec_apparent = view.aberration
    ra_v1, dec_v1, pa_v3 = view.plane.attitude.boresight()
    facts, part = detector_facts(request.detector), request.part
    name = facts.aperture if part.name == "FULL" else f"{facts.aperture.rsplit('_', 1)[0]}_{part.name}"
    axes = {f"spatial_{axis}_bary": float(value) for axis, value in zip("xyz", position, strict=True)}
    motion = {f"velocity_{axis}_bary": float(value) for axis, value in zip("xyz", velocity, strict=True)}
    return {
        "telescope": "JWST",
        "time_sys": "UTC",
        "time_unit": "s",
        "bunit_data": "DN",
        "observation": _observation(request, clock),
        "program": {"title": "Simulated exposure", "pi_name": "UNKNOWN", "category": "CAL"},
        "visit": _visit(request, clock),
        "target": _target(request, target),
        "instrument": _instrument(request, facts),
        "exposure": _exposure(request, clock, view),
        "subarray": _subarray(request, facts),
        "dither": {
            "primary_type": "NONE",
            "position_number": 1,
            "total_points": 1,
            "pattern_start": 1,
            "x_offset": 0.0,
            "y_offset": 0.0,
        },
        "aperture": {"name": name, "pps_name": name, "position_angle": request.pa},
        "coordinates": {"reference_frame": "ICRS"},
        "ephemeris": {"reference_frame": "ICRS", "type": "Predicted", "time": view.moment, **axes, **motion},
        "pointing": {"ra_v1": ra_v1, "dec_v1": dec_v1, "pa_v3": pa_v3},
        "velocity_aberration": {"scale_factor": scale, "va_ra_ref": ra_apparent, "va_dec_ref": dec_apparent},
        "wcsinfo": view.wcsinfo | _header_wcs(view, facts),
        "time": _time(clock, view),
    }


def identity_of(request: JwstRequest, clock: Clock) -> dict[str, Any]:
    """What references are chosen by.

    Parameters
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    clock : rtools.simulate.jwst.clock.Clock
        When.

    Returns
    -------
    dict
        Some of the metadata, nested.
    """
    facts = detector_facts(request.detector)
    read = {"type": request.exposure_type, "readpatt": request.pattern.name, "noutputs": request.part.outputs}
    return {
        "telescope": "JWST",
        "observation": _observation(request, clock),
        "instrument": _instrument(request, facts),
        "exposure": read,
        "subarray": _subarray(request, facts),
    }


def _observation(request, clock):
    parsed = names.parse(f"{request.root}_{request.suffix}.fits")
    begin = iso(clock.starts[0])
    date, time = begin.split("T")
    visit = f"{parsed.program}{parsed.observation}{parsed.visit}"
    return {
        "date": date,
        "time": time,
        "date_beg": begin,
        "date_end": iso(clock.ends[-1]),
        "obs_id": f"V{visit}{parsed.visit_group}{parsed.parallel_seq}{parsed.activity}",
        "visit_id": visit,
        "program_number": parsed.program,
        "observation_number": parsed.observation,
        "visit_number": parsed.visit,
        "visit_group": parsed.visit_group,
        "sequence_id": parsed.parallel_seq,
        "activity_id": parsed.activity,
        "exposure_number": str(int(parsed.exposure)),
        "template": TEMPLATES[request.exposure_type],
    }


def _visit(request, clock):
    return {
        "type": "PRIME_TARGETED_FIXED",
        "start_time": iso(clock.starts[0]).replace("T", " "),
        "status": "SUCCESSFUL",
        "total_exposures": 1,
        "internal_target": False,
        "too_visit": False,
        "tsovisit": request.exposure_type == "NRC_TSIMAGE",
        "engdb_pointing_quality": "PLANNED",
    }


def _target(request, target):
    name = "SIMULATED STAR" if target is not None else "SIMULATED FIELD"
    return {
        "proposer_name": name,
        "catalog_name": name,
        "type": "FIXED",
        "ra": request.ra,
        "dec": request.dec,
        "proposer_ra": request.ra,
        "proposer_dec": request.dec,
        "ra_uncertainty": 0.0,
        "dec_uncertainty": 0.0,
        "proper_motion_ra": 0.0,
        "proper_motion_dec": 0.0,
        "proper_motion_epoch": "2000.0",
        "source_type_apt": "POINT" if target is not None else "UNKNOWN",
    }


def _instrument(request, facts):
    told = {"name": facts.instrument.upper(), "detector": facts.name, "filter": request.filter_wheel,
            "pupil": request.pupil_wheel}  # fmt: skip
    return told | {key: value for key, value in (("module", facts.module), ("channel", facts.channel)) if value}


def _exposure(request, clock, view):
    frame, groups, integrations = request.frame_time, request.groups, request.integrations
    effective, pattern = request.integration_time, request.pattern
    duration = effective * integrations + frame * (integrations - 1)
    middle = clock.middle
    tdb = [float(value) for value in barycentric(np.array([clock.starts[0], middle, clock.ends[-1]]), view)]
    begin, end = float(clock.starts[0]), float(clock.ends[-1])
    return {
        "type": request.exposure_type,
        "count": 1,
        "prime_parallel": "PRIME",
        "start_time": begin,
        "mid_time": middle,
        "end_time": end,
        "start_time_mjd": begin,
        "mid_time_mjd": middle,
        "end_time_mjd": end,
        "start_time_tdb": tdb[0],
        "mid_time_tdb": tdb[1],
        "end_time_tdb": tdb[2],
        "readpatt": pattern.name,
        "nints": integrations + ("nints" in request.faults),
        "integration_start": 1,
        "integration_end": integrations,
        "ngroups": groups,
        "nframes": pattern.nframes,
        "frame_divisor": pattern.nframes,
        "groupgap": pattern.groupgap,
        "nsamples": 1,
        "sample_time": SAMPLE_TIME_US,
        "frame_time": frame,
        "group_time": request.group_time,
        "integration_time": effective,
        "exposure_time": effective * integrations,
        "effective_exposure_time": effective * integrations,
        "elapsed_exposure_time": duration,
        "measurement_time": request.group_time * (groups - 1) * integrations
        if groups > 1
        else effective * integrations,
        "duration": duration,
        "nresets_at_start": 1,
        "nresets_between_ints": 1,
        "noutputs": request.part.outputs,
        "drop_frames1": 0,
        "drop_frames3": 0,
        "zero_frame": False,
        "data_problem": False,
        "segment_number": 1,
        "segment_total": 1,
    }


def _subarray(request, facts):
    part = request.part
    return {
        "name": part.name,
        "xstart": part.x,
        "ystart": part.y,
        "xsize": part.columns,
        "ysize": part.rows,
        "fastaxis": facts.fast_axis,
        "slowaxis": facts.slow_axis,
    }


def _time(clock, view):
    times = np.array([clock.starts[0], clock.middle, clock.ends[-1]])
    there = barycentric(times, view)
    delay = heliocentric_delay(view)
    told = {"barycentric_correction": float((there[1] - times[1]) * DAY_S), "heliocentric_correction": delay}
    for key, bary, utc in zip(("expstart", "expmid", "expend"), there, times, strict=True):
        told |= {f"barycentric_{key}": float(bary), f"heliocentric_{key}": float(utc + delay / DAY_S)}
    return told


def _header_wcs(view, facts):
    """The tangent plane at the reference point, for the header; the distortion is left out."""
    info = view.wcsinfo
    x, y = info["siaf_xref_sci"] - 1, info["siaf_yref_sci"] - 1
    places = view.plane.attitude.to_sky(*view.plane.transform(x + np.array([0, 1, 0]), y + np.array([0, 0, 1])))
    xi, eta = to_plane(places[0], places[1], (places[0][0], places[1][0]))
    steps = np.rad2deg([[xi[1], xi[2]], [eta[1], eta[2]]])
    scales = facts.x_scale / DEGREE_ARCSEC, facts.y_scale / DEGREE_ARCSEC
    return {
        "wcsaxes": 2,
        "crpix1": x + 1,
        "crpix2": y + 1,
        "crval1": float(places[0][0]),
        "crval2": float(places[1][0]),
        "ctype1": "RA---TAN",
        "ctype2": "DEC--TAN",
        "cunit1": "deg",
        "cunit2": "deg",
        "cdelt1": scales[0],
        "cdelt2": scales[1],
        "pc1_1": float(steps[0, 0] / scales[0]),
        "pc1_2": float(steps[0, 1] / scales[0]),
        "pc2_1": float(steps[1, 0] / scales[1]),
        "pc2_2": float(steps[1, 1] / scales[1]),
    }
