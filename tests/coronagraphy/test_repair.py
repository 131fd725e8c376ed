"""Bad pixels are the median of their good neighbours."""

import numpy as np
from astropy.io import fits

from rtools.coronagraphy.repair import repaired


def test_bad_pixels_are_the_medians_of_the_mission(jwst_golden):
    folder = jwst_golden("coron")
    with fits.open(folder / "in_target_calints.fits") as hdus:
        found = repaired(hdus["SCI"].data, hdus["DQ"].data & 1 != 0)
        bad = hdus["DQ"].data & 1 != 0
    wanted = fits.getdata(folder / "in_target_clean_calints.fits", "SCI")
    inner = np.s_[:, 1:, 1:]
    np.testing.assert_array_equal(found[inner].astype("f4"), wanted[inner])
    first = bad & np.pad(np.zeros(bad[inner].shape, bool), ((0, 0), (1, 0), (1, 0)), constant_values=True)
    assert first.any()
    assert (wanted[first] == 0).all()  # in the first row and column the mission's box is empty
    assert (found[first] != 0).all()


def test_only_good_neighbours_count_and_none_make_0():
    image = np.arange(25.0).reshape(5, 5)
    bad = np.zeros((5, 5), bool)
    bad[1:4, 1:4] = True
    image[0, 0] = np.nan
    found = repaired(image, bad)
    assert found[2, 2] == 0
    assert found[1, 1] == np.median([1, 2, 5, 10])
    assert found[0, 0] == np.median([1, 5])
    assert np.isfinite(found).all()


def test_pixels_that_see_no_sky_are_0_and_no_neighbours():
    image, blank = np.full((4, 4), 7.0), np.zeros((4, 4), bool)
    blank[0] = True
    bad = np.zeros((4, 4), bool)
    bad[1, 1] = True
    image[0] = 100
    found = repaired(image, bad, blank)
    assert (found[0] == 0).all()
    assert found[1, 1] == 7
