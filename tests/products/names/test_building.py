"""Names made of fields, siblings, lenient readings, and names against metadata."""

import json
from importlib.resources import files

import pytest

from rtools.errors import UsageError
from rtools.products import names

GOOD = json.loads(files("rtools.products.schema").joinpath("products.json").read_text())["names"]["good"]
CAL = "r0012301008002013005_0005_wfi06_f184_cal.asdf"
COADD = "r00186_p_v01004007001012_10m6x2y50_f184_coadd.asdf"


def refusal(text, **options):
    with pytest.raises(names.InvalidName) as caught:
        names.parse(text, **options)
    return caught.value


# --- building and siblings ------------------------------------------------------------------------------------------


def test_build_pads_and_takes_metadata_spellings():
    fields = {"program": 123, "execution_plan": 1, "pass": 8, "segment": 2, "observation": 13, "visit": 5}
    fields |= {"exposure": 5, "detector": "WFI06", "element": "F184", "suffix": "cal"}
    assert names.build(fields) == CAL
    assert names.build(fields | {"detector": 6, "element": "NOT_CONFIGURED"}) == CAL.replace("_f184", "")


def test_build_writes_the_skycell_padded_but_keeps_a_root():
    fields = {"program": 186, "release": "p", "subset": "v01004007001012", "skycell": "10m6x2y50", "element": "f184"}
    assert names.build(fields) == "r00186_p_v01004007001012_010m06x02y50_f184"
    assert names.build({"root": names.parse(COADD).root, "suffix": "asn"}) == COADD.replace("coadd.asdf", "asn.json")


def test_build_makes_references_roots_and_stems():
    assert names.build({"reftype": "flat", "serial": 42}) == "roman_wfi_flat_0042.asdf"
    visit = {"visit_id": "0012301008002013005", "exposure": "5"}
    assert names.build(visit) == "r0012301008002013005_0005"
    assert names.build(visit | {"acquisition": 1, "detector": 6, "suffix": "gw"}) == (
        "r0012301008002013005_0005_1_wfi06_gw.asdf"
    )
    assert names.build(visit | {"detector": 6, "suffix": "cal", "extension": ""}).endswith("_wfi06_cal")


def test_build_writes_the_outlier_suffix_of_today():
    name = names.parse(CAL.replace("_cal", "_outlier_detection"))
    assert name.suffix == "outlier_detection_step"
    assert names.build(name.as_dict()) == CAL.replace("_cal", "_outlier_detection_step")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "no field colour"),
        ({"visit_id": None}, "visit_id is missing"),
        ({"visit_id": None, "program": 5}, "execution_plan is missing"),
        ({"exposure": ""}, "exposure is missing"),
        ({"program": "00124"}, "program=00124 does not agree"),
        ({"root": "r0012301008002013005_0005_wfi07_f184"}, "detector=wfi06 does not agree"),
        ({"suffix": "dq_init"}, "written dqinit"),
        ({"mission": "jwst"}, "mission=jwst does not agree"),
    ],
)
def test_build_refuses_what_cannot_be_asked(change, words):
    fields = {"visit_id": "0012301008002013005", "exposure": 5, "detector": "wfi06", "element": "f184"}
    with pytest.raises(UsageError, match=words):
        names.build(fields | {"suffix": "cal"} | change)


@pytest.mark.parametrize(
    ("change", "column"),
    [({"detector": "wfi19"}, 31), ({"suffix": "jump"}, 38), ({"exposure": 12345}, 26), ({"extension": "fits"}, 42)],
)
def test_build_refuses_values_that_make_no_name(change, column):
    fields = {"visit_id": "0012301008002013005", "exposure": 5, "detector": "wfi06", "element": "f184"}
    with pytest.raises(names.InvalidName) as caught:
        names.build(fields | {"suffix": "cal"} | change)
    assert caught.value.column == column


def test_siblings_keep_the_root():
    assert names.sibling(CAL, "uncal") == CAL.replace("cal.", "uncal.")
    assert names.sibling("r0012301008002013005_0005_wfi06", "cat") == "r0012301008002013005_0005_wfi06_cat.parquet"
    assert names.sibling(COADD, "asn") == "r00186_p_v01004007001012_10m6x2y50_f184_asn.json"
    assert names.sibling(COADD, "cat") == "r00186_p_v01004007001012_10m6x2y50_f184_cat.parquet"


def test_catalog_of_a_data_release_loses_the_element():
    coadd = "r00123_r1_full_274p63x31y81_f106_coadd.asdf"
    assert names.sibling(coadd, "cat") == "r00123_r1_full_274p63x31y81_cat.parquet"
    with pytest.raises(names.InvalidName, match="element is required in coadd names"):
        names.sibling("r00123_r1_full_274p63x31y81_cat.parquet", "coadd")


def test_siblings_that_do_not_exist():
    for text, suffix in ((CAL, "gw"), (CAL, "coadd"), (COADD, "cal"), ("roman_wfi_flat_0042.asdf", "cal")):
        with pytest.raises(names.InvalidName):
            names.sibling(text, suffix)
    with pytest.raises(UsageError, match="no product has the suffix jump"):
        names.sibling(CAL, "jump")


