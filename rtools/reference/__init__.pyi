from .correlated import noise_power
from .epsf import Psf, from_reference, image_jitter, jitter_of, jittered, native_stamp, samples
from .files import FileSource
from .find import Answer, Config, survey
from .index import candidate_of, scan
from .keyed import keyed
from .missions import opened_reference, rules_of, scan_all
from .part import Part
from .rules import Case, MissionRules, SearchedPlace
from .types import APPLIED, TYPES

__all__ = [
    "APPLIED",
    "TYPES",
    "Answer",
    "Case",
    "Config",
    "FileSource",
    "MissionRules",
    "Part",
    "Psf",
    "SearchedPlace",
    "candidate_of",
    "from_reference",
    "image_jitter",
    "jitter_of",
    "jittered",
    "keyed",
    "native_stamp",
    "noise_power",
    "opened_reference",
    "rules_of",
    "samples",
    "scan",
    "scan_all",
    "survey",
]
