"""The source catalog of a mosaic of JWST in its files: planes, references, the table and the segmentation map."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools import __version__
from rtools.catalog.jwst.apertures import EnergyApertures, apertures_of_radii, apertures_of_table
from rtools.errors import InputError, UsageError, with_article
from rtools.pipeline.catalog.single import WIDEST, CatalogSummary
from rtools.products.jwst import JwstProduct, NewHdu, celestial_cards, open_jwst, sky_of, stage_new
from rtools.reference import find
from rtools.reference.missions import rules_of
from rtools.wfi import metadata
from rtools.wfi.labels import catalog_labels
from rtools.work import Work

if TYPE_CHECKING:
    from pathlib import Path

    from rtools.catalog.jwst.source_catalog import JwstFound
    from rtools.catalog.source_catalog import ImagePlanes
    from rtools.declare import Reference
    from rtools.pipeline.catalog.files import CatalogFiles
    from rtools.pipeline.job.request import Request
    from rtools.products.io.staging import Stage

__all__ = ["find_jwst_references", "find_jwst_sources", "jwst_planes_of", "stage_jwst_catalog"]

KINDS = ("i2d",)
"""Products of which a catalog is made."""

LIBRARIES = ("numpy", "scipy", "numba", "astropy", "gwcs")

ONE_SCALE = 0.01
"""Pixels of a mosaic are the detector's where their sides differ by less."""


def jwst_planes_of(product: JwstProduct) -> ImagePlanes:
    """Planes of a mosaic, as the catalog takes them.

    Parameters
    ----------
    product : JwstProduct
        The mosaic.

    Returns
    -------
    rtools.catalog.source_catalog.ImagePlanes
        In MJy/sr.

    Raises
    ------
    InputError
        It is in another unit, or has no coordinates.
    """
    from rtools.catalog.source_catalog import ImagePlanes

    unit = str(product.arrays["data"].unit or "MJy/sr")
    if unit.replace(" ", "").lower() != "mjy/sr":
        raise InputError(f"its data are in {unit}, not in MJy/sr", path=product.path)
    data, err, weight = (np.asarray(product.array(name), np.float32) for name in ("data", "err", "wht"))
    return ImagePlanes(data, err, sky_of(product), weight=weight)


def find_jwst_references(
    meta: Mapping[str, Any],
    uses: Sequence[Reference],
    options: Mapping[str, Any],
    config: find.Config,
    log: Callable[[str, str], None],
    *,
    simulated: bool = False,
) -> dict[str, Any]:
    """References of the catalog of a mosaic.

    Parameters
    ----------
    meta : mapping
        Of the mosaic, or of its first exposure.
    uses : sequence of rtools.declare.Reference
        What the step reads.
    options : mapping of str to object
        Of the step.
    config : rtools.reference.find.Config
        Where references are looked for.
    log : callable
        ``log(level, text)``.
    simulated : bool
        Whether the data are: only then the nominal set serves unasked.

    Returns
    -------
    dict
        Reference type to reference, or None where one may be absent or was refused.

    Raises
    ------
    MissingReferenceError
        One is needed, and is nowhere.
    UsageError
        Neither a reference nor options say the apertures, or options cannot be understood.
    """
    _numbers(options, "energies", 3)
    if options["radii"] is not None:
        _numbers(options, "radii", 3)
        _numbers(options, "sky_annulus", 2)
        uses = [use for use in uses if use.type != "apcorr"]
    found = find.references(meta, uses, config, simulated=simulated, log=log, rules=rules_of("jwst"))
    if options["radii"] is None and found.get("apcorr") is None:
        raise UsageError("no apcorr reference says the apertures", mend="--radii and --sky-annulus say them")
    return found


