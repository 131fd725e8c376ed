from .centroid import fit_psf, measure_moments
from .difference import Difference, Pairs, Readout, take_difference
from .lines import Line, Partner, find_lines, find_partners
from .measured import Centroids
from .psf import GuidePsf, psf_at
from .spectrum import FrequencyBand, Spectrum, add_spectra, lomb_scargle, measure_bands, take_out_line, welch

__all__ = [
    "Centroids",
    "Difference",
    "FrequencyBand",
    "GuidePsf",
    "Line",
    "Pairs",
    "Partner",
    "Readout",
    "Spectrum",
    "add_spectra",
    "find_lines",
    "find_partners",
    "fit_psf",
    "lomb_scargle",
    "measure_bands",
    "measure_moments",
    "psf_at",
    "take_difference",
    "take_out_line",
    "welch",
]
