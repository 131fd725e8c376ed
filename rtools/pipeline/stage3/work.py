"""What a step does with whole products, as data: which files it takes and gives, and the function that makes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.declare import Reference, Step
from rtools.errors import InputError, UsageError, with_article
from rtools.products.jwst import JwstProduct

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking

__all__ = ["MissingInput", "ProductWork", "has_work", "nth_product", "with_candidate", "without_segment", "work_of"]

WORKS = Path(__file__).with_name("works")
"""Where the works are, one file for each."""


class MissingInput(NamedTuple):
    """What a work cannot do without, and nobody gives.

    Attributes
    ----------
    why : str
        What is said of the file.
    type : str
        Type of the reference that would give it.
    option : str
        The option that would, and a letter for its value: ``radius R``.
    """

    why: str
    type: str
    option: str


@dataclass(frozen=True, kw_only=True)
class ProductWork:
    """The work of a step on files; ``WORK`` of the file in ``works/`` that is called as the step.

    Attributes
    ----------
    step : rtools.declare.Step
        Declaration of the step.
    takes : tuple of str
        Kinds of products that it is done on.
    gives : callable
        ``gives(kind, options)``: suffixes of what it makes of such a product, the main one last.
    make : callable
        ``make(making)`` makes the products (`rtools.pipeline.stage3.making.ProductMaking`).
    together : bool
        Whether all files make one product; else each has its own.
    of : callable or None
        ``of(product)``: whether a product of these kinds is one of its own, where others of the kind are images, of
        which the tool makes something else.
    beside : tuple of str
        Kinds of the one further file that the work needs, behind the one that it is done on. ``rt-psfsub TARGET REFS``.
    beside_called : str
        What that file is called in help and messages.
    several_beside : bool
        Whether there may be several of these.
    compares : tuple of str
        Kinds of files that are compared with each other in one job, which makes a product of each.
    uses : callable or None
        ``uses(products, options)``: which of the step's references are needed; all of them without it.
    idle : callable or None
        ``idle(products, options)``: options that do nothing for these files, by name, and what is said of them.
    segments : bool
        Whether segments of one exposure, ``-seg001`` and so on, that are named together are one thing, of which one
        product without ``-seg`` is made.
    foresee : callable or None
        ``foresee(kind, products, options)`` refuses what options and metadata tell, before any work. Of files that are
        made in the same run `products` are those that they are made of; `kind` is what the first file will be.
    lacks : callable or None
        ``lacks(kind, products, options, references)``: the `MissingInput` for which it cannot be done, or None; `kind`
        and `products` are those of `foresee`.
    check : callable or None
        ``check(products, options)`` refuses what the files themselves tell, when all are there.
    copies : float
        Memory at the peak, in units of the arrays of all files.
    """

    step: Step
    takes: tuple[str, ...]
    gives: Callable[[str, Mapping[str, Any]], tuple[str, ...]]
    make: Callable[[ProductMaking], None]
    together: bool = False
    of: Callable[[JwstProduct], bool] | None = None
    beside: tuple[str, ...] = ()
    beside_called: str = ""
    several_beside: bool = False
    compares: tuple[str, ...] = ()
    uses: Callable[[Sequence[JwstProduct], Mapping[str, Any]], tuple[Reference, ...]] | None = None
    idle: Callable[[Sequence[JwstProduct], Mapping[str, Any]], Mapping[str, str]] | None = None
    segments: bool = False
    foresee: Callable[[str, Sequence[JwstProduct], Mapping[str, Any]], None] | None = None
    lacks: Callable[[str, Sequence[JwstProduct], Mapping[str, Any], Mapping[str, Any]], MissingInput | None] | None = (
        None
    )
    check: Callable[[Sequence[JwstProduct], Mapping[str, Any]], None] | None = None
    copies: float = 3.0

    def refuse_misfit(self, files: Sequence[tuple[str | Path, str]]) -> None:
        """Refuse files that are not of the kinds that it takes.

        Parameters
        ----------
        files : sequence of (str or Path, str)
            Paths and kinds, in the order in which the tool takes them.

        Raises
        ------
        UsageError
            There are too few of them, or too many.
        InputError
            One is of another kind.
        """
        if self.beside and (len(files) < 2 or (len(files) > 2 and not self.several_beside)):
            wanted = "two files or more" if self.several_beside else "two files"
            raise UsageError(f"{self.step.tool} takes {wanted}, not {len(files)}",
                             mend=f"the second is {self.beside_called}")  # fmt: skip
        for number, (path, kind) in enumerate(files):
            kinds = self.beside if self.beside and number else self.takes
            if kind not in kinds:
                raise InputError(f"is {with_article(kind)}, wanted {' or '.join(kinds)}", path=path)


def nth_product(suffix: str, number: int) -> str:
    """What the product of one of several files is called among the outputs of a job that makes one of each.

    Parameters
    ----------
    suffix : str
        Of the products.
    number : int
        Of the file, from 0.

    Returns
    -------
    str
        The suffix alone for the first.
    """
    return f"{suffix} {number + 1}" if number else suffix


def has_work(name: str) -> bool:
    """Whether a step has a work on whole products; nothing is imported for it.

    Parameters
    ----------
    name : str
        Tool name of the step.
    """
    return (WORKS / f"{name}.py").exists()


def work_of(name: str) -> ProductWork:
    """The work of a step.

    Parameters
    ----------
    name : str
        Tool name of the step.

    Returns
    -------
    ProductWork
        Its file is imported for it.
    """
    return import_module(f"{__package__}.works.{name}").WORK


def with_candidate(root: str, asn_id: str | None) -> str:
    """Root of the names of what is made of one exposure for an association.

    Parameters
    ----------
    root : str
        Name of the exposure without suffix.
    asn_id : str or None
        Candidate of the association.

    Returns
    -------
    str
        With the candidate behind it, once.
    """
    ending = f"_{asn_id}"
    return root if not asn_id or root.endswith(ending) else root + ending


def without_segment(name: str) -> str:
    """A file name without the number of a segment.

    Parameters
    ----------
    name : str
        Of a file, with its directory or without.

    Returns
    -------
    str
        ``…_00001_nrca1_calints.fits`` for ``…_00001-seg002_nrca1_calints.fits``.
    """
    path = Path(name)
    return str(path.with_name(re.sub(r"-seg\d{3}(?=_)", "", path.name))) if path.name else name
