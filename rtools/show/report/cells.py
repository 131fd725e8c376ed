"""Numbers of a report as they are written: columns of the general table, numbers of a product, what to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rtools.pipeline.report import Judged
from rtools.quality import METRICS, Metric

__all__ = ["Concern", "NumberCell", "cells_of", "columns_of", "concerns_of", "limits_of", "summary_of", "written"]

NOTHING = "–"
SHOWN = 12
"""Products that are named where something is wrong with many."""

ODD_ACTION = "Far from that of its like: products of the same kind, filter, type and exposure time. Compare with them."


@dataclass(frozen=True)
class NumberCell:
    """A number of a product.

    Attributes
    ----------
    key : str
        Of `rtools.quality.METRICS`.
    metric : Metric
        What it is.
    text : str
        As it is written.
    sort : str
        By which a table is sorted; empty where it is unknown.
    look : str
        ``good``, ``look``, ``bad`` or empty.
    odd : bool
        Whether it is far from that of like products.
    todo : str
        What to do; empty where nothing is.
    """

    key: str
    metric: Metric
    text: str
    sort: str
    look: str
    odd: bool
    todo: str


def written(value: float | None, form: str) -> str:
    """A number as text, or a dash.

    Parameters
    ----------
    value : float or None
        The number.
    form : str
        As `format` takes it.

    Returns
    -------
    str
    """
    return NOTHING if value is None or not math.isfinite(value) else format(value, form)


def columns_of(products: Sequence[Judged]) -> list[str]:
    """Keys of the numbers that any of some products has, in the order of the table.

    Parameters
    ----------
    products : sequence of Judged
        All of the report.

    Returns
    -------
    list of str
    """
    there = {key for one in products for key in one.product.values}
    return [key for key in METRICS if key in there]


def cells_of(one: Judged, keys: Sequence[str]) -> list[NumberCell]:
    """Numbers of a product.

    Parameters
    ----------
    one : Judged
        The product.
    keys : sequence of str
        Which numbers.

    Returns
    -------
    list of NumberCell
        One for each key.
    """
    return [_cell(one, key) for key in keys]


def _cell(one, key):
    metric, value = METRICS[key], one.product.values.get(key)
    known = value is not None and math.isfinite(value)
    verdict, odd = one.verdicts.get(key, ""), key in one.odd
    todo = metric.action if verdict in ("look", "bad") else f"{ODD_ACTION} {metric.action}" if odd else ""
    look = "look" if odd and verdict in ("", "good") else verdict
    return NumberCell(key, metric, written(value, metric.form), repr(float(value)) if known else "", look, odd, todo)


def limits_of(metric: Metric) -> str:
    """The limits of a number in words.

    Parameters
    ----------
    metric : Metric
        The number.

    Returns
    -------
    str
        Empty where it has none.
    """
    words = [f"good {_range(metric.good)}"] if metric.good != metric.sound else []
    words += [f"bad if not {_range(metric.sound)}"] if _range(metric.sound) else []
    words += ["compared with its like"] if metric.relative else []
    return "; ".join(word for word in words if not word.endswith(" "))


def _range(limits):
    low, high = limits
    if math.isfinite(low) and math.isfinite(high):
        return f"from {low:g} to {high:g}" if low != high else f"at {low:g}"
    return f"from {low:g} on" if math.isfinite(low) else f"up to {high:g}" if math.isfinite(high) else ""


@dataclass(frozen=True)
class Concern:
    """One thing that is wrong with some products.

    Attributes
    ----------
    look : str
        ``look`` or ``bad``.
    title : str
        What it is.
    meaning, todo : str
        What it means, and what to do.
    products : tuple of (int, str)
        Number and text of some of them.
    count : int
        How many there are.
    """

    look: str
    title: str
    meaning: str
    todo: str
    products: tuple[tuple[int, str], ...]
    count: int


def concerns_of(products: Sequence[Judged], names: Sequence[str]) -> list[Concern]:
    """What deserves a look, the worst first.

    Parameters
    ----------
    products : sequence of Judged
        All of the report.
    names : sequence of str
        What they are called.

    Returns
    -------
    list of Concern
    """
    found: dict[tuple[str, str], list[tuple[int, str]]] = {}
    texts: dict[tuple[str, str], tuple[str, str, str]] = {}
    for number, one in enumerate(products):
        for look, title, value, meaning, todo in [*_facts(one), *_numbers(one)]:
            found.setdefault((look, title), []).append((number, f"{names[number]}{f': {value}' if value else ''}"))
            texts[look, title] = title, meaning, todo
    made = [Concern(key[0], *texts[key], tuple(ones[:SHOWN]), len(ones)) for key, ones in found.items()]
    return sorted(made, key=lambda concern: (concern.look != "bad", -concern.count))


def _numbers(one):
    for key, value in one.product.values.items():
        cell = _cell(one, key)
        if cell.todo:
            title = f"{cell.metric.label}{' is odd' if cell.odd and one.verdicts.get(key) in ('', 'good') else ''}"
            text = f"{written(value, cell.metric.form)} {cell.metric.unit}".strip()
            yield cell.look, title, text, cell.metric.meaning, cell.todo


def _facts(one):
    """What is wrong that is no number."""
    product = one.product
    if product.problem:
        yield (
            "bad",
            "cannot be read",
            product.problem,
            "The file is missing, damaged, or no product.",
            ("Make it again, or fetch it again; rt-validate says more of a file that can be opened."),
        )
    if product.alignment and product.alignment.status == "FAILED":
        yield (
            "bad",
            "alignment failed",
            product.alignment.reason,
            ("The image has the coordinates of the telescope's pointing, which are off by up to an arcsec."),
            "Align it again with a deeper catalog, a larger searchrad, or together with the others of its visit.",
        )
    if one.run and one.run.status == "failed":
        yield (
            "bad",
            "the run failed here",
            one.run.error,
            "The log of the run names the input as failed.",
            ("The section of the run has the reason and the exit status."),
        )
    if product.provenance.built_in:
        yield (
            "look",
            "not for science",
            "",
            ("References of the built-in nominal instrument were used, or went into what this was made of."),
            "Give real references: --refdir, or a CRDS cache; rt-refs check names those that an exposure needs.",
        )
    for text in product.remarks:
        yield (
            "look",
            "a file beside it",
            text,
            "A catalog or segmentation map beside the image is not shown.",
            ("Make it again with rt-catalog, or name the right files."),
        )


def summary_of(products: Sequence[Judged]) -> Mapping[str, int]:
    """How many products are good, deserve a look, are bad, could not be read.

    Parameters
    ----------
    products : sequence of Judged
        All of the report.

    Returns
    -------
    mapping of str to int
        By these words.
    """
    return {word: sum(one.verdict == word for one in products) for word in ("good", "look", "bad", "broken")}
