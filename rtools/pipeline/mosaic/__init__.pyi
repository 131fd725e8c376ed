from .catalog import plan_catalog, takes
from .grid import WantedGrid
from .job import FutureImage, FutureMosaicJob, plan_mosaic
from .members import open_members, share_of
from .request import STEPS, MosaicRequest

__all__ = [
    "STEPS",
    "FutureImage",
    "FutureMosaicJob",
    "MosaicRequest",
    "WantedGrid",
    "open_members",
    "plan_catalog",
    "plan_mosaic",
    "share_of",
    "takes",
]
