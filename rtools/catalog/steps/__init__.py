"""The steps that make catalogs: declarations."""
