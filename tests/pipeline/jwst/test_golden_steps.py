"""Every step on ramps and images of JWST, as its tool does it, against what the mission's made of the same file."""

import shutil

import numpy as np
import pytest

from rtools.products.jwst import open_jwst
from tests.support.runs import tool

pytestmark = pytest.mark.slow

NAME = "jw01234001001_02101_00001_nrca1"

NOISE = ("gain", "readnoise")

FITTED = ("data", "err", "var_poisson", "var_rnoise")

# Step, input, references, options, and the file that the mission's step made.
STEPS = {
    "dqinit": ("dqinit", "in_uncal", ("mask",), (), "out_dq_init"),
    "saturation": ("saturation", "out_dq_init", ("saturation", "superbias"), (), "out_saturation"),
    "saturation without bias": (
        "saturation",
        "out_dq_init",
        ("saturation",),
        ("--ref", "superbias=none", "--grow", "0"),
        "out_saturation_nobias",
    ),
    "saturation plain": (
        "saturation",
        "out_dq_init",
        ("saturation",),
        ("--ref", "superbias=none", "--no-use-frames"),
        "out_saturation_plain",
    ),
    "superbias": ("superbias", "out_saturation", ("superbias",), (), "out_superbias"),
    "ipc": ("ipc", "out_saturation", ("ipc",), (), "out_ipc"),
    "linearity": ("linearity", "out_superbias", ("linearity",), (), "out_linearity"),
    "dark": ("dark", "out_linearity", ("dark",), (), "out_dark"),
    "dark that ends early": ("dark", "out_linearity", ("dark=dark_short",), (), "out_dark_short"),
    "chargemig": ("chargemig", "out_dark", (), ("--threshold", "20000"), "out_charge_migration"),
    "jump": ("jump", "out_dark", NOISE, (), "out_jump"),
    "jump at 6": ("jump", "out_dark", NOISE, ("--threshold", "6", "--no-flag-neighbours"), "out_jump_thr6_no4"),
    "jump in one integration": ("jump", "in_one_integration", NOISE, (), "out_jump_one"),
    "rampfit": ("rampfit", "out_jump", NOISE, (), "out_rate"),
    "rampfit of one group": ("rampfit", "out_jump", NOISE, ("--no-suppress-one-group",), "out_rate_onegroup"),
    "refpix of a sub-array": ("refpix", "in_refpix_sub", (), (), "out_refpix_sub"),
    "refpix without parity": ("refpix", "in_refpix_sub", (), ("--no-odd-even-columns",), "out_refpix_sub_nooddeven"),
}

EDGES = {
    "edges": ("in_edges", (), "out_rate"),
    "one group": ("in_edges", ("--no-suppress-one-group",), "out_rate_onegroup"),
    "first frames": ("in_edges_zeroframe", ("--no-suppress-one-group",), "out_rate_zeroframe"),
}

JUMPS = {
    "14 groups": ("in_jump14", "14", (), "out_jump14"),
    "after a jump": ("in_jump14", "14", ("--after-jump1", "100", "--after-time1", "25"), "out_jump14_after"),
    "120 integrations": ("in_jump120", "120", (), "out_jump120"),
}


@pytest.fixture
def step(tmp_path, monkeypatch):
    """``step(name, source, folder, references, options)``: the directory in which a step leaves its products."""
    monkeypatch.chdir(tmp_path)

    def run(name, source, folder, references=(), options=()):
        suffix = source.stem.rpartition("_")[2]
        path = tmp_path / f"{NAME}_{suffix if suffix in ('uncal', 'rate', 'rateints') else 'ramp'}.fits"
        shutil.copy(source, path)
        given = []
        for word in references:
            kind, _, file = word.partition("=")
            found = next(folder.glob(f"ref_{file or kind}.*"))
            given += ["--ref", f"{kind}={found}"]
        again = () if name == "run" else ("--again",)
        assert tool(name, path, "--outdir", "o", *again, "-q", *given, *options) == 0
        return tmp_path / "o"

    return run


def same(made, wanted, names=None, rtol=1e-5):
    """Flags bit by bit, numbers to a relative difference, what is not a number in the same places."""
    made, wanted = open_jwst(made), open_jwst(wanted)
    for name in names or wanted.arrays:
        if name in ("area", "average_dark_current") or not made.has(name):
            continue
        one, other = made.array(name), wanted.array(name)
        if one.dtype.kind in "iu":
            np.testing.assert_array_equal(one, other, name)
        else:
            np.testing.assert_allclose(
                one, other, rtol, 1e-4 if "data" in name and one.ndim == 4 else 1e-7, err_msg=name
            )


