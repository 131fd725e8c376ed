"""Declaration of the calibration of observables by a star; `rtools.interferometry.normalise` does the work."""

from rtools.declare import ProductStep

__all__ = ["STEP"]

STEP = ProductStep(
    name="aminorm",
    cal_step="ami_normalize",
    suffix="aminorm-oi",
    summary="Interferometric observables divided by those of a star.",
    description=(
        "Takes observables of a target and of a star that is a point, a calibrator (_ami-oi both), and writes those of "
        "the target without what the instrument does to both (_aminorm-oi): closure phases of the star are subtracted; "
        "visibilities and their squares are divided by the star's; of quads the logarithm of the quotient is written, "
        "as in the archive's files. Relative errors add in quadrature. Phases of visibilities, amplitudes of triple "
        "products and phases of quads are the target's.\n\n"
        "Rows belong together by their stations. Two files that do not have the same stations, or not the same filter, "
        "are refused (exit 1)."
    ),
    examples=(
        "rt-aminorm TARGET_ami-oi.fits STAR_ami-oi.fits",
        "rt-aminorm A_ami-oi.fits B_ami-oi.fits -o AB_aminorm-oi.fits",
    ),
    files="TARGET STAR",
    memory="0.2 GB.",
    repeatable=True,
)
