"""Association files: what an ``_asn.json`` says of its products and members; made, written, read, checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.errors import InputError, RtoolsError
from rtools.products.schema.yamltext import bounded

if TYPE_CHECKING:
    from rtools.products.io.staging import Stage

__all__ = [
    "WCS_INFO",
    "Association",
    "AssociationMember",
    "content_of",
    "is_product_name",
    "make_association",
    "problems",
    "read_association",
    "science_members",
    "stage_association",
    "tweakreg_catalogs",
]

NONE = "None"
"""What stands for no target in files of the archive."""

WCS_INFO = (
    "name", "pixel_scale", "ra_projection_center", "dec_projection_center", "x0_projection", "y0_projection",
    "ra_center", "dec_center", "nx", "ny", "orientat", "orientat_projection_center",
)  # fmt: skip
"""Keys of `skycell_wcs_info`."""


class AssociationMember(NamedTuple):
    """A member of a product.

    Attributes
    ----------
    path : str
        Its file: next to the association unless absolute.
    exptype : str
        In lower case.
    group_id : str or None
        Exposure that it belongs to, where the association says it.
    tweakreg_catalog : str or None
        Path of its catalog, where the association says it.
    sed_weight : float
        Of a mosaic in the detection image of a multiband catalog.
    """

    path: str
    exptype: str = "science"
    group_id: str | None = None
    tweakreg_catalog: str | None = None
    sed_weight: float = 1.0


class Association(NamedTuple):
    """What an association says.

    Attributes
    ----------
    path : str
        The file that it was read from.
    name : str or None
        Of its first product: the root of the names of what is made of it.
    members : tuple of AssociationMember
        Of the first product, in order: members of any exptype.
    products : int
        How many it has; only the first counts.
    target : str or None
        None also where the file says ``None`` or ``none``.
    skycell_wcs_info : dict or None
        The grid: all 12 keys of `WCS_INFO`.
    release, program, pool, psf_match_reference_filter, asn_id : str or None
        As the file has them; None where it has not.
    """

    path: str
    name: str | None
    members: tuple[AssociationMember, ...]
    products: int
    target: str | None
    skycell_wcs_info: dict[str, Any] | None
    release: str | None
    program: str | None
    pool: str | None
    psf_match_reference_filter: str | None
    asn_id: str | None = None

    @property
    def science(self) -> tuple[AssociationMember, ...]:
        """The members of exptype science."""
        return tuple(member for member in self.members if member.exptype == "science")


def read_association(path: str | Path) -> Association:
    """Read an association.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.

    Returns
    -------
    Association

    Raises
    ------
    InputError
        The file is missing, is not JSON, has no products with members, or is against the schema.
    """
    content = content_of(path)
    wrong = problems(content)
    if wrong:
        raise InputError(f"not an association: {wrong[0]}", path=path)
    folder, first = Path(path).parent, content["products"][0]
    grid, target = content.get("skycell_wcs_info"), content.get("target")
    return Association(
        path=str(path),
        name=first.get("name"),
        members=tuple(_member(folder, entry) for entry in first["members"]),
        products=len(content["products"]),
        target=None if target is None or target.lower() == "none" else target,
        skycell_wcs_info=grid if isinstance(grid, dict) else None,
        release=content.get("data_release_id"),
        program=content.get("program"),
        pool=content.get("asn_pool"),
        psf_match_reference_filter=content.get("psf_match_reference_filter"),
        asn_id=content.get("asn_id"),
    )


def _member(folder, entry):
    catalog = entry.get("tweakreg_catalog")
    return AssociationMember(
        str(folder / entry["expname"]),
        entry.get("exptype", "science").lower(),
        entry.get("group_id"),
        str(folder / catalog) if catalog else None,
        float(entry.get("sed_weight", 1.0)),
    )


def problems(content: Any) -> list[str]:
    """What is wrong with the content of an association.

    Parameters
    ----------
    content : object
        The parsed JSON.

    Returns
    -------
    list of str
        One line each, with the key; empty if nothing is wrong.
    """
    if not isinstance(content, dict):
        return ["its JSON is not an object"]
    products = content.get("products")
    if not isinstance(products, list) or not products:
        return ["products with members are missing"]
    found = []
    for number, product in enumerate(products):
        found += _product_problems(f"products[{number}]", product)
    for key in ("asn_type", "asn_rule", "asn_id", "asn_pool", "program", "data_release_id", "target",
                "psf_match_reference_filter"):  # fmt: skip
        if not isinstance(content.get(key), str | None):
            found.append(f"{key} is not a text")
    grid = content.get("skycell_wcs_info")
    if isinstance(grid, dict):
        found += [f"skycell_wcs_info has no {key}" for key in WCS_INFO if key not in grid]
        found += [
            f"skycell_wcs_info.{key} is not a number"
            for key in WCS_INFO[1:]
            if key in grid and (isinstance(grid[key], bool) or not isinstance(grid[key], int | float))
        ]
    elif grid is not None and str(grid).lower() != "none":
        found.append('skycell_wcs_info is neither "none" nor an object')
    return found


def is_product_name(name: str) -> bool:
    """Whether a text can begin names of files in the directory that is asked for, and lead nowhere else.

    Parameters
    ----------
    name : str
        Name of a product, as the association has it.

    Returns
    -------
    bool
        False for names with a slash, and for ``.`` and ``..``.
    """
    return name not in ("", ".", "..") and not set(name) & {"/", "\\", "\0"}


def _product_problems(where, product):
    if not isinstance(product, dict) or not isinstance(product.get("members"), list):
        return [f"{where} has no members"]
    name = product.get("name")
    found = [] if isinstance(name, str | None) else [f"{where}.name is not a text"]
    if name and isinstance(name, str) and not is_product_name(name):
        found.append(f"{where}.name is {name!r}: a name without directories is expected")
    for number, member in enumerate(product["members"]):
        place = f"{where}.members[{number}]"
        if not isinstance(member, dict) or not isinstance(member.get("expname"), str) or not member["expname"]:
            found.append(f"{place} has no expname")
            continue
        found += [
            f"{place}.{key} is not a text"
            for key in ("exptype", "group_id", "tweakreg_catalog")
            if key in member and not isinstance(member[key], str)
        ]
        weight = member.get("sed_weight", 1.0)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
            found.append(f"{place}.sed_weight is not a positive number")
    return found


def make_association(
    name: str,
    members: Iterable[AssociationMember],
    *,
    target: str | None = None,
    grid: Mapping[str, Any] | None = None,
    program: str | None = None,
    release: str = "p",
    asn_type: str = NONE,
    psf_match: str | None = None,
) -> dict[str, Any]:
    """The content of an association of one product, its keys in the archive's order.

    Parameters
    ----------
    name : str
        Of the product.
    members : iterable of AssociationMember
        Their paths and catalogs as they shall stand in the file.
    target : str, optional
        Name of the skycell.
    grid : mapping, optional
        `skycell_wcs_info`.
    program, release, asn_type : str
        Keys of the association, as the archive has them.
    psf_match : str, optional
        Filter to which the others are matched.

    Returns
    -------
    dict
        The content of the file, for JSON.
    """
    return {
        "asn_type": asn_type,
        "asn_rule": "DMS_ELPP_Base",
        "code_version": _version(),
        "degraded_status": None,
        "program": program or "noprogram",
        "data_release_id": release,
        "version_id": None,
        "target": target or NONE,
        "constraints": None,
        "asn_id": "a3001",
        "asn_pool": "none",
        "skycell_wcs_info": grid or "none",
        **({"psf_match_reference_filter": psf_match} if psf_match else {}),
        "products": [{"name": name, "members": [_entry(member) for member in members]}],
    }


def _version():
    from rtools import __version__

    return __version__


def _entry(member):
    """A member as it stands in the file."""
    entry = {"expname": member.path, "exptype": member.exptype}
    return entry | {key: getattr(member, key) for key in ("group_id", "tweakreg_catalog") if getattr(member, key)}


def stage_association(path: str | Path, content: Mapping[str, Any]) -> Stage:
    """Write an association under a temporary name.

    Parameters
    ----------
    path : str or Path
        Where the file will appear.
    content : mapping
        What `make_association` made.

    Returns
    -------
    rtools.products.io.staging.Stage
        Not committed.

    Raises
    ------
    RtoolsError
        The content is not an association, or the file cannot be written.
    """
    from rtools.products.io.staging import Stage

    wrong = problems(content)
    if wrong:
        raise RtoolsError(f"not an association: {wrong[0]}", path=path)
    stage = Stage(path)
    with stage.open() as file:
        file.write(json.dumps(content, indent=4, separators=(",", ": ")).encode())
    return stage


def science_members(path: str | Path, log: Callable[[str, str], None] = lambda level, text: None) -> list[str]:
    """Paths of the science exposures of an association's first product, next to it unless absolute, once each.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.
    log : callable, optional
        ``log(level, text)``; told of further products.

    Returns
    -------
    list of str
        In the order of the association.

    Raises
    ------
    InputError
        The file is missing, is not JSON, or has no products with members.
    """
    return list(_science(path, log))


def tweakreg_catalogs(path: str | Path) -> dict[str, str]:
    """Paths of the catalogs that an association's science members name as ``tweakreg_catalog``, by path of the member.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.

    Returns
    -------
    dict of str to str
        Path of the member to path of its catalog.
    """
    return {name: member.tweakreg_catalog for name, member in _science(path).items() if member.tweakreg_catalog}


def content_of(path: str | Path) -> Any:
    """What a JSON file says.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    object
        The parsed JSON, of any type.

    Raises
    ------
    InputError
        It cannot be read, or is not JSON.
    """
    try:
        return bounded(json.loads(Path(path).read_text()))
    except FileNotFoundError:
        raise InputError("no such file", path=path) from None
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError(f"not a JSON association ({' '.join(str(error).split())})", path=path) from None


def _science(path, log=lambda level, text: None):
    """The science members of an association, by path."""
    association = read_association(path)
    if not association.science:
        raise InputError("the association has no science members", path=path)
    if association.products > 1:
        log("warning", f"{path}: only the first of its {association.products} products counts")
    return {member.path: member for member in association.science}
