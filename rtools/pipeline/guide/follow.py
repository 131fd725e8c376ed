"""How the centroids of guide windows follow FACE: the test of its sign and of its frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide import Comparison, FaceSeries, compare_motion, face_motion
from rtools.products.guide import open_guide
from rtools.wfi.fgs import FieldPlace, place_in_field
from rtools.wfi.frame import BORDER
from rtools.wfi.instrument import DETECTORS
from rtools.wfi.units import DAY_S

if TYPE_CHECKING:
    from rtools.products.guide import Face, Guide

__all__ = ["Follower", "compare_star", "follow_downlinked", "series_of", "sign_of"]


class Follower(NamedTuple):
    """How the star of a detector follows FACE.

    Attributes
    ----------
    detector : str
        ``WFI01`` …
    comparison : rtools.guide.Comparison
        Of its centroids with the motion that FACE predicts there, for the sign that is assumed.
    """

    detector: str
    comparison: Comparison

    def said(self) -> str:
        """It as a line.

        Returns
        -------
        str
        """
        found = self.comparison
        if not found.pairs:
            return f"{self.detector}: no centroids at times of FACE"
        return (
            f"{self.detector}: centroids follow FACE with slope {found.slope:.4f} ± {found.slope_err:.4f}, correlation "
            f"{found.correlation:.3f}, lag {found.lag_s:.3f} s ({found.pairs} pairs)"
        )


def series_of(face: Face, chosen: NDArray[np.bool_] | None = None, *, t_start_mjd: float | None = None) -> FaceSeries:
    """The attitude as the science takes it.

    Parameters
    ----------
    face : rtools.products.guide.Face
        The file.
    chosen : ndarray bool (n,), optional
        Which rows; all by default. Rows without a time are left out.
    t_start_mjd : float, optional
        From which times count; by default when the guiding of the file began.

    Returns
    -------
    rtools.guide.FaceSeries
        In the order of time.
    """
    kept = np.flatnonzero(np.isfinite(face.t) if chosen is None else chosen & np.isfinite(face.t))
    rows = kept[np.argsort(face.t[kept], kind="stable")]
    series = FaceSeries(*(getattr(face, name)[rows] for name in FaceSeries._fields))
    later = 0.0 if t_start_mjd is None else (face.t_start_mjd - t_start_mjd) * DAY_S
    return series._replace(t=series.t + later)


def compare_star(
    series: FaceSeries,
    place: FieldPlace,
    measured: tuple[NDArray[np.float64], NDArray[np.float64]],
    groups: NDArray[np.int_],
    *,
    cycle_s: float,
) -> Comparison:
    """Compare the centroids of a star with the motion that FACE predicts.

    Parameters
    ----------
    series : rtools.guide.FaceSeries
        FACE.
    place : rtools.wfi.fgs.FieldPlace
        Of the star.
    measured : tuple of ndarray, (n,) and (n, 2)
        Times as of the series, s, and x, y in pixels.
    groups : ndarray int (n,)
        Exposure of each.
    cycle_s : float
        Seconds from a pair to the next.

    Returns
    -------
    rtools.guide.Comparison
    """
    moved = face_motion(series, place)
    noise = ((moved.xx + moved.yy) / 2)[series.good]
    noise = noise[np.isfinite(noise)]
    usual = float(np.median(noise)) if len(noise) else 0.0
    predicted = series.t, np.stack([moved.dx, moved.dy], axis=1)
    return compare_motion(predicted, measured, cycle_s=cycle_s, groups=groups, noise=usual)


def follow_downlinked(face: Face, paths: Iterable[str]) -> list[Follower]:
    """Compare downlinked centroids of exposures with FACE; neither pixels nor references are needed.

    Parameters
    ----------
    face : rtools.products.guide.Face
        The attitude.
    paths : iterable of str
        Guide-window files; those of another acquisition do not count.

    Returns
    -------
    list of Follower
        One for each file that counts.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    series, found = series_of(face), []
    for path in paths:
        with open_guide(path) as guide:
            if guide.window_id == face.window_id and guide.detector in DETECTORS:
                found.append(Follower(guide.detector, _follow(guide, series, face.t_start_mjd)))
    return found


def _follow(guide: Guide, series: FaceSeries, t_start_mjd: float) -> Comparison:
    """How the downlinked centroids of one file follow."""
    stage, nothing = guide.stage("track"), Comparison(0, np.nan, np.nan, np.nan, np.nan, 0)
    if stage is None:
        return nothing
    down = stage.downlinked()
    spoiled = stage.reset_impacted | stage.reset_read
    for flags in (stage.sce_status, stage.resultant_err, stage.max_bind):
        spoiled |= flags.any(axis=1)
    kept = ~spoiled & (stage.exposure >= 0) & np.isfinite(down.x + down.y + stage.t)
    if not kept.any():
        return nothing
    x, y = down.x[kept], down.y[kept]
    place = place_in_field(guide.detector, np.median(x) - BORDER, np.median(y) - BORDER)
    t = stage.t[kept] + (guide.t_start_mjd - t_start_mjd) * DAY_S
    measured = t, np.stack([x, y], axis=1)
    return compare_star(series, place, measured, stage.exposure[kept].astype(np.int64), cycle_s=stage.cycle_s)


def sign_of(found: Sequence[Follower]) -> int:
    """The sign of FACE as the stars tell it.

    Parameters
    ----------
    found : sequence of Follower
        Stars.

    Returns
    -------
    int
        That of the star whose motion is correlated best with FACE; 0 where none tells a sign.
    """
    told = [one.comparison for one in found if one.comparison.sign]
    return max(told, key=lambda one: abs(one.correlation)).sign if told else 0
