"""What archives and simulators write where a value is unknown."""

__all__ = ["FILL_NUMBER", "FILL_STRING"]

FILL_NUMBER = -999999
FILL_STRING = "?"
