from .align import GAIA, align_group, catalog_path, image_of, stars_around
from .cutout import cut_product
from .fits_header import sky_cards
from .pointing import PointingRequest, aberration_keywords, pointing_keywords
from .pointing_tables import v1_from_table
from .truth import gaia_of_truth

__all__ = [
    "GAIA",
    "PointingRequest",
    "aberration_keywords",
    "align_group",
    "catalog_path",
    "cut_product",
    "gaia_of_truth",
    "image_of",
    "pointing_keywords",
    "sky_cards",
    "stars_around",
    "v1_from_table",
]
