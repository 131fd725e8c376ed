"""When the integrations of an exposure were, by its table INT_TIMES or by what the exposure says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.wfi import metadata

if TYPE_CHECKING:
    from rtools.products.jwst.product import JwstProduct

__all__ = ["IntegrationTimes", "first_integration", "integration_times"]

PARTS = (0.0, 0.5, 1.0)
"""Begin, middle and end of an integration, as parts of its time."""


class IntegrationTimes(NamedTuple):
    """Times of the integrations of a file.

    Attributes
    ----------
    numbers : ndarray of int64
        Of the integrations within their exposure, from 1.
    begin, middle, end : ndarray of float64
        MJD (UTC); NaN where it is not known.
    begin_bjd, middle_bjd, end_bjd : ndarray of float64
        Barycentric, BJD (TDB) - 2400000.5; NaN where it is not known.
    """

    numbers: np.ndarray
    begin: np.ndarray
    middle: np.ndarray
    end: np.ndarray
    begin_bjd: np.ndarray
    middle_bjd: np.ndarray
    end_bjd: np.ndarray


def first_integration(product: JwstProduct) -> int:
    """Number of the first integration of a file within its exposure; a later segment does not begin with 1.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    """
    return int(_number(product, "exposure.integration_start") or 1)


def _number(product, path):
    """A finite number of the metadata; None where there is none."""
    value = metadata.get(product.meta, path)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        return None
    return value


def integration_times(product: JwstProduct, number: int) -> IntegrationTimes:
    """When the integrations of a file were.

    Rows of INT_TIMES are found by the numbers of integrations; the table of a segment may have those of the whole
    exposure. Without a table the time of the exposure is divided by its integrations, all of one length, and nothing is
    known of the barycentre.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    number : int
        Integrations that it has.

    Returns
    -------
    IntegrationTimes
    """
    wanted = first_integration(product) + np.arange(number)
    nothing = np.full(number, np.nan)
    table = product.table("INT_TIMES") if "INT_TIMES" in product.tables else None
    if table is not None and len(table) and "integration_number" in table.colnames:
        return IntegrationTimes(wanted, *_of_table(table, wanted))
    start, end = (_number(product, f"exposure.{key}") for key in ("start_time", "end_time"))
    if start is None or end is None:
        return IntegrationTimes(wanted, *(nothing.copy() for _ in range(6)))
    length = (end - start) / max(1, int(_number(product, "exposure.nints") or number))
    told = [start + (wanted - 1 + part) * length for part in PARTS]
    return IntegrationTimes(wanted, *told, *(nothing.copy() for _ in range(3)))


def _of_table(table, wanted):
    """Begin, middle and end of integrations by both clocks; NaN where the table has not the row or not the column."""
    numbers = np.asarray(table["integration_number"], np.int64)
    order = np.argsort(numbers, kind="stable")
    rows = order[np.minimum(np.searchsorted(numbers[order], wanted), len(numbers) - 1)]
    known = numbers[rows] == wanted
    for scale in ("MJD_UTC", "BJD_TDB"):
        for part in ("start", "mid", "end"):
            name = f"int_{part}_{scale}"
            told = np.asarray(table[name], np.float64)[rows] if name in table.colnames else np.nan
            yield np.where(known, told, np.nan)
