"""Declaration of the fit of fringes; `rtools.interferometry` does the work."""

from rtools.declare import Option, ProductStep, Reference

__all__ = ["STEP"]

STEP = ProductStep(
    name="ami",
    cal_step="ami_analyze",
    suffix="ami-oi",
    summary="Interferometric observables behind the mask of seven holes.",
    description=(
        "Takes images through NIRISS's non-redundant mask, one for each integration (_calints, _crfints), fits the "
        "fringes of the 21 baselines to each, and writes OIFITS files: the means of all integrations (_ami-oi), each "
        "integration (_amimulti-oi), and data, model and residuals of the fits (_amilg).\n\n"
        "Phases have the sign of the standard, V = |V| exp(iφ) with φ = -2π(uα + vδ)/λ for a source that lies α to the "
        "east and δ to the north. Baselines are as the fringes lie on the detector, turned to the sky by the world "
        "coordinates of the file. Without a gwcs they are those of the designed mask, turned by ROLL_REF + V3I_YANG."
        "\n\n"
        "Errors of the means are those by which integrations scatter; of one integration they are NaN. Errors of each "
        "integration follow from ERR. Bad pixels (DO_NOT_USE, JUMP_DET, and those that stand out) are repaired where "
        "the mask sends no light in the Fourier plane, and left out of the fit.\n\n"
        "Where crosstalk between pixels was not corrected (rt-run does that --with ipc), the model has that of a "
        "reference of type ipc, if there is one; without it V² on long baselines are some per cent low."
    ),
    examples=(
        "rt-ami X_calints.fits --refdir refs",
        "rt-ami X_calints.fits --ref nrm=nrm.fits --ref throughput=f480m.fits",
        "rt-ami X_calints.fits --firstfew 10 --holes B4,B5,B6,C6",
    ),
    options=(
        Option("firstfew", None, "Use only so many integrations, the first ones.", type=int, minimum=1),
        Option("holes", None, "Holes that are open, by the names of the mirror's segments with commas between; by "
               "default all seven. Observables of the others are NaN and flagged.", type=str, peer="chooseholes"),
        Option("usebp", True, "Leave bad pixels out of the fit."),
        Option("bpfix", True, "Repair bad pixels before the star is centred and fitted, and look for further ones.",
               peer="run_bpfix"),
        Option("affine", "commissioning", "How the mask lies on the detector: commissioning, ideal (as designed), or "
               "MX,MY,SX,SY.", peer="affine2d"),
        Option("oversample", 3, "Samples of the model in a pixel, along each axis.", minimum=1),
    ),
    references=(
        Reference("nrm", refusable=False),
        Reference("throughput", refusable=False),
        Reference("ipc", absent="skip", optional=True),
    ),
    metadata=("instrument.name", "instrument.filter", "instrument.pupil"),
    memory="4 times the images of all integrations, beside 0.24 GB.",
    imports=("rtools.interferometry._fringe_kernels",),
    repeatable=True,
)  # fmt: skip
