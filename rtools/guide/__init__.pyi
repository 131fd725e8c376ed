from .centroid import fit_psf, measure_moments
from .compare import Comparison, compare_motion
from .difference import Difference, Pairs, Readout, take_difference
from .face import (
    FaceMotion,
    FaceSeries,
    FaceStatistics,
    MeanPlace,
    PhaseRun,
    QualityCount,
    TurnStatistics,
    face_motion,
    find_phases,
    locate_stars,
    measure_face,
)
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
    "Comparison",
    "Difference",
    "FaceMotion",
    "FaceSeries",
    "FaceStatistics",
    "FrequencyBand",
    "GuidePsf",
    "HighFrequency",
    "LightBins",
    "LightCurve",
    "LightScatter",
    "Line",
    "MeanPlace",
    "Montage",
    "Pairs",
    "Partner",
    "PhaseRun",
    "QualityCount",
    "Readout",
    "Spectrum",
    "Stack",
    "TurnStatistics",
    "add_spectra",
    "bin_light",
    "compare_motion",
    "face_motion",
    "find_lines",
    "find_partners",
    "find_phases",
    "fit_psf",
    "lay_frames",
    "light_spectrum",
    "locate_stars",
    "lomb_scargle",
    "make_light_curve",
    "make_montage",
    "measure_bands",
    "measure_face",
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
