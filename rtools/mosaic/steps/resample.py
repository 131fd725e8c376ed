"""Resampling: exposures drizzled into a mosaic; `rtools.mosaic.drizzle` does the work."""

from rtools.declare import MosaicStep, Option
from rtools.mosaic.drizzle.options import FILL, GOOD_BITS, KERNEL, PIXFRAC, PLANES, WEIGHT

__all__ = ["STEP"]


STEP = MosaicStep(
    name="resample",
    after="outlier",
    also_of=("jwst",),
    cal_step="resample",
    suffix="coadd",
    summary="Drizzle exposures into a mosaic.",
    description=(
        "Surface brightness is kept: no scaling by pixel areas. A sky level that the metadata state and that is not "
        "subtracted is subtracted. err² = var_rnoise + var_poisson (+ var_flat); var_sky is the variance of read noise "
        "and sky alone and no part of err. Standard deviations are resampled like data; exposures are combined by "
        "exposure time, with ivm by the inverse of their resampled read-noise variance; variances are for pixels of "
        "the input's size (divided by the square of the ratio of pixel scales): apertures keep their signal to noise."
        "\n\nImages of JWST (_cal, _crf) make an _i2d.fits. For them weights are ivm, pixels with DO_NOT_USE or "
        "NON_SCIENCE are left out, and var_flat is there, unless other options are typed; the grid that covers all is "
        "that of the mission's pipeline.\n\nImages of spectra that have a gwcs (_cal, _crf of slits) make an "
        "_s2d.fits: straight along the slit and along wavelength; each slit of a file by itself."
    ),
    examples=(
        "rt-resample r*_cal.asdf -o field_coadd.asdf",
        "rt-resample X_asn.json --outdir mosaics -j 0",
        "rt-resample @list.txt --skycell 270p65x69y50",
        "rt-resample *_cal.asdf --sky 270.1,66.02 --scale 0.055 --size 6000,6000 --pa 0 -o m_coadd.asdf",
        "rt-resample jw*_crf.fits -o field_i2d.fits",
    ),
    options=(
        KERNEL,
        PIXFRAC,
        WEIGHT,
        GOOD_BITS,
        FILL,
        Option(
            "var-flat",
            False,
            "Also var_flat, where the exposures have it.",
            peer="include_var_flat",
            elsewhere=(("jwst", True),),
        ),
        Option("dq", False, "Also dq: the flags of all pixels that took part, joined bit by bit.", peer="propagate_dq"),
        Option(
            "planes",
            ",".join(PLANES),
            "Arrays that are computed; the others are NaN, var_sky absent.",
            elsewhere=(("jwst", ",".join(name for name in PLANES if name != "var_sky")),),
        ),
    ),
    memory="1.2 GB for a skycell, whatever the number of exposures (4 bytes a pixel more for every 32 of them).",
    repeatable=True,
)
