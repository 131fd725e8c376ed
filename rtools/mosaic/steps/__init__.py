"""Declarations of the steps of a mosaic, one file a step."""
