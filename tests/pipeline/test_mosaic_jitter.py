"""The PSF of a mosaic has the jitter of its exposures, not the usual one."""

import numpy as np
import pytest
from astropy.table import Table

from rtools.pipeline.catalog.references import psf_of
from rtools.reference.builtin import Builtin
from rtools.wfi.distortion import pixel_side
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC
from tests.support.samples import wcs

SCALE = 0.055


FREQUENCY = 1 / 500
"""Cycles per mas."""


def transform(kernels, times=(100.0, 100.0)):
    """Fourier transform along x of the PSF of a mosaic of such exposures."""
    stars = Table({"jitter_major": [one[0] for one in kernels], "jitter_minor": [one[1] for one in kernels],
                   "jitter_position_angle": [0.0, 90.0]})  # fmt: skip
    members = {"guide_star": stars, "exposure": Table({"exposure_time": times})}
    meta = {"wcsinfo": {"pixel_scale": SCALE / 3600}, "resample": {"pixfrac": 1.0}, "individual_image_meta": members}
    psf = psf_of(Builtin("epsf", "WFI02", "F158"), meta, grid=(wcs(SCALE / 3600), (100, 100)), log=print)
    stamp = psf.stamps[0]
    x = (np.arange(stamp.shape[1]) - (stamp.shape[1] - 1) / 2) / psf.oversample * SCALE * 1000
    return (stamp.sum(axis=0) * np.cos(2 * np.pi * FREQUENCY * x)).sum()


def added_variance(kernels, times=(100.0, 100.0)):
    """mas² that the jitter of such exposures has beyond the usual, by exp(-2 pi² f² variance).

    A kernel is stated for pixels of 110 mas, and on the sky as much smaller as the pixels are.
    """
    ratio = transform(kernels, times) / transform([(8.0, 8.0), (8.0, 8.0)])
    return -np.log(ratio) / (2 * np.pi**2 * FREQUENCY**2) * (PIXEL_SCALE_ARCSEC / pixel_side("WFI02")) ** 2


def test_the_psf_of_a_mosaic_is_as_wide_as_the_jitter_of_its_exposures_makes_it():
    mean = ((20**2 + 12**2) / 2 + 8**2) / 2
    assert added_variance([(20.0, 12.0), (8.0, 8.0)]) == pytest.approx(mean - 64, rel=0.01)


def test_exposures_count_by_their_times():
    mean = 0.25 * 30**2 + 0.75 * 8**2
    assert added_variance([(30.0, 30.0), (8.0, 8.0)], (50.0, 150.0)) == pytest.approx(mean - 64, rel=0.01)


def test_an_exposure_that_says_nothing_has_the_usual_jitter():
    assert added_variance([(np.nan, np.nan), (8.0, 8.0)]) == 0
