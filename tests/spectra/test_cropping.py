"""Apertures on a part of an image: what they take of each pixel is what they take on the whole."""

import numpy as np
import pytest

from rtools.spectra import SlitAperture, background_pixels, box_weights
from rtools.spectra.cropping import moved, part_of

SHAPE = (50, 80)
WAVES = 1 + 0.01 * np.arange(SHAPE[1], dtype=float)
SKY = ((14.44, 0.1), (18.44, 0.1), (30.44, 0.1), (34.44, 0.1))


@pytest.mark.parametrize(
    "aperture",
    [
        SlitAperture(across=(20, 27.5), along=(10, 61)),
        SlitAperture(across=(20, 31), width=5.5),
        SlitAperture(source=((18.5, 0.1, -0.0005), (25.5, 0.1, -0.0005)), background=SKY, along=(7.2, None)),
        SlitAperture(source=((5.0, 8.0), (12.0, 8.0)), variable="wavelength", along=(20, 70), offset=3.25),
        SlitAperture(across=(20, 24), background=SKY, fit="median", offset=-2.5),
    ],
)
def test_a_part_takes_what_the_whole_takes(aperture):
    grid = np.broadcast_to(WAVES, SHAPE)
    whole = box_weights(aperture, grid).weights
    across, along = part_of(aperture, WAVES, SHAPE[0])
    assert (across.stop - across.start) * (along.stop - along.start) < 0.8 * whole.size
    on_part = moved(aperture, across.start, along.start, SHAPE[0])
    found = np.zeros(SHAPE)
    found[across, along] = box_weights(on_part, grid[across, along]).weights
    np.testing.assert_allclose(found, whole, atol=1e-12)
    if aperture.background:
        sky = np.zeros(SHAPE, bool)
        sky[across, along] = background_pixels(on_part, grid[across, along])
        np.testing.assert_array_equal(sky, background_pixels(aperture, grid))
