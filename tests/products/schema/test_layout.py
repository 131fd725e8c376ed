"""products.json against the installed RAD, and what `layout` makes of it."""

import posixpath
import re
from functools import cache
from importlib.resources import files

import numpy as np
import pytest
import yaml

from rtools.errors import UsageError
from rtools.products.schema import layout, tags
from rtools.wfi import dq

KINDS = [kind for kind in layout.facts()["products"] if not kind.startswith("cat_")]  # catalogues are parquet files
REFERENCES = [f"reference/{name}" for name in layout.facts()["references"]]


class Loader(yaml.CSafeLoader):
    """Schemas, their few tags ignored."""


@cache
def load(uri):
    name = f"resources/schemas/{uri.partition('/schemas/')[2]}.yaml"
    return yaml.load((files("rad") / name).read_text(encoding="utf-8"), Loader=Loader)


def rad_arrays(node, uri, path="", found=None, required=()):
    """Dotted path to (datatype, ndim, required) of every array below a schema node, metadata left out."""
    found = {} if found is None else found
    if "$ref" in node:
        target = node["$ref"]
        if not target.startswith("asdf://"):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(uri[7:]), target))
            target = f"asdf://{target}"
        return rad_arrays(load(target), target, path, found, required)
    for part in [*node.get("allOf", []), *node.get("anyOf", []), *node.get("oneOf", [])]:
        rad_arrays(part, uri, path, found, required)
    if "core/ndarray" in str(node.get("tag", "")) and "datatype" in node:
        found[path] = (node["datatype"], node.get("ndim"), path.rpartition(".")[2] in required)
    for key, child in node.get("properties", {}).items():
        if path or key != "meta":
            rad_arrays(child, uri, f"{path}.{key}".lstrip("."), found, node.get("required", ()))
    return found


def schema_uri(tag):
    name = tags.manifest_of(tag)
    text = (files("rad") / f"resources/manifests/{name}.yaml").read_text(encoding="utf-8")
    return re.search(rf"tag_uri: {re.escape(tag)}\n\s+schema_uri: (\S+)", text)[1]


def known(kind, profile):
    try:
        return tags.tag(kind, profile)
    except UsageError:
        return None


@pytest.mark.parametrize("profile", layout.PROFILES)
@pytest.mark.parametrize("kind", [*KINDS, *REFERENCES])
def test_arrays_are_those_of_rad(kind, profile):
    tag = known(kind, profile)
    if tag is None:
        assert profile != "2.2.0" or kind in ("fps", "tvac")
        return
    rad = rad_arrays(load(schema_uri(tag)), schema_uri(tag))
    ours = layout.arrays(kind, profile)
    dtypes = layout.dtypes(kind, profile)
    for path, (datatype, ndim, required) in rad.items():
        if isinstance(datatype, list) and isinstance(datatype[0], dict):
            continue  # tables
        if path not in ours:
            assert not required or kind.startswith("reference/"), path  # arrays inside lists of tables
            continue
        name = f"U{datatype[1]}" if isinstance(datatype, list) else "bool" if datatype == "bool8" else datatype
        assert dtypes[path] == name, path
        assert ours[path].ndim == ndim, path
        if "." not in path:
            assert ours[path].required == required or path == "var_rnoise", path
    extra = {path for path, array in ours.items() if not array.listed} - set(rad)
    assert extra <= ({"dq"} if kind == "l3_coadd" else {"jump_indices"})  # flags of a mosaic as romancal writes them


def test_profiles_differ_as_described():
    dtypes = {profile: layout.dtypes("l2_image", profile) for profile in layout.PROFILES}
    assert dtypes["1.5.0"]["err"] == "float32"
    assert dtypes["2.1.0"]["err"] == "float16"
    assert "chisq" not in dtypes["1.5.0"]
    assert {"chisq", "dumo"} <= set(dtypes["2.1.0"])
    assert set(dtypes["2.2.0"]) - set(dtypes["2.1.0"]) == {"dq2"}
    assert layout.arrays("l2_image", "1.5.0")["var_rnoise"].required


def test_unknown_words_are_refused():
    with pytest.raises(UsageError, match=r"no profile is called 3\.0\.0"):
        layout.arrays("ramp", "3.0.0")
    with pytest.raises(UsageError, match="no product is called l9"):
        tags.tag("l9", "2.1.0")
    with pytest.raises(UsageError, match="no product is called reference/xyz"):
        layout.reference_kind("xyz")
    with pytest.raises(UsageError, match=r"profile 2\.1\.0 has no reference/bam"):
        tags.tag("reference/bam", "2.1.0")


def test_every_intermediate_has_a_product():
    for entry in layout.facts()["intermediates"]:
        assert entry["suffix"] in layout.suffixes(entry["product"])


def test_dq_bits_are_those_of_the_mission():
    assert dq.PIXEL["REFERENCE_PIXEL"] == 1 << 31
    assert dq.PIXEL["NO_GAIN_VALUE"] == 524288
    assert dq.PIXEL["TELEGRAPH"] == 32768
    assert len(dq.PIXEL) == 31
    assert len(set(dq.PIXEL.values())) == 31
    assert dq.names(1 | 4 | 1 << 14) == ["DO_NOT_USE", "JUMP_DET", "BIT_14"]
    assert dq.names(np.uint32(2**31)) == ["REFERENCE_PIXEL"]
    assert dq.names(128, dq.GROUP) == ["WFI18_TRANSIENT"]
    assert dq.names(0) == []
    assert dq.value("saturated|HOT, 16") == 2 | 2048 | 16
    assert dq.value("GOOD") == 0
    assert dq.value("BIT_14") == 16384
    for name, bit in dq.PIXEL.items():
        assert dq.value(name) == bit
        assert dq.names(bit) == [name]
    with pytest.raises(UsageError, match="no DQ flag is called 'WARMISH'"):
        dq.value("HOT|WARMISH")
