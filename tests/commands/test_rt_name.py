"""rt-name as a person types it."""

import io
import json
import subprocess
import sys

import pytest

from rtools.commands.kit import entry
from rtools.commands.name import COLUMNS, command
from tests.support.guide_files import FACE_NAME, GUIDE_NAME, face_file, guide_file

CAL = "r0012301008002013005_0005_wfi06_f184_cal.asdf"
STEM, ROOT = CAL.removesuffix(".asdf"), CAL.removesuffix("_cal.asdf")
COADD = "r00186_p_v01004007001012_010m06x32y50_f184_coadd.asdf"
BAD = "r0012301008002013005_0005_wfi19_f184_cal.asdf"
BUILD = ("visit_id=0012301008002013005", "exposure=5", "detector=wfi06", "element=f184", "suffix=cal")


@pytest.fixture
def rt_name(capsys, monkeypatch):
    """Run rt-name; its exit status, standard output and standard error."""

    def run(*args, stdin="", terminal=False):
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        monkeypatch.setattr(sys.stdin, "isatty", lambda: terminal)
        status = entry.run(command, args)
        return status, *capsys.readouterr()

    return run


# --- what is printed ------------------------------------------------------------------------------------------------


def test_pipe_output_is_one_tab_separated_line_a_name(rt_name):
    status, out, err = rt_name(CAL, f"a/directory/{COADD}")
    lines = [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert [line["name"] for line in lines] == [CAL, COADD]
    assert (lines[0]["kind"], lines[0]["pass"], lines[0]["release"]) == ("l2_image", "008", "")
    assert (lines[1]["kind"], lines[1]["subset"], lines[1]["detector"]) == ("l3_coadd", "v01004007001012", "")


def test_terminal_output_is_a_table(rt_name, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    rows = dict(line.split() for line in rt_name(CAL)[1].splitlines())
    assert rows["name"] == CAL
    assert rows["visit_id"] == "0012301008002013005"
    assert "release" not in rows
    head, *lines = rt_name(CAL, COADD)[1].splitlines()
    assert head.split()[:3] == ["name", "kind", "level"]
    assert [line.split()[0] for line in lines] == [CAL, COADD]
    assert lines[0].index("l2_image") == lines[1].index("l3_coadd") == head.index("kind")


def test_json_is_one_object_a_line(rt_name):
    status, out, _err = rt_name("--json", CAL, ROOT)
    first, second = map(json.loads, out.splitlines())
    assert status == 0
    assert (first["program"], first["pass"], first["release"]) == ("00123", "008", None)
    assert (second["kind"], second["suffix"], second["root"]) == ("detector-root", None, ROOT)


def test_fields_and_templates(rt_name):
    assert rt_name("--field", "visit_id", CAL)[:2] == (0, "0012301008002013005\n")
    assert rt_name("--field", "pass", "--field", "release", CAL)[1] == "008\t\n"
    assert rt_name("--format", "{program}/{detector}", CAL)[1] == "00123/wfi06\n"
    assert rt_name("--format", r"{kind}\t{{{suffix:>5}}}", CAL)[1] == "l2_image\t{  cal}\n"


def test_a_suffix_names_the_sibling(rt_name):
    assert rt_name("--suffix", "uncal", f"data/{CAL}")[:2] == (0, f"{ROOT}_uncal.asdf\n")
    assert rt_name("--suffix", "cat", ROOT)[1] == f"{ROOT}_cat.parquet\n"
    status, out, err = rt_name("--suffix", "gw", CAL)
    assert (status, out) == (1, "")
    assert "column 38" in err


def test_names_come_from_standard_input_too(rt_name, tmp_path):
    text = f"{CAL}\n\n{COADD}\r\n"
    assert rt_name("--field", "suffix", stdin=text)[:2] == (0, "cal\ncoadd\n")
    assert rt_name("--field", "suffix", "-", CAL, stdin=text)[1] == "cal\ncoadd\ncal\n"
    assert rt_name("--field", "suffix", "@-", stdin=text.replace("\r", ""))[1] == "cal\ncoadd\n"
    (tmp_path / "list").write_text(CAL)
    assert rt_name("--field", "suffix", f"@{tmp_path}/list")[1] == "cal\n"
    assert rt_name(stdin="") == (0, "", "")


def test_no_names_at_a_terminal_prints_help(rt_name):
    for args in ((), ("--check",), ("--build",)):
        status, out, err = rt_name(*args, terminal=True)
        assert (status, out) == (2, "")
        assert err.startswith("Usage: rt-name")


def test_environment_does_not_choose_what_is_done(rt_name, monkeypatch):
    for name, value in {"RT_ROOT": "/opt/rt", "RT_FORMAT": "x", "RT_BUILD": "1", "RT_CHECK": "no"}.items():
        monkeypatch.setenv(name, value)
    assert rt_name("--field", "suffix", CAL) == (0, "cal\n", "")


# --- errors ---------------------------------------------------------------------------------------------------------


def test_bad_name_message_column_and_caret(rt_name):
    status, out, err = rt_name(BAD)
    assert (status, out) == (1, "")
    assert err.splitlines() == [
        f"rt-name: {BAD}: column 31: detector must be wfi01 to wfi18",
        f"  {BAD}",
        "                            ~~~~^",
    ]


def test_directory_stands_in_the_message_but_does_not_count(rt_name):
    _status, _out, err = rt_name(f"data/{BAD}")
    assert err.splitlines()[:2] == [
        f"rt-name: data/{BAD}: column 31: detector must be wfi01 to wfi18",
        f"  {BAD}",
    ]


def test_quiet_prints_one_line_an_error(rt_name):
    assert len(rt_name("-q", BAD)[2].splitlines()) == 1


def test_bad_names_among_good_ones(rt_name):
    status, out, err = rt_name("--field", "detector", CAL, BAD, CAL)
    assert (status, out) == (1, "wfi06\nwfi06\n")
    assert err.count("rt-name: ") == 1


def test_empty_argument_is_a_bad_name(rt_name):
    status, _out, err = rt_name("--check", "")
    assert status == 1
    assert "column 1" in err


@pytest.mark.parametrize(
    "args",
    [
        ("--field", "colour", CAL),
        ("--format", "{colour}", CAL),
        ("--format", "{program.real}", CAL),
        ("--format", "{}", CAL),
        ("--format", "{program", CAL),
        ("--format", "{program:d}", CAL),
        ("--suffix", "jump", CAL),
        ("--json", "--field", "program", CAL),
        ("--suffix", "cal", "--format", "{program}", CAL),
        ("--root", CAL),
        ("--stem", CAL),
        ("--build", "--check", *BUILD),
        ("--build", "detector"),
        ("--build", "colour=red"),
        ("--build", "exposure=5"),
        ("--build", *BUILD, "program=124"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(rt_name, args):
    status, out, err = rt_name(*args)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1


# --- check ----------------------------------------------------------------------------------------------------------


def test_check_is_silent_on_good_names(rt_name):
    assert rt_name("--check", CAL, COADD) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "text", "status"),
    [
        ((), CAL, 0),
        ((), STEM, 1),
        ((), ROOT, 1),
        (("--stem",), STEM, 0),
        (("--stem",), ROOT, 1),
        (("--root",), ROOT, 0),
        (("--root",), STEM, 1),
        (("--root",), "r0012301008002013005_0005", 0),
        (("--root", "--stem"), STEM, 0),
        (("--root",), CAL, 0),
    ],
)
def test_check_takes_full_names_and_what_is_asked_for(rt_name, options, text, status):
    assert rt_name("--check", *options, text)[:2] == (status, "")


def test_check_warns_and_still_says_yes(rt_name):
    status, out, err = rt_name("--check", CAL.replace("_f184", ""), COADD.replace("010m06x32y50", "10m6x2y50"))
    assert (status, out) == (0, "")
    first, second, third = err.splitlines()
    assert "no optical element" in first
    assert "column 26: skycell is not padded; written 010m06x02y50" in second
    assert "column 26: no such skycell: region 010m06 does not reach there" in third


def test_check_with_json_gives_warnings_and_errors(rt_name):
    status, out, _err = rt_name("--check", "--json", CAL.replace("_f184", ""), BAD)
    good, bad = map(json.loads, out.splitlines())
    assert status == 1
    assert good["warnings"] == ["column 27: no optical element after the detector"]
    assert (bad["name"], bad["error"]["column"], bad["error"]["component"]) == (BAD, 31, "detector")


ASDF = """\
#ASDF 1.0.0
#ASDF_STANDARD 1.6.0
%YAML 1.1
%TAG ! tag:stsci.edu:asdf/
--- !core/asdf-1.1.0
roman:
  meta:
    filename: {filename}
    observation: {{program: {program}, exposure: 5}}
    instrument: {{detector: WFI06, optical_element: F184}}
...
"""


def test_check_compares_the_file_with_its_name(rt_name, tmp_path):
    path = tmp_path / CAL
    path.write_text(ASDF.format(filename=CAL, program=123))
    assert rt_name("--check", str(path)) == (0, "", "")
    path.write_text(ASDF.format(filename=CAL, program=7))
    status, _out, err = rt_name("--check", str(path))
    assert (status, len(err.splitlines())) == (0, 1)
    assert "meta.observation.program is 7, the name says 123" in err


def test_check_of_a_file_without_metadata_only_warns(rt_name, tmp_path):
    path = tmp_path / CAL
    for content in ("", "no ASDF", ASDF.replace("roman", "foo").format(filename=CAL, program=1)):
        path.write_text(content)
        status, _out, err = rt_name("--check", str(path))
        assert status == 0
        assert "metadata not compared" in err


# --- lenient --------------------------------------------------------------------------------------------------------


def test_lenient_says_the_strict_name(rt_name):
    older = CAL.upper().replace("_CAL", "_DQ_INIT")
    strict = CAL.replace("_cal", "_dqinit")
    assert rt_name("--check", older)[0] == 1
    status, out, err = rt_name("--lenient", "--json", older)
    assert status == 0
    assert json.loads(out)["strict"] == strict
    assert err == f"rt-name: warning: {older}: strict name {strict}\n"
    assert rt_name("--lenient", "--field", "strict", older)[1] == f"{strict}\n"
    assert rt_name("--lenient", "--suffix", "assign_wcs", older)[1] == CAL.replace("_cal", "_assignwcs") + "\n"


def test_lenient_name_without_a_strict_form(rt_name):
    status, _out, err = rt_name("--lenient", "--check", "r00123_r0_full_274p63x31y81_f106_coadd.asdf")
    assert status == 0
    assert "has no strict form" in err


# --- build ----------------------------------------------------------------------------------------------------------


def test_build_from_arguments(rt_name):
    assert rt_name("--build", *BUILD) == (0, f"{CAL}\n", "")
    assert rt_name("--build", *BUILD[:2])[1] == "r0012301008002013005_0005\n"
    assert json.loads(rt_name("--build", "--json", *BUILD)[1])["name"] == CAL


def test_build_takes_json_back(rt_name):
    lines = rt_name("--json", CAL, COADD, ROOT)[1]
    assert rt_name("--build", stdin=lines)[:2] == (0, f"{CAL}\n{COADD}\n{ROOT}\n")
    assert (
        rt_name("--build", "-", stdin=json.dumps([json.loads(line) for line in lines.splitlines()]))[1].count("\n") == 3
    )
    fields = {"visit_id": "0012301008002013005", "exposure": 5, "detector": "WFI06"}
    assert rt_name("--build", stdin=json.dumps(fields, indent=2))[1] == "r0012301008002013005_0005_wfi06\n"


def test_build_refuses_bad_values_and_bad_json(rt_name):
    status, out, err = rt_name("--build", *BUILD, "detector=wfi19")
    assert (status, out) == (1, "")
    assert "column 31: detector must be wfi01 to wfi18" in err
    assert rt_name("--build", stdin="") == (0, "", "")
    for text in ("[1", "[1]", "3", "visit_id=1"):
        status, out, err = rt_name("--build", stdin=text)
        assert (status, out) == (3, "")
        assert len(err.splitlines()) == 1


# --- as a process ---------------------------------------------------------------------------------------------------

RUN = "import sys; from rtools.commands.name import main; main()"


def test_parsing_loads_nothing_heavy():
    code = (
        "import sys; from rtools.commands.kit import entry; from rtools.commands.name import command\n"
        f"entry.run(command, [{CAL!r}, {BAD!r}])\n"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {module.split(".")[0] for module in run.stdout.splitlines()[-1].split()}
    assert "rtools" in loaded
    assert not loaded & {"numpy", "asdf", "yaml", "astropy", "numba", "scipy", "rich", "gwcs", "pyarrow"}


def test_a_broken_pipe_is_silent():
    with subprocess.Popen(
        [sys.executable, "-c", RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        try:
            process.stdin.write(f"{CAL}\n" * 2000)
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdin = None
        assert process.stderr.read() == ""
        assert process.wait() == 141


def test_guide_windows_and_face_are_names_of_one_acquisition(rt_name):
    status, out, err = rt_name(GUIDE_NAME, FACE_NAME)
    lines = [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert [(line["kind"], line["suffix"], line["acquisition"]) for line in lines] == [
        ("l1_gw", "gw", "1"), ("l1_face", "face", "1")
    ]  # fmt: skip
    assert rt_name("--suffix", "face", GUIDE_NAME)[1] == f"{FACE_NAME}\n"
    assert rt_name("--build", "visit_id=0012301008002013005", "exposure=5", "acquisition=1", "detector=wfi06",
                   "element=f158", "suffix=gw")[1] == f"{GUIDE_NAME}\n"  # fmt: skip


def test_guide_windows_and_face_that_say_something_else_than_their_names_are_told(rt_name, tmp_path):
    files = [guide_file(tmp_path), face_file(tmp_path)]
    assert rt_name("--check", *map(str, files)) == (0, "", "")
    other = tmp_path / GUIDE_NAME.replace("0005_1_wfi06", "0005_2_wfi07")
    status, out, err = rt_name("--check", str(files[0].rename(other)))
    assert (status, out) == (0, "")
    assert "meta.guide_star_acq_num is 1, the name says 2" in err
    assert "meta.instrument.detector is WFI06, the name says WFI07" in err
    elsewhere = tmp_path / FACE_NAME.replace("f158", "f129")
    assert "meta.optical_element is F158, the name says F129" in rt_name("--check", str(files[1].rename(elsewhere)))[2]
