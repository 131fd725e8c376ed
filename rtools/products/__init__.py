"""What files are: names, layouts, DQ bits, metadata, ASDF in and out, history."""
