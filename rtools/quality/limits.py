"""The numbers that tell good data from bad: what each means, where its limits lie, and what to do beyond them.

A limit is wide: a number within it is no reason to look, one beyond it is. Numbers that have no limit of their own are
compared with those of like data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np

from rtools.quality.metric import ANY, Metric
from rtools.quality.stage3_limits import STAGE3_METRICS
from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["METRICS", "Metric", "Verdict", "judge", "odd_ones"]

Verdict = Literal["", "good", "look", "bad"]
"""What is said of a number; nothing of one that is unknown or has no limit."""

ALIKE = 6
"""Like data that are needed to call one odd."""

ODD = 6.0
"""Scatters from the median of like data beyond which one is odd."""

LEAST_ODD = 0.1
"""Share of the median by which an odd one differs at least."""


METRICS: dict[str, Metric] = {
    "sky": Metric(
        "sky",
        "",
        ".4g",
        "Median of the good pixels, in the unit of the image.",
        "Stray light, the Moon, a bright star or a wrong dark raise the sky; compare the thumbnail with that of the "
        "neighbours, and leave the image out or match the sky before it is added.",
        relative=True,
    ),
    "sky_ratio": Metric(
        "sky / minimum",
        "",
        ".2f",
        "The sky in electrons per second over the minimum zodiacal light and thermal background of the filter, with "
        "the nominal gain. Between 1 and 3 in practice.",
        "Below: the dark or the bias is subtracted too much, or the exposure is of a cut-off field. Above: stray light "
        "or a crowded field; look at the thumbnail.",
        good=(0.7, 5.0),
        sound=(0.0, 20.0),
    ),
    "noise": Metric(
        "noise",
        "",
        ".3g",
        "Scatter of neighbouring pixels, in the unit of the image: their differences over √2.",
        "Compare with the read pattern, the sky and the detector of the like exposures.",
        relative=True,
    ),
    "noise_ratio": Metric(
        "noise / expected",
        "",
        ".2f",
        "Scatter of the differences of neighbouring pixels over the errors that the image claims. It is 1 where the "
        "errors are honest. In mosaics the pixels are four apart, since neighbours share light.",
        "Above: 1/f noise, a wrong gain or read noise, or a crowded field. Below: errors too large, or pixels that are "
        "correlated. Check the readnoise and gain references, then the refpix step.",
        good=(0.8, 1.3),
        sound=(0.5, 2.0),
    ),
    "good_fraction": Metric(
        "good pixels",
        "%",
        ".2f",
        "Share of the pixels that are finite and not DO_NOT_USE.",
        "Look at the flags: a mask of another detector, a saturated field, or an exposure that was cut short.",
        good=(80, 100),
        sound=(50, 100),
    ),
    "jump_fraction": Metric(
        "jumps",
        "%",
        ".2f",
        "Share of the pixels with a jump in their ramp (JUMP_DET): cosmic rays.",
        relative=True,
        action="Compare with like exposures: the threshold of the jump detection, or a storm of particles.",
    ),
    "jump_rate": Metric(
        "jumps / 1000 s",
        "%",
        ".1f",
        "Share of the pixels that a jump hits in 1000 s of exposure.",
        "Above: the threshold of the jump detection is too low for the noise, or the Sun is active (see the noise). "
        "Below: no jumps were looked for, and cosmic rays are still in the image.",
        good=(0.1, 25),
        sound=(0.0, 60),
    ),
    "saturated_fraction": Metric(
        "saturated",
        "%",
        ".3f",
        "Share of the pixels that are saturated in some resultant or group (SATURATED).",
        "Bright stars bleed and persist: mask them in later exposures; of a whole field take a shorter read pattern.",
        good=(0, 1),
        sound=(0, 10),
    ),
    "rms": Metric(
        "alignment rms",
        "mas",
        ".2f",
        "Root mean square of the matched stars about the reference catalog.",
        "Above a few mas: few or blended stars, proper motions of an old catalog, or a wrong match. Look at the "
        "vectors of the panel; align again with another catalog or --set tweakreg.separation.",
        good=(0, 10),
        sound=(0, 30),
    ),
    "matches": Metric(
        "matched stars",
        "",
        ".0f",
        "Stars by which the alignment was fitted.",
        "With few stars a wrong match cannot be told from a right one: take a deeper catalog, or align all exposures "
        "of a visit together.",
        good=(10, math.inf),
        sound=(4, math.inf),
    ),
    "shift": Metric(
        "shift",
        "mas",
        ".1f",
        "How far the alignment moved the middle of the stars, or the fit's shift without stars.",
        "More than the pointing is uncertain: a wrong match, or a guide star that was another one. Compare with the "
        "other detectors of the exposure, which must have moved alike.",
        good=(0, 1000),
        sound=(0, 5000),
        relative=True,
    ),
    "spread_before": Metric(
        "spread before",
        "mas",
        ".2f",
        "Rms offset of the stars from the same stars of the other exposures of this "
        "report, per axis, as they were before the alignment; the others as they are.",
    ),
    "spread_after": Metric(
        "spread after",
        "mas",
        ".2f",
        "Rms offset of the stars from the same stars of the other exposures of this report, per axis, as they are.",
        "Exposures that do not lie on each other smear the stars of a mosaic: align them together, or leave this out.",
        good=(0, 15),
        sound=(0, 50),
    ),
    "depth": Metric(
        "images deep",
        "",
        ".1f",
        "Median number of images in the pixels of a mosaic that have any.",
    ),
    "empty": Metric(
        "empty",
        "%",
        ".1f",
        "Share of the mosaic's pixels in which no image lies: its corners, and holes.",
        "A grid that is much larger than the images, or images that are missing: look at the depth.",
        good=(0, 40),
        sound=(0, 90),
    ),
    "shallow": Metric(
        "shallow",
        "%",
        ".1f",
        "Of the pixels that have any image, the share with fewer than half as many as the median.",
        "Dithers that do not overlap, or images that were left out: look at the depth and the list of images.",
        good=(0, 30),
        sound=(0, 60),
    ),
    "outlier_fraction": Metric(
        "outliers",
        "%",
        ".2f",
        "Largest share of the pixels of an input that were called outliers.",
        "An image with far more than the others is misaligned, or has another sky or PSF: look at its alignment, and "
        "at the log of the mosaic.",
        good=(0, 3),
        sound=(0, 10),
    ),
    "sources": Metric(
        "sources",
        "",
        ".0f",
        "Rows of the catalog.",
        "None: the image is empty, or the detection threshold too high. Odd among its like: another depth or PSF, or "
        "artefacts that were taken for sources.",
        good=(1, math.inf),
        relative=True,
    ),
    "complete_50": Metric(
        "half complete",
        "AB",
        ".2f",
        "Magnitude at which half of the sources that the bright counts promise are found: "
        "an estimate from the counts alone, of 40 sources or more.",
        "Shallower than its like: a bright sky, a poor PSF, or crowding.",
        relative=True,
    ),
    "snr5": Metric(
        "S/N 5 at",
        "AB",
        ".2f",
        "Magnitude at which a point source has S/N 5, by the errors of all of them against their fluxes.",
        "Shallower than its like: a bright sky, few resultants, or a poor PSF.",
        relative=True,
    ),
    "star_size": Metric(
        "star size",
        "",
        ".3g",
        "Median size of the bright point sources (S/N above 30): the half-light radius in "
        "arcsec, of catalogs without one a concentration.",
        "Larger than its like: jitter, defocus, or exposures that do not lie on each other.",
        relative=True,
    ),
    "star_scatter": Metric(
        "star scatter",
        "%",
        ".1f",
        "Scatter of the sizes of the bright point sources over their median.",
        "Stars of one image are alike: galaxies or blends among them, saturated cores, or a PSF that varies.",
        good=(0, 12),
        sound=(0, 30),
    ),
    "flagged": Metric(
        "flagged",
        "%",
        ".1f",
        "Share of the sources that have a warning or a flagged pixel.",
        "Many bad pixels, edges or saturated stars: look at the flags of the image.",
        good=(0, 50),
        sound=(0, 90),
    ),
    **STAGE3_METRICS,
    "warnings": Metric(
        "warnings",
        "",
        ".0f",
        "Warnings in the file's own log.",
        "Read them: the section of the run lists each with its files.",
        good=(0, 0),
    ),
    "not_done": Metric(
        "steps failed",
        "",
        ".0f",
        "Steps that the file calls FAILED.",
        "The section of the run says which; the log of the file says why.",
        good=(0, 0),
        sound=(0, 0),
    ),
    "seconds": Metric(
        "seconds",
        "s",
        ".1f",
        "Time on the clock that the run took for this input, by the log of the run.",
        "Slower than its like: another load on the machine, or a slow disk.",
        relative=True,
    ),
    "memory": Metric(
        "memory",
        "GiB",
        ".2f",
        "Peak memory of the process that made it, by the log of the run.",
    ),
}
"""By the keys under which they are reported, in the order of the table."""


def judge(key: str, value: float | None) -> Verdict:
    """What is to be said of a number.

    Parameters
    ----------
    key : str
        Of `METRICS`.
    value : float or None
        In the unit that is reported.

    Returns
    -------
    str
        ``good``, ``look`` or ``bad``; empty where it is not known or has no limit.
    """
    metric = METRICS[key]
    if value is None or not math.isfinite(value) or (metric.good, metric.sound) == (ANY, ANY):
        return ""
    if not metric.sound[0] <= value <= metric.sound[1]:
        return "bad"
    return "good" if metric.good[0] <= value <= metric.good[1] else "look"


def odd_ones(values: Mapping[str, float]) -> set[str]:
    """Which of like data have a number far from that of the others.

    Parameters
    ----------
    values : mapping of str to float
        Name to number; what is not finite does not count.

    Returns
    -------
    set of str
        Names; none where there are fewer than six.
    """
    known = {name: value for name, value in values.items() if math.isfinite(value)}
    if len(known) < ALIKE:
        return set()
    numbers = np.array(list(known.values()))
    middle = float(np.median(numbers))
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(numbers - middle)))
    far = max(ODD * scatter, LEAST_ODD * abs(middle))
    return {name for name, value in known.items() if abs(value - middle) > far}
