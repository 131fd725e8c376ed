"""One product of either mission, read for a report with the catalog and the segmentation map beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, RtoolsError
from rtools.pipeline.report.aligned import alignment_findings, alignment_values
from rtools.pipeline.report.catalogs import (
    ReadCatalog,
    catalog_findings,
    catalog_values,
    image_of,
    read_sources,
)
from rtools.pipeline.report.findings import CatalogFindings, Identity, ProductFindings
from rtools.pipeline.report.identity import identity_of, log_lines, provenance_of
from rtools.pipeline.report.images import (
    exposure_findings,
    exposure_values,
    image_array,
    pictures_of,
    quality_of,
)
from rtools.pipeline.report.mosaics import MOSAICS, mosaic_findings, mosaic_values
from rtools.pipeline.report.stage3 import STAGE3, stage3_values
from rtools.products.forms import form_of
from rtools.products.jwst import JwstProduct
from rtools.products.opening import open_any
from rtools.products.tables import read_table

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["broken", "companions", "read_product"]

EXPOSURES = (
    "l1_uncal", "ramp", "l2_image", "uncal", "rate", "rateints", "bsub", "bsubints", "cal", "calints", "crf", "crfints",
)  # fmt: skip
"""Kinds that are exposures; JWST's ramps are called as Roman's."""

IMAGE_NAME = re.compile(r"(?P<root>.+)_(?:cal|coadd|i2d|crf)\.(?:asdf|fits)")

BESIDE = {"catalog": ("_cat.parquet", "_cat.ecsv"), "segments": ("_segm.asdf", "_segm.fits")}
"""Ends of the names of what lies beside an image."""


def companions(path: str | Path) -> dict[str, Path]:
    """Catalog and segmentation map beside an image.

    Parameters
    ----------
    path : str or Path
        Of the image.

    Returns
    -------
    dict of str to Path
        ``catalog`` and ``segments``, as far as they are there.
    """
    match = IMAGE_NAME.fullmatch(Path(path).name)
    if not match:
        return {}
    places = {word: [Path(path).with_name(match["root"] + end) for end in ends] for word, ends in BESIDE.items()}
    found = {word: next((one for one in ones if one.is_file()), None) for word, ones in places.items()}
    return {word: one for word, one in found.items() if one is not None}


def read_product(path: str | Path, called: str, side: int) -> ProductFindings:
    """Read a product.

    Parameters
    ----------
    path : str or Path
        The file.
    called : str
        As it was typed.
    side : int
        Pixels of the longer side of its pictures, at most.

    Returns
    -------
    ProductFindings

    Raises
    ------
    InputError
        It cannot be read, or is no product of either mission.
    """
    form = form_of(path)
    if form in ("fits", "ecsv") and (told := _of_stage3(path, called)) is not None:
        return told
    if form == "json":
        raise InputError("a JSON file: a report is of products", mend="--log takes the log of a run", path=path)
    if form in ("parquet", "ecsv"):
        return _of_table(path, called, form)
    with open_any(path) as product:
        if getattr(product, "tables", None) and image_array(product) is None:
            identity = identity_of(called, product.mission, product.kind, product.meta)
            return ProductFindings(identity, provenance=_provenance(product))
        return _of_product(product, called, side)


def _of_stage3(path, called):
    """A series, spectra, a cube, or what is made of them; None where it is something else."""
    try:
        product = open_any(path)
    except RtoolsError:
        return None  # told by what reads it next
    with product:
        if not isinstance(product, JwstProduct) or product.kind not in STAGE3:
            return None
        identity = identity_of(called, "jwst", product.kind, product.meta)
        return ProductFindings(identity, stage3_values(product), provenance=_provenance(product))


def _of_table(path, called, form):
    """A catalog that is reported for itself."""
    read, described = read_sources(path), read_table(path, form)
    stated = described.tree.get("meta")
    meta: dict[str, Any] = stated if isinstance(stated, dict) else {}
    mission = "roman" if described.kind else "jwst" if form == "ecsv" else ""
    identity = identity_of(called, mission, described.kind or "catalog", meta)
    found = catalog_findings(called, read)
    return ProductFindings(
        identity,
        catalog_values(found) if found else {"sources": float(len(read.table))},
        catalog=found,
        provenance=provenance_of(meta, described.history, log_lines(meta)),
    )


def _provenance(product):
    return provenance_of(product.meta, product.history, log_lines(product.meta))


def _of_product(product: ProductFace, called: str, side: int) -> ProductFindings:
    meta = product.meta
    logs, identity = log_lines(meta), identity_of(called, product.mission, product.kind, meta)
    if image_array(product) is None or product.kind not in (*EXPOSURES, *MOSAICS):
        return ProductFindings(identity, _counts(meta, logs), provenance=_provenance(product))
    remarks: list[str] = []
    beside = companions(product.path)
    catalog, found = _catalog_beside(beside.get("catalog"), product, remarks)
    quality = quality_of(product, side)
    values: dict[str, float] = {}
    exposure = mosaic = None
    if product.kind in MOSAICS:
        mosaic = mosaic_findings(product, logs, side)
        values |= mosaic_values(mosaic, quality) if mosaic else {"sky": quality.sky, "noise": quality.noise}
    else:
        exposure = exposure_findings(product, quality)
        values |= exposure_values(product, quality, exposure, identity.exposure_time)
    shape = product.arrays["data"].shape[-2:]
    alignment = alignment_findings(meta, logs, catalog, shape) if exposure else None
    values |= alignment_values(alignment, meta) if alignment else {}
    values |= catalog_values(found) if found else {}
    return ProductFindings(
        identity,
        {**values, **_counts(meta, logs)},
        exposure,
        alignment,
        mosaic,
        found,
        _pictures(product, quality, side, beside.get("segments"), remarks),
        _provenance(product),
        remarks=tuple(remarks),
    )


def _counts(meta: dict[str, Any], logs: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Warnings and failed steps."""
    texts = {text for level, text in logs if level in ("WARNING", "ERROR", "CRITICAL")}
    steps = meta.get("cal_step")
    failed = sum(status == "FAILED" for status in steps.values()) if isinstance(steps, dict) else 0
    return {"warnings": float(len(texts)), "not_done": float(failed)}


