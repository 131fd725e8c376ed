"""What archives and simulators write where a value is unknown."""

__all__ = ["FILL_NUMBER", "FILL_STRING", "NOT_APPLICABLE", "NO_WORDS", "PLACEHOLDERS"]

FILL_NUMBER = -999999
FILL_STRING = "?"
NOT_APPLICABLE = "N/A"

NO_WORDS = ("", FILL_STRING, "None", NOT_APPLICABLE)
"""Words that say nothing."""

PLACEHOLDERS = (FILL_NUMBER, *NO_WORDS)
"""What archives write where nobody filled in a value."""
