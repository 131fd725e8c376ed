from .align import Alignment, ImageSources, search_radius
from .cutout_wcs import parse_sky, sky_metadata, sky_section
from .refcat import from_table, julian_year
from .sip import sky_header
from .wcs import Pointing, footprint
from .wcs_check import check_sky_systems, check_wcs

__all__ = [
    "Alignment",
    "ImageSources",
    "Pointing",
    "check_sky_systems",
    "check_wcs",
    "footprint",
    "from_table",
    "julian_year",
    "parse_sky",
    "search_radius",
    "sky_header",
    "sky_metadata",
    "sky_section",
]
