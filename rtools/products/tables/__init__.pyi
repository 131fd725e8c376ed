from .arrange import choose_columns
from .engineering import read_attitudes
from .expressed import add_columns, choose_rows, sort_rows
from .files import read_catalog, stage_catalog
from .jwst import jwst_names
from .metadata import read_table
from .multiband import multiband_meta
from .sources import catalog_meta, read_segments, stage_segments, stage_sources
from .units import convert_flux

__all__ = [
    "add_columns",
    "catalog_meta",
    "choose_columns",
    "choose_rows",
    "convert_flux",
    "jwst_names",
    "multiband_meta",
    "read_attitudes",
    "read_catalog",
    "read_segments",
    "read_table",
    "sort_rows",
    "stage_catalog",
    "stage_segments",
    "stage_sources",
]
