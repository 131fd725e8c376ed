"""The mission's pipeline goes on with our files, and ours with the mission's, to the same results.

Three dithers of one field are made by rt-sim, and every stage takes what the other pipeline left of the stage before.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tests.support.runs import done

PEER = os.environ.get("RTOOLS_JWST_PEER")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(PEER is None, reason="RTOOLS_JWST_PEER does not name an interpreter that has jwst"),
]

SCRIPTS = Path(__file__).parents[2] / "validation"
ROOTS = [f"jw01234001001_02101_0000{number}_nrca1" for number in (1, 2, 3)]
PLANES = ("SCI", "ERR", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")


def peer(script, *words):
    subprocess.run([PEER, SCRIPTS / script, *words], check=True, capture_output=True, text=True)


def files(folder, suffix):
    return [folder / f"{root}_{suffix}.fits" for root in ROOTS]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Raw exposures in `raw`, references in `refs`; `rate_ours`, `rate_peer` of them by either pipeline."""
    home = tmp_path_factory.mktemp("goes_on")
    for number, path in enumerate(files(home, "uncal")):
        words = "--subarray", "SUB160", "--ngroups", 5, "--ra", 80 + 3e-4 * number, "--dec", -69.5, "--scene-seed", 5
        done("sim", path, *words, "--no-truth")
    done("refs", "make", home / "refs", "--detector", "nrca1", "--filter", "F200W", "--subarray", "SUB160")
    (home / "rate_peer").mkdir()
    peer("jwst_detector1.py", home / "refs", *files(home, "uncal"), home / "rate_peer")
    done(
        "run", *files(home, "uncal"), "--refdir", home / "refs", "--until", "gainscale", "--outdir", home / "rate_ours"
    )
    return home


@pytest.fixture(scope="module")
def images(place):
    """``images(rates, maker)``: the directory of _cal files that ours or the mission's made of the rates of either."""

    def made(rates, maker):
        out = place / f"cal_{maker}_of_{rates}"
        if not out.exists():
            given = files(place / f"rate_{rates}", "rate")
            if maker == "ours":
                done("run", *given, "--refdir", place / "refs", "--outdir", out)
            else:
                peer("jwst_stages.py", place / "refs", "image2", *given, out)
        return out

    return made


def same(made, wanted):
    """Flags bit by bit, planes to 1e-5, or to 1e-7 of the error of a pixel where hardly anything is left of a rate."""
    with fits.open(made) as one, fits.open(wanted) as other:
        np.testing.assert_array_equal(one["DQ"].data, other["DQ"].data)
        for name in PLANES:
            if name in other:
                power = 2 if name.startswith("VAR") else 1
                least = 1e-7 * np.nanmedian(other["ERR"].data) ** power
                np.testing.assert_allclose(one[name].data, other[name].data, 1e-5, least, err_msg=name)


def test_rates_are_those_of_the_mission(place):
    for made, wanted in zip(files(place / "rate_ours", "rate"), files(place / "rate_peer", "rate"), strict=True):
        same(made, wanted)


@pytest.mark.parametrize("rates", ["ours", "peer"])
def test_either_calibrates_the_rates_of_the_other_alike(rates, images):
    made, wanted = (images(rates, maker) for maker in ("ours", "peer"))
    for one, other in zip(files(made, "cal"), files(wanted, "cal"), strict=True):
        same(one, other)


@pytest.mark.parametrize(("rates", "maker"), [("ours", "ours"), ("peer", "peer")])
def test_either_makes_the_same_mosaic_of_the_images_of_the_other(rates, maker, images, tmp_path):
    """Of ours with our sky levels, of theirs with theirs: the same outliers, and the same mosaic but for its rim."""
    cals = files(images(rates, maker), "cal")
    sky, ours, theirs = (tmp_path / name for name in ("sky", "ours", "theirs"))
    if maker == "ours":
        done("skymatch", *cals, "--outdir", sky)
    else:
        peer("jwst_stages.py", tmp_path, "skymatch", *cals, sky)
    done("outlier", *files(sky, "skymatch"), "--outdir", ours)
    peer("jwst_stages.py", tmp_path, "mosaic", *files(sky, "skymatch"), theirs)
    for made, wanted in zip(files(ours, "crf"), files(theirs, "crf"), strict=True):
        same(made, wanted)
    done("resample", *files(theirs, "crf"), "-o", ours / "x_i2d.fits")
    with fits.open(ours / "x_i2d.fits") as made, fits.open(theirs / "x_i2d.fits") as wanted:
        np.testing.assert_array_equal(made["CON"].data, wanted["CON"].data)
        known = wanted["WHT"].data > 0
        for name in (*PLANES, "WHT"):
            off = np.abs(made[name].data / wanted[name].data - 1)[known]
            assert np.nanmedian(off) < 2e-7 and np.count_nonzero(off > 2e-4) < 20, name
