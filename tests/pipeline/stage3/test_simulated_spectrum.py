"""A simulated spectrum of a slit: what is extracted of it is the truth, also by way of a rectified image."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.products.jwst import open_jwst
from tests.support.judges import asked_of_jwst
from tests.support.runs import tool

NAME = "jw01234001001_02101_0000{}_mirimage_cal.fits"
SLIT = "--exp-type", "MIR_LRS-FIXEDSLIT"
APERTURE = "--xstart", 16, "--xstop", 43, "--bkg-coeff=2.5;11.5;47.5;56.5"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slit")
    for number in (1, 2):
        assert tool("sim", NAME.format(number), *SLIT, "--seed", 5, "--outdir", folder, "-q") == 0
    return folder


def pulls(path, truth):
    """Of fluxes whose aperture is whole, and the relative errors of all of them."""
    table = Table.read(path, hdu="EXTRACT1D", mask_invalid=False)
    wanted = np.interp(table["WAVELENGTH"], truth["wavelength"][::-1], truth["flux"][::-1])
    whole = np.asarray(table["NPIXELS"] > table["NPIXELS"].max() - 1e-6)
    whole[[*range(5), *range(-5, 0)]] = False
    return np.asarray((table["FLUX"] - wanted) / table["FLUX_ERROR"])[whole], np.asarray(table["FLUX"] / wanted)


@pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")
def test_extracted_spectra_are_the_truth(simulated, tmp_path):
    truth = Table.read(simulated / NAME.format(1).replace("_cal.fits", "_truth.ecsv"))
    assert [str(truth[name].unit) for name in ("wavelength", "flux")] == ["um", "Jy"]
    found = []
    for number in (1, 2):
        out = tmp_path / f"{number}_x1d.fits"
        assert tool("x1d", simulated / NAME.format(number), "-o", out, *APERTURE, "-q") == 0
        found.append(pulls(out, truth)[0])
    both = np.concatenate(found)
    assert len(both) > 600
    assert abs(both.mean()) < 4 / np.sqrt(len(both))
    assert both.std() == pytest.approx(1, abs=0.09)


@pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")
def test_so_is_the_spectrum_of_the_rectified_image_of_both(simulated, tmp_path):
    image, out = tmp_path / "both_s2d.fits", tmp_path / "both_x1d.fits"
    files = [simulated / NAME.format(number) for number in (1, 2)]
    assert tool("resample", *files, "-o", image, "-q") == 0
    assert tool("x1d", image, "-o", out, *APERTURE, "-q") == 0
    truth = Table.read(simulated / NAME.format(1).replace("_cal.fits", "_truth.ecsv"))
    ratio = pulls(out, truth)[1][5:-5]
    assert np.median(ratio) == pytest.approx(1, abs=0.002)
    assert np.nanstd(ratio) < 0.05
    assert fits.getval(image, "NDRIZ") == 2


def test_the_image_is_sound_and_its_coordinates_come_back(simulated):
    path = simulated / NAME.format(1)
    assert tool("validate", path) == 0
    assert asked_of_jwst("files", path)[str(path)]["ok"]
    wcs = open_jwst(path).node("meta.wcs")
    x, y = np.array([2.0, 29.5, 57.3]), np.array([3.0, 200.1, 384.0])
    np.testing.assert_allclose(wcs.invert(*wcs(x, y)), [x, y], atol=1e-6)
    wavelength = fits.getdata(path, "WAVELENGTH")
    assert wavelength[10, 30] == pytest.approx(wcs(30, 10)[2], rel=1e-3)
    assert wcs(29.5, 0)[2] == pytest.approx(14, abs=0.01)
    assert wcs(29.5, 387)[2] == pytest.approx(5, abs=0.01)


def test_what_a_spectrum_does_not_have_is_refused(tmp_path, capsys):
    other, raw = "jw01234001001_02101_00001_nrca1_cal.fits", NAME.format(1).replace("_cal", "_uncal")
    for name, words in ((NAME.format(1), ("--transit", "0.1,0.3,0.6")), (other, ()), (raw, ())):
        assert tool("sim", name, *SLIT, *words, "--outdir", tmp_path) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
    assert not list(tmp_path.iterdir())
