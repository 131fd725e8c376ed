"""What a user asks of a run, whatever its jobs are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rtools.reference import find

__all__ = ["Request"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a user asks of a run.

    Attributes
    ----------
    tool : str
        The command, for the history.
    single : str or None
        One step (a step tool), or None for a chain.
    skip : frozenset of str
        Steps not to do.
    settings : mapping of str to mapping
        Step name to {option key: value}.
    references : rtools.reference.find.Config
        Where reference files are looked for.
    output : str or None
        ``-o``: the name of the main product; ``-`` is standard output.
    outdir : str or None
        ``--outdir``; without it products go next to their input.
    overwrite : bool
        Replace outputs that exist.
    compression : str or None
        Of arrays; None for what each product has by default.
    profile : str or None
        Schema generation; None for that of the input.
    again : bool
        Do a step that is COMPLETE in the input.
    form : str or None
        Format of the catalog, parquet or ecsv; None as `output` says, else parquet.
    """

    tool: str
    single: str | None = None
    skip: frozenset[str] = frozenset()
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    references: find.Config = field(default_factory=find.Config)
    output: str | None = None
    outdir: str | None = None
    overwrite: bool = False
    compression: str | None = None
    profile: str | None = None
    again: bool = False
    form: str | None = None

    @property
    def to_stdout(self) -> bool:
        """Whether the main product goes to standard output."""
        return self.output == "-"
