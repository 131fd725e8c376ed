"""Types of exposures: how they are read, what they see, and which chain they go through."""

from typing import NamedTuple

__all__ = [
    "DARK_TYPES",
    "EXPOSURE_TYPES",
    "SKY_IMAGE_TYPES",
    "SKY_TYPES",
    "ExposureType",
    "reading_of",
]


class ExposureType(NamedTuple):
    """What is known of an exposure by its type.

    Attributes
    ----------
    reading : str
        ``imaging`` or ``spectroscopy``: which frame time and which read patterns it has.
    chain : str
        Which chain it goes through: ``imaging`` (up to the alignment), ``wavefront`` (up to the flat field),
        ``spectral``, ``flat`` or ``dark`` (up to the photometric calibration).
    sky : bool
        Whether it sees the sky.
    """

    reading: str
    chain: str
    sky: bool


EXPOSURE_TYPES = {
    "WFI_IMAGE": ExposureType("imaging", "imaging", sky=True),
    "WFI_SPECTRAL": ExposureType("spectroscopy", "spectral", sky=True),
    "WFI_IM_DARK": ExposureType("imaging", "dark", sky=False),
    "WFI_SP_DARK": ExposureType("spectroscopy", "dark", sky=False),
    "WFI_FLAT": ExposureType("imaging", "flat", sky=False),
    "WFI_LOLO": ExposureType("imaging", "imaging", sky=True),
    "WFI_WFSC": ExposureType("imaging", "wavefront", sky=True),
}
"""Every exposure type of the mission, in the order of its schemas."""

DARK_TYPES = tuple(name for name, kind in EXPOSURE_TYPES.items() if kind.chain == "dark")
"""Exposures without any light."""

SKY_TYPES = tuple(name for name, kind in EXPOSURE_TYPES.items() if kind.sky)
"""Exposures on which the sky is seen, images and spectra."""

SKY_IMAGE_TYPES = tuple(name for name in SKY_TYPES if EXPOSURE_TYPES[name].chain != "spectral")
"""Images of the sky: the chain divides them by the flat field, and mosaics are made of them."""


def reading_of(exposure_type: str | None) -> str:
    """``imaging`` or ``spectroscopy``: how a type of exposure is read; ``imaging`` for one that is not known.

    Parameters
    ----------
    exposure_type : str or None
        As `meta.exposure.type` says it.

    Returns
    -------
    str
        A key of the frame times and of the read patterns.
    """
    known = EXPOSURE_TYPES.get(exposure_type or "")
    return known.reading if known else "imaging"
