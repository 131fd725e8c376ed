"""Targets calibrated by several stars: the mean of these, or the one that was seen at the same place."""

import json

import numpy as np
import pytest
from astropy.io import fits

from rtools.products.names import parse, remarks
from tests.support.runs import tool
from tests.support.stage3_files import golden_product

pytestmark = pytest.mark.slow

FIELD = "jw01234-a3001_t001_niriss_f430m-nrm"
ROOT = "jw01234{:03d}001_02101_0000{}_nis"


def star(folder, number, *, square=1.0, turn=0.0, flagged=()):
    """A star of the golden set whose V² and closure phases are others."""
    path = folder / f"star{number}_ami-oi.fits"
    with fits.open(golden_product("ami_star")) as hdus:
        hdus["OI_VIS2"].data["VIS2DATA"] *= square
        hdus["OI_T3"].data["T3PHI"] += turn
        hdus["OI_VIS2"].data["FLAG"][list(flagged)] = True
        hdus[0].header["TARGPROP"] = f"HD {number}"
        del hdus["ASDF"]
        hdus.writeto(path)
    return path


def calibrated(folder, *stars):
    path = folder / f"{len(stars)}_aminorm-oi.fits"
    assert tool("aminorm", golden_product("ami-oi"), *stars, "-o", path, "-q") == 0
    return fits.open(path)


def test_two_stars_that_miss_each_other_calibrate_by_their_mean_with_an_error_that_says_so(tmp_path):
    one = calibrated(tmp_path, star(tmp_path, 1))
    two = calibrated(tmp_path, star(tmp_path, 2, square=1.04, turn=1.5), star(tmp_path, 3, square=0.96, turn=-1.5))
    alone, both = one["OI_VIS2"].data, two["OI_VIS2"].data
    np.testing.assert_allclose(both["VIS2DATA"], alone["VIS2DATA"], rtol=2e-3)
    between = np.sqrt(both["VIS2ERR"] ** 2 - alone["VIS2ERR"] ** 2 / 2) / both["VIS2DATA"]
    assert np.median(between) == pytest.approx(0.04, rel=0.25)  # 0.057 between stars, over the root of two
    np.testing.assert_allclose(two["OI_T3"].data["T3PHI"], one["OI_T3"].data["T3PHI"], atol=0.05)
    assert np.median(two["OI_T3"].data["T3PHIERR"]) == pytest.approx(1.5, rel=0.3)
    assert two[0].header["CALIB"] == "HD 2, HD 3"


def test_stars_that_are_one_make_its_errors_smaller_and_nothing_else(tmp_path):
    one = calibrated(tmp_path, star(tmp_path, 1))["OI_VIS2"].data
    two = calibrated(tmp_path, star(tmp_path, 2), star(tmp_path, 3))["OI_VIS2"].data
    np.testing.assert_allclose(two["VIS2DATA"], one["VIS2DATA"], rtol=1e-12)
    assert (two["VIS2ERR"] < one["VIS2ERR"]).all()


def test_a_row_that_one_star_has_flagged_is_calibrated_by_the_other(tmp_path):
    paths = star(tmp_path, 2, square=3.0, flagged=range(21)), star(tmp_path, 3)
    found, wanted = calibrated(tmp_path, *paths)["OI_VIS2"].data, calibrated(tmp_path, paths[1])["OI_VIS2"].data
    for column in ("VIS2DATA", "VIS2ERR", "FLAG"):
        np.testing.assert_allclose(found[column], wanted[column])
    assert not found["FLAG"].any()


def test_what_stars_scatter_by_is_told(tmp_path, capsys):
    paths = star(tmp_path, 1, square=1.04), star(tmp_path, 2, square=0.96)
    assert tool("aminorm", golden_product("ami-oi"), *paths, "-o", tmp_path / "x_aminorm-oi.fits", "-v") == 0
    assert "2 stars scatter beyond their errors by 0.05" in capsys.readouterr().err


@pytest.fixture
def association(tmp_path):
    """Makes an association of targets and stars, each at a place of the dither pattern."""

    def made(targets, stars):
        members = []
        for exptype, places in (("science", targets), ("psf", stars)):
            source = golden_product("ami_calints" if exptype == "science" else "ami_star_calints")
            for number, place in enumerate(places, 1):
                path = tmp_path / f"{ROOT.format(1 if exptype == 'science' else 2, number)}_calints.fits"
                with fits.open(source) as hdus:
                    if place is not None:
                        hdus[0].header["PATT_NUM"] = place
                    hdus["SCI"].data[1:] = np.nan
                    hdus.writeto(path)
                members.append({"expname": path.name, "exptype": exptype})
        told = {"asn_type": "ami3", "asn_id": "a3001", "products": [{"name": FIELD, "members": members}]}
        (tmp_path / f"{FIELD}_asn.json").write_text(json.dumps(told))
        return tmp_path / f"{FIELD}_asn.json"

    return made


def planned(path, capsys):
    """Stars of each calibrated product, by their numbers."""
    assert tool("run", path, "--builtin", "--dry-run", "--json") == 0
    found = {}
    for line in capsys.readouterr().out.splitlines():
        told = json.loads(line)
        if told["outputs"][0].endswith("_aminorm-oi.fits"):
            files = told["members"]
            name = told["outputs"][0].rpartition("/")[2]
            found[name] = [int(file.rpartition("/")[2].split("_")[2]) for file in files[1:]]
    return found


EACH = f"{ROOT.format(1, '{}')}_a3001_aminorm-oi.fits"


@pytest.mark.parametrize(("targets", "stars", "wanted"), [
    ((1, 2), (1, 2), {EACH.format(1): [1], EACH.format(2): [2]}),
    ((1,), (2, 1), {f"{FIELD}_aminorm-oi.fits": [2]}),
    ((1, 3), (1, 1, 3), {EACH.format(1): [1, 2, 3], EACH.format(2): [3]}),
    ((4,), (1, 2), {f"{FIELD}_aminorm-oi.fits": [1, 2]}),
    ((None,), (1, None), {f"{FIELD}_aminorm-oi.fits": [1, 2]}),
    ((1, 2), (), {}),
], ids=["each_its_own", "the_other_order", "two_at_one_place", "no_such_place", "no_places", "no_stars"])  # fmt: skip
def test_a_target_is_calibrated_by_the_star_at_its_place_else_by_all(targets, stars, wanted, association, capsys):
    found = planned(association(targets, stars), capsys)
    assert found == wanted
    for name in found:
        said = parse(name)
        assert (said.kind, said["asn_candidate"], remarks(said)) == ("aminorm-oi", "a3001", [])


def test_an_association_of_two_targets_and_stars_gives_what_the_tool_gives(association, tmp_path):
    path = association((1, 2), (7, 8))
    assert tool("run", path, "--builtin", "-q", "--set", "ami.firstfew=1", "--outdir", tmp_path / "o") == 0
    names = {exptype: [tmp_path / "o" / f"{ROOT.format(exptype, number)}_a3001_ami-oi.fits" for number in (1, 2)]
             for exptype in (1, 2)}  # fmt: skip
    for number, target in enumerate(names[1], 1):
        alone = tmp_path / f"{number}_aminorm-oi.fits"
        assert tool("aminorm", target, *names[2], "-o", alone, "-q") == 0
        for table in ("OI_VIS2", "OI_T3"):
            found = fits.getdata(tmp_path / "o" / EACH.format(number), table)
            for column in found.names:
                np.testing.assert_array_equal(found[column], fits.getdata(alone, table)[column])
