"""What was measured of guide windows as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.guide import turn_covariance
from rtools.pipeline.guide.columns import FACE, PAIRS, make_table
from rtools.wfi.fgs import FieldPlace, displacement
from rtools.wfi.units import MAS, RADIAN_ARCSEC

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.pipeline.guide.measure import Measured
    from rtools.pipeline.guide.request import GuideRequest
    from rtools.products.guide import Face, Guide

__all__ = ["about", "face_table", "pairs_table"]


def about(guide: Guide, request: GuideRequest | None = None) -> dict[str, Any]:
    """What a table says of the file that it is of.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    request : GuideRequest, optional
        How it was measured.

    Returns
    -------
    dict
        Plain values.
    """
    said = {
        "guide_window_id": guide.window_id,
        "detector": guide.detector,
        "optical_element": guide.element,
        "t_start_mjd": guide.t_start_mjd,
    }
    if request is not None:
        said |= {"centroid": request.centroid, "amp33": request.amp33, "linearity": request.linearity}
    return said


def pairs_table(guide: Guide, measured: Sequence[Measured], request: GuideRequest) -> Table:
    """A row for every pair.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    measured : sequence of Measured
        Of its stages.
    request : GuideRequest
        How they were measured.

    Returns
    -------
    astropy.table.Table
        Columns as `columns.PAIRS`.
    """
    parts = [_pair_columns(one) for one in measured if len(one.pairs)]
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    return make_table(PAIRS, values, about(guide, request))


def _pair_columns(measured: Measured) -> dict[str, Any]:
    """Columns of the pairs of a stage; light by the exposure time of a pair, widths on the sky."""
    stage, pairs, found = measured.stage, measured.pairs, measured.centroids
    seconds = np.full(len(pairs), np.nan if stage.exptime is None else stage.exptime)
    down = stage.downlinked()
    widths = turn_covariance(np.stack([found.width_xx, found.width_yy, found.width_xy], axis=1), measured.angles)
    return {
        "stage": np.full(len(pairs), stage.name),
        "pair": pairs,
        "exposure": stage.exposure[pairs],
        "mjd": stage.mjd[pairs],
        "t": stage.t[pairs],
        "exptime": seconds,
        "x_window": measured.lower[:, 0],
        "y_window": measured.lower[:, 1],
        "x": found.x,
        "y": found.y,
        "x_err": np.sqrt(found.xx),
        "y_err": np.sqrt(found.yy),
        "xy_cov": found.xy,
        "flux": found.flux / seconds,
        "flux_err": found.flux_err / seconds,
        "background": found.background / seconds,
        "aperture_flux": found.aperture_flux / seconds,
        "chi2": found.chi2,
        "width_xx": widths[:, 0],
        "width_yy": widths[:, 1],
        "width_xy": widths[:, 2],
        "masked": found.masked,
        "peak": measured.peak,
        "x_down": down.x[pairs],
        "y_down": down.y[pairs],
        "xx_down": down.xx[pairs],
        "yy_down": down.yy[pairs],
        "xy_down": down.xy[pairs],
        "quality_down": down.quality[pairs],
        "use": measured.use,
    }


def face_table(face: Face, chosen: np.ndarray, place: FieldPlace | None = None, sign: int = 1) -> Table:
    """A row for every solution of FACE.

    Parameters
    ----------
    face : rtools.products.guide.Face
        The file.
    chosen : ndarray bool (n,)
        Which solutions.
    place : rtools.wfi.fgs.FieldPlace, optional
        Where the motion of a star's image is wanted.
    sign : int
        Of the rotation, +1 or -1.

    Returns
    -------
    astropy.table.Table
        Columns as `columns.FACE`.
    """
    values: dict[str, Any] = {name: getattr(face, name)[chosen] for name in _FACE_FIELDS}
    values |= {
        "delta_mas": values["delta"] / MAS,
        "epsilon_mas": values["epsilon"] / MAS,
        "zeta_arcsec": values["zeta"] * RADIAN_ARCSEC,
    }
    if place is not None:
        turns = (values[name] for name in ("delta", "epsilon", "zeta"))
        values["dx"], values["dy"] = displacement(place, *turns, sign=sign)
    meta = {"guide_window_id": face.window_id, "optical_element": face.element, "t_start_mjd": face.t_start_mjd}
    return make_table(FACE, values, meta)


_FACE_FIELDS = (
    "mjd", "t", "phase", "quality", "delta", "epsilon", "zeta", "delta2", "epsilon2", "delta_var", "epsilon_var",
    "zeta_var", "horizontal_variance", "vertical_variance", "num_stars_used", "num_centroid_cycles", "good",
)  # fmt: skip
