"""Numbers of series, spectra, cubes, coronagraphs and interferometry: what each means, and where its limits lie."""

from __future__ import annotations

import math

from rtools.quality.metric import Metric

__all__ = ["STAGE3_METRICS"]

STAGE3_METRICS = {
    "planes": Metric(
        "rows or planes",
        "",
        ".0f",
        "Integrations of a series, rows of a spectrum, planes of a cube or of a stack.",
        "None: nothing could be measured.",
        good=(1, math.inf),
    ),
    "curve_scatter": Metric(
        "scatter",
        "%",
        ".3f",
        "Robust scatter of a light curve from one integration to the next, over its median.",
        "Larger than its like: jitter over pixels that differ, a sky that varies, or outliers that were not flagged.",
        relative=True,
    ),
    "curve_ratio": Metric(
        "scatter / expected",
        "",
        ".2f",
        "Scatter of a light curve from one integration to the next over the errors that it claims; 1 where the errors "
        "are honest.",
        "Above: outliers, motion of the telescope, or 1/f noise. Below: the errors are too large.",
        good=(0.6, 1.5),
        sound=(0.3, 4.0),
    ),
    "missing": Metric(
        "missing",
        "%",
        ".2f",
        "Share of the values of a light curve, a spectrum or a cube that are not known.",
        "Look at the flags of what it was made of.",
        good=(0, 20),
        sound=(0, 80),
    ),
    "signal_to_noise": Metric(
        "S/N",
        "",
        ".1f",
        "Median of the flux over its error, of spectra for each wavelength.",
        "Below 3: the aperture may lie beside the source.",
        good=(3, math.inf),
    ),
    "residual": Metric(
        "residual noise",
        "",
        ".3g",
        "Robust scatter of what the subtraction of reference stars left, in the unit of the image.",
        "Larger than its like: reference stars that do not fit, or a wrong alignment (see DX, DY of _psfalign).",
        relative=True,
    ),
    "visibility": Metric(
        "V²",
        "",
        ".3f",
        "Median squared visibility.",
        "Above 1.2 or near 0: a wrong calibrator, or a target that is resolved.",
        good=(0.05, 1.2),
        sound=(0.0, 2.0),
    ),
    "closure_phase": Metric(
        "closure phase",
        "deg",
        ".2f",
        "Root mean square of the closure phases.",
        relative=True,
        action="Larger than its like: a binary, or charge that moves between pixels of a bright star.",
    ),
}
"""By the keys under which they are reported, in the order of the table."""
