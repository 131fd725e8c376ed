"""Facts of JWST's instruments: detectors, filters, read-out, nominal values."""

import numpy as np
import pytest

from rtools.errors import InputError, UsageError
from rtools.jwst.detectors import DETECTORS
from rtools.jwst.instrument import IMAGING_DETECTORS, bandpass, detector_facts, filters_of, instrument_facts
from rtools.jwst.nominal import nominal_values, photmjsr
from rtools.jwst.order import amplifiers, read_out_order
from rtools.jwst.readout import (
    frame_time,
    group_time,
    integration_time,
    readout_pattern,
    readout_patterns,
    subarray,
    subarrays,
    window,
)

EXAMPLES = {
    name: seconds for name, seconds in instrument_facts()["frame_time_s"]["examples"].items() if name.startswith("SUB")
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_frame_time_of_a_sub_array_is_the_documented_one(name):
    part = subarray("nrca1", name.partition(",")[0])
    assert frame_time("nrca1", part) == EXAMPLES[name]


@pytest.mark.parametrize("detector", ["nrca1", "nrcblong", "nis", "guider1"])
def test_a_full_frame_takes_10_73676_seconds(detector):
    assert frame_time(detector, subarray(detector)) == 10.73676


def test_miri_has_one_frame_time():
    assert frame_time("mirimage", subarray("mirimage"), "FASTR1") == 2.77504
    with pytest.raises(UsageError, match="SLOWR1"):
        frame_time("mirimage", subarray("mirimage"), "SLOWR1")


def test_niriss_reads_its_smallest_interferograms_in_75_ms():
    assert frame_time("nis", subarray("nis", "SUB80")) == pytest.approx(0.07544, abs=1e-9)


def test_groups_and_integrations_follow_from_frames():
    pattern = readout_pattern("nrca1", "medium8")
    assert (pattern.nframes, pattern.groupgap) == (8, 2)
    assert list(pattern.frames(0)) == list(range(8))
    assert list(pattern.frames(2)) == list(range(20, 28))
    assert group_time(2.0, pattern) == 20
    assert integration_time(2.0, pattern, 3) == 2 * 20 + 16


def test_every_detector_has_a_full_frame_and_patterns():
    for detector in IMAGING_DETECTORS:
        facts, full = detector_facts(detector), subarray(detector)
        assert (full.columns, full.rows, full.x, full.y) == (facts.columns, facts.rows, 1, 1)
        assert subarrays(detector)[0] == "FULL"
        assert readout_patterns(detector)[0].nframes == 1


def test_a_detector_without_an_aperture_for_images_is_told_from_one_that_does_not_exist():
    with pytest.raises(UsageError, match="NRS1 has no aperture"):
        detector_facts("nrs1")
    with pytest.raises(UsageError, match="NRCA9 does not exist"):
        detector_facts("nrca9")
    assert set(IMAGING_DETECTORS) == {name for names in DETECTORS.values() for name in names} - {
        "nrs1",
        "nrs2",
        "mirifulong",
        "mirifushort",
    }


def test_a_sub_array_that_leaves_the_detector_is_refused():
    assert subarray("nrca1", "sub640", x=1409, y=1409).slices == (slice(1408, 2048), slice(1408, 2048))
    for wrong in (lambda: subarray("nrca1", "SUB640", x=1410), lambda: window("nrca1", 0, 1, 10, 10)):
        with pytest.raises(UsageError, match="do not lie on NRCA1"):
            wrong()
    with pytest.raises(UsageError, match="no sub-array SUB17"):
        subarray("nrca1", "SUB17")
    with pytest.raises(UsageError, match="no read pattern FAST"):
        readout_pattern("nrca1", "FAST")


def test_a_window_over_all_columns_is_read_by_four_outputs():
    assert window("nrca1", 1, 1, 2048, 2048) == subarray("nrca1")
    assert window("nrca1", 1, 101, 2048, 64).outputs == 4
    assert window("nrca1", 101, 201, 48, 40).outputs == window("nis", 1, 1, 2048, 64).outputs == 1


def test_filters_are_those_of_the_channel():
    assert "F200W" in filters_of("nrca1")
    assert "F444W" not in filters_of("nrca1")
    assert "F444W" in filters_of("nrcalong")
    assert {"F380M", "F480M", "F090W"} <= set(filters_of("nis"))
    assert bandpass("nrca1", "f200w").edges_um == pytest.approx((1.7595, 2.2205))
    with pytest.raises(UsageError, match="NRCA1 has no filter F444W"):
        bandpass("nrca1", "F444W")
    pivots = [bandpass("nrca1", name).pivot_um for name in filters_of("nrca1")]
    assert pivots == sorted(pivots)


def test_the_nominal_photometry_counts_photons():
    """1 MJy/sr on a pixel of 2.3e-14 sr, 25.4 m², half of the photons, R = 4.3: 1.0 electron in a second."""
    electrons = nominal_values("nrca1").gain / photmjsr("nrca1", "F200W")
    photons = 1e-20 * 2.2918e-14 * 25.4 * np.log(2.2205 / 1.7595) / 6.626e-34
    assert electrons == pytest.approx(0.5 * photons, rel=0.01)
    assert nominal_values("nrcalong").gain == nominal_values("nis").gain == 1.82


def test_the_linearity_undoes_the_stated_nonlinearity():
    values = nominal_values("nrca1")
    true = np.linspace(0, values.saturation - values.bias, 200)
    raw = true - values.nonlinearity * true**2
    found = np.polynomial.polynomial.polyval(raw, values.linearity)
    assert np.abs(found - true).max() < 0.005 * true.max()
    assert np.abs(found - true)[true < 15000].max() < 3


def test_the_correction_of_capacitance_undoes_it():
    from scipy.signal import convolve2d

    values = nominal_values("nrca1")
    both = convolve2d(values.ipc, values.ipc_correction)
    point = np.zeros((5, 5))
    point[2, 2] = 1
    assert np.sum(values.ipc) == pytest.approx(1)
    assert np.abs(both - point).max() < 3e-4


def test_amplifiers_lie_along_the_fast_axis():
    across = amplifiers("nrca2")[0]
    assert across[[0, 511, 512, 2047]].tolist() == [0, 0, 1, 3]
    assert np.array_equal(amplifiers("nrca1")[0], across[::-1])
    assert np.array_equal(amplifiers("nis")[:, 7], across[::-1])
    assert amplifiers("mirimage")[3, :6].tolist() == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("axes", [(1, 2), (-1, 2), (1, -2), (-2, -1), (2, 1)])
def test_the_order_of_reading_leads_back(axes):
    array = np.arange(24).reshape(2, 3, 4)
    there = read_out_order(array, *axes)
    assert there.shape == ((2, 3, 4) if abs(axes[0]) == 1 else (2, 4, 3))
    assert np.array_equal(read_out_order(there, *axes), array)


def test_niriss_reads_its_last_column_first_from_the_top():
    array = np.arange(12).reshape(3, 4)
    assert read_out_order(array, -2, -1)[0].tolist() == [11, 7, 3]


def test_axes_of_no_detector_are_refused():
    with pytest.raises(InputError, match="FASTAXIS 3"):
        read_out_order(np.zeros((2, 2)), 3, 1)
