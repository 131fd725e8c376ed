"""Orientation of what rt-ami writes: simulated binaries at several rolls are found where they are."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.interferometry.binary import find_companion, seen_share
from rtools.interferometry.stations import baselines_of, sky_by_roll
from rtools.jwst.pupil import mask_turn, non_redundant_mask
from rtools.pipeline.stage3.oifits_tables import fringes_in
from rtools.products.jwst import open_jwst
from tests.support.runs import done

BINARY = 0.15, 0.05
"""Separation in arcsec, and contrast."""


def binary(folder, roll, angle, *, integrations, number=1):
    """The companion that a simulated pair has, calibrated by a simulated star, seen at a roll."""
    names = [folder / f"jw01234{number:03d}001_02101_0000{one}_nis_calints.fits" for one in (1, 2)]
    with_companion = ("--companion", f"{BINARY[0]},{angle},{BINARY[1]}")
    for seed, (name, more) in enumerate(zip(names, (with_companion, ()), strict=True)):
        done("sim", name, "--pupil", "NRM", "--filter", "F430M", "--ngroups", 8, "--nints", integrations, "--mag", 9,
             "--pa", roll, "--seed", 2 * number + seed, *more)  # fmt: skip
        done("ami", name, "--builtin")
    target, star = (str(name).replace("_calints", "_ami-oi") for name in names)
    done("aminorm", target, star)
    return find_companion(fringes_in(open_jwst(target.replace("_ami-oi", "_aminorm-oi"))))


def within(found, angle, sigmas):
    assert found.separation_err < 0.003
    assert found.angle_err < 1
    assert abs(found.separation - BINARY[0]) < sigmas * found.separation_err
    assert abs((found.angle - angle + 180) % 360 - 180) < sigmas * found.angle_err
    assert abs(found.contrast - BINARY[1]) < sigmas * found.contrast_err


@pytest.mark.slow
def test_a_simulated_binary_is_found_where_it_is(tmp_path):
    """Closure phases are those that rt-sim says, less the share of the companion's light that a fit cannot see."""
    within(binary(tmp_path, 40.0, 115.0, integrations=20), 115.0, 2)
    name = tmp_path / "jw01234001001_02101_00001_nis_truth.ecsv"
    truth = {(row["hole_1"], row["hole_2"]): row["visphi"] for row in Table.read(name)}
    found = fits.getdata(str(name).replace("truth.ecsv", "ami-oi.fits"), "OI_T3")
    wanted = np.array([truth[i, j] + truth[j, k] - truth[i, k] for i, j, k in found["STA_INDEX"]])
    seen = seen_share(BINARY[0], 0.8, 4.28e-6)
    assert np.std(wanted) > 3
    assert np.std((found["T3PHI"] - seen * wanted) / found["T3PHIERR"]) < 1.4


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "roll", "angle"), [(2, 0.0, 30.0), (3, 75.0, 30.0), (4, 160.0, 200.0), (5, 255.0, 310.0)]
)
def test_the_angle_of_a_binary_is_right_at_every_roll(number, roll, angle, tmp_path):
    within(binary(tmp_path, roll, angle, integrations=40, number=number), angle, 2)


def test_baselines_are_those_of_the_fringes_on_the_detector(tmp_path):
    """With a gwcs: the mask as it lies, turned by the world coordinates, 0.4° and 0.5 % from the designed one."""
    name = tmp_path / "jw01234001001_02101_00001_nis_calints.fits"
    done("sim", name, "--pupil", "NRM", "--filter", "F430M", "--ngroups", 4, "--nints", 1, "--pa", 25, "--no-truth")
    done("ami", name, "--builtin")
    found = fits.getdata(str(name).replace("calints", "ami-oi"), "OI_ARRAY")["CTRS_EQT"]
    told = non_redundant_mask()
    designed = sky_by_roll(np.array(told.centres), 25.0, -1)
    seen = sky_by_roll(np.array(told.centres) @ mask_turn(told.affine), 25.0, -1)
    turn = lambda places: np.angle(np.vdot(places @ [1, 1j], found @ [1, 1j]), deg=True)  # noqa: E731
    assert abs(turn(seen)) < 0.2
    assert 0.2 < abs(turn(designed)) < 0.6
    assert np.abs(baselines_of(found)).max() < 6
