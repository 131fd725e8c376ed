"""rt-psfalign on files: the mission's shifts in double precision, masks, errors, flags, stacks for integrations."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.products.jwst import open_jwst
from tests.support.judges import asked_of_jwst
from tests.support.runs import tool
from tests.support.stage3_files import golden_product


@pytest.fixture(scope="module")
def mask(jwst_golden):
    return f"psfmask={jwst_golden('coron') / 'ref_psfmask.fits'}"


def aligned(folder, *options, target=None, stack=None):
    path = folder / "jw01234001001_02101_00001_nrcalong_o001_psfalign.fits"
    words = (target or golden_product("coronagraph"), stack or golden_product("psfstack"), "-o", path, "--overwrite")
    assert tool("psfalign", *words, *options) == 0
    return open_jwst(path)


@pytest.fixture(scope="module")
def plain(tmp_path_factory, mask):
    return aligned(tmp_path_factory.mktemp("plain"), "--ref", mask)


def of_peer(jwst_golden, kind):
    table = Table.read(jwst_golden("coron") / f"out_shifts_{kind}.ecsv")
    return np.array([table[name] for name in ("dx", "dy", "beta")])


def shifts(product):
    table = product.table("SHIFTS")
    return np.array([table[name] for name in ("DX", "DY", "BETA")])


def test_the_table_has_the_missions_shifts_in_double_precision(plain, jwst_golden):
    np.testing.assert_allclose(shifts(plain), of_peer(jwst_golden, "f8"), atol=5e-5)
    assert list(plain.table("SHIFTS")["PLANE"]) == list(range(1, 10))


def test_nothing_stays_where_it_was(plain, jwst_golden):
    """The peer's references are where they were: its fit ends where it begins."""
    truth = np.array([[0.4 * k - 0.3, 0.25 - 0.3 * k] for k in (0, 0, 0, 1, 1, 1, 2, 2, 2)]).T
    assert np.abs(of_peer(jwst_golden, "f4")[:2] - truth).max() > 0.3
    assert np.abs(shifts(plain)[:2] - truth).max() < 0.015
    target = fits.getdata(jwst_golden("coron") / "in_target_clean_calints.fits", "SCI")[0]
    peer = fits.getdata(jwst_golden("coron") / "out_psfalign.fits", "SCI")
    core = np.s_[:, 18:33, 18:33]
    off = [np.abs(one - target)[core].mean() for one in (plain.pixels("SCI"), peer)]
    assert off[0] < 0.5 * off[1]


def test_images_are_the_missions_in_double_precision(plain, jwst_golden):
    """But for edges: theirs come in from the other side, and their stars, cut off by a pixel, ring there."""
    wanted = fits.getdata(jwst_golden("coron") / "out_psfalign_f8.fits", "SCI")
    apart = np.abs(plain.pixels("SCI") - wanted)
    assert np.median(apart) < 0.1  # of 1300, with noise of 0.5
    assert np.percentile(apart, 90) < 6


def test_flags_go_with_their_pixels_and_errors_are_positive(plain, jwst_golden):
    """The peer's flags are all 0."""
    stack = open_jwst(golden_product("psfstack"))
    flags, there = plain.pixels("DQ"), stack.pixels("DQ")
    assert fits.getdata(jwst_golden("coron") / "out_psfalign.fits", "DQ").max() == 0
    assert (there != 0).sum() == 90
    for number, (dx, dy, _beta) in enumerate(shifts(plain).T):
        inner = np.s_[2:-2, 2:-2]
        wanted = np.roll(there[number], (-round(dy), -round(dx)), (0, 1))
        np.testing.assert_array_equal(flags[number][inner], wanted[inner])
    assert plain.pixels("ERR").min() > 0
    assert np.isfinite(plain.pixels("SCI")).all()


def test_mask_counts_by_1_or_inverted_by_0(plain, mask, jwst_golden, tmp_path):
    inverted = tmp_path / "inverted_psfmask.fits"
    with fits.open(jwst_golden("coron") / "ref_psfmask.fits") as hdus:
        hdus["SCI"].data = 1 - hdus["SCI"].data
        hdus.writeto(inverted)
    found = aligned(tmp_path, "--ref", f"psfmask={inverted}", "--mask-invert")
    np.testing.assert_array_equal(shifts(found), shifts(plain))
    other = aligned(tmp_path, "--ref", f"psfmask={inverted}")
    assert np.abs(shifts(other) - shifts(plain)).max() > 1e-3


