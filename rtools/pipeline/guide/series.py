"""The motion of a star on the sky, from what was measured of its pairs; its spectrum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide import (
    FrequencyBand,
    Line,
    Spectrum,
    add_spectra,
    find_lines,
    lomb_scargle,
    measure_bands,
    take_out_line,
    turn_covariance,
    welch,
)
from rtools.pipeline.guide.measure import Measured
from rtools.pipeline.guide.request import GuideRequest
from rtools.wfi.guide import DROPPED_BY_JITTER

__all__ = ["FEWEST", "Motions", "Track", "motions_of", "spectra_of", "track_of"]

FEWEST = 30
"""Pairs that an exposure needs for its motion to be measured."""


class Track(NamedTuple):
    """The place of a star in each pair, on the sky.

    Attributes
    ----------
    t : ndarray float64 (n,)
        Seconds since the guiding began.
    x, y : ndarray float64 (n,)
        Angles along +x and +y of the detector from a fixed place, mas.
    covariance : ndarray float64 (n, 3)
        xx, yy, xy of its noise, mas².
    exposure : ndarray int32 (n,)
        Exposure of each pair.
    use : ndarray uint16 (n,)
        `rtools.wfi.guide.Use`.
    used : ndarray bool (n,)
        Pairs of which the motion is measured.
    """

    t: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    covariance: NDArray[np.float64]
    exposure: NDArray[np.int32]
    use: NDArray[np.uint16]
    used: NDArray[np.bool_]

    def chosen(self, which: NDArray[np.bool_]) -> Track:
        """Some of the pairs.

        Parameters
        ----------
        which : ndarray bool (n,)
            Those.

        Returns
        -------
        Track
        """
        return Track(self.t[which], self.x[which], self.y[which], self.covariance[which], self.exposure[which],
                     self.use[which], self.used[which])  # fmt: skip


def track_of(measured: Measured, request: GuideRequest) -> Track:
    """The motion that was measured.

    Parameters
    ----------
    measured : Measured
        Of a stage.
    request : GuideRequest
        Which flags keep a pair out.

    Returns
    -------
    Track
        Of all its pairs.
    """
    found, pairs, stage = measured.centroids, measured.pairs, measured.stage
    used = (measured.use & request.dropped(DROPPED_BY_JITTER)) == 0
    # From the corner of the first window: what went wrong in a pair does not shift the others.
    origin = measured.lower[0] if len(pairs) else (0, 0)
    x, y = measured.angles @ np.stack([found.x - origin[0], found.y - origin[1]])
    covariance = turn_covariance(np.stack([found.xx, found.yy, found.xy], axis=1), measured.angles)
    return Track(stage.t[pairs], x, y, covariance, stage.exposure[pairs], measured.use, used)


class Motions(NamedTuple):
    """Spectra of a star's motion.

    Attributes
    ----------
    exposure : int
        Of which exposure; 0 for all together.
    x, y, radial : rtools.guide.Spectrum
        Along both axes, and their sum.
    bands : tuple of tuple of rtools.guide.FrequencyBand
        Of x, y and radial.
    lines : tuple of tuple of rtools.guide.Line
        Of x and y.
    """

    exposure: int
    x: Spectrum
    y: Spectrum
    radial: Spectrum
    bands: tuple[tuple[FrequencyBand, ...], ...]
    lines: tuple[tuple[Line, ...], ...]


def motions_of(track: Track, measured: Measured, *, together: bool, by_segments: bool) -> list[Motions]:
    """Spectra of every exposure, or of all pairs.

    Parameters
    ----------
    track : Track
        The motion.
    measured : Measured
        What it is of.
    together : bool
        One spectrum of all exposures; gaps between them stay gaps.
    by_segments : bool
        Welch's spectrum of runs without gaps, instead of Lomb's and Scargle's of all.

    Returns
    -------
    list of Motions
        Exposures with fewer than `FEWEST` pairs that are used are left out.
    """
    good = track.chosen(track.used)
    numbers = [0] if together else sorted({int(one) for one in good.exposure if one > 0})
    found = []
    for number in numbers:
        part = good if together else good.chosen(good.exposure == number)
        if len(part.t) >= FEWEST:
            found.append(spectra_of(part, measured, exposure=number, by_segments=by_segments))
    return found


def spectra_of(track: Track, measured: Measured, *, exposure: int, by_segments: bool) -> Motions:
    """Spectra of pairs that are used.

    Parameters
    ----------
    track : Track
        Their motion.
    measured : Measured
        What it is of.
    exposure : int
        What they are called.
    by_segments : bool
        As `motions_of`.

    Returns
    -------
    Motions
    """
    stage = measured.stage
    transform = welch if by_segments else lomb_scargle
    noise = track.covariance.mean(axis=0)
    flat_x, flat_y = (take_out_line(track.t, axis, groups=track.exposure) for axis in (track.x, track.y))
    x = transform(track.t, flat_x, cycle_s=stage.cycle_s, noise=float(noise[0]))
    y = transform(track.t, flat_y, cycle_s=stage.cycle_s, noise=float(noise[1]))
    lines = tuple(
        find_lines(track.t, flat, cycle_s=stage.cycle_s, exptime_s=stage.exptime or stage.cycle_s)
        for flat in (flat_x, flat_y)
    )
    radial = add_spectra(x, y)
    return Motions(exposure, x, y, radial, tuple(map(measure_bands, (x, y, radial))), lines)
