"""FACE: the attitude that fine guidance makes of the stars of all detectors, of the motion that the windows see.

One star stands at the centre of each detector. Each cycle gives their displacements, the mean over the exposure time of
a pair plus noise, and least squares give delta, epsilon and zeta, and delta2 and epsilon2 without zeta.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.wfi.fgs import place_in_field, turns_to_angles
from rtools.wfi.frame import CENTRE
from rtools.wfi.guide import BAD_QUALITY, GOOD_QUALITY
from rtools.wfi.instrument import DETECTORS, PIXEL_SCALE_ARCSEC
from rtools.wfi.units import RADIAN_ARCSEC

if TYPE_CHECKING:
    from rtools.simulate.guide.timeline import Timeline

__all__ = ["PHASES_OF", "FaceRows", "estimate_attitude"]

DOF_3 = GOOD_QUALITY[0]
_DEFAULT, TOO_FEW, IN_TRANSITION, _VIRTUAL = BAD_QUALITY

PHASES_OF: dict[bool, dict[str, tuple[str, ...]]] = {
    False: {"acq": ("WIM_ACQ_VW", "WIM_ACQ_NA"), "track": ("WIM_TRK",)},
    True: {"acq": ("WSM_ACQ_HC",), "edge": ("WSM_ACQ_VC",), "track": ("WSM_TRK",)},
}
"""Phases of each stage without and with a disperser; two share the pairs of a stage."""


class FaceRows(NamedTuple):
    """Rows of FACE, in the order of time.

    Attributes
    ----------
    t : ndarray float64 (n,)
        Seconds since the time line begins.
    columns : dict of str to ndarray (n,)
        Arrays of ``face_data`` by name, times left out.
    phase : list of str
        Of each row.
    """

    t: NDArray[np.float64]
    columns: dict[str, NDArray]
    phase: list[str]


def estimate_attitude(
    timeline: Timeline,
    turned: NDArray[np.float64],
    sigma: float,
    *,
    spectroscopic: bool,
    lost: NDArray[np.bool_],
    rng: np.random.Generator,
) -> FaceRows:
    """What fine guidance finds in each cycle.

    Parameters
    ----------
    timeline : Timeline
        When.
    turned : ndarray float64 (3, n)
        Mean rotations in the pairs of all stages, radians.
    sigma : float
        Error of one star along each axis, mas.
    spectroscopic : bool
        Which phases there are.
    lost : ndarray bool (n,)
        Cycles without stars.
    rng : numpy.random.Generator
        Of the noise.

    Returns
    -------
    FaceRows
        Zeros and a bad quality where guiding was lost.
    """
    count = turned.shape[1]
    matrix = np.concatenate([turns_to_angles(place_in_field(name, CENTRE, CENTRE)) for name in DETECTORS])
    error = sigma / 1000 / RADIAN_ARCSEC
    seen = matrix @ turned + error * rng.standard_normal((len(matrix), count))
    three, two = np.linalg.pinv(matrix), np.linalg.pinv(matrix[:, :2])
    found, short = three @ seen, two @ seen
    left = (seen - matrix @ found) * RADIAN_ARCSEC / PIXEL_SCALE_ARCSEC
    variances = error**2 * np.diag(np.linalg.inv(matrix.T @ matrix))
    columns = dict(zip(("delta", "epsilon", "zeta", "delta2", "epsilon2"), (*found, *short), strict=True))
    columns |= {f"{key}_var": np.full(count, variances[i]) for i, key in enumerate(("delta", "epsilon", "zeta"))}
    columns |= {"horizontal_variance": left[0::2].var(axis=0), "vertical_variance": left[1::2].var(axis=0)}
    for values in columns.values():
        values[lost] = 0
    columns = {key: values.astype(np.float32) for key, values in columns.items()}
    columns["num_stars_used"] = np.where(lost, 0, len(DETECTORS)).astype(np.uint8)
    columns["num_centroid_cycles"] = np.where(lost, 0, 1).astype(np.uint8)
    phase = [word for stage in timeline.stages for word in _phases(stage, spectroscopic)]
    begins = np.array([i == 0 or word != phase[i - 1] for i, word in enumerate(phase)])
    quality = np.where(lost, TOO_FEW, np.where(begins, IN_TRANSITION, DOF_3))
    columns["attitude_estimate_quality"] = quality.astype("U30")
    return FaceRows(np.concatenate([stage.centre for stage in timeline.stages]), columns, phase)


def _phases(stage, spectroscopic):
    """The phase of each pair of a stage."""
    words = PHASES_OF[spectroscopic][stage.name]
    return [words[i * len(words) // len(stage)] for i in range(len(stage))]
