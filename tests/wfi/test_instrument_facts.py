"""Facts of the instrument that follow from each other or from the description of the mission's products."""

import math

import pytest

from rtools.errors import InputError
from rtools.products.schema import layout
from rtools.wfi import exposure_types, frame, instrument, mosaics, readout, units
from rtools.wfi.exposure_types import DARK_TYPES, EXPOSURE_TYPES, SKY_IMAGE_TYPES, SKY_TYPES


def test_channels_cover_the_frame():
    assert frame.CHANNELS * frame.CHANNEL == frame.FRAME
    assert (frame.TRIMMED, frame.CENTRE) == (4088, 2043.5)


def test_a_frame_takes_its_rows_and_the_guide_window():
    """What the rows leave of the frame time is for the guide window: positive, and a small part."""
    rows = frame.FRAME * readout.ROW_CLOCKS * readout.CLOCK_S
    assert 0.85 < rows / instrument.frame_time("WFI_IMAGE") < 1


def test_spectra_are_read_more_slowly_than_images():
    assert instrument.frame_time("WFI_SP_DARK") == instrument.frame_time("WFI_SPECTRAL") > instrument.frame_time("?")


def test_no_dark_sees_the_sky_and_no_spectrum_is_mosaicked():
    assert not set(DARK_TYPES) & set(SKY_TYPES)
    assert set(SKY_TYPES) - set(SKY_IMAGE_TYPES) == {"WFI_SPECTRAL"}
    assert exposure_types.reading_of("WFI_SP_DARK") == "spectroscopy"


def test_the_words_of_the_schemas_are_known():
    """products.json describes the mission's schemas, which is why it lists the same words."""
    words = layout.facts()["enums"]
    assert tuple(EXPOSURE_TYPES) == tuple(words["exposure_type"])
    assert set(instrument.DETECTORS) == set(words["detector"])
    assert set(instrument.ELEMENTS) == set(words["optical_element"])


def test_every_step_has_a_key_in_the_schemas():
    from rtools.pipeline.exposure import chain

    assert set(chain.cal_steps()) == set(layout.facts()["cal_step"]["l2"]["2.1.0"])
    assert set(mosaics.MOSAIC_CAL_STEPS) < set(chain.cal_steps())


def test_detectors_have_numbers():
    assert [instrument.detector_number(name) for name in instrument.DETECTORS] == list(range(1, 19))
    for name in ("WFI00", "WFI19", "NRCA1", None):
        with pytest.raises(InputError, match="is not a detector"):
            instrument.detector_number(name)


def test_zero_points_agree():
    """AB magnitude 0 is 3631 Jy, and 1 nJy has 31.4 mag to a ten-thousandth."""
    assert -2.5 * math.log10(1 / units.AB_ZERO_NJY) == pytest.approx(units.NJY_MAGNITUDE, abs=1e-4)
