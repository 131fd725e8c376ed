"""Rounding to half precision, bit for bit as numpy does it."""

import numpy as np
import pytest

from rtools.work.half import round_to_half


def rounded(image):
    out = np.zeros((len(image), image.shape[1] + 5), np.float16)
    lost = round_to_half(image, out, 3)
    assert not out[:, :3].any()
    assert not out[:, -2:].any()
    return out[:, 3:-2], lost


def check(image):
    with np.errstate(over="ignore", invalid="ignore"):
        expected = image.astype(np.float16)
    found, lost = rounded(image)
    number = ~np.isnan(image)
    assert np.array_equal(found.view(np.uint16)[number], expected.view(np.uint16)[number])
    assert np.isnan(found[~number]).all()
    assert lost == np.count_nonzero(np.isinf(expected) & np.isfinite(image))


def test_every_half_and_its_neighbours():
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    halves = np.sort(halves[np.isfinite(halves)].astype(np.float32))
    between = (halves[:-1] + halves[1:]) / 2  # ties
    values = np.concatenate([halves, between, np.nextafter(between, -np.inf), np.nextafter(between, np.inf)])
    check(np.resize(values, (values.size // 64 + 1, 64)))


def test_any_bits_are_rounded_as_numpy_does():
    bits = np.random.default_rng(1).integers(0, 1 << 32, (500, 128), dtype=np.uint32)
    check(bits.view(np.float32))


@pytest.mark.parametrize("value", [0.0, -0.0, np.inf, -np.inf, np.nan, 65504, 65519.996, 65520, -65520, 3e38, 1e-45])
def test_edges_are_rounded_as_numpy_does(value):
    check(np.full((3, 7), value, np.float32))
