"""The steps of a mosaic that look at all exposures: outlier detection and resampling; their options as plain data."""

from rtools.declare import Option, Step

__all__ = ["KERNELS", "OUTLIER", "PLANES", "RESAMPLE", "WEIGHTS"]

KERNELS = ("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3")
WEIGHTS = ("ivm", "exptime", "ivm-sky")

PLANES = ("data", "err", "weight", "context", "var_poisson", "var_rnoise", "var_sky")
"""Arrays of a mosaic, by default all."""

KERNEL = Option("kernel", "square", "How a pixel is spread; only square and turbo conserve flux.", choices=KERNELS)
PIXFRAC = Option("pixfrac", 1.0, "Side of a pixel's drop, in its own pixels: 0 to 1.", minimum=0.0)
WEIGHT = Option(
    "weight-type",
    "ivm",
    "Weights: 1 / read-noise variance (ivm), with the noise of the sky (ivm-sky), or the exposure time.",
    choices=WEIGHTS,
)
GOOD_BITS = Option("good-bits", "~DO_NOT_USE", "DQ bits that are ignored; after a ~ the only ones that are not.")
FILL = Option("fillval", "NaN", "Value where there are no data: a number, NaN, or INDEF for 0.")

OUTLIER = Step(
    name="outlier",
    kind="mosaic",
    cal_step="outlier_detection",
    suffix="outlier_detection_step",
    summary="Flag what one exposure shows and the others do not.",
    description=(
        "Each exposure (all its detectors) is drizzled to the grid of the mosaic; where its weight is below MASKPT of "
        "its mean weight it has no say. The median of the exposures is carried back to each detector. A pixel is an "
        "outlier that is further from it than S0 errors + D0 times the steepest step of the median around it and has "
        "itself, or as neighbour, a pixel beyond S1 and D1: it gets DO_NOT_USE and OUTLIER (129). With two exposures "
        "the lower value stands for their median. Nothing outside the grid is tested. One image alone is left as it is "
        "(SKIPPED)."
    ),
    examples=(
        "rt-outlier r*_skymatch.asdf --outdir flagged",
        "rt-outlier X_asn.json --snr '4 3'",
        "rt-outlier @list.txt --skycell 270p65x69y50",
    ),
    options=(
        Option("snr", "5.0 4.0", "S1 and S0: errors beyond which a pixel is an outlier, and its neighbour."),
        Option("gradient", "1.2 0.7", "D1 and D0: steps of the median, likewise.", peer="scale"),
        Option("maskpt", 0.7, "Least weight of a pixel that counts in the median, of the mean weight.", minimum=0.0),
        Option("backg", 0.0, "Sky in the data where the metadata do not say it, MJy/sr."),
        Option("resample-data", True, "Compare on the sky; else pixel by pixel, which is for exposures not dithered."),
        KERNEL,
        PIXFRAC,
        WEIGHT,
        GOOD_BITS,
        FILL,
    ),
    memory="about 1 GB for a skycell, whatever the number of exposures; on disk 4 bytes a pixel and exposure.",
)

RESAMPLE = Step(
    name="resample",
    kind="mosaic",
    cal_step="resample",
    suffix="coadd",
    summary="Drizzle exposures into a mosaic.",
    description=(
        "Surface brightness is kept: no scaling by pixel areas. A sky level that the metadata state and that is not "
        "subtracted is subtracted. err² = var_rnoise + var_poisson (+ var_flat); var_sky is the variance of read noise "
        "and sky alone and no part of err. Standard deviations are resampled like data; exposures are combined by the "
        "inverse of their resampled read-noise variance; variances are for pixels of the input's size (divided by the "
        "square of the ratio of pixel scales), which keeps the signal to noise of apertures."
    ),
    examples=(
        "rt-resample r*_cal.asdf -o field_coadd.asdf",
        "rt-resample X_asn.json --outdir mosaics -j 0",
        "rt-resample @list.txt --skycell 270p65x69y50",
        "rt-resample *_cal.asdf --center 270.1,66.02 --scale 0.055 --size 6000,6000 --pa 0 -o m_coadd.asdf",
    ),
    options=(
        KERNEL,
        PIXFRAC,
        WEIGHT,
        GOOD_BITS,
        FILL,
        Option("var-flat", False, "Also var_flat, where the exposures have it.", peer="include_var_flat"),
        Option("planes", ",".join(PLANES), "Arrays that are computed; the others are NaN, var_sky absent."),
    ),
    memory="1.2 GB for a skycell, whatever the number of exposures (4 bytes a pixel more for every 32 of them).",
)