# --- lenient --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "strict"),
    [
        (CAL, CAL),
        (CAL.upper(), CAL),
        (CAL.replace("_cal", "_dq_init"), CAL.replace("_cal", "_dqinit")),
        (CAL.replace("_cal", "_photomstep"), CAL.replace("_cal", "_photom")),
        ("r0012301008002013005_0005_wfi06_dark_current.asdf", "r0012301008002013005_0005_wfi06_darkcurrent.asdf"),
        ("r0012301008002013005_1_0005_wfi06_f184_gw.asdf", "r0012301008002013005_0005_1_wfi06_f184_gw.asdf"),
        ("r0012301008002013005_0005_1_face.asdf", None),
        (CAL.replace("f184", "unknown"), CAL.replace("_f184", "")),
        ("r00123_r0_full_274p63x31y81_f106_coadd.asdf", None),
        ("r00123_dr01-deep_full_274p63x31y81_f106_coadd.asdf", "r00123_dr1-deep_full_274p63x31y81_f106_coadd.asdf"),
        ("r00123_r1_p02002_274p63x31y81_f106_coadd.asdf", "r00123_r1_s02002_274p63x31y81_f106_coadd.asdf"),
        ("r00123_r1_d02002003_274p63x31y81_f106_coadd.asdf", None),
        ("r00123_r1_user_274p63x31y81_f106_asn.json", None),
        ("r00123_p_full_274p63x31y81_f106_coadd.asdf", None),
        ("r00123-a3001_image_001_asn.json", None),
        ("r00123-o001_20270101t000000_image_001_asn.json", None),
    ],
)
def test_lenient_names_and_their_strict_form(text, strict):
    name = names.parse(text, lenient=True)
    assert (name.text, name.strict) == (text, strict)
    if strict != text:
        refusal(text)
    if strict:
        assert names.parse(strict).kind == name.kind


def test_lenient_reading_is_not_arbitrary():
    assert refusal("r0012301008002013005_0005_wfi6_f184_cal.asdf", lenient=True).column == 30
    assert refusal(CAL.upper().replace("WFI06", "WFI19"), lenient=True).column == 31


# --- warnings and metadata ------------------------------------------------------------------------------------------


def test_remarks_say_what_is_odd_in_a_name():
    assert names.remarks(names.parse(CAL)) == []
    assert "column 26: skycell is not padded; written 010m06x02y50" in names.remarks(names.parse(COADD))
    assert names.remarks(names.parse(CAL.replace("_f184", ""))) == ["column 27: no optical element after the detector"]
    older = names.remarks(names.parse(CAL.replace("_cal", "_outlier_detection")))
    assert older == ["column 38: suffix outlier_detection is an older spelling of outlier_detection_step"]


def test_metadata_of_an_exposure():
    found = names.metadata(names.parse(CAL))
    assert found["observation.program"] == 123
    assert found["observation.exposure"] == 5
    assert found["observation.visit_id"] == "0012301008002013005"
    assert found["instrument.detector"] == "WFI06"
    assert found["instrument.optical_element"] == "F184"
    assert found["filename"] == CAL


def nested(values):
    tree = {}
    for path, value in values.items():
        *groups, last = path.split(".")
        node = tree
        for group in groups:
            node = node.setdefault(group, {})
        node[last] = value
    return tree


@pytest.mark.parametrize("text", GOOD)
def test_own_metadata_agree_and_a_changed_value_is_named(text):
    name = names.parse(text)
    values = names.metadata(name)
    assert names.disagreements(name, nested(values)) == []
    for path in values:
        changed = nested(values | {path: 77 if isinstance(values[path], int) else "other"})
        if name.acquisition and path in ("guide_window_id", "observation.visit_id"):
            changed["observation"]["wfi_parallel"] = False
        assert [line for line in names.disagreements(name, changed) if line.startswith(f"meta.{path} is")]


def test_null_and_fill_values_are_not_compared():
    name = names.parse(CAL)
    assert names.disagreements(name, {}) == []
    assert names.disagreements(name, {"observation": {"program": None, "pass": -999999, "visit_id": "?"}}) == []


def test_visit_of_a_guide_window_in_parallel_with_the_coronagraph_is_not_compared():
    name = names.parse("r0012301008002013005_0005_1_wfi06_f184_gw.asdf")
    other = {"guide_window_id": "99999010080020130051", "guide_star_acq_num": 1}
    assert names.disagreements(name, other) == []
    assert names.disagreements(name, other | {"observation": {"wfi_parallel": True, "program": 9}}) == []
    assert names.disagreements(name, other | {"observation": {"wfi_parallel": False, "program": 123}}) == [
        "meta.guide_window_id is 99999010080020130051, the name says 00123010080020130051"
    ]
    underscored = {"guide_window_id": "0012301008002013005_1", "observation": {"program": 123}}
    assert names.disagreements(name, underscored) == []
