"""What a user asks of a run, whatever its jobs are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtools.products.schema import history
from rtools.products.schema.record import JobRecord, JobWord
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
    resume : bool
        What exists stays, if it is what this request would make (`rtools.pipeline.job.resume`).
    asn_id : str or None
        Candidate of an association, which stands in names of what is made of one exposure.
    said : tuple of JobWord
        What the user said to the tool, for jobs whose record cannot be made of the other attributes.
    record : JobRecord or None
        What products will say of their job; a job sets it when it is carried out.
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
    resume: bool = False
    asn_id: str | None = None
    said: tuple[JobWord, ...] = field(default_factory=history.spoken)
    record: JobRecord | None = None

    @property
    def to_stdout(self) -> bool:
        """Whether the main product goes to standard output."""
        return self.output == "-"

    def words(self) -> list[JobWord]:
        """What is asked, as options of the tool; those of steps and of outputs apart."""
        words = [JobWord("--skip", name) for name in sorted(self.skip)]
        places = self.references
        for kind, path in places.overrides.items():
            absent = str(path).lower() == "none"
            words.append(JobWord("--ref", f"{kind}=none") if absent else
                         JobWord("--ref", os.path.abspath(path), names_file=True, before=f"{kind}="))  # fmt: skip
        if places.refdir is not None:
            words.append(JobWord("--refdir", os.path.abspath(places.refdir), names_file=True))
        if places.builtin is not None:
            words.append(JobWord("--builtin" if places.builtin else "--no-builtin"))
        said = {"--compression": self.compression, "--profile": self.profile, "--format": self.form,
                "--asn-id": self.asn_id}  # fmt: skip
        words += [JobWord(name, value) for name, value in said.items() if value is not None]
        return words + ([JobWord("--again")] if self.again else [])

    def entry(
        self,
        *,
        parameters: Mapping[str, Any],
        inputs: Iterable[str | Path],
        references: Mapping[str, Any] | None = None,
        made_of: Iterable[tuple[Mapping[str, Any], Any]] | None = None,
    ) -> dict[str, Any]:
        """The entry of a product's history, with the record of the job.

        Parameters
        ----------
        parameters, inputs, references, made_of
            As `rtools.products.schema.history.entry` takes them.

        Returns
        -------
        dict
        """
        return history.entry(self.tool, parameters=parameters, inputs=inputs, references=references, made_of=made_of,
                             job=self.record)  # fmt: skip
