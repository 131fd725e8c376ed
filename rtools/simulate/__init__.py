"""Scenes, detector effects and simulated L1 exposures."""
