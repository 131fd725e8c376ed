"""Words that options of spectra may be; nothing heavy is imported here, because declarations read them."""

__all__ = ["FILLS", "FITS", "GRIDS", "METHODS", "SOURCES", "VARIABLES", "WEIGHTS"]

FITS = ("poly", "mean", "median")
"""What may be fitted to the background of a wavelength."""

FILLS = ("profile", "none")
"""What stands for bad pixels of an aperture: the spatial profile of the spectrum, or nothing."""

VARIABLES = ("pixel", "wavelength")
"""On what the edges of an aperture depend: pixels along the dispersion, or micrometres."""

SOURCES = ("POINT", "EXTENDED")
"""Kinds of sources on a cube."""

GRIDS = ("merged", "first", "log")
"""Grids of wavelengths on which spectra are combined."""

METHODS = ("nearest", "overlap")
"""How values of spectra come to points of the grid."""

WEIGHTS = ("exposure_time", "integration_time", "unit_weight")
"""What spectra are weighted with."""
