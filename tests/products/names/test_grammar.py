"""The naming grammar: good names, bad names with their columns, round trips, stems of any file name."""

import json
import re
from importlib.resources import files

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtools.products import names
from rtools.products.names.grammar import EXPOSURE, GUIDE, LENIENT_ALIASES, MOSAIC
from rtools.products.names.rules import RANGES

TABLE = json.loads(files("rtools.products.schema").joinpath("products.json").read_text())
NAMES = TABLE["names"]
CAL = "r0012301008002013005_0005_wfi06_f184_cal.asdf"
COADD = "r00186_p_v01004007001012_10m6x2y50_f184_coadd.asdf"

HINTS = {
    "0012301008002013005_0005_wfi06_f184_cal.asdf": "prefix r is missing",
    "r0012301008002013005_0005_wfi19_f184_cal.asdf": "detector must be wfi01 to wfi18",
    "r0012301008002013005_0005_wfi6_f184_cal.asdf": "zero-pad to wfi06",
    "r0012301008002013005_0005_WFI06_f184_cal.asdf": "detector must be wfi01 to wfi18; names are in lower case",
    "r0012301008002013005_0005_wfi06_F184_cal.asdf": "lower case",
    "r0012301008002013005_0005_wfi06_f185_cal.asdf": "nearest f184",
    "r0012301008002013005_005_wfi06_f184_cal.asdf": "exposure must be 4 digits; 3 digits found, 4 needed",
    "r001230100800201300_0005_wfi06_f184_cal.asdf": "18 digits found, 19 needed",
    "r0012301008002013005_1_0005_wfi06_f184_gw.asdf": "old order",
    "r0012301008002013005_0005_0_wfi06_f184_gw.asdf": "acquisition number must be one digit, 1 to 9",
    "r00186_p_v1004007001012_10m6x2y50_f184_coadd.asdf": "v takes 14 digits, 13 found",
    "r00186_p_v01004007001012_10m6x2y50_f184_asdf.json": "an association's suffix is asn",
    "r00186_q_v01004007001012_10m6x2y50_f184_coadd.asdf": "release must be p, or r or dr and a number",
    "r00186_r0_full_10m6x2y50_f184_coadd.asdf": "data release numbers start at 1",
    "r00186_r1_p02002_10m6x2y50_f184_coadd.asdf": "a pass subset is s02002",
    "r00991_p_v101001001003001_270p65x48y69_f158_asn.json": "v takes 14 digits, 15 found",
    "r00186_p_v01004007001012_10m6x2y50_f184_cal.asdf": "cal is an exposure suffix",
    "r0012301008002013005_0005_wfi06_f184.asdf": "product suffix is missing",
    "r0012301008002013005_0005_wfi06_f184_cal.fits": "cal is asdf",
    "r0012301008002013005_0005_wfi06_f184_cal": "extension is missing",
    "r00123010080020130055_0005_wfi06_f184_cal.asdf": "20 digits found, 19 needed",
    "r0012301008002013005-0005_wfi06_f184_cal.asdf": "separator must be _",
    "r0012301008002013005_0005_wfi06__cal.asdf": "empty element",
    "r0012301008002013005_0005_wfi06_f184_jump.asdf": "unknown suffix jump",
    "r00123_r1_full_274p63x31y81_f999_coadd.asdf": "f999 is not an element",
    "r00123_r1_full_274q63x31y81_f106_coadd.asdf": "p or m expected",
    "r00123_r1_full_274p63x31_f106_coadd.asdf": "skycell's y is missing",
    "r00123_r1_Ultradeep_full_274p63x31y81_f106_coadd.asdf": "a tier follows its release with -",
    "r00123_r1-Ultradeep_full_274p63x31y81_f106_coadd.asdf": "lower case",
    "R0012301008002013005_0005_wfi06_f184_cal.asdf": "prefix is in lower case",
    "r0012301008002013005_0005_10_wfi06_f184_gw.asdf": "acquisition number must be one digit, 1 to 9",
    "roman_wfi_flat_42.asdf": "version must be 4 digits; 2 digits found, 4 needed",
    "r00186_p_v01004007001012_10m6x2y50_coadd.asdf": "element is required in coadd names",
    "r00123_r1_s2_274p63x31y81_f106_cat.parquet": "no element in data-release cat names",
    "r00123_p_full_274p63x31y81_f106_coadd.asdf": "prompt products use visit subsets",
    "r0012301008002013005_0005_wfi06_f184_cat.asdf": "cat is parquet",
    "r0012301008002013005_0005_wfi06_f184_gw.asdf": "needs the acquisition number after the exposure",
    "r0012301008002013005_0005_1_wfi06_f184_cal.asdf": "acquisition number stands only in gw and face names",
    "r9999901008002013005_0005_wfi06_f184_cal.asdf": "99999 is above 18445",
    "r00123_r1_full_361p63x31y81_f106_coadd.asdf": "361 is above 359",
}


