"""Declaration of the multiband catalog; `rtools.catalog.multiband.multiband` does the work."""

from rtools.catalog.steps.catalog import DUST_MAPS, MEASURING, REFERENCES, SEPARATING
from rtools.declare import MultibandStep, Option

__all__ = ["STEP"]


STEP = MultibandStep(
    name="multiband",
    after="resample",
    cal_step="source_catalog",
    suffix="cat",
    summary="One catalog of mosaics in several filters.",
    description=(
        "Takes coadds of one grid, one for each filter, or their association. Sources are found in one image: the "
        "signal-to-noise ratio of all bands together, each weighted by 1 / read-noise variance (times its sed_weight "
        "in the association), smoothed with Gaussians. Centres, shapes and apertures are those of that image; fluxes "
        "are measured with them in every band, in nJy. In columns with an m behind the filter (aper04_f106m_flux) the "
        "PSF is that of the reference filter: images of bluer filters are convolved to it; fluxes in redder ones are "
        "multiplied by what the reference's image loses when it is convolved to theirs. Errors of convolved images "
        "are those of the noise in an aperture after the convolution.\n\n"
        "Writes X_cat.parquet and X_segm.asdf, X being what -o says, else the product of the association, else "
        "multiband_catalog. --inject-sources does it again with some 400 stars and galaxies added: the segmentation "
        "map then has tables of what was injected and what was found of it."
    ),
    examples=(
        "rt-multiband r00001_r1_full_270p66x50y50_asn.json",
        "rt-multiband *_f106_coadd.asdf *_f158_coadd.asdf -o field_cat.parquet -j 2",
        "rt-multiband X_asn.json --psf-match F184 --deblend",
        "rt-multiband X_asn.json --inject-sources --inject-seed 1",
    ),
    options=(
        Option("bkg-boxsize", 100, "Side of the background's boxes, pixels.", minimum=1),
        Option("kernel-fwhms", "2.0", "Widths of the smoothing kernels, pixels (FWHM), with commas between."),
        Option("snr-threshold", 5.0, "Threshold in the detection image, in its rms."),
        Option("npixels", 25, "Least number of connected pixels of a source.", minimum=1),
        *SEPARATING,
        *MEASURING,
        Option(
            "psf-match",
            None,
            "Reference filter; by default what the association says, else the reddest.",
            type=str,
            peer="psf_match_reference_filter",
        ),
        Option("inject-sources", False, "Tell what is found of sources that are added to the images."),
        Option("inject-seed", None, "Of the added sources; by default another every time.", type=int, minimum=0),
        Option("save-debug-info", False, "With --inject-sources: keep segments and detection image of that run, too."),
        DUST_MAPS,
    ),
    references=REFERENCES,
    memory="90 bytes a pixel, whatever the number of filters: 2.1 GB for 5000 × 5000; 2.7 with --inject-sources.",
    repeatable=True,
    results=2,
)
