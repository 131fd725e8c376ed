"""Every file that the mission's pipeline wrote for the golden set: no finding that is not explained here."""

import fnmatch
from pathlib import Path

import pytest

from rtools.errors import InputError
from rtools.jwst import SUFFIXES
from rtools.products.check import check_file
from rtools.products.opening import open_any
from tests.support.jwst_golden import PARTS, WHOLE, products_in

FLAGGED = "pixels that are not to be used keep their errors in the images that the script invents"

LIKELY = {"SCI", "VAR_POISSON", "VAR_RNOISE"}

EXPLAINED = [
    ("ramps/*", "L1", {"GROUP"}, "the raw data that the script invents have no table of groups"),
    ("edges/*", "L1", {"GROUP"}, "as above"),
    ("edges/*_jump*", "L1", {"INT_TIMES"}, "nor times of integrations"),
    ("ramps/*_refpix_*", "L1", {"INT_TIMES"}, "nor times of integrations"),
    ("ami/in_*", "L1", {"VAR_POISSON", "VAR_RNOISE", "VAR_FLAT"}, "invented without variances"),
    ("tso/*", "L1", {"VAR_FLAT"}, "invented without the variance of the flat"),
    ("*/in_*", "C2", None, FLAGGED),
    ("mosaic/jw*", "C2", None, FLAGGED),
    ("mosaic/out_skymatch*", "C2", None, f"{FLAGGED}; this step leaves them alone"),
    ("image/out_assign_wcs.fits", "C2", None, f"{FLAGGED}; this step leaves them alone"),
    ("*/out_rate*_likely.fits", "C2", LIKELY, "a fit by likelihood does not flag what has no rate"),
    ("ramps/out_rate*_likely.fits", "C3", {"VAR_POISSON"}, "a likelihood fit has negative variances"),
    ("ramps/out_rate*_chargeloss.fits", "C2", {"VAR_RNOISE"}, "groups that lost charge make it"),
    ("spec/out_x1d_of_s2d.fits", "F3", {"file name"}, "the script's name"),
]  # fmt: skip
"""Pattern of files, check, where it may speak (None is everywhere), and why."""


def findings(path):
    return {(one.check, one.where) for one in check_file(path).findings if one.severity != "info"}


def is_explained(name, finding):
    check, where = finding
    return any(
        fnmatch.fnmatch(name, pattern) and check == known and (places is None or where in places)
        for pattern, known, places, _why in EXPLAINED
    )


def judged(paths):
    """Kinds of the products among files, and findings that are not explained by file."""
    kinds, unexplained = set(), {}
    for path in paths:
        try:
            kinds.add(open_any(path).kind)
        except InputError:  # a reference file
            continue
        left = {one for one in findings(path) if not is_explained(f"{path.parent.name}/{path.name}", one)}
        unexplained |= {path.name: left} if left else {}
    return kinds, unexplained


@pytest.mark.slow
def test_golden_files_have_no_finding_that_is_not_explained(jwst_golden):
    kinds, unexplained = judged([path for part in PARTS for path in products_in(jwst_golden(part))])
    assert unexplained == {}
    assert kinds == set(SUFFIXES)


@pytest.mark.long
@pytest.mark.skipif(not WHOLE, reason="RTOOLS_JWST_GOLDEN names no directory")
def test_the_whole_golden_set_has_no_finding_that_is_not_explained():
    assert judged([path for part in PARTS for path in products_in(Path(WHOLE) / part)])[1] == {}
