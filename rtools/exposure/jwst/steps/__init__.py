"""Steps of JWST exposures: one file each, with its declaration at the end."""
