from .hdus import JwstHdu, StoredTable
from .new import NewHdu, stage_new
from .opening import open_jwst
from .product import JwstProduct
from .sky import ImageSky, header_sky, moved_sky, sky_of
from .writing import HduChange, stage_jwst

__all__ = [
    "HduChange",
    "ImageSky",
    "JwstHdu",
    "JwstProduct",
    "NewHdu",
    "StoredTable",
    "header_sky",
    "moved_sky",
    "open_jwst",
    "sky_of",
    "stage_jwst",
    "stage_new",
]
