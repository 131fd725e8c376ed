from .cones import around, around_files
from .hats import write_tree
from .info import RefCatDescription, describe

__all__ = [
    "RefCatDescription",
    "around",
    "around_files",
    "describe",
    "write_tree",
]
