"""Exposures of which every science pixel is saturated in every resultant: no slope, a zero image instead."""

from rtools.exposure.steps.rampfit import zero_image

__all__ = ["apply"]


def apply(strip, refs, options, prepared):
    """Put the zero image in the place of the fit; DQ gains SATURATED and DO_NOT_USE."""
    strip.image = zero_image(strip)
    strip.data = strip.groupdq = strip.pixeldq = None
