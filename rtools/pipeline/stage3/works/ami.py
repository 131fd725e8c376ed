"""rt-ami on files: _calints or _crfints to _ami-oi, _amimulti-oi and _amilg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.declare import Reference
from rtools.errors import InputError
from rtools.interferometry.fit import COEFFICIENTS, fit_fringes
from rtools.interferometry.frames import centre_of, filled
from rtools.interferometry.fringes import FringeModel
from rtools.interferometry.observables import Observables, mean_of, observables_of, stacked
from rtools.interferometry.repair import dark_frequencies, repair
from rtools.interferometry.steps.ami import STEP
from rtools.jwst.pupil import non_redundant_mask
from rtools.pipeline.stage3.interferogram import (
    Interferograms,
    affine_of,
    centres_on_sky,
    crosstalk_in,
    holes_of,
    images_of,
    passband_in,
    used_holes,
)
from rtools.pipeline.stage3.making import passed_on
from rtools.pipeline.stage3.oifits_tables import Observed, tables_of
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import NewHdu
from rtools.wfi import metadata

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct
    from rtools.work import Work

__all__ = ["WORK"]


class Fits(NamedTuple):
    """What the fits of all integrations found."""

    each: Observables
    coefficients: np.ndarray
    data: np.ndarray
    model: np.ndarray
    residual: np.ndarray
    further: int


def _make(making: ProductMaking) -> None:
    product, options = making.products[0], making.options
    images = images_of(product, options["firstfew"])
    holes = holes_of(making.references["nrm"], options)
    passband = passband_in(making.references["throughput"])
    pixel = non_redundant_mask().pixel_arcsec
    model = FringeModel(holes, passband, pixel, options["oversample"], crosstalk_in(making.references.get("ipc")))
    centres = centres_on_sky(product, holes, images, making.log)
    found = _fits(images, model, options, making.work)
    used = int(np.isfinite(found.coefficients[:, 0]).sum())
    _tell(making, len(images.data), used, found.further)
    size = images.data.shape[-1]
    seconds = metadata.get(product.meta, "exposure.integration_time")
    if seconds is None:
        seconds = float(metadata.get(product.meta, "exposure.effective_exposure_time") or np.nan) / len(images.data)
    middle = metadata.get(product.meta, "exposure.mid_time")
    seen = Observed(
        centres, holes.centres, holes.flat_to_flat, size * pixel / 2, np.nan if middle is None else float(middle),
        float(seconds), passband.effective, passband.equivalent_width,
    )  # fmt: skip
    meta = _meta(product, making.references, len(images.data))
    making.write_new("amilg", meta, _planes(found, product))
    making.write_new("amimulti-oi", meta, tables_of(found.each, seen, meta))
    mean = seen._replace(seconds=seen.seconds * used)
    making.write_new("ami-oi", meta, tables_of(mean_of(found.each), mean, meta))


def _fits(images: Interferograms, model: FringeModel, options: Mapping[str, Any], work: Work) -> Fits:
    """Fit all integrations, each by any thread."""
    count, size = images.data.shape[:2]
    dark = dark_frequencies(size, model.holes, model.passband, model.pixel) if options["bpfix"] else None
    data, modelled, residual = (np.empty((count, size, size), np.float32) for _ in range(3))
    coefficients = np.empty((count, COEFFICIENTS))

    def one(number):
        image, error, bad = images.data[number].astype(float), images.error[number].astype(float), images.bad[number]
        if dark is not None:
            image, worse = repair(image, error, bad, dark)
        else:
            image, worse = filled(image, ~np.isfinite(image)), bad
        out = worse if options["usebp"] else np.zeros_like(worse)
        fit = fit_fringes(image, error, out, model, centre_of(image))
        data[number], modelled[number], residual[number] = image, fit.image, fit.residual
        coefficients[number] = fit.coefficients
        return observables_of(fit.coefficients, fit.covariance), int((worse & ~bad).sum())

    with work.progress("fringes", count) as progress:
        results = []
        for result in work.each(one, range(count)):
            results.append(result)
            progress.advance()
    observables, further = zip(*results, strict=True)
    return Fits(stacked(list(observables)), coefficients, data, modelled, residual, sum(further))


def _tell(making, count, used, further):
    """What a reader of the log has to know of the fits."""
    if not used:
        raise InputError("no integration has fringes that can be fitted", path=making.products[0].path)
    if used < count:
        making.log("warning", f"{count - used} of {count} integrations have no fringes that can be fitted")
    if used == 1:
        making.log("warning", "one integration does not scatter: the errors of _ami-oi are NaN")
    if further:
        making.log("info", f"{further} bad pixels found that were not flagged")


def _meta(product, references, count):
    """What the products say of the exposure; the keywords of its orientation, which stood in SCI, stand in front."""
    meta = passed_on(product, "wcsinfo", ami_analyze="COMPLETE")
    exposure = dict(meta.get("exposure") or {})
    first = int(exposure.get("integration_start") or 1)
    exposure |= {"integration_start": first, "integration_end": first + count - 1}
    turned = {f"fgs_{key}": metadata.get(product.meta, f"wcsinfo.{key}") for key in ("roll_ref", "v3yangle", "vparity")}
    known = {key: value for key, value in turned.items() if value is not None}
    files = {kind: {"name": reference.label} for kind, reference in references.items() if reference}
    return meta | {
        "exposure": exposure,
        "guidestar": dict(meta.get("guidestar") or {}) | known,
        "ref_file": dict(meta.get("ref_file") or {}) | files,
    }


def _planes(found: Fits, product: JwstProduct) -> list[NewHdu]:
    """Data, model and residual, also in units of the brightest pixel of the data."""
    peak = np.nanmax(found.data, axis=(1, 2), keepdims=True)
    unit = metadata.get(product.meta, "bunit_data")
    hdus = []
    for name, plane in (("CTRD", found.data), ("FIT", found.model), ("RESID", found.residual)):
        hdus += [NewHdu(name, plane, unit=unit), NewHdu(f"N_{name}", plane / peak)]
    solutions = np.zeros(len(found.coefficients), [("coeffs", "f8", (COEFFICIENTS,))])
    solutions["coeffs"] = found.coefficients
    return [*hdus, NewHdu("SOLNS", solutions)]


def _foresee(kind: str, products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    affine_of(options["affine"])
    used_holes(options["holes"])
    for product in products:
        pupil = str(metadata.get(product.meta, "instrument.pupil") or "").upper()
        if pupil != "NRM":
            raise InputError(f"is no interferogram: PUPIL is {pupil or 'missing'}, not NRM", path=product.path)


def _uses(products: Sequence[JwstProduct], options: Mapping[str, Any]) -> tuple[Reference, ...]:
    """The references of the step; crosstalk is not looked for in a file of which it was corrected."""
    corrected = any(metadata.get(product.meta, "cal_step.ipc") == "COMPLETE" for product in products)
    return tuple(use for use in STEP.references if not (corrected and use.type == "ipc"))


WORK = ProductWork(
    step=STEP,
    takes=("calints", "crfints"),
    gives=lambda kind, options: ("amilg", "amimulti-oi", "ami-oi"),
    make=_make,
    foresee=_foresee,
    uses=_uses,
    copies=4,
)
