"""Raw exposures of MIRI to their rates: amplifiers that take turns, a dark for each integration, its reset."""

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
    done("run", miri, "--builtin", "--until", "gainscale", "--save-steps", "--outdir", tmp_path / "o")
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


@pytest.fixture(scope="module")
def small_miri(raw_jwst, tmp_path_factory):
    """Two integrations of SUB64 with ten groups of a steady light, 30 DN a group, and what the reset leaves in them."""
    rng = np.random.default_rng(2)
    cards = {**CARDS, "SUBARRAY": "SUB64", "SUBSIZE1": 72, "SUBSIZE2": 64, "SUBSTRT2": 779, "NGROUPS": 10, "NINTS": 2,
             "INTEND": 2, "TFRAME": 0.085, "TGROUP": 0.085}  # fmt: skip
    groups = np.arange(10)
    left = np.multiply.outer([40.0, 20.0], np.exp(-groups))
    ramps = (10000 + 30.0 * groups + left)[:, :, None, None] + rng.normal(0, 2, (2, 10, 64, 72))
    path = tmp_path_factory.mktemp("small_miri") / f"{NAME}_uncal.fits"
    with fits.open(raw_jwst) as hdus:
        hdus[0].header.update(cards)
        hdus["SCI"].data = np.round(ramps).astype(np.uint16)
        fits.HDUList([hdus[name] for name in ("PRIMARY", "SCI")]).writeto(path)
    return path


def test_the_builtin_references_take_a_sub_array_of_miri_through_its_whole_chain(small_miri, tmp_path):
    done("run", small_miri, "--builtin", "--until", "gainscale", "--save-steps", "--outdir", tmp_path)
    rate = open_jwst(tmp_path / f"{NAME}_rate.fits")
    steps = ("S_DQINIT", "S_SATURA", "S_LASTFR", "S_RESET", "S_LINEAR", "S_RSCD", "S_DARK", "S_JUMP", "S_RAMP")
    assert [rate.value(key) for key in steps] == ["COMPLETE"] * len(steps)
    assert rate.value("R_RESET") == "builtin:jwst1/reset_mirimage_sub64"
    assert rate.value("R_RSCD") == "builtin:jwst1/rscd_mirimage"
    flags = open_jwst(tmp_path / f"{NAME}_rscd.fits").array("groupdq")
    for integration, left_out in ((0, [0, 9]), (1, [0, 1, 2, 3, 9])):
        unused = np.flatnonzero((flags[integration] & 1).all(axis=(1, 2)))
        assert unused.tolist() == left_out
    light = rate.array("data")[:, 4:]
    assert np.nanmedian(light) == pytest.approx(30 / 0.085, rel=0.02)


def test_the_nominal_reset_is_small_and_dies_away(small_miri, tmp_path):
    done("run", small_miri, "--builtin", "--until", "reset", "--save-steps", "--outdir", tmp_path)
    before, after = (open_jwst(tmp_path / f"{NAME}_{suffix}.fits").array("data") for suffix in ("lastframe", "reset"))
    taken = (before - after)[:, :, :, 4:]
    for integration, first in enumerate((4, 2)):
        medians = np.median(taken[integration], axis=(1, 2))
        np.testing.assert_allclose(medians[:4], first * np.exp(-np.arange(4)), rtol=0.02)
        np.testing.assert_array_equal(taken[integration, 4:], 0)
    assert np.std(taken[0, 0]) == pytest.approx(0.4, rel=0.1)
    assert not (before - after)[:, :, :, :4].any()
