from .detectors import DETECTORS, instrument_of
from .dq import GROUP_FLAGS, PIXEL_FLAGS, flags_of
from .keywords import MetadataKeyword, keyword_at, keywords
from .kinds import INSTRUMENTS, ON_DETECTOR, SeenHdu, described, kind_of, kind_of_columns, seen_hdu, suffix_of
from .layout import SUFFIXES, ColumnLayout, HduLayout, ProductLayout, facts, product_layout
from .suffixes import NAME_SUFFIXES, Making, extension_of, making_of

__all__ = [
    "DETECTORS",
    "GROUP_FLAGS",
    "INSTRUMENTS",
    "NAME_SUFFIXES",
    "ON_DETECTOR",
    "PIXEL_FLAGS",
    "SUFFIXES",
    "ColumnLayout",
    "HduLayout",
    "Making",
    "MetadataKeyword",
    "ProductLayout",
    "SeenHdu",
    "described",
    "extension_of",
    "facts",
    "flags_of",
    "instrument_of",
    "keyword_at",
    "keywords",
    "kind_of",
    "kind_of_columns",
    "making_of",
    "product_layout",
    "seen_hdu",
    "suffix_of",
]
