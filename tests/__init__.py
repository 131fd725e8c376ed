"""The tests: folders mirror the rooms of the package, `support` is what several of them share."""
