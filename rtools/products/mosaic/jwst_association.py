"""Associations of JWST: several products, each with its members, which lie beside the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rtools.errors import InputError
from rtools.products import names
from rtools.products.mosaic.association import content_of, is_product_name, problems

__all__ = [
    "JwstAssociation",
    "JwstAssociationMember",
    "JwstAssociationProduct",
    "beside",
    "file_of_member",
    "is_of_jwst",
    "jwst_problems",
    "make_jwst_association",
    "read_jwst_association",
]

OF_JWST = re.compile(r"jw\d{5}")

RAMPS = ("ramp", "uncal")

EARLIER = {
    "rate": RAMPS,
    "rateints": RAMPS,
    "cal": ("bsub", "rate", *RAMPS),
    "calints": ("bsubints", "rateints", *RAMPS),
}
"""Products that a member can be made of where it is not there itself, the one with the least left to do first."""


class JwstAssociationMember(NamedTuple):
    """A member of a product.

    Attributes
    ----------
    name : str
        Of its file, which lies beside the association.
    exptype : str
        ``science``, ``background``, ``psf``, ``sourcecat``, ``segmap``, ``direct_image``, ``imprint``.
    """

    name: str
    exptype: str = "science"


class JwstAssociationProduct(NamedTuple):
    """A product and what it is made of.

    Attributes
    ----------
    name : str
        The root of the names of what is made; empty where the file says none.
    members : tuple of JwstAssociationMember
        In order.
    """

    name: str
    members: tuple[JwstAssociationMember, ...]

    def of(self, exptype: str) -> list[str]:
        """Names of the members of an exptype."""
        return [member.name for member in self.members if member.exptype == exptype]


class JwstAssociation(NamedTuple):
    """What an association says.

    Attributes
    ----------
    path : str
        Its file.
    asn_type : str
        ``image2``, ``image3`` …, in lower case.
    asn_rule, asn_id, program, target : str or None
        As the file has them.
    products : tuple of JwstAssociationProduct
        In order.
    """

    path: str
    asn_type: str
    asn_rule: str | None
    asn_id: str | None
    program: str | None
    target: str | None
    products: tuple[JwstAssociationProduct, ...]


def is_of_jwst(content: Any) -> bool:
    """Whether an association is one of JWST: by its rule, else by the names of its members.

    Parameters
    ----------
    content : object
        The parsed JSON.
    """
    if not isinstance(content, dict) or problems(content):
        return False
    if re.match(r"(candidate_)?asn_lv[23]", str(content.get("asn_rule")), re.IGNORECASE):
        return True
    return any(
        OF_JWST.match(Path(member["expname"]).name) for product in content["products"] for member in product["members"]
    )


def jwst_problems(content: Any) -> list[str]:
    """What is wrong with the content of an association of JWST.

    Parameters
    ----------
    content : object
        The parsed JSON.

    Returns
    -------
    list of str
        One line each, with the key; empty if nothing is wrong.
    """
    found = problems(content)
    if found:
        return found
    if not content.get("asn_type"):
        found.append("asn_type is missing")
    acid = content.get("asn_id")
    if acid and not is_product_name(acid):
        found.append(f"asn_id is {acid!r}: a part of a file name is expected")
    said = "the name of a file beside it is expected"
    return found + [
        f"products[{number}].members[{place}].expname is {member['expname']!r}: {said}"
        for number, product in enumerate(content["products"])
        for place, member in enumerate(product["members"])
        if not is_product_name(member["expname"])
    ]


def read_jwst_association(path: str | Path) -> JwstAssociation:
    """Read an association of JWST.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.

    Returns
    -------
    JwstAssociation

    Raises
    ------
    InputError
        The file is missing, is not JSON, is no association, or a name in it leads to another directory.
    """
    content = content_of(path)
    wrong = jwst_problems(content)
    if wrong:
        raise InputError(f"not an association: {wrong[0]}", path=path)
    products = tuple(
        JwstAssociationProduct(
            product.get("name") or "",
            tuple(
                JwstAssociationMember(member["expname"], member.get("exptype", "science").lower())
                for member in product["members"]
            ),
        )
        for product in content["products"]
    )
    said = {key: content.get(key) for key in ("asn_rule", "asn_id", "program", "target")}
    return JwstAssociation(path=str(path), asn_type=content["asn_type"].lower(), products=products, **said)


def beside(path: str | Path, name: str) -> Path:
    """The file, or link to one, that a member of an association is; it need not be there.

    Parameters
    ----------
    path : str or Path
        The association.
    name : str
        Of the member.

    Raises
    ------
    InputError
        The name leads out of the directory of the association.
    """
    if not is_product_name(name):
        raise InputError(f"member {name!r}: the name of a file beside it is expected", path=path)
    return Path(path).parent / name


def file_of_member(folder: Path, name: str) -> Path:
    """The file that there is of a member: itself, else one that it can be made of; itself where there is none.

    Parameters
    ----------
    folder : Path
        Where members lie.
    name : str
        Of the member, without directories.

    Returns
    -------
    Path
    """
    files = [folder / one for one in sources_of_member(name)]
    return next((file for file in files if file.exists()), files[0])


def sources_of_member(name: str) -> list[str]:
    """Names of files of which one is a member: its own, then those of what it can be made of.

    Parameters
    ----------
    name : str
        Of the member, without directories.

    Returns
    -------
    list of str
    """
    root, suffix = names.split_suffix(name)
    return [name, *(f"{root}_{earlier}.fits" for earlier in EARLIER.get(suffix or "", ()))]


def make_jwst_association(
    asn_type: str,
    asn_rule: str,
    products: Sequence[JwstAssociationProduct],
    *,
    program: str,
    asn_id: str,
    target: str,
    stamp: str,
) -> dict[str, Any]:
    """The content of an association, its keys in the mission's order.

    Parameters
    ----------
    asn_type, asn_rule : str
        Type and rule.
    products : sequence of JwstAssociationProduct
        What is to be made.
    program, asn_id, target : str
        Number of the program, candidate (``o001``), number of the target.
    stamp : str
        Time at which it is made, ``yyyymmddthhmmss``.

    Returns
    -------
    dict
        The content of the file, for JSON.
    """
    from rtools import __version__

    return {
        "asn_type": asn_type,
        "asn_rule": asn_rule,
        "version_id": stamp,
        "code_version": __version__,
        "degraded_status": "No known degraded exposures in association.",
        "program": program,
        "constraints": "No constraints",
        "asn_id": asn_id,
        "target": target,
        "asn_pool": "none",
        "products": [_entry(product) for product in products],
    }


def _entry(product: JwstAssociationProduct) -> Mapping[str, Any]:
    members = [{"expname": member.name, "exptype": member.exptype} for member in product.members]
    return {"name": product.name, "members": members}
