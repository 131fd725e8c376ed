from .hdus import JwstHdu
from .reading import JwstProduct, open_jwst
from .writing import HduChange, stage_jwst

__all__ = [
    "HduChange",
    "JwstHdu",
    "JwstProduct",
    "open_jwst",
    "stage_jwst",
]
