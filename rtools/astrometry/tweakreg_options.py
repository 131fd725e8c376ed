"""Options of the alignment, declared: rt-tweakreg's, and `rt-run --set tweakreg.OPTION=VALUE`."""

from rtools.declare import Option

__all__ = ["OPTIONS", "defaults"]

OPTIONS = (
    Option("max-shift", 6.0, "Largest shift that is accepted at the detector centre, arcsec.", minimum=0.0),
    Option("max-rotation", 0.3, "Largest rotation that is accepted, about WFI_CEN, degrees.", minimum=0.0),
    Option("max-scale", 2e-3, "Largest |scale - 1| that is accepted.", minimum=0.0),
    Option("max-rmse", 30.0, "Largest root mean square residual that is accepted, mas.", minimum=0.0),
    Option("max-chance", 1e-6, "Largest accepted probability that the match is chance.", minimum=0.0),
    Option("minobj", 3, "Fewest matches.", minimum=1, peer="abs_minobj"),
    Option("searchrad", 6.0, "Shifts are searched up to this, arcsec.", minimum=0.0, peer="abs_searchrad"),
    Option("tolerance", 0.7, "Tolerance of the first match, arcsec; it tightens.", minimum=0.12, peer="abs_tolerance"),
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
        "sigma", 3.0, "Residuals above this times their root mean square are clipped.", minimum=1.0, peer="abs_sigma"
    ),
    Option(
        "weights",
        "errors",
        "Weights in the fit: errors of sources and stars, the catalog's column weight, or none.",
        choices=("errors", "weight", "none"),
    ),
)


def defaults():
    """Key to default value."""
    return {option.key: option.default for option in OPTIONS}
