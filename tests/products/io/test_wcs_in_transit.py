"""A WCS on its way through steps that do not use it."""

import os
import subprocess
import sys

import asdf
import numpy as np
import pytest

from rtools.products.io import header, open_product, writer
from tests.support import samples
from tests.support.places import ROOT

PIXELS = np.array([0.0, 10.5, 31.0]), np.array([3.0, 20.25, 30.0])

pytestmark = pytest.mark.slow

PASS = """
import sys

class StoredBlock:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "gwcs":
            raise ImportError("gwcs is not installed")

if sys.argv[3] == "block":
    sys.meta_path.insert(0, StoredBlock())
import copy
import warnings
warnings.simplefilter("error")
from rtools.products.io import open_product, writer
with open_product(sys.argv[1]) as product:
    meta = copy.deepcopy(product.meta)
    arrays = {name: product.array(name) for name in product.arrays}
    writer.write_product(sys.argv[2], "l2_image", meta, arrays)
print("gwcs" in sys.modules)
"""


def with_table():
    """A gwcs with a lookup table of 2500 numbers, which asdf keeps in a block."""
    import gwcs
    from astropy import units
    from astropy.modeling.models import Identity, Mapping, Scale, Tabular2D
    from gwcs import coordinate_frames

    grid = np.arange(50.0)
    table = Tabular2D(points=(grid, grid), lookup_table=np.add.outer(grid, 2 * grid) ** 1.5)
    detector = coordinate_frames.Frame2D(name="detector", unit=(units.pix, units.pix))
    plane = coordinate_frames.Frame2D(name="plane", unit=(units.arcsec, units.arcsec))
    model = Mapping((0, 1, 0)) | table & Identity(1) | Scale(2.0) & Scale(3.0)
    return gwcs.WCS([(detector, model), (plane, None)])


def image(path, wcs):
    meta = samples.meta("l2_image") | {"wcs": wcs}
    writer.write_product(path, "l2_image", meta, samples.arrays("l2_image"))
    return path


@pytest.mark.parametrize("make", [samples.wcs, with_table])
@pytest.mark.parametrize("gwcs", ["block", "have"])
def test_a_wcs_passes_untouched_with_and_without_gwcs(tmp_path, make, gwcs):
    first, second = image(tmp_path / "a_cal.asdf", make()), tmp_path / "b_cal.asdf"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PASS, first, second, gwcs]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert gwcs == "have" or done.stdout == "False\n"
    for path in (first, second):
        np.testing.assert_array_equal(open_product(path).node("meta.wcs")(*PIXELS), make()(*PIXELS))
    with asdf.open(second, validate_checksums=True, ignore_unrecognized_tag=True) as file:
        np.testing.assert_array_equal(file["roman"]["meta"]["wcs"](*PIXELS), make()(*PIXELS))
        for name, array in samples.arrays("l2_image").items():
            np.testing.assert_array_equal(file["roman"][name], array)


def test_a_table_of_a_wcs_lies_in_a_block_of_its_own(tmp_path):
    path = image(tmp_path / "a_cal.asdf", with_table())
    tree, _about, blocks = header.read_header(path)
    arrays = [node["source"] for node in tree["roman"].values() if "source" in node]
    assert sorted(arrays) == list(range(1, len(blocks)))  # asdf's block comes first
    assert blocks[0].size == 2500 * 8


def test_a_wcs_outlives_its_file(tmp_path):
    with open_product(image(tmp_path / "a_cal.asdf", with_table())) as product:
        found = product.node("meta.wcs")
    os.unlink(tmp_path / "a_cal.asdf")
    np.testing.assert_array_equal(found(*PIXELS), with_table()(*PIXELS))


def test_two_wcs_in_one_file(tmp_path):
    path = tmp_path / "a_wcs.asdf"
    extra = {"wcs_l2": samples.wcs(), "wcs_l1": with_table()}
    writer.write_product(path, "wcs", samples.meta("wcs"), {}, extra=extra)
    with open_product(path, kinds=["wcs"]) as product:
        for name, wcs in extra.items():
            np.testing.assert_array_equal(product.node(name)(*PIXELS), wcs(*PIXELS))
        assert product.arrays == {}


def test_an_image_without_wcs_has_null(tmp_path):
    tree = header.read_header(image(tmp_path / "a_rampfit.asdf", None))[0]
    assert tree["roman"]["meta"]["wcs"] is None
