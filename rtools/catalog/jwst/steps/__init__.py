"""The steps that make catalogs of JWST: declarations."""
