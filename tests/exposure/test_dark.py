"""Dark current: subtraction, flags, NaN slopes."""

import numpy as np

from rtools.exposure.steps import dark
from tests.support.strips import strip

UNRELIABLE_DARK = 1 << 23


def image_strip(start=0, rows=16, columns=128, frame_columns=256):
    made = strip(np.zeros((1, rows, columns)), start=start, frame=(rows, frame_columns))
    shape = tuple(s.stop - s.start for s in made.science)
    random = np.random.default_rng(2)
    made.image = {name: random.normal(5, 1, shape).astype(np.float32) for name in ("data", "err", "var_poisson")}
    made.image["dq"] = np.full(shape, 4, np.uint32)
    return made


def references():
    slope = np.random.default_rng(3).normal(0.02, 0.01, (16, 128)).astype(np.float32)
    return {"dark": {"dark_slope": slope, "dq": np.zeros((16, 128), np.uint32)}}


def test_slope_and_flags_of_the_science_pixels():
    refs = references()
    refs["dark"]["dq"][7, 10] = 2048
    made = image_strip()
    before = {name: plane.copy() for name, plane in made.image.items()}
    counts = dark.apply(made, refs, {}, None)
    assert np.array_equal(made.image["data"], before["data"] - refs["dark"]["dark_slope"][4:-4, 4:])
    expected = np.full((8, 124), 4, np.uint32)
    expected[3, 6] |= 2048
    assert np.array_equal(made.image["dq"], expected)
    assert np.array_equal(made.image["err"], before["err"])
    assert counts == {"without dark": 0}
    assert dark.report(counts, {}) == []


def test_nan_slope_subtracts_nothing_and_flags():
    refs = references()
    refs["dark"]["dark_slope"][4, 0] = np.nan
    refs["dark"]["dark_slope"][4, 1] = -999999
    refs["dark"]["dark_slope"][0, 0] = np.nan  # a reference pixel, which no one looks at
    made = image_strip(start=128)
    before = made.image["data"].copy()
    counts = dark.apply(made, refs, {}, None)
    assert np.array_equal(made.image["data"][0, :2], before[0, :2])
    assert np.array_equal(made.image["dq"][0, :2], [4 | 1 | UNRELIABLE_DARK] * 2)
    assert np.count_nonzero(made.image["dq"] & 1) == counts["without dark"] == 2
    assert np.isnan(refs["dark"]["dark_slope"][4, 0])
    assert dark.report(counts, {})[0][0] == "warning"
