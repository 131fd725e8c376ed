"""Building and describing world coordinate systems."""
