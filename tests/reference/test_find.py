"""Which reference serves an exposure: order of places, matching, the index, and what is said when nothing fits."""

import json
import os
import sys

import numpy as np
import pytest

from rtools.declare import Reference
from rtools.errors import InputError, MissingReferenceError, UsageError
from rtools.reference import crds_cache, find, index
from rtools.reference.builtin import Builtin
from rtools.reference.files import FileSource

FRAME = (32, 128)
TIME_TAG = "tag:stsci.edu:asdf/time/time-1.4.0"

META = {
    "exposure": {"type": "WFI_IMAGE", "start_time": "2027-01-01T00:00:00.000"},
    "instrument": {"detector": "WFI01", "optical_element": "F158"},
}

GAIN = Reference("gain", planes=("data",), refusable=False)
DARK = Reference("dark", planes=("dark_slope",))
FLAT = Reference("flat", trimmed=("data",))
INL = Reference("integralnonlinearity", nodes=("value",), absent="skip", optional=True)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CRDS_PATH", raising=False)


@pytest.fixture
def refdir(tmp_path):
    directory = tmp_path / "refs"
    directory.mkdir()
    return directory


def write(path, kind, *, detector="WFI01", element=None, useafter="2020-01-01T00:00:00.000", value=1.0, **more):
    """A reference file as the mission's tools write it."""
    import asdf
    from asdf.tagged import TaggedDict, TaggedString

    useafter = TaggedString(useafter)
    useafter._tag = TIME_TAG
    instrument = {"name": "WFI", "detector": detector} | ({"optical_element": element} if element else {})
    meta = {"reftype": kind.upper(), "useafter": useafter, "instrument": instrument, "telescope": "ROMAN"} | more
    schema = {"photom": "wfi_img_photom"}.get(kind, kind)
    tag = f"asdf://stsci.edu/datamodels/roman/tags/reference_files/{schema}-2.0.0"
    tree = {"meta": {key: entry for key, entry in meta.items() if entry is not None}}
    tree["data"] = np.full(FRAME, value, np.float32)
    asdf.AsdfFile({"roman": TaggedDict(tree, tag)}).write_to(path, all_array_compression="lz4")
    return path


def found(uses, *, meta=META, log=None, simulated=False, **config):
    return find.references(meta, uses, find.Config(**config), simulated=simulated, frame=FRAME, log=log)


def exposure(**changes):
    return {
        "exposure": META["exposure"] | {key: value for key, value in changes.items() if key in META["exposure"]},
        "instrument": META["instrument"] | {key: value for key, value in changes.items() if key in META["instrument"]},
    }


def test_builtin_serves_simulated_data_where_nothing_is_configured_and_says_so():
    said = []
    sources = found([GAIN, FLAT], log=lambda level, text: said.append((level, text)), simulated=True)
    assert [source.origin for source in sources.values()] == ["builtin", "builtin"]
    assert sources["gain"].label.startswith("builtin:")
    assert sources["flat"].shape("data") == (24, 120)
    assert ("caution", find.NOT_FOR_SCIENCE) in said


def test_an_invented_instrument_is_asked_for_aloud():
    with pytest.raises(MissingReferenceError, match=r"gain, flat, integralnonlinearity: .*--builtin") as error:
        found([GAIN, FLAT, INL])
    assert error.value.exit_code == 4
    assert found([GAIN], builtin=True)["gain"].origin == "builtin"
    assert found([INL], builtin=False)["integralnonlinearity"] is None


def test_builtin_can_be_forbidden():
    with pytest.raises(MissingReferenceError, match=r"no gain reference for WFI01 F158 WFI_IMAGE 2027-01-01.*no place"):
        found([GAIN], builtin=False)


@pytest.mark.slow
def test_a_directory_is_never_mixed_with_the_builtin_set(refdir):
    write(refdir / "g.asdf", "gain")
    assert found([GAIN], refdir=refdir)["gain"].label == str(refdir / "g.asdf")
    with pytest.raises(MissingReferenceError) as error:
        found([GAIN, DARK, FLAT], refdir=refdir)
    assert error.value.exit_code == 4
    assert "dark, flat" in str(error.value)
    assert str(refdir) in str(error.value)
    assert "gain" not in str(error.value).replace("--ref", "")
    sources = found([GAIN, DARK], refdir=refdir, builtin=True)
    assert [source.origin for source in sources.values()] == ["file", "builtin"]


