"""The assumed numbers of guide windows, all in one place: none has a public measurement for this instrument."""

from rtools.wfi.instrument import FILTERS

__all__ = [
    "ACQUISITION_READS",
    "AMP33_NOISE",
    "BIND_HIGH_DN",
    "BIND_LOW_DN",
    "DRIFT_MAS_S",
    "EDGE_SIGMA",
    "EDGE_USED",
    "FACE_ERROR_MAS",
    "JITTER_MAS",
    "LINES",
    "OFFSET_DN",
    "PEAK_E",
    "RESET_DRAIN_E",
    "ROLL_ARCSEC",
    "ROW_NOISE_E",
    "SETTLING",
    "SPECTRUM",
]

JITTER_MAS = 8.0
"""Total rms per axis when nothing is asked for (Roman technical information 1.4.0)."""

LINES = ((11.3, 1.5), (17.9, 1.0), (27.4, 1.0))
"""Lines of reaction wheels and coolers in it: Hz, and mas rms as far as the total has room for them."""

SPECTRUM = {"low": 0.01, "high": 40.0, "knee": 0.3, "count": 200}
"""The rest: power ∝ 1 / (1 + (f / knee)²) between two frequencies, Hz, in so many logarithmic steps."""

ROLL_ARCSEC = 0.05
"""rms of the rotation about the line of sight, with the same spectrum."""

DRIFT_MAS_S = 8.0 / 170.0
"""Drift in an exposure, along each axis and with a sign that is drawn (8 mas as of the technical information)."""

SETTLING = {"mas": 60.0, "time_s": 2.0}
"""How far off the telescope is when a gap begins, in a direction that is drawn, and how fast that fades."""

ACQUISITION_READS = 2
"""Full science reads that each acquisition takes."""

PEAK_E = 60000.0
"""A star of which more electrons fall into one pixel of a tracked pair is too bright."""

OFFSET_DN = 1000
"""Added to what a window sends down, so that noise does not fall below zero."""

RESET_DRAIN_E = 500.0
"""So much lower is a pixel that is being reset with its row than after a reset of its window."""

ROW_NOISE_E = 2.0
"""Noise of a read that all pixels of a row and the reference output have in common."""

AMP33_NOISE = 0.8
"""White noise of the reference output, in units of the pixels'."""

EDGE_SIGMA = 1.2
"""Pixels: Gaussian width of the edge of a spectrum, the PSF included."""

EDGE_USED = "blue"
"""The edge of spectra that is guided on."""

FACE_ERROR_MAS = dict(zip(FILTERS, (0.82, 1.05, 1.10, 1.19, 0.66, 1.32, 2.05, 2.39), strict=True))
"""Error of a centroid along each axis for a star of AB 15: FACE is made of such, one at the centre of each detector.

They are Cramér-Rao bounds of one tracked pair with the built-in ePSF; dispersers have that of F158."""

BIND_LOW_DN = 6530
BIND_HIGH_DN = 59000
"""What is taken off, or added, where a resultant is to be bound: sky pixels then fall below 0, or those of the star
rise beyond 65535."""
