"""How rows of two catalogs can be found to belong together. Nothing here is heavy: commands are declared with it."""

__all__ = ["MATCHES", "RADIUS"]

MATCHES = ("sky", "label", "row")
"""How rows of two catalogs can be found to belong together."""

RADIUS = 0.3
"""Arcsec between two rows of one source at most: three pixels of Roman, less than what separates sources that were told
apart."""
