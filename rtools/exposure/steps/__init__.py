"""The steps of an exposure, one file a step: declaration and functions."""
