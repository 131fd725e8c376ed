from .errors import InvalidName
from .face import build, mission_of, parse, remarks, sibling, split_suffix
from .grammar import ALIASES, ELEMENTS, FORMS, SUFFIXES
from .name import ALL_FIELDS, FIELDS, JWST_FIELDS, Name
from .rules import disagreements, metadata

__all__ = [
    "ALIASES",
    "ALL_FIELDS",
    "ELEMENTS",
    "FIELDS",
    "FORMS",
    "JWST_FIELDS",
    "SUFFIXES",
    "InvalidName",
    "Name",
    "build",
    "disagreements",
    "metadata",
    "mission_of",
    "parse",
    "remarks",
    "sibling",
    "split_suffix",
]
