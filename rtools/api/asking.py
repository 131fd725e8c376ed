"""What all functions of the face say in one way: threads, warnings, options of steps, where references are."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.errors import RtoolsError, RtoolsWarning, UsageError
from rtools.machine import cores

if TYPE_CHECKING:
    from rtools.pipeline.job.job import Job, Result
    from rtools.products.io import Product
    from rtools.reference.find import Config
    from rtools.work import Work

__all__ = [
    "carried_out",
    "free_path",
    "opened",
    "reference_places",
    "step_settings",
    "told",
    "warn",
    "working",
]


def warn(level: str, text: str) -> None:
    """A log for `rtools.work.Work` that warns of what a user should know, and says nothing else.

    Parameters
    ----------
    level : str
        What is neither "warning" nor "caution" is dropped.
    text : str
        What is said.
    """
    if level in ("warning", "caution"):
        warnings.warn(text, RtoolsWarning, stacklevel=2)


def working(threads: int) -> Work:
    """A `rtools.work.Work`, to be used in a ``with``, whose warnings are Python's.

    Parameters
    ----------
    threads : int
        How many threads work; 1 is the one that calls, 0 means one for each core.

    Raises
    ------
    UsageError
        The number is negative.
    """
    from rtools.work import Work

    if threads < 0:
        raise UsageError(f"threads={threads}: a number of threads is 0 (all cores) or more")
    count = threads or cores()
    return Work(None if count == 1 else count, log=warn)


def reference_places(
    refdir: str | Path | None, references: Mapping[str, str | None] | None, builtin: bool | None
) -> Config:
    """Where references are looked for.

    Parameters
    ----------
    refdir : str, Path or None
        A directory of reference files; None for that which ``RT_REFDIR`` names.
    references : mapping of str to str or None
        Reference type to its file; None does without a reference of this type.
    builtin : bool or None
        Whether the nominal instrument serves what is found nowhere; None: only simulated data, and only where no
        other place is known.
    """
    from rtools.reference.find import Config

    overrides = {kind: "none" if path is None else str(path) for kind, path in (references or {}).items()}
    place = os.environ.get("RT_REFDIR") if refdir is None else str(refdir)
    return Config(overrides=overrides, refdir=place, builtin=builtin)


def step_settings(settings: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Options of several steps, checked: step to {option key: value}.

    Parameters
    ----------
    settings : mapping of str to object
        As ``--set`` has them: ``{"rampfit.threshold": 5}``.

    Raises
    ------
    UsageError
        There is no such step or option, or a value is not valid for it.
    """
    from rtools.pipeline.job.settings import check_options
    from rtools.pipeline.job.steps import has_step, step_of

    checked: dict[str, dict[str, Any]] = {}
    for word, value in (settings or {}).items():
        name, dot, option = word.partition(".")
        if not dot or not has_step(name):
            raise UsageError(f"{word!r} names no option of a step", mend="as in 'rampfit.threshold'")
        checked.setdefault(name, {}).update(check_options(step_of(name), {option: value}))
    return checked


def opened(file: str | Path | Product, kinds: Sequence[str] | None = None) -> Product:
    """A product that is open already, or a file that is opened.

    Parameters
    ----------
    file : str, Path or Product
        The file.
    kinds : sequence of str, optional
        Kinds of products that are wanted.
    """
    from rtools.products.io import Product, open_product

    return file if isinstance(file, Product) else open_product(file, kinds)


def carried_out(job: Job, threads: int) -> Result:
    """Carry one job out.

    Parameters
    ----------
    job : rtools.pipeline.job.job.Job
        With one input.
    threads : int
        As `working` takes it.

    Raises
    ------
    RtoolsError
        Nothing came of it.
    """
    from rtools.pipeline.job.job import Failure

    try:
        with working(threads) as work:
            (outcome,) = job.carry_out(work, {})
    finally:
        job.discard()
    if isinstance(outcome, Failure):
        raise outcome.error
    return outcome


def free_path(path, *, overwrite):
    """The path of an output that may be written."""
    path = Path(path)
    if path.exists() and not overwrite:
        raise RtoolsError("exists already", mend="overwrite=True replaces it", path=path)
    return path


def told(stage, path):
    """Warn of what is lost in a file that was written; its path."""
    for name, count in getattr(stage, "overflows", {}).items():
        warn("warning", f"{path}: {count} values of {name} are beyond its dtype and became infinite")
    for text in stage.messages:
        warn("warning", f"{path}: {text}")
    return path
