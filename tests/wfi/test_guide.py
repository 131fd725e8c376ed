"""The readout of guide windows: the mission's frame times follow from its numbers of readings."""

import pytest

from rtools.wfi.guide import DROPPED_BY_JITTER, DROPPED_BY_PHOTOMETRY, GUIDE_TABLES, WSM_TRACK_LATE, Use, guide_table

FRAMES = (5.17529, 3.16247, 4.94124, 5.76796, 4.22204, 4.40977, 6.40293)
"""Seconds, Revision D."""


@pytest.mark.parametrize(
    "table, seconds", list(zip(GUIDE_TABLES, FRAMES, strict=True)), ids=lambda value: str(value)[:20]
)
def test_sixteen_cycles_are_a_frame(table, seconds):
    assert table.frame_s == pytest.approx(seconds, abs=9e-4)


def test_thirty_two_readings_make_todays_spectroscopic_frame():
    assert WSM_TRACK_LATE.frame_s == pytest.approx(5.14116, abs=2e-4)


@pytest.mark.parametrize(
    "name, cycle, pedestal, signal, exposure",
    [
        ("WIM_TRACK", 0.197654, 0.003330, 0.194324, 0.190994),
        ("WIM_ACQ", 0.323414, 0.035880, 0.287534, 0.251654),
        ("WSM_ACQ1", 0.308774, 0.03222, 0.276554, 0.244334),
        ("WSM_ACQ2", 0.360494, 0.04515, 0.315344, 0.270194),
        ("WSM_TRACK", 0.263874, 0.019890, 0.243984, 0.224094),
    ],
)
def test_effective_times_count_from_the_reset(name, cycle, pedestal, signal, exposure):
    table = guide_table(name)
    found = (table.cycle_s, table.pedestal_s, table.signal_s, table.exposure_s)
    assert found == pytest.approx((cycle, pedestal, signal, exposure), abs=1e-6)


def test_tables_are_found_by_identifier_and_number_those_of_standby_too():
    assert guide_table("GW0002") is guide_table(2) is guide_table("wim_track") is guide_table("GW0012")
    assert guide_table("GW0002").id == "GW0002"
    assert guide_table("GW0017") is None and guide_table("?") is None


def test_motion_needs_more_of_a_pair_than_light():
    assert DROPPED_BY_JITTER & DROPPED_BY_PHOTOMETRY == DROPPED_BY_PHOTOMETRY
    assert not DROPPED_BY_PHOTOMETRY & (Use.MIN_BIND | Use.NO_DOWNLINK | Use.RESET_READ)
