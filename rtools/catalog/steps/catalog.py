"""Declaration of the source catalog step; `rtools.catalog.source_catalog` does the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtools.declare import CatalogStep, Option, Reference

__all__ = ["DUST_MAPS", "MEASURING", "REFERENCES", "SEPARATING", "STEP", "in_vain", "least_pixels"]

SEPARATING = (
    Option("deblend", False, "Separate sources whose pixels touch."),
    Option("contrast", 1e-4, "Least share of the light of a blend for a source of its own.", minimum=0.0),
)
MEASURING = (
    Option("fit-psf", True, "Measure positions and fluxes with the PSF, too."),
    Option(
        "psf-weights", "model", "Noise in the PSF fit: of the fitted model, or as measured.", choices=("model", "err")
    ),
)
DUST_MAPS = Option(
    "dust-maps", None, "Directory of the SFD98 maps SFD_dust_4096_ngp.fits and _sgp.fits.", type=str, names_file=True
)
"""Options that multiband catalogs have, too."""

REFERENCES = (
    Reference("epsf", absent="needed", optional=True),
    Reference("apcorr", absent="needed", optional=True),
)


def least_pixels(options: Mapping[str, Any]) -> int:
    """Pixels that a source must have: as asked for, else as the way of searching has it.

    Parameters
    ----------
    options : mapping of str to object
        Options of the step by key; npixels and deep are asked.

    Returns
    -------
    int
        By default 25, and 5 with deep detection.
    """
    return options["npixels"] or (5 if options["deep"] else 25)


def in_vain(options: Mapping[str, Any]) -> list[str]:
    """What to say of options that are not at their defaults, and change nothing beside the others.

    Parameters
    ----------
    options : mapping of str to object
        All options of the step by key.

    Returns
    -------
    list of str
        A sentence for each such option, ``--contrast does nothing without --deblend``.
    """
    idle = {"significance": "without --deep", "contrast": "without --deblend"}
    if options["deep"]:
        idle = dict.fromkeys(("snr_threshold", "deblend", "contrast"), "with --deep")
    elif options["deblend"]:
        del idle["contrast"]
    if options["forced_segmentation"]:
        searching = ("deep", "significance", "snr_threshold", "npixels", "deblend", "contrast")
        idle = dict.fromkeys(searching, "with --forced-segmentation")
    return [
        f"--{option.name} does nothing {idle[option.key]}"
        for option in STEP.options
        if option.key in idle and options[option.key] != option.default
    ]


STEP = CatalogStep(
    name="catalog",
    after="flat",
    chains=("imaging",),
    cal_step="source_catalog",
    suffix="sourcecatalogstep",
    summary="Find and measure sources.",
    description=(
        "Subtracts a background (median of boxes), smooths with a Gaussian, takes connected pixels above a threshold "
        "as sources, and measures each: moments, isophotal, Kron and circular apertures, half-light radius, windowed "
        "centre, PSF position and flux, neighbours and flags, with errors. Fluxes are in nJy. Writes X_cat.parquet and "
        "X_segm.asdf; from a _flat or _photom product also X_sourcecatalogstep.asdf. Takes mosaics (_coadd), too.\n\n"
        "Where pixels under an aperture are DO_NOT_USE or NaN, the pixels opposite the source's centre stand in for "
        "them. Fluxes are not corrected for apertures. The PSF is fitted twice, the second time with the noise of the "
        "fitted model (--psf-weights err leaves that out). --deep finds sources by a matched filter instead, some "
        "three magnitudes deeper."
    ),
    examples=(
        "rt-catalog X_cal.asdf",
        "rt-catalog *_cal.asdf --deep -j 2 --outdir catalogs",
        "rt-catalog X_coadd.asdf --deblend --format ecsv",
        "rt-catalog X_cal.asdf --forced-segmentation DEEP_segm.asdf -o X_forced_cat.parquet",
    ),
    options=(
        Option("bkg-boxsize", 1000, "Side of the background's boxes, pixels.", minimum=10),
        Option("kernel-fwhm", 2.0, "Width of the smoothing kernel, pixels (FWHM; at most 20).", minimum=0.1),
        Option("snr-threshold", 3.0, "Threshold on the smoothed image, in rms of the unsmoothed background."),
        Option(
            "npixels",
            None,
            "Least number of connected pixels of a source; 25 if not given, 5 with --deep.",
            type=int,
            minimum=1,
        ),
        *SEPARATING,
        *MEASURING,
        Option("deep", False, "Find faint sources with a filter matched to the PSF; blends are separated."),
        Option(
            "significance", 4.25, "With --deep: threshold, in standard deviations of the filtered image.", minimum=0.0
        ),
        DUST_MAPS,
        Option("forced-segmentation", None, "Measure on the segments of this _segm file.", type=str, names_file=True),
    ),
    references=REFERENCES,
    repeatable=True,
    results=2,
)
