from .file import check_jwst, is_jwst
from .wcs import SkySystems, systems_of

__all__ = [
    "SkySystems",
    "check_jwst",
    "is_jwst",
    "systems_of",
]
