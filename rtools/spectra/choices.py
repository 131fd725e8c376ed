"""Words that options of spectra may be; nothing heavy is imported here, because declarations read them."""

__all__ = ["FITS", "SOURCES", "VARIABLES"]

FITS = ("poly", "mean", "median")
"""What may be fitted to the background of a wavelength."""

VARIABLES = ("pixel", "wavelength")
"""On what the edges of an aperture depend: pixels along the dispersion, or micrometres."""

SOURCES = ("POINT", "EXTENDED")
"""Kinds of sources on a cube."""
