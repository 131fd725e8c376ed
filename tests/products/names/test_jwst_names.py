"""File names of JWST: read, made, and what is said of wrong ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtools.errors import UsageError
from rtools.jwst import DETECTORS, NAME_SUFFIXES, instrument_of
from rtools.products import names

RATE = "jw93065002001_02101_00001_nrca1_rate.fits"
CRF = "jw96090001001_03101_00001_nrca2_o001_crf.fits"
COMBINED = "jw02586-o173_t035_nircam_f212n-wlm8-nrca3_wfscmb-04.fits"
ASSOCIATION = "jw00016-o010_20230726t212325_spec2_00001_asn.json"
GUIDE = "jw00799003001_gs-acq1_2019154181705_stream.fits"

KNOWN = {
    RATE: "program=93065 observation=002 visit=001 visit_group=02 parallel_seq=1 activity=01 detector=nrca1 stage=1",
    "jw01128009001_0310c_00004_nrs2_rate.fits": "visit_group=03 parallel_seq=1 activity=0c exposure=00004 suffix=rate",
    "jw02113004001_02101_00001-seg001_nis_calints.fits": "exposure=00001 segment=001 detector=nis instrument=niriss",
    CRF: "detector=nrca2 asn_candidate=o001 suffix=crf root=jw96090001001_03101_00001_nrca2_o001 stage=3",
    "jw93210001001_03101_00001_nis_a0003_ami-oi.fits": "asn_candidate=a0003 suffix=ami-oi",
    "jw87600-a3001_t001_niriss_f480m-nrm_ami-oi.fits": "asn_candidate=a3001 target=t001 optics=f480m-nrm kind=ami-oi",
    "jw54321-o066_s000123456_nirspec_f170lp_g235m_s2d.fits": "source=s000123456 optics=f170lp_g235m suffix=s2d",
    "jw12345-o066_v000000042_nirspec_f170lp_g235m_x1d.fits": "source=v000000042 instrument=nirspec suffix=x1d",
    "jw00042-o001_t001-s000000001_nirspec_clear-prism-s200a1-subs200a1_x1d.fits": (
        "target=t001 source=s000000001 optics=clear-prism-s200a1-subs200a1"
    ),
    "jw01024-c1000_t002_miri_ch3-long_s3d.fits": "asn_candidate=c1000 instrument=miri optics=ch3-long stage=3",
    "jw01366-o002_t001_nircam_f322w2-grismr-subgrism256_x1dints.fits": "optics=f322w2-grismr-subgrism256",
    "jw93065-a3001_t1_nircam_f150w-wlp8_phot.ecsv": "target=t1 suffix=phot extension=ecsv",
    COMBINED: "optics=f212n-wlm8-nrca3 suffix=wfscmb activity=04",
    "jw02586-o173_t035-epoch2_nircam_i2d.fits": "target=t035 epoch=2 suffix=i2d",
    ASSOCIATION: "kind=association asn_candidate=o010 stamp=20230726t212325 asn_type=spec2 counter=00001 suffix=asn",
    "jw02736007001_01_msa.fits": "kind=msa visit=001 config=01",
    "jw00729011001_gs-id_1_image_cal.fits": "kind=guide-star guide_mode=id attempt=1 frame=image instrument=fgs",
    GUIDE: "guide_mode=acq1 stamp=2019154181705 suffix=stream",
    "jw93065002001_02101_00001_nrca1_rate": "suffix=rate root=jw93065002001_02101_00001_nrca1",
    "jw93065002001_02101_00001_nrca1": "kind=detector-root",
    "jw93065002001_02101_00001": "kind=exposure-root",
    "jw02586-o173_t035_nircam_f212n": "kind=stage3-root optics=f212n",
    "jw02586-o173_t035_nircam_i2d": "kind=i2d root=jw02586-o173_t035_nircam",
}
"""Names, and some fields of each."""


@pytest.mark.parametrize(("text", "fields"), KNOWN.items())
def test_a_name_of_jwst_is_taken_apart(text, fields):
    name = names.parse(f"some/where/{text}")
    wanted = dict(field.split("=") for field in fields.split())
    assert {field: name.as_dict()[field] for field in wanted} == wanted
    assert (name.mission, name.text, name.strict) == ("jwst", text, text)
    assert name.release is None  # a field of Roman's


@pytest.mark.parametrize("text", KNOWN)
def test_what_parsing_gives_builds_the_same_name(text):
    name = names.parse(text)
    assert names.build(name.as_dict()) == text
    parts = {field: value for field, value in name.as_dict().items() if field not in ("root", "mission")}
    if name.form == "stem":
        assert names.build(parts | {"extension": ""}) == text
    else:
        assert names.build(parts) == text


@pytest.mark.parametrize(
    ("text", "column", "component", "words"),
    [
        ("jw8607342001_02101_00001_nrca1_rate.fits", 13, "visit", "10 digits after jw found, 11 needed"),
        ("jw99999001001_011001_00001_nrca1_rate.fits", 20, "activity", "6 characters found, 5 needed"),
        ("JW93065002001_02101_00001_nrca1_rate.fits", 1, "prefix", "the prefix is in lower case"),
        ("93065002001_02101_00001_nrca1_rate.fits", 1, "prefix", "the prefix jw is missing"),
        ("jw93065002001.fits", 14, "visit_group", "the visit group is missing"),
        ("jw93065_nrca1_cal.fits", 8, "observation", "after the program stand 6 digits"),
        ("jw93065002001_02601_00001_nrca1_rate.fits", 17, "parallel_seq", "one digit, 1 to 5"),
        ("jw93065002001_0210_00001_nrca1_rate.fits", 19, "activity", "4 characters found"),
        ("jw93065002001_02101_0001_nrca1_rate.fits", 25, "exposure", "4 digits found, 5 needed"),
        ("jw93065002001_02101_00001-seg1_nrca1_rate.fits", 31, "segment", "3 digits"),
        ("jw93065002001_02101_00001_seg001_nis_rate.fits", 27, "detector", "00001-seg001"),
        ("jw93065002001_02101_00001_NRCA1_rate.fits", 27, "detector", "names are in lower case"),
        ("jw93065002001_02101_00001_nrca5_rate.fits", 31, "detector", "nearest nrca"),
        ("jw93065002001_02101_00001.fits", 26, "detector", "the detector is missing"),
        ("jw93065002001_02101_00001_nrca1.fits", 32, "suffix", "the product suffix is missing"),
        ("jw93065002001_02101_00001_nrca1_rte.fits", 34, "suffix", "unknown suffix rte, nearest rate"),
        ("jw93065002001_02101_00001_nrca1_crf_o001.fits", 36, "suffix", "the association candidate stands before"),
        ("jw93065002001_02101_00001_nrca1_o01_rte.fits", 36, "asn_candidate", "a letter and 3 or 4 digits"),
        ("jw93065002001_02101_00001_nrca1_rate.", 38, "extension", "the extension is missing"),
        ("jw02586-o173_nircam_f212n_i2d.fits", 14, "target", "the target or source is missing"),
        ("jw02586-o173_t035_nircm_f212n_i2d.fits", 23, "instrument", "nearest nircam"),
        ("jw02586-o173_t035_nircam_F212N_i2d.fits", 26, "optics", "names are in lower case"),
        ("jw02586-o173_t035_nircam_f212n_i2x.fits", 34, "suffix", "nearest i2d"),
        ("jw02586-o173_t035_nircam_f212n.fits", 31, "suffix", "the product suffix is missing"),
        ("jw02586-o17_t035_nircam_i2d.fits", 12, "asn_candidate", "o17 found"),
        ("jw00016-o010_20230726t212325_spec2_001_asn.json", 39, "counter", "5 digits"),
        ("jw00799003001_gs-fg_20191541_cal.fits", 29, "stamp", "13 digits"),
        ("jw00799003001_gs-acq3_2019154181705_cal.fits", 21, "guide_mode", "id acq1 acq2 track fg"),
    ],
)
def test_a_wrong_name_is_told_at_its_first_wrong_character(text, column, component, words):
    with pytest.raises(names.InvalidName) as caught:
        names.parse(text)
    assert (caught.value.column, caught.value.component) == (column, component)
    assert words in str(caught.value)
    line, carets = caught.value.picture.splitlines()
    assert (line.strip(), carets.index("^")) == (text, column + 1)


def test_only_full_names_are_taken_where_these_are_wanted():
    with pytest.raises(names.InvalidName, match="the extension is missing"):
        names.parse("jw93065002001_02101_00001_nrca1_rate", forms=("name",))


def test_a_word_that_no_field_is_is_told_as_not_standard():
    name = names.parse("jw93065002001_02101_00001_nrca1_image_cal.fits")
    assert (name.infix, name.suffix, name.strict) == ("image", "cal", "jw93065002001_02101_00001_nrca1_cal.fits")
    assert names.remarks(name) == ["column 33: image is not a part of a standard name"]


def test_lenient_reading_takes_other_cases_and_older_forms():
    assert names.parse(RATE.upper(), lenient=True).strict == RATE
    older = names.parse("jw00016-o010_20230726t212325_spec2_001_asn.json", lenient=True)
    assert (older.counter, older.strict) == ("001", ASSOCIATION)
    hyphen = names.parse("jw00729011001_gs-id_1_image-cal.fits", lenient=True)
    assert hyphen.strict == "jw00729011001_gs-id_1_image_cal.fits"
    assert names.parse(COMBINED, lenient=True).strict == COMBINED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RATE, ""),
        (CRF, ""),
        ("jw93065-a3001_t1_nircam_f150w-wlp8_phot.ecsv", "column 15: target is not padded; written t001"),
        ("jw54321-o066_s12345_nirspec_g235m_s2d.fits", "column 14: source is not padded; written s000012345"),
        ("jw54321-o066_s000123456_nirspec_f170lp_g235m_s2d.fits", "column 33: parts of the optics are joined by -"),
        ("jw93065002001_02101_00001_nrca1_crf.fits", "column 33: no association candidate before crf"),
        ("jw93065002001_02101_00001_nrca1_o001_rate.fits", "column 33: no association candidate stands before rate"),
        ("jw93065002001_02101_00001_nrca1_cat.ecsv", "column 33: cat is a suffix of stage 3, not of an exposure"),
        ("jw02586-o173_t035_nircam_uncal.fits", "column 26: uncal is an exposure's suffix"),
        ("jw02586-o173_t035_nircam_cat.fits", "column 30: cat is ecsv"),
    ],
)
def test_what_is_not_as_it_should_be_is_remarked(text, words):
    found = "; ".join(names.remarks(names.parse(text)))
    assert words in found if words else found == ""


@pytest.mark.parametrize(
    ("text", "suffix", "expected"),
    [
        (RATE, "cal", "jw93065002001_02101_00001_nrca1_cal.fits"),
        (CRF, "cal", "jw96090001001_03101_00001_nrca2_cal.fits"),
        ("jw93210001001_03101_00001_nis_a0003_ami-oi.fits", "amilg", "jw93210001001_03101_00001_nis_a0003_amilg.fits"),
        ("jw02113004001_02101_00001-seg001_nis_calints.fits", "rateints", None),
        (COMBINED, "cat", "jw02586-o173_t035_nircam_f212n-wlm8-nrca3_cat.ecsv"),
        (GUIDE, "cal", "jw00799003001_gs-acq1_2019154181705_cal.fits"),
        ("jw93065002001_02101_00001_nrca1_image_cal.fits", "rate", RATE),
    ],
)
def test_the_sibling_has_the_root_that_its_product_has(text, suffix, expected):
    assert names.sibling(text, suffix) == (expected or text.replace("calints", suffix))


def test_a_root_has_no_products_of_other_names():
    with pytest.raises(names.InvalidName, match=r"column 33.*cat is a suffix of stage 3") as caught:
        names.sibling(RATE, "cat")
    assert caught.value.picture.endswith("^~~")
    with pytest.raises(names.InvalidName, match="uncal is an exposure's suffix"):
        names.sibling(COMBINED, "uncal")
    with pytest.raises(UsageError, match="no product has the suffix dqinit"):
        names.sibling(RATE, "dqinit")


def test_numbers_of_metadata_make_a_name():
    visit = {"program": 93065, "observation": 2, "visit": 1, "visit_group": 2, "parallel_seq": 1, "activity": 1}
    exposure = visit | {"exposure": 1, "detector": "NRCA1"}
    assert names.build(exposure | {"suffix": "rate"}) == RATE
    assert names.build(exposure | {"segment": 3, "suffix": "calints", "extension": ""}).endswith(
        "_00001-seg003_nrca1_calints"
    )
    stage3 = {"program": 2586, "asn_candidate": "o173", "target": 35, "instrument": "NIRCAM", "suffix": "cat"}
    assert names.build(stage3) == "jw02586-o173_t035_nircam_cat.ecsv"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"visit_group": 1}, "the field program is missing"),
        ({"mission": "jwst", "colour": "red"}, "a name of JWST has no field colour"),
        ({"root": RATE.removesuffix("_rate.fits"), "detector": "nrcb1"}, "detector=nrcb1 does not agree"),
        ({"root": RATE.removesuffix("_rate.fits"), "instrument": "miri"}, "instrument=miri does not agree"),
        ({"program": 1, "asn_candidate": "o001", "instrument": "miri", "optics": "f560w"}, "target is missing"),
    ],
)
def test_fields_that_make_no_name_of_jwst_are_refused(fields, words):
    with pytest.raises(UsageError, match=words):
        names.build(fields)


def test_a_caller_can_ask_for_one_mission():
    with pytest.raises(names.InvalidName, match="prefix must be r, or roman_wfi_"):
        names.parse(RATE, mission="roman")
    assert (names.mission_of(f"x/{RATE}"), names.mission_of("roman_wfi_dark_0001")) == ("jwst", "roman")


def test_suffixes_of_jwst_are_split_off_their_names_and_off_those_of_fits_and_ecsv_files():
    assert names.split_suffix(f"x/{RATE}") == (RATE.removesuffix("_rate.fits"), "rate")
    assert names.split_suffix("jw93210001001_03101_00001_nis_a0003_amimulti-oi.fits")[1] == "amimulti-oi"
    assert names.split_suffix(COMBINED) == ("jw02586-o173_t035_nircam_f212n-wlm8-nrca3", "wfscmb")
    assert names.split_suffix("jw93065002001_02101_00001_nrca1_dqinit.fits")[1] is None
    assert names.split_suffix("mine_rate.fits") == ("mine", "rate")
    assert names.split_suffix("mine_rate.asdf") == ("mine_rate", None)


def test_every_product_says_its_stage_and_who_makes_it():
    name = names.parse(RATE)
    assert (name.title, name.maker) == ("Count rate per exposure", "calwebb_detector1: ramp_fit")
    assert names.parse(RATE.replace("_rate", "_uncal")).maker is None
    quick, final = names.parse(RATE.replace("_rate", "_i2d")), names.parse("jw02586-o173_t035_nircam_i2d.fits")
    assert (quick.stage, quick.maker) == ("2", "calwebb_image2: resample")
    assert (final.stage, final.maker) == ("3", "calwebb_image3 or calwebb_coron3: resample")


# --- any name -------------------------------------------------------------------------------------------------------


def _number(digits):
    return st.integers(0, 10**digits - 1).map(lambda number: f"{number:0{digits}}")


_BASE36 = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=2)
_CANDIDATE = st.from_regex(r"[a-z][0-9]{3,4}", fullmatch=True)
_EXPOSURE = st.fixed_dictionaries(
    {
        "program": _number(5),
        "observation": _number(3),
        "visit": _number(3),
        "visit_group": _number(2),
        "parallel_seq": st.sampled_from("12345"),
        "activity": _BASE36,
        "exposure": _number(5),
        "detector": st.sampled_from([name for group in DETECTORS.values() for name in group]),
        "suffix": st.sampled_from(NAME_SUFFIXES),
    },
    optional={"segment": _number(3), "asn_candidate": _CANDIDATE},
)
_STAGE3 = st.fixed_dictionaries(
    {
        "program": _number(5),
        "asn_candidate": _CANDIDATE,
        "target": st.from_regex(r"t[0-9]{1,3}", fullmatch=True),
        "instrument": st.sampled_from(list(DETECTORS)),
        "suffix": st.sampled_from(NAME_SUFFIXES),
    },
    optional={
        "source": st.from_regex(r"[sbv][0-9]{5,9}", fullmatch=True),
        "epoch": _number(1),
        "optics": st.from_regex(r"[a-z0-9]{1,6}([-_][a-z0-9]{1,6}){0,3}", fullmatch=True),
        "activity": _BASE36,
    },
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.one_of(_EXPOSURE, _STAGE3))
def test_fields_come_back_from_the_name_that_they_make(fields):
    name = names.parse(names.build(fields))
    assert {field: value for field, value in name.as_dict().items() if field in fields} == fields
    assert name.instrument == (fields.get("instrument") or instrument_of(fields["detector"]))
    assert names.build(name.as_dict()) == name.text


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(KNOWN)), st.integers(0, 80), st.sampled_from("0z_-.X "))
def test_a_changed_character_is_another_name_or_told_where_it_stands(text, place, character):
    place %= len(text)
    changed = text[:place] + character + text[place + 1 :]
    try:
        assert names.parse(changed).text == changed
    except names.InvalidName as error:
        assert 1 <= error.column <= len(changed) + 1
        assert error.text == changed
