"""Reference pixels: subtract what drifts in amplifiers and rows."""

from __future__ import annotations

from rtools.declare import Option, RampStep, Skip
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.exposure import RampExposure
from rtools.exposure.jwst.refpix import AnyOffsets, DetectorReadout, ReferenceSettings, subtract_offsets
from rtools.jwst.instrument import detector_facts

__all__ = ["STEP", "apply", "prepare"]


def prepare(exposure: RampExposure, options: dict) -> tuple[DetectorReadout, ReferenceSettings] | Skip:
    """How the detector is read, and how its reference pixels are used; sub-arrays of MIRI are left as they are.

    Parameters
    ----------
    exposure : RampExposure
        Its metadata are read.
    options : dict
        All options of the step.
    """
    subarray, miri = exposure.meta["subarray"], exposure.meta["instrument"]["name"].upper() == "MIRI"
    facts = detector_facts("mirimage")
    if miri and exposure.shape[2:] != (facts.rows, facts.columns):
        return Skip("reference pixels of sub-arrays of MIRI are not used")
    outputs = int(exposure.meta["exposure"].get("noutputs") or (4 if exposure.shape[3] >= 2048 else 1))
    readout = DetectorReadout(int(subarray["fastaxis"]), int(subarray["slowaxis"]), outputs, miri)
    settings = ReferenceSettings(
        options["odd_even_columns"],
        options["use_side_ref_pixels"],
        options["side_smoothing_length"],
        options["side_gain"],
        odd_even_rows=options["odd_even_rows"],
    )
    return readout, settings


def apply(block: RampBlock, refs: dict, options: dict, prepared: AnyOffsets) -> None:
    """Subtract the offsets that the reference pixels of the whole image show.

    Parameters
    ----------
    block : RampBlock
        Its data change.
    refs, options : dict
        Not used.
    prepared : ReferenceOffsets or InterleavedOffsets
        From `rtools.exposure.jwst.refpix.measure_offsets`.
    """
    subtract_offsets(block, prepared)


STEP = RampStep(
    name="refpix",
    mission="jwst",
    after="superbias",
    cal_step="refpix",
    suffix="refpix",
    summary="Correct by the reference pixels.",
    examples=("rt-refpix X_superbias.fits --no-odd-even-columns",),
    description=(
        "Of a detector with several amplifiers, the means of the reference rows at both ends, of odd and even columns "
        "apart and clipped at 3 standard deviations, give the offset of each amplifier in each group. The running "
        "median of the reference columns at both sides gives the offset of each row. Of a sub-array with one "
        "amplifier, the mean of all its reference pixels is subtracted; one that has none is SKIPPED. Of MIRI, "
        "whose four amplifiers take turns from column to column, what the columns at both sides have changed since the "
        "first group is averaged for each amplifier, of odd and even rows apart; sub-arrays are SKIPPED."
    ),
    options=(
        Option("odd-even-columns", True, "Treat odd and even columns apart."),
        Option("odd-even-rows", True, "Treat odd and even rows of MIRI apart."),
        Option("use-side-ref-pixels", True, "Use the columns at the sides."),
        Option("side-smoothing-length", 11, "Rows over which these are smoothed.", minimum=1),
        Option("side-gain", 1.0, "Share of what they show that is subtracted.", minimum=0.0),
    ),
    metadata=("subarray.fastaxis", "subarray.slowaxis"),
    prepare=prepare,
    apply=apply,
)
