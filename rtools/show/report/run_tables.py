"""Tables of the run: failures, timings, references, options, warnings; of the products' own records, and of the log."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from rtools.pipeline.report import Judged, RunRecord
from rtools.products.schema.history import BUILT_IN

__all__ = ["CountedRow", "RunRow", "StepRow", "exit_meaning", "options_of", "references_of", "runs_of", "steps_of",
           "warnings_of"]  # fmt: skip

GIB = 2**30

EXITS = {
    1: "an output that exists or cannot be written, or an internal error: read the message; --debug shows more",
    2: "the command line asks for something that cannot be asked: mend it",
    3: "the input is missing, damaged, or not what the tool takes: fetch or make it again, or leave it out",
    4: "a reference file is missing: give --refdir, a CRDS cache, or --ref TYPE=FILE",
    5: "a quality limit was missed: look at the product, then give another limit or other options",
    130: "interrupted: run again with --resume",
    137: "killed, perhaps because memory ran out: give fewer jobs or --max-memory",
}
"""What an exit status means, and what to do."""


class RunRow(NamedTuple):
    """One input of the run."""

    record: RunRecord
    look: str
    seconds: str
    memory: str
    advice: str


class StepRow(NamedTuple):
    """Seconds of one step over all inputs: their sum, median and largest, and the share of the sum of all steps."""

    step: str
    total: float
    median: float
    largest: float
    share: float


class CountedRow(NamedTuple):
    """Something that products have in common: what it is, its value, how many have it, and whether that is of note."""

    name: str
    value: str
    products: int
    look: str = ""


def exit_meaning(code: int | None) -> str:
    """What an exit status means, and what to do.

    Parameters
    ----------
    code : int or None
        As the log of the run has it.

    Returns
    -------
    str
        Empty where there is none.
    """
    return "" if not code else EXITS.get(code, "see the message")


def runs_of(run: Sequence[RunRecord]) -> list[RunRow]:
    """Inputs of the run, those that failed first.

    Parameters
    ----------
    run : sequence of RunRecord
        Of its log.

    Returns
    -------
    list of RunRow
    """
    rows = [
        RunRow(
            one,
            "bad" if one.status == "failed" else "look" if one.warnings else "good",
            f"{one.seconds:.1f}" if math.isfinite(one.seconds) else "–",
            f"{one.memory / GIB:.2f}" if math.isfinite(one.memory) else "–",
            exit_meaning(one.exit_code),
        )
        for one in run
    ]
    return sorted(rows, key=lambda row: row.look != "bad")


def steps_of(run: Sequence[RunRecord]) -> list[StepRow]:
    """Seconds of each step, the longest first.

    Parameters
    ----------
    run : sequence of RunRecord
        Of its log.

    Returns
    -------
    list of StepRow
    """
    seconds: dict[str, list[float]] = {}
    for one in run:
        for step, value in one.steps.items():
            seconds.setdefault(step, []).append(value)
    total = sum(map(sum, seconds.values())) or 1.0
    rows = [
        StepRow(step, sum(values), float(np.median(values)), max(values), 100 * sum(values) / total)
        for step, values in seconds.items()
    ]
    return sorted(rows, key=lambda row: -row.total)


def _counted(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    return dict(Counter(pairs))


def references_of(products: Sequence[Judged]) -> list[CountedRow]:
    """References that the products name, by type.

    Parameters
    ----------
    products : sequence of Judged
        All of the report.

    Returns
    -------
    list of CountedRow
        Those of the built-in instrument deserve a look.
    """
    counts = _counted(pair for one in products for pair in one.product.provenance.references.items())
    return [
        CountedRow(kind, name, count, "look" if name.startswith(BUILT_IN) else "")
        for (kind, name), count in sorted(counts.items())
    ]


def options_of(products: Sequence[Judged]) -> list[CountedRow]:
    """Options of the steps by the histories; one of which products have several values deserves a look.

    Parameters
    ----------
    products : sequence of Judged
        All of the report.

    Returns
    -------
    list of CountedRow
        Those that differ come first.
    """
    counts = _counted(pair for one in products for pair in one.product.provenance.options.items())
    several = {name for name, count in Counter(name for name, _value in counts).items() if count > 1}
    rows = [
        CountedRow(name, value, count, "look" if name in several else "") for (name, value), count in counts.items()
    ]
    return sorted(rows, key=lambda row: (row.look != "look", row.name, row.value))


def warnings_of(products: Sequence[Judged]) -> list[CountedRow]:
    """Warnings of the products' own logs, the most frequent first.

    Parameters
    ----------
    products : sequence of Judged
        All of the report.

    Returns
    -------
    list of CountedRow
        The name is that of the first product that has it.
    """
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for one in products:
        for text in one.product.provenance.warnings:
            first.setdefault(text, one.product.identity.file)
            counts[text] += 1
    return [CountedRow(first[text], text, count, "look") for text, count in counts.most_common()]
