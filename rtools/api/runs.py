"""Whole runs, which read and write files: what the tools do, without a command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.api.asking import carried_out, reference_places, step_settings
from rtools.errors import UsageError
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from rtools.mosaic.grid.grid import Grid
    from rtools.pipeline.job.job import Result

__all__ = ["run_exposure", "run_mosaic", "run_multiband", "run_step"]


def run_exposure(
    file: str | Path,
    *,
    outdir: str | Path | None = None,
    output: str | Path | None = None,
    until: str | None = None,
    skip: Iterable[str] = (),
    settings: Mapping[str, Any] | None = None,
    refcat: str | Path | None = None,
    refdir: str | Path | None = None,
    references: Mapping[str, str | None] | None = None,
    builtin: bool | None = None,
    save_steps: bool = False,
    overwrite: bool = False,
    threads: int = 1,
) -> Result:
    """Calibrate an exposure, as rt-run does: every step that its type has and that its file does not have yet.

    Parameters
    ----------
    file : str or Path
        Raw data (``_uncal``) or any intermediate product.
    outdir : str or Path, optional
        Where products go; by default beside the file.
    output : str or Path, optional
        Name of the main product, instead of `outdir`.
    until : str, optional
        The last step; its product is the main one, otherwise ``_cal``.
    skip : iterable of str
        Steps that are left out.
    settings : mapping of str to object, optional
        Options of steps, as ``--set`` has them: ``{"rampfit.threshold": 5}``.
    refcat : str or Path, optional
        Reference catalog to which the image is aligned.
    refdir, references, builtin
        As `find_references`.
    save_steps : bool
        Write the product of every step, too.
    overwrite : bool
        Replace products that exist.
    threads : int
        Threads that share the work; 0 means all cores. The result does not depend on it.

    Returns
    -------
    rtools.pipeline.job.job.Result
        `outputs`, the main product last; `statuses` of the steps; `catalogs`, how many sources they have and how deep
        they are; `warnings`; `seconds`; `failure`, why an alignment failed.

    Raises
    ------
    InputError
        The file is not an exposure, or lacks something.
    MissingReferenceError
        A reference is nowhere.
    UsageError
        A step or an option does not exist, or an option cannot have this value.
    RtoolsError
        A product exists, or cannot be written.

    Examples
    --------
    >>> import rtools
    >>> raw = "r0000101001001001001_0001_wfi01_f158_uncal.asdf"
    >>> done = rtools.run_exposure(raw, outdir="again", settings={"rampfit.threshold": 5}, skip=["catalog"])
    >>> [path.name.rpartition("_")[2] for path in done.outputs], done.statuses["ramp_fit"]
    (['wcs.asdf', 'cal.asdf'], 'COMPLETE')
    """
    from rtools.pipeline.exposure import chain
    from rtools.pipeline.exposure.job import plan_exposure
    from rtools.pipeline.exposure.request import ExposureRequest

    checked = step_settings(settings)
    if refcat is not None:
        checked.setdefault("tweakreg", {})["refcat"] = str(refcat)
    request = ExposureRequest(
        tool="rt-run",
        last=chain.resolve(until) if until else None,
        skip=frozenset(chain.resolve(word) for word in skip),
        settings=checked,
        named=checked,
        references=reference_places(refdir, references, builtin),
        save_steps=save_steps,
        **_places(outdir, output),
        overwrite=overwrite,
    )
    return carried_out(plan_exposure(str(file), str(file), request), threads)


def run_step(
    step: str,
    file: str | Path,
    *,
    outdir: str | Path | None = None,
    output: str | Path | None = None,
    refdir: str | Path | None = None,
    references: Mapping[str, str | None] | None = None,
    builtin: bool | None = None,
    overwrite: bool = False,
    threads: int = 1,
    **options: Any,
) -> Result:
    """Do one step of the calibration of an exposure, as its own tool does.

    Parameters
    ----------
    step : str
        ``dqinit``, ``saturation``, ``refpix`` … ``flat``: the tool without ``rt-``.
    file : str or Path
        The product of the step before.
    outdir : str or Path, optional
        Where products go; by default beside the file.
    output : str or Path, optional
        Name of the main product, instead of `outdir`.
    refdir, references, builtin
        As `find_references`.
    overwrite : bool
        Replace products that exist.
    threads : int
        Threads that share the work; 0 means all cores. The result does not depend on it.
    **options
        Of the step, with underscores: ``threshold=5``.

    Returns
    -------
    rtools.pipeline.job.job.Result
        `outputs`, the main product last; `warnings`; `seconds`.

    Raises
    ------
    InputError
        The step cannot be done to this file.
    MissingReferenceError
        A reference is nowhere.
    UsageError
        The step or an option does not exist, or an option cannot have this value.
    RtoolsError
        A product exists, or cannot be written.

    Examples
    --------
    >>> import rtools
    >>> raw = "r0000101001001001001_0001_wfi01_f158_uncal.asdf"
    >>> (ready,) = rtools.run_step("dqinit", raw, outdir="steps").outputs
    >>> (flagged,) = rtools.run_step("saturation", ready).outputs
    >>> flagged.name
    'r0000101001001001001_0001_wfi01_f158_saturation.asdf'
    """
    from rtools.pipeline.exposure import chain
    from rtools.pipeline.exposure.job import plan_exposure
    from rtools.pipeline.exposure.request import ExposureRequest
    from rtools.pipeline.job.settings import check_options
    from rtools.pipeline.mosaic.catalog import plan_catalog, takes

    declared = chain.step_of(chain.resolve(step))
    request = ExposureRequest(
        tool=declared.tool,
        single=declared.name,
        settings={declared.name: check_options(declared, options)},
        references=reference_places(refdir, references, builtin),
        **_places(outdir, output),
        overwrite=overwrite,
    )
    plan = plan_catalog if takes(file, request) else plan_exposure
    return carried_out(plan(str(file), str(file), request), threads)


def run_mosaic(
    files: Sequence[str | Path],
    output: str | Path | None = None,
    *,
    outdir: str | Path | None = None,
    skycells: Iterable[str] = (),
    like: str | Path | None = None,
    grid: Grid | None = None,
    scale: float | None = None,
    skip: Iterable[str] = (),
    settings: Mapping[str, Any] | None = None,
    refdir: str | Path | None = None,
    references: Mapping[str, str | None] | None = None,
    builtin: bool | None = None,
    max_memory: float = 2.0,
    overwrite: bool = False,
    threads: int = 1,
) -> Result:
    """Make a mosaic of images, as rt-run does: sky matched, outliers flagged, drizzled, catalogued.

    Parameters
    ----------
    files : sequence of str or Path
        ``_cal`` files, or one association.
    output : str or Path, optional
        Name of the mosaic, ``…_coadd.asdf``.
    outdir : str or Path, optional
        Where products go, instead of `output`.
    skycells : iterable of str
        Names of skycells, a mosaic each.
    like : str or Path, optional
        An image on whose grid the mosaic is made.
    grid : Grid, optional
        The grid, as `make_grid` gives it. Without any of these the mosaic covers all images.
    scale : float, optional
        Arcsec a pixel, of a mosaic that covers all images; by default that of the first image.
    skip : iterable of str
        Steps that are left out: ``skymatch``, ``outlier``, ``catalog``.
    settings : mapping of str to object, optional
        Options of steps, as ``--set`` has them: ``{"resample.pixfrac": 0.8}``.
    refdir, references, builtin
        As `find_references`; for the catalog.
    max_memory : float
        GiB that are used, about.
    overwrite : bool
        Replace products that exist.
    threads : int
        Threads that share the work; 0 means all cores. The result does not depend on it.

    Returns
    -------
    rtools.pipeline.job.job.Result
        `outputs`, of each mosaic the coadd last; `catalogs`; `warnings`; `seconds`.

    Raises
    ------
    InputError
        A file is not an image, the images are of several filters, or none touches the grid.
    UsageError
        A step or an option does not exist, or an option cannot have this value.
    RtoolsError
        A product exists, or cannot be written.

    Examples
    --------
    >>> import rtools
    >>> images = [f"field/r0000101001001001001_000{number}_wfi01_f158_cal.asdf" for number in (1, 2, 3)]
    >>> done = rtools.run_mosaic(images, "field_coadd.asdf", scale=0.11, skip=["catalog"])
    >>> with rtools.open_product(done.outputs[-1]) as mosaic:
    ...     print(mosaic.kind, mosaic.meta["resample"]["members"].__len__())
    l3_coadd 3
    """
    from rtools.pipeline.job.steps import has_step
    from rtools.pipeline.mosaic.grid import WantedGrid
    from rtools.pipeline.mosaic.job import plan_mosaic
    from rtools.pipeline.mosaic.request import MosaicRequest

    skip = frozenset(skip)
    for word in skip:
        if not has_step(word) or word in ("flux", "resample"):
            raise UsageError(f"skip={word}: no step that a mosaic can do without")
    wanted = _grid_as_typed(grid) if grid is not None else WantedGrid(like=_text(like), scale=scale)
    request = MosaicRequest(
        tool="rt-run",
        skip=skip,
        settings=step_settings(settings),
        wanted=wanted,
        skycells=tuple(skycells),
        max_memory=max_memory,
        references=reference_places(refdir, references, builtin),
        **_places(outdir, output),
        overwrite=overwrite,
    )
    paths = [str(file) for file in files]
    name = paths[0] if len(paths) == 1 else f"{len(paths)} images"
    return carried_out(plan_mosaic(name, paths, request), threads)


def run_multiband(
    files: Sequence[str | Path],
    output: str | Path | None = None,
    *,
    outdir: str | Path | None = None,
    refdir: str | Path | None = None,
    references: Mapping[str, str | None] | None = None,
    builtin: bool | None = None,
    overwrite: bool = False,
    threads: int = 1,
    **options: Any,
) -> Result:
    """Make one catalog of mosaics in several filters, as rt-multiband does.

    Parameters
    ----------
    files : sequence of str or Path
        ``_coadd`` files on one grid, or one association of them.
    output : str or Path, optional
        Name of the catalog, ``…_cat.parquet``.
    outdir : str or Path, optional
        Where products go, instead of `output`.
    refdir, references, builtin
        As `find_references`.
    overwrite : bool
        Replace products that exist.
    threads : int
        Threads that share the work; 0 means all cores. The result does not depend on it.
    **options
        Of rt-multiband, with underscores.

    Returns
    -------
    rtools.pipeline.job.job.Result
        `outputs`, the catalog last; `warnings`; `seconds`.

    Raises
    ------
    InputError
        A file is not a mosaic, or they are not on one grid.
    UsageError
        An option does not exist or cannot have this value.
    RtoolsError
        A product exists, or cannot be written.

    Examples
    --------
    >>> import rtools
    >>> done = rtools.run_multiband(["bands/f106_coadd.asdf", "bands/f158_coadd.asdf"], "two_cat.parquet")
    >>> table = rtools.read_catalog(done.outputs[-1])
    >>> {"aper04_f106_flux", "aper04_f158_flux"} <= set(table.colnames)
    True
    """
    from rtools.catalog.steps.multiband import STEP
    from rtools.pipeline.catalog.job import plan_multiband
    from rtools.pipeline.job.request import Request
    from rtools.pipeline.job.settings import check_options

    request = Request(
        tool=STEP.tool,
        single=STEP.name,
        settings={STEP.name: check_options(STEP, options)},
        references=reference_places(refdir, references, builtin),
        **_places(outdir, output),
        overwrite=overwrite,
    )
    paths = [str(file) for file in files]
    return carried_out(plan_multiband(paths[0], paths, request), threads)


def _places(outdir, output):
    """Where products go, as a request has it."""
    if outdir is not None and output is not None:
        raise UsageError("output and outdir do not go together")
    return {"outdir": _text(outdir), "output": _text(output)}


def _text(path):
    return None if path is None else str(path)


def _grid_as_typed(grid):
    """What a user would say to have this grid made."""
    import numpy as np

    from rtools.pipeline.mosaic.grid import WantedGrid
    from rtools.wfi.siaf import PARITY

    (_, sine), (_, cosine) = grid.matrix
    if np.linalg.det(grid.matrix) * PARITY < 0:
        raise UsageError("a mosaic on this grid would be mirrored", mend="name its skycell, or an image like it")
    angle = float(np.rad2deg(np.arctan2(sine, cosine)))
    rows, columns = grid.shape
    scale = grid.scale * DEGREE_ARCSEC
    return WantedGrid(center=grid.crval, scale=scale, size=(columns, rows), pa=angle, crpix=grid.crpix)
