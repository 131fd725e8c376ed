"""The steps of a mosaic and their options, as plain data."""

from rtools.declare import Option, Step

__all__ = ["FLUX", "KERNELS", "METHODS", "OUTLIER", "PLANES", "RESAMPLE", "SKYMATCH", "WEIGHTS"]

METHODS = ("match", "local", "global", "global+match")

FLUX = Step(
    name="flux",
    kind="mosaic",
    cal_step="flux",
    suffix="flux",
    summary="Convert DN/s to MJy/sr.",
    description=(
        "data and err times c = meta.photometry.conversion_megajanskys, variances times c². Other arrays stay as they "
        "are. Computed in float32 also where the file holds float16. A file without a conversion (null, -999999, "
        "prism and grism) is refused."
    ),
    examples=("rt-flux X_cal.asdf", "rt-flux r*_cal.asdf --outdir flux"),
    metadata=("photometry.conversion_megajanskys",),
)

SKYMATCH = Step(
    name="skymatch",
    kind="mosaic",
    cal_step="skymatch",
    suffix="skymatch",
    summary="Match the sky of overlapping exposures.",
    description=(
        "Finds one sky level for each exposure and writes it to meta.background; data change only with --subtract "
        "(rt-outlier and rt-resample subtract a level that is not subtracted yet). match: levels that make the "
        "exposures agree where they overlap, in the least squares sense; the lowest becomes 0 (the highest, with "
        "--no-match-down). local: the statistic of each exposure. global: the least of them, for all. global+match: "
        "match, plus the least level that is left. Groups of exposures that do not touch are matched each in itself. "
        "An exposure without a level gets 0 and the status SKIPPED.\n\n"
        "By default (--pairs cells) exposures are compared in cells of the sky 6.4 arcsec wide: one clipped median "
        "each, sources left out, then a robust fit of all levels at once, weighted by pixels and scatter. --pairs "
        "exact takes one statistic of the whole overlap of each two exposures, weighted by pixels. A median of sky "
        "pixels is closer to the sky than the mode of a histogram, which is 0.05 sigma low."
    ),
    examples=(
        "rt-skymatch r*_flux.asdf --outdir matched",
        "rt-skymatch @list.txt --method global+match --subtract",
        "rt-skymatch X_asn.json --pairs exact --statistic mode",
    ),
    options=(
        Option("method", "match", "What is asked of the levels.", choices=METHODS, peer="skymethod"),
        Option("match-down", True, "Level 0 for the exposure with the lowest sky; else with the highest."),
        Option("subtract", False, "Subtract the levels from the data now."),
        Option(
            "statistic",
            "median",
            "Sky value of a set of pixels.",
            choices=("median", "mean", "mode", "midpt"),
            peer="skystat",
        ),
        Option("dqbits", "~DO_NOT_USE", "DQ bits that are ignored; after a ~ those that are not."),
        Option("lower", None, "Least usable value, in units of the data.", type=float),
        Option("upper", None, "Largest usable value, in units of the data.", type=float),
        Option("nclip", 5, "Passes of clipping.", minimum=0),
        Option("lsigma", 4.0, "Limit of clipping below the mean, standard deviations.", minimum=0.0),
        Option("usigma", 4.0, "Limit of clipping above the mean, standard deviations.", minimum=0.0),
        Option("binwidth", 0.1, "Bins of the histogram for mode and midpt, standard deviations.", minimum=1e-3),
        Option("mask-sources", True, "Leave out sources."),
        Option("pairs", "cells", "How exposures are compared.", choices=("cells", "exact")),
        Option("stepsize", None, "With --pairs exact: pixels between points of outlines.", type=int, minimum=1),
    ),
)

KERNELS = ("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3")
WEIGHTS = ("ivm", "exptime", "ivm-sky")

PLANES = ("data", "err", "weight", "context", "var_poisson", "var_rnoise", "var_sky")
"""Arrays of a mosaic, by default all."""

KERNEL = Option("kernel", "square", "How a pixel is spread; only square and turbo conserve flux.", choices=KERNELS)
PIXFRAC = Option("pixfrac", 1.0, "Side of a pixel's drop, in its own pixels: 0 to 1.", minimum=0.0)
# The read-noise variance of a ramp fit grows with the signal. So ivm takes light from stars in a mosaic; and in the
# search for outliers it leaves the cores of stars, which would be flagged without reason, out: docs/accuracy.md.
WEIGHT = Option(
    "weight-type",
    "auto",
    "Weights: exposure time, 1 / read-noise variance (ivm: stars lose light), with the sky's noise (ivm-sky); "
    "auto: those of the mosaic that it is to be like or to join, else exptime.",
    choices=("auto", *WEIGHTS),
)
WEIGHT_TO_COMPARE = Option(
    "weight-type",
    "ivm",
    "Weights: 1 / read-noise variance (ivm: cores of stars are not tested), with the sky's noise, or exposure time.",
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
        Option("backg", 0.0, "Sky of the data that are compared, where the metadata do not say it, MJy/sr."),
        Option("resample-data", True, "Compare on the sky; else pixel by pixel, which is for exposures not dithered."),
        KERNEL,
        PIXFRAC,
        WEIGHT_TO_COMPARE,
        GOOD_BITS,
        FILL,
    ),
    memory="about 1 GB for a skycell, whatever the number of exposures; on disk 4 bytes a pixel and exposure, unless "
    "--max-memory has room for them.",
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
        "and sky alone and no part of err. Standard deviations are resampled like data; exposures are combined by "
        "exposure time, with ivm by the inverse of their resampled read-noise variance; variances are for pixels of "
        "the input's size (divided by the square of the ratio of pixel scales): apertures keep their signal to noise."
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
        Option("dq", False, "Also dq: the flags of all pixels that took part, joined bit by bit.", peer="propagate_dq"),
        Option("planes", ",".join(PLANES), "Arrays that are computed; the others are NaN, var_sky absent."),
    ),
    memory="1.2 GB for a skycell, whatever the number of exposures (4 bytes a pixel more for every 32 of them).",
)
