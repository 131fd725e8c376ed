"""Declaration of the light of a target in each integration; `rtools.timeseries.photometry` does the work."""

from rtools.declare import Option, ProductStep, Reference

__all__ = ["STEP"]

STEP = ProductStep(
    name="phot",
    cal_step="tso_photometry",
    suffix="phot",
    summary="Light of a target in each integration of a time series.",
    description=(
        "Integrations of an imaging time series (_calints, _crfints) make a table _phot.ecsv with a row for each: the "
        "middle of its time as MJD (UTC) and BJD (TDB), the sum of a circle about the target, the background of a "
        "ring, and the sum without it, in Jy (in electrons where the data are DN/s). Segments of one exposure make "
        "one table. One --sky or --at says where the target is, to begin with; otherwise it is at the reference point "
        "of the aperture.\n\n"
        "The target is looked for in each integration: its place is the centre of mass of a box, above the median of "
        "what is not within the ring's inner radius. The first box has --search pixels, the second one --fit, about "
        "the median of the first places. The circle is at the median of the second ones, or with --moving at each. "
        "psf_* are of a Gaussian fitted there.\n\n"
        "n_bad counts pixels of the circle that cannot be used. The sums leave them out; net_aperture_sum_filled has "
        "for them what the target shows in the other integrations, so that they make no dip."
    ),
    examples=("rt-phot X_crfints.fits", "rt-phot X-seg00*_crfints.fits --radius 4 --annulus 8,12 --annulus-stat clip"),
    options=(
        Option("sky", None, "Where the target is: right ascension and declination, degrees.", type=str),
        Option("at", None, "Where the target is: x and y, pixels from 0.", type=str),
        Option("radius", 3.0, "Radius of the circle, pixels.", minimum=0.1),
        Option("annulus", "4,5", "Radii of the ring, pixels."),
        Option(
            "annulus-stat",
            "mean",
            "What the background is of the ring; clip is the mean without what is beyond 3 sigma.",
            choices=("mean", "median", "clip"),
        ),
        Option("centroid", True, "Look for the target; else the circle is where it is said to be."),
        Option("search", 41, "Pixels of the box in which the target is looked for; odd.", minimum=1),
        Option("fit", 11, "Pixels of the box in which it is measured; odd.", minimum=1),
        Option("moving", False, "Each integration has the circle where its own centre is."),
    ),
    references=(Reference("gain", planes=("data",)),),
    memory="0.3 GB, whatever the number of integrations.",
    repeatable=True,
)
