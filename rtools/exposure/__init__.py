"""L1 to L2 science, one file per step: arrays in, arrays out. Knows no files and no command lines."""
