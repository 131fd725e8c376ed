"""How the mission makes mosaics of its exposures: which belong together, and which steps their members go through."""

__all__ = ["MOSAIC_CAL_STEPS", "PRODUCT_TYPES", "VISIT_DIGITS"]

VISIT_DIGITS = {"visit": 19, "pass": 10, "full": 5}
"""Of the visit identifier, the first digits that the members of a mosaic share, by its product type."""

PRODUCT_TYPES = tuple(VISIT_DIGITS)
"""What the members of a mosaic have in common: a visit, a pass, or a whole program."""

MOSAIC_CAL_STEPS = ("flux", "outlier_detection", "skymatch")
"""Keys of `meta.cal_step` that belong to no step of the exposure chain: members go through these steps on their way
into a mosaic, and the mosaic takes the keys over. Every exposure has them."""
