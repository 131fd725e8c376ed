from .file import Report, check_file

__all__ = [
    "Report",
    "check_file",
]
