"""A simulated spectrum of a slit: what is extracted of it is the truth, also by way of a rectified image."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.products.jwst import open_jwst
from tests.support.judges import asked_of_jwst
from tests.support.runs import tool

pytestmark = pytest.mark.slow

NAME = "jw01234001001_02101_0000{}_mirimage_cal.fits"
SLIT = "--exp-type", "MIR_LRS-FIXEDSLIT"
APERTURE = "--xstart", 16, "--xstop", 43, "--bkg-coeff=2.5;11.5;47.5;56.5"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slit")
    for number in (1, 2):
        assert tool("sim", NAME.format(number), *SLIT, "--seed", 5, "--outdir", folder, "-q") == 0
    return folder


def pulls(path, truth, hdu="EXTRACT1D", error="FLUX_ERROR"):
    """Of fluxes, and what they are over the truth; the ends, where the slit is tilted, aside."""
    table = Table.read(path, hdu=hdu, mask_invalid=False)
    wanted = np.interp(table["WAVELENGTH"], truth["wavelength"][::-1], truth["flux"][::-1])
    kept = slice(5, -5)
    return np.asarray((table["FLUX"] - wanted) / table[error])[kept], np.asarray(table["FLUX"] / wanted)[kept]


@pytest.fixture(scope="module")
def truth(simulated):
    return Table.read(simulated / NAME.format(1).replace("_cal.fits", "_truth.ecsv"))


def holds(found):
    """Whether pulls have the mean 0 and the standard deviation 1."""
    assert abs(found.mean()) < 4 / np.sqrt(len(found))
    assert found.std() == pytest.approx(1, abs=0.1)


@pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")
def test_extracted_spectra_are_the_truth(simulated, truth, tmp_path):
    assert [str(truth[name].unit) for name in ("wavelength", "flux")] == ["um", "Jy"]
    found = []
    for number in (1, 2):
        out = tmp_path / f"{number}_x1d.fits"
        assert tool("x1d", simulated / NAME.format(number), "-o", out, *APERTURE, "-q") == 0
        found.append(pulls(out, truth)[0])
    both = np.concatenate(found)
    assert len(both) > 700
    holds(both)


@pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")
def test_bad_pixels_make_no_dips_in_spectra_and_in_what_is_combined_of_them(simulated, truth, tmp_path):
    """A bad pixel of the aperture took up to a fifth of the light of its wavelength away."""
    made, dips = [], []
    for number in (1, 2):
        path = tmp_path / NAME.format(number)
        with fits.open(simulated / NAME.format(number)) as hdus:
            hdus["DQ"].data[np.random.default_rng(number).random(hdus["DQ"].data.shape) < 0.03] |= 1
            hdus.writeto(path)
        for fill in ("none", "profile"):
            out = tmp_path / f"{fill}_{number}_x1d.fits"
            assert tool("x1d", path, "-o", out, *APERTURE, "--fill", fill, "-q") == 0
            (made if fill == "profile" else dips).append(out)
    for number, path in enumerate(made):
        found, ratio = pulls(path, truth)
        lost = 1 - pulls(dips[number], truth)[1]
        some = np.isfinite(found)
        assert 0 <= (~some).sum() < 5  # two pixels of the peak are bad
        holds(found[some])
        assert lost[some].max() > 0.2
        filled = fits.getdata(path, "EXTRACT1D")["FILLED"][5:-5]
        np.testing.assert_allclose(filled[some], lost[some], atol=0.12)
        assert np.abs(ratio[some] - 1).max() < 0.12
    assert asked_of_jwst("files", made[0])[str(made[0])]["trusted"]
    assert tool("validate", made[0]) == 0
    out = tmp_path / "both_c1d.fits"
    assert tool("c1d", *made, "-o", out, "-q") == 0
    holds(pulls(out, truth, "COMBINE1D", "ERROR")[0])


@pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")
def test_so_is_the_spectrum_of_the_rectified_image_of_both(simulated, truth, tmp_path):
    image, out = tmp_path / "both_s2d.fits", tmp_path / "both_x1d.fits"
    files = [simulated / NAME.format(number) for number in (1, 2)]
    assert tool("resample", *files, "-o", image, "-q") == 0
    assert tool("x1d", image, "-o", out, *APERTURE, "-q") == 0
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
