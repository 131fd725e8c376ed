"""Profiles into each other, complete metadata, what must be there, history, nodes."""

import copy
import pickle
import re

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.products.io import open_product, writer
from rtools.products.schema import history, layout, nodes, profiles, tags
from rtools.products.schema.blocks import complete
from rtools.wfi import metadata
from rtools.wfi.times import iso_time
from tests.support import samples

TWO = ("2.1.0", "2.2.0")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["l1_uncal", "ramp", "l2_image", "wcs"])
@pytest.mark.parametrize("target", layout.PROFILES)
@pytest.mark.parametrize("origin", layout.PROFILES)
def test_every_profile_can_be_written_from_every_other(tmp_path, kind, origin, target):
    path = tmp_path / "x.asdf"
    arrays = samples.arrays(kind, origin)
    writer.write_product(path, kind, samples.meta(kind, origin), arrays, profile=origin)
    with open_product(path) as product:
        kept = {name: product.array(name) for name in product.arrays}
        writer.write_product(tmp_path / "y.asdf", kind, product.meta, kept, profile=target)
    with open_product(tmp_path / "y.asdf") as product:
        assert product.profile == target
        common = set(arrays) & set(layout.arrays(kind, target))
        assert common <= set(product.arrays)
        for name in common:
            np.testing.assert_array_equal(product.array(name), arrays[name].astype(layout.dtypes(kind, target)[name]))


def test_up_adds_zeros_and_names():
    meta, arrays = samples.meta("l2_image", "1.5.0"), samples.arrays("l2_image", "1.5.0")
    meta["ref_file"] = {"inverse_linearity": "crds://a.asdf"}
    meta["exposure"].pop("hga_move", None)
    up, planes, said = profiles.convert("l2_image", meta, arrays, "2.2.0")
    assert said == []
    assert up["ref_file"]["inverselinearity"] == "crds://a.asdf"
    assert "inverse_linearity" not in up["ref_file"]
    assert up["ref_file"]["bam"] == "N/A"
    assert up["exposure"]["hga_move"] is False
    assert up["visit"]["wfi_acm_z_defocus_size"] is None
    assert len(up["cal_step"]) == 16
    for name in ("dq2", "chisq", "dumo"):
        assert planes[name].shape == (128, 128)
        assert not planes[name].any()
    assert "dq2" not in profiles.convert("l2_image", meta, arrays, "2.1.0")[1]


def test_down_drops_and_says_so():
    meta, arrays = samples.meta("l2_image", "2.2.0"), samples.arrays("l2_image", "2.2.0")
    meta["exposure"]["engineering_quality"] = "?"
    meta["guide_star"]["guide_mode"] = "WSM_ACQ_HC"
    meta["visit"]["type"] = "PARALLEL"
    down, planes, said = profiles.convert("l2_image", meta, arrays, "1.5.0")
    assert {"chisq", "dumo", "dq2"} & set(planes) == set()
    assert [line for line in said if "array" in line] == [
        f"profile 1.5.0 has no array {name}: dropped" for name in ("chisq", "dq2", "dumo")
    ]
    assert down["exposure"]["engineering_quality"] == "SUSPECT"
    assert down["guide_star"]["guide_mode"] == "WSM-ACQ-1"
    assert any("guide_mode 'WSM_ACQ_HC': WSM-ACQ-1 written" in line for line in said)
    assert not any("engineering_quality" in line for line in said)  # nothing was known, nothing is lost
    assert down["visit"]["type"] == "PARALLEL"
    assert down["ref_file"]["inverse_linearity"] == meta["ref_file"]["inverselinearity"]
    assert "jump_indices" in planes


def test_single_precision_in_the_first_profile(tmp_path):
    planes = samples.arrays("l2_image", "1.5.0")
    for profile, dtype in (("1.5.0", "f4"), *((profile, "f2") for profile in TWO)):
        path = tmp_path / f"{profile}.asdf"
        writer.write_product(path, "l2_image", samples.meta("l2_image", profile), planes, profile=profile)
        found = open_product(path).arrays
        for name in ("err", "var_poisson", "var_rnoise", "var_flat"):
            assert found[name].dtype == dtype
        assert found["data"].dtype == np.float32


