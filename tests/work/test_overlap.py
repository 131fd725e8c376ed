"""Areas that pixels have in common with circles and ellipses, against photutils."""

import numpy as np
from photutils.geometry import circular_overlap_grid, elliptical_overlap_grid

from rtools.work import overlap


def test_overlaps_are_exact():
    rng = np.random.default_rng(8)
    for _ in range(40):
        x, y, a = rng.uniform(-2, 2), rng.uniform(-2, 2), 10 ** rng.uniform(-1.3, 0.9)
        b, angle = a * 10 ** rng.uniform(-1.5, 0), rng.uniform(-7, 7)
        edges = -10.5 - x, 10.5 - x, -10.5 - y, 10.5 - y
        turn = np.cos(angle), np.sin(angle)
        offsets = [(i - 10 - x, j - 10 - y) for j in range(21) for i in range(21)]
        disk = np.reshape([overlap.overlap_circle(dx, dy, a) for dx, dy in offsets], (21, 21))
        oval = np.reshape([overlap.overlap_ellipse(dx, dy, a, b, turn) for dx, dy in offsets], (21, 21))
        np.testing.assert_allclose(disk, circular_overlap_grid(*edges, 21, 21, a, 1, 1), atol=1e-10)
        np.testing.assert_allclose(oval, elliptical_overlap_grid(*edges, 21, 21, a, b, angle, 1, 1), atol=1e-9)
        np.testing.assert_allclose([disk.sum(), oval.sum()], [np.pi * a * a, np.pi * a * b], rtol=1e-9)


def test_a_circle_on_the_pixels_of_an_image_is_cut_at_its_edges():
    for x, y, r in ((4.3, 2.6, 3.2), (-1.0, 3.0, 2.0), (20.0, 3.0, 2.0), (3, 2, 40)):
        wanted = circular_overlap_grid(-0.5 - x, 8.5 - x, -0.5 - y, 5.5 - y, 9, 6, r, 1, 1)
        np.testing.assert_allclose(overlap.circle_on_pixels(6, 9, (float(x), float(y)), float(r)), wanted, atol=1e-12)
