"""Work space of the likelihood fit: one flat float64 array per strip, so that a compiler sees what does not overlap.

All places are unsigned: numba lets signed ones count from the end, and then cannot turn loops into vector instructions.
Quantity `X` of difference i and pixel j of a block is ``work[BASE + i * STRIDE + X + j]``, quantity `RATE` of the pixel
``work[RATE + j]``. Difference n, one beyond the last, stays zero.
"""

import numpy as np

ONE = np.uint64(1)
BLOCK = np.uint64(64)
"""Pixels computed at a time: half a row of a channel, for the work space of short ramps to stay in the first cache."""

# Of a pixel
GAIN = np.uint64(0) * BLOCK
"""NaN unless positive and finite."""

READ = np.uint64(1) * BLOCK
"""Variance of one read."""

POISSON = np.uint64(2) * BLOCK
"""(max(rate, 0) + dark current) / gain."""

USABLE = np.uint64(3) * BLOCK
"""Number of usable differences."""

RATE = np.uint64(4) * BLOCK
NORM = np.uint64(5) * BLOCK
"""1 / variance of the rate."""

NUMERATOR = np.uint64(6) * BLOCK
SQUARES = np.uint64(7) * BLOCK
"""Chi-square of a rate of zero."""

CHI = np.uint64(8) * BLOCK
"""Chi-square."""

CARRIED = np.uint64(9) * BLOCK
"""What a pass over the differences carries from one to the next: ten quantities, named by each pass."""

DARK = np.uint64(19) * BLOCK
"""Dark current that was subtracted."""

BASE = np.uint64(20) * BLOCK
"""Where the differences begin."""

# Of a difference; the covariance is L diag(1 / inverse) L^T with `LOWER` the subdiagonal of L.
X = np.uint64(0) * BLOCK
"""Difference per second, 0 where not usable."""

U = np.uint64(1) * BLOCK
"""1 where usable, else 0."""

INVERSE = np.uint64(2) * BLOCK
LOWER = np.uint64(3) * BLOCK
UNIT = np.uint64(4) * BLOCK
"""L^-1 u"""

VALUE = np.uint64(5) * BLOCK
"""L^-1 x"""

SPARE = np.uint64(6) * BLOCK
STRIDE = np.uint64(7) * BLOCK
"""From a difference to the next."""
