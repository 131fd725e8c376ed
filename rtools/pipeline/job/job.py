"""A job: one piece of a run, decided before any work, carried out by whoever has threads for it.

A run is a list of jobs that know what they wait for. A job says what it reads and writes, which options and references
it uses, what it costs, how it is carried out, and what it reports. It does not change. A job that is pickled is planned
again where it arrives, from the same files and the same request, so that another process makes the same bits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from rtools.pipeline.job.request import Request
    from rtools.products.schema.record import JobRecord
    from rtools.work import Work

__all__ = [
    "Addition",
    "Cost",
    "Description",
    "Failure",
    "Job",
    "JobProducts",
    "Messages",
    "Outcome",
    "PlannedMember",
    "PlannedStep",
    "Result",
]


class Cost(NamedTuple):
    """What a job takes while it is carried out.

    Attributes
    ----------
    threads : int
        How many threads it can use; 0 for as many as there are.
    bytes : int
        Memory at its peak, about.
    """

    threads: int = 0
    bytes: int = 0


@dataclass
class Messages:
    """What a plan has to say before the work, gathered while it is made.

    Attributes
    ----------
    warnings, cautions : list of str
        Cautions are warnings that -q does not hide.
    """

    warnings: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Add a warning."""
        self.warnings.append(text)

    def log(self, level: str, text: str) -> None:
        """Add what is said at "warning" or "caution"; anything else is dropped."""
        if level == "warning":
            self.warnings.append(text)
        elif level == "caution":
            self.cautions.append(text)


@dataclass(frozen=True)
class PlannedStep:
    """What ``--dry-run`` tells of one step.

    Attributes
    ----------
    name : str
        The step's tool without ``rt-``.
    status : str
        What `meta.cal_step` will say.
    options : mapping of str to object
        Values of its options.
    references : mapping of str to str or None
        Reference type to the file that serves; None where it goes without.
    mission : str
        Whose step it is.
    """

    name: str
    status: str = "COMPLETE"
    options: Mapping[str, object] = field(default_factory=dict)
    references: Mapping[str, str | None] = field(default_factory=dict)
    mission: str = "roman"


class PlannedMember(NamedTuple):
    """What ``--dry-run`` tells of one of several files of which one product is made.

    Attributes
    ----------
    file : str
        Its name.
    element : str
        Its filter, where the files differ in that.
    sed_weight : float or None
        What it counts among them, where they differ in that.
    references : mapping of str to str or None
        Reference type to the file that serves it alone.
    """

    file: str
    element: str = ""
    sed_weight: float | None = None
    references: Mapping[str, str | None] | None = None


class JobProducts(NamedTuple):
    """A product with those beside it, as a job would make them.

    Attributes
    ----------
    main : Path
        The product; its record names what else was made.
    beside : tuple of Path
        Its companions, which may be fewer.
    records : tuple of JobRecord
        By any of which the product is as it would be made.
    also : tuple of JobRecord
        Further ones that a companion may have.
    """

    main: Path
    beside: tuple[Path, ...]
    records: tuple[JobRecord, ...]
    also: tuple[JobRecord, ...] = ()

    @property
    def of_companions(self) -> tuple[JobRecord, ...]:
        """Those that a companion may have."""
        return (*self.records, *self.also)


class Addition(NamedTuple):
    """A mosaic that others join.

    Attributes
    ----------
    mosaic : str
        Its file.
    members : int
        Images that it has already.
    """

    mosaic: str
    members: int


@dataclass(frozen=True)
class Description:
    """What ``--dry-run`` tells of a job.

    Attributes
    ----------
    input : str
        The job's name.
    steps : tuple of PlannedStep
        In order.
    outputs : tuple of str
        Files that it writes, the main product last.
    warnings : tuple of str
        What is to be said before the work.
    members : tuple of PlannedMember
        Files of which one product is made; none where every input has its own.
    add : Addition or None
        The mosaic that the members join.
    grids : tuple of str
        Grids of the mosaics.
    waits_for : tuple of str
        Names of the jobs that must end before it begins.
    reason : str or None
        Why it is made, where a run goes on; empty where its products stay.
    """

    input: str
    steps: tuple[PlannedStep, ...] = ()
    outputs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    members: tuple[PlannedMember, ...] = ()
    add: Addition | None = None
    grids: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class Result:
    """What a job did for one input, or for one group of inputs.

    Attributes
    ----------
    input : str
        What the input is called.
    outputs : tuple of Path
        In the order in which they appeared, the main product last.
    statuses : mapping of str to str
        cal_step key to status.
    seconds : mapping of str to float
        Seconds of each part; of steps they are summed over threads. "total" is the time on the clock.
    peak_memory : int
        ru_maxrss of the process in bytes.
    failure : str
        Why a quality limit was missed that the user set; empty where none was.
    catalogs : tuple
        `rtools.pipeline.catalog.single.CatalogSummary` of the catalogs that were made.
    members : tuple of str
        Files of which one product was made; none where every input has its own.
    warnings : tuple of str
        What was warned of on the way.
    measures : mapping of str to float
        Numbers of the product that tell how good it is: `sky`, the median of the image in its unit; `alignment_rms`
        of the stars that it was aligned to, mas.
    finished : bool
        False where another job goes on with this input and reports it.
    kept : bool
        Nothing was done, because all products were there, and as they would have been made.
    """

    input: str
    outputs: tuple[Path, ...] = ()
    statuses: Mapping[str, object] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    peak_memory: int = 0
    failure: str = ""
    catalogs: tuple = ()
    members: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)
    finished: bool = True
    kept: bool = False


