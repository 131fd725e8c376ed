"""Simulated exposures of JWST: light, ramps and images, metadata, truth.

It imports what `simulate` does, and `jwst`.
"""
