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
from .product import broken, companions, read_product
from .report import Judged, Report, gather
from .runlog import read_run_log

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
    "Report",
    "RunRecord",
    "broken",
    "companions",
    "gather",
    "read_product",
    "read_run_log",
]
