"""What every product and reference file holds: declarative access to products.json.

Kinds are the keys of ``products`` there (``l1_uncal``, ``ramp``, ``l2_image``, ``wcs``, ``l1_gw`` …) and
``reference/TYPE`` for reference files.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rtools.errors import UsageError

__all__ = [
    "PROFILES",
    "Array",
    "Field",
    "arrays",
    "blocks",
    "dtypes",
    "facts",
    "fields",
    "image_defaults",
    "kind_of",
    "manifest_of",
    "model",
    "reference_kind",
    "required_metadata",
    "suffixes",
    "tag",
]

PROFILES = ("1.5.0", "2.1.0", "2.2.0")
"""Generations of the schemas that are written, oldest first."""

DEFAULT_PROFILE = "2.1.0"

OLD_NAMES = {"ramp_fit_output": "ramp", "msos_stack": None, "associations": None, "guidewindow": "l1_gw"}
"""Schema names that no longer exist."""


@dataclass(frozen=True)
class Array:
    """One array of a product.

    Attributes
    ----------
    path : str
        Dotted, below ``roman``.
    dtype : str
        numpy name; ``time[]`` and ``string[]`` are lists in the tree.
    ndim : int
    shape : tuple
        Lengths, or letters explained in ``facts()["dims"]``.
    unit : str or list or None
    required : bool
        By the schema of the profile.
    """

    path: str
    dtype: str
    ndim: int
    shape: tuple
    unit: object
    required: bool

    @property
    def listed(self):
        """Whether it is a list in the tree and no array."""
        return self.dtype.endswith("[]")


@dataclass(frozen=True)
class Field:
    """One metadata field: dotted path below ``meta``, type letters as products.json, whether required."""

    path: str
    type: str
    required: bool
    rule: dict


@cache
def facts():
    """products.json as it is."""
    return json.loads(Path(__file__).with_name("products.json").read_text(encoding="utf-8"))


def check_profile(profile):
    """Return `profile`, or raise UsageError."""
    if profile not in PROFILES:
        raise UsageError(f"no profile is called {profile}", mend=f"there are {' '.join(PROFILES)}")
    return profile


def _entry(kind):
    if kind.startswith("reference/"):
        entry = facts()["references"].get(kind.partition("/")[2])
    else:
        entry = facts()["products"].get(kind)
    if entry is None:
        raise UsageError(f"no product is called {kind}")
    return entry


def reference_kind(reftype):
    """Kind of a reference type as `meta.reftype` or `meta.ref_file` names it (any case)."""
    kind = f"reference/{str(reftype).lower()}"
    _entry(kind)
    return kind


def tag(kind, profile):
    """Full tag of a product's root.

    Raises
    ------
    UsageError
        The profile does not have this product.
    """
    check_profile(profile)
    found = _entry(kind)["tag"]
    if isinstance(found, dict):
        if profile not in found:
            raise UsageError(f"profile {profile} has no {kind}")
        return found[profile]
    since = _entry(kind).get("since_profile", "")
    if profile < since or (since and profile == "1.5.0"):
        raise UsageError(f"profile {profile} has no {kind}")
    return found if profile != "1.5.0" else _manifest_tag(found)


def _manifest_tag(newest):
    """Tag of a reference file in manifest 1.5.0, where each schema has a version of its own."""
    wanted = newest.rpartition("-")[0] + "-"
    for uri in _manifests()["datamodels-1.5.0"]:
        if uri.startswith(wanted) and uri[len(wanted)].isdigit():
            return uri
    raise UsageError(f"profile 1.5.0 has no {wanted.rpartition('/')[2][:-1]} reference files")


@cache
def _manifests():
    """Name of each manifest of the installed rad, oldest first, and the tags in it."""
    from importlib.resources import files

    found = {}
    for file in (files("rad") / "resources" / "manifests").iterdir():
        if file.name.endswith(".yaml"):
            tags = re.findall(r"^ *-? *tag_uri: *(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
            found[file.name.removesuffix(".yaml")] = tuple(tags)
    return dict(sorted(found.items(), key=lambda item: _schema(f"/tags/{item[0]}")))


def manifest_of(uri):
    """Name of the oldest manifest that has a tag, ``datamodels-2.1.0``; None if none has."""
    return next((name for name, tags in _manifests().items() if uri in tags), None)


@cache
def _kinds():
    """Schema name of the tag to kind."""
    found = {}
    for kind, entry in facts()["products"].items():
        found[_schema(entry["tag"][DEFAULT_PROFILE])[0]] = kind
    for name, entry in facts()["references"].items():
        found[_schema(entry["tag"])[0]] = f"reference/{name}"
    return found


def _schema(uri):
    """(schema name, version tuple) of a tag."""
    name, _, version = uri.rpartition("/tags/")[2].rpartition("-")
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    return name, numbers


def kind_of(uri):
    """Kind and profile of a root tag, whatever its version.

    Parameters
    ----------
    uri : str

    Returns
    -------
    (kind, profile) : (str or None, str)
        kind is None for a tag that belongs to no product; profile is the nearest one.
    """
    name, version = _schema(uri or "")
    name = name.removeprefix("fps/").removeprefix("tvac/")
    kind = _kinds().get(name, OLD_NAMES.get(name))
    if kind is None or "roman" not in uri:
        return None, DEFAULT_PROFILE
    if kind.startswith("reference/"):
        return kind, "1.5.0" if version < (2,) else DEFAULT_PROFILE
    tags = facts()["products"][kind]["tag"]
    if "1.5.0" in tags and version <= _schema(tags["1.5.0"])[1]:
        return kind, "1.5.0"
    return kind, DEFAULT_PROFILE if version <= _schema(tags[DEFAULT_PROFILE])[1] else "2.2.0"


def model(kind):
    """Name of the data model, for `meta.model_type`."""
    return _entry(kind)["model"]


def suffixes(kind):
    """Suffixes of file names of a product."""
    return tuple(_entry(kind).get("suffixes", ()))


@cache
def arrays(kind, profile=DEFAULT_PROFILE):
    """Arrays of a product in a profile.

    Returns
    -------
    dict of str to Array
    """
    check_profile(profile)
    found = {}
    for entry in _entry(kind)["arrays"]:
        since = entry.get("since_profile", "")
        seed = profile == "1.5.0" and kind == "l2_image"
        only = entry.get("only_profile", profile)
        if profile < since or profile != only or (seed and entry["path"] in ("chisq", "dumo")):
            continue
        dtype, required = entry["dtype"], entry["rad_required"]
        if isinstance(dtype, list):
            dtype = f"U{dtype[1]}"
        if seed and dtype == "float16":
            dtype = "float32"
        if seed and entry["path"] == "var_rnoise":
            required = True
        found[entry["path"]] = Array(
            entry["path"], dtype, entry["ndim"], tuple(entry["shape"]), entry.get("unit"), required
        )
    return found


def dtypes(kind, profile=DEFAULT_PROFILE):
    """Dtype of each array of a product, by path; lists in the tree left out."""
    names = {"bool8": "bool"}
    found = arrays(kind, profile).items()
    return {path: names.get(array.dtype, array.dtype) for path, array in found if not array.listed}


def blocks(kind):
    """Metadata blocks of a product: (block name, key below ``meta`` or "", required)."""
    return tuple((entry["block"], entry.get("under", ""), entry["required"]) for entry in _entry(kind)["meta"])


def fields(kind, profile=DEFAULT_PROFILE):
    """Every metadata field of a product.

    Returns
    -------
    list of Field
        `required` is that of the field inside its block, and the block's own.
    """
    check_profile(profile)
    listed = []
    for block, under, needed in blocks(kind):
        for rule in facts()["meta_blocks"][block]:
            if profile < rule.get("since_profile", ""):
                continue
            path = f"{under}.{rule['path']}" if under else rule["path"]
            listed.append(Field(path, rule["type"], needed and not rule.get("optional", False), rule))
    return listed


def required_metadata(kind, profile=DEFAULT_PROFILE):
    """Dotted paths of the metadata that the schema requires."""
    return [field.path for field in fields(kind, profile) if field.required]


def image_defaults():
    """Metadata blocks that an L2 image has and a ramp has not, when nothing is known."""
    nothing = dict.fromkeys(("conversion_megajanskys", "conversion_megajanskys_uncertainty", "pixel_area"))
    return {
        "background": dict(facts()["writer_defaults"]["background"]),
        "outlier_detection": {"good_bits": "?"},
        "photometry": nothing,
        "source_catalog": {"tweakreg_catalog_name": "?"},
    }
