"""Ramps of JWST: exposures of several integrations, whose groups are evenly spaced.

Arrays have four axes: integrations, groups, rows, columns. It imports `wfi`, `jwst`, and the fit of `rtools.exposure`.
"""
