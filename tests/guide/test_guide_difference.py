"""Difference images: signs, noise, what is masked, linearity, the reference output."""

import numpy as np
import pytest

from rtools.errors import InputError, UsageError
from rtools.guide import Pairs, Readout, take_difference
from rtools.guide.difference import ConverterCurve

SHAPE = (16, 12)


def pairs_of(pedestal, signal, **more):
    """Pairs of a stage of which nothing bad is said."""
    n = len(signal)
    unbound = np.zeros((n, 2), bool)
    return Pairs(np.uint16(pedestal), np.uint16(signal), np.zeros(n, int), unbound, unbound)._replace(**more)


@pytest.fixture
def plain():
    """Three pairs of a pedestal of 5000 and a signal of 5100 DN."""
    return pairs_of(np.full((3, *SHAPE), 5000), np.full((3, *SHAPE), 5100))


def test_star_is_positive_and_negative_differences_do_not_wrap(plain):
    plain.signal[1] = 4990
    found = take_difference(plain, Readout(1.8, 13.81))
    np.testing.assert_allclose(found.images[:2, 0, 0], [180, -18], rtol=1e-6)
    assert found.images.dtype == np.float32
    assert not found.masked.any()
    assert not found.saturated.any()
    np.testing.assert_array_equal(found.peak_dn, [5100, 4990, 5100])
    assert found.kappa is None


@pytest.mark.parametrize(("reads", "expected"), [(2, 9.765), (8, 4.883)])
def test_noise_of_the_reads(plain, reads, expected):
    readout = Readout(1.8, 13.81, pedestal_reads=reads, signal_reads=reads)
    np.testing.assert_allclose(np.sqrt(take_difference(plain, readout).variance), np.full(SHAPE, expected), rtol=1e-4)


def test_gain_and_noise_of_each_pixel(plain):
    gain, noise = np.full(SHAPE, 2.0), np.full(SHAPE, 10.0)
    gain[3, 4], noise[5, 6] = 1.0, 20.0
    found = take_difference(plain, Readout(gain, noise))
    assert (found.images[0, 3, 4], found.images[0, 4, 3]) == (100, 200)
    assert (found.variance[5, 6], found.variance[6, 5]) == (200, 50)


def test_offsets_cancel_and_do_not_count_as_signal(plain):
    with_offset = plain._replace(pedestal=plain.pedestal + 1000, signal=plain.signal + 1000, offsets=np.full(3, 1000))
    first, second = (take_difference(pairs, Readout(1.8, 13.81, saturation=5500)) for pairs in (plain, with_offset))
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.peak_dn, second.peak_dn)
    assert not second.saturated.any()


def test_saturated_pixels_are_masked_and_their_pairs_told(plain):
    bad = np.zeros(SHAPE, bool)
    bad[0, 0] = True
    plain.signal[0, 2, 3], plain.signal[1, 0, 0], plain.signal[2, 4, 5] = 65535, 65000, 64000
    found = take_difference(plain, Readout(1.8, 13.81, saturation=63000, masked=bad))
    assert list(found.saturated) == [True, False, True]
    assert found.masked[0, 2, 3] and found.masked[2, 4, 5]
    assert found.masked.sum() == 5
    assert found.peak_dn[1] == 5100
    assert list(take_difference(plain, Readout(1.8, 13.81)).saturated) == [True, False, False]


def test_bound_pixels_are_masked_only_where_the_flag_says_so(plain):
    plain.pedestal[:, 1, 1] = 0
    bound = np.zeros((3, 2), bool)
    bound[1, 0] = True
    found = take_difference(plain._replace(min_bind=bound), Readout(1.8, 13.81))
    assert list(found.masked[:, 1, 1]) == [False, True, False]
    plain.pedestal[:, 1, 1] = 65535
    found = take_difference(plain._replace(max_bind=bound), Readout(1.8, 13.81))
    assert list(found.masked[:, 1, 1]) == [False, True, False]


def test_linearity_is_applied_to_both_without_the_offset(plain):
    plain = plain._replace(offsets=np.full(3, 1000))
    polynomial = np.array([3.0, 1.0, 1e-5])
    found = take_difference(plain, Readout(2.0, 13.81, linearity=polynomial))
    np.testing.assert_allclose(found.images, 2 * (100 + 1e-5 * (4100**2 - 4000**2)), rtol=1e-6)
    planes = np.repeat(polynomial, 192).reshape(3, *SHAPE)
    planes[2, 7, 7] = 0
    found = take_difference(plain, Readout(2.0, 13.81, linearity=planes))
    np.testing.assert_allclose(found.images[0, 7, 7:9], [200, 216.2], rtol=1e-6)


