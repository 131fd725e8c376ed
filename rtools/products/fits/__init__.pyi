from .check import require_same
from .edits import sky_edited
from .headers import StoredHeader, header_values, read_headers
from .lossy import stage_lossy
from .read import open_fits, stage_asdf
from .write import stage_fits

__all__ = [
    "StoredHeader",
    "header_values",
    "open_fits",
    "read_headers",
    "require_same",
    "sky_edited",
    "stage_asdf",
    "stage_fits",
    "stage_lossy",
]
