"""Files of a source catalog: the table, the segmentation map, and what they say of how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.products.tables import sources as source_catalog

if TYPE_CHECKING:
    from rtools.catalog.source_catalog import Found
    from rtools.pipeline.job.request import Request
    from rtools.products.io.staging import Stage
    from rtools.work import Work

__all__ = ["FORMS", "CatalogFiles", "form_of", "stage"]

FORMS = ("parquet", "ecsv")
"""Formats of the catalog; also the extensions of its file."""


@dataclass(frozen=True)
class CatalogFiles:
    """Files of one catalog, and what they say of how it was made.

    Attributes
    ----------
    outputs : mapping of str to Path
        ``cat``, and ``segm`` where the segmentation map is wanted.
    image_kind : str
        Kind of the image, ``l2_image`` or ``l3_coadd``.
    profile : str
        Schema generation.
    options : mapping of str to object
        Of the step.
    references : mapping of str to reference or None
        By type.
    inputs : tuple of str
        What the history names.
    history : tuple of dict
        That of the image.
    """

    outputs: Mapping[str, Path]
    image_kind: str
    profile: str
    options: Mapping[str, Any]
    references: Mapping[str, Any]
    inputs: tuple[str, ...]
    history: tuple[dict, ...] = ()


def stage(
    files: CatalogFiles, request: Request, found: Found, image_meta: Mapping[str, Any], work: Work
) -> list[Stage]:
    """Write catalog and segmentation map under temporary names.

    Parameters
    ----------
    files : CatalogFiles
        Their names, and what they say.
    request : rtools.pipeline.job.request.Request
        What is asked.
    found : rtools.catalog.source_catalog.Found
        The catalog.
    image_meta : dict
        Metadata of the image, as its own file has or will have them.
    work : rtools.work.Work
        Its threads compress and write.

    Returns
    -------
    list of rtools.products.io.staging.Stage
        The segmentation map first.
    """
    from rtools.catalog.measure.columns import definition_name

    kinds = source_catalog.KINDS[files.image_kind]
    entry, main = _entry(files, request, image_meta), list(files.outputs.values())[-1].name
    staged = []
    try:
        if "segm" in files.outputs:
            path = files.outputs["segm"]
            meta = _catalog_meta(files, kinds.segments, image_meta, path)
            compression, arrays = request.compression or "lz4", (found.labels, found.detection_image)
            staged.append(
                source_catalog.stage_segments(
                    path, kinds.segments, meta, *arrays,
                    history=[entry | {"main": main}], profile=files.profile, compression=compression, work=work,
                )
            )  # fmt: skip
        path = files.outputs["cat"]
        columns = [(*column, definition_name(column.name)) for column in found.columns]
        meta = _catalog_meta(files, kinds.catalog, image_meta, path)
        about = {"date": source_catalog.date_now()} | found.about
        table = source_catalog.table_of(found.values, columns, meta, about)
        mine = entry if path.name == main else entry | {"main": main}
        staged.append(source_catalog.stage_sources(path, table, form_of(path, request), mine))
    except BaseException:
        for one in staged:
            one.discard()
        raise
    return staged


def _catalog_meta(files, kind, image_meta, path):
    """Metadata of a product of the catalog."""
    forced = files.options["forced_segmentation"]
    return source_catalog.catalog_meta(
        kind, image_meta, path, image_kind=files.image_kind, profile=files.profile, forced=forced
    )


def _entry(files, request, image_meta):
    """The entry in the history of both files."""
    return request.entry(
        parameters={"catalog": dict(files.options)},
        references={name: reference for name, reference in files.references.items() if reference is not None},
        inputs=list(files.inputs),
        made_of=[(image_meta, list(files.history))],
    )


def form_of(path: Path, request: Request) -> str:
    """Format of a catalog's file: as asked for, else as its name says, else parquet.

    Parameters
    ----------
    path : Path
        Its file.
    request : rtools.pipeline.job.request.Request
        Its `form`.

    Returns
    -------
    str
        One of `FORMS`.
    """
    named = path.suffix.lower().removeprefix(".")
    return request.form or (named if named in FORMS else "parquet")
