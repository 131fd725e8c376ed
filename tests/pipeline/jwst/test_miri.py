"""A raw full frame of MIRI to its rate: amplifiers that take turns, a dark for each integration."""

import numpy as np
import pytest
from astropy.io import fits

from rtools.products.jwst import open_jwst
from tests.support.runs import done

pytestmark = pytest.mark.slow

NAME = "jw01234001001_02101_00001_mirimage"
CARDS = {
    "INSTRUME": "MIRI", "EXP_TYPE": "MIR_IMAGE", "DETECTOR": "MIRIMAGE", "FILTER": "F770W", "READPATT": "FASTR1",
    "SUBARRAY": "FULL", "SUBSIZE1": 1032, "SUBSIZE2": 1024, "SUBSTRT1": 1, "SUBSTRT2": 1, "FASTAXIS": 1, "SLOWAXIS": 2,
    "NFRAMES": 1, "GROUPGAP": 0, "FRMDIVSR": 1, "NOUTPUTS": 4, "NGROUPS": 4, "NINTS": 1, "INTEND": 1, "TFRAME": 2.775,
    "TGROUP": 2.775,
}  # fmt: skip


@pytest.fixture
def miri(raw_jwst, tmp_path):
    """Four groups without light; each amplifier, with odd and even rows of its own, drifts in all its pixels."""
    rng = np.random.default_rng(1)
    drift = np.tile(rng.normal(0, 20, (1, 4, 2, 4)), (1, 1, 512, 258))
    path = tmp_path / f"{NAME}_uncal.fits"
    with fits.open(raw_jwst) as hdus:
        hdus[0].header.update(CARDS)
        hdus["SCI"].data = (rng.normal(10000, 5, drift.shape) + drift).astype(np.uint16)
        fits.HDUList([hdus[name] for name in ("PRIMARY", "SCI")]).writeto(path)
    return path


def test_a_full_frame_of_miri_becomes_a_rate(miri, tmp_path):
    absent = "--ref", "reset=none", "--ref", "rscd=none"
    done("run", miri, "--builtin", *absent, "--until", "gainscale", "--save-steps", "--outdir", tmp_path / "o")
    before, after = (
        open_jwst(tmp_path / "o" / f"{NAME}_{suffix}.fits").array("data")[0] for suffix in ("dark_current", "refpix")
    )
    rate = open_jwst(tmp_path / "o" / f"{NAME}_rate.fits")
    assert [rate.value(key) for key in ("S_DARK", "S_REFPIX", "S_LASTFR", "S_RAMP")] == ["COMPLETE"] * 4
    spread = [
        np.std([(one[2] - one[0])[y::2, x:1028:4].mean() for y in (0, 1) for x in range(4)]) for one in (before, after)
    ]
    assert spread[0] > 10 and spread[1] < 0.05 * spread[0]
    np.testing.assert_array_equal(after[0], before[0])
