from .centroid import fit_psf, measure_moments
from .difference import Difference, Pairs, Readout, take_difference
from .lightcurve import (
    LightBins,
    LightCurve,
    LightScatter,
    bin_light,
    light_spectrum,
    make_light_curve,
    measure_scatter,
)
from .lines import Line, Partner, find_lines, find_partners
from .measured import Centroids
from .psf import GuidePsf, psf_at
from .spectrum import FrequencyBand, Spectrum, add_spectra, lomb_scargle, measure_bands, take_out_line, welch
from .stack import Montage, Stack, lay_frames, make_montage, spread_evenly, stack_images
from .width import HighFrequency, sum_widths

__all__ = [
    "Centroids",
    "Difference",
    "FrequencyBand",
    "GuidePsf",
    "HighFrequency",
    "LightBins",
    "LightCurve",
    "LightScatter",
    "Line",
    "Montage",
    "Pairs",
    "Partner",
    "Readout",
    "Spectrum",
    "Stack",
    "add_spectra",
    "bin_light",
    "find_lines",
    "find_partners",
    "fit_psf",
    "lay_frames",
    "light_spectrum",
    "lomb_scargle",
    "make_light_curve",
    "make_montage",
    "measure_bands",
    "measure_moments",
    "measure_scatter",
    "psf_at",
    "spread_evenly",
    "stack_images",
    "sum_widths",
    "take_difference",
    "take_out_line",
    "welch",
]
