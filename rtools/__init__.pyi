from .api.astrometry import align, load_wcs, read_sources
from .api.exposure import fit_ramps, image_statistics
from .api.files import (
    compare,
    cut_out,
    open_product,
    read_catalog,
    validate,
    write_catalog,
    write_product,
)
from .api.fits_files import from_fits, to_fits
from .api.mosaics import drizzle, flag_outliers, match_sky, read_image
from .api.names import build_name, parse_name
from .api.references import find_references, make_references
from .api.runs import run_exposure, run_mosaic, run_multiband, run_step
from .api.simulation import simulate_exposure
from .api.sky import find_skycells, make_covering_grid, make_grid, make_sky_header, make_skycell_grid
from .api.sources import catalog_image, find_sources, fit_psf, load_psf, measure_apertures
from .astrometry.align import ImageSources
from .errors import RtoolsError, RtoolsWarning
from .mosaic.arrays import MosaicImage

__version__: str

__all__ = [
    "ImageSources",
    "MosaicImage",
    "RtoolsError",
    "RtoolsWarning",
    "align",
    "build_name",
    "catalog_image",
    "compare",
    "cut_out",
    "drizzle",
    "find_references",
    "find_skycells",
    "find_sources",
    "fit_psf",
    "fit_ramps",
    "flag_outliers",
    "from_fits",
    "image_statistics",
    "load_psf",
    "load_wcs",
    "make_covering_grid",
    "make_grid",
    "make_references",
    "make_sky_header",
    "make_skycell_grid",
    "match_sky",
    "measure_apertures",
    "open_product",
    "parse_name",
    "read_catalog",
    "read_image",
    "read_sources",
    "run_exposure",
    "run_mosaic",
    "run_multiband",
    "run_step",
    "simulate_exposure",
    "to_fits",
    "validate",
    "write_catalog",
    "write_product",
]
