"""Declaration of the alignment step; `rtools.astrometry.align` does the work."""

from rtools.declare import AlignStep, Option

__all__ = ["STEP"]


STEP = AlignStep(
    name="tweakreg",
    after="catalog",
    chains=("imaging",),
    cal_step="tweakreg",
    suffix="tweakregstep",
    summary="Align images to a reference catalog.",
    description=(
        "Matches the PSF positions of an image's catalog with reference stars (Gaia), which are moved to the middle of "
        "the exposure, and corrects the WCS by what fits them best in the tangent plane. Shift and rotation are "
        "searched together; a match counts only if it is not by chance. A correction that is too large, too rough or "
        "too likely by chance is refused: meta.cal_step.tweakreg says FAILED, and the WCS stays.\n\n"
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
            names_file=True,
        ),
        Option(
            "refcat-columns",
            None,
            "Which of its columns mean what: ra=NAME,dec=NAME,ref_epoch=2016.0; usual names are known.",
            type=str,
        ),
        Option("max-shift", 6.0, "Largest shift that is accepted at the detector centre, arcsec.", minimum=0.0),
        Option("max-rotation", 0.3, "Largest rotation that is accepted, about WFI_CEN, degrees.", minimum=0.0),
        Option("max-scale", 2e-3, "Largest |scale - 1| that is accepted.", minimum=0.0),
        Option("max-rmse", 30.0, "Largest root mean square residual that is accepted, mas.", minimum=0.0),
        Option("max-chance", 1e-6, "Largest accepted probability that the match is chance.", minimum=0.0),
        Option("minobj", 3, "Fewest matches.", minimum=1, peer="abs_minobj"),
        Option("searchrad", 6.0, "Shifts are searched up to this, arcsec.", minimum=0.0, peer="abs_searchrad"),
        Option(
            "tolerance", 0.7, "Tolerance of the first match, arcsec; it tightens.", minimum=0.12, peer="abs_tolerance"
        ),
        Option(
            "separation",
            0.3,
            "Sources and stars closer together than this, arcsec, are not fitted where others do.",
            minimum=0.0,
            peer="abs_separation",
        ),
        Option(
            "fitgeometry",
            "auto",
            "What is fitted; auto: rshift for 3-5 matches, rscale for 6-9, general from 10 on.",
            choices=("auto", "shift", "rshift", "rscale", "general"),
            peer="abs_fitgeometry",
        ),
        Option("nclip", 3, "Passes of clipping.", minimum=0, peer="abs_nclip"),
        Option(
            "sigma",
            3.0,
            "Residuals above this times their root mean square are clipped.",
            minimum=1.0,
            peer="abs_sigma",
        ),
        Option(
            "weights",
            "errors",
            "Weights in the fit: errors of sources and stars, the catalog's column weight, or none.",
            choices=("errors", "weight", "none"),
        ),
    ),
    metadata=("wcsinfo.v2_ref", "wcsinfo.v3_ref", "wcsinfo.ra_ref", "wcsinfo.dec_ref", "wcsinfo.roll_ref"),
    repeatable=True,
)
