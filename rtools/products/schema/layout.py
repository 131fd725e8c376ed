"""What every product and reference file holds: declarative access to products.json.

Kinds are the keys of ``products`` there (``l1_uncal``, ``ramp``, ``l2_image``, ``wcs``, ``l1_gw`` …),
``reference/TYPE`` for reference files, and the keys of ``others`` for ASDF files that are not a Roman product:
``truth`` of rt-sim, and ``other``.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rtools.errors import UsageError
from rtools.wfi.fill import FILL_STRING

__all__ = [
    "PROFILES",
    "Array",
    "MetadataField",
    "arrays",
    "blocks",
    "dtypes",
    "facts",
    "fields",
    "has",
    "image_defaults",
    "is_product",
    "kind_of",
    "kind_of_tree",
    "manifest_of",
    "model",
    "reference_kind",
    "required_metadata",
    "suffixes",
    "tag",
]

PROFILES = ("1.5.0", "2.0.0", "2.1.0", "2.2.0")
"""Generations of the schemas that are written, oldest first."""

DEFAULT_PROFILE = "2.1.0"

OLD_NAMES = {"ramp_fit_output": "ramp", "guidewindow": "l1_gw", "fps": "fps", "tvac": "tvac"}
"""Schema names that are in no profile."""

TRUTH_KEYS = {"rate", "cosmic_rays", "simulation"}
"""What the tree of a truth of rt-sim has at its root."""


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
        Number of axes.
    shape : tuple
        Lengths, or letters explained in ``facts()["dims"]``.
    unit : str or list or None
        One, or those before and after the step flux.
    required : bool
        By the schema of the profile.
    """

    path: str
    dtype: str
    ndim: int
    shape: tuple
    unit: str | list[str] | None
    required: bool

    @property
    def listed(self):
        """Whether it is a list in the tree and no array."""
        return self.dtype.endswith("[]")


@dataclass(frozen=True)
class MetadataField:
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
        entry = facts()["products"].get(kind) or facts()["others"].get(kind)
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
    found = _entry(kind).get("tag", {})
    if isinstance(found, dict):
        if profile not in found:
            raise UsageError(f"profile {profile} has no {kind}")
        return found[profile]
    since = _entry(kind).get("since_profile", "")
    if profile < since or (since and profile == "1.5.0"):
        raise UsageError(f"profile {profile} has no {kind}")
    return found if profile >= DEFAULT_PROFILE else _manifest_tag(found, profile)


def has(profile, kind):
    """Whether a profile has a product."""
    try:
        return bool(tag(kind, profile))
    except UsageError:
        return False


def _manifest_tag(newest, profile):
    """Tag of a reference file in an older manifest."""
    wanted = newest.rpartition("-")[0] + "-"
    for uri in _manifests()[f"datamodels-{profile}"]:
        if uri.startswith(wanted) and uri[len(wanted)].isdigit():
            return uri
    raise UsageError(f"profile {profile} has no {wanted.rpartition('/')[2][:-1]} reference files")


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
    found: dict[str, str] = {}
    for kind, entry in facts()["products"].items():
        found |= {_schema(uri)[0]: kind for uri in entry["tag"].values()}
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
        Tag of the root of a tree.

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
        return kind, _reference_profile(_entry(kind), version)
    tags = facts()["products"][kind]["tag"]
    having = [profile for profile in PROFILES if profile in tags] or [PROFILES[0]]
    return kind, next((profile for profile in having if version <= _schema(tags.get(profile, uri))[1]), having[-1])


def _reference_profile(entry, version):
    """Nearest profile of a reference file; the tags of most are the same in all but the oldest."""
    if version < (2,):
        return PROFILES[0]
    return entry.get("since_profile") or (PROFILES[1] if version < _schema(entry["tag"])[1] else DEFAULT_PROFILE)


def kind_of_tree(tree):
    """Kind of the root of a tree that is not a Roman product: ``truth`` or ``other``."""
    return "truth" if set(tree) >= TRUTH_KEYS else "other"


def is_product(kind):
    """Whether a kind is that of a Roman product or reference file."""
    return kind not in facts()["others"]


def model(kind):
    """Name of the data model, for `meta.model_type`; None of what is not a Roman product."""
    return _entry(kind).get("model")


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
    list of MetadataField
        `required` is that of the field inside its block, and the block's own.
    """
    check_profile(profile)
    listed = []
    for block, under, needed in blocks(kind):
        for rule in facts()["meta_blocks"][block]:
            if profile < rule.get("since_profile", ""):
                continue
            path = f"{under}.{rule['path']}" if under else rule["path"]
            listed.append(MetadataField(path, rule["type"], needed and not rule.get("optional", False), rule))
    return listed


def required_metadata(kind, profile=DEFAULT_PROFILE):
    """Dotted paths of the metadata that the schema requires."""
    return [field.path for field in fields(kind, profile) if field.required]


def image_defaults():
    """Metadata blocks that an L2 image has and a ramp has not, when nothing is known."""
    nothing = dict.fromkeys(("conversion_megajanskys", "conversion_megajanskys_uncertainty", "pixel_area"))
    return {
        "background": dict(facts()["writer_defaults"]["background"]),
        "outlier_detection": {"good_bits": FILL_STRING},
        "photometry": nothing,
        "source_catalog": {"tweakreg_catalog_name": FILL_STRING},
    }