def _numbers(options, key, count):
    """Numbers of an option with commas between, rising."""
    word = f"--{key.replace('_', '-')}"
    if options[key] is None:
        raise UsageError(f"--radii needs {word}, too")
    try:
        numbers = [float(part) for part in str(options[key]).split(",")]
    except ValueError:
        numbers = []
    rising = all(one < two for one, two in zip([0.0, *numbers], numbers, strict=False))
    if len(numbers) != count or not rising or not np.isfinite(numbers).all():
        raise UsageError(f"{word} {options[key]}: {count} rising numbers expected, with commas between")
    return numbers


def find_jwst_sources(
    planes: ImagePlanes, meta: Mapping[str, Any], options: Mapping[str, Any], references: Mapping[str, Any], work: Work
) -> tuple[JwstFound, dict[str, Any]]:
    """The catalog of a mosaic.

    Parameters
    ----------
    planes : rtools.catalog.source_catalog.ImagePlanes
        Its planes, from `jwst_planes_of`.
    meta : mapping
        Of the mosaic.
    options : mapping of str to object
        Of the step.
    references : mapping of str to reference or None
        From `find_jwst_references`.
    work : rtools.work.Work
        Threads, log and progress.

    Returns
    -------
    found : rtools.catalog.jwst.source_catalog.JwstFound
        The catalog; it may be empty.
    about : dict
        What the table says of itself.

    Raises
    ------
    UsageError
        The kernel is too wide.
    InputError
        The reference has no apertures for this image, or given segments do not fit it.
    """
    from rtools.catalog.jwst.source_catalog import jwst_catalog_of

    if options["kernel_fwhm"] > WIDEST:
        raise UsageError(f"--kernel-fwhm {options['kernel_fwhm']:g}: {WIDEST:g} pixels at most")
    apertures = _apertures(meta, options, references.get("apcorr"))
    offset = _vega_offset(meta, references.get("abvegaoffset"), work)
    forced = _segments(options["forced_segmentation"], planes.data.shape)
    with work.progress("catalog", None):
        found = jwst_catalog_of(planes, options, apertures, vega_offset=offset, forced=forced, work=work)
    return found, _about(apertures, offset)


def _apertures(meta, options, reference) -> EnergyApertures:
    """The apertures in pixels of the mosaic."""
    energies = [round(one) for one in _numbers(options, "energies", 3)]
    if options["radii"] is not None:
        return apertures_of_radii(_numbers(options, "radii", 3), _numbers(options, "sky_annulus", 2), energies)
    instrument = meta.get("instrument") or {}
    elements = {name: instrument.get(name) for name in ("filter", "pupil")}
    elements["subarray"] = metadata.get(meta, "subarray.name")
    rows = np.array(reference.node("apcorr_table"))
    rows.dtype.names = tuple(name.lower() for name in rows.dtype.names or ())
    try:
        apertures = apertures_of_table(rows, elements, energies)
    except InputError as error:
        error.path = error.path or getattr(reference, "path", None)
        raise
    ratio = metadata.get(meta, "resample.pixel_scale_ratio")
    known = isinstance(ratio, int | float) and 0 < ratio < np.inf and abs(ratio - 1) > ONE_SCALE
    apertures = apertures.scaled(1 / ratio) if known else apertures
    if options["sky_annulus"] is None:
        return apertures
    return apertures._replace(annulus=np.array(_numbers(options, "sky_annulus", 2)))


def _vega_offset(meta, reference, work):
    """AB less Vega magnitude; None where it is not known."""
    if reference is None:
        work.log("warning", "catalog: no abvegaoffset reference; Vega magnitudes are NaN")
        return None
    table, instrument = reference.node("abvega_offset"), meta.get("instrument") or {}
    rows = np.ones(len(table), bool)
    for name in ("filter", "pupil"):
        if name in table.colnames and instrument.get(name) is not None:
            rows &= np.array([str(one).strip() == str(instrument[name]).strip() for one in table[name]])
    if rows.sum() != 1:
        work.log("warning", "catalog: the abvegaoffset reference has no row for this filter; Vega magnitudes are NaN")
        return None
    return float(table["abvega_offset"][rows][0])