def refusal(text, **options):
    with pytest.raises(names.InvalidName) as caught:
        names.parse(text, **options)
    return caught.value


# --- tables ---------------------------------------------------------------------------------------------------------


def test_suffixes_extensions_and_aliases_are_those_of_the_product_description():
    described = {suffix: ext for ext, found in NAMES["suffix_extension"].items() for suffix in found}
    assert described == names.SUFFIXES
    aliases = {old: new for old, new in NAMES["suffix_aliases"].items() if not old.startswith("_")}
    assert aliases == names.ALIASES
    assert set(NAMES["suffix_aliases"]["_lenient_only"]) == set(LENIENT_ALIASES)


def test_kinds_and_levels_are_those_of_the_product_description():
    for table in (EXPOSURE, GUIDE, MOSAIC):
        for suffix, entry in table.items():
            if entry.kind in TABLE["products"]:
                product = TABLE["products"][entry.kind]
                assert suffix in product["suffixes"]
                assert (entry.level, entry.extension) == (product["level"], product["extension"])


def test_elements_and_ranges_are_those_of_the_product_description():
    assert list(names.ELEMENTS) == TABLE["enums"]["name_element"]
    for part, limits in NAMES["ranges"].items():
        if part in RANGES:
            assert RANGES[part] == tuple(limits)


# --- good names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", NAMES["good"])
def test_good_name_parses_and_is_rebuilt_from_its_fields(text):
    name = names.parse(text, forms=("name",))
    assert (name.text, name.form, name.strict) == (text, "name", text)
    assert names.build(name.as_dict()) == text


@pytest.mark.parametrize("text", NAMES["good"])
def test_stem_and_root_of_a_good_name_parse_as_such(text):
    name = names.parse(text)
    stem = names.parse(text.rsplit(".", 1)[0])
    root = names.parse(name.root)
    assert (stem.form, stem.kind, stem.suffix, stem.extension) == ("stem", name.kind, name.suffix, None)
    assert root.root == name.root
    assert root.form == ("root" if name.suffix else "stem")
    for part in (stem, root):
        assert names.build(part.as_dict()) == part.text


@pytest.mark.parametrize(
    ("text", "kind", "level"),
    [
        (CAL, "l2_image", "L2"),
        ("r0008308002010007027_0019_wfi01_uncal.asdf", "l1_uncal", "L1"),
        ("r0012301008002013005_0005_wfi06_f184_wcs.asdf", "wcs", "L1"),
        ("r0012301008002013005_0005_wfi06_f184_cat.parquet", "cat_exposure", "L4"),
        ("r0012301008002013005_0005_1_wfi06_f184_gw.asdf", "l1_gw", "L1"),
        (COADD, "l3_coadd", "L3"),
        ("r00186_p_v01004007001012_10m6x2y50_f184_segm.asdf", "segm_mosaic", "L4"),
        ("r00123_r1_s2_274p63x31y81_cat.parquet", "cat_multiband", "L4"),
        ("r00123_r1_s2_274p63x31y81_asn.json", "association", "L3"),
        ("roman_wfi_flat_0042.asdf", "reference", None),
        ("r0012301008002013005_0005", "exposure-root", None),
        ("r0012301008002013005_0005_wfi06", "detector-root", None),
        ("r0012301008002013005_0005_wfi06_f184", "detector-root", None),
        ("r0012301008002013005_0005_1", "guide-root", None),
        ("r0012301008002013005_0005_1_wfi06_f184", "guide-root", None),
        ("r00186_p_v01004007001012_10m6x2y50_f184", "mosaic-root", None),
    ],
)
def test_kind_and_level(text, kind, level):
    name = names.parse(text)
    assert (name.kind, name.level) == (kind, level)


