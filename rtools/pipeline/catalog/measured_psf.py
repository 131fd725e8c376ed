"""The PSF of an image's own stars, as a reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.catalog.empirical_psf import CORE, MeasuredPsf, StarChoice, choose_stars, measure_psf
from rtools.catalog.measure import sky
from rtools.catalog.measure.image import errors_and_mask
from rtools.catalog.measure.measure import ANNULUS
from rtools.catalog.source_catalog import catalog_of
from rtools.catalog.steps.catalog import STEP
from rtools.pipeline.catalog.references import MOSAIC_DETECTOR
from rtools.products.schema import history, nodes
from rtools.reference.epsf import Psf, image_jitter, native_stamp
from rtools.reference.nominal import USEAFTER
from rtools.wfi.instrument import FILTERS, NOT_CONFIGURED
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.catalog.source_catalog import ImagePlanes
    from rtools.products.io.face import ProductFace
    from rtools.products.io.staging import Stage

__all__ = ["measure_image_psf", "stage_psf"]

SPOILED = ("SATURATED", "JUMP_DET")
"""Flags near the centre of a star that make it none to measure a PSF of; both missions call them so."""


def measure_image_psf(
    product: ProductFace, planes: ImagePlanes, choice: StarChoice, *, psf: Psf | None = None, work: Work = ALONE
) -> MeasuredPsf:
    """Measure the PSF of an image on its isolated stars.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        The image, opened; it names its flags.
    planes : rtools.catalog.source_catalog.ImagePlanes
        Its planes.
    choice : rtools.catalog.empirical_psf.StarChoice
        Which sources are taken.
    psf : rtools.reference.epsf.Psf, optional
        That of the reference: it says how much of the light the middle of a stamp holds, which the image cannot.
        Without it fluxes by the measured PSF are those within a stamp.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    rtools.catalog.empirical_psf.MeasuredPsf

    Raises
    ------
    InputError
        There are too few stars.
    """
    err, mask = errors_and_mask(planes.data, planes.err, planes.dq)
    found = catalog_of(planes, STEP.defaults() | {"fit_psf": False, "npixels": 9, "deblend": True}, work=work)
    spoiled = None
    if planes.dq is not None:
        bits = product.flag_bits("dq") or {}
        wanted = sum({bits[name] for name in SPOILED if name in bits})
        spoiled = (planes.dq & np.uint32(wanted)) != 0
    rows = choose_stars(found.values, mask, spoiled, choice)
    work.log("info", f"{rows.size} of {len(found.values['label'])} sources are isolated stars")
    x, y = (np.asarray(found.values[f"{axis}_centroid"], float)[rows] for axis in "xy")
    side = sky.mean_side(planes.wcs, planes.data.shape, x, y) if rows.size else np.nan
    inner = max(ANNULUS[0] / side, choice.size / 2)
    ring = inner, inner + (ANNULUS[1] - ANNULUS[0]) / side
    core = None if psf is None else float(native_stamp(psf, CORE).sum())
    return measure_psf(planes.data, err, mask, x, y, ring=ring, size=choice.size, core=core)


def stage_psf(path: Path, product: ProductFace, planes: ImagePlanes, measured: MeasuredPsf) -> Stage:
    """Write a measured PSF as an epsf reference, under a temporary name.

    Parameters
    ----------
    path : Path
        Where it will appear.
    product : rtools.products.io.ProductFace
        The image that it was measured on.
    planes : rtools.catalog.source_catalog.ImagePlanes
        Its planes.
    measured : rtools.catalog.empirical_psf.MeasuredPsf
        The PSF.

    Returns
    -------
    rtools.products.io.staging.Stage
    """
    from rtools.products.io.writer import stage_product

    meta = product.meta
    instrument = meta.get("instrument") or {}
    roman = product.mission == "roman"
    jitter = image_jitter(meta if roman and planes.dq is not None else {})
    image = str(meta.get("filename") or Path(product.path).name)
    about: dict[str, Any] = {
        "measured_on": "exposure" if planes.dq is not None else "mosaic",
        "image": image,
        "stars": len(measured.stars),
        "pixel_scale": sky.mean_side(planes.wcs, planes.data.shape, *measured.stars.T),
    }
    detector, element = (str(instrument.get(key) or "") for key in ("detector", "optical_element"))
    if not roman:  # the form of the file knows Roman's detectors alone
        about |= {"mission": "JWST", "detector": detector, "filter": str(instrument.get("filter") or "")}
        detector, element = NOT_CONFIGURED, next(iter(FILTERS))
    made = {
        "reftype": "EPSF",
        "pedigree": "DUMMY" if history.is_simulated(product.history) else "INFLIGHT",
        "description": f"PSF measured on {len(measured.stars)} stars of {image} by rt-psf.",
        "author": "rtools",
        "useafter": nodes.time(USEAFTER),
        "telescope": "ROMAN",
        "origin": "rtools",
        "instrument": {"name": "WFI", "detector": detector or MOSAIC_DETECTOR, "optical_element": element},
        "oversample": measured.psf.oversample,
        "spectral_type": ["MEASURED"],
        "defocus": [0],
        "pixel_x": [0.0],
        "pixel_y": [0.0],
        "jitter_major": jitter[0],
        "jitter_minor": jitter[1],
        "jitter_position_angle": jitter[2],
        "rtools": {"psf": about},
    }
    stamp = measured.psf.stamps[None, None].astype(np.float32)
    entry = history.entry("rt-psf", parameters={"stars": len(measured.stars)}, inputs=[product.path])
    return stage_product(path, "reference/epsf", made, {"psf": stamp}, history=[entry])