def test_a_missing_directory_is_exit_4_even_if_every_type_is_given(tmp_path):
    with pytest.raises(MissingReferenceError, match="no such directory"):
        found([GAIN], refdir=tmp_path / "nowhere", builtin=True)


def test_override_comes_first(refdir, tmp_path):
    write(refdir / "g.asdf", "gain")
    mine = write(tmp_path / "mine.asdf", "gain", value=3)
    source = found([GAIN], refdir=refdir, overrides={"gain": str(mine)})["gain"]
    assert source.label == str(mine)
    assert (source.columns("data", 5, 9) == 3).all()


def test_an_override_alone_leaves_the_rest_to_the_builtin_set(tmp_path):
    mine = write(tmp_path / "mine.asdf", "gain")
    sources = found([GAIN, DARK], overrides={"gain": str(mine)}, simulated=True)
    assert [source.origin for source in sources.values()] == ["file", "builtin"]


def test_none_is_the_user_s_word():
    assert found([DARK, INL], overrides={"dark": "none"}, builtin=True)["dark"] is None
    with pytest.raises(MissingReferenceError, match="--ref gain=none"):
        found([GAIN], overrides={"gain": "none"})


def test_types_that_may_be_absent(refdir):
    write(refdir / "g.asdf", "gain")
    sources = found([GAIN, INL], refdir=refdir)
    assert sources["integralnonlinearity"] is None
    answers = find.survey(META, [INL], find.Config(refdir=refdir))
    assert [answer.status for answer in answers] == ["absent"]


def test_a_type_needed_by_one_step_is_needed(refdir):
    strict = Reference("integralnonlinearity", nodes=("value",))
    for uses in ([INL, strict], [strict, INL]):
        with pytest.raises(MissingReferenceError):
            found(uses, refdir=refdir)


@pytest.mark.parametrize("word", ["gian", "linearty", ""])
def test_override_of_an_unknown_type(word):
    with pytest.raises(UsageError, match="no such reference type"):
        found([GAIN], overrides={word: "x.asdf"})


def test_override_of_the_wrong_type_or_unreadable(tmp_path):
    dark = write(tmp_path / "dark.asdf", "dark")
    with pytest.raises(InputError, match="a dark reference, not gain"):
        found([GAIN], overrides={"gain": str(dark)})
    (tmp_path / "bad.asdf").write_bytes(b"nothing of the kind")
    for name in ("bad.asdf", "absent.asdf"):
        with pytest.raises(InputError, match=name):
            found([GAIN], overrides={"gain": str(tmp_path / name)})


def test_override_for_another_detector_is_taken_with_a_warning(tmp_path):
    other = write(tmp_path / "g.asdf", "gain", detector="WFI02")
    said = []
    found([GAIN], overrides={"gain": str(other)}, log=lambda level, text: said.append(text))
    assert any("WFI02" in text for text in said)


def test_latest_useafter_not_after_the_start(refdir):
    for year in (2020, 2026, 2028):
        write(refdir / f"g{year}.asdf", "gain", useafter=f"{year}-01-01T00:00:00.000")

    def chosen(start):
        return os.path.basename(found([GAIN], refdir=refdir, meta=exposure(start_time=start))["gain"].label)

    assert chosen("2025-12-31T23:59:59.999") == "g2020.asdf"
    assert chosen("2026-01-01T00:00:00.000") == "g2026.asdf"
    assert chosen("2026-01-01 00:00:00") == "g2026.asdf"
    assert chosen("2030-06-01T00:00:00.0Z") == "g2028.asdf"
    with pytest.raises(MissingReferenceError, match="3 for later exposures only, from 2020-01-01"):
        chosen("2019-01-01T00:00:00.000")


def test_equal_useafter_is_settled_by_name_and_said(refdir):
    write(refdir / "b.asdf", "gain")
    write(refdir / "a.asdf", "gain")
    said = []
    source = found([GAIN], refdir=refdir, log=lambda level, text: said.append(text))["gain"]
    assert source.label.endswith("b.asdf")
    assert any("1 other gain" in text for text in said)


