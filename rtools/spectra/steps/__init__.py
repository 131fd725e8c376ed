"""Steps of spectra: declarations."""
