"""The assumed numbers of the nominal instrument, all in one place.

None of these has a public measurement for this instrument (or only a rough one): they are chosen so that every
calibration step has something to correct. The built-in references and the simulator use them, and products made with
them say so. Measured numbers are in `rtools.wfi.instrument`.
"""

__all__ = [
    "ALTERNATING_NOISE_E",
    "COMMON_NOISE_E",
    "DARK_ERROR",
    "DARK_SCATTER",
    "DEAD_FRACTION",
    "FLAT_ERROR",
    "FLAT_SCATTER",
    "FLAT_STRUCTURE",
    "GAIN",
    "GAIN_SCATTER",
    "HOT_FRACTION",
    "HOT_RANGE_E",
    "INL_AMPLITUDE",
    "INL_POINTS",
    "INL_STEP",
    "IPC",
    "IPC_SUM",
    "LINEARITY",
    "LINEARITY_SCATTER",
    "PHOTOM_UNCERTAINTY",
    "PINK_NOISE_E",
    "READNOISE_SCATTER",
    "REFERENCE_PIXEL_NOISE",
    "SATURATION",
    "SATURATION_SCATTER",
    "USEAFTER",
    "VARIATION",
    "VERSION",
    "WARM_RANGE_E",
]

VERSION = 2
"""Of the nominal set: raised when any number or draw of it changes, because labels and checksums carry it."""

USEAFTER = "2020-01-01T00:00:00.000"
"""`useafter` of the reference files made from the set."""

GAIN = 1.8
"""electron/DN (romanisim's default is 2)."""
GAIN_SCATTER = 0.01
"""Relative, pixel to pixel."""

READNOISE_SCATTER = 0.08
"""Relative, pixel to pixel, around the detector's CDS noise / sqrt(2)."""

SATURATION = 55000.0
"""DN (romanisim)."""
SATURATION_SCATTER = 1500.0
"""DN, pixel to pixel."""

LINEARITY = 1.08e-6
"""true = x + LINEARITY x², x in DN as the ramp holds them, pedestal included (galsim's beta, 6e-7 per electron)."""
LINEARITY_SCATTER = 0.04
"""Relative, pixel to pixel."""

INL_AMPLITUDE = 3.0
"""DN, of a sine in each channel."""
INL_POINTS = 4096
INL_STEP = 16
"""The table has a point every 16 DN: linear interpolation is then good to 1e-4 DN."""

DARK_SCATTER = 0.10
"""Relative, pixel to pixel, around the detector's dark current."""
DARK_ERROR = 1e-3
"""DN/s, every pixel."""

DEAD_FRACTION = 1 / 3
HOT_FRACTION = 1 / 3
"""Of the inoperable pixels; the rest are warm."""
WARM_RANGE_E = (0.1, 1.0)
HOT_RANGE_E = (1.0, 100.0)
"""Dark current of warm and hot pixels, electron/s, log-uniform."""

FLAT_SCATTER = 0.01
"""Relative, pixel to pixel."""
FLAT_STRUCTURE = 0.02
"""rms of the smooth structure."""
FLAT_ERROR = 1e-3

PINK_NOISE_E = 0.5
COMMON_NOISE_E = 2.0
ALTERNATING_NOISE_E = 0.5
"""1/f noise of each channel and of amp33, 1/f noise common to all of them, noise of alternating columns of each:
electrons rms per frame.

Amplitudes are those of generic detectors of this kind (Rauscher 2015, PASP 127, 1144), but with the common part as the
larger one: reference pixels correct that, and cannot correct the channels' own. With 3 electrons of the latter 2.5
electrons of correlated noise are left in a 44-read exposure (the measured total noise asks for about 2.7), sky pixels
scatter by 1.04 of their error, and a frame's mean by 0.04: an exposure with which the chain cannot be checked to 0.02.
"""

REFERENCE_PIXEL_NOISE = 0.8
"""White noise of border and amp33 pixels, in units of the light-sensitive ones'."""

PHOTOM_UNCERTAINTY = 0.01
"""Relative."""

IPC = ((0.21, 1.66, 0.22), (1.88, 91.59, 1.87), (0.21, 1.62, 0.20))
IPC_SUM = 99.46
"""Inter-pixel capacitance, per cent, and its sum (romanisim)."""

VARIATION = {
    "gain": 0.01,
    "readnoise": 0.05,
    "saturation": 0.01,
    "dark": 0.10,
    "linearity": 0.05,
    "refpix": 0.05,
    "decay": 0.10,
    "zero_point": 0.02,
}
"""Seeded variations of the set (`rt-refs make --seed N`, N not 0) scatter these per detector: relative, zero point in
magnitudes, refpix per channel. Every pixel is drawn anew too."""
