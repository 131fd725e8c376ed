from .grammar import ALIASES, ELEMENTS, SUFFIXES
from .parsing import FIELDS, FORMS, InvalidName, Name, build, parse, sibling, split_suffix
from .rules import disagreements, metadata, remarks

__all__ = [
    "ALIASES",
    "ELEMENTS",
    "FIELDS",
    "FORMS",
    "SUFFIXES",
    "InvalidName",
    "Name",
    "build",
    "disagreements",
    "metadata",
    "parse",
    "remarks",
    "sibling",
    "split_suffix",
]
