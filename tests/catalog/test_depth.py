"""How deep an image is: the magnitude of S/N 5 that is measured on it, and said with its catalog."""

import numpy as np
import pytest
from scipy import ndimage

from rtools.catalog.measure.depth import limiting_magnitude
from rtools.catalog.measure.image import Image
from rtools.products.tables.files import read_catalog
from tests.support.runs import records, tool


def white(sigma, *, stars=(), width=1.0, seed=3):
    """An image of noise with a sigma that is known, and stars (x, y, flux); its PSF, and labels around the stars."""
    rng = np.random.default_rng(seed)
    shape, labels = (200, 220), np.zeros((200, 220), np.int32)
    y, x = np.indices((15, 15)) - 7
    stamp = np.exp(-0.5 * (x**2 + y**2) / width**2)
    stamp /= stamp.sum()
    data = rng.normal(0, sigma, shape)
    for number, (column, row, flux) in enumerate(stars, 1):
        data[row - 7 : row + 8, column - 7 : column + 8] += flux * stamp
        labels[row - 7 : row + 8, column - 7 : column + 8] = number
    mask = rng.uniform(size=shape) < 0.02
    data[mask] = 1e6
    err = np.full(shape, sigma, np.float32)
    return Image(data, err, mask, data, None, brightness=2.0), labels, stamp


@pytest.mark.parametrize("stars", [(), [(x, y, 5000.0) for x in range(20, 200, 40) for y in range(20, 180, 40)]])
def test_depth_of_white_noise_is_that_of_the_psf_fit(stars, monkeypatch):
    monkeypatch.setattr(Image, "side", 0.11)
    sigma = 0.3
    image, labels, stamp = white(sigma, stars=stars)
    noise = sigma / np.sqrt(np.sum(stamp**2)) * 2.0 * 0.11**2
    assert limiting_magnitude(image, labels, stamp) == pytest.approx(31.4 - 2.5 * np.log10(5 * noise), abs=0.04)
    crowded = np.ones_like(labels)
    assert limiting_magnitude(image, crowded, stamp) == pytest.approx(31.4 - 2.5 * np.log10(5 * noise), abs=0.01)


def test_depth_takes_correlated_noise_as_it_is(monkeypatch):
    monkeypatch.setattr(Image, "side", 0.11)
    image, labels, stamp = white(0.3)
    alone = limiting_magnitude(image, labels, stamp)
    smooth = ndimage.uniform_filter(np.where(image.mask, 0, image.data), 2) * 2  # the sd of a pixel is as before
    image.data[:] = smooth.astype(np.float32)
    assert limiting_magnitude(image, labels, stamp) < alone - 0.4


def test_depth_of_nothing_is_not_known(monkeypatch):
    monkeypatch.setattr(Image, "side", 0.11)
    image, labels, stamp = white(0.3)
    image.mask[:] = True
    assert limiting_magnitude(image, labels, stamp) is None


def test_the_first_catalog_says_how_deep_it_is(imaged, tmp_path, capsys):
    out = tmp_path / "x_cat.parquet"
    assert tool("catalog", imaged, "--json", "-o", out) == 0
    told, err = capsys.readouterr()
    (said,) = [line for line in err.splitlines() if "S/N 5" in line]
    found = records(told)[0]["catalogs"][0]
    assert found["sources"] == len(read_catalog(out)) > 20
    assert said.endswith(f"{found['magnitude_snr5']:.1f} mag (AB); --deep finds fainter ones")
    assert tool("catalog", imaged, "--deep", "-o", out, "--overwrite") == 0
    assert "--deep" not in capsys.readouterr().err
    table = read_catalog(out)
    flux, error = (np.asarray(table[name], float) for name in ("psf_flux", "psf_flux_err"))
    faint = flux < 10 ** (0.4 * (31.4 - 23))
    assert faint.sum() > 10
    photons, sky = np.polyfit(flux[faint], error[faint] ** 2, 1)  # what the fit of each star says of its error
    limit = 12.5 * photons + np.sqrt((12.5 * photons) ** 2 + 25 * sky)
    assert found["magnitude_snr5"] == pytest.approx(31.4 - 2.5 * np.log10(limit), abs=0.1)
