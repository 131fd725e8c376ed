from .catalog_comparison import compare_catalogs
from .comparison import compare_products
from .cutout import cut_arrays, cut_metadata
from .edit import Edit
from .edit_jwst import JwstEdit
from .file_comparison import compare_files
from .flags import count_flags, make_mask, write_mask
from .keyed import KeyedFile, open_keyed
from .opening import open_edit
from .section import parse_section
from .wcs import load_wcs

__all__ = [
    "Edit",
    "JwstEdit",
    "KeyedFile",
    "compare_catalogs",
    "compare_files",
    "compare_products",
    "count_flags",
    "cut_arrays",
    "cut_metadata",
    "load_wcs",
    "make_mask",
    "open_edit",
    "open_keyed",
    "parse_section",
    "write_mask",
]
