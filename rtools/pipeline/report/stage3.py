"""Series, spectra, cubes, coronagraphs and interferometry in a report: numbers of a product."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from rtools.quality import measure_curve
from rtools.work.statistics import MAD_TO_SIGMA

if TYPE_CHECKING:
    from rtools.products.jwst import JwstProduct

__all__ = ["STAGE3", "stage3_values"]

CURVES = {
    "phot": ("net_aperture_sum", "net_aperture_sum_err"),
    "whtlt": ("whitelight_flux", "whitelight_flux_err"),
}
"""Columns of flux and error of light curves; those of orders and detectors have more behind their names."""


def stage3_values(product: JwstProduct) -> dict[str, float]:
    """Numbers of a product.

    Parameters
    ----------
    product : JwstProduct
        Of a kind of `STAGE3`.

    Returns
    -------
    dict of str to float
        By keys of `rtools.quality.METRICS`; those that are known.
    """
    found = STAGE3[product.kind](product)
    return {key: float(value) for key, value in found.items() if np.isfinite(value)}


def _of_curve(product):
    table = product.table()
    wanted, error = CURVES[product.kind]
    names = [name for name in table.colnames if name.startswith(wanted) and not name.startswith(error)]
    if not names:
        return {"planes": len(table)}
    errors = names[0].replace(wanted, error)
    sigma = _plain(table[errors]) if errors in table.colnames else None
    quality = measure_curve(_plain(table[names[0]]), sigma)
    return {"planes": len(table), "curve_scatter": 100 * quality.scatter, "curve_ratio": quality.ratio,
            "missing": 100 * quality.missing}  # fmt: skip


def _of_spectra(product):
    extension, sigma = ("COMBINE1D", "ERROR") if product.kind == "c1d" else ("EXTRACT1D", "FLUX_ERROR")
    tables = [product.table(extension, version) for version in product.versions(extension)]
    flux, error = ([_plain(table[name]).ravel() for table in tables] for name in ("FLUX", sigma))
    values, errors = np.concatenate(flux), np.concatenate(error)
    known = np.isfinite(values) & (errors > 0)
    ratio = np.median(values[known] / errors[known]) if known.any() else np.nan
    rows = sum(len(table) for table in tables)
    return {"planes": rows, "signal_to_noise": ratio, "missing": 100 * (1 - known.mean()) if len(values) else np.nan}


def _of_stack(product):
    return {"planes": product.hdu("SCI").shape[-3]}


def _of_subtracted(product):
    values = product.array("data")
    known = values[np.isfinite(values)]
    scatter = MAD_TO_SIGMA * np.median(np.abs(known - np.median(known))) if known.size else np.nan
    return {"planes": values.shape[0], "residual": scatter, "missing": 100 * (1 - known.size / max(values.size, 1))}


def _of_cube(product):
    values = product.array("data")
    return {"planes": values.shape[0], "missing": 100 * (1 - np.isfinite(values).mean())}


def _of_observables(product):
    squares, phases = (_plain(product.table(name)[column]) for name, column in
                       (("OI_VIS2", "VIS2DATA"), ("OI_T3", "T3PHI")))  # fmt: skip
    return {
        "planes": squares.shape[1] if squares.ndim == 2 else 1,
        "visibility": np.nanmedian(squares) if np.isfinite(squares).any() else np.nan,
        "closure_phase": np.sqrt(np.nanmean(phases**2)) if np.isfinite(phases).any() else np.nan,
    }


def _of_models(product):
    return {"planes": len(product.table("SOLNS"))}


def _plain(column):
    return np.ma.filled(np.ma.asarray(column, np.float64), np.nan)


STAGE3: dict[str, Callable[[JwstProduct], dict[str, float]]] = {
    **dict.fromkeys(CURVES, _of_curve),
    **dict.fromkeys(("x1d", "x1dints", "c1d"), _of_spectra),
    **dict.fromkeys(("psfstack", "psfalign"), _of_stack),
    "psfsub": _of_subtracted,
    "s3d": _of_cube,
    **dict.fromkeys(("ami-oi", "amimulti-oi", "aminorm-oi"), _of_observables),
    "amilg": _of_models,
}
"""What gives the numbers of a product, by its kind."""
