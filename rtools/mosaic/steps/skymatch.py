"""Sky matching: one sky for images that overlap; `rtools.mosaic.sky` does the work."""

from rtools.declare import MosaicStep, Option
from rtools.mosaic.drizzle.options import GOOD_OF_JWST

__all__ = ["METHODS", "STEP"]

METHODS = ("match", "local", "global", "global+match")


STEP = MosaicStep(
    name="skymatch",
    after="flux",
    also_of=("jwst",),
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
        "pixels is closer to the sky than the mode of a histogram, which is 0.05 sigma low.\n\n"
        "The cells of JWST's images are as many pixels wide, and pixels with NON_SCIENCE are left out, too."
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
        Option(
            "dqbits",
            "~DO_NOT_USE",
            "DQ bits that are ignored; after a ~ those that are not.",
            elsewhere=(GOOD_OF_JWST,),
        ),
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
