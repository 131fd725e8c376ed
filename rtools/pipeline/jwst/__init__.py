"""Exposures of JWST, from the ramp to the image: planned, carried out by blocks of rows, written as they come.

It imports the science rooms, `products`, `reference` and `pipeline.job`.
"""
