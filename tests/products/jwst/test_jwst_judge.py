"""stdatamodels opens what rtools writes: the right model, no warning, the tree trusted, arrays and metadata equal."""

import importlib.util

import numpy as np
import pytest
from astropy.io import fits
from astropy.modeling.models import Identity, Shift
from astropy.table import Table
from gwcs import WCS

from rtools.jwst import SUFFIXES, node_of_hdu, product_layout
from rtools.products.jwst import HduChange, NewHdu, open_jwst, stage_jwst, stage_new
from rtools.products.jwst.agreement import leaves
from tests.support import jwst_files
from tests.support.judges import asked_of_jwst
from tests.support.places import JUDGES

pytestmark = pytest.mark.judges

OF_FITS = [suffix for suffix in SUFFIXES if product_layout(suffix).form == "fits"]

OF_ANOTHER_TYPE = ("refout", "spec.0.spec_table.N_ALONGDISP")
"""What the documentation says to be of another type than the data models do."""

TREE = {"meta": {"wcs": WCS([("detector", Shift(3) & Identity(1)), ("world", None)]), "only_here": {"deep": 2.5}}}


def fingerprints():
    """The judge's function that tells arrays by type, shape and hash."""
    found = importlib.util.spec_from_file_location("jwst_judge", JUDGES / "jwst.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.fingerprint


def held(product):
    """Fingerprints of all arrays and columns of a product, by their node in the data model."""
    told, fingerprint = {}, fingerprints()
    for hdu in product.hdus[1:]:
        node = node_of_hdu(product.value("DATAMODL"), hdu.name, hdu.version)
        if hdu.name == "ASDF" or node.startswith("extra_fits"):
            continue
        if hdu.is_table:
            table = product.table(hdu.name, hdu.version)
            told |= {f"{node}.{name}": fingerprint(np.asarray(table[name])) for name in table.colnames}
        else:
            told[node] = fingerprint(product.pixels(hdu.name, hdu.version))
    return told


def complaints(product, verdict):
    """What is wrong with a verdict."""
    if not verdict["ok"]:
        return verdict["problem"]
    arrays, values = held(product), verdict["values"]
    plain = {path: value for path, value in leaves(product.tree["meta"], "meta") if path.split(".")[1] != "wcs"}
    wrong = {key: verdict["arrays"].get(key) for key, told in arrays.items() if verdict["arrays"].get(key) != told}
    for key in OF_ANOTHER_TYPE:
        if key in wrong and wrong[key] and wrong[key][1] == arrays[key][1]:
            del wrong[key]
    wrong |= {key: values.get(key) for key, value in plain.items() if values.get(key) != value}
    if verdict["warnings"] or not verdict["trusted"] or verdict["model"] != product.value("DATAMODL"):
        wrong |= {"model": verdict["model"], "warnings": verdict["warnings"], "trusted": verdict["trusted"]}
    return wrong


def test_stdatamodels_opens_and_trusts_every_kind_that_is_written(tmp_path):
    paths = {suffix: jwst_files.written(tmp_path, suffix, tree=TREE) for suffix in OF_FITS}
    verdicts = asked_of_jwst("files", *paths.values())
    products = {suffix: open_jwst(path) for suffix, path in paths.items()}
    wrong = {suffix: complaints(product, verdicts[str(product.path)]) for suffix, product in products.items()}
    assert {suffix: told for suffix, told in wrong.items() if told} == {}
    for suffix, path in paths.items():
        assert verdicts[str(path)]["wcs"] == [6, 4], suffix
        assert verdicts[str(path)]["values"]["meta.only_here.deep"] == 2.5


def test_stdatamodels_opens_sets_of_slits_and_spectra(tmp_path):
    slits = {"slits": [{"name": f"S{number}", "source_id": number} for number in (4, 5)]}
    spectra = [
        NewHdu(one.name, one.data, one.version, cards={"SPORDER": one.version})
        for one in jwst_files.data_of("x1d", sets=3)
    ]
    path = tmp_path / "jw01024001001_02101_00001_nrs1_x1d.fits"
    paths = [
        jwst_files.written(tmp_path, "cal", sets=2, tree=slits),
        jwst_files.written(tmp_path, "s2d", sets=2, tree=slits),
        stage_new(path, "x1d", jwst_files.METADATA, spectra).commit(),
    ]
    verdicts = asked_of_jwst("files", *paths)
    for path in paths:
        assert not complaints(open_jwst(path), verdicts[str(path)]), path
    assert [verdicts[str(paths[0])]["values"][f"slits.{number}.source_id"] for number in (0, 1)] == [4, 5]
    assert [verdicts[str(paths[2])]["values"][f"spec.{number}.spectral_order"] for number in (0, 1, 2)] == [1, 2, 3]


def test_stdatamodels_trusts_what_is_rewritten(tmp_path):
    before = jwst_files.written(tmp_path, "calints", tree=TREE)
    product = open_jwst(before)
    cut = [HduChange(name, array=product.pixels(name)[:1]) for name in ("SCI", "ERR", "DQ")]
    cut += [HduChange("INT_TIMES", rows=slice(0, 1)), HduChange("VAR_FLAT", removed=True)]
    area = NewHdu("PATHLOSS_UN", np.ones((8, 16), "f4"), cards={"MINE": 3})
    moved = {"meta.wcs": WCS([("detector", Shift(5) & Identity(1)), ("world", None)]), "meta.exposure.nints": 1}
    moved["meta.filename"] = "jw01024001001_02101_00002_nrca1_calints.fits"
    path = tmp_path / moved["meta.filename"]
    stage_jwst(path, product, cut, tree=moved, added=[area], history=["cut out"]).commit()
    verdict = asked_of_jwst("files", path)[str(path)]
    assert not complaints(open_jwst(path), verdict)
    assert verdict["wcs"] == [8, 4] and verdict["values"]["meta.exposure.nints"] == 1
    assert verdict["values"]["meta.only_here.deep"] == 2.5


def test_stdatamodels_finds_what_somebody_else_put_into_a_file_that_is_rewritten(tmp_path):
    before = jwst_files.written(tmp_path, "cal", tree=TREE)
    with fits.open(before, mode="update") as hdus:
        hdus[0].header["EXP_TYPE"], hdus[0].header["MINE"] = "NRC_TACQ", (3, "mine")
        hdus.insert(2, fits.ImageHDU(np.arange(6.0).reshape(2, 3), name="MYIMAGE"))
        hdus.insert(3, fits.BinTableHDU(Table({"a": [1, 2], "b": [1.5, 2.5]}), name="MYTABLE"))
    name = "jw01024001001_02101_00002_nrca1_cal.fits"
    stage_jwst(tmp_path / name, open_jwst(before), tree={"meta.target.ra": 1.25, "meta.filename": name}).commit()
    verdict = asked_of_jwst("files", tmp_path / name)[str(tmp_path / name)]
    assert not complaints(open_jwst(tmp_path / name), verdict)
    assert [verdict["values"][f"meta.{path}"] for path in ("exposure.type", "target.ra")] == ["NRC_TACQ", 1.25]
    again = tmp_path / "jw01024001001_02101_00003_nrca1_cal.fits"
    asked_of_jwst("again", tmp_path / name, again)
    with fits.open(again) as hdus:
        assert hdus[0].header["MINE"] == 3
        np.testing.assert_array_equal(hdus["MYIMAGE"].data, np.arange(6.0).reshape(2, 3))
        assert hdus["MYTABLE"].data["b"].tolist() == [1.5, 2.5]


def test_what_stdatamodels_saves_again_is_what_it_was(tmp_path):
    product = open_jwst(jwst_files.written(tmp_path, "rateints", tree={"meta": {"only_here": {"deep": 2.5}}}))
    out = tmp_path / "jw01024001001_02101_00002_nrca1_rateints.fits"
    asked_of_jwst("again", product.path, out)
    again = open_jwst(out)
    assert held(again) == held(product) and again.value("only_here.deep") == 2.5
    for name in ("meta.exposure.type", "SUBSTRT1", "BUNIT", "target.ra"):
        assert again.value(name) == product.value(name)


@pytest.mark.parametrize("suffix", ["phot", "whtlt"])  # catalogs have positions as the mission's have them
def test_astropy_reads_tables_of_plain_yaml(tmp_path, suffix):
    path = jwst_files.written(tmp_path, suffix)
    table, (given,) = Table.read(path, format="ascii.ecsv"), jwst_files.data_of(suffix)
    assert table.colnames == given.data.colnames and table.meta["exposure"] == jwst_files.METADATA["exposure"]
    for name in table.colnames:
        np.testing.assert_array_equal(table[name], given.data[name])
        assert table[name].unit == given.data[name].unit
    text = path.read_text()
    assert "!!python" not in text and "!numpy" not in text and "__serialized_columns__" not in text
