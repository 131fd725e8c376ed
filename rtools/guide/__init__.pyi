from .lines import Line, Partner, find_lines, find_partners
from .spectrum import FrequencyBand, Spectrum, add_spectra, lomb_scargle, measure_bands, take_out_line, welch

__all__ = [
    "FrequencyBand",
    "Line",
    "Partner",
    "Spectrum",
    "add_spectra",
    "find_lines",
    "find_partners",
    "lomb_scargle",
    "measure_bands",
    "take_out_line",
    "welch",
]
