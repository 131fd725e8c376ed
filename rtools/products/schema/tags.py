"""Tags of the roots of trees: which one a product has in a profile, and of which product and profile one is.

Tags of reference files in older profiles are looked up in the manifests of the installed rad.
"""

import re
from functools import cache

from rtools.errors import UsageError
from rtools.products.schema import layout

__all__ = ["has", "kind_of", "manifest_of", "tag"]

OLD_NAMES = {"ramp_fit_output": "ramp", "guidewindow": "l1_gw", "fps": "fps", "tvac": "tvac"}
"""Schema names that are in no profile."""


def tag(kind: str, profile: str) -> str:
    """Full tag of a product's root.

    Parameters
    ----------
    kind : str
        Key of a product, or ``reference/TYPE``.
    profile : str
        One of `layout.PROFILES`.

    Returns
    -------
    str
        URI with its version.

    Raises
    ------
    UsageError
        The profile does not have this product, or one of the two names does not exist.
    """
    layout.check_profile(profile)
    found = layout.entry_of(kind).get("tag", {})
    if isinstance(found, dict):
        if profile not in found:
            raise UsageError(f"profile {profile} has no {kind}")
        return found[profile]
    since = layout.entry_of(kind).get("since_profile", "")
    if profile < since or (since and profile == "1.5.0"):
        raise UsageError(f"profile {profile} has no {kind}")
    return found if profile >= layout.DEFAULT_PROFILE else _manifest_tag(found, profile)


def has(profile: str, kind: str) -> bool:
    """Whether a profile has a product.

    Parameters
    ----------
    profile : str
        One of `layout.PROFILES`.
    kind : str
        Key of a product, or ``reference/TYPE``.

    Returns
    -------
    bool
        False for a product or a profile that does not exist, too.
    """
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


def manifest_of(uri: str) -> str | None:
    """Name of the oldest manifest that has a tag, ``datamodels-2.1.0``; None if none has.

    Parameters
    ----------
    uri : str
        Full tag.

    Returns
    -------
    str or None
        Its last component.
    """
    return next((name for name, tags in _manifests().items() if uri in tags), None)


@cache
def _kinds():
    """Schema name of the tag to kind."""
    found: dict[str, str] = {}
    for kind, entry in layout.facts()["products"].items():
        found |= {_schema(uri)[0]: kind for uri in entry["tag"].values()}
    for name, entry in layout.facts()["references"].items():
        found[_schema(entry["tag"])[0]] = f"reference/{name}"
    return found


def _schema(uri):
    """(schema name, version tuple) of a tag."""
    name, _, version = uri.rpartition("/tags/")[2].rpartition("-")
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    return name, numbers


def kind_of(uri: str | None) -> tuple[str | None, str]:
    """Kind and profile of a root tag, whatever its version.

    Parameters
    ----------
    uri : str or None
        Tag of the root of a tree; None or empty where it has none.

    Returns
    -------
    (str or None, str)
        Kind, None for a tag that belongs to no product; and the nearest profile.
    """
    name, version = _schema(uri or "")
    name = name.removeprefix("fps/").removeprefix("tvac/")
    kind = _kinds().get(name, OLD_NAMES.get(name))
    if kind is None or "roman" not in (uri or ""):
        return None, layout.DEFAULT_PROFILE
    if kind.startswith("reference/"):
        return kind, _reference_profile(layout.entry_of(kind), version)
    tags = layout.facts()["products"][kind]["tag"]
    having = [profile for profile in layout.PROFILES if profile in tags] or [layout.PROFILES[0]]
    return kind, next((profile for profile in having if version <= _schema(tags.get(profile, uri))[1]), having[-1])


def _reference_profile(entry, version):
    """Nearest profile of a reference file; the tags of most are the same in all but the oldest."""
    if version < (2,):
        return layout.PROFILES[0]
    return entry.get("since_profile") or (
        layout.PROFILES[1] if version < _schema(entry["tag"])[1] else layout.DEFAULT_PROFILE
    )
