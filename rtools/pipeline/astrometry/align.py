"""Alignment with its files: sources from catalogs, stars from reference catalogs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from rtools.catalog.psf.psffit import FLAGS as PSF_FLAGS
from rtools.errors import InputError, RtoolsError
from rtools.products import names
from rtools.products.tables.files import read_catalog
from rtools.wfi.fill import FILL_STRING
from rtools.wfi.metadata import exposure_mjd
from rtools.wfi.sphere import positions_of, separation, unit_vectors
from rtools.wfi.units import DEGREE_ARCSEC
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from astropy.table import Table
    from gwcs import WCS

    from rtools.astrometry.align import Alignment, ImageSources
    from rtools.pipeline.job.steps import StepPlan
    from rtools.products.io.product import Product

__all__ = [
    "GAIA",
    "ImageToAlign",
    "Outcome",
    "align",
    "align_group",
    "catalog_of",
    "catalog_path",
    "image_of",
    "member_of",
    "stars_around",
]

GAIA = "gaia"
"""What --refcat says for the Gaia archive, over the network; a file or directory of that name goes before it."""

FAINTEST = 21.0
"""G of the faintest stars that are asked for there."""

UNUSABLE = ~(PSF_FLAGS["few_pixels"] | PSF_FLAGS["not_converged"])
"""Flags of PSF fits that are left out: off the image, negative, without covariance, of next to no pixels."""

UNSETTLED = 3.0
"""By which the errors of a fit grow that did not converge."""

POSITIONS = ("x", "y"), ("x_psf", "y_psf"), ("x_centroid_win", "y_centroid_win"), ("x_centroid", "y_centroid")
"""Columns in which positions are looked for, the best first."""


def image_of(columns: Any, meta: Mapping[str, Any], wcs: WCS, log: Callable[[str, str], None]) -> ImageSources:
    """Sources of an image for `rtools.astrometry.align.align`.

    Parameters
    ----------
    columns : astropy.table.Table or mapping of str to array
        A catalog; sources with a warning flag, and those whose PSF fit is flagged as unusable, are left out. Rows keep
        their numbers.
    meta : dict
        Of the image: `wcsinfo` says where it points, `exposure` when it was taken.
    wcs : gwcs.WCS
        The world coordinate system that is to be corrected.
    log : callable
        ``log(level, text)``: is warned where positions are not those of PSF fits.

    Returns
    -------
    rtools.astrometry.align.ImageSources
        A row for each of the catalog; x is NaN in those that are left out.

    Raises
    ------
    InputError
        The catalog has no positions.
    """
    from rtools.astrometry.align import ImageSources
    from rtools.astrometry.refcat import julian_year
    from rtools.astrometry.wcs import Pointing

    names = getattr(columns, "colnames", None) or list(columns)
    found = next((pair for pair in POSITIONS if set(pair) <= set(names)), None)
    if found is None:
        raise InputError("the catalog has no positions", mend="columns x_psf and y_psf, or x and y")
    if found[0].startswith("x_centroid"):
        log("warning", f"tweakreg: the catalog has no PSF positions; {found[0]} is taken")
    x, y = (_filled(columns[name]) for name in found)
    if "warning_flags" in names:
        x[_bits(columns, "warning_flags") & 1 != 0] = np.nan
    errors = [np.array(columns[f"{name}_err"], float) if f"{name}_err" in names else None for name in found]
    if found[0] == "x_psf" and "psf_flags" in names:
        flags = _bits(columns, "psf_flags")
        x[flags & UNUSABLE != 0] = np.nan
        for error in errors:
            if error is not None:
                error[flags & PSF_FLAGS["not_converged"] != 0] *= UNSETTLED
    flux = next((np.asarray(columns[name], float) for name in ("psf_flux", "kron_flux") if name in names), None)
    weight = np.asarray(columns["weight"], float) if "weight" in names else None
    pointing = Pointing(*(float(meta["wcsinfo"][key]) for key in Pointing._fields))
    epoch = float(julian_year(sum(exposure_mjd(meta)) / 2))
    return ImageSources(x, y, errors[0], errors[1], wcs, pointing, epoch, flux, weight)


def _filled(column: Any) -> np.ndarray:
    """A column as float64, NaN where a table masks it; a copy."""
    return np.array(np.ma.filled(np.ma.asarray(column, float), np.nan))


def _bits(columns, name):
    """A column of flags as integers, whatever a table made of them; none where a row has nothing."""
    try:
        values: np.ndarray = np.ma.filled(np.ma.asarray(columns[name], float), 0)
    except (TypeError, ValueError):
        raise InputError(f"{name} is not a column of numbers") from None
    return np.nan_to_num(values, posinf=0, neginf=0).astype(np.int64)


class ImageToAlign(NamedTuple):
    """One image to be aligned.

    Attributes
    ----------
    name : str
        What the image is called.
    image : rtools.astrometry.align.ImageSources
        Its sources and its WCS.
    catalog : Path or None
        The file its sources are from; None where they were just found.
    labels : ndarray or None
        Labels of the sources, a row for each; None where the catalog has no labels.
    """

    name: str
    image: ImageSources
    catalog: Path | None
    labels: np.ndarray | None


class Outcome(NamedTuple):
    """What came of an alignment for one image.

    Attributes
    ----------
    alignment : rtools.astrometry.align.Alignment
        That of its group.
    number : int
        Its number in the group, from 0.
    members : sequence of ImageToAlign
        All images of the group.
    stars : astropy.table.Table
        The reference stars around them.
    """

    alignment: Alignment
    number: int
    members: Sequence[ImageToAlign]
    stars: Table


class _Planned(Protocol):
    """What alignment has to know of a plan of an exposure."""

    @property
    def name(self) -> str: ...
    @property
    def product(self) -> Product: ...
    @property
    def steps(self) -> Sequence[StepPlan]: ...


class _Asked(Protocol):
    """What alignment has to know of what a user asks of exposures."""

    @property
    def catalogs(self) -> Mapping[str, str]: ...


def member_of(
    plan: _Planned,
    request: _Asked,
    meta: Mapping[str, Any],
    wcs: WCS,
    *,
    columns: Any = None,
    log: Callable[[str, str], None],
) -> ImageToAlign | None:
    """The `ImageToAlign` that a plan's image is; None if it has no catalog.

    Parameters
    ----------
    plan : rtools.pipeline.exposure.plan.ExposurePlan
        Its `name` and `product` say which file it is.
    request : rtools.pipeline.exposure.request.ExposureRequest
        Its `catalogs` may name the catalog.
    meta : dict
        Of the image, as it stands.
    wcs : gwcs.WCS
        Of the image, as it stands.
    columns : mapping of str to array, optional
        Its catalog, where that is in memory.
    log : callable
        As in `image_of`.

    Returns
    -------
    ImageToAlign or None
        Its `catalog` is None where `columns` were given.
    """
    path = None
    if columns is None:
        path = catalog_path(plan.product.path, meta, request.catalogs.get(plan.name))
        if path is None:
            return None
        columns = read_catalog(path)
    names_there = getattr(columns, "colnames", columns)
    labels = np.asarray(columns["label"]) if "label" in names_there else None
    return ImageToAlign(plan.name, image_of(columns, meta, wcs, log), path, labels)


def catalog_of(plan: _Planned, request: _Asked) -> Path | None:
    """The catalog by which an image is aligned, where that is a file and is not made in the same run.

    Parameters
    ----------
    plan, request
        As `member_of` takes them.

    Returns
    -------
    Path or None
    """
    active = [one.step for one in plan.steps if one.active]
    if any(step.finds_sources for step in active) or not any(step.aligns for step in active):
        return None
    return catalog_path(plan.product.path, plan.product.meta, request.catalogs.get(plan.name))


def catalog_path(
    path: str | os.PathLike, meta: Mapping[str, Any], given: str | os.PathLike | None = None
) -> Path | None:
    """Catalog of an image file: the one given, else the one that its metadata name, else its sibling, else None.

    Of what the metadata say only the name counts, beside the image: directories are those of another machine, and a
    catalog that is brought up to date may not be any file there is.

    Parameters
    ----------
    path : str or os.PathLike
        The image.
    meta : dict
        Its metadata: `source_catalog.tweakreg_catalog_name` is looked at.
    given : str or os.PathLike, optional
        What the user named; it need not exist.

    Returns
    -------
    Path or None
        ``STEM_cat.parquet`` or ``STEM_cat.ecsv``, where neither user nor metadata name a file that exists.
    """
    if given is not None:
        return Path(given)
    path = Path(path)
    named = (meta.get("source_catalog") or {}).get("tweakreg_catalog_name")
    stem, _suffix = names.split_suffix(path.name)
    stated = Path(str(named or "")).name
    tried = [path.with_name(stated)] if stated not in ("", "..", FILL_STRING) else []
    tried += [path.parent / f"{stem}_cat{extension}" for extension in (".parquet", ".ecsv")]
    return next((one for one in tried if one.is_file()), None)


def align(members: Sequence[ImageToAlign], options: Mapping[str, Any], work: Work = ALONE) -> list[Outcome | str]:
    """Align images to the stars of a reference catalog, all by one correction.

    Parameters
    ----------
    members : sequence of ImageToAlign
        The images of one group.
    options : dict
        Of the step; `refcat` is the path of the reference catalog.
    work : rtools.work.Work
        Its threads look for the match.

    Returns
    -------
    list of Outcome or str
        One for each member; why there is none where the archive does not answer.
    """
    from rtools.astrometry import align as aligning
    from rtools.astrometry.refcat import from_table

    path, images = str(options["refcat"]), [member.image for member in members]
    try:
        table = stars_around(path, [image.wcs for image in images], options)
    except RtoolsError as error:
        if not _is_archive(path):
            raise
        return [error.message] * len(members)  # the images are not to blame for the network
    _tell_undated(table, path, work)
    name = f"FIT-LVL2-{Path(path).name.partition('.')[0]}"
    alignment = aligning.align(images, from_table(table), options, name=name, work=work)
    return [Outcome(alignment, number, members, table) for number in range(len(members))]


def align_group(plans: Mapping[str, _Planned], request: _Asked, work: Work) -> dict[str, Outcome | str]:
    """Align the images of several plans together.

    Parameters
    ----------
    plans : mapping of str to rtools.pipeline.exposure.plan.ExposurePlan
        By the names of their inputs.
    request : rtools.pipeline.exposure.request.ExposureRequest
        What is asked.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    dict of str to Outcome or str
        What came of each image. Images without WCS or catalog are left out: they find that out for themselves.
    """
    members: dict[str, ImageToAlign] = {}
    options: Mapping[str, Any] = {}
    for name, plan in plans.items():
        step = next(step for step in plan.steps if step.step.aligns)
        meta = plan.product.meta
        wcs = plan.product.node("meta.wcs") if step.active and meta.get("wcs") is not None else None
        member = wcs and member_of(plan, request, meta, wcs, log=work.log)
        if member is not None:
            members[name], options = member, options or step.options
    if not members:
        return {}
    return dict(zip(members, align(list(members.values()), options, work), strict=True))


def _is_archive(path):
    """Whether a reference catalog, as it was typed, is the archive."""
    return path == GAIA and not Path(path).exists()


def stars_around(path: str, systems: Sequence[WCS], options: Mapping[str, Any]) -> Table:
    """Reference stars around images: of a file or tree, or of the archive where that is asked for.

    Parameters
    ----------
    path : str
        Of the reference catalog, or the name of the archive.
    systems : sequence of gwcs.WCS
        Of the images.
    options : dict
        Of the step, by key; they say how far from the images stars can matter.

    Returns
    -------
    astropy.table.Table
        The stars in a circle around the footprints of all images and that margin.
    """
    from rtools.astrometry.align import search_radius
    from rtools.products.refcat import files as refcat_files
    from rtools.products.refcat import gaia as gaia_archive
    from rtools.products.tables.column_names import parse_columns

    cone = _cone(systems, search_radius(options) / DEGREE_ARCSEC)
    if _is_archive(path):
        return gaia_archive.download(cone, limit=FAINTEST)
    asked = options.get("refcat_columns")
    return refcat_files.read(path, cone, asked=parse_columns(asked, option="--refcat-columns") if asked else None)


def _tell_undated(table, name, work):
    """Warn of stars that move from nobody knows when."""
    if "pmra" in table.colnames and not ("ref_epoch" in table.colnames and np.isfinite(table["ref_epoch"]).any()):
        mend = "--refcat-columns ref_epoch=2016.0 says it"
        work.log("warning", f"{name}: its proper motions are not used, because it has no epoch; {mend}")


def _cone(systems, margin):
    """Right ascension, declination, radius (degrees) of a circle around the footprints of images."""
    from rtools.astrometry.wcs import footprint

    all_ra, all_dec = np.concatenate([footprint(wcs) for wcs in systems]).T
    ra, dec = map(float, positions_of(unit_vectors(all_ra, all_dec).mean(axis=0)))
    return ra, dec, float(separation(all_ra, all_dec, ra, dec).max() + margin)
