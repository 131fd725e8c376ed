"""Declaration of the calibration of observables by a star; `rtools.interferometry.normalise` does the work."""

from rtools.declare import ProductStep

__all__ = ["STEP"]

STEP = ProductStep(
    name="aminorm",
    cal_step="ami_normalize",
    suffix="aminorm-oi",
    summary="Interferometric observables divided by those of stars.",
    description=(
        "Takes observables of a target and of stars that are points, calibrators (all _ami-oi). Writes those of the "
        "target without what the instrument does to all (_aminorm-oi): closure phases of the star are subtracted; "
        "visibilities and their squares are divided by the star's; of quads the logarithm of the quotient is written, "
        "as in the archive's files. Relative errors add in quadrature. Phases of visibilities, amplitudes of triple "
        "products and phases of quads are the target's.\n\n"
        "Of several stars the mean is taken: of closure phases that of phasors, of amplitudes and V² that by inverse "
        "variances. A star's variance is that of its errors and that by which stars scatter beyond these, which is "
        "estimated from all baselines, or triangles, together. Rows that a star has flagged do not count.\n\n"
        "Rows belong together by their stations. Files that do not have the same stations, or not the same filter, are "
        "refused (exit 1)."
    ),
    examples=(
        "rt-aminorm TARGET_ami-oi.fits STAR_ami-oi.fits",
        "rt-aminorm TARGET_ami-oi.fits STAR1_ami-oi.fits STAR2_ami-oi.fits",
        "rt-aminorm A_ami-oi.fits B_ami-oi.fits -o AB_aminorm-oi.fits",
    ),
    files="TARGET STAR…",
    memory="0.2 GB.",
    repeatable=True,
)
