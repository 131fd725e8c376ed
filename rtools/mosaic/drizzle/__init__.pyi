from .coverage import coverage_of, total_coverage
from .drizzle import (
    BAND_ROWS,
    VARIANCES,
    Kernel,
    MemberPlanes,
    add_image,
    band_rows,
    drizzle_band,
    make_kernel,
    touched,
)
from .flux import apply_flux, conversion, put_floats
from .options import FILL, GOOD_BITS, KERNEL, PIXFRAC, PLANES, WEIGHT, WEIGHT_TO_COMPARE, WEIGHTS
from .variance import Totals, add_band, clear, finish, new_totals, recover_sums
from .weights import bad_bits, read_noise_variance, sky_variance, typical_noise, weight_map

__all__ = [
    "BAND_ROWS",
    "FILL",
    "GOOD_BITS",
    "KERNEL",
    "PIXFRAC",
    "PLANES",
    "VARIANCES",
    "WEIGHT",
    "WEIGHTS",
    "WEIGHT_TO_COMPARE",
    "Kernel",
    "MemberPlanes",
    "Totals",
    "add_band",
    "add_image",
    "apply_flux",
    "bad_bits",
    "band_rows",
    "clear",
    "conversion",
    "coverage_of",
    "drizzle_band",
    "finish",
    "make_kernel",
    "new_totals",
    "put_floats",
    "read_noise_variance",
    "recover_sums",
    "sky_variance",
    "total_coverage",
    "touched",
    "typical_noise",
    "weight_map",
]