@dataclass(frozen=True)
class Failure:
    """Why a job came to nothing for one input."""

    input: str
    error: Exception


Outcome = Result | Failure


@dataclass(frozen=True, eq=False)
class Job(ABC):
    """One piece of a run.

    Attributes
    ----------
    name : str
        What it is called in messages: the input, or the group of inputs.
    request : rtools.pipeline.job.request.Request
        What was asked for.
    """

    name: str
    request: Request

    kind = "job"
    """What jobs of this class do, one word: two jobs of a run may have one name, but not one name and one kind."""

    @property
    def record(self) -> JobRecord | None:
        """What products say of the job; None where they say what their history does."""
        return None

    @property
    def asked(self) -> Any:
        """The request, of the class that it is of, as it is carried out: products get the record by it."""
        return replace(self.request, record=self.record)

    def made(self) -> Sequence[JobProducts]:
        """Its products, with the records by which they are known to be as this job would make them."""
        *beside, main = self.writes
        return [JobProducts(main, tuple(beside), () if self.record is None else (self.record,))]

    @property
    def parts(self) -> tuple[str, ...]:
        """Keys of jobs whose products are for this one alone, and are not kept."""
        return ()

    @property
    def is_future(self) -> bool:
        """Whether its inputs are made in the same run, so that what it makes is not known before."""
        return False

    @property
    def finishes(self) -> bool:
        """Whether no other job goes on with its inputs and reports them."""
        return True

    @property
    def wants_all(self) -> bool:
        """Whether the product of every step is wanted."""
        return False

    def settled(self, before: Mapping[str, Sequence[Outcome]], *, whole: bool = False) -> Job:
        """The job as it is when those that it waits for have ended.

        Parameters
        ----------
        before : mapping of str to sequence of Outcome
            What came of them, by their keys.
        whole : bool
            All of them have been done before, by another run.

        Returns
        -------
        Job
        """
        return self

    @property
    def key(self) -> str:
        """What no other job of the run is called."""
        return f"{self.kind} {self.name}"

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Keys of the jobs that must have ended before this one begins."""
        return ()

    @property
    @abstractmethod
    def reads(self) -> tuple[str, ...]:
        """Files that are read, references apart."""

    @property
    @abstractmethod
    def writes(self) -> tuple[Path, ...]:
        """Files that appear, the main product last."""

    def claims(self) -> Sequence[tuple[str, Path]]:
        """Every file that it writes, and the input whose product that is."""
        return [(self.name, path) for path in self.writes]

    def cost(self) -> Cost:
        """What it takes while it is carried out."""
        return Cost()

    @abstractmethod
    def describe(self) -> Description:
        """What ``--dry-run`` tells of it."""

    @abstractmethod
    def moved_to(self, folder: Path) -> Job:
        """The same job with its main product alone, in a directory from which it is copied to standard output."""

    def again(self) -> Job:
        """The same job after one that was cut off, whose products it replaces."""
        return replace(self, request=replace(self.request, overwrite=True))

    @abstractmethod
    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Do it.

        Parameters
        ----------
        work : rtools.work.Work
            Threads, log and progress.
        before : mapping of str to sequence of Outcome
            What came of the jobs that it waits for, by their keys.

        Returns
        -------
        sequence of Outcome
            One for each input, in order. What goes wrong with all of them is raised.
        """

    def discard(self) -> None:  # noqa: B027 (most jobs leave nothing behind)
        """Remove what it keeps for the jobs that wait for it; called once, when the run has ended."""