def test_fields_of_an_exposure_keep_their_zeros():
    name = names.parse(f"some/where/{CAL}")
    expected = {
        "mission": "roman",
        "visit_id": "0012301008002013005",
        "program": "00123",
        "execution_plan": "01",
        "pass": "008",
        "segment": "002",
        "observation": "013",
        "visit": "005",
        "exposure": "0005",
        "detector": "wfi06",
        "element": "f184",
        "suffix": "cal",
        "extension": "asdf",
        "root": "r0012301008002013005_0005_wfi06_f184",
        "level": "L2",
    }
    assert {field: value for field, value in name.values.items() if value is not None} == expected


def test_subsets_of_visits_and_passes_give_their_parts():
    visit = names.parse(COADD)
    assert [visit[part] for part in ("execution_plan", "pass", "segment", "observation", "visit")] == [
        "01",
        "004",
        "007",
        "001",
        "012",
    ]
    passes = names.parse("r00123_r1_s02003_274p63x31y81_f106_coadd.asdf")
    assert (passes["execution_plan"], passes["pass"], passes["segment"]) == ("02", "003", None)
    assert names.parse("r00123_r1_s2_274p63x31y81_f106_coadd.asdf")["pass"] is None


@pytest.mark.parametrize(
    ("text", "detector", "element", "suffix"),
    [
        ("r0000101001001001001_0001_wfi18_wfi18_transient", "wfi18", None, "wfi18_transient"),
        ("r0000101001001001001_0001_wfi18_dark_decay", "wfi18", None, "dark_decay"),
        ("r0000101001001001001_0001_wfi18_dark_dark_decay", "wfi18", "dark", "dark_decay"),
        ("r0000101001001001001_0001_wfi18_dark", "wfi18", "dark", None),
        ("r0000101001001001001_0001_wfi18_f062_outlier_detection", "wfi18", "f062", "outlier_detection_step"),
    ],
)
def test_suffixes_that_repeat_other_tokens(text, detector, element, suffix):
    name = names.parse(text)
    assert (name.detector, name.element, name.suffix) == (detector, element, suffix)


def test_detector_of_a_face_stands_in_the_name_only():
    assert names.parse("r0012301008002013005_0005_1_wfi06_f184_face.asdf").name_only == "detector"
    assert names.parse("r0012301008002013005_0005_1_wfi06_f184_gw.asdf").name_only is None


# --- bad names ------------------------------------------------------------------------------------------------------


def test_every_bad_name_has_its_hint_here():
    assert set(HINTS) == {row["name"] for row in NAMES["bad"]}


@pytest.mark.parametrize("row", NAMES["bad"], ids=lambda row: row["name"])
def test_bad_name_is_refused_at_its_column_with_its_hint(row):
    error = refusal(row["name"], forms=("name",))
    assert error.column == row["column"]
    assert HINTS[row["name"]] in str(error)
    assert str(error).startswith(f"{row['name']}: column {row['column']}: ")
    assert error.exit_code == 1


