"""Times in every form that ASDF has: read as what they are, or refused in one line."""

import json

import numpy as np
import pytest
from astropy.time import Time

from rtools.errors import InputError
from rtools.products.schema import nodes
from rtools.wfi import times
from rtools.wfi.times import iso_time
from tests.support.dithers import exposure
from tests.support.runs import tool

TAG = nodes.TIME_TAG
NEW_YEAR = "2027-01-01T00:00:00.000"


def mapping(value, **about):
    """The long form of a time."""
    return nodes.TaggedDict({"value": value, **about}, TAG)


FORMS = {
    "calendar": NEW_YEAR,
    "blank": "2027-01-01 00:00:00.000",
    "Z": "2027-01-01T00:00:00.000Z",
    "offset": "2027-01-01T02:00:00.000+02:00",
    "day of the year": "2027:001:00:00:00.000",
    "mjd": mapping(61406.0, format="mjd"),
    "jd": mapping(2461406.5, format="jd"),
    "no format": mapping(2461406.5),
    "unix": mapping(1798761600.0, format="unix"),
    "utime": mapping(1798761600.0 - 283996800.0, format="utime"),
    "gps": mapping(1482796818.0, format="gps"),
    "tai_seconds": mapping(2177452837.0, format="tai_seconds"),
    "decimalyear": mapping(2027.0, format="decimalyear"),
    "tai": mapping("2027-01-01T00:00:37", scale="tai"),
    "tt": mapping("2027-01-01T00:01:09.184", scale="tt"),
    "tdb": mapping("2027-01-01T00:01:09.184", scale="tdb"),
    "day of the year, tai": mapping("2027:001:00:00:37", scale="tai"),
    "old": mapping("2027-01-01T00:00:00.000", base_format="isot", scale="utc"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_and_scale_is_the_same_moment(form):
    node = FORMS[form] if isinstance(FORMS[form], dict) else nodes.TaggedStr(FORMS[form], TAG)
    told = nodes.normalise(node)
    assert (type(told), told.tag) == (nodes.TaggedStr, TAG)
    assert told == NEW_YEAR
    assert times.mjd_of(told) == 61406.0


@pytest.mark.parametrize("text", ["J2027.0", "B2027.0", "J2027"])
def test_epochs_are_read_in_utc(text):
    """So the ASDF standard has it: strings are UTC."""
    expected = Time(text if "." in text else f"{text}.0", scale="utc").isot
    assert times.utc_of_text(text) == expected
    number = mapping(2027.0, format={"J": "jyear", "B": "byear"}[text[0]])
    assert iso_time(number) == expected
    assert iso_time(mapping("2027.0", format={"J": "jyear", "B": "byear"}[text[0]])) == expected


def test_a_leap_second_is_told_as_it_is_and_counted_as_clocks_do():
    text = "2016-12-31T23:59:60.500"
    assert nodes.normalise(nodes.TaggedStr(text, TAG)) == text
    assert times.moment_of(text).isoformat() == "2017-01-01T00:00:00.500000"
    assert times.mjd_of(text) == 57754 + 0.5 / 86400


@pytest.mark.parametrize("node", [
    mapping([NEW_YEAR, NEW_YEAR]), mapping(1e99, format="mjd"), mapping(float("nan"), format="mjd"),
    mapping(1.0, format="what"), mapping(NEW_YEAR, scale="what"), mapping("2027:400:00:00:00"),
    nodes.TaggedList([NEW_YEAR, NEW_YEAR], TAG), nodes.TaggedDict({}, TAG),
])  # fmt: skip
def test_what_is_no_single_time_stays_as_it_is(node):
    assert nodes.normalise(node) == node or np.isnan(node["value"])
    with pytest.raises(InputError):
        iso_time(node)


def _with_start(source, target, text):
    """A copy whose start is another; a form that is not known to our writer."""
    data = source.read_bytes()
    end = data.index(b"\n...\n")
    place = data.index(b"start_time: ", 0, end) + len(b"start_time: ")
    stop = data.index(b"\n", place)
    index = data.rfind(b"#ASDF BLOCK INDEX")
    target.write_bytes(data[:place] + f"!<{TAG}> {text}".encode() + data[stop : index if index > 0 else None])
    return target


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """An exposure."""
    return exposure(tmp_path_factory.mktemp("times") / "x_cal.asdf", 0)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["2027:001:00:00:00", "{value: 61406.0, format: mjd}"])
def test_tools_take_a_time_in_any_form(image, text, tmp_path, capsys):
    path = _with_start(image, tmp_path / "y_cal.asdf", text)
    assert tool("get", "exposure.start_time", path) == 0
    assert NEW_YEAR in capsys.readouterr().out
    assert tool("info", path) == 0
    assert "2027-01-01T00:00:00" in capsys.readouterr().out
    assert tool("fits", path, "-o", tmp_path / "y.fits") == 0
    assert tool("resample", path, "-o", tmp_path / "y_coadd.asdf", "-q") == 0
    capsys.readouterr()
    assert tool("get", "--json", "coadd_info.time_first", tmp_path / "y_coadd.asdf") == 0
    assert NEW_YEAR in json.dumps(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("text", ["garbage", "2027:400:00:00:00", "['2027-01-01T00:00:00', '2027-01-01T00:00:01']"])
def test_what_is_no_time_is_one_line_where_it_is_needed(image, text, tmp_path, capsys):
    path = _with_start(image, tmp_path / "y_cal.asdf", text)
    for words in (("get", "exposure.start_time", path), ("info", path)):
        assert tool(*words) == 0, words
    assert tool("fits", path, "-o", tmp_path / "y.fits", "-q") == (3 if text == "garbage" else 0)  # its schema knows
    capsys.readouterr()
    assert tool("resample", path, "-o", tmp_path / "y_coadd.asdf", "-q") == 3
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "exposure.start_time" in err
