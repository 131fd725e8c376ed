"""Source catalogs and segmentation maps as products: what they take over from their image, how they are written.

In a file a catalog is what `rtools.products.tables.files` writes: the archive's parquet, or ECSV.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products.io import open_product
from rtools.products.io.writer import stage_product
from rtools.products.schema import history, layout, profiles
from rtools.products.schema.blocks import stamp_file
from rtools.products.schema.yamltext import FastLoader
from rtools.products.tables import files as catalogs
from rtools.products.tables import flat as flatmeta
from rtools.wfi.labels import catalog_labels

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

    from rtools.products.io.staging import Stage

__all__ = [
    "FORCED",
    "KINDS",
    "catalog_meta",
    "date_now",
    "descriptions",
    "read_segments",
    "stage_segments",
    "stage_sources",
    "table_of",
]


class SourceKinds(NamedTuple):
    """Kinds of the products that hold the sources of an image: catalog and segmentation map."""

    catalog: str
    segments: str


KINDS = {
    "l2_image": SourceKinds("cat_exposure", "segm_exposure"),
    "l3_coadd": SourceKinds("cat_mosaic", "segm_mosaic"),
}
"""By the kind of the image."""

FORCED = {"cat_exposure": "cat_forced_exposure", "cat_mosaic": "cat_forced_mosaic"}
"""Kind of catalog to the kind of one that was measured on the segments of another image."""

OF_THE_IMAGE = {"individual_image_meta", "cal_logs", "statistics"}
"""Metadata that stay with the image, as in the archive's catalogs, although the schema of a mosaic's allows them."""

DEFINITIONS = "resources/schemas/tables/source_catalog_columns-2.0.0.yaml"


@cache
def descriptions() -> dict[str, str]:
    """Description of each column as the schemas define it, by the name it has there (``psf_~band~_flux``)."""
    import yaml

    text = (files("rad") / DEFINITIONS).read_text(encoding="utf-8")
    return {name: entry["description"] for name, entry in yaml.load(text, FastLoader)["definitions"].items()}


def table_of(
    values: Mapping[str, np.ndarray],
    columns: Iterable[tuple[str, Any, str | None, str]],
    meta: Mapping[str, Any],
    about: Mapping[str, Any],
) -> AstropyTable:
    """A catalog in memory.

    Parameters
    ----------
    values : mapping of str to ndarray (n,)
        By column name.
    columns : iterable of (name, dtype, unit, definition)
        In the order of the file; the last is the name by which the schemas describe it.
    meta : mapping
        Below ``roman.meta`` (`catalog_meta`).
    about : mapping
        What the table says of itself: date, versions, apertures.

    Returns
    -------
    astropy.table.Table
        With units, descriptions and flat metadata.
    """
    from astropy.table import Column, Table

    known = descriptions()
    table = Table(meta=flatmeta.flatten({"roman": {"meta": meta}, "source_catalog": about}))
    for name, dtype, unit, definition in columns:
        column = np.asarray(values[name]).astype(dtype, copy=False)
        table[name] = Column(column, unit=unit, description=known.get(definition))
    return table


def catalog_meta(
    kind: str,
    image_meta: Mapping[str, Any],
    path: str | Path,
    *,
    image_kind: str,
    profile: str = layout.DEFAULT_PROFILE,
    forced: str | Path | None = None,
) -> dict[str, Any]:
    """Metadata of a catalog or segmentation map, taken over from its image.

    Parameters
    ----------
    kind : str
        ``cat_exposure``, ``segm_mosaic``, …
    image_meta : mapping
        Below ``meta``; not changed.
    path : str or Path
        Of the file that will hold it.
    image_kind : str
        ``l2_image`` or ``l3_coadd``.
    profile : str
        Whose keys it has.
    forced : str, optional
        The segmentation map that was given.

    Returns
    -------
    dict
        Below ``meta`` of the new file.
    """
    if forced is not None:
        kind = FORCED.get(kind, kind)
    meta = profiles.convert(image_kind, image_meta, {}, profile)[0]
    names = {field.path.split(".")[0] for field in layout.fields(kind, profile)}
    made = {name: value for name, value in meta.items() if name in names - OF_THE_IMAGE}
    if "data_release_id" in meta:
        made["data_release_id"] = meta["data_release_id"]
    made["image"] = {"filename": meta.get("filename"), "file_date": meta.get("file_date")}
    made = stamp_file(kind, made, path)
    if forced is not None:
        made["image"]["forced_segmentation"] = str(forced)
    return made


def stage_sources(path: Path, table: AstropyTable, form: str, entry: Mapping[str, Any]) -> Stage:
    """Write a catalog under a temporary name, with an entry of its history.

    Parameters
    ----------
    path : str or Path
        Where the catalog will appear.
    table : astropy.table.Table
        From `table_of`; its metadata are completed.
    form : str
        ``parquet`` or ``ecsv``.
    entry : mapping
        `rtools.products.schema.history.entry`.

    Returns
    -------
    rtools.products.io.staging.Stage
    """
    catalogs.stamp(table, path, entry)
    return catalogs.stage_catalog(path, table, form)


def stage_segments(
    path: str | Path,
    kind: str,
    meta: Mapping[str, Any],
    labels: np.ndarray,
    detection_image: np.ndarray,
    **settings: Any,
) -> Stage:
    """Write a segmentation map under a temporary name.

    Parameters
    ----------
    path : str or Path
        Where the product will appear.
    kind : str
        ``segm_exposure`` or ``segm_mosaic``.
    meta : mapping
        From `catalog_meta`.
    labels : ndarray int32 (rows, columns)
        0 where there is no source.
    detection_image : ndarray float32 (rows, columns)
        nJy per pixel.
    **settings
        As `rtools.products.io.writer.stage_product`: profile, compression, history, work.

    Returns
    -------
    rtools.products.io.staging.Stage
    """
    arrays = {"data": labels.astype(np.uint32), "detection_image": np.asarray(detection_image, np.float32)}
    return stage_product(path, kind, meta, arrays, **settings)


def read_segments(path: str | Path, shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and detection image of a segmentation map on which sources shall be measured.

    Parameters
    ----------
    path : str or Path
        The file.
    shape : tuple of int
        (rows, columns) of the image.

    Returns
    -------
    (ndarray, ndarray)
        Labels (int32) and detection image (float32).

    Raises
    ------
    InputError
        No segmentation map, one of another shape, one without its detection image, or labels that no catalog holds.
    """
    with open_product(path, kinds=("segm_exposure", "segm_mosaic", "segm_multiband")) as product:
        labels = product.array("data")
        if labels.shape != tuple(shape):
            sizes = " and ".join("×".join(map(str, size)) for size in (labels.shape, shape))
            raise InputError(f"segments and image differ in shape ({sizes})", path=path)
        if not product.has("detection_image"):
            mend = "make it again with rt-catalog, or rt-multiband"
            raise InputError("the segmentation map has no detection_image", mend=mend, path=path)
        return catalog_labels(labels, path), np.asarray(product.array("detection_image"), np.float32)


def date_now() -> str:
    """When a catalog was made, as its own metadata say it."""
    return f"{history.stamp()[:19].replace('T', ' ')} UTC"
