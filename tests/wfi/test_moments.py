"""Lists of times at once: every form, leap seconds, what is no time."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.wfi.moments import elapsed, mjd, moments_of, moments_of_mjd, moments_of_numbers, texts_of
from rtools.wfi.times import mjd_of

USUAL = ["2027-06-01T12:00:00.000", "2027-06-01 12:00:00.125", "2027-06-01T12:00:00.123456789", "2027-06-01T12:00:01"]


def test_times_of_the_calendar_are_read_to_the_nanosecond():
    seconds = elapsed(moments_of(USUAL), moments_of(USUAL[:1]))
    np.testing.assert_allclose(seconds, [0, 0.125, 0.123456789, 1], atol=2e-10)


def test_other_forms_stand_beside_them_in_one_list():
    times = [USUAL[0], "2027-06-01T12:00:00Z", "2027:152:12:00:01.5", "2027-06-02", {"value": 61557.5, "format": "mjd"}]
    seconds = elapsed(moments_of(times), moments_of(USUAL[:1]))
    np.testing.assert_allclose(seconds, [0, 0, 1.5, 43200, 0], atol=1e-3)


def test_dates_are_those_of_single_times():
    dates = mjd(moments_of(USUAL))
    np.testing.assert_allclose(dates, [mjd_of(one) for one in USUAL], rtol=0, atol=1e-10)


def test_null_is_no_time():
    found = moments_of([None, USUAL[0], "", "NaT"])
    assert np.isnan(found.second).tolist() == [True, False, True, True]
    assert np.isnan(mjd(found)).tolist() == [True, False, True, True]


def test_leap_seconds_are_counted():
    times = ["2016-12-31T23:59:59.5", "2016-12-31T23:59:60.25", "2017-01-01T00:00:00.5"]
    np.testing.assert_allclose(elapsed(moments_of(times), moments_of(times[:1])), [0, 0.75, 2.0])
    np.testing.assert_allclose(mjd(moments_of(times)), [mjd_of(one) for one in times], rtol=0, atol=1e-10)


def test_a_leap_second_newer_than_the_table_counts_where_a_time_lies_in_it():
    times = ["2035-12-31T23:59:59", "2035-12-31T23:59:60", "2036-01-01T00:00:00"]
    np.testing.assert_allclose(elapsed(moments_of(times), moments_of(times[:1])), [0, 1, 2])
    np.testing.assert_allclose(elapsed(moments_of(times[::2]), moments_of(times[:1])), [0, 1])


def test_numbers_of_a_format_and_scale_are_read_at_once():
    found = moments_of_numbers(np.array([61557.5, 61557.75]), "mjd", "tai")
    np.testing.assert_allclose(elapsed(found, moments_of(["2027-06-01T11:59:23"])), [0, 21600], atol=1e-5)
    with pytest.raises(InputError, match="no valid times of format nonsense"):
        moments_of_numbers(np.array([1.0]), "nonsense", "utc")


@pytest.mark.parametrize(
    "bad",
    ["2027-02-29T00:00:00", "2027-13-01T00:00:00", "2027-06-01T24:00:00", "2027-06-01T12:00:60", "2027-06-01T12:00:0x",
     "2027-06-01T12:00:00.1.2", "2027-06-01T12:00:00,5", "soon", "?"],
)  # fmt: skip
def test_what_is_no_time_is_refused_by_name(bad):
    with pytest.raises(InputError, match="is not a valid time"):
        moments_of([USUAL[0], bad])


def test_no_times_are_no_times():
    assert moments_of([]).day.shape == (0,)


def test_text_of_a_time_reads_back_as_it():
    times = [*USUAL[:2], "2027-06-01T12:00:00.123456", None, "2016-12-31T23:59:60.500", "2027-06-01T23:59:59.999"]
    told = texts_of(moments_of(times))
    assert told == [None if one is None else one.replace(" ", "T") for one in times]
    assert texts_of(moments_of(["2027-06-01T23:59:59.9999999"])) == ["2027-06-02T00:00:00.000"]


def test_dates_become_times_again():
    times = ["2027-06-01T12:00:00.125", None, "2027-06-02T00:00:00.000"]
    assert texts_of(moments_of_mjd(mjd(moments_of(times)))) == times
