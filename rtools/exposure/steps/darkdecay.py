"""Dark decay: an electronic signal that dies away from the start of an exposure.

It is the same for all pixels but for the moment at which each is read, so it factors into a plane exp(-t/τ), which
repeats every two channels, and one number per resultant. Beyond the ramp it needs 8 MiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtools.declare import RampStep, Reference, Skip
from rtools.exposure.readtimes import channel_pair, mean_decay, tile_columns
from rtools.wfi.quantities import entry_problem

if TYPE_CHECKING:
    from rtools.exposure.frame import Exposure, Strip, View

__all__ = ["STEP", "Decay", "apply", "prepare"]


@dataclass
class Decay:
    """Factors of the signal.

    Attributes
    ----------
    plane : ndarray float64, (rows, 256)
        exp(-t/τ) of a channel pair, t from the start of a frame.
    levels : ndarray float64, (resultants,)
        DN by which the plane is multiplied in each resultant.
    """

    plane: np.ndarray
    levels: np.ndarray


def prepare(exposure: Exposure, view: View, refs: dict, options: dict) -> Decay | Skip:
    """Factors of the decay of this detector.

    Parameters
    ----------
    exposure : rtools.exposure.frame.Exposure
        Its detector, shape, read pattern and frame time are read.
    view : rtools.exposure.frame.View
        Not used.
    refs : dict
        ``refs["darkdecaysignal"]["decay_table"]``: detector to ``amplitude`` (DN) and ``time_constant`` (s).
    options : dict
        Not used.

    Returns
    -------
    Decay or rtools.declare.Skip
        `Skip` where the reference has no amplitude or time constant for the detector, or one that cannot be.
    """
    entry = (refs["darkdecaysignal"]["decay_table"] or {}).get(exposure.detector) or {}
    amplitude, constant = entry.get("amplitude"), entry.get("time_constant")
    if amplitude is None or constant is None:
        return Skip(f"the reference has no dark decay of {exposure.detector}")
    wrong = entry_problem("amplitude", amplitude) or entry_problem("time_constant", constant)
    if wrong:
        return Skip(f"dark decay of {exposure.detector}: {wrong}")
    amplitude, constant = float(amplitude), float(constant)
    times = channel_pair(exposure.frame_time, exposure.detector, exposure.shape[1])
    levels = [amplitude * mean_decay(reads, exposure.frame_time, constant) for reads in exposure.read_pattern]
    return Decay(np.exp(-times / constant), np.array(levels))


def apply(strip: Strip, refs: dict, options: dict, prepared: Decay) -> None:
    """Subtract the decay, in float64, rounded once.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        Its data change.
    refs : dict
        Not used.
    options : dict
        Not used.
    prepared : Decay
        What `prepare` returned.
    """
    from rtools.exposure._darkdecay_kernels import subtract

    plane = np.ascontiguousarray(tile_columns(prepared.plane, strip.start, strip.stop))
    strip.data = np.ascontiguousarray(strip.data)
    subtract(strip.data, plane, prepared.levels)


STEP = RampStep(
    name="darkdecay",
    after="refpix",
    cal_step="dark_decay",
    memory="0.7 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="dark_decay",
    summary="Subtract the decay of the dark signal.",
    description=(
        "Subtracts from each resultant the mean over its reads of A exp(-t/τ), where t is the time at which a pixel "
        "is read, counted from the middle of read 1, and A (DN) and τ (s) belong to the detector. Reference pixels "
        "are corrected too; no flag or error changes."
    ),
    examples=("rt-darkdecay X_refpix.asdf", "rt-darkdecay X_refpix.asdf --ref darkdecaysignal=decay.asdf"),
    references=(Reference("darkdecaysignal", nodes=("decay_table",), absent="skip"),),
    imports=("rtools.exposure._darkdecay_kernels",),
    prepare=prepare,
    apply=apply,
)
