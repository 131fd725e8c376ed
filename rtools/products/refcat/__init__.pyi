from .cones import around, around_files
from .hats import write_tree
from .info import describe

__all__ = [
    "around",
    "around_files",
    "describe",
    "write_tree",
]
