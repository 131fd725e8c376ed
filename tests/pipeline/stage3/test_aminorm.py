"""rt-aminorm on files: the peer's numbers, its trap, rows matched by stations, what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from rtools.products.jwst import open_jwst
from tests.support.judges import asked_of_jwst
from tests.support.runs import tool
from tests.support.stage3_files import golden_product


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("norm") / "pair_aminorm-oi.fits"
    assert tool("aminorm", golden_product("ami-oi"), golden_product("ami_star"), "-o", path, "-q") == 0
    return path


def edited(kind, folder, change):
    """A copy of a golden product, changed."""
    path = folder / golden_product(kind).name
    with fits.open(golden_product(kind)) as hdus:
        change(hdus)
        del hdus["ASDF"]
        hdus.writeto(path)
    return path


def test_all_columns_are_the_missions_but_errors_of_squared_visibilities(made, jwst_golden):
    found, wanted = fits.open(made), fits.open(jwst_golden("ami") / "out_aminorm-oi.fits")
    for hdu in wanted[1:-1]:
        assert found[hdu.name].columns.names == hdu.columns.names
        for column in set(hdu.columns.names) - {"VIS2ERR"}:
            ours, peers = found[hdu.name].data[column], hdu.data[column]
            if peers.dtype.kind == "f":
                np.testing.assert_allclose(ours, peers, rtol=1e-12, atol=1e-15)
            else:
                np.testing.assert_array_equal(ours, peers)
    assert found[0].header["CALIB"] == wanted[0].header["CALIB"]


def test_errors_of_squared_visibilities_belong_to_their_own_source(made, jwst_golden):
    """The peer divides the target's error by the star's visibility, and the other way round."""
    target, star = (fits.open(golden_product(kind))["OI_VIS2"].data for kind in ("ami-oi", "ami_star"))
    found, peer = fits.open(made)["OI_VIS2"].data, fits.open(jwst_golden("ami") / "out_aminorm-oi.fits")["OI_VIS2"].data
    relative = [one["VIS2ERR"] / one["VIS2DATA"] for one in (target, star)]
    np.testing.assert_allclose(found["VIS2ERR"], found["VIS2DATA"] * np.hypot(*relative), rtol=1e-12)
    assert np.abs(peer["VIS2ERR"] / found["VIS2ERR"] - 1).max() > 0.02


@pytest.mark.slow
def test_rows_of_the_star_in_another_order_give_the_same(made, tmp_path):
    def mixed(hdus):
        for name in ("OI_VIS", "OI_VIS2", "OI_T3", "OI_Q4", "OI_ARRAY"):
            rows = np.random.default_rng(3).permutation(len(hdus[name].data))
            hdus[name].data = hdus[name].data[rows]

    star, path = edited("ami_star", tmp_path, mixed), tmp_path / "mixed_aminorm-oi.fits"
    assert tool("aminorm", golden_product("ami-oi"), star, "-o", path, "-q") == 0
    for name in ("OI_VIS", "OI_VIS2", "OI_T3", "OI_Q4", "OI_ARRAY"):
        found, wanted = fits.getdata(path, name), fits.getdata(made, name)
        for column in found.names:
            np.testing.assert_array_equal(found[column], wanted[column])


def test_phases_wrap(tmp_path):
    def turned(hdus):
        hdus["OI_T3"].data["T3PHI"][0] = -175.0

    def other(hdus):
        hdus["OI_T3"].data["T3PHI"][0] = 170.0

    paths = edited("ami-oi", tmp_path, turned), edited("ami_star", tmp_path, other)
    assert tool("aminorm", *paths, "-o", tmp_path / "x_aminorm-oi.fits", "-q") == 0
    assert fits.getdata(tmp_path / "x_aminorm-oi.fits", "OI_T3")["T3PHI"][0] == pytest.approx(15)


def test_a_star_without_quads_gives_none(tmp_path):
    """As releases of the mission before 1.20 wrote them."""

    def older(hdus):
        del hdus["OI_Q4"]

    path = tmp_path / "x_aminorm-oi.fits"
    assert tool("aminorm", golden_product("ami-oi"), edited("ami_star", tmp_path, older), "-o", path, "-q") == 0
    assert "OI_Q4" not in [hdu.name for hdu in fits.open(path)]
    assert tool("validate", path, "-q") == 0


@pytest.mark.parametrize("change", [
    lambda hdus: hdus["OI_VIS2"].data["STA_INDEX"].__setitem__(0, [1, 1]),
    lambda hdus: hdus[0].header.__setitem__("FILTER", "F480M"),
], ids=["stations", "filter"])  # fmt: skip
def test_a_star_that_was_not_observed_alike_is_refused_before_the_work(change, tmp_path, capsys):
    star = edited("ami_star", tmp_path, change)
    before = list(tmp_path.iterdir())
    assert tool("aminorm", golden_product("ami-oi"), star, "--outdir", tmp_path) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == before


def test_one_file_and_another_kind_are_refused(tmp_path, capsys):
    assert tool("aminorm", golden_product("ami-oi"), "--outdir", tmp_path) == 2
    assert tool("aminorm", golden_product("ami-oi"), golden_product("x1dints"), "--outdir", tmp_path) == 3
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.slow
def test_an_association_gives_what_the_tools_give(tmp_path):
    """ami3: observables of target and star, and the quotient."""
    paths = [Path(shutil.copy(golden_product(kind), tmp_path)) for kind in ("ami_calints", "ami_star_calints")]
    members = [{"expname": path.name, "exptype": kind} for path, kind in zip(paths, ("science", "psf"), strict=True)]
    root = "jw01234-a3001_t001_niriss_f430m-nrm"
    told = {"asn_type": "ami3", "asn_id": "a3001", "products": [{"name": root, "members": members}]}
    (tmp_path / f"{root}_asn.json").write_text(json.dumps(told))
    assert tool("run", tmp_path / f"{root}_asn.json", "--builtin", "-q") == 0
    singles = tmp_path / "singles"
    assert tool("ami", *paths, "--builtin", "--outdir", singles, "-q") == 0
    stems = [path.name.replace("_calints.fits", "") for path in paths]
    for stem in stems:
        for suffix in ("ami-oi", "amimulti-oi", "amilg"):
            one = open_jwst(tmp_path / f"{stem}_a3001_{suffix}.fits")
            assert one.kind == suffix
    assert tool("aminorm", *(singles / f"{stem}_ami-oi.fits" for stem in stems), "-q") == 0
    for name in ("OI_VIS", "OI_VIS2", "OI_T3"):
        whole, single = (fits.getdata(path, name) for path in (
            tmp_path / f"{root}_aminorm-oi.fits", singles / f"{stems[0]}_aminorm-oi.fits"))  # fmt: skip
        for column in whole.names:
            np.testing.assert_array_equal(whole[column], single[column])


def test_the_product_is_valid_and_says_what_was_done(made):
    assert tool("validate", made, "-q") == 0
    assert open_jwst(made).meta["cal_step"]["ami_normalize"] == "COMPLETE"


@pytest.mark.judges
def test_stdatamodels_opens_what_is_written(made):
    (verdict,) = asked_of_jwst("files", made).values()
    assert verdict["ok"], verdict