def test_message_and_caret():
    error = refusal("r0012301008002013005_0005_wfi19_f184_cal.asdf")
    assert str(error) == ("r0012301008002013005_0005_wfi19_f184_cal.asdf: column 31: detector must be wfi01 to wfi18")
    assert error.picture == ("  r0012301008002013005_0005_wfi19_f184_cal.asdf\n                            ~~~~^")
    assert (error.component, error.found, error.expected) == ("detector", "wfi19", "wfi01 to wfi18")


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "name is empty"),
        ("x", 1, "prefix"),
        ("r", 2, "19 digits"),
        ("r00123", 7, "19 digits"),
        ("r0012301008002013005", 21, "exposure must be 4 digits"),
        ("r0012301008002013005_", 22, "exposure"),
        ("r0012301008002013005_0005_wfi06_", 33, "suffix"),
        (f"{CAL}\n", 46, "end"),
        (f"{CAL} ", 46, "end"),
        (f"{CAL}.gz", 46, "end"),
        (f"{CAL}x", 46, "extension must be asdf"),
        (" " + CAL, 1, "prefix"),
        ("r0012301008002013005_0005_wfi06_f184_cal_2.asdf", 41, "unknown suffix cal_2"),
        ("r0012301008002013005_0005_wfi06_f184_dq_init.asdf", 40, "written dqinit"),
        ("r0012301008002013005_0005_wfi06_dq_init.asdf", 35, "written dqinit"),
        ("r0012301008002013005_0005_wfi06_f184_coadd.asdf", 39, "coadd is a mosaic suffix"),
        ("r0012301008002013005_0005_1_wfi06_f184_flat.asdf", 40, "acquisition number"),
        ("r0012301008002013005_0005_wfi06_f184_face.asdf", 38, "acquisition number"),
        ("r0012301008002013٠05_0005_wfi06_f184_cal.asdf", 18, "a digit is needed"),
        ("r0000001008002013005_0005_wfi06_cal.asdf", 2, "00000 is below 1"),
        ("r0012300008002013005_0005_wfi06_cal.asdf", 7, "execution plan must be 1 to 99"),
        ("r0012301008002000005_0005_wfi06_cal.asdf", 15, "observation must be 1 to 999"),
        ("r0012301008002013005_0000_wfi06_cal.asdf", 22, "exposure must be 1 to 9999"),
        ("r00186_p_v01004000001012_10m6x2y50_f184_coadd.asdf", 16, "segment"),
        ("r00123_r1_s02000_274p63x31y81_f106_coadd.asdf", 14, "pass"),
        ("r00123_r1_full_274p91x31y81_f106_coadd.asdf", 20, "91 is above 90"),
        ("r00123_r1_s02_274p63x31y81_f106_coadd.asdf", 14, "leading zeros"),
        ("r00123_r1_s0_274p63x31y81_f106_coadd.asdf", 13, "leading zeros"),
        ("r00123_r1_v02002001001001_274p63x31y81_f106_coadd.asdf", 11, "data releases use"),
        ("r00123_dr01_full_274p63x31y81_f106_coadd.asdf", 10, "written dr1"),
        ("r00186_p_v01004007001012_10m6x2y50_cat.parquet", 36, "element is required in prompt names"),
        ("r00186_p_v01004007001012_10m6x2y50", 35, "element is required in prompt names"),
        ("r00123_r1_full_274p63x31y81_f106_segm.asdf", 29, "no element"),
        ("r00123_r1_full_2740p63x31y81_f106_coadd.asdf", 19, "p or m expected"),
        ("r00123_r1_full_274p63x31y811_f106_coadd.asdf", 28, "too many digits"),
        ("roman_wfc_flat_0042.asdf", 9, "roman_wfi_"),
        ("roman_wfi_flat_00421.asdf", 20, "5 digits found, 4 needed"),
        ("roman_wfi_flat_0042.fits", 21, "asdf"),
        ("roman_wfi_Flat_0042.asdf", 11, "lower case"),
    ],
)
def test_more_bad_names(text, column, words):
    error = refusal(text)
    assert error.column == column
    assert words in str(error)
    assert len(str(error).splitlines()) == 1
    assert len(error.picture.splitlines()) == 2


def test_forms_that_are_not_asked_for_are_refused():
    root, stem = "r0012301008002013005_0005_wfi06_f184", CAL.removesuffix(".asdf")
    assert refusal(root, forms=("name",)).column == len(root) + 1
    assert refusal(stem, forms=("name", "root")).column == len(stem) + 1
    assert refusal(root, forms=("name", "stem")).column == len(root) + 1
    assert names.parse(root, forms=("name", "root")).form == "root"
    assert names.parse(stem, forms=("name", "stem")).form == "stem"


# --- properties -----------------------------------------------------------------------------------------------------


def number(part, width):
    return st.integers(*RANGES[part]).map(lambda value: f"{value:0{width}d}")


