"""Stars behind the simulated round occulter: what is left of them, and of stars beside it."""

import numpy as np
import pytest

from rtools.jwst.pupil import psf
from rtools.simulate.jwst.coronagraph import OVERSAMPLE, occulted_stamps, transmission_at
from rtools.simulate.jwst.optics import stamp_of

LONG = ("nrcalong", "F444W")


@pytest.fixture(scope="module")
def stamps():
    return occulted_stamps(*LONG, (0.0, 0.0), ("one",))


def light(psf):
    return psf.stamps.sum() / OVERSAMPLE**2


def test_the_star_is_gone_and_a_star_beside_it_is_not(stamps):
    behind, beside = stamps
    assert behind.peak < 0.01 * beside.peak
    assert light(behind) < 0.02 * light(beside)


def test_a_star_beside_has_the_light_that_the_stop_lets_through(stamps):
    """Openings of 0.6 of a segment's width pass 0.36 of its light, in a wider image than that of the open mirror."""
    assert light(stamps[1]) == pytest.approx(0.36, rel=0.06)
    assert stamps[1].peak < 0.36 * stamp_of(*LONG).peak
    middle = (len(stamps[1].stamps[0]) - 1) / 2
    row, column = np.unravel_index(stamps[1].stamps[0].argmax(), stamps[1].stamps[0].shape)
    assert max(abs(row - middle), abs(column - middle)) < OVERSAMPLE / 2


def test_a_star_that_misses_the_middle_leaks(stamps):
    far = occulted_stamps(*LONG, (3.0, 0.0), ("one",))
    assert light(far[0]) > 2 * light(stamps[0])
    assert far[1].peak == pytest.approx(stamps[1].peak, rel=1e-9)


def test_speckles_differ_a_little_from_exposure_to_exposure(stamps):
    other, _beside = occulted_stamps(*LONG, (0.0, 0.0), ("two",))
    apart = np.abs(other.stamps - stamps[0].stamps).max()
    assert 0.002 * stamps[0].peak < apart < 0.3 * stamps[0].peak


def test_half_of_the_light_passes_at_the_edge_of_the_occulter():
    assert transmission_at(0.0) == 0
    assert transmission_at(0.63) == pytest.approx(0.5, abs=0.02)
    assert transmission_at(3.0) > 0.999


def test_the_pupil_knows_the_image_of_a_star_beside_the_occulter(stamps):
    """rt-psfsub --inject put in the image of the open mirror: a fit of it finds 0.4 of the light of such a star."""
    seen, inside = stamps[1].stamps[0], slice(160, -160)
    found = {}
    for mask in ("CLEAR", "MASKRND"):
        known = psf(*LONG, oversample=OVERSAMPLE, size=161, mask=mask)
        scale = np.sum(known * seen) / np.sum(known**2)
        found[mask] = scale / light(stamps[1]), np.std((seen - scale * known)[inside, inside]) / seen.max()
    assert found["MASKRND"][0] == pytest.approx(1, abs=0.05)
    assert found["CLEAR"][0] < 0.5
    assert found["MASKRND"][1] < 0.5 * found["CLEAR"][1]
