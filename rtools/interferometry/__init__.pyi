from .binary import FoundCompanion, Fringes, closure_phases, find_companion, visibilities
from .calibrators import StarMean, mean_of_phases, mean_of_stars
from .fit import FringeFit, fit_fringes
from .frames import box_about_star, centre_of
from .fringes import FringeModel
from .observables import Observables, mean_of, observables_of
from .passband import Passband, passband_of
from .repair import dark_frequencies, repair
from .stations import Holes, sky_by_roll, sky_by_slopes

__all__ = [
    "FoundCompanion",
    "FringeFit",
    "FringeModel",
    "Fringes",
    "Holes",
    "Observables",
    "Passband",
    "StarMean",
    "box_about_star",
    "centre_of",
    "closure_phases",
    "dark_frequencies",
    "find_companion",
    "fit_fringes",
    "mean_of",
    "mean_of_phases",
    "mean_of_stars",
    "observables_of",
    "passband_of",
    "repair",
    "sky_by_roll",
    "sky_by_slopes",
    "visibilities",
]
