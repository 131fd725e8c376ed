"""Names of files as damage and malice make them: a name of the grammar, or an error that says why it is none."""

import pytest

from rtools.errors import RtoolsError
from rtools.products import names
from tests.support.kit import run
from tests.support.malice import OUTSIDE
from tests.support.mutate import generator

NAMES = (
    "r0000101001001001001_0001_wfi01_f158_uncal.asdf",
    "r0000101001001001001_0001_1_wfi02_f158_gw.asdf",
    "r00001_r1_full_270p65x69y51_f158_coadd.asdf",
    "r0000101001001001001_0001_wfi01_f158_cat.parquet",
    "jw01234001001_02101_00001_nrca1_uncal.fits",
    "jw01234001001_02101_00001-seg002_mirimage_calints.fits",
    "jw01234-o001_t001_nircam_clear-f158m_i2d.fits",
    "jw01234-o001_20270101t000000_image3_00001_asn.json",
)
PIECES = (
    "_",
    "-",
    ".",
    "..",
    "/",
    "\0",
    "\n",
    "\x1b[2J",
    "é",
    "\udcff",
    "٣",
    "9" * 30,
    " ",
    "%s",
    "{0}",
    "~",
    "_cal",
    *OUTSIDE,
)


def changed(number):
    """A name that was changed here and there."""
    rng = generator("name", number)
    name = rng.choice(NAMES)
    for _ in range(rng.choice((1, 1, 2, 5))):
        place, end = sorted(rng.randrange(len(name) + 1) for _ in range(2))
        name = name[:place] + rng.choice((*PIECES, rng.choice(NAMES)[:9], name[place:end] * 2, "")) + name[end:]
    return name


def parsed(number):
    """Whether a changed name is one of the grammar of either mission."""
    found = False
    for mission in ("roman", "jwst"):
        try:
            names.parse(changed(number), mission=mission)
            found = True
        except (names.InvalidName, RtoolsError) as error:
            assert str(error).strip()
    names.split_suffix(changed(number))
    return found


def test_changed_names_are_refused_with_a_reason():
    assert 0 < sum(map(parsed, range(2000))) < 1000


@pytest.mark.long
def test_thousands_of_changed_names_are_refused_with_a_reason(capsys):
    good = sum(map(parsed, range(2000, 12_000)))
    with capsys.disabled():
        print(f"\n10000 changed names: {good} of the grammar, the others refused")


def test_rt_name_says_of_each_what_it_is(capsys):
    told = [name for name in map(changed, range(150)) if "\udcff" not in name]  # the capture of a test cannot print it
    assert run("name", "--", *told) in (1, 3)
    err = capsys.readouterr().err
    assert "internal" not in err and "\x1b" not in err
