from .columns import read_column
from .hdus import JwstHdu, StoredTable
from .keyed import find_keywords, hdu_of_keyword, model_tree, nearest_keyword
from .laidout import LaidOutJwst, room_for
from .model_state import ModelState, model_state
from .new import NewHdu, stage_new
from .opening import open_jwst
from .product import JwstProduct
from .sky import ImageSky, celestial_cards, header_sky, moved_sky, sky_of
from .times import IntegrationTimes, first_integration, integration_times
from .wavelengths import cube_wavelengths
from .writing import HduChange, stage_jwst

__all__ = [
    "HduChange",
    "ImageSky",
    "IntegrationTimes",
    "JwstHdu",
    "JwstProduct",
    "LaidOutJwst",
    "ModelState",
    "NewHdu",
    "StoredTable",
    "celestial_cards",
    "cube_wavelengths",
    "find_keywords",
    "first_integration",
    "hdu_of_keyword",
    "header_sky",
    "integration_times",
    "model_state",
    "model_tree",
    "moved_sky",
    "nearest_keyword",
    "open_jwst",
    "read_column",
    "room_for",
    "sky_of",
    "stage_jwst",
    "stage_new",
]
