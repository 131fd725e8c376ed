"""Ramp fitting: from resultants to a count rate per pixel, with its variances and jumps.

The default is the likelihood algorithm (Brandt 2024, PASP 136, 045004 and 045005), generalised least squares on the
differences of resultants; the other is the segment-wise least squares of Casertano et al. (2022). A strip of G
resultants takes 5 G + 12 bytes per pixel of input and references and 28 of results: 45 MB for 9 resultants. The search
for snowballs keeps the group flags of the frame, G bytes per pixel.
"""

from dataclasses import dataclass

import numpy as np

from rtools.declare import FitStep, Option, Reference
from rtools.errors import InputError
from rtools.exposure.frame import Exposure, Strip, View, given
from rtools.exposure.rampfit._arguments import FitImage, FitTerms, Ramp
from rtools.exposure.rampfit._work import BLOCK
from rtools.exposure.rampfit.limits import jump_limits
from rtools.exposure.rampfit.network import median_network
from rtools.exposure.rampfit.snowballs import event_options, flag_snowballs
from rtools.exposure.rampfit.timing import resultant_timing, uniform_weights
from rtools.wfi.dq import PIXEL
from rtools.wfi.frame import BORDER

__all__ = [
    "STEP",
    "apply",
    "apply_saturated",
    "jump_limits",
    "median_network",
    "prepare",
    "report",
    "revise",
    "zero_image",
]

DO_NOT_USE = PIXEL["DO_NOT_USE"]
SATURATED = PIXEL["SATURATED"]
JUMP_DET = PIXEL["JUMP_DET"]
NO_GAIN_VALUE = PIXEL["NO_GAIN_VALUE"]

PLANES = ("data", "err", "var_poisson", "var_rnoise", "chisq", "dumo")
"""float32 planes of the result, in the order in which the kernels write them."""


OWN = {
    "likely": (
        "threshold", "record-jumps", "expand-large-events", "min-sat-area", "min-jump-area", "expand-factor",
        "sat-required-snowball", "min-sat-radius-extend", "sat-expand", "edge-size",
    ),
    "ols_cas22": ("use-jump-detection", "threshold-intercept", "threshold-constant"),
}  # fmt: skip
"""Options that only one algorithm uses."""


@dataclass
class FitPlan:
    """What all strips of an exposure share.

    Attributes
    ----------
    terms : FitTerms
        Times, weights, jump limits and the sorting network.
    flags : ndarray uint8 (G, rows, columns) or None
        Group flags of the frame after the jump search, for snowballs.
    revised : bool
        Whether `flags` have been revised: the strips that come now are fitted for the second time.
    """

    terms: FitTerms
    flags: np.ndarray | None = None
    revised: bool = False


def prepare(exposure: Exposure, view: View, refs: dict, options: dict) -> FitPlan:
    """Derive times, limits and weights from the read pattern.

    Parameters
    ----------
    exposure : rtools.exposure.frame.Exposure
        Its shape, read pattern and frame time are read.
    view : rtools.exposure.frame.View
        Not used.
    refs : dict
        Not used.
    options : dict
        Options of the step, as `STEP` declares them.

    Returns
    -------
    FitPlan
        With room for the flags of the frame where snowballs are looked for.

    Raises
    ------
    InputError
        There is one resultant only, or the read pattern is not that of the data.
    """
    groups = exposure.shape[0]
    if groups < 2:
        raise InputError("a single resultant has no slope", mend="at least 2 resultants are needed")
    if len(exposure.read_pattern) != groups:
        raise InputError(f"the read pattern has {len(exposure.read_pattern)} resultants, the data have {groups}")
    timing = resultant_timing(exposure.read_pattern, exposure.frame_time)
    likely = options["algorithm"] == "likely"
    if idle := _idle(options):
        exposure.log("warning", f"rampfit: {options['algorithm']} does not use {', '.join(idle)}")
    if likely and groups < 4:
        exposure.log("warning", f"{groups} resultants: too few to look for jumps; the slope is fitted without")
    expand = likely and groups > 3 and options["expand_large_events"]
    terms = FitTerms(
        timing=timing if likely else _rounded(exposure),
        weights=uniform_weights(timing),
        limits=jump_limits(options["threshold"], timing),
        network=median_network(groups - 1),
    )
    return FitPlan(terms, np.zeros(exposure.shape, np.uint8) if expand else None)


def _idle(options):
    """Options that were given a value and that the algorithm does not use."""
    idle = {name for algorithm, names in OWN.items() if algorithm != options["algorithm"] for name in names}
    return [option.name for option in STEP.options if option.name in idle and options[option.key] != option.default]