def test_old_exposure_types_go_up():
    meta = samples.meta("ramp")
    for old, new in (("WFI_GRISM", "WFI_SPECTRAL"), ("WFI_DARK", "WFI_IM_DARK"), ("WFI_LOLO", "WFI_LOLO")):
        meta["exposure"]["type"] = old
        assert profiles.convert("ramp", meta, {}, "2.1.0")[0]["exposure"]["type"] == new


# -- metadata ---------------------------------------------------------------------------------------------------------


def test_complete_fills_but_never_invents():
    known = {
        "exposure": {
            "type": "WFI_IMAGE",
            "start_time": nodes.time(samples.START),
            "end_time": nodes.time(samples.START),
            "read_pattern": [[1], [2]],
        },
        "instrument": {"detector": "WFI07", "optical_element": "F158"},
        "visit": {"start_time": nodes.time(samples.START)},
        "wcsinfo": {"aperture_name": "WFI07_FULL", "vparity": -1},
        "pointing": {"pointing_engineering_source": "PLANNED"},
    }
    with pytest.raises(InputError, match=r"metadata missing: meta\.exposure\.read_pattern$"):
        complete("ramp", known | {"exposure": {k: v for k, v in known["exposure"].items() if k[:4] != "read"}})
    filled = complete("ramp", known)
    assert "ephemeris" not in known
    assert filled["exposure"]["frame_time"] == -999999
    assert filled["program"]["title"] == "?"
    assert filled["ref_file"]["gain"] == "N/A"
    assert filled["ref_file"]["crds"] == {"version": "?", "context": "?"}
    assert set(filled["cal_step"].values()) == {"INCOMPLETE"}
    assert filled["rcs"]["active"] is False
    assert filled["rcs"]["electronics"] is None
    assert filled["visit"]["dither"] == {"primary_name": None, "subpixel_name": None, "executed_pattern": None}


@pytest.mark.parametrize("kind, profile", [(k, p) for k in ("l1_uncal", "ramp", "l2_image") for p in layout.PROFILES])
def test_complete_metadata_validate(tmp_path, kind, profile):
    words = samples.meta(kind, profile)
    keep = ("exposure", "instrument", "wcsinfo")
    known = {key: words[key] for key in keep} | {"visit": {"start_time": words["visit"]["start_time"]}, "wcs": None}
    known |= {"pointing": {"pointing_engineering_source": "CALCULATED"}}
    filled = complete(kind, known, profile)
    writer.write_product(tmp_path / "x.asdf", kind, filled, samples.arrays(kind, profile), profile=profile)


def test_require_names_everything_that_is_missing():
    meta = {"exposure": {"frame_time": None, "type": "WFI_IMAGE"}, "wcsinfo": "x"}
    metadata.require(meta, "exposure.type", path="x.asdf")
    with pytest.raises(InputError) as caught:
        metadata.require(meta, "exposure.frame_time", "wcsinfo.v2_ref", "exposure.frame_time", path="x.asdf")
    assert str(caught.value) == "x.asdf: metadata missing: meta.exposure.frame_time, meta.wcsinfo.v2_ref"
    assert metadata.get(meta, "exposure.type") == "WFI_IMAGE"
    assert metadata.get(meta, "exposure.type.further", 3) == 3


def test_image_defaults_are_fresh_and_valid(tmp_path):
    first = layout.image_defaults()
    first["photometry"]["pixel_area"] = 1
    first["background"]["level"] = 1
    assert layout.image_defaults()["photometry"]["pixel_area"] is None
    assert layout.image_defaults()["background"]["level"] is None
    meta = samples.meta("l2_image") | layout.image_defaults() | {"wcs": None}
    writer.write_product(tmp_path / "x.asdf", "l2_image", meta, samples.arrays("l2_image"))


# -- history ----------------------------------------------------------------------------------------------------------


class Source:
    label = "builtin:gain"
    checksum = "abc"


