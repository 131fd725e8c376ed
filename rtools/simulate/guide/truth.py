"""What was put into guide windows: a table of all pairs, and of each exposure in its metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.simulate.guide.plan import AcquisitionPlan, smear_of

if TYPE_CHECKING:
    from pathlib import Path

    from rtools.products.io.writer import Stage

__all__ = ["COLUMNS", "exposures_of", "stage_truth", "table_of"]

COLUMNS = {
    "stage": (None, "acq, edge or track"),
    "pair": (None, "index in the arrays of the stage"),
    "exposure": (None, "number of the exposure; negative in the gap before it, 0 in acquisitions"),
    "t": ("s", "centre of the pair, since meta.t_start"),
    "x": ("pix", "mean place of the star in the pair, 0-based in the frame of 4096"),
    "y": ("pix", "mean place of the star in the pair, 0-based in the frame of 4096"),
    "xx": ("pix2", "variance of the place inside the pair"),
    "yy": ("pix2", "variance of the place inside the pair"),
    "xy": ("pix2", "covariance of the place inside the pair"),
    "delta": ("rad", "mean rotation about F1"),
    "epsilon": ("rad", "mean rotation about F2"),
    "zeta": ("rad", "mean rotation about F3"),
    "flux": ("electron / s", "of all light of the star; of a row of its spectrum where it is dispersed"),
    "background": ("electron / s", "sky and lamp in a pixel"),
    "cosmic_rays": ("electron", "in the window"),
    "added": (None, "what went wrong: reset, lost, sce, min_bind, max_bind"),
}
"""Unit and meaning of each column."""


def table_of(plan: AcquisitionPlan, flux: float, background: float, hits: list[np.ndarray]) -> dict[str, Any]:
    """Columns of the truth; a row for each pair that is sent down.

    Parameters
    ----------
    plan : AcquisitionPlan
        Of the acquisition.
    flux, background : float
        electron/s.
    hits : list of ndarray float64
        Electrons of cosmic rays in the pairs of each stage.

    Returns
    -------
    dict of str to list or ndarray
        As `COLUMNS`.
    """
    parts: list[dict[str, Any]] = []
    for each, electrons in zip(plan.stages, hits, strict=True):
        kept = np.flatnonzero(~each.faults.missing)
        x, y = each.steps.x[kept], each.steps.y[kept]
        dx, dy = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
        words = each.faults.words()
        stage = each.stage
        row = {"stage": [stage.name] * len(kept), "pair": np.arange(len(kept), dtype=np.int32)}
        row |= {"exposure": stage.mapping[kept].astype(np.int32), "t": stage.centre[kept]}
        row |= {"x": x.mean(axis=1), "y": y.mean(axis=1), "xx": (dx * dx).mean(axis=1), "yy": (dy * dy).mean(axis=1)}
        row |= {"xy": (dx * dy).mean(axis=1)}
        row |= dict(zip(("delta", "epsilon", "zeta"), each.turned[:, kept], strict=True))
        row |= {"flux": np.full(len(kept), flux), "background": np.full(len(kept), background)}
        row |= {"cosmic_rays": electrons[kept], "added": [words[i] for i in kept]}
        parts.append(row)
    return {name: _joined([part[name] for part in parts]) for name in COLUMNS}


def _joined(parts):
    if isinstance(parts[0], list):
        return [value for part in parts for value in part]
    return np.concatenate(parts)


def exposures_of(plan: AcquisitionPlan) -> list[dict[str, Any]]:
    """How each exposure is smeared, for the metadata of the table.

    Parameters
    ----------
    plan : AcquisitionPlan
        Of the acquisition.

    Returns
    -------
    list of dict
        exposure, start, stop (s since meta.t_start), pairs, x, y (pixels); slow, inside and total (xx, yy, xy in mas²
        of 110 mas a pixel); jitter: major, minor (mas), position angle (degrees) of the total.
    """
    listed = []
    for index, exposed in enumerate(plan.timeline.exposures):
        smear = smear_of(plan, index)
        about: dict[str, Any] = {
            "exposure": exposed.number,
            "start": exposed.start,
            "stop": exposed.stop,
            "pairs": smear.pairs,
        }
        about |= {"x": smear.x, "y": smear.y, "jitter": list(smear.kernel)}
        about |= {key: [float(value) for value in getattr(smear, key)] for key in ("slow", "inside", "total")}
        listed.append(about)
    return listed


def stage_truth(path: Path, columns: dict[str, Any], about: dict[str, Any], job: dict[str, Any]) -> Stage:
    """Write the table as parquet.

    Parameters
    ----------
    path : Path
        Where it will appear.
    columns : dict of str to list or ndarray
        From `table_of`.
    about : dict
        JSON in the metadata of the file, under ``rtools``.
    job : dict
        What made it (`rtools.products.io.recording.job_beside`): JSON, too, under ``rtools.job``.

    Returns
    -------
    rtools.products.io.writer.Stage
        Units and meanings are in the metadata of the columns.
    """
    import pyarrow
    from pyarrow import parquet

    from rtools.products.io.writer import Stage

    arrays, fields = [], []
    for name, values in columns.items():
        unit, meaning = COLUMNS[name]
        array = pyarrow.array(values)
        arrays.append(array)
        fields.append(pyarrow.field(name, array.type, metadata={"unit": unit or "None", "description": meaning}))
    schema = pyarrow.schema(fields, metadata={"rtools": json.dumps(about), "rtools.job": json.dumps(job)})
    table = pyarrow.Table.from_arrays(arrays, schema=schema)
    stage = Stage(path)
    with stage.open() as file:
        parquet.write_table(table, file)
    return stage
