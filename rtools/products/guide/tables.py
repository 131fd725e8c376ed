"""Guide windows and FACE as tables: a row for each pair of one stage, or for each attitude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.products.guide.face import Face
from rtools.products.guide.guide import Guide
from rtools.products.guide.stage import GuideStage

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["face_table", "guide_table", "stage_of"]

DEFAULT_STAGE = "track"

FLAGS = {
    "sce_status": "internal error of the electronics",
    "resultant_err": "error of the resultant",
    "min_bind": "values were clipped at 0",
    "max_bind": "values were clipped at 65535",
}

ROTATIONS = {"delta": "F1", "epsilon": "F2", "zeta": "F3", "delta2": "F1, of the fit without F3",
             "epsilon2": "F2, of the fit without F3"}  # fmt: skip
VARIANCES = {"delta_var": "delta", "epsilon_var": "epsilon", "zeta_var": "zeta"}
RESIDUALS = {"horizontal_variance": "x", "vertical_variance": "y"}


def stage_of(guide: Guide, name: str | None = None) -> GuideStage:
    """A stage that is wanted.

    Parameters
    ----------
    guide : Guide
        The file.
    name : str, optional
        ``acq``, ``edge`` or ``track``; by default tracking, or the last one where there is none.

    Returns
    -------
    GuideStage

    Raises
    ------
    InputError
        The file does not have it.
    """
    stage = guide.stage(name or DEFAULT_STAGE)
    if stage is None and name is None and guide.stages:
        stage = guide.stages[-1]
    if stage is None:
        there = f"there are {' '.join(one.name for one in guide.stages)}" if guide.stages else "there is none"
        raise InputError(f"has no stage {name or DEFAULT_STAGE}", mend=there, path=guide.path)
    return stage


def guide_table(guide: Guide, name: str | None = None) -> Table:
    """What a file says of the pairs of one stage, but for their pixels.

    Parameters
    ----------
    guide : Guide
        The file.
    name : str, optional
        As `stage_of` takes it.

    Returns
    -------
    astropy.table.Table
        With units and descriptions. It has all columns: what the file does not have is NaN, an empty word, or masked.

    Raises
    ------
    InputError
        The file does not have the stage.
    """
    from astropy.table import Table

    stage = stage_of(guide, name)
    table = Table()
    for columns in (_of_time(stage), _of_window(stage), _of_flags(stage), _of_centroids(stage)):
        for key, (values, unit, text) in columns.items():
            table[key] = _column(values, unit, text)
    return table


def face_table(face: Face) -> Table:
    """The attitudes of a FACE file.

    Parameters
    ----------
    face : Face
        The file.

    Returns
    -------
    astropy.table.Table
        With units and descriptions; NaN and empty words for what the file does not have.
    """
    from astropy.table import Table

    columns = {
        "mjd": (face.mjd, "d", "time (UTC)"),
        "t": (face.t, "s", "time since the guiding began"),
        "phase": (face.phase, None, "phase of fine guidance"),
        "quality": (face.quality, None, "quality of the attitude"),
        "good": (face.good, None, "the attitude can be used"),
    }
    columns |= {key: (getattr(face, key), "rad", f"rotation about {axis}") for key, axis in ROTATIONS.items()}
    columns |= {key: (getattr(face, key), "rad2", f"variance of {what}") for key, what in VARIANCES.items()}
    columns |= {key: (getattr(face, key), "pix2", f"variance of the residuals in {axis}")
                for key, axis in RESIDUALS.items()}  # fmt: skip
    columns |= {"num_stars_used": (face.num_stars_used, None, "stars of the fit"),
                "num_centroid_cycles": (face.num_centroid_cycles, None, "cycles of centroids")}  # fmt: skip
    table = Table()
    for key, (values, unit, text) in columns.items():
        table[key] = _column(values, unit, text)
    return table


def _column(values: Any, unit: str | None, text: str) -> Any:
    from astropy.table import Column, MaskedColumn

    return (MaskedColumn if np.ma.isMaskedArray(values) else Column)(values, unit=unit, description=text)


def _of_time(stage):
    return {
        "pair": (np.arange(stage.pairs), None, "number of the pair, from 0"),
        "exposure": (stage.exposure, None, "science exposure; negative between exposures, 0 unknown"),
        "mjd": (stage.mjd, "d", "centre of the pair (UTC)"),
        "t": (stage.t, "s", "centre of the pair since the guiding began"),
        "pedestal_t": (stage.pedestal_t, "s", "end of the pedestal since the guiding began"),
        "signal_t": (stage.signal_t, "s", "end of the signal since the guiding began"),
    }


def _of_window(stage):
    nothing = np.ma.masked_all((stage.pairs, 2), np.int32)
    columns: dict[str, Any] = {}
    for key, corner, text in (
        ("window", stage.lower, "first pixel of the window, 0-based in the frame of 4096"),
        ("window_stop", stage.upper, "one past the last pixel of the window"),
    ):
        for axis, letter in enumerate("xy"):
            values = (nothing if corner is None else corner)[:, axis]
            columns[f"{letter}_{key}"] = (values, "pix", f"{letter} of the {text}")
    counts = nothing if stage.packet_counts is None else stage.packet_counts
    for side, word in enumerate(("pedestal", "signal")):
        columns[f"rows_{word}"] = (counts[:, side], None, f"rows of the full frame read before the {word}")
    columns["pixel_offset"] = (stage.offsets, "DN", "constant that was added to the stored values")
    return columns


def _of_flags(stage):
    columns = {
        "reset_read": (stage.reset_read, None, "read during a reset read of the full frame"),
        "reset_impacted": (stage.reset_impacted, None, "spoiled by a reset read"),
    }
    for key, text in FLAGS.items():
        for side, word in enumerate(("pedestal", "signal")):
            columns[f"{key}_{word}"] = (getattr(stage, key)[:, side], None, f"{text}, {word}")
    return columns


def _of_centroids(stage):
    down = stage.downlinked()
    none = np.zeros(stage.pairs, np.int64)
    several = none if stage.centroids is None else np.isfinite(stage.centroids).all(axis=2).sum(axis=1)
    return {
        "x_down": (down.x, "pix", "x of the downlinked centroid"),
        "y_down": (down.y, "pix", "y of the downlinked centroid"),
        "xx_down": (down.xx, "pix2", "its variance in x"),
        "yy_down": (down.yy, "pix2", "its variance in y"),
        "xy_down": (down.xy, "pix2", "its covariance"),
        "quality_down": (down.quality, None, "its quality"),
        "t_down": (stage.centroid_t, "s", "its time since the guiding began"),
        "centroids_down": (several, None, "centroids that were downlinked for the pair"),
    }
