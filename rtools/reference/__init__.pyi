from .correlated import noise_power
from .epsf import Psf, from_reference, image_jitter, jitter_of, jittered, native_stamp, samples
from .files import FileSource
from .find import Answer, Config, survey
from .index import candidate_of, scan
from .part import Part
from .types import APPLIED, TYPES

__all__ = [
    "APPLIED",
    "TYPES",
    "Answer",
    "Config",
    "FileSource",
    "Part",
    "Psf",
    "candidate_of",
    "from_reference",
    "image_jitter",
    "jitter_of",
    "jittered",
    "native_stamp",
    "noise_power",
    "samples",
    "scan",
    "survey",
]
