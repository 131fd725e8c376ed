"""Spectra and cubes of spectra: C8 s3d, C9 x1d and x1dints, C10 c1d."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from rtools.findings import Finding, error, warning
from rtools.products.check.jwst.pieces import counted, image_of, meta_value, named, number_of, table_of
from rtools.products.check.jwst.rows import column_of, columns_of, row_pieces
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import JwstProduct

__all__ = ["check_combined", "check_cube", "check_spectra"]

TOLERANCE = 1e-4
"""Relative difference between the square of an error and the sum of its variances."""

MEASURED = {"FLUX": "FLUX_ERROR", "SB": "SB_ERROR", "BKGD": "BKGD_ERROR"}
"""Column of the error of each quantity; its variances are NAME_VAR_*."""

MICROMETRES = {"m": 1e6, "um": 1.0, "micron": 1.0, "nm": 1e-3, "angstrom": 1e-4}

CLOCKS = (("MJD-BEG", "MJD-AVG", "MJD-END"), ("TDB-BEG", "TDB-MID", "TDB-END"))


def check_cube(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """C8: wavelengths of the planes, and which extensions the header names.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    for keyword in ("FLUXEXT", "ERREXT", "MASKEXT"):
        stated = str(meta_value(product, keyword) or "").strip()
        if stated and stated.upper() not in {hdu.name for hdu in product.hdus}:
            yield error("C8", keyword, f"there is no extension {stated}")
    science, table = image_of(product, "SCI"), table_of(product, "WCS-TABLE")
    wavelengths = None if table is None else column_of(product, table, "wavelength")
    if science is None or len(science.shape) != 3 or wavelengths is None:
        return
    wavelengths = wavelengths.reshape(-1).astype(float)
    if wavelengths.size != science.shape[0]:
        yield error("C8", "WCS-TABLE.wavelength", f"{wavelengths.size} wavelengths for {science.shape[0]} planes")
        return
    wrong = np.flatnonzero(~(np.diff(wavelengths) > 0))
    if wrong.size:
        yield error("C8", "WCS-TABLE.wavelength", f"does not increase from plane {wrong[0]} to the next")
    yield from _linear(science, wavelengths)


def _linear(science, wavelengths):
    """A linear axis in the header says the same as the table."""
    header = science.values
    scale = MICROMETRES.get(str(header.get("CUNIT3", "")).strip().lower())
    if str(header.get("CTYPE3", "")).strip() != "WAVE" or scale is None or not {"CRVAL3", "CDELT3"} <= set(header):
        return
    step = header["CDELT3"] * header.get("PC3_3", 1)
    linear = (header["CRVAL3"] + step * (np.arange(wavelengths.size) + 1 - header.get("CRPIX3", 0))) * scale
    worst = float(np.max(np.abs(linear - wavelengths)))
    if worst > abs(step) * scale / 100 + 1e-6 * wavelengths.max():
        yield error("C8", "WCS-TABLE.wavelength", f"{worst:.3g} um from the linear axis of SCI")


