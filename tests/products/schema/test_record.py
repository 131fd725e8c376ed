"""Records of jobs: fingerprints cover what numbers depend on, and nothing else; what has changed is told in words."""

from dataclasses import replace

import pytest

from rtools.products.schema.record import JobRecord, JobWord, ReadFile, changes

RECORD = JobRecord(
    tool="rt-run",
    inputs=(ReadFile("/data/raw/x_uncal.asdf", "a" * 32),),
    words=(JobWord("--until", "flat"), JobWord("--refdir", "/data/refs", names_file=True)),
    files={"tweakreg.refcat": ReadFile("/data/gaia.parquet", "b" * 32)},
    options={"rampfit": {"threshold": 4.5}, "tweakreg": {"refcat": "gaia.parquet", "searchrad": 6.0}},
    references={"dark": {"name": "/data/refs/dark.asdf", "digest": "c" * 32}},
    results={"rampfit": 1},
)


@pytest.mark.parametrize(
    "same",
    [
        {"inputs": (ReadFile("/other/place/x_uncal.asdf", "a" * 32),)},
        {
            "words": (
                JobWord("--until", "flat"),
                JobWord("--save-steps"),
                JobWord("--refdir", "/elsewhere", names_file=True),
            )
        },
        {"files": {"tweakreg.refcat": ReadFile("/other/stars.parquet", "b" * 32)}},
        {"references": {"dark": {"name": "/elsewhere/dark.asdf", "digest": "c" * 32}}},
        {"folder": "/somewhere"},
    ],
)
def test_the_fingerprint_is_the_same_wherever_files_lie(same):
    assert replace(RECORD, **same).fingerprint == RECORD.fingerprint


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"tool": "rt-flat"}, "rt-run made it"),
        ({"inputs": (ReadFile("/data/raw/x_uncal.asdf", "d" * 32),)}, "../raw/x_uncal.asdf has changed"),
        ({"inputs": ()}, "0 inputs, it was made of 1"),
        ({"words": (JobWord("--until", "dark"),)}, "--until=flat is gone"),
        ({"files": {"tweakreg.refcat": ReadFile("/data/gaia.parquet", "d" * 32)}}, "tweakreg.refcat has changed"),
        ({"options": {**RECORD.options, "rampfit": {"threshold": 5}}}, "rampfit.threshold was 4.5, is 5"),
        ({"options": {"rampfit": {"threshold": 4.5}}}, "tweakreg is not done any more"),
        ({"references": {"dark": {"name": "dark", "digest": "d" * 32}}}, "dark reference has changed"),
        ({"references": {}}, "dark reference is not there any more"),
        ({"results": {"rampfit": 2}}, "rampfit makes other numbers now"),
    ],
)
def test_what_numbers_depend_on_changes_the_fingerprint_and_is_told(other, told):
    record = replace(RECORD, **other)
    assert record.fingerprint != RECORD.fingerprint
    assert told in changes(RECORD.beside("/data/cal"), record, "/data/cal")
    assert changes(RECORD.beside("/data/cal"), RECORD, "/elsewhere") == []


def test_paths_are_relative_to_the_product():
    told = RECORD.beside("/data/cal")
    assert told["inputs"] == [{"file": "../raw/x_uncal.asdf", "digest": "a" * 32}]
    assert told["arguments"] == ["--until=flat", "--refdir=../refs"]
    assert told["options"]["tweakreg"] == {"refcat": "../gaia.parquet", "searchrad": 6.0}
    assert RECORD.arguments("/data") == ["raw/x_uncal.asdf", "--until=flat", "--refdir=refs"]


def test_a_record_holds_plain_values_that_nothing_else_shares():
    first, second = RECORD.beside("/data"), RECORD.beside("/data")
    first["options"]["rampfit"]["threshold"] = 0
    assert second["options"]["rampfit"]["threshold"] == RECORD.options["rampfit"]["threshold"] == 4.5
