"""Alignment with its files: sources from catalogs, stars from reference catalogs, the result into the metadata."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from rtools.catalog.psf.psffit import FLAGS as PSF_FLAGS
from rtools.errors import InputError, RtoolsError
from rtools.products import names
from rtools.products.names.extensions import table_form
from rtools.products.schema import history
from rtools.products.tables import files as catalogs
from rtools.products.tables.files import read_catalog
from rtools.wfi.fill import FILL_STRING
from rtools.wfi.metadata import exposure_mjd
from rtools.wfi.sphere import positions_of, s_region, separation, unit_vectors
from rtools.wfi.units import DEGREE_ARCSEC
from rtools.work import ALONE

__all__ = [
    "GAIA",
    "ImageToAlign",
    "Outcome",
    "align",
    "align_group",
    "catalog_path",
    "image_of",
    "member_of",
    "record",
    "stage_matches",
    "stage_updated",
    "stars_around",
    "told",
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


def image_of(columns, meta, wcs, log):
    """Sources of an image for `rtools.astrometry.align.align`.

    Parameters
    ----------
    columns : mapping of str to array
        A catalog; sources with a warning flag, and those whose PSF fit is flagged as unusable, are left out. Rows keep
        their numbers.
    meta : dict
        Of the image.
    wcs : gwcs.WCS
    log : callable

    Returns
    -------
    rtools.astrometry.align.ImageSources

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
    x, y = (np.array(np.ma.filled(np.ma.asarray(columns[name], float), np.nan)) for name in found)
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
    return ImageSources(x, y, *errors, wcs, pointing, epoch, flux, weight)


def _bits(columns, name):
    """A column of flags as integers, whatever a table made of them; none where a row has nothing."""
    try:
        values = np.ma.filled(np.ma.asarray(columns[name], float), 0)
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
    catalog : Path or None
        The file its sources are from; None where they were just found.
    labels : ndarray or None
        Labels of the sources.
    """

    name: str
    image: object
    catalog: Path | None
    labels: object


class Outcome(NamedTuple):
    """What came of an alignment for one image: the alignment of its group, its number there, members and stars."""

    alignment: object
    number: int
    members: list
    stars: object


def member_of(plan, request, meta, wcs, *, columns=None, log):
    """The `ImageToAlign` that a plan's image is; None if it has no catalog.

    Parameters
    ----------
    plan : rtools.pipeline.exposure.plan.ExposurePlan
    request : rtools.pipeline.exposure.request.ExposureRequest
    meta : dict
    wcs : gwcs.WCS
    columns : mapping of str to array, optional
        Its catalog, where that is in memory.
    log : callable
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


def catalog_path(path, meta, given=None):
    """Catalog of an image file: the one given, else the one that its metadata name, else its sibling, else None.

    Of what the metadata say only the name counts, beside the image: directories are those of another machine, and a
    catalog that is brought up to date may not be any file there is.
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


def align(members, options, work=ALONE):
    """Align images to the stars of a reference catalog, all by one correction.

    Parameters
    ----------
    members : list of ImageToAlign
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
        return [error.message] * len(members)  # the network is no fault of the images
    name = f"FIT-LVL2-{Path(path).name.partition('.')[0]}"
    alignment = aligning.align(images, from_table(table), options, name=name, work=work)
    return [Outcome(alignment, number, members, table) for number in range(len(members))]


def align_group(plans, request, work):
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
    members, options = {}, None
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


