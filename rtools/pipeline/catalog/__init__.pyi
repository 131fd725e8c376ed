from .files import CatalogFiles
from .job import plan_multiband
from .placing import Place

__all__ = [
    "CatalogFiles",
    "Place",
    "plan_multiband",
]
