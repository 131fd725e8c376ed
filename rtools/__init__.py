"""rtools: the Roman WFI calibration pipeline as Unix tools."""

__version__ = "0.2.0"