VISIT = st.tuples(
    number("execution_plan", 2), *(number(part, 3) for part in ("pass", "segment", "observation", "visit"))
).map("".join)
PROGRAM = number("program", 5)
DETECTOR = st.integers(1, 18).map("wfi{:02d}".format)
ELEMENT = st.sampled_from(names.ELEMENTS)
SKYCELL = st.builds(
    "{:03d}{}{:02d}x{:02d}y{:02d}".format,
    st.integers(0, 359),
    st.sampled_from("pm"),
    st.integers(0, 90),
    st.integers(0, 99),
    st.integers(0, 99),
)
RELEASE = st.builds("r{}{}".format, st.integers(1, 30), st.one_of(st.just(""), st.from_regex(r"\A-[a-z0-9]{1,9}\Z")))
SUBSET = st.one_of(
    st.just("full"),
    st.integers(1, 9999).map("s{}".format),
    st.builds("s{}{}".format, number("execution_plan", 2), number("pass", 3)),
)


@st.composite
def exposures(draw):
    element = draw(st.one_of(st.just(""), ELEMENT.map("_{}".format)))
    suffix = draw(st.sampled_from(list(EXPOSURE)))
    start = f"r{draw(PROGRAM)}{draw(VISIT)}_{draw(number('exposure', 4))}"
    return f"{start}_{draw(DETECTOR)}{element}_{suffix}.{names.SUFFIXES[suffix]}"


@st.composite
def guides(draw):
    exposure = draw(exposures())
    suffix = draw(st.sampled_from(list(GUIDE)))
    stem, _suffix = names.split_suffix(exposure)
    return f"{stem[:25]}_{draw(st.integers(1, 9))}{stem[25:]}_{suffix}.asdf"


@st.composite
def mosaics(draw):
    suffix = draw(st.sampled_from(list(MOSAIC)))
    prompt = draw(st.booleans())
    release = "p" if prompt else draw(RELEASE)
    subset = f"v{draw(VISIT)}" if prompt else draw(SUBSET)
    single = prompt or suffix == "coadd" or (suffix == "asn" and draw(st.booleans()))
    element = f"_{draw(ELEMENT)}" if single else ""
    return f"r{draw(PROGRAM)}_{release}_{subset}_{draw(SKYCELL)}{element}_{suffix}.{names.SUFFIXES[suffix]}"


REFERENCE = st.from_regex(r"\Aroman_wfi_[a-z]{1,8}(_[a-z]{1,8}){0,2}_[0-9]{4}\.asdf\Z")
GOOD = st.one_of(exposures(), guides(), mosaics(), REFERENCE)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(GOOD)
def test_name_to_fields_to_name(text):
    name = names.parse(text, forms=("name",))
    assert names.build(name.as_dict()) == text
    components = {field: value for field, value in name.values.items() if field != "root"}
    assert names.build(components) == text
    assert any(re.match(regex, text) for regex in NAMES["regex"].values())


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(GOOD, st.data())
def test_a_character_of_no_name_is_found_where_it_stands(text, data):
    at = data.draw(st.integers(0, len(text)))
    foreign = data.draw(st.sampled_from("%é~"))
    for wrong in (text[:at] + foreign + text[at:], text[:at] + foreign + text[at + 1 :]):
        error = refusal(wrong)
        assert error.column == at + 1
        picture = error.picture.splitlines()[1]
        assert picture.index("^") == at + 2


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(GOOD, st.data())
def test_a_name_cut_short_is_wrong_after_its_last_character(text, data):
    at = data.draw(st.integers(0, len(text) - 1))
    assert refusal(text[:at], forms=("name",)).column == at + 1


CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789_.-W"


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(GOOD, st.data())
def test_changed_names_agree_with_the_regular_expressions(text, data):
    at = data.draw(st.integers(0, len(text) - 1))
    wrong = text[:at] + data.draw(st.sampled_from(["", *CHARACTERS])) + text[at + data.draw(st.integers(0, 1)) :]
    matches = any(re.match(regex, wrong) for regex in NAMES["regex"].values())
    try:
        names.parse(wrong, forms=("name",))
    except names.InvalidName as error:
        if matches:  # grammatical: it breaks a rule, which its hint tells
            assert error.hint
        else:
            prefix = wrong[: error.column - 1]
            assert refusal(prefix, forms=("name",)).column <= error.column
    else:
        assert matches


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
@example("r" * 5000)
@example("roman_wfi" + "_a" * 5000)
def test_any_text_is_parsed_or_refused(text):
    try:
        names.parse(text, lenient=True)
    except names.InvalidName as error:
        assert 1 <= error.column <= len(error.text) + 1
        assert len(str(error).splitlines()) == 1


