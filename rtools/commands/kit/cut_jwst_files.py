"""Cutting files of JWST: which part is meant, and how it is written."""

import math
import os
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from rtools.errors import InputError, UsageError

__all__ = ["Cutting", "form_of", "maker", "part_of", "pieces"]


class Cutting(NamedTuple):
    """What is cut out of a product: as text, for --json, for the history, and how."""

    told: str
    spans: dict[str, Any]
    parameters: dict[str, Any]
    cut: Callable[[Any], tuple[Any, Any]]


def pieces(integrations, wave):
    """What --integrations and --wave say.

    Parameters
    ----------
    integrations, wave : str or None
        As typed.

    Returns
    -------
    dict
        ``integrations`` to (int or None, int or None), ``wave`` to (float, float); only what is given.

    Raises
    ------
    UsageError
        Not such a span.
    """
    found: dict[str, Any] = {}
    if integrations is not None:
        ends = re.fullmatch(r"\s*(\d*)\s*:\s*(\d*)\s*", integrations, re.ASCII)
        span = [int(end) if end else None for end in ends.groups()] if ends else [0, 0]
        if span[1] is not None and (span[0] or 0) >= span[1]:
            raise UsageError(f"--integrations {integrations}: A:B expected, as 0:100", mend="the end is exclusive")
        found["integrations"] = tuple(span)
    if wave is not None:
        found["wave"] = _wavelengths(wave)
    return found


def _wavelengths(text):
    low, colon, high = (part.strip() for part in text.partition(":"))
    try:
        span = float(low or 0), float(high or "inf")
    except ValueError:
        span = (1.0, 0.0)
    if not colon or not span[0] <= span[1]:
        raise UsageError(f"--wave {text}: W1:W2 expected, micrometres, as 2.1:2.3")
    return span


def form_of(product):
    """The form in which a JWST product is written.

    Parameters
    ----------
    product : rtools.products.jwst.JwstProduct

    Returns
    -------
    str
        ``fits``.

    Raises
    ------
    InputError
        It is an ECSV table.
    """
    if product.form == "ecsv":
        raise InputError("a table", mend="rt-table chooses its rows", path=product.path)
    return "fits"


def part_of(product, region, given):
    """What is cut out of a JWST product.

    Parameters
    ----------
    product : rtools.products.jwst.JwstProduct
        Opened.
    region : (slice, slice) or None
        Rows and columns.
    given : dict
        Of `pieces`.

    Returns
    -------
    Cutting

    Raises
    ------
    InputError
        There is nothing that could be cut so.
    """
    from rtools.pipeline.astrometry.jwst_cutout import cut_jwst
    from rtools.products.jwst.cutting import JwstRegion, integration_count

    rows, columns = region or (None, None)
    spans: dict[str, Any] = {}
    if region:
        spans |= {"columns": [columns.start, columns.stop], "rows": [rows.start, rows.stop]}
    chosen = None
    if "integrations" in given:
        chosen = _clipped(given["integrations"], integration_count(product), product)
        spans["integrations"] = [chosen.start, chosen.stop]
    if "wave" in given:
        spans["wave"] = [end if math.isfinite(end) else None for end in given["wave"]]
    wanted = JwstRegion(rows, columns, chosen, given.get("wave"))
    told = ",".join(f"{spans[key][0]}:{spans[key][1]}" for key in ("columns", "rows") if key in spans)
    further = {key: ":".join("" if end is None else f"{end:g}" for end in spans[key]) for key in given}
    parameters = ({"section": told} if region else {}) | further
    words = [told, *(f"{key} {span}" for key, span in further.items())]
    return Cutting(" ".join(words).strip(), spans, parameters, lambda _work: cut_jwst(product, wanted))


def _clipped(span, count, product):
    """Integrations within those that there are."""
    first, stop = span[0] or 0, count if span[1] is None else min(span[1], count)
    if first >= stop:
        raise InputError(f"the integrations from {first} on are not in the file, which has {count}", path=product.path)
    return slice(first, stop)


def maker(_console, product, part, writing, *, work):
    """A function that stages the cutout of a JWST product under a path.

    Parameters
    ----------
    product : rtools.products.jwst.JwstProduct
        Opened.
    part : Cutting
        Of `part_of`.
    writing : dict
        What was asked for of ASDF, which FITS does not have.
    work : rtools.work.Work

    Raises
    ------
    UsageError
        An option about ASDF is given, or the cutout would tear REFOUT.
    InputError
        There is nothing that could be cut so.
    """
    from rtools.products.jwst import stage_jwst
    from rtools.products.schema import history

    asked = next((key for key, value in writing.items() if value), None)
    if asked:
        raise UsageError(f"--{asked} is about ASDF, and a product of JWST stays FITS", path=product.path)
    cutout = part.cut(work)
    record = history.entry("rt-cut", parameters=part.parameters, inputs=[product.path])

    def make(path):
        stamps = {"meta.filename": os.path.basename(path), "meta.date": history.stamp()}
        return stage_jwst(path, product, cutout.changes, tree={**cutout.tree, **stamps}, history=[record])

    return make
