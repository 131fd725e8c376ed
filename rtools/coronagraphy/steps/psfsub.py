"""Declaration of the subtraction of a star; `rtools.coronagraphy.subtraction` does the work."""

from rtools.declare import Option, ProductStep

__all__ = ["STEP"]

STEP = ProductStep(
    name="psfsub",
    cal_step="klip",
    suffix="psfsub",
    files="TARGET PSFALIGN",
    summary="The star behind a coronagraph, as reference stars show it, subtracted (KLIP).",
    description=(
        "Takes an exposure of a target (_calints or _crfints) and images of reference stars that were aligned with it "
        "(_psfalign), and subtracts from each integration what of it lies in the strongest modes of the references "
        "(KLIP; Soummer, Pueyo and Larkin 2012). Mean, modes and projection are all of the same pixels: those that are "
        "good. A pixel that is bad in the target is NaN in that integration, one that is bad in more than a quarter of "
        "the references in all.\n\n"
        "Errors are those of the target and, added in quadrature, what the subtraction leaves of references: each is "
        "treated like a target, with the modes of all others, and counts as if it were as bright as the target. "
        "Variances, times and flags are the target's."
    ),
    examples=(
        "rt-psfsub TARGET_calints.fits TARGET_psfalign.fits",
        "rt-psfsub TARGET_calints.fits TARGET_psfalign.fits --truncate 10 --region 2,10,20,40 --model",
        "rt-psfsub TARGET_calints.fits TARGET_psfalign.fits --inject 180.5,160.2,5 -o test_psfsub.fits",
    ),
    options=(
        Option("truncate", 50, "How many modes are subtracted at most.", minimum=1),
        Option(
            "region",
            None,
            "Radii of rings, in pixels, with commas between; each ring is done for itself, and what "
            "lies outside is NaN. By default the whole image.",
            type=str,
        ),
        Option(
            "center",
            None,
            "Column and row of the star, X,Y, counted from 0, for --region; by default the "
            "reference point of the aperture.",
            type=str,
        ),
        Option("model", False, "Also write what was subtracted, as extension MODEL."),
        Option(
            "inject",
            None,
            "Put a companion into each integration before, X,Y,FLUX: column and row, counted from "
            "0, and the sum of its pixels; the table INJECTED says how much of it is left. Its shape is that of a star "
            "beside the occulter.",
            type=str,
        ),
    ),
    memory="3 times the arrays of both files, beside 0.2 GB.",
    repeatable=True,
)
