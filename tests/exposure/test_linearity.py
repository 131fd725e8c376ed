"""Linearity: published values, the peer's bits, closure on simulated reads, unusable coefficients."""

from functools import partial

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.exposure.steps import linearity
from tests.support.places import DATA
from tests.support.strips import PATTERN, exposure, strip

GOLDEN = np.load(DATA / "linearity_peer.npz")
NO_LIN_CORR = 1 << 20


def inl(value, corrections):
    table = {f"science_channel_{c + 1:02d}": {"correction": row} for c, row in enumerate(corrections)}
    return {"integralnonlinearity": {"value": value, "inl_table": table}}


def planes(coefficients, shape=(2, 128), terms=0):
    """Planes of a polynomial, with zeros to so many terms: each number of them is compiled by itself."""
    coefficients = (*coefficients, *[0.0] * (terms - len(coefficients)))
    return np.broadcast_to(np.array(coefficients, np.float32)[:, None, None], (len(coefficients), *shape)).copy()


forward = partial(planes, terms=len(GOLDEN["linearity"]))
backward = partial(planes, terms=len(GOLDEN["inverse"]))


def corrected(data, lin, inverse, dq=None, *, nodes=None, pattern=PATTERN, start=0, **flags):
    """The strip after the step, and the counts."""
    made = strip(data, start=start, **flags)
    shape = made.data.shape[1:]
    whole = (len(data), shape[0], -(-(start + shape[1]) // 128) * 128)
    prepared = linearity.prepare(exposure(whole, pattern=pattern), None, nodes or {}, {})
    dq = np.zeros(shape, np.uint32) if dq is None else dq
    refs = {"linearity": {"coeffs": lin, "dq": dq}, "inverselinearity": {"coeffs": inverse}}
    return made, linearity.apply(made, refs, {}, prepared)


LIN, INVERSE = (1.5, 0.99, 1.1e-6, 2e-12), (-1.4, 1.01, -1.2e-6, 1e-12)
RAMP = np.broadcast_to(np.float32([8000, 9000, 12500, 17000, 20000, 21500])[:, None, None], (6, 2, 128))


@pytest.mark.parametrize(
    ("saturated", "published"),
    [
        (0, (7992.9243, 9002.48, 12554.3955, 17160.355, 20257.5, 21815.277)),
        (2, (7992.9243, 9002.347, 12553.73, 17160.004, 20000, 21500)),
    ],
)
def test_published_ramps_are_corrected_as_published(saturated, published):
    flags = np.zeros(RAMP.shape, np.uint8)
    flags[6 - saturated :] = 2
    made, counts = corrected(RAMP, forward(LIN), backward(INVERSE), groupdq=flags)
    assert np.array_equal(made.data[:, 1, 77], np.float32(published))
    assert counts == {"clipped": 0}


@pytest.mark.parametrize("table", ["without", "with"])
def test_same_bits_as_the_peer(table):
    nodes = inl(GOLDEN["inl_value"], GOLDEN["inl_correction"]) if table == "with" else None
    made, counts = corrected(
        GOLDEN["data"],
        GOLDEN["linearity"],
        GOLDEN["inverse"],
        GOLDEN["dq"],
        nodes=nodes,
        groupdq=GOLDEN["groupdq"],
        pixeldq=GOLDEN["pixeldq"],
    )
    assert np.array_equal(made.data, GOLDEN[f"data_{table}"], equal_nan=True)
    assert np.array_equal(made.groupdq, GOLDEN[f"groupdq_{table}"])
    assert np.array_equal(made.pixeldq, GOLDEN["pixeldq_out"])
    assert counts["clipped"] == np.count_nonzero(np.abs(GOLDEN[f"data_{table}"]) == 1e6) > 0


def test_part_of_a_channel_and_parts_of_two_agree_with_the_whole():
    nodes = inl(GOLDEN["inl_value"], GOLDEN["inl_correction"])
    cut = np.s_[..., 100:200]
    made, _counts = corrected(
        GOLDEN["data"][cut],
        GOLDEN["linearity"][cut],
        GOLDEN["inverse"][cut],
        GOLDEN["dq"][cut],
        nodes=nodes,
        start=100,
        groupdq=GOLDEN["groupdq"][cut],
        pixeldq=GOLDEN["pixeldq"][cut],
    )
    assert np.array_equal(made.data, GOLDEN["data_with"][cut], equal_nan=True)
    assert np.array_equal(made.pixeldq, GOLDEN["pixeldq_out"][cut])


def test_mean_of_curved_reads_becomes_linear():
    """Reads y of a linear ramp pass through the response; correcting their mean alone would miss by tens of DN."""
    c = 1.08e-6
    pattern = [[1], list(range(2, 10)), list(range(10, 18)), list(range(18, 26)), [26]]
    times = [np.array(reads) for reads in pattern]
    rate = np.linspace(50, 1500, 128)
    true = [5000 + rate * t[:, None] for t in times]
    seen = np.stack([((np.sqrt(1 + 4 * c * y) - 1) / (2 * c)).mean(axis=0) for y in true]).astype(np.float32)
    s = np.linspace(0, 0.06, 200)
    inverse = np.polynomial.Polynomial.fit(s, (np.sqrt(1 + 4 * s) - 1) / 2, 8).convert().coef
    inverse = [a * c ** (k - 1) for k, a in enumerate(inverse)]
    made, _counts = corrected(np.repeat(seen[:, None], 2, axis=1), planes((0, 1, c)), planes(inverse), pattern=pattern)
    expected = np.stack([y.mean(axis=0) for y in true])
    naive = seen + c * seen.astype(float) ** 2
    assert np.abs(naive - expected).max() > 3
    assert np.abs(made.data[:, 0] - expected).max() < 0.1


def test_integral_nonlinearity_is_added_before_the_polynomial():
    value = np.arange(0, 65536, 1024)
    corrections = np.stack([value * 1e-3, value * -2e-3])
    data, nodes = np.broadcast_to(RAMP[..., :1], (6, 2, 256)), inl(value, corrections)
    made, _counts = corrected(data, forward((0, 2), (2, 256)), backward((0, 1), (2, 256)), nodes=nodes)
    assert np.allclose(made.data[..., :128], data[..., :128] * 2 * 1.001, rtol=1e-6)
    assert np.allclose(made.data[..., 128:], data[..., 128:] * 2 * 0.998, rtol=1e-6)


@pytest.mark.parametrize("value", [np.arange(0, 60001, 40), np.array([0, 10, 30, 1000, 65535]), np.array([5, 6])])
def test_table_interpolates_and_holds_its_ends(value):
    correction = np.random.default_rng(3).normal(0, 3, value.size)
    low, high, per_step, intercepts, slopes = linearity.inl_table(value, correction)
    x = np.random.default_rng(4).uniform(-500, 70000, 5000)
    w = np.clip(x, low, high)
    j = ((w - low) * per_step).astype(int)
    found = intercepts[j] + slopes[j] * w
    assert np.allclose(found, np.interp(x, value, correction), rtol=0, atol=1e-9)


@pytest.mark.parametrize("value", [[0, 1, 1], [2, 1, 0], [0, 0.5, 1], [0, 1]])
def test_table_that_makes_no_sense(value):
    with pytest.raises(InputError, match="integral non-linearity"):
        linearity.inl_table(value, [1.0, 2.0, 3.0])


def test_missing_channel_of_the_table():
    nodes = inl([0, 100], np.zeros((1, 2)))
    with pytest.raises(InputError, match="science_channel_02"):
        linearity.prepare(exposure((6, 8, 256)), None, nodes, {})


def test_unusable_coefficients_leave_the_pixel_alone_and_flag_it():
    lin, inverse = forward((0.0, 2.0)), backward((0.0, 0.5))
    lin[2, 0, 1] = np.nan
    lin[2, 0, 6] = -999999
    lin[1, 0, 2] = 0
    inverse[0, 0, 3] = np.nan
    dq = np.zeros((2, 128), np.uint32)
    dq[0, 4] = NO_LIN_CORR | 8
    made, _counts = corrected(RAMP, lin, inverse, dq)
    bits = [0, NO_LIN_CORR, NO_LIN_CORR, NO_LIN_CORR, NO_LIN_CORR | 8, 0, NO_LIN_CORR]
    assert np.array_equal(made.pixeldq[0, :7], bits)
    untouched = [1, 2, 4, 6]
    assert np.allclose(made.data[:, 0, untouched], RAMP[:, 0, untouched], rtol=1e-7)
    assert np.allclose(made.data[:, 0, [0, 3, 5]], 2 * RAMP[:, 0, :3])  # linearity stays active without its inverse


def test_implausible_values_are_clipped_flagged_and_reported():
    made, counts = corrected(RAMP, planes((0.0, 100.0)), planes((0.0, 0.01)))
    beyond = 100 * RAMP > 1e6
    assert np.array_equal(made.groupdq, beyond.astype(np.uint8))
    assert np.array_equal(made.data[beyond], np.full(np.count_nonzero(beyond), 1e6, np.float32))
    assert counts["clipped"] == np.count_nonzero(beyond)
    assert [level for level, _text in linearity.report(counts, {})] == ["warning"]
    assert linearity.report({"clipped": 0}, {}) == []


def test_one_resultant_is_corrected_with_no_slope():
    made, _counts = corrected(RAMP[:1], forward((0.0, 1.0, 1e-6)), backward((0.0, 1.0, -1e-6)), pattern=[[1, 2, 3]])
    assert np.allclose(made.data, 8000 + 1e-6 * 8000**2, rtol=1e-6)


def test_two_resultants_are_enough():
    made, _counts = corrected(RAMP[:2], planes((0.0, 2.0)), planes((0.0, 0.5)), pattern=PATTERN[:2])
    assert np.allclose(made.data, 2 * RAMP[:2])


def test_polynomial_of_one_term_is_refused():
    with pytest.raises(InputError, match="two coefficients"):
        corrected(RAMP, planes((1.0,)), planes((0.0, 1.0)))
