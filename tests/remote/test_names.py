"""Names of files that lie elsewhere."""

import pytest

from rtools.remote.names import beside, file_name, is_remote, meant, shown, shown_in


@pytest.mark.parametrize(
    "name, said, called",
    [
        ("s3://bucket/a/x_cal.asdf", "s3://bucket/a/x_cal.asdf", "x_cal.asdf"),
        ("s3://bucket/a#1?b.asdf", "s3://bucket/a#1?b.asdf", "a#1?b.asdf"),
        ("https://h/d/x_cal.asdf?X-Amz-Signature=S&token=S", "https://h/d/x_cal.asdf", "x_cal.asdf"),
        ("https://me:S@h:8/x.asdf#S", "https://h:8/x.asdf", "x.asdf"),
        ("https://h/get?uri=mast:JWST/product/jw_cal.fits&sig=S",
         "https://h/get?uri=mast:JWST/product/jw_cal.fits", "jw_cal.fits"),
        ("https://h/x%20y.asdf", "https://h/x%20y.asdf", "x y.asdf"),
        ("https://h/..%2F..%2Fetc", "https://h/..%2F..%2Fetc", "_.._etc"),
        ("https://h/", "https://h/", "file"),
    ],
)  # fmt: skip
def test_names_are_said_without_secrets_and_copies_keep_theirs(name, said, called):
    assert is_remote(name)
    assert shown(name) == said
    assert file_name(name) == called


def test_names_inside_of_texts_are_said_without_secrets():
    text = "ref = ['flat=https://me:pw@h/x.asdf?token=T', 's3://b/y'], environment RT_REF"
    assert shown_in(text) == "ref = ['flat=https://h/x.asdf', 's3://b/y'], environment RT_REF"
    assert shown_in("plain s3:// text") == "plain s3:// text"


def test_what_is_no_remote_name():
    assert not any(map(is_remote, ("x.asdf", "/a/b", "c:x", "ftp://h/x", "s3://", "a=https://h/x", None, 3)))


def test_files_beside_another_one():
    assert beside("s3://b/d/field_asn.json", "x_cal.asdf") == "s3://b/d/x_cal.asdf"
    assert beside("s3://b/d/field_asn.json", "../e/./x.asdf") == "s3://b/e/x.asdf"
    assert beside("https://h/d/field_asn.json?sig=S", "x y.asdf") == "https://h/d/x%20y.asdf?sig=S"
    assert beside("https://h/d/field_asn.json", "s3://b/x.asdf") == "s3://b/x.asdf"
    asked = beside("https://h/get?uri=mast:JWST/product/jw_asn.json&sig=S", "jw_cal.fits")
    assert asked == "https://h/get?uri=mast:JWST/product/jw_cal.fits&sig=S"


def test_an_address_that_is_none_is_said_without_secrets():
    assert shown("http://me:S@[bad/x.asdf?token=S#S") == "http://[bad/x.asdf"
    assert file_name("http://[bad/x.asdf") == "x.asdf"
    assert beside("http://[bad/d/x.asdf", "y.asdf") == "http://[bad/d/y.asdf"


def test_what_a_query_says_of_a_file_counts_and_who_signed_it_does_not():
    assert meant("https://me:S@h/x?version=2") != meant("https://me:S@h/x?version=3")
    assert meant("https://h/x?se=2&sp=r") != meant("https://h/x?se=3&sp=r")
    assert meant("https://h/x?v=2&X-Amz-Signature=A") == meant("https://me:pw@h/x?v=2&X-Amz-Signature=B#c")
    assert meant("https://h/x?v=2&sig=A&se=1") == meant("https://h/x?v=2&sig=B&se=2")
    assert "S" not in meant("https://me:S@h/x?token=S&Signature=S")
