"""Errors of fluxes on images of the truth plus independent noise of their err: pulls have a standard deviation of 1."""

import numpy as np
import pytest

from rtools.catalog.detect import segments
from rtools.catalog.measure import shapes
from rtools.catalog.measure.apertures import circular

RADII = np.array([0.1, 0.2, 0.4, 0.8, 1.6]) / 0.11
STEP, SIDE = 36, 24
"""Pixels from place to place, places on a side."""

TURNS = 5
SIGMA, LIGHT = 0.85, 4000.0
SKY = 0.5


@pytest.fixture(scope="module", params=["stars", "empty sky"])
def scene(request):
    """Truth, its err, places and segments about them."""
    rng = np.random.default_rng(11)
    y, x = (STEP * (np.indices((SIDE, SIDE)) + 0.5)).reshape(2, -1) + rng.uniform(-0.5, 0.5, (2, SIDE**2))
    shape = (SIDE * STEP, SIDE * STEP)
    truth, labels = np.zeros(shape), np.zeros(shape, np.int32)
    grid = np.indices((21, 21)) - 10
    for i, (left, low) in enumerate(zip(np.rint(x).astype(int), np.rint(y).astype(int), strict=True)):
        rows, columns = grid[0] + low, grid[1] + left
        star = np.exp(-((columns - x[i]) ** 2 + (rows - y[i]) ** 2) / 2 / SIGMA**2) / (2 * np.pi * SIGMA**2)
        if request.param == "stars":
            truth[rows, columns] += LIGHT * star
        labels[rows[8:13, 8:13], columns[8:13, 8:13]] = i + 1
    err = np.sqrt(SKY**2 + truth / 2).astype(np.float32)
    return truth, err, (x, y), segments.find(labels)


def noisy(scene, turn):
    truth, err, *_ = scene
    return (truth + err * np.random.default_rng((3, turn)).standard_normal(truth.shape)).astype(np.float32)


def test_pulls_of_apertures_have_a_standard_deviation_of_one(scene):
    truth, err, places, found = scene
    mask = np.zeros(err.shape, bool)
    expected = circular(truth, err, found, mask, places, radii=RADII).flux
    pulls = [
        (each.flux - expected) / each.err
        for each in (circular(noisy(scene, turn), err, found, mask, places, radii=RADII) for turn in range(TURNS))
    ]
    spread = np.concatenate(pulls).std(axis=0)  # 2880 of each: 0.013
    np.testing.assert_allclose(spread, 1, atol=0.035)
    # With the share itself the errors would be larger by 25, 11, 5 … %.
    assert abs(np.concatenate(pulls)[:, :2].std() - 1) < 0.025


def test_pulls_of_kron_and_segment_fluxes_have_a_standard_deviation_of_one(scene):
    truth, err, (x, y), found = scene
    mask = np.zeros(err.shape, bool)
    ones = np.ones(found.n)
    axis = SIGMA * ones
    round_one = shapes.Shapes(x, y, axis, axis, 0 * ones, axis**-2, 0 * ones, axis**-2, *np.zeros((3, found.n)))

    def measured(data):
        kron = shapes.kron(data, err, found, mask, round_one, k=1.4 * ones)
        return kron, shapes.segment_sums(data, err, found, mask)

    expected = measured(truth)
    pulls = np.array(
        [
            [
                (each.flux - true.flux) / each.err
                for each, true in zip(measured(noisy(scene, turn)), expected, strict=True)
            ]
            for turn in range(TURNS)
        ]
    )
    spread = np.moveaxis(pulls, 1, 0).reshape(2, -1).std(axis=1)
    np.testing.assert_allclose(spread, 1, atol=0.035)
