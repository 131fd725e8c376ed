"""The fit of straight lines to a block of ramps: a rate for each integration, and one of all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtools.exposure.jwst.block import RampBlock, RampTiming
from rtools.exposure.rampfit.network import median_network

__all__ = ["FittedRates", "fit_lines"]

LONGEST = 100
"""Groups up to which the medians of many pixels are found side by side."""


@dataclass
class FittedRates:
    """Rates of a block.

    Attributes
    ----------
    planes : ndarray float32 (4, rows, columns)
        Rate in DN/s, its variances from photons and from reading, its error.
    dq : ndarray uint32 (rows, columns)
        Flags.
    each : ndarray float32 (4, integrations, rows, columns)
        The same of every integration.
    each_dq : ndarray uint32 (integrations, rows, columns)
        Their flags.
    """

    planes: np.ndarray
    dq: np.ndarray
    each: np.ndarray
    each_dq: np.ndarray

    @classmethod
    def empty(cls, integrations: int, rows: int, columns: int) -> FittedRates:
        """Room for the rates of a block."""
        return cls(
            np.empty((4, rows, columns), np.float32),
            np.empty((rows, columns), np.uint32),
            np.empty((4, integrations, rows, columns), np.float32),
            np.empty((integrations, rows, columns), np.uint32),
        )


def fit_lines(
    block: RampBlock, noise: np.ndarray, timing: RampTiming, *, dark: np.ndarray | float = 0.0, suppress: bool = True
) -> FittedRates:
    """Fit straight lines, weighted for the signal, to the segments of all ramps of a block.

    Parameters
    ----------
    block : RampBlock
        Ramps with their flags; jumps are those that are flagged.
    noise : ndarray float32 (2, rows, columns)
        Gain in electron/DN, and noise of a correlated double sample in DN.
    timing : RampTiming
        How groups follow each other.
    dark : ndarray (rows, columns) or float
        Dark current in DN/s, which adds to the variance from photons.
    suppress : bool
        A ramp gives no rate where one group alone is good and begins with no jump.

    Returns
    -------
    FittedRates
    """
    from rtools.exposure.jwst._fit_lanes import FitPlanes, FitRamps, OlsTerms
    from rtools.exposure.jwst._ols_kernels import fit_block

    integrations, groups, rows, columns = block.data.shape
    made = FittedRates.empty(integrations, rows, columns)
    gain = noise[0].astype(np.float64)
    planes = np.stack([gain, noise[1] * gain / np.sqrt(2 * timing.frames), np.broadcast_to(dark, gain.shape)])
    alone = (timing.frames + 1) * timing.frame_time / 2
    times = np.array([timing.group_time, alone, timing.frame_time])
    zero = np.zeros((0, 0, 0), np.float32) if block.zeroframe is None else block.zeroframe
    network = median_network(groups - 1) if 1 < groups <= LONGEST else np.zeros((0, 2), np.int64)
    fit_block(
        FitRamps(block.data, block.groupdq, block.pixeldq, zero),
        planes,
        OlsTerms(times, suppress, network),
        FitPlanes(made.each, made.planes, made.each_dq, made.dq),
    )
    return made
