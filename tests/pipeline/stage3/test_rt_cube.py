"""rt-cube on files: built of maps and of world coordinates of slices, and what is made of cubes."""

import json

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS

from rtools.products.jwst import NewHdu, cube_wavelengths, open_jwst, stage_new
from rtools.spectra.cube_building import CubeGrid
from tests.support.judges import asked_of_jwst
from tests.support.runs import tool

SLICES, LONG, WAVES = 8, 20, 12
SHAPE = (WAVES, SLICES * LONG)
"""Slices side by side along the rows, wavelength along the columns."""

PIXEL, WIDTH, DEPTH = 0.13, 0.177, 0.0008
SKY = CubeGrid(10.0, -30.0, 0.0, 0.0, 1.0, 35.0, 0.0, 1.0, (1, 1, 1))
"""The slicer is turned by 35 degrees."""


def slicer():
    """Along the slice and across the slices (arcsec), and wavelength, of every pixel of the detector."""
    row, column = np.mgrid[: SHAPE[0], : SHAPE[1]]
    alpha = (column % LONG - (LONG - 1) / 2) * PIXEL
    beta = (column // LONG - (SLICES - 1) / 2) * WIDTH
    return alpha, beta, 5.0 + DEPTH * row


def light(alpha, beta, wave):
    return 20 + 4 * alpha + 3 * beta + 2000 * (wave - 5)


def cal(folder, tree=None, channel="1"):
    """An exposure of the spectrometer; its path."""
    data = light(*slicer()).astype("f4")
    dq = np.zeros(SHAPE, "u4")
    dq[3, 40], data[3, 40], data[5, 44] = 1, 1e9, np.nan
    images = {"SCI": data, "ERR": np.full(SHAPE, 0.5, "f4"), "DQ": dq}
    images |= {name: np.full(SHAPE, 0.1, "f4") for name in ("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")}
    meta = {
        "instrument": {"name": "MIRI", "detector": "MIRIFUSHORT", "channel": channel, "band": "SHORT"},
        "exposure": {"type": "MIR_MRS"},
        "wcsinfo": {"dispersion_direction": 2},
    }
    path = folder / "jw01234001001_02101_00001_mirifushort_cal.fits"
    stage_new(path, "cal", meta, [NewHdu(name, array) for name, array in images.items()], tree=tree).commit()
    return path


def write_map(folder):
    alpha, beta, wave = slicer()
    turns = ((0, 0), (-1, -1), (1, -1), (1, 1), (-1, 1))
    places = [SKY.positions(alpha + da * PIXEL / 2, beta + db * WIDTH / 2) for da, db in turns]
    images = {"RA": places[0][0], "DEC": places[0][1], "LAMBDA": wave, "DLAMBDA": np.full(SHAPE, DEPTH)}
    images |= {f"{name}{corner}": places[corner][axis] for axis, name in enumerate(("RA", "DEC"))
               for corner in (1, 2, 3, 4)}  # fmt: skip
    path = folder / "map.fits"
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(values, name=name) for name, values in images.items())]
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cube")
    path = folder / "target_s3d.fits"
    assert tool("cube", "build", cal(folder), "--map", write_map(folder), "-o", path) == 0
    return path


def test_a_cube_has_the_light_of_the_sky_where_its_coordinates_say(made):
    cube = open_jwst(made)
    data, waves = cube.array("data"), cube_wavelengths(cube)
    with fits.open(made) as hdus:
        wcs = WCS(hdus["SCI"].header, hdus)
        m, y, x = np.nonzero(np.isfinite(data))
        ra, dec, wave = wcs.all_pix2world(x, y, m, 0)
    np.testing.assert_allclose(wave * 1e6, waves[m], rtol=1e-6)
    alpha, beta = SKY.pixels(ra, dec)
    truth = light(alpha, beta, waves[m])
    inside = (np.abs(alpha) < 1.1) & (np.abs(beta) < 0.6)
    assert inside.sum() > 1000
    assert np.abs(data[m, y, x] - truth)[inside].max() < 0.5
    assert abs(np.mean((data[m, y, x] - truth)[inside])) < 0.01
    world = cube.node("meta.wcs")(x[:50], y[:50], m[:50])
    np.testing.assert_allclose(world, (ra[:50], dec[:50], waves[m[:50]]), rtol=1e-6)