def test_references_of_other_detectors_or_elements_do_not_serve(refdir):
    write(refdir / "g.asdf", "gain", detector="WFI02")
    write(refdir / "f.asdf", "flat", element="F062")
    with pytest.raises(MissingReferenceError, match="1 for other detectors"):
        found([GAIN], refdir=refdir)
    with pytest.raises(MissingReferenceError, match="1 for other detectors or elements"):
        found([FLAT], refdir=refdir)
    assert found([FLAT], refdir=refdir, meta=exposure(optical_element="F062"))["flat"] is not None
    write(refdir / "decay.asdf", "darkdecaysignal", detector="WFI05")
    decay = Reference("darkdecaysignal", nodes=("decay_table",), absent="skip")
    assert found([decay], refdir=refdir)["darkdecaysignal"] is not None, "one file serves all detectors"


def test_exposure_types_of_a_list(refdir):
    listed = {"type": "WFI_IMAGE", "p_exptype": "WFI_IM_DARK| WFI_FLAT |"}
    write(refdir / "d.asdf", "dark", element="F158", exposure=listed)
    assert found([DARK], refdir=refdir, meta=exposure(type="WFI_FLAT"))["dark"] is not None
    with pytest.raises(MissingReferenceError, match="exposure types"):
        found([DARK], refdir=refdir)
    write(refdir / "d2.asdf", "dark", exposure={"type": "WFI_IMAGE"})
    assert found([DARK], refdir=refdir)["dark"].label.endswith("d2.asdf")


def test_the_element_of_a_dark_does_not_matter(refdir):
    write(refdir / "d.asdf", "dark", element="F062")
    assert found([DARK], refdir=refdir)["dark"] is not None


def test_type_from_the_tag_where_reftype_is_missing(refdir):
    path = write(refdir / "p.asdf", "photom", reftype=None)
    assert index.candidate_of(path).type == "photom"


def test_broken_and_foreign_files_do_not_stop_the_search(refdir):
    write(refdir / "g.asdf", "gain")
    (refdir / "broken.asdf").write_bytes(b"#ASDF 1.0.0\n")
    (refdir / "empty.asdf").write_bytes(b"")
    (refdir / "notes.txt").write_text("not looked at")
    said = []
    assert found([GAIN], refdir=refdir, log=lambda level, text: said.append(text))["gain"]
    assert sum("ignored" in text for text in said) == 2


def test_index_is_kept_and_renewed_when_files_change(refdir, monkeypatch):
    write(refdir / "a.asdf", "gain")
    write(refdir / "b.asdf", "dark")
    read = []
    plain = index.candidate_of
    monkeypatch.setattr(index, "candidate_of", lambda path: read.append(os.path.basename(path)) or plain(path))
    first = index.scan(refdir)
    assert sorted(read) == ["a.asdf", "b.asdf"]
    assert index.scan(refdir) == first
    assert len(read) == 2, "nothing changed, nothing is read"
    write(refdir / "a.asdf", "gain", detector="WFI09", useafter="2024-05-05T00:00:00.000")
    assert [entry.detector for entry in index.scan(refdir)] == ["WFI09", "WFI01"]
    assert read[2:] == ["a.asdf"]
    write(refdir / "c.asdf", "flat", element="F158")
    (refdir / "b.asdf").unlink()
    assert [entry.type for entry in index.scan(refdir)] == ["gain", "flat"]
    assert read[3:] == ["c.asdf"]


def test_a_spoilt_or_unwritable_index_is_no_obstacle(refdir, monkeypatch, tmp_path):
    write(refdir / "a.asdf", "gain")
    index.scan(refdir)
    index.cache_file(refdir).write_text("{")
    assert len(index.scan(refdir)) == 1
    assert json.loads(index.cache_file(refdir).read_text())["format"] == index.FORMAT
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert len(index.scan(refdir)) == 1


def test_crds_cache_comes_after_the_directory(refdir, tmp_path, monkeypatch):
    cached = write(tmp_path / "roman_wfi_dark_0001.asdf", "dark")
    write(refdir / "g.asdf", "gain")
    asked = []

    def lookup(reftypes, meta):
        asked.append((tuple(reftypes), meta))
        return {
            name: (str(cached), "") if name == "dark" else (None, "roman_wfi_gain_0009.asdf is not in the cache")
            for name in reftypes
        }

    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    monkeypatch.setattr(crds_cache, "available", lambda: True)
    monkeypatch.setattr(crds_cache, "lookup", lookup)
    sources = found([GAIN, DARK], refdir=refdir)
    assert sources["gain"].origin == "file"
    assert sources["dark"].label == "crds://roman_wfi_dark_0001.asdf"
    assert asked[0][1] == META
    with pytest.raises(MissingReferenceError, match=r"CRDS cache.*roman_wfi_gain_0009.asdf is not in the cache"):
        found([GAIN])
    monkeypatch.setattr(crds_cache, "available", lambda: False)
    assert found([GAIN], simulated=True)["gain"].origin == "builtin", "without the package the variable means nothing"
    with pytest.raises(MissingReferenceError, match=r"CRDS_PATH is set, but the crds package is not installed"):
        found([GAIN])