def test_history_entry_is_plain():
    entry = history.entry(
        "rt-x",
        parameters={"a": {"b": np.float32(2), "c": (1, None)}, "d": metadata},
        references={"gain": Source(), "mask": "N/A", "flat": {"name": "f", "checksum": "1"}},
        inputs=["a.asdf"],
        words=(),
    )
    assert entry["parameters"]["a"] == {"b": 2.0, "c": [1, None]}
    assert isinstance(entry["parameters"]["d"], str)
    assert entry["references"] == {
        "gain": {"name": "builtin:gain", "checksum": "abc"},
        "mask": {"name": "N/A"},
        "flat": {"name": "f", "checksum": "1"},
    }
    assert entry["inputs"] == ["a.asdf"]


def test_a_line_of_the_log_has_time_and_level():
    line = history.log_line("warning", "two\nlines ")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z :: rtools\.step :: WARNING :: two lines",
        line,
    )


# -- nodes ------------------------------------------------------------------------------------------------------------


def test_nodes_are_copied_with_their_tags():
    made = nodes.TaggedDict({"a": nodes.TaggedList([nodes.time(samples.START)], "t:list")}, "t:dict", load=len)
    for copied in (copy.deepcopy(made), copy.copy(made)):
        assert copied == made
        assert copied.tag == "t:dict"
        assert copied.load is len
        assert copied["a"].tag == "t:list"
        assert copied["a"][0].tag == nodes.TIME_TAG
    again = pickle.loads(pickle.dumps(made))
    assert (again, again.tag, again["a"].tag) == (made, "t:dict", "t:list")
    assert copy.deepcopy(made)["a"] is not made["a"]


def test_iso_of_every_form():
    from astropy.time import Time

    expected = "2027-01-01T00:00:00.000"
    assert iso_time("2027-01-01 00:00:00.000Z") == expected
    assert iso_time(Time("2027-01-01T00:00:00", scale="utc")) == expected
    assert iso_time(Time("2027-01-01T00:00:00", scale="utc").datetime) == expected
    assert iso_time({"value": 61406.0, "base_format": "mjd"}) == expected
    with pytest.raises(InputError, match="is not a valid time"):
        iso_time(3.5)


def test_profile_2_0_0_has_closed_lists_of_words():
    meta = samples.meta("l1_uncal")
    meta["guide_star"]["guide_mode"] = "WSM_TRK"
    meta["exposure"]["engineering_quality"] = "GOOD ENOUGH"
    meta["ephemeris"]["type"] = "DEFINITIVE"
    down, _arrays, said = profiles.convert("l1_uncal", meta, {}, "2.0.0")
    assert down["guide_star"]["guide_mode"] == "WSM-TRACK"
    assert down["exposure"]["engineering_quality"] == "SUSPECT"
    assert down["ephemeris"]["type"] == "DEFINITIVE"
    assert "profile 2.0.0 has no meta.exposure.engineering_quality 'GOOD ENOUGH': SUSPECT written" in said
    assert not any("ephemeris" in line for line in said)
    assert profiles.convert("l1_uncal", meta, {}, "2.1.0")[0]["exposure"] == meta["exposure"]
    coadd = {"program": {"subcategory": None}}
    assert profiles.convert("l3_coadd", coadd, {}, "2.0.0")[0] == coadd
    window, _arrays, said = profiles.convert("l1_gw", {"wsm_edge_used": "none"}, {}, "2.0.0")
    assert (window, len(said)) == ({}, 1)


def test_a_profile_is_kept_and_a_change_is_said(tmp_path):
    opened = []
    for profile in ("2.0.0", "2.1.0"):
        path = tmp_path / f"{profile}.asdf"
        writer.write_product(
            path, "ramp", samples.meta("ramp", profile), samples.arrays("ramp", profile), profile=profile
        )
        opened.append(open_product(path))
    first, second = opened
    assert profiles.kept(None, [first, first]) == ("2.0.0", [])
    assert profiles.kept("2.2.0", opened) == ("2.2.0", [])
    profile, (said,) = profiles.kept(None, opened)
    assert (profile, said) == ("2.1.0", "the files are of profiles 2.0.0 and 2.1.0: 2.1.0 is written")
    second.tag = second.tag.replace("2.1.0", "1.6.0")
    second.profile = tags.kind_of(second.tag)[1]
    profile, (said,) = profiles.kept(None, [second])
    assert (profile, said) == ("2.0.0", "ramp-1.6.0 is of a generation that is not written: profile 2.0.0 is")
