"""Declaration of the source catalog of JWST; `rtools.catalog.jwst.source_catalog` does the work."""

from rtools.declare import MosaicCatalogStep, Option, Reference

__all__ = ["STEP"]

STEP = MosaicCatalogStep(
    name="catalog",
    mission="jwst",
    after="photom",
    cal_step="source_catalog",
    suffix="cat",
    summary="Find and measure sources.",
    description=(
        "Takes a mosaic (_i2d). Subtracts a background (median of boxes), smooths with a Gaussian, takes connected "
        "pixels above a threshold as sources, and separates those that touch. Each source is measured in three circles "
        "that hold 30, 50 and 70 % of a star's light by the apcorr reference, less the median of an annulus; "
        "aper_total_flux is the light of a point source. Fluxes are in Jy, magnitudes in AB and Vega. Writes "
        "X_cat.ecsv and X_segm.fits with the columns of the archive.\n\n"
        "Where pixels under an aperture cannot be used, the pixels opposite the source's centre stand in for them. "
        "Radii of the reference are pixels of the detector; on a mosaic with other pixels they are the same angles. "
        "Without an apcorr reference --radii says the circles, and there is no total flux."
    ),
    examples=(
        "rt-catalog X_i2d.fits",
        "rt-catalog X_i2d.fits --npixels 10 --snr-threshold 4 -o field_cat.ecsv",
        "rt-catalog X_i2d.fits --radii 2,3,5 --sky-annulus 8,12 --ref apcorr=none",
    ),
    options=(
        Option("bkg-boxsize", 1000, "Side of the background's boxes, pixels.", minimum=10),
        Option("kernel-fwhm", 2.0, "Width of the smoothing kernel, pixels (FWHM; at most 20).", minimum=0.1),
        Option("snr-threshold", 3.0, "Threshold on the smoothed image, in rms of the unsmoothed background."),
        Option("npixels", 25, "Least number of connected pixels of a source.", minimum=1),
        Option("deblend", True, "Separate sources whose pixels touch."),
        Option("contrast", 1e-3, "Least share of the light of a blend for a source of its own.", minimum=0.0),
        Option("energies", "30,50,70", "Percentages of a star's light in the three circles, with commas between."),
        Option("radii", None, "Radii of the three circles, pixels of the mosaic; not the reference's.", type=str),
        Option(
            "sky-annulus",
            None,
            "Inner and outer radius of the annulus, pixels of the mosaic, in place of the reference's.",
            type=str,
        ),
        Option("ci1-star-threshold", 2.0, "A star's second flux is at most so many times its first."),
        Option("ci2-star-threshold", 1.8, "A star's third flux is at most so many times its second."),
        Option("forced-segmentation", None, "Measure on the segments of this _segm file.", type=str),
    ),
    references=(
        Reference("apcorr", nodes=("apcorr_table",), absent="needed", optional=True),
        Reference("abvegaoffset", nodes=("abvega_offset",), absent="skip", optional=True),
    ),
    memory="38 bytes a pixel of the mosaic, beside 0.26 GB.",
    repeatable=True,
    results=2,
)
