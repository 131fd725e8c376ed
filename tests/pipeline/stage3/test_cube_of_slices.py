"""rt-cube build of gwcs as the mission makes them: a transform for each slice, chosen by a map of the detector."""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from rtools.pipeline.stage3.cube_files import cloud_of
from rtools.products.jwst import open_jwst
from tests.support.runs import records, tool
from tests.support.sliced_fields import FIELDS, PIXEL, SKY, STEP, WAVES, WIDTH, exposure

pytestmark = pytest.mark.slow

SIGMA, FLUX, BACKGROUND = 0.28, 1000.0, 3.0
STAR = 0.11, -0.24
"""Along and across, arcsec."""


def star(alpha, beta, wave):
    near = (alpha - STAR[0]) ** 2 + (beta - STAR[1]) ** 2
    return BACKGROUND + (1 + 20 * (wave - 5)) * FLUX / (2 * np.pi * SIGMA**2) * np.exp(-near / 2 / SIGMA**2)


@pytest.mark.parametrize("name", FIELDS)
def test_corners_of_pixels_are_the_edges_of_slices_on_the_sky(name, tmp_path):
    """Pixels of the last row ended a run: half a pixel further there was no slice. NIRSpec's had no width."""
    path = exposure(tmp_path, FIELDS[name], star)
    cloud = cloud_of(open_jwst(path), None, "1" if name == "MIRI" else None)
    good = np.isfinite(open_jwst(path).array("data"))
    assert len(cloud.ra) == good.sum()
    np.testing.assert_allclose(cloud.depth, STEP, rtol=1e-6)
    alpha, beta = SKY.pixels(cloud.ra, cloud.dec)
    corner_alpha, corner_beta = SKY.pixels(cloud.corner_ra, cloud.corner_dec)
    for corner, centre, side in ((corner_alpha, alpha, PIXEL), (corner_beta, beta, WIDTH)):
        off = np.sort(corner - centre[:, None], axis=1)
        assert np.abs(off - np.array([-1, -1, 1, 1]) * side / 2).max() < 1e-6


@pytest.mark.parametrize("name", FIELDS)
def test_a_star_has_its_place_and_its_light_in_the_cube(name, tmp_path):
    made = tmp_path / "made_s3d.fits"
    assert tool("cube", "build", exposure(tmp_path, FIELDS[name], star), "-o", made, "-q") == 0
    cube = open_jwst(made)  # its voxels are the mission's, or like the pixels
    data, header = cube.array("data"), fits.getheader(made, "SCI")
    planes = data[2 : WAVES - 2] - BACKGROUND
    x, y = (values.item() for values in _on(header, *SKY.positions(*STAR)))
    rows, columns = np.mgrid[: data.shape[1], : data.shape[2]]
    near = np.hypot(columns - x, rows - y) < 4 * SIGMA / 0.13
    assert np.isfinite(planes[:, near]).all()
    light = planes[:, near].sum(axis=0)
    assert np.average(columns[near], weights=light) == pytest.approx(x, abs=0.005)
    assert np.average(rows[near], weights=light) == pytest.approx(y, abs=0.005)
    wave = header["CRVAL3"] + header["CDELT3"] * np.arange(2, WAVES - 2)
    flux = planes[:, near].sum(axis=1) * 0.13**2
    np.testing.assert_allclose(flux, FLUX * (1 + 20 * (wave - 5)), rtol=2e-3)
    assert (header["CDELT2"] * 3600, header["CDELT3"]) == pytest.approx((PIXEL, STEP), rel=1e-6)
    assert fits.getval(made, "DETECTOR") == FIELDS[name].meta["instrument"]["detector"]


def _on(header, ra, dec):
    from astropy.wcs import WCS

    return WCS(header).celestial.all_world2pix(ra, dec, 0)


def test_a_cube_says_its_own_channel(tmp_path):
    """It said those of the detector, as the exposure does."""
    field = FIELDS["MIRI"]
    both = field._replace(meta=field.meta | {"instrument": field.meta["instrument"] | {"channel": "12"}})
    path = exposure(tmp_path, both, star)
    with fits.open(path) as hdus:
        assert hdus[0].header["CHANNEL"] == "12"
    made = tmp_path / "made_s3d.fits"
    assert tool("cube", "build", path, "--channel", 1, "-o", made, "-q") == 0
    assert fits.getval(made, "CHANNEL") == "1"


def test_coordinates_that_want_a_slice_are_refused_in_one_line(tmp_path, capsys):
    import gwcs
    from astropy.modeling import models
    from gwcs import coordinate_frames as frames

    from rtools.products.jwst import stage_jwst

    path = exposure(tmp_path, FIELDS["NIRSPEC"], star)
    slices = frames.CoordinateFrame(3, ["SPATIAL"] * 3, (0, 1, 2), name="detector")
    world = frames.CoordinateFrame(3, ["SPATIAL"] * 3, (0, 1, 2), name="world")
    other = tmp_path / "other" / path.name
    other.parent.mkdir()
    wcs = gwcs.WCS([(slices, models.Identity(3)), (world, None)])
    stage_jwst(other, open_jwst(path), [], tree={"meta.wcs": wcs}).commit()
    words = "--spaxel", 0.13, "--step", STEP, "-o", tmp_path / "made_s3d.fits"
    assert tool("cube", "build", other, *words) == 3
    (said,) = capsys.readouterr().err.splitlines()
    assert "wants the number of a slice" in said


def test_an_association_of_a_detector_with_two_channels_makes_a_cube_of_each(tmp_path, monkeypatch, capsys):
    """Nothing said the channel, and the cube was refused after the exposures had been compared."""
    field = FIELDS["MIRI"]
    meta = field.meta | {"instrument": field.meta["instrument"] | {"channel": "12"}}
    names = [field.name.replace("_00001_", f"_0000{number}_") for number in (1, 2)]
    for name in names:
        exposure(tmp_path, field._replace(meta=meta, name=name), star)
    members = [{"expname": name, "exptype": "science"} for name in names]
    content = {"asn_type": "spec3", "asn_rule": "Asn_Lv3_MIRMRS", "asn_id": "o001", "program": "01234"}
    content |= {"target": "t001", "products": [{"name": "jw01234-o001_t001_miri", "members": members}]}
    (tmp_path / "x_asn.json").write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    for words, channels in (((), (1, 2)), (("--set", "cube.channel=2"), (2,))):
        assert tool("run", "x_asn.json", "-n", "--json", "--outdir", "o", *words) == 0
        told = [Path(path).name for job in records(capsys.readouterr().out) for path in job["outputs"]]
        assert told[:2] == [name.replace("_cal", "_o001_crf") for name in names]
        root = "jw01234-o001_t001_miri_ch{}-short_{}.fits"
        assert told[2:] == [root.format(channel, suffix) for channel in channels for suffix in ("s3d", "x1d")]