def _catalog_beside(path, product, remarks) -> tuple[ReadCatalog | None, CatalogFindings | None]:
    """The catalog beside an image, and what it is like; a remark where it is damaged or of another image."""
    if path is None:
        return None, None
    try:
        read = read_sources(path)
        found = catalog_findings(str(path), read)
    except RtoolsError as error:
        remarks.append(str(error))
        return None, None
    of_image, filename = image_of(read.meta), product.meta.get("filename")
    if of_image and isinstance(filename, str) and of_image != filename:
        remarks.append(f"{path}: is of {of_image}, and not taken")
        return None, None
    return read, found


def _pictures(product, quality, side, path, remarks):
    if path is None:
        return pictures_of(product, quality, side, None)
    shape = product.arrays["data"].shape[-2:]
    try:
        with open_any(path) as segments:
            info = segments.arrays.get("data")
            if info is None or info.shape != shape or not np.issubdtype(info.dtype, np.integer):
                remarks.append(f"{path}: no segmentation map of this image, and not taken")
                return pictures_of(product, quality, side, None)
            return pictures_of(product, quality, side, segments)
    except RtoolsError as error:
        remarks.append(str(error))
        return pictures_of(product, quality, side, None)


def broken(called: str, reason: str) -> ProductFindings:
    """A product that could not be read.

    Parameters
    ----------
    called : str
        As it was typed.
    reason : str
        Why, in words.

    Returns
    -------
    ProductFindings
    """
    return ProductFindings(Identity(called), problem=reason)
