"""Flat field: division, variances, missing flat, the variance of the flat."""

import numpy as np
import pytest

from rtools.exposure.steps import flat
from tests.support.strips import strip

NO_FLAT_FIELD = 1 << 18
PLANES = ("data", "err", "var_poisson", "var_rnoise", "chisq", "dumo")


def image_strip():
    made = strip(np.zeros((1, 16, 128)), frame=(16, 256))
    random = np.random.default_rng(2)
    made.image = {name: random.uniform(1, 300, (8, 124)).astype(np.float32) for name in PLANES}
    made.image["dq"] = np.full((8, 124), 4, np.uint32)
    return made


@pytest.fixture
def reference():
    random = np.random.default_rng(3)
    return {
        "data": random.normal(1, 0.1, (8, 124)).astype(np.float32),
        "err": np.full((8, 124), 0.01, np.float32),
        "dq": np.zeros((8, 124), np.uint32),
    }


def flatten(reference, *, var_flat=False):
    made = image_strip()
    before = {name: plane.copy() for name, plane in made.image.items()}
    counts = flat.apply(made, {"flat": reference}, {"var_flat": var_flat}, None)
    return made.image, before, counts


def test_powers_of_the_flat(reference):
    after, before, counts = flatten(reference)
    f = reference["data"]
    for name, power in {"data": 1, "err": 1, "dumo": 1, "var_poisson": 2, "var_rnoise": 2, "chisq": 0}.items():
        assert np.allclose(after[name], before[name] / f.astype(float) ** power, rtol=3e-7), name
        assert after[name].dtype == np.float32
    assert np.array_equal(after["data"], before["data"] / f)
    assert np.array_equal(after["dq"], before["dq"])
    assert counts == {"without flat": 0}
    assert "var_flat" not in after


def test_no_flat_is_one_and_flagged(reference):
    reference["data"][0, :3] = np.nan, 0, 7
    reference["dq"][0, 2:4] = NO_FLAT_FIELD, 2048
    reference["data"][1, :3] = -999999, np.inf, -1
    after, before, counts = flatten(reference)
    assert np.array_equal(after["data"][1, :3], before["data"][1, :3])
    assert np.all(after["dq"][1, :3] & NO_FLAT_FIELD)
    assert np.array_equal(after["data"][0, :3], before["data"][0, :3])
    assert np.array_equal(after["dq"][0, :5], [4 | NO_FLAT_FIELD] * 3 + [4 | 2048, 4])
    assert counts == {"without flat": 6}
    assert flat.report(counts, {})[0][0] == "info"
    assert np.isnan(reference["data"][0, 0])


def test_variance_of_the_flat(reference):
    """Relative error 1 % of a pixel of 60000 DN/s² overflows float16 on the way; float32 holds it."""
    after, before, _counts = flatten(reference, var_flat=True)
    f = reference["data"].astype(float)
    flattened = before["data"] / f
    assert np.allclose(after["var_flat"], flattened**2 / f**2 * 1e-4, rtol=1e-6)
    assert np.allclose(after["err"], np.hypot(before["err"] / f, flattened / f * 0.01), rtol=1e-6)
    assert after["err"].dtype == after["var_flat"].dtype == np.float32


def test_image_without_read_noise_variance(reference):
    made = image_strip()
    del made.image["var_rnoise"]
    flat.apply(made, {"flat": reference}, {"var_flat": False}, None)
    assert "var_rnoise" not in made.image
