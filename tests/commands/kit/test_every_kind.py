"""All that roman_datamodels can make, and files that are no product, in every tool that looks at files."""

import asdf
import numpy as np
import pytest

from rtools.products.io import open_product
from rtools.products.schema import layout
from tests.support import judges
from tests.support.runs import tool

pytestmark = pytest.mark.slow

CATALOGS = {
    "ForcedImageSourceCatalogModel": "cat_forced_exposure",
    "ForcedMosaicSourceCatalogModel": "cat_forced_mosaic",
    "ImageSourceCatalogModel": "cat_exposure",
    "MosaicSourceCatalogModel": "cat_mosaic",
    "MultibandSourceCatalogModel": "cat_multiband",
    "TimeDomainSourceCatalogModel": "cat_time_domain",
}
GUIDING = ("L1DetectorGuidewindowModel", "L1FaceGuidewindowModel")
"""Models that are series, which are tables, too."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Name of each model to the path of a file of it."""
    directory = tmp_path_factory.mktemp("made")
    names = judges.asked("1.2.0", "products", directory)
    assert len(names) == 45
    return {name: directory / f"{name}.asdf" for name in names}


@pytest.fixture
def plain(tmp_path):
    """An ASDF file that is not a Roman product."""
    tree = {"lamp": "blue", "inner": {"data": np.arange(6.0).reshape(2, 3)}}
    asdf.AsdfFile(tree).write_to(tmp_path / "plain.asdf")
    return tmp_path / "plain.asdf"


@pytest.mark.judges
def test_no_kind_of_product_is_unknown(made, capsys):
    for name, path in made.items():
        with open_product(path) as product:
            kind = f"reference/{product.reftype}" if product.reftype else product.kind
            assert layout.is_product(kind)
            old = {"RampFitOutputModel": "RampModel", "GuidewindowModel": "L1DetectorGuidewindowModel"}
            assert layout.model(kind) == old.get(name, name)
        for words in (["info"], ["info", "--json"], ["get", "meta"], ["stat"], ["diff", path]):
            assert tool(*words, path) == 0, (name, words)
        assert tool("validate", path) in (0, 1)  # what is made up may be wrong, but it is looked at
        said = capsys.readouterr().err
        assert not [line for line in said.splitlines() if "unknown" in line or "internal" in line], name


@pytest.mark.judges
def test_catalogs_in_asdf_files_are_tables(made, tmp_path, capsys):
    refused = ""
    for name, path in made.items():
        assert tool("table", path, "-o", tmp_path / f"{name}_cat.parquet") == (
            0 if name in (*CATALOGS, *GUIDING) else 3
        )
        if name in (*CATALOGS, *GUIDING):
            assert tool("info", tmp_path / f"{name}_cat.parquet") == 0
            said = capsys.readouterr()
            refused += said.err
            assert name in GUIDING or f"{CATALOGS[name]}, L4 (parquet)" in said.out
    assert "ImageModel.asdf: not a catalog: its product is l2_image" in refused
    for path in (tmp_path / "TimeDomainSourceCatalogModel_cat.parquet", made["TimeDomainSourceCatalogModel"]):
        assert tool("validate", path) in (0, 1)  # of what is made up numbers may be none
        assert "column" not in capsys.readouterr().out


@pytest.mark.judges
def test_a_column_that_a_time_domain_catalog_lacks(made, tmp_path, capsys):
    path = tmp_path / "x_cat.parquet"
    with open_product(made["TimeDomainSourceCatalogModel"]) as product:
        columns = product.node("source_catalog").colnames
    kept = ",".join(name for name in columns if name != "psf_gof")
    assert tool("table", made["TimeDomainSourceCatalogModel"], "--columns", kept, "-o", path) == 0
    assert tool("validate", path) == 1
    assert "psf_gof\tcolumn missing" in capsys.readouterr().out


def test_the_tree_of_a_file_that_is_no_product(plain, capsys):
    assert tool("info", plain) == 0
    said = capsys.readouterr().out
    assert "not a Roman product" in said and "lamp: blue" in said
    assert "inner.data  float64  2x3" in said
    assert tool("get", "lamp", plain) == 0
    assert tool("stat", plain, "--stat", "mean") == 0
    assert tool("diff", plain, plain) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == ["blue", f"{plain}\tinner.data\t-\t2.5"]
    assert tool("validate", plain) == 1
    assert "not a Roman product: an ASDF file without a roman tree" in capsys.readouterr().out


def test_tools_of_products_refuse_what_is_none(plain, tmp_path, capsys):
    for name, *words in (["cut", "--section", "0:1,0:1"], ["set", "lamp=red"], ["fits"], ["run"]):
        assert tool(name, plain, *words, "--outdir", tmp_path / "out") == 3
        assert "not a Roman product" in capsys.readouterr().err
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_tag_that_nobody_knows(tmp_path, capsys):
    tag = "asdf://stsci.edu/datamodels/roman/tags/tomorrow-1.0.0"
    path = tmp_path / "x.asdf"
    asdf.AsdfFile({"roman": asdf.tagged.TaggedDict({"meta": {"a": 1}}, tag)}).write_to(path)
    assert tool("info", path) == 0
    assert "a: 1" in capsys.readouterr().out
    assert tool("validate", path) == 1
    assert f"an unknown kind of product (tag {tag})" in capsys.readouterr().out


def test_the_truth_of_a_simulation_is_known(tmp_path, capsys):
    name = "r0000101001001001001_0001_wfi01_f158_uncal.asdf"
    assert tool("sim", name, "--size", 256, "--read-pattern", "1;2;3", "--outdir", tmp_path, "-q") == 0
    truth = tmp_path / name.replace("_uncal", "_truth")
    capsys.readouterr()
    assert tool("info", truth) == 0
    said = capsys.readouterr().out
    assert "truth of an rt-sim exposure" in said and "DN/s" in said
    assert tool("validate", truth, "--strict") == 0
    assert tool("get", "unit", truth) == 0
    assert tool("stat", truth, "--stat", "pixels") == 0
    assert tool("diff", truth, truth) == 0
    assert capsys.readouterr().out.splitlines() == ["DN / s", f"{truth}\trate\t-\t{248 * 248}"]
    assert tool("run", truth) == 3
    assert "the truth of an rt-sim exposure" in capsys.readouterr().err
