"""Tags of products to kinds and profiles, and back."""

import pytest

from rtools.products.schema import layout, tags

KINDS = [kind for kind in layout.facts()["products"] if not kind.startswith("cat_")]  # catalogues are parquet files


@pytest.mark.parametrize("kind", KINDS)
def test_tag_round_trip(kind):
    having = {profile: tags.tag(kind, profile) for profile in layout.PROFILES if tags.has(profile, kind)}
    for tag in having.values():
        oldest = next(profile for profile in having if having[profile] == tag)
        assert tags.kind_of(tag) == (kind, oldest)


@pytest.mark.parametrize(
    "tag, expected",
    [
        ("asdf://stsci.edu/datamodels/roman/tags/wfi_image-1.0.0", ("l2_image", "1.5.0")),
        ("asdf://stsci.edu/datamodels/roman/tags/wfi_image-1.6.0", ("l2_image", "2.0.0")),
        ("asdf://stsci.edu/datamodels/roman/tags/wfi_image-3.0.0", ("l2_image", "2.2.0")),
        ("asdf://stsci.edu/datamodels/roman/tags/tvac/wfi_science_raw-1.0.0", ("l1_uncal", "1.5.0")),
        ("asdf://stsci.edu/datamodels/roman/tags/reference_files/gain-1.0.0", ("reference/gain", "1.5.0")),
        ("asdf://stsci.edu/datamodels/roman/tags/nothing_of_ours-1.0.0", (None, "2.1.0")),
        ("asdf://example.org/tags/ramp-1.0.0", (None, "2.1.0")),
        ("", (None, "2.1.0")),
        (None, (None, "2.1.0")),
    ],
)
def test_kind_of_other_versions(tag, expected):
    assert tags.kind_of(tag) == expected
