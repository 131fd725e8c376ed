"""What products of a group of images say of the job that made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rtools.pipeline.job.records import read_file, record_of

if TYPE_CHECKING:
    from rtools.pipeline.mosaic.members import Member
    from rtools.pipeline.mosaic.plan import MosaicPlan
    from rtools.pipeline.mosaic.request import MosaicRequest
    from rtools.products.schema.record import JobRecord

__all__ = ["record_of_group", "record_of_image"]


def record_of_group(request: MosaicRequest, files: Sequence[str], plan: MosaicPlan) -> JobRecord:
    """The record of a mosaic, and of all that is made of a group of images.

    Parameters
    ----------
    request : rtools.pipeline.mosaic.request.MosaicRequest
        What is asked.
    files : sequence of str
        Images, or one association, whose members are recorded, too.
    plan : rtools.pipeline.mosaic.plan.MosaicPlan
        What was decided.

    Returns
    -------
    rtools.products.schema.record.JobRecord
    """
    options = {name: dict(plan.typed[name]) for name in plan.steps}
    catalog, references = plan.catalog, {}
    if catalog is not None:
        options["catalog"], references = dict(catalog.options), dict(catalog.references)
    paths = [str(member.product.path) for member in plan.members]
    members = {f"member {number}": path for number, path in enumerate(paths)} if list(files) != paths else {}
    outputs = [*plan.images, *(mosaic.path for mosaic in plan.mosaics if mosaic.outputs)]
    return record_of(
        request,
        files,
        options,
        mission=plan.mission.name,
        declared={} if catalog is None else {"catalog": catalog.step},
        references=references,
        files=members,
        folder=outputs[0].parent,
    )


def record_of_image(record: JobRecord, member: Member) -> JobRecord:
    """The record of one of the images that become images again.

    Parameters
    ----------
    record : rtools.products.schema.record.JobRecord
        Of the group.
    member : rtools.pipeline.mosaic.members.Member
        The image.

    Returns
    -------
    rtools.products.schema.record.JobRecord
    """
    return replace(record, files={**record.files, "this image": read_file(member.product.path)})