def _rounded(exposure):
    """Timing with frame and resultant times in float32: slopes of ols_cas22 depend on their last digits."""
    timing = resultant_timing(exposure.read_pattern, float(np.float32(exposure.frame_time)))
    return timing._replace(mean=timing.mean.astype(np.float32), tau=timing.tau.astype(np.float32))


def apply(strip: Strip, refs: dict, options: dict, prepared: FitPlan) -> dict[str, int]:
    """Fit the pixels of a strip inside the border; the strip holds an image afterwards.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        A ramp strip; `data`, `groupdq` and `pixeldq` become None, `image` and `jumps` are set.
    refs : dict
        ``refs["gain"]["data"]``, in e-/DN, and ``refs["readnoise"]["data"]``, in DN per read, cut to the strip.
    options : dict
        Options of the step, as `STEP` declares them.
    prepared : FitPlan
        What `prepare` returned; its flags receive the jumps of the strip where snowballs are looked for.

    Returns
    -------
    dict of str to int
        Counts of pixels: all, with jumps, without a rate, without a valid gain.
    """
    rows, columns = strip.science
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    planes = np.empty((len(PLANES), *shape), np.float32)
    image = FitImage(planes, np.empty(shape, np.uint32), columns.start, columns.stop)
    ramp = Ramp(
        _whole_blocks(given(strip.data)),
        _whole_blocks(given(strip.groupdq)),
        _whole_blocks(given(strip.pixeldq)),
        _whole_blocks(refs["gain"]["data"], np.float32),
        _whole_blocks(refs["readnoise"]["data"], np.float32),
    )
    if options["algorithm"] == "likely":
        flags = _fit_likely(strip, ramp, prepared, image)
        if options["record_jumps"]:
            strip.jumps = _jump_positions(flags, image.dq, columns, strip.trimmed.start)
    else:
        _fit_ols(ramp, options, prepared, image)
    strip.image = {**dict(zip(PLANES, planes, strict=True)), "dq": image.dq}
    strip.data = strip.groupdq = strip.pixeldq = None
    return {
        "pixels": image.dq.size,
        "with jumps": int(np.count_nonzero(image.dq & JUMP_DET)),
        "without a rate": image.dq.size - int(np.count_nonzero(np.isfinite(planes[0]))),
        "without a gain": int(np.count_nonzero(image.dq & NO_GAIN_VALUE)),
    }


def _whole_blocks(array, dtype=None):
    """Contiguous, with columns of zeros added where the compiled fit would not find whole blocks."""
    missing = -array.shape[-1] % int(BLOCK)
    if missing:
        array = np.pad(array, (*((0, 0) for _ in array.shape[1:]), (0, missing)))
    return np.ascontiguousarray(array, dtype)


def _fit_likely(strip, ramp, prepared, image):
    """Fit by likelihood; return the group flags with the jumps."""
    from rtools.exposure.rampfit._likelihood_kernels import fit_by_likelihood

    revised = np.empty((0, 0, 0), np.uint8)
    if prepared.revised:
        revised = _whole_blocks(prepared.flags[:, :, strip.start : strip.stop])
    fit_by_likelihood(ramp, prepared.terms, revised, image)
    if prepared.revised:
        return revised
    if prepared.flags is not None:
        prepared.flags[:, :, strip.start : strip.stop] = ramp.groupdq[:, :, : strip.stop - strip.start]
    return ramp.groupdq


def _fit_ols(ramp, options, prepared, image):
    """Fit by segments."""
    from rtools.exposure.rampfit._ols_kernels import JumpTest, fit_by_segments

    test = JumpTest(
        bool(options["use_jump_detection"]),
        float(options["threshold_intercept"]),
        float(options["threshold_constant"]),
    )
    fit_by_segments(ramp, prepared.terms.timing, prepared.terms.weights, test, image)


def _jump_positions(flags, dq, columns, first_column):
    """Where groups carry JUMP_DET: int16 (k, 3), resultant, row and column of the trimmed frame."""
    y, x = np.nonzero(dq & JUMP_DET)
    group, which = np.nonzero(flags[:, y + BORDER, x + columns.start] & JUMP_DET)
    return np.stack([group, y[which], x[which] + first_column], axis=1).astype(np.int16)


