"""A multiband catalog with its files: which mosaics make it, what can be refused before any work, what is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.catalog.steps.multiband import STEP
from rtools.errors import InputError, RtoolsError, UsageError
from rtools.pipeline.catalog import single as cataloging
from rtools.pipeline.catalog.files import form_of
from rtools.pipeline.catalog.references import dust_of, find_references, psf_of
from rtools.pipeline.job.job import Messages
from rtools.pipeline.job.outputs import check_outputs, name_outputs, refuse_inputs
from rtools.products.io import open_product
from rtools.products.io.product import Product
from rtools.products.mosaic import association
from rtools.products.schema import history, layout, profiles, tags
from rtools.products.tables import multiband as multiband_meta
from rtools.products.tables import sources as source_catalog
from rtools.wfi import metadata
from rtools.wfi.instrument import FILTERS

if TYPE_CHECKING:
    from rtools.pipeline.job.request import Request
    from rtools.work import Work
__all__ = ["FilterMosaic", "MultibandPlan", "carry_out", "make_plan"]

NAME = "multiband_catalog"
"""What products are called when nobody names them."""

ALIGNED = 0.01
"""Pixels by which the grids of two mosaics may differ."""


@dataclass(frozen=True)
class FilterMosaic:
    """One mosaic.

    Attributes
    ----------
    name : str
        What its file is called.
    product : rtools.products.io.product.Product
        Its file, opened.
    element : str
        Its filter.
    sed_weight : float
        Brightness of the sources looked for in this filter, relative to the others.
    references : mapping of str to reference or None
        By type.
    """

    name: str
    product: Product
    element: str
    sed_weight: float
    references: Mapping[str, Any]


@dataclass(frozen=True)
class MultibandPlan:
    """A group of mosaics, made ready.

    Attributes
    ----------
    members : tuple of FilterMosaic
        In the order in which they were named.
    options : mapping of str to object
        Of the step; kernel_fwhms is a list, psf_match a filter or None.
    outputs : mapping of str to Path
        ``segm`` and ``cat``.
    profile : str
        Schema generation.
    warnings, cautions : tuple of str
        What is to be said before the work; cautions even with -q.
    """

    members: tuple[FilterMosaic, ...]
    options: Mapping[str, Any]
    outputs: Mapping[str, Path]
    profile: str
    warnings: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


def make_plan(files: Sequence[str], request: Request, *, copies: Mapping[str, str] | None = None) -> MultibandPlan:
    """Decide what to do with a group of mosaics, or refuse it.

    Parameters
    ----------
    files : sequence of str
        Mosaics, or one association of them.
    request : rtools.pipeline.job.request.Request
        Its settings of ``multiband`` are the options.
    copies : dict of str to str, optional
        Files among them that are copies of streams, and what the user called these.

    Returns
    -------
    MultibandPlan
        The mosaics are open; a seed that nobody gave has been drawn.

    Raises
    ------
    InputError, UsageError, MissingReferenceError, RtoolsError
        See the module's first line.
    """
    options = STEP.defaults() | dict(request.settings.get(STEP.name, {}))
    options["kernel_fwhms"] = _widths(options["kernel_fwhms"])
    entries, asn = [association.AssociationMember(str(file)) for file in files], None
    if str(files[0]).endswith(".json"):
        asn = association.read_association(files[0])
        entries = list(asn.science)
        if not entries:
            raise InputError("the association has no science members", path=asn.path)
        options["psf_match"] = options["psf_match"] or asn.psf_match_reference_filter
    messages = Messages()

    def log(level, text):
        if text not in (*messages.warnings, *messages.cautions):
            messages.log(level, text)

    paths = [entry.path for entry in entries]
    copies = copies or {}
    first = "-" if files[0] in copies else files[0]
    outputs = _outputs(first, asn.name if asn else None, request, paths, messages.warnings)
    members = [_member(copies.get(entry.path, entry.path), entry, request, log) for entry in entries]
    _check_together(members)
    options["psf_match"] = _reference(members, options["psf_match"])
    if options["inject_sources"]:
        _check_injection(members, request)
        if options["inject_seed"] is None:
            options["inject_seed"] = int(np.random.default_rng().integers(2**31))
    profile, changes = profiles.kept(request.profile, [member.product for member in members])
    if not request.profile and not tags.has(profile, "cat_multiband"):
        changes.append(f"profile {profile} has no catalogs of many bands: profile {layout.DEFAULT_PROFILE} is written")
        profile = layout.DEFAULT_PROFILE
    tags.tag("cat_multiband", profile)
    messages.warnings += changes
    return MultibandPlan(tuple(members), options, outputs, profile, tuple(messages.warnings), tuple(messages.cautions))


def _check_injection(members, request):
    """Refuse to inject sources where they cannot be: without tables, PSF or exposure time."""
    if request.to_stdout:
        raise UsageError("--inject-sources fills tables of the segmentation map, which -o - leaves out")
    if any(member.references.get("epsf") is None for member in members):
        raise UsageError("--inject-sources needs the PSF of every filter", mend="give epsf references")
    for member in members:
        if not member.product.meta["coadd_info"]["exposure_time"]:
            what = "meta.coadd_info.exposure_time is 0: the noise of injected sources needs it"
            raise InputError(what, path=member.product.path)


def _widths(text):
    """Kernel widths as they are typed."""
    try:
        widths = [float(word) for word in str(text).replace(",", " ").split()]
    except ValueError:
        widths = []
    if not widths or not all(0.1 <= width <= 100 for width in widths):
        raise UsageError(f"--kernel-fwhms {text}: numbers from 0.1 to 100 expected", mend="as in 2,4")
    return widths


def _member(name, entry, request, log):
    """One mosaic, opened and looked at."""
    path = entry.path
    product = open_product(path, kinds=("l3_coadd",))
    wanted = ("instrument.optical_element", "coadd_info.time_first", "coadd_info.time_last", "coadd_info.time_mean",
              "coadd_info.exposure_time", "filename", "file_date")  # fmt: skip
    metadata.require(product.meta, *wanted, path=path)
    element = product.meta["instrument"]["optical_element"]
    if element not in FILTERS:
        raise InputError(f"of {element}, which is not an imaging filter", path=path)
    if product.meta.get("wcs") is None:
        raise InputError("no WCS", path=path)
    missing = [name for name in ("data", "err", "weight") if not product.has(name)]
    if missing:
        raise InputError(f"no array {', '.join(missing)}", path=path)
    if not product.has("var_rnoise"):
        log("warning", f"{name}: no var_rnoise; what var_poisson and others leave of err² stands for it")
    try:
        asked = product.meta, product.kind, STEP.references, request.references, log
        references = find_references(*asked, simulated=history.is_simulated(product.history))
    except RtoolsError as error:
        error.path = error.path or path
        raise
    return FilterMosaic(name, product, element, entry.sed_weight, references)


def _check_together(members):
    """Refuse mosaics of one filter, and those that are not on one grid."""
    first = members[0]
    seen: dict[str, str] = {}
    shape = first.product.arrays["data"].shape
    rows, columns = shape
    x, y = np.array([0, columns - 1, 0, columns - 1.0]), np.array([0, 0, rows - 1, rows - 1.0])
    places = first.product.node("meta.wcs")(x, y, with_bounding_box=False)
    for member in members:
        product, path = member.product, member.product.path
        if member.element in seen:
            twin = seen[member.element]
            raise InputError(f"of {member.element}, as is {twin}", mend="one mosaic a filter", path=path)
        seen[member.element] = member.name
        own = product.arrays["data"].shape
        if own != shape:
            sizes = " and ".join("×".join(map(str, size)) for size in (own, shape))
            raise InputError(f"not of the shape of {first.name} ({sizes})", path=path)
        away = np.hypot(*np.subtract(product.node("meta.wcs").invert(*places, with_bounding_box=False), (x, y)))
        if not away.max() < ALIGNED:
            raise InputError(f"not on the grid of {first.name}", mend="rt-resample --like makes it so", path=path)


def _reference(members, wanted):
    """The reference filter in capitals, or None where nobody names one."""
    if wanted is None:
        return None
    elements = [member.element for member in members]
    if wanted.upper() not in elements:
        mend = f"--psf-match takes one of {' '.join(elements)}"
        raise UsageError(f"no mosaic in the reference filter {wanted.upper()}", mend=mend)
    return wanted.upper()


def _outputs(first, named, request, inputs, warnings):
    """Paths of segmentation map and catalog; refuses what exists, and mosaics that they would replace."""
    extensions = {"segm": "asdf", "cat": request.form or "parquet"}
    outputs = name_outputs(request, Path(first).parent, named or NAME, extensions, "cat")
    if not request.to_stdout:
        refuse_inputs(outputs.values(), inputs)
    warnings += check_outputs(outputs, "cat", request, inputs)
    return outputs


# -- work -------------------------------------------------------------------------------------------------------------


def carry_out(plan: MultibandPlan, request: Request, work: Work) -> list[Path]:
    """Make a catalog and write it.

    Parameters
    ----------
    plan : MultibandPlan
        What was decided.
    request : rtools.pipeline.job.request.Request
        What is asked: the command for the history, formats.
    work : rtools.work.Work
        Threads, log and progress.

    Returns
    -------
    list of Path
        What was written, the segmentation map first.
    """
    from rtools.catalog.measure.measure import Options
    from rtools.catalog.multiband.multiband import multiband_catalog

    meta, options = plan.members[0].product.meta, plan.options
    measuring = Options(dust=dust_of(options["dust_maps"], work.log), skycell=cataloging.skycell_of(meta))
    bands = [_band(member, work) for member in plan.members]
    with work.progress("catalog", None):
        found = multiband_catalog(bands, options, measuring=measuring, work=work)
    extra = {}
    if options["inject_sources"]:
        from rtools.pipeline.catalog.injection import inject_and_recover

        extra = inject_and_recover(plan.members, bands, found, options, measuring=measuring, work=work)
    staged = _stage(plan, request, found, extra, work)
    for stage in staged:
        stage.commit()
    return list(plan.outputs.values())


def _band(member, work):
    """`rtools.catalog.multiband.detection.Band` of a mosaic, which is read when it is its turn."""
    from rtools.catalog.measure.apcorr import encircled_energy
    from rtools.catalog.multiband.detection import Band

    product, references = member.product, member.references
    psf = cache(partial(_psf, references.get("epsf"), product, work.log))
    energy = encircled_energy(references.get("apcorr"), member.element)
    load, noise = partial(cataloging.planes_of, product, work), partial(_noise, product, work)
    return Band(member.element, load, noise, psf, energy, member.sed_weight)


def _psf(reference, product, log):
    if reference is None:
        return None
    grid = product.node("meta.wcs"), product.arrays["data"].shape
    return psf_of(reference, product.meta, grid=grid, log=log)


def _noise(product, work, planes):
    """Read-noise variance of a mosaic."""
    from rtools.catalog.multiband.detection import read_noise

    if product.has("var_rnoise"):
        return np.asarray(product.array("var_rnoise", work), np.float32)
    others = [name for name in ("var_poisson", "var_flat", "var_dark") if product.has(name)]
    return read_noise(planes.err, (product.array(name, work) for name in others))


def _entry(plan, request):
    """The entry of the products' histories."""
    used = {
        f"{name} {member.element}": reference
        for member in plan.members
        for name, reference in member.references.items()
        if reference is not None
    }
    return request.entry(
        parameters={STEP.name: dict(plan.options)},
        references=used,
        inputs=[member.name for member in plan.members],
        made_of=[(member.product.meta, member.product.history) for member in plan.members],
    )


def _stage(plan, request, found, extra, work):
    """Write the products under temporary names."""
    by_element = {member.element: member.product for member in plan.members}
    metas = [by_element[element].meta for element in found.bands]
    described = partial(multiband_meta.multiband_meta, reference=found.bands[0], profile=plan.profile)
    entry = _entry(plan, request)
    staged = []
    try:
        if "segm" in plan.outputs:
            path = plan.outputs["segm"]
            segm = source_catalog.stage_segments(
                path,
                "segm_multiband",
                described("segm_multiband", metas, path),
                found.labels,
                found.detection_image,
                history=[entry | {"main": plan.outputs["cat"].name}],
                extra=extra,
                profile=plan.profile,
                compression=request.compression or "lz4",
                work=work,
            )
            staged.append(segm)
        path = plan.outputs["cat"]
        meta = described("cat_multiband", metas, path)
        about = {"date": source_catalog.date_now()} | found.about
        table = source_catalog.table_of(found.values, found.columns, meta, about)
        staged.append(source_catalog.stage_sources(path, table, form_of(path, request), entry))
    except BaseException:
        for one in staged:
            one.discard()
        raise
    return staged
