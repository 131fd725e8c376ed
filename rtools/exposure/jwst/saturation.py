"""Saturation in ramps of JWST: groups at the threshold or above, their neighbours, groups that are partly full."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["SaturationSettings", "flag_saturation"]


class SaturationSettings(NamedTuple):
    """How saturation is flagged.

    Attributes
    ----------
    frames : int
        Frames that are averaged in a group.
    grow : int
        Pixels to each side of a saturated one that are flagged with it.
    use_frames : bool
        Look at groups whose mean is below the threshold although frames of them were saturated.
    """

    frames: int
    grow: int = 1
    use_frames: bool = True


def flag_saturation(
    data: np.ndarray, flags: np.ndarray, threshold: np.ndarray, bias: np.ndarray, settings: SaturationSettings
) -> None:
    """Flag saturated groups of a block of rows, in place.

    Flags of rows within ``2 * settings.grow`` of the upper and lower rim of the block are right only where the rim is
    that of the detector.

    Parameters
    ----------
    data : ndarray float32 (integrations, groups, rows, columns)
        Groups in DN, the bias not subtracted.
    flags : ndarray uint8, of the same shape
        Flags of the groups; changed: SATURATED in all groups from the first one at the threshold on, AD_FLOOR and
        DO_NOT_USE in groups at zero or below, DO_NOT_USE in groups that are partly saturated.
    threshold : ndarray float32 (rows, columns)
        In DN; infinite where a pixel is not to be checked.
    bias : ndarray float32 (rows, columns)
        The superbias, 0 where there is none, DN.
    settings : SaturationSettings
        How.
    """
    from rtools.exposure.jwst import _saturation_kernels as kernels

    kernels.flag_levels(data, flags, threshold, 0, data.shape[2])
    if settings.grow > 0:
        kernels.grow_saturation(flags, settings.grow)
    if not (settings.use_frames and settings.frames > 1):
        return
    frames = np.arange(1, data.shape[1] * settings.frames + 1).reshape(data.shape[1], settings.frames)
    share = (frames.mean(axis=1) / frames[:, -1]).astype(np.float64)
    kernels.flag_before_saturation(data, flags, threshold, share, settings.grow)
    if data.shape[1] > 2:
        kernels.flag_second_group(
            data, flags, threshold, bias, np.array([frames[0].mean(), frames[2, -1], settings.frames], float)
        )