@pytest.mark.judges
def test_a_cube_is_valid_and_the_mission_reads_it(made):
    assert tool("validate", made) == 0
    told = [open_jwst(made).value(key) for key in ("S_IFUCUB", "FLUXEXT", "ERRTYPE", "MASKEXT")]
    assert told == ["COMPLETE", "SCI", "ERR", "DQ"]
    (told,) = asked_of_jwst("files", made).values()
    assert told["ok"] and told["model"] == "IFUCubeModel" and told["trusted"], told


def test_slices_of_world_coordinates_give_the_cube_of_their_map(made, tmp_path):
    """A gwcs with a frame of the slicer, as MIRI's has: the slices are as wide as the instrument's."""
    import gwcs
    from astropy import coordinates
    from astropy.modeling import models
    from astropy.modeling.tabular import Tabular1D
    from gwcs import coordinate_frames as frames

    columns = np.arange(-1, SHAPE[1] + 1)
    numbers = (columns // LONG).astype(float)
    slice_of = Tabular1D(points=columns, lookup_table=numbers, method="nearest", bounds_error=False)
    alpha = models.Mapping((0, 0)) | models.Identity(1) & (slice_of | models.Scale(-LONG))
    alpha = alpha | models.Polynomial2D(1, c0_0=-PIXEL * (LONG - 1) / 2, c1_0=PIXEL, c0_1=PIXEL)
    beta = slice_of | models.Scale(WIDTH) | models.Shift(-WIDTH * (SLICES - 1) / 2)
    wave = models.Scale(DEPTH) | models.Shift(5.0)
    to_slicer = models.Mapping((0, 0, 1)) | alpha & beta & wave
    turn = models.AffineTransformation2D(SKY.matrix / 3600)
    to_sky = turn | models.Pix2Sky_TAN() | models.RotateNative2Celestial(SKY.ra, SKY.dec, 180)
    detector = frames.Frame2D(name="detector", unit=(u.pix, u.pix))
    axes, units = ["SPATIAL", "SPATIAL", "SPECTRAL"], (u.arcsec, u.arcsec, u.um)
    middle = frames.CoordinateFrame(3, axes, (0, 1, 2), name="alpha_beta", unit=units)
    celestial = frames.CelestialFrame(reference_frame=coordinates.ICRS(), axes_order=(0, 1), name="sky")
    spectral = frames.SpectralFrame(axes_order=(2,), unit=(u.um,), name="wave")
    world = frames.CompositeFrame([celestial, spectral], name="world")
    wcs = gwcs.WCS([(detector, to_slicer), (middle, to_sky & models.Identity(1)), (world, None)])
    path = tmp_path / "of_gwcs_s3d.fits"
    assert tool("cube", "build", cal(tmp_path, {"meta": {"wcs": wcs}}), "--like", made, "-o", path) == 0
    one, two = open_jwst(made), open_jwst(path)
    np.testing.assert_allclose(two.array("data"), one.array("data"), rtol=1e-4)
    np.testing.assert_array_equal(two.array("weightmap"), one.array("weightmap"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 3, "no gwcs"),
        (("--map", "MAP", "--channel", "2"), 2, "channels 1"),
        (("--map", "MAP", "--rotate", "up"), 2, "--rotate up"),
        (("--map", "MAP", "--rois", "1"), 2, "emsm"),
        (("--map", "MAP", "--wave", "6:5"), 2, "--wave"),
        (("--map", "MAP", "--like", "CAL", "--spaxel", "0.2"), 2, "--spaxel does nothing"),
        (("--map", "MAP", "--like", "CAL"), 3, "no cube"),
        (("--map", "CAL"), 3, "needs the extension RA"),
    ],
)
def test_what_cannot_be_is_one_line_and_no_file(words, code, said, tmp_path, capsys):
    files = {"MAP": write_map(tmp_path), "CAL": cal(tmp_path)}
    typed = [files.get(word, word) for word in words]
    assert tool("cube", "build", files["CAL"], *typed, "-o", tmp_path / "x_s3d.fits") == code
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "warning" not in one]
    assert said in line
    assert not (tmp_path / "x_s3d.fits").exists()


