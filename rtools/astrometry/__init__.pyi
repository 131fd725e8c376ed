from .align import Alignment, ImageSources, search_radius
from .cutout_wcs import sky_metadata, sky_section
from .pixels import PixelGeometry, geometry_at, pixels_to_sky, sky_to_pixels
from .positions import parse_pixel, parse_position, parse_size, parse_sky, split_line
from .refcat import from_table, julian_year
from .sip import sky_header
from .wcs import Pointing, footprint
from .wcs_check import check_sky_systems, check_wcs

__all__ = [
    "Alignment",
    "ImageSources",
    "PixelGeometry",
    "Pointing",
    "check_sky_systems",
    "check_wcs",
    "footprint",
    "from_table",
    "geometry_at",
    "julian_year",
    "parse_pixel",
    "parse_position",
    "parse_size",
    "parse_sky",
    "pixels_to_sky",
    "search_radius",
    "sky_header",
    "sky_metadata",
    "sky_section",
    "sky_to_pixels",
    "split_line",
]