# --- stems of any file name -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filename", "stem", "suffix"),
    [
        ("mysim.asdf", "mysim", None),
        ("mysim_uncal.asdf", "mysim", "uncal"),
        ("data/x_dq_init.asdf", "x", "dqinit"),
        ("x_photomstep.asdf", "x", "photom"),
        ("x_assign_wcs.asdf", "x", "assignwcs"),
        ("x_dark_current.asdf", "x", "darkcurrent"),
        ("x_outlier_detection.asdf", "x", "outlier_detection_step"),
        ("x_outlier_detection_step.asdf", "x", "outlier_detection_step"),
        ("x_dark_decay.asdf", "x", "dark_decay"),
        ("r0000101001001001001_0001_wfi18_wfi18_transient.asdf", "r0000101001001001001_0001_wfi18", "wfi18_transient"),
        ("x_cat.parquet", "x", "cat"),
        ("x_asn.json", "x", "asn"),
        ("x_cal", "x", "cal"),
        ("x.v2_cal.asdf", "x.v2", "cal"),
        ("x_jump.asdf", "x_jump", None),
        ("xcal.asdf", "xcal", None),
        ("cal.asdf", "cal", None),
        ("_cal.asdf", "_cal", None),
        ("x_cal_cal.asdf", "x_cal", "cal"),
    ],
)
def test_a_name_is_split_at_its_suffix(filename, stem, suffix):
    assert names.split_suffix(filename) == (stem, suffix)


@settings(max_examples=100, deadline=None)
@given(GOOD)
def test_split_suffix_agrees_with_the_grammar(text):
    name = names.parse(text)
    assert names.split_suffix(text) == (name.root, name.suffix)


@pytest.mark.parametrize(
    "text, kind, extension",
    [
        ("r00123_dr1_full_270p65x48y69_cat.asdf", "cat_multiband", "asdf"),
        ("r00123_r1_s2_270p65x48y69_cat.asdf", "cat_multiband", "asdf"),
        ("r00123_dr2-deep_full_270p65x48y69_segm.asdf", "segm_multiband", "asdf"),
        ("r00123_dr12_s02002_270p65x48y69_f106_coadd.asdf", "l3_coadd", "asdf"),
        ("r0012301008002013005_0005_wfi06_f184_preview.png", "preview", "png"),
        ("r0012301008002013005_0005_wfi06_thumb.png", "thumb", "png"),
        ("r00186_p_v01004007001012_270p65x48y69_f184_thumb.png", "thumb", "png"),
        ("r00123_dr1_full_270p65x48y69_preview.png", "preview", "png"),
    ],
)
def test_names_that_the_archive_itself_has(text, kind, extension):
    name = names.parse(text)
    assert (name.kind, name.extension, name.strict) == (kind, extension, text)
    if extension == "png":
        assert names.sibling(name.root, kind) == names.build(name.as_dict()) == text


@pytest.mark.parametrize(
    "text, column, words",
    [
        ("r0012301008002013005_0005_wfi06_f184_cat.asdf", 42, "cat is parquet"),
        ("r00186_p_v01004007001012_270p65x48y69_f184_cat.asdf", 48, "cat is parquet"),
        ("r00123_dr1_full_270p65x48y69_f106_cat.asdf", 30, "no element in data-release cat names"),
        ("r00123_dr0_full_270p65x48y69_cat.asdf", 10, "release must be"),
        ("r0012301008002013005_0005_1_wfi06_f184_preview.png", 40, "gw or face"),
        ("r0012301008002013005_0005_wfi06_f184_thumb.asdf", 44, "thumb is png"),
        ("r0012301008002013005_0005_wfi06_f184_cal.png", 42, "cal is asdf"),
    ],
)
def test_names_like_the_archives_that_are_none(text, column, words):
    with pytest.raises(names.InvalidName, match=words) as caught:
        names.parse(text)
    assert caught.value.column == column
