"""How a run of several inputs ends: a line for each, a table, lines of JSON, what went wrong once more."""

import json

import pytest

from rtools.commands.kit import ends
from rtools.commands.kit.console import Console
from rtools.commands.kit.reports import RunFlags, RunReport
from rtools.errors import InputError, RtoolsError
from rtools.pipeline.catalog.single import CatalogSummary
from rtools.pipeline.job.job import Result

GOOD = Result(
    "a_uncal.asdf",
    outputs=("a_cat.parquet", "a_cal.asdf"),
    seconds={"total": 12.34},
    catalogs=(CatalogSummary(562, 25.9, "default"),),
    measures={"sky": 0.51234, "alignment_rms": 1.234},
    peak_memory=123,
)
BAD = InputError("is truncated", mend="fetch it again", path="b_uncal.asdf")


def told(*what, count=2, **flags):
    """A report of some results and failures, closed."""
    report = RunReport(Console("rt-run"), RunFlags(**flags))
    report.begin(count)
    for one in what:
        report.failed("b_uncal.asdf", one) if isinstance(one, Exception) else report.ended(one)
    report.close()


def test_several_inputs_have_a_line_each_and_a_table(capsys):
    told(GOOD, BAD)
    out, err = capsys.readouterr()
    assert out.split() == ["a_cat.parquet", "a_cal.asdf"]
    assert err.splitlines() == [
        "rt-run: 1 of 2: a_uncal.asdf: done in 12.3 s, 562 sources, aligned to 1.23 mas",
        "rt-run: b_uncal.asdf: is truncated; fetch it again",
        "input         status  seconds  sources     sky  rms mas  exit",
        "a_uncal.asdf  done       12.3      562  0.5123     1.23     0",
        "b_uncal.asdf  failed                                        3",
        "rt-run: catalog: 562 sources; a point source of S/N 5 has 25.9 mag (AB); --deep finds fainter ones",
        "rt-run: which flux to use for what: docs/fluxes.md",
    ]


@pytest.mark.parametrize("how", [{"count": 1}, {"as_json": True}])
def test_one_input_and_json_have_neither_line_nor_table(how, capsys):
    told(GOOD, **how)
    assert "done in" not in (err := capsys.readouterr().err) and "status" not in err


def test_columns_that_nobody_has_are_left_out(capsys):
    told(Result("a"), Result("c"))
    assert capsys.readouterr().err.splitlines()[-3:] == [
        "input  status  exit",
        "a      done       0",
        "c      done       0",
    ]


def test_behind_a_long_table_stands_what_went_wrong_once_more():
    many = [ends.End(f"{number:03d}", "done") for number in range(10)]
    lines = ends.lines_of_table([*many, ends.end_of_failure("b_uncal.asdf", BAD)])
    assert lines[-1] == "b_uncal.asdf: is truncated; fetch it again" and len(lines) == 13


def test_a_table_of_very_many_inputs_has_those_that_failed():
    many = [ends.End(f"{number:03d}", "done") for number in range(200)]
    lines = ends.lines_of_table([*many, ends.end_of_failure("bad", BAD)])
    assert [line.split()[0] for line in lines] == ["input", "bad", "bad:"]


def test_lines_of_json_say_the_same_and_are_added_to_the_file(tmp_path, capsys):
    path = tmp_path / "log.jsonl"
    told(GOOD, BAD, log_json=str(path))
    told(Result("c", measures={"sky": float("nan")}), log_json=str(path), count=1)
    first, second, third = map(json.loads, path.read_text().splitlines())
    assert first.pop("time") <= third["time"]
    assert first == {
        "input": "a_uncal.asdf", "status": "done", "seconds": 12.34, "sources": 562, "sky": 0.51234,
        "alignment_rms": 1.234, "exit_code": 0, "error": None, "outputs": ["a_cat.parquet", "a_cal.asdf"],
        "warnings": [], "peak_memory": 123,
    }  # fmt: skip
    assert (second["status"], second["exit_code"], second["error"]) == ("failed", 3, "is truncated; fetch it again")
    assert third["input"] == "c" and third["sky"] is None


def test_a_log_that_cannot_be_written_stops_the_run_before_it_begins(tmp_path):
    with pytest.raises(RtoolsError, match="cannot be written"):
        RunReport(Console("rt-run"), RunFlags(log_json=str(tmp_path / "nowhere" / "log")))
