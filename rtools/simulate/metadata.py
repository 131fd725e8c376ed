"""Complete metadata of a simulated exposure.

What the name, the request and the instrument give is said; nothing else is made up: strings are ``?`` and numbers
-999999 where there is nothing to say. `meta.rtools.simulation` tells that the file is a simulation, and with what.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import UsageError
from rtools.products.schema import nodes
from rtools.products.schema.blocks import complete
from rtools.simulate import assumed, pointing
from rtools.wfi import instrument, siaf
from rtools.wfi.fill import FILL_NUMBER, FILL_STRING
from rtools.wfi.metadata import put
from rtools.wfi.times import MJD_OF_1970

if TYPE_CHECKING:
    from typing import Any

    from rtools.simulate.request import SimulationRequest

__all__ = ["ASSUMED_NOTE", "build", "moment_of", "simulation_of"]

ASSUMED_NOTE = (
    "simulated by rt-sim; sky, lamp, pedestal, 1/f noise, cosmic rays and the values of the built-in nominal "
    "instrument are assumed (rtools.simulate.assumed, rtools.reference.nominal), not measured"
)


def build(request: SimulationRequest, profile: str) -> dict[str, Any]:
    """Metadata that do not depend on the sky: everything but guide star and footprint.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        What is simulated.
    profile : str
        Which version of the schemas says what there must be (`rtools.products.schema.layout`).

    Returns
    -------
    dict
        Blocks of ``meta``, complete by the schema of an L1 product.

    Raises
    ------
    UsageError
        The date is not valid.
    """
    start = moment_of(request.date)
    meta: dict[str, Any] = {}
    for path, value in request.identity.items():
        put(meta, path, value)
    meta["exposure"] = _exposure(request, start)
    meta.setdefault("instrument", {}).update(
        name=instrument.NAME,
        detector=request.detector,
        optical_element=request.element,
        data_encoding_offset=request.encoding_offset,
    )
    meta.setdefault("observation", {}).update(_observation(request))
    meta["guide_star"] = _guide_star(request)
    meta["wcsinfo"] = _wcsinfo(request)
    meta.update(_motion(request, start))
    meta["pointing"] = _pointing(request, pointing.attitude(meta))
    meta["program"] = {"title": "Simulated exposure", "category": FILL_STRING, "subcategory": "None"}
    meta["visit"] = _visit(start)
    lamp = request.exposure_type in assumed.LAMP_E
    meta["rcs"] = {"active": lamp, "electronics": None, "bank": None, "led": None, "counts": 0}
    meta["rtools"] = {"simulation": simulation_of(request)}
    return complete("l1_uncal", meta, profile)


def simulation_of(request: SimulationRequest) -> dict[str, Any]:
    """What a product says of its simulation.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        What is simulated.

    Returns
    -------
    dict
        Note, seeds and sky; the references that were used are added later.
    """
    return {
        "note": ASSUMED_NOTE,
        "scene_seed": request.scene_seed,
        "seed": request.seed,
        "crowded": request.crowded,
        "sky_electron_per_s": request.sky,
    }


def _exposure(request, start):
    reads = request.table.read_pattern
    duration = request.frame_time * reads[-1][-1]
    numbered = request.table.number is not None
    return {
        "type": request.exposure_type,
        "start_time": nodes.time(_iso(start)),
        "end_time": nodes.time(_iso(start + timedelta(seconds=duration))),
        "engineering_quality": "OK",
        "ma_table_id": request.table.id if numbered else FILL_STRING,
        "ma_table_name": request.table.name if numbered else FILL_STRING,
        "ma_table_number": request.table.number if numbered else FILL_NUMBER,
        "nresultants": len(reads),
        "data_problem": None,
        "frame_time": request.frame_time,
        "exposure_time": duration,
        "effective_exposure_time": request.frame_time * float(np.mean(reads[-1])),
        "read_pattern": [list(map(int, resultant)) for resultant in reads],
        "truncated": False,
        "hga_move": False,
    }


def _observation(request):
    """Identifiers as the ground system forms them: visit, file group 01, sequence 1, activity 01, exposure."""
    visit, exposure = request.identity["observation.visit_id"], request.identity["observation.exposure"]
    return {
        "observation_id": f"{visit}01101{exposure:04d}",
        "visit_file_group": 1,
        "visit_file_sequence": 1,
        "visit_file_activity": "01",
        "wfi_parallel": False,
    }


def _visit(start):
    dither = {"primary_name": None, "subpixel_name": None, "executed_pattern": None}
    began = nodes.time(_iso(start))
    return {"type": "GENERIC", "start_time": began, "nexposures": 1, "internal_target": False, "dither": dither}


def _guide_star(request):
    return {
        "guide_window_id": request.identity["observation.visit_id"] + "1",
        "guide_mode": "WSM_TRK" if request.dispersed else "WIM_TRK",
        "guide_star_id": FILL_STRING,
        "epoch": FILL_STRING,
        "window_xstart": FILL_NUMBER,
        "window_ystart": FILL_NUMBER,
        "window_xstop": FILL_NUMBER,
        "window_ystop": FILL_NUMBER,
    }


def _wcsinfo(request):
    v2, v3 = instrument.WFI_CEN
    return {
        "aperture_name": "WFI_CEN",
        "v2_ref": v2,
        "v3_ref": v3,
        "vparity": siaf.PARITY,
        "v3yangle": instrument.V3_IDEAL_Y_ANGLE,
        "ra_ref": float(request.ra),
        "dec_ref": float(request.dec),
        "roll_ref": float(pointing.roll_of(request.pa)),
        "s_region": FILL_STRING,
    }


def _motion(request, start):
    """Ephemeris of the spacecraft at the start, and the aberration that its velocity makes."""
    mjd = (start - datetime(1970, 1, 1)) / timedelta(days=1) + MJD_OF_1970
    position, velocity = pointing.ephemeris(mjd)
    ephemeris = {"ephemeris_reference_frame": "ICRS", "type": "PREDICTED", "time": mjd}
    for axis, place, speed in zip("xyz", position, velocity, strict=True):
        ephemeris |= {f"spatial_{axis}": float(place), f"velocity_{axis}": float(speed)}
    scale, ra, dec = pointing.aberration_scale(request.ra, request.dec, velocity)
    return {
        "ephemeris": ephemeris,
        "velocity_aberration": {"scale_factor": scale, "ra_reference": ra, "dec_reference": dec},
    }


def _pointing(request, attitude):
    ra, dec, angle = attitude.boresight()
    return {
        "pa_aperture": float(request.pa),
        "pointing_engineering_source": "PLANNED",
        "ra_v1": ra,
        "dec_v1": dec,
        "pa_v3": angle,
        "target_aperture": "WFI_CEN",
        "target_ra": float(request.ra),
        "target_dec": float(request.dec),
    }


def moment_of(text: str) -> datetime:
    """The moment of a date as users write it.

    Parameters
    ----------
    text : str
        ISO; without an offset it is UTC.

    Returns
    -------
    datetime
        UTC, without a time zone.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--date {text}: not a valid date", mend="write it as 2027-01-01T00:00:00") from None
    offset = moment.utcoffset()
    return (moment if offset is None else moment - offset).replace(tzinfo=None)


def _iso(moment):
    return moment.isoformat(timespec="milliseconds")