def test_crds_rules_choose_by_any_scalar_of_the_metadata(tmp_path, monkeypatch):
    """A dark for each MA table and length of the second resultant, a rule that asks for more than the usual keys."""
    from types import SimpleNamespace

    rules = {("4", "3"): "roman_wfi_dark_0001.asdf", ("109", "3"): "roman_wfi_dark_0002.asdf"}
    headers = []

    def get_best_references(context, header, include):
        assert context == "roman_0042.pmap"
        headers.append(header)
        key = tuple(header.get(f"roman.meta.exposure.{name}") for name in ("ma_table_number", "read_pattern.1.1"))
        return {name: rules.get(key, "NOT FOUND No match found.") for name in include}

    core = SimpleNamespace(
        config=SimpleNamespace(),
        rmap=SimpleNamespace(get_best_references=get_best_references),
    )
    for name, module in (("crds", SimpleNamespace(core=core)), ("crds.core", core)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(crds_cache, "available", lambda: True)
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    monkeypatch.setenv("CRDS_CONTEXT", "roman_0042.pmap")
    (tmp_path / "references" / "roman").mkdir(parents=True)
    for name in rules.values():
        write(tmp_path / "references" / "roman" / name, "dark")

    def label(**exposure):
        meta = META | {"exposure": META["exposure"] | exposure, "visit": {"dither": None, "nexposures": 3}}
        return found([DARK], meta=meta)["dark"].label

    assert label(ma_table_number=4, read_pattern=[[1], [2, 3]]) == "crds://roman_wfi_dark_0001.asdf"
    assert label(ma_table_number=109, read_pattern=[[1], [2, 3]]) == "crds://roman_wfi_dark_0002.asdf"
    with pytest.raises(MissingReferenceError, match="No match found"):
        label(ma_table_number=109, read_pattern=[[1], [2]])
    assert headers[0] == {
        "roman.meta.instrument.name": "WFI",
        "roman.meta.instrument.detector": "WFI01",
        "roman.meta.instrument.optical_element": "F158",
        "roman.meta.exposure.type": "WFI_IMAGE",
        "roman.meta.exposure.start_time": "2027-01-01 00:00:00.000",
        "roman.meta.exposure.ma_table_number": "4",
        "roman.meta.exposure.read_pattern.0.0": "1",
        "roman.meta.exposure.read_pattern.1.0": "2",
        "roman.meta.exposure.read_pattern.1.1": "3",
        "roman.meta.visit.nexposures": "3",
    }


def test_a_file_gives_columns_and_rows_of_its_arrays(refdir):
    source = FileSource("gain", write(refdir / "g.asdf", "gain", value=2))
    assert source.has("data")
    assert source.shape("data") == FRAME
    assert source.dtype("data") == np.float32
    np.testing.assert_array_equal(source.columns("data", 3, 7), np.full((32, 4), 2, np.float32))
    assert source.rows("data", 0, 2).shape == (2, 128)
    with pytest.raises(InputError, match="no array dq"):
        source.columns("dq", 0, 1)
    with pytest.raises(InputError, match="no decay_table"):
        source.node("decay_table")


def test_checksum_follows_tree_and_data(refdir):
    first = FileSource("gain", write(refdir / "a.asdf", "gain", value=2)).checksum
    assert FileSource("gain", write(refdir / "b.asdf", "gain", value=2)).checksum == first
    assert FileSource("gain", write(refdir / "c.asdf", "gain", value=3)).checksum != first
    assert FileSource("gain", write(refdir / "d.asdf", "gain", value=2, author="x")).checksum != first


def test_exposure_of_an_unknown_detector_has_no_builtin():
    with pytest.raises(InputError, match="WFI19"):
        found([GAIN], meta=exposure(detector="WFI19"), builtin=True)


def test_answers_keep_the_order_and_name_each_type_once():
    answers = find.survey(META, [DARK, GAIN, DARK], find.Config(builtin=True))
    assert [answer.type for answer in answers] == ["dark", "gain"]
    assert all(isinstance(answer.source, Builtin) for answer in answers)
