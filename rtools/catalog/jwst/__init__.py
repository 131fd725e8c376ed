"""Source catalogs as the archive of JWST has them: apertures by encircled energy, fluxes in Jy."""
