"""The rules of each mission by which references are found."""

from rtools.reference.find import ROMAN
from rtools.reference.jwst.rules import JWST_RULES
from rtools.reference.rules import MissionRules

__all__ = ["rules_of"]

RULES: dict[str, MissionRules] = {"roman": ROMAN, "jwst": JWST_RULES}


def rules_of(mission: str) -> MissionRules:
    """The rules of a mission.

    Parameters
    ----------
    mission : str
        ``roman`` or ``jwst``, as a product says it.

    Returns
    -------
    rtools.reference.rules.MissionRules
        For `rtools.reference.find.references` and `survey`.
    """
    return RULES[mission]
