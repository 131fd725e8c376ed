from .findings import (
    AlignmentFindings,
    CatalogFindings,
    ExposureFindings,
    Identity,
    MemberFindings,
    MosaicFindings,
    Pictures,
    ProductFindings,
    Provenance,
    RunRecord,
)
from .images import picture_side
from .product import broken, companions, read_product
from .report import Judged, Survey, gather
from .runlog import read_run_log, records_of

__all__ = [
    "AlignmentFindings",
    "CatalogFindings",
    "ExposureFindings",
    "Identity",
    "Judged",
    "MemberFindings",
    "MosaicFindings",
    "Pictures",
    "ProductFindings",
    "Provenance",
    "RunRecord",
    "Survey",
    "broken",
    "companions",
    "gather",
    "picture_side",
    "read_product",
    "read_run_log",
    "records_of",
]
