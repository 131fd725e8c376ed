"""Photometric calibration: the row of the element, nulls, an element that is not there."""

import pytest

from rtools.declare import Skip
from rtools.exposure.steps import photom
from tests.support.strips import exposure

NULL = dict.fromkeys(("photmjsr", "uncertainty", "pixelareasr"))
TABLE = {
    "F158": {"photmjsr": 0.32, "uncertainty": 0.01, "pixelareasr": 2.8e-13, "collecting_area": 3.6},
    "GRISM": NULL,
    "F106": {"photmjsr": -999999, "uncertainty": 0.01, "pixelareasr": 2.8e-13},
    "F129": {"photmjsr": 0.32, "uncertainty": float("nan"), "pixelareasr": -999999},
}


def photometry(element):
    made = exposure((1, 16, 128))
    made.meta["instrument"]["optical_element"] = element
    refs = {"photom": {"phot_table": TABLE}}
    answer = photom.prepare(made, None, refs, {})
    if not isinstance(answer, Skip):
        photom.apply(made, refs, {}, answer)
    return answer, made.meta["photometry"]


@pytest.mark.parametrize("element", ["F158", "f158"])
def test_row_of_the_element(element):
    _answer, found = photometry(element)
    assert found == {
        "conversion_megajanskys": 0.32,
        "conversion_megajanskys_uncertainty": 0.01,
        "pixel_area": 2.8e-13,
    }


@pytest.mark.parametrize(("element", "skipped"), [("GRISM", False), ("F213", True)])
def test_an_element_without_numbers_gets_nulls(element, skipped):
    answer, found = photometry(element)
    assert isinstance(answer, Skip) == skipped
    assert set(found) == set(photom.KEYS)
    assert set(found.values()) == {None}


def test_a_conversion_that_nobody_filled_in_is_none():
    """Not a photom that is COMPLETE, and fluxes of minus a million."""
    answer, found = photometry("F106")
    assert isinstance(answer, Skip) and "photmjsr is -999999" in answer.reason
    assert set(found.values()) == {None}


def test_an_area_that_nobody_filled_in_is_not_known():
    _answer, found = photometry("F129")
    assert found == {"conversion_megajanskys": 0.32, "conversion_megajanskys_uncertainty": None, "pixel_area": None}