def revise(prepared: FitPlan, options: dict) -> list[int]:
    """Find snowballs in the flags of all strips and flag around them.

    Parameters
    ----------
    prepared : FitPlan
        What `prepare` returned, with the flags of all strips; they change in place.
    options : dict
        Options of the step, as `STEP` declares them.

    Returns
    -------
    list of int
        Channels where flags changed, which are to be fitted again; empty where snowballs are not looked for.
    """
    if prepared.flags is None or prepared.revised:
        return []
    prepared.revised = True
    return flag_snowballs(prepared.flags, options)


def report(counts: dict[str, int], options: dict) -> list[tuple[str, str]]:
    """Lines for the log.

    Parameters
    ----------
    counts : dict of str to int
        Sums of what `apply` returned for the strips.
    options : dict
        Not used.

    Returns
    -------
    list of (str, str)
        Level and text.
    """
    lines = [("info", f"jumps in {counts['with jumps']} of {counts['pixels']} pixels")]
    if counts["without a rate"]:
        lines.append(("info", f"no rate in {counts['without a rate']} pixels: flagged DO_NOT_USE"))
    if counts["without a gain"]:
        lines.append(("warning", f"no valid gain in {counts['without a gain']} pixels: NO_GAIN_VALUE, DO_NOT_USE"))
    return lines


def zero_image(strip: Strip) -> dict[str, np.ndarray]:
    """Image of a strip whose exposure is saturated throughout: all zero, DQ with SATURATED and DO_NOT_USE.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        A ramp strip; only its `pixeldq` is read.

    Returns
    -------
    dict of str to ndarray
        As `Strip.image` after a fit.
    """
    rows, columns = strip.science
    dq = given(strip.pixeldq)[rows, columns] | np.uint32(SATURATED | DO_NOT_USE)
    return {**{name: np.zeros(dq.shape, np.float32) for name in PLANES}, "dq": dq}


def apply_saturated(strip: Strip, refs: dict, options: dict, prepared: FitPlan | None) -> None:
    """Put the zero image in the place of the fit, where the exposure is saturated throughout.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        A ramp strip; `data`, `groupdq` and `pixeldq` become None, `image` is set.
    refs : dict
        Not used.
    options : dict
        Not used.
    prepared : FitPlan or None
        Not used.
    """
    strip.image = zero_image(strip)
    strip.data = strip.groupdq = strip.pixeldq = None


STEP = FitStep(
    name="rampfit",
    after="linearity",
    cal_step="ramp_fit",
    memory="0.9 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="rampfit",
    summary="Fit a count rate to the ramp of every pixel.",
    description=(
        "The likelihood algorithm fits a constant rate a to the differences d of neighbouring resultants by "
        "generalised least squares, a = (1' M d)/(1' M 1), where M inverts their tridiagonal covariance: Poisson "
        "noise at the rate, and read noise. The covariance is formed at the median difference, then at the rate of a "
        "first fit. Differences, alone or in pairs, whose removal lowers chi-square beyond the threshold are taken "
        "for jumps (Brandt 2024, PASP 136, 045004 and 045005). Flagged resultants are left out. err follows the "
        "measured rate: a faint pixel that fluctuates low gets a small err. ols_cas22 is the segment-wise weighted "
        "least squares of Casertano et al. (2022, Roman-STScI-000394)."
    ),
    examples=("rt-rampfit X_linearity.asdf", "rt-rampfit X_linearity.asdf --threshold 5 --expand-large-events"),
    options=(
        Option("algorithm", "likely", "Algorithm.", choices=("likely", "ols_cas22")),
        Option("threshold", 4.5, "Jump limit of likely, in sigma.", minimum=0.0, peer="rejection_threshold"),
        Option(
            "use-jump-detection", True, "Look for jumps; ols_cas22 only, likely always does.",
            peer="use_ramp_jump_detection",
        ),
        Option("threshold-intercept", 5.5, "Jump limit of ols_cas22 at 1 e/s, in sigma."),
        Option("threshold-constant", 1 / 3, "How far that limit falls per decade of rate, in sigma."),
        Option("record-jumps", True, "Keep the resultant, row and column of every jump; likely only."),
        Option("expand-large-events", False, "Look for snowballs and flag around them; likely only."),
        *event_options(jump_area=6.0, factor=1.9, core_axis=0.5, edge=0),
    ),
    references=(
        Reference("gain", planes=("data",), refusable=False),
        Reference("readnoise", planes=("data",), refusable=False),
    ),
    metadata=("exposure.read_pattern", "exposure.frame_time"),
    imports=("rtools.exposure.rampfit._likelihood_kernels",),
    apply_saturated=apply_saturated,
    prepare=prepare,
    apply=apply,
    revise=revise,
    report=report,
)  # fmt: skip
