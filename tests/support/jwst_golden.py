"""Golden files of JWST: inputs, references and options of the peer's steps, and what they made of them.

tests/data/jwst holds a part in each archive (see the README there). With ``--long`` the whole set is looked at where
the environment variable RTOOLS_JWST_GOLDEN names its directory.
"""

import os
import tarfile
from pathlib import Path

import pytest

from tests.support.places import DATA

PARTS = ("ramps", "edges", "image", "mosaic", "tso", "spec", "coron", "ami", "cube")
"""Archives with all files of a part, but for the full frames of ``ramps``, which are in ``refpix_full``."""

WHOLE = os.environ.get("RTOOLS_JWST_GOLDEN")
"""Directory of the whole set."""

NO_PRODUCTS = {
    "out_shifts_f4.ecsv",
    "out_shifts_f8.ecsv",
    "out_assign_wcs.ecsv",
    "in_truth.ecsv",
    "in_x1dints.fits",  # of tso: no TELESCOP
}
"""Files that say more about an answer, or are no files of JWST."""


@pytest.fixture(scope="session")
def jwst_golden(tmp_path_factory):
    """``jwst_golden(part)``: the directory of a part, which is unpacked once; its files are not to be changed."""
    home = tmp_path_factory.mktemp("jwst_golden")

    def unpacked(part):
        if not (home / part).exists():
            with tarfile.open(DATA / "jwst" / f"{part}.tar.xz") as archive:
                archive.extractall(home, filter="data")
        return home / part

    return unpacked


def products_in(directory):
    """Paths of all FITS and ECSV files of a part that are files of JWST."""
    return sorted(
        path for path in Path(directory).iterdir() if path.suffix in (".fits", ".ecsv") and path.name not in NO_PRODUCTS
    )