def product(folder):
    """The one file of a directory that is no rate of each integration."""
    (found,) = [path for path in folder.glob("*.fits") if "rateints" not in path.name]
    return found


@pytest.mark.parametrize("case", STEPS)
def test_a_step_makes_what_the_missions_step_makes(case, step, jwst_golden):
    name, source, references, options, wanted = STEPS[case]
    folder = jwst_golden("ramps")
    made = step(name, folder / f"{source}.fits", folder, references, options)
    same(product(made), folder / f"{wanted}.fits")
    each = folder / f"{wanted.replace('rate', 'rateints')}.fits"
    if "rate" in wanted:
        same(made / f"{NAME}_rateints.fits", each)


@pytest.mark.parametrize("case", EDGES)
def test_every_way_in_which_a_ramp_can_be_cut(case, step, jwst_golden):
    source, options, wanted = EDGES[case]
    folder = jwst_golden("edges")
    made = step("rampfit", folder / f"{source}.fits", folder, NOISE, options)
    same(made / f"{NAME}_rate.fits", folder / f"{wanted}.fits")
    same(made / f"{NAME}_rateints.fits", folder / f"{wanted.replace('rate', 'rateints')}.fits")


@pytest.mark.parametrize("case", JUMPS)
def test_each_way_of_looking_for_jumps(case, step, jwst_golden):
    source, number, options, wanted = JUMPS[case]
    folder = jwst_golden("edges")
    noise = [f"{kind}={kind}{number}" for kind in NOISE]
    same(
        product(step("jump", folder / f"{source}.fits", folder, noise, options)),
        folder / f"{wanted}.fits",
        ("groupdq",),
    )


def test_the_error_of_a_ramp_that_lost_charge_is_that_of_its_variances(step, jwst_golden):
    """The mission's leaves the error as it was, and gives pixels that are not to be used a variance."""
    folder = jwst_golden("ramps")
    made = step("rampfit", folder / "out_charge_migration.fits", folder, NOISE)
    rate, peer = open_jwst(made / f"{NAME}_rate.fits"), open_jwst(folder / "out_rate_chargeloss.fits")
    same(rate.path, peer.path, ("data", "var_poisson", "dq"))
    dead = (rate.array("dq") & 1) > 0
    assert dead.any() and not rate.array("var_rnoise")[dead].any() and peer.array("var_rnoise")[dead].any()
    np.testing.assert_allclose(rate.array("var_rnoise")[~dead], peer.array("var_rnoise")[~dead], 1e-5)
    total = np.sqrt(rate.array("var_rnoise") + rate.array("var_poisson"))
    np.testing.assert_allclose(rate.array("err"), total, 1e-6)
    assert (peer.array("err")[~dead] > 1.01 * total[~dead]).any()