def _segments(path, shape):
    """Labels of a segmentation map of the same pixels; None where none is given."""
    if path is None:
        return None
    with open_jwst(path) as product:
        if product.kind != "segm":
            raise InputError(f"is {with_article(product.kind)}, wanted a segm", path=path)
        labels = product.array("data")
    if labels.shape != tuple(shape):
        sizes = " and ".join("×".join(map(str, size)) for size in (labels.shape, shape))
        raise InputError(f"segments and image differ in shape ({sizes})", path=path)
    return catalog_labels(labels, path)


def _about(apertures: EnergyApertures, offset: float | None) -> dict[str, Any]:
    """What the table says of itself; keys as in the archive's catalogs."""
    corrections = None if apertures.corrections is None else [float(one) for one in apertures.corrections]
    versions = {"Python": sys.version.split()[0]} | {name: version(name) for name in LIBRARIES}
    return {
        "version": versions | {"rtools": __version__},
        "aperture_mask_method": "mirrored",
        "aperture_params": {
            "aperture_ee": list(apertures.energies),
            "aperture_radii": [float(one) for one in apertures.radii],
            "aperture_corrections": corrections,
            "bkg_aperture_inner_radius": float(apertures.annulus[0]),
            "bkg_aperture_outer_radius": float(apertures.annulus[1]),
        },
        "abvega_offset": offset,
    }


def stage_jwst_catalog(
    files: CatalogFiles, request: Request, product: JwstProduct, work: Work
) -> tuple[list[Stage], CatalogSummary]:
    """Find the sources of a mosaic, and write catalog and segmentation map under temporary names.

    Parameters
    ----------
    files : rtools.pipeline.catalog.files.CatalogFiles
        Their names, and what they say.
    request : rtools.pipeline.job.request.Request
        What is asked.
    product : JwstProduct
        The mosaic.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    stages : list of rtools.products.io.staging.Stage
        The segmentation map first.
    summary : rtools.pipeline.catalog.single.CatalogSummary
    """
    meta = product.meta
    found, about = find_jwst_sources(jwst_planes_of(product), meta, files.options, files.references, work)
    entry, main = _entry(files, request, meta), list(files.outputs.values())[-1].name
    staged: list[Stage] = []
    try:
        if "segm" in files.outputs:
            staged.append(_stage_segments(files.outputs["segm"], product, found.labels, entry | {"main": main}))
        table = _table_of(found)
        path = files.outputs["cat"]
        mine = entry if path.name == main else entry | {"main": main}
        staged.append(stage_new(path, "cat", about, [NewHdu("CAT", table)], history=[mine]))
    except BaseException:
        for one in staged:
            one.discard()
        raise
    searched = "forced" if files.options["forced_segmentation"] else "deepest"
    return staged, CatalogSummary(len(found.values["label"]), None, searched)


def _entry(files, request, meta):
    """The entry in the history of both files."""
    return request.entry(
        parameters={"catalog": dict(files.options)},
        references={name: reference for name, reference in files.references.items() if reference is not None},
        inputs=list(files.inputs),
        made_of=[(meta, list(files.history))],
    )


def _table_of(found):
    from astropy.table import Column, Table

    columns = [
        Column(found.values[one.name], name=one.name, unit=one.unit, description=one.description)
        for one in found.columns
    ]
    return Table(columns)


MINE = ("model_type", "wcs", "filename", "date", "rtools")
"""Metadata that a file has for itself."""


def _stage_segments(path: Path, product: JwstProduct, labels: np.ndarray, entry: dict[str, Any]) -> Stage:
    """The segmentation map, with the coordinates of its mosaic."""
    meta = {key: value for key, value in product.meta.items() if key not in MINE}
    try:
        tree = {"meta": {"wcs": product.node("meta.wcs")}}
    except (KeyError, InputError):
        tree = {}
    image = NewHdu("SCI", labels.astype(np.uint32), cards=celestial_cards(product))
    return stage_new(path, "segm", meta, [image], tree=tree, history=[entry])
