"""A step of the exposure chain put to whole arrays, without an engine: the ramp fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import UsageError
from rtools.exposure.frame import Exposure, Strip, View, given
from rtools.exposure.steps import rampfit
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["fit_arrays"]


def fit_arrays(
    resultants: ArrayLike,
    read_pattern: Sequence[Sequence[int]],
    frame_time: float,
    options: dict[str, Any],
    *,
    gain: ArrayLike,
    read_noise: ArrayLike,
    groupdq: ArrayLike | None = None,
    pixeldq: ArrayLike | None = None,
    work: Work = ALONE,
) -> dict[str, np.ndarray]:
    """Fit ramps that have no border of reference pixels.

    Parameters
    ----------
    resultants : array_like (G, rows, columns)
        DN.
    read_pattern : sequence of sequences of int
        Reads of each resultant.
    frame_time : float
        Seconds per read.
    options : dict
        All options of the step by key.
    gain, read_noise : array_like, scalar or (rows, columns)
        e-/DN; DN per read.
    groupdq : array_like uint8 (G, rows, columns), optional
        Flags of resultants.
    pixeldq : array_like uint32 (rows, columns), optional
        Flags of pixels.
    work : rtools.work.Work
        Its threads share the columns, 128 at a time.

    Returns
    -------
    dict of str to ndarray (rows, columns)
        The planes of `rtools.exposure.steps.rampfit.PLANES` and ``dq``.

    Raises
    ------
    InputError
        There are fewer than two resultants, or the read pattern is not theirs.
    UsageError
        Arrays do not have the shape of the resultants.
    """
    ramps = np.asarray(resultants, np.float32)
    if ramps.ndim != 3:
        raise UsageError(f"ramps have three axes (resultants, rows, columns), not {ramps.ndim}")
    size = ramps.shape[1:]
    frame = size[0] + 2 * BORDER, size[1] + 2 * BORDER
    exposure = Exposure(
        meta={"exposure": {"read_pattern": [list(reads) for reads in read_pattern], "frame_time": frame_time}},
        shape=(len(ramps), *frame),
        log=work.log,
    )
    prepared = rampfit.prepare(exposure, View(), {}, options)
    groups = _flags("groupdq", groupdq, np.uint8, ramps.shape)
    pixels = _flags("pixeldq", pixeldq, np.uint32, size)
    references = {"gain": _plane("gain", gain, size), "readnoise": _plane("read_noise", read_noise, size)}
    planes = {name: np.empty(size, np.float32) for name in rampfit.PLANES} | {"dq": np.empty(size, np.uint32)}

    def fit(start):
        part = slice(max(start - BORDER, 0), min(start + CHANNEL - BORDER, size[1]))
        stop = min(start + CHANNEL, frame[1])
        sides = part.start + BORDER - start, stop - part.stop - BORDER
        ramp, group, pixel = (_bordered(each[..., part], sides) for each in (ramps, groups, pixels))
        strip = Strip(start, stop, ramp, group, pixel, frame_rows=frame[0], frame_columns=frame[1])
        cut = {kind: {"data": _bordered(plane[..., part], sides)} for kind, plane in references.items()}
        rampfit.apply(strip, cut, options, prepared)
        image = given(strip.image)
        for name, plane in planes.items():
            plane[:, part] = image[name]

    work.map(fit, range(0, size[1] + BORDER, CHANNEL))
    work.map(fit, [CHANNEL * channel for channel in rampfit.revise(prepared, options)])
    return planes


def _flags(name, flags, dtype, shape):
    """Flags as an array of a shape, without flags where none are given."""
    flags = np.zeros(shape, dtype) if flags is None else np.asarray(flags, dtype)
    if flags.shape != shape:
        raise UsageError(f"{name} has the shape {flags.shape}, not {shape}")
    return flags


def _plane(name, values, shape):
    """Values of each pixel, float32."""
    try:
        return np.broadcast_to(np.asarray(values, np.float32), shape)
    except ValueError:
        raise UsageError(f"{name} has the shape {np.shape(values)}, not {shape}") from None


def _bordered(array, sides):
    """A copy with a border of zeros around its rows, and columns of zeros on either side."""
    edges = [(0, 0)] * (array.ndim - 2) + [(BORDER, BORDER), sides]
    return np.pad(array, edges)
