from .choice import statuses_of
from .job import AlignJob, ExposureJob, aligned_together, plan_exposure
from .request import ExposureRequest

__all__ = [
    "AlignJob",
    "ExposureJob",
    "ExposureRequest",
    "aligned_together",
    "plan_exposure",
    "statuses_of",
]