def test_a_detector_with_two_channels_asks_which(tmp_path, capsys):
    words = ("--map", write_map(tmp_path), "-o", tmp_path / "x_s3d.fits")
    assert tool("cube", "build", cal(tmp_path, channel="12"), *words) == 2
    assert "channels 1 and 2" in capsys.readouterr().err


def test_a_cube_like_another_has_its_spaxels(made, tmp_path):
    """Of half of the wavelengths: without it the grid would be centred anew."""
    path, places = tmp_path / "part_s3d.fits", write_map(tmp_path)
    words = "--map", places, "--rotate", 20, "--spaxel", 0.2
    turned = tmp_path / "turned_s3d.fits"
    assert tool("cube", "build", cal(tmp_path), *words, "-o", turned) == 0
    with fits.open(places, mode="update") as hdus:
        hdus["LAMBDA"].data[:, :LONG] = np.nan  # a slice less
    for like in (made, turned):
        assert tool("cube", "build", cal(tmp_path), "--map", places, "--like", like, "-o", path, "--overwrite") == 0
        with fits.open(path) as found, fits.open(like) as wanted:
            assert found["SCI"].shape == wanted["SCI"].shape
            for key in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CDELT1", "PC1_1", "PC1_2", "PC2_1"):
                assert found["SCI"].header[key] == pytest.approx(wanted["SCI"].header[key], rel=1e-12, abs=1e-12)
            both = np.isfinite(found["SCI"].data) & (found["WMAP"].data == wanted["WMAP"].data)
            assert both.mean() > 0.3
            np.testing.assert_allclose(found["SCI"].data[both], wanted["SCI"].data[both], rtol=1e-5)


# --- cubes of cubes --------------------------------------------------------------------------------------------------


def test_ranges_merge_to_the_cube_that_they_were_cut_from(made, tmp_path):
    waves = cube_wavelengths(open_jwst(made))
    parts = []
    for number, (low, high) in enumerate(((waves[0], waves[5]), (waves[4], waves[-1]))):
        parts.append(tmp_path / f"{number}_s3d.fits")
        assert tool("cube", "slice", made, "--wave", f"{low}:{high}", "-o", parts[-1]) == 0
    whole = tmp_path / "whole_s3d.fits"
    assert tool("cube", "merge", *reversed(parts), "-o", whole) == 0
    for name in ("data", "err", "dq", "weightmap"):
        np.testing.assert_array_equal(open_jwst(whole).array(name), open_jwst(made).array(name))
    np.testing.assert_allclose(cube_wavelengths(open_jwst(whole)), waves, rtol=1e-7)
    assert tool("validate", whole, *parts) == 0
    assert tool("cube", "axis", whole, "--linear", "-o", tmp_path / "line_s3d.fits") == 0
    for path, ctype in ((whole, "WAVE-TAB"), (tmp_path / "line_s3d.fits", "WAVE")):
        with fits.open(path) as hdus:
            assert hdus["SCI"].header["CTYPE3"] == ctype
            wave = WCS(hdus["SCI"].header, hdus).all_pix2world(3, 3, np.arange(len(waves)), 0)[2]
        np.testing.assert_allclose(wave * (1e6 if ctype == "WAVE" else 1), waves, rtol=1e-6)


@pytest.mark.parametrize("header", ["PRIMARY", "ERR"])
def test_variances_become_errors(header, made, tmp_path):
    """A cube may hold variances or inverse ones; ERRTYPE stands in either header."""
    path = tmp_path / "var_s3d.fits"
    with fits.open(made) as hdus:
        hdus["ERR"].data = 1 / hdus["ERR"].data ** 2
        del hdus["ERR"].header["ERRTYPE"]
        hdus[header].header["ERRTYPE"] = "IVAR"
        hdus.writeto(path)
    sums = []
    for source in (made, path):
        out = tmp_path / f"sum_{source.stem}.fits"
        assert tool("cube", "collapse", source, "--how", "sum", "-o", out) == 0
        sums.append(open_jwst(out).array("err"))
    np.testing.assert_allclose(*sums, rtol=1e-5)


def test_cubes_of_other_spaxels_do_not_merge(made, tmp_path, capsys):
    other = tmp_path / "other_s3d.fits"
    with fits.open(made) as hdus:
        hdus["SCI"].header["CRPIX1"] += 0.5
        hdus.writeto(other)
    assert tool("cube", "merge", made, other, "-o", tmp_path / "x_s3d.fits") == 3
    assert "other spaxels" in capsys.readouterr().err


