"""Steps of interferometry: declarations."""
