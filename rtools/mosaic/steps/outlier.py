"""Outliers: what one exposure shows and the others do not; `rtools.mosaic.outlier` does the work."""

from rtools.declare import MosaicStep, Option
from rtools.mosaic.drizzle.options import FILL, GOOD_BITS, KERNEL, PIXFRAC, WEIGHT_TO_COMPARE

__all__ = ["STEP"]


STEP = MosaicStep(
    name="outlier",
    after="skymatch",
    also_of=("jwst",),
    cal_step="outlier_detection",
    suffix="outlier_detection_step",
    summary="Flag what one exposure shows and the others do not.",
    description=(
        "Each exposure (all its detectors) is drizzled to the grid of the mosaic; where its weight is below MASKPT of "
        "its mean weight it has no say. The median of the exposures is carried back to each detector. A pixel is an "
        "outlier that is further from it than S0 errors + D0 times the steepest step of the median around it and has "
        "itself, or as neighbour, a pixel beyond S1 and D1: it gets DO_NOT_USE and OUTLIER (129). With two exposures "
        "the lower value stands for their median. Nothing outside the grid is tested. One image alone is left as it is "
        "(SKIPPED).\n\n"
        "Images of JWST make _crf.fits, with the identifier of an association before the suffix. There an outlier is "
        "17, and value, error and variances of all pixels with DO_NOT_USE are NaN, unless --keep-values says "
        "otherwise.\n\n"
        "Integrations of time series and of coronagraphs (_calints) make _crfints.fits, each file for itself. There a "
        "value is an outlier that is further than S1 errors from the median of its own pixel: of the --window "
        "integrations about it, or of all. Values with DO_NOT_USE, and those that are not finite, have no share in "
        "medians. Of the options --snr, --window and --keep-values are for them.\n\n"
        "Exposures of a slit (_cal of spectra) are compared like images, on the grid of their rectified spectrum, each "
        "slit for itself, and make _crf.fits. Exposures of an integral field (MIR_MRS, NRS_IFU) are compared on the "
        "detector: a pixel is an outlier that is above or below both neighbours across dispersion, by more than S1 "
        "errors in every exposure, and whose least difference over the exposures, in units of the median of those in "
        "the --kernel-size window about it, is beyond the --threshold-percent percentile of all. So pixels are "
        "found that became bad after the mask of bad pixels was made."
    ),
    examples=(
        "rt-outlier r*_skymatch.asdf --outdir flagged",
        "rt-outlier X_asn.json --snr '4 3'",
        "rt-outlier @list.txt --skycell 270p65x69y50",
        "rt-outlier X_calints.fits --window 51",
        "rt-outlier X_0000?_mirimage_cal.fits --outdir flagged",
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
        Option(
            "window",
            None,
            "Of _calints: integrations about each whose median it is compared with, 0 for all; by default 25 of time "
            "series, else all.",
            type=int,
            minimum=0,
            mission="jwst",
            peer="rolling_window_width",
        ),
        Option("kernel-size", 7, "Of integral fields: side of the window, odd.", minimum=3, mission="jwst"),
        Option(
            "threshold-percent",
            99.8,
            "Of integral fields: percentile beyond which a difference is an outlier's.",
            minimum=0.0,
            mission="jwst",
        ),
        Option("keep-values", False, "Leave value, error and variances of flagged pixels as they are.", mission="jwst"),
    ),
    memory="about 1 GB for a skycell, whatever the number of exposures; on disk 4 bytes a pixel and exposure, unless "
    "--max-memory has room for them. Of integrations (_calints) 0.3 GB, and 0.1 GB for each "
    "further core, whatever their number. Of slits 0.6 kB for each pixel of one slit in all exposures.",
)