def test_without_a_mask_all_pixels_count(plain, tmp_path):
    without = aligned(tmp_path, "--ref", "psfmask=none")
    assert 1e-4 < np.abs(shifts(without)[:2] - shifts(plain)[:2]).max() < 0.05


def test_a_mask_of_another_size_and_one_of_nothing_are_refused(jwst_golden, tmp_path, capsys):
    wrong = {"small": (slice(0, 40), 1.0, "51 x 40"), "empty": (slice(None), 0.0, "leaves no pixel")}
    for name, (rows, factor, said) in wrong.items():
        path = tmp_path / f"{name}_psfmask.fits"
        with fits.open(jwst_golden("coron") / "ref_psfmask.fits") as hdus:
            hdus["SCI"].data = hdus["SCI"].data[rows] * np.float32(factor)
            hdus.writeto(path)
        words = (golden_product("coronagraph"), golden_product("psfstack"), "--ref", f"psfmask={path}")
        assert tool("psfalign", *words, "--outdir", tmp_path) == 3
        assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("*psfalign*"))


def test_all_ints_is_a_stack_for_each_integration(plain, mask, tmp_path):
    found = aligned(tmp_path, "--ref", mask, "--all-ints")
    assert found.hdu("SCI").shape == (4, 9, 51, 51)
    np.testing.assert_array_equal(found.pixels("SCI")[0], plain.pixels("SCI"))
    table = found.table("SHIFTS")
    assert list(table["INTEGRATION"]) == [1] * 9 + [2] * 9 + [3] * 9 + [4] * 9
    assert np.abs(table["DX"][9:18] - table["DX"][:9]).max() < 0.02  # the target stands still
    assert found.value("DATAMODL") == "QuadModel"
    assert tool("validate", found.path, "--strict") == 0


@pytest.mark.judges
def test_it_is_valid_and_opens_in_stdatamodels(plain, tmp_path, mask):
    assert tool("validate", plain.path, "--strict") == 0
    many = aligned(tmp_path, "--ref", mask, "--all-ints")
    verdicts = asked_of_jwst("files", plain.path, many.path)
    for path, model in ((plain.path, "CubeModel"), (many.path, "QuadModel")):
        verdict = verdicts[str(path)]
        assert (verdict["ok"], verdict["model"], verdict["trusted"], verdict["warnings"]) == (True, model, True, [])
    assert (plain.value("S_PSFALI"), plain.value("S_PSFSTK")) == ("COMPLETE", "COMPLETE")
    assert plain.value("R_PSFMAS").endswith("ref_psfmask.fits")


def test_pixels_without_a_number_are_bad_though_nobody_flagged_them(plain, mask, tmp_path):
    path = tmp_path / "stack_psfstack.fits"
    with fits.open(golden_product("psfstack")) as hdus:
        hdus["SCI"].data[0, 20:23, 20:23] = np.nan
        hdus["SCI"].data[4] = np.nan
        hdus.writeto(path)
    found = aligned(tmp_path, "--ref", mask, "--exclude-bad", stack=path)
    flagged = (found.pixels("DQ") & 1 != 0) & (plain.pixels("DQ") & 1 == 0)
    assert flagged[0].sum() == 9
    assert (found.pixels("DQ")[4] & 1 == 1).all()
    assert np.isnan(found.table("SHIFTS")["BETA"][4])


def test_a_target_without_any_good_pixel_is_refused(tmp_path, capsys):
    path = tmp_path / "jw01234001001_02101_00001_nrcalong_calints.fits"
    with fits.open(golden_product("coronagraph")) as hdus:
        hdus["DQ"].data[0] |= 1
        hdus.writeto(path)
    assert tool("psfalign", path, golden_product("psfstack"), "--outdir", tmp_path / "out") == 3
    assert "integration 1 has no good pixel" in capsys.readouterr().err


def test_one_file_is_not_enough(tmp_path, capsys):
    assert tool("psfalign", golden_product("coronagraph"), "--outdir", tmp_path) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "_psfstack" in said
