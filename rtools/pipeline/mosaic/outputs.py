"""Names of what is made of a group of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rtools.errors import UsageError
from rtools.pipeline.job.outputs import name_outputs, refuse_several
from rtools.pipeline.job.request import Request
from rtools.pipeline.mosaic.members import Member
from rtools.pipeline.mosaic.missions import MosaicMission
from rtools.pipeline.mosaic.request import MosaicRequest
from rtools.products import names
from rtools.products.mosaic.association import Association

__all__ = ["catalog_extensions", "image_outputs", "mosaic_outputs", "mosaic_root"]


def mosaic_root(
    files: Sequence[str],
    request: MosaicRequest,
    association: Association | None,
    skycell: str | None,
    element: str,
) -> str:
    """Name of a mosaic without suffix.

    Parameters
    ----------
    files : sequence of str
        Its images.
    request : MosaicRequest
        With ``-o`` the name follows from that.
    association : rtools.products.mosaic.association.Association or None
        Its product's name counts where there is one mosaic.
    skycell : str or None
        The skycell that the mosaic is on.
    element : str
        Optical element of the images.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        Nothing gives it a name.
    """
    if request.output:
        return "mosaic"
    if association is not None and association.name and len(request.skycells) < 2:
        return association.name
    rules = request.rules
    if not request.skycells:
        raise UsageError("the mosaic has no name", mend=f"use -o NAME_{rules.suffix}.{rules.extension}, or --skycell")
    visits = {names.split_suffix(file)[0][1:20] for file in files}
    visit = visits.pop()
    if visits or not visit.isdecimal() or len(visit) != 19:
        raise UsageError("the archive has no name for a prompt mosaic of several visits", mend="use -o, or rt-asn")
    fields = {"program": visit[:5], "release": "p", "subset": f"v{visit[5:]}", "skycell": skycell}
    return names.build(fields | {"element": element.lower()})


def mosaic_outputs(root: str, request: MosaicRequest) -> dict[str, Path]:
    """Paths of the products of one mosaic, by suffix, the mosaic itself last.

    Parameters
    ----------
    root : str
        From `mosaic_root`.
    request : MosaicRequest
        What is asked.
    """
    rules, extensions = request.rules, {}
    if request.single is None and "catalog" not in request.skip:
        extensions = catalog_extensions(rules, request)
    return name_outputs(request, ".", root, extensions | {rules.suffix: rules.extension}, rules.suffix)


def catalog_extensions(rules: MosaicMission, request: Request) -> dict[str, str]:
    """Suffixes of a catalog's products and their extensions, that of the catalog last.

    Parameters
    ----------
    rules : rtools.pipeline.mosaic.missions.MosaicMission
        Of the mission.
    request : rtools.pipeline.job.request.Request
        Its `form` is that of the catalog.

    Raises
    ------
    UsageError
        The mission has no catalogs of this form.
    """
    extensions = dict(rules.catalog)
    if request.form is not None and rules.name == "jwst" and request.form != extensions["cat"]:
        raise UsageError(f"--format {request.form}: catalogs of {rules.title} are {extensions['cat']}")
    return extensions | ({"cat": request.form} if request.form else {})


def image_outputs(
    members: Sequence[Member], request: MosaicRequest, suffix: str, association: Association | None = None
) -> tuple[Path, ...]:
    """Paths of the images as a step leaves them, in the order of the members.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member
        The images.
    request : MosaicRequest
        What is asked.
    suffix : str
        Of the step's product.
    association : rtools.products.mosaic.association.Association, optional
        That names the images; where the mission wants it, its identifier stands before the suffix.

    Raises
    ------
    UsageError
        Two of them would be one file, or ``-o`` names one of several.
    """
    refuse_several(request, len(members))
    extensions = {suffix: request.rules.extension}
    paths: list[Path] = []
    for member in members:
        stem = names.split_suffix(Path(member.name).name)[0].removesuffix("_skymatch")
        if association is not None and association.asn_id and suffix == request.rules.named_by_association:
            stem += f"_{association.asn_id}"
        path = name_outputs(request, Path(member.name).parent, stem, extensions, suffix)[suffix]
        if path in paths:
            raise UsageError(f"two of the images would be {path}", mend="give them different names")
        paths.append(path)
    return tuple(paths)
