"""Reference pixels of MIRI, whose four amplifiers take turns from column to column.

The answers in tests/data/jwst/miri_refpix.npz are those of jwst 3.0.0: offsets (integrations, groups, rows, columns)
of the first two rows and four columns of what `sides` makes, with odd and even rows apart, and together.
"""

import numpy as np
import pytest

from rtools.declare import Skip
from rtools.exposure.jwst.block import RampBlock, RampTiming
from rtools.exposure.jwst.exposure import RampExposure
from rtools.exposure.jwst.refpix import DetectorReadout, ReferenceSettings, measure_offsets, subtract_offsets
from rtools.exposure.jwst.steps import refpix
from tests.support.places import ROOT

ROWS, COLUMNS = 1024, 1032
MIRI = DetectorReadout(1, 2, 4, interleaved=True)


def block(data, flags, rows, columns):
    part = (..., rows, columns)
    places = slice(*rows.indices(ROWS)[:2]), slice(*columns.indices(COLUMNS)[:2])
    return RampBlock(data[part].copy(), np.zeros(data[part].shape, np.uint8), flags[rows, columns], *places)


def offsets(data, flags, **settings):
    every, first, last = slice(None), slice(None, 4), slice(-4, None)
    edges = [block(data, flags, *at) for at in ((first, every), (last, every), (every, first), (every, last))]
    return measure_offsets(edges, MIRI, ReferenceSettings(**settings))


@pytest.fixture(scope="module")
def sides():
    """Ramps (2, 4, rows, columns) and flags whose reference pixels have offsets, hits, and some that are not used."""
    rng = np.random.default_rng(4)
    pixels = rng.normal(1000, 5, (2, 4, ROWS, 8)).astype("f4")
    levels = rng.normal(0, 8, (2, 4, 2, 8)).astype("f4")
    pixels += np.tile(levels, (1, 1, ROWS // 2, 1))
    pixels[rng.random(pixels.shape) < 0.003] += 500
    data, flags = np.zeros((2, 4, ROWS, COLUMNS), np.float32), np.zeros((ROWS, COLUMNS), np.uint32)
    data[..., :4], data[..., -4:] = pixels[..., :4], pixels[..., 4:]
    flags[:, :4] = flags[:, -4:] = 1 << 31
    flags[100:140, 1] |= 1
    flags[500:503, 1030] |= 1
    return data, flags


@pytest.mark.parametrize(("apart", "answer"), [(True, "apart"), (False, "together")])
def test_offsets_are_those_of_the_mission(apart, answer, sides):
    wanted = np.load(ROOT / "tests" / "data" / "jwst" / "miri_refpix.npz")[answer]
    made = offsets(*sides, odd_even_rows=apart).table
    np.testing.assert_allclose(made, wanted, rtol=0, atol=2e-4)
    assert not made[:, 0].any() and (made[:, 1:].std(axis=-2) > 0.1).all() == apart


def test_a_block_gets_the_offsets_of_its_amplifiers_and_rows_wherever_it_lies(sides):
    made = offsets(*sides)
    whole = block(*sides, slice(None), slice(None))
    subtract_offsets(whole, made)
    part = block(*sides, slice(13, 40), slice(6, 77))
    subtract_offsets(part, made)
    np.testing.assert_array_equal(part.data, whole.data[..., 13:40, 6:77])
    np.testing.assert_array_equal(whole.data[0, 2, 101, 42], -made.table[0, 2, 1, 2])


def test_a_side_without_good_pixels_leaves_it_to_the_other(sides):
    data, flags = sides
    flags = flags.copy()
    flags[:, :4] |= 1
    change = data[0, 1, 1::2, -2] - data[0, 0, 1::2, -2]
    clipped = change[(flags[1::2, -2] & 1) == 0]
    clipped = clipped[np.abs(clipped - np.median(clipped)) < 40]
    assert offsets(data, flags).table[0, 1, 1, 2] == pytest.approx(clipped.mean(), abs=0.1)
    flags[:, -4:] |= 1
    assert offsets(data, flags) is None


def test_sub_arrays_of_miri_are_left_as_they_are():
    meta = {"instrument": {"name": "MIRI"}, "subarray": {"fastaxis": 1, "slowaxis": 2}, "exposure": {}}
    exposure = RampExposure(meta, (1, 4, 224, 288), RampTiming(1, 0, 1.0, 1.0), {}, lambda *_: None)
    assert isinstance(refpix.prepare(exposure, {one.key: one.default for one in refpix.STEP.options}), Skip)
