"""Arrays of guide-window and FACE files, by their place in the tree."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from rtools.simulate.guide import assumed
from rtools.simulate.guide.centroids import SentCentroids
from rtools.simulate.guide.face import FaceRows
from rtools.simulate.guide.metadata import times_of
from rtools.simulate.guide.plan import StagePlan
from rtools.simulate.guide.windows import Resultants
from rtools.wfi.readout import WINDOW_ROWS

__all__ = ["face_arrays", "stage_arrays"]


def stage_arrays(each: StagePlan, read: Resultants, sent: SentCentroids | None, begin: datetime) -> dict[str, Any]:
    """Arrays of a stage: section, centroids and reference output.

    Parameters
    ----------
    each : StagePlan
        What was planned.
    read : Resultants
        What was read.
    sent : SentCentroids or None
        Centroids of it; None where nothing is guided on.
    begin : datetime
        The time line begins, UTC.

    Returns
    -------
    dict of str to ndarray or list
        By dotted path; pairs that are missing are left out.
    """
    kept = np.flatnonzero(~each.faults.missing)
    stage, corners = each.stage.take(kept), each.corners[kept]
    key = "edge_acq" if stage.name == "edge" else stage.name
    size = np.array([stage.table.columns, stage.table.rows])
    count = len(stage)
    section = {
        "pedestal_resultants": read.pedestal[kept],
        "signal_resultants": read.signal[kept],
        "pedestal_times": times_of(begin, stage.pedestal_end),
        "signal_times": times_of(begin, stage.signal_end),
        "lower_left_corners": corners.astype(np.uint16),
        "upper_right_corners": (corners + size).astype(np.uint16),
        "reset_read_flag": stage.resetting,
        "reset_impacted_pairs": each.faults.reset_impacted[kept],
        "sci_data_packet_counts": (WINDOW_ROWS * np.stack([stage.cycle, stage.cycle + 1], -1)).astype(np.uint16),
        "sce_status_flag": np.repeat(each.faults.sce[kept, None], 2, axis=1).astype(np.uint8),
        "gw_resultant_err_flag": np.zeros((count, 2), np.uint8),
        "pixel_offsets": np.full(count, assumed.OFFSET_DN, np.uint16),
        "min_bind_flag": read.min_bind[kept],
        "max_bind_flag": read.max_bind[kept],
    }
    if stage.name == "track":
        section["exposure_mapping"] = stage.mapping
    centroid = _centroids(key, sent, kept)
    centroid[f"{key}_centroid_times"] = [None] * count if sent is None else times_of(begin, stage.centre)
    amp33 = {
        f"amp33_{key}_pedestals": read.amp33_pedestal[kept],
        f"amp33_{key}_signals": read.amp33_signal[kept],
    }
    named = {f"{key}_data": section, "centroid": centroid, "amp33": amp33}
    return {f"{part}.{name}": values for part, arrays in named.items() for name, values in arrays.items()}


def _centroids(key, sent, kept):
    """Centroids of a stage, five of a pair in the acquisition, one in others; null without a star."""
    named = {f"{key}_centroids": None, f"{key}_centroid_errs": None, f"{key}_centroid_quality": None}
    if sent is None:
        return named
    values = sent.place[kept], sent.variance[kept], sent.quality[kept].astype("U40")
    if key != "acq":
        values = tuple(array[:, 0] for array in values)
    return dict(zip(named, values, strict=True))


def face_arrays(attitude: FaceRows, begin: datetime) -> dict[str, Any]:
    """Arrays of FACE.

    Parameters
    ----------
    attitude : FaceRows
        Its rows.
    begin : datetime
        The time line begins, UTC.

    Returns
    -------
    dict of str to ndarray or list
        By dotted path.
    """
    arrays = dict(attitude.columns)
    lists = {"centroid_times": times_of(begin, attitude.t), "fgs_op_phase": list(attitude.phase)}
    return {f"face_data.{name}": values for name, values in (arrays | lists).items()}
