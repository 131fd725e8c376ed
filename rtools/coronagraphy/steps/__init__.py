"""Steps of coronagraphy: declarations."""