def stars_around(path, systems, options):
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
    """
    from rtools.astrometry.align import search_radius
    from rtools.products.refcat import files as refcat_files
    from rtools.products.refcat import gaia as gaia_archive

    cone = _cone(systems, search_radius(options) / DEGREE_ARCSEC)
    if _is_archive(path):
        return gaia_archive.download(cone, limit=FAINTEST)
    return refcat_files.read(path, cone)


def _cone(systems, margin):
    """Right ascension, declination, radius (degrees) of a circle around the footprints of images."""
    from rtools.astrometry.wcs import footprint

    corners = np.concatenate([footprint(wcs) for wcs in systems])
    ra, dec = map(float, positions_of(unit_vectors(*corners.T).mean(axis=0)))
    return ra, dec, float(separation(*corners.T, ra, dec).max() + margin)


def told(alignment):
    """What to say of an alignment, one line."""
    if alignment.status != "COMPLETE":
        return f"tweakreg: FAILED: {alignment.reason}; the WCS stays as it was"
    results = alignment.results
    dx, dy = results["shift"]
    return (
        f"tweakreg: {results['nmatches']} of {alignment.stars} stars, rmse {1000 * results['rmse']:.2f} mas, "
        f"{results['fitgeom']}, shift {dx:.4f} {dy:.4f} arcsec, rotation {results['proper_rot']:.5f} degrees, "
        f"error at most {alignment.error_mas:.2f} mas"
    )


def record(meta, alignment, number):
    """Write the outcome for one image into its metadata.

    Parameters
    ----------
    meta : dict
        Changed: `wcs`, `wcsinfo.s_region`, `wcs_fit_results`, `cal_step.tweakreg`. A failure leaves the WCS alone.
    alignment : rtools.astrometry.align.Alignment
    number : int
        Of the image in the group.
    """
    from rtools.astrometry.wcs import footprint

    meta["wcs_fit_results"] = alignment.results
    meta.setdefault("cal_step", {})["tweakreg"] = alignment.status
    if alignment.status != "COMPLETE":
        return
    meta["wcs"] = alignment.wcs[number]
    region = s_region(footprint(meta["wcs"]))
    if region is not None:
        meta["wcsinfo"]["s_region"] = region


def stage_updated(outcome, wcs, tool):
    """Write the catalog that served an alignment again, under a temporary name, with its sky positions by the new WCS.

    Parameters
    ----------
    outcome : Outcome
    wcs : gwcs.WCS
        The corrected one.
    tool : str
        For the history.

    Returns
    -------
    rtools.products.io.staging.Stage
    """
    from rtools.catalog.source_catalog import place_on_sky

    path = outcome.members[outcome.number].catalog
    table = read_catalog(path)
    place_on_sky(table, wcs)
    catalogs.stamp(table, path.name, history.entry(tool, inputs=[str(path)]))
    return catalogs.stage_catalog(path, table, table_form(path))


def stage_matches(path, outcome):
    """Write the table of matches of a group under a temporary name.

    Parameters
    ----------
    path : str or os.PathLike
        Its extension says the format.
    outcome : Outcome
        Of any of its images.

    Returns
    -------
    rtools.products.io.staging.Stage
    """
    from astropy.table import Table

    matches, members, stars = outcome.alignment.matches, outcome.members, outcome.stars
    table = Table()
    count = 0 if matches is None else len(matches.image)
    which = np.zeros(0, int) if matches is None else matches.image
    table["image"] = np.array([members[number].name for number in which], dtype=str)
    rows = [(members[number], row) for number, row in zip(which, matches.source if count else (), strict=True)]
    table["label"] = np.array([row if one.labels is None else one.labels[row] for one, row in rows], np.int32)
    for name in ("x", "y"):
        table[name] = np.array([getattr(one.image, name)[row] for one, row in rows], float)
        table[name].unit = "pix"
    reference = matches.reference if count else np.zeros(0, int)
    for name in ("source_id", "ra", "dec", "phot_g_mean_mag"):
        if name in stars.colnames:
            table[name] = stars[name][reference]
    for name in ("x_residual", "y_residual", "x_sigma", "y_sigma"):
        table[name] = getattr(matches, name) if count else np.zeros(0)
        table[name].unit = "mas"
    table["fitted"] = matches.fitted if count else np.zeros(0, bool)
    table.meta = {"status": outcome.alignment.status, "reason": outcome.alignment.reason}
    return catalogs.stage_catalog(path, table, table_form(path))
