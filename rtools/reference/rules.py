"""What differs between the missions where a reference is looked for: the types, how files are told, what matches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from rtools.reference.source import ReferenceSource

__all__ = ["Case", "Listed", "MissionRules", "SearchedPlace"]


class Listed(Protocol):
    """What a file of a directory says of itself, as far as all missions ask."""

    @property
    def path(self) -> str:
        """Absolute."""

    @property
    def problem(self) -> str:
        """Why it cannot be read; empty if it can."""

    @property
    def type(self) -> str | None:
        """The reference type; None for a file that is no reference of the mission."""


@dataclass(frozen=True)
class Case:
    """The exposure at hand.

    Attributes
    ----------
    want : object
        What its references are selected on, as `MissionRules.wanted` gives it; its text names the exposure in messages.
    frame : tuple of int
        Rows and columns of its full frame.
    log : callable
        ``log(level, text)``, for warnings.
    simulated : bool
        Whether it is.
    """

    want: Any
    frame: tuple[int, int]
    log: Callable[[str, str], None]
    simulated: bool


class SearchedPlace(NamedTuple):
    """Where references are looked for.

    Attributes
    ----------
    name : str
        For messages.
    look : callable
        ``look(reftype)``: the path of the file that serves or None, and what there is to say.
    origin : str
        ``file`` or ``crds``.
    """

    name: str
    look: Callable[[str], tuple[str | None, str]]
    origin: str


class MissionRules(Protocol):
    """How a mission's references are found."""

    @property
    def types(self) -> Collection[str]:
        """Every reference type that is known."""

    @property
    def applied(self) -> Collection[str]:
        """Those that some tool applies."""

    @property
    def lackable(self) -> Collection[str]:
        """Those that may be absent even where no place is configured."""

    def type_of(self, word: str) -> str | None:
        """The type that a word names; None where none has this name."""

    def wanted(self, meta: Mapping[str, Any]) -> Any:
        """What references of an exposure are selected on; its text names the exposure."""

    def scan(self, directory: str | Path) -> Sequence[Listed]:
        """What the files of a directory say of themselves."""

    def best(self, candidates: Iterable[Any], reftype: str, want: Any) -> tuple[Any, str]:
        """The file that serves or None, and what there is to say about the choice."""

    def crds(
        self, reftypes: Iterable[str], meta: Mapping[str, Any], log: Callable[[str, str], None]
    ) -> SearchedPlace | None:
        """The mission's cache of references, where the environment names one that can be asked."""

    def crds_doubt(self) -> str:
        """Why the cache that the environment names cannot be asked; empty where there is none, or it can be."""

    def open(self, reftype: str, path: str | Path, origin: str, case: Case) -> tuple[ReferenceSource, str]:
        """The source in a file, and on what the file does not fit the exposure; empty where it does."""

    def has_builtin(self, reftype: str, case: Case) -> bool:
        """Whether the built-in set has a reference of a type for the exposure."""

    def builtin(self, reftype: str, case: Case) -> ReferenceSource:
        """The built-in reference of a type."""
