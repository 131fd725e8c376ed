"""Names of what is made of a group of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rtools.errors import UsageError
from rtools.pipeline.job.outputs import check_outputs, name_outputs, refuse_several
from rtools.pipeline.job.request import Request
from rtools.pipeline.job.steps import step_of
from rtools.pipeline.mosaic.missions import MosaicMission
from rtools.pipeline.mosaic.request import MosaicRequest
from rtools.products import names
from rtools.products.mosaic.association import Association

__all__ = ["catalog_extensions", "image_outputs", "mosaic_outputs", "mosaic_root", "step_outputs"]


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
    files: Sequence[str], request: MosaicRequest, step: str, association: Association | None = None
) -> tuple[Path, ...]:
    """Paths of images as a step leaves them, in order.

    Parameters
    ----------
    files : sequence of str
        The images by their names.
    request : MosaicRequest
        What is asked.
    step : str
        The step.
    association : rtools.products.mosaic.association.Association, optional
        That names the images; where the mission wants it, its identifier stands before the suffix.

    Raises
    ------
    UsageError
        Two of them would be one file, or ``-o`` names one of several.
    """
    refuse_several(request, len(files))
    rules = request.rules
    suffix = rules.suffixes.get(step) or step_of(step).suffix
    paths: list[Path] = []
    for file in files:
        stem = names.split_suffix(Path(file).name)[0].removesuffix("_skymatch")
        if association is not None and association.asn_id and suffix == rules.named_by_association:
            stem += f"_{association.asn_id}"
        path = name_outputs(request, Path(file).parent, stem, {suffix: rules.extension}, suffix)[suffix]
        if path in paths:
            raise UsageError(f"two of the images would be {path}", mend="give them different names")
        paths.append(path)
    return tuple(paths)


def step_outputs(
    files: Sequence[str], request: MosaicRequest, steps: Sequence[str], association: Association | None = None
) -> dict[str, tuple[Path, ...]]:
    """Paths of the images that are written beside a mosaic, by step; none unless that is asked for.

    Parameters
    ----------
    files : sequence of str
        The images by their names.
    request : MosaicRequest
        What is asked of the mosaic.
    steps : sequence of str
        Those that change something.
    association : rtools.products.mosaic.association.Association, optional
        That names the images.

    Raises
    ------
    RtoolsError
        One of them exists.
    UsageError
        Two of them would be one file.
    """
    beside = replace(request, output=None, outdir=request.steps_in)
    saved = {step: image_outputs(files, beside, step, association) for step in steps if request.save_steps}
    for path in (path for paths in saved.values() for path in paths):
        check_outputs({"image": path}, "image", beside, [str(path), *files])
    return saved
