"""How the inputs of a run ended: a line for each, a table of all, and the same as lines of JSON in a file."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rtools.errors import RtoolsError
from rtools.pipeline.job.job import Result
from rtools.remote import marks

__all__ = ["End", "JsonLog", "end_of_failure", "end_of_result", "lines_of_table"]

LONGEST = 100
"""Inputs of which the table has all; of more it has those that failed."""


FEW = 10
"""Inputs after which what went wrong is still on the screen."""


class End(NamedTuple):
    """How one input ended.

    Attributes
    ----------
    input : str
        Its name.
    status : str
        ``done``, ``kept`` where it was as the run would have made it, or ``failed``.
    seconds : float or None
        Of work, on the clock.
    sources : int or None
        In its catalogs.
    sky : float or None
        Median of its image, in the image's unit.
    alignment_rms : float or None
        Of the stars that it was aligned to, mas.
    exit_code : int
        0 where all went well.
    error : str or None
        What went wrong, and what to do.
    outputs : tuple of str
        Its products.
    warnings : tuple of str
        What was warned of on the way.
    peak_memory : int or None
        Of the process that worked on it, bytes.
    """

    input: str
    status: str
    seconds: float | None = None
    sources: int | None = None
    sky: float | None = None
    alignment_rms: float | None = None
    exit_code: int = 0
    error: str | None = None
    outputs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    peak_memory: int | None = None

    def line(self) -> str:
        """One line about it, without its number."""
        said = [f"{self.input}: {self.status}"]
        if self.seconds is not None:
            said[0] += f" in {self.seconds:.1f} s"
        if self.sources is not None:
            said.append(f"{self.sources} source{'s' * (self.sources != 1)}")
        if self.alignment_rms is not None:
            said.append(f"aligned to {self.alignment_rms:.2f} mas")
        return ", ".join(said)


def end_of_result(result: Result, error: RtoolsError | None = None) -> End:
    """How an input ended of which something came.

    Parameters
    ----------
    result : rtools.pipeline.job.job.Result
        What was done.
    error : RtoolsError, optional
        The quality limit that it missed.

    Returns
    -------
    End
    """
    return End(
        input=marks.told(result.input),
        status="failed" if error else "kept" if result.kept else "done",
        seconds=result.seconds.get("total"),
        sources=sum(one.sources for one in result.catalogs) if result.catalogs else None,
        sky=result.measures.get("sky"),
        alignment_rms=result.measures.get("alignment_rms"),
        exit_code=error.exit_code if error else 0,
        error=_reason(error, result.input) if error else None,
        outputs=tuple(marks.told(str(path)) for path in result.outputs),
        warnings=tuple(map(marks.told, result.warnings)),
        peak_memory=result.peak_memory,
    )


def end_of_failure(name: str, error: RtoolsError) -> End:
    """How an input ended of which nothing came.

    Parameters
    ----------
    name : str
        The input.
    error : RtoolsError
        What went wrong.

    Returns
    -------
    End
    """
    return End(marks.told(name), "failed", exit_code=error.exit_code, error=_reason(error, name))


def _reason(error, name):
    """What went wrong without the name of the input, which stands beside it."""
    return marks.told(str(error).removeprefix(f"{name}: "))


class JsonLog:
    """A file to which a line of JSON is added as each input ends.

    Parameters
    ----------
    path : str
        The file; lines are added to one that exists.
    """

    def __init__(self, path: str):
        try:
            self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 (open as long as the run)
        except OSError as error:
            raise RtoolsError(f"cannot be written ({(error.strerror or str(error)).lower()})", path=path) from None

    def add(self, end: End) -> None:
        """Write a line at once, so that a run that is killed leaves what it had."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        record: dict[str, Any] = {"time": now, **end._asdict()}
        self._file.write(json.dumps(_finite(record)) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _finite(record):
    """A record in which numbers that JSON does not have are missing."""
    return {key: None if isinstance(value, float) and not abs(value) < float("inf") else value
            for key, value in record.items()}  # fmt: skip


COLUMNS = {
    "seconds": lambda value: f"{value:.1f}",
    "sources": str,
    "sky": lambda value: f"{value:.4g}",
    "alignment_rms": lambda value: f"{value:.2f}",
}
"""Columns that stand in the table where an input has such a value, and how that is written."""

HEADS = {"alignment_rms": "rms mas"}


def lines_of_table(ends: list[End]) -> list[str]:
    """The table of a run with several inputs: a line for each, then, behind more than a few, what went wrong once more.

    Parameters
    ----------
    ends : list of End
        In the order in which they ended.

    Returns
    -------
    list of str
        Lines without their ends.
    """
    from rtools.show.table import aligned

    failed = [end for end in ends if end.exit_code]
    again = failed if len(ends) > FEW else []
    ends = sorted(ends if len(ends) <= LONGEST else failed, key=lambda end: end.input)
    names = [name for name in COLUMNS if any(getattr(end, name) is not None for end in ends)]
    head = ["input", "status", *(HEADS.get(name, name) for name in names), "exit"]
    rows = [[end.input, end.status, *(_cell(end, name) for name in names), str(end.exit_code)] for end in ends]
    table = aligned(head, rows, labels=2, width=10**6) if rows else []
    return [*table, *(f"{end.input}: {end.error}" for end in again)]


def _cell(end, name):
    value = getattr(end, name)
    return "" if value is None else COLUMNS[name](value)
