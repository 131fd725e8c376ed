"""Sources in images: background, detection, measurements, PSF photometry."""
