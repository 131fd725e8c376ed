from .hdus import JwstHdu, StoredTable
from .opening import open_jwst
from .product import JwstProduct
from .writing import HduChange, stage_jwst

__all__ = [
    "HduChange",
    "JwstHdu",
    "JwstProduct",
    "StoredTable",
    "open_jwst",
    "stage_jwst",
]
