"""World coordinates: build the transform from pixel to sky and record the footprint. Metadata only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtools.declare import FrameStep, Reference

if TYPE_CHECKING:
    from rtools.exposure.frame import Exposure

__all__ = ["STEP", "apply"]


def apply(exposure: Exposure, refs: dict, options: dict, prepared: None) -> None:
    """Write `meta.wcs` and `meta.wcsinfo.s_region`.

    Parameters
    ----------
    exposure : rtools.exposure.frame.Exposure
        Its metadata change; its shape and its place in the frame are read.
    refs : dict
        ``refs["distortion"]["coordinate_distortion_transform"]``: pixel of the trimmed frame to V2, V3.
    options : dict
        Not used.
    prepared : None
        Not used.
    """
    from rtools.astrometry import wcs
    from rtools.wfi import metadata
    from rtools.wfi.frame import BORDER
    from rtools.wfi.sphere import s_region

    meta = exposure.meta

    def log(level, text):
        exposure.log(level, f"assignwcs: {text}")

    scale = metadata.usable(meta, "velocity_aberration.scale_factor", log, "1 is used")
    shape = tuple(size - 2 * BORDER for size in exposure.shape[1:])
    pointing = wcs.Pointing(*(float(meta["wcsinfo"][key]) for key in wcs.Pointing._fields))
    x, y = exposure.origin
    whole = y + shape[0], x + shape[1]
    meta["wcs"] = wcs.build_wcs(refs["distortion"]["coordinate_distortion_transform"], pointing, scale, whole)
    if exposure.origin != (0, 0):
        from rtools.astrometry.cutout_wcs import cutout_wcs

        meta["wcs"] = cutout_wcs(meta["wcs"], slice(y, whole[0]), slice(x, whole[1]))
    region = s_region(wcs.footprint(meta["wcs"]))
    if region is None:
        exposure.log("warning", "assignwcs: corners of the image have no sky position; s_region stays as it was")
    else:
        meta["wcsinfo"]["s_region"] = region


STEP = FrameStep(
    name="assignwcs",
    after="dark",
    cal_step="assign_wcs",
    memory="0.6 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="assignwcs",
    summary="Attach the world coordinate system.",
    description=(
        "Chains the reference's distortion (0-based pixel of the 4088 frame to V2, V3), the differential velocity "
        "aberration about the reference point, and the rotation to the ICRS given by meta.wcsinfo. The result is "
        "meta.wcs, a gwcs object with frames detector, v2v3, v2v3vacorr and world; meta.wcsinfo.s_region gets the sky "
        "positions of its corners. May run again."
    ),
    examples=("rt-assignwcs X_darkcurrent.asdf", "rt-assignwcs X_cal.asdf --ref distortion=mydistortion.asdf"),
    references=(Reference("distortion", nodes=("coordinate_distortion_transform",)),),
    metadata=(
        "wcsinfo.v2_ref",
        "wcsinfo.v3_ref",
        "wcsinfo.ra_ref",
        "wcsinfo.dec_ref",
        "wcsinfo.roll_ref",
    ),
    repeatable=True,
    imports=("gwcs", "asdf_astropy.integration", "astropy.modeling.models"),
    apply=apply,
)
