"""How good a light curve is, by its own scatter."""

import numpy as np
import pytest

from rtools.quality import measure_curve


def test_scatter_of_a_transit_is_that_of_its_noise():
    """A dip of one per cent and an outlier do not count as noise, and the errors are told to be too small by two."""
    rng = np.random.default_rng(2)
    flux = 1.0 + rng.normal(0, 2e-4, 4000)
    flux[1500:2500] *= 0.99
    flux[77], flux[80:120] = 3.0, np.nan
    found = measure_curve(flux, np.full(4000, 1e-4))
    assert found.scatter == pytest.approx(2e-4, rel=0.05)
    assert found.ratio == pytest.approx(2.0, rel=0.05)
    assert found.missing == pytest.approx(0.01)


def test_what_is_too_short_has_no_scatter():
    assert np.isnan(measure_curve(np.array([1.0, 2.0]), None).scatter)
    assert np.isnan(measure_curve(np.zeros(0), None).missing)
