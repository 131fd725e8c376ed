from .catalog_comparison import compare_catalogs
from .comparison import compare_products
from .cutout import cut_arrays, cut_metadata
from .edit import Edit
from .flags import count_flags, make_mask, write_mask
from .opening import open_edit
from .section import parse_section
from .wcs import load_wcs

__all__ = [
    "Edit",
    "compare_catalogs",
    "compare_products",
    "count_flags",
    "cut_arrays",
    "cut_metadata",
    "load_wcs",
    "make_mask",
    "open_edit",
    "parse_section",
    "write_mask",
]
