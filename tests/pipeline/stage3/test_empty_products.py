"""Products without a single number: each tool says so once, or refuses to make them."""

import numpy as np
import pytest
from astropy.io import fits

from rtools.pipeline.stage3.values import are_numbers, has_numbers
from rtools.pipeline.stage3.work import WORKS
from rtools.products.jwst import HduChange, NewHdu, open_jwst, stage_jwst
from tests.support.runs import tool
from tests.support.stage3_files import golden_product

COLUMNS = {"EXTRACT1D": "FLUX", "OI_VIS2": "VIS2DATA", "OI_T3": "T3PHI"}

WORKS_ON = {
    "ami": (("ami_calints",), ("--builtin",), 3),
    "aminorm": (("ami-oi", "ami_star"), (), 0),
    "c1d": (("extracted", "extracted2"), ("-o", "both_c1d.fits"), 3),
    "cube": (("slices",), ("--map", "map.fits", "--spaxel", 0.2, "--step", 0.01, "-o", "x_s3d.fits"), 3),
    "outlier": (("calints",), (), 0),
    "phot": (("calints",), ("--at", "30,33"), 0),
    "psfalign": (("coronagraph", "psfstack"), (), 3),
    "psfstack": (("coronagraph",), ("-o", "all_psfstack.fits"), 0),
    "psfsub": (("coronagraph", "psfalign"), (), 3),
    "resample": (("slit",), (), 0),
    "whtlt": (("x1dints",), (), 0),
    "x1d": (("slit",), (), 0),
}
"""Files that each work is done on, options, and the status: 3 where nothing is made."""


def emptied(called, folder):
    """A copy of a file in which all that was measured is NaN."""
    product = open_jwst(golden_product(called))
    changes = []
    for hdu in product.hdus:
        if hdu.name == "SCI":
            changes.append(HduChange("SCI", hdu.version, array=np.full(hdu.shape, np.nan, np.float32)))
        elif hdu.name in COLUMNS:
            table = product.table(hdu.name, hdu.version)
            table[COLUMNS[hdu.name]] = np.nan
            changes.append(HduChange(hdu.name, hdu.version, table=table))
    path = folder / golden_product(called).name
    stage_jwst(path, product, changes).commit()
    return path


def write_map(path, shape):
    """Where the pixels of an integral field look: a degree of the sky and a micrometre in all."""
    row, column = np.mgrid[: shape[0], : shape[1]] / 3600
    images = {"RA": column, "DEC": row, "LAMBDA": 5 + row, "DLAMBDA": np.full(shape, 0.01)}
    for corner, (x, y) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1)), 1):
        images |= {f"RA{corner}": column + x / 7200, f"DEC{corner}": row + y / 7200}
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(values, name=name) for name, values in images.items())]
    fits.HDUList(hdus).writeto(path)


def test_every_work_is_tried():
    assert {path.stem for path in WORKS.glob("[a-z]*.py")} == set(WORKS_ON)


@pytest.mark.parametrize("name", sorted(WORKS_ON))
def test_a_product_without_values_is_told_once_or_not_made(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    called, options, status = WORKS_ON[name]
    files = [emptied(one, tmp_path) for one in called]
    if name == "cube":
        write_map(tmp_path / "map.fits", open_jwst(files[0]).hdu("SCI").shape)
    before = set(tmp_path.iterdir())
    assert tool(*(("cube", "build") if name == "cube" else (name,)), *files, *options) == status
    said, made = capsys.readouterr().err.splitlines(), set(tmp_path.iterdir()) - before
    told = [line for line in said if line.endswith("has no values: all are NaN")]
    assert sorted(line.split(" ")[-7] for line in told) == sorted(path.name for path in made)
    assert len([line for line in said if "warning" not in line]) == (status > 0)
    assert bool(made) == (status == 0)


def test_one_number_is_a_value():
    image = np.full((3, 40, 40), np.nan)
    assert not has_numbers([NewHdu("SCI", image), NewHdu("ERR", np.ones((3, 40, 40)))])
    image[2, 39, 39] = 1
    assert has_numbers([NewHdu("SCI", image)])
    assert has_numbers([NewHdu("SHIFTS", image * np.nan)])
    assert not are_numbers(np.ma.masked_all(5))
    assert not are_numbers([])
