"""Which reference file serves an exposure, and the built-in nominal instrument."""
