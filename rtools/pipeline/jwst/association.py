"""What associations of JWST ask for: exposures with those that show their background, or the images of a mosaic."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rtools.errors import InputError
from rtools.products import names
from rtools.products.mosaic.association import Association, read_association
from rtools.products.mosaic.jwst_association import JwstAssociationProduct, file_of_member, read_jwst_association

__all__ = ["AssociatedExposure", "FoundMember", "exposures_of", "mosaic_of"]

MADE = ("image2",)
"""Types of associations whose exposures become images."""


CARRIED_OUT = (*MADE, "image3", "tso3", "coron3", "ami3", "spec2", "spec3")
"""Types of associations that rt-run takes."""


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


def exposures_of(path: str | Path, folder: Path | None = None) -> list[AssociatedExposure]:
    """The exposures of an association of the second stage, one for each product.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.
    folder : Path, optional
        Where its members lie; by default beside it.

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
        raise InputError(f"what {association.asn_type} makes is not made here; {', '.join(CARRIED_OUT)} are", path=path)
    folder = Path(path).parent if folder is None else folder
    return [_exposure(path, folder, product) for product in association.products]


def mosaic_of(path: str | Path, folder: Path | None = None) -> Association:
    """What an association of a mosaic says, with the files that there are of its members.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.
    folder : Path, optional
        Where its members lie; by default beside it.

    Returns
    -------
    rtools.products.mosaic.association.Association
        A member that is not there is what it can be made of, if that is there.

    Raises
    ------
    InputError
        It is no association, or a name leads out of its directory.
    """
    read_jwst_association(path)
    association, folder = read_association(path), Path(path).parent if folder is None else folder
    members = (
        member._replace(path=str(file_of_member(folder, Path(member.path).name))) for member in association.members
    )
    return association._replace(members=tuple(members))


def _exposure(path: str | Path, folder: Path, product: JwstAssociationProduct) -> AssociatedExposure:
    science = product.of("science")
    if len(science) != 1:
        count = len(science) or "no"
        raise InputError(f"product {product.name!r} has {count} science members; image2 takes one", path=path)
    member = _present(path, folder, science[0])
    root, suffix = names.split_suffix(member.wanted.name)
    called = f"{product.name or root}_{suffix or 'rate'}.fits"
    backgrounds = tuple(_present(path, folder, name) for name in product.of("background"))
    return AssociatedExposure(str(member.there.parent / called), member, backgrounds)


def _present(path, folder, name):
    """A member of which there is something."""
    there = file_of_member(folder, name)
    if not there.exists():
        raise InputError(f"member {name} is not there", path=path)
    return FoundMember(folder / name, there)
