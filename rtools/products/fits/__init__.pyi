from .check import require_same
from .edits import sky_edited
from .lossy import stage_lossy
from .read import open_fits, stage_asdf
from .write import stage_fits

__all__ = [
    "open_fits",
    "require_same",
    "sky_edited",
    "stage_asdf",
    "stage_fits",
    "stage_lossy",
]
