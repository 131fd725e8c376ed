"""Declaration of the alignment of reference stars with a target; `rtools.coronagraphy.alignment` does the work."""

from rtools.declare import Option, ProductStep, Reference

__all__ = ["STEP"]

STEP = ProductStep(
    name="psfalign",
    cal_step="align_psfs",
    suffix="psfalign",
    files="TARGET PSFSTACK",
    summary="Images of reference stars moved to where the star of the target is.",
    description=(
        "Takes an exposure of a target (_calints or _crfints) and a stack of images of reference stars (_psfstack), "
        "fits to each of these how far it lies from the target's first integration and how much brighter it is, and "
        "moves it there. The table SHIFTS has what was found: a reference is like the target's image, moved by DX and "
        "DY pixels and multiplied by BETA.\n\n"
        "Least squares by Levenberg and Marquardt, with shifts in the Fourier plane in double precision; images are "
        "continued by their mirror images, so that nothing comes in from the other edge. Bad pixels are first replaced "
        "by the median of their neighbours. The mask (reference type psfmask) says by 1 which pixels count in the fit, "
        "and by 0 which do not; without one all count. Flags are those of the nearest pixel."
    ),
    examples=(
        "rt-psfalign TARGET_calints.fits REFS_psfstack.fits",
        "rt-psfalign TARGET_calints.fits REFS_psfstack.fits --ref psfmask=mask.fits",
        "rt-psfalign TARGET_calints.fits REFS_psfstack.fits --all-ints --ref psfmask=none",
    ),
    options=(
        Option("all-ints", False, "Align with each integration of the target for itself; the result has four axes."),
        Option("mask-invert", False, "The mask says by 0 which pixels count, and by 1 which do not."),
        Option(
            "exclude-bad",
            False,
            "Leave bad pixels of the references out of the fit; they are replaced all the same before the shift.",
        ),
    ),
    references=(Reference("psfmask", planes=("data",), absent="skip", optional=True),),
    memory="3 times the arrays of both files, beside 0.2 GB; with --all-ints no more.",
    repeatable=True,
    runs_without_reference=True,
)