@pytest.fixture(scope="module")
def noisy():
    """Pairs with a star, and with noise of rows of 8 DN of which the pixels have 0.7."""
    rng = np.random.default_rng(1)
    star = np.zeros(SHAPE)
    star[6:10, 4:8] = 3000
    rows = rng.normal(0, 8, (800, SHAPE[0], 1))
    signal = 6000 + star + 0.7 * rows + rng.normal(0, 5, (800, *SHAPE))
    reference = 7000 + rows + rng.normal(0, 4, (800, SHAPE[0], 16))
    flat = np.full((800, SHAPE[0], 16), 6800)
    more = {"amp33_pedestal": np.uint16(flat), "amp33_signal": np.uint16(reference)}
    return pairs_of(np.full((800, *SHAPE), 5000), signal, **more)


def test_noise_of_rows_is_taken_out_by_the_share_that_the_pixels_have(noisy):
    readout = Readout(1.0, 13.81)
    found = take_difference(noisy, readout)
    assert found.kappa == pytest.approx(0.69, abs=0.02)  # the reference's own noise lowers it
    before, after = (d.images[:, :, 11] for d in (take_difference(noisy, readout, amp33="none"), found))
    assert np.median(before, axis=0).std() < 1
    assert after.std() < 0.75 * before.std()
    assert after.mean() == pytest.approx(before.mean(), abs=0.3)
    again = take_difference(noisy, readout, kappa=0.5)
    assert again.kappa == 0.5
    assert found.images.std() < again.images.std()


def test_frame_takes_the_same_off_every_pixel(noisy):
    found = take_difference(noisy, Readout(2.0, 13.81), amp33="frame")
    plain = take_difference(noisy, Readout(2.0, 13.81), amp33="none")
    off = plain.images - found.images
    assert np.ptp(off, axis=(1, 2)).max() < 1e-3
    assert off.mean() == pytest.approx(400, abs=2)
    assert plain.kappa is None


def test_reference_that_knows_nothing_of_the_pixels_is_left_alone(noisy):
    rng = np.random.default_rng(2)
    other = noisy._replace(amp33_signal=np.uint16(rng.normal(7000, 20, noisy.amp33_signal.shape)))
    assert take_difference(other, Readout(1.0, 13.81)).kappa < 0.1


def test_wrong_words_and_shapes_are_refused(plain, noisy):
    with pytest.raises(UsageError, match="--amp33 rows"):
        take_difference(plain, Readout(1.8, 13.81), amp33="rows")
    with pytest.raises(InputError, match="differ in shape"):
        take_difference(plain._replace(pedestal=plain.pedestal[:2]), Readout(1.8, 13.81))
    with pytest.raises(InputError, match="reference output"):
        take_difference(noisy._replace(amp33_signal=noisy.amp33_signal[:, :8]), Readout(1.8, 13.81))


def test_no_pairs(plain):
    empty = Pairs(*(None if values is None else values[:0] for values in plain))
    assert take_difference(empty, Readout(1.8, 13.81)).images.shape == (0, *SHAPE)


def test_non_linearity_of_the_converter_is_taken_away_where_its_channel_reads(plain):
    value = np.array([0.0, 5000.0, 5200.0, 65535.0])
    curves = (
        ConverterCurve(slice(0, 4), value, np.array([0.0, -3.0, 5.0, 0.0])),
        ConverterCurve(slice(4, 12), value, np.zeros(4)),
    )
    offset = plain._replace(pedestal=plain.pedestal + 700, signal=plain.signal + 700, offsets=np.full(3, 700))
    for pairs in (plain, offset):
        found = take_difference(pairs, Readout(2.0, 13.81, curves=curves))
        np.testing.assert_allclose(found.images[..., :4], 2 * (100 + 4), rtol=1e-6)
        np.testing.assert_allclose(found.images[..., 4:], 200, rtol=1e-6)
    doubled = Readout(2.0, 13.81, linearity=np.array([0.0, 2.0]), curves=curves)
    np.testing.assert_allclose(take_difference(plain, doubled).images[..., :4], 2 * 2 * (100 + 4), rtol=1e-6)
