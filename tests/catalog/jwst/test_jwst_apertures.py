"""Apertures of the catalog of JWST from a table of corrections."""

import numpy as np
import pytest

from rtools.catalog.jwst.apertures import apertures_of_radii, apertures_of_table
from rtools.errors import InputError

KIND = [("filter", "S12"), ("pupil", "S15"), ("subarray", "S8")]
KIND += [(name, "f4") for name in ("eefraction", "radius", "apcorr", "skyin", "skyout")]


def table(*elements):
    """Rows of 30, 50, 70, 80 % for each filter, pupil and sub-array; radii tell them apart."""
    rows = []
    for number, words in enumerate(elements):
        for place, energy in enumerate((0.3, 0.5, 0.7, 0.8)):
            rows.append((*words, energy, 10 * number + place + 1, 1 / energy, 6, 9))
    return np.array(rows, KIND)


def chosen(rows, filter_="F200W", pupil="CLEAR", subarray="SUB320", energies=(30, 50, 70)):
    elements = {"filter": filter_, "pupil": pupil, "subarray": subarray}
    return apertures_of_table(rows, elements, energies)


def test_apertures_are_those_of_filter_and_pupil():
    rows = table(("F200W", "CLEAR", "N/A"), ("F210M", "CLEAR", "N/A"), ("F200W", "GRISMR", "N/A"))
    found = chosen(rows)
    assert found.radii.tolist() == [1, 2, 3] and found.energies == (30, 50, 70)
    np.testing.assert_allclose(found.corrections, [1 / 0.3, 2, 1 / 0.7], rtol=1e-6)
    assert found.annulus.tolist() == [6, 9]
    assert chosen(rows, "F210M", energies=(50, 70, 80)).radii.tolist() == [12, 13, 14]


def test_a_row_of_the_sub_array_counts_more_than_one_of_any():
    rows = table(("F200W", "CLEAR", "FULL"), ("F200W", "CLEAR", "SUB320"))
    assert chosen(rows).radii.tolist() == [11, 12, 13]
    assert chosen(rows, subarray="SUB64P").radii.tolist() == [1, 2, 3]


def test_a_table_without_an_element_is_of_any():
    rows = table(("F770W", "", ""))
    rows = rows[[name for name in rows.dtype.names if name != "pupil"]]
    assert chosen(rows, "F770W", pupil=None).radii.tolist() == [1, 2, 3]


@pytest.mark.parametrize("asked", [{"filter_": "F115W"}, {"energies": (30, 50, 75)}])
def test_what_the_table_does_not_have_is_an_error_that_says_what_it_has(asked):
    with pytest.raises(InputError, match=r"no aperture of (30|75) % encircled energy for .*: it has "):
        chosen(table(("F200W", "CLEAR", "N/A")), **asked)


def test_radii_are_angles_that_smaller_pixels_see_larger():
    found = chosen(table(("F200W", "CLEAR", "N/A"))).scaled(2.0)
    assert (found.radii.tolist(), found.annulus.tolist()) == ([2, 4, 6], [12, 18])


def test_radii_of_a_user_have_no_corrections():
    found = apertures_of_radii((1, 2, 3), (6, 9), (30, 50, 70))
    assert found.corrections is None and found.radii.tolist() == [1, 2, 3]
