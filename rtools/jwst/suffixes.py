"""Suffixes of JWST file names: those of the products and further ones, which kind of name has them, who makes them."""

from __future__ import annotations

import re
from typing import NamedTuple

from rtools.jwst.layout import SUFFIXES, facts, product_layout

__all__ = [
    "EXPOSURE_ONLY",
    "NAME_SUFFIXES",
    "STAGE3_ONLY",
    "STEP_SUFFIXES",
    "WITH_CANDIDATE",
    "Making",
    "extension_of",
    "making_of",
]

EXPOSURE_ONLY = ("uncal", "ramp", "rate", "rateints", "bsub", "bsubints")
"""Products that are named by their exposure alone."""

WITH_CANDIDATE = ("crf", "crfints", "psfalign", "psfsub", "ami-oi", "amimulti-oi", "amilg", "aminorm-oi")
"""Products that are named by their exposure and the association candidate that they were made for; aminorm-oi where an
association has several targets."""

STAGE3_ONLY = ("c1d", "cat", "segm", "phot", "whtlt", "psfstack")
"""Products that are named by what was observed, not by an exposure."""

FURTHER = {
    "psf-ami-oi": "Averaged interferometric observables of the reference star",
    "dark": "Dark exposure",
    "trapsfilled": "State of the charge traps",
    "fitopt": "Optional results of the ramp fit",
    "wfscmb": "Combined wavefront-sensing images",
    "flat": "Interpolated flat field",
    "msa": "Configuration of the micro-shutters",
    "mbsub": "Master-background-subtracted exposure",
    "esec": None,
}
"""Suffixes that the pipeline writes beside those of the products, and what they are, where that is known."""

NAME_SUFFIXES = (*SUFFIXES, *FURTHER)
"""All suffixes of exposures and of what is made of several of them."""


STEP_SUFFIXES = (
    "group_scale", "dq_init", "saturation", "ipc", "firstframe", "lastframe", "reset", "superbias", "refpix", "rscd",
    "linearity", "persistence", "dark_current", "charge_migration", "jump", "gain_scale", "assign_wcs", "flat_field",
    "photom",
)  # fmt: skip
"""Suffixes of what single steps make of a ramp or an image."""


class Making(NamedTuple):
    """What is known of a product by its suffix.

    Attributes
    ----------
    stage : str or None
        Of the pipeline: ``0`` to ``3``; None where the suffix does not say it.
    title : str or None
        What it is.
    maker : str or None
        Pipeline and step, ``calwebb_detector1: ramp_fit``; None for raw data and what is no product.
    """

    stage: str | None
    title: str | None
    maker: str | None


def making_of(suffix: str, *, of_exposure: bool) -> Making:
    """What a suffix says of a product.

    Parameters
    ----------
    suffix : str
        One of `NAME_SUFFIXES`; another says nothing.
    of_exposure : bool
        Whether the file is named by an exposure. Where two stages make the product, that is the earlier one.

    Returns
    -------
    Making
    """
    if suffix not in SUFFIXES:
        return Making(None, FURTHER.get(suffix), None)
    layout, producer = product_layout(suffix), facts()[suffix]["producer"]
    stage = str(layout.stages[0 if of_exposure else -1])
    if producer["pipeline"] is None:
        return Making(stage, layout.title, None)
    pipelines = re.findall(r"calwebb_\w+", producer["pipeline"])
    if len(layout.stages) > 1:  # calwebb_spec2 is of stage 2; calwebb_tso3 of stage 3
        pipelines = [name for name in pipelines if name.endswith(stage)]
    return Making(stage, layout.title, f"{' or '.join(pipelines)}: {producer['step'].partition(' ')[0]}")


def extension_of(suffix: str) -> str:
    """The extension that a product's file has.

    Parameters
    ----------
    suffix : str
        Of its name.

    Returns
    -------
    str
        ``ecsv``, ``json`` for an association, else ``fits``.
    """
    if suffix == "asn":
        return "json"
    return product_layout(suffix).form if suffix in SUFFIXES else "fits"
