"""What an association of the second stage asks for: its exposures, and those that show their background."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rtools.errors import InputError
from rtools.products import names
from rtools.products.mosaic.jwst_association import JwstAssociationProduct, beside, read_jwst_association

__all__ = ["AssociatedExposure", "FoundMember", "exposures_of"]

EARLIER = {"rate": ("uncal", "ramp"), "rateints": ("uncal", "ramp")}
"""Products that a rate is made of where it is not there itself."""

MADE = ("image2",)
"""Types of associations that are carried out here."""


class FoundMember(NamedTuple):
    """A file that an association names.

    Attributes
    ----------
    wanted : Path
        The file by its name.
    there : Path
        What there is: this file, or one that it can be made of.
    """

    wanted: Path
    there: Path


class AssociatedExposure(NamedTuple):
    """An exposure that becomes a calibrated image.

    Attributes
    ----------
    called : str
        The name that output names are made of: that of its product, with the suffix of the member.
    science : FoundMember
        The exposure.
    backgrounds : tuple of FoundMember
        Exposures that show its background.
    """

    called: str
    science: FoundMember
    backgrounds: tuple[FoundMember, ...]


def exposures_of(path: str | Path) -> list[AssociatedExposure]:
    """The exposures of an association, one for each product.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.

    Returns
    -------
    list of AssociatedExposure

    Raises
    ------
    InputError
        It is no association, or one of another type; a name leads out of its directory; a member is not there; or a
        product has not one exposure.
    """
    association = read_jwst_association(path)
    if association.asn_type not in MADE:
        raise InputError(f"what {association.asn_type} makes is not made yet; image2 and image3 are", path=path)
    return [_exposure(path, product) for product in association.products]


def _exposure(path: str | Path, product: JwstAssociationProduct) -> AssociatedExposure:
    science = product.of("science")
    if len(science) != 1:
        count = len(science) or "no"
        raise InputError(f"product {product.name!r} has {count} science members; image2 takes one", path=path)
    member = _member(path, science[0])
    root, suffix = names.split_suffix(member.wanted.name)
    called = f"{product.name or root}_{suffix or 'rate'}.fits"
    backgrounds = tuple(_member(path, name) for name in product.of("background"))
    return AssociatedExposure(str(member.there.parent / called), member, backgrounds)


def _member(path, name):
    """A member by what there is of it."""
    wanted = beside(path, name)
    root, suffix = names.split_suffix(name)
    for candidate in (name, *(f"{root}_{earlier}.fits" for earlier in EARLIER.get(suffix or "", ()))):
        there = beside(path, candidate)
        if there.exists():
            return FoundMember(wanted, there)
    raise InputError(f"member {name} is not there", path=path)
