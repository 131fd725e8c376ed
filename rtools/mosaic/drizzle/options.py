"""Words and options of drizzling that several steps share."""

from rtools.declare import Option

__all__ = [
    "FILL",
    "GOOD_BITS",
    "GOOD_OF_JWST",
    "KERNEL",
    "KERNELS",
    "PIXFRAC",
    "PLANES",
    "WEIGHT",
    "WEIGHTS",
    "WEIGHT_TO_COMPARE",
]

KERNELS = ("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3")
WEIGHTS = ("ivm", "exptime", "ivm-sky")

PLANES = ("data", "err", "weight", "context", "var_poisson", "var_rnoise", "var_sky")
"""Arrays of a mosaic, by default all."""

KERNEL = Option("kernel", "square", "How a pixel is spread; only square and turbo conserve flux.", choices=KERNELS)
PIXFRAC = Option("pixfrac", 1.0, "Side of a pixel's drop, in its own pixels: 0 to 1.", minimum=0.0)
# The read-noise variance of a ramp fit grows with the signal. So ivm takes light from stars in a mosaic; and in the
# search for outliers it leaves the cores of stars, which would be flagged without reason, out: docs/accuracy.md.
WEIGHT = Option(
    "weight-type",
    "auto",
    "Weights: exposure time, 1 / read-noise variance (ivm: stars lose light), with the sky's noise (ivm-sky); "
    "auto: those of the mosaic that it is to be like or to join, else exptime (JWST: ivm).",
    choices=("auto", *WEIGHTS),
)
WEIGHT_TO_COMPARE = Option(
    "weight-type",
    "ivm",
    "Weights: 1 / read-noise variance (ivm: cores of stars are not tested), with the sky's noise, or exposure time.",
    choices=WEIGHTS,
)
GOOD_OF_JWST = ("jwst", "~DO_NOT_USE+NON_SCIENCE")
"""Which flags make a pixel of JWST bad, as the mission's own pipeline has it."""

GOOD_BITS = Option(
    "good-bits",
    "~DO_NOT_USE",
    "DQ bits that are ignored; after a ~ the only ones that are not.",
    elsewhere=(GOOD_OF_JWST,),
)
FILL = Option("fillval", "NaN", "Value where there are no data: a number, NaN, or INDEF for 0.")
