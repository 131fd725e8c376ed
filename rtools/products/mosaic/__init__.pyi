from .association import AssociationMember, make_association, read_association, stage_association
from .association_check import check_association
from .metadata import group_of, mosaic_meta
from .writer import MosaicWriter, stage_mosaic

__all__ = [
    "AssociationMember",
    "MosaicWriter",
    "check_association",
    "group_of",
    "make_association",
    "mosaic_meta",
    "read_association",
    "stage_association",
    "stage_mosaic",
]
