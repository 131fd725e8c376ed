"""When windows are read: stages, reads that reset the detector, exposures and gaps."""

import numpy as np
import pytest

from rtools.simulate.guide.request import AcquisitionRequest
from rtools.simulate.guide.timeline import draw_timeline, impacted_cycles


def test_an_exposure_is_a_read_that_resets_and_its_reads():
    timeline = draw_timeline(spectroscopic=False, first=4, exposures=2, reads=5, gap=3)
    acquisition, track = timeline.stages
    assert (acquisition.name, len(acquisition), acquisition.table.name) == ("acq", 32, "WIM_ACQ")
    runs = track.mapping[np.flatnonzero(np.diff(track.mapping, prepend=0))]
    assert runs.tolist() == [-4, 4, -5, 5, -6]
    for number, exposed in zip((4, 5), timeline.exposures, strict=True):
        own = track.mapping == number
        assert own.sum() == 16 * 6
        assert np.flatnonzero(track.resetting & own).tolist() == np.flatnonzero(own)[:16].tolist()
        assert exposed.number == number
        assert exposed.start == pytest.approx(track.start[own][16])
        assert exposed.stop - exposed.start == pytest.approx(5 * 3.16247, abs=1e-5)
    assert timeline.duration == pytest.approx(track.signal_end[-1])


def test_times_of_a_pair_are_those_of_its_readings():
    track = draw_timeline(spectroscopic=False, first=1, exposures=1, reads=2, gap=0).track
    assert track.centre[0] - track.start[0] == pytest.approx(0.1010471875, abs=1e-9)
    np.testing.assert_allclose(np.diff(track.centre), 0.197654375, rtol=1e-9)
    # Reset, two readings of the pedestal; three skipped and two of the signal end the cycle.
    np.testing.assert_allclose(track.pedestal_end - track.start, 3 * 0.00222)
    np.testing.assert_allclose(track.signal_end[:-1], track.start[1:])


def test_spectroscopy_has_two_acquisitions_and_slower_cycles():
    timeline = draw_timeline(spectroscopic=True, first=1, exposures=1, reads=2, gap=1)
    assert [stage.name for stage in timeline.stages] == ["acq", "edge", "track"]
    assert [stage.table.id for stage in timeline.stages] == ["GW0003", "GW0004", "GW0005"]
    assert np.diff(timeline.track.start)[0] * 16 == pytest.approx(5.14116, abs=5e-4)
    assert timeline.stages[2].start[0] == pytest.approx(timeline.stages[1].signal_end[-1])


@pytest.mark.parametrize(
    ("low", "high", "upwards", "cycles"),
    [
        (0, 16, True, (0,)),
        (250, 266, True, (0, 1)),
        (256, 272, True, (1,)),
        (0, 16, False, (15,)),
        (250, 266, False, (14, 15)),
    ],
)
def test_a_window_is_reset_in_the_block_of_its_rows(low, high, upwards, cycles):
    assert impacted_cycles(low, high, size=4096, upwards=upwards) == cycles


def test_dithers_begin_again_when_they_are_used_up():
    request = AcquisitionRequest(dither=((3.0, 0.0), (0.0, 2.5)))
    assert [request.shift(i) for i in range(4)] == [(0.0, 0.0), (3.0, 0.0), (0.0, 2.5), (0.0, 0.0)]
