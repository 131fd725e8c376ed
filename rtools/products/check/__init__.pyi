from .file import check_file
from .report import Report

__all__ = [
    "Report",
    "check_file",
]