@pytest.mark.parametrize(("kind", "wanted"), [("rate", "cal"), ("rateints", "calints")])
def test_an_image_is_calibrated_as_the_mission_does_it(kind, wanted, jwst_golden, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = jwst_golden("image")
    path = tmp_path / f"{NAME}_{kind}.fits"
    shutil.copy(folder / f"in_{kind}.fits", path)
    given = []
    for type_ in ("distortion", "filteroffset", "flat", "photom", "area"):
        given += ["--ref", f"{type_}={next(folder.glob(f'ref_{type_}.*'))}"]
    assert tool("run", path, "--outdir", "o", "-q", *given) == 0
    made, peer = open_jwst(tmp_path / "o" / f"{NAME}_{wanted}.fits"), open_jwst(folder / f"out_{wanted}.fits")
    same(made.path, peer.path)
    np.testing.assert_array_equal(made.array("area"), peer.array("area"))
    for keyword in ("PHOTMJSR", "PHOTUJA2", "PIXAR_SR", "PIXAR_A2"):
        assert made.value(keyword) == pytest.approx(peer.value(keyword), rel=1e-6)
    assert (made.value("BUNIT"), made.value("DATAMODL")) == (peer.value("BUNIT"), peer.value("DATAMODL"))


def test_coordinates_are_those_of_the_mission(step, jwst_golden):
    from astropy.table import Table

    folder = jwst_golden("image")
    made = step("assignwcs", folder / "in_rate.fits", folder, ("distortion", "filteroffset"))
    image, points = open_jwst(product(made)), Table.read(folder / "out_assign_wcs.ecsv")
    ra, dec = image.node("meta.wcs")(points["x"], points["y"])
    np.testing.assert_allclose(ra, points["ra"], atol=1e-11)
    np.testing.assert_allclose(dec, points["dec"], atol=1e-11)
    assert image.value("S_REGION") == open_jwst(folder / "out_assign_wcs.fits").value("S_REGION")


def test_the_whole_chain_of_a_ramp(step, jwst_golden, tmp_path):
    folder = jwst_golden("ramps")
    kinds = ("mask", "saturation", "superbias", "linearity", "dark", *NOISE)
    made = step("run", folder / "in_uncal.fits", folder, kinds, ("--until", "gainscale", "--save-steps"))
    for suffix, wanted in (("linearity", "out_linearity"), ("jump", "out_jump"), ("rate", "out_rate"),
                           ("rateints", "out_rateints")):  # fmt: skip
        same(made / f"{NAME}_{suffix}.fits", folder / f"{wanted}.fits")


def test_a_name_says_the_form_of_the_mission(jwst_golden, tmp_path, capsys):
    folder = jwst_golden("image")
    path, given = shutil.copy(folder / "in_rate.fits", tmp_path / f"{NAME}_rate.fits"), folder / "ref_flat.fits"
    assert tool("flat", path, "--ref", f"flat={given}", "-o", tmp_path / "x.asdf") == 2
    assert "writes .fits of these" in capsys.readouterr().err
    assert tool("flat", path, "--ref", f"flat={given}", "-o", tmp_path / "x.fits", "-q") == 0
    assert open_jwst(tmp_path / "x.fits").value("S_FLAT") == "COMPLETE"


@pytest.mark.parametrize(("part", "source"), [("ramps", "out_jump"), ("edges", "in_edges")])
def test_the_likelihood_fit_with_its_search_for_jumps(part, source, step, jwst_golden):
    """With --jumps ours is the mission's, which always looks for them; but for ramps that have flags already.

    Of a flagged jump theirs leaves out the differences on both sides, ours the one in front. Of a ramp that saturates
    theirs forms the covariance at the median of all differences, ours of those that can be used; and theirs looks for
    jumps in fewer than four of them.
    """
    folder = jwst_golden(part)
    made = step("rampfit", folder / f"{source}.fits", folder, NOISE, ("--algorithm", "likely", "--jumps"))
    flags = open_jwst(folder / f"{source}.fits").array("groupdq")
    usable = (((flags[:, 1:] | flags[:, :-1]) & 3) == 0).sum(axis=1)
    plain, searched = (flags == 0).all(axis=1), ((flags & 4) == 0).all(axis=1) & (usable >= 4)
    ours, theirs = open_jwst(made / f"{NAME}_rateints.fits"), open_jwst(folder / "out_rateints_likely.fits")
    np.testing.assert_array_equal(ours.array("dq")[searched], theirs.array("dq")[searched])
    for name in FITTED:
        np.testing.assert_allclose(ours.array(name)[plain], theirs.array(name)[plain], 1e-5, err_msg=name)
    off = (ours.array("data") - theirs.array("data"))[searched]
    np.testing.assert_array_equal(*(np.isfinite(file.array("data")[searched]) for file in (ours, theirs)))
    assert (np.abs(np.nan_to_num(off)) <= 0.02 * ours.array("err")[searched]).all()
    ours, theirs = open_jwst(made / f"{NAME}_rate.fits"), open_jwst(folder / "out_rate_likely.fits")
    for name in (*FITTED, "dq"):
        one, other = (file.array(name)[plain.all(axis=0)] for file in (ours, theirs))
        np.testing.assert_allclose(one, other, 1e-5, err_msg=name)


def test_what_has_no_rate_is_not_to_be_used_by_either_fit(step, jwst_golden):
    """The mission's likelihood fit leaves such pixels usable, with errors that are not numbers."""
    folder = jwst_golden("ramps")
    made = step("rampfit", folder / "out_jump.fits", folder, NOISE, ("--algorithm", "likely"))
    rate, peer = open_jwst(made / f"{NAME}_rateints.fits"), open_jwst(folder / "out_rateints_likely.fits")
    dead = np.isnan(rate.array("data"))
    assert (dead == ((rate.array("dq") & 1) > 0)).all()
    assert all((rate.array(name)[dead] == 0).all() for name in FITTED[1:])
    assert (np.isnan(peer.array("data")) & ((peer.array("dq") & 1) == 0)).any()