def test_views_say_what_they_would_do(made, tmp_path, capsys):
    out = tmp_path / "plane_s3d.fits"
    assert tool("cube", "plane", made, "--wave", "5.004", "-o", out, "-n") == 0
    assert not out.exists()
    assert tool("cube", "plane", made, "--wave", "5.004", "-o", out, "--json") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["planes"] == 1 and told["wavelengths"][0] == pytest.approx(5.004, abs=0.0004)


def test_a_range_within_a_channel_is_the_same_as_of_the_whole_channel(tmp_path):
    """The range was cut first, and then its largest gap was taken for that between the channels: half was lost."""
    places = write_map(tmp_path)
    with fits.open(places, mode="update") as hdus:
        hdus["LAMBDA"].data[:, SLICES * LONG // 2 :] += 1.0  # channel 2 is on the right
    words = "--map", places, "--channel", "1"
    whole, part = tmp_path / "whole_s3d.fits", tmp_path / "part_s3d.fits"
    source = cal(tmp_path, channel="12")
    assert tool("cube", "build", source, *words, "-o", whole) == 0
    assert tool("cube", "build", source, *words, "--wave", "4.9:5.1", "-o", part) == 0
    with fits.open(whole) as one, fits.open(part) as other:
        np.testing.assert_array_equal(one["SCI"].data, other["SCI"].data)


def second(folder, **cards):
    """Another exposure of the spectrometer."""
    path = folder / "jw01234001001_02101_00002_mirifushort_cal.fits"
    with fits.open(cal(folder)) as hdus:
        for key, value in cards.items():
            hdus["SCI"].header[key] = value
        hdus[0].header.update(EFFEXPTM=30.0)
        hdus.writeto(path)
    with fits.open(folder / "jw01234001001_02101_00001_mirifushort_cal.fits", mode="update") as hdus:
        hdus[0].header.update(EFFEXPTM=10.0)
        hdus["SCI"].header.update({key: 0.0 for key in cards if key.startswith("RA_")})
    return folder / "jw01234001001_02101_00001_mirifushort_cal.fits", path


def test_a_cube_of_two_exposures_was_exposed_as_long_as_both(tmp_path):
    path = tmp_path / "out_s3d.fits"
    assert tool("cube", "build", *second(tmp_path), "--map", write_map(tmp_path), "-o", path) == 0
    assert fits.getval(path, "EFFEXPTM") == 40


@pytest.mark.parametrize(("cards", "said"), [({"RA_REF": 10.001}, "wcsinfo.ra_ref"), ({"BUNIT": "DN/s"}, "bunit")])
def test_exposures_that_make_no_one_cube_are_refused(cards, said, tmp_path, capsys):
    """One map has the places of one pointing: of two the second would lie where the first does."""
    path = tmp_path / "out_s3d.fits"
    assert tool("cube", "build", *second(tmp_path, **cards), "--map", write_map(tmp_path), "-o", path) == 3
    assert said in capsys.readouterr().err
    assert not path.exists()


def test_cubes_in_other_units_do_not_merge(made, tmp_path, capsys):
    other = tmp_path / "other_s3d.fits"
    with fits.open(made) as hdus:
        hdus["SCI"].header["BUNIT"] = "DN/s"
        hdus.writeto(other)
    assert tool("cube", "merge", made, other, "-o", tmp_path / "both_s3d.fits") == 3
    assert "DN/s" in capsys.readouterr().err


def test_a_merged_cube_says_what_it_is_made_of(made, tmp_path):
    """It said the channel and the band of the first."""
    other, both = tmp_path / "other_s3d.fits", tmp_path / "both_s3d.fits"
    with fits.open(made) as hdus:
        hdus[0].header.update(CHANNEL="2", BAND="LONG")
        hdus["WCS-TABLE"].data["wavelength"] += 1
        hdus["SCI"].header["CRVAL3"] += 1
        hdus.writeto(other)
    assert tool("cube", "merge", made, other, "-o", both) == 0
    assert [fits.getval(both, key) for key in ("CHANNEL", "BAND", "DETECTOR")] == ["12", "MULTIPLE", "MIRIFUSHORT"]
    assert tool("validate", both) == 0
