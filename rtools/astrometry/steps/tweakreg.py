"""Declaration of the alignment step; `rtools.astrometry.align` does the work."""

from rtools.astrometry.tweakreg_options import OPTIONS
from rtools.declare import Option, Step

__all__ = ["STEP"]

STEP = Step(
    name="tweakreg",
    kind="align",
    cal_step="tweakreg",
    suffix="tweakregstep",
    summary="Align images to a reference catalog.",
    description=(
        "Matches the PSF positions of an image's catalog with reference stars (Gaia), which are moved to the middle of "
        "the exposure, and corrects the WCS by what fits them best in the tangent plane. Shift and rotation are "
        "searched together; a match counts only if it is no chance. A correction that is too large, too rough or too "
        "likely by chance is refused: meta.cal_step.tweakreg says FAILED, and the WCS stays.\n\n"
        "Several images are aligned one by one; with --together, or as an association, they get one common correction. "
        "The result is in meta.wcs, meta.wcs_fit_results and meta.wcsinfo.s_region."
    ),
    examples=(
        "rt-tweakreg X_cal.asdf --refcat gaia.parquet",
        "rt-tweakreg *_cal.asdf --together --refcat gaia_hats --outdir aligned",
    ),
    options=(
        Option(
            "refcat",
            None,
            "Reference catalog: table, HATS tree (directory), or gaia: the archive, if no file has that name.",
            type=str,
        ),
        *OPTIONS,
    ),
    metadata=("wcsinfo.v2_ref", "wcsinfo.v3_ref", "wcsinfo.ra_ref", "wcsinfo.dec_ref", "wcsinfo.roll_ref"),
    repeatable=True,
)
