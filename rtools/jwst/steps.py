"""Steps of the calibration of JWST, in the order in which they are done."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["STEPS", "STEP_STATES", "steps_in_order"]

STEPS = (
    # detector1, of the near infrared and of MIRI
    "emicorr", "group_scale", "dq_init", "saturation", "ipc", "firstframe", "lastframe", "reset", "superbias", "refpix",
    "rscd", "linearity", "persistence", "dark_sub", "charge_migration", "jump", "picture_frame", "clean_flicker_noise",
    "ramp_fit", "gain_scale", "guider_cds", "err_init",
    # image2, spec2
    "assign_wcs", "targ_centroid", "badpix_selfcal", "msa_flagging", "imprint", "bkg_subtract", "extract_2d", "srctype",
    "wavecorr", "straylight", "flat_field", "fringe", "residual_fringe", "pathloss", "barshadow", "wfss_contam",
    "photom", "emission",
    # image3, spec3, tso3, coron3, ami3
    "assign_mtwcs", "tweakreg", "skymatch", "master_background", "outlier_detection", "stack_psfs", "align_psfs",
    "klip", "adaptive_trace_model", "pixel_replace", "cube_build", "resample", "wfs_combine", "source_catalog",
    "tso_photometry", "extract_1d", "spectral_leak", "combine_1d", "white_light", "ami_analyze", "ami_normalize",
)  # fmt: skip
"""Names below ``meta.cal_step``. Modes differ in places; this order is right for what one product has gone through,
but for steps of MIRI that stand elsewhere than those of the near infrared (refpix after dark_sub)."""

STEP_STATES = ("COMPLETE", "SKIPPED", "INCOMPLETE", "FAILED", "N/A")
"""What a keyword S_* says of a step."""


def steps_in_order(names: Iterable[str]) -> list[str]:
    """Names of steps in the order in which they are done.

    Parameters
    ----------
    names : iterable of str
        As below ``meta.cal_step``.

    Returns
    -------
    list of str
        Those of `STEPS` first, unknown ones behind them as they came.
    """
    listed = list(names)
    return sorted(listed, key=lambda name: STEPS.index(name) if name in STEPS else len(STEPS))
