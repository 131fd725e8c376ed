"""Transforms of long real series, two at a time, against numpy's as a whole."""

import numpy as np
import pytest

from rtools.exposure import fourier
from rtools.exposure._refpix_kernels import FilterCoefficients, ReferenceSpectra, combine

LENGTHS = (560, 24 * 140, 32 * 140, 2 * 139, 300 * 140)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_length_is_split_into_an_even_and_another_factor(length):
    first, second = fourier.factors(length)
    assert first * second == length
    assert first % 2 == 0


def test_odd_length_is_refused():
    with pytest.raises(ValueError, match="even"):
        fourier.factors(139)


@pytest.mark.parametrize("length", LENGTHS)
def test_arranged_spectrum_has_every_frequency_in_its_place(length):
    series = np.random.default_rng(1).normal(size=length)
    whole = np.fft.fft(series)
    first, second = fourier.factors(length)
    expected = whole.reshape(second, first).T[: first // 2 + 1]
    found = fourier.arrange(np.fft.rfft(series), length)
    assert np.allclose(found[0] + 1j * found[1], expected, rtol=0, atol=1e-6 * np.abs(whole).max())


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("resultants", [1, 2, 3])
def test_pairs_come_back_as_the_products_that_they_are(length, resultants):
    random = np.random.default_rng(2)
    count = length // 2 + 1
    sides = random.normal(size=(3, resultants, length))
    factors = random.normal(size=(3, count)) + 1j * random.normal(size=(3, count))  # real only where it is ignored
    spectra = ReferenceSpectra(
        *(np.array([fourier.arrange(np.fft.rfft(one), length) for one in side]) for side in sides)
    )
    coefficients = FilterCoefficients(*(fourier.arrange(row, length) for row in factors))
    out = np.empty(fourier.factors(length), np.complex64)
    expected = [
        np.fft.irfft(sum(np.fft.rfft(side[g]) * row for side, row in zip(sides, factors, strict=True)), n=length)
        for g in range(resultants)
    ]
    for g in range(0, resultants, 2):
        combine(spectra, coefficients, g, out)
        found = fourier.inverse(out)
        assert found.shape == (length, 2)
        for k in range(2):
            wanted = expected[g + k] if g + k < resultants else np.zeros(length)
            assert np.abs(found[:, k] - wanted).max() < 2e-6 * np.abs(expected).max() * np.sqrt(np.log2(length))
