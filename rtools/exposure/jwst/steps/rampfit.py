"""Ramp fit: a rate for each integration, and one of all."""

from __future__ import annotations

import math

import numpy as np

from rtools.declare import FitStep, Option, Reference
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.exposure import RampExposure
from rtools.exposure.jwst.fit import FittedRates, fit_lines
from rtools.jwst.dq import PIXEL_FLAGS

__all__ = ["STEP", "apply", "prepare"]

OWN = {"likely": ("jumps", "threshold"), "ols": ("suppress-one-group",)}
"""Options that only one algorithm uses."""

NO_GAIN = np.uint32(PIXEL_FLAGS["NO_GAIN_VALUE"] | PIXEL_FLAGS["DO_NOT_USE"])


def prepare(exposure: RampExposure, options: dict) -> RampExposure:
    """Tell which fit it will be where the one that is asked for cannot be done, and which options have no effect.

    Parameters
    ----------
    exposure : RampExposure
        Its groups are counted.
    options : dict
        All options of the step.
    """
    from rtools.exposure.jwst.likely import FEWEST

    groups, algorithm = exposure.shape[1], options["algorithm"]
    if algorithm == "likely" and groups < FEWEST:
        exposure.log("warning", f"rampfit: {groups} groups are too few for likely: fitted by ols")
        algorithm = "ols"
    given = {one.name for one in STEP.options if options[one.key] != one.default}
    idle = [name for other in OWN if other != algorithm for name in OWN[other] if name in given]
    if idle:
        exposure.log("warning", f"rampfit: {algorithm} does not use {', '.join(idle)}")
    elif "threshold" in given and not options["jumps"]:
        exposure.log("warning", "rampfit: threshold is used with --jumps alone")
    return exposure


def apply(block: RampBlock, refs: dict, options: dict, prepared: RampExposure) -> FittedRates:
    """Fit a block.

    Parameters
    ----------
    block : RampBlock
        A ramp with its flags.
    refs : dict
        ``refs["gain"]`` and ``refs["readnoise"]`` hold `data`: electron/DN, and DN of a correlated double sample.
    options : dict
        ``algorithm``, ``jumps``, ``threshold``, ``suppress_one_group``, ``average_dark``.
    prepared : RampExposure
        Its timing.

    Returns
    -------
    FittedRates
    """
    noise = np.stack([refs["gain"]["data"], refs["readnoise"]["data"]])
    block.pixeldq |= np.where(noise[0] > 0, np.uint32(0), NO_GAIN)
    dark = _dark_rate(block, options)
    if options["algorithm"] == "likely":
        from rtools.exposure.jwst.likely import FEWEST, fit_likely

        if block.data.shape[1] >= FEWEST:
            threshold = options["threshold"] if options["jumps"] else math.inf
            return fit_likely(block, noise, prepared.timing, dark=dark, threshold=threshold)
    return fit_lines(block, noise, prepared.timing, dark=dark, suppress=options["suppress_one_group"])


def _dark_rate(block, options):
    """Dark current whose photons count: that of the option, else that of the ramp."""
    if options["average_dark"] > 0 or block.dark_rate is None:
        return options["average_dark"]
    return block.dark_rate


STEP = FitStep(
    name="rampfit",
    mission="jwst",
    after="jump",
    cal_step="ramp_fit",
    suffix="rate",
    peer="ramp_fit",
    summary="Fit rates to ramps.",
    examples=("rt-rampfit X_jump.fits", "rt-rampfit X_jump.fits --algorithm likely --jumps"),
    description=(
        "The default is the fit of the archive: straight lines, weighted by the signal, to the groups between jumps, "
        "whose slopes are averaged by their variances. With --algorithm likely each integration is fitted by "
        "likelihood, which uses all that neighbouring groups say of each other. Jumps are those that the ramp has "
        "flagged; with --jumps the fit by likelihood looks for more: differences, alone or in pairs, whose removal "
        "lowers chi-square beyond the threshold (Brandt 2024, PASP 136, 045005). The products are _rate, and "
        "_rateints where there are several integrations."
    ),
    options=(
        Option("algorithm", "ols", "How ramps are fitted.", choices=("ols", "likely")),
        Option("jumps", False, "Look for jumps beside those that are flagged; likely only."),
        Option("threshold", 4.5, "Jump limit of likely, in sigma.", minimum=0.0, peer="rejection_threshold"),
        Option("suppress-one-group", True, "A ramp with one good group gives no rate."),
        Option(
            "average-dark",
            0.0,
            "Dark current in DN/s whose photons add to the variance; that of the ramp by default.",
            minimum=0.0,
        ),
    ),
    references=(
        Reference("gain", planes=("data",), refusable=False),
        Reference("readnoise", planes=("data",), refusable=False),
    ),
    prepare=prepare,
    apply=apply,
)