def check_spectra(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """C9 of every table of spectra, in which a row is a wavelength, or an integration or source with vectors.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    for hdu in product.hdus:
        if hdu.name != "EXTRACT1D" or not hdu.is_table:
            continue
        tally: Counter[Finding] = Counter()
        for piece in row_pieces(product, hdu, [column.name for column in hdu.columns]):
            _count(tally, piece, named(hdu.name, hdu.version))
        yield from counted(tally)
        yield from _integrations(product, hdu, named(hdu.name, hdu.version))


def _count(tally, piece, where):
    vectors = {name: np.atleast_2d(column) for name, column in piece.items() if column.dtype.kind == "f"}
    lengths = piece.get("N_ALONGDISP")
    wavelengths = vectors.get("WAVELENGTH")
    if wavelengths is None:
        return
    beyond = np.zeros(wavelengths.shape, bool)
    if lengths is not None and wavelengths.shape[0] == lengths.size:
        tally[error("C9", f"{where}.N_ALONGDISP", "{} rows are longer than the vectors")] += number_of(
            lengths > wavelengths.shape[1]
        )
        beyond = np.arange(wavelengths.shape[1]) >= lengths.reshape(-1, 1)
        found = warning("C9", f"{where}.FLUX", "{} values behind N_ALONGDISP are not NaN")
        flux = vectors.get("FLUX", wavelengths)
        tally[found] += number_of(beyond & ~np.isnan(flux)) if flux.shape == beyond.shape else 0
    found = error("C9", f"{where}.WAVELENGTH", "{} rows are neither increasing nor decreasing")
    tally[found] += sum(not _is_monotonic(row[~one]) for row, one in zip(wavelengths, beyond, strict=True))
    if "NPIXELS" in vectors:
        tally[error("C9", f"{where}.NPIXELS", "{} values are negative")] += number_of(vectors["NPIXELS"] < 0)
    for quantity, name in MEASURED.items():
        _count_sums(tally, vectors, quantity, f"{where}.{name}")


def _is_monotonic(wavelengths):
    steps = np.diff(wavelengths[~np.isnan(wavelengths)])
    return bool((steps > 0).all() or (steps < 0).all())


def _count_sums(tally, vectors, quantity, where):
    """An error is the root of the sum of its variances; where there are no variances nothing is compared."""
    parts = [vectors.get(f"{quantity}_VAR_{part}") for part in ("POISSON", "RNOISE", "FLAT")]
    errors = vectors.get(MEASURED[quantity])
    if errors is None or any(part is None or part.shape != errors.shape for part in parts):
        return
    total, squared = sum(parts), errors**2
    compared = np.isfinite(total) & np.isfinite(squared) & (total > 0)
    differ = np.abs(total - squared) > TOLERANCE * np.maximum(total, squared)
    tally[warning("C9", where, "{} values are not the root of the sum of the variances")] += number_of(
        compared & differ
    )


def _integrations(product: JwstProduct, hdu: JwstHdu, where: str) -> Iterator[Finding]:
    """Integrations in order within each segment, and their times."""
    numbers, segments = column_of(product, hdu, "INT_NUM"), column_of(product, hdu, "SEGMENT")
    if numbers is None:
        return
    together = np.ones(numbers.size - 1, bool) if segments is None else segments[1:] == segments[:-1]
    if (together & (np.diff(numbers.astype(int)) <= 0)).any():
        yield error("C9", f"{where}.INT_NUM", "does not increase within a segment")
    for clock in CLOCKS:
        times = columns_of(product, hdu, *clock)
        if not times:
            continue
        begin, middle, end = times
        told = np.isfinite(begin) & np.isfinite(middle) & np.isfinite(end)
        wrong = number_of(told & ~((begin <= middle) & (middle <= end)))
        if wrong:
            yield error("C9", f"{where}.{clock[0]}", f"{wrong} rows are not {' <= '.join(clock)}")
        elif (together & (np.diff(middle) <= 0)).any():
            yield error("C9", f"{where}.{clock[1]}", "does not increase within a segment")


def check_combined(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """C10: each wavelength of a combined spectrum comes of at least one input, with a weight.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    for hdu in product.hdus:
        if hdu.name != "COMBINE1D" or not hdu.is_table:
            continue
        where = named(hdu.name, hdu.version)
        tally: Counter[Finding] = Counter()
        for piece in row_pieces(product, hdu, ("WEIGHT", "N_INPUT")):
            weights, counts = piece.get("WEIGHT"), piece.get("N_INPUT")
            if weights is not None:
                tally[error("C10", f"{where}.WEIGHT", "{} values are not positive")] += number_of(~(weights > 0))
            if counts is not None:
                found = error("C10", f"{where}.N_INPUT", "{} values are no positive whole numbers")
                tally[found] += number_of(~((counts >= 1) & (counts == np.round(counts))))
        yield from counted(tally)
