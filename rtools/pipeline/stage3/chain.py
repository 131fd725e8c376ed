"""Jobs of one product of an association, planned step by step: each waits for those that make what it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from rtools.declare import Step
from rtools.errors import InputError
from rtools.jwst.suffixes import extension_of
from rtools.pipeline.job.job import Job
from rtools.pipeline.job.request import Request
from rtools.pipeline.stage3.job import Awaited, plan_products
from rtools.pipeline.stage3.work import nth_product, with_candidate, work_of
from rtools.products import names
from rtools.reference.find import Config

__all__ = ["Chain", "MemberFile"]


class MemberFile(NamedTuple):
    """A file that is there, or that a job of the run makes.

    Attributes
    ----------
    path : str
        Where it is, or will be.
    kind : str
        The product that it is.
    like : str
        A file that is there and has its metadata.
    key : str or None
        Of the job that makes it.
    """

    path: str
    kind: str
    like: str
    key: str | None = None

    @property
    def root(self) -> str:
        """Its name without suffix and directory."""
        return names.split_suffix(Path(self.path).name)[0]


@dataclass
class Chain:
    """Jobs of one product of an association, as they are planned.

    Attributes
    ----------
    product : str
        The name of the product, without suffix.
    asn_id : str
        The candidate, which stands in names of exposures.
    folder : Path
        Where products go.
    request : rtools.pipeline.job.request.Request
        What is asked; its `settings` are those of all steps.
    path : str
        The association, for messages.
    meta : mapping
        Of its first science member.
    planned : dict of str to Job
        What the run has planned so far, by keys, in the order in which it is done: what two products need is made once.
    jobs : list of Job
        Those of them that this product needs.
    """

    product: str
    asn_id: str
    folder: Path
    request: Request
    path: str
    meta: Mapping[str, Any]
    planned: dict[str, Job] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)

    @property
    def exposure_type(self) -> str:
        """EXP_TYPE of the first science member."""
        return str((self.meta.get("exposure") or {}).get("type"))

    def skips(self, step: str) -> bool:
        """Whether a step is not wanted.

        Parameters
        ----------
        step : str
            Its tool name.
        """
        return step in self.request.skip

    def add(self, job: Job) -> None:
        """Have a job done, once where it is planned again.

        Parameters
        ----------
        job : Job
            Which.

        Raises
        ------
        InputError
            Another job of the run makes the same files of others.
        """
        twin = self.planned.setdefault(job.key, job)
        if twin.reads != job.reads:
            raise InputError(f"{job.writes[-1]} would be made twice, of different files", path=self.path)
        self.jobs.append(twin)

    def of_exposure(self, piece: MemberFile) -> str:
        """Root of what is made of one exposure for this association: with the candidate's name.

        Parameters
        ----------
        piece : MemberFile
            The exposure.
        """
        return with_candidate(piece.root, self.asn_id)

    def do(
        self, step: str, pieces: Sequence[MemberFile | None], root: str, said: Mapping[str, Any] | None = None
    ) -> dict[str, MemberFile]:
        """Plan a step, if it is wanted.

        Parameters
        ----------
        step : str
            Its tool name.
        pieces : sequence of MemberFile or None
            What it is done on, in the order in which the tool takes them; None is what a skipped step would have made.
        root : str
            Names of its products without suffix.
        said : mapping of str to object, optional
            Options that the recipe gives it, beside those that are asked for.

        Returns
        -------
        dict of str to MemberFile
            Its products by suffix, the main one last; none where the step is skipped, or what it needs is not made.
        """
        files = [piece for piece in pieces if piece is not None]
        if self.skips(step) or len(files) < len(pieces):
            return {}
        work, settings = work_of(step), self.request.settings.get(step, {})
        options = work.step.defaults("jwst") | dict(settings)
        suffixes = work.gives(files[0].kind, options)
        outputs = {suffix: self.folder / f"{root}_{suffix}.{extension_of(suffix)}" for suffix in suffixes}
        job = self._plan(work, files, outputs, said)
        return {suffix: MemberFile(str(path), suffix, files[0].like, job.key) for suffix, path in outputs.items()}

    def compare(self, step: str, pieces: Sequence[MemberFile]) -> list[MemberFile]:
        """Plan a step that compares files with each other, if it is wanted and there are several.

        Parameters
        ----------
        step : str
            Its tool name.
        pieces : sequence of MemberFile
            The files.

        Returns
        -------
        list of MemberFile
            What it makes of each; the files as they are, where it is not done.
        """
        work = work_of(step)
        if self.skips(step) or len(pieces) < 2:
            return list(pieces)
        (suffix,) = work.gives(pieces[0].kind, {})
        made = [self.folder / f"{self.of_exposure(piece)}_{suffix}.{extension_of(suffix)}" for piece in pieces]
        outputs = {nth_product(suffix, number): path for number, path in enumerate(made)}
        job = self._plan(work, pieces, outputs, asn_id=self.asn_id or None)
        return [MemberFile(str(path), suffix, piece.like, job.key) for path, piece in zip(made, pieces, strict=True)]

    def _plan(self, work, files, outputs, said=None, asn_id=None):
        """The job of a step."""
        settings = dict(self.request.settings.get(work.step.name, {})) | dict(said or {})
        request = replace(
            self.request,
            tool=work.step.tool,
            single=work.step.name,
            skip=frozenset(),
            asn_id=asn_id,
            settings={work.step.name: settings},
            references=_of_step(self.request.references, work.step),
        )
        after = {piece.path: Awaited(piece.key, piece.like, piece.kind) for piece in files if piece.key}
        paths = [piece.path for piece in files]
        job = plan_products(str(list(outputs.values())[-1]), paths, request, outputs=outputs, after=after)
        self.add(job)
        return job


def _of_step(config: Config, step: Step) -> Config:
    """Where references are looked for, without those that the step does not read: its tool does not know them."""
    types = {one.type for one in step.references}
    if not types:
        return Config()
    return replace(config, overrides={kind: path for kind, path in config.overrides.items() if kind in types})
