"""Metadata of guide windows and of FACE, and what an exposure says of its guide star."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.products.schema import nodes
from rtools.products.schema.blocks import complete
from rtools.simulate.guide import assumed
from rtools.simulate.guide.face import PHASES_OF
from rtools.simulate.guide.plan import AcquisitionPlan
from rtools.simulate.guide.star import GuideStar, corner_of, tracking_table
from rtools.wfi import instrument
from rtools.wfi.guide import BLOCKS

if TYPE_CHECKING:
    from rtools.simulate.guide.request import AcquisitionRequest
    from rtools.simulate.request import SimulationRequest
    from rtools.simulate.seen import Seen

__all__ = [
    "AcquisitionNames",
    "begin_of",
    "face_metadata",
    "id_of_star",
    "science_metadata",
    "times_of",
    "window_metadata",
]


class AcquisitionNames(NamedTuple):
    """Files of an acquisition.

    Attributes
    ----------
    windows : mapping of str to str
        Detector to the name of its guide-window file.
    face : str
        Name of the FACE file.
    """

    windows: Mapping[str, str]
    face: str


def begin_of(start: datetime, plan: AcquisitionPlan) -> datetime:
    """When the acquisition begins.

    Parameters
    ----------
    start : datetime
        When the first exposure does, UTC.
    plan : AcquisitionPlan
        Its time line.

    Returns
    -------
    datetime
        UTC.
    """
    return start - timedelta(seconds=plan.timeline.exposures[0].start)


def times_of(begin: datetime, seconds: NDArray[np.float64]) -> list[nodes.TaggedStr]:
    """Time nodes.

    Parameters
    ----------
    begin : datetime
        UTC.
    seconds : ndarray float64 (n,)
        Since then.

    Returns
    -------
    list of TaggedStr
        To a microsecond.
    """
    since = np.rint(np.asarray(seconds) * 1e6).astype("timedelta64[us]")
    # To a microsecond: the cycle is no whole number of milliseconds.
    texts = np.datetime_as_string(np.datetime64(begin, "us") + since, unit="us")
    return [nodes.TaggedStr(str(text), nodes.TIME_TAG) for text in texts]


def _time(begin, seconds):
    return times_of(begin, np.array([seconds]))[0]


def id_of_star(ra: float, dec: float) -> str:
    """A name of a star, eleven characters made of its position.

    Parameters
    ----------
    ra, dec : float
        Degrees.

    Returns
    -------
    str
        Hundredths of a degree of RA, N or S, and 1/500 of a degree of Dec.
    """
    return f"{round(ra * 100) % 36000:05d}{'N' if dec >= 0 else 'S'}{round(abs(dec) * 500):05d}"


def window_metadata(
    request: SimulationRequest,
    guide: AcquisitionRequest,
    plan: AcquisitionPlan,
    found: Seen | None,
    *,
    begin: datetime,
    names: AcquisitionNames,
    rate: float,
    profile: str,
) -> dict[str, Any]:
    """Metadata of a guide-window file.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        Of the first exposure.
    guide : rtools.simulate.guide.request.AcquisitionRequest
        What was asked for.
    plan : AcquisitionPlan
        Of the acquisition.
    found : Seen or None
        The sources.
    begin : datetime
        The time line begins, UTC.
    names : AcquisitionNames
        Files of the acquisition.
    rate : float
        Electrons per second of the star.
    profile : str
        Which version of the schemas.

    Returns
    -------
    dict
        Complete.
    """
    meta = _common(request, guide, plan, begin)
    meta["avg_face_filename"] = names.face
    meta["instrument"] = {
        "name": instrument.NAME,
        "detector": request.detector,
        "optical_element": request.element,
    }
    meta["guide_window"] = {}
    for each in plan.stages:
        table, key = each.stage.table, "edge_acq" if each.stage.name == "edge" else each.stage.name
        meta[f"{key}_ma_table_id"] = table.id
        meta[f"{key}_gw_cycles_per_sci_read"] = BLOCKS
        meta[f"{key}_pedestal_resultant_exp_time"] = table.pedestal_s
        meta[f"{key}_signal_resultant_exp_time"] = table.signal_s
        low, high = each.corners.min(axis=0), each.corners.max(axis=0) + np.array([table.columns, table.rows])
        window = {f"min_{key}_{axis}start": int(value) for axis, value in zip("xy", low, strict=True)}
        window |= {f"max_{key}_{axis}stop": int(value) for axis, value in zip("xy", high, strict=True)}
        meta["guide_window"] |= window | {f"{key}_xsize": table.columns, f"{key}_ysize": table.rows}
    meta["guide_star"] = _star(plan, found, rate)
    return complete("l1_gw", meta, profile)


def _common(request, guide, plan, begin):
    """What guide windows and FACE both say."""
    phases = PHASES_OF[request.dispersed]
    meta: dict[str, Any] = {
        "fgs_modes_used": [word for each in plan.stages for word in phases[each.stage.name]],
        "guide_star_acq_num": guide.acquisition,
        "t_start": _time(begin, 0.0),
        "t_stop": _time(begin, plan.timeline.duration),
        "guide_window_id": f"{request.identity['observation.visit_id']}{guide.acquisition}",
    }
    if request.dispersed:
        meta["wsm_edge_used"] = assumed.EDGE_USED
    return meta


def _star(plan, found, rate):
    """The guide star; nothing is said of a window without one but where it is."""
    star: dict[str, Any] = {"predicted_x": plan.star.x, "predicted_y": plan.star.y, "pseudo_star_flag": "Y"}
    if found is None or plan.star.source is None:
        return star
    index = plan.star.source
    ra, dec = float(found.stars.ra[index]), float(found.stars.dec[index])
    return star | {
        "pseudo_star_flag": "N",
        "gsc_id": id_of_star(ra, dec),
        "predicted_ra": ra,
        "predicted_dec": dec,
        "predicted_fgs_mag": float(found.magnitude[index]),
        "predicted_count_rate": float(rate),
        "gaia_parallax": 0.0,
        "ra_pm": 0.0,
        "dec_pm": 0.0,
    }


def face_metadata(
    request: SimulationRequest,
    guide: AcquisitionRequest,
    plan: AcquisitionPlan,
    *,
    begin: datetime,
    names: AcquisitionNames,
    profile: str,
) -> dict[str, Any]:
    """Metadata of a FACE file; parameters as `window_metadata`.

    Parameters
    ----------
    request, guide, plan, begin, names, profile
        As there.

    Returns
    -------
    dict
        Complete.
    """
    meta = _common(request, guide, plan, begin)
    phases = PHASES_OF[request.dispersed]
    tables = [each.stage.table.id for each in plan.stages for _word in phases[each.stage.name]]
    used = {name: "GUIDE" if name in names.windows else "SKY_FIXED" for name in instrument.DETECTORS}
    meta |= {
        "optical_element": request.element,
        "ma_table_ids_used": tables,
        "gw_cycles_per_sci_read_used": [BLOCKS] * len(tables),
        "detector_gw_files": {name: names.windows.get(name) for name in instrument.DETECTORS},
        "expected_gw_acquisitions": dict(used),
        "expected_gw_tracking": dict(used),
    }
    return complete("l1_face", meta, profile)


def science_metadata(request: SimulationRequest, star: GuideStar, found: Seen | None) -> dict[str, Any]:
    """What an exposure says of its guide window, in ``meta.guide_star``.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        Of the exposure.
    star : GuideStar
        What is guided on.
    found : Seen or None
        The sources.

    Returns
    -------
    dict
        The window, and which star it is on; nothing where there is to be no window.
    """
    if request.guide_window is None and request.guide is None:
        return {}
    table = tracking_table(request.dispersed)
    x, y = corner_of(*star.centre, table, request.size)
    about: dict[str, Any] = {"window_xstart": x, "window_ystart": y}
    about |= {"window_xstop": x + table.columns, "window_ystop": y + table.rows}
    if found is not None and star.source is not None:
        about["guide_star_id"] = id_of_star(float(found.stars.ra[star.source]), float(found.stars.dec[star.source]))
    return about
