"""Flux: every plane with its power of the conversion, in float32; conversions that are none."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.mosaic.drizzle.flux import apply_flux, conversion, put_floats

FACTOR = 0.7312345678


def planes(dtype):
    random = np.random.default_rng(1)
    names = ("err", "var_poisson", "var_rnoise", "var_flat", "chisq")
    made = {name: random.uniform(1e-7, 300, (5, 7)).astype(dtype) for name in names}
    made["data"] = random.normal(0.3, 0.1, (5, 7)).astype(np.float32)
    made["dq"] = np.arange(35, dtype=np.uint32).reshape(5, 7)
    return made


def test_data_and_err_by_the_conversion_variances_by_its_square():
    before, after = planes(np.float32), planes(np.float32)
    same = dict(after)
    apply_flux(after, FACTOR)
    for name in ("data", "err"):
        assert np.array_equal(after[name], before[name] * np.float32(FACTOR))
    for name in ("var_poisson", "var_rnoise", "var_flat"):
        assert np.array_equal(after[name], before[name] * np.float32(FACTOR**2))
    for name in ("dq", "chisq"):
        assert np.array_equal(after[name], before[name])
    assert all(after[name] is same[name] for name in after), "not in place"


def test_half_precision_is_left_before_it_is_multiplied():
    before, after = planes(np.float16), planes(np.float16)
    # Twice the largest float16, and a square that float16 has no digits for.
    before["err"][0, 0] = after["err"][0, 0] = 60000
    before["var_rnoise"][0, 0] = after["var_rnoise"][0, 0] = 3e-7
    apply_flux(after, 2.3)
    for name, power in (("err", 1), ("var_poisson", 2), ("var_rnoise", 2)):
        assert after[name].dtype == np.float32
        assert after[name] == pytest.approx(before[name].astype(float) * 2.3**power, rel=2e-7)
    assert np.array_equal(after["chisq"], before["chisq"])
    assert after["chisq"].dtype == np.float16


def test_by_rows_as_in_one_go():
    whole, parts = planes(np.float32), planes(np.float32)
    apply_flux(whole, FACTOR)
    for rows in (slice(0, 2), slice(2, 5)):
        apply_flux({name: plane[rows] for name, plane in parts.items()}, FACTOR)
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)


def test_the_conversion_of_a_product():
    assert conversion({"conversion_megajanskys": 0.5, "pixel_area": 1.0}) == 0.5


@pytest.mark.parametrize(
    "photometry",
    [None, {}, *({"conversion_megajanskys": value} for value in (None, -999999, 0, -1.0, np.nan, np.inf, "text"))],
)
def test_no_usable_conversion(photometry):
    with pytest.raises(InputError, match="conversion_megajanskys is"):
        conversion(photometry)


def test_every_half_precision_number_is_widened_as_by_numpy():
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(256, 256)
    out = np.empty(halves.shape, np.float32)
    put_floats(halves, out)
    expected = halves.astype(np.float32)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(out.view(np.uint32)[number], expected.view(np.uint32)[number])
    assert np.isnan(out[~number]).all()
