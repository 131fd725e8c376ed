from .files import read_sources
from .naming import refuse_infinite, request_of
from .request import SimulationRequest
from .run import Output, outputs, simulate_to_files
from .scene import Sources

__all__ = [
    "Output",
    "SimulationRequest",
    "Sources",
    "outputs",
    "read_sources",
    "refuse_infinite",
    "request_of",
    "simulate_to_files",
]
