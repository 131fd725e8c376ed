"""What every product and reference file holds: declarative access to products.json.

Kinds are the keys of ``products`` there (``l1_uncal``, ``ramp``, ``l2_image``, ``wcs``, ``l1_gw`` …),
``reference/TYPE`` for reference files, and the keys of ``others`` for ASDF files that are not a Roman product:
``truth`` of rt-sim, and ``other``.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

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
    "image_defaults",
    "is_product",
    "kind_of_tree",
    "model",
    "reference_kind",
    "required_metadata",
    "suffixes",
]

PROFILES = ("1.5.0", "2.0.0", "2.1.0", "2.2.0")
"""Generations of the schemas that are written, oldest first."""

DEFAULT_PROFILE = "2.1.0"

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
    columns : tuple of str
        Names of what stands beside each other along the last axis; empty where that is an axis of its own.
    """

    path: str
    dtype: str
    ndim: int
    shape: tuple[int | str, ...]
    unit: str | list[str] | None
    required: bool
    columns: tuple[str, ...] = ()

    @property
    def listed(self) -> bool:
        """Whether it is a list in the tree and no array."""
        return self.dtype.endswith("[]")


@dataclass(frozen=True)
class MetadataField:
    """One metadata field: dotted path below ``meta``, type letters as products.json, whether required."""

    path: str
    type: str
    required: bool
    rule: dict[str, Any]


@cache
def facts() -> dict[str, Any]:
    """products.json as it is.

    Returns
    -------
    dict
        The parsed file, read once; not to be changed.
    """
    return json.loads(Path(__file__).with_name("products.json").read_text(encoding="utf-8"))


def check_profile(profile):
    """Return `profile`, or raise UsageError."""
    if profile not in PROFILES:
        raise UsageError(f"no profile is called {profile}", mend=f"there are {' '.join(PROFILES)}")
    return profile


def entry_of(kind):
    """What products.json says of a kind; UsageError if there is none."""
    if kind.startswith("reference/"):
        entry = facts()["references"].get(kind.partition("/")[2])
    else:
        entry = facts()["products"].get(kind) or facts()["others"].get(kind)
    if entry is None:
        raise UsageError(f"no product is called {kind}")
    return entry


def reference_kind(reftype: object) -> str:
    """Kind of a reference type as `meta.reftype` or `meta.ref_file` names it (any case).

    Parameters
    ----------
    reftype : object
        Reference type in any case, a text or what says it as one.

    Returns
    -------
    str
        ``reference/TYPE``, in lower case.

    Raises
    ------
    UsageError
        There is no such reference type.
    """
    kind = f"reference/{str(reftype).lower()}"
    entry_of(kind)
    return kind


def kind_of_tree(tree: Iterable[str]) -> str:
    """Kind of the root of a tree that is not a Roman product: ``truth``, ``jwst`` (made by rt-fits) or ``other``.

    Parameters
    ----------
    tree : iterable of str
        The tree below the root of the file; only its keys count.

    Returns
    -------
    str
        The word.
    """
    found = set(tree)
    return "truth" if found >= TRUTH_KEYS else "jwst" if "jwst" in found else "other"


def is_product(kind: str) -> bool:
    """Whether a kind is that of a Roman product or reference file.

    Parameters
    ----------
    kind : str
        As `kind_of` or `kind_of_tree` gives it.

    Returns
    -------
    bool
        False for ``truth``, ``other`` and the like.
    """
    return kind not in facts()["others"]


def model(kind: str) -> str | None:
    """Name of the data model, for `meta.model_type`; None of what is not a Roman product.

    Parameters
    ----------
    kind : str
        Key of a product, or ``reference/TYPE``.

    Returns
    -------
    str or None
        As roman_datamodels calls it.

    Raises
    ------
    UsageError
        There is no such kind.
    """
    return entry_of(kind).get("model")


def suffixes(kind: str) -> tuple[str, ...]:
    """Suffixes of file names of a product.

    Parameters
    ----------
    kind : str
        Key of a product, or ``reference/TYPE``.

    Returns
    -------
    tuple of str
        Without underscore and extension.

    Raises
    ------
    UsageError
        There is no such kind.
    """
    return tuple(entry_of(kind).get("suffixes", ()))


@cache
def arrays(kind: str, profile: str = DEFAULT_PROFILE) -> dict[str, Array]:
    """Arrays of a product in a profile.

    Parameters
    ----------
    kind : str
        Key of a product, or ``reference/TYPE``.
    profile : str
        One of `PROFILES`.

    Returns
    -------
    dict of str to Array
        By dotted path below ``roman``, in the order of the schema; not to be changed.

    Raises
    ------
    UsageError
        There is no such kind or profile.
    """
    check_profile(profile)
    found = {}
    for entry in entry_of(kind)["arrays"]:
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
        shape, columns = tuple(entry["shape"]), tuple(entry.get("columns", ()))
        found[entry["path"]] = Array(entry["path"], dtype, entry["ndim"], shape, entry.get("unit"), required, columns)
    return found


def dtypes(kind: str, profile: str = DEFAULT_PROFILE) -> dict[str, str]:
    """Dtype of each array of a product, by path; lists in the tree left out.

    Parameters
    ----------
    kind : str
        Key of a product, or ``reference/TYPE``.
    profile : str
        One of `PROFILES`.

    Returns
    -------
    dict of str to str
        Names that numpy knows.

    Raises
    ------
    UsageError
        There is no such kind or profile.
    """
    names = {"bool8": "bool"}
    found = arrays(kind, profile).items()
    return {path: names.get(array.dtype, array.dtype) for path, array in found if not array.listed}


def blocks(kind: str) -> tuple[tuple[str, str, bool], ...]:
    """Metadata blocks of a product: (block name, key below ``meta`` or "", required).

    Parameters
    ----------
    kind : str
        Key of a product, or ``reference/TYPE``.

    Returns
    -------
    tuple of (str, str, bool)
        One item for each block, in the order of products.json.

    Raises
    ------
    UsageError
        There is no such kind.
    """
    return tuple((entry["block"], entry.get("under", ""), entry["required"]) for entry in entry_of(kind)["meta"])


def fields(kind: str, profile: str = DEFAULT_PROFILE) -> list[MetadataField]:
    """Every metadata field of a product.

    Parameters
    ----------
    kind : str
        Key of a product, or ``reference/TYPE``.
    profile : str
        One of `PROFILES`; fields that came later are left out.

    Returns
    -------
    list of MetadataField
        `required` is that of the field inside its block, and the block's own.

    Raises
    ------
    UsageError
        There is no such kind or profile.
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


def required_metadata(kind: str, profile: str = DEFAULT_PROFILE) -> list[str]:
    """Dotted paths of the metadata that the schema requires.

    Parameters
    ----------
    kind : str
        Key of a product, or ``reference/TYPE``.
    profile : str
        One of `PROFILES`.

    Returns
    -------
    list of str
        Paths below ``meta``.

    Raises
    ------
    UsageError
        There is no such kind or profile.
    """
    return [field.path for field in fields(kind, profile) if field.required]


def image_defaults() -> dict[str, Any]:
    """Metadata blocks that an L2 image has and a ramp has not, when nothing is known.

    Returns
    -------
    dict
        Block to its keys and values, new on each call.
    """
    nothing = dict.fromkeys(("conversion_megajanskys", "conversion_megajanskys_uncertainty", "pixel_area"))
    return {
        "background": dict(facts()["writer_defaults"]["background"]),
        "outlier_detection": {"good_bits": FILL_STRING},
        "photometry": nothing,
        "source_catalog": {"tweakreg_catalog_name": FILL_STRING},
    }
