"""Which steps exposures of JWST go through, by instrument and EXP_TYPE.

The order is that of the mission's pipelines calwebb_detector1 and calwebb_image2; names are those of the tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "ASKED_FOR",
    "IMAGE_CHAIN",
    "RAMP_CHAINS",
    "SCALED_BACKGROUND",
    "has_coordinates",
    "is_time_series",
    "ramp_chain",
    "stays_apart",
    "wanted_anyway",
]

RAMP_CHAINS = {
    "near infrared": (
        "groupscale", "dqinit", "saturation", "ipc", "superbias", "refpix", "linearity", "dark", "chargemig", "jump",
        "rampfit", "gainscale",
    ),
    "miri": (
        "groupscale", "dqinit", "saturation", "ipc", "lastframe", "reset", "linearity", "rscd", "dark", "refpix",
        "jump", "rampfit", "gainscale",
    ),
}  # fmt: skip
"""From raw ramps to rates."""

IMAGE_CHAIN = ("bsub", "assignwcs", "flat", "photom")
"""From rates to calibrated images."""

ASKED_FOR = ("ipc", "chargemig", "bsub")
"""Steps that are left out unless they are asked for."""

IMAGING = (
    "NRC_IMAGE", "NRC_TSIMAGE", "NRC_CORON", "NRC_TACQ", "NRC_TACONFIRM", "NRC_FOCUS", "NIS_IMAGE", "NIS_AMI",
    "NIS_FOCUS", "NIS_TACQ", "NIS_TACONFIRM", "MIR_IMAGE", "MIR_LYOT", "MIR_4QPM", "MIR_TACQ", "MIR_TACONFIRM",
    "MIR_CORONCAL", "FGS_IMAGE", "FGS_FOCUS",
)  # fmt: skip
"""Types of exposures whose coordinates follow from distortion and pointing alone."""

APART = (
    "NRC_TSIMAGE", "NRC_TSGRISM", "NRC_CORON", "NIS_SOSS", "NIS_AMI", "NRS_BRIGHTOBJ", "MIR_LRS-SLITLESS", "MIR_LYOT",
    "MIR_4QPM",
)  # fmt: skip
"""Types whose integrations are calibrated one by one."""

TIME_SERIES = ("NRC_TSIMAGE", "NRC_TSGRISM", "NIS_SOSS", "NRS_BRIGHTOBJ", "MIR_LRS-SLITLESS")
"""Types of exposures that are time series."""

SCALED_BACKGROUND = ("NIS_WFSS", "NRC_WFSS", "NIS_SOSS")
"""Types whose background is scaled from a template."""


def ramp_chain(instrument: str) -> tuple[str, ...]:
    """Steps from a raw ramp to a rate, those that must be asked for among them.

    Parameters
    ----------
    instrument : str
        As INSTRUME has it.

    Returns
    -------
    tuple of str
        Names of tools without ``rt-``, in order.
    """
    return RAMP_CHAINS["miri" if instrument.upper() == "MIRI" else "near infrared"]


def wanted_anyway(exposure_type: str) -> tuple[str, ...]:
    """Those of `ASKED_FOR` that this type of exposure has without being asked.

    Parameters
    ----------
    exposure_type : str
        EXP_TYPE.
    """
    return ("chargemig",) if exposure_type == "NIS_IMAGE" else ()


def has_coordinates(exposure_type: str) -> bool:
    """Whether coordinates of this type of exposure follow from distortion and pointing alone.

    Parameters
    ----------
    exposure_type : str
        EXP_TYPE.
    """
    return exposure_type in IMAGING


def stays_apart(meta: Mapping[str, Any]) -> bool:
    """Whether integrations are calibrated one by one: time series, coronagraphy, interferometry.

    Parameters
    ----------
    meta : mapping
        Metadata of the exposure.
    """
    return meta["exposure"].get("type") in APART or bool((meta.get("visit") or {}).get("tsovisit"))


def is_time_series(meta: Mapping[str, Any]) -> bool:
    """Whether the integrations of an exposure follow a target in time.

    Parameters
    ----------
    meta : mapping
        Metadata of the exposure.
    """
    kind, visit = (meta.get("exposure") or {}).get("type"), meta.get("visit") or {}
    return kind in TIME_SERIES or visit.get("tsovisit") is True
