"""Associations of the mission: their rules, which exposures each takes, and how what is made of them is called.

Rules and names follow the mission's documentation of associations ("Association Naming", "Level 2 and 3 rules").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rtools.jwst.modes import IMAGING, TIME_SERIES

__all__ = ["ASSOCIATION_RULES", "AssociationRule", "optics_of"]

SPECTRA = (
    "NRS_FIXEDSLIT", "NRS_MSASPEC", "NRS_IFU", "MIR_MRS", "MIR_LRS-FIXEDSLIT", "NIS_WFSS", "NRC_WFSS",
)  # fmt: skip
"""Types of exposures that are spectra of sources or fields."""

NOTHING = ("", "N/A", "NONE", "NULL", "ANY", "FULL", "GENERIC", "UNKNOWN")
"""What elements and sub-arrays are called that are none."""


@dataclass(frozen=True)
class AssociationRule:
    """What an association of one type is of.

    Attributes
    ----------
    asn_type : str
        ``image2``.
    asn_rule : str
        The mission's name of the rule.
    exposures : tuple of str
        Values of EXP_TYPE.
    kinds : tuple of str
        Products that its members are, the first by rule; others are taken up to that.
    extras : tuple of str
        Exptypes of members beside ``science``.
    time_series : bool or None
        Whether TSOVISIT must be set, or must not; None where it does not count.
    """

    asn_type: str
    asn_rule: str
    exposures: tuple[str, ...]
    kinds: tuple[str, ...]
    extras: tuple[str, ...] = ()
    time_series: bool | None = None

    @property
    def one_by_one(self) -> bool:
        """Whether every exposure has a product of its own."""
        return self.asn_type.endswith("2")

    def takes(self, meta: Mapping[str, Any]) -> bool:
        """Whether an exposure can be a member.

        Parameters
        ----------
        meta : mapping
            Its metadata.
        """
        kind, series = str(meta["exposure"].get("type")), bool((meta.get("visit") or {}).get("tsovisit"))
        if self.time_series:
            return kind in self.exposures or (series and kind == "MIR_IMAGE")
        return kind in self.exposures and not (series and self.time_series is False)


ASSOCIATION_RULES = {
    rule.asn_type: rule
    for rule in (
        AssociationRule("image2", "Asn_Lv2Image", IMAGING, ("rate", "rateints", "uncal"), ("background",)),
        AssociationRule(
            "image3",
            "Asn_Lv3Image",
            ("NRC_IMAGE", "NIS_IMAGE", "MIR_IMAGE", "FGS_IMAGE"),
            ("cal", "rate", "uncal"),
            time_series=False,
        ),
        AssociationRule("tso3", "Asn_Lv3TSO", TIME_SERIES, ("calints", "rateints", "uncal"), time_series=True),
        AssociationRule(
            "coron3",
            "Asn_Lv3Coron",
            ("NRC_CORON", "MIR_LYOT", "MIR_4QPM"),
            ("calints", "rateints", "uncal"),
            ("psf",),
        ),
        AssociationRule("ami3", "Asn_Lv3AMI", ("NIS_AMI",), ("calints", "rateints", "uncal"), ("psf",)),
        AssociationRule("spec3", "Asn_Lv3SpectralTarget", SPECTRA, ("cal",), ("background",), time_series=False),
    )
}
"""Rules by the type of their associations."""


def optics_of(meta: Mapping[str, Any]) -> str:
    """Optical elements of an exposure as names of the third stage have them: ``clear-f200w``, ``f480m-nrm-sub80``.

    Parameters
    ----------
    meta : mapping
        Its metadata.

    Returns
    -------
    str
        Elements in the order of the alphabet, slit and sub-array behind them, in lower case.
    """
    instrument = meta.get("instrument") or {}
    elements = sorted(_words(instrument, "filter", "pupil", "grating"))
    if str(meta["exposure"].get("type")) == "MIR_MRS":
        elements = [f"ch{channel}" for channel in _words(instrument, "channel")] + _words(instrument, "band")
    rest = _words(instrument, "fixed_slit") + _words(meta.get("subarray") or {}, "name")
    return "-".join((*elements, *rest))


def _words(block, *names):
    found = (str(block.get(name) or "").strip() for name in names)
    return [word.lower() for word in found if word.upper() not in NOTHING]
