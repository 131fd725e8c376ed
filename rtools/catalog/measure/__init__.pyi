from .apcorr import encircled_energy
from .apertures import Apertures, circular
from .columns import definition_name
from .depth import limiting_magnitude
from .dust import reddening
from .identifiers import Skycell
from .image import MJYSR_BRIGHTNESS, Image
from .measure import RADII, Options, aperture_radii

__all__ = [
    "MJYSR_BRIGHTNESS",
    "RADII",
    "Apertures",
    "Image",
    "Options",
    "Skycell",
    "aperture_radii",
    "circular",
    "definition_name",
    "encircled_energy",
    "limiting_magnitude",
    "reddening",
]
