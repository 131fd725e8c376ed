from .dq import GROUP_FLAGS, PIXEL_FLAGS, flags_of
from .kinds import INSTRUMENTS, SeenHdu, described, kind_of, kind_of_columns, seen_hdu, suffix_of
from .layout import SUFFIXES, ColumnLayout, HduLayout, ProductLayout, facts, product_layout

__all__ = [
    "GROUP_FLAGS",
    "INSTRUMENTS",
    "PIXEL_FLAGS",
    "SUFFIXES",
    "ColumnLayout",
    "HduLayout",
    "ProductLayout",
    "SeenHdu",
    "described",
    "facts",
    "flags_of",
    "kind_of",
    "kind_of_columns",
    "product_layout",
    "seen_hdu",
    "suffix_of",
]
