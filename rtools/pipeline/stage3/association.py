"""An association of the third stage as jobs: its members found, the exposures among them that are to be calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rtools.errors import InputError, UsageError
from rtools.pipeline.job.job import Job
from rtools.pipeline.job.request import Request
from rtools.pipeline.jwst.job import JwstJob
from rtools.pipeline.stage3.chain import Chain, MemberFile
from rtools.pipeline.stage3.recipes import RECIPES
from rtools.products import names
from rtools.products.jwst import open_jwst
from rtools.products.mosaic.jwst_association import (
    JwstAssociation,
    JwstAssociationProduct,
    file_of_member,
    read_jwst_association,
)
from rtools.remote import marks

__all__ = ["association_of_stage3", "exposures_to_calibrate", "files_of_step", "plan_association"]

UNCALIBRATED = ("uncal", "ramp", "rate", "rateints", "bsub", "bsubints")
"""Suffixes of exposures with which no recipe begins."""

USED = ("science", "psf")
"""Exptypes of members of which something is made; a calibrated exposure has its background subtracted already."""


def association_of_stage3(path: str | Path) -> JwstAssociation:
    """An association of a type for which there is a recipe.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.

    Returns
    -------
    rtools.products.mosaic.jwst_association.JwstAssociation

    Raises
    ------
    InputError
        It is none, or of another type.
    """
    association = read_jwst_association(path)
    if association.asn_type not in RECIPES:
        raise InputError(f"what {association.asn_type} makes is not made here; {', '.join(RECIPES)} are", path=path)
    return association


def exposures_to_calibrate(path: str | Path, folder: Path) -> list[str]:
    """Files of members that are to be calibrated: ramps and rates that are members, or that members can be made of.

    Parameters
    ----------
    path : str or Path
        The association.
    folder : Path
        Where its members lie.

    Returns
    -------
    list of str
        Each once.

    Raises
    ------
    InputError
        It is no association of a known type.
    """
    association = association_of_stage3(path)
    members = [member.name for product in association.products for kind in USED for member in product.members
               if member.exptype == kind]  # fmt: skip
    files = (file_of_member(folder, name) for name in members)
    return list(dict.fromkeys(str(file) for file in files if file.exists() and _is_uncalibrated(file)))


class FilesOfProduct(NamedTuple):
    """What a step of an association is done on for one of its products.

    Attributes
    ----------
    name : str
        Of the product, without suffix.
    asn_id : str or None
        Candidate of the association.
    files : tuple of str
        Members of which something is made, each once.
    """

    name: str
    asn_id: str | None
    files: tuple[str, ...]


def files_of_step(path: str | Path, folder: Path, step: str) -> list[FilesOfProduct]:
    """What a step of an association is done on, where all members are calibrated.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.
    folder : Path
        Where its members lie.
    step : str
        Tool name of the step.

    Returns
    -------
    list of FilesOfProduct
        One for each product.

    Raises
    ------
    InputError
        It is of another type, its type has no such step, or a member is not there.
    """
    association = association_of_stage3(path)
    if step not in RECIPES[association.asn_type].steps:
        raise InputError(f"{association.asn_type} has no step {step}", path=path)
    found = []
    for product in association.products:
        members = _members_of(association, product, folder, {})
        files = tuple(piece.path for kind in USED for piece in members.get(kind, ()))
        found.append(FilesOfProduct(product.name or names.split_suffix(Path(files[0]).name)[0],
                                    association.asn_id, files))  # fmt: skip
    return found


def _is_uncalibrated(path):
    return names.split_suffix(path.name)[1] in UNCALIBRATED


def plan_association(
    path: str | Path, folder: Path, request: Request, calibrated: Mapping[str, JwstJob], planned: dict[str, Job]
) -> list[Job]:
    """Decide what is done with an association, or refuse it.

    Parameters
    ----------
    path : str or Path
        ``_asn.json`` file.
    folder : Path
        Where its members lie.
    request : rtools.pipeline.job.request.Request
        What is asked; its `settings` are those of all steps.
    calibrated : mapping of str to JwstJob
        Exposures that are calibrated in the same run, by the files that they are calibrated from.
    planned : dict of str to Job
        What other associations of the run have had planned, by keys; what this one needs is added.

    Returns
    -------
    list of Job
        What is done for it beside those, in that order.

    Raises
    ------
    InputError
        It is of another type, a member is not there, what it asks for is not done here, or another association makes
        the same files of others.
    UsageError, MissingReferenceError, RtoolsError
        As `rtools.pipeline.stage3.job.plan_products`.
    """
    association = association_of_stage3(path)
    known = dict(planned)
    for product in association.products:
        members = _members_of(association, product, folder, calibrated)
        science = members["science"]
        chain = Chain(
            product=product.name or names.split_suffix(science[0].path)[0],
            asn_id=association.asn_id or "",
            folder=Path(request.outdir) if request.outdir else marks.beside(folder),
            request=request,
            path=association.path,
            meta=open_jwst(science[0].like).meta,
            planned=known,
        )
        _plan_product(association.asn_type, chain, members)
    jobs = [job for key, job in known.items() if key not in planned]
    planned |= known
    return jobs


def _plan_product(asn_type, chain, members):
    """Plan what a product of an association of a type asks for."""
    recipe = RECIPES[asn_type]
    if asn_type == "spec2" and len(members["science"]) > 1:
        raise InputError(f"product {chain.product!r} has {len(members['science'])} science members; spec2 takes one",
                         path=chain.path)  # fmt: skip
    if chain.exposure_type in recipe.out_of_reach:
        raise InputError(f"{chain.exposure_type}: {recipe.out_of_reach[chain.exposure_type]}", path=chain.path)
    if members.get("background") and any(piece.key for piece in members["science"]):
        raise InputError("backgrounds are not subtracted from what is calibrated for it here", path=chain.path)
    recipe.plan(chain, members)
    if not chain.jobs:
        raise UsageError(f"--skip leaves nothing of {asn_type} to do")


def _members_of(
    association: JwstAssociation, product: JwstAssociationProduct, folder: Path, calibrated: Mapping[str, JwstJob]
) -> dict[str, list[MemberFile]]:
    """Files of the members, those that are made in the same run among them, by exptype."""
    found: dict[str, list[MemberFile]] = {}
    kinds: dict[str, str] = {}
    for member in dict.fromkeys(product.members):  # one that is named twice counts once
        there = file_of_member(folder, member.name)
        if member.exptype not in USED:
            found.setdefault(member.exptype, []).append(MemberFile(str(there), "", str(there)))
            continue
        if not there.exists():
            raise InputError(f"member {member.name} is not there", path=association.path)
        path = str(there)
        if kinds.setdefault(path, member.exptype) != member.exptype:
            raise InputError(f"{there.name} is a member as {kinds[path]} and as {member.exptype}",
                             path=association.path)  # fmt: skip
        if path in calibrated:
            job = calibrated[path]
            piece = MemberFile(str(job.plan.outputs[job.plan.main]), job.plan.main, path, job.key)
        elif there != folder / member.name or _is_uncalibrated(there):
            raise InputError(f"member {member.name} cannot be made of {there.name}", path=association.path)
        else:
            piece = MemberFile(path, open_jwst(path).kind, path)
        found.setdefault(member.exptype, []).append(piece)
    if not found.get("science"):
        raise InputError("the association has no science members", path=association.path)
    return found
