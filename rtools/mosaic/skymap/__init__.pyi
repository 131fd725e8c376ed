from .agreement import disagreements
from .grouping import DetectorImage
from .match import cells_touching
from .skymap import is_name, name_of, parse_name

__all__ = [
    "DetectorImage",
    "cells_touching",
    "disagreements",
    "is_name",
    "name_of",
    "parse_name",
]
