from .centroid import fit_psf, measure_moments
from .compare import Comparison, compare_motion
from .difference import Difference, Pairs, Readout, take_difference
from .ellipse import JitterEllipse, covariance_of, ellipse
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
from .jitter import Drift, Motion, find_drift, measure_motion, neighbour_noise
from .kernel import JitterKernel, exposure_kernel, mean_kernel, turn_covariance
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
from .use import PairFlags, count_causes, flag_pairs, runs_of
from .width import HighFrequency, sum_widths

__all__ = [
    "Centroids",
    "Comparison",
    "Difference",
    "Drift",
    "FaceMotion",
    "FaceSeries",
    "FaceStatistics",
    "FrequencyBand",
    "GuidePsf",
    "HighFrequency",
    "JitterEllipse",
    "JitterKernel",
    "LightBins",
    "LightCurve",
    "LightScatter",
    "Line",
    "MeanPlace",
    "Montage",
    "Motion",
    "PairFlags",
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
    "count_causes",
    "covariance_of",
    "ellipse",
    "exposure_kernel",
    "face_motion",
    "find_drift",
    "find_lines",
    "find_partners",
    "find_phases",
    "fit_psf",
    "flag_pairs",
    "lay_frames",
    "light_spectrum",
    "locate_stars",
    "lomb_scargle",
    "make_light_curve",
    "make_montage",
    "mean_kernel",
    "measure_bands",
    "measure_face",
    "measure_moments",
    "measure_motion",
    "measure_scatter",
    "neighbour_noise",
    "psf_at",
    "runs_of",
    "spread_evenly",
    "stack_images",
    "sum_widths",
    "take_difference",
    "take_out_line",
    "turn_covariance",
    "welch",
]
