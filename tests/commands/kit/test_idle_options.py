"""Options that would change nothing are refused before any work, in one line."""

import pytest

from tests.support.placed_images import image
from tests.support.runs import tool


@pytest.mark.parametrize(
    ("name", "words", "text"),
    [
        ("phot", ("--no-psf", "--refdir", "."), "--refdir does nothing with --no-psf"),
        ("phot", ("--ref", "flat=x.asdf"), "--ref takes epsf"),
        ("phot", ("--ref", "apcorr=x.asdf"), "--ref takes epsf"),
        ("psf", ("--depth", "--reach", "2"), "--reach does nothing with --depth"),
        ("psf", ("--depth", "--builtin"), "--builtin does nothing with --depth"),
        ("psf", ("--depth", "--spectral-type", "G2V"), "--spectral-type does nothing with --depth"),
        ("psf", ("--stars", "9"), "--stars goes with --measure"),
        ("psf", ("--radii", "1"), "--radii goes with --depth"),
        ("psf", ("b.asdf", "--measure", "--write", "x.asdf"), "--write is of one image"),
        ("sky", ("--to", "pixel", "--hms"), "--hms does nothing with --to pixel"),
        ("sky", ("--covering",), "--covering goes with"),
        ("ls", ("--moc-order", "3"), "--moc-order goes with --moc"),
        ("cut", ("--sky", "270,66,3", "--size", "4", "--outdir", "x"), "--size does nothing"),
        ("cut", ("--sky", "270,66,3", "--json", "-o", "x.png"), "--json is for cutouts in files"),
        ("cut", ("--sky", "270,66,3", "--compression", "lz4", "-o", "x.fits"), "--compression lz4 is about ASDF"),
        ("dq", ("--list",), "--list prints all flags"),
        ("dq", ("--refdir", "."), "go with --at or --sky"),
        ("dq", ("--at", "5,5", "--no-refs", "--builtin"), "--builtin does nothing with --no-refs"),
    ],
)
def test_an_option_without_effect_is_refused(name, words, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = image(tmp_path / "a_cal.asdf", size=32)
    places = () if name in ("ls", "sky", "psf", "cut", "dq") else ("--at", "5,5")
    assert tool(name, path, *places, *words) == 2
    told = capsys.readouterr()
    assert text in told.err and len(told.err.splitlines()) == 1
    assert told.out == ""
    assert [one.name for one in tmp_path.iterdir()] == ["a_cal.asdf"]


def test_what_the_environment_says_for_all_calls_is_not_refused(tmp_path, monkeypatch, capsys):
    path = image(tmp_path / "a_cal.asdf", size=32)
    monkeypatch.setenv("RT_LS_MOC_ORDER", "8")
    assert tool("ls", path, "-q") == 0
    assert "a_cal" in capsys.readouterr().out
