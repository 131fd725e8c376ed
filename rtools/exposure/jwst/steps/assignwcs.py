"""World coordinates of JWST's images: metadata only."""

from __future__ import annotations

from typing import Any

from rtools.declare import FrameStep, NotApplicable, Reference
from rtools.exposure.jwst.exposure import RampExposure

__all__ = ["STEP", "apply", "prepare"]


def prepare(exposure: RampExposure, options: dict) -> NotApplicable | None:
    """Leave exposures alone that have coordinates already.

    Parameters
    ----------
    exposure : RampExposure
        Not used.
    options : dict
        Not used.
    """
    return None


def apply(exposure: RampExposure, refs: dict[str, Any], options: dict, prepared: None) -> dict[str, Any]:
    """The coordinates of an image.

    Parameters
    ----------
    exposure : RampExposure
        Its metadata say where the telescope pointed, and its shape how large the image is.
    refs : dict
        ``refs["distortion"]``: pixels of the full frame (0-based) to V2, V3 in arcsec, a model;
        ``refs["filteroffset"]``, where there is one, the offsets of its optical elements (columns, rows) in pixels.
    options, prepared
        Not used.

    Returns
    -------
    dict
        ``wcs``, a gwcs.WCS, and ``s_region``.
    """
    from astropy.modeling.models import Shift

    from rtools.astrometry import wcs
    from rtools.wfi.sphere import s_region

    subarray, info = exposure.meta["subarray"], exposure.meta["wcsinfo"]
    x, y = refs.get("filteroffset") or (0.0, 0.0)
    first = subarray["xstart"] - 1 + x, subarray["ystart"] - 1 + y
    model = Shift(first[0]) & Shift(first[1]) | refs["distortion"]
    pointing = wcs.Pointing(*(float(info[key]) for key in wcs.Pointing._fields))
    scale = (exposure.meta.get("velocity_aberration") or {}).get("scale_factor")
    made = wcs.build_wcs(model, pointing, scale, exposure.shape[2:])
    return {"wcs": made, "s_region": s_region(wcs.footprint(made))}


STEP = FrameStep(
    name="assignwcs",
    mission="jwst",
    after="bsub",
    cal_step="assign_wcs",
    suffix="assign_wcs",
    peer="assign_wcs",
    summary="Attach the world coordinate system.",
    examples=("rt-assignwcs X_rate.fits --ref distortion=mine.asdf",),
    description=(
        "Pixels, moved by the offset of the filter, go through the distortion to V2, V3, are corrected for the "
        "velocity of the telescope about the reference point, and are turned to the sky by RA_REF, DEC_REF and "
        "ROLL_REF. The "
        "tree gets a gwcs object, the header of SCI a TAN projection with SIP polynomials, and S_REGION the "
        "corners. This is for images; spectra need coordinates that the mission's software makes."
    ),
    references=(
        Reference("distortion", nodes=("model",)),
        Reference("filteroffset", nodes=("filters",), absent="skip", optional=True),
    ),
    metadata=("wcsinfo.v2_ref", "wcsinfo.v3_ref", "wcsinfo.ra_ref", "wcsinfo.dec_ref", "wcsinfo.roll_ref"),
    repeatable=True,
    imports=("gwcs", "asdf_astropy.integration", "astropy.modeling.models"),
    prepare=prepare,
    apply=apply,
)
