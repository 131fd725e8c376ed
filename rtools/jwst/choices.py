"""What some metadata of JWST may say: those of which all values are known."""

from __future__ import annotations

from rtools.jwst.detectors import DETECTORS
from rtools.jwst.kinds import INSTRUMENTS
from rtools.jwst.layout import SUFFIXES, product_layout
from rtools.jwst.steps import STEP_STATES

__all__ = ["choices_of"]


def choices_of(path: str, kind: str) -> tuple[str, ...] | None:
    """The values that metadata may have.

    Parameters
    ----------
    path : str
        Dotted, below ``meta``: ``instrument.detector``.
    kind : str
        Of the product, one of `rtools.jwst.SUFFIXES`; any other file may have any data model.

    Returns
    -------
    tuple of str or None
        None where they are not known.
    """
    if path.startswith("cal_step."):
        return STEP_STATES
    if path == "model_type":
        return product_layout(kind).models if kind in SUFFIXES else None
    detectors = tuple(name.upper() for names in DETECTORS.values() for name in names)
    known = {
        "telescope": ("JWST",),
        "instrument.name": tuple(INSTRUMENTS),
        "instrument.detector": (*detectors, "MULTIPLE"),  # of what is made of several
    }
    return known.get(path)
