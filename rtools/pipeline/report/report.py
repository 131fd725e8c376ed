"""Products together: what is good, what deserves a look, what is bad, and what is odd among its like."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rtools.pipeline.report.aligned import with_offsets
from rtools.pipeline.report.findings import MosaicFindings, ProductFindings, RunRecord
from rtools.quality import METRICS, Verdict, judge, odd_ones

__all__ = ["Judged", "Survey", "gather"]

GIB = 2**30


@dataclass(frozen=True)
class Judged:
    """A product and what is to be said of it.

    Attributes
    ----------
    product : ProductFindings
        What was found.
    verdicts : mapping of str to str
        Keys of its numbers to ``good``, ``look`` or ``bad``.
    odd : frozenset of str
        Keys of its numbers that are far from those of like products.
    verdict : str
        The worst of all; ``broken`` where it could not be read.
    run : RunRecord or None
        What the log of the run says of it.
    """

    product: ProductFindings
    verdicts: Mapping[str, Verdict]
    odd: frozenset[str]
    verdict: str
    run: RunRecord | None = None


@dataclass(frozen=True)
class Survey:
    """All products, and the run that made them.

    Attributes
    ----------
    products : tuple of Judged
        In the order of the command line.
    run : tuple of RunRecord
        Of the log of the run; empty without one.
    """

    products: tuple[Judged, ...]
    run: tuple[RunRecord, ...] = ()


def gather(products: Iterable[ProductFindings], run: Sequence[RunRecord] = ()) -> Survey:
    """Put products together.

    Parameters
    ----------
    products : iterable of ProductFindings
        In any order.
    run : sequence of RunRecord
        Of the log of the run that made them.

    Returns
    -------
    Survey
    """
    made = with_offsets(list(products))
    pixels = {Path(one.identity.file).name: one.exposure.pixels for one in made if one.exposure}
    made = [_with_shares(one, pixels) if one.mosaic else one for one in made]
    records = {os.path.basename(name): one for one in run for name in one.outputs}
    found = [records.get(Path(one.identity.file).name) for one in made]
    made = [_with_costs(one, record) if record else one for one, record in zip(made, found, strict=True)]
    odd = _odd(made)
    judged = [_judged(one, odd[number], found[number]) for number, one in enumerate(made)]
    return Survey(tuple(judged), tuple(run))


def _with_shares(product, pixels):
    """A mosaic with the shares of the pixels of its images that were outliers, as far as the images are known."""
    mosaic: MosaicFindings = product.mosaic
    members = tuple(
        one if one.outliers is None or not pixels.get(one.name) else
        replace(one, share=100 * one.outliers / pixels[one.name]) for one in mosaic.members
    )  # fmt: skip
    shares = [one.share for one in members if math.isfinite(one.share)]
    values = dict(product.values) | ({"outlier_fraction": max(shares)} if shares else {})
    return replace(product, values=values, mosaic=replace(mosaic, members=members))


def _with_costs(product, record):
    costs = {"seconds": record.seconds, "memory": record.memory / GIB}
    known = {key: value for key, value in costs.items() if math.isfinite(value)}
    return replace(product, values=dict(product.values) | known)


def _odd(products):
    """Of each product the keys of its numbers that are far from those of like products."""
    alike: dict[tuple, list[int]] = {}
    for number, one in enumerate(products):
        if not one.problem:
            alike.setdefault(one.identity.like, []).append(number)
    found: list[set[str]] = [set() for _one in products]
    for numbers in alike.values():
        for key in (key for key, metric in METRICS.items() if metric.relative):
            values = {str(one): products[one].values[key] for one in numbers if key in products[one].values}
            for one in odd_ones(values):
                found[int(one)].add(key)
    return found


def _judged(product, odd, record):
    verdicts = {key: judge(key, value) for key, value in product.values.items()}
    words = set(verdicts.values()) | ({"look"} if odd or product.remarks or product.provenance.built_in else set())
    if product.alignment and product.alignment.status == "FAILED":
        words.add("bad")
    if record and record.status == "failed":
        words.add("bad")
    worst = next((word for word in ("bad", "look") if word in words), "good")
    verdict = "broken" if product.problem else worst
    return Judged(product, verdicts, frozenset(odd), verdict, record)
